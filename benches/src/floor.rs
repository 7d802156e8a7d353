//! The bare operations under each step, with nothing around them: no hashing, no encoding, no checks of form.
//!
//! A floor uses the fastest routine of curve25519-dalek that fits, with tables for fixed bases, and sums what the step
//! cannot do without. A step at 1.3 times its floor spends a quarter of its time on everything else.

use crate::world::World;
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoBasepointTable};
use curve25519_dalek::traits::{Identity, MultiscalarMul, VartimeMultiscalarMul};
use curve25519_dalek::{RistrettoPoint, Scalar};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Kem, OpModeR, OpModeS};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::hint::black_box;

type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;
type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
/// An encapsulated key and what was encrypted to it.
pub type SealedBox = (<X25519HkdfSha256 as Kem>::EncappedKey, Vec<u8>);

const INFO: &[u8] = b"bench";

/// Operands for every bare operation.
pub struct Floor {
    rng: ChaCha20Rng,
    scalars: Vec<Scalar>,
    weights: Vec<Scalar>,
    points: Vec<RistrettoPoint>,
    encoded: Vec<CompressedRistretto>,
    table: RistrettoBasepointTable,
    signed: (VerifyingKey, [u8; 64], Signature),
    secret: PrivateKey,
    public: PublicKey,
}

fn scalar(rng: &mut ChaCha20Rng) -> Scalar {
    let mut wide = [0; 64];
    rng.fill_bytes(&mut wide);
    Scalar::from_bytes_mod_order_wide(&wide)
}

fn weight(rng: &mut ChaCha20Rng) -> Scalar {
    Scalar::from(u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64()))
}

