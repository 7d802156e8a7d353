//! Pools to clear, and the other ways to clear them: a sort, a histogram, an oblivious sort, and the bare passes that
//! nothing can be faster than.
//!
//! All of them take a pool of spreads and capacities and a size, and write one fill per order. They fill the same total
//! at the same premium. Who gets how much at the marginal spread differs for the sorts, which serve the earlier order
//! first.

use ccc_memcheck::make_secret;
use darkpool_matcher::{Allocation, Kernel, Lots, Market, Rules, Solves, Workspace};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::hint::black_box;

/// Spreads are below this.
const SPREADS: usize = 1 << 14;
/// Different spreads in a random pool.
const LEVELS: u64 = 5_000;

/// What the time of a clearing could tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Sizes and spreads of all kinds; a third of the pool is asked for.
    Random,
    /// One order covers the request.
    OneMaker,
    /// All orders at one spread.
    Tied,
    /// The request is larger than the pool.
    TooSmall,
}

impl Class {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Random, Self::OneMaker, Self::Tied, Self::TooSmall];

    /// The name in a bench.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::OneMaker => "one maker",
            Self::Tied => "all tied",
            Self::TooSmall => "pool too small",
        }
    }
}

/// Orders in columns, and the size that is asked for.
#[derive(Clone, Debug)]
pub struct Pool {
    /// 1/100 basis points.
    pub spreads: Vec<u16>,
    /// Lots.
    pub capacities: Vec<u64>,
    /// Lots wanted.
    pub size: u64,
}

impl Pool {
    /// A pool of `number` orders of a class.
    #[must_use]
    pub fn new(class: Class, number: usize, seed: u64) -> Self {
        let mut draws = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |bound: u64| draws.next_u64() % bound;
        let spreads = (0..number).map(|_| u16::try_from(100 + draw(LEVELS)).unwrap()).collect();
        let capacities = (0..number).map(|_| 1 + draw(5_000)).collect();
        let mut pool = Self { spreads, capacities, size: 0 };
        pool.size = pool.total() / 3;
        match class {
            Class::Random => {}
            Class::OneMaker => (pool.spreads[number / 2], pool.capacities[number / 2]) = (99, 1 << 45),
            Class::Tied => pool.spreads.fill(1_234),
            Class::TooSmall => pool.size = 1 << 50,
        }
        pool
    }

    /// Takes over a pool of the same size, into the memory that is there.
    pub fn load(&mut self, other: &Self) {
        self.spreads.copy_from_slice(&other.spreads);
        self.capacities.copy_from_slice(&other.capacities);
        self.size = other.size;
    }

    /// All capacities together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.capacities.iter().sum()
    }

    /// What the fills cost above the reference price, in lots times spread.
    #[must_use]
    pub fn premium(&self, fills: &[u64]) -> u128 {
        fills.iter().zip(&self.spreads).map(|(fill, spread)| u128::from(*fill) * u128::from(*spread)).sum()
    }

    /// The orders as a list for [`sort_and_fill`].
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let slots = self.spreads.iter().zip(&self.capacities).zip(0..);
        slots.map(|((spread, size), id)| Record { spread: *spread, id, size: *size, ..Record::default() }).collect()
    }

    /// The orders as sorting keys (spread, then place) and capacities for [`bitonic`].
    #[must_use]
    pub fn keys(&self) -> (Vec<u64>, Vec<u64>) {
        let keys = self.spreads.iter().zip(0u64..).map(|(spread, id)| u64::from(*spread) << 32 | id).collect();
        (keys, self.capacities.clone())
    }
}

/// The columns of a pool with the memory that a clearing needs, and no minimums.
pub struct Columns {
    spreads: Vec<u16>,
    capacities: Vec<u64>,
    minimums: Vec<u64>,
    /// What was filled, in lots.
    pub fills: Vec<u64>,
    size: Lots,
    total: Lots,
}

