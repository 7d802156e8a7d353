//! The group and the primitives as they are called here, against outside vectors.

#![allow(missing_docs, reason = "a test crate exports nothing")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken vector file fails the test")]

mod support;

use ccc_core::encoding::{EncodingError, Kind, header};
use ccc_core::keys::{MasterPublicKey, ParticipantKeys};
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce, Tag};
use curve25519_dalek::{RistrettoPoint, Scalar};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use support::{array, bytes, list, number, outside, text};

fn item<const N: usize>(value: &Value) -> [u8; N] {
    hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap()
}

#[test]
fn multiples_of_the_generator_are_those_of_rfc_9496() {
    let file = outside("rfc9496-ristretto255/ristretto255.json");
    let mut sum = RistrettoPoint::default();
    for (k, recorded) in (0u64..).zip(list(&file, "multiples_of_generator")) {
        let wire = item::<32>(recorded);
        assert_eq!(RistrettoPoint::mul_base(&Scalar::from(k)).compress().to_bytes(), wire);
        assert_eq!(sum.compress().to_bytes(), wire);
        let read = MasterPublicKey::from_bytes(&wire).map(|key| key.to_bytes());
        let identity = EncodingError::Identity { what: "master public key" };
        assert_eq!(read, if k == 0 { Err(identity) } else { Ok(wire) });
        sum += RistrettoPoint::mul_base(&Scalar::ONE);
    }
}

#[test]
fn n010_encodings_that_rfc_9496_refuses_are_no_points() {
    let file = outside("rfc9496-ristretto255/ristretto255.json");
    let refused = list(&file, "refused_encodings");
    assert_eq!(refused.len(), 29);
    for wire in refused {
        let found = MasterPublicKey::from_bytes(&item::<32>(wire));
        assert_eq!(found, Err(EncodingError::Point { what: "master public key" }), "{wire}");
    }
    let frost = outside("zcash-frost/frost-ristretto255-elements.json");
    let wire = array::<32>(&frost["elements"], "invalid_element");
    assert_eq!(MasterPublicKey::from_bytes(&wire), Err(EncodingError::Point { what: "master public key" }));
}

#[test]
fn elements_and_scalars_of_the_frost_vectors_are_read_as_written() {
    let file = outside("zcash-frost/frost-ristretto255-samples.json");
    for key in ["element1", "element2"] {
        let wire = array::<32>(&file, key);
        assert_eq!(MasterPublicKey::from_bytes(&wire).unwrap().to_bytes(), wire);
    }
    for key in ["identifier", "scalar1"] {
        let wire = [&header(Kind::ParticipantKeys)[..], &[1; 32], &array::<32>(&file, key)].concat();
        assert_eq!(*ParticipantKeys::from_bytes(&wire).unwrap().to_bytes(), wire);
    }
}

#[test]
fn hashing_to_the_group_is_that_of_rfc_9496() {
    let file = outside("rfc9496-ristretto255/ristretto255.json");
    for case in list(&file, "derivation") {
        let derived = RistrettoPoint::from_uniform_bytes(&item(&case[0]));
        assert_eq!(hex::encode(derived.compress().as_bytes()), case[1].as_str().unwrap());
    }
}

/// The cases of a Wycheproof file, with the group that they stand in.
fn wycheproof(name: &str) -> Vec<(Value, Value)> {
    let file = outside(&format!("wycheproof/{name}.json"));
    let cases = |group: &Value| list(group, "tests").iter().map(|case| (group.clone(), case.clone())).collect();
    let all: Vec<(Value, Value)> =
        list(&file, "testGroups").iter().flat_map(|g: &Value| -> Vec<_> { cases(g) }).collect();
    assert_eq!(all.len() as u64, number(&file, "numberOfTests"));
    all
}

/// Sealing and opening in place with the tag apart, as bodies, dealt shares and repaired scalars are.
#[test]
fn n037_chacha20_poly1305_is_that_of_wycheproof_and_a_bad_tag_opens_nothing() {
    let (mut opened, mut refused) = (0, 0);
    for (_, case) in wycheproof("chacha20_poly1305_test") {
        let Ok(nonce) = Nonce::try_from(bytes(&case, "iv").as_slice()) else {
            assert_eq!(text(&case, "result"), "invalid");
            refused += 1;
            continue;
        };
        let cipher = ChaCha20Poly1305::new(&array::<32>(&case, "key").into());
        let (aad, message, recorded) = (bytes(&case, "aad"), bytes(&case, "msg"), bytes(&case, "ct"));
        let recorded_tag = Tag::from(array::<16>(&case, "tag"));
        let mut buffer = recorded.clone();
        let found = cipher.decrypt_inout_detached(&nonce, &aad, buffer.as_mut_slice().into(), &recorded_tag);
        if text(&case, "result") == "valid" {
            assert_eq!((found, &buffer), (Ok(()), &message));
            let mut sealed = message;
            let tag = cipher.encrypt_inout_detached(&nonce, &aad, sealed.as_mut_slice().into()).unwrap();
            assert_eq!((sealed, tag), (recorded, recorded_tag));
            opened += 1;
        } else {
            assert!(found.is_err(), "{}", number(&case, "tcId"));
            assert_eq!(buffer, recorded, "the buffer is as it was");
            refused += 1;
        }
    }
    assert_eq!((opened, refused), (256, 69));
}

#[test]
fn hkdf_sha_256_is_that_of_wycheproof() {
    for (_, case) in wycheproof("hkdf_sha256_test") {
        let mut out = vec![0; usize::try_from(number(&case, "size")).unwrap()];
        let found = Hkdf::<Sha256>::new(Some(&bytes(&case, "salt")), &bytes(&case, "ikm"))
            .expand(&bytes(&case, "info"), &mut out);
        assert_eq!(found.is_ok(), text(&case, "result") == "valid", "{}", number(&case, "tcId"));
        if found.is_ok() {
            assert_eq!(hex::encode(out), text(&case, "okm"));
        }
    }
}

#[test]
fn hmac_sha_256_is_that_of_wycheproof() {
    let (mut good, mut bad) = (0, 0);
    for (group, case) in wycheproof("hmac_sha256_test") {
        let mac = Hmac::<Sha256>::new_from_slice(&bytes(&case, "key")).unwrap().chain_update(bytes(&case, "msg"));
        let found = match number(&group, "tagSize") {
            256 => mac.verify_slice(&bytes(&case, "tag")),
            _ => mac.verify_truncated_left(&bytes(&case, "tag")),
        };
        assert_eq!(found.is_ok(), text(&case, "result") == "valid", "{}", number(&case, "tcId"));
        if found.is_ok() { good += 1 } else { bad += 1 }
    }
    assert_eq!((good, bad), (66, 108));
}
