//! Four classes of pools, and samples of what a clearing takes with them, interleaved at random.
//!
//! As in [`timing`](crate::timing), with one difference: a clearing writes what it reads, so before every sample the pool is
//! copied into the same memory, whichever class it is of. With the pool its minimums and counterparty lists follow the class.

use crate::batches::{Batches, orders};
use crate::clearing::{Class, Columns, Pool, Record, market, sort_and_fill};
use crate::crossing::Orders;
use crate::welch::Samples;
use ccc_memcheck::make_secret;
use darkpool_matcher::{Allocation, Kernel, Market, Pricing, Rules};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::hint::black_box;
use std::time::Instant;

/// Pools of each class.
const POOL: usize = 8;

/// Everything that is asked of a clearing, under its name: by every kernel that this processor has, and by both rules.
#[must_use]
pub fn ways() -> Vec<(String, Way)> {
    let rules = [("", Allocation::ProRata), (" by rule B", Allocation::EqualSplit)];
    let kernels = || Kernel::available().flat_map(|kernel| rules.map(|rule| (kernel, rule)));
    let of = |(kernel, (rule, allocation)): (Kernel, (&str, Allocation))| {
        let name = |what: &str| format!("{what}{rule}, {}", kernel.name());
        [
            (name("clearing"), Way::Heart(kernel, allocation)),
            (name("whole clearing"), Way::Whole(kernel, allocation)),
            (name("batch with lists"), Way::Batch(kernel, allocation)),
        ]
    };
    kernels().flat_map(of).collect()
}

/// What is sampled.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// One solve on columns.
    Heart(Kernel, Allocation),
    /// Four solves from standing orders with minimums to priced fills.
    Whole(Kernel, Allocation),
    /// The same of a request with limits of every kind, at one price for all.
    Limited(Kernel, Allocation),
    /// Three requests of four solves, with minimums and with counterparty lists of both sides.
    Batch(Kernel, Allocation),
    /// The plain sort, which varies.
    Sort,
}

/// One pool in the forms that the ways take.
struct Prepared {
    pool: Pool,
    orders: Orders,
    batch: Batches,
    records: Vec<Record>,
}

impl Prepared {
    fn new(class: Class, number: usize, seed: u64) -> Self {
        let pool = Pool::new(class, number, seed);
        let batch = Batches::new(class, &pool, seed);
        Self { orders: Orders::new(&pool).with(orders(class, &pool)), batch, records: pool.records(), pool }
    }
}

/// Pools of every class, and the memory that all are cleared in.
pub struct Pools {
    classes: [Vec<Prepared>; 4],
    columns: Columns,
    orders: Orders,
    batch: Batches,
    records: Vec<Record>,
    fills: Vec<u64>,
    /// What the sort is asked for.
    size: u64,
}

impl Pools {
    /// The classes beside the random one.
    pub const OTHERS: [Class; 3] = [Class::OneMaker, Class::Tied, Class::TooSmall];

    /// Pools of `number` orders.
    #[must_use]
    pub fn new(number: usize) -> Self {
        let classes =
            Class::ALL.map(|class| (0..POOL).zip(1..).map(|(_, seed)| Prepared::new(class, number, seed)).collect());
        let first = Prepared::new(Class::Random, number, 0);
        Self {
            classes,
            columns: Columns::new(&first.pool),
            orders: first.orders,
            batch: first.batch,
            records: first.records,
            fills: vec![0; number],
            size: 0,
        }
    }

    /// Samples random pools and those of `class`, as long as `more` says, given the number of samples that were taken.
    pub fn sample(&mut self, class: Class, way: Way, mut more: impl FnMut(u32) -> bool) -> Samples {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let other = Class::ALL.iter().position(|known| *known == class).unwrap();
        let mut samples = Samples::default();
        let mut taken = 0;
        while more(taken) {
            let draw = rng.next_u32();
            let of_class = draw & 1 == 1;
            let place = (if of_class { other } else { 0 }, (draw >> 1) as usize % POOL);
            samples.push(of_class, self.time(place, way));
            taken += 1;
        }
        samples
    }

