//! The vault beside bare operations and peers: encrypt, check, share, combine, re-encrypt.
//!
//! One group per line of the table in `docs/benchmarks.md`; its members are measured in one run. A share of ours carries
//! a proof and is made for a ciphertext that was verified before; a peer's share carries none, and its `decrypt_share`
//! verifies the ciphertext each time, so both halves of that step are measured here.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up ends")]

use ccc_benches::floor::{self, Floor, binomials, lagrange};
use ccc_benches::one_by_one::OneByOne;
use ccc_benches::peers::{self, Peer};
use ccc_benches::world::{self, World, read_shares};
use ccc_benches::{MEASUREMENT, MESSAGE, SIZES, size};
use ccc_core::ciphertext::{Ciphertext, LabelKind, PreparedMasterKey, VerifiedCiphertext};
use ccc_core::enclave::AttemptKeys;
use ccc_core::envelope::Envelope;
use ccc_core::vault::combine_public;
use ccc_core::vault::compact::{Combined, combine as combine_checked, combine_unverified};
use ccc_core::vault::share::verify_all;
use ccc_core::vault::{Mode, Shares};
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

/// Ciphertexts of one request.
const BATCHES: [usize; 3] = [1, 64, 1000];

/// Measures one step of every peer that does not depend on the number of shares.
fn each_peer(group: &mut BenchmarkGroup<'_, WallTime>, what: &str, step: fn(&(dyn Peer + 'static))) {
    for peer in peers::all(3) {
        let name = format!("{}{what}", peer.name());
        group.bench_function(name, |b| b.iter(|| step(peer.as_ref())));
    }
}

/// Measures one step of every peer with threshold t.
fn each_peer_at(group: &mut BenchmarkGroup<'_, WallTime>, t: u16, n: u16, step: fn(&(dyn Peer + 'static))) {
    for peer in peers::all(t) {
        group.bench_function(BenchmarkId::new(peer.name(), size(t, n)), |b| b.iter(|| step(peer.as_ref())));
    }
}

/// Floor: rG, sG, rḠ, sḠ from tables, rY.
fn encrypt(c: &mut Criterion) {
    let (mut world, floor) = (World::new(3, 5), Floor::new(2));
    let mut group = c.benchmark_group("vault/encrypt");
    group.bench_function("ccc", |b| b.iter(|| black_box(world.encrypt(LabelKind::Public))));
    group.bench_function("floor", |b| {
        b.iter(|| black_box([floor.base(), floor.base(), floor.table(), floor.table(), floor.variable()]))
    });
    each_peer(&mut group, "", Peer::encrypt);
    group.finish();
}

/// The same with a table of Y's multiples. Floor: rG, sG, rḠ, sḠ, rY from tables.
fn encrypt_prepared(c: &mut Criterion) {
    let (mut world, floor) = (World::new(3, 5), Floor::new(2));
    let key = PreparedMasterKey::new(&world.master());
    let label = world::label(LabelKind::Public);
    let mut group = c.benchmark_group("vault/encrypt, prepared");
    group.bench_function("ccc", |b| b.iter(|| black_box(key.encrypt(&label, &MESSAGE, &mut world.rng))));
    group.bench_function("floor", |b| {
        b.iter(|| black_box([floor.base(), floor.base(), floor.table(), floor.table(), floor.table()]))
    });
    each_peer(&mut group, "", Peer::encrypt);
    group.finish();
}

/// Floor: fG − eU and fḠ − eŪ.
fn verify(c: &mut Criterion) {
    let (mut world, floor) = (World::new(3, 5), Floor::new(2));
    let (ciphertext, master) = (world.encrypt(LabelKind::Public), world.master());
    let mut group = c.benchmark_group("vault/verify");
    group.bench_function("ccc", |b| {
        b.iter_batched(|| ciphertext.clone(), |c| c.verify(&master).unwrap(), BatchSize::SmallInput)
    });
    group.bench_function("floor", |b| b.iter(|| black_box([floor.double(), floor.double()])));
    each_peer(&mut group, "", Peer::verify);
    group.finish();
}

/// Floor: xU, aU, aG.
fn share(c: &mut Criterion) {
    let (mut world, floor) = (World::new(3, 5), Floor::new(2));
    let ciphertexts = world.verified(LabelKind::Public, 1);
    let request = world.request(Mode::Public, &ciphertexts);
    let mut group = c.benchmark_group("vault/share");
    let World { shares, committee, rng, .. } = &mut world;
    group.bench_function("ccc", |b| {
        b.iter(|| Shares::create(&shares[0], committee, &request, &ciphertexts, rng).unwrap())
    });
    group.bench_function("floor", |b| b.iter(|| black_box([floor.variable(), floor.variable(), floor.base()])));
    each_peer(&mut group, ", ciphertext verified before", Peer::share);
    each_peer(&mut group, ", ciphertext verified again", Peer::check_and_share);
    group.finish();
}

