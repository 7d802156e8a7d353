//! The vault beside its peers: encrypt, verify, share, combine at (3,5), (11,16) and (67,100).
//!
//! The peers are threshold_crypto 0.4 and, with feature `bls`, blsttc 8: Baek–Zheng on BLS12-381. A share of ours
//! carries a proof and is made for a ciphertext that was verified before; a peer's share carries none, and its
//! `decrypt_share` verifies the ciphertext each time, so both halves of that step are measured here.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up ends")]

use ccc_core::ciphertext::{Ciphertext, Label, LabelKind, VerifiedCiphertext};
use ccc_core::enclave::AttemptKeys;
use ccc_core::encoding::Kind;
use ccc_core::envelope::Envelope;
use ccc_core::epoch::Epoch;
use ccc_core::identifier::Identifier;
use ccc_core::keys::{Committee, KeyShare, ParticipantKeys, Roster, dealer};
use ccc_core::threshold::Threshold;
use ccc_core::vault::combine::combine_public;
use ccc_core::vault::sealed::seal;
use ccc_core::vault::share::verify_all;
use ccc_core::vault::{Mode, Request, Shares};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::hint::black_box;

const SIZES: [(u16, u16); 3] = [(3, 5), (11, 16), (67, 100)];
const MESSAGE: [u8; 32] = [7; 32];
const MEASUREMENT: [u8; 32] = [5; 32];

struct Setting {
    rng: ChaCha20Rng,
    keys: Vec<ParticipantKeys>,
    committee: Committee,
    shares: Vec<KeyShare>,
}

fn setting(t: u16, n: u16) -> Setting {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let keys: Vec<_> = (0..n).map(|_| ParticipantKeys::generate(&mut rng).unwrap()).collect();
    let members = (1..=n).zip(&keys).map(|(i, keys)| keys.public(Identifier::new(i).unwrap())).collect();
    let threshold = Threshold::new(t, n).unwrap();
    let roster = Roster::new(Epoch(1), threshold, members).unwrap();
    let (committee, shares) = dealer::deal(&roster, &mut rng).unwrap();
    Setting { rng, keys, committee, shares }
}

fn label(kind: LabelKind) -> Label {
    Label {
        kind,
        chain: 1,
        contract: [1; 20],
        id: [2; 32],
        version: 1,
        requester: [3; 20],
        expiry: 2_000_000_000,
        context: [0; 32],
    }
}

fn request(committee: &Committee, mode: Mode, ciphertexts: &[VerifiedCiphertext]) -> Request {
    Request {
        chain: 1,
        contract: [1; 20],
        id: [2; 32],
        table_header: None,
        block_hash: [4; 32],
        deadline: 1_900_000_000,
        mode,
        epoch: committee.epoch(),
        committee: committee.digest(),
        ciphertexts: ciphertexts.iter().map(VerifiedCiphertext::digest).collect(),
    }
}

impl Setting {
    fn encrypt(&mut self, kind: LabelKind) -> Ciphertext {
        Ciphertext::encrypt(self.committee.master_public_key(), &label(kind), &MESSAGE, &mut self.rng).unwrap()
    }

    fn verified(&mut self, kind: LabelKind) -> [VerifiedCiphertext; 1] {
        let ciphertext = self.encrypt(kind);
        [ciphertext.verify(self.committee.master_public_key()).unwrap()]
    }

    fn plain_shares(&mut self, request: &Request, ciphertexts: &[VerifiedCiphertext]) -> Vec<(Identifier, Shares)> {
        let t = usize::from(self.committee.threshold().t());
        let Self { shares, committee, rng, .. } = self;
        let one = |key: &KeyShare| Shares::create(key, committee, request, None, ciphertexts, rng).unwrap();
        let ids: Vec<_> = shares[..t].iter().map(KeyShare::identifier).collect();
        ids.into_iter().zip(shares[..t].iter().map(one)).collect()
    }

    fn envelopes(
        &mut self,
        keys: &AttemptKeys,
        request: &Request,
        ciphertexts: &[VerifiedCiphertext],
    ) -> Vec<Envelope> {
        let (to, topic) = (keys.recipient(MEASUREMENT), request.digest());
        let t = usize::from(self.committee.threshold().t());
        let Self { shares, committee, rng, keys } = self;
        let one = |(share, keys): (&KeyShare, &ParticipantKeys)| {
            let sealed = seal(share, committee, request, &to, ciphertexts, rng).unwrap().to_bytes();
            let (digest, epoch, i) = (committee.digest(), committee.epoch(), share.identifier());
            Envelope::sign(keys, &digest, epoch, i, &topic, Kind::Sealed, sealed).unwrap()
        };
        shares[..t].iter().zip(keys.iter()).map(one).collect()
    }
}

