//! The public constants of one market.

use crate::error::OutOfRange;
use crate::kernel::division::ceil_by_ten_to_14;
use crate::rules::{Allocation, Pricing, Rules, Solves};
use crate::types::{AMOUNT_MAX, Lots, MicroDollars, Notional, Spread};

/// Base units in one coin: prices are per coin, amounts in base units.
pub const BASE_UNITS_PER_COIN: u64 = 100_000_000;

/// Spread units in one whole: a spread is in 1/100 of a basis point.
const SPREAD_UNITS: u128 = 1_000_000;

/// [`Rules::default`] while compiling.
const DEFAULT_RULES: Rules = Rules { allocation: Allocation::ProRata, pricing: Pricing::PayAsBid, solves: Solves::MAX };

/// The configuration of one asset. Public, fixed by contract configuration.
///
/// *Units*: base units per lot; 10^8 base units per coin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Market {
    lot: u64,
    rules: Rules,
}

/// The rules of a market as the kernel follows them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) allocation: Allocation,
    pub(crate) solves: u8,
    /// Passes of two bits each in which rule B finds its level.
    pub(crate) level_passes: u32,
}

impl Market {
    /// A market that trades in multiples of `lot` base units, under the default rules.
    ///
    /// *Errors*: [`OutOfRange`] for zero and from 2^51.
    pub const fn new(lot: u64) -> Result<Self, OutOfRange> {
        if lot == 0 || lot > AMOUNT_MAX {
            return Err(OutOfRange {
                unit: "base units per lot",
                least: 1,
                greatest: AMOUNT_MAX as u128,
                found: lot as u128,
            });
        }
        Ok(Self { lot, rules: DEFAULT_RULES })
    }

    /// The same market under other rules.
    #[must_use]
    pub const fn with_rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// What it clears by.
    #[must_use]
    pub const fn rules(&self) -> Rules {
        self.rules
    }

    /// Rule B's level is at most the size of a request, which is at most ⌊(2^51 − 1) / lot⌋ lots.
    pub(crate) const fn plan(&self) -> Plan {
        let bits = u64::BITS - (AMOUNT_MAX / self.lot).leading_zeros();
        let Rules { allocation, solves, .. } = self.rules;
        Plan { allocation, solves: solves.get(), level_passes: bits.div_ceil(2) }
    }

    /// Base units per lot.
    #[must_use]
    pub const fn lot(&self) -> u64 {
        self.lot
    }

    /// ⌈lots · lot · price · (10^6 + spread) / 10^14⌉: what one fill costs, rounded up to the maker.
    ///
    /// *Units*: lots in, micro-dollars out.
    ///
    /// *Security*: exact while lots · lot is below 2^51, which holds for every fill of a clearing: the product
    /// is then below 2^51 · 2^50 · 2^20. *Timing*: constant; no division.
    #[must_use]
    pub const fn notional(&self, lots: Lots, price: MicroDollars, spread: Spread) -> Notional {
        self.notional_of(lots.get(), price.get(), spread.get() as u64)
    }

    /// [`Self::notional`] over bare numbers; a price of zero costs nothing.
    pub(crate) const fn notional_of(&self, lots: u64, price: u64, spread: u64) -> Notional {
        let units = lots.wrapping_mul(self.lot) & AMOUNT_MAX;
        let at_price = units as u128 * price as u128;
        Notional::new(ceil_by_ten_to_14(at_price.wrapping_mul(SPREAD_UNITS + spread as u128)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(value: u64) -> MicroDollars {
        MicroDollars::new(value).unwrap()
    }

    #[test]
    fn one_coin_at_par_costs_its_price() {
        let market = Market::new(1_000_000).unwrap();
        let coin = Lots::new(100).unwrap();
        let par = market.notional(coin, price(60_000_000_000), Spread::MIN);
        assert_eq!(par, Notional::new(60_000_000_000));
        let dearer = market.notional(coin, price(60_000_000_000), Spread::new(10_000).unwrap());
        assert_eq!(dearer, Notional::new(60_600_000_000));
    }

    #[test]
    fn a_fraction_of_a_micro_dollar_goes_to_the_maker() {
        let market = Market::new(1).unwrap();
        let one = Lots::new(1).unwrap();
        assert_eq!(market.notional(one, price(1), Spread::MIN), Notional::new(1));
        assert_eq!(market.notional(one, price(100_000_000), Spread::MIN), Notional::new(1));
        assert_eq!(market.notional(one, price(100_000_000), Spread::new(1).unwrap()), Notional::new(2));
        assert_eq!(market.notional(Lots::ZERO, price(100_000_000), Spread::MAX), Notional::ZERO);
    }

    #[test]
    fn the_greatest_notional_is_exact() {
        let market = Market::new(1).unwrap();
        let found = market.notional(Lots::MAX, MicroDollars::MAX, Spread::MAX).get();
        let exact = u128::from(Lots::MAX.get()) * u128::from(MicroDollars::MAX.get()) * 1_016_383;
        assert_eq!(found, exact.div_ceil(100_000_000_000_000));
    }

    #[test]
    fn a_lot_of_nothing_is_refused() {
        assert_eq!(Market::new(0).map_err(|e| e.found), Err(0));
        assert_eq!(Market::new(1 << 51).map_err(|e| e.found), Err(1 << 51));
    }
}
