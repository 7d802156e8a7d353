//! The clearing of a round: its seats become a book, the book's fills become deltas.

use crate::{
    attempt::OpenedAttempt,
    book::{Book, canonical_order, standing_order},
    clearing::{average, empty_request, market, prices, request_of},
    execution::Analysis,
    instruction::CollateralOrder,
    intake::RoundPlan,
    planned::Planned,
    receipts::{Slot, Slots},
    round::{RoundError, RoundInput},
    seats::Seats,
    settlement,
};
use ccc_core::table::{ChunkSource, Delta, FoundRows};
use darkpool_matcher::{Fill, Notional, Request as ClearingRequest, clear};

/// What a clearing leaves for the table.
pub(crate) struct Cleared {
    pub(crate) success: bool,
    pub(crate) deltas: Vec<Delta>,
    pub(crate) slots: Slots,
}

impl OpenedAttempt<'_> {
    pub(crate) fn clear<S: ChunkSource>(
        &self,
        plan: &RoundPlan,
        input: &RoundInput<'_>,
        seats: &Seats,
        found: &FoundRows<'_, S>,
        planned: &[Planned],
    ) -> Result<Cleared, RoundError> {
        let config = self.session.config;
        let slots = config.order_slots as usize;
        let mut book = Book::padded(slots);
        for (slot, (terms, (row, quote))) in seats.terms.iter().zip(seats.rows_in(config, found.rows())).enumerate() {
            let Some((terms, row)) = terms.as_ref().zip(row) else { continue };
            book.accounts[slot] = terms.account;
            if let Some(order) = standing_order(config, terms, &row, quote.as_ref()) {
                book.orders[slot] = order;
            }
        }
        book.retire_superseded();
        book.retire_cancelled(seats);
        book.retire_frozen(config, planned);
        let epoch = self.session.request.epoch.0;
        let permutation = canonical_order(found.epoch_salt(), epoch, seats.digests.iter().copied(), slots);
        self.clear_book(plan, input, (&book, seats.receivers(planned)), &permutation)
    }

    fn clear_book(
        &self,
        plan: &RoundPlan,
        input: &RoundInput<'_>,
        (book, receivers): (&Book, Vec<Slot>),
        permutation: &[u32],
    ) -> Result<Cleared, RoundError> {
        let config = self.session.config;
        let deadline = plan.log.collateral.as_ref().map_or(input.inputs.block_time, |request| request.deadline);
        let (request, readable) = self.clearing_request(plan, deadline)?;
        let (market, price) = (market(config)?, average(config, input.observations, deadline)?);
        let prices = prices(config, input.observations, &price, input.inputs.block_time);
        let mut fills = vec![Fill::default(); book.orders.len()];
        let outcome = clear(&request, &book.orders, permutation, price, &market, &mut fills)?;
        let analysis = Analysis::new(&market, prices, &request, &outcome, (&fills, &book.orders));
        let deltas = settlement::deltas(config, &book.accounts, &fills, outcome.total);
        let success = readable && outcome.success && outcome.total != Notional::ZERO && deltas.is_some();
        let dummies = || vec![Delta::DUMMY; 2 * book.orders.len() + 2];
        let order = plan.positions.collateral.and_then(|index| plan.digests.get(index).copied());
        let request = Slot::taken(Some(config.reserve), order.unwrap_or_default());
        let slots = Slots::new((receivers, request), &fills, &outcome, analysis, success);
        Ok(Cleared { success, deltas: deltas.unwrap_or_else(dummies), slots })
    }

    /// The matcher's request, and whether there is a readable order behind it. Without one, a request of
    /// size zero goes the same way.
    fn clearing_request(&self, plan: &RoundPlan, deadline: u64) -> Result<(ClearingRequest, bool), RoundError> {
        let config = self.session.config;
        let order = self
            .opened(plan, plan.positions.collateral)
            .and_then(|(label, plain)| Some((label.id, CollateralOrder::from_bytes(plain).ok()?)))
            .and_then(|(id, order)| request_of(config, &id, &order, deadline));
        let readable = order.is_some();
        Ok((order.map_or_else(|| empty_request(config, deadline), Ok)?, readable))
    }
}
