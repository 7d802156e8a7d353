//! Who lies in which round is named by all others, and costs nobody else a share.

use super::*;
use crate::report::group::generation::dealing::forged::{self, Spoilt};
use crate::report::group::generation::sharing;

/// What participant 2 commits to and opens.
fn dealing_faults(results: Results) -> Vec<(Role, u16, Fault)> {
    let outcomes = others(results);
    assert_eq!(signed(&outcomes, &[0, 1]), Ok(()));
    assert!(outcomes.iter().all(|one| one.culprits == outcomes[0].culprits));
    named(&outcomes[0].culprits)
}

/// 2^k, big-endian: a share, but never that of a polynomial drawn from a seed.
fn power_of_two(k: usize) -> [u8; 32] {
    let mut value = [0; 32];
    value[31 - k / 8] = 1 << (k % 8);
    value
}

/// An encrypted share for participant 3 that does not open, is no scalar, or lies off the commitments.
#[test]
fn n118_a_wrong_share_is_complained_about_and_costs_its_dealer_its_place() {
    let (session, keys) = cast();
    let cases = [
        (Spoilt::Tag, ShareFault::Tag),
        (Spoilt::Value([0xff; 32]), ShareFault::Scalar),
        (Spoilt::Value(power_of_two(77)), ShareFault::Commitment),
    ];
    for (spoilt, fault) in cases {
        let wire = forged::share(&session, id(2), None, 2, &spoilt).to_bytes();
        let found = dealing_faults(with_dealing(&session, &keys, &wire));
        assert_eq!(found, vec![(Role::Dealer, 2, Fault::Share(fault))]);
    }
}

/// The signature of a possession is good for one session, one dealer and these commitments.
#[test]
fn n118_a_possession_is_bound_to_session_dealer_and_commitments() {
    let (session, keys) = cast();
    let elsewhere = GroupSession::generation(session.roster().clone(), &[1; 32]).unwrap();
    let cases = [
        forged::possession(&session, id(2), &dealing(&session, 1, None)),
        forged::possession(&session, id(2), &dealing(&elsewhere, 2, None)),
        forged::commitments(&session, id(2)),
    ];
    for wrong in cases {
        let found = dealing_faults(with_dealing(&session, &keys, &wrong.to_bytes()));
        assert_eq!(found, vec![(Role::Dealer, 2, Fault::Dealing(DealingError::Possession))]);
    }
    // The forger's other work is right: under its own possession such a dealing counts.
    let own = forged::possession(&session, id(2), &dealing(&session, 2, None));
    assert!(own.verify(&session).is_ok());
}

/// Two digests, two dealings, another dealing than the one committed to.
#[test]
fn a_dealer_that_says_two_things_or_another_is_left_out() {
    let (session, keys) = cast();
    let says = |kind, payload| envelope(&session, &keys[1].1, id(2), kind, payload);
    let digest = || {
        let (kind, payload) = Package::Commitment([7; 32]).encode();
        says(kind, payload)
    };
    let other = || says(Kind::GroupDealing, dealing(&session, 2, None).to_bytes());
    let cases = [
        (Round::Commit, true, digest(), Fault::Equivocation),
        (Round::Open, true, other(), Fault::Equivocation),
        (Round::Open, false, other(), Fault::NotAsCommitted),
    ];
    for (when, keep, more, fault) in cases {
        let results =
            generate(&session, &keys, |round, posted| match (round == when && posted.identifier() == id(2), keep) {
                (true, true) => vec![posted, more.clone()],
                (true, false) => vec![more.clone()],
                (false, _) => vec![posted],
            });
        assert_eq!(dealing_faults(results), vec![(Role::Dealer, 2, fault)]);
    }
}

/// R of participant 1 under the proof of participant 2 would make complaints about one a key to the other's shares.
#[test]
fn dealers_with_the_same_point_are_both_left_out() {
    let keys = keys(1..=7, &mut rng(1));
    let session = GroupSession::generation(roster(1, Threshold::new(3, 7).unwrap(), &keys), &NONCE).unwrap();
    let wires = [1, 2].map(|dealer| dealing(&session, dealer, None).to_bytes());
    let point = |wire: &[u8]| wire[44 + 3 * 48 + 96..][..32].to_vec();
    assert_eq!(point(&wires[0]), point(&wires[1]), "one seed, one point");
    let outcomes = generate(&session, &keys, |round, posted| {
        let i = usize::from(posted.identifier().get());
        let Some(wire) = wires.get(i - 1) else { return vec![posted] };
        let (kind, payload) = match round {
            Round::Commit => {
                Package::Commitment(crate::suite::digest32(domain_of_dealings(), &[wire.as_slice()])).encode()
            }
            Round::Open => (Kind::GroupDealing, wire.clone()),
            _ => return vec![posted],
        };
        vec![envelope(&session, &keys[i - 1].1, posted.identifier(), kind, payload)]
    });
    let outcomes: Vec<_> = outcomes.into_iter().skip(2).map(Result::unwrap).collect();
    let repeated = |i| (Role::Dealer, i, Fault::RepeatedPoint);
    assert_eq!(named(&outcomes[0].culprits), vec![repeated(1), repeated(2)]);
    assert_eq!(signed(&outcomes, &[0, 2, 4]), Ok(()));
}