impl Floor {
    /// Operands for sums of up to `count` terms.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let points: Vec<_> = (0..count.max(2)).map(|_| RistrettoPoint::mul_base(&scalar(&mut rng))).collect();
        let signing = SigningKey::from_bytes(&[9; 32]);
        let message = [8; 64];
        let (secret, public) = X25519HkdfSha256::derive_keypair(&[6; 32]);
        Self {
            scalars: points.iter().map(|_| scalar(&mut rng)).collect(),
            weights: points.iter().map(|_| weight(&mut rng)).collect(),
            encoded: points.iter().map(RistrettoPoint::compress).collect(),
            table: RistrettoBasepointTable::create(&points[1]),
            signed: (signing.verifying_key(), message, signing.sign(&message)),
            points,
            rng,
            secret,
            public,
        }
    }

    /// s·G from the generator's table, constant time.
    #[must_use]
    pub fn base(&self) -> RistrettoPoint {
        RistrettoPoint::mul_base(black_box(&self.scalars[0]))
    }

    /// s·Ḡ from a table of a fixed base, constant time.
    #[must_use]
    pub fn table(&self) -> RistrettoPoint {
        black_box(&self.table) * black_box(&self.scalars[0])
    }

    /// s·P, constant time.
    #[must_use]
    pub fn variable(&self) -> RistrettoPoint {
        black_box(&self.points[0]) * black_box(&self.scalars[0])
    }

    /// a·P + b·G, variable time.
    #[must_use]
    pub fn double(&self) -> RistrettoPoint {
        let [a, b] = [&self.scalars[0], &self.scalars[1]];
        RistrettoPoint::vartime_double_scalar_mul_basepoint(black_box(a), black_box(&self.points[0]), black_box(b))
    }

    /// Σ s_k·P_k over n terms with scalars of full length, variable time.
    #[must_use]
    pub fn sum(&self, n: usize) -> RistrettoPoint {
        RistrettoPoint::vartime_multiscalar_mul(black_box(&self.scalars[..n]), black_box(&self.points[..n]))
    }

    /// a·P + b·Q, constant time.
    #[must_use]
    pub fn pair(&self) -> RistrettoPoint {
        RistrettoPoint::multiscalar_mul(black_box(&self.scalars[..2]), black_box(&self.points[..2]))
    }

    /// Σ s_k·P_k with these scalars.
    #[must_use]
    pub fn sum_of(&self, scalars: &[Scalar]) -> RistrettoPoint {
        RistrettoPoint::vartime_multiscalar_mul(black_box(scalars), black_box(&self.points[..scalars.len()]))
    }

    /// Σ w_k·P_k over n terms with scalars of 128 bits, variable time.
    #[must_use]
    pub fn weighted(&self, n: usize) -> RistrettoPoint {
        RistrettoPoint::vartime_multiscalar_mul(black_box(&self.weights[..n]), black_box(&self.points[..n]))
    }

    /// The sum that checks t shares: t terms each for A and B with 128 bits, for P and D with full length, one for U
    /// and one for G.
    #[must_use]
    pub fn batch(&self, t: usize) -> RistrettoPoint {
        let scalars = self.weights[..2 * t].iter().chain(&self.scalars[2 * t..4 * t + 2]);
        RistrettoPoint::vartime_multiscalar_mul(black_box(scalars), black_box(&self.points[..4 * t + 2]))
    }

    /// n points from their bytes.
    pub fn decode(&self, n: usize) {
        for point in &self.encoded[..n] {
            black_box(black_box(point).decompress());
        }
    }

    /// n points that are doubles, to their bytes: one inversion serves all.
    pub fn encode(&self, n: usize) {
        black_box(RistrettoPoint::double_and_compress_batch(black_box(&self.points[..n])));
    }

    /// n points to their bytes, one by one.
    pub fn encode_each(&self, n: usize) {
        for point in &self.points[..n] {
            black_box(black_box(point).compress());
        }
    }

    /// The sum that checks n proofs of knowledge: n terms with 128 bits and n of full length, one multiple of G.
    #[must_use]
    pub fn batch_of_knowledge(&self, n: usize) -> [RistrettoPoint; 2] {
        let scalars = self.weights[..n].iter().chain(&self.scalars[n..2 * n]);
        [RistrettoPoint::vartime_multiscalar_mul(black_box(scalars), black_box(&self.points[..2 * n])), self.base()]
    }

    /// Ed25519 by the strict rule over 64 bytes.
    pub fn verify_signature(&self) {
        let (key, message, signature) = black_box(&self.signed);
        key.verify_strict(message, signature).unwrap();
    }

    /// HPKE to an X25519 key.
    pub fn seal(&mut self, plaintext: &[u8]) -> SealedBox {
        hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &self.public,
            INFO,
            black_box(plaintext),
            &[],
            &mut self.rng,
        )
        .unwrap()
    }

    /// Opens what [`Floor::seal`] sealed.
    #[must_use]
    pub fn open(&self, (enc, ciphertext): &SealedBox) -> Vec<u8> {
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.secret,
            enc,
            INFO,
            ciphertext,
            &[],
        )
        .unwrap()
    }
}

/// λ_i of the identifiers 1 to t at zero without their signs: C(t, i). Short, so that few digits are added.
#[must_use]
pub fn binomials(t: u16) -> Vec<Scalar> {
    let next = |row: u128, i: u16| row * u128::from(black_box(t) - i + 1) / u128::from(i);
    let each = |row: &mut u128, i: u16| {
        *row = next(*row, i);
        Some(Scalar::from(*row))
    };
    (1..=t).scan(1, each).collect()
}

/// λ_i of the identifiers 1 to t at zero. Products of differences are taken in runs of 128 bits, the inverses together.
#[must_use]
pub fn lagrange(t: u16) -> Vec<Scalar> {
    let factors = |i: u16| (1..=black_box(t)).filter(move |&j| j != i);
    let mut below: Vec<_> = (1..=t).map(|i| product(factors(i).map(|j| j.abs_diff(i)).chain([i]))).collect();
    Scalar::invert_batch_alloc(&mut below);
    let above = product(1..=t);
    let sign = |i: u16, scalar: Scalar| if i % 2 == 1 { scalar } else { -scalar };
    (1..=t).zip(below).map(|(i, inverse)| sign(i, inverse * above)).collect()
}

