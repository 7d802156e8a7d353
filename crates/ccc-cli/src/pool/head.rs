//! `head.json`: which version of the table is current, and what it has consumed. Written last, at once.

use super::hexed::Hex;
use serde::{Deserialize, Serialize};

/// What the chain would hold about the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    /// Hash of the current header.
    pub(crate) header_hash: Hex<32>,
    /// Its version.
    pub(crate) version: u64,
    /// Deposits consumed.
    pub(crate) consumed: u64,
    /// The accumulator after those.
    pub(crate) accumulator: Hex<32>,
    /// Standing orders of the log that were taken.
    pub(crate) orders_taken: u64,
    /// Those whose reservations stand, by identifier.
    pub(crate) live_orders: Vec<Hex<32>>,
    /// Requests that a round has closed, filled or not.
    pub(crate) closed_requests: Vec<ClosedRequest>,
    /// Sequence of the last round report.
    pub(crate) round_sequence: u64,
    /// Sequence of the last solvency report.
    pub(crate) solvency_sequence: u64,
}

/// A request for collateral that a round has closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClosedRequest {
    /// Its identifier.
    pub(crate) id: Hex<32>,
    /// The version that the round made.
    pub(crate) version: u64,
}

impl Head {
    /// Before the first version.
    pub(crate) fn empty() -> Self {
        Self {
            header_hash: Hex([0; 32]),
            version: 0,
            consumed: 0,
            accumulator: Hex([0; 32]),
            orders_taken: 0,
            live_orders: Vec::new(),
            closed_requests: Vec::new(),
            round_sequence: 0,
            solvency_sequence: 0,
        }
    }
}
