//! Division without a division instruction.
//!
//! Hardware and library division take a time that depends on the operands. A secret divisor is divided
//! by with a fixed number of shift-and-subtract steps; a constant divisor becomes a multiplication by a
//! fixed reciprocal (Granlund and Montgomery, "Division by invariant integers using multiplication",
//! PLDI 1994, theorem 4.2).

use super::mask::{Mask, below, bit, hide, less, nonzero};

/// Quotient and remainder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Division {
    /// ⌊n / d⌋.
    pub(crate) quotient: u64,
    /// n mod d.
    pub(crate) remainder: u64,
}

impl Division {
    /// ⌈n / d⌉.
    pub(crate) const fn rounded_up(self) -> u64 {
        self.quotient.wrapping_add(bit(nonzero(self.remainder)))
    }
}

/// One shift-and-subtract step: brings one bit of the dividend in, takes one bit of the quotient out.
const fn step(state: Division, incoming: u64, divisor: u64) -> Division {
    let remainder = (state.remainder << 1) | incoming;
    let fits = hide(!less(remainder, divisor));
    Division { quotient: (state.quotient << 1) | bit(fits), remainder: remainder.wrapping_sub(divisor & fits) }
}

/// `dividend` / `divisor` for a dividend of `BITS` bits and a divisor from 1 and below 2^63, in `BITS` steps.
pub(crate) const fn divide<const BITS: u32>(dividend: u64, divisor: u64) -> Division {
    let mut state = Division { quotient: 0, remainder: 0 };
    let mut position = BITS;
    while position > 0 {
        position -= 1;
        state = step(state, (dividend >> position) & 1, divisor);
    }
    state
}

/// Two such steps at once, with nothing brought in, for a divisor below 2^61: what is left is compared with the divisor,
/// twice and three times the divisor.
const fn two_steps(state: Division, divisor: u64) -> Division {
    let fourfold = state.remainder << 2;
    let trial = fourfold.wrapping_sub(divisor.wrapping_mul(3));
    let short = core::hint::black_box([
        below(fourfold, divisor),
        below(fourfold, divisor.wrapping_mul(2)),
        below(fourfold, divisor.wrapping_mul(3)),
    ]);
    // three were taken; each comparison that failed gives one back
    let given_back = (divisor & short[0]).wrapping_add(divisor & short[1]).wrapping_add(divisor & short[2]);
    let taken = short[0].wrapping_add(short[1]).wrapping_add(short[2]).wrapping_add(3);
    Division { quotient: (state.quotient << 2).wrapping_add(taken), remainder: trial.wrapping_add(given_back) }
}

/// `part` · 4^`PAIRS` / `whole` for part ≤ whole < 2^61 and whole ≥ 1, in `PAIRS` + 1 steps.
pub(crate) const fn divide_shifted<const PAIRS: u32>(part: u64, whole: u64) -> Division {
    let fits = hide(!less(part, whole));
    let mut state = Division { quotient: bit(fits), remainder: part.wrapping_sub(whole & fits) };
    let mut position = 0;
    while position < PAIRS {
        position += 1;
        state = two_steps(state, whole);
    }
    state
}

/// ⌊`dividend` / `divisor`⌋ below 2^`BITS`, and whether nothing remains, in `BITS` steps.
///
/// For a divisor from 1 with dividend < divisor · 2^`BITS`, and `BITS` at most 63.
pub(crate) const fn divide_wide<const BITS: u32>(dividend: u128, divisor: u64) -> (u64, Mask) {
    let (mut quotient, mut remainder) = (0u64, dividend);
    let mut position = BITS;
    while position > 0 {
        position -= 1;
        let trial = remainder.wrapping_sub((divisor as u128) << position);
        // the sign bit: both numbers are below 2^127
        let fits = core::hint::black_box((trial >> 127).wrapping_sub(1));
        remainder = (trial & fits) | (remainder & !fits);
        quotient = (quotient << 1) | (fits & 1) as u64;
    }
    let folded = (remainder | (remainder >> 64)) & u64::MAX as u128;
    // x − 1 borrows exactly for x = 0
    let exact = folded.wrapping_sub(1) >> 127;
    (quotient, ((exact & 1) as u64).wrapping_neg())
}

