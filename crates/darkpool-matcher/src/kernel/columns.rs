//! The memory of a clearing: four columns, one entry per slot, in canonical order.
//!
//! The kernel has no index. It reaches memory only through passes, each over every slot from the
//! first to the last, so the addresses depend on the number of slots alone.

use super::eights;
use super::equal;
use super::mask::below_spread;
use super::scalar::{self, Allocated, Margin};
use super::{Kernel, Tier};
use crate::allocation::Rate;

/// What a pass reads of one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// The spread.
    pub(crate) spread: u16,
    /// The effective capacity, in lots.
    pub(crate) capacity: u64,
    /// The minimum interaction, in lots.
    pub(crate) minimum: u64,
}

impl Slot {
    /// Without an order.
    pub(crate) const EMPTY: Self = Self { spread: 0, capacity: 0, minimum: 0 };
}

/// What a pass writes to one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// The capacity left for the next solve, in lots.
    pub(crate) capacity: u64,
    /// The fill, in lots.
    pub(crate) fill: u64,
}

/// Memory that can be passed over and not addressed.
///
/// The first four methods are all that memory has to know. The others are passes made of them; columns may make them
/// another way, with the same result.
pub(crate) trait Columns: Sized {
    /// Writes what is read of all slots. There are as many `rows` as slots.
    fn gather(&mut self, rows: impl Iterator<Item = Slot>);

    /// Reads spread and fill of all slots.
    fn settle(&self, step: impl FnMut(u16, u64));

    /// Folds (spread, capacity) over all slots.
    fn read<A>(&self, start: A, step: impl FnMut(A, u16, u64) -> A) -> A;

    /// Rewrites capacity and fill of all slots.
    fn rewrite(&mut self, step: impl FnMut(Slot) -> Written);

    /// The capacity at spreads below a threshold.
    fn sum_below(&self, threshold: u16) -> u64 {
        self.read(0, |sum, spread, capacity| sum.wrapping_add(capacity & below_spread(spread, threshold)))
    }

    /// Where the capacity reaches what is wanted, by rule A.
    fn margin(&self, want: u64, total: u64) -> Margin {
        scalar::margin(self, want, total)
    }

    /// Fills by rule A, and drops unless this is the last solve.
    fn hand_out(&mut self, margin: &Margin, rate: Rate, last: bool) -> Allocated {
        scalar::hand_out(self, margin, rate, last)
    }

    /// Σ min(e, t) for each of three levels, which are below 2^52.
    fn sums_up_to(&self, levels: [u64; 3]) -> [u64; 3] {
        equal::sums_up_to(self, levels)
    }

    /// Fills by rule B, and drops unless this is the last solve.
    fn level_out(&mut self, level: &Margin, rate: Rate, last: bool) -> Allocated {
        equal::level_out(self, level, rate, last)
    }
}

/// Columns in slices of one length.
#[derive(Debug)]
pub(crate) struct SliceColumns<'a> {
    /// What makes the passes.
    pub(crate) kernel: Kernel,
    /// Spreads, 14 bits.
    pub(crate) spreads: &'a mut [u16],
    /// Effective capacities, in lots.
    pub(crate) capacities: &'a mut [u64],
    /// Minimum interactions, in lots.
    pub(crate) minimums: &'a mut [u64],
    /// Fills, in lots.
    pub(crate) fills: &'a mut [u64],
}

impl Columns for SliceColumns<'_> {
    #[inline]
    fn gather(&mut self, rows: impl Iterator<Item = Slot>) {
        let places = self.spreads.iter_mut().zip(self.capacities.iter_mut()).zip(self.minimums.iter_mut());
        for (Slot { spread, capacity, minimum }, ((to_spread, to_capacity), to_minimum)) in rows.zip(places) {
            (*to_spread, *to_capacity, *to_minimum) = (spread, capacity, minimum);
        }
    }

    #[inline]
    fn settle(&self, mut step: impl FnMut(u16, u64)) {
        self.spreads.iter().zip(self.fills.iter()).for_each(|(spread, fill)| step(*spread, *fill));
    }

    #[inline]
    fn read<A>(&self, start: A, mut step: impl FnMut(A, u16, u64) -> A) -> A {
        let pairs = self.spreads.iter().zip(self.capacities.iter());
        pairs.fold(start, |folded, (spread, capacity)| step(folded, *spread, *capacity))
    }

    #[inline]
    fn rewrite(&mut self, mut step: impl FnMut(Slot) -> Written) {
        let terms = self.spreads.iter().zip(self.minimums.iter());
        let written = self.capacities.iter_mut().zip(self.fills.iter_mut());
        for ((spread, minimum), (capacity, fill)) in terms.zip(written) {
            let slot = Slot { spread: *spread, capacity: *capacity, minimum: *minimum };
            let next = step(slot);
            *capacity = next.capacity;
            *fill = next.fill;
        }
    }

    fn sum_below(&self, threshold: u16) -> u64 {
        match self.kernel.tier() {
            Tier::Avx2(avx2) => avx2.sum_below(self, threshold),
            Tier::Ifma(_) | Tier::Portable => eights::sum_below(self.spreads, self.capacities, threshold),
        }
    }

    fn margin(&self, want: u64, total: u64) -> Margin {
        match self.kernel.tier() {
            Tier::Ifma(ifma) => scalar::margin_by_two_bits(want, total, |t| ifma.sums_below(self, t)),
            Tier::Avx2(_) | Tier::Portable => scalar::margin(self, want, total),
        }
    }

    fn hand_out(&mut self, margin: &Margin, rate: Rate, last: bool) -> Allocated {
        match self.kernel.tier() {
            Tier::Ifma(ifma) => ifma.hand_out(self, margin, rate, last),
            Tier::Avx2(avx2) => avx2.hand_out(self, margin, rate, last),
            Tier::Portable => eights::hand_out(self, margin, rate, last),
        }
    }

    fn sums_up_to(&self, levels: [u64; 3]) -> [u64; 3] {
        match self.kernel.tier() {
            Tier::Ifma(ifma) => ifma.sums_up_to(self, levels),
            Tier::Avx2(avx2) => avx2.sums_up_to(self, levels),
            Tier::Portable => equal::sums_up_to(self, levels),
        }
    }

    fn level_out(&mut self, level: &Margin, rate: Rate, last: bool) -> Allocated {
        match self.kernel.tier() {
            Tier::Ifma(ifma) => ifma.level_out(self, level, rate, last),
            Tier::Avx2(avx2) => avx2.level_out(self, level, rate, last),
            Tier::Portable => equal::level_out(self, level, rate, last),
        }
    }
}
