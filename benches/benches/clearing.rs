//! Clearing beside a sort, a histogram, an oblivious sort, order books, and the passes that nothing can do without.
//!
//! ```text
//! cargo bench -p ccc-benches --bench clearing
//! cargo bench -p ccc-benches --bench clearing --features peers-book     # adds lobster and orderbook-rs
//! ```
//!
//! - `heart`: columns of spreads and capacities in, one fill per order out, one solve. This is the job of the sort and the
//!   histogram; those show the size of the request and the depth of the pool in their time and addresses, and the
//!   oblivious sort does not. `floor` is one pass that reads ten bytes per order and one that copies eight.
//! - `whole`: [`clear_in`] from standing orders to priced fills: shape, capacities, solves, notionals.
//! - `growth`: the heart from 10^4 to 10^6 orders.
//! - `round`: with 1 024 makers, from opened elements to sealed receipts, beside the bare calls.
//! - `book`: one market order for a third of what rests in an order book at 5 000 prices. It does another
//!   job: in time priority, with the book sorted when each order came, touching only what it fills. Loading the book is
//!   not counted.
#![allow(missing_docs, reason = "criterion generates undocumented items")]
#![allow(clippy::unwrap_used, reason = "a bench may stop at a surprise")]

use std::hint::black_box;
use std::time::Duration;

use ccc_benches::clearing::{Class, Columns, Pool, bitonic, histogram, market, sort_and_fill};
use ccc_benches::crossing::{Crossing, Orders};
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use darkpool_matcher::{Allocation, Kernel, PriceRefusal};

/// The sizes of the table, and their names in it.
const SIZES: [(usize, &str); 3] = [(1 << 10, "2^10"), (1 << 17, "2^17"), (1 << 20, "2^20")];
const GROWTH: [(usize, &str); 5] =
    [(10_000, "10^4"), (31_623, "10^4.5"), (100_000, "10^5"), (316_228, "10^5.5"), (1_000_000, "10^6")];
/// The kernels, under their names in the table.
fn kernels() -> impl Iterator<Item = (&'static str, Kernel)> {
    Kernel::available().map(|kernel| (if kernel == Kernel::detected() { "ccc" } else { kernel.name() }, kernel))
}

/// A group with few samples: the large sizes take long, and what is compared differs by factors.
fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(format!("clearing/{name}"));
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    group
}

fn ours(group: &mut BenchmarkGroup<'_, WallTime>, pool: &Pool, name: &str) {
    let mut columns = Columns::new(pool);
    let market = market(Allocation::ProRata, 1);
    for (kernel_name, kernel) in kernels() {
        group.bench_function(BenchmarkId::new(kernel_name, name), |bencher| {
            bencher.iter(|| black_box(&mut columns).clear(kernel, &market));
        });
    }
    group.bench_function(BenchmarkId::new("floor", name), |bencher| {
        bencher.iter(|| black_box(&mut columns).bound());
    });
}

fn equal_split(group: &mut BenchmarkGroup<'_, WallTime>, pool: &Pool, name: &str) {
    let mut columns = Columns::new(pool);
    for (kernel_name, kernel) in [("equal split", Kernel::detected()), ("equal split, portable", Kernel::PORTABLE)] {
        group.bench_function(BenchmarkId::new(kernel_name, name), |bencher| {
            bencher.iter(|| black_box(&mut columns).clear(kernel, &market(Allocation::EqualSplit, 1)));
        });
    }
}

fn twins(group: &mut BenchmarkGroup<'_, WallTime>, pool: &Pool, name: &str) {
    let (mut fills, mut counts) = (vec![0; pool.spreads.len()], Vec::new());
    group.bench_function(BenchmarkId::new("sort and fill", name), |bencher| {
        bencher.iter_batched_ref(
            || pool.records(),
            |records| sort_and_fill(records, pool.size, &mut fills),
            BatchSize::PerIteration,
        );
    });
    group.bench_function(BenchmarkId::new("histogram", name), |bencher| {
        bencher.iter(|| histogram(black_box(pool), &mut counts, &mut fills));
    });
    group.sample_size(10);
    group.bench_function(BenchmarkId::new("oblivious bitonic", name), |bencher| {
        bencher.iter_batched_ref(
            || pool.keys(),
            |(keys, values)| bitonic(keys, values, pool.size),
            BatchSize::PerIteration,
        );
    });
    group.sample_size(20);
}

