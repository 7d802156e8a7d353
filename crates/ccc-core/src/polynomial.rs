//! Polynomials over the scalar field: secret ones that deal, public ones in the exponent, and interpolation.
//!
//! *Source*: Shamir 1979; Feldman 1987. Identifiers are 16-bit, so products of their differences are packed into
//! 128-bit runs before they enter the field: interpolation costs one inversion and few multiplications.

mod differences;
mod interpolation;

pub(crate) use differences::Differences;
pub(crate) use interpolation::Interpolation;

use crate::identifier::Identifier;
use crate::point::Encoded;
use crate::secret::{RandomnessError, SecretScalar, random_scalar};
use alloc::vec::Vec;
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand_core::CryptoRng;

/// A polynomial whose constant term is a secret.
pub(crate) struct SecretPolynomial {
    coefficients: Vec<SecretScalar>,
}

impl SecretPolynomial {
    /// Random, of degree t − 1, with this constant term. The other coefficients may be zero, except the highest.
    ///
    /// *Security*: made in its full size, since a list that grows leaves what it held in freed memory.
    pub(crate) fn with_constant<R: CryptoRng + ?Sized>(
        constant: SecretScalar,
        t: u16,
        rng: &mut R,
    ) -> Result<Self, RandomnessError> {
        let mut coefficients = Vec::with_capacity(usize::from(t.max(1)));
        coefficients.push(constant);
        for _ in 1..t {
            coefficients.push(random_scalar(rng)?);
        }
        match coefficients.last() {
            Some(last) if *last.expose() == Scalar::ZERO => Err(RandomnessError),
            _ => Ok(Self { coefficients }),
        }
    }

    /// The value at the identifier. *Timing*: constant in the coefficients.
    pub(crate) fn evaluate(&self, at: Identifier) -> SecretScalar {
        let x = at.to_scalar();
        let horner = |value, coefficient: &SecretScalar| value * x + coefficient.expose();
        SecretScalar::new(self.coefficients.iter().rev().fold(Scalar::ZERO, horner))
    }

    /// C_k = a_k·G.
    pub(crate) fn commit(&self) -> Vec<Encoded> {
        self.coefficients.iter().map(|a| Encoded::new(RistrettoPoint::mul_base(a.expose()))).collect()
    }

    /// The same polynomial with another constant term.
    #[cfg(test)]
    pub(crate) fn shifted(&self, by: Scalar) -> Self {
        let mut coefficients: Vec<_> = self.coefficients.iter().map(|a| SecretScalar::new(*a.expose())).collect();
        coefficients[0] = SecretScalar::new(coefficients[0].expose() + by);
        Self { coefficients }
    }

    /// a_0.
    pub(crate) fn constant(&self) -> &SecretScalar {
        &self.coefficients[0]
    }
}

/// Σ C_k·x^k by Horner's rule with 16-bit multiplications. *Timing*: varies with `at`, which is public.
pub(crate) fn evaluate_commitments_vartime<'a, I>(commitments: I, at: Identifier) -> RistrettoPoint
where
    I: IntoIterator<Item = &'a RistrettoPoint, IntoIter: DoubleEndedIterator>,
{
    let mut highest_first = commitments.into_iter().rev();
    let highest = highest_first.next().copied().unwrap_or_default();
    highest_first.fold(highest, |value, commitment| small_multiple_vartime(&value, at.get()) + commitment)
}

/// The product by a factor that is not zero.
fn small_multiple_vartime(point: &RistrettoPoint, factor: u16) -> RistrettoPoint {
    let mut product = *point;
    for bit in (0..factor.ilog2()).rev() {
        product = product + product;
        if factor >> bit & 1 == 1 {
            product += point;
        }
    }
    product
}

/// λ_i = Π_{j≠i} j/(j−i) for each identifier, in order; `None` when two agree.
pub(crate) fn lagrange_at_zero(identifiers: &[Identifier]) -> Option<Vec<Scalar>> {
    lagrange(identifiers, 0)
}

