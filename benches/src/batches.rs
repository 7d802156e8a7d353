//! Batches to clear, with minimums and counterparty lists, whose secrets follow the class of a pool.

use crate::clearing::{Class, Pool};
use crate::crossing::{make_request_secret, order, price, request};
use ccc_memcheck::make_secret;
use darkpool_matcher::{
    Batch, CounterpartyList, Fill, Kernel, Lots, Market, Outcome, OwnerId, PriceRefusal, Request, StandingOrder, Twap,
    Workspace, clear_batch_in,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Requests of a batch.
const REQUESTS: usize = 3;

/// A batch with its memory.
pub struct Batches {
    orders: Vec<StandingOrder>,
    order_lists: Vec<CounterpartyList>,
    permutation: Vec<u32>,
    requests: [Request; REQUESTS],
    request_lists: [CounterpartyList; REQUESTS],
    prices: [Result<Twap, PriceRefusal>; REQUESTS],
    spreads: Vec<u16>,
    capacities: Vec<u64>,
    minimums: Vec<u64>,
    filled: Vec<u64>,
    standing: Vec<StandingOrder>,
    fills: Vec<Fill>,
    outcomes: [Outcome; REQUESTS],
}

impl Batches {
    /// Of a pool of this class, which is asked for three times.
    #[must_use]
    pub fn new(class: Class, pool: &Pool, seed: u64) -> Self {
        let number = pool.spreads.len();
        let mut draws = ChaCha8Rng::seed_from_u64(seed);
        let (maker, requester) = (order(0, 0).owner, request(0).owner);
        Self {
            orders: orders(class, pool),
            order_lists: (0..number).map(|_| list(class, requester, &mut draws)).collect(),
            permutation: (0..u32::try_from(number).unwrap()).rev().collect(),
            requests: [request(pool.size); REQUESTS],
            request_lists: std::array::from_fn(|_| list(class, maker, &mut draws)),
            prices: [Ok(price()); REQUESTS],
            spreads: vec![0; number],
            capacities: vec![0; number],
            minimums: vec![0; number],
            filled: vec![0; number],
            standing: vec![StandingOrder::EMPTY; number],
            fills: vec![Fill::default(); number * REQUESTS],
            outcomes: [Outcome::UNCLEARED; REQUESTS],
        }
    }

    /// Takes over orders, requests and lists of another batch of the same size, into the memory that is there.
    pub fn load(&mut self, other: &Self) {
        self.orders.copy_from_slice(&other.orders);
        self.order_lists.copy_from_slice(&other.order_lists);
        self.requests = other.requests;
        self.request_lists = other.request_lists;
    }

    /// For valgrind: orders, requests, lists and prices are secret.
    pub fn make_secret(&mut self) {
        let Self { orders, order_lists, requests, request_lists, prices, .. } = self;
        make_secret(&mut orders[..]);
        make_secret(&mut order_lists[..]);
        make_secret(&mut request_lists[..]);
        requests.iter_mut().for_each(make_request_secret);
        prices.iter_mut().flatten().for_each(make_secret);
    }

    /// [`clear_batch_in`].
    pub fn clear(&mut self, kernel: Kernel, market: &Market) {
        let Self { spreads, capacities, minimums, filled, standing, fills, outcomes, .. } = self;
        let batch = Batch {
            orders: &self.orders,
            order_lists: &self.order_lists,
            permutation: &self.permutation,
            requests: &self.requests,
            request_lists: &self.request_lists,
            sequence: &[0, 1, 2],
            prices: &self.prices,
        };
        let mut workspace = Workspace::new(spreads, capacities, minimums, filled).unwrap().with_kernel(kernel);
        clear_batch_in(&batch, market, &mut workspace, standing, fills, outcomes).unwrap();
    }

    /// Lots of the last clearing, of all requests.
    #[must_use]
    pub fn lots(&self) -> u64 {
        self.fills.iter().map(|fill| fill.lots.get()).sum()
    }

    /// Requests that the last clearing filled.
    #[must_use]
    pub fn filled(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.success).count()
    }
}

/// The orders of a pool with minimums: half of the size for every third order, none, the whole size, one lot.
#[must_use]
pub fn orders(class: Class, pool: &Pool) -> Vec<StandingOrder> {
    let rows = pool.spreads.iter().zip(&pool.capacities).enumerate();
    rows.map(|(place, (spread, size))| {
        let minimum = match class {
            Class::Random => size / 2 * u64::from(place % 3 == 0),
            Class::OneMaker => 0,
            Class::Tied => *size,
            Class::TooSmall => 1,
        };
        StandingOrder { minimum: Lots::new(minimum).unwrap(), ..order(*spread, *size) }
    })
    .collect()
}

/// Lists of all kinds and lengths, none, eight admitted of whom the other is the last, and the other refused.
fn list(class: Class, other: OwnerId, draws: &mut ChaCha8Rng) -> CounterpartyList {
    let mut draw = |bound: u8| u8::try_from(draws.next_u64() % u64::from(bound)).unwrap();
    let list = match class {
        Class::Random => {
            let names: Vec<OwnerId> = (0..draw(9)).map(|_| OwnerId([draw(12); 20])).collect();
            if draw(2) == 0 { CounterpartyList::allow(&names) } else { CounterpartyList::deny(&names) }
        }
        Class::OneMaker => CounterpartyList::allow(&[]),
        Class::Tied => {
            let strangers = [200; 7].map(|byte| OwnerId([byte; 20]));
            CounterpartyList::allow(&[&strangers[..], &[other]].concat())
        }
        Class::TooSmall => CounterpartyList::deny(&[other]),
    };
    list.unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clearing::market;
    use darkpool_matcher::Allocation;

    #[test]
    fn the_classes_end_differently() {
        let filled = Class::ALL.map(|class| {
            let mut batch = Batches::new(class, &Pool::new(class, 256, 3), 3);
            batch.request_lists = [CounterpartyList::EMPTY; REQUESTS];
            batch.clear(Kernel::detected(), &market(Allocation::ProRata, 4));
            batch.filled()
        });
        // one maker covers all three requests; of the tied all are dropped, and the denied do not take part
        assert_eq!(filled[1..], [3, 0, 0]);
    }
}