fn heart(criterion: &mut Criterion) {
    let mut group = group(criterion, "heart");
    for (number, name) in SIZES {
        let pool = Pool::new(Class::Random, number, 23);
        ours(&mut group, &pool, name);
        equal_split(&mut group, &pool, name);
        twins(&mut group, &pool, name);
    }
}

fn growth(criterion: &mut Criterion) {
    let mut group = group(criterion, "growth");
    for (number, name) in GROWTH {
        ours(&mut group, &Pool::new(Class::Random, number, 23), name);
    }
}

fn whole(criterion: &mut Criterion) {
    let mut group = group(criterion, "whole");
    for (number, name) in SIZES {
        let pool = Pool::new(Class::Random, number, 23);
        let mut orders = Orders::new(&pool);
        group.bench_function(BenchmarkId::new("floor", name), |bencher| {
            let mut columns = Columns::new(&pool);
            bencher.iter(|| black_box(&mut columns).bound());
        });
        let runs = [
            ("ccc", Kernel::detected(), 4),
            ("portable", Kernel::PORTABLE, 4),
            ("one solve", Kernel::detected(), 1),
            ("one solve, portable", Kernel::PORTABLE, 1),
        ];
        for (run, kernel, solves) in runs {
            let market = market(Allocation::ProRata, solves);
            group.bench_function(BenchmarkId::new(run, name), |bencher| {
                bencher.iter(|| black_box(&mut orders).clear(kernel, &market, Ok(())));
            });
        }
        let market = market(Allocation::ProRata, 4);
        group.bench_function(BenchmarkId::new("refused", name), |bencher| {
            let refused = Err(PriceRefusal::NoObservation);
            bencher.iter(|| black_box(&mut orders).clear(Kernel::detected(), &market, refused));
        });
    }
}

/// A part of a round.
type Step = fn(&mut Crossing);

fn round(criterion: &mut Criterion) {
    let mut group = group(criterion, "round");
    let mut crossing = Crossing::new(1 << 10);
    let steps: [(&str, Step); 6] = [
        ("ccc", Crossing::round),
        ("floor", Crossing::bare),
        ("verify and open", Crossing::open),
        ("clear", Crossing::clear),
        ("seal receipts", Crossing::seal),
        ("decode elements", Crossing::decode),
    ];
    for (name, step) in steps {
        group.bench_function(BenchmarkId::new(name, "2^10"), |bencher| bencher.iter(|| step(&mut crossing)));
    }
}

#[cfg(feature = "peers-book")]
fn book(criterion: &mut Criterion) {
    use ccc_benches::books::{concurrent, lobster};
    let mut group = group(criterion, "book");
    group.sample_size(10);
    for (number, name) in SIZES {
        let pool = Pool::new(Class::Random, number, 23);
        ours(&mut group, &pool, name);
        group.bench_function(BenchmarkId::new("lobster", name), |bencher| {
            bencher.iter_batched_ref(
                || lobster::load(&pool),
                |book| lobster::sweep(book, pool.size),
                BatchSize::PerIteration,
            );
        });
        group.bench_function(BenchmarkId::new("orderbook-rs", name), |bencher| {
            bencher.iter_batched_ref(
                || concurrent::load(&pool),
                |book| concurrent::sweep(book, pool.size),
                BatchSize::PerIteration,
            );
        });
    }
}

#[cfg(not(feature = "peers-book"))]
fn book(_: &mut Criterion) {}

criterion_group!(benches, heart, growth, whole, round, book);
criterion_main!(benches);
