//! Interpolation at zero in the exponent, with coefficients as short as they can be written.
//!
//! Where identifiers fill 1 to N but for few gaps m, the Lagrange coefficients are integers over one denominator:
//! λ_i = (−1)^(i−1)·C(N, i)·Π (m − i) / Π m. A sum of multiples adds once per digit of each scalar, so integers of 70 bits
//! cost a quarter of what residues of 253 bits cost, and the denominator is one multiplication at the end. The
//! participants that answer are mostly the first ones; any others are interpolated by residues.
//!
//! *Source*: Lagrange's formula, λ_i = Π_{j≠i} j/(j − i), as in Shamir 1979 and RFC 9591, section 4.2; in the exponent as in
//! Shoup and Gennaro 2002. The form over one denominator is ours.

use super::{Product, lagrange_at_zero};
use crate::identifier::Identifier;
use alloc::vec::Vec;
use curve25519_dalek::traits::VartimeMultiscalarMul;
use curve25519_dalek::{RistrettoPoint, Scalar};
use zeroize::Zeroizing;

/// More gaps leave no room in 128 bits for a threshold at which short integers pay.
const MOST_GAPS: usize = 16;
/// With fewer terms, short integers save less than the multiplication by the inverse denominator costs.
const LEAST_TERMS_WITH_GAPS: usize = 16;

/// λ_i = a_i/d of some identifiers at zero, in their order.
pub(crate) struct Interpolation {
    terms: Vec<Term>,
    /// 1/d; nothing where d is one.
    inverse: Option<Scalar>,
}

/// a_i as magnitude and sign: −a mod ℓ has 253 bits, however short a is.
struct Term {
    magnitude: Scalar,
    negative: bool,
}

impl Interpolation {
    /// The coefficients of these identifiers; `None` when two agree.
    pub(crate) fn at_zero(identifiers: &[Identifier]) -> Option<Self> {
        Self::by_integers(identifiers).or_else(|| Self::by_residues(identifiers))
    }

    fn by_residues(identifiers: &[Identifier]) -> Option<Self> {
        let terms = lagrange_at_zero(identifiers)?.into_iter().map(|magnitude| Term { magnitude, negative: false });
        Some(Self { terms: terms.collect(), inverse: None })
    }

    /// `None` where there are too many gaps, where an integer has more than 128 bits, or where two identifiers agree.
    fn by_integers(identifiers: &[Identifier]) -> Option<Self> {
        let last = identifiers.iter().max()?.get();
        let gaps = gaps(identifiers, last)?;
        if !gaps.is_empty() && identifiers.len() < LEAST_TERMS_WITH_GAPS {
            return None;
        }
        let binomials = binomials(last)?;
        let term = |i: &Identifier| Term::integer(*binomials.get(usize::from(i.get()))?, &gaps, i.get());
        let terms = identifiers.iter().map(term).collect::<Option<_>>()?;
        Some(Self { terms, inverse: inverse_product(&gaps) })
    }

    /// Σ λ_i·D_i; nothing if a point is missing or there are not as many points as identifiers.
    ///
    /// *Security*: the sum gives K away, also before it is divided; it is erased here, and by who gets it.
    /// *Timing*: varies with the identifiers, which are public; not with the points.
    pub(crate) fn combine_vartime<I>(&self, points: I) -> Option<RistrettoPoint>
    where
        I: ExactSizeIterator<Item = Option<RistrettoPoint>>,
    {
        if points.len() != self.terms.len() {
            return None;
        }
        let signed = points.zip(&self.terms).map(|(point, term)| if term.negative { Some(-point?) } else { point });
        let magnitudes = self.terms.iter().map(|term| term.magnitude);
        let sum = Zeroizing::new(RistrettoPoint::optional_multiscalar_mul(magnitudes, signed)?);
        Some(self.inverse.map_or(*sum, |inverse| *sum * inverse))
    }
}

impl Term {
    /// (−1)^(i−1)·C(N, i)·Π (m − i).
    fn integer(binomial: u128, gaps: &[u16], i: u16) -> Option<Self> {
        let times_difference = |product: u128, m: &u16| product.checked_mul(u128::from(m.abs_diff(i)));
        let magnitude = gaps.iter().try_fold(binomial, times_difference)?;
        let below = gaps.iter().filter(|&&m| m < i).count();
        Some(Self { magnitude: Scalar::from(magnitude), negative: i.is_multiple_of(2) != (below % 2 == 1) })
    }
}

