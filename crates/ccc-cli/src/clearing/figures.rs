//! What a clearing cost and how it was spread over the makers.

use darkpool_matcher::{BASE_UNITS_PER_COIN, Fill, Market, MicroDollars, Outcome, OwnerId, Spread, StandingOrder};
use std::collections::HashMap;

/// One in this many is a unit of the average premium.
const PER_BILLION: u128 = 1_000_000_000;
/// One in this many is a basis point, and a unit of the Herfindahl index.
const TEN_THOUSAND: u128 = 10_000;

/// Figures of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Orders that are filled.
    pub(super) fills: usize,
    /// Accounts that are filled.
    pub(super) makers: usize,
    /// What was paid above the average price, in 10^-9 of it, rounded down.
    pub(super) premium: Option<u128>,
    /// The largest part that one account filled, in basis points, rounded down.
    pub(super) largest_share: u128,
    /// Σ (fill / total)² over the accounts, in 1/10 000, rounded down: 10 000 is one maker alone.
    pub(super) herfindahl: u128,
    /// The greatest spread that was filled.
    pub(super) margin: Option<Spread>,
}

impl Figures {
    pub(super) fn of(
        outcome: &Outcome,
        fills: &[Fill],
        orders: &[StandingOrder],
        market: &Market,
        price: Option<MicroDollars>,
    ) -> Self {
        let filled = || fills.iter().zip(orders).filter(|(fill, _)| fill.lots.get() > 0);
        let mut makers: HashMap<OwnerId, u128> = HashMap::new();
        for (fill, order) in filled() {
            *makers.entry(order.owner).or_default() += u128::from(fill.lots.get());
        }
        let total = u128::from(outcome.filled.get());
        let share = |part: u128, of: u128| (part * TEN_THOUSAND).checked_div(of).unwrap_or(0);
        Self {
            fills: filled().count(),
            makers: makers.len(),
            premium: price.and_then(|price| premium(outcome, market, price)),
            largest_share: share(makers.values().copied().max().unwrap_or(0), total),
            herfindahl: share(makers.values().map(|lots| lots * lots).sum(), total * total),
            margin: filled().map(|(_, order)| order.spread).max(),
        }
    }
}

/// (paid − at the average price) / at the average price. Below 2^126: what is paid is less than 1.02 times that, plus
/// one micro-dollar per fill.
fn premium(outcome: &Outcome, market: &Market, price: MicroDollars) -> Option<u128> {
    let units = u128::from(outcome.filled.get()) * u128::from(market.lot());
    let at_price = units * u128::from(price.get());
    let paid = outcome.total.get().checked_mul(u128::from(BASE_UNITS_PER_COIN))?;
    paid.checked_sub(at_price)?.checked_mul(PER_BILLION)?.checked_div(at_price)
}

#[cfg(test)]
mod tests {
    use super::*;
    use darkpool_matcher::{Lots, Notional, Reason};

    #[test]
    fn makers_are_counted_by_account() {
        let market = Market::new(BASE_UNITS_PER_COIN).expect("a market");
        let price = MicroDollars::new(1_000_000).expect("a price");
        let order = |owner, spread| StandingOrder {
            owner: OwnerId([owner; 20]),
            spread: Spread::new(spread).expect("a spread"),
            ..StandingOrder::EMPTY
        };
        let orders = [order(1, 10), order(1, 30), order(2, 20), order(3, 40)];
        let fills = [10, 20, 70, 0].map(|lots| Fill { lots: Lots::new(lots).expect("lots"), notional: Notional::ZERO });
        let (filled, total) = (Lots::new(100).expect("lots"), Notional::new(100_002_100));
        let outcome = Outcome { success: true, reason: Reason::Ok, filled, total };
        let expected = Figures {
            fills: 3,
            makers: 2,
            premium: Some(21_000),
            largest_share: 7_000,
            herfindahl: 5_800,
            margin: Spread::new(30).ok(),
        };
        assert_eq!(Figures::of(&outcome, &fills, &orders, &market, Some(price)), expected);
    }

    #[test]
    fn nothing_filled_has_no_figures() {
        let outcome = Outcome { success: false, reason: Reason::TooSmall, filled: Lots::ZERO, total: Notional::ZERO };
        let market = Market::new(1).expect("a market");
        let price = MicroDollars::new(1).ok();
        assert_eq!(
            Figures::of(&outcome, &[Fill::default()], &[StandingOrder::EMPTY], &market, price),
            Figures::default()
        );
    }

    #[test]
    fn the_greatest_amounts_have_a_premium() {
        let market = Market::new(1).expect("a market");
        let total = market.notional(Lots::MAX, MicroDollars::MAX, Spread::MAX);
        let outcome = Outcome { success: true, reason: Reason::Ok, filled: Lots::MAX, total };
        assert_eq!(premium(&outcome, &market, MicroDollars::MAX), Some(16_383_000));
    }
}
