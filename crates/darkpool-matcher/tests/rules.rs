//! The invariants under both rules and both ways to pay, over pools made to break them. The numbers are those of
//! `docs/spec/clearing.md`.
#![allow(clippy::unwrap_used, reason = "a test may stop at a surprise")]

mod common;

use common::adversarial::{adversarial, depth, fine_market, market_under};
use common::exhaustive::{least_largest_fill, least_premium};
use common::{
    DEADLINE, Draw, any_market, any_pool, any_request, cases, in_order, lots, market, order, plain_pool, price,
    request, run_with, sizes, spread,
};
use darkpool_matcher::{
    Allocation, Fill, Lots, Market, Outcome, Pricing, Reason, Request, Rules, Solves, SpreadSchedule, StandingOrder,
    SuccessRule, UnixSeconds, reference,
};
use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, proptest};

const EQUAL: Rules = Rules { allocation: Allocation::EqualSplit, pricing: Pricing::PayAsBid, solves: Solves::MAX };

fn clear_under(rules: Rules, size: u64, orders: &[StandingOrder]) -> (Outcome, Vec<Fill>) {
    run_with(&request(size), orders, &in_order(orders), price(), &market_under(rules)).unwrap()
}

fn largest(fills: &[Fill]) -> u64 {
    sizes(fills).into_iter().max().unwrap_or(0)
}

/// What an order gives at most to a request without a dispersion limit.
fn offer(order: &StandingOrder) -> u64 {
    let offered = order.size.min(order.balance).min(order.cap);
    if offered < order.minimum { 0 } else { offered.get() }
}

/// 1, 2 and 10.
fn assert_sums(request: &Request, orders: &[StandingOrder], outcome: &Outcome, fills: &[Fill]) {
    assert_eq!(sizes(fills).iter().sum::<u64>(), outcome.filled.get());
    assert_eq!(fills.iter().map(|fill| fill.notional.get()).sum::<u128>(), outcome.total.get());
    assert_eq!(outcome.success, outcome.reason == Reason::Ok);
    if outcome.success {
        assert!(outcome.filled <= request.size);
        assert!(request.success != SuccessRule::AllOrNone || outcome.filled == request.size);
        let within = |(order, fill): (&StandingOrder, &Fill)| {
            fill.lots.get() <= offer(order) && (fill.lots == Lots::ZERO || fill.lots >= order.minimum)
        };
        assert!(orders.iter().zip(fills).all(within));
    } else {
        assert_eq!(fills, vec![Fill::default(); orders.len()]);
    }
}

