//! Evidence of each kind beside the bare signature checks that it needs, a chain that was verified before, and an
//! admitted identity: one signature.
//!
//! One group per line of the table in `docs/benchmarks.md`; its members are measured in one run. The floors check
//! signatures of the same kind over 672 bytes under parsed keys: no parsing, no names, no dates.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up ends")]

use ccc_core::enclave::attestation::simulated::{SimulatedHardware, SimulatedProvider};
use ccc_core::enclave::attestation::{Body, Hardware, OperatingMode, Policy, dcap, nitro, snp, stated};
use ccc_core::enclave::identity::{Challenge, IdentityKey, KnownIdentities};
use criterion::{Criterion, criterion_group, criterion_main};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::hint::black_box;
use std::path::Path;

/// What a floor signs: as long as the signed part of an SEV-SNP report.
const SIGNED: [u8; 672] = [7; 672];
/// Signatures that a quote needs: its own, the quoting enclave's report, levels, identity, two of the key's chain, the one
/// certificate that signs levels and identity, and two lists.
const OF_INTEL: usize = 9;

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/attestation").join(name)).unwrap()
}

/// Checks of ECDSA over P-384 with SHA-384.
fn p384_checks(times: usize) -> impl Fn() {
    use p384::ecdsa::signature::{Signer, Verifier};
    let key = p384::ecdsa::SigningKey::from_slice(&[3; 48]).unwrap();
    let signature: p384::ecdsa::Signature = key.sign(&SIGNED);
    let key = *key.verifying_key();
    move || (0..times).for_each(|_| key.verify(black_box(&SIGNED), &signature).unwrap())
}

/// Checks of ECDSA over P-256 with SHA-256.
fn p256_checks(times: usize) -> impl Fn() {
    use p256::ecdsa::signature::{Signer, Verifier};
    let key = p256::ecdsa::SigningKey::from_slice(&[3; 32]).unwrap();
    let signature: p256::ecdsa::Signature = key.sign(&SIGNED);
    let key = *key.verifying_key();
    move || (0..times).for_each(|_| key.verify(black_box(&SIGNED), &signature).unwrap())
}

/// Checks of secp256k1 with the key recovered.
fn recoveries() -> impl Fn() {
    let key = k256::ecdsa::SigningKey::from_slice(&[3; 32]).unwrap();
    let (signature, recovery) = key.sign_prehash_recoverable(&[5; 32]);
    move || {
        black_box(k256::ecdsa::VerifyingKey::recover_from_prehash(black_box(&[5; 32]), &signature, recovery).unwrap());
    }
}

/// Floor: a document's signature and one for each certificate below the root.
fn nitro_documents(c: &mut Criterion) {
    let (document, at) = (sample("nitro/real-2025-01-06-eu-central-1.cose"), 1_736_179_625);
    let evidence = Body::Nitro { document: &document }.to_bytes().unwrap();
    let signatures = stated(&evidence).unwrap().certificates.len();
    let mut group = c.benchmark_group("attestation/nitro");
    group.bench_function("ccc", |b| b.iter(|| nitro::verify(black_box(&document), nitro::ROOT_G1, at).unwrap()));
    let floor = p384_checks(signatures);
    group.bench_function("floor", |b| b.iter(&floor));
    group.finish();
    let chain = nitro::chain(&document, nitro::ROOT_G1, at).unwrap();
    let mut group = c.benchmark_group("attestation/nitro, chain known");
    group.bench_function("ccc", |b| {
        b.iter(|| nitro::verify_under(black_box(&document), nitro::ROOT_G1, &chain, at).unwrap())
    });
    let floor = p384_checks(1);
    group.bench_function("floor", |b| b.iter(&floor));
    group.finish();
}