/// ⌊2^`exponent` / `divisor`⌋ + 1 for a public divisor below 2^63, computed while compiling.
const fn reciprocal(exponent: u32, divisor: u128) -> u128 {
    let (mut quotient, mut remainder) = (0u128, 1u128);
    let mut position = 0;
    while position < exponent {
        position += 1;
        remainder <<= 1;
        quotient <<= 1;
        if remainder >= divisor {
            remainder -= divisor;
            quotient |= 1;
        }
    }
    quotient + 1
}

/// The high half of a 256-bit product.
const fn multiply_high(a: u128, b: u128) -> u128 {
    const LOW: u128 = u64::MAX as u128;
    let (a1, a0, b1, b0) = (a >> 64, a & LOW, b >> 64, b & LOW);
    let middle = a1 * b0 + ((a0 * b0) >> 64);
    let carry = a0 * b1 + (middle & LOW);
    a1 * b1 + (middle >> 64) + (carry >> 64)
}

/// 5^14, the odd part of 10^14.
const FIVE_14: u128 = 6_103_515_625;
/// ⌊2^160 / 5^14⌋ + 1. Its error is at most 5^14, so the quotient is exact below 2^(160 − 33).
const RECIPROCAL_FIVE_14: u128 = reciprocal(160, FIVE_14);

/// ⌈x / 10^14⌉ for x < 2^121.
pub(crate) const fn ceil_by_ten_to_14(x: u128) -> u128 {
    let odd = x.wrapping_add(100_000_000_000_000 - 1) >> 14;
    multiply_high(odd, RECIPROCAL_FIVE_14) >> 32
}

/// 5^4, the odd part of 10^4.
const FIVE_4: u128 = 625;
/// ⌊2^73 / 5^4⌋ + 1, below 2^64. Its error is at most 5^4, so the quotient is exact below 2^(73 − 10).
const RECIPROCAL_FIVE_4: u128 = reciprocal(73, FIVE_4);

/// ⌊x / 10^4⌋ for x < 2^66.
pub(crate) const fn floor_by_ten_to_4(x: u128) -> u128 {
    ((x >> 4) * RECIPROCAL_FIVE_4) >> 73
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    #[test]
    fn reciprocals_fit_their_words() {
        assert_eq!((FIVE_14, FIVE_4), (5u128.pow(14), 5u128.pow(4)));
        assert_eq!(RECIPROCAL_FIVE_14.leading_zeros(), 0);
        assert_eq!(RECIPROCAL_FIVE_4.leading_zeros(), 64);
    }

    #[test]
    fn constant_divisors_are_exact_next_to_every_multiple() {
        for k in [0u128, 1, 2, 3, 624, 625, 626, 1 << 40, 1 << 52, (1 << 74) - 1] {
            for x in [k * 10u128.pow(14), k * 10u128.pow(14) + 1, (k * 10u128.pow(14)).saturating_sub(1)] {
                assert_eq!(ceil_by_ten_to_14(x), x.div_ceil(10u128.pow(14)), "{x}");
            }
        }
        let top = (1u128 << 121) - 1;
        assert_eq!(ceil_by_ten_to_14(top), top.div_ceil(10u128.pow(14)));
        for k in [0u128, 1, 2, (1 << 52) - 1] {
            for x in [k * 10_000, k * 10_000 + 1, k * 10_000 + 9_999] {
                assert_eq!(floor_by_ten_to_4(x), x / 10_000, "{x}");
            }
        }
    }

    proptest! {
        #[test]
        fn steps_agree_with_the_instruction(n in 0u64..1 << 51, d in 1u64..1 << 51) {
            let found = divide::<51>(n, d);
            prop_assert_eq!((found.quotient, found.remainder), (n / d, n % d));
            prop_assert_eq!(found.rounded_up(), n.div_ceil(d));
        }

        #[test]
        fn shifted_steps_agree_with_the_instruction(a in 0u64..1 << 51, b in 1u64..1 << 51) {
            let (part, whole) = (a.min(b), b);
            let found = divide_shifted::<26>(part, whole);
            let exact = u128::from(part) << 52;
            prop_assert_eq!(u128::from(found.quotient), exact / u128::from(whole));
            prop_assert_eq!(u128::from(found.rounded_up()), exact.div_ceil(u128::from(whole)));
        }

        #[test]
        fn reciprocals_agree_with_the_instruction(x in any::<u128>()) {
            prop_assert_eq!(ceil_by_ten_to_14(x >> 7), (x >> 7).div_ceil(10u128.pow(14)));
            prop_assert_eq!(floor_by_ten_to_4(x >> 62), (x >> 62) / 10_000);
        }
    }
}
