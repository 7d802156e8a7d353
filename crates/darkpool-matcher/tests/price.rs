//! From observations to a price, and every reason to refuse one.
#![allow(clippy::unwrap_used, reason = "a test may stop at a surprise")]

mod common;

use common::{DEADLINE, observation, observations, rules};
use darkpool_matcher::{BasisPoints, MicroDollars, OutOfRange, PriceRefusal, PriceRules, UnixSeconds, twap};

const START: u64 = DEADLINE.0 - 3_600;

fn loose() -> PriceRules {
    PriceRules {
        window: 3_600,
        max_gap: u64::MAX,
        max_stale: u64::MAX,
        collar: BasisPoints::MAX,
        minimum_observations: 0,
    }
}

fn dollars(value: u64) -> MicroDollars {
    MicroDollars::new(value).unwrap()
}

#[test]
fn the_average_weighs_by_time_and_floors() {
    let seen = [observation(1, 100, 5), observation(2, 103, START + 1_800), observation(3, 101, DEADLINE.0)];
    // 1 800 s at 100, 1 800 s at 103, no time at 101
    let found = twap(&seen, &loose(), DEADLINE).unwrap();
    assert_eq!((found.price(), found.last()), (dollars(101), dollars(101)));
    let seen = [observation(1, 7, 5), observation(2, 900, START)];
    assert_eq!(twap(&seen, &loose(), DEADLINE).unwrap().price(), dollars(900));
}

#[test]
fn the_greatest_price_over_the_longest_window() {
    let rules = PriceRules { window: u64::MAX, ..loose() };
    let seen = [observation(0, (1 << 50) - 1, 0)];
    assert_eq!(twap(&seen, &rules, UnixSeconds(u64::MAX)).unwrap().price(), MicroDollars::MAX);
}

#[test]
fn windows_without_sense_are_refused() {
    let seen = observations(100);
    for window in [0, DEADLINE.0 + 1, u64::MAX] {
        let found = twap(&seen, &PriceRules { window, ..loose() }, DEADLINE);
        assert_eq!(found, Err(PriceRefusal::Window { window, deadline: DEADLINE }));
    }
}

#[test]
fn observations_that_do_not_reach_are_refused() {
    assert_eq!(twap(&[], &loose(), DEADLINE), Err(PriceRefusal::NoObservation));
    let late = [observation(1, 100, START + 1)];
    let no_start = PriceRefusal::NoStart { start: UnixSeconds(START), found: UnixSeconds(START + 1) };
    assert_eq!(twap(&late, &loose(), DEADLINE), Err(no_start));
    let future = [observation(1, 100, START), observation(2, 100, DEADLINE.0 + 1)];
    let after = PriceRefusal::AfterDeadline { deadline: DEADLINE, found: UnixSeconds(DEADLINE.0 + 1) };
    assert_eq!(twap(&future, &loose(), DEADLINE), Err(after));
    let rules = PriceRules { minimum_observations: 3, ..loose() };
    let two = [observation(1, 9, 5), observation(2, 100, START), observation(3, 100, START + 9)];
    assert_eq!(twap(&two, &rules, DEADLINE), Err(PriceRefusal::TooFew { least: 3, found: 2 }));
}

#[test]
fn only_gaps_that_overlap_the_window_count() {
    let rules = PriceRules { max_gap: 100, ..loose() };
    let before = [observation(1, 100, 5), observation(2, 100, START)];
    assert!(twap(&before, &rules, DEADLINE).is_ok());
    let across = [observation(1, 100, START - 50), observation(2, 100, START + 51)];
    assert_eq!(twap(&across, &rules, DEADLINE), Err(PriceRefusal::Gap { greatest: 100, found: 101 }));
    let exact = [observation(1, 100, START - 50), observation(2, 100, START + 50)];
    assert!(twap(&exact, &rules, DEADLINE).is_ok());
}

#[test]
fn n136_a_price_outside_the_collar_is_refused() {
    let at = |last: u64| {
        let seen = [observation(1, 10_000, START), observation(2, last, DEADLINE.0)];
        twap(&seen, &PriceRules { collar: BasisPoints::new(200).unwrap(), ..loose() }, DEADLINE)
    };
    assert!(at(10_200).is_ok() && at(9_800).is_ok());
    for last in [10_201, 9_799] {
        let refusal = PriceRefusal::Collar {
            greatest: BasisPoints::new(200).unwrap(),
            average: dollars(10_000),
            last: dollars(last),
        };
        assert_eq!(at(last), Err(refusal));
    }
}

#[test]
fn n136_zero_and_negative_prices_are_refused() {
    for answer in [0, -1, i128::MIN, 99] {
        assert_eq!(MicroDollars::from_answer(answer, 8), Err(PriceRefusal::NotPositive { answer }));
    }
    assert_eq!(MicroDollars::from_answer(100, 8), Ok(dollars(1)));
    let zero = OutOfRange { unit: "micro-dollars", least: 1, greatest: (1 << 50) - 1, found: 0 };
    assert_eq!(MicroDollars::new(0), Err(zero));
}

#[test]
fn n136_decimals_that_do_not_fit_the_answer_are_refused() {
    let answer = 60_000 * 10i128.pow(8);
    assert_eq!(MicroDollars::from_answer(answer, 8), Ok(dollars(60_000_000_000)));
    assert_eq!(MicroDollars::from_answer(answer, 39), Err(PriceRefusal::Decimals { greatest: 38, found: 39 }));
    assert_eq!(MicroDollars::from_answer(answer, 18), Ok(dollars(6)));
    assert_eq!(MicroDollars::from_answer(answer, 19), Err(PriceRefusal::NotPositive { answer }));
    let range =
        |found| PriceRefusal::Range(OutOfRange { unit: "micro-dollars", least: 1, greatest: (1 << 50) - 1, found });
    assert_eq!(MicroDollars::from_answer(answer, 0), Err(range(6_000_000_000_000_000_000)));
    assert_eq!(MicroDollars::from_answer(i128::MAX, 0), Err(range(u128::MAX)));
    assert_eq!(MicroDollars::from_answer(1 << 50, 6), Err(range(1 << 50)));
}

#[test]
fn n143_a_stale_price_is_refused() {
    let mut seen = observations(100);
    seen.pop();
    assert!(twap(&seen, &rules(), DEADLINE).is_ok());
    seen.pop();
    assert_eq!(twap(&seen, &rules(), DEADLINE), Err(PriceRefusal::Stale { greatest: 600, found: 1_200 }));
}

#[test]
fn n143_two_rounds_that_contradict_each_other_are_refused() {
    let first = observation(1, 100, START);
    for found in [
        observation(1, 101, START + 1),
        observation(2, 101, START),
        observation(1, 101, START),
        observation(0, 100, START + 1),
        observation(2, 100, START - 1),
    ] {
        let refusal = PriceRefusal::Unordered { position: 1, before: first, found };
        assert_eq!(twap(&[first, found], &loose(), DEADLINE), Err(refusal));
    }
}
