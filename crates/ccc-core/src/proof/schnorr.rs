//! Proofs of knowledge of a logarithm, one by one and many at once.
//!
//! *Source*: Schnorr 1991, with the commitment on the wire; many at once by the small exponents test of Bellare, Garay and
//! Rabin 1998.

use super::weight;
use crate::encoding::{EncodingError, Reader};
use crate::point::Encoded;
use alloc::vec::Vec;
use curve25519_dalek::traits::VartimeMultiscalarMul;
use curve25519_dalek::{RistrettoPoint, Scalar};

/// The proof (T, z) that its author knows the logarithm of a point: zG = T + ch·C.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schnorr {
    pub(crate) t: Encoded,
    pub(crate) z: Scalar,
}

/// A proof beside its point and challenge.
pub(crate) struct Knowledge<'a> {
    pub(crate) point: &'a RistrettoPoint,
    pub(crate) proof: &'a Schnorr,
    pub(crate) challenge: Scalar,
}

impl Schnorr {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.t.bytes());
        out.extend_from_slice(self.z.as_bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>, t: &'static str, z: &'static str) -> Result<Self, EncodingError> {
        Ok(Self { t: Encoded::read_or_identity(reader, t)?, z: reader.scalar(z)? })
    }

    /// Whether the equation holds for this point and challenge. *Timing*: varies with public data.
    pub(crate) fn holds_vartime(&self, point: &RistrettoPoint, challenge: &Scalar) -> bool {
        RistrettoPoint::vartime_double_scalar_mul_basepoint(&-challenge, point, &self.z) == *self.t.point()
    }
}

impl Knowledge<'_> {
    /// Whether the equation holds. *Timing*: varies with public data.
    pub(crate) fn holds_vartime(&self) -> bool {
        self.proof.holds_vartime(self.point, &self.challenge)
    }
}

/// Whether all hold, except with probability 2⁻¹²⁸: Σ w·(T + ch·C) = (Σ w·z)·G with a weight for each.
///
/// *Security*: whoever made the proofs MUST NOT have been able to foresee `seed`: it is unknown to them, or a hash of all
/// proofs and points at once. *Timing*: varies with public data.
pub(crate) fn all_known_vartime(all: &[Knowledge<'_>], seed: &[u8; 64]) -> bool {
    let mut base = Scalar::ZERO;
    let mut scalars = Vec::with_capacity(2 * all.len());
    let mut points: Vec<&RistrettoPoint> = Vec::with_capacity(2 * all.len());
    for (k, Knowledge { point, proof, challenge }) in (0u32..).zip(all) {
        let w = weight(seed, k);
        base += w * proof.z;
        scalars.extend([w, w * challenge]);
        points.extend([proof.t.point(), *point]);
    }
    RistrettoPoint::vartime_multiscalar_mul(scalars, points) == RistrettoPoint::mul_base(&base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(x: u8, nonce: u8, challenge: Scalar) -> (RistrettoPoint, Schnorr) {
        let (x, v) = (Scalar::from(x), Scalar::from(nonce));
        let t = Encoded::new(RistrettoPoint::mul_base(&v));
        (RistrettoPoint::mul_base(&x), Schnorr { t, z: v + challenge * x })
    }

    /// Whether both hold, each alone and together.
    fn verdicts(all: &[(RistrettoPoint, Schnorr)], challenge: Scalar) -> (Vec<bool>, bool) {
        let all: Vec<_> = all.iter().map(|(point, proof)| Knowledge { point, proof, challenge }).collect();
        (all.iter().map(Knowledge::holds_vartime).collect(), all_known_vartime(&all, &[7; 64]))
    }

    #[test]
    fn n064_errors_that_cancel_in_a_plain_sum_of_logarithm_proofs_are_found() {
        let challenge = Scalar::from(9u8);
        let mut proofs = [proof(3, 5, challenge), proof(4, 6, challenge)];
        assert_eq!(verdicts(&proofs, challenge), (vec![true, true], true));
        proofs[0].1.z += Scalar::ONE;
        proofs[1].1.z -= Scalar::ONE;
        assert_eq!(verdicts(&proofs, challenge), (vec![false, false], false));
    }

    #[test]
    fn one_wrong_term_of_any_kind_spoils_the_batch() {
        let (challenge, one) = (Scalar::from(9u8), RistrettoPoint::mul_base(&Scalar::ONE));
        let good = || [proof(3, 5, challenge), proof(4, 6, challenge)];
        let mut wrong = [good(), good(), good()];
        wrong[0][1].0 += one;
        wrong[1][1].1.z += Scalar::ONE;
        wrong[2][1].1.t = Encoded::new(wrong[2][1].1.t.point() + one);
        for proofs in &wrong {
            assert_eq!(verdicts(proofs, challenge), (vec![true, false], false));
        }
    }
}
