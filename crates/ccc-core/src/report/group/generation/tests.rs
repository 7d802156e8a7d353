//! Key generation and handover of a group, with liars among the participants.

use super::*;
use crate::encoding::Kind;
use crate::envelope::Envelope;
use crate::keys::board::{MemoryBoard, Round};
use crate::keys::rounds::package::Package;
use crate::keys::rounds::stage::{Keys, NONCE, Tampered, id, keys, named, roster};
use crate::keys::rounds::{Fault, Role, RoundsError};
use crate::keys::{DealingError, ParticipantKeys, ShareFault};
use crate::report::group::tests::outside_of_g1;
use crate::report::group::{GroupError, GroupShare, PartialSignature};
use crate::secret::HedgedRng;
use crate::threshold::Threshold;
use alloc::vec::Vec;
use blsttc::poly::Poly;
use blsttc::{Fr, SecretKeyShare};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

mod liars;

type Results = Vec<Result<Outcome, RoundsError>>;

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// 4 participants of whom any 2 sign.
fn cast() -> (GroupSession, Keys) {
    let keys = keys(1..=4, &mut rng(1));
    let roster = roster(1, Threshold::new(2, 4).unwrap(), &keys);
    (GroupSession::generation(roster, &NONCE).unwrap(), keys)
}

fn parties<'k>(session: &GroupSession, keys: &'k Keys) -> Vec<Party<'k>> {
    let party = |(identifier, keys): &'k (Identifier, ParticipantKeys)| {
        Party::new(session.clone(), NewMember { identifier: *identifier, keys }).unwrap()
    };
    keys.iter().map(party).collect()
}

fn generate(session: &GroupSession, keys: &Keys, alter: impl FnMut(Round, Envelope) -> Vec<Envelope>) -> Results {
    let mut board = Tampered { inner: MemoryBoard::new(NONCE), alter };
    run_in_process(parties(session, keys), &mut board, &mut rng(2)).unwrap()
}

fn honest(session: &GroupSession, keys: &Keys) -> Vec<Outcome> {
    generate(session, keys, |_, envelope| vec![envelope]).into_iter().map(Result::unwrap).collect()
}

fn signed(outcomes: &[Outcome], which: &[usize]) -> Result<(), GroupError> {
    let share = |i: &usize| outcomes[*i].share.as_ref().unwrap().sign_message(b"m");
    let partials: Vec<PartialSignature> = which.iter().map(share).collect();
    let signature = outcomes[0].committee.combine(b"m", &partials)?;
    outcomes[0].committee.key().verify(b"m", &signature)
}

fn envelope(session: &GroupSession, keys: &ParticipantKeys, i: Identifier, kind: Kind, payload: Vec<u8>) -> Envelope {
    let roster = session.roster();
    Envelope::sign(keys, &roster.digest(), roster.epoch(), i, &session.id(), kind, payload).unwrap()
}

/// Participant 2 commits to this dealing and opens it, in the place of its own.
fn with_dealing(session: &GroupSession, keys: &Keys, wire: &[u8]) -> Results {
    let two = id(2);
    let digest = crate::suite::digest32(domain_of_dealings(), &[wire]);
    generate(session, keys, |round, posted| match (round, posted.identifier() == two) {
        (Round::Commit, true) => {
            let (kind, payload) = Package::Commitment(digest).encode();
            vec![envelope(session, &keys[1].1, two, kind, payload)]
        }
        (Round::Open, true) => vec![envelope(session, &keys[1].1, two, Kind::GroupDealing, wire.to_vec())],
        _ => vec![posted],
    })
}

fn domain_of_dealings() -> &'static str {
    crate::suite::domain::DEALING_COMMITMENT
}

fn dealing(session: &GroupSession, dealer: u16, constant: Option<&SecretKeyShare>) -> GroupDealing {
    GroupDealing::create(session, id(dealer), constant, &mut HedgedRng::new("nonce", &[5; 64], &[])).unwrap()
}

/// Everybody but participant 2, which ran as if nothing had happened.
fn others(results: Results) -> Vec<Outcome> {
    results.into_iter().enumerate().filter(|(at, _)| *at != 1).map(|(_, one)| one.unwrap()).collect()
}

