//! A participant that starts again from its stored state says what it would have said.

use super::*;
use crate::encoding::{EncodingError, HEADER_LEN};
use crate::keys::dealing::forge::Lie;
use crate::keys::rounds::stage::{Keys, Log, signed, with_restarts};
use crate::keys::rounds::{StateError, Step, step_of};

fn session(roster: &Roster, nonce: u8) -> Session {
    Session::new(Protocol::Dkg, None, roster.clone(), &[nonce; 32])
}

fn parties<'k>(keys: &'k Keys, session: &Session) -> Vec<Party<'k>> {
    keys.iter().map(|(i, keys)| Party::new(session.clone(), *i, keys).unwrap()).collect()
}

const STEPS: [Step; 5] = [Step::Joined, Step::Committed, Step::Opened, Step::Complained, Step::Unconfirmed];

/// One run. `spoilt` stands on the board in the place of dealer 2's dealing.
fn run(
    keys: &Keys,
    session: &Session,
    spoilt: Option<&Dealing>,
    restart: impl Fn(usize, Step) -> bool,
) -> Log<Outcome> {
    let lie = |round: Round, seen: &mut Vec<Envelope>| {
        let package = match (round, spoilt) {
            (Round::Commit, Some(dealing)) => Package::Commitment(dealing.commitment_digest()),
            (Round::Open, Some(dealing)) => Package::Dealing(dealing.to_bytes()),
            _ => return,
        };
        seen[1] = signed(session, &keys[1].1, id(2), package);
    };
    with_restarts(&parties(keys, session), lie, restart)
}

fn same(one: &Log<Outcome>, other: &Log<Outcome>) {
    assert_eq!(one.posted, other.posted);
    assert_eq!(one.stored, other.stored);
    for (a, b) in one.outcomes.iter().zip(&other.outcomes) {
        assert_eq!((&a.transcript, &a.committee, &a.culprits), (&b.transcript, &b.committee, &b.culprits));
        assert_eq!(a.key_share.to_bytes(), b.key_share.to_bytes());
    }
}

#[test]
fn n021_a_restart_at_any_step_says_the_same_again() {
    let mut rng = ChaCha20Rng::seed_from_u64(20);
    for n in [4, 7] {
        let (roster, keys) = cast(n, &mut rng);
        let session = session(&roster, 9);
        let straight = run(&keys, &session, None, |_, _| false);
        for (step, at) in STEPS.into_iter().flat_map(|step| (0..usize::from(n)).map(move |at| (step, at))) {
            same(&straight, &run(&keys, &session, None, |i, s| i == at && s == step));
        }
        same(&straight, &run(&keys, &session, None, |_, _| true));
    }
}

#[test]
fn n021_complaints_are_the_same_after_a_restart() {
    let mut rng = ChaCha20Rng::seed_from_u64(21);
    let (roster, keys) = cast(7, &mut rng);
    let session = session(&roster, 9);
    let spoilt = Dealing::with_spoilt_share(&session, 2, 4, Some(Scalar::ONE), &mut rng);
    let straight = run(&keys, &session, Some(&spoilt), |_, _| false);
    assert_eq!(straight.posted[3].len(), 1);
    assert_eq!(straight.outcomes[0].culprits.len(), 1);
    same(&straight, &run(&keys, &session, Some(&spoilt), |_, _| true));
}

/// A crash after posting and before storing: the state before gives the same envelope, not a second one.
#[test]
fn n021_the_state_before_gives_the_same_message_again() {
    let mut rng = ChaCha20Rng::seed_from_u64(22);
    let (roster, keys) = cast(4, &mut rng);
    let session = session(&roster, 9);
    let log = run(&keys, &session, None, |_, _| false);
    let party = || parties(&keys, &session).remove(0);
    let committed = Participant::from_bytes(&log.stored[0][0], party()).unwrap().commit().unwrap();
    assert_eq!(committed.outgoing(), &log.posted[1][..1]);
    assert_eq!(committed.to_bytes().as_slice(), log.stored[1][0]);
    let opened = Committed::from_bytes(&log.stored[1][0], party()).unwrap().open(&log.posted[1]).unwrap();
    assert_eq!(opened.outgoing(), &log.posted[2][..1]);
    assert_eq!(opened.to_bytes().as_slice(), log.stored[2][0]);
}

