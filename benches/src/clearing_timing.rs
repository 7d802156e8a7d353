//! Four classes of pools, and samples of what a clearing takes with them, interleaved at random.
//!
//! As in [`timing`](crate::timing), with one difference: a clearing writes what it reads, so before every sample the pool is
//! copied once more, into the same memory, whichever class it is of. With the pool its minimums and counterparty lists follow the class.

use crate::batches::{Batches, orders};
use crate::clearing::{Class, Columns, Pool, Record, market, sort_and_fill};
use crate::crossing::Orders;
use crate::timing::FRACTIONS;
use crate::welch::{Samples, median};
use ccc_memcheck::make_secret;
use darkpool_matcher::{Allocation, Kernel, Market, Pricing, Rules};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::hint::black_box;
use std::time::Instant;

/// Pools of each class.
const POOL: usize = 8;
/// Copies that are made before they are measured.
const BATCH: usize = 32;
/// Words that fill the first cache twice.
const OTHER_WORDS: usize = 1 << 13;

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

    /// Takes over what a way needs of another of the same size, into the memory that is there.
    fn copy(&mut self, other: &Self, way: Way) {
        match way {
            Way::Heart(..) => self.pool.load(&other.pool),
            Way::Whole(..) | Way::Limited(..) => self.orders.load(&other.orders),
            Way::Batch(..) => self.batch.load(&other.batch),
            Way::Sort => {
                self.pool.load(&other.pool);
                self.records.copy_from_slice(&other.records);
            }
        }
    }
}

/// Pools of every class, and the memory that all are cleared in.
pub struct Pools {
    /// Those of [`Class::ALL`], and random ones once more.
    classes: [Vec<Prepared>; 5],
    /// Copies of the next ones, in the order of the draws.
    staged: Vec<Prepared>,
    columns: Columns,
    orders: Orders,
    batch: Batches,
    records: Vec<Record>,
    fills: Vec<u64>,
    /// What the sort is asked for.
    size: u64,
    /// More than the first cache holds.
    other: Vec<u64>,
}

impl Pools {
    /// Pools of `number` orders.
    #[must_use]
    pub fn new(number: usize) -> Self {
        let of_class = |class, seed| (seed..).take(POOL).map(|seed| Prepared::new(class, number, seed)).collect();
        let [random, one_maker, tied, too_small] = Class::ALL.map(|class| of_class(class, 1));
        let first = Prepared::new(Class::Random, number, 0);
        Self {
            classes: [random, one_maker, tied, too_small, of_class(Class::Random, 1_000)],
            staged: (0..BATCH).map(|_| Prepared::new(Class::Random, number, 0)).collect(),
            columns: Columns::new(&first.pool),
            orders: first.orders,
            batch: first.batch,
            records: first.records,
            fills: vec![0; number],
            size: 0,
            other: vec![1; OTHER_WORDS],
        }
    }

    /// Samples pools of all classes, as long as `more` says, given the number of samples that were taken.
    pub fn sample(&mut self, way: Way, mut more: impl FnMut(u32) -> bool) -> Times {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let mut times = Times::default();
        let mut taken = 0;
        while more(taken) {
            let draw = |_| rng.next_u32() as usize;
            let drawn: [(usize, usize); BATCH] = std::array::from_fn(draw).map(|draw| (draw % 5, draw / 5 % POOL));
            for (place, from) in drawn.into_iter().enumerate() {
                self.stage(place, from, way);
            }
            for (place, (class, _)) in drawn.into_iter().enumerate() {
                times.0[class].push(self.time(place, way));
                taken += 1;
            }
        }
        times
    }

    /// Nanoseconds of one run.
    fn time(&mut self, place: usize, way: Way) -> f64 {
        self.load(place, way);
        // what lies in the first cache of where the pool was copied from is in the way of what will be read
        black_box(self.other.iter().sum::<u64>());
        let start = Instant::now();
        self.run(way);
        start.elapsed().as_secs_f64() * 1e9
    }

    /// Makes a copy of a pool, given its class and number, in one of the places.
    ///
    /// Pools of a class lie where they lie; the places are the same for all classes.
    pub(crate) fn stage(&mut self, place: usize, (class, number): (usize, usize), way: Way) {
        self.staged[place].copy(&self.classes[class][number], way);
    }

