//! From a report that is on the chain to the bytes of the answer handed over, on the embedded chain: reading, evidence, envelope,
//! quotes, route, order, guard, signature, and each line of the journal on the medium. Nothing waits for a block there.
//!
//! The figures stand in `docs/benchmarks.md`.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot be set up ends")]

#[path = "../tests/world/mod.rs"]
mod world;

use ccc_agent::policy::Policy;
use criterion::{Criterion, criterion_group, criterion_main};
use std::{
    fs,
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};
use world::{COIN, World};

/// The time of one answer of so many transactions. The chain and the journal are as before then.
async fn answered(world: &World, policy: &Policy, transactions: usize) -> Duration {
    let snapshot = world.snapshot().await;
    let mut driver = world.driver(policy);
    let started = Instant::now();
    while driver.state().sent.len() < transactions {
        driver.turn(&mut world.rng()).await.unwrap();
    }
    let took = started.elapsed();
    drop(driver);
    world.revert(snapshot).await;
    fs::remove_file(world.journal_path()).unwrap();
    took
}

/// A world whose reserve lacks so many coins.
fn lacking(runtime: &Runtime, coins: u64) -> World {
    runtime.block_on(async {
        let world = World::new().await;
        world.report(2, coins * COIN).await;
        world
    })
}

fn answers(c: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut group = c.benchmark_group("the agent's answer");
    group.sample_size(10);
    // worth 600,000 and 600 million dollars; a swap is an approval and the swap
    for (name, coins, transactions) in [("direct", 10, 2), ("dark", 10_000, 1)] {
        let world = lacking(&runtime, coins);
        let policy = Policy { limits: limits(&world), ..world.policy() };
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                (0..times).map(|_| runtime.block_on(answered(&world, &policy, transactions))).sum()
            });
        });
    }
    // of a direct answer's time, what the node takes for one of its quotes
    let world = lacking(&runtime, 10);
    let market = runtime.block_on(world.market());
    group.bench_function("a quote", |bencher| bencher.iter(|| runtime.block_on(world.quote(&market, 600_000))));
    group.finish();
}

/// Wide enough for both.
fn limits(world: &World) -> ccc_agent::policy::Limits {
    ccc_agent::policy::Limits { per_action: 1_000_000_000, per_day: 1_000_000_000, ..world.policy().limits }
}

criterion_group!(benches, answers);
criterion_main!(benches);
