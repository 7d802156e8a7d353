//! Evidence of hardware: no input makes a verifier panic, and of genuine samples nothing is accepted that was altered.
//!
//! `cargo +nightly fuzz run evidence`
#![no_main]

use ccc_core::enclave::attestation::{Body, EvidenceList, MAX_PIECES, ProviderKind, dcap, nitro, snp, verify};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// Greatest number of bytes that are altered in one sample.
const MOST_EDITS: usize = 64;

macro_rules! vector {
    ($name:literal) => {
        include_bytes!(concat!("../../vectors/attestation/", $name))
    };
}

/// Genuine evidence with a time at which it is valid.
static SAMPLES: LazyLock<Vec<(Vec<u8>, u64)>> = LazyLock::new(|| {
    let quote = dcap::without_padding(vector!("dcap/tdx_quote"));
    let samples = [
        (Body::Nitro { document: vector!("nitro/real-2025-01-06-eu-central-1.cose") }, 1_736_179_625),
        (
            Body::Snp {
                report: vector!("snp/go-sev-guest-attestation.bin"),
                vcek: vector!("snp/go-sev-guest-vcek.der"),
            },
            1_700_000_000,
        ),
        (Body::Tdx { quote, collateral: vector!("dcap/tdx_quote_collateral.json") }, 1_750_334_400),
        (
            Body::Sgx { quote: vector!("dcap/sgx_quote"), collateral: vector!("dcap/sgx_quote_collateral.json") },
            1_750_334_400,
        ),
    ];
    let written = samples.into_iter().map(|(body, at)| (body.to_bytes().expect("short"), at));
    written.inspect(|(bytes, at)| assert!(verify(bytes, *at).is_ok())).collect()
});

/// The end of what is signed: of quotes the end of the quote, since collateral is JSON with room between its tokens.
fn signed(bytes: &[u8]) -> usize {
    match Body::from_bytes(bytes) {
        Ok(Body::Tdx { quote, .. } | Body::Sgx { quote, .. }) => 9 + 4 + quote.len(),
        _ => bytes.len(),
    }
}

/// A sample with bytes altered: (place u16, value) after (place u16, value).
fn altered(sample: usize, edits: &[u8]) {
    let (genuine, at) = &SAMPLES[sample % SAMPLES.len()];
    let mut bytes = genuine.clone();
    let places = signed(genuine);
    for [high, low, value] in edits.as_chunks().0.iter().take(MOST_EDITS) {
        let place = usize::from(u16::from_be_bytes([*high, *low])) % places;
        bytes[place] = *value;
    }
    let found = verify(&bytes, *at);
    assert_eq!(found.is_ok(), bytes == *genuine, "{found:?}");
}

/// A list of genuine samples, then with bytes altered as a single one: what is still a list reads back as it was written, and a
/// piece is accepted where it is the genuine one, or not within what its signatures cover.
fn listed(first: usize, edits: &[u8]) {
    let count = 2 + first % (MAX_PIECES - 1);
    let samples: Vec<_> = SAMPLES.iter().cycle().skip(first % SAMPLES.len()).take(count).collect();
    let pieces: Vec<&[u8]> = samples.iter().map(|(bytes, _)| bytes.as_slice()).collect();
    // quotes bring their collateral: four pieces may be more than a list holds
    let Ok(genuine) = EvidenceList::join(&pieces) else { return };
    assert_eq!(EvidenceList::from_bytes(&genuine).expect("genuine").pieces(), pieces);
    let mut bytes = genuine.clone();
    let (triples, rest) = edits.as_chunks();
    for [high, low, value] in triples.iter().take(MOST_EDITS) {
        let place = usize::from(u16::from_be_bytes([*high, *low])) % bytes.len();
        bytes[place] = *value;
    }
    bytes.extend_from_slice(rest);
    let Ok(list) = EvidenceList::from_bytes(&bytes) else { return };
    match list.pieces() {
        [alone] => assert_eq!(*alone, bytes, "another provider than several"),
        pieces => assert_eq!(EvidenceList::join(pieces).as_ref(), Ok(&bytes), "no bytes beside the pieces"),
    }
    for (piece, (sample, at)) in list.pieces().iter().zip(samples) {
        let covered = signed(sample);
        if verify(piece, *at).is_ok() {
            assert_eq!(piece.get(..covered), sample.get(..covered), "an altered piece is accepted");
        }
    }
}

/// Bytes as a list, and the pieces to every verifier.
fn lists(bytes: &[u8], now: u64) {
    let mut wire = ccc_core::encoding::header(ccc_core::encoding::Kind::Evidence).to_vec();
    wire.push(0);
    wire.extend_from_slice(bytes);
    if let Ok(list) = EvidenceList::from_bytes(&wire) {
        assert_eq!(EvidenceList::join(list.pieces()).as_ref(), Ok(&wire));
        for piece in list.pieces() {
            let _ = verify(piece, now);
        }
    }
}

/// The bytes as they are, to each verifier.
fn plain(bytes: &[u8], now: u64) {
    let _ = nitro::verify(bytes, nitro::ROOT_G1, now);
    let (front, back) = bytes.split_at(bytes.len().min(snp::REPORT_LEN));
    let _ = snp::verify(front, back, &snp::AUTHORITIES, now);
    let _ = snp::chain(bytes, &snp::AUTHORITIES, now);
    let half = dcap::without_padding(bytes);
    let _ = dcap::verify(half, &bytes[half.len()..], dcap::ROOT, now);
    for kind in ProviderKind::ALL {
        let mut wire = ccc_core::encoding::header(ccc_core::encoding::Kind::Evidence).to_vec();
        wire.push(kind as u8);
        wire.extend_from_slice(bytes);
        if let Ok(body) = Body::from_bytes(&wire) {
            assert_eq!(body.to_bytes().as_deref(), Ok(&wire[..]));
        }
        let _ = verify(&wire, now);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&selector, rest)) = bytes.split_first() else { return };
    match selector {
        0..=95 => altered(usize::from(selector), rest),
        96..=143 => listed(usize::from(selector), rest),
        144..=159 => lists(rest, 1_736_179_625),
        _ => plain(rest, 1_736_179_625),
    }
});
