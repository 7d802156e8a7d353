//! Our verifier of AWS Nitro's documents beside the crate `nitro_attest`, which shares neither its CBOR, its certificates nor
//! its signatures with ours: the same verdict on every sample and on everything that was made of one, but where ours is
//! stricter by rule. Each such rule is named here.
//!
//! The crate has AWS's root in it and takes no other, so that documents of our own, rightly signed and wrong in what they say,
//! cannot be held against it: those are in the tests of `ccc-core`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot be set up ends")]

use ccc_core::enclave::attestation::{Evidence, Registers, nitro};
use nitro_attest::{AttestationDoc, UnparsedAttestationDoc};
use p384::ecdsa::Signature;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::path::Path;
use time::OffsetDateTime;

/// Samples in `vectors/attestation/nitro` with their own times; the last is text.
const SAMPLES: [(&str, u64); 4] = [
    ("real-2025-01-06-eu-central-1.cose", 1_736_179_625),
    ("evervault-beta-valid-attestation-doc.cose", 1_665_651_482),
    ("evervault-beta-debug-mode-attestation-doc.cose", 1_665_582_606),
    ("evervault-valid-attestation-doc.b64", 1_695_049_410),
];
/// Alterations drawn for each sample.
const DRAWN: usize = 150;

fn sample(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/attestation/nitro").join(name);
    let bytes = std::fs::read(path).unwrap();
    if name.ends_with(".b64") { base64(&bytes) } else { bytes }
}

fn base64(text: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.iter().filter_map(|byte| ALPHABET.iter().position(|letter| letter == byte));
    let digits: Vec<u32> = digits.map(|digit| u32::try_from(digit).unwrap()).collect();
    let groups = digits.chunks(4).flat_map(|group| {
        let word = (0..4).fold(0, |word, at| word << 6 | group.get(at).unwrap_or(&0));
        word.to_be_bytes()[1..group.len()].to_vec()
    });
    groups.collect()
}

fn ours(document: &[u8], at: u64) -> Option<Evidence> {
    nitro::verify(document, nitro::ROOT_G1, at).ok()
}

/// A panic of its parsers ends the test: it would not be a verdict.
fn theirs(document: &[u8], at: u64) -> Option<AttestationDoc> {
    let at = OffsetDateTime::from_unix_timestamp(at.try_into().unwrap()).unwrap();
    UnparsedAttestationDoc::from(document).parse_and_verify(at).ok()
}

fn verdicts(document: &[u8], at: u64) -> (bool, bool) {
    (ours(document, at).is_some(), theirs(document, at).is_some())
}

#[test]
fn every_sample_says_the_same_to_both() {
    for (name, at) in SAMPLES {
        let document = sample(name);
        let (ours, theirs) = (ours(&document, at).unwrap(), theirs(&document, at).unwrap());
        assert_eq!(ours.user_data, theirs.user_data.unwrap_or_default().to_vec(), "{name}");
        assert_eq!(ours.nonce.unwrap(), theirs.nonce.unwrap_or_default().to_vec(), "{name}");
        assert_eq!(ours.issued, u64::try_from(theirs.timestamp.unix_timestamp()).ok(), "{name}");
        let code = |number| theirs.pcrs.contains_key(&number);
        assert_eq!(ours.debug, !(code(0) && code(1) && code(2)), "{name}: PCRs of zero are left out there");
        let Registers::Nitro { pcrs } = ours.registers else { panic!("registers of Nitro") };
        // it leaves out those that are zero
        let used = pcrs.into_iter().filter(|(_, value)| value.iter().any(|byte| *byte != 0));
        let found = theirs.pcrs.into_iter().map(|(number, digest)| (u8::try_from(number).unwrap(), digest.value));
        assert!(used.eq(found), "{name}");
    }
}

#[test]
fn both_refuse_a_sample_a_second_outside_of_its_certificates() {
    for (name, at) in SAMPLES {
        let document = sample(name);
        let Evidence { not_before, not_after, .. } = ours(&document, at).unwrap();
        for (at, holds) in [(not_before - 1, false), (not_before, true), (not_after, true), (not_after + 1, false)] {
            assert_eq!(verdicts(&document, at), (holds, holds), "{name} at {at}");
        }
    }
}

