//! A participant that starts again from its stored state says what it would have said.

use super::*;
use crate::encoding::{EncodingError, HEADER_LEN};
use crate::keys::rounds::stage::Keys;

fn session(roster: &Roster, nonce: u8) -> Session {
    Session::new(Protocol::Dkg, None, roster.clone(), &[nonce; 32])
}

/// Every state of a run, stored, and everything that was posted.
struct Log {
    stored: Vec<Vec<Vec<u8>>>,
    posted: Vec<Vec<Envelope>>,
    outcomes: Vec<Outcome>,
}

/// Stores every state and, where `restart` says so, goes on with what it reads from the store.
macro_rules! pass {
    ($state:ty, $states:expr, $log:expr, $keys:expr, $session:expr, $restart:expr) => {{
        let (mut kept, mut stored) = (Vec::new(), Vec::new());
        for (state, (i, keys)) in $states.into_iter().zip($keys) {
            let bytes = state.to_bytes().to_vec();
            let party = || Party::new($session.clone(), *i, keys).unwrap();
            let read = <$state>::from_bytes(&bytes, party()).unwrap();
            assert_eq!(read.to_bytes().as_slice(), bytes, "canonical");
            kept.push(if $restart(stored.len()) { read } else { state });
            stored.push(bytes);
        }
        $log.stored.push(stored);
        kept
    }};
}

/// What everybody posts, once more from the stored states, in the board's order.
macro_rules! post {
    ($states:expr, $log:expr) => {{
        let round: Vec<Envelope> = $states.iter().flat_map(|state| state.outgoing().to_vec()).collect();
        $log.posted.push(round.clone());
        round
    }};
}