#[test]
fn all_agree_and_any_t_sign() {
    let (session, keys) = cast();
    let outcomes = honest(&session, &keys);
    for outcome in &outcomes {
        assert_eq!((&outcome.committee, outcome.transcript), (&outcomes[0].committee, outcomes[0].transcript));
        assert_eq!(outcome.culprits, []);
    }
    for which in [[0, 1], [2, 3], [3, 0]] {
        assert_eq!(signed(&outcomes, &which), Ok(()));
    }
    let alone = signed(&outcomes, &[1]);
    assert_eq!(alone, Err(GroupError::BelowThreshold { needed: 2, found: 1, culprits: Vec::new() }));
}

/// Whatever the rounds do, the key is that of the polynomial through the shares.
#[test]
fn the_shares_lie_on_one_polynomial_through_the_key() {
    let (session, keys) = cast();
    let outcomes = honest(&session, &keys);
    let point = |outcome: &Outcome| {
        let share = outcome.share.as_ref().unwrap();
        let scalar = Option::<Fr>::from(Fr::from_bytes_be(&share.to_bytes())).unwrap();
        (u64::from(share.identifier().get()), scalar)
    };
    let points: Vec<_> = outcomes.iter().map(point).collect();
    let polynomial = Poly::interpolate(points[..2].iter().copied()).unwrap();
    assert!(points[2..].iter().all(|(x, y)| polynomial.evaluate(*x) == *y), "degree t - 1");
    let mut secret = polynomial.evaluate(0);
    let key = blsttc::SecretKey::from_mut(&mut secret).public_key();
    assert_eq!(outcomes[0].committee.key().to_bytes(), key.to_bytes());
}

#[test]
fn a_stored_seed_posts_the_same_again() {
    let (session, keys) = cast();
    let party = parties(&session, &keys).remove(0);
    let first = Participant::join(party.clone(), &mut rng(3)).unwrap();
    let again = Participant::resume(party, first.seed().clone());
    assert_eq!(first.commit().unwrap().outgoing(), again.commit().unwrap().outgoing());
}

#[test]
fn a_session_of_the_vault_on_the_same_board_is_another() {
    let (session, _) = cast();
    let vault = crate::keys::Session::new(Protocol::Dkg, None, session.roster().clone(), &NONCE);
    assert_ne!(vault.id(), session.id());
}

#[test]
fn a_silent_participant_is_named_and_the_others_go_on() {
    let (session, keys) = cast();
    let quiet = |_: Round, posted: Envelope| if posted.identifier() == id(2) { vec![] } else { vec![posted] };
    let outcomes = others(generate(&session, &keys, quiet));
    let silent = |role| (role, 2, Fault::Silent);
    assert_eq!(named(&outcomes[0].culprits), vec![silent(Role::Dealer), silent(Role::Receiver)]);
    assert_eq!(signed(&outcomes, &[0, 2]), Ok(()));
}

#[test]
fn two_silent_participants_of_four_are_too_many() {
    let (session, keys) = cast();
    let quiet = |_: Round, posted: Envelope| if posted.identifier() < id(3) { vec![] } else { vec![posted] };
    let refused = generate(&session, &keys, quiet).pop().unwrap();
    assert!(matches!(refused, Err(RoundsError::TooFewDealers { need: 3, have: 2, .. })));
}

#[test]
fn n118_a_rogue_key_without_possession_is_left_out() {
    let (session, keys) = cast();
    // The constant term of another's dealing: whoever deals it cannot sign with it.
    let mut wire = dealing(&session, 2, None).to_bytes();
    let copied = dealing(&session, 1, Some(&SecretKeyShare::from_bytes([9; 32]).unwrap())).to_bytes();
    wire[44..92].copy_from_slice(&copied[44..92]);
    let outcomes = others(with_dealing(&session, &keys, &wire));
    let fault = Fault::Dealing(DealingError::Possession);
    assert_eq!(named(&outcomes[0].culprits), vec![(Role::Dealer, 2, fault)]);
    assert_eq!(signed(&outcomes, &[0, 1]), Ok(()));
}

