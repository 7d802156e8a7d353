//! Amounts of the asset that is cleared.

use super::bounded;
use crate::kernel::division::divide;
use crate::market::Market;

/// Amounts stay below two to this power: more than all satoshi there will be (2.1 · 10^15).
pub(crate) const AMOUNT_BITS: u32 = 51;
/// The greatest amount.
pub(crate) const AMOUNT_MAX: u64 = (1 << AMOUNT_BITS) - 1;

bounded! {
    /// An amount in the asset's smallest unit (satoshi for bitcoin).
    ///
    /// *Units*: base units, below 2^51. A token with 18 decimals is brought to 10^8 units per coin at
    /// the boundary.
    BaseUnits(u64), "base units", 0, AMOUNT_MAX
}

bounded! {
    /// An amount in lots, the unit in which orders are filled.
    ///
    /// *Units*: lots of [`Market::lot`] base units, below 2^51.
    Lots(u64), "lots", 0, AMOUNT_MAX
}

impl Default for Lots {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Lots {
    /// No lots.
    pub const ZERO: Self = Self(0);

    /// The whole lots inside an amount: the rule for sizes that a maker offers.
    ///
    /// *Timing*: constant; no division instruction.
    #[must_use]
    pub fn floor(amount: BaseUnits, market: &Market) -> Self {
        Self(divide::<AMOUNT_BITS>(amount.get(), market.lot()).quotient)
    }

    /// The least number of lots that covers an amount: the rule for a request's size and for minimums.
    ///
    /// *Timing*: constant; no division instruction.
    #[must_use]
    pub fn ceil(amount: BaseUnits, market: &Market) -> Self {
        Self(divide::<AMOUNT_BITS>(amount.get(), market.lot()).rounded_up())
    }

    /// Wraps a number that the arithmetic keeps in range; the mask holds it there whatever happens.
    pub(crate) const fn masked(value: u64) -> Self {
        Self(value & AMOUNT_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OutOfRange;

    #[test]
    fn the_bound_is_two_to_the_51() {
        assert_eq!(Lots::new(AMOUNT_MAX), Ok(Lots::MAX));
        let expected = OutOfRange { unit: "lots", least: 0, greatest: (1 << 51) - 1, found: 1 << 51 };
        assert_eq!(Lots::new(1 << 51), Err(expected));
        assert_eq!(BaseUnits::new(u64::MAX).map_err(|e| e.unit), Err("base units"));
    }

    #[test]
    fn offers_round_down_and_requests_round_up() {
        let market = Market::new(1_000_000).unwrap();
        for (units, down, up) in [(0, 0, 0), (1, 0, 1), (999_999, 0, 1), (1_000_000, 1, 1), (1_000_001, 1, 2)] {
            let amount = BaseUnits::new(units).unwrap();
            assert_eq!(Lots::floor(amount, &market).get(), down);
            assert_eq!(Lots::ceil(amount, &market).get(), up);
        }
        let one = Market::new(1).unwrap();
        assert_eq!(Lots::floor(BaseUnits::MAX, &one), Lots::MAX);
        assert_eq!(Lots::ceil(BaseUnits::MAX, &one), Lots::MAX);
    }
}
