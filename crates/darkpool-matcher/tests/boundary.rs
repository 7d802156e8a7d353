//! The ends of every range.
#![allow(clippy::unwrap_used, reason = "a test may stop at a surprise")]

mod common;

use common::{in_order, lots, market, order, price, priced, request, run, run_with, sizes, spread};
use darkpool_matcher::{
    ClearError, Fill, Lots, Market, Notional, Outcome, OwnerId, Reason, Request, SpreadSchedule, StandingOrder,
    SuccessRule, UnixSeconds, Workspace, clear, clear_in,
};

const MOST: u64 = (1 << 51) - 1;

fn failed(reason: Reason) -> Outcome {
    Outcome { success: false, reason, filled: lots(0), total: Notional::ZERO }
}

#[test]
fn no_orders_at_all() {
    assert_eq!(run(&request(1), &[]), (failed(Reason::TooSmall), vec![]));
}

#[test]
fn a_request_for_nothing_fails() {
    let orders = [order(1, 100, 10)];
    assert_eq!(run(&request(0), &orders), (failed(Reason::TooSmall), vec![Fill::default()]));
    let any = Request { success: SuccessRule::AtLeast(lots(0)), ..request(0) };
    assert_eq!(run(&any, &orders).0, failed(Reason::TooSmall));
}

#[test]
fn an_empty_slot_gives_nothing_and_nobody_owns_it() {
    let slot = StandingOrder::EMPTY;
    assert_eq!((slot.owner, slot.size, slot.frozen), (OwnerId([0; 20]), Lots::ZERO, true));
    let with = [slot, order(1, 7, 10), slot];
    assert_eq!(sizes(&run(&request(10), &with).1), [0, 10, 0]);
    let thawed = StandingOrder { frozen: false, ..slot };
    assert_eq!(run(&request(1), &[thawed; 9]).0, failed(Reason::TooSmall));
}

#[test]
fn one_order() {
    assert_eq!(sizes(&run(&request(10), &[order(1, 16_383, 10)]).1), [10]);
    assert_eq!(sizes(&run(&request(9), &[order(1, 0, 10)]).1), [9]);
    assert_eq!(run(&request(11), &[order(1, 0, 10)]).0, failed(Reason::TooSmall));
}

#[test]
fn the_greatest_amount_at_the_greatest_price_and_spread() {
    let one = Market::new(1).unwrap();
    let price = priced((1 << 50) - 1);
    let orders = [order(1, 16_383, MOST)];
    let (outcome, fills) = run_with(&request(MOST), &orders, &[0], price, &one).unwrap();
    let exact = (u128::from(MOST) * ((1 << 50) - 1) * 1_016_383).div_ceil(10u128.pow(14));
    assert_eq!((outcome.filled.get(), outcome.total.get()), (MOST, exact));
    assert_eq!(sizes(&fills), [MOST]);
}

#[test]
fn a_pool_of_two_to_the_51_is_too_large() {
    let one = Market::new(1).unwrap();
    let clear = |sizes: &[u64]| {
        let orders: Vec<_> = sizes.iter().map(|&size| order(1, 100, size)).collect();
        run_with(&request(5), &orders, &in_order(&orders), price(), &one).unwrap().0
    };
    assert_eq!(clear(&[MOST - 1, 1]).reason, Reason::Ok);
    assert_eq!(clear(&[MOST, 1]), failed(Reason::TooLarge));
    assert_eq!(clear(&[MOST; 9_000]), failed(Reason::TooLarge));
}

#[test]
fn a_request_of_two_to_the_51_base_units_is_too_large() {
    let orders = [order(1, 100, MOST)];
    let greatest = MOST / 1_000_000;
    let (outcome, fills) = run(&request(greatest), &orders);
    assert_eq!((outcome.reason, sizes(&fills)), (Reason::Ok, vec![greatest]));
    assert_eq!(run(&request(greatest + 1), &orders).0, failed(Reason::TooLarge));
}

#[test]
fn a_refused_price_outranks_every_other_reason() {
    let found = run_with(&request(MOST), &[order(1, 100, MOST)], &[0], common::refused(), &market());
    assert_eq!(found.unwrap().0, failed(Reason::Price));
}

#[test]
fn the_margin_at_either_end_of_the_spreads() {
    let orders = [order(1, 0, 5), order(2, 16_383, 5), order(3, 16_382, 5)];
    assert_eq!(sizes(&run(&request(3), &orders).1), [3, 0, 0]);
    assert_eq!(sizes(&run(&request(10), &orders).1), [5, 0, 5]);
    assert_eq!(sizes(&run(&request(12), &orders).1), [5, 2, 5]);
    assert_eq!(sizes(&run(&request(15), &orders).1), [5, 5, 5]);
}

