use super::*;
use crate::encoding::Kind;
use crate::envelope::Envelope;
use crate::epoch::Epoch;
use crate::keys::board::{Board, BoardError, MemoryBoard, Round};
use crate::keys::complaint::{Complaint, Verdict};
use crate::keys::dealing::{Dealing, DealingError, ShareFault};
use crate::keys::roster::Roster;
use crate::keys::rounds::Fault;
use crate::keys::rounds::package::{Package, collect_from_dealers};
use crate::keys::rounds::stage::{NONCE, Tampered, cast, id};
use crate::secret::random_scalar;
use curve25519_dalek::Scalar;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

fn run(
    roster: &Roster,
    keys: &[(Identifier, ParticipantKeys)],
    rng: &mut ChaCha20Rng,
    alter: impl FnMut(Round, Envelope) -> Vec<Envelope>,
) -> Vec<(Identifier, Result<Outcome, RoundsError>)> {
    let mut board = Tampered { inner: MemoryBoard::new(NONCE), alter };
    run_in_process(roster, keys, &mut board, rng).unwrap()
}

fn signed(roster: &Roster, keys: &ParticipantKeys, i: Identifier, package: Package) -> Envelope {
    let session = Session::new(Protocol::Dkg, None, roster.clone(), &NONCE);
    crate::keys::rounds::stage::signed(&session, keys, i, package)
}

/// All outcomes agree; the culprits are these.
fn agree(outcomes: Vec<(Identifier, Result<Outcome, RoundsError>)>, culprits: &[(u16, Fault)]) -> Vec<Outcome> {
    let outcomes: Vec<_> = outcomes.into_iter().map(|(i, o)| o.unwrap_or_else(|e| panic!("{i}: {e:?}"))).collect();
    let first = &outcomes[0];
    for outcome in &outcomes {
        assert_eq!(outcome.committee, first.committee);
        assert_eq!(outcome.transcript, first.transcript);
        let found: Vec<_> = outcome.culprits.iter().map(|c| (c.identifier.get(), c.fault.clone())).collect();
        assert_eq!(found, culprits);
        assert_eq!(outcome.key_share.matches(&outcome.committee), Ok(()));
    }
    outcomes
}

mod restart;
mod rogue;

#[test]
fn n023_everybody_derives_the_same_committee_and_transcript() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for n in [1, 2, 3, 4, 7] {
        let (roster, keys) = cast(n, &mut rng);
        let mut board = MemoryBoard::new(NONCE);
        let outcomes = agree(run_in_process(&roster, &keys, &mut board, &mut rng).unwrap(), &[]);
        assert_eq!(outcomes.len(), usize::from(n));
    }
}

#[test]
fn n020_f_silent_dealers_are_named_and_one_more_aborts() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let (roster, mut keys) = cast(7, &mut rng);
    keys.truncate(5);
    let silent = [(6, Fault::Silent), (7, Fault::Silent)];
    agree(run(&roster, &keys, &mut rng, |_, e| vec![e]), &silent);

    keys.truncate(4);
    for (_, outcome) in run(&roster, &keys, &mut rng, |_, e| vec![e]) {
        let Err(RoundsError::TooFewDealers { need: 5, have: 4, culprits }) = outcome else { panic!("no abort") };
        assert_eq!(culprits.len(), 3);
    }
}

#[test]
fn n011_a_wrong_share_leads_to_a_complaint_and_the_dealer_is_evicted() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let (roster, keys) = cast(4, &mut rng);
    let session = Session::new(Protocol::Dkg, None, roster.clone(), &NONCE);
    let bad = Dealing::with_spoilt_share(&session, 2, 3, None, &mut rng);
    let outcomes = run(&roster, &keys, &mut rng, |round, envelope| {
        let package = match (round, envelope.identifier().get()) {
            (Round::Commit, 2) => Package::Commitment(bad.commitment_digest()),
            (Round::Open, 2) => Package::Dealing(bad.to_bytes()),
            _ => return vec![envelope],
        };
        vec![signed(&roster, &keys[1].1, id(2), package)]
    });
    agree(outcomes, &[(2, Fault::Share(ShareFault::Tag))]);
}

#[test]
fn n011_errors_of_two_dealers_that_cancel_are_both_found() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let (roster, keys) = cast(7, &mut rng);
    let session = Session::new(Protocol::Dkg, None, roster.clone(), &NONCE);
    let shifts = [Scalar::from(9u8), -Scalar::from(9u8)];
    let bad: Vec<Dealing> = [1u16, 2]
        .into_iter()
        .zip(shifts)
        .map(|(dealer, shift)| Dealing::with_spoilt_share(&session, dealer, 4, Some(shift), &mut rng))
        .collect();
    let outcomes = run(&roster, &keys, &mut rng, |round, envelope| {
        let sender = envelope.identifier();
        let Some(dealing) = bad.iter().find(|dealing| dealing.dealer() == sender.get()) else { return vec![envelope] };
        let package = match round {
            Round::Commit => Package::Commitment(dealing.commitment_digest()),
            Round::Open => Package::Dealing(dealing.to_bytes()),
            _ => return vec![envelope],
        };
        vec![signed(&roster, &keys[usize::from(sender.get()) - 1].1, sender, package)]
    });
    let fault = Fault::Share(ShareFault::Commitment);
    agree(outcomes, &[(1, fault.clone()), (2, fault)]);
}

