//! The search for the margin and the solves, over any columns.

use super::columns::{Columns, Slot, Written};
use super::equal;
use super::mask::{self, Mask, below, equal, from_flag, hide, inside, lesser, nonzero, select};
use crate::allocation::Rate;
use crate::market::Plan;
use crate::rules::Allocation;

/// Bits of a spread.
const SPREAD_BITS: u32 = 14;

/// What a request asks for, in lots.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand {
    /// The size Q.
    pub(crate) size: u64,
    /// The least total that counts as success.
    pub(crate) least: u64,
}

impl Demand {
    /// min(Q, Σe), or zero and a no if that is below the least or nothing.
    fn want(&self, total: u64) -> (u64, Mask) {
        let want = lesser(self.size, total);
        let enough = hide(mask::at_most(self.least, want) & nonzero(want));
        (want & enough, enough)
    }
}

/// Where a growing sum reaches what is wanted, and the sum on either side.
///
/// Of rule A: the least spread at which the capacity reaches it, the capacity at lesser spreads, and that with this
/// spread's. Of rule B: the greatest level that falls short, the fills at it and one above.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Margin {
    /// The greatest threshold whose sum falls short, or zero.
    pub(super) at: u64,
    /// The sum at it.
    pub(super) below: u64,
    /// The sum one above.
    pub(super) reach: u64,
}

impl Margin {
    /// Nothing searched yet: the sum grows from zero to `total`.
    pub(super) fn start(total: u64) -> Self {
        Self { at: 0, below: 0, reach: total }
    }

    /// Takes in the sums at three thresholds `width` apart.
    pub(super) fn narrow(self, [a, b, c]: [u64; 3], want: u64, width: u64) -> Self {
        let raised = self.raise(a, want, width).raise(b, want, width).raise(c, want, width);
        raised.lower(c, want).lower(b, want).lower(a, want)
    }

    /// Takes in the sum at one threshold `width` above.
    fn halve(self, sum: u64, want: u64, width: u64) -> Self {
        self.raise(sum, want, width).lower(sum, want)
    }

    /// Moves up by `width` if the sum at that threshold falls short.
    fn raise(self, sum: u64, want: u64, width: u64) -> Self {
        let short = hide(below(sum, want));
        Self { at: self.at.wrapping_add(width & short), below: select(short, sum, self.below), reach: self.reach }
    }

    /// Takes the sum at a threshold as reached if it does not fall short.
    fn lower(self, sum: u64, want: u64) -> Self {
        let short = hide(below(sum, want));
        Self { reach: select(short, self.reach, sum), ..self }
    }

    /// The rate at which what is left to fill above `below` goes over what there is above it.
    pub(super) fn rate(&self, want: u64) -> Rate {
        Rate::of(want.wrapping_sub(self.below), self.reach.wrapping_sub(self.below))
    }

    /// The thresholds one, two and three `width` above.
    pub(super) fn thresholds(&self, width: u64) -> [u64; 3] {
        [1, 2, 3].map(|steps| self.at.wrapping_add(width * steps))
    }
}

/// What the solves leave behind; the fills are in the columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Solved {
    /// Lots filled by the last solve.
    pub(crate) filled: u64,
    /// The pool was large enough before any order was dropped.
    pub(crate) enough_at_first: Mask,
    /// The last solve reached the least total.
    pub(crate) enough: Mask,
    /// A fill of the last solve is below its order's minimum interaction.
    pub(crate) violated: Mask,
    /// The greatest spread that the last solve filled.
    pub(crate) dearest: u64,
}

/// Keeps the capacities if `admitted`, else sets them to zero; clears the fills.
pub(crate) fn gate<C: Columns>(columns: &mut C, admitted: Mask) {
    let admitted = hide(admitted);
    columns.rewrite(|slot| Written { capacity: slot.capacity & admitted, fill: 0 });
}