/// Bytes exchanged, taken out and put in anywhere, the same ones in each run: nearly all of them are under a signature.
#[test]
fn what_is_drawn_both_refuse() {
    let mut rng = StdRng::seed_from_u64(1);
    for (name, at) in SAMPLES {
        let genuine = sample(name);
        for draw in 0..DRAWN {
            let mut document = genuine.clone();
            let place = rng.random_range(0..document.len());
            match draw % 3 {
                0 => document[place] ^= 1 << rng.random_range(0..8),
                1 => drop(document.remove(place)),
                _ => document.insert(place, rng.random()),
            }
            assert_eq!(verdicts(&document, at), (false, false), "{name}, draw {draw} at {place}");
        }
    }
}

/// Heads of the array, the protected header, the unprotected one, the payload and the signature: no signature covers them.
/// Every value of every byte of them; no other one is the document to either.
#[test]
fn every_byte_of_the_frame_has_one_value_to_both() {
    for (name, at) in SAMPLES {
        let genuine = sample(name);
        let (front, back) = (front(&genuine), genuine.len() - 98);
        let places = [0, 1, front - 1, front, front + 1, front + 2, back, back + 1];
        for (place, value) in places.into_iter().flat_map(|place| (0..=255).map(move |value| (place, value))) {
            let mut document = genuine.clone();
            document[place] = value;
            let same = document == genuine;
            assert_eq!(verdicts(&document, at), (same, same), "{name}, {value:#04x} at {place}");
        }
    }
}

/// Of (R, S) and (R, -S) either is a signature of the same key: neither verifier asks for the lower one, and who is to
/// take a document once must not tell it by its bytes.
#[test]
fn the_other_signature_of_a_document_is_one_to_both() {
    for (name, at) in SAMPLES {
        let genuine = sample(name);
        let (signed, signature) = genuine.split_at(genuine.len() - 96);
        let (r, s) = Signature::from_slice(signature).unwrap().split_scalars();
        let other = Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
        let document = [signed, &other.to_bytes()[..]].concat();
        assert_ne!(document, genuine);
        assert_eq!(verdicts(&document, at), (true, true), "{name}");
    }
}

/// Where the payload's head stands: array, protected header of five bytes, empty map.
fn front(document: &[u8]) -> usize {
    assert_eq!(document[..7], [0x84, 0x44, 0xa1, 0x01, 0x38, 0x22, 0xa0], "the form of every sample");
    7
}

/// What no signature covers, written in another way: ours takes one form.
#[test]
fn other_forms_of_the_frame_are_refused_by_ours_alone() {
    for (name, at) in SAMPLES {
        let genuine = sample(name);
        let front = front(&genuine);
        let (before, payload) = genuine.split_at(front);
        assert_eq!(payload[0], 0x59, "a length of two bytes");
        let (content, signature) = payload[3..].split_at(payload.len() - 3 - 98);
        let length = &payload[1..3];
        let forms: [(&str, Vec<u8>, bool); 5] = [
            ("an unprotected header", [&before[..6], &[0xa1, 0x04, 0x41, 0x31], payload].concat(), true),
            ("a longer length of the payload", [before, &[0x5a, 0, 0], length, content, signature].concat(), true),
            (
                "a longer length of the signature",
                [before, &payload[..3], content, &[0x59, 0, 96], &signature[2..]].concat(),
                true,
            ),
            ("an array without a length", [&[0x9f], &genuine[1..], &[0xff]].concat(), true),
            ("one byte behind the end", [&genuine[..], &[0]].concat(), false),
        ];
        for (form, document, accepted) in forms {
            assert_eq!(verdicts(&document, at), (false, accepted), "{name}: {form}");
        }
        // the tag of COSE_Sign1, which RFC 9052 leaves to the application: ours takes both, theirs one
        let tagged = [&[0xd2], &genuine[..]].concat();
        assert_eq!(verdicts(&tagged, at), (true, false), "{name}");
    }
}