#[test]
fn n118_dealings_that_are_wrong_in_public_are_left_out_by_name() {
    let (session, keys) = cast();
    let good = dealing(&session, 2, None).to_bytes();
    let elsewhere = GroupSession::generation(session.roster().clone(), &[1; 32]).unwrap();
    let with = |at: usize, byte: u8| {
        let mut bent = good.clone();
        bent[at] ^= byte;
        bent
    };
    let mut identity = good.clone();
    identity[44..92].fill(0);
    identity[44] = 0xc0;
    let mut torsion = good.clone();
    torsion[92..140].copy_from_slice(&outside_of_g1());
    let point = crate::encoding::EncodingError::Point { what: "commitment" };
    let cases = [
        (dealing(&elsewhere, 2, None).to_bytes(), DealingError::Session),
        (dealing(&session, 1, None).to_bytes(), DealingError::Dealer { found: 1 }),
        (identity, DealingError::ZeroCommitment { index: 0 }),
        (torsion, DealingError::Encoding(point)),
        (with(150, 1), DealingError::Possession),
        (with(good.len() - 32, 1), DealingError::Proof),
    ];
    for (wire, fault) in cases {
        let outcomes = others(with_dealing(&session, &keys, &wire));
        assert_eq!(named(&outcomes[0].culprits), vec![(Role::Dealer, 2, Fault::Dealing(fault))]);
    }
    let outcomes = others(with_dealing(&session, &keys, &good[..good.len() - 1]));
    assert_eq!(named(&outcomes[0].culprits), vec![(Role::Dealer, 2, Fault::Malformed)]);
}

#[test]
fn a_complaint_without_reason_is_the_accusers_fault() {
    let (session, keys) = cast();
    let mut first = None;
    let outcomes = generate(&session, &keys, |round, posted| {
        let mut posts = vec![posted.clone()];
        if round == Round::Open && posted.identifier() == id(1) {
            first = Some(posted.unverified_payload().to_vec());
        }
        if round == Round::Open && posted.identifier() == id(4) {
            // Participant 2 complains about the dealing of 1, one round early: of no round.
            posts.push(complaint(&session, &keys, first.as_ref().unwrap()));
        }
        posts
    });
    assert!(outcomes.iter().all(Result::is_ok));
    let wire = first.unwrap();
    let accusation = complaint(&session, &keys, &wire);
    let mut opened = 0;
    let accused = generate_with_complaint(&session, &keys, &accusation, &mut opened);
    let fault = (Role::Receiver, 2, Fault::FalseComplaint);
    assert_eq!(named(&accused[0].culprits), vec![fault]);
}

fn complaint(session: &GroupSession, keys: &Keys, wire: &[u8]) -> Envelope {
    let dealing = GroupDealing::from_bytes(wire).unwrap().verify(session).unwrap();
    let made = crate::keys::Complaint::about(&dealing, id(2), &keys[1].1, &mut rng(8)).unwrap();
    let (kind, payload) = Package::Complaint(id(1), made.into()).encode();
    envelope(session, &keys[1].1, id(2), kind, payload)
}

/// Runs the rounds by hand, with one more message in the complain round.
fn generate_with_complaint(session: &GroupSession, keys: &Keys, more: &Envelope, seen: &mut usize) -> Vec<Outcome> {
    let mut random = rng(2);
    let joined: Vec<_> =
        parties(session, keys).into_iter().map(|p| Participant::join(p, &mut random).unwrap()).collect();
    let committed: Vec<_> = joined.into_iter().map(|p| p.commit().unwrap()).collect();
    let posts: Vec<_> = committed.iter().flat_map(|s| s.outgoing().to_vec()).collect();
    let opened: Vec<_> = committed.into_iter().map(|s| s.open(&posts).unwrap()).collect();
    let posts: Vec<_> = opened.iter().flat_map(|s| s.outgoing().to_vec()).collect();
    let complained: Vec<_> = opened.into_iter().map(|s| s.complain(&posts).unwrap()).collect();
    *seen += complained.iter().map(|s| s.outgoing().len()).sum::<usize>();
    assert_eq!(*seen, 0);
    let posts = vec![more.clone()];
    let last: Vec<_> = complained.into_iter().map(|s| s.finish(&posts).unwrap()).collect();
    let posts: Vec<_> = last.iter().flat_map(|s| s.outgoing().to_vec()).collect();
    last.into_iter().map(|s| s.confirm(&posts).unwrap()).collect()
}

// Handover

fn next(old: &[Outcome], new: &Keys) -> GroupSession {
    let roster = roster(2, Threshold::new(2, 4).unwrap(), new);
    GroupSession::handover(old[0].committee.clone().into(), roster, &[3; 32]).unwrap()
}

