//! The invariants of a clearing, by their numbers in `docs/spec/clearing.md`.
#![allow(clippy::unwrap_used, reason = "a test may stop at a surprise")]

mod common;

use common::{
    Draw, any_pool, any_price, any_request, cases, in_order, lots, market, order, plain_pool, price, refused, request,
    run, run_with, sizes, spread,
};
use darkpool_matcher::{Fill, Notional, Outcome, Reason, Request, StandingOrder, SuccessRule, reference};
use proptest::prelude::{Just, Strategy, prop, prop_assert, prop_assert_eq, prop_assume, proptest};

fn capacity(request: &Request, order: &StandingOrder) -> u64 {
    let (_, fills) = reference_alone(request, order);
    fills
}

/// What one order can give at most: alone against a request that takes all there is.
fn reference_alone(request: &Request, order: &StandingOrder) -> (Outcome, u64) {
    let all = Request { size: lots((1 << 51) - 1), success: SuccessRule::AtLeast(lots(0)), ..*request };
    let one = darkpool_matcher::Market::new(1).unwrap();
    let (outcome, fills) = reference::clear(&all, &[*order], &[0], price(), &one).unwrap();
    (outcome, fills[0].lots.get())
}

fn premium(orders: &[StandingOrder], fills: &[Fill]) -> u64 {
    orders.iter().zip(fills).map(|(order, fill)| u64::from(order.spread.get()) * fill.lots.get()).sum()
}

