//! Clearing against a plain sort-and-fill.
//!
//! The plain one does less: it fills in one walk, without minimums, owners, tiers or a fair margin, and its time
//! and its addresses tell the size of the request and the depth of the pool. The clearing makes four solves of
//! eight passes each whatever comes. `refused` is the clearing of a request whose price was refused: the same
//! steps on zero capacities.
#![allow(missing_docs, reason = "criterion generates undocumented items")]
#![allow(clippy::unwrap_used, reason = "a bench may stop at a surprise")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use darkpool_matcher::{
    BasisPoints, Fill, Lots, Market, MicroDollars, Observation, OwnerId, PriceRefusal, PriceRules, Request, Spread,
    SpreadSchedule, StandingOrder, SuccessRule, TierMask, Twap, UnixSeconds, Workspace, clear_in, twap,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const DEADLINE: UnixSeconds = UnixSeconds(1_000_000);

fn order(draws: &mut ChaCha8Rng) -> StandingOrder {
    let size = Lots::new(1 + draws.next_u64() % 5_000).unwrap();
    StandingOrder {
        owner: OwnerId([1; 20]),
        spread: Spread::new(u16::try_from(draws.next_u64() % 5_000).unwrap()).unwrap(),
        size,
        balance: size,
        cap: Lots::MAX,
        minimum: Lots::ZERO,
        expiry: DEADLINE,
        tiers: TierMask::ALL,
        frozen: false,
    }
}

/// A request for a third of the pool.
fn request(orders: &[StandingOrder]) -> Request {
    let pool: u64 = orders.iter().map(|order| order.size.get()).sum();
    Request {
        owner: OwnerId([9; 20]),
        size: Lots::new(pool / 3).unwrap(),
        schedule: SpreadSchedule::flat(Spread::MAX),
        success: SuccessRule::AllOrNone,
        dispersion: None,
        tiers: TierMask::ALL,
        deadline: DEADLINE,
    }
}

fn price() -> Result<Twap, PriceRefusal> {
    let rules = PriceRules {
        window: 3_600,
        max_gap: 3_600,
        max_stale: 3_600,
        collar: BasisPoints::MAX,
        minimum_observations: 1,
    };
    let at = UnixSeconds(DEADLINE.0 - rules.window);
    let price = MicroDollars::new(60_000_000_000).unwrap();
    twap(&[Observation { round: 1, price, at }], &rules, DEADLINE)
}

/// Cheapest first, earliest first, until the request is filled.
fn sort_and_fill(
    request: &Request,
    orders: &[StandingOrder],
    price: MicroDollars,
    market: &Market,
    fills: &mut [Fill],
) -> u64 {
    let mut cheapest: Vec<usize> = (0..orders.len()).collect();
    cheapest.sort_unstable_by_key(|&slot| (orders[slot].spread, slot));
    let mut rest = request.size;
    for slot in cheapest {
        let lots = rest.min(orders[slot].size);
        rest = Lots::new(rest.get() - lots.get()).unwrap();
        fills[slot] = Fill { lots, notional: market.notional(lots, price, orders[slot].spread) };
    }
    rest.get()
}

fn clearing(criterion: &mut Criterion) {
    let market = Market::new(1_000).unwrap();
    let price = price();
    let mut group = criterion.benchmark_group("clearing");
    for number in [1_000, 100_000] {
        let mut draws = ChaCha8Rng::seed_from_u64(23);
        let orders: Vec<_> = (0..number).map(|_| order(&mut draws)).collect();
        let permutation: Vec<u32> = (0..u32::try_from(number).unwrap()).collect();
        let request = request(&orders);
        let mut fills = vec![Fill::default(); number];
        let (mut spreads, mut capacities) = (vec![0; number], vec![0; number]);
        let (mut minimums, mut filled) = (vec![0; number], vec![0; number]);
        let mut workspace = Workspace::new(&mut spreads, &mut capacities, &mut minimums, &mut filled).unwrap();
        group.throughput(Throughput::Elements(u64::try_from(number).unwrap()));
        let refused = Err(PriceRefusal::NoObservation);
        for (name, price) in [("clear", price), ("refused", refused)] {
            group.bench_function(BenchmarkId::new(name, number), |bencher| {
                bencher.iter(|| {
                    let orders = black_box(&orders);
                    let workspace = &mut workspace;
                    clear_in(&request, orders, &permutation, price, &market, workspace, &mut fills)
                });
            });
        }
        let average = price.unwrap().price();
        group.bench_function(BenchmarkId::new("sort_and_fill", number), |bencher| {
            bencher.iter(|| sort_and_fill(&request, black_box(&orders), average, &market, &mut fills));
        });
    }
    group.finish();
}

criterion_group!(benches, clearing);
criterion_main!(benches);
