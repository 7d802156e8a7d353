//! Signatures of a group whose dealer knows the key: what is refused, and by which name.

use super::*;
use crate::identifier::Identifier;
use crate::keys::rounds::stage::{cast, id, keys, roster};
use crate::report::tests::{report_of, solvency};
use crate::report::{ReportContext, ReportError};
use crate::threshold::Threshold;
use alloc::sync::Arc;
use blsttc::group::prime::PrimeCurveAffine;
use blsttc::poly::Poly;
use blsttc::{Fr, SecretKeySet};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

const FORWARDER: [u8; 20] = [0xf0; 20];

/// A group of 4 of whom any 2 sign. The polynomial is 7 + 11·x: no dealer but in tests.
fn group() -> (GroupCommittee, Vec<GroupShare>) {
    let secret = SecretKeySet::from(Poly::from(vec![Fr::from(7), Fr::from(11)]));
    let keys = keys(1..=4, &mut ChaCha20Rng::seed_from_u64(1));
    let roster = Arc::new(roster(1, Threshold::new(2, 4).unwrap(), &keys));
    let committee = GroupCommittee::new(roster, secret.public_keys().to_bytes().as_chunks().0).unwrap();
    let share = |i: u16| GroupShare::new(id(i), secret.secret_key_share(u64::from(i) - 1), &committee).unwrap();
    let shares = (1..=4).map(share).collect();
    (committee, shares)
}

fn partials(shares: &[GroupShare], numbers: &[usize], message: &[u8]) -> Vec<PartialSignature> {
    numbers.iter().map(|i| shares[i - 1].sign_message(message)).collect()
}

/// Another's partial signature under this number.
fn claimed(partial: &PartialSignature, i: u16) -> PartialSignature {
    let mut copy = partial.clone();
    copy.identifier = id(i);
    copy
}

#[test]
fn any_t_shares_make_the_one_signature_of_the_key() {
    let (committee, shares) = group();
    let all =
        [[1, 2], [3, 4], [4, 1], [2, 3]].map(|two| committee.combine(b"m", &partials(&shares, &two, b"m")).unwrap());
    assert!(all.iter().all(|one| *one == all[0]));
    assert_eq!(committee.key().verify(b"m", &all[0]), Ok(()));
    assert_eq!(committee.key().verify(b"n", &all[0]), Err(GroupError::NotTheGroups));
    let direct = blsttc::SecretKey::from_mut(&mut Fr::from(7)).sign(b"m");
    assert_eq!(all[0].to_bytes(), direct.to_bytes());
}

#[test]
fn who_sent_a_wrong_partial_signature_is_named_and_left_out() {
    let (committee, shares) = group();
    let mut sent = partials(&shares, &[1, 2, 3], b"m");
    sent[0] = shares[0].sign_message(b"another");
    sent.push(claimed(&sent[1], 9));
    sent.push(claimed(&sent[1], 3));
    let culprits = vec![
        PartialCulprit { identifier: id(1), fault: PartialFault::Signature },
        PartialCulprit { identifier: id(9), fault: PartialFault::NotAMember },
        PartialCulprit { identifier: id(3), fault: PartialFault::Repeated },
    ];
    assert_eq!(committee.culprits(b"m", &sent), culprits);
    assert!(committee.combine(b"m", &sent).is_ok());
    sent.remove(1);
    let refused = committee.combine(b"m", &sent);
    let culprits = vec![culprits[0], culprits[1], PartialCulprit { identifier: id(3), fault: PartialFault::Repeated }];
    assert_eq!(refused, Err(GroupError::BelowThreshold { needed: 2, found: 1, culprits }));
}

#[test]
fn one_share_sent_twice_counts_once() {
    let (committee, shares) = group();
    let refused = committee.combine(b"m", &partials(&shares, &[2, 2], b"m"));
    assert_eq!(refused, Err(GroupError::BelowThreshold { needed: 2, found: 1, culprits: Vec::new() }));
}

#[test]
fn n118_the_identity_is_neither_key_nor_signature() {
    let mut key = [0; GROUP_KEY_LEN];
    key[0] = 0xc0;
    assert_eq!(GroupKey::from_bytes(&key), Err(GroupError::Identity { what: "key" }));
    let mut signature = [0; GROUP_SIGNATURE_LEN];
    signature[0] = 0xc0;
    assert_eq!(GroupSignature::from_bytes(&signature), Err(GroupError::Identity { what: "signature" }));
    assert_eq!(PartialSignature::from_bytes(id(1), &signature), Err(GroupError::Identity { what: "signature" }));
    let (committee, _) = group();
    let commitments = [key, committee.commitments()[1]];
    let refused = GroupCommittee::new(Arc::new(committee.roster().clone()), &commitments);
    assert_eq!(refused, Err(GroupError::Identity { what: "key" }));
}

