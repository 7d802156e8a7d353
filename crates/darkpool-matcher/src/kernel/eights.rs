//! The passes of rule A in plain Rust, eight slots a step.
//!
//! As [`scalar`](super::scalar) has them slot by slot, with the same result. Comparisons of eight spreads are one instruction,
//! and their masks are hidden together; those of a search are hidden sixty-four at once, since every hiding is a detour by
//! memory. The functions are inlined wherever they are called: what they are compiled for is their caller's.

use super::columns::SliceColumns;
use super::mask::{Mask, below_spread_narrow, equal_spread_narrow, hide_spreads, inside, widened};
use super::scalar::{Allocated, Margin};
use crate::allocation::Rate;

/// Slots in a step.
pub(super) const SLOTS: usize = 8;

/// Fewer than eight, filled up with zeros.
pub(super) fn padded<T: Copy + Default>(last: &[T]) -> [T; SLOTS] {
    let mut eight = [T::default(); SLOTS];
    eight.iter_mut().zip(last).for_each(|(entry, found)| *entry = *found);
    eight
}

/// Slots whose masks a search hides at once.
const BLOCK: usize = 64;

/// The capacity at spreads below a threshold.
#[inline(always)]
pub(super) fn sum_below(spreads: &[u16], capacities: &[u64], threshold: u16) -> u64 {
    let mut sums = [0; SLOTS];
    let (blocks, spreads) = spreads.as_chunks::<BLOCK>();
    let (block_capacities, capacities) = capacities.as_chunks::<BLOCK>();
    for (spreads, capacities) in blocks.iter().zip(block_capacities) {
        add_below(&mut sums, spreads, capacities, threshold);
    }
    let (spreads, last_spreads) = spreads.as_chunks::<SLOTS>();
    let (capacities, last_capacities) = capacities.as_chunks::<SLOTS>();
    for (spreads, capacities) in spreads.iter().zip(capacities) {
        add_below(&mut sums, spreads, capacities, threshold);
    }
    add_below(&mut sums, &padded(last_spreads), &padded(last_capacities), threshold);
    sums.into_iter().fold(0, u64::wrapping_add)
}

#[inline(always)]
fn add_below<const N: usize>(sums: &mut [u64; SLOTS], spreads: &[u16; N], capacities: &[u64; N], threshold: u16) {
    let masks = hide_spreads(spreads.map(|spread| below_spread_narrow(spread, threshold)));
    for (masks, capacities) in masks.as_chunks::<SLOTS>().0.iter().zip(capacities.as_chunks::<SLOTS>().0) {
        for ((sum, mask), capacity) in sums.iter_mut().zip(masks).zip(capacities) {
            *sum = sum.wrapping_add(capacity & widened(*mask));
        }
    }
}

/// Fills cheaper orders in full and the margin pro rata; drops orders filled below their minimum if a solve follows.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "a margin has 14 bits")]
pub(super) fn hand_out(columns: &mut SliceColumns<'_>, margin: &Margin, rate: Rate, last: bool) -> Allocated {
    let mut pass = Pass {
        at: margin.at as u16,
        rate,
        last,
        running: 0,
        handed_out: 0,
        remaining: [0; SLOTS],
        violated: [0; SLOTS],
    };
    let (spreads, last_spreads) = columns.spreads.as_chunks::<SLOTS>();
    let (minimums, last_minimums) = columns.minimums.as_chunks::<SLOTS>();
    let (capacities, last_capacities) = columns.capacities.as_chunks_mut::<SLOTS>();
    let (fills, last_fills) = columns.fills.as_chunks_mut::<SLOTS>();
    let terms = spreads.iter().zip(minimums);
    for ((spreads, minimums), (capacities, fills)) in terms.zip(capacities.iter_mut().zip(fills)) {
        pass.step(spreads, minimums, capacities, fills);
    }
    let (mut capacities, mut fills) = (padded(last_capacities), [0; SLOTS]);
    pass.step(&padded(last_spreads), &padded(last_minimums), &mut capacities, &mut fills);
    last_capacities.iter_mut().zip(capacities).for_each(|(capacity, found)| *capacity = found);
    last_fills.iter_mut().zip(fills).for_each(|(fill, found)| *fill = found);
    pass.allocated()
}

/// What the pass carries from one step to the next.
struct Pass {
    at: u16,
    rate: Rate,
    last: bool,
    /// c, the capacity at the margin so far.
    running: u64,
    /// G(c).
    handed_out: u64,
    /// Capacities that were not dropped, by place in the step.
    remaining: [u64; SLOTS],
    /// Orders that were filled below their minimum, by place in the step.
    violated: [Mask; SLOTS],
}

impl Pass {
    #[inline(always)]
    fn step(
        &mut self,
        spreads: &[u16; SLOTS],
        minimums: &[u64; SLOTS],
        capacities: &mut [u64; SLOTS],
        fills: &mut [u64; SLOTS],
    ) {
        self.fill(spreads, capacities, fills);
        let mut violated = [0; SLOTS];
        for (mask, (fill, minimum)) in violated.iter_mut().zip(fills.iter().zip(minimums)) {
            *mask = inside(*fill, *minimum);
        }
        if !self.last {
            // nothing but the sum below is made of those of the last solve
            violated = core::hint::black_box(violated);
            self.drop(violated, capacities);
        }
        self.violated.iter_mut().zip(violated).for_each(|(all, mask)| *all |= mask);
    }

    /// Cheaper in full, and at the margin what G grows by.
    #[inline(always)]
    fn fill(&mut self, spreads: &[u16; SLOTS], capacities: &[u64; SLOTS], fills: &mut [u64; SLOTS]) {
        let cheaper = hide_spreads(spreads.map(|spread| below_spread_narrow(spread, self.at)));
        let marginal = hide_spreads(spreads.map(|spread| equal_spread_narrow(spread, self.at)));
        let masks = cheaper.into_iter().zip(marginal);
        for ((fill, capacity), (cheaper, marginal)) in fills.iter_mut().zip(capacities).zip(masks) {
            self.running = self.running.wrapping_add(capacity & widened(marginal));
            let after = self.rate.handed_out(self.running);
            *fill = (capacity & widened(cheaper)) | after.wrapping_sub(self.handed_out);
            self.handed_out = after;
        }
    }

    #[inline(always)]
    fn drop(&mut self, violated: [Mask; SLOTS], capacities: &mut [u64; SLOTS]) {
        for ((capacity, mask), sum) in capacities.iter_mut().zip(violated).zip(&mut self.remaining) {
            *capacity &= !mask;
            *sum = sum.wrapping_add(*capacity);
        }
    }

    fn allocated(self) -> Allocated {
        Allocated {
            remaining: self.remaining.into_iter().fold(0, u64::wrapping_add),
            violated: self.violated.into_iter().fold(0, |all, mask| all | mask),
            dearest: u64::from(self.at),
        }
    }
}
