//! Does the time of an operation depend on its secret? Two classes of secrets, interleaved at random, and Welch's t.
//!
//! ```text
//! cargo bench -p ccc-benches --bench timing
//! ```
//!
//! *Source*: Reparaz, Balasch and Verbauwhede, *Dude, is my code constant time?*, 2017. One class always has the same
//! secret, chosen to be far from typical where there is a choice; the other a random one of a pool. Both pools have the
//! same size, and every entry its own memory, so that caches treat them alike. Which class is measured next is drawn
//! anew each time, so that load of the machine falls on both.
//!
//! How to read it: t counts by how many standard deviations the means differ; the largest |t| among all samples and the
//! fastest halves, nine tenths and 99 hundredths is shown. Below 4.5 this many samples show no dependence; above 10 there
//! is one; between them, run again: a real difference grows with the root of the number of samples, chance does not. A
//! small t is no proof of constant time, on this machine or another. The last line is a control that varies on purpose:
//! where it stays below 10 the run could see nothing, and ends with exit code 1.
//!
//! With `--test` a few samples are taken and nothing is said about time. A free argument selects operations by name.

#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up ends")]

use ccc_benches::welch::Samples;
use ccc_benches::world::{World, encrypt_to, request_to};
use ccc_core::ciphertext::{LabelKind, VerifiedCiphertext};
use ccc_core::encoding::{Kind, header};
use ccc_core::epoch::Epoch;
use ccc_core::identifier::Identifier;
use ccc_core::keys::{Committee, KeyShare, MasterPublicKey, Member};
use ccc_core::threshold::Threshold;
use ccc_core::vault::{Mode, Request, Shares};
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Inputs per class.
const POOL: usize = 32;
/// How long each operation is sampled.
const BUDGET: Duration = Duration::from_secs(15);
/// Samples in smoke mode.
const FEW: u32 = 64;
/// The fastest parts over which t is also taken.
const FRACTIONS: [f64; 3] = [0.5, 0.9, 0.99];
/// What the control has to reach.
const CERTAIN: f64 = 10.0;

/// A secret x with everything public that belongs to it: a committee of one, whose share is the master secret.
struct Secret {
    share: KeyShare,
    committee: Committee,
    ciphertexts: [VerifiedCiphertext; 1],
    request: Request,
    k: RistrettoPoint,
    encoded_k: [u8; 32],
    x: Scalar,
}

impl Secret {
    fn new(x: Scalar, template: &World, rng: &mut ChaCha20Rng) -> Self {
        let point = RistrettoPoint::mul_base(&x);
        let encoded = point.compress().to_bytes();
        let member = Member::new(&template.committee.roster().members()[0], &encoded).unwrap();
        let master = MasterPublicKey::from_bytes(&encoded).unwrap();
        let threshold = Threshold::new(1, 1).unwrap();
        let committee = Committee::from_parts(Epoch(1), threshold, master, vec![member]).unwrap();
        let ciphertexts = [encrypt_to(&master, LabelKind::Public, rng).verify(&master).unwrap()];
        let request = request_to(&committee, Mode::Public, &ciphertexts);
        let share = key_share(&committee, &x);
        let k = ephemeral(&ciphertexts[0]) * x;
        Self { share, committee, encoded_k: k.compress().to_bytes(), k, ciphertexts, request, x }
    }

    fn create(&self, rng: &mut ChaCha20Rng) {
        let Self { share, committee, request, ciphertexts, .. } = self;
        black_box(Shares::create(share, committee, request, None, ciphertexts, rng).unwrap());
    }

    /// With the decoding of K.
    fn open(&self) {
        black_box(self.ciphertexts[0].open_with(&self.encoded_k).unwrap());
    }

    /// Varies with x: its form in signed digits has as many additions as digits that are not zero.
    fn vary(&self) {
        black_box(RistrettoPoint::vartime_double_scalar_mul_basepoint(&self.x, &self.k, &Scalar::ONE));
    }
}

