//! What participants do together without a server: a key generation, a refresh, a reshare, a repair, with a directory of
//! messages for a board. People carry the messages; a participant is one command, run again and again.

pub(crate) mod audit;
pub(crate) mod board;
pub(crate) mod keys;
pub(crate) mod outcome;
pub(crate) mod repair;
pub(crate) mod session;
pub(crate) mod stage;
pub(crate) mod state;
pub(crate) mod walk;

use ccc_core::keys::rounds::{Culprit, RoundsError};

/// Role, number and fault of everybody at fault, one sentence each.
pub(crate) fn named(culprits: &[Culprit]) -> Vec<String> {
    culprits.iter().map(|culprit| format!("{} {}: {}", culprit.role, culprit.identifier, culprit.fault)).collect()
}

/// Why the rounds ended, with everybody at fault.
pub(crate) fn sentence(error: &RoundsError) -> String {
    match error {
        RoundsError::TooFewDealers { culprits, .. } | RoundsError::NotConfirmed { culprits, .. } => {
            std::iter::once(error.to_string()).chain(named(culprits)).collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}
