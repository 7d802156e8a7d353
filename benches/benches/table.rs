//! An update of a sealed table in two passes, beside what the cipher and the hash take alone.
//!
//! `ccc` is the two passes without state tree, header and sidecar; `floor` is the limit, bytes × (2/open + 1/seal +
//! 2/hash), every part measured bare in the same run: the library's whole-buffer calls without associated data, which are
//! its fastest; `floor, associated data` has the 32 bytes that a chunk has. One thread unless the name says two. Beside
//! it: the naive way, and every row sealed alone. The state tree is a group of its own.
//!
//! ```text
//! cargo bench -p ccc-benches --features aes --bench table
//! ```
#![allow(missing_docs, reason = "criterion generates undocumented items")]
#![allow(clippy::unwrap_used, reason = "a bench may stop at a surprise")]

use ccc_benches::sealed::{CHUNK, Records, data_key, idle, master, params};
use ccc_core::table::{ROW_LEN, SALT_LEN, SealedBody, SliceSink, TableSuite, Tier, body_len, genesis, state_root};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rayon::{ThreadPool, ThreadPoolBuilder};
use sha2::{Digest, Sha256};
use std::hint::black_box;

const SUITES: &[(TableSuite, &str)] = &[
    (TableSuite::ChaCha20Poly1305, "chacha20-poly1305"),
    #[cfg(feature = "aes")]
    (TableSuite::Aes256Gcm, "aes-256-gcm"),
];

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

fn passes(c: &mut Criterion) {
    for (suite, name) in SUITES {
        let mut group = c.benchmark_group(format!("table/{name}"));
        group.sample_size(10);
        for log2 in [12, 16, 20] {
            let tier = Tier::new(log2).unwrap();
            let mut rng = ChaCha20Rng::seed_from_u64(log2.into());
            let table = genesis(&params(tier, *suite), &master(), &mut rng).unwrap().table;
            let key = data_key(&table.header);
            let mut out = vec![0; body_len(tier)];
            let size = format!("2^{log2}");
            group.throughput(Throughput::Bytes((tier.rows() * ROW_LEN) as u64));
            for (label, threads, k) in [("ccc", 1, 16), ("two threads", 2, 16), ("K = 64", 1, 64), ("K = 256", 1, 256)]
            {
                let pool = pool(threads);
                group.bench_function(BenchmarkId::new(label, &size), |b| {
                    pool.install(|| {
                        b.iter(|| {
                            let sealed = SealedBody { header: &table.header, key: &key, body: &mut &table.body[..] };
                            sealed.passes_alone(&idle(k), &mut SliceSink(&mut out), &mut rng).unwrap()
                        });
                    });
                });
            }
            let mut records = Records::new(*suite, tier.rows(), CHUNK);
            group.bench_function(BenchmarkId::new("floor", &size), |b| b.iter(|| records.limit()));
            group.bench_function(BenchmarkId::new("naive", &size), |b| b.iter(|| records.naive()));
            let mut bound = Records::bound(*suite, tier.rows(), CHUNK);
            group.bench_function(BenchmarkId::new("floor, associated data", &size), |b| b.iter(|| bound.limit()));
            let mut rows = Records::new(*suite, tier.rows(), ROW_LEN);
            group.bench_function(BenchmarkId::new("row by row", &size), |b| b.iter(|| rows.naive()));
        }
        group.finish();
    }
}

/// Leaves and inner nodes of a tier, beside one SHA-256 over as many blocks.
fn state_tree(c: &mut Criterion) {
    let mut group = c.benchmark_group("table/state tree");
    group.sample_size(10);
    let rows = Tier::new(16).unwrap().rows();
    let numbered = |at: usize| [at.to_be_bytes()[7]; ROW_LEN];
    let (salts, open): (Vec<_>, Vec<_>) = (vec![[1; SALT_LEN]; rows], (0..rows).map(numbered).collect());
    let pool = pool(1);
    group.bench_function(BenchmarkId::new("ccc", "2^16"), |b| {
        pool.install(|| b.iter(|| state_root(black_box(&salts), black_box(&open)).unwrap()));
    });
    // a leaf of 97 bytes and a node of 65 bytes are two blocks each
    let bytes = vec![1; rows * 4 * 64];
    group.bench_function(BenchmarkId::new("floor", "2^16"), |b| b.iter(|| Sha256::digest(black_box(&bytes))));
    group.finish();
}

criterion_group!(benches, passes, state_tree);
criterion_main!(benches);
