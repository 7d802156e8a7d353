//! The receipts and reports of a round: one of each for each order slot, for the request, filled or not, and for each
//! withdrawal that the chain logged, paid or not, so that their number and sizes are public. A submission has its slot
//! already in the round in which it is new, and hears whether it was carried out.
//!
//! The reason of a failure is the request's: a maker learns whether its order was filled, and how much of it.
//!
//! A slot without an owner that has a reading key gets a receipt and a report sealed to a random key, which nobody opens.

use crate::{
    config::EnclaveConfig,
    execution::Analysis,
    planned::{Planned, Submitted, Withdrawn},
};
use ccc_core::table::{
    AccountId, AssetId, MAX_RECEIPTS, READING_KEY_LEN, Receipt, ResultCode, RoundRows, Row, SEALED_RECEIPT_LEN,
    SlotReport, Streamed,
};
use darkpool_matcher::{Fill, Outcome};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Added to the table's code where the table refused a batch that the clearing had made, or what a submission asked.
const REFUSED_BY_TABLE: u8 = 16;
/// The most slots of a round: each has a receipt and a report. What is above, withdrawals alone, has none.
const MOST: usize = MAX_RECEIPTS / 2;

/// What one slot of a round is, and what the clearing gave it. A slot that nobody took is all zeros.
#[derive(Clone, Default)]
pub(crate) struct Slot {
    pub(crate) account: [u8; 20],
    pub(crate) digest: [u8; 32],
    lots: u64,
    notional: u128,
    is_request: bool,
    /// Of a submission in its first round and of a withdrawal: the place of its boundary operation.
    operation: Option<usize>,
    /// Whose row is told, where it is not the base asset's.
    asset: Option<u32>,
}

impl Slot {
    /// Of an order by this account, in this ciphertext.
    pub(crate) fn taken(account: Option<[u8; 20]>, digest: [u8; 32]) -> Self {
        Self { account: account.unwrap_or_default(), digest, ..Self::default() }
    }

    /// Of a submission in its first round, whose boundary operation is the one at this place.
    pub(crate) fn submitted(Submitted { signer, digest, .. }: Submitted, operation: usize) -> Self {
        Self { operation: Some(operation), ..Self::taken(signer, digest) }
    }

