//! The memory of a clearing: four columns, one entry per slot, in canonical order.
//!
//! The kernel has no index. It reaches memory only through passes, each over every slot from the
//! first to the last, so the addresses depend on the number of slots alone.

use super::Kernel;
use super::equal;
use super::mask::{below_spread, below_spread_narrow, hide, hide_eight, widened};
use super::scalar::{self, Allocated, Margin};
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
/// The first two methods are all that memory has to know. The others are passes made of them; columns may make them
/// another way, with the same result.
pub(crate) trait Columns: Sized {
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

    /// Fills and drops by rule A.
    fn hand_out(&mut self, margin: &Margin, rate: Rate) -> Allocated {
        scalar::hand_out(self, margin, rate)
    }

    /// Σ min(e, t) for each of three levels, which are below 2^52.
    fn sums_up_to(&self, levels: [u64; 3]) -> [u64; 3] {
        equal::sums_up_to(self, levels)
    }

    /// Fills and drops by rule B.
    fn level_out(&mut self, level: &Margin, rate: Rate) -> Allocated {
        equal::level_out(self, level, rate)
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

    /// Eight slots a step, which a compiler finds registers for.
    fn sum_below(&self, threshold: u16) -> u64 {
        let (spreads, last_spreads) = self.spreads.as_chunks::<8>();
        let (capacities, last_capacities) = self.capacities.as_chunks::<8>();
        let mut sums = [0u64; 8];
        for (spreads, capacities) in spreads.iter().zip(capacities) {
            let masks = hide_eight(spreads.map(|spread| below_spread_narrow(spread, threshold)));
            for ((sum, mask), capacity) in sums.iter_mut().zip(masks).zip(capacities) {
                *sum = sum.wrapping_add(capacity & widened(mask));
            }
        }
        let last = last_spreads.iter().zip(last_capacities);
        // one slot a step, where a compiler would turn the mask into a jump
        let last = last.map(|(spread, capacity)| capacity & hide(below_spread(*spread, threshold)));
        sums.into_iter().chain(last).fold(0, u64::wrapping_add)
    }

    fn margin(&self, want: u64, total: u64) -> Margin {
        match self.kernel.ifma() {
            Some(ifma) => scalar::margin_by_two_bits(want, total, |t| ifma.sums_below(self, t)),
            None => scalar::margin(self, want, total),
        }
    }

    fn hand_out(&mut self, margin: &Margin, rate: Rate) -> Allocated {
        match self.kernel.ifma() {
            Some(ifma) => ifma.hand_out(self, margin, rate),
            None => scalar::hand_out(self, margin, rate),
        }
    }

    fn sums_up_to(&self, levels: [u64; 3]) -> [u64; 3] {
        match self.kernel.ifma() {
            Some(ifma) => ifma.sums_up_to(self, levels),
            None => equal::sums_up_to(self, levels),
        }
    }

    fn level_out(&mut self, level: &Margin, rate: Rate) -> Allocated {
        match self.kernel.ifma() {
            Some(ifma) => ifma.level_out(self, level, rate),
            None => equal::level_out(self, level, rate),
        }
    }
}
