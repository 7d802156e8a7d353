use super::*;
use crate::ciphertext::{Ciphertext, Label, LabelKind, VerifiedCiphertext};
use crate::enclave::AttemptKeys;
use crate::encoding::Kind;
use crate::envelope::Envelope;
use crate::keys::board::MemoryBoard;
use crate::keys::dkg::run_in_process;
use crate::keys::repair::{Helper, Receiver, RepairRequest, RepairSession};
use crate::keys::rounds::{Culprit as RoundsCulprit, Fault, Role};
use crate::keys::{KeyShare, dealer};
use crate::vault::sealed::{seal, seal_made};
use crate::vault::statement::Statement;
use crate::vault::{Culprit, CulpritReason, Mode, Recipient, Request, Shares};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

const MEASUREMENT: [u8; 32] = [7; 32];

fn id(i: u16) -> Identifier {
    Identifier::new(i).unwrap()
}

fn ids(numbers: &[u16]) -> Vec<Identifier> {
    numbers.iter().map(|&i| id(i)).collect()
}

/// Participants with weights 2, 1, 2, 1 and 1: n = 7, F = 2, t = 5.
fn cast(rng: &mut ChaCha20Rng) -> (Roster, Vec<ParticipantKeys>) {
    let keys: Vec<_> = (0..5).map(|_| ParticipantKeys::generate(rng).unwrap()).collect();
    let weights: Vec<_> = keys.iter().map(ParticipantKeys::public_keys).zip([2, 1, 2, 1, 1]).collect();
    (Roster::weighted(Epoch(4), Threshold::default_for, &weights).unwrap(), keys)
}

/// The keys of whoever owns each identifier, as its process holds them.
fn keys_per_identifier(roster: &Roster, keys: &[ParticipantKeys]) -> Vec<(Identifier, ParticipantKeys)> {
    let copy = |keys: &ParticipantKeys| ParticipantKeys::from_bytes(&keys.to_bytes()).unwrap();
    let owner = |m: &RosterMember| keys.iter().find(|keys| keys.public(m.identifier) == *m).unwrap();
    roster.members().iter().map(|m| (m.identifier, copy(owner(m)))).collect()
}

#[test]
fn a_participant_owns_as_many_identifiers_as_it_has_weight() {
    let (roster, keys) = cast(&mut ChaCha20Rng::seed_from_u64(1));
    assert_eq!((roster.threshold().t(), roster.threshold().n()), (5, 7));
    let participants = roster.participants();
    let owned: Vec<_> = participants.iter().map(|p| p.identifiers.clone()).collect();
    assert_eq!(owned, [ids(&[1, 2]), ids(&[3]), ids(&[4, 5]), ids(&[6]), ids(&[7])]);
    assert!(participants.iter().zip(&keys).all(|(p, keys)| p.keys == keys.public_keys()));
    assert_eq!(roster.owner(id(5)).as_ref(), Some(&participants[2]));
    assert_eq!((participants[2].weight(), participants[2].owns(id(4)), participants[2].owns(id(3))), (2, true, false));
    assert_eq!(roster.owner(id(8)), None);
    assert_eq!(roster.require_fault_tolerance(), Ok(()));
}

#[test]
fn identifiers_of_one_participant_need_not_be_consecutive() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let keys: Vec<_> = (0..3).map(|_| ParticipantKeys::generate(&mut rng).unwrap()).collect();
    let members = [(2, 0), (5, 1), (9, 0), (10, 2), (700, 1)].map(|(i, k): (u16, usize)| keys[k].public(id(i)));
    let roster = Roster::new(Epoch(1), Threshold::new(3, 5).unwrap(), members.to_vec()).unwrap();
    let owned: Vec<_> = roster.participants().into_iter().map(|p| p.identifiers).collect();
    assert_eq!(owned, [ids(&[2, 9]), ids(&[5, 700]), ids(&[10])]);
}

#[test]
fn n004_one_shared_key_of_two_is_refused_whichever_it_is() {
    let (roster, _) = cast(&mut ChaCha20Rng::seed_from_u64(3));
    let expected = MembershipError::SharedKey { first: id(3), second: id(6) };
    for signing in [true, false] {
        let mut members = roster.members().to_vec();
        if signing {
            members[5].signing_key = members[2].signing_key;
        } else {
            members[5].dealing_key = members[2].dealing_key;
        }
        assert_eq!(Roster::new(Epoch(4), roster.threshold(), members), Err(expected.clone()));
    }
}