#[test]
fn the_odd_lot_goes_by_the_canonical_order() {
    let orders = [order(1, 100, 10), order(2, 100, 10), order(3, 100, 10)];
    let cleared =
        |permutation: &[u32]| sizes(&run_with(&request(10), &orders, permutation, price(), &market()).unwrap().1);
    assert_eq!(cleared(&[0, 1, 2]), [3, 3, 4]);
    assert_eq!(cleared(&[2, 1, 0]), [4, 3, 3]);
}

#[test]
fn the_last_second_of_an_order_and_the_spread_of_the_schedule() {
    let at = |expiry, s| StandingOrder { expiry: UnixSeconds(expiry), ..order(1, s, 10) };
    let deadline = common::DEADLINE.0;
    let schedule =
        SpreadSchedule { s0: spread(50), s1: spread(150), t0: UnixSeconds(0), t1: UnixSeconds(2 * deadline) };
    let halfway = Request { schedule, ..request(10) };
    assert!(run(&halfway, &[at(deadline, 100)]).0.success);
    assert_eq!(run(&halfway, &[at(deadline - 1, 100)]).0, failed(Reason::TooSmall));
    assert_eq!(run(&halfway, &[at(deadline, 101)]).0, failed(Reason::TooSmall));
}

#[test]
fn a_minimum_above_the_dispersion_limit_takes_the_order_out() {
    let limited = Request { dispersion: Some(lots(4)), ..request(8) };
    let shy = StandingOrder { minimum: lots(5), ..order(1, 100, 10) };
    assert_eq!(run(&limited, &[shy, order(2, 100, 10)]).0, failed(Reason::TooSmall));
    assert_eq!(sizes(&run(&limited, &[order(1, 100, 10), order(2, 100, 10)]).1), [4, 4]);
}

/// Each solve drops one more order; the fifth drop would come too late.
fn staircase(steps: u64) -> Vec<StandingOrder> {
    let cheap = (0..steps).map(|i| StandingOrder { minimum: lots(2), ..order(1, 100 + u16::try_from(i).unwrap(), 10) });
    cheap.chain([order(2, 200, 10)]).collect()
}

#[test]
fn four_solves_and_no_more() {
    for steps in 0..4 {
        let (outcome, fills) = run(&request(1), &staircase(steps));
        assert_eq!(outcome.reason, Reason::Ok, "{steps} steps");
        assert_eq!(fills.last().unwrap().lots.get(), 1);
    }
    assert_eq!(run(&request(1), &staircase(4)).0, failed(Reason::Minimum));
}

#[test]
fn shapes_are_checked_and_leave_zero_fills() {
    let orders = [order(1, 100, 10), order(2, 100, 10)];
    let run = |permutation: &[u32]| run_with(&request(5), &orders, permutation, price(), &market());
    let length = ClearError::Length { what: "canonical order", expected: 2, found: 1 };
    assert_eq!(run(&[0]), Err(length));
    assert_eq!(run(&[0, 2]), Err(ClearError::UnknownSlot { position: 1, slots: 2, found: 2 }));
    assert_eq!(run(&[1, 1]), Err(ClearError::RepeatedSlot { position: 1, found: 1 }));
    let stale = Fill { lots: lots(9), notional: Notional::new(9) };
    let mut short = [stale];
    let found = clear(&request(5), &orders, &[0, 1], price(), &market(), &mut short);
    assert_eq!(found, Err(ClearError::Length { what: "fills", expected: 2, found: 1 }));
    assert_eq!(short, [Fill::default()]);
}

#[test]
fn a_workspace_that_does_not_fit() {
    let (mut a, mut b, mut c) = ([0; 3], [0; 3], [0; 2]);
    let found = Workspace::new(&mut [0; 3], &mut a, &mut b, &mut c).map(|_| ());
    assert_eq!(found, Err(ClearError::Length { what: "column of fills", expected: 3, found: 2 }));
    let (mut s, mut f) = ([0; 3], [0; 3]);
    let mut workspace = Workspace::new(&mut s, &mut a, &mut b, &mut f).unwrap();
    let orders = [order(1, 100, 10)];
    let mut fills = [Fill::default()];
    let found = clear_in(&request(5), &orders, &[0], price(), &market(), &mut workspace, &mut fills);
    assert_eq!(found, Err(ClearError::Length { what: "workspace", expected: 1, found: 3 }));
}
