//! Evidence of hardware: no input makes a verifier panic, and of genuine samples nothing is accepted that was altered.
//!
//! `cargo +nightly fuzz run evidence`
#![no_main]

use ccc_core::enclave::attestation::{Body, ProviderKind, dcap, nitro, snp, verify};
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
        0..=127 => altered(usize::from(selector), rest),
        _ => plain(rest, 1_736_179_625),
    }
});
