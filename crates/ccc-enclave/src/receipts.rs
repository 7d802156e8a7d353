//! The receipts of a round: one for each order slot and one for the request, filled or not, so that their number and
//! sizes are those of every round. A submission has its slot already in the round in which it is new, and hears whether
//! it was carried out.
//!
//! The reason of a failure is the request's: a maker learns whether its order was filled, and how much of it.
//!
//! A slot without an owner that has a reading key gets a receipt sealed to a random key, which nobody opens.

use crate::{config::EnclaveConfig, planned::Submitted};
use ccc_core::table::{
    AccountId, AssetId, READING_KEY_LEN, Receipt, ResultCode, RoundRows, Row, SEALED_RECEIPT_LEN, Streamed,
};
use darkpool_matcher::{Fill, Outcome};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Added to the table's code where the table refused a batch that the clearing had made, or what a submission asked.
const REFUSED_BY_TABLE: u8 = 16;

/// What one slot of a round is, and what the clearing gave it. A slot that nobody took is all zeros.
#[derive(Clone, Default)]
pub(crate) struct Slot {
    pub(crate) account: [u8; 20],
    pub(crate) digest: [u8; 32],
    lots: u64,
    notional: u128,
    is_request: bool,
    /// Of a submission in its first round: the place of its boundary operation.
    operation: Option<usize>,
}

impl Slot {
    /// Of an order by this account, in this ciphertext.
    pub(crate) fn taken(account: Option<[u8; 20]>, digest: [u8; 32]) -> Self {
        Self { account: account.unwrap_or_default(), digest, ..Self::default() }
    }

    /// Of a submission in its first round, whose boundary operation is the one at this place.
    pub(crate) fn submitted(Submitted { signer, digest }: Submitted, operation: usize) -> Self {
        Self { operation: Some(operation), ..Self::taken(signer, digest) }
    }

    /// How its boundary operation ended, where it has one.
    fn carried_out(&self, results: &[Result<(), ResultCode>]) -> Option<Result<(), ResultCode>> {
        self.operation.and_then(|operation| results.get(operation).copied())
    }

    fn with_fill(mut self, fill: &Fill) -> Self {
        (self.lots, self.notional) = (fill.lots.get(), fill.notional.get());
        self
    }
}

/// The slots of a round: standing orders in the plan's order, empty ones up to the public number, then the request.
pub(crate) struct Slots {
    all: Vec<Slot>,
    success: bool,
    reason: u8,
}

impl Slots {
    /// `success` is the clearing's, and says that its fills became deltas.
    pub(crate) fn new(orders: Vec<Slot>, fills: &[Fill], request: Slot, outcome: &Outcome, success: bool) -> Self {
        let empty = std::iter::repeat_with(Slot::default);
        let orders = orders.into_iter().chain(empty).zip(fills).map(|(slot, fill)| slot.with_fill(fill));
        let total = Fill { lots: outcome.filled, notional: outcome.total };
        let request = Slot { is_request: true, ..request.with_fill(&total) };
        let all = orders.chain([request]).collect();
        Self { all, success, reason: outcome.reason.code() }
    }

    /// Seals every slot's receipt to the reading key of its account, in the order of the slots.
    pub(crate) fn seal(
        &self,
        config: &EnclaveConfig,
        request: [u8; 32],
        (made, after): (&Streamed, &RoundRows),
        rng: &mut impl CryptoRng,
    ) -> Vec<[u8; SEALED_RECEIPT_LEN]> {
        let accounts: Vec<AccountId> = self.all.iter().map(|slot| AccountId(slot.account)).collect();
        let rows: Vec<_> = accounts.iter().map(|account| (*account, AssetId(config.base))).collect();
        let places = after.locate_many(&rows).into_iter().zip(after.reading_keys(&accounts));
        let seal = |((slot, (row, key)), number): ((&Slot, (_, Option<Zeroizing<_>>)), u32)| {
            let mut nobodys = Zeroizing::new([0; READING_KEY_LEN]);
            rng.fill_bytes(nobodys.as_mut_slice());
            let receipt = self.receipt(slot, request, made, row);
            receipt.seal(&key.unwrap_or(nobodys), &made.header, number)
        };
        self.all.iter().zip(places).zip(0..).map(seal).collect()
    }

    fn receipt(&self, slot: &Slot, request: [u8; 32], made: &Streamed, row: Option<(u32, Row)>) -> Receipt {
        let (outcome, reason) = self.ending(slot, made);
        let settled = self.settled(made);
        let (row_index, new_amount) = row.map_or((0, 0), |(index, row)| (index, row.amount));
        Receipt {
            request,
            order_digest: slot.digest,
            version: made.header.version(),
            outcome,
            reason,
            lots: if settled { slot.lots } else { 0 },
            notional: if settled { slot.notional } else { 0 },
            row_index,
            new_amount,
        }
    }

    /// Outcome and reason of a slot.
    fn ending(&self, slot: &Slot, made: &Streamed) -> (u8, u8) {
        match slot.carried_out(&made.boundary) {
            Some(Ok(())) => return (Receipt::CARRIED_OUT, 0),
            Some(Err(code)) => return (Receipt::NOT_CARRIED_OUT, REFUSED_BY_TABLE + code.byte()),
            None => {}
        }
        let refused = (made.code != ResultCode::Done).then(|| REFUSED_BY_TABLE + made.code.byte());
        let reason = if slot.is_request { refused.unwrap_or(self.reason) } else { 0 };
        (u8::from(self.settled(made) && slot.lots != 0), reason)
    }

    fn settled(&self, made: &Streamed) -> bool {
        self.success && made.code == ResultCode::Done
    }
}