fn encrypt_and_verify(c: &mut Criterion) {
    let mut setting = setting(3, 5);
    let master = *setting.committee.master_public_key();
    let mut group = c.benchmark_group("vault/encrypt");
    group.bench_function("ccc", |b| b.iter(|| black_box(setting.encrypt(LabelKind::Public))));
    peers::encrypt(&mut group);
    group.finish();

    let ciphertext = setting.encrypt(LabelKind::Public);
    let mut group = c.benchmark_group("vault/verify");
    group.bench_function("ccc", |b| b.iter(|| black_box(ciphertext.clone()).verify(&master).unwrap()));
    peers::verify(&mut group);
    group.finish();
}

fn share(c: &mut Criterion) {
    let mut setting = setting(3, 5);
    let ciphertexts = setting.verified(LabelKind::Public);
    let request = request(&setting.committee, Mode::Public, &ciphertexts);
    let mut group = c.benchmark_group("vault/share");
    let Setting { shares, committee, rng, .. } = &mut setting;
    group.bench_function("ccc", |b| {
        b.iter(|| Shares::create(&shares[0], committee, &request, None, &ciphertexts, rng).unwrap())
    });
    peers::share(&mut group);
    group.finish();
}

fn verify_shares(c: &mut Criterion) {
    let mut group = c.benchmark_group("vault/verify t shares");
    for (t, n) in SIZES {
        let mut setting = setting(t, n);
        let ciphertexts = setting.verified(LabelKind::Public);
        let request = request(&setting.committee, Mode::Public, &ciphertexts);
        let shares = setting.plain_shares(&request, &ciphertexts);
        let Setting { committee, rng, .. } = &mut setting;
        group.bench_function(BenchmarkId::new("ccc", format!("({t},{n})")), |b| {
            b.iter(|| verify_all(&shares, committee, &request, None, &ciphertexts, rng).unwrap())
        });
        peers::verify_shares(&mut group, t, n);
    }
    group.finish();
}

fn combine(c: &mut Criterion) {
    let mut group = c.benchmark_group("vault/combine");
    for (t, n) in SIZES {
        let mut setting = setting(t, n);
        let ciphertexts = setting.verified(LabelKind::Public);
        let request = request(&setting.committee, Mode::Public, &ciphertexts);
        let shares = setting.plain_shares(&request, &ciphertexts);
        let Setting { committee, rng, .. } = &mut setting;
        group.bench_function(BenchmarkId::new("ccc", format!("({t},{n})")), |b| {
            b.iter(|| combine_public(committee, &request, &ciphertexts, shares.clone(), rng).unwrap().plaintexts)
        });
        peers::combine(&mut group, t, n);
    }
    group.finish();
}

/// What the enclave does: check t signatures, open t seals, combine. No peer does the same job.
fn open_in_enclave(c: &mut Criterion) {
    let mut group = c.benchmark_group("vault/open in the enclave");
    for (t, n) in SIZES {
        let mut setting = setting(t, n);
        let ciphertexts = setting.verified(LabelKind::Recipient);
        let request = request(&setting.committee, Mode::Sealed, &ciphertexts);
        let keys = AttemptKeys::generate(&mut setting.rng).unwrap();
        let envelopes = setting.envelopes(&keys, &request, &ciphertexts);
        let wire = keys.to_bytes();
        group.bench_function(BenchmarkId::new("ccc", format!("({t},{n})")), |b| {
            b.iter(|| {
                let keys = AttemptKeys::from_bytes(&wire).unwrap();
                let committee = &setting.committee;
                keys.open(committee, &request, MEASUREMENT, &ciphertexts, envelopes.clone()).unwrap().plaintexts
            })
        });
    }
    group.finish();
}

/// Two hundred and fifty-two bits, below either group's order.
fn coefficient(rng: &mut ChaCha20Rng) -> [u64; 4] {
    [rng.next_u64(), rng.next_u64(), rng.next_u64(), rng.next_u64() >> 4]
}