/// 4 and 5, where nobody has a minimum.
fn assert_order_of_filling(rules: Rules, orders: &[StandingOrder], fills: &[Fill]) {
    let rows: Vec<_> = orders.iter().zip(sizes(fills)).map(|(o, fill)| (o.spread, offer(o), fill)).collect();
    for &(spread_i, e_i, fill_i) in &rows {
        for &(spread_j, e_j, fill_j) in &rows {
            match rules.allocation {
                // dearer only after cheaper are full; at one spread in proportion, within a lot on either side
                Allocation::ProRata => {
                    assert!(fill_i == e_i || fill_j == 0 || spread_j <= spread_i);
                    let crossed = (u128::from(fill_i) * u128::from(e_j)).abs_diff(u128::from(fill_j) * u128::from(e_i));
                    let slack = u128::from(e_i) + u128::from(e_j) + ((u128::from(e_i) * u128::from(e_j)) >> 51) + 1;
                    assert!(spread_i != spread_j || crossed <= slack);
                }
                // nobody has two lots less than another and more to give
                Allocation::EqualSplit => assert!(fill_i == e_i || fill_j <= fill_i + 1),
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(10_000))]

    /// 1, 2, 4, 5, 10 and 13 at every boundary.
    #[test]
    fn every_boundary_of_every_shape_holds(
        (orders, permutation, size) in adversarial(), market in fine_market(), partly in proptest::bool::ANY,
    ) {
        let success = if partly { SuccessRule::AtLeast(lots(size.get() / 2)) } else { SuccessRule::AllOrNone };
        let request = Request { size, success, ..request(0) };
        let (outcome, fills) = run_with(&request, &orders, &permutation, price(), &market).unwrap();
        assert_sums(&request, &orders, &outcome, &fills);
        if orders.iter().all(|order| order.minimum == Lots::ZERO) {
            assert_order_of_filling(market.rules(), &orders, &fills);
            let enough = depth(&orders) >= u128::from(size.get()) && size > Lots::ZERO;
            prop_assert!(partly || outcome.success == (enough && depth(&orders) < 1 << 51));
        }
        let expected = reference::clear(&request, &orders, &permutation, price(), &market).unwrap();
        prop_assert_eq!((outcome, fills), expected);
    }

}

proptest! {
    #![proptest_config(cases(1_000))]

    /// 3: under one price everybody is paid the greatest filled spread, and nobody below the own.
    #[test]
    fn one_price_is_the_greatest_filled_spread(
        (orders, permutation) in any_pool(30), request in any_request(), market in any_market(),
    ) {
        let rules = market.rules();
        let under = |pricing| {
            let market = market.with_rules(Rules { pricing, ..rules });
            run_with(&request, &orders, &permutation, price(), &market).unwrap()
        };
        let ((own, as_bid), (one, uniform)) = (under(Pricing::PayAsBid), under(Pricing::Uniform));
        prop_assert_eq!((own.reason, sizes(&as_bid)), (one.reason, sizes(&uniform)));
        let filled = orders.iter().zip(&uniform).filter(|(_, fill)| fill.lots > Lots::ZERO);
        let Some(dearest) = filled.clone().map(|(order, _)| order.spread).max() else {
            return Ok(());
        };
        prop_assert!(dearest <= request.schedule.at(request.deadline));
        for (_, fill) in filled {
            prop_assert_eq!(fill.notional, market.notional(fill.lots, price().unwrap().price(), dearest));
        }
        prop_assert!(as_bid.iter().zip(&uniform).all(|(own, one)| own.notional <= one.notional));
    }

    /// 6, for every rule.
    #[test]
    fn arrival_matters_under_no_rule(
        ((orders, canonical), arrival) in any_pool(30).prop_flat_map(|(orders, canonical)| {
            let arrival = Just(in_order(&orders)).prop_shuffle();
            (Just((orders, canonical)), arrival)
        }),
        request in any_request(),
        market in any_market(),
    ) {
        let (expected, fills) = run_with(&request, &orders, &canonical, price(), &market).unwrap();
        let moved: Vec<_> = arrival.iter().map(|&slot| orders[slot as usize]).collect();
        let place = |slot: u32| u32::try_from(arrival.iter().position(|&at| at == slot).unwrap()).unwrap();
        let canonical: Vec<u32> = canonical.iter().map(|&slot| place(slot)).collect();
        let (found, moved_fills) = run_with(&request, &moved, &canonical, price(), &market).unwrap();
        prop_assert_eq!(found, expected);
        prop_assert!(arrival.iter().zip(&moved_fills).all(|(&slot, fill)| *fill == fills[slot as usize]));
    }

    /// 7: under rule B too, more demand takes at most one lot from anybody.
    #[test]
    fn a_larger_request_lowers_no_equal_share_by_more_than_one(
        orders in plain_pool(30), size in 1u64..8_000, more in 0u64..500,
    ) {
        let most = u64::try_from(depth(&orders)).unwrap();
        let (_, before) = clear_under(EQUAL, size.min(most), &orders);
        let (_, after) = clear_under(EQUAL, (size + more).min(most), &orders);
        prop_assert!(sizes(&before).into_iter().zip(sizes(&after)).all(|(before, after)| after + 1 >= before));
    }

    /// 7: another maker never raises the largest equal share.
    #[test]
    fn another_maker_never_raises_the_largest_share(
        orders in plain_pool(30), size in 1u64..8_000, at in 90u16..110, offered in 0u64..1_000, place in 0usize..30,
    ) {
        let size = size.min(u64::try_from(depth(&orders)).unwrap()).max(1);
        let (outcome, fills) = clear_under(EQUAL, size, &orders);
        let mut more = orders.clone();
        more.insert(place.min(orders.len()), order(9, at, offered));
        let (second, after) = clear_under(EQUAL, size, &more);
        prop_assert!(second.success >= outcome.success);
        prop_assert!(!outcome.success || largest(&after) <= largest(&fills));
    }

    /// 7: under rule B an admitted spread changes no fill.
    #[test]
    fn an_equal_share_does_not_depend_on_spreads(
        orders in plain_pool(30), size in 1u64..8_000, seed in proptest::num::u64::ANY,
    ) {
        let mut draw = Draw(seed);
        let mut shuffled = orders.clone();
        for order in &mut shuffled {
            order.spread = spread(u16::try_from(draw.below(16_384)).unwrap());
        }
        let (first, fills) = clear_under(EQUAL, size, &orders);
        let (second, moved) = clear_under(EQUAL, size, &shuffled);
        prop_assert_eq!((first.reason, sizes(&fills)), (second.reason, sizes(&moved)));
    }
}

fn small_pool(draw: &mut Draw, minimums: bool) -> Vec<StandingOrder> {
    let number = 1 + draw.below(12);
    let orders = draw.orders(number);
    let cut = |order: StandingOrder| StandingOrder { minimum: if minimums { order.minimum } else { lots(0) }, ..order };
    orders.into_iter().map(cut).collect()
}

/// 9: no fill at all has a smaller premium than rule A's, and none a smaller largest fill than rule B's.
#[test]
fn both_rules_are_optimal_where_no_minimum_binds() {
    let mut draw = Draw(90);
    for case in 0..1_500 {
        let orders = small_pool(&mut draw, false);
        let want = 1 + draw.below(160);
        let (outcome, fills) = clear_under(Rules::default(), want, &orders);
        let premium = orders.iter().zip(sizes(&fills)).map(|(o, fill)| u64::from(o.spread.get()) * fill).sum();
        assert_eq!(outcome.success.then_some(premium), least_premium(&orders, want), "case {case}");
        let (outcome, fills) = clear_under(EQUAL, want, &orders);
        let found = outcome.success.then(|| largest(&fills));
        assert_eq!(found, least_largest_fill(&orders, want), "case {case}");
    }
}

/// Rule B with minimums is a rule and not an optimum, like rule A.
#[test]
fn the_gap_of_the_minimum_rule_is_known_for_equal_shares() {
    let mut draw = Draw(12);
    let (mut feasible, mut cleared, mut optimal) = (0, [0; 4], [0; 4]);
    let (mut excess, mut least) = (0, 0);
    for case in 0..1_000 {
        let orders = small_pool(&mut draw, true);
        let want = 1 + draw.below(200);
        let best = least_largest_fill(&orders, want);
        feasible += u32::from(best.is_some());
        for (solves, (cleared, optimal)) in (1..).zip(cleared.iter_mut().zip(&mut optimal)) {
            let rules = Rules { solves: Solves::new(solves).unwrap(), ..EQUAL };
            let (outcome, fills) = clear_under(rules, want, &orders);
            let found = outcome.success.then(|| largest(&fills));
            assert!(found.is_none() || (best.is_some() && found >= best), "case {case}: below the optimum");
            *cleared += u32::from(found.is_some());
            *optimal += u32::from(found.is_some() && found == best);
            if let (4, Some(found), Some(best)) = (solves, found, best) {
                excess += found - best;
                least += best;
            }
        }
    }
    assert_eq!((feasible, cleared, optimal), (743, [392, 729, 738, 741], [392, 576, 584, 587]));
    assert_eq!((excess, least), (548, 13_051));
}

#[test]
fn the_equal_split_of_small_pools() {
    let split = |size, offers: &[u64]| {
        let orders: Vec<_> = offers.iter().zip(0..).map(|(&offer, at)| order(1, 100 + at, offer)).collect();
        let (outcome, fills) = clear_under(EQUAL, size, &orders);
        outcome.success.then(|| sizes(&fills))
    };
    assert_eq!(split(9, &[10, 10, 10]), Some(vec![3, 3, 3]));
    assert_eq!(split(10, &[10, 10, 10]), Some(vec![3, 3, 4]));
    assert_eq!(split(11, &[10, 10, 10]), Some(vec![3, 4, 4]));
    assert_eq!(split(11, &[2, 10, 10]), Some(vec![2, 4, 5]));
    assert_eq!(split(22, &[2, 10, 10]), Some(vec![2, 10, 10]));
    assert_eq!(split(23, &[2, 10, 10]), None);
    assert_eq!(split(1, &[0, 0, 7]), Some(vec![0, 0, 1]));
    assert_eq!(split(1, &[7, 7, 7]), Some(vec![0, 0, 1]));
    assert_eq!(split(0, &[7, 7, 7]), None);
    let most = (1 << 51) - 1;
    assert_eq!(split(most, &[most]), Some(vec![most]));
    assert_eq!(split(most, &[most - 1, 1]), Some(vec![most - 1, 1]));
    assert_eq!(split(most / 2, &[most]), Some(vec![most / 2]));
}

/// As [`Market`] finds it, a lot bounds the level, and the passes reach every level within the bound.
#[test]
fn the_greatest_level_of_every_lot_is_found() {
    let most = (1u64 << 51) - 1;
    for exponent in 0..51 {
        for lot in [1u64 << exponent, (1 << exponent) + 1, (1 << (exponent + 1)) - 1].map(|lot| lot.min(most)) {
            let market = Market::new(lot).unwrap().with_rules(EQUAL);
            let size = most / lot;
            let orders = [order(1, 100, most)];
            let (outcome, fills) = run_with(&request(size), &orders, &[0], price(), &market).unwrap();
            assert_eq!((outcome.reason, sizes(&fills)), (Reason::Ok, vec![size]), "lot {lot}");
        }
    }
}

#[test]
fn spreads_admit_under_rule_b_and_do_no_more() {
    let limited = Request { schedule: darkpool_matcher::SpreadSchedule::flat(spread(150)), ..request(10) };
    let orders = [order(1, 100, 10), order(2, 150, 10), order(3, 151, 10)];
    let market = market().with_rules(Rules { pricing: Pricing::Uniform, ..EQUAL });
    let (_, fills) = run_with(&limited, &orders, &in_order(&orders), price(), &market).unwrap();
    assert_eq!(sizes(&fills), [5, 5, 0]);
    let at = |s| market.notional(lots(5), price().unwrap().price(), spread(s));
    assert!(at(100) < at(150), "a rounding hides which spread is paid");
    assert_eq!([fills[0].notional, fills[1].notional], [at(150), at(150)]);
}

/// The premium slides, is evaluated once, at the deadline, and admits; what everybody is paid is the dearest spread filled
/// and not the premium.
#[test]
fn a_sliding_premium_admits_and_one_price_pays_the_dearest_filled_spread() {
    let (rising, falling) = ((0, 300), (300, 0));
    let orders = [order(1, 100, 10), order(2, 150, 10), order(3, 151, 10)];
    let market = market().with_rules(Rules { pricing: Pricing::Uniform, ..Rules::default() });
    let at = |number: u64, s| market.notional(lots(number), price().unwrap().price(), spread(s));
    assert!(at(1, 150) < at(1, 151) && at(1, 151) < at(1, 153), "a rounding hides which spread is paid");
    for (s0, s1) in [rising, falling] {
        let schedule = SpreadSchedule {
            s0: spread(s0),
            s1: spread(s1),
            t0: UnixSeconds(DEADLINE.0 - 50),
            t1: UnixSeconds(DEADLINE.0 + 50),
        };
        let fills = |size, deadline| {
            let request = Request { schedule, deadline: UnixSeconds(deadline), ..request(size) };
            run_with(&request, &orders, &in_order(&orders), price(), &market).unwrap().1
        };
        let paid = |size, deadline| fills(size, deadline).iter().map(|fill| fill.notional).collect::<Vec<_>>();
        // 150 in the middle: the cheapest alone is paid its own spread, two are paid the second's, and the third is never admitted
        assert_eq!(paid(10, DEADLINE.0), [at(10, 100), at(0, 0), at(0, 0)]);
        assert_eq!(paid(15, DEADLINE.0), [at(10, 150), at(5, 150), at(0, 0)]);
        assert_eq!(sizes(&fills(21, DEADLINE.0)), [0, 0, 0]);
        // one second to the side of the greater premium, 153, admits it
        let later = if s0 < s1 { DEADLINE.0 + 1 } else { DEADLINE.0 - 1 };
        assert_eq!(paid(21, later), [at(10, 151), at(10, 151), at(1, 151)]);
    }
}

#[test]
fn one_solve_drops_nothing() {
    let shy = StandingOrder { minimum: lots(2), ..order(1, 100, 10) };
    for allocation in [Allocation::ProRata, Allocation::EqualSplit] {
        for (solves, reason) in [(1, Reason::Minimum), (2, Reason::Ok)] {
            let rules = Rules { allocation, solves: Solves::new(solves).unwrap(), ..Rules::default() };
            // in canonical order the odd lot of an equal split is the last one's
            let orders = [order(2, 101, 10), shy];
            assert_eq!(clear_under(rules, 1, &orders).0.reason, reason, "{solves} solves");
        }
    }
}