    /// Takes over the pool of a place into the memory in which all are cleared.
    pub(crate) fn load(&mut self, place: usize, way: Way) {
        let prepared = &self.staged[place];
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

    /// Lots that the last run filled.
    pub(crate) fn filled(&self, way: Way) -> u64 {
        match way {
            Way::Heart(..) => self.columns.fills.iter().sum(),
            Way::Whole(..) | Way::Limited(..) => self.orders.filled(),
            Way::Batch(..) => self.batch.lots(),
            Way::Sort => self.fills.iter().sum(),
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

/// Nanoseconds of runs over the pools of each class, in the order of [`Class::ALL`], and of random ones once more.
#[derive(Clone, Debug, Default)]
pub struct Times([Vec<f64>; 5]);

impl Times {
    /// Samples of all classes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    /// Whether nothing was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class that the random one is told from best, and t.
    #[must_use]
    pub fn largest_t(&self) -> (Class, f64) {
        let [random, others @ .., _] = &self.0;
        let classes = Class::ALL.into_iter().skip(1).zip(others);
        let of_class = |(class, other): (Class, &Vec<f64>)| (class, Samples::of(random, other).largest_t(&FRACTIONS));
        let start = (Class::Random, 0.0f64);
        classes.map(of_class).fold(start, |most, next| if next.1.abs() > most.1.abs() { next } else { most })
    }

    /// t of random pools beside other random ones: whatever tells these apart is no class.
    #[must_use]
    pub fn alike(&self) -> f64 {
        let [random, .., others] = &self.0;
        Samples::of(random, others).largest_t(&FRACTIONS)
    }

    /// The greater |t| of both: a run shows no dependence, and says something, if this is small.
    #[must_use]
    pub fn greatest(&self) -> f64 {
        self.largest_t().1.abs().max(self.alike().abs())
    }

    /// The median of each class.
    #[must_use]
    pub fn medians(&self) -> [f64; 4] {
        let [random, one_maker, tied, too_small, _] = self.0.each_ref().map(|times| median(times));
        [random, one_maker, tied, too_small]
    }

    /// By how much the greatest of the medians is above the least, as a share of the least; zero without samples.
    #[must_use]
    pub fn spread(&self) -> f64 {
        let medians = self.medians();
        let (least, most) = (medians.into_iter().fold(f64::MAX, f64::min), medians.into_iter().fold(0.0, f64::max));
        if least > 0.0 { most / least - 1.0 } else { 0.0 }
    }
}

fn at_one_price(allocation: Allocation) -> Market {
    let market = market(allocation, 4);
    market.with_rules(Rules { pricing: Pricing::Uniform, ..market.rules() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{is_seen, stays_below};

    /// Samples of each way in the first run.
    const TAKEN: u32 = 2_000;
    const SLOTS: usize = 256;

    fn times(pools: &mut Pools, way: Way, factor: u32) -> Times {
        pools.sample(way, |taken| taken < TAKEN * factor)
    }

    #[test]
    fn clearing_takes_the_same_time_for_every_class_of_pools_where_a_sort_is_seen_to_vary() {
        let mut pools = Pools::new(SLOTS);
        assert!(
            is_seen(|factor| times(&mut pools, Way::Sort, factor).largest_t().1).is_ok(),
            "the sort was not seen to vary"
        );
        for (name, way) in ways() {
            let verdict = stays_below(|factor| times(&mut pools, way, factor).greatest());
            assert!(verdict.is_ok(), "{name}: |t| of each run {verdict:?}");
        }
    }

    #[test]
    fn the_spread_is_that_of_the_medians_and_t_that_of_the_class_that_differs() {
        let times = Times([
            vec![100.0, 101.0, 900.0],
            vec![100.0, 101.0],
            vec![150.0, 151.0, 152.0],
            vec![102.0; 3],
            vec![1.0],
        ]);
        assert_eq!(times.medians().map(f64::to_bits), [101.0, 101.0, 151.0, 102.0].map(f64::to_bits));
        assert!((times.spread() - 50.0 / 101.0).abs() < 1e-12);
        let noisy = |base: f64| (0..100).map(|k: u8| base + f64::from(k % 3)).collect::<Vec<_>>();
        let (class, t) = Times([noisy(50.0), noisy(50.0), noisy(60.0), noisy(50.0), noisy(40.0)]).largest_t();
        assert_eq!((class, t < -10.0), (Class::Tied, true));
        let apart = Times([noisy(50.0), vec![], vec![], vec![], noisy(60.0)]);
        assert_eq!(
            (apart.largest_t().1.abs() < 1.0, apart.alike() < -10.0, apart.greatest() > 10.0),
            (true, true, true)
        );
    }
}
