//! Runs in which participants start again from their stored states.

use super::*;
use alloc::vec::Vec;

/// A state as the harness sees it.
pub(crate) trait Stored<'k, P>: Sized {
    fn stored(&self) -> Vec<u8>;
    fn read(bytes: &[u8], party: Party<'k, P>) -> Result<Self, StateError>;
    fn says(&self) -> Vec<Envelope>;
}

macro_rules! stored {
    ($state:ident, $says:expr) => {
        impl<'k, P: Run> Stored<'k, P> for $state<'k, P> {
            fn stored(&self) -> Vec<u8> {
                self.to_bytes().to_vec()
            }
            fn read(bytes: &[u8], party: Party<'k, P>) -> Result<Self, StateError> {
                Self::from_bytes(bytes, party)
            }
            fn says(&self) -> Vec<Envelope> {
                $says(self)
            }
        }
    };
}

stored!(Participant, |_| Vec::new());
stored!(Committed, |state: &Self| state.outgoing().to_vec());
stored!(Opened, |state: &Self| state.outgoing().to_vec());
stored!(Complained, |state: &Self| state.outgoing().to_vec());
stored!(Unconfirmed, |state: &Self| state.outgoing().to_vec());

/// Every state of a run, stored, and everything that was posted.
pub(crate) struct Log<O> {
    pub(crate) stored: Vec<Vec<Vec<u8>>>,
    pub(crate) posted: Vec<Vec<Envelope>>,
    pub(crate) outcomes: Vec<O>,
}

/// One run of these parties from one seed. The board carries what `lie` makes of a round; whoever `restart` names goes
/// on with what it reads from the store.
pub(crate) fn with_restarts<P: Run>(
    parties: &[Party<'_, P>],
    lie: impl Fn(Round, &mut Vec<Envelope>),
    restart: impl Fn(usize, Step) -> bool,
) -> Log<P::Outcome> {
    let mut log = Log { stored: Vec::new(), posted: Vec::new(), outcomes: Vec::new() };
    let mut rng = ChaCha20Rng::seed_from_u64(77);
    let states = parties.iter().map(|party| Participant::join(party.clone(), &mut rng).unwrap()).collect();
    let (states, _) = pass(states, parties, &mut log, |at| restart(at, Step::Joined));
    let states = states.into_iter().map(|s: Participant<'_, P>| s.commit().unwrap()).collect();
    let (states, mut seen) = pass(states, parties, &mut log, |at| restart(at, Step::Committed));
    lie(Round::Commit, &mut seen);
    let states = states.into_iter().map(|s: Committed<'_, P>| s.open(&seen).unwrap()).collect();
    let (states, mut seen) = pass(states, parties, &mut log, |at| restart(at, Step::Opened));
    lie(Round::Open, &mut seen);
    let states = states.into_iter().map(|s: Opened<'_, P>| s.complain(&seen).unwrap()).collect();
    let (states, mut seen) = pass(states, parties, &mut log, |at| restart(at, Step::Complained));
    lie(Round::Complain, &mut seen);
    let states = states.into_iter().map(|s: Complained<'_, P>| s.finish(&seen).unwrap()).collect();
    let (states, mut seen) = pass(states, parties, &mut log, |at| restart(at, Step::Unconfirmed));
    lie(Round::Confirm, &mut seen);
    log.outcomes = states.into_iter().map(|s: Unconfirmed<'_, P>| s.confirm(&seen).unwrap()).collect();
    log
}

/// Stores every state, reads it back, and gives the states to go on with and what they say.
fn pass<'k, P: Run, S: Stored<'k, P>, O>(
    states: Vec<S>,
    parties: &[Party<'k, P>],
    log: &mut Log<O>,
    restart: impl Fn(usize) -> bool,
) -> (Vec<S>, Vec<Envelope>) {
    let (mut kept, mut stored, mut said) = (Vec::new(), Vec::new(), Vec::new());
    for (at, (state, party)) in states.into_iter().zip(parties).enumerate() {
        let bytes = state.stored();
        let read = S::read(&bytes, party.clone()).unwrap();
        assert_eq!(read.stored(), bytes, "canonical");
        assert_eq!(read.says(), state.says());
        let state = if restart(at) { read } else { state };
        said.extend(state.says());
        kept.push(state);
        stored.push(bytes);
    }
    log.stored.push(stored);
    log.posted.push(said.clone());
    (kept, said)
}

impl<O> Log<O> {
    /// Reads the first party's state of a step, and writes it again.
    pub(crate) fn reread<'k, P: Run>(step: usize, bytes: &[u8], party: Party<'k, P>) -> Result<Vec<u8>, StateError> {
        match step {
            0 => Participant::read(bytes, party).map(|s| s.stored()),
            1 => Committed::read(bytes, party).map(|s| s.stored()),
            2 => Opened::read(bytes, party).map(|s| s.stored()),
            3 => Complained::read(bytes, party).map(|s| s.stored()),
            _ => Unconfirmed::read(bytes, party).map(|s| s.stored()),
        }
    }
}
