//! Interpolation over P-256's scalars, and whether points lie on a polynomial of low degree.
//!
//! Index i of the format is the x-coordinate i + 1; 0 is where the master secret lies.

use super::group::Encoded;
use crate::suite::{domain, hash};
use alloc::vec;
use alloc::vec::Vec;
use p256::elliptic_curve::ff::FromUniformBytes;
use p256::elliptic_curve::ops::LinearCombination;
use p256::{ProjectivePoint, Scalar};
use zeroize::Zeroizing;

/// A point at a place of the polynomial.
pub(super) struct Sample<'a> {
    pub(super) x: u32,
    pub(super) point: &'a Encoded,
}

impl<'a> Sample<'a> {
    /// The point of the participant with this index.
    pub(super) fn of_index(index: u16, point: &'a Encoded) -> Self {
        Self { x: u32::from(index) + 1, point }
    }
}

/// Σ λ_i·P_i, the value at 0. Places are distinct and not 0. *Timing*: constant in the points.
pub(super) fn at_zero(samples: &[Sample<'_>]) -> Zeroizing<ProjectivePoint> {
    let term = |sample: &Sample<'_>| (*sample.point.point(), lagrange_at_zero(samples, sample.x));
    let terms = Zeroizing::new(samples.iter().map(term).collect::<Vec<_>>());
    Zeroizing::new(ProjectivePoint::lincomb(terms.as_slice()))
}

/// Π_{j≠i} x_j/(x_j − x_i).
fn lagrange_at_zero(samples: &[Sample<'_>], at: u32) -> Scalar {
    let others = || samples.iter().filter(|sample| sample.x != at);
    let numerator: Scalar = others().map(|sample| Scalar::from(sample.x)).product();
    let denominator: Scalar = others().map(|sample| Scalar::from(sample.x) - Scalar::from(at)).product();
    numerator * invert_vartime(&denominator)
}

/// Whether all points lie on one polynomial of degree below `k`, except with negligible probability.
///
/// *Source*: Cascudo and David, *SCRAPE*, section 2.1: Σ v_i·m(x_i)·P_i = 0 with v_i = Π_{j≠i} 1/(x_i − x_j) for a random m
/// of degree below (number of points − k). m is a hash of the points, so nobody chooses them after it.
pub(super) fn has_degree_below_vartime(k: usize, samples: &[Sample<'_>]) -> bool {
    let spare = samples.len().saturating_sub(k);
    if spare == 0 {
        return true;
    }
    let seed = seed(k, samples);
    let mask: Vec<Scalar> = (0u32..).take(spare).map(|j| coefficient(&seed, j)).collect();
    let term = |sample: &Sample<'_>| {
        let x = Scalar::from(sample.x);
        let value = mask.iter().rev().fold(Scalar::ZERO, |value, c| value * x + c);
        (*sample.point.point(), value * dual_weight_vartime(samples, sample.x))
    };
    let terms: Vec<_> = samples.iter().map(term).collect();
    ProjectivePoint::lincomb_vartime(terms.as_slice()) == ProjectivePoint::IDENTITY
}

fn dual_weight_vartime(samples: &[Sample<'_>], at: u32) -> Scalar {
    let others = samples.iter().filter(|sample| sample.x != at);
    let product: Scalar = others.map(|sample| Scalar::from(at) - Scalar::from(sample.x)).product();
    invert_vartime(&product)
}

fn invert_vartime(product: &Scalar) -> Scalar {
    Option::from(product.invert_vartime()).unwrap_or(Scalar::ZERO)
}

fn seed(k: usize, samples: &[Sample<'_>]) -> [u8; 64] {
    let places: Vec<[u8; 4]> = samples.iter().map(|sample| sample.x.to_be_bytes()).collect();
    let k = (k as u64).to_be_bytes();
    let mut fields: Vec<&[u8]> = vec![&k];
    for (place, sample) in places.iter().zip(samples) {
        fields.extend([place.as_slice(), sample.point.bytes()]);
    }
    hash(domain::TDH2_P256, &fields)
}

fn coefficient(seed: &[u8; 64], j: u32) -> Scalar {
    Scalar::from_uniform_bytes(&hash(domain::TDH2_P256, &[seed, &j.to_be_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::super::group::mul_base;
    use super::*;

    fn samples(points: &[Encoded]) -> Vec<Sample<'_>> {
        (0..).zip(points).map(|(index, point)| Sample::of_index(index, point)).collect()
    }

    /// What the hash over the points stops: points that are chosen after m is known, so that the sum vanishes.
    #[test]
    fn points_made_for_the_mask_of_other_points_are_refused() {
        let mut points = [3_u64, 5, 8, 13, 22].map(|secret| Encoded::new(mul_base(&Scalar::from(secret))));
        let (k, x_last) = (3, 5);
        let seed = seed(k, &samples(&points));
        let weight = |sample: &Sample<'_>, samples: &[Sample<'_>]| {
            let mask = coefficient(&seed, 0) + coefficient(&seed, 1) * Scalar::from(sample.x);
            mask * dual_weight_vartime(samples, sample.x)
        };
        let sum = |samples: &[Sample<'_>], with: &dyn Fn(u32) -> bool| -> ProjectivePoint {
            let terms = samples.iter().filter(|sample| with(sample.x));
            terms.map(|sample| *sample.point.point() * weight(sample, samples)).sum()
        };
        let all = samples(&points);
        let last = -sum(&all, &|x| x != x_last) * invert_vartime(&weight(&all[4], &all));
        points[4] = Encoded::new(last);
        let forged = samples(&points);
        assert_eq!(sum(&forged, &|_| true), ProjectivePoint::IDENTITY);
        assert!(!has_degree_below_vartime(k, &forged));
    }
}