/// Two checks under AMD's key of 4096 bits. The signatures are none, which is found after the arithmetic.
fn rsa_checks() -> impl Fn() {
    use rsa::pkcs8::DecodePublicKey;
    use rsa::signature::Verifier;
    const BEFORE_KEY: &[u8] = &[0x30, 0x82, 0x02, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d];
    let root = snp::AUTHORITIES[0].root;
    let at = root.windows(BEFORE_KEY.len()).position(|window| window == BEFORE_KEY).unwrap();
    let key = rsa::RsaPublicKey::from_public_key_der(&root[at..at + 0x226]).unwrap();
    let key = rsa::pss::VerifyingKey::<sha2::Sha384>::new(key);
    let signature = rsa::pss::Signature::try_from(&[3; 512][..]).unwrap();
    move || (0..2).for_each(|_| assert!(key.verify(black_box(&SIGNED), &signature).is_err()))
}

/// Floor: the report's signature and two of RSA; with the chain known, the report's alone.
fn snp_reports(c: &mut Criterion) {
    let (report, vcek) = (sample("snp/go-sev-guest-attestation.bin"), sample("snp/go-sev-guest-vcek.der"));
    let at = 1_700_000_000;
    let mut group = c.benchmark_group("attestation/snp");
    group.bench_function("ccc", |b| b.iter(|| snp::verify(black_box(&report), &vcek, &snp::AUTHORITIES, at).unwrap()));
    let (floor, floor_rsa) = (p384_checks(1), rsa_checks());
    group.bench_function("floor", |b| {
        b.iter(|| {
            floor();
            floor_rsa();
        })
    });
    group.finish();
    let chain = snp::chain(&vcek, &snp::AUTHORITIES, at).unwrap();
    let mut group = c.benchmark_group("attestation/snp, chain known");
    group.bench_function("ccc", |b| {
        b.iter(|| snp::verify_under(black_box(&report), &vcek, &snp::AUTHORITIES, &chain, at).unwrap())
    });
    let floor = p384_checks(1);
    group.bench_function("floor", |b| b.iter(&floor));
    group.finish();
}

/// Floor: nine signatures over P-256.
fn quotes(c: &mut Criterion) {
    for (name, quote, collateral, at) in [
        ("attestation/tdx", "dcap/tdx_quote", "dcap/tdx_quote_collateral.json", 1_750_334_400),
        ("attestation/sgx", "dcap/sgx_quote", "dcap/sgx_quote_collateral.json", 1_750_334_400),
    ] {
        let (quote, collateral) = (sample(quote), sample(collateral));
        let quote = dcap::without_padding(&quote);
        let mut group = c.benchmark_group(name);
        group
            .bench_function("ccc", |b| b.iter(|| dcap::verify(black_box(quote), &collateral, dcap::ROOT, at).unwrap()));
        let floor = p256_checks(OF_INTEL);
        group.bench_function("floor", |b| b.iter(&floor));
        group.finish();
    }
}

/// Floor: one key recovered from a signature.
fn identity(c: &mut Criterion) {
    let (now, mut rng) = (1_800_000_000, StdRng::seed_from_u64(1));
    let provider = SimulatedProvider::new(SimulatedHardware::from_seed(&[4; 32]), [3; 32]);
    let policy = Policy {
        mode: OperatingMode::Simulation,
        measurements: vec![[3; 32]],
        max_age: 60,
        simulated_roots: vec![provider.root()],
        hardware: Hardware::default(),
    };
    let key = IdentityKey::generate(7, now + 600, &mut rng).unwrap();
    let challenge = Challenge::draw(&mut rng).unwrap();
    let attested = key.attest(&provider, &[5; 32], challenge.bytes(), now).unwrap();
    let mut known = KnownIdentities::new(7, 600);
    known.admit(&attested, &policy, challenge, now).unwrap();
    let (said, signed) = ([6; 64], key.sign(&[6; 64], now).unwrap());
    let mut group = c.benchmark_group("attestation/identity");
    group.bench_function("ccc", |b| b.iter(|| *known.check(black_box(&said), &signed, now).unwrap()));
    let floor = recoveries();
    group.bench_function("floor", |b| b.iter(&floor));
    group.finish();
}

criterion_group!(benches, nitro_documents, snp_reports, quotes, identity);
criterion_main!(benches);