fn hand_over(
    session: &GroupSession,
    old: &[Outcome],
    old_keys: &Keys,
    new: &Keys,
) -> Vec<Result<Outcome, RoundsError>> {
    let parties = everybody(session, old, old_keys, new);
    run_in_process(parties, &mut MemoryBoard::new([3; 32]), &mut rng(4)).unwrap()
}

fn everybody<'k>(session: &GroupSession, old: &'k [Outcome], old_keys: &'k Keys, new: &'k Keys) -> Vec<Party<'k>> {
    let mut parties = Vec::new();
    for (outcome, (_, keys)) in old.iter().zip(old_keys) {
        let me = OldMember { share: outcome.share.as_ref().unwrap(), keys };
        parties.push(Party::handover(session.clone(), Some(me), None).unwrap());
    }
    for (identifier, keys) in new {
        let me = NewMember { identifier: *identifier, keys };
        parties.push(Party::handover(session.clone(), None, Some(me)).unwrap());
    }
    parties
}

#[test]
fn a_handover_keeps_the_key_and_makes_the_old_shares_useless() {
    let (session, old_keys) = cast();
    let old = honest(&session, &old_keys);
    let new_keys = keys(2..=5, &mut rng(9));
    let session = next(&old, &new_keys);
    let mut outcomes: Vec<_> =
        hand_over(&session, &old[..3], &old_keys, &new_keys).into_iter().map(Result::unwrap).collect();
    let new = outcomes.split_off(3);
    assert!(outcomes.iter().all(|dealer| dealer.share.is_none()));
    assert_eq!(new[0].committee.key(), old[0].committee.key());
    assert_ne!(new[0].committee.commitments(), old[0].committee.commitments());
    for which in [[0, 1], [2, 3]] {
        assert_eq!(signed(&new, &which), Ok(()));
    }
    let stale = old[1].share.as_ref().unwrap();
    let refused = GroupShare::from_bytes(id(2), &stale.to_bytes(), &new[0].committee).map(|s| s.identifier());
    assert_eq!(refused, Err(GroupError::ForeignShare { identifier: id(2) }));
    assert_eq!(named(&new[0].culprits), vec![(Role::Dealer, 4, Fault::Silent)]);
}

#[test]
fn fewer_than_t_old_members_hand_nothing_over() {
    let (session, old_keys) = cast();
    let old = honest(&session, &old_keys);
    let new_keys = keys(2..=5, &mut rng(9));
    let refused = hand_over(&next(&old, &new_keys), &old[..1], &old_keys, &new_keys).pop().unwrap();
    assert!(matches!(refused, Err(RoundsError::TooFewDealers { need: 2, have: 1, .. })));
}

#[test]
fn a_dealer_of_a_handover_deals_its_own_share() {
    let (session, old_keys) = cast();
    let old = honest(&session, &old_keys);
    let session = next(&old, &keys(2..=5, &mut rng(9)));
    let own = old[1].share.as_ref().unwrap();
    assert!(dealing(&session, 2, Some(own.secret())).verify(&session).is_ok());
    let foreign = dealing(&session, 2, Some(old[0].share.as_ref().unwrap().secret())).verify(&session);
    assert_eq!(foreign, Err(DealingError::Constant { dealer: 2 }));
}

#[test]
fn who_has_no_place_does_not_join() {
    let (session, old_keys) = cast();
    let old = honest(&session, &old_keys);
    let stranger = keys(1..=1, &mut rng(77));
    let me = NewMember { identifier: id(1), keys: &stranger[0].1 };
    let refused = Party::new(session.clone(), me).err();
    assert_eq!(refused, Some(RoundsError::NotOnTheRoster { identifier: id(1) }));
    let refused = Party::handover(session, None, Some(me)).err();
    assert_eq!(refused, Some(RoundsError::Protocol { found: Protocol::Dkg }));
    let later = next(&old, &keys(2..=5, &mut rng(9)));
    let wrong = OldMember { share: old[0].share.as_ref().unwrap(), keys: &stranger[0].1 };
    let refused = Party::handover(later.clone(), Some(wrong), None).err();
    assert_eq!(refused, Some(RoundsError::NotInTheCommittee { identifier: id(1) }));
    assert_eq!(Party::handover(later.clone(), None, None).err(), Some(RoundsError::NoRole));
    let me = NewMember { identifier: id(2), keys: &old_keys[1].1 };
    assert_eq!(Party::new(later, me).err(), Some(RoundsError::Protocol { found: Protocol::Reshare }));
}