/// λ_i = Π_{j≠i} (j−a)/(j−i) for each identifier, in order; `None` when two agree, or when a is one of them.
pub(crate) fn lagrange_at(identifiers: &[Identifier], a: Identifier) -> Option<Vec<Scalar>> {
    if identifiers.contains(&a) { None } else { lagrange(identifiers, a.get()) }
}

fn lagrange(identifiers: &[Identifier], a: u16) -> Option<Vec<Scalar>> {
    let mut denominators = Vec::with_capacity(identifiers.len());
    let mut numerator = Product::new();
    for &i in identifiers {
        numerator.times_difference(i.get(), a);
        let mut denominator = differences(identifiers, i)?;
        denominator.times_difference(i.get(), a);
        denominators.push(denominator.finish());
    }
    let numerator = numerator.finish();
    Scalar::invert_batch_alloc(&mut denominators);
    Some(denominators.into_iter().map(|inverse| inverse * numerator).collect())
}

/// The check vector of the code that polynomials of degree < t form at 0 and at the identifiers: words of that code,
/// and with all but negligible probability no other word, are orthogonal to it. The entry for 0 comes first.
///
/// *Source*: Cascudo and David, *SCRAPE*, section 2.1. `None` when two identifiers agree.
pub(crate) fn dual_word(identifiers: &[Identifier], mask: &[Scalar]) -> Option<Vec<Scalar>> {
    let mut denominators = Vec::with_capacity(identifiers.len() + 1);
    denominators.push(vanishing_at_zero(identifiers));
    for &i in identifiers {
        let mut denominator = differences(identifiers, i)?.negated_if(identifiers.len().is_multiple_of(2));
        denominator.times(i.get());
        denominators.push(denominator.finish());
    }
    Scalar::invert_batch_alloc(&mut denominators);
    let at_zero = core::iter::once(Scalar::ZERO);
    let points = at_zero.chain(identifiers.iter().map(|i| i.to_scalar()));
    let value = |x: Scalar| mask.iter().rev().fold(Scalar::ZERO, |value, c| value * x + c);
    Some(denominators.into_iter().zip(points).map(|(inverse, x)| inverse * value(x)).collect())
}

/// Π_j (0 − j).
fn vanishing_at_zero(identifiers: &[Identifier]) -> Scalar {
    let mut product = Product::new();
    for j in identifiers {
        product.times(j.get());
    }
    product.negated_if(identifiers.len() % 2 == 1).finish()
}

/// Π_{j≠i} (j − i); `None` when the identifier occurs twice.
fn differences(identifiers: &[Identifier], i: Identifier) -> Option<Product> {
    let mut product = Product::new();
    let mut seen = false;
    for &j in identifiers {
        match j.get().abs_diff(i.get()) {
            0 if seen => return None,
            0 => seen = true,
            _ => product.times_difference(j.get(), i.get()),
        }
    }
    Some(product)
}

/// A product of 16-bit numbers, reduced only when 128 bits are full.
struct Product {
    reduced: Scalar,
    run: u128,
    negative: bool,
}

impl Product {
    fn new() -> Self {
        Self { reduced: Scalar::ONE, run: 1, negative: false }
    }

    fn times(&mut self, factor: u16) {
        if self.run >> 112 != 0 {
            self.reduced *= Scalar::from(self.run);
            self.run = 1;
        }
        self.run *= u128::from(factor);
    }

    /// Multiplies by a − b.
    fn times_difference(&mut self, a: u16, b: u16) {
        self.times(a.abs_diff(b));
        self.negative ^= a < b;
    }

    fn negated_if(mut self, negate: bool) -> Self {
        self.negative ^= negate;
        self
    }

    fn finish(self) -> Scalar {
        let product = self.reduced * Scalar::from(self.run);
        if self.negative { -product } else { product }
    }
}