/// Exactly as many solves as the plan has; after each but the last, orders filled below their minimum lose their capacity.
///
/// `total` is the sum of the capacities, below 2^51.
pub(crate) fn solve<C: Columns>(columns: &mut C, demand: &Demand, total: u64, plan: &Plan) -> Solved {
    let mut pool = total;
    let mut solved = Solved { filled: 0, enough_at_first: demand.want(total).1, enough: 0, violated: 0, dearest: 0 };
    for turn in (0..plan.solves).rev() {
        let (want, enough) = demand.want(pool);
        let last = turn == 0;
        let allocated = match plan.allocation {
            Allocation::ProRata => share(columns, want, pool, last),
            Allocation::EqualSplit => equal::split(columns, want, pool, plan.level_passes, last),
        };
        let Allocated { remaining, violated, dearest } = allocated;
        pool = remaining;
        solved = Solved { filled: want, enough, violated, dearest, ..solved };
    }
    solved
}

/// One solve of rule A: the search for the margin, then the allocation.
fn share<C: Columns>(columns: &mut C, want: u64, total: u64, last: bool) -> Allocated {
    let margin = columns.margin(want, total);
    columns.hand_out(&margin, margin.rate(want), last)
}

/// Finds the margin in fourteen passes of one bit each: of all widths, the least work where a register holds few slots.
#[allow(clippy::cast_possible_truncation, reason = "thresholds have 14 bits")]
pub(super) fn margin<C: Columns>(columns: &C, want: u64, total: u64) -> Margin {
    (0..SPREAD_BITS).rev().fold(Margin::start(total), |margin, position| {
        let width = 1 << position;
        margin.halve(columns.sum_below(margin.at.wrapping_add(width) as u16), want, width)
    })
}

/// Finds the margin in seven passes of two bits each.
#[allow(clippy::cast_possible_truncation, reason = "thresholds have 14 bits")]
pub(super) fn margin_by_two_bits(want: u64, total: u64, sums_below: impl Fn([u16; 3]) -> [u64; 3]) -> Margin {
    (0..SPREAD_BITS / 2).rev().fold(Margin::start(total), |margin, pair| {
        let width = 1 << (2 * pair);
        margin.narrow(sums_below(margin.thresholds(width).map(|threshold| threshold as u16)), want, width)
    })
}

/// What an allocation pass leaves behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allocated {
    /// The capacity left for the next solve; of no meaning after the last.
    pub(super) remaining: u64,
    /// An order was filled below its minimum.
    pub(super) violated: Mask,
    /// The greatest spread filled.
    pub(super) dearest: u64,
}

impl Allocated {
    /// Takes in one fill; an order filled below its minimum loses its capacity, unless no solve follows.
    #[inline]
    pub(super) fn take(&mut self, slot: &Slot, fill: u64, last: bool) -> Written {
        let violated = hide(inside(fill, slot.minimum));
        let capacity = slot.capacity & !(violated & from_flag(!last));
        self.violated |= violated;
        self.remaining = self.remaining.wrapping_add(capacity);
        Written { capacity, fill }
    }
}

/// Fills cheaper orders in full and the margin pro rata; drops orders filled below their minimum.
pub(super) fn hand_out<C: Columns>(columns: &mut C, margin: &Margin, rate: Rate, last: bool) -> Allocated {
    let mut allocated = Allocated { dearest: margin.at, ..Allocated::default() };
    let (mut running, mut handed_out) = (0u64, 0u64);
    columns.rewrite(|slot| {
        let spread = u64::from(slot.spread);
        let marginal = slot.capacity & hide(equal(spread, margin.at));
        running = running.wrapping_add(marginal);
        let share = rate.handed_out(running).wrapping_sub(handed_out);
        handed_out = handed_out.wrapping_add(share);
        let fill = (slot.capacity & below(spread, margin.at)) | share;
        allocated.take(&slot, fill, last)
    });
    allocated
}
