//! One round of the encrypted table beside the same round on a plain ledger and beside copying the rows.
//!
//! The tiers are those above 10^4 and 10^5 rows. The sealed table is empty but for its status row: its scans and seals
//! do the same work whatever the rows hold. The plain ledger holds 10^4 and 10^5 balances and finds the rows of a
//! delta by looking through the list. Bytes per second are those of the open rows.
#![allow(missing_docs, reason = "criterion generates undocumented items")]
#![allow(clippy::unwrap_used, reason = "a bench may stop at a surprise")]

use ccc_core::{
    epoch::Epoch,
    keys::MasterPublicKey,
    table::{
        AccountId, AssetId, AssetRule, DataKey, Delta, Header, OpenTable, ROW_LEN, Row, TableId, TableParams,
        TableSuite, Tier, Update, Updated, genesis, ledger::Ledger,
    },
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use curve25519_dalek::{RistrettoPoint, Scalar, ristretto::CompressedRistretto};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::hint::black_box;

const ASSETS: [AssetRule; 2] = [AssetRule { lot: 1 }; 2];
const EPOCH: Epoch = Epoch(1);
const MASTER_SECRET: u64 = 77;

fn master() -> MasterPublicKey {
    MasterPublicKey::from_bytes(RistrettoPoint::mul_base(&MASTER_SECRET.into()).compress().as_bytes()).unwrap()
}

fn first(tier: Tier, rng: &mut ChaCha20Rng) -> Updated {
    let id = TableId { chain: 1, contract: [1; 20], table: [2; 32] };
    genesis(&TableParams { id, epoch: EPOCH, tier, suite: TableSuite::ChaCha20Poly1305 }, &master(), rng).unwrap()
}

/// The data key, opened with the master secret that only a bench has.
fn data_key(header: &Header) -> DataKey {
    let u_at = 8 + 129;
    let u = CompressedRistretto::from_slice(&header.wrapped().to_bytes()[u_at..u_at + 32]).unwrap();
    let shared = u.decompress().unwrap() * Scalar::from(MASTER_SECRET);
    DataKey::from_opened(
        &header.wrapped().clone().verify(&master()).unwrap().open_with(shared.compress().as_bytes()).unwrap(),
    )
    .unwrap()
}

fn account(number: u32) -> AccountId {
    let mut id = [7; 20];
    id[..4].copy_from_slice(&number.to_be_bytes());
    AccountId(id)
}

/// Eight transfers between neighbours, which fill the least number of delta slots.
fn transfers(rows: u32) -> Vec<Delta> {
    let delta = |number, amount| Delta { account: account(number), asset: AssetId(0), amount, reserved: 0 };
    (0..8).flat_map(|i| [delta(i * rows / 9, -1), delta(i * rows / 9 + 1, 1)]).collect()
}

fn filled_ledger(rows: u32, tier: Tier) -> Ledger {
    let mut ledger = Ledger::new(tier);
    for number in 0..rows {
        ledger.push(Row { amount: 1 << 100, ..Row::empty(account(number), AssetId(0)) });
    }
    ledger
}

fn table(c: &mut Criterion) {
    let mut group = c.benchmark_group("table");
    group.sample_size(10);
    for rows in [10_000u32, 100_000] {
        let tier = Tier::for_rows(rows as usize).unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(rows.into());
        group.throughput(Throughput::Bytes((tier.rows() * ROW_LEN) as u64));
        let Updated { table, rows: open, .. } = first(tier, &mut rng);
        let key = data_key(&table.header);
        group.bench_function(BenchmarkId::new("open", rows), |b| {
            b.iter(|| OpenTable::open(&table.header, &table.body, &key).unwrap());
        });
        let mut current = Some(open);
        for k in [16, 256] {
            group.bench_function(BenchmarkId::new(format!("update, {k} delta slots"), rows), |b| {
                b.iter(|| {
                    let open = current.take().unwrap();
                    let idle = Update::Round { boundary: &[], deltas: &[], k, assets: &ASSETS };
                    let next = open.apply(&idle, &master(), &mut rng).unwrap();
                    current = Some(next.rows);
                    next.table
                });
            });
        }
        let open = current.take().unwrap();
        let wanted: Vec<_> = (0..64).map(|i| (account(i), AssetId(0))).collect();
        group.bench_function(BenchmarkId::new("find 64 rows", rows), |b| b.iter(|| open.find_many(&wanted)));
        let (mut ledger, deltas) = (filled_ledger(rows, tier), transfers(rows));
        group.bench_function(BenchmarkId::new("plain ledger", rows), |b| {
            b.iter(|| assert!(ledger.update(&[], black_box(&deltas), &ASSETS).0.is_done()));
        });
        let (from, mut to) = (vec![1u8; tier.rows() * ROW_LEN], vec![0u8; tier.rows() * ROW_LEN]);
        group.bench_function(BenchmarkId::new("copying the rows", rows), |b| {
            b.iter(|| black_box(&mut to).copy_from_slice(black_box(&from)));
        });
    }
    group.finish();
}

criterion_group!(benches, table);
criterion_main!(benches);