#[test]
fn a_handover_is_to_the_next_epoch() {
    let (session, old_keys) = cast();
    let old = honest(&session, &old_keys);
    let roster = roster(3, Threshold::new(2, 4).unwrap(), &old_keys);
    let refused = GroupSession::handover(old[0].committee.clone().into(), roster, &NONCE).err();
    let (previous, found) = (crate::epoch::Epoch(1), crate::epoch::Epoch(3));
    assert_eq!(refused, Some(SessionError::Epoch { previous, found }.into()));
}

/// The forwarder's configuration names faults and participants, and a handover does not change it.
#[test]
fn a_handover_to_other_numbers_is_refused() {
    let (session, old_keys) = cast();
    let old = honest(&session, &old_keys);
    for (t, n) in [(3, 7), (2, 5), (3, 4)] {
        let roster = roster(2, Threshold::new(t, n).unwrap(), &keys(1..=n, &mut rng(9)));
        let refused = GroupSession::handover(old[0].committee.clone().into(), roster, &NONCE).err();
        assert_eq!(refused, Some(GroupError::Numbers { of_t: 2, of_n: 4, t, n }));
    }
}

/// Before anybody deals: a threshold that no set of the forwarder can have.
#[test]
fn a_roster_whose_threshold_no_set_can_have_generates_nothing() {
    let refused = |threshold: Threshold| {
        let keys = keys(1..=threshold.n(), &mut rng(1));
        GroupSession::generation(roster(1, threshold, &keys), &NONCE).err()
    };
    let vaults = Threshold::default_for(100).unwrap();
    assert!(vaults.protects_tables());
    assert_eq!(refused(vaults), Some(GroupError::Participants { f: 66, least: 198, found: 100 }));
    assert_eq!(refused(Threshold::new(34, 100).unwrap()), None);
    assert_eq!(refused(Threshold::new(1, 1).unwrap()), Some(GroupError::ZeroFaults));
    assert_eq!(refused(Threshold::new(257, 769).unwrap()), Some(GroupError::Threshold { found: 257 }));
    assert_eq!(refused(Threshold::new(256, 768).unwrap()), None);
}

/// A committee that was made elsewhere with a threshold of its own.
#[test]
fn a_committee_that_no_set_can_have_hands_nothing_over() {
    let (session, old_keys) = cast();
    let committee = honest(&session, &old_keys).remove(0).committee;
    let threshold = Threshold::new(3, 4).unwrap();
    let commitments = [committee.commitments(), committee.commitments()[..1].to_vec()].concat();
    let old = GroupCommittee::new(Arc::new(roster(1, threshold, &old_keys)), &commitments).unwrap();
    let refused = GroupSession::handover(old.into(), roster(2, threshold, &old_keys), &NONCE).err();
    assert_eq!(refused, Some(GroupError::Participants { f: 2, least: 6, found: 4 }));
}

#[test]
fn a_dealing_reads_back_and_refuses_every_other_length() {
    let (session, _) = cast();
    let made = dealing(&session, 2, None);
    let wire = made.to_bytes();
    assert_eq!(GroupDealing::from_bytes(&wire), Ok(made));
    for length in 0..wire.len() {
        assert!(GroupDealing::from_bytes(&wire[..length]).is_err());
    }
    assert!(GroupDealing::from_bytes(&[wire, vec![0]].concat()).is_err());
}

/// Fixed byte for byte, like every kind: `CCC_WRITE_SNAPSHOTS=1` writes it anew.
#[test]
fn a_dealing_from_fixed_seeds_is_the_snapshot() {
    let (session, _) = cast();
    let wire = dealing(&session, 2, None).to_bytes();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/snapshots/group_dealing.hex");
    if std::env::var_os("CCC_WRITE_SNAPSHOTS").is_some() {
        let lines: String = wire.chunks(48).map(|line| hex::encode(line) + "\n").collect();
        std::fs::write(path, lines).unwrap();
    }
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text.lines().collect::<String>(), hex::encode(&wire));
}
