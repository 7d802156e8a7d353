//! Proofs in batchable form: the commitments travel, the verifier recomputes the challenge.
//!
//! *Source*: Schnorr 1991; Chaum and Pedersen 1992; batching with independent 128-bit weights after Bellare, Garay
//! and Rabin 1998.

pub(crate) mod representation;
mod schnorr;

pub(crate) use schnorr::{Knowledge, Schnorr, all_known_vartime};

use crate::encoding::{EncodingError, Reader};
use crate::point::Claimed;
use crate::suite::{domain, hash};
use alloc::vec::Vec;
use curve25519_dalek::traits::VartimeMultiscalarMul;
use curve25519_dalek::{RistrettoPoint, Scalar};

/// The proof (A, B, z) that one scalar x gives both P = xG and D = xU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dleq {
    pub(crate) a: Claimed,
    pub(crate) b: Claimed,
    pub(crate) z: Scalar,
}

impl Dleq {
    /// Bytes on the wire: A ‖ B ‖ z.
    pub(crate) const LEN: usize = 96;

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.a.bytes());
        out.extend_from_slice(self.b.bytes());
        out.extend_from_slice(self.z.as_bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, EncodingError> {
        Ok(Self { a: Claimed::read(reader, "A")?, b: Claimed::read(reader, "B")?, z: reader.scalar("z")? })
    }
}

/// A DLEQ proof beside its statement and challenge: zG = A + ch·P and zU = B + ch·D.
pub(crate) struct Equation<'a> {
    pub(crate) p: RistrettoPoint,
    pub(crate) u: RistrettoPoint,
    pub(crate) d: RistrettoPoint,
    pub(crate) proof: &'a Dleq,
    pub(crate) challenge: Scalar,
}

impl Equation<'_> {
    /// Whether both equations hold. *Timing*: varies with public data.
    pub(crate) fn holds_vartime(&self) -> bool {
        let Dleq { a, b, z } = self.proof;
        let minus = -self.challenge;
        let first = RistrettoPoint::vartime_double_scalar_mul_basepoint(&minus, &self.p, z);
        let second = RistrettoPoint::vartime_multiscalar_mul([*z, minus], [self.u, self.d]);
        a.decode() == Some(first) && b.decode() == Some(second)
    }
}