    /// Nanoseconds of one run.
    fn time(&mut self, place: (usize, usize), way: Way) -> f64 {
        self.load(place, way);
        let start = Instant::now();
        self.run(way);
        start.elapsed().as_secs_f64() * 1e9
    }

    /// Takes over a pool, given its class and number, into the memory that is there.
    pub(crate) fn load(&mut self, (class, number): (usize, usize), way: Way) {
        let prepared = &self.classes[class][number];
        match way {
            Way::Heart(..) => self.columns.load(&prepared.pool),
            Way::Whole(..) => self.orders.load(&prepared.orders),
            Way::Limited(..) => {
                self.orders.load(&prepared.orders);
                self.orders.limit();
            }
            Way::Batch(..) => self.batch.load(&prepared.batch),
            Way::Sort => {
                self.records.copy_from_slice(&prepared.records);
                self.size = prepared.pool.size;
            }
        }
    }

    /// For valgrind: what was loaded is secret.
    pub(crate) fn make_secret(&mut self, way: Way) {
        match way {
            Way::Heart(..) => self.columns.make_secret(),
            Way::Whole(..) | Way::Limited(..) => self.orders.make_secret(),
            Way::Batch(..) => self.batch.make_secret(),
            Way::Sort => make_secret(&mut self.records[..]),
        }
    }

    /// Clears what was loaded.
    pub(crate) fn run(&mut self, way: Way) {
        match way {
            Way::Heart(kernel, allocation) => {
                black_box(self.columns.clear(kernel, &market(allocation, 1)));
            }
            Way::Whole(kernel, allocation) => {
                black_box(self.orders.clear(kernel, &market(allocation, 4), Ok(())));
            }
            Way::Limited(kernel, allocation) => {
                black_box(self.orders.clear(kernel, &at_one_price(allocation), Ok(())));
            }
            Way::Batch(kernel, allocation) => self.batch.clear(kernel, &market(allocation, 4)),
            Way::Sort => {
                black_box(sort_and_fill(&mut self.records, self.size, &mut self.fills));
            }
        }
    }
}

fn at_one_price(allocation: Allocation) -> Market {
    let market = market(allocation, 4);
    market.with_rules(Rules { pricing: Pricing::Uniform, ..market.rules() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timing::{CERTAIN, FRACTIONS};

    /// Samples of each pair of classes in one try.
    const TAKEN: u32 = 1_000;
    const SLOTS: usize = 256;

    /// The largest |t| over the classes.
    fn measured(pools: &mut Pools, way: Way) -> f64 {
        let of_class = |class| pools.sample(class, way, |taken| taken < TAKEN).largest_t(&FRACTIONS).abs();
        Pools::OTHERS.map(of_class).into_iter().fold(0.0, f64::max)
    }

    /// |t| of up to three tries, so that a busy machine has another chance and code that varies has none: as many as it takes
    /// for one that `fits`.
    fn tried(pools: &mut Pools, way: Way, fits: impl Fn(f64) -> bool) -> Result<(), [f64; 3]> {
        let mut found = [0.0; 3];
        let fits = found.iter_mut().any(|t| {
            *t = measured(pools, way);
            fits(*t)
        });
        if fits { Ok(()) } else { Err(found) }
    }

    #[test]
    fn clearing_takes_the_same_time_for_every_class_of_pools_where_a_sort_is_seen_to_vary() {
        let mut pools = Pools::new(SLOTS);
        assert_eq!(tried(&mut pools, Way::Sort, |t| t >= CERTAIN), Ok(()), "the sort was not seen to vary");
        for (name, way) in ways() {
            assert_eq!(tried(&mut pools, way, |t| t < CERTAIN), Ok(()), "{name}");
        }
    }
}