proptest! {
    #![proptest_config(cases(1_000))]

    /// 1, 2, 3 and 10: sums, capacities, admissible spreads, and zeros in every failure.
    #[test]
    fn fills_conserve_and_stay_within_capacity(
        (orders, permutation) in any_pool(30), request in any_request(), price in any_price(),
    ) {
        let (outcome, fills) = run_with(&request, &orders, &permutation, price, &market()).unwrap();
        prop_assert_eq!(fills.len(), orders.len());
        prop_assert_eq!(sizes(&fills).iter().sum::<u64>(), outcome.filled.get());
        prop_assert_eq!(fills.iter().map(|f| f.notional.get()).sum::<u128>(), outcome.total.get());
        prop_assert_eq!(outcome.success, outcome.reason == Reason::Ok);
        if !outcome.success {
            prop_assert!(fills.iter().all(|fill| *fill == Fill::default()));
            return Ok(());
        }
        match request.success {
            SuccessRule::AllOrNone => prop_assert_eq!(outcome.filled, request.size),
            SuccessRule::AtLeast(least) => prop_assert!(outcome.filled >= least && outcome.filled <= request.size),
        }
        let admissible = request.schedule.at(request.deadline);
        for (order, fill) in orders.iter().zip(&fills).filter(|(_, fill)| fill.lots.get() > 0) {
            prop_assert!(fill.lots.get() <= capacity(&request, order));
            prop_assert!(fill.lots >= order.minimum && order.spread <= admissible);
        }
    }

    /// 4 and 5: a dearer order is filled only after a cheaper one is full; equal spreads share in proportion.
    #[test]
    fn price_has_priority_and_the_margin_is_fair(orders in plain_pool(30), size in 1u64..8_000) {
        let (outcome, fills) = run(&request(size), &orders);
        prop_assume!(outcome.success);
        let rows: Vec<_> = orders.iter().zip(sizes(&fills)).map(|(o, fill)| (o.spread, o.size.get(), fill)).collect();
        for &(spread_i, e_i, fill_i) in &rows {
            for &(spread_j, e_j, fill_j) in &rows {
                prop_assert!(fill_i == e_i || fill_j == 0 || spread_j <= spread_i);
                if spread_i == spread_j {
                    // capacities below 2^10 make the reciprocal's slack less than one unit of the product
                    prop_assert!((fill_i * e_j).abs_diff(fill_j * e_i) <= e_i + e_j + 1);
                }
            }
        }
    }

    /// 6: with the canonical order given, the order of arrival changes nothing.
    #[test]
    fn arrival_does_not_matter(
        ((orders, canonical), arrival) in any_pool(30).prop_flat_map(|(orders, canonical)| {
            let arrival = Just(in_order(&orders)).prop_shuffle();
            (Just((orders, canonical)), arrival)
        }),
        request in any_request(),
    ) {
        let (expected, fills) = run_with(&request, &orders, &canonical, price(), &market()).unwrap();
        let moved: Vec<_> = arrival.iter().map(|&slot| orders[slot as usize]).collect();
        let place = |slot: u32| u32::try_from(arrival.iter().position(|&at| at == slot).unwrap()).unwrap();
        let canonical: Vec<u32> = canonical.iter().map(|&slot| place(slot)).collect();
        let (found, moved_fills) = run_with(&request, &moved, &canonical, price(), &market()).unwrap();
        prop_assert_eq!(found, expected);
        for (at, &slot) in arrival.iter().enumerate() {
            prop_assert_eq!(moved_fills[at], fills[slot as usize]);
        }
    }

    /// 7: more demand takes at most one lot from anybody.
    #[test]
    fn a_larger_request_lowers_no_fill_by_more_than_one(orders in plain_pool(30), size in 1u64..8_000, more in 0u64..500) {
        let (first, before) = run(&request(size), &orders);
        let (second, after) = run(&request(size + more), &orders);
        prop_assume!(first.success && second.success);
        for (before, after) in sizes(&before).into_iter().zip(sizes(&after)) {
            prop_assert!(after + 1 >= before);
        }
    }

    /// 7: another maker never raises the premium.
    #[test]
    fn another_maker_never_raises_the_premium(
        orders in plain_pool(30), size in 1u64..8_000, at in 90u16..110, offer in 0u64..1_000, place in 0usize..30,
    ) {
        let (outcome, fills) = run(&request(size), &orders);
        prop_assume!(outcome.success);
        let mut more = orders.clone();
        more.insert(place.min(orders.len()), order(9, at, offer));
        let (second, after) = run(&request(size), &more);
        prop_assert!(second.success);
        prop_assert!(premium(&more, &after) <= premium(&orders, &fills));
    }

    /// 7: asking more never earns more than one lot.
    #[test]
    fn a_higher_spread_raises_no_fill_by_more_than_one(
        orders in plain_pool(30), size in 1u64..8_000, who in any_index(), by in 1u16..5,
    ) {
        let (outcome, before) = run(&request(size), &orders);
        prop_assume!(outcome.success);
        let who = who.index(orders.len());
        let mut dearer = orders.clone();
        dearer[who].spread = spread(dearer[who].spread.get() + by);
        let (second, after) = run(&request(size), &dearer);
        prop_assert!(second.success);
        prop_assert!(after[who].lots.get() <= before[who].lots.get() + 1);
    }

    /// 12: what one request reserved, the next cannot fill again.
    #[test]
    fn nothing_is_filled_twice(orders in plain_pool(20), wanted in prop::collection::vec(1u64..2_000, 1..6)) {
        let mut left = orders.clone();
        let mut given = vec![0; orders.len()];
        for size in wanted {
            let (_, fills) = run(&request(size), &left);
            for ((order, given), fill) in left.iter_mut().zip(&mut given).zip(sizes(&fills)) {
                *given += fill;
                order.balance = lots(order.balance.get() - fill);
            }
        }
        for (order, given) in orders.iter().zip(given) {
            prop_assert!(given <= order.balance.get());
        }
    }

    /// Each notional is the exact formula rounded up, and the rounding costs less than one unit per fill.
    #[test]
    fn notionals_round_up_once_per_fill(orders in plain_pool(30), size in 1u64..8_000, at in 1u64..1 << 50) {
        let price = common::priced(at);
        let (outcome, fills) = run_with(&request(size), &orders, &in_order(&orders), price, &market()).unwrap();
        let price = price.unwrap().price();
        for (order, fill) in orders.iter().zip(&fills) {
            prop_assert_eq!(fill.notional, reference::notional(&market(), fill.lots, price, order.spread));
            prop_assert_eq!(fill.notional, market().notional(fill.lots, price, order.spread));
        }
        prop_assert_eq!(Notional::new(fills.iter().map(|f| f.notional.get()).sum()), outcome.total);
    }
}

fn any_index() -> impl Strategy<Value = prop::sample::Index> {
    proptest::prelude::any::<prop::sample::Index>()
}

