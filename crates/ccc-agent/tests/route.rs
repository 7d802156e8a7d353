//! The choice of a way, against one that tries everything.

#![allow(clippy::cast_precision_loss, reason = "the other computation is one in floating point")]

use ccc_agent::route::{Choice, Point, Terms, Why, choose, impact, worth};
use proptest::prelude::*;

const DOLLAR: u64 = 1_000_000;
const COIN: u64 = 100_000_000;

fn terms() -> Terms {
    let fair = Point { paid: 60_000 * DOLLAR, got: COIN };
    Terms { fair, ceiling: 50_000_000 * DOLLAR, impact: 100, dark_cost: 20, gain: Some(0), lot: 1_000 }
}

/// A pool of constant product with so many dollars on its side, and a fee in 1/10,000.
fn curve(depth: u64, fee: u64, paid: &[u64]) -> Vec<Point> {
    let (dollars, coins) = (u128::from(depth) * u128::from(DOLLAR), u128::from(depth) * u128::from(COIN) / 60_000);
    let points = paid.iter().map(|paid| {
        let after_fee = u128::from(*paid) * u128::from(10_000 - fee) / 10_000;
        let got = coins - dollars * coins / (dollars + after_fee);
        Point { paid: *paid, got: u64::try_from(got).expect("fewer than the pool has") }
    });
    points.collect()
}

/// The rule in other words: every admissible way with its cost, in floating point, and the least of them.
fn cheapest(curve: &[Point], deficit: u64, terms: &Terms) -> f64 {
    let price = terms.fair.paid as f64 / terms.fair.got as f64;
    let dark = |missing: u64| {
        let lots = missing.div_ceil(terms.lot) * terms.lot;
        lots as f64 * price * (1.0 + f64::from(terms.dark_cost) / 10_000.0)
    };
    let mut costs = vec![dark(deficit)];
    for point in curve.iter().filter(|point| point.got > 0 && point.got < deficit) {
        let over = point.paid as f64 / (point.got as f64 * price) - 1.0;
        if point.paid < terms.ceiling && over * 10_000.0 <= f64::from(terms.impact) - 1.0 {
            costs.push(point.paid as f64 + dark(deficit - point.got));
        }
    }
    costs.into_iter().fold(f64::INFINITY, f64::min)
}

fn within_limits(choice: &Choice, terms: &Terms) -> bool {
    choice.direct.is_none_or(|point| point.paid < terms.ceiling && impact(&point, &terms.fair) < terms.impact.into())
}

#[test]
fn a_small_deficit_goes_direct_and_a_large_one_dark() {
    let paid: Vec<u64> = (1..=64).map(|part| part * 1_000_000 * DOLLAR).collect();
    let deep = curve(2_000_000_000, 5, &paid);
    let small = choose(&deep, 10 * COIN, &terms());
    assert!(matches!(small.why, Why::Small { impact } if impact > 0 && impact < 100), "{small:?}");
    assert_eq!(small.dark, 0);
    let large = choose(&deep, 5_000 * COIN, &Terms { gain: None, ..terms() });
    assert_eq!((large.direct, large.dark, large.why), (None, 5_000 * COIN, Why::NoQuote));
    let ceiling = choose(&deep, 900 * COIN, &Terms { gain: None, impact: 1_000, ..terms() });
    assert!(matches!(ceiling.why, Why::Ceiling { paid } if paid >= 50_000_000 * DOLLAR), "{ceiling:?}");
    let shallow = curve(20_000_000, 5, &paid);
    let moved = choose(&shallow, 50 * COIN, &Terms { gain: None, ..terms() });
    assert!(matches!(moved.why, Why::Impact { impact } if impact >= 100), "{moved:?}");
}

/// Exactly at a limit is not below it.
#[test]
fn the_limits_are_the_first_that_are_refused() {
    let point = Point { paid: 50_000_000 * DOLLAR, got: 900 * COIN };
    let wide = Terms { impact: 1_000, gain: None, ..terms() };
    assert_eq!(choose(&[point], 900 * COIN, &wide).direct, None);
    let below = Point { paid: point.paid - 1, ..point };
    assert_eq!(choose(&[below], 900 * COIN, &wide).direct, Some(below));
    let one_percent = Point { paid: 60_600 * DOLLAR, got: COIN };
    assert_eq!(impact(&one_percent, &terms().fair), 100);
    assert_eq!(choose(&[one_percent], COIN, &terms()).direct, None);
    let under = Point { paid: 60_594 * DOLLAR, got: COIN };
    assert_eq!(choose(&[under], COIN, &terms()).direct, Some(under));
}

