//! A key generation with all its participants in one process.

use super::{DkgError, Outcome, Participant};
use crate::envelope::Envelope;
use crate::identifier::Identifier;
use crate::keys::board::{Board, BoardError, Round};
use crate::keys::participant::ParticipantKeys;
use crate::keys::roster::Roster;
use crate::keys::session::{Protocol, Session};
use rand_core::CryptoRng;

type PerParticipant<T> = Vec<(Identifier, Result<T, DkgError>)>;

/// Runs every round for the participants whose keys are given; the others on the roster are silent.
///
/// A participant that fails stops posting and keeps its error.
///
/// # Errors
/// [`BoardError`] when the board itself fails; what concerns one participant stands beside it.
pub fn run_in_process<B: Board, R: CryptoRng + ?Sized>(
    roster: &Roster,
    keys: &[(Identifier, ParticipantKeys)],
    board: &mut B,
    rng: &mut R,
) -> Result<PerParticipant<Outcome>, BoardError> {
    let session = Session::new(Protocol::Dkg, None, roster.clone(), &board.nonce());
    let joined = keys.iter().map(|(i, keys)| (*i, Participant::new(session.clone(), *i, keys))).collect();
    let committed = step(joined, board, Round::Commit, |p| p.commit(rng).map(single))?;
    let seen = board.close(Round::Commit)?;
    let opened = step(committed, board, Round::Open, |p| p.open(&seen).map(single))?;
    let seen = board.close(Round::Open)?;
    let complained = step(opened, board, Round::Complain, |p| p.complain(&seen, rng))?;
    let seen = board.close(Round::Complain)?;
    let unconfirmed = step(complained, board, Round::Confirm, |p| p.finish(&seen).map(single))?;
    let seen = board.close(Round::Confirm)?;
    Ok(unconfirmed.into_iter().map(|(i, state)| (i, state.and_then(|p| p.confirm(&seen)))).collect())
}

/// Moves every participant on and posts what it says.
fn step<S, T, B: Board>(
    states: PerParticipant<S>,
    board: &mut B,
    round: Round,
    mut advance: impl FnMut(S) -> Result<(T, Vec<Envelope>), DkgError>,
) -> Result<PerParticipant<T>, BoardError> {
    let mut moved = Vec::with_capacity(states.len());
    for (identifier, state) in states {
        let advanced = state.and_then(&mut advance);
        moved.push((identifier, post(advanced, board, round)?));
    }
    Ok(moved)
}

fn post<T, B: Board>(
    advanced: Result<(T, Vec<Envelope>), DkgError>,
    board: &mut B,
    round: Round,
) -> Result<Result<T, DkgError>, BoardError> {
    match advanced {
        Ok((state, envelopes)) => {
            envelopes.into_iter().try_for_each(|envelope| board.post(round, envelope))?;
            Ok(Ok(state))
        }
        Err(error) => Ok(Err(error)),
    }
}

fn single<T>((state, envelope): (T, Envelope)) -> (T, Vec<Envelope>) {
    (state, vec![envelope])
}