/// The numbers from 1 to the last that are no identifier, if they are few and no identifier occurs twice.
fn gaps(identifiers: &[Identifier], last: u16) -> Option<Vec<u16>> {
    let expected = usize::from(last).checked_sub(identifiers.len()).filter(|&count| count <= MOST_GAPS)?;
    let mut sorted: Vec<u16> = identifiers.iter().map(|i| i.get()).collect();
    sorted.sort_unstable();
    let mut present = sorted.iter().peekable();
    let gaps: Vec<_> = (1..=last).filter(|m| present.next_if_eq(&m).is_none()).collect();
    (gaps.len() == expected).then_some(gaps)
}

/// C(N, 0) to C(N, N), as far as 128 bits hold them.
fn binomials(n: u16) -> Option<Vec<u128>> {
    let mut row = Vec::with_capacity(usize::from(n) + 1);
    row.push(1u128);
    for i in 1..=n {
        let previous = row.last()?;
        row.push(previous.checked_mul(u128::from(n - i + 1))? / u128::from(i));
    }
    Some(row)
}

fn inverse_product(gaps: &[u16]) -> Option<Scalar> {
    let mut product = Product::new();
    gaps.iter().for_each(|&m| product.times(m));
    if gaps.is_empty() { None } else { Some(product.finish().invert()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ids(numbers: impl IntoIterator<Item = u16>) -> Vec<Identifier> {
        numbers.into_iter().map(|i| Identifier::new(i).unwrap()).collect()
    }

    fn coefficients(interpolation: &Interpolation) -> Vec<Scalar> {
        let inverse = interpolation.inverse.unwrap_or(Scalar::ONE);
        let signed = |term: &Term| if term.negative { -term.magnitude } else { term.magnitude };
        interpolation.terms.iter().map(|term| signed(term) * inverse).collect()
    }

    fn missing(n: u16, gaps: &[u16]) -> Vec<Identifier> {
        ids((1..=n).filter(|i| !gaps.contains(i)))
    }

    #[test]
    fn n062_integers_agree_with_residues() {
        let shuffled = ids((1..=30).rev().filter(|i| ![1, 2, 17].contains(i)));
        let lists = [ids([1]), missing(67, &[]), missing(72, &[1, 5, 6, 40, 71]), missing(17, &[16]), shuffled];
        for identifiers in lists {
            let short = Interpolation::by_integers(&identifiers).unwrap();
            assert_eq!(coefficients(&short), lagrange_at_zero(&identifiers).unwrap());
        }
    }

    #[test]
    fn n056_duplicate_identifiers_have_no_short_interpolation() {
        for identifiers in [ids([1, 2, 1]), ids([1, 1, 3]), ids((1..=20).chain([20])), ids((1..=20).chain([22, 22]))] {
            assert!(Interpolation::by_integers(&identifiers).is_none());
            assert!(Interpolation::at_zero(&identifiers).is_none());
        }
    }

    #[test]
    fn what_does_not_fit_is_interpolated_by_residues() {
        let many_gaps = missing(40, &(1..=17).collect::<Vec<_>>());
        let too_long = [ids(1..=140), missing(100, &(1..=16).collect::<Vec<_>>())];
        for identifiers in too_long.into_iter().chain([ids([1, 2, 4]), many_gaps, ids([65535, 65534, 1, 2])]) {
            assert!(Interpolation::by_integers(&identifiers).is_none());
            let interpolation = Interpolation::at_zero(&identifiers).unwrap();
            assert_eq!(coefficients(&interpolation), lagrange_at_zero(&identifiers).unwrap());
        }
    }

    #[test]
    fn a_missing_point_or_another_number_of_points_gives_nothing() {
        let interpolation = Interpolation::at_zero(&ids([1, 2, 3])).unwrap();
        let point = Some(RistrettoPoint::mul_base(&Scalar::ONE));
        assert!(interpolation.combine_vartime([point; 3].into_iter()).is_some());
        assert!(interpolation.combine_vartime([point, None, point].into_iter()).is_none());
        assert!(interpolation.combine_vartime([point; 2].into_iter()).is_none());
        assert!(interpolation.combine_vartime([point; 4].into_iter()).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn short_and_long_coefficients_give_one_point(t in 1u16..80, silent in proptest::collection::btree_set(1u16..90, 0..8)) {
            let identifiers = ids((1..=90).filter(|i| !silent.contains(i)).take(usize::from(t)));
            let points: Vec<_> = identifiers.iter().map(|i| RistrettoPoint::mul_base(&i.to_scalar().invert())).collect();
            let sum = Interpolation::at_zero(&identifiers).unwrap().combine_vartime(points.iter().copied().map(Some));
            let lambdas = lagrange_at_zero(&identifiers).unwrap();
            prop_assert_eq!(sum, Some(RistrettoPoint::vartime_multiscalar_mul(lambdas, points)));
        }
    }
}
