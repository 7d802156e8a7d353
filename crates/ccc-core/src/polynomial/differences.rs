//! All values of a committed polynomial at small numbers, by its differences at zero.
//!
//! Multiplying a polynomial by x takes its k-th difference at zero to k·(Δ^k + Δ^(k−1)); so Horner's rule over the
//! differences costs t²/2 products by numbers below t, and every further value t additions. Values one by one cost t
//! products each. *Source*: Newton's forward differences.

use super::small_multiple_vartime;
use crate::identifier::Identifier;
use alloc::vec::Vec;
use curve25519_dalek::RistrettoPoint;

/// Δ^k of a polynomial at one place, k from zero, up to its degree.
pub(crate) struct Differences(Vec<RistrettoPoint>);

impl Differences {
    /// At zero, of Σ C_k·x^k.
    pub(crate) fn of_vartime(commitments: &[RistrettoPoint]) -> Self {
        let mut differences = Self(Vec::with_capacity(commitments.len()));
        for commitment in commitments.iter().rev() {
            differences.times_x();
            differences.set_value(*commitment);
        }
        differences
    }

    /// The values at these identifiers, which ascend.
    pub(crate) fn values(mut self, identifiers: &[Identifier]) -> Vec<RistrettoPoint> {
        let (mut values, mut at) = (Vec::with_capacity(identifiers.len()), 0);
        for identifier in identifiers {
            while at < identifier.get() {
                self.step();
                at += 1;
            }
            values.push(self.0.first().copied().unwrap_or_default());
        }
        values
    }

    /// Those at zero of the polynomial times x, but for the value: it is zero then, and the caller sets it.
    fn times_x(&mut self) {
        let Some((value, rest)) = self.0.split_first_mut() else { return };
        let (mut below, mut order) = (*value, 1);
        for difference in rest {
            let sum = below + *difference;
            below = *difference;
            *difference = small_multiple_vartime(&sum, order);
            order += 1;
        }
        self.0.push(small_multiple_vartime(&below, order));
    }

    /// Sets the value at this place: the constant term, where it was zero.
    fn set_value(&mut self, to: RistrettoPoint) {
        match self.0.first_mut() {
            Some(value) => *value = to,
            None => self.0.push(to),
        }
    }

    /// Moves one place on: Δ^k(x + 1) = Δ^k(x) + Δ^(k+1)(x).
    fn step(&mut self) {
        for k in 1..self.0.len() {
            let above = self.0[k];
            self.0[k - 1] += above;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::polynomial::evaluate_commitments_vartime;
    use curve25519_dalek::Scalar;
    use proptest::prelude::*;

    fn commitments(t: u64) -> Vec<RistrettoPoint> {
        (0..t).map(|k| RistrettoPoint::mul_base(&Scalar::from(k * k * 7919 + 3).invert())).collect()
    }

    fn agree(t: u64, numbers: impl IntoIterator<Item = u16>) {
        let (commitments, identifiers) = (commitments(t), numbers.into_iter().map(|i| Identifier::new(i).unwrap()));
        let identifiers: Vec<_> = identifiers.collect();
        let slow: Vec<_> = identifiers.iter().map(|&i| evaluate_commitments_vartime(&commitments, i)).collect();
        assert_eq!(Differences::of_vartime(&commitments).values(&identifiers), slow, "{t}");
    }

    #[test]
    fn n062_values_by_differences_are_the_polynomials() {
        agree(1, [1, 2, 9]);
        agree(2, [3]);
        agree(67, [1, 2, 3, 66, 67, 68, 100]);
        agree(5, []);
        assert_eq!(Differences::of_vartime(&[]).values(&[Identifier::new(3).unwrap()]), [RistrettoPoint::default()]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn differences_agree_with_horners_rule(t in 1u64..12, set in proptest::collection::btree_set(1u16..60, 0..20)) {
            agree(t, set);
        }
    }
}
