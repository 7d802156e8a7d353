//! Revocation lists: no input makes their reader panic, what is read was whole, and no list that was altered says that a
//! chain is in order.
//!
//! `cargo +nightly fuzz run revocation`
#![no_main]

use ccc_core::enclave::attestation::{
    MAX_REVOCATION_LISTS, RevocationError, RevocationLists, nitro,
    snp::{self, Authority, Generation},
};
use libfuzzer_sys::fuzz_target;

/// Greatest number of bytes that are altered in one sample.
const MOST_EDITS: usize = 64;
/// When the samples are valid.
const AT: u64 = 1_800_000_000;

macro_rules! vector {
    ($name:literal) => {
        include_bytes!(concat!("../../vectors/attestation/snp/revocation/", $name))
    };
}

/// Lists under a root of our own. The first takes nothing back, and its root's word is all that a chain needs.
const SAMPLES: [&[u8]; 5] = [
    vector!("nothing.crl"),
    vector!("nothing-of-ask.crl"),
    vector!("ask-revoked.crl"),
    vector!("ark-revoked.crl"),
    vector!("vcek-revoked.crl"),
];
const AUTHORITY: [Authority<'static>; 1] =
    [Authority { root: vector!("ark.der"), intermediate: vector!("ask.der"), generation: Generation::Milan }];

fn checked(lists: &RevocationLists) -> Result<(), snp::SnpError> {
    snp::check_revocation(vector!("vcek.der"), &AUTHORITY, lists, AT)
}

/// Where the issuer's name ends: header of the list, header of what is signed, version, algorithm, name.
fn name_end(list: &[u8]) -> usize {
    let after = |at: usize| at + 2 + usize::from(list[at + 1]);
    assert_eq!((&list[..2], &list[4..6], &list[7..10]), (&[0x30, 0x82][..], &[0x30, 0x81][..], &[2, 1, 1][..]));
    after(after(10))
}

/// A sample with bytes altered, (place u16, value) after (place u16, value), and cut or followed by more. Alone it is the
/// only word of the root, so that a chain is in order under the genuine first sample and under nothing else.
fn altered(sample: usize, edits: &[u8]) {
    let genuine = SAMPLES[sample % SAMPLES.len()];
    let mut bytes = genuine.to_vec();
    let (length, edits) = edits.split_at(edits.len().min(2));
    if let [1..=127, by] = length {
        bytes.truncate(bytes.len().saturating_sub((*by).into()));
    }
    if let [128..=255, by] = length {
        bytes.extend_from_slice(&vec![0; (*by).into()]);
    }
    for [high, low, value] in edits.as_chunks().0.iter().take(MOST_EDITS) {
        let place = usize::from(u16::from_be_bytes([*high, *low]));
        if let Some(byte) = bytes.get_mut(place % genuine.len()) {
            *byte = *value;
        }
    }
    let mut lists = RevocationLists::default();
    let read = lists.add(bytes.clone());
    if bytes == genuine {
        assert!(read.is_ok());
    }
    let found = read.is_ok().then(|| checked(&lists));
    let sound = bytes == SAMPLES[0];
    assert_eq!(matches!(found, Some(Ok(()))), sound, "{found:?}");
    if read.is_ok() {
        beside(genuine, &bytes);
        of_another_maker(&lists, &bytes);
    }
}

/// Beside the root's genuine word: a list that takes something back does, and one that was altered is no list to pass over
/// where it still carries an issuer's name.
fn beside(genuine: &[u8], bytes: &[u8]) {
    let mut lists = RevocationLists::default();
    lists.add(SAMPLES[0].to_vec()).expect("genuine");
    lists.add(bytes.to_vec()).expect("read before");
    let found = checked(&lists);
    let end = name_end(genuine);
    if bytes == genuine {
        let revoked = matches!(found, Err(snp::SnpError::Revocation(RevocationError::Revoked { .. })));
        assert_eq!(revoked, SAMPLES[2..].contains(&genuine), "{found:?}");
    } else if bytes.get(..end) == Some(&genuine[..end]) {
        assert!(found.is_err());
    }
}

/// Lists of AMD's form say nothing of a document of AWS, whose root has none among them.
fn of_another_maker(lists: &RevocationLists, bytes: &[u8]) {
    let document = include_bytes!("../../vectors/attestation/nitro/real-2025-01-06-eu-central-1.cose");
    let made = nitro::check_revocation(document, nitro::ROOT_G1, lists, 1_736_179_625);
    assert!(made.is_err(), "nobody here has the key of the root");
    let mut many = lists.clone();
    let taken = (1..MAX_REVOCATION_LISTS).take_while(|_| many.add(bytes.to_vec()).is_ok()).count();
    assert_eq!(taken + 1, MAX_REVOCATION_LISTS);
    assert!(matches!(many.add(bytes.to_vec()), Err(RevocationError::Lists { .. })));
}

/// The bytes as they are.
fn plain(bytes: &[u8]) {
    let mut lists = RevocationLists::default();
    let Ok(()) = lists.add(bytes.to_vec()) else {
        assert!(lists.is_empty());
        return;
    };
    assert_eq!(checked(&lists).is_ok(), bytes == SAMPLES[0]);
    of_another_maker(&lists, bytes);
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&selector, rest)) = bytes.split_first() else { return };
    match selector {
        0..=191 => altered(usize::from(selector), rest),
        _ => plain(rest),
    }
});
