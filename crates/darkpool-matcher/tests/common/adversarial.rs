//! Pools and requests at the places where a rule is likely to break.

use darkpool_matcher::{Lots, Market, Rules, StandingOrder};
use proptest::prelude::{Just, Strategy, prop, prop_oneof};
use proptest::sample::select;

use super::{any_rules, any_spread, lots, order};

/// The greatest amount.
pub(crate) const MOST: u64 = (1 << 51) - 1;

/// Lots of one base unit, so that every number of lots is in range.
pub(crate) fn fine_market() -> impl Strategy<Value = Market> {
    any_rules().prop_map(market_under)
}

pub(crate) fn market_under(rules: Rules) -> Market {
    Market::new(1).unwrap().with_rules(rules)
}

fn size() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0u64..6, 2 => 0u64..1_000, 1 => select(vec![1 << 50, MOST, MOST - 1, MOST / 7])]
}

fn sized(at: u16, sizes: &[u64]) -> Vec<StandingOrder> {
    sizes.iter().zip(0..).map(|(&size, who)| order(who, at, size)).collect()
}

/// All at one spread and of one size.
fn ties() -> impl Strategy<Value = Vec<StandingOrder>> {
    (any_spread(), size(), 1usize..40).prop_map(|(at, size, number)| sized(at.get(), &vec![size; number]))
}

/// All at one spread.
fn one_level() -> impl Strategy<Value = Vec<StandingOrder>> {
    (any_spread(), prop::collection::vec(size(), 0..40)).prop_map(|(at, sizes)| sized(at.get(), &sizes))
}

/// Some may give nothing: a cap, a size or a balance of zero.
fn empty_hands() -> impl Strategy<Value = Vec<StandingOrder>> {
    let zero = select(vec![Lots::ZERO, Lots::MAX]);
    let row = (any_spread(), size(), zero.clone(), zero.clone(), zero);
    prop::collection::vec(row, 0..20).prop_map(|rows| {
        let limited =
            |(at, size, cap, balance, all): (darkpool_matcher::Spread, u64, Lots, Lots, Lots)| StandingOrder {
                cap,
                balance: balance.min(lots(size)),
                size: all.min(lots(size)),
                ..order(1, at.get(), size)
            };
        rows.into_iter().map(limited).collect()
    })
}

/// Spreads over the whole range, sizes that double.
fn ladder() -> impl Strategy<Value = Vec<StandingOrder>> {
    (0u16..47, 1u16..350).prop_map(|(steps, width)| (0..steps).map(|i| order(1, i * width, 1 << i)).collect())
}

/// The sum is 2^51 − 1, one less, or 2^51.
fn edge() -> impl Strategy<Value = Vec<StandingOrder>> {
    (prop::collection::vec((any_spread(), 1u64..1 << 46), 0..20), select(vec![0, 1, 2])).prop_map(|(rows, more)| {
        let given: u64 = rows.iter().map(|(_, size)| size).sum();
        let last = (MOST - 1 + more - given).min(MOST);
        let orders = rows.into_iter().map(|(at, size)| order(1, at.get(), size));
        orders.chain([order(2, 7, last)]).collect()
    })
}

/// Minimums that only some of the orders can meet.
fn shy() -> impl Strategy<Value = Vec<StandingOrder>> {
    prop::collection::vec((100u16..103, 0u64..8, 0u64..6), 0..20).prop_map(|rows| {
        rows.into_iter().map(|(at, size, least)| StandingOrder { minimum: lots(least), ..order(1, at, size) }).collect()
    })
}

/// A pool of one of these shapes.
pub(crate) fn shaped_pool() -> impl Strategy<Value = Vec<StandingOrder>> {
    prop_oneof![
        1 => Just(vec![]),
        1 => (any_spread(), size()).prop_map(|(at, size)| vec![order(1, at.get(), size)]),
        3 => ties(),
        3 => one_level(),
        2 => empty_hands(),
        2 => ladder(),
        2 => edge(),
        3 => shy(),
    ]
}

/// What the orders can give together, without minimums.
pub(crate) fn depth(orders: &[StandingOrder]) -> u128 {
    orders.iter().map(|order| u128::from(order.size.min(order.balance).min(order.cap).get())).sum()
}

/// A size at a boundary of the pool or of the unit, or somewhere between.
pub(crate) fn size_for(orders: &[StandingOrder]) -> impl Strategy<Value = Lots> + use<> {
    let depth = u64::try_from(depth(orders)).unwrap_or(MOST).min(MOST);
    let near = [depth.saturating_sub(1), depth, (depth + 1).min(MOST), depth / 2, 0, 1, 2, MOST - 1, MOST];
    prop_oneof![3 => select(near.to_vec()), 1 => 0..=depth].prop_map(lots)
}

/// A pool, a canonical order over it, and a size.
pub(crate) fn adversarial() -> impl Strategy<Value = (Vec<StandingOrder>, Vec<u32>, Lots)> {
    shaped_pool().prop_flat_map(|orders| {
        let permutation = Just(super::in_order(&orders)).prop_shuffle();
        let size = size_for(&orders);
        (Just(orders), permutation, size)
    })
}
