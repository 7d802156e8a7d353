//! Re-encryption over loopback TLS beside the bare cost in the same process: requests with one ciphertext each, single and
//! in batches of 64. The node has its journal, counter and audit log on the disk, as a service has. Client and node share the processors that the run is given.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that fails ends")]
#![allow(dead_code, reason = "the scene serves tests too")]

#[path = "../../ccc-chain/tests/common/deployed.rs"]
mod common;
#[path = "../tests/served/scene.rs"]
mod scene;

use ccc_node::vault_node::{Ask, Behaviour, ChainView, MemoryJournal, OnChain, VaultNode};
use ccc_server::{
    audit::AuditLog,
    client::Connection,
    frame::Reply,
    journal::{CounterFile, FileJournal},
    limits::Limits,
};
use criterion::{Criterion, Throughput};
use rand::{SeedableRng, rngs::StdRng};
use scene::{Scene, quick};
use std::{
    collections::HashMap,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

/// Asks that nobody has answered yet.
fn fresh(runtime: &Runtime, scene: &mut Scene, next: &mut u64, count: usize) -> Vec<Ask> {
    let order = scene.order.clone().expect("an order on the chain");
    let mut asks = Vec::with_capacity(count);
    for _ in 0..count {
        let mut ask = runtime.block_on(scene.attempt(1, &order)).ask;
        ask.request.id[..8].copy_from_slice(&next.to_be_bytes());
        ask.card = scene.attested(&ask.request).1;
        *next += 1;
        asks.push(ask);
    }
    asks
}

/// The view that a follower would give.
fn view(scene: &Scene, ask: &Ask) -> ChainView {
    let (ciphertext, time) = (&ask.ciphertexts[0], common::GENESIS_TIME);
    let label = ciphertext.label();
    let hash = ccc_core::report::keccak256(&[&ciphertext.to_bytes()]);
    let known = OnChain { who: scene.world.maker.address().0.0, hash, opens_at: 0 };
    let submissions = Arc::new(HashMap::from([(label.id, known)]));
    ChainView {
        block_hash: ask.request.block_hash,
        time,
        header_hash: [0; 32],
        version: 0,
        submissions,
        enclaves: None,
    }
}

fn bare(scene: &Scene, vault: &mut VaultNode<MemoryJournal>, view: &ChainView, asks: &[Ask]) -> Duration {
    let mut rng = StdRng::seed_from_u64(1);
    let now = ccc_server::follow::Clock::now(&*scene.clock);
    let began = Instant::now();
    for ask in asks {
        black_box(vault.reencrypt(view, ask, now, &mut rng).unwrap());
    }
    began.elapsed()
}

fn served(runtime: &Runtime, connection: &Connection, asks: &[Ask]) -> Duration {
    runtime.block_on(async {
        let began = Instant::now();
        let replies = connection.ask(asks).await.unwrap();
        let took = began.elapsed();
        assert!(replies.iter().all(|reply| matches!(reply, Reply::Answered(_))));
        took
    })
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut scene = runtime.block_on(Scene::new());
    let order = runtime.block_on(scene.submit(1, b"sell 25"));
    scene.order = Some(order);
    let limits = Limits { rate: u32::MAX, burst: u32::MAX, idle: Duration::from_secs(3_600), ..quick() };
    let dir = tempfile::tempdir().unwrap();
    let key_file = dir.path().join("p.ccc");
    std::fs::write(&key_file, "").unwrap();
    let keys = scene.secrets(0).0;
    let journal = FileJournal::counted(&key_file, &dir.path().join("p.counter"), CounterFile::Begun, &keys).unwrap();
    let audit = AuditLog::open(&dir.path().join("p.audit")).unwrap();
    let node = runtime.block_on(scene.listen_with(0, Behaviour::Honest, limits, (journal, Some(audit))));
    let connection = runtime.block_on(scene.connect(&node));
    let (keys, share) = scene.secrets(0);
    let at = (common::CHAIN_ID, scene.world.deployment.pool.0.0);
    let mut vault = VaultNode::new(keys, share, scene.committee.clone(), scene.policy(), at, MemoryJournal::default());
    let mut next = 0;
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("reencrypt");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    for size in [1_usize, 64] {
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(format!("bare/{size}"), |bench| {
            bench.iter_custom(|rounds| {
                let one = |_| {
                    let asks = fresh(&runtime, &mut scene, &mut next, size);
                    let view = view(&scene, &asks[0]);
                    bare(&scene, &mut vault, &view, &asks)
                };
                (0..rounds).map(one).sum()
            });
        });
        group.bench_function(format!("tls/{size}"), |bench| {
            bench.iter_custom(|rounds| {
                let one = |_| served(&runtime, &connection, &fresh(&runtime, &mut scene, &mut next, size));
                (0..rounds).map(one).sum()
            });
        });
    }
    group.finish();
    drop(node);
}
