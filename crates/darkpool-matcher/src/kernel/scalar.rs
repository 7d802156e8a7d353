//! The search for the margin and the solves, over any columns.

use super::columns::{Columns, Written};
use super::mask::{self, Mask, below, below_spread, equal, hide, lesser, nonzero, select};
use crate::allocation::Rate;

/// Drop-and-resolve solves per clearing.
pub(crate) const SOLVES: usize = 4;
/// Where the two bits of each search pass lie in a 14-bit spread.
const SHIFTS: [u32; 7] = [12, 10, 8, 6, 4, 2, 0];

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

/// The marginal spread and the capacity on either side of it.
#[derive(Clone, Copy, Debug)]
struct Margin {
    /// The least spread at which the running capacity reaches what is wanted.
    spread: u64,
    /// Capacity at lesser spreads.
    below: u64,
    /// Capacity at lesser spreads and at this one.
    reach: u64,
}

impl Margin {
    /// Takes in the sums below three thresholds `width` apart.
    fn narrow(self, [a, b, c]: [u64; 3], want: u64, width: u64) -> Self {
        let raised = self.raise(a, want, width).raise(b, want, width).raise(c, want, width);
        raised.lower(c, want).lower(b, want).lower(a, want)
    }

    /// Moves up by `width` if the capacity below that threshold falls short.
    fn raise(self, sum: u64, want: u64, width: u64) -> Self {
        let short = hide(below(sum, want));
        Self {
            spread: self.spread.wrapping_add(width & short),
            below: select(short, sum, self.below),
            reach: self.reach,
        }
    }

    /// Takes the capacity below a threshold as reached if it does not fall short.
    fn lower(self, sum: u64, want: u64) -> Self {
        let short = hide(below(sum, want));
        Self { reach: select(short, self.reach, sum), ..self }
    }

    /// The thresholds one, two and three `width` above.
    #[allow(clippy::cast_possible_truncation, reason = "thresholds have 14 bits")]
    fn thresholds(&self, width: u64) -> [u16; 3] {
        [1, 2, 3].map(|steps| self.spread.wrapping_add(width * steps) as u16)
    }
}

/// What the four solves leave behind; the fills are in the columns.
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
}

/// Keeps the capacities if `admitted`, else sets them to zero; clears the fills.
pub(crate) fn gate<C: Columns>(columns: &mut C, admitted: Mask) {
    let admitted = hide(admitted);
    columns.rewrite(|slot| Written { capacity: slot.capacity & admitted, fill: 0 });
}

/// Exactly four solves; after each, orders filled below their minimum lose their capacity.
///
/// `total` is the sum of the capacities, below 2^51.
pub(crate) fn solve<C: Columns>(columns: &mut C, demand: &Demand, total: u64) -> Solved {
    let mut pool = total;
    let mut solved = Solved { filled: 0, enough_at_first: demand.want(total).1, enough: 0, violated: 0 };
    for _ in 0..SOLVES {
        let (want, enough) = demand.want(pool);
        let margin = search(columns, want, pool);
        let allocated = allocate(columns, &margin, want);
        pool = allocated.remaining;
        solved = Solved { filled: want, enough, violated: allocated.violated, ..solved };
    }
    solved
}

/// Finds the margin in seven passes of two bits each.
fn search<C: Columns>(columns: &C, want: u64, total: u64) -> Margin {
    let start = Margin { spread: 0, below: 0, reach: total };
    SHIFTS.into_iter().fold(start, |margin, shift| {
        let width = 1 << shift;
        margin.narrow(sums_below(columns, margin.thresholds(width)), want, width)
    })
}

/// The capacity at spreads below each of three thresholds.
fn sums_below<C: Columns>(columns: &C, [t0, t1, t2]: [u16; 3]) -> [u64; 3] {
    columns.read([0; 3], |[a, b, c], spread, capacity| {
        [
            a.wrapping_add(capacity & below_spread(spread, t0)),
            b.wrapping_add(capacity & below_spread(spread, t1)),
            c.wrapping_add(capacity & below_spread(spread, t2)),
        ]
    })
}

/// What an allocation pass leaves behind.
struct Allocated {
    /// The capacity of the orders that were not dropped.
    remaining: u64,
    /// An order was dropped.
    violated: Mask,
}

/// Fills cheaper orders in full and the margin pro rata; drops orders filled below their minimum.
fn allocate<C: Columns>(columns: &mut C, margin: &Margin, want: u64) -> Allocated {
    let rate = Rate::of(want.wrapping_sub(margin.below), margin.reach.wrapping_sub(margin.below));
    let mut allocated = Allocated { remaining: 0, violated: 0 };
    let (mut running, mut handed_out) = (0u64, 0u64);
    columns.rewrite(|slot| {
        let spread = u64::from(slot.spread);
        let marginal = slot.capacity & hide(equal(spread, margin.spread));
        running = running.wrapping_add(marginal);
        let share = rate.handed_out(running).wrapping_sub(handed_out);
        handed_out = handed_out.wrapping_add(share);
        let fill = (slot.capacity & below(spread, margin.spread)) | share;
        let violated = hide(nonzero(fill) & below(fill, slot.minimum));
        let capacity = slot.capacity & !violated;
        allocated.violated |= violated;
        allocated.remaining = allocated.remaining.wrapping_add(capacity);
        Written { capacity, fill }
    });
    allocated
}