/// The share of x, in the layout of `docs/spec/encodings.md`.
fn key_share(committee: &Committee, x: &Scalar) -> KeyShare {
    let identifier = Identifier::new(1).unwrap().to_bytes();
    let epoch = committee.epoch().to_bytes();
    let wire = [&header(Kind::KeyShare)[..], &epoch, &committee.digest(), &identifier, x.as_bytes()].concat();
    KeyShare::from_bytes(&wire).unwrap()
}

/// U, after header and label.
fn ephemeral(ciphertext: &VerifiedCiphertext) -> RistrettoPoint {
    let wire = ciphertext.ciphertext().to_bytes();
    CompressedRistretto::from_slice(&wire[137..169]).unwrap().decompress().unwrap()
}

/// The two classes: x = 1 with one ciphertext, and random x with their own.
struct Classes([Vec<Secret>; 2]);

impl Classes {
    fn new(rng: &mut ChaCha20Rng) -> Self {
        let template = World::new(1, 1);
        let fixed = |_| Secret::new(Scalar::ONE, &template, &mut ChaCha20Rng::seed_from_u64(1));
        let fixed = (0..POOL).map(fixed).collect();
        let random = (0..POOL).map(|_| Secret::new(scalar(rng), &template, rng)).collect();
        Self([fixed, random])
    }

    fn draw(&self, rng: &mut ChaCha20Rng) -> (bool, &Secret) {
        let draw = rng.next_u32();
        let random = draw & 1 == 1;
        (random, &self.0[usize::from(random)][(draw >> 1) as usize % POOL])
    }
}

fn scalar(rng: &mut ChaCha20Rng) -> Scalar {
    let mut wide = [0; 64];
    rng.fill_bytes(&mut wide);
    Scalar::from_bytes_mod_order_wide(&wide)
}

/// Samples an operation until the budget, or the few of smoke mode, are used up.
fn sample(classes: &Classes, smoke: bool, mut operation: impl FnMut(&Secret)) -> Samples {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let mut samples = Samples::default();
    let (started, mut taken) = (Instant::now(), 0);
    while taken < FEW || !smoke && started.elapsed() < BUDGET {
        let (random, secret) = classes.draw(&mut rng);
        let start = Instant::now();
        operation(secret);
        let nanoseconds = start.elapsed().as_secs_f64() * 1e9;
        samples.push(random, nanoseconds);
        taken += 1;
    }
    samples
}

fn report(name: &str, samples: &Samples, smoke: bool) -> f64 {
    let t = samples.largest_t(&FRACTIONS);
    let [fixed, random] = samples.medians();
    if smoke {
        println!("timing/{name}: {} samples taken", samples.len());
    } else {
        let (fixed, random) = (fixed / 1e3, random / 1e3);
        println!("timing/{name}: {} samples, medians {fixed:.2} and {random:.2} µs, t = {t:.1}", samples.len());
    }
    t
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let smoke = arguments.iter().any(|argument| argument == "--test");
    let filter = arguments.iter().find(|argument| !argument.starts_with('-'));
    let wanted = |name: &str| filter.is_none_or(|filter| format!("timing/{name}").contains(filter.as_str()));
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let classes = Classes::new(&mut rng);
    if wanted("share creation") {
        report("share creation", &sample(&classes, smoke, |secret| secret.create(&mut rng)), smoke);
    }
    if wanted("decapsulation") {
        report("decapsulation", &sample(&classes, smoke, Secret::open), smoke);
    }
    if !wanted("control") {
        return ExitCode::SUCCESS;
    }
    let t = report("control, varies on purpose", &sample(&classes, smoke, Secret::vary), smoke);
    if smoke || t.abs() >= CERTAIN {
        return ExitCode::SUCCESS;
    }
    println!("timing: the control was not seen to vary, so this run says nothing");
    ExitCode::FAILURE
}
