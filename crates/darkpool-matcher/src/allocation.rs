//! Pro rata at the margin, exact to the unit, in one pass.
//!
//! With R lots to hand out over marginal capacities that sum to C ≥ R, and c the running sum of those
//! capacities in canonical order:
//!
//! ```text
//! ρ    = ⌈R · 2^52 / C⌉
//! G(c) = ⌊c · ρ / 2^52⌋
//! fill = G(c after the slot) − G(c before the slot)
//! ```
//!
//! - *Conservation*: C · ρ lies in [R · 2^52, R · 2^52 + C) and C < 2^52, so G(C) = R.
//! - *Capacity*: R ≤ C gives ρ ≤ 2^52, so G grows by at most the slot's capacity.
//! - *Fairness*: ρ exceeds R · 2^52 / C by less than 1, so a fill is within 1 + e / 2^52 lots of e · R / C.

use crate::kernel::division::divide_shifted;
use crate::kernel::mask::{bit, nonzero};

/// The fractional bits of ρ.
const SHIFT: u32 = 52;

/// The rate at which marginal capacity is filled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate(u64);

impl Rate {
    /// ρ for `rest` lots over `capacity`, rest ≤ capacity < 2^51. No capacity gives rate zero.
    pub(crate) const fn of(rest: u64, capacity: u64) -> Self {
        let divisor = capacity | bit(!nonzero(capacity));
        Self(divide_shifted::<{ SHIFT / 2 }>(rest, divisor).rounded_up())
    }

    /// ρ, at most 2^52.
    #[cfg(target_arch = "x86_64")]
    pub(crate) const fn fraction(self) -> u64 {
        self.0
    }

    /// G(c).
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "c < 2^51 and ρ ≤ 2^52, so G(c) < 2^51")]
    pub(crate) const fn handed_out(self, running: u64) -> u64 {
        // c is shifted before, so that G(c) is the high word of the product
        (((running << (u64::BITS - SHIFT)) as u128 * self.0 as u128) >> u64::BITS) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

    #[test]
    fn everything_and_nothing() {
        let most = (1 << 51) - 1;
        assert_eq!(Rate::of(most, most).handed_out(most), most);
        assert_eq!(Rate::of(0, most).handed_out(most), 0);
        assert_eq!(Rate::of(0, 0).handed_out(0), 0);
        assert_eq!(Rate::of(most - 1, most).handed_out(most), most - 1);
        assert_eq!(Rate::of(1, most).handed_out(most), 1);
    }

    proptest! {
        #[test]
        fn conserves_and_stays_within_one_lot(
            sizes in prop::collection::vec(0u64..1 << 45, 1..60),
            part in 0u64..=1_000_000,
        ) {
            let whole: u64 = sizes.iter().sum();
            let rest = u64::try_from(u128::from(whole) * u128::from(part) / 1_000_000).unwrap();
            let rate = Rate::of(rest, whole);
            let (mut running, mut before) = (0, 0);
            for size in sizes {
                running += size;
                let fill = rate.handed_out(running) - before;
                before += fill;
                prop_assert!(fill <= size);
                let distance = (u128::from(fill) * u128::from(whole)).abs_diff(u128::from(size) * u128::from(rest));
                // |fill − e·R/C| < 1 + e / 2^52, both sides times C
                prop_assert!(distance <= u128::from(whole) + ((u128::from(size) * u128::from(whole)) >> 52) + 1);
            }
            prop_assert_eq!(before, rest);
        }
    }
}