/// Whether all equations hold, except with probability 2⁻¹²⁸: each enters one sum with a weight of its own.
///
/// *Security*: `seed` MUST be unknown to whoever made the proofs.
pub(crate) fn all_hold_vartime(equations: &[&Equation<'_>], seed: &[u8; 64]) -> bool {
    let mut sum = Sum::default();
    for (k, equation) in (0u32..).step_by(2).zip(equations) {
        if sum.add(equation, weight(seed, k), weight(seed, k + 1)).is_none() {
            return false;
        }
    }
    sum.vanishes_vartime()
}

/// The j-th weight: the first 16 bytes of H("weight"; seed, u32 j), little-endian.
pub(crate) fn weight(seed: &[u8; 64], j: u32) -> Scalar {
    let wide = hash(domain::WEIGHT, &[seed, &j.to_be_bytes()]);
    let mut narrow = [0; 16];
    narrow.copy_from_slice(&wide[..16]);
    Scalar::from(u128::from_le_bytes(narrow))
}

/// Σ v·(A + ch·P) + w·(B + ch·D − zU) beside Σ v·z·G. The weights keep their sign, since −v mod ℓ has 253 bits where v
/// has 128, and half of the terms cost half.
#[derive(Default)]
struct Sum {
    base: Scalar,
    scalars: Vec<Scalar>,
    points: Vec<RistrettoPoint>,
    /// Consecutive proofs of one ciphertext share U: its scalars are added before the multiplication.
    last_u: Option<(RistrettoPoint, Scalar)>,
}

impl Sum {
    /// `None` when a commitment is no element.
    fn add(&mut self, equation: &Equation<'_>, v: Scalar, w: Scalar) -> Option<()> {
        let Equation { p, u, d, proof, challenge } = equation;
        let (a, b) = (proof.a.decode()?, proof.b.decode()?);
        self.base += v * proof.z;
        self.scalars.extend([v, v * challenge, w, w * challenge]);
        self.points.extend([a, *p, b, *d]);
        match &mut self.last_u {
            Some((last, scalar)) if last == u => *scalar -= w * proof.z,
            last => {
                let previous = last.replace((*u, -(w * proof.z)));
                self.push(previous);
            }
        }
        Some(())
    }

    fn push(&mut self, term: Option<(RistrettoPoint, Scalar)>) {
        if let Some((point, scalar)) = term {
            self.points.push(point);
            self.scalars.push(scalar);
        }
    }

    fn vanishes_vartime(mut self) -> bool {
        let last = self.last_u.take();
        self.push(last);
        RistrettoPoint::vartime_multiscalar_mul(&self.scalars, &self.points) == RistrettoPoint::mul_base(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(x: u8, nonce: u8, challenge: Scalar, u: RistrettoPoint) -> Dleq {
        let a = Scalar::from(nonce);
        Dleq {
            a: Claimed::of(&RistrettoPoint::mul_base(&a)),
            b: Claimed::of(&(u * a)),
            z: a + challenge * Scalar::from(x),
        }
    }

    fn equation(proof: &Dleq, x: u8, u: RistrettoPoint, challenge: Scalar) -> Equation<'_> {
        let x = Scalar::from(x);
        Equation { p: RistrettoPoint::mul_base(&x), u, d: u * x, proof, challenge }
    }

    #[test]
    fn n064_errors_that_cancel_in_a_plain_sum_are_found() {
        let u = crate::suite::second_generator();
        let ch = Scalar::from(9u8);
        let (mut one, mut two) = (proof(3, 5, ch, u), proof(4, 6, ch, u));
        let good = [equation(&one, 3, u, ch), equation(&two, 4, u, ch)];
        assert!(all_hold_vartime(&[&good[0], &good[1]], &[7; 64]) && good.iter().all(Equation::holds_vartime));
        one.z += Scalar::ONE;
        two.z -= Scalar::ONE;
        let bad = [equation(&one, 3, u, ch), equation(&two, 4, u, ch)];
        assert!(!all_hold_vartime(&[&bad[0], &bad[1]], &[7; 64]) && !bad.iter().any(Equation::holds_vartime));
    }

    fn verdicts(proof: &Dleq, x: u8, u: RistrettoPoint, challenge: Scalar) -> [bool; 2] {
        let equation = equation(proof, x, u, challenge);
        [equation.holds_vartime(), all_hold_vartime(&[&equation], &[7; 64])]
    }

    /// What fails one equation alone: its commitment; and, for the other one, z meant for another logarithm.
    #[test]
    fn n043_each_of_the_two_equations_must_hold() {
        let (u, g, ch) = (crate::suite::second_generator(), RistrettoPoint::mul_base(&Scalar::ONE), Scalar::from(9u8));
        let good = proof(3, 5, ch, u);
        assert_eq!(verdicts(&good, 3, u, ch), [true, true]);
        let shifted = |point: &Claimed| Claimed::of(&(point.decode().unwrap() + g));
        let first_fails = Dleq { a: shifted(&good.a), ..good.clone() };
        assert_eq!(verdicts(&first_fails, 3, u, ch), [false, false]);
        let second_fails = Dleq { b: shifted(&good.b), ..good.clone() };
        assert_eq!(verdicts(&second_fails, 3, u, ch), [false, false]);
        let Equation { p, d, .. } = equation(&good, 3, u, ch);
        for (p, d) in [(p + g, d), (p, d + g)] {
            let equation = Equation { p, u, d, proof: &good, challenge: ch };
            assert!(!equation.holds_vartime() && !all_hold_vartime(&[&equation], &[7; 64]));
        }
    }

    /// Within one proof too: each of the two equations has a weight of its own.
    #[test]
    fn n064_errors_of_the_two_equations_of_one_proof_do_not_cancel() {
        let (u, ch) = (crate::suite::second_generator(), Scalar::from(9u8));
        let mut bad = proof(3, 5, ch, u);
        bad.a = Claimed::of(&(bad.a.decode().unwrap() + u));
        bad.b = Claimed::of(&(bad.b.decode().unwrap() - u));
        assert_eq!(verdicts(&bad, 3, u, ch), [false, false]);
    }

    /// Four points per proof, and one U for neighbours that share it.
    #[test]
    fn neighbours_with_the_same_point_are_multiplied_once() {
        let (u, ch) = (crate::suite::second_generator(), Scalar::from(9u8));
        for (us, points) in [([u, u], 9), ([u, u + u], 10)] {
            let mut sum = Sum::default();
            for u in us {
                let proof = proof(3, 5, ch, u);
                sum.add(&equation(&proof, 3, u, ch), Scalar::ONE, Scalar::ONE).unwrap();
            }
            let last = sum.last_u.take();
            sum.push(last);
            assert_eq!((sum.points.len(), sum.scalars.len()), (points, points));
        }
    }

    /// Neighbours with the same U are added before the multiplication, neighbours with another one are not.
    #[test]
    fn proofs_about_several_points_hold_in_one_sum() {
        let (u, ch) = (crate::suite::second_generator(), Scalar::from(9u8));
        let us = [u, u, u + u, u + u, u];
        let proofs: Vec<_> = (3..).zip(us).map(|(x, u)| proof(x, x + 1, ch, u)).collect();
        let equations: Vec<_> = (3..).zip(us).zip(&proofs).map(|((x, u), proof)| equation(proof, x, u, ch)).collect();
        assert!(all_hold_vartime(&equations.iter().collect::<Vec<_>>(), &[7; 64]));
        for wrong in 0..equations.len() {
            let mut proofs = proofs.clone();
            proofs[wrong].z += Scalar::ONE;
            let equations: Vec<_> =
                (3..).zip(us).zip(&proofs).map(|((x, u), proof)| equation(proof, x, u, ch)).collect();
            assert!(!all_hold_vartime(&equations.iter().collect::<Vec<_>>(), &[7; 64]));
        }
    }
}