/// t shares from bytes. Floor: the weighted sum, 3t points decoded.
fn verify_shares(c: &mut Criterion) {
    let mut group = c.benchmark_group("vault/verify t shares");
    for (t, n) in SIZES {
        let mut world = World::new(t, n);
        let (floor, count) = (floor::of(&world), world.t());
        let ciphertexts = world.verified(LabelKind::Public, 1);
        let request = world.request(Mode::Public, &ciphertexts);
        let wire = world.plain_shares(&request, &ciphertexts);
        let World { committee, rng, .. } = &mut world;
        group.bench_function(BenchmarkId::new("ccc", size(t, n)), |b| {
            b.iter(|| verify_all(&read_shares(&wire, 1), committee, &request, None, &ciphertexts, rng).unwrap())
        });
        group.bench_function(BenchmarkId::new("floor", size(t, n)), |b| {
            b.iter(|| {
                floor.decode(count);
                floor.decode(count);
                floor.decode(count);
                floor.batch(count)
            })
        });
        each_peer_at(&mut group, t, n, Peer::verify_shares);
    }
    group.finish();
}

/// t shares of the first t participants from bytes to the message. Floor: t points decoded, the Lagrange coefficients as
/// integers, their sum.
fn combine(c: &mut Criterion) {
    let mut group = c.benchmark_group("vault/combine");
    for (t, n) in SIZES {
        let floor = measure_combine(&mut group, t, n, 0);
        group.bench_function(BenchmarkId::new("floor", size(t, n)), |b| {
            b.iter(|| {
                floor.decode(t.into());
                floor.sum_of(&binomials(t))
            })
        });
        each_peer_at(&mut group, t, n, Peer::combine);
    }
    group.finish();
}

/// The same with the last t participants, whose Lagrange coefficients have no short form. Floor: the coefficients as
/// residues, and the sum with scalars of full length. The peers know one form of coefficients, and take the first t.
fn combine_last(c: &mut Criterion) {
    let mut group = c.benchmark_group("vault/combine, the last t");
    for (t, n) in SIZES {
        let floor = measure_combine(&mut group, t, n, usize::from(n - t));
        group.bench_function(BenchmarkId::new("floor", size(t, n)), |b| {
            b.iter(|| {
                floor.decode(t.into());
                black_box(lagrange(t));
                floor.sum(t.into())
            })
        });
        each_peer_at(&mut group, t, n, Peer::combine);
    }
    group.finish();
}

/// Combines the shares of t participants after the first `skipped`.
fn measure_combine(group: &mut BenchmarkGroup<'_, WallTime>, t: u16, n: u16, skipped: usize) -> Floor {
    let mut world = World::new(t, n);
    let floor = floor::of(&world);
    let ciphertexts = world.verified(LabelKind::Public, 1);
    let request = world.request(Mode::Public, &ciphertexts);
    let wire = world.plain_shares_of(skipped, &request, &ciphertexts);
    let World { committee, rng, .. } = &mut world;
    group.bench_function(BenchmarkId::new("ccc", size(t, n)), |b| {
        b.iter(|| {
            let shares = read_shares(&wire, 1);
            combine_public(committee, &request, &ciphertexts, shares, rng).unwrap().plaintexts
        })
    });
    floor
}

/// A node checks m ciphertexts, makes its shares and seals them. Floor, per ciphertext: fG − eU, fḠ − eŪ, xU; once: aU,
/// aG and the seal; of several, the two weighted sums.
fn node_step(c: &mut Criterion) {
    let mut group = c.benchmark_group("vault/node step");
    let mut world = World::new(67, 100);
    let keys = AttemptKeys::generate(&mut world.rng).unwrap();
    let to = keys.recipient(MEASUREMENT);
    for m in BATCHES {
        let verified = world.verified(LabelKind::Recipient, m);
        let request = world.request(Mode::Sealed, &verified);
        let ciphertexts: Vec<Ciphertext> = verified.iter().map(|c| c.ciphertext().clone()).collect();
        let mut floor = Floor::new(m);
        group.throughput(Throughput::Elements(m as u64));
        group.bench_function(BenchmarkId::new("ccc", m), |b| {
            b.iter_batched(
                || ciphertexts.clone(),
                |ciphertexts| world.node_step(&request, &to, ciphertexts),
                BatchSize::LargeInput,
            )
        });
        let shares = vec![0; 32 * m + 96];
        group.bench_function(BenchmarkId::new("floor", m), |b| {
            b.iter(|| {
                for _ in 0..m {
                    black_box([floor.double(), floor.double(), floor.variable()]);
                }
                if m > 1 {
                    black_box([floor.weighted(m), floor.weighted(m)]);
                }
                black_box([floor.variable(), floor.base()]);
                floor.seal(&shares)
            })
        });
    }
    group.finish();
}