#[test]
fn two_sessions_of_one_generator_state_share_no_coefficient() {
    let mut rng = ChaCha20Rng::seed_from_u64(23);
    let (roster, keys) = cast(4, &mut rng);
    let one = run(&keys, &session(&roster, 1), None, |_, _| false);
    let two = run(&keys, &session(&roster, 2), None, |_, _| false);
    assert_eq!(one.stored[0][0][HEADER_LEN + 38..], two.stored[0][0][HEADER_LEN + 38..], "the seeds agree");
    for (a, b) in one.outcomes.iter().zip(&two.outcomes) {
        assert_ne!(a.committee.master_public_key(), b.committee.master_public_key());
    }
}

#[test]
fn n022_a_state_of_another_session_or_participant_is_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(24);
    let (roster, keys) = cast(4, &mut rng);
    let (here, elsewhere) = (session(&roster, 1), session(&roster, 2));
    let log = run(&keys, &here, None, |_, _| false);
    let other = StateError::Participant { role: rounds::Role::Dealer, expected: 2, found: 1 };
    for step in 0..5 {
        let verdict = |session: &Session, at: usize| {
            Log::<Outcome>::reread(step, &log.stored[step][0], parties(&keys, session).remove(at)).err()
        };
        assert_eq!(verdict(&here, 0), None);
        assert_eq!(verdict(&elsewhere, 0), Some(StateError::Session));
        assert_eq!(verdict(&here, 1), Some(other.clone()));
    }
    let wrong = Opened::from_bytes(&log.stored[1][0], parties(&keys, &here).remove(0)).err();
    assert_eq!(wrong, Some(StateError::Step { expected: Step::Opened, found: Step::Committed }));
    assert_eq!(step_of(&log.stored[3][2]), Ok(Step::Complained));
}

/// Every truncation, every extension and every flipped byte: refused, or read as a state that is written so.
#[test]
fn n029_stored_states_are_strict() {
    let mut rng = ChaCha20Rng::seed_from_u64(25);
    let (roster, keys) = cast(4, &mut rng);
    let session = session(&roster, 9);
    let spoilt = Dealing::with_spoilt_share(&session, 2, 3, None, &mut rng);
    let log = run(&keys, &session, Some(&spoilt), |_, _| false);
    let read = |step, bytes: &[u8]| Log::<Outcome>::reread(step, bytes, parties(&keys, &session).remove(0));
    for (step, stored) in log.stored.iter().map(|all| &all[0]).enumerate() {
        for n in (0..stored.len()).step_by(if step < 2 { 1 } else { 29 }) {
            let error = read(step, &stored[..n]).err();
            assert!(
                matches!(error, Some(StateError::Encoding(EncodingError::Truncated { .. }))),
                "{step} {n}: {error:?}"
            );
        }
        let long = [stored.as_slice(), &[0]].concat();
        assert_eq!(read(step, &long), Err(StateError::Encoding(EncodingError::Trailing { found: 1 })));
        for at in (HEADER_LEN..stored.len()).step_by(if step == 0 { 1 } else { 31 }) {
            let mut bad = stored.clone();
            bad[at] ^= 1;
            if let Ok(again) = read(step, &bad) {
                assert_eq!(again, bad, "{step} {at}");
            }
        }
    }
}

