//! HPKE as we call it, against RFC 9180, and its X25519 against Wycheproof.
//!
//! Wycheproof gives bare Diffie–Hellman results. The key schedule below takes them to an HPKE message, which our opener
//! must open.

use super::*;
use crate::support::{Replay, array, bytes, list, number, outside, text};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use hkdf::Hkdf;
use serde_json::Value;
use sha2::Sha256;

const KEM: &[u8] = b"KEM\x00\x20";
const SUITE: &[u8] = b"HPKE\x00\x20\x00\x01\x00\x03";

/// LabeledExtract, then LabeledExpand with each of the labels (RFC 9180, section 4).
fn extract(suite: &[u8], salt: &[u8], label: &[u8], ikm: &[u8]) -> [u8; 32] {
    let (prk, _) = Hkdf::<Sha256>::extract(Some(salt), &[b"HPKE-v1", suite, label, ikm].concat());
    prk.into()
}

fn expand<const N: usize>(suite: &[u8], prk: &[u8; 32], label: &[u8], info: &[u8]) -> [u8; N] {
    let length = u16::try_from(N).unwrap().to_be_bytes();
    let mut out = [0; N];
    let info = [&length[..], b"HPKE-v1", suite, label, info].concat();
    Hkdf::<Sha256>::from_prk(prk).unwrap().expand(&info, &mut out).unwrap();
    out
}

/// ExtractAndExpand of a Diffie–Hellman result (section 4.1).
fn shared_secret(dh: &[u8; 32], enc: &[u8; 32], recipient: &[u8; 32]) -> [u8; 32] {
    let prk = extract(KEM, b"", b"eae_prk", dh);
    expand(KEM, &prk, b"shared_secret", &[enc.as_slice(), recipient].concat())
}

/// KeySchedule of mode base (section 5.1).
fn schedule(shared: &[u8; 32], info: &[u8]) -> ([u8; 32], [u8; 12]) {
    let (no_psk, info) = (extract(SUITE, b"", b"psk_id_hash", b""), extract(SUITE, b"", b"info_hash", info));
    let context = [&[0][..], &no_psk, &info].concat();
    let secret = extract(SUITE, shared, b"secret", b"");
    (expand(SUITE, &secret, b"key", &context), expand(SUITE, &secret, b"base_nonce", &context))
}

fn public(key: &PrivateKey) -> [u8; 32] {
    X25519HkdfSha256::sk_to_pk(key).to_bytes().into()
}

/// The RFC writes X25519 secrets as they were derived, our library as they are used (RFC 7748, section 5).
fn clamped(mut secret: [u8; 32]) -> [u8; 32] {
    secret[0] &= 248;
    secret[31] = secret[31] & 127 | 64;
    secret
}

fn rfc9180() -> Value {
    let file = outside("rfc9180-hpke/hpke-rfc9180-x25519-p256-hkdfsha256.json");
    let ours = |case: &&Value| ["mode", "kem_id", "kdf_id", "aead_id"].map(|key| number(case, key)) == [0, 0x20, 1, 3];
    let found: Vec<_> = file.as_array().unwrap().iter().filter(ours).collect();
    assert_eq!(found.len(), 1);
    found[0].clone()
}

#[test]
fn base_mode_is_that_of_rfc_9180() {
    let case = rfc9180();
    let message = &list(&case, "encryptions")[0];
    let (info, aad, plaintext) = (bytes(&case, "info"), bytes(message, "aad"), bytes(message, "pt"));
    let mut rng = Replay(bytes(&case, "ikmE"));
    let sealed = seal_bytes(&array(&case, "pkRm"), &info, &aad, &plaintext, &mut rng).unwrap();
    assert_eq!(hex::encode(sealed.enc), text(&case, "enc"));
    assert_eq!(hex::encode(&sealed.ciphertext), text(message, "ct"));
    let (key, derived) = X25519HkdfSha256::derive_keypair(&bytes(&case, "ikmR"));
    assert_eq!(<[u8; 32]>::from(key.to_bytes()), clamped(array(&case, "skRm")));
    assert_eq!(hex::encode(derived.to_bytes()), text(&case, "pkRm"));
    assert_eq!(sealed.open_bytes(&key, &info, &aad).unwrap().as_slice(), plaintext);
    for later in &list(&case, "encryptions")[1..] {
        let ciphertext = bytes(later, "ct");
        let out_of_turn = SealedShare { enc: array(&case, "enc"), ciphertext };
        assert_eq!(out_of_turn.open_bytes(&key, &info, &bytes(later, "aad")), None);
    }
}

#[test]
fn the_key_schedule_of_this_test_is_that_of_rfc_9180() {
    let case = rfc9180();
    let (key, nonce) = schedule(&array(&case, "shared_secret"), &bytes(&case, "info"));
    assert_eq!(hex::encode(key), text(&case, "key"));
    assert_eq!(hex::encode(nonce), text(&case, "base_nonce"));
    let secret = x25519_dalek::StaticSecret::from(array::<32>(&case, "skEm"));
    let dh = secret.diffie_hellman(&array::<32>(&case, "pkRm").into()).to_bytes();
    let shared = shared_secret(&dh, &array(&case, "enc"), &array(&case, "pkRm"));
    assert_eq!(hex::encode(shared), text(&case, "shared_secret"));
}

#[test]
fn n034_wycheproof_key_agreements_open_unless_the_point_is_of_small_order() {
    let file = outside("wycheproof/x25519_test.json");
    let (info, aad, plaintext) = (b"info".as_slice(), b"aad".as_slice(), b"plaintext".as_slice());
    let (mut opened, mut refused) = (0, 0);
    for case in list(&list(&file, "testGroups")[0], "tests") {
        let (enc, dh) = (array::<32>(case, "public"), array::<32>(case, "shared"));
        let key = PrivateKey::from_bytes(&bytes(case, "private")).unwrap();
        let (aead_key, nonce) = schedule(&shared_secret(&dh, &enc, &public(&key)), info);
        let cipher = chacha20poly1305::ChaCha20Poly1305::new(&aead_key.into());
        let ciphertext = cipher.encrypt(&nonce.into(), Payload { msg: plaintext, aad }).unwrap();
        let found = SealedShare { enc, ciphertext }.open_bytes(&key, info, aad);
        let sealed = seal_bytes(&enc, info, aad, plaintext, &mut Replay((0..64).collect()));
        let (id, small_order) = (number(case, "tcId"), dh == [0; 32]);
        assert_eq!(found.is_none(), small_order, "opening {id}");
        assert_eq!(sealed.is_none(), small_order, "sealing {id}");
        if let Some(found) = found {
            assert_eq!(found.as_slice(), plaintext, "{id}");
            opened += 1;
        } else {
            refused += 1;
        }
    }
    assert_eq!((opened, refused), (487, 31));
}