fn product(factors: impl Iterator<Item = u16>) -> Scalar {
    let (mut all, mut run) = (Scalar::ONE, 1u128);
    for factor in factors {
        if run >> 112 != 0 {
            all *= Scalar::from(run);
            run = 1;
        }
        run *= u128::from(factor);
    }
    all * Scalar::from(run)
}

/// Σ C_k·i^k over t commitments by Horner's rule, doubling and adding.
#[must_use]
pub fn evaluate(commitments: &[RistrettoPoint], i: u16) -> RistrettoPoint {
    let horner = |sum: RistrettoPoint, commitment: &RistrettoPoint| small_multiple(&sum, i) + commitment;
    black_box(commitments).iter().rev().fold(RistrettoPoint::identity(), horner)
}

/// Σ C_k·i^k for every i from 1 to n: the differences at zero, by Horner's rule over them, and a row of sums for each.
#[must_use]
pub fn evaluate_all(commitments: &[RistrettoPoint], n: u16) -> Vec<RistrettoPoint> {
    let mut differences: Vec<RistrettoPoint> = Vec::new();
    for commitment in black_box(commitments).iter().rev() {
        let above: Vec<_> = (1..).zip(pairs(&differences)).map(|(k, sum)| small_multiple(&sum, k)).collect();
        differences = std::iter::once(*commitment).chain(above).collect();
    }
    let mut step = |_| {
        differences = pairs(&differences).collect();
        differences[0]
    };
    (1..=n).map(&mut step).collect()
}

/// The sums of neighbours, the last alone.
fn pairs(points: &[RistrettoPoint]) -> impl Iterator<Item = RistrettoPoint> {
    let next = points.iter().skip(1).copied().chain([RistrettoPoint::identity()]);
    points.iter().zip(next).map(|(point, next)| point + next)
}

fn small_multiple(point: &RistrettoPoint, factor: u16) -> RistrettoPoint {
    let bits = (0..factor.ilog2()).rev();
    bits.fold(*point, |sum, bit| if factor >> bit & 1 == 1 { sum + sum + point } else { sum + sum })
}

/// t points to evaluate over.
#[must_use]
pub fn commitments(t: u16) -> Vec<RistrettoPoint> {
    let doubled = |point: &RistrettoPoint| Some(point + point);
    std::iter::successors(Some(RISTRETTO_BASEPOINT_POINT), doubled).take(t.into()).collect()
}

/// Operands that suffice for a committee's batch of shares.
#[must_use]
pub fn of(world: &World) -> Floor {
    Floor::new(4 * world.t() + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_interpolate_at_zero() {
        let polynomial = |x: u16| Scalar::from(5u8) + Scalar::from(3u8) * Scalar::from(x) * Scalar::from(x);
        for t in [3, 11, 67] {
            let value: Scalar = lagrange(t).iter().zip(1..).map(|(lambda, i)| lambda * polynomial(i)).sum();
            assert_eq!(value, Scalar::from(5u8));
        }
    }

    #[test]
    fn binomials_are_the_coefficients_without_signs() {
        for t in [3, 11, 67] {
            let signed = binomials(t).into_iter().zip(1u8..).map(|(c, i)| if i % 2 == 1 { c } else { -c });
            assert_eq!(signed.collect::<Vec<_>>(), lagrange(t));
        }
    }

    #[test]
    fn all_values_are_the_single_ones() {
        for t in [1, 2, 7] {
            let points = commitments(t);
            let single: Vec<_> = (1..=12).map(|i| evaluate(&points, i)).collect();
            assert_eq!(evaluate_all(&points, 12), single);
        }
    }

    #[test]
    fn evaluation_is_the_weighted_sum() {
        let points = commitments(4);
        let expected = RistrettoPoint::vartime_multiscalar_mul([1u64, 6, 36, 216].map(Scalar::from), &points);
        assert_eq!(evaluate(&points, 6), expected);
    }

    #[test]
    fn what_is_sealed_opens() {
        let mut floor = Floor::new(2);
        let sealed = floor.seal(b"share");
        assert_eq!(floor.open(&sealed), b"share");
    }
}