#[test]
fn a_stored_dealing_is_verified_anew_and_is_the_participants_own() {
    let mut rng = ChaCha20Rng::seed_from_u64(27);
    let (roster, keys) = cast(4, &mut rng);
    let session = session(&roster, 9);
    let log = run(&keys, &session, None, |_, _| false);
    let read = |step, bytes: &[u8]| Log::<Outcome>::reread(step, bytes, parties(&keys, &session).remove(0)).err();
    let own_dealing = HEADER_LEN + 38 + 2 + 64 + 4;
    let mut bad = log.stored[1][0].clone();
    let last_share = bad.len() - 65;
    bad[last_share] ^= 1;
    assert_eq!(read(1, &bad), Some(StateError::Dealing(DealingError::Proof)));
    let mut other = log.stored[1][0].clone();
    other[own_dealing..].copy_from_slice(&log.stored[1][1][own_dealing..]);
    assert_eq!(read(1, &other), Some(StateError::Dealing(DealingError::Dealer { found: 2 })));
    let mut bad = log.stored[3][0].clone();
    let last_share = bad.len() - 65;
    bad[last_share] ^= 1;
    assert_eq!(read(3, &bad), Some(StateError::Dealing(DealingError::Proof)));
}

/// Two dealings under one ephemeral point would have one complaint open two shares, from the store as from the board.
#[test]
fn stored_dealings_with_one_ephemeral_point_are_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(29);
    let (roster, keys) = cast(4, &mut rng);
    let session = session(&roster, 9);
    let log = run(&keys, &session, None, |_, _| false);
    let stored = &log.stored[3][0];
    let forge = |dealer| {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        Dealing::forge(&session, dealer, Scalar::from(dealer), &Lie::Nothing, &mut rng)
    };
    let mut bad = stored[..HEADER_LEN + 38 + 2 + 64 + 2].to_vec();
    for dealing in [forge(1), forge(2)].iter().chain(&posted_dealings(&log)[2..]) {
        crate::suite::length_prefixed(&mut bad, &dealing.to_bytes());
    }
    assert_eq!(forge(1).ephemeral(), forge(2).ephemeral());
    let error = Complained::from_bytes(&bad, parties(&keys, &session).remove(0)).err();
    assert_eq!(error, Some(StateError::Canonical { what: "dealings" }));
}

fn posted_dealings(log: &Log<Outcome>) -> Vec<Dealing> {
    log.posted[2].iter().map(|envelope| Dealing::from_bytes(envelope.unverified_payload()).unwrap()).collect()
}

/// A generator that repeats itself gives no participant.
#[test]
fn n024_a_stuck_generator_is_refused_at_joining() {
    let mut rng = ChaCha20Rng::seed_from_u64(28);
    let (roster, keys) = cast(4, &mut rng);
    let mut stuck = crate::support::Replay(vec![0; 64]);
    let error = Participant::new(session(&roster, 9), keys[0].0, &keys[0].1, &mut stuck).err();
    assert_eq!(error, Some(RoundsError::Randomness(crate::secret::RandomnessError)));
}

#[test]
fn culprits_out_of_order_and_strangers_commitments_are_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(26);
    let (roster, mut keys) = cast(7, &mut rng);
    keys.truncate(5);
    let session = session(&roster, 9);
    let log = run(&keys, &session, None, |_, _| false);
    let read = |bytes: &[u8]| Opened::from_bytes(bytes, parties(&keys, &session).remove(0)).err();
    let (stored, culprits) = (&log.stored[2][0], HEADER_LEN + 38 + 2);
    let mut swapped = stored.clone();
    swapped[culprits..culprits + 18].rotate_left(9);
    assert_eq!(read(&swapped), Some(StateError::Canonical { what: "culprits" }));
    for (place, number) in [(1, 9), (10, 8)] {
        let mut stranger = stored.clone();
        stranger[culprits + place..culprits + place + 2].copy_from_slice(&u16::to_be_bytes(number));
        assert_eq!(read(&stranger), Some(StateError::Canonical { what: "culprits" }), "{number}");
    }
    let last = stored.len() - 34;
    for (number, expected) in [
        (9, StateError::Dealing(DealingError::Dealer { found: 9 })),
        (4, StateError::Canonical { what: "commitments" }),
    ] {
        let mut bad = stored.clone();
        bad[last..last + 2].copy_from_slice(&u16::to_be_bytes(number));
        assert_eq!(read(&bad), Some(expected));
    }
}