impl Columns {
    /// Of a pool.
    #[must_use]
    pub fn new(pool: &Pool) -> Self {
        let number = pool.spreads.len();
        Self {
            spreads: pool.spreads.clone(),
            capacities: pool.capacities.clone(),
            minimums: vec![0; number],
            fills: vec![0; number],
            size: Lots::new(pool.size).unwrap(),
            total: Lots::new(pool.total()).unwrap(),
        }
    }

    /// Takes over a pool of the same size, into the memory that is there.
    pub fn load(&mut self, pool: &Pool) {
        self.spreads.copy_from_slice(&pool.spreads);
        self.capacities.copy_from_slice(&pool.capacities);
        self.size = Lots::new(pool.size).unwrap();
        self.total = Lots::new(pool.total()).unwrap();
        // what was read is in the way of what will be, at addresses that differ from class to class
        black_box((self.bound(), self.minimums.iter().sum::<u64>()));
    }

    /// For valgrind: spreads, amounts and the size are secret.
    pub fn make_secret(&mut self) {
        let Self { spreads, capacities, minimums, fills, size, total } = self;
        make_secret(&mut spreads[..]);
        for column in [capacities, minimums, fills] {
            make_secret(&mut column[..]);
        }
        make_secret(size);
        make_secret(total);
    }

    /// The heart of a clearing: the search for margin or level, and the fills.
    pub fn clear(&mut self, kernel: Kernel, market: &Market) -> u64 {
        let Self { spreads, capacities, minimums, fills, size, total } = self;
        let workspace = Workspace::new(spreads, capacities, minimums, fills).unwrap();
        workspace.with_kernel(kernel).solve_alone(*size, *total, market).get()
    }

    /// One pass that reads ten bytes per order and one that copies eight: what an exact clearing cannot do without.
    pub fn bound(&mut self) -> u64 {
        let capacities = self.capacities.iter().fold(0u64, |sum, capacity| sum.wrapping_add(*capacity));
        let spreads = self.spreads.iter().fold(0u16, |sum, spread| sum.wrapping_add(*spread));
        self.fills.copy_from_slice(&self.capacities);
        capacities ^ u64::from(spreads)
    }
}

/// A market with this rule, where no order has a minimum and one solve is enough.
#[must_use]
pub fn market(allocation: Allocation, solves: u8) -> Market {
    let solves = Solves::new(solves).unwrap();
    Market::new(1).unwrap().with_rules(Rules { allocation, solves, ..Rules::default() })
}

/// An order as a plain engine keeps it: 32 bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record {
    spread: u16,
    id: u32,
    size: u64,
    _maker: u64,
    _expiry: u64,
}

/// Cheapest first, earliest first, until the size is reached.
pub fn sort_and_fill(records: &mut [Record], size: u64, fills: &mut [u64]) -> u64 {
    records.sort_unstable_by_key(|record| (record.spread, record.id));
    let mut rest = size;
    for record in records {
        if rest == 0 {
            break;
        }
        let lots = rest.min(record.size);
        fills[record.id as usize] = lots;
        rest -= lots;
    }
    size - rest
}

/// Capacities counted by spread, a walk over the counts, then pro rata at the margin with a division per order.
pub fn histogram(pool: &Pool, counts: &mut Vec<u64>, fills: &mut [u64]) -> u64 {
    counts.clear();
    counts.resize(SPREADS, 0);
    for (spread, capacity) in pool.spreads.iter().zip(&pool.capacities) {
        counts[usize::from(*spread)] += capacity;
    }
    let (mut margin, mut below) = (0, 0);
    while margin < SPREADS - 1 && below + counts[margin] < pool.size {
        below += counts[margin];
        margin += 1;
    }
    let (whole, rest) = (counts[margin].max(1), (pool.size - below).min(counts[margin]));
    let (mut running, mut before) = (0u64, 0u64);
    for ((spread, capacity), fill) in pool.spreads.iter().zip(&pool.capacities).zip(fills) {
        *fill = if usize::from(*spread) < margin { *capacity } else { 0 };
        if usize::from(*spread) == margin {
            running += capacity;
            let after = u64::try_from(u128::from(running) * u128::from(rest) / u128::from(whole)).unwrap();
            *fill = after - before;
            before = after;
        }
    }
    below + rest
}