/// Participants 1 and 2 confirm something else, or two things; one such liar of four is too few to stop the others.
#[test]
fn who_confirms_another_transcript_is_named_and_two_of_four_end_it() {
    let (session, keys) = cast();
    let run = |most: u16, keep: bool| {
        generate(&session, &keys, |round, posted| {
            let i = posted.identifier();
            if round != Round::Confirm || i > id(most) {
                return vec![posted];
            }
            let (kind, payload) = Package::Confirmation([5; 32]).encode();
            let other = envelope(&session, &keys[usize::from(i.get()) - 1].1, i, kind, payload);
            if keep { vec![posted, other] } else { vec![other] }
        })
    };
    let one = run(1, false).pop().unwrap().unwrap();
    assert_eq!(named(&one.culprits), vec![(Role::Receiver, 1, Fault::Disagreement)]);
    let two = run(2, true).pop().unwrap().unwrap();
    let both = [1, 2].map(|i| (Role::Receiver, i, Fault::Equivocation));
    assert_eq!(named(&two.culprits), both);
    let Err(RoundsError::NotConfirmed { need: 3, have: 2, culprits }) = run(2, false).pop().unwrap() else {
        panic!("confirmed")
    };
    assert_eq!(named(&culprits), [1, 2].map(|i| (Role::Receiver, i, Fault::Disagreement)));
}

/// The board keeps the complaint of participant 3 from the others: it has no share, and does not take a wrong one.
#[test]
fn whose_complaint_is_missing_has_no_result() {
    let (session, keys) = cast();
    let wire = forged::share(&session, id(2), None, 2, &Spoilt::Tag).to_bytes();
    let digest = crate::suite::digest32(domain_of_dealings(), &[&wire]);
    let mut withheld = 0;
    let results = generate(&session, &keys, |round, posted| match (round, posted.identifier().get()) {
        (Round::Commit, 2) => {
            let (kind, payload) = Package::Commitment(digest).encode();
            vec![envelope(&session, &keys[1].1, id(2), kind, payload)]
        }
        (Round::Open, 2) => vec![envelope(&session, &keys[1].1, id(2), Kind::GroupDealing, wire.clone())],
        (Round::Complain, 3) => {
            withheld += 1;
            vec![]
        }
        _ => vec![posted],
    });
    assert_eq!(withheld, 1);
    assert_eq!(results[2].as_ref().err(), Some(&RoundsError::ComplaintMissing { dealer: id(2) }));
}

// Handover

/// An old member deals a wrong share: it is complained about as in a generation, and the key stays.
#[test]
fn a_dealer_that_lies_in_a_handover_is_left_out() {
    let (session, old_keys) = cast();
    let old = honest(&session, &old_keys);
    let new_keys = keys(5..=8, &mut rng(9));
    let session = next(&old, &new_keys);
    let constant = old[0].share.as_ref().unwrap().secret();
    let wire = forged::share(&session, id(1), Some(constant), 2, &Spoilt::Value(power_of_two(99))).to_bytes();
    let digest = crate::suite::digest32(domain_of_dealings(), &[&wire]);
    let alter = |round: Round, posted: Envelope| {
        let (kind, payload) = match (round, posted.identifier().get()) {
            (Round::Commit, 1) => Package::Commitment(digest).encode(),
            (Round::Open, 1) => (Kind::GroupDealing, wire.clone()),
            _ => return vec![posted],
        };
        vec![envelope(&session, &old_keys[0].1, id(1), kind, payload)]
    };
    let mut board = Tampered { inner: MemoryBoard::new([3; 32]), alter };
    let outcomes = run_in_process(everybody(&session, &old, &old_keys, &new_keys), &mut board, &mut rng(4)).unwrap();
    let outcomes: Vec<_> = outcomes.into_iter().skip(4).map(Result::unwrap).collect();
    assert_eq!(named(&outcomes[0].culprits), vec![(Role::Dealer, 1, Fault::Share(ShareFault::Commitment))]);
    assert_eq!(outcomes[0].committee.key(), old[0].committee.key());
    assert_eq!(signed(&outcomes, &[2, 0]), Ok(()));
}

/// Whatever is added up, the key of a handover is the old one.
#[test]
fn a_handover_to_another_key_is_no_result() {
    let (session, old_keys) = cast();
    let old = honest(&session, &old_keys);
    let session = next(&old, &keys(5..=8, &mut rng(9)));
    let deal = |i: u16| {
        let constant = old[usize::from(i) - 1].share.as_ref().unwrap().secret();
        dealing(&session, i, Some(constant)).verify(&session).unwrap()
    };
    let dealt = [deal(1), deal(2)];
    let counted: Vec<_> = dealt.iter().collect();
    let weights = sharing::weights(&session, &counted).unwrap();
    assert!(sharing::committee(&session, &counted, &weights).is_ok());
    let other = [Fr::from(1), Fr::from(1)];
    assert_eq!(sharing::committee(&session, &counted, &other).err(), Some(RoundsError::MasterKey));
}