/// The least premium over every way to take `want` lots.
fn cheapest(orders: &[StandingOrder], want: u64) -> Option<u64> {
    let Some((order, rest)) = orders.split_first() else {
        return (want == 0).then_some(0);
    };
    let fills = 0..=order.size.get().min(want);
    fills.filter_map(|fill| cheapest(rest, want - fill).map(|cost| cost + fill * u64::from(order.spread.get()))).min()
}

/// 9: optimal against brute force.
#[test]
fn the_premium_is_the_least_possible() {
    let mut draw = Draw(9);
    for case in 0..400 {
        let number = 1 + draw.below(8);
        let orders: Vec<_> =
            (0..number).map(|_| order(1, 100 + u16::try_from(draw.below(5)).unwrap(), draw.below(4))).collect();
        let want = 1 + draw.below(12);
        let (outcome, fills) = run(&request(want), &orders);
        let least = cheapest(&orders, want);
        assert_eq!(outcome.success, least.is_some(), "case {case}");
        assert_eq!(outcome.success.then(|| premium(&orders, &fills)), least, "case {case}");
    }
}

/// The least premium under minimum interactions, over every set of makers; `None` if no set will do.
fn cheapest_with_minimums(orders: &[StandingOrder], want: u64) -> Option<u64> {
    (0..1u32 << orders.len()).filter_map(|set| premium_of_set(orders, set, want)).min()
}

fn premium_of_set(orders: &[StandingOrder], set: u32, want: u64) -> Option<u64> {
    let mut chosen: Vec<_> = orders.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1).map(|(_, o)| o).collect();
    chosen.sort_by_key(|order| order.spread);
    let cost = |order: &StandingOrder, lots: u64| lots * u64::from(order.spread.get());
    let mut rest = want.checked_sub(chosen.iter().map(|order| order.minimum.get()).sum())?;
    let mut premium = 0;
    for order in chosen {
        let more = rest.min(order.size.get().checked_sub(order.minimum.get())?);
        premium += cost(order, order.minimum.get() + more);
        rest -= more;
    }
    (rest == 0).then_some(premium)
}

/// The rule for minimum interactions is a rule and not an optimum: how far it is from one.
#[test]
fn the_gap_of_the_minimum_rule_is_known() {
    let mut draw = Draw(12);
    let (mut feasible, mut cleared, mut optimal, mut excess, mut least) = (0, 0, 0, 0, 0);
    for case in 0..1_000 {
        let number = 2 + draw.below(11);
        let orders = draw.orders(number);
        let want = 1 + draw.below(200);
        let (outcome, fills) = run(&request(want), &orders);
        let best = cheapest_with_minimums(&orders, want);
        let found = outcome.success.then(|| premium(&orders, &fills));
        assert!(found.is_none() || (best.is_some() && found >= best), "case {case}: below the optimum");
        feasible += u32::from(best.is_some());
        if let (Some(found), Some(best)) = (found, best) {
            cleared += 1;
            optimal += u32::from(found == best);
            excess += found - best;
            least += best;
        }
    }
    assert_eq!((feasible, cleared, optimal, excess, least), (798, 785, 763, 277, 6_950_548));
}

/// 10: every failure is the same shape, whatever the reason.
#[test]
fn every_failure_has_the_shape_of_success() {
    let pool = [order(1, 100, 10), order(2, 101, 10), StandingOrder { minimum: lots(8), ..order(3, 102, 10) }];
    let huge = [order(1, 100, (1 << 51) - 1), order(2, 100, 1), order(3, 100, 1)];
    let one = darkpool_matcher::Market::new(1).unwrap();
    let cases = [
        (request(15), pool, price(), Reason::Ok),
        (request(15), pool, refused(), Reason::Price),
        (request(31), pool, price(), Reason::TooSmall),
        (request(21), pool, price(), Reason::Minimum),
        (request(15), huge, price(), Reason::TooLarge),
    ];
    for (request, orders, price, reason) in cases {
        let (outcome, fills) = run_with(&request, &orders, &in_order(&orders), price, &one).unwrap();
        assert_eq!(outcome.reason, reason);
        assert_eq!(outcome.success, reason == Reason::Ok);
        assert_eq!(fills.len(), orders.len());
        if !outcome.success {
            assert_eq!((outcome.filled.get(), outcome.total), (0, Notional::ZERO));
            assert_eq!(fills, vec![Fill::default(); orders.len()]);
        }
    }
}