/// Sorts by a bitonic network, fills, and sorts back: the same steps whatever the pool holds. The number of orders is a
/// power of two.
pub fn bitonic(keys: &mut [u64], values: &mut [u64], size: u64) -> u64 {
    sort_network(keys, values);
    let mut rest = size;
    for value in values.iter_mut() {
        let lots = rest.min(*value);
        *value = lots;
        rest -= lots;
    }
    keys.iter_mut().for_each(|key| *key = key.rotate_right(32));
    sort_network(keys, values);
    size - rest
}

fn sort_network(keys: &mut [u64], values: &mut [u64]) {
    let mut block = 2;
    while block <= keys.len() {
        let mut distance = block / 2;
        while distance > 0 {
            for start in (0..keys.len()).step_by(2 * distance) {
                let falling = (start & block != 0 && block < keys.len()) as u64;
                let (lower, upper) = keys[start..start + 2 * distance].split_at_mut(distance);
                let (first, second) = values[start..start + 2 * distance].split_at_mut(distance);
                exchange((lower, upper), (first, second), falling.wrapping_neg());
            }
            distance /= 2;
        }
        block *= 2;
    }
}

/// Compares and exchanges two rows without a branch; all ones in `falling` turn the order round.
fn exchange((lower, upper): (&mut [u64], &mut [u64]), (first, second): (&mut [u64], &mut [u64]), falling: u64) {
    for ((a, b), (v, w)) in lower.iter_mut().zip(upper).zip(first.iter_mut().zip(second)) {
        let exchanged = u64::from(*b < *a).wrapping_neg() ^ falling;
        let keys = (*a ^ *b) & exchanged;
        (*a, *b) = (*a ^ keys, *b ^ keys);
        let values = (*v ^ *w) & exchanged;
        (*v, *w) = (*v ^ values, *w ^ values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills of every way: plain sort, histogram, oblivious sort, then ours by each kernel.
    fn fills(pool: &Pool) -> ([Vec<u64>; 3], Vec<Vec<u64>>) {
        let number = pool.spreads.len();
        let (mut sorted, mut counted) = (vec![0; number], vec![0; number]);
        sort_and_fill(&mut pool.records(), pool.size, &mut sorted);
        histogram(pool, &mut Vec::new(), &mut counted);
        let (mut keys, mut oblivious) = pool.keys();
        bitonic(&mut keys, &mut oblivious, pool.size);
        let ours = Kernel::available().map(|kernel| {
            let mut columns = Columns::new(pool);
            columns.clear(kernel, &market(Allocation::ProRata, 1));
            columns.fills
        });
        ([sorted, counted, oblivious], ours.collect())
    }

    #[test]
    fn every_way_fills_the_same_at_the_same_premium() {
        for class in Class::ALL {
            for number in [2, 8, 64, 1_024] {
                let pool = Pool::new(class, number, 5);
                let ([sorted, counted, oblivious], ours) = fills(&pool);
                let filled = pool.size.min(pool.total());
                for fills in [&sorted, &counted, &oblivious].into_iter().chain(&ours) {
                    assert_eq!(fills.iter().sum::<u64>(), filled, "{class:?} of {number}");
                    assert_eq!(pool.premium(fills), pool.premium(&sorted), "{class:?} of {number}");
                    assert!(fills.iter().zip(&pool.capacities).all(|(fill, capacity)| fill <= capacity));
                }
                assert_eq!(sorted, oblivious);
                assert!(ours.iter().all(|fills| *fills == ours[0]));
            }
        }
    }
}
