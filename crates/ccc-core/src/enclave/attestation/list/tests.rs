//! Several pieces of evidence in one answer, by the stand-in and by bytes that only look like hardware's.

use super::super::simulated::{SimulatedHardware, SimulatedProvider};
use super::super::{
    AttestationProvider, Hardware, OperatingMode, Policy, PolicyRefusal, ProviderKind, evidence_digest,
};
use super::*;
use alloc::vec;

const NOW: u64 = 1_800_000_000;

fn simulated(seed: u8, program: u8, said: u8) -> Vec<u8> {
    let provider = SimulatedProvider::new(SimulatedHardware::from_seed(&[seed; 32]), [program; 32]);
    provider.attest(&[said; 64], &[2; 64], NOW).unwrap()
}

fn policy(kinds: usize) -> Policy {
    Policy {
        mode: OperatingMode::Simulation,
        measurements: vec![[3; 32], [4; 32]],
        max_age: 60,
        simulated_roots: vec![SimulatedHardware::from_seed(&[4; 32]).root()],
        hardware: Hardware { kinds, ..Hardware::default() },
    }
}

#[test]
fn pieces_are_read_as_they_were_joined_and_one_alone_is_itself() {
    let (one, two) = (simulated(4, 3, 1), simulated(4, 4, 1));
    assert_eq!(EvidenceList::from_bytes(&one).unwrap().pieces(), [&one[..]]);
    let joined = EvidenceList::join(&[&one, &two]).unwrap();
    let list = EvidenceList::from_bytes(&joined).unwrap();
    assert_eq!((list.pieces(), list.first()), (&[&one[..], &two[..]][..], &one[..]));
    let layout =
        [&header(Kind::Evidence)[..], &[0, 2], &u32::try_from(one.len()).unwrap().to_be_bytes(), &one].concat();
    assert!(joined.starts_with(&layout) && joined.ends_with(&two));
    assert_ne!(evidence_digest(&joined), evidence_digest(&one));
    assert!(ProviderKind::of(&joined).is_err(), "of no one provider");
}

#[test]
fn n105_lists_of_another_form_are_refused() {
    let one = simulated(4, 3, 1);
    let range = |what, found| Err(EncodingError::Range { what, found, range: "2 to 4" });
    for count in [0, 1, 5] {
        let pieces = vec![&one[..]; count];
        assert_eq!(EvidenceList::join(&pieces), range("pieces of evidence", count as u64));
        let mut bytes = EvidenceList::join(&[&one, &one]).unwrap();
        bytes[9] = u8::try_from(count).unwrap();
        assert_eq!(EvidenceList::from_bytes(&bytes).map(drop), range("pieces of evidence", count as u64).map(drop));
    }
    let joined = EvidenceList::join(&[&one, &one]).unwrap();
    let nested = EvidenceList::join(&[&one, &joined]);
    assert!(matches!(nested, Err(EncodingError::Range { what: "attestation provider", found: 0, .. })));
    let mut inside = [&joined[..10], &joined[10..]].concat();
    inside[10 + 4 + 8] = 0;
    assert!(matches!(
        EvidenceList::from_bytes(&inside),
        Err(EncodingError::Range { what: "attestation provider", .. })
    ));
    for extra in [1, 64] {
        let long = [&joined[..], &vec![0; extra]].concat();
        assert_eq!(EvidenceList::from_bytes(&long), Err(EncodingError::Trailing { found: extra }));
    }
    for len in 0..joined.len() {
        assert!(EvidenceList::from_bytes(&joined[..len]).is_err(), "{len}");
    }
    let mut huge = one.clone();
    huge.resize(MAX_EVIDENCE / 2, 0);
    assert!(matches!(EvidenceList::join(&[&huge, &huge]), Err(EncodingError::Range { what: "evidence", .. })));
}

/// The first has to be accepted whatever else is, and one maker counts once.
#[test]
fn n108_pieces_are_counted_by_their_maker_and_the_first_has_to_hold() {
    let (sound, other, foreign) = (simulated(4, 3, 1), simulated(4, 4, 1), simulated(5, 3, 1));
    let check = |kinds, pieces: &[&[u8]]| {
        let joined = EvidenceList::join(pieces).unwrap();
        policy(kinds).check(&joined, &[1; 64], &[2; 64], NOW).map(|evidence| evidence.measurement)
    };
    assert_eq!(check(1, &[&sound, &other]), Ok([3; 32]));
    assert_eq!(check(1, &[&other, &sound]), Ok([4; 32]), "the first holds the keys");
    assert_eq!(check(1, &[&sound, &foreign]), Ok([3; 32]), "what is beside it may be refused");
    assert_eq!(check(1, &[&foreign, &sound]), Err(PolicyRefusal::NoRoot));
    let few = |refused| Err(PolicyRefusal::Kinds { found: 1, needed: 2, refused });
    assert_eq!(check(2, &[&sound, &other]), few(vec![]));
    assert_eq!(check(2, &[&sound, &foreign]), few(vec![(1, PolicyRefusal::NoRoot)]));
    let elsewhere = simulated(4, 3, 9);
    assert_eq!(check(2, &[&sound, &elsewhere]), few(vec![(1, PolicyRefusal::UserData)]));
    assert_eq!(check(0, &[&sound, &other]), Err(PolicyRefusal::NoKinds));
}
