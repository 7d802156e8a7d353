//! Two classes of secrets, and samples of what an operation takes with them, interleaved at random.
//!
//! *Source*: Reparaz, Balasch and Verbauwhede, *Dude, is my code constant time?*, 2017. One class always has the same
//! secret, chosen to be far from typical where there is a choice; the other a random one of a pool. Nothing else may tell
//! the classes apart:
//!
//! - *Public data.* Each entry of either pool has its own roster, ciphertext and request, so that what varies with public
//!   data varies in both.
//! - *Memory.* What is measured is a copy in a batch that is made anew, in one place after the other; which class a place
//!   gets is drawn each time. An entry that were measured where it lies would be measured with its addresses: caches and
//!   pages make them cost some nanoseconds, always the same, which a million samples do not average away.
//! - *Load.* The order of a batch is the order of the draws, so what else the machine does falls on both.

use crate::welch::Samples;
use crate::world::{encrypt_to, request_to, roster};
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

/// Entries per class.
const POOL: usize = 32;
/// Copies that are made before they are measured.
const BATCH: usize = 32;
/// The fastest parts over which t is also taken.
pub const FRACTIONS: [f64; 3] = [0.5, 0.9, 0.99];

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
    fn new(x: Scalar, rng: &mut ChaCha20Rng) -> Self {
        let point = RistrettoPoint::mul_base(&x);
        let encoded = point.compress().to_bytes();
        let member = Member::new(&roster(1, 1, rng).0.members()[0], &encoded).unwrap();
        let master = MasterPublicKey::from_bytes(&encoded).unwrap();
        let threshold = Threshold::new(1, 1).unwrap();
        let committee = Committee::from_parts(Epoch(1), threshold, master, vec![member]).unwrap();
        let ciphertexts = [encrypt_to(&master, LabelKind::Public, rng).verify(&master).unwrap()];
        let request = request_to(&committee, Mode::Public, &ciphertexts);
        let share = key_share(&committee, &x);
        let k = ephemeral(&ciphertexts[0]) * x;
        Self { share, committee, encoded_k: k.compress().to_bytes(), k, ciphertexts, request, x }
    }

    /// The same in other memory.
    fn copied(&self) -> Self {
        let Self { share, committee, ciphertexts, request, k, encoded_k, x } = self;
        let share = KeyShare::from_bytes(&share.to_bytes()).unwrap();
        let (committee, ciphertexts, request) = (committee.clone(), ciphertexts.clone(), request.clone());
        Self { share, committee, ciphertexts, request, k: *k, encoded_k: *encoded_k, x: *x }
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

/// Two classes.
pub struct Classes([Vec<Secret>; 2]);

impl Classes {
    /// x = 1, and random x.
    #[must_use]
    pub fn new(rng: &mut ChaCha20Rng) -> Self {
        Self([pool(|_| Scalar::ONE, rng), pool(scalar, rng)])
    }

    /// Random x in both: whatever tells these apart is no secret.
    #[must_use]
    pub fn alike(rng: &mut ChaCha20Rng) -> Self {
        Self([pool(scalar, rng), pool(scalar, rng)])
    }

    /// Samples an operation as long as `more` says, given the number of samples that were taken.
    pub fn sample(&self, more: impl Fn(u32) -> bool, mut operation: impl FnMut(&Secret)) -> Samples {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let mut samples = Samples::default();
        let mut taken = 0;
        while more(taken) {
            for (random, secret) in &self.batch(&mut rng) {
                let start = Instant::now();
                operation(secret);
                samples.push(*random, start.elapsed().as_secs_f64() * 1e9);
                taken += 1;
            }
        }
        samples
    }

    /// Copies of entries that are drawn from either class.
    fn batch(&self, rng: &mut ChaCha20Rng) -> Vec<(bool, Secret)> {
        (0..BATCH).map(|_| self.draw(rng)).collect()
    }

    fn draw(&self, rng: &mut ChaCha20Rng) -> (bool, Secret) {
        let draw = rng.next_u32();
        let random = draw & 1 == 1;
        (random, self.0[usize::from(random)][(draw >> 1) as usize % POOL].copied())
    }
}

fn pool(x: impl Fn(&mut ChaCha20Rng) -> Scalar, rng: &mut ChaCha20Rng) -> Vec<Secret> {
    (0..POOL).map(|_| Secret::new(x(rng), rng)).collect()
}

fn scalar(rng: &mut ChaCha20Rng) -> Scalar {
    let mut wide = [0; 64];
    rng.fill_bytes(&mut wide);
    Scalar::from_bytes_mod_order_wide(&wide)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{is_seen, stays_below};

    /// Samples of each operation in the first run.
    const TAKEN: u32 = 1500;

    fn t_of(classes: &Classes, factor: u32, operation: impl FnMut(&Secret)) -> f64 {
        classes.sample(|taken| taken < TAKEN * factor, operation).largest_t(&FRACTIONS)
    }

    /// The bench of the same name takes longer and sees more.
    #[test]
    fn n054_making_a_share_and_opening_take_the_same_time_where_a_control_is_seen_to_vary() {
        let mut rng = ChaCha20Rng::seed_from_u64(54);
        let classes = Classes::new(&mut rng);
        assert!(is_seen(|factor| t_of(&classes, factor, Secret::vary)).is_ok(), "the control was not seen to vary");
        let created = stays_below(|factor| t_of(&classes, factor, |secret| secret.create(&mut rng)));
        let opened = stays_below(|factor| t_of(&classes, factor, Secret::open));
        assert!(created.is_ok() && opened.is_ok(), "|t| of creation {created:?}, of opening {opened:?}");
    }
}