/// With the identity on top the polynomial is of a lower degree: of threshold 2 each share would be the secret itself.
#[test]
fn n118_the_identity_is_not_the_highest_commitment() {
    let (committee, _) = group();
    let mut identity = [0; GROUP_KEY_LEN];
    identity[0] = 0xc0;
    let commitments = [committee.commitments()[0], identity];
    let refused = GroupCommittee::new(Arc::new(committee.roster().clone()), &commitments);
    assert_eq!(refused, Err(GroupError::Identity { what: "highest commitment" }));
}

/// A partial signature is a pairing to check: what one participant sends in any number costs two.
#[test]
fn of_one_participant_two_wrong_partial_signatures_are_checked() {
    let (committee, shares) = group();
    let mut sent: Vec<_> = (0..100u8).map(|i| shares[0].sign_message(&[i])).collect();
    let wrong = PartialCulprit { identifier: id(1), fault: PartialFault::Signature };
    assert_eq!(committee.culprits(b"m", &sent), vec![wrong; 2]);
    sent.extend(partials(&shares, &[1, 2, 3], b"m"));
    assert!(committee.combine(b"m", &sent).is_ok());
    let refused = committee.combine(b"m", &sent[..102]);
    assert_eq!(refused, Err(GroupError::BelowThreshold { needed: 2, found: 1, culprits: vec![wrong; 2] }));
}

/// The first point of the curve by x from 1 on, which is not in G1.
pub(super) fn outside_of_g1() -> [u8; GROUP_KEY_LEN] {
    let with = |x: u8| {
        let mut key = [0; GROUP_KEY_LEN];
        (key[0], key[GROUP_KEY_LEN - 1]) = (0x80, x);
        key
    };
    let on_curve = |x: &u8| bool::from(blsttc::G1Affine::from_compressed_unchecked(&with(*x)).is_some());
    with((1..=u8::MAX).find(on_curve).unwrap())
}

/// The first points of both curves by x from 1 on: the subgroups are far too sparse to have them.
#[test]
fn n118_points_outside_of_the_subgroup_are_no_keys_and_no_signatures() {
    assert_eq!(GroupKey::from_bytes(&outside_of_g1()), Err(GroupError::Key));
    let with = |x: u8| {
        let mut signature = [0; GROUP_SIGNATURE_LEN];
        (signature[0], signature[GROUP_SIGNATURE_LEN - 1]) = (0x80, x);
        signature
    };
    let on_curve = |x: &u8| bool::from(blsttc::G2Affine::from_compressed_unchecked(&with(*x)).is_some());
    let signature = with((1..=u8::MAX).find(on_curve).unwrap());
    assert_eq!(GroupSignature::from_bytes(&signature), Err(GroupError::Signature));
    assert_eq!(PartialSignature::from_bytes(id(1), &signature), Err(GroupError::Signature));
}

#[test]
fn n149_every_bent_byte_of_a_key_or_signature_is_refused_or_another() {
    let (committee, shares) = group();
    let signature = committee.combine(b"m", &partials(&shares, &[1, 2], b"m")).unwrap();
    // Each byte's lowest bit, and of the first the three flags: compressed, identity, sign.
    let bits = |length: usize| [(0, 0x80), (0, 0x40), (0, 0x20)].into_iter().chain((0..length).map(|at| (at, 1)));
    for (at, bit) in bits(GROUP_KEY_LEN) {
        let mut bent = committee.key().to_bytes();
        bent[at] ^= bit;
        let Ok(other) = GroupKey::from_bytes(&bent) else { continue };
        assert_eq!(other.verify(b"m", &signature), Err(GroupError::NotTheGroups));
    }
    for (at, bit) in bits(GROUP_SIGNATURE_LEN) {
        let mut bent = signature.to_bytes();
        bent[at] ^= bit;
        let Ok(other) = GroupSignature::from_bytes(&bent) else { continue };
        assert_eq!(committee.key().verify(b"m", &other), Err(GroupError::NotTheGroups));
    }
}

#[test]
fn a_share_fits_its_number_and_committee_alone() {
    let (committee, shares) = group();
    let bytes = shares[0].to_bytes();
    let read = |i: Identifier| GroupShare::from_bytes(i, &bytes, &committee).map(|share| share.identifier());
    assert_eq!(read(id(1)), Ok(id(1)));
    assert_eq!(read(id(2)), Err(GroupError::ForeignShare { identifier: id(2) }));
    assert_eq!(read(id(5)), Err(GroupError::ForeignShare { identifier: id(5) }));
    let none = GroupShare::from_bytes(id(1), &zeroize::Zeroizing::new([0xff; 32]), &committee);
    assert_eq!(none.map(|share| share.identifier()), Err(GroupError::Share));
}

#[test]
fn a_committee_has_as_many_commitments_as_its_threshold() {
    let (committee, _) = group();
    let short = GroupCommittee::new(Arc::new(committee.roster().clone()), &committee.commitments()[..1]);
    assert_eq!(short, Err(GroupError::Commitments { expected: 2, found: 1 }));
}

