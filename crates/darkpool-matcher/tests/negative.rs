//! What must not happen in a clearing. The numbers are those of the project's list of negative tests.
#![allow(clippy::unwrap_used, reason = "a test may stop at a surprise")]

mod common;

use std::time::Instant;

use common::batches::Owned;
use common::{Draw, in_order, lots, market, order, owner, price, refused, request, run, run_with, sizes};
use darkpool_matcher::{
    Allocation, CounterpartyList, Fill, Market, Notional, Outcome, Pricing, Reason, Request, Rules, StandingOrder,
    SuccessRule, TierMask, reference,
};

/// Both rules, both ways to pay.
fn every_rule() -> [Rules; 4] {
    let with = |allocation, pricing| Rules { allocation, pricing, ..Rules::default() };
    [
        with(Allocation::ProRata, Pricing::PayAsBid),
        with(Allocation::ProRata, Pricing::Uniform),
        with(Allocation::EqualSplit, Pricing::PayAsBid),
        with(Allocation::EqualSplit, Pricing::Uniform),
    ]
}

fn run_under(rules: Rules, request: &Request, orders: &[StandingOrder]) -> (Outcome, Vec<Fill>) {
    run_with(request, orders, &in_order(orders), price(), &market().with_rules(rules)).unwrap()
}

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
fn n135_an_order_that_one_request_filled_is_not_filled_by_the_next() {
    for rules in every_rule() {
        let twice = Owned::plain(&[order(1, 100, 10)], &[request(10), request(10)]);
        assert_eq!(twice.rows(&market().with_rules(rules)), [(Reason::Ok, vec![10]), (Reason::TooSmall, vec![0])]);
        let half = Owned::plain(&[order(1, 100, 10)], &[request(5), request(5), request(1)]);
        let last = half.rows(&market().with_rules(rules)).pop();
        assert_eq!(last, Some((Reason::TooSmall, vec![0])));
    }
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
fn n136_no_rule_creates_or_destroys_a_lot_or_a_micro_dollar() {
    let orders: Vec<_> = (1..=20).map(|i| order(1, u16::try_from(i).unwrap() * 7, i * 10)).collect();
    for rules in every_rule() {
        for size in (1..=2_100).step_by(7) {
            let (outcome, fills) = run_under(rules, &request(size), &orders);
            assert_eq!((outcome.reason, sizes(&fills).iter().sum::<u64>()), (Reason::Ok, size));
            assert_eq!(fills.iter().map(|fill| fill.notional.get()).sum::<u128>(), outcome.total.get());
        }
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
fn n137_the_equal_split_is_whole_or_nothing_and_within_every_bound() {
    let rules = Rules { allocation: Allocation::EqualSplit, ..Rules::default() };
    let capped = StandingOrder { cap: lots(3), ..order(1, 100, 10) };
    let poor = StandingOrder { balance: lots(2), ..order(2, 100, 10) };
    let orders = [capped, poor, order(3, 101, 10)];
    assert_eq!(sizes(&run_under(rules, &request(11), &orders).1), [3, 2, 6]);
    assert_eq!(run_under(rules, &request(16), &orders), (failed(Reason::TooSmall), vec![Fill::default(); 3]));
    let dispersed = Request { dispersion: Some(lots(4)), ..request(9) };
    assert_eq!(sizes(&run_under(rules, &dispersed, &orders).1), [3, 2, 4]);
    assert_eq!(run_under(rules, &Request { size: lots(10), ..dispersed }, &orders).0, failed(Reason::TooSmall));
}

#[test]
fn n137_no_fill_below_the_minimum_under_any_rule() {
    let shy = |by, at, least| StandingOrder { minimum: lots(least), ..order(by, at, 10) };
    let orders = [shy(1, 100, 4), shy(2, 101, 4), shy(3, 102, 4), order(4, 103, 2)];
    for rules in every_rule() {
        for size in 1..=32 {
            let (outcome, fills) = run_under(rules, &request(size), &orders);
            assert!(orders.iter().zip(&fills).all(|(order, fill)| fill.lots == lots(0) || fill.lots >= order.minimum));
            assert_eq!(outcome.filled.get(), if outcome.success { size } else { 0 });
        }
    }
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
fn n138_the_same_batch_gives_the_same_fills_on_every_thread() {
    let orders = Draw(7).orders(200);
    for rules in every_rule() {
        let market = market().with_rules(rules);
        let mut owned = Owned::plain(&orders, &[request(900), request(70), request(1_100), request(400)]);
        owned.permutation = Draw(8).permutation(200);
        owned.sequence = vec![2, 0, 3, 1];
        let expected = owned.clear(&market).unwrap();
        assert!(expected.0.iter().any(|outcome| outcome.success));
        let found = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| owned.clear(&market).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(found, vec![expected; 8]);
        assert_eq!(reference::clear_batch(&owned.batch(), &market), owned.clear(&market));
    }
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
fn n139_failures_in_a_batch_show_neither_size_nor_depth() {
    for rules in every_rule() {
        let market = market().with_rules(rules);
        let shallow = Owned::plain(&[order(1, 100, 9)], &[request(10), request(2_000)]).clear(&market);
        let deep = Owned::plain(&[order(1, 4_000, 1_000_000)], &[request(1_000_001), request(1 << 30)]).clear(&market);
        assert_eq!(shallow, deep);
        assert_eq!(shallow.unwrap(), (vec![failed(Reason::TooSmall); 2], vec![Fill::default(); 2]));
    }
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

#[test]
fn n140_who_is_listed_as_refused_does_not_trade() {
    let refuses = |who| CounterpartyList::deny(&[owner(9), owner(who)]).unwrap();
    let admits = |who| CounterpartyList::allow(&[owner(9), owner(who)]).unwrap();
    for rules in every_rule() {
        let market = market().with_rules(rules);
        let mut owned = Owned::plain(&[order(1, 100, 10), order(2, 101, 10)], &[request(10)]);
        let short = vec![(Reason::TooSmall, vec![0, 0])];
        for (makers, requesters, expected) in [
            (vec![refuses(255), CounterpartyList::EMPTY], vec![], vec![(Reason::Ok, vec![0, 10])]),
            (vec![], vec![refuses(1)], vec![(Reason::Ok, vec![0, 10])]),
            (vec![refuses(255), admits(254)], vec![], short.clone()),
            (vec![refuses(255), CounterpartyList::EMPTY], vec![refuses(2)], short.clone()),
            (vec![], vec![admits(3)], short),
        ] {
            owned.order_lists = makers;
            owned.request_lists = requesters;
            assert_eq!(owned.rows(&market), expected);
        }
    }
}

#[test]
fn n140_a_list_that_admits_the_owner_itself_makes_no_trade_with_itself() {
    let mut owned = Owned::plain(&[order(255, 100, 10)], &[request(10)]);
    let myself = CounterpartyList::allow(&[owner(255)]).unwrap();
    owned.order_lists = vec![myself];
    owned.request_lists = vec![myself];
    assert_eq!(owned.rows(&market()), [(Reason::TooSmall, vec![0])]);
}

#[test]
fn n141_a_request_that_fails_holds_nothing() {
    let shy = StandingOrder { minimum: lots(8), ..order(2, 101, 10) };
    for rules in every_rule() {
        let mut owned = Owned::plain(&[order(1, 100, 10), shy], &[request(21), request(15), request(20), request(18)]);
        owned.prices[1] = refused();
        let rows = owned.rows(&market().with_rules(rules));
        assert_eq!(rows[0], (Reason::TooSmall, vec![0, 0]));
        assert_eq!(rows[1], (Reason::Price, vec![0, 0]));
        assert_eq!(rows[2], (Reason::Ok, vec![10, 10]));
        assert_eq!(rows[3], (Reason::TooSmall, vec![0, 0]));
    }
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

#[test]
fn n142_a_hundred_thousand_orders_under_rule_b_and_in_a_batch_take_bounded_time() {
    let fine = Market::new(1).unwrap().with_rules(every_rule()[3]);
    let ladder = |i: u64| u16::try_from(i % 16_384).unwrap();
    let shapes = [
        hundred_thousand(|_| order(1, 7, 1)),
        hundred_thousand(|i| order(1, ladder(i), 1 << (i % 34))),
        hundred_thousand(|i| StandingOrder { minimum: lots(500), ..order(1, ladder(i), 1_000) }),
    ];
    let began = Instant::now();
    for orders in shapes {
        let owned = Owned::plain(&orders, &[request(99_999), request(1), request(1 << 50)]);
        let (outcomes, fills) = owned.clear(&fine).unwrap();
        for (outcome, row) in outcomes.iter().zip(fills.chunks(orders.len())) {
            assert_eq!(sizes(row).iter().sum::<u64>(), outcome.filled.get());
        }
    }
    // about 0.1 s each at the test profile; the bound leaves room for a loaded machine
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}
