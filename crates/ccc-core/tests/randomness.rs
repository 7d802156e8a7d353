//! What encryption makes of its randomness: many encryptions, a cloned machine, a restored snapshot, foreign keys.

#![allow(missing_docs, reason = "a test crate exports nothing")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure fails the test")]

use ccc_core::ciphertext::{Ciphertext, DecryptionError, Label, LabelKind};
use ccc_core::keys::MasterPublicKey;
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::collections::HashSet;

/// The gate's number; `.ci/deep` takes it times `CCC_CASE_FACTOR`.
const ENCRYPTIONS: usize = 20_000;
/// header ‖ label: U follows.
const U_AT: usize = 8 + 129;

fn factor() -> usize {
    std::env::var("CCC_CASE_FACTOR").map_or(1, |factor| factor.parse().unwrap())
}

fn label(id: u8) -> Label {
    Label {
        kind: LabelKind::Recipient,
        chain: 1,
        contract: [1; 20],
        id: [id; 32],
        version: 1,
        requester: [3; 20],
        expiry: 9,
        context: [0; 32],
    }
}

fn master(secret: u64) -> MasterPublicKey {
    MasterPublicKey::from_bytes(RistrettoPoint::mul_base(&Scalar::from(secret)).compress().as_bytes()).unwrap()
}

/// The key is a function of U, and its nonce is constant: a repeated U is a repeated key and nonce.
#[test]
fn n032_no_key_serves_twice_over_many_encryptions() {
    let (mut rng, mut seen) = (ChaCha20Rng::seed_from_u64(32), HashSet::new());
    for _ in 0..ENCRYPTIONS * factor() {
        let wire = Ciphertext::encrypt(&master(5), &label(2), b"same", &mut rng).unwrap().to_bytes();
        assert!(seen.insert(wire[U_AT..U_AT + 32].to_vec()));
    }
}

/// After a fork or a restored snapshot the generator repeats: U differs as soon as key, label or message do, and what
/// says the same is the same ciphertext, which tells nothing new.
#[test]
fn n032_a_generator_that_repeats_after_a_snapshot_repeats_no_key() {
    let encrypt = |secret, id, message: &[u8]| {
        let mut restored = ChaCha20Rng::seed_from_u64(32);
        Ciphertext::encrypt(&master(secret), &label(id), message, &mut restored).unwrap().to_bytes()
    };
    let first = encrypt(5, 2, b"one");
    assert_eq!(encrypt(5, 2, b"one"), first);
    let others = [encrypt(5, 2, b"two"), encrypt(5, 4, b"one"), encrypt(6, 2, b"one"), encrypt(5, 2, b"one\0")];
    let distinct: HashSet<_> = others.iter().chain([&first]).map(|wire| wire[U_AT..U_AT + 32].to_vec()).collect();
    assert_eq!(distinct.len(), 5);
}

/// A ciphertext opens under one point: any other derives another key commitment.
#[test]
fn n031_a_ciphertext_opens_under_no_other_key() {
    let mut rng = ChaCha20Rng::seed_from_u64(31);
    let verified = Ciphertext::encrypt(&master(5), &label(2), b"m", &mut rng).unwrap().verify(&master(5)).unwrap();
    let wire = verified.ciphertext().to_bytes();
    let u = curve25519_dalek::ristretto::CompressedRistretto::from_slice(&wire[U_AT..U_AT + 32]).unwrap();
    let k = u.decompress().unwrap() * Scalar::from(5u64);
    assert_eq!(verified.open_with(k.compress().as_bytes()).unwrap().as_slice(), b"m");
    for _ in 0..10_000 {
        let other = RistrettoPoint::mul_base(&Scalar::random(&mut rng));
        assert_eq!(verified.open_with(other.compress().as_bytes()), Err(DecryptionError));
    }
}