#[test]
fn the_precompiles_encoding_is_padded_and_has_c0_first() {
    let key = GroupKey::new(blsttc::SecretKey::from_mut(&mut Fr::from(1)).public_key()).unwrap().to_eip2537();
    assert_eq!(hex::encode(&key[..24]), "0000000000000000000000000000000017f1d3a73197d794");
    assert_eq!(hex::encode(&key[64..88]), "0000000000000000000000000000000008b3f481e3aaa0f1");
    let generator = blsttc::Signature::from_bytes(blsttc::G2Affine::generator().to_compressed()).unwrap();
    let point = GroupSignature::new(generator).unwrap().to_eip2537();
    for (at, high) in
        [(0, "024aa2b2f08f0a91"), (64, "13e02b6052719f60"), (128, "0ce5d527727d6e11"), (192, "0606c4a02ea734cc")]
    {
        assert_eq!(hex::encode(&point[at..at + 24]), format!("{}{high}", "00".repeat(16)));
    }
}

#[test]
fn a_set_tolerates_a_fault_and_has_more_than_three_times_as_many_members() {
    let (committee, _) = group();
    let set = GroupSet::of(&committee, 1, 2).unwrap();
    assert_eq!((set.f, set.participants), (1, 4));
    assert_eq!(GroupSet { f: 0, ..set }.check(), Err(GroupError::ZeroFaults));
    let few = GroupSet { participants: 3, ..set }.check();
    assert_eq!(few, Err(GroupError::Participants { f: 1, least: 3, found: 3 }));
    let (roster, _) = cast(4, &mut ChaCha20Rng::seed_from_u64(1)); // t = n − F = 3
    let wide = GroupCommittee::new(Arc::new(roster), &[committee.commitments()[0]; 3]).unwrap();
    let refused = GroupSet::of(&wide, 1, 2);
    assert_eq!(refused, Err(GroupError::Participants { f: 2, least: 6, found: 4 }));
}

#[test]
fn a_report_is_assembled_for_its_own_set_and_forwarder_alone() {
    let (committee, shares) = group();
    let report = report_of(solvency());
    let (origin, binding) = (report.header().origin, report.payload().binding);
    let set = GroupSet::of(&committee, origin.don_id, origin.config_version).unwrap();
    let context = |set: &GroupSet, forwarder| ReportContext {
        config_digest: set.config_digest(binding.chain, forwarder),
        sequence: binding.sequence,
    };
    let good = context(&set, &FORWARDER);
    let signed: Vec<_> = shares[1..3].iter().map(|share| share.sign(&report, &good)).collect();
    let made = GroupReport::assemble(report.clone(), good, &signed, &committee, &set, &FORWARDER).unwrap();
    assert_eq!(made.verify(&set, &FORWARDER), Ok(()));
    assert!(matches!(
        made.verify(&set, &[1; 20]),
        Err(GroupError::Report(ReportError::Mismatch { field: "config digest", .. }))
    ));
    let later = GroupSet { config_version: set.config_version + 1, ..set };
    assert!(matches!(
        made.verify(&later, &FORWARDER),
        Err(GroupError::Report(ReportError::Mismatch { field: "config version", .. }))
    ));
    // Signed for another set of the same group.
    let other = GroupSet { participants: 5, ..set };
    let its = context(&other, &FORWARDER);
    let signed: Vec<_> = shares[1..3].iter().map(|share| share.sign(&report, &its)).collect();
    let refused = GroupReport::assemble(report.clone(), its, &signed, &committee, &other, &FORWARDER);
    let (field, expected, found) = ("participants", "5".into(), "4".into());
    assert_eq!(refused, Err(GroupError::Report(ReportError::Mismatch { field, expected, found })));
    let elsewhere: Vec<_> =
        shares[1..3].iter().map(|share| share.sign(&report, &context(&other, &FORWARDER))).collect();
    let refused = GroupReport::assemble(report, good, &elsewhere, &committee, &set, &FORWARDER);
    assert!(matches!(refused, Err(GroupError::BelowThreshold { needed: 2, found: 0, .. })));
}

/// What is signed for a configuration is no report's digest, and no dealer's possession: their lengths differ.
#[test]
fn n118_possession_is_signed_over_the_configuration() {
    let (committee, shares) = group();
    let set = GroupSet::of(&committee, 1, 2).unwrap();
    let claim = set.possession(5, &FORWARDER);
    assert_eq!(claim.len(), 64);
    assert_eq!(claim[32..], set.config_digest(5, &FORWARDER));
    assert_ne!(claim, set.possession(6, &FORWARDER));
    assert_ne!(claim, set.possession(5, &[1; 20]));
    let partials: Vec<_> = shares[..2].iter().map(|share| share.prove_possession(&set, 5, &FORWARDER)).collect();
    assert!(committee.combine(&claim, &partials).is_ok());
}
