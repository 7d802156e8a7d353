//! Both rules, by a sort.

use alloc::vec::Vec;

use super::Candidate;
use crate::rules::Allocation;

/// Writes the fills that add up to `want`, which the capacities reach.
pub(super) fn fill(candidates: &mut [Candidate], want: u128, allocation: Allocation) {
    match allocation {
        Allocation::ProRata => share(candidates, want),
        Allocation::EqualSplit => split(candidates, want),
    }
}

/// Hands out whole lots in proportion to weights: ⌊c · ⌈R · 2^52 / C⌉ / 2^52⌋ lots to the first weights that sum to c.
struct Telescope {
    rate: u128,
    running: u128,
}

impl Telescope {
    fn new(rest: u128, weights: u128) -> Self {
        Self { rate: (rest << 52).div_ceil(weights.max(1)), running: 0 }
    }

    fn next(&mut self, weight: u128) -> u128 {
        let before = (self.running * self.rate) >> 52;
        self.running += weight;
        ((self.running * self.rate) >> 52) - before
    }
}

/// Rule A: cheaper in full, the margin pro rata in canonical order.
fn share(candidates: &mut [Candidate], want: u128) {
    let (margin, rest) = margin(candidates, want);
    let at_margin = candidates.iter().filter(|c| c.spread == margin).map(|c| c.capacity).sum();
    let mut telescope = Telescope::new(rest, at_margin);
    for candidate in candidates {
        candidate.fill = if candidate.spread < margin { candidate.capacity } else { 0 };
        if candidate.spread == margin {
            candidate.fill = telescope.next(candidate.capacity);
        }
    }
}

/// The spread at which the cheapest-first walk ends, and what is left to take there.
fn margin(candidates: &[Candidate], want: u128) -> (u128, u128) {
    let mut walk: Vec<(u128, u128)> = candidates.iter().map(|c| (c.spread, c.capacity)).collect();
    walk.sort_unstable();
    let (mut below, mut current, mut seen) = (0, 0, 0);
    for (spread, capacity) in walk {
        if spread != current {
            below = seen;
            current = spread;
        }
        seen += capacity;
        if seen >= want {
            break;
        }
    }
    (current, want - below)
}

/// Rule B: everybody up to one below the level, then one lot each to as many as are left over.
fn split(candidates: &mut [Candidate], want: u128) {
    let level = level(candidates, want);
    let floor = level - 1;
    let given: u128 = candidates.iter().map(|c| c.capacity.min(floor)).sum();
    let reaching = candidates.iter().filter(|c| c.capacity >= level).count();
    let mut telescope = Telescope::new(want - given, reaching as u128);
    for candidate in candidates {
        candidate.fill = candidate.capacity.min(floor);
        if candidate.capacity >= level {
            candidate.fill += telescope.next(1);
        }
    }
}

/// The least level at which the capacities, cut off there, reach `want`: smallest first, those that are full
/// before the others have their even share of the rest are given all they have.
fn level(candidates: &[Candidate], want: u128) -> u128 {
    let mut walk: Vec<u128> = candidates.iter().map(|c| c.capacity).collect();
    walk.sort_unstable();
    let mut rest = want;
    for (place, capacity) in walk.iter().enumerate() {
        let sharing = (walk.len() - place) as u128;
        if capacity * sharing >= rest {
            return rest.div_ceil(sharing);
        }
        rest -= capacity;
    }
    // not reached: the capacities sum to at least what is wanted
    want
}
