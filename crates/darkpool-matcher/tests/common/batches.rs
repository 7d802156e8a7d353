//! Batches that hold what they clear.

use darkpool_matcher::{
    Batch, ClearError, CounterpartyList, Fill, Lots, Market, Notional, Outcome, PriceRefusal, Reason, Request,
    StandingOrder, Twap, clear_batch,
};

use super::{in_order, price, sizes};

/// A batch that owns what it is made of.
#[derive(Clone, Debug)]
pub(crate) struct Owned {
    pub(crate) orders: Vec<StandingOrder>,
    pub(crate) order_lists: Vec<CounterpartyList>,
    pub(crate) permutation: Vec<u32>,
    pub(crate) requests: Vec<Request>,
    pub(crate) request_lists: Vec<CounterpartyList>,
    pub(crate) sequence: Vec<u32>,
    pub(crate) prices: Vec<Result<Twap, PriceRefusal>>,
}

impl Owned {
    /// Without lists, in the order given, at one price.
    pub(crate) fn plain(orders: &[StandingOrder], requests: &[Request]) -> Self {
        Self {
            orders: orders.to_vec(),
            order_lists: vec![],
            permutation: in_order(orders),
            requests: requests.to_vec(),
            request_lists: vec![],
            sequence: (0..u32::try_from(requests.len()).unwrap()).collect(),
            prices: vec![price(); requests.len()],
        }
    }

    pub(crate) fn batch(&self) -> Batch<'_> {
        Batch {
            orders: &self.orders,
            order_lists: &self.order_lists,
            permutation: &self.permutation,
            requests: &self.requests,
            request_lists: &self.request_lists,
            sequence: &self.sequence,
            prices: &self.prices,
        }
    }

    /// Clears into memory that held something else before.
    pub(crate) fn clear(&self, market: &Market) -> Result<(Vec<Outcome>, Vec<Fill>), ClearError> {
        let mut fills =
            vec![Fill { lots: Lots::MAX, notional: Notional::new(7) }; self.orders.len() * self.requests.len()];
        let stale = Outcome { success: true, reason: Reason::Ok, filled: Lots::MAX, total: Notional::new(7) };
        let mut outcomes = vec![stale; self.requests.len()];
        let cleared = clear_batch(&self.batch(), market, &mut fills, &mut outcomes);
        if cleared.is_err() {
            assert!(fills.iter().all(|fill| *fill == Fill::default()));
            assert!(outcomes.iter().all(|outcome| *outcome == Outcome::UNCLEARED));
        }
        cleared.map(|()| (outcomes, fills))
    }

    /// Reasons and sizes, request by request.
    pub(crate) fn rows(&self, market: &Market) -> Vec<(Reason, Vec<u64>)> {
        let (outcomes, fills) = self.clear(market).unwrap();
        let rows = outcomes.iter().enumerate();
        rows.map(|(at, outcome)| (outcome.reason, sizes(&fills[at * self.orders.len()..][..self.orders.len()])))
            .collect()
    }
}