/// A board on which participant 3 complains about dealer 1 without reason.
struct Slanderous<'k> {
    inner: MemoryBoard,
    session: Session,
    keys: &'k ParticipantKeys,
    opened: Vec<Envelope>,
}

impl Slanderous<'_> {
    fn slander(&self) -> Envelope {
        let wires = collect_from_dealers(&self.session, &self.opened, |_, e| Some(e.unverified_payload().to_vec()));
        let dealing = Dealing::from_bytes(&wires[&id(1)][0]).unwrap().verify(&self.session).unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(40);
        let complaint = Complaint::create(&dealing, id(3), self.keys, &mut rng).unwrap();
        assert_eq!(complaint.judge(&dealing, id(2)), Verdict::Accuser);
        signed(self.session.roster(), self.keys, id(3), Package::Complaint(id(1), Box::new(complaint)))
    }
}

impl Board for Slanderous<'_> {
    fn nonce(&self) -> [u8; 32] {
        self.inner.nonce()
    }
    fn post(&mut self, round: Round, envelope: Envelope) -> Result<(), BoardError> {
        if round == Round::Open {
            self.opened.push(envelope.clone());
        }
        self.inner.post(round, envelope)
    }
    fn close(&mut self, round: Round) -> Result<Vec<Envelope>, BoardError> {
        if round == Round::Complain {
            self.inner.post(round, self.slander())?;
        }
        self.inner.close(round)
    }
}

#[test]
fn n011_a_false_complaint_names_the_accuser_and_evicts_nobody() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let (roster, keys) = cast(4, &mut rng);
    let session = Session::new(Protocol::Dkg, None, roster.clone(), &NONCE);
    let inner = MemoryBoard::new(NONCE);
    let mut board = Slanderous { inner, session, keys: &keys[2].1, opened: Vec::new() };
    let outcomes = run_in_process(&roster, &keys, &mut board, &mut rng).unwrap();
    agree(outcomes, &[(3, Fault::FalseComplaint)]);
}

#[test]
fn n013_two_commitments_of_one_dealer_evict_it() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let (roster, keys) = cast(4, &mut rng);
    let outcomes = run(&roster, &keys, &mut rng, |round, envelope| {
        if round == Round::Commit && envelope.identifier() == id(3) {
            let second = signed(&roster, &keys[2].1, id(3), Package::Commitment([7; 32]));
            return vec![envelope.clone(), envelope, second];
        }
        vec![envelope]
    });
    agree(outcomes, &[(3, Fault::Equivocation)]);
}

#[test]
fn n014_a_dealing_that_was_not_committed_to_is_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let (roster, keys) = cast(4, &mut rng);
    let session = Session::new(Protocol::Dkg, None, roster.clone(), &NONCE);
    let other = Dealing::create(&session, 1, random_scalar(&mut rng).unwrap(), &mut rng).unwrap();
    let outcomes = run(&roster, &keys, &mut rng, |round, envelope| {
        if round == Round::Open && envelope.identifier() == id(1) {
            return vec![signed(&roster, &keys[0].1, id(1), Package::Dealing(other.to_bytes()))];
        }
        vec![envelope]
    });
    agree(outcomes, &[(1, Fault::NotAsCommitted)]);
}

#[test]
fn n018_a_dealing_copied_from_another_dealer_is_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let (roster, keys) = cast(4, &mut rng);
    let mut copied: Option<Vec<u8>> = None;
    let mut stolen = ChaCha20Rng::seed_from_u64(70);
    let session = Session::new(Protocol::Dkg, None, roster.clone(), &NONCE);
    let original = Dealing::create(&session, 1, random_scalar(&mut stolen).unwrap(), &mut stolen).unwrap();
    let outcomes = run(&roster, &keys, &mut rng, |round, envelope| {
        let (i, wire) = (envelope.identifier().get(), original.to_bytes());
        copied.get_or_insert(wire.clone());
        match (round, i) {
            (Round::Commit, 1 | 2) => {
                let digest = Package::Commitment(original.commitment_digest());
                vec![signed(&roster, &keys[usize::from(i) - 1].1, id(i), digest)]
            }
            (Round::Open, 1 | 2) => {
                vec![signed(&roster, &keys[usize::from(i) - 1].1, id(i), Package::Dealing(wire))]
            }
            _ => vec![envelope],
        }
    });
    agree(outcomes, &[(2, Fault::Dealing(DealingError::Dealer { found: 1 }))]);
}