/// A node checks one ciphertext and makes its partial in mode compact. Floor: fG − eU, fḠ − eŪ; xU + ρE, ρG and the same
/// of the proof's nonces, and the nonce's third multiple, of G.
fn compact_step(c: &mut Criterion) {
    let mut group = c.benchmark_group("vault/node step, compact");
    let (mut world, floor) = (World::new(67, 100), Floor::new(2));
    let to = AttemptKeys::generate(&mut world.rng).unwrap().recipient(MEASUREMENT);
    let verified = world.verified(LabelKind::Recipient, 1);
    let request = world.request(Mode::Compact, &verified);
    let ciphertext = verified[0].ciphertext();
    group.bench_function("ccc", |b| {
        let step = |ciphertext| world.compact_step(&request, &to, vec![ciphertext]);
        b.iter_batched(|| ciphertext.clone(), step, BatchSize::SmallInput)
    });
    group.bench_function("floor", |b| {
        b.iter(|| {
            black_box([floor.double(), floor.double(), floor.pair(), floor.pair()]);
            black_box([floor.base(), floor.base(), floor.base()])
        })
    });
    group.finish();
}

/// What the enclave does for one secret: check the ciphertext, t signatures and seals, combine; all from bytes. Floor: two
/// double multiplications, t signatures, t seals opened, and the floor of combining. The twin opens and checks one by
/// one, without signatures.
fn open_in_enclave(c: &mut Criterion) {
    let mut group = c.benchmark_group("vault/open in the enclave");
    for (t, n) in SIZES {
        let mut world = World::new(t, n);
        let (mut floor, count) = (floor::of(&world), world.t());
        let ciphertexts = world.verified(LabelKind::Recipient, 1);
        let request = world.request(Mode::Sealed, &ciphertexts);
        let keys = AttemptKeys::generate(&mut world.rng).unwrap();
        let envelopes = world.envelopes(&keys, &request, &ciphertexts);
        let (attempt, wire) = (keys.to_bytes(), ciphertexts[0].ciphertext().to_bytes());
        group.bench_function(BenchmarkId::new("ccc", size(t, n)), |b| {
            b.iter(|| {
                let keys = AttemptKeys::from_bytes(&attempt).unwrap();
                let verified = [Ciphertext::from_bytes(&wire).unwrap().verify(&world.master()).unwrap()];
                let envelopes = envelopes.iter().map(|bytes| Envelope::from_bytes(bytes).unwrap()).collect();
                keys.open(&world.committee, &request, MEASUREMENT, &verified, envelopes).unwrap().plaintexts
            })
        });
        let sealed = floor.seal(&[0; 128]);
        group.bench_function(BenchmarkId::new("floor", size(t, n)), |b| {
            b.iter(|| {
                black_box([floor.double(), floor.double()]);
                for _ in 0..count {
                    floor.verify_signature();
                    black_box(floor.open(&sealed));
                }
                floor.decode(2);
                floor.decode(count);
                floor.sum_of(&binomials(t))
            })
        });
        let mut twin = OneByOne::new(t, n);
        group.bench_function(BenchmarkId::new("one by one", size(t, n)), |b| b.iter(|| twin.open()));
    }
    group.finish();
}

/// What the enclave does for one secret in mode compact, with its keys in memory and the rest from bytes: check the
/// ciphertext, take K out of what an untrusted combiner made of the partials. Floor: two double multiplications, one multiplication, four points decoded.
/// The twin is that of mode sealed.
fn open_compact(c: &mut Criterion) {
    let mut group = c.benchmark_group("vault/open in the enclave, compact");
    for (t, n) in SIZES {
        let (mut world, floor) = (World::new(t, n), Floor::new(4));
        let ciphertexts = world.verified(LabelKind::Recipient, 1);
        let request = world.request(Mode::Compact, &ciphertexts);
        let keys = AttemptKeys::generate(&mut world.rng).unwrap();
        let (attempt, wire) = (keys.to_bytes(), ciphertexts[0].ciphertext().to_bytes());
        let envelopes = world.envelopes(&keys, &request, &ciphertexts);
        let envelopes: Vec<_> = envelopes.iter().map(|bytes| Envelope::from_bytes(bytes).unwrap()).collect();
        let to = keys.recipient(MEASUREMENT);
        let pair = combine_unverified(&world.committee, &request, &to, &ciphertexts, &envelopes).unwrap().to_bytes();
        group.bench_function(BenchmarkId::new("ccc", size(t, n)), |b| {
            let open = |keys: AttemptKeys| {
                let verified = [Ciphertext::from_bytes(&wire).unwrap().verify(&world.master()).unwrap()];
                let pair = Combined::from_bytes(&pair, 1).unwrap();
                let opened = keys.open_combined(&world.committee, &request, MEASUREMENT, &verified, &pair, Vec::new);
                opened.unwrap().plaintexts
            };
            b.iter_batched(|| AttemptKeys::from_bytes(&attempt).unwrap(), open, BatchSize::SmallInput)
        });
        group.bench_function(BenchmarkId::new("floor", size(t, n)), |b| {
            b.iter(|| {
                floor.decode(4);
                black_box([floor.double(), floor.double(), floor.variable()])
            })
        });
        let mut twin = OneByOne::new(t, n);
        group.bench_function(BenchmarkId::new("one by one", size(t, n)), |b| b.iter(|| twin.open()));
    }
    group.finish();
}

