//! What participants do together without a server: a key generation, a refresh, a reshare, a repair, with a directory of
//! messages for a board, which people carry, or a contract ([`chain`]). A participant is one command, run again and again.

pub(crate) mod audit;
pub(crate) mod board;
pub(crate) mod chain;
pub(crate) mod keys;
pub(crate) mod outcome;
pub(crate) mod repair;
pub(crate) mod session;
pub(crate) mod stage;
pub(crate) mod state;
pub(crate) mod walk;

use ccc_core::keys::rounds::{Culprit, Fault, RoundsError};

/// Role, number and fault of everybody at fault, one sentence each. Who confirmed another transcript is not among them.
pub(crate) fn named(culprits: &[Culprit]) -> Vec<String> {
    let at_fault = culprits.iter().filter(|culprit| culprit.fault != Fault::Disagreement);
    at_fault.map(|culprit| format!("{} {}: {}", culprit.role, culprit.identifier, culprit.fault)).collect()
}

/// Role and number of everybody who confirmed another transcript: it saw another board, and whose doing that is its
/// confirmation does not tell.
pub(crate) fn elsewhere(culprits: &[Culprit]) -> Vec<String> {
    let elsewhere = culprits.iter().filter(|culprit| culprit.fault == Fault::Disagreement);
    elsewhere.map(|culprit| format!("{} {}", culprit.role, culprit.identifier)).collect()
}

/// Everybody at fault, and everybody who saw another board, one line each.
pub(crate) fn culprit_lines(culprits: &[Culprit]) -> impl Iterator<Item = String> {
    let at_fault = named(culprits).into_iter().map(|culprit| format!("at fault: {culprit}"));
    at_fault.chain(elsewhere(culprits).into_iter().map(|who| format!("{who} saw another board")))
}

/// Why the rounds ended, with everybody at fault.
pub(crate) fn sentence(error: &RoundsError) -> String {
    match error {
        RoundsError::TooFewDealers { culprits, .. } | RoundsError::NotConfirmed { culprits, .. } => {
            let elsewhere = elsewhere(culprits).into_iter().map(|who| format!("{who} saw another board"));
            let all = std::iter::once(error.to_string()).chain(named(culprits)).chain(elsewhere);
            all.collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}