macro_rules! peer {
    ($module:ident, $name:literal, $library:ident, $field:expr, $refer:expr) => {
        mod $module {
            use super::{BenchmarkId, ChaCha20Rng, MESSAGE, SeedableRng, black_box, coefficient};
            use criterion::{BenchmarkGroup, measurement::WallTime};
            use std::collections::BTreeMap;
            use $library::{Ciphertext, DecryptionShare, Fr, PublicKeySet, SecretKeySet, poly::Poly};

            fn keys(t: u16) -> (SecretKeySet, PublicKeySet) {
                let mut rng = ChaCha20Rng::seed_from_u64(2);
                let coefficients: Vec<Fr> = (0..t).map(|_| $field(coefficient(&mut rng))).collect();
                let secret = SecretKeySet::from(Poly::from(coefficients));
                let public = secret.public_keys();
                (secret, public)
            }

            fn shares(secret: &SecretKeySet, t: u16, ciphertext: &Ciphertext) -> BTreeMap<usize, DecryptionShare> {
                let one = |i| (i, secret.secret_key_share(i).decrypt_share(ciphertext).unwrap());
                (0..usize::from(t)).map(one).collect()
            }

            pub(super) fn encrypt(group: &mut BenchmarkGroup<'_, WallTime>) {
                let key = keys(3).1.public_key();
                group.bench_function($name, |b| b.iter(|| black_box(key.encrypt(MESSAGE))));
            }

            pub(super) fn verify(group: &mut BenchmarkGroup<'_, WallTime>) {
                let ciphertext = keys(3).1.public_key().encrypt(MESSAGE);
                group.bench_function($name, |b| b.iter(|| assert!(black_box(&ciphertext).verify())));
            }

            pub(super) fn share(group: &mut BenchmarkGroup<'_, WallTime>) {
                let (secret, public) = keys(3);
                let (share, ciphertext) = (secret.secret_key_share(0usize), public.public_key().encrypt(MESSAGE));
                let name = concat!($name, ", ciphertext verified before");
                group.bench_function(name, |b| b.iter(|| share.decrypt_share_no_verify(&ciphertext)));
                let name = concat!($name, ", ciphertext verified again");
                group.bench_function(name, |b| b.iter(|| share.decrypt_share(&ciphertext).unwrap()));
            }

            pub(super) fn verify_shares(group: &mut BenchmarkGroup<'_, WallTime>, t: u16, n: u16) {
                let (secret, public) = keys(t);
                let ciphertext = public.public_key().encrypt(MESSAGE);
                let shares = shares(&secret, t, &ciphertext);
                let keys: Vec<_> = (0..usize::from(t)).map(|i| public.public_key_share(i)).collect();
                group.bench_function(BenchmarkId::new($name, format!("({t},{n})")), |b| {
                    b.iter(|| {
                        let valid = |(i, share): (&usize, _)| keys[*i].verify_decryption_share(share, &ciphertext);
                        assert!(shares.iter().all(valid));
                    })
                });
            }

            pub(super) fn combine(group: &mut BenchmarkGroup<'_, WallTime>, t: u16, n: u16) {
                let (secret, public) = keys(t);
                let ciphertext = public.public_key().encrypt(MESSAGE);
                let shares = shares(&secret, t, &ciphertext);
                group.bench_function(BenchmarkId::new($name, format!("({t},{n})")), |b| {
                    b.iter(|| public.decrypt($refer(&shares), &ciphertext).unwrap())
                });
            }
        }
    };
}

fn pairing_scalar(limbs: [u64; 4]) -> threshold_crypto::Fr {
    use threshold_crypto::ff::PrimeField;
    threshold_crypto::Fr::from_repr(threshold_crypto::FrRepr(limbs)).unwrap()
}

peer!(old, "threshold_crypto", threshold_crypto, super::pairing_scalar, std::convert::identity);

#[cfg(feature = "bls")]
fn blst_scalar(limbs: [u64; 4]) -> blsttc::Fr {
    Option::from(blsttc::Fr::from_u64s_le(&limbs)).unwrap()
}

#[cfg(feature = "bls")]
peer!(blst, "blsttc", blsttc, super::blst_scalar, super::by_value);

#[cfg(feature = "bls")]
fn by_value<T>(shares: &std::collections::BTreeMap<usize, T>) -> impl Iterator<Item = (usize, &T)> {
    shares.iter().map(|(i, share)| (*i, share))
}

mod peers {
    use criterion::{BenchmarkGroup, measurement::WallTime};

    type Group<'g> = BenchmarkGroup<'g, WallTime>;

    macro_rules! each {
        ($($step:ident($($argument:ident),*)),*) => { $(
            pub(super) fn $step(group: &mut Group<'_> $(, $argument: u16)*) {
                super::old::$step(group $(, $argument)*);
                #[cfg(feature = "bls")]
                super::blst::$step(group $(, $argument)*);
            }
        )* };
    }

    each!(encrypt(), verify(), share(), verify_shares(t, n), combine(t, n));
}

criterion_group!(benches, encrypt_and_verify, share, verify_shares, combine, open_in_enclave);
criterion_main!(benches);
