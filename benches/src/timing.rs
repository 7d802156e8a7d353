//! Two classes of secrets, and samples of what an operation takes with them, interleaved at random.
//!
//! *Source*: Reparaz, Balasch and Verbauwhede, *Dude, is my code constant time?*, 2017. One class always has the same
//! secret, chosen to be far from typical where there is a choice; the other a random one of a pool. Both pools have the
//! same size, and every entry its own memory, so that caches treat them alike. Which class is measured next is drawn
//! anew each time, so that load of the machine falls on both.

use crate::welch::Samples;
use crate::world::{World, encrypt_to, request_to};
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
use std::time::Instant;

/// Inputs per class.
const POOL: usize = 32;
/// The fastest parts over which t is also taken.
pub const FRACTIONS: [f64; 3] = [0.5, 0.9, 0.99];
/// A |t| of which chance is no explanation: what the control has to reach, and nothing else may.
pub const CERTAIN: f64 = 10.0;

/// A secret x with everything public that belongs to it: a committee of one, whose share is the master secret.
pub struct Secret {
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

    /// Makes a share.
    pub fn create(&self, rng: &mut ChaCha20Rng) {
        let Self { share, committee, request, ciphertexts, .. } = self;
        black_box(Shares::create(share, committee, request, ciphertexts, rng).unwrap());
    }

    /// Opens a ciphertext with the element that shares combine to, its decoding included.
    pub fn open(&self) {
        black_box(self.ciphertexts[0].open_with(&self.encoded_k).unwrap());
    }

    /// Varies with x: its form in signed digits has as many additions as digits that are not zero.
    pub fn vary(&self) {
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
pub struct Classes([Vec<Secret>; 2]);

impl Classes {
    /// Both pools.
    #[must_use]
    pub fn new(rng: &mut ChaCha20Rng) -> Self {
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

impl Classes {
    /// Samples an operation as long as `more` says, given the number of samples that were taken.
    pub fn sample(&self, mut more: impl FnMut(u32) -> bool, mut operation: impl FnMut(&Secret)) -> Samples {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let mut samples = Samples::default();
        let mut taken = 0;
        while more(taken) {
            let (random, secret) = self.draw(&mut rng);
            let start = Instant::now();
            operation(secret);
            samples.push(random, start.elapsed().as_secs_f64() * 1e9);
            taken += 1;
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples of each operation in one try.
    const TAKEN: u32 = 1500;

    /// |t| of the control, of making a share, and of opening.
    fn measured(classes: &Classes, rng: &mut ChaCha20Rng) -> [f64; 3] {
        let few = |taken| taken < TAKEN;
        let control = classes.sample(few, Secret::vary);
        let creation = classes.sample(few, |secret| secret.create(rng));
        let opening = classes.sample(few, Secret::open);
        [control, creation, opening].map(|samples| samples.largest_t(&FRACTIONS).abs())
    }

    /// The bench of the same name takes longer and sees more. Here a difference that nobody could miss ends the gate: of
    /// three tries one has to see the control vary and nothing else, so that a busy machine has another chance and code
    /// that varies has none.
    #[test]
    fn n054_making_a_share_and_opening_take_the_same_time_where_a_control_is_seen_to_vary() {
        let mut rng = ChaCha20Rng::seed_from_u64(54);
        let classes = Classes::new(&mut rng);
        let mut tries = Vec::new();
        let clear = (0..3).any(|_| {
            let [control, creation, opening] = measured(&classes, &mut rng);
            tries.push([control, creation, opening]);
            control >= CERTAIN && creation < CERTAIN && opening < CERTAIN
        });
        assert!(clear, "|t| of control, creation and opening in each try: {tries:?}");
    }
}