#[test]
fn n019_messages_of_another_round_and_outsiders_count_for_nothing() {
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let (roster, keys) = cast(4, &mut rng);
    let outsider = ParticipantKeys::generate(&mut rng).unwrap();
    let outcomes = run(&roster, &keys, &mut rng, |round, envelope| {
        let confirmation = signed(&roster, &keys[0].1, id(1), Package::Confirmation([1; 32]));
        let forged = signed(&roster, &outsider, id(2), Package::Commitment([2; 32]));
        let unknown = signed(&roster, &outsider, id(9), Package::Commitment([2; 32]));
        if round == Round::Confirm { vec![envelope] } else { vec![confirmation, forged, unknown, envelope] }
    });
    agree(outcomes, &[]);
    let mut board = MemoryBoard::new(NONCE);
    let envelope = signed(&roster, &keys[0].1, id(1), Package::Confirmation([1; 32]));
    assert_eq!(board.post(Round::Open, envelope.clone()), Err(BoardError::Early { round: Round::Open }));
    board.close(Round::Commit).unwrap();
    assert_eq!(board.post(Round::Commit, envelope), Err(BoardError::Late { round: Round::Commit }));
}

#[test]
fn n023_a_participant_that_sees_another_transcript_refuses_to_finish() {
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let (roster, keys) = cast(4, &mut rng);
    let outcomes = run(&roster, &keys, &mut rng, |round, envelope| match (round, envelope.identifier().get()) {
        (Round::Confirm, i @ (1 | 2)) => {
            vec![signed(&roster, &keys[usize::from(i) - 1].1, id(i), Package::Confirmation([5; 32]))]
        }
        _ => vec![envelope],
    });
    for (_, outcome) in outcomes {
        let Err(RoundsError::NotConfirmed { need: 3, have: 2, culprits }) = outcome else { panic!("no refusal") };
        assert!(culprits.iter().all(|c| c.fault == Fault::Disagreement) && culprits.len() == 2);
    }
}

/// Whoever confirms two transcripts is named, and counts for each as it would have alone.
#[test]
fn n023_two_confirmations_of_one_participant_name_it() {
    let mut rng = ChaCha20Rng::seed_from_u64(12);
    let (roster, keys) = cast(4, &mut rng);
    let outcomes = run(&roster, &keys, &mut rng, |round, envelope| match (round, envelope.identifier().get()) {
        (Round::Confirm, i @ (1 | 2)) => {
            let other = signed(&roster, &keys[usize::from(i) - 1].1, id(i), Package::Confirmation([5; 32]));
            vec![envelope, other]
        }
        _ => vec![envelope],
    });
    for (_, outcome) in outcomes {
        let culprits = outcome.unwrap().culprits;
        assert!(culprits.iter().all(|c| c.fault == Fault::Equivocation) && culprits.len() == 2);
    }
}

#[test]
fn n022_messages_of_another_session_count_for_nothing() {
    let mut rng = ChaCha20Rng::seed_from_u64(10);
    let (roster, keys) = cast(4, &mut rng);
    let other = Session::new(Protocol::Dkg, None, roster.clone(), &[1; 32]);
    let dealing = Dealing::create(&other, 1, random_scalar(&mut rng).unwrap(), &mut rng).unwrap();
    let session = Session::new(Protocol::Dkg, None, roster.clone(), &NONCE);
    assert_eq!(dealing.clone().verify(&session).err(), Some(DealingError::Session));
    let (kind, payload) = Package::Commitment(dealing.commitment_digest()).encode();
    let stray = Envelope::sign(&keys[0].1, &roster.digest(), Epoch(1), id(1), &other.id(), kind, payload).unwrap();
    let outcomes = run(&roster, &keys, &mut rng, |_, envelope| vec![stray.clone(), envelope]);
    agree(outcomes, &[]);
}

#[test]
fn keys_that_are_not_on_the_roster_do_not_take_part() {
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    let (roster, keys) = cast(4, &mut rng);
    let session = Session::new(Protocol::Dkg, None, roster.clone(), &NONCE);
    let error = Participant::new(session, id(2), &keys[0].1, &mut rng).err();
    assert_eq!(error, Some(RoundsError::NotOnTheRoster { identifier: id(2) }));
    let session = Session::new(Protocol::Refresh, None, roster, &NONCE);
    let error = Participant::new(session, id(1), &keys[0].1, &mut rng).err();
    assert_eq!(error, Some(RoundsError::Protocol { found: Protocol::Refresh }));
    assert_eq!(Kind::Dealing as u8, 6);
}