    /// Of a withdrawal, whose boundary operation is the one at this place.
    fn withdrawn(Withdrawn { signer, digest, asset }: Withdrawn, operation: usize) -> Self {
        Self { operation: Some(operation), asset: Some(asset), ..Self::taken(signer, digest) }
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

/// The slots of a round: standing orders in the plan's order, empty ones up to the public number, then the request, then
/// the withdrawals in the log's order.
pub(crate) struct Slots {
    all: Vec<Slot>,
    analysis: Analysis,
    success: bool,
    reason: u8,
}

/// As many as there is room for, in the log's order.
fn append_withdrawals(all: &mut Vec<Slot>, planned: &[Planned]) {
    let new = planned.iter().enumerate().filter_map(|(at, planned)| Some(Slot::withdrawn(planned.withdrawn?, at)));
    all.extend(new);
    all.truncate(MOST);
}

/// A slot's row in its asset, with its place, and the key to which it is told.
type Owner = (Option<(u32, Row)>, Zeroizing<[u8; READING_KEY_LEN]>);

impl Slots {
    /// `success` is the clearing's, and says that its fills became deltas.
    pub(crate) fn new(
        (orders, request): (Vec<Slot>, Slot),
        fills: &[Fill],
        outcome: &Outcome,
        analysis: Analysis,
        success: bool,
    ) -> Self {
        let empty = std::iter::repeat_with(Slot::default);
        let orders = orders.into_iter().chain(empty).zip(fills).map(|(slot, fill)| slot.with_fill(fill));
        let total = Fill { lots: outcome.filled, notional: outcome.total };
        let request = Slot { is_request: true, ..request.with_fill(&total) };
        let all = orders.chain([request]).collect();
        Self { all, analysis, success, reason: outcome.reason.code() }
    }

    /// A slot more for each withdrawal that the chain logged.
    pub(crate) fn with_withdrawals(mut self, planned: &[Planned]) -> Self {
        append_withdrawals(&mut self.all, planned);
        self
    }

    /// Seals every slot's receipt to the reading key of its account, in the order of the slots, then every slot's report.
    pub(crate) fn seal(
        &self,
        config: &EnclaveConfig,
        request: [u8; 32],
        (made, after): (&Streamed, &RoundRows),
        rng: &mut impl CryptoRng,
    ) -> Vec<[u8; SEALED_RECEIPT_LEN]> {
        let owners = self.owners(config, after, rng);
        let slots = || self.all.iter().zip(&owners);
        let receipts = slots().zip(0..).map(|((slot, (row, key)), number)| {
            self.receipt(slot, request, made, row.as_ref()).seal(key, &made.header, number)
        });
        let first = u32::try_from(self.all.len()).expect("at most 65537 slots, as with_withdrawals leaves them");
        let reports = slots()
            .zip(first..)
            .map(|((slot, (_, key)), place)| self.report(slot, request, made).seal(key, &made.header, place));
        receipts.chain(reports).collect()
    }

    /// Whose each slot is after the round: nobody's where the account has no reading key.
    fn owners(&self, config: &EnclaveConfig, after: &RoundRows, rng: &mut impl CryptoRng) -> Vec<Owner> {
        let accounts: Vec<AccountId> = self.all.iter().map(|slot| AccountId(slot.account)).collect();
        let asset = |slot: &Slot| AssetId(slot.asset.unwrap_or(config.base));
        let rows: Vec<_> = self.all.iter().map(|slot| (AccountId(slot.account), asset(slot))).collect();
        let keys = after.reading_keys(&accounts).into_iter().map(|key| {
            let mut nobodys = Zeroizing::new([0; READING_KEY_LEN]);
            rng.fill_bytes(nobodys.as_mut_slice());
            key.unwrap_or(nobodys)
        });
        after.locate_many(&rows).into_iter().zip(keys).collect()
    }

    fn report(&self, slot: &Slot, request: [u8; 32], made: &Streamed) -> SlotReport {
        let (ending, settled) = (self.ending(slot, made), self.settled(made));
        if slot.is_request {
            return SlotReport::Request(self.analysis.execution(request, ending, settled));
        }
        let (lots, notional) = if settled { (slot.lots, slot.notional) } else { (0, 0) };
        SlotReport::Order(self.analysis.markouts(u8::from(lots != 0), lots, notional))
    }

    fn receipt(&self, slot: &Slot, request: [u8; 32], made: &Streamed, row: Option<&(u32, Row)>) -> Receipt {
        let (outcome, reason) = self.ending(slot, made);
        let settled = self.settled(made);
        let (row_index, new_amount) = row.map_or((0, 0), |(index, row)| (*index, row.amount));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// This many order slots, the request's, and two withdrawals' as far as there is room.
    fn slots(orders: usize) -> Vec<Slot> {
        let request = Slot { is_request: true, ..Slot::default() };
        let mut all: Vec<_> = std::iter::repeat_n(Slot::default(), orders).chain([request]).collect();
        let withdrawal = || Planned { withdrawn: Some(Withdrawn::default()), ..Planned::nothing() };
        append_withdrawals(&mut all, &[Planned::nothing(), withdrawal(), withdrawal()]);
        assert!(all[orders].is_request && all.iter().filter(|slot| slot.is_request).count() == 1);
        all
    }

    #[test]
    fn withdrawals_above_the_most_slots_have_none_and_the_request_keeps_its_own() {
        assert_eq!(slots(65_536).len(), MAX_RECEIPTS / 2);
        let one_fits = slots(65_535);
        assert_eq!((one_fits.len(), one_fits.last().map(|slot| slot.operation)), (MAX_RECEIPTS / 2, Some(Some(1))));
        let all_fit = slots(16);
        assert_eq!((all_fit.len(), all_fit.last().map(|slot| slot.operation)), (19, Some(Some(2))));
    }
}
