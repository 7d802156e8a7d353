//! A clearing allocates nothing: counted by the allocator, for each kernel, each rule and a batch.
//!
//! One test, so that no other thread of this program allocates beside it.
#![allow(clippy::unwrap_used, reason = "a test may stop at a surprise")]

mod common;

use std::alloc::System;

use common::{Draw, in_order, market, price, refused, request};
use darkpool_matcher::{
    Allocation, Batch, Fill, Kernel, Lots, Market, Notional, Outcome, Reason, Rules, StandingOrder, Workspace,
    clear_batch_in, clear_in,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Not a multiple of eight.
const SLOTS: usize = 1_003;

/// Columns of one's own.
struct Columns(Vec<u16>, [Vec<u64>; 3]);

impl Columns {
    fn workspace(&mut self, kernel: Kernel) -> Workspace<'_> {
        let Self(spreads, [capacities, minimums, fills]) = self;
        Workspace::new(spreads, capacities, minimums, fills).unwrap().with_kernel(kernel)
    }
}

fn markets() -> [Market; 2] {
    [Allocation::ProRata, Allocation::EqualSplit]
        .map(|allocation| market().with_rules(Rules { allocation, ..Rules::default() }))
}

/// Bytes and calls that `run` takes from the allocator.
fn counted(mut run: impl FnMut()) -> (usize, usize) {
    let region = Region::new(COUNTING);
    run();
    let change = region.change();
    (change.bytes_allocated, change.allocations + change.reallocations)
}

#[test]
fn a_clearing_allocates_nothing() {
    let orders: Vec<StandingOrder> = Draw(5).orders(u64::try_from(SLOTS).unwrap());
    let permutation = in_order(&orders);
    let mut columns = Columns(vec![0; SLOTS], std::array::from_fn(|_| vec![0; SLOTS]));
    let mut fills = vec![Fill::default(); SLOTS * 2];
    let mut standing = orders.clone();
    let requests = [request(900), request(500)];
    let prices = [price(), refused()];
    let order = [1, 0];
    let none = Outcome { success: false, reason: Reason::Price, filled: Lots::ZERO, total: Notional::ZERO };
    let mut outcomes = [none; 2];
    let batch = Batch {
        requests: &requests,
        prices: &prices,
        sequence: &order,
        orders: &orders,
        permutation: &permutation,
        order_lists: &[],
        request_lists: &[],
    };
    assert_ne!(counted(|| drop(std::hint::black_box(vec![1u8; 9]))), (0, 0), "the allocator does not count");
    for kernel in Kernel::available() {
        for market in markets() {
            for price in prices {
                let one = counted(|| {
                    let mut workspace = columns.workspace(kernel);
                    let fills = &mut fills[..SLOTS];
                    clear_in(&requests[0], &orders, &permutation, price, &market, &mut workspace, fills).unwrap();
                });
                assert_eq!(one, (0, 0), "{} by {market:?}", kernel.name());
            }
            let all = counted(|| {
                let mut workspace = columns.workspace(kernel);
                clear_batch_in(&batch, &market, &mut workspace, &mut standing, &mut fills, &mut outcomes).unwrap();
            });
            assert_eq!(all, (0, 0), "a batch, {} by {market:?}", kernel.name());
            assert_eq!(outcomes[1].reason, Reason::Price);
        }
    }
}