/// A thousand orders in one request, with (7,10): what a node, the untrusted combiner and the enclave do, in both modes,
/// from bytes. The node's sealed step is in `vault/node step`, and here beside the compact one under the same committee.
fn thousand(c: &mut Criterion) {
    let mut group = c.benchmark_group("vault/1000 orders (7,10)");
    group.sample_size(10).throughput(Throughput::Elements(MANY as u64));
    let mut many = Many::new();
    for mode in [Mode::Sealed, Mode::Compact] {
        many.measure_step(&mut group, mode);
        many.measure_opening(&mut group, mode);
    }
    group.finish();
}

/// Orders of one request.
const MANY: usize = 1000;

/// A thousand ciphertexts of a small committee, and one attempt at opening them.
struct Many {
    world: World,
    keys: AttemptKeys,
    verified: Vec<VerifiedCiphertext>,
    ciphertexts: Vec<Ciphertext>,
}

impl Many {
    fn new() -> Self {
        let mut world = World::new(7, 10);
        let keys = AttemptKeys::generate(&mut world.rng).unwrap();
        let verified = world.verified(LabelKind::Recipient, MANY);
        let ciphertexts = verified.iter().map(|c| c.ciphertext().clone()).collect();
        Self { world, keys, verified, ciphertexts }
    }

    /// A node checks the ciphertexts and answers.
    fn measure_step(&mut self, group: &mut BenchmarkGroup<'_, WallTime>, mode: Mode) {
        let (request, to) = (self.world.request(mode, &self.verified), self.keys.recipient(MEASUREMENT));
        let Self { world, ciphertexts, .. } = self;
        group.bench_function(format!("node step, {mode}"), |b| {
            let step = |ciphertexts| match mode {
                Mode::Compact => black_box(world.compact_step(&request, &to, ciphertexts).to_bytes()),
                _ => black_box(world.node_step(&request, &to, ciphertexts).to_bytes()),
            };
            b.iter_batched(|| ciphertexts.clone(), step, BatchSize::LargeInput)
        });
    }

    /// The enclave opens the answers of t nodes; in mode compact from the pairs of a combiner that checks them first.
    fn measure_opening(&mut self, group: &mut BenchmarkGroup<'_, WallTime>, mode: Mode) {
        let request = self.world.request(mode, &self.verified);
        let wire = self.world.envelopes(&self.keys, &request, &self.verified);
        let read = || wire.iter().map(|bytes| Envelope::from_bytes(bytes).unwrap()).collect::<Vec<_>>();
        let attempt = self.keys.to_bytes();
        let Self { world: World { committee, rng, .. }, verified, keys, .. } = self;
        let fresh = || AttemptKeys::from_bytes(&attempt).unwrap();
        if mode == Mode::Sealed {
            let open = |keys: AttemptKeys| keys.open(committee, &request, MEASUREMENT, verified, read()).unwrap();
            group.bench_function("enclave, sealed", |b| b.iter_batched(fresh, open, BatchSize::LargeInput));
            return;
        }
        let to = keys.recipient(MEASUREMENT);
        let mut check =
            || combine_checked(committee, &request, &to, verified, &read(), rng).unwrap().combined.to_bytes();
        let pairs = check();
        group.bench_function("combiner's check, compact", |b| b.iter(&mut check));
        let open = |keys: AttemptKeys| {
            let pairs = Combined::from_bytes(&pairs, MANY).unwrap();
            keys.open_combined(committee, &request, MEASUREMENT, verified, &pairs, Vec::new).unwrap()
        };
        group.bench_function("enclave, compact", |b| b.iter_batched(fresh, open, BatchSize::LargeInput));
    }
}

criterion_group!(cipher, encrypt, encrypt_prepared, verify, share, verify_shares, combine, combine_last);
criterion_group!(reencryption, node_step, compact_step, open_in_enclave, open_compact, thousand);
criterion_main!(cipher, reencryption);