/// One run. `spoilt` stands on the board in the place of dealer 2's dealing.
fn run(keys: &Keys, session: &Session, spoilt: Option<&Dealing>, restart: impl Fn(usize, Step) -> bool) -> Log {
    let mut log = Log { stored: Vec::new(), posted: Vec::new(), outcomes: Vec::new() };
    let mut rng = ChaCha20Rng::seed_from_u64(77);
    let lie = |mut round: Vec<Envelope>, package: fn(&Dealing) -> Package| {
        if let Some(dealing) = spoilt {
            round[1] = crate::keys::rounds::stage::signed(session, &keys[1].1, id(2), package(dealing));
        }
        round
    };
    let states: Vec<_> =
        keys.iter().map(|(i, keys)| Participant::new(session.clone(), *i, keys, &mut rng).unwrap()).collect();
    let states = pass!(Participant<'_>, states, log, keys, session, |at| restart(at, Step::Joined));
    let states: Vec<_> = states.into_iter().map(|s| s.commit().unwrap()).collect();
    let states = pass!(Committed<'_>, states, log, keys, session, |at| restart(at, Step::Committed));
    let seen = lie(post!(states, log), |dealing| Package::Commitment(dealing.commitment_digest()));
    let states: Vec<_> = states.into_iter().map(|s| s.open(&seen).unwrap()).collect();
    let states = pass!(Opened<'_>, states, log, keys, session, |at| restart(at, Step::Opened));
    let seen = lie(post!(states, log), |dealing| Package::Dealing(dealing.to_bytes()));
    let states: Vec<_> = states.into_iter().map(|s| s.complain(&seen).unwrap()).collect();
    let states = pass!(Complained<'_>, states, log, keys, session, |at| restart(at, Step::Complained));
    let seen = post!(states, log);
    let states: Vec<_> = states.into_iter().map(|s| s.finish(&seen).unwrap()).collect();
    let states = pass!(Unconfirmed<'_>, states, log, keys, session, |at| restart(at, Step::Unconfirmed));
    let seen = post!(states, log);
    log.outcomes = states.into_iter().map(|s| s.confirm(&seen).unwrap()).collect();
    log
}

fn same(one: &Log, other: &Log) {
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
        for step in [Step::Joined, Step::Committed, Step::Opened, Step::Complained, Step::Unconfirmed] {
            for at in 0..usize::from(n) {
                same(&straight, &run(&keys, &session, None, |i, s| i == at && s == step));
            }
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
    assert_eq!(straight.posted[2].len(), 1);
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
    let party = || Party::new(session.clone(), keys[0].0, &keys[0].1).unwrap();
    let committed = Participant::from_bytes(&log.stored[0][0], party()).unwrap().commit().unwrap();
    assert_eq!(committed.outgoing(), &log.posted[0][..1]);
    let opened = Committed::from_bytes(&log.stored[1][0], party()).unwrap().open(&log.posted[0]).unwrap();
    assert_eq!(opened.outgoing(), &log.posted[1][..1]);
    let again = Participant::from_bytes(&log.stored[0][0], party()).unwrap().commit().unwrap();
    assert_eq!(again.to_bytes(), committed.to_bytes());
}

#[test]
fn two_sessions_of_one_generator_state_share_no_coefficient() {
    let mut rng = ChaCha20Rng::seed_from_u64(23);
    let (roster, keys) = cast(4, &mut rng);
    let one = run(&keys, &session(&roster, 1), None, |_, _| false);
    let two = run(&keys, &session(&roster, 2), None, |_, _| false);
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
    let party = |session: &Session, at: usize| Party::new(session.clone(), keys[at].0, &keys[at].1).unwrap();
    let verdicts = |session: &Session, at: usize| {
        [
            Participant::from_bytes(&log.stored[0][0], party(session, at)).err(),
            Committed::from_bytes(&log.stored[1][0], party(session, at)).err(),
            Opened::from_bytes(&log.stored[2][0], party(session, at)).err(),
            Complained::from_bytes(&log.stored[3][0], party(session, at)).err(),
            Unconfirmed::from_bytes(&log.stored[4][0], party(session, at)).err(),
        ]
    };
    assert!(verdicts(&here, 0).iter().all(Option::is_none));
    assert!(verdicts(&elsewhere, 0).iter().all(|error| *error == Some(StateError::Session)));
    let other = StateError::Participant { role: rounds::Role::Dealer, expected: 2, found: 1 };
    assert!(verdicts(&here, 1).iter().all(|error| *error == Some(other.clone())));
    let wrong = Opened::from_bytes(&log.stored[1][0], party(&here, 0)).err();
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
    let party = || Party::new(session.clone(), keys[0].0, &keys[0].1).unwrap();
    let read = |step: usize, bytes: &[u8]| match step {
        0 => Participant::from_bytes(bytes, party()).map(|s| s.to_bytes()),
        1 => Committed::from_bytes(bytes, party()).map(|s| s.to_bytes()),
        2 => Opened::from_bytes(bytes, party()).map(|s| s.to_bytes()),
        3 => Complained::from_bytes(bytes, party()).map(|s| s.to_bytes()),
        _ => Unconfirmed::from_bytes(bytes, party()).map(|s| s.to_bytes()),
    };
    for (step, stored) in log.stored.iter().map(|all| &all[0]).enumerate() {
        for n in (0..stored.len()).step_by(if step < 2 { 1 } else { 29 }) {
            let error = read(step, &stored[..n]).err();
            assert!(matches!(error, Some(StateError::Encoding(_) | StateError::Dealing(_))), "{step} {n}");
        }
        let long = [stored.as_slice(), &[0]].concat();
        assert_eq!(read(step, &long), Err(StateError::Encoding(EncodingError::Trailing { found: 1 })));
        for at in (HEADER_LEN..stored.len()).step_by(if step == 0 { 1 } else { 31 }) {
            let mut bad = stored.clone();
            bad[at] ^= 1;
            if let Ok(again) = read(step, &bad) {
                assert_eq!(*again, bad, "{step} {at}");
            }
        }
    }
}
