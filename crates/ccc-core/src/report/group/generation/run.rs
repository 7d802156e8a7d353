//! Four rounds with all participants in one process.

use super::party::Party;
use super::rounds::{Outcome, Participant};
use crate::envelope::Envelope;
use crate::keys::board::{Board, BoardError, Round};
use crate::keys::rounds::RoundsError;
use alloc::vec::Vec;
use rand_core::CryptoRng;

/// Runs every round. A participant that fails stops posting and keeps its error, in its place.
///
/// # Errors
/// [`BoardError`].
pub fn run_in_process<B: Board, R: CryptoRng + ?Sized>(
    parties: Vec<Party<'_>>,
    board: &mut B,
    rng: &mut R,
) -> Result<Vec<Result<Outcome, RoundsError>>, BoardError> {
    let parties = parties.into_iter().map(Ok).collect();
    let states = step(parties, |party| Participant::join(party, rng)?.commit());
    let seen = turn(&states, board, Round::Commit, |s| s.outgoing())?;
    let states = step(states, |s| s.open(&seen));
    let seen = turn(&states, board, Round::Open, |s| s.outgoing())?;
    let states = step(states, |s| s.complain(&seen));
    let seen = turn(&states, board, Round::Complain, |s| s.outgoing())?;
    let states = step(states, |s| s.finish(&seen));
    let seen = turn(&states, board, Round::Confirm, |s| s.outgoing())?;
    Ok(step(states, |s| s.confirm(&seen)))
}

fn step<S, T>(
    states: Vec<Result<S, RoundsError>>,
    mut advance: impl FnMut(S) -> Result<T, RoundsError>,
) -> Vec<Result<T, RoundsError>> {
    states.into_iter().map(|state| state.and_then(&mut advance)).collect()
}

/// Posts what every participant says, and ends the round.
fn turn<S, B: Board>(
    states: &[Result<S, RoundsError>],
    board: &mut B,
    round: Round,
    outgoing: impl Fn(&S) -> &[Envelope],
) -> Result<Vec<Envelope>, BoardError> {
    for state in states.iter().flatten() {
        outgoing(state).iter().try_for_each(|envelope| board.post(round, envelope.clone()))?;
    }
    board.close(round)
}
