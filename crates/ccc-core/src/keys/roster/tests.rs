//! Signing keys of a roster: one encoding each, none of small order.

use super::*;
use crate::enclave::attestation::simulated::SimulatedRoot;
use crate::keys::{Committee, ParticipantKeys, dealer};
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::CompressedEdwardsY;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

/// p = 2^255 − 19, 32 bytes.
const P: [u8; 32] = {
    let mut p = [0xff; 32];
    p[0] = 0xed;
    p[31] = 0x7f;
    p
};

fn id(i: u16) -> Identifier {
    Identifier::new(i).unwrap()
}

/// The points with y below 19 and x other than zero, by either sign: the encoding, and the one with y + p.
fn twice_encoded() -> Vec<([u8; 32], [u8; 32])> {
    let encodings = (0u8..19).flat_map(|y| [0, 0x80].map(|sign| (y, sign))).map(|(y, sign)| {
        let (mut one, mut other) = ([0; 32], P);
        (one[0], one[31]) = (y, sign);
        (other[0], other[31]) = (P[0] + y, P[31] | sign);
        (one, other)
    });
    encodings.filter(|(one, _)| CompressedEdwardsY(*one).decompress().is_some_and(|a| a.compress().0 == *one)).collect()
}

/// x = 0 with the sign of an odd x: y = 1 and y = −1.
fn negative_zeros() -> [[u8; 32]; 2] {
    let (mut one, mut minus_one) = ([0; 32], P);
    (one[0], one[31]) = (1, 0x80);
    (minus_one[0], minus_one[31]) = (P[0] - 1, 0xff);
    [one, minus_one]
}

/// Every encoding that decompression takes and that is not its point's.
fn second_encodings() -> Vec<[u8; 32]> {
    let second: Vec<_> = twice_encoded().into_iter().map(|(_, other)| other).chain(negative_zeros()).collect();
    let known = |bytes: &[u8; 32]| CompressedEdwardsY(*bytes).decompress().is_some_and(|a| a.compress().0 != *bytes);
    assert!(second.iter().all(known));
    second
}

#[test]
fn n004_two_encodings_of_one_signing_key_are_not_two_members() {
    let keys = ParticipantKeys::generate(&mut ChaCha20Rng::seed_from_u64(1)).unwrap().public_keys();
    let dealing_key = keys.dealing_key();
    for (one, other) in twice_encoded() {
        let same = |bytes| CompressedEdwardsY(bytes).decompress().unwrap();
        assert_eq!(same(one), same(other));
        assert_eq!(PublicKeys::from_bytes(&one, &dealing_key).map(|keys| keys.signing_key()), Ok(one));
        let refused = EncodingError::Point { what: "signing key" };
        assert_eq!(PublicKeys::from_bytes(&other, &dealing_key), Err(refused));
    }
}

#[test]
fn n010_a_second_encoding_of_a_signing_key_is_refused_wherever_one_is_read() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let members = (1..=4).map(|i| ParticipantKeys::generate(&mut rng).unwrap().public(id(i))).collect();
    let roster = Roster::new(Epoch(1), Threshold::default_for(4).unwrap(), members).unwrap();
    let (committee, _) = dealer::deal(&roster, &mut rng).unwrap();
    let wire = committee.to_bytes();
    let at = wire.len() - 64;
    let refused = EncodingError::Point { what: "signing key" };
    for bytes in second_encodings() {
        assert_eq!(PublicKeys::from_bytes(&bytes, &wire[at + 32..].try_into().unwrap()), Err(refused.clone()));
        let mut wire = wire.clone();
        wire[at..at + 32].copy_from_slice(&bytes);
        assert_eq!(Committee::from_bytes(&wire), Err(refused.clone().into()));
        assert_eq!(SimulatedRoot::from_bytes(&bytes), Err(EncodingError::Point { what: "simulated root" }));
    }
}

#[test]
fn n009_a_signing_key_of_small_order_is_no_members() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let members: Vec<_> = (1..=4).map(|i| ParticipantKeys::generate(&mut rng).unwrap().public(id(i))).collect();
    for point in EIGHT_TORSION {
        let mut members = members.clone();
        let keys = PublicKeys::from_bytes(&point.compress().0, &members[2].keys().dealing_key()).unwrap();
        members[2] = keys.member(id(3));
        let made = Roster::new(Epoch(1), Threshold::default_for(4).unwrap(), members);
        assert_eq!(made, Err(MembershipError::WeakKey { identifier: id(3) }));
    }
}
