//! Rule B, equal split by water-filling.
//!
//! The level L is the least with Σ min(e, L) ≥ want. Everybody gets min(e, L − 1); the R lots left over go to
//! the C orders with e ≥ L, at most one to each, by the telescoping of [`Rate`] with weight 1. The largest fill
//! is L, and no smaller one is possible.
//!
//! L ≤ want: if every capacity is at most want, Σ min(e, want) = Σe ≥ want; else one order alone reaches it.

use super::columns::Columns;
use super::mask::{below, bit, hide, lesser, nonzero, select};
use super::scalar::{Allocated, Margin};
use crate::allocation::Rate;

/// One solve: the search for the level, then the allocation.
///
/// `total` is the sum of the capacities, below 2^51; `want` is at most that and below 4^`passes`.
pub(super) fn split<C: Columns>(columns: &mut C, want: u64, total: u64, passes: u32, last: bool) -> Allocated {
    let level = search(columns, want, total, passes);
    columns.level_out(&level, level.rate(want), last)
}

/// Finds L − 1, the greatest level that falls short, two bits a pass; zero if nothing is wanted.
fn search<C: Columns>(columns: &C, want: u64, total: u64, passes: u32) -> Margin {
    (0..passes).rev().fold(Margin::start(total), |level, pass| {
        let width = 1 << (2 * pass);
        level.narrow(columns.sums_up_to(level.thresholds(width)), want, width)
    })
}

/// Σ min(e, t) for each of three levels, which are below 2^52.
#[inline(always)]
pub(super) fn sums_up_to<C: Columns>(columns: &C, levels: [u64; 3]) -> [u64; 3] {
    columns.read([0; 3], |[a, b, c], _, capacity| {
        let [least, middle, most] = levels.map(|level| lesser(capacity, level));
        [a.wrapping_add(least), b.wrapping_add(middle), c.wrapping_add(most)]
    })
}

/// Fills everybody up to L − 1 and hands out the rest one by one; drops orders filled below their minimum.
#[inline(always)]
pub(super) fn level_out<C: Columns>(columns: &mut C, level: &Margin, rate: Rate, last: bool) -> Allocated {
    let mut allocated = Allocated::default();
    let (mut running, mut handed_out) = (0u64, 0u64);
    columns.rewrite(|slot| {
        let above = hide(below(level.at, slot.capacity));
        running = running.wrapping_add(bit(above));
        let share = rate.handed_out(running).wrapping_sub(handed_out);
        handed_out = handed_out.wrapping_add(share);
        let fill = lesser(slot.capacity, level.at).wrapping_add(share);
        let filled = u64::from(slot.spread) & hide(nonzero(fill));
        allocated.dearest = select(hide(below(allocated.dearest, filled)), filled, allocated.dearest);
        allocated.take(&slot, fill, last)
    });
    allocated
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert_eq, proptest};

    proptest! {
        /// Of fewer than 2^26 orders the first c get ⌊c · R / C⌋ lots, exactly: the fraction of that is at most
        /// 1 − 1 / C, and ρ adds less than c / 2^52 < 1 / C.
        #[test]
        fn single_lots_are_handed_out_exactly(orders in 1u64..1 << 26, part in 0u64..=1 << 20, place in 0u64..=1 << 20) {
            let (rest, running) = ((orders * part) >> 20, (orders * place) >> 20);
            let rate = Rate::of(rest, orders);
            for running in [running, running.saturating_sub(1), orders] {
                prop_assert_eq!(rate.handed_out(running), running * rest / orders);
            }
        }
    }
}
