//! Conditions as numbers: all ones for yes, zero for no.
//!
//! *Timing*: constant; wrapping arithmetic only.

/// All ones or zero.
pub(crate) type Mask = u64;

/// Spreads the lowest bit over the word.
const fn spread_bit(bit: u64) -> Mask {
    bit.wrapping_neg()
}

/// Keeps the compiler from seeing that a mask has two values only, and from branching on it.
///
/// *Security*: [`black_box`](core::hint::black_box) is a hint. What was compiled decides.
pub(crate) const fn hide(mask: Mask) -> Mask {
    core::hint::black_box(mask)
}

/// [`hide`] for several masks at once.
pub(crate) const fn hide_all<const N: usize>(masks: [Mask; N]) -> [Mask; N] {
    core::hint::black_box(masks)
}

/// a < b, for numbers below 2^63.
pub(crate) const fn below(a: u64, b: u64) -> Mask {
    spread_bit(a.wrapping_sub(b) >> 63)
}

/// a < b, for numbers below 2^15, as a mask of their width: −1 or zero.
#[inline]
pub(crate) const fn below_spread_narrow(a: u16, b: u16) -> i16 {
    a.wrapping_sub(b).cast_signed() >> 15
}

/// a = b, for numbers below 2^15, as a mask of their width.
#[inline]
pub(crate) const fn equal_spread_narrow(a: u16, b: u16) -> i16 {
    (a ^ b).wrapping_sub(1).cast_signed() >> 15
}

/// A narrow mask in the width of an amount.
#[inline]
pub(crate) const fn widened(mask: i16) -> Mask {
    (mask as i64).cast_unsigned()
}

/// a < b, for numbers below 2^15.
#[inline]
pub(crate) const fn below_spread(a: u16, b: u16) -> Mask {
    widened(below_spread_narrow(a, b))
}

/// [`hide`] for the masks of several spreads at once: hidden one by one they would leave their register.
#[inline]
pub(crate) const fn hide_spreads<const N: usize>(masks: [i16; N]) -> [i16; N] {
    core::hint::black_box(masks)
}

/// 0 < a < b, for numbers below 2^63.
#[inline]
pub(crate) const fn inside(a: u64, b: u64) -> Mask {
    spread_bit((a.wrapping_sub(b) & a.wrapping_neg()) >> 63)
}

/// a < b, for all numbers (Hacker's Delight, 2nd edition, section 2-12).
pub(crate) const fn less(a: u64, b: u64) -> Mask {
    spread_bit(((!a & b) | ((!a | b) & a.wrapping_sub(b))) >> 63)
}

/// a ≤ b, for all numbers.
pub(crate) const fn at_most(a: u64, b: u64) -> Mask {
    !less(b, a)
}

/// x ≠ 0.
pub(crate) const fn nonzero(x: u64) -> Mask {
    spread_bit((x | x.wrapping_neg()) >> 63)
}

/// a = b.
pub(crate) const fn equal(a: u64, b: u64) -> Mask {
    !nonzero(a ^ b)
}

/// `yes` where the mask is set, else `no`.
pub(crate) const fn select(mask: Mask, yes: u64, no: u64) -> u64 {
    no ^ (mask & (yes ^ no))
}

/// The lesser of two numbers below 2^63.
pub(crate) const fn lesser(a: u64, b: u64) -> u64 {
    select(below(a, b), a, b)
}

/// The same, for places where the compiler makes a jump of it.
pub(crate) const fn lesser_hidden(a: u64, b: u64) -> u64 {
    select(hide(below(a, b)), a, b)
}

/// The mask as 0 or 1.
pub(crate) const fn bit(mask: Mask) -> u64 {
    mask & 1
}

/// The mask in the width of a flag held in a program value.
pub(crate) fn from_flag(flag: bool) -> Mask {
    spread_bit(u64::from(flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGES: [u64; 9] = [0, 1, 2, (1 << 51) - 1, 1 << 51, (1 << 63) - 1, 1 << 63, u64::MAX - 1, u64::MAX];

    #[test]
    fn comparisons_agree_with_the_operators() {
        for a in EDGES {
            assert_eq!(nonzero(a), from_flag(a != 0));
            for b in EDGES {
                assert_eq!(less(a, b), from_flag(a < b), "{a} < {b}");
                assert_eq!(at_most(a, b), from_flag(a <= b), "{a} <= {b}");
                assert_eq!(equal(a, b), from_flag(a == b), "{a} = {b}");
                assert_eq!(select(!0, a, b), a);
                assert_eq!(select(0, a, b), b);
                if a >> 63 == 0 && b >> 63 == 0 {
                    assert_eq!(below(a, b), from_flag(a < b), "{a} below {b}");
                    assert_eq!((lesser(a, b), lesser_hidden(a, b)), (a.min(b), a.min(b)));
                    assert_eq!(inside(a, b), from_flag(0 < a && a < b), "0 < {a} < {b}");
                }
            }
        }
    }

    #[test]
    fn narrow_comparisons_agree_with_the_operators() {
        for a in [0u16, 1, 2, 3, 8_191, 8_192, 16_382, 16_383] {
            for b in [0u16, 1, 2, 3, 8_191, 8_192, 16_382, 16_383] {
                assert_eq!(widened(below_spread_narrow(a, b)), from_flag(a < b), "{a} < {b}");
                assert_eq!(widened(equal_spread_narrow(a, b)), from_flag(a == b), "{a} = {b}");
            }
        }
    }
}
