//! Invariants 8 and 13: the kernel gives what the slow reference gives, always the same.
#![allow(clippy::unwrap_used, reason = "a test may stop at a surprise")]

mod common;

use common::{Draw, any_market, any_pool, any_price, any_request, cases, market, price, request, run_with};
use darkpool_matcher::{Fill, Outcome, reference};
use proptest::prelude::{prop_assert_eq, proptest};

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn the_kernel_refines_the_reference(
        (orders, permutation) in any_pool(40),
        request in any_request(),
        price in any_price(),
        market in any_market(),
    ) {
        let found = run_with(&request, &orders, &permutation, price, &market);
        let expected = reference::clear(&request, &orders, &permutation, price, &market);
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn the_schedule_refines_the_reference(request in any_request()) {
        let found = request.schedule.at(request.deadline);
        prop_assert_eq!(i128::from(found.get()), reference::admissible_spread(&request.schedule, request.deadline));
    }
}

fn absorb(digest: u64, outcome: &Outcome, fills: &[Fill]) -> u64 {
    let fills = fills.iter().flat_map(|fill| [u128::from(fill.lots.get()), fill.notional.get()]);
    let head = [u128::from(outcome.reason.code()), outcome.total.get()];
    // FNV-1a, 64 bits
    head.into_iter()
        .chain(fills)
        .flat_map(u128::to_be_bytes)
        .fold(digest, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[test]
fn the_digest_of_two_thousand_clearings_is_fixed() {
    let mut draw = Draw(23);
    let mut counts = [0u32; 5];
    let mut digest = 0xcbf2_9ce4_8422_2325;
    for _ in 0..2_000 {
        let number = draw.below(40);
        let orders = draw.orders(number);
        let permutation = draw.permutation(u32::try_from(number).unwrap());
        let request = request(draw.below(600));
        let (outcome, fills) = run_with(&request, &orders, &permutation, price(), &market()).unwrap();
        counts[usize::from(outcome.reason.code())] += 1;
        digest = absorb(digest, &outcome, &fills);
    }
    assert_eq!(counts, [1396, 0, 596, 8, 0]);
    assert_eq!(format!("{digest:016x}"), "c3ea1bdc5c84b4e7");
}