#[test]
fn weights_outside_their_range_are_refused() {
    let keys = ParticipantKeys::generate(&mut ChaCha20Rng::seed_from_u64(4)).unwrap().public_keys();
    let weighted = |weights: &[u16]| -> Result<Roster, _> {
        let list: Vec<_> = weights.iter().map(|w| (keys.clone(), *w)).collect();
        Roster::weighted(Epoch(1), Threshold::default_for, &list)
    };
    assert_eq!(weighted(&[3, 0, 1]), Err(MembershipError::NoWeight { place: 1 }));
    assert_eq!(weighted(&[]), Err(ThresholdError::Participants { n: 0 }.into()));
    assert_eq!(weighted(&[1000, 25]), Err(ThresholdError::Participants { n: 1025 }.into()));
    assert_eq!(weighted(&[u16::MAX, u16::MAX]), Err(ThresholdError::Participants { n: u16::MAX }.into()));
    let other = Roster::weighted(Epoch(1), |_| Threshold::new(3, 4), &[(keys.clone(), 5)]);
    assert_eq!(other, Err(MembershipError::Count { expected: 4, found: 5 }));
}

#[test]
fn a_participant_that_owns_more_than_f_identifiers_is_not_for_production() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let keys: Vec<_> = (0..3).map(|_| ParticipantKeys::generate(&mut rng).unwrap().public_keys()).collect();
    let heavy: Vec<_> = keys.iter().cloned().zip([2, 3, 2]).collect();
    let roster = Roster::weighted(Epoch(1), Threshold::default_for, &heavy).unwrap();
    let expected = MembershipError::Weight { identifier: id(3), found: 3, most: 2 };
    assert_eq!(roster.require_fault_tolerance(), Err(expected));
    let few: Vec<_> = keys.into_iter().zip([1, 1, 1]).collect();
    let roster = Roster::weighted(Epoch(1), Threshold::default_for, &few).unwrap();
    assert_eq!(roster.require_fault_tolerance(), Err(ThresholdError::NotFaultTolerant { n: 3 }.into()));
}

#[test]
fn a_weighted_committee_is_read_as_it_was_written() {
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let (roster, _) = cast(&mut rng);
    let (committee, _) = dealer::deal(&roster, &mut rng).unwrap();
    assert_eq!(Committee::from_bytes(&committee.to_bytes()).as_ref(), Ok(&committee));
    assert_eq!(committee.participants(), roster.participants());
}

#[test]
fn a_weighted_committee_generates_its_key_and_opens_from_three_participants() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let (roster, keys) = cast(&mut rng);
    let keys = keys_per_identifier(&roster, &keys);
    let outcomes = run_in_process(&roster, &keys, &mut MemoryBoard::new([9; 32]), &mut rng).unwrap();
    let outcomes: Vec<_> = outcomes.into_iter().map(|(_, outcome)| outcome.unwrap()).collect();
    assert!(outcomes.iter().all(|o| o.culprits.is_empty() && o.committee == outcomes[0].committee));
    let committee = outcomes[0].committee.clone();
    let shares: Vec<_> = outcomes.into_iter().map(|outcome| outcome.key_share).collect();
    let (ciphertexts, request, attempt, to) = attempt(&committee, &mut rng);
    let envelopes = [0, 1, 2, 3, 4].map(|at: usize| {
        let sealed = seal(&shares[at], &committee, &request, &to, &ciphertexts, &mut rng).unwrap();
        envelope(&committee, &keys[at], &request, sealed.to_bytes())
    });
    let opened = attempt.open(&committee, &request, MEASUREMENT, &ciphertexts, envelopes.to_vec()).unwrap();
    assert_eq!(opened.plaintexts[0].as_deref().map(Vec::as_slice), Some(b"weight".as_slice()));
}

/// A participant whose process is gone is silent under each of its identifiers, and named under each.
#[test]
fn n020_a_silent_participant_is_named_under_every_identifier_it_owns() {
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let (roster, keys) = cast(&mut rng);
    let mut keys = keys_per_identifier(&roster, &keys);
    keys.retain(|(identifier, _)| ![4, 5].contains(&identifier.get()));
    let silent = [4, 5].map(|i| RoundsCulprit { role: Role::Dealer, identifier: id(i), fault: Fault::Silent });
    for (_, outcome) in run_in_process(&roster, &keys, &mut MemoryBoard::new([9; 32]), &mut rng).unwrap() {
        let outcome = outcome.unwrap();
        assert_eq!(outcome.culprits, silent);
        assert_eq!(outcome.committee.owner(silent[0].identifier).unwrap().identifiers, ids(&[4, 5]));
    }
}

