//! What must not happen in a clearing. The numbers are those of the project's list of negative tests.
#![allow(clippy::unwrap_used, reason = "a test may stop at a surprise")]

mod common;

use std::time::Instant;

use common::{Draw, in_order, lots, market, order, owner, price, refused, request, run, run_with, sizes};
use darkpool_matcher::{Fill, Market, Notional, Outcome, Reason, Request, StandingOrder, SuccessRule, TierMask};

fn failed(reason: Reason) -> Outcome {
    Outcome { success: false, reason, filled: lots(0), total: Notional::ZERO }
}

#[test]
fn n135_an_expired_or_frozen_order_is_not_filled() {
    let expired = StandingOrder { expiry: darkpool_matcher::UnixSeconds(999_999), ..order(1, 1, 10) };
    let frozen = StandingOrder { frozen: true, ..order(2, 2, 10) };
    let (outcome, fills) = run(&request(10), &[expired, frozen, order(3, 300, 10)]);
    assert_eq!((outcome.reason, sizes(&fills)), (Reason::Ok, vec![0, 0, 10]));
    assert_eq!(run(&request(10), &[expired, frozen]).0, failed(Reason::TooSmall));
}

#[test]
fn n136_rounding_neither_creates_nor_destroys_a_lot() {
    for size in 1..=2_100 {
        let orders: Vec<_> = (1..=20).map(|i| order(1, 100, i * 10)).collect();
        let (outcome, fills) = run(&request(size), &orders);
        assert_eq!((outcome.reason, outcome.filled.get()), (Reason::Ok, size));
        assert_eq!(sizes(&fills).iter().sum::<u64>(), size);
    }
}

#[test]
fn n137_no_silent_partial_fill() {
    let orders = [order(1, 100, 10), order(2, 101, 9)];
    assert_eq!(run(&request(20), &orders), (failed(Reason::TooSmall), vec![Fill::default(); 2]));
    let partly = |least| Request { success: SuccessRule::AtLeast(lots(least)), ..request(20) };
    assert_eq!(sizes(&run(&partly(19), &orders).1), [10, 9]);
    assert_eq!(run(&partly(20), &orders), (failed(Reason::TooSmall), vec![Fill::default(); 2]));
}

#[test]
fn n137_no_counterparty_above_its_cap_its_funds_or_the_dispersion_limit() {
    let capped = StandingOrder { cap: lots(3), ..order(1, 100, 10) };
    let poor = StandingOrder { balance: lots(2), ..order(2, 100, 10) };
    let orders = [capped, poor, order(3, 101, 10)];
    assert_eq!(sizes(&run(&request(11), &orders).1), [3, 2, 6]);
    assert_eq!(run(&request(16), &orders).0, failed(Reason::TooSmall));
    let dispersed = Request { dispersion: Some(lots(4)), ..request(9) };
    assert_eq!(sizes(&run(&dispersed, &orders).1), [3, 2, 4]);
    assert_eq!(run(&Request { size: lots(10), ..dispersed }, &orders).0, failed(Reason::TooSmall));
}

#[test]
fn n138_the_same_inputs_give_the_same_fills_on_every_thread() {
    let orders = Draw(5).orders(300);
    let permutation = Draw(6).permutation(300);
    let clear = || run_with(&request(2_000), &orders, &permutation, price(), &market()).unwrap();
    let expected = clear();
    assert!(expected.0.success);
    let found = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(clear)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(found, vec![expected; 8]);
}

#[test]
fn n139_failures_show_neither_size_nor_depth() {
    let shallow = run(&request(1_000), &[order(1, 100, 999)]);
    let deep = run(&request(1_000_000_000), &[order(1, 4_000, 999_999_999)]);
    assert_eq!(shallow, deep);
    let priceless = run_with(&request(5), &[order(1, 100, 10)], &[0], refused(), &market()).unwrap();
    assert_eq!(priceless.1, shallow.1);
    assert_eq!((priceless.0.success, priceless.0.filled, priceless.0.total), (false, lots(0), Notional::ZERO));
}

#[test]
fn n140_an_owner_does_not_trade_with_itself() {
    let own = order(255, 0, 10);
    let (outcome, fills) = run(&request(10), &[own, order(1, 200, 10)]);
    assert_eq!((outcome.reason, sizes(&fills)), (Reason::Ok, vec![0, 10]));
    assert_eq!(run(&request(11), &[own, order(1, 200, 10)]).0, failed(Reason::TooSmall));
    let mut neighbour = owner(255);
    neighbour.0[19] ^= 1;
    let near = StandingOrder { owner: neighbour, ..own };
    assert_eq!(sizes(&run(&request(10), &[near]).1), [10]);
}

#[test]
fn n140_tiers_that_do_not_meet_do_not_trade() {
    let tier = |mask| StandingOrder { tiers: TierMask(mask), ..order(1, 100, 10) };
    let high = Request { tiers: TierMask(1 << 63 | 0b100), ..request(10) };
    assert_eq!(sizes(&run(&high, &[tier(0b011), tier(0), tier(0b110)]).1), [0, 0, 10]);
    assert_eq!(sizes(&run(&high, &[tier(1 << 63)]).1), [10]);
    assert_eq!(run(&high, &[tier(0b011), tier(0)]).0, failed(Reason::TooSmall));
}

fn hundred_thousand(make: impl Fn(u64) -> StandingOrder) -> Vec<StandingOrder> {
    (0..100_000).map(make).collect()
}

#[test]
fn n142_a_hundred_thousand_orders_of_any_shape_take_bounded_time() {
    let one = Market::new(1).unwrap();
    let ladder = |i: u64| u16::try_from(i % 16_384).unwrap();
    let shapes = [
        hundred_thousand(|_| order(1, 7, 1_000_000)),
        hundred_thousand(|_| order(1, 7, 1)),
        hundred_thousand(|i| order(1, ladder(i), 1 << (i % 34))),
        hundred_thousand(|i| StandingOrder { minimum: lots(500), ..order(1, ladder(i), 1_000) }),
    ];
    let began = Instant::now();
    for orders in shapes {
        let permutation = in_order(&orders);
        let (outcome, fills) = run_with(&request(99_999), &orders, &permutation, price(), &one).unwrap();
        assert_eq!(sizes(&fills).iter().sum::<u64>(), outcome.filled.get());
        assert!(outcome.success == (outcome.filled.get() == 99_999));
    }
    // about 10 ms each at the test profile; the bound leaves room for a loaded machine
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}
