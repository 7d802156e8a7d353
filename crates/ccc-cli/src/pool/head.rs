//! `head.json`: which version of the table is current, and what it has consumed. Written last, at once.

use super::hexed::Hex;
use ccc_core::report::Payout;
use serde::{Deserialize, Serialize};

/// What the chain would hold about the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    /// Hash of the current header.
    pub(crate) header_hash: Hex<32>,
    /// Its version.
    pub(crate) version: u64,
    /// Deposits and requests for withdrawals consumed.
    pub(crate) consumed: u64,
    /// The accumulator after those.
    pub(crate) accumulator: Hex<32>,
    /// Standing orders of the log that were taken.
    pub(crate) orders_taken: u64,
    /// Block up to which the rounds have read them; 0 before the first round.
    #[serde(default)]
    pub(crate) orders_read_at: u64,
    /// Those whose reservations stand, by identifier.
    pub(crate) live_orders: Vec<Hex<32>>,
    /// Requests that a round has closed, filled or not.
    pub(crate) closed_requests: Vec<ClosedRequest>,
    /// Sequence of the last round report.
    pub(crate) round_sequence: u64,
    /// Sequence of the last solvency report.
    pub(crate) solvency_sequence: u64,
    /// Sequence of the last payout report.
    #[serde(default)]
    pub(crate) payout_sequence: u64,
    /// What the payouts have taken out of custody, in the order of their reports.
    #[serde(default)]
    pub(crate) payments: Vec<Payment>,
}

/// A withdrawal that was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Payment {
    /// Identifier of the request.
    pub(crate) id: Hex<32>,
    /// The token that was paid.
    pub(crate) token: Hex<20>,
    /// The amount in base units, in decimal.
    pub(crate) amount: String,
}

/// A request for collateral that a round has closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClosedRequest {
    /// Its identifier.
    pub(crate) id: Hex<32>,
    /// The version that the round made.
    pub(crate) version: u64,
    /// Blocks of the log when it was closed; 0 in a head from before this was kept.
    #[serde(default)]
    pub(crate) log: u64,
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
            orders_read_at: 0,
            live_orders: Vec::new(),
            closed_requests: Vec::new(),
            round_sequence: 0,
            solvency_sequence: 0,
            payout_sequence: 0,
            payments: Vec::new(),
        }
    }

    /// What has been paid of a token. *Units*: base units. Nothing if an amount is not an integer.
    pub(crate) fn paid(&self, token: &[u8; 20]) -> Option<u128> {
        let of_token = self.payments.iter().filter(|payment| payment.token.0 == *token);
        of_token
            .map(|payment| payment.amount.parse::<u128>())
            .try_fold(0_u128, |sum, amount| sum.checked_add(amount.ok()?))
    }

    /// The head after a payout.
    pub(crate) fn pay(&mut self, sequence: u64, payout: &Payout) {
        self.payout_sequence = sequence;
        let (id, token) = (Hex(payout.withdrawal_id), Hex(payout.token));
        self.payments.push(Payment { id, token, amount: payout.amount.to_string() });
    }
}
