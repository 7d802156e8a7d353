//! A key generation with all its participants in one process.

use super::{Dkg, Outcome, Party};
use crate::identifier::Identifier;
use crate::keys::board::{Board, BoardError};
use crate::keys::participant::ParticipantKeys;
use crate::keys::roster::Roster;
use crate::keys::rounds::{self, RoundsError};
use crate::keys::session::{Protocol, Session};
use alloc::vec::Vec;
use rand_core::CryptoRng;

type PerParticipant<T> = Vec<(Identifier, Result<T, RoundsError>)>;

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
    let parties = keys.iter().map(|(i, keys)| Party::new(session.clone(), *i, keys)).collect();
    let outcomes = rounds::run_in_process::<Dkg, _, _>(parties, board, rng)?;
    Ok(keys.iter().map(|(i, _)| *i).zip(outcomes).collect())
}