/// Weight is points of the polynomial, not copies of one: the same share under both identifiers is a wrong share.
#[test]
fn n042_one_share_under_two_identifiers_of_its_owner_is_refused_and_named() {
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let (roster, keys) = cast(&mut rng);
    let keys = keys_per_identifier(&roster, &keys);
    let (committee, shares) = dealer::deal(&roster, &mut rng).unwrap();
    let (cts, request, attempt, to) = attempt(&committee, &mut rng);
    let statement = Statement::new(&committee, &request, Some(&to.digest()), &cts).unwrap();
    let first = Shares::answer(&shares[0], &statement, &mut rng).unwrap();
    let envelopes = (0..7).map(|at| {
        let key = &shares[at];
        let sealed = match at {
            1 => seal_made(key, &first, &statement, &to, &mut rng),
            _ => seal(key, &committee, &request, &to, &cts, &mut rng),
        };
        envelope(&committee, &keys[at], &request, sealed.unwrap().to_bytes())
    });
    let opened = attempt.open(&committee, &request, MEASUREMENT, &cts, envelopes.collect()).unwrap();
    assert_eq!(opened.culprits, [Culprit { identifier: id(2), reason: CulpritReason::Proof }]);
    assert_eq!(committee.owner(id(2)).unwrap().identifiers, ids(&[1, 2]));
    assert_eq!(opened.plaintexts[0].as_deref().map(Vec::as_slice), Some(b"weight".as_slice()));
}

#[test]
fn a_participant_that_lost_one_share_of_two_helps_itself_with_the_other() {
    let mut rng = ChaCha20Rng::seed_from_u64(10);
    let (roster, keys) = cast(&mut rng);
    let keys = keys_per_identifier(&roster, &keys);
    let (committee, shares) = dealer::deal(&roster, &mut rng).unwrap();
    let request = RepairRequest::new(&committee, id(1), ids(&[2, 3, 4, 5, 6]), &mut rng).unwrap();
    let session = RepairSession::new(committee, request).unwrap();
    let helpers: Vec<Helper<'_>> =
        (1..=5).map(|at| Helper::new(session.clone(), &shares[at], &keys[at].1).unwrap()).collect();
    let first: Vec<_> = helpers.iter().map(|helper| helper.split().unwrap()).collect();
    let second: Vec<_> = helpers.iter().map(|helper| helper.sum(&first).unwrap()).collect();
    let share: KeyShare = Receiver::new(session, &keys[0].1).unwrap().finish(&first, &second).unwrap();
    assert_eq!(share.to_bytes(), shares[0].to_bytes());
}

fn attempt(committee: &Committee, rng: &mut ChaCha20Rng) -> (Vec<VerifiedCiphertext>, Request, AttemptKeys, Recipient) {
    let label = Label {
        kind: LabelKind::Recipient,
        chain: 31337,
        contract: [1; 20],
        id: [2; 32],
        version: 1,
        requester: [3; 20],
        expiry: 2_000_000_000,
        context: [0; 32],
    };
    let master = committee.master_public_key();
    let ciphertext = Ciphertext::encrypt(master, &label, b"weight", rng).unwrap().verify(master).unwrap();
    let request = Request {
        chain: 31337,
        contract: [1; 20],
        id: [2; 32],
        table_header: None,
        block_hash: [4; 32],
        deadline: 1_900_000_000,
        mode: Mode::Sealed,
        epoch: committee.epoch(),
        committee: committee.digest(),
        ciphertexts: vec![ciphertext.digest()],
    };
    let keys = AttemptKeys::generate(rng).unwrap();
    let to = keys.recipient(MEASUREMENT);
    (vec![ciphertext], request, keys, to)
}

fn envelope(
    committee: &Committee,
    (identifier, keys): &(Identifier, ParticipantKeys),
    request: &Request,
    payload: Vec<u8>,
) -> Envelope {
    let (digest, epoch) = (committee.digest(), committee.epoch());
    Envelope::sign(keys, &digest, epoch, *identifier, &request.digest(), Kind::Sealed, payload).unwrap()
}