#[test]
fn a_split_takes_the_cheap_part_in_public() {
    let paid: Vec<u64> = (1..=40).map(|part| part * 250_000 * DOLLAR).collect();
    let points = curve(500_000_000, 5, &paid);
    let choice = choose(&points, 1_000 * COIN, &terms());
    let Why::Split { alone, .. } = choice.why else { panic!("expected a split, found {choice:?}") };
    assert!(choice.cost < alone);
    let direct = choice.direct.expect("a part");
    assert!(direct.got + choice.dark >= 1_000 * COIN);
    assert!(choice.words(1_000 * COIN, &terms()).iter().any(|line| line.starts_with("split: together $")));
    let dear = choose(&points, 1_000 * COIN, &Terms { gain: Some(500), ..terms() });
    assert_eq!(dear.direct, None, "it must be worth what it shows");
}

#[test]
fn impact_survives_the_largest_numbers() {
    let most = Point { paid: u64::MAX, got: 1 };
    assert_eq!(impact(&most, &Point { paid: 1, got: u64::MAX }), u64::MAX);
    assert_eq!(impact(&Point { paid: 1, got: u64::MAX }, &most), 0);
    assert_eq!(impact(&Point { paid: 1, got: 0 }, &terms().fair), u64::MAX);
    assert_eq!(impact(&Point { paid: u64::MAX, got: u64::MAX }, &Point { paid: u64::MAX, got: u64::MAX }), 0);
}

proptest! {
    #[test]
    fn no_admissible_way_is_cheaper(
        depth in 1_000_000u64..5_000_000_000,
        fee in 0u64..100,
        mut paid in prop::collection::vec(1u64..100_000_000, 0..24),
        deficit in 1u64..100_000,
        dark_cost in 0u16..200,
        limit in 2u16..1_000,
        ceiling in 0u64..60_000_000,
    ) {
        paid.sort_unstable();
        let paid: Vec<u64> = paid.into_iter().map(|dollars| dollars * DOLLAR).collect();
        let (points, deficit) = (curve(depth, fee, &paid), deficit * COIN / 100);
        let terms = Terms { dark_cost, impact: limit, ceiling: ceiling * DOLLAR, ..terms() };
        let choice = choose(&points, deficit, &terms);
        prop_assert!(within_limits(&choice, &terms));
        let public = choice.direct.map_or(0, |point| point.got);
        prop_assert!(public + choice.dark >= deficit, "all of it comes");
        prop_assert_eq!(choice.dark % terms.lot, 0);
        if !matches!(choice.why, Why::Small { .. }) {
            let best = cheapest(&points, deficit, &terms);
            prop_assert!(choice.cost as f64 <= best * 1.000_001 + 2.0, "{:?} against {}", choice, best);
        }
        let whole = points.iter().filter(|point| point.got >= deficit).min_by_key(|point| point.paid);
        let small = whole.filter(|point| point.paid < terms.ceiling && impact(point, &terms.fair) < limit.into());
        let direct_alone = matches!(choice.why, Why::Small { .. });
        prop_assert_eq!(direct_alone, small.is_some());
        prop_assert!(!direct_alone || choice.direct == small.copied());
    }

    #[test]
    fn any_numbers_are_chosen_from_without_a_panic(
        points in prop::collection::vec((any::<u64>(), any::<u64>()), 0..8),
        deficit: u64, paid in 1u64.., got in 1u64.., lot: u64, ceiling: u64, limit: u16, dark_cost: u16,
    ) {
        let points: Vec<Point> = points.into_iter().map(|(paid, got)| Point { paid, got }).collect();
        let fair = Point { paid, got };
        let terms = Terms { fair, ceiling, impact: limit, dark_cost, gain: Some(3), lot };
        let choice = choose(&points, deficit, &terms);
        prop_assert!(within_limits(&choice, &terms));
        prop_assert!(choice.words(deficit, &terms).len() >= 2);
        prop_assert!(worth(deficit, &fair) > 0 || deficit == 0);
    }
}
