//! Coefficients are drawn uniformly: no value is more likely than another, zero is allowed where it does no harm, and
//! a generator that does not work gives none.
//!
//! *Source*: Pearson's χ² against the uniform distribution; a library that drew coefficients from 1 to 255 for each byte
//! gave secrets away share by share.

use super::*;
use crate::support::Replay;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

/// Enough that a byte which is never zero shows.
const POLYNOMIALS: usize = 16_000;
const T: u16 = 4;

/// χ² of counts against equal expectations, in standard deviations from its mean: a χ² of k degrees of freedom has mean
/// k and variance 2k.
fn deviation(counts: &[u32]) -> f64 {
    let (cells, total) = (counts.len(), counts.iter().sum::<u32>());
    let cells = f64::from(u32::try_from(cells).unwrap());
    let expected = f64::from(total) / cells;
    let chi: f64 = counts.iter().map(|&found| (f64::from(found) - expected).powi(2) / expected).sum();
    (chi - (cells - 1.0)) / (2.0 * (cells - 1.0)).sqrt()
}

/// Every polynomial's coefficients but the constant, which is given.
fn draw() -> Vec<[[u8; 32]; T as usize - 1]> {
    let mut rng = ChaCha20Rng::seed_from_u64(24);
    let polynomial = |_| {
        let drawn = SecretPolynomial::with_constant(SecretScalar::new(Scalar::ONE), T, &mut rng).unwrap();
        let bytes = |k: usize| drawn.coefficients[k].expose().to_bytes();
        std::array::from_fn(|k| bytes(k + 1))
    };
    (0..POLYNOMIALS).map(polynomial).collect()
}

/// Six deviations are one chance in far more than a million, and the seed is fixed.
fn uniform(what: &str, counts: &[u32]) {
    let found = deviation(counts);
    assert!(found.abs() < 6.0, "{what}: {found:.1} deviations");
}

/// Each byte over all coefficients and of each, the four bits below 2²⁵², and neighbouring coefficients against each
/// other.
#[test]
fn n024_coefficients_are_uniform() {
    let drawn = draw();
    for byte in 0..31 {
        let mut pooled = [0; 256];
        for k in 0..usize::from(T) - 1 {
            let mut counts = [0; 256];
            drawn.iter().for_each(|all| counts[usize::from(all[k][byte])] += 1);
            uniform(&format!("byte {byte} of coefficient {}", k + 1), &counts);
            pooled.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        uniform(&format!("byte {byte}"), &pooled);
    }
    for k in 0..usize::from(T) - 1 {
        let mut top = [0; 16];
        drawn.iter().for_each(|all| top[usize::from(all[k][31])] += 1);
        uniform(&format!("the top of coefficient {}", k + 1), &top);
    }
    for (one, other) in [(0, 1), (1, 2), (0, 2)] {
        let mut sums = [0; 256];
        drawn.iter().for_each(|all| sums[usize::from(all[one][0] ^ all[other][0])] += 1);
        uniform(&format!("coefficients {} and {}", one + 1, other + 1), &sums);
    }
}

/// The share at 1 says nothing of the constant: its bytes are as uniform for the constant one as for any.
#[test]
fn n024_one_value_of_a_polynomial_is_uniform_whatever_the_secret() {
    let mut rng = ChaCha20Rng::seed_from_u64(25);
    let one = Identifier::new(1).unwrap();
    for secret in [Scalar::ONE, -Scalar::ONE] {
        let mut counts = [0; 256];
        for _ in 0..POLYNOMIALS {
            let drawn = SecretPolynomial::with_constant(SecretScalar::new(secret), 2, &mut rng).unwrap();
            drawn.evaluate(one).to_bytes()[..31].iter().for_each(|byte| counts[usize::from(*byte)] += 1);
        }
        uniform("a value", &counts);
    }
}

/// Bytes from which the scalar with this low half is drawn.
fn drawn_as(low: [u8; 32]) -> Vec<u8> {
    [low, [0; 32]].concat()
}

/// ℓ, which reduces to zero, and is no repetition of a stuck generator.
fn order() -> [u8; 32] {
    let mut order = (-Scalar::ONE).to_bytes();
    order[0] += 1;
    order
}

#[test]
fn n024_zero_is_a_coefficient_like_others_except_at_the_lead() {
    let seven = Scalar::from(7u8).to_bytes();
    let polynomial = |middle, lead| {
        let mut rng = Replay([drawn_as(middle), drawn_as(lead)].concat());
        SecretPolynomial::with_constant(SecretScalar::new(Scalar::ONE), 3, &mut rng)
    };
    let drawn = polynomial(order(), seven).unwrap();
    assert_eq!(*drawn.coefficients[1].expose(), Scalar::ZERO);
    assert_eq!(polynomial(seven, order()).err(), Some(RandomnessError));
}

/// Stuck from the first draw on, or only later: no polynomial.
#[test]
fn n024_a_generator_that_gets_stuck_gives_no_polynomial() {
    let good = drawn_as(Scalar::from(7u8).to_bytes());
    for stuck in [[0; 64], [0xa5; 64]] {
        for before in 0..3 {
            let mut bytes = good.repeat(before);
            bytes.extend(stuck);
            let made = SecretPolynomial::with_constant(SecretScalar::new(Scalar::ONE), 4, &mut Replay(bytes));
            assert_eq!(made.err(), Some(RandomnessError), "{before}");
        }
    }
}
