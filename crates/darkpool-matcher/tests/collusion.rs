//! What makers that are filled to the dispersion limit can find out about a request by putting their fills together.
//!
//! A secret is a size and a draw. A maker knows the bounds of the draw, its own order and its fill.
#![allow(clippy::unwrap_used, reason = "a test may stop at a surprise")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{in_order, lots, market, order, price, request, run_with, sizes};
use darkpool_matcher::{Allocation, BasisPoints, Pricing, Request, Rules, SuccessRule, dispersion_limit};

/// The bounds of the draw, in basis points: a fifth to two fifths of the size.
const LOW: u16 = 2_000;
const HIGH: u16 = 4_000;

type Secret = (u64, u64);

/// Every size up to 120 lots under 41 draws.
fn secrets() -> impl Iterator<Item = Secret> {
    (1..=120).flat_map(|size| (0..41).map(move |part| (size, part * (u64::MAX / 41))))
}

fn limit((size, draw): Secret) -> u64 {
    let bound = |value| BasisPoints::new(value).unwrap();
    dispersion_limit(draw, bound(LOW), bound(HIGH), lots(size)).get()
}

/// The fills of four makers that could each fill any of the sizes alone.
fn fills(secret: Secret, allocation: Allocation) -> Vec<u64> {
    let orders: Vec<_> = (0..4).map(|i| order(i, 100 + u16::from(i), 1_000)).collect();
    let success = SuccessRule::AtLeast(lots(1));
    let request = Request { success, dispersion: Some(lots(limit(secret))), ..request(secret.0) };
    let market = market().with_rules(Rules { allocation, ..Rules::default() });
    sizes(&run_with(&request, &orders, &in_order(&orders), price(), &market).unwrap().1)
}

/// What each of four makers is told of its fill: lots and what it is paid.
fn told(secret: Secret, allocation: Allocation, pricing: Pricing) -> Vec<(u64, u128)> {
    let orders: Vec<_> = (0..4).map(|i| order(i, 100 + u16::from(i), 1_000)).collect();
    let success = SuccessRule::AtLeast(lots(1));
    let request = Request { success, dispersion: Some(lots(limit(secret))), ..request(secret.0) };
    let market = market().with_rules(Rules { allocation, pricing, ..Rules::default() });
    let fills = run_with(&request, &orders, &in_order(&orders), price(), &market).unwrap().1;
    fills.iter().map(|fill| (fill.lots.get(), fill.notional.get())).collect()
}

/// The different views that these makers have together, by the limit and by which of the four they are; with each limit
/// the sizes that lead to it.
type Views = BTreeMap<(u64, Vec<usize>), (BTreeSet<Vec<(u64, u128)>>, BTreeSet<u64>)>;

fn joint_views(allocation: Allocation, pricing: Pricing) -> Views {
    let mut views = Views::new();
    for secret in secrets() {
        let (told, limit) = (told(secret, allocation, pricing), limit(secret));
        let capped: Vec<_> = (0..4).filter(|maker| told[*maker].0 >= limit).collect();
        let joint = capped.iter().map(|maker| told[*maker]).collect();
        let (seen, sizes) = views.entry((limit, capped)).or_default();
        seen.insert(joint);
        sizes.insert(secret.0);
    }
    views
}

/// The secrets under which each of these fills is the limit.
fn consistent(capped: &[u64]) -> BTreeSet<Secret> {
    secrets().filter(|secret| capped.iter().all(|fill| limit(*secret) == *fill)).collect()
}

/// Every set of fills at the limit that some secret and some rule lead to.
fn views() -> BTreeSet<Vec<u64>> {
    let mut views = BTreeSet::new();
    for secret in secrets() {
        for allocation in [Allocation::ProRata, Allocation::EqualSplit] {
            let capped: Vec<_> = fills(secret, allocation).into_iter().filter(|fill| *fill >= limit(secret)).collect();
            // any subset: the makers that collude
            views.extend((1..=capped.len()).map(|number| capped[..number].to_vec()));
        }
    }
    views
}

#[test]
fn every_fill_at_the_cap_is_the_same_number() {
    let views = views();
    assert!(views.iter().any(|view| view.len() == 4));
    for view in views {
        let together = consistent(&view);
        for fill in &view {
            assert_eq!(consistent(&[*fill]), together, "{view:?}");
        }
        // and one does not know the size: only that it lies between fill / d_hi and fill / d_lo, up to a lot
        for (size, _) in &together {
            assert!(size * u64::from(HIGH) / 10_000 >= view[0] || view[0] == 1);
            assert!(size * u64::from(LOW) < (view[0] + 1) * 10_000);
        }
    }
}

/// Lots and payments of capped makers, put together, are a function of the limit, and so is what each has alone: sizes
/// that lead to one limit, and to the same makers at it, cannot be told apart by them.
#[test]
fn what_capped_makers_are_told_together_follows_from_what_each_is_told_alone() {
    for allocation in [Allocation::ProRata, Allocation::EqualSplit] {
        let views = joint_views(allocation, Pricing::PayAsBid);
        let mut alone = BTreeMap::new();
        for ((limit, capped), (seen, _)) in &views {
            assert_eq!(seen.len(), 1, "limit {limit}, makers {capped:?}");
            for (maker, told) in capped.iter().zip(seen.first().unwrap()) {
                assert_eq!(alone.entry((*maker, *limit)).or_insert(*told), told, "maker {maker}, limit {limit}");
            }
        }
        assert!(views.iter().any(|((_, capped), (_, sizes))| capped.len() >= 2 && sizes.len() >= 10));
    }
}

/// One price for all tells a capped maker more than its limit: which spread was the last that was reached.
#[test]
fn under_one_price_capped_makers_are_told_more() {
    let mut alone: BTreeMap<(usize, u64), BTreeSet<u128>> = BTreeMap::new();
    for ((limit, capped), (seen, _)) in joint_views(Allocation::ProRata, Pricing::Uniform) {
        for (at, maker) in capped.iter().enumerate() {
            alone.entry((*maker, limit)).or_default().extend(seen.iter().map(|told| told[at].1));
        }
    }
    assert!(alone.values().any(|paid| paid.len() > 1));
}

/// That their fills add up to no more than the size says nothing while no more than 10^4 / d_hi makers collude.
#[test]
fn the_sum_of_capped_fills_is_news_only_from_many_makers() {
    let mut narrowed = 0;
    for view in views() {
        let sum: u64 = view.iter().sum();
        let together = consistent(&view);
        let fitting = together.iter().filter(|(size, _)| *size >= sum.max(view.len() as u64)).count();
        let possible = together.iter().filter(|(size, _)| *size >= view.len() as u64).count();
        if view.len() * usize::from(HIGH) <= 10_000 {
            assert_eq!(fitting, possible, "{view:?}");
        } else {
            narrowed += usize::from(fitting < possible);
        }
    }
    assert!(narrowed > 0);
}

/// Why there is one draw per request: limits from draws of their own would be averaged away.
#[test]
fn a_draw_for_each_maker_would_tell_more() {
    let sizes_of = |fill: u64| secrets().filter(|secret| limit(*secret) == fill).map(|(size, _)| size).collect();
    let by_fill: BTreeMap<u64, BTreeSet<u64>> = (1..=48).map(|fill| (fill, sizes_of(fill))).collect();
    let apart: BTreeSet<_> = by_fill[&15].intersection(&by_fill[&29]).collect();
    assert!(apart.len() < by_fill[&15].len() / 4 && apart.len() < by_fill[&29].len() / 4);
}
