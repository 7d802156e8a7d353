//! Key generation beside bare operations and peers: by a dealer, and distributed among honest nodes.
//!
//! Verification keys are derived on all cores; `RAYON_NUM_THREADS=1` shows the work of one.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up ends")]

use ccc_benches::floor::Floor;
use ccc_benches::generation::{Generation, GenerationFloor};
use ccc_benches::handover::Handover;
use ccc_benches::peers::{self, frost::Frost};
use ccc_benches::world::roster;
use ccc_benches::{SIZES, size};
use ccc_core::keys::{Protocol, dealer};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::hint::black_box;

/// A master secret, n shares, n verification keys, encoded, and a committee that was checked. Floor: xG and x_i·G,
/// encoded together.
fn deal(c: &mut Criterion) {
    let mut group = c.benchmark_group("keys/dealer");
    for (t, n) in SIZES {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (roster, _) = roster(t, n, &mut rng);
        group.bench_function(BenchmarkId::new("ccc", size(t, n)), |b| {
            b.iter(|| dealer::deal(&roster, &mut rng).unwrap())
        });
        let (floor, count) = (Floor::new(usize::from(n)), usize::from(n));
        group.bench_function(BenchmarkId::new("floor", size(t, n)), |b| {
            b.iter(|| {
                for _ in 0..=count {
                    black_box(floor.base());
                }
                floor.encode(count);
            })
        });
        for peer in peers::all(t) {
            group.bench_function(BenchmarkId::new(peer.name(), size(t, n)), |b| b.iter(|| peer.deal(n)));
        }
    }
    group.finish();
}

/// From n dealings in bytes to share and verification keys: what the peer's part 3 does from packages in memory.
fn generate(c: &mut Criterion) {
    let mut group = c.benchmark_group("keys/dealings to keys");
    group.sample_size(20);
    for (t, n) in [(11, 16), (67, 100)] {
        let (generation, floor, frost) = (Generation::new(t, n), GenerationFloor::new(t, n), Frost::new(t, n));
        group.bench_function(BenchmarkId::new("ccc", size(t, n)), |b| {
            let before = || generation.before_dealings();
            b.iter_batched(before, |state| generation.finish(state), BatchSize::PerIteration)
        });
        group.bench_function(BenchmarkId::new("floor", size(t, n)), |b| b.iter(|| floor.third_part()));
        group.bench_function(BenchmarkId::new("bare decoding", size(t, n)), |b| b.iter(|| floor.decoding()));
        group.bench_function(BenchmarkId::new("bare evaluation", size(t, n)), |b| b.iter(|| floor.evaluation()));
        group.bench_function(BenchmarkId::new("frost part 3", size(t, n)), |b| b.iter(|| frost.part3()));
    }
    group.finish();
}

/// From n dealings in memory to share and verification keys: where the peer's part 3 starts. It has neither proofs to check
/// nor shares to decrypt.
fn generate_decoded(c: &mut Criterion) {
    let mut group = c.benchmark_group("keys/decoded dealings to keys");
    group.sample_size(20);
    for (t, n) in [(11, 16), (67, 100)] {
        let (generation, floor, frost) = (Generation::new(t, n), GenerationFloor::new(t, n), Frost::new(t, n));
        group.bench_function(BenchmarkId::new("ccc", size(t, n)), |b| {
            let before = || generation.gathered();
            b.iter_batched(before, |state| generation.conclude(state), BatchSize::PerIteration)
        });
        group.bench_function(BenchmarkId::new("floor", size(t, n)), |b| b.iter(|| floor.from_decoded()));
        group.bench_function(BenchmarkId::new("frost part 3", size(t, n)), |b| b.iter(|| frost.part3()));
    }
    group.finish();
}

/// A node's part in a handover of t of n to as many, from n dealings in bytes to share and verification keys. The dealings
/// of a refresh and of a reshare differ by one byte of their context.
fn hand_over(c: &mut Criterion) {
    for (name, protocol) in [("keys/refresh", Protocol::Refresh), ("keys/reshare", Protocol::Reshare)] {
        let mut group = c.benchmark_group(name);
        group.sample_size(20);
        for (t, n) in [(11, 16), (67, 100)] {
            let (handover, floor) = (Handover::new(protocol, t, n), GenerationFloor::new(t, n));
            group.bench_function(BenchmarkId::new("ccc", size(t, n)), |b| {
                let before = || handover.before_dealings();
                b.iter_batched(before, |state| handover.finish(state), BatchSize::PerIteration)
            });
            group.bench_function(BenchmarkId::new("floor", size(t, n)), |b| b.iter(|| floor.handover()));
            group.bench_function(BenchmarkId::new("bare sums", size(t, n)), |b| b.iter(|| floor.sums()));
        }
        group.finish();
    }
}

/// A node's whole part in a key generation, from and to bytes.
fn generate_whole(c: &mut Criterion) {
    let mut group = c.benchmark_group("keys/generation, one node");
    group.sample_size(20);
    for (t, n) in [(11, 16), (67, 100)] {
        let (generation, floor, frost) = (Generation::new(t, n), GenerationFloor::new(t, n), Frost::new(t, n));
        group.bench_function(BenchmarkId::new("ccc", size(t, n)), |b| b.iter(|| generation.node()));
        group.bench_function(BenchmarkId::new("floor", size(t, n)), |b| b.iter(|| floor.node()));
        group.bench_function(BenchmarkId::new("frost parts 1 to 3", size(t, n)), |b| b.iter(|| frost.all()));
    }
    group.finish();
}

criterion_group!(benches, deal, generate, generate_decoded, generate_whole, hand_over);
criterion_main!(benches);