#[cfg(test)]
mod uniformity;
#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;

    fn ids(numbers: &[u16]) -> Vec<Identifier> {
        numbers.iter().map(|&i| Identifier::new(i).unwrap()).collect()
    }

    /// The definition, term by term.
    fn slow_lagrange(ids: &[Identifier], a: Scalar) -> Vec<Scalar> {
        let term = |i: Identifier, j: Identifier| (j.to_scalar() - a) * (j.to_scalar() - i.to_scalar()).invert();
        ids.iter().map(|&i| ids.iter().filter(|&&j| j != i).map(|&j| term(i, j)).product()).collect()
    }

    #[test]
    fn n056_duplicate_identifiers_have_no_interpolation() {
        assert_eq!(lagrange_at_zero(&ids(&[1, 2, 1])), None);
        assert_eq!(lagrange_at(&ids(&[1, 2, 1]), ids(&[3])[0]), None);
        assert_eq!(lagrange_at(&ids(&[1, 2, 3]), ids(&[3])[0]), None);
        assert_eq!(dual_word(&ids(&[3, 3]), &[Scalar::ONE]), None);
    }

    #[test]
    fn n062_packed_products_agree_with_the_definition_near_the_maximum() {
        for list in [&[1u16][..], &[65535, 65534, 1, 2], &[7, 300, 65535, 12, 40000]] {
            assert_eq!(lagrange_at_zero(&ids(list)), Some(slow_lagrange(&ids(list), Scalar::ZERO)));
            for a in ids(&[3, 65533, 299]) {
                assert_eq!(lagrange_at(&ids(list), a), Some(slow_lagrange(&ids(list), a.to_scalar())));
            }
        }
    }

    #[test]
    fn dual_word_is_orthogonal_to_polynomials_of_low_degree_only() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let identifiers = ids(&[2, 3, 5, 900, 65535]);
        let mask = [Scalar::from(3u8), Scalar::from(8u8), Scalar::from(99u8)];
        let word = dual_word(&identifiers, &mask).unwrap();
        for (t, orthogonal) in [(3, true), (4, false)] {
            let constant = random_scalar(&mut rng).unwrap();
            let polynomial = SecretPolynomial::with_constant(constant, t, &mut rng).unwrap();
            let mut sum = word[0] * polynomial.constant().expose();
            for (w, i) in word[1..].iter().zip(&identifiers) {
                sum += w * polynomial.evaluate(*i).expose();
            }
            assert_eq!(sum == Scalar::ZERO, orthogonal, "t = {t}");
        }
    }

    /// Growth would leave copies of the coefficients behind.
    #[test]
    fn coefficients_are_never_moved() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(3);
        for t in [1, 5, 67] {
            let constant = random_scalar(&mut rng).unwrap();
            let polynomial = SecretPolynomial::with_constant(constant, t, &mut rng).unwrap();
            assert_eq!(polynomial.coefficients.len(), usize::from(t));
            assert_eq!(polynomial.coefficients.capacity(), usize::from(t));
        }
    }

    #[test]
    fn commitments_evaluate_to_the_value_in_the_exponent() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(2);
        let constant = random_scalar(&mut rng).unwrap();
        let polynomial = SecretPolynomial::with_constant(constant, 4, &mut rng).unwrap();
        let commitments: Vec<_> = polynomial.commit().iter().map(|c| *c.point()).collect();
        for i in ids(&[1, 2, 3, 1000, 65535]) {
            let value = RistrettoPoint::mul_base(polynomial.evaluate(i).expose());
            assert_eq!(evaluate_commitments_vartime(&commitments, i), value);
        }
    }

    proptest! {
        #[test]
        fn packed_and_slow_interpolation_agree(set in proptest::collection::btree_set(1u16.., 1..20)) {
            let identifiers = ids(&set.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(lagrange_at_zero(&identifiers), Some(slow_lagrange(&identifiers, Scalar::ZERO)));
        }
    }
}
