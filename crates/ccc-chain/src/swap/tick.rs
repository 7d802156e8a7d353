//! Prices of ticks, in integers.
//!
//! *Source*: Uniswap v3 core, white paper of March 2021, section 6.1: the price at tick i is 1.0001^i units of token 1
//! for one of token 0. Computed here by squaring in 512 bits with 128 binary places; its relative error is below
//! 2^−120, where the pool's own tables have 2^−96.

use alloy::primitives::{U256, U512};

/// The outermost tick of a pool.
pub const MOST_TICK: i32 = 887_272;

const ONE: U512 = U512::from_limbs([0, 0, 1, 0, 0, 0, 0, 0]);

/// 1.0001^tick with 128 binary places; none beyond [`MOST_TICK`].
fn power(tick: u32) -> Option<U512> {
    if tick > MOST_TICK.unsigned_abs() {
        return None;
    }
    let mut base = ONE + ONE / U512::from(10_000);
    let mut power = ONE;
    let mut rest = tick;
    while rest > 0 {
        if rest & 1 == 1 {
            power = (power * base) >> 128;
        }
        rest >>= 1;
        if rest > 0 {
            base = (base * base) >> 128;
        }
    }
    Some(power)
}

/// What `amount` of one token is worth in the other at a tick, rounded down, and where it is whole perhaps one
/// unit below; none where it does not fit.
pub(super) fn value(amount: U256, tick: i32, sells_token0: bool) -> Option<U256> {
    let power = power(tick.unsigned_abs())?;
    let amount = U512::from(amount);
    let value = if (tick >= 0) == sells_token0 {
        amount.checked_mul(power)? >> 128
    } else {
        amount.checked_mul(ONE)?.checked_div(power)?
    };
    U256::checked_from_limbs_slice(value.as_limbs())
}

/// √(amount1 / amount0) · 2^96, rounded down: the price at which a pool of both amounts stands. None for a pool
/// without one of them.
pub(super) fn sqrt_price(amount0: U256, amount1: U256) -> Option<U256> {
    let scaled: U512 = U512::from(amount1) << 192;
    let ratio = scaled.checked_div(U512::from(amount0))?;
    let root = ratio.root(2);
    U256::checked_from_limbs_slice(root.as_limbs()).filter(|root| !root.is_zero())
}

/// The liquidity of both amounts over all prices, rounded down.
pub(super) fn liquidity(amount0: U256, amount1: U256) -> Option<u128> {
    let root = U512::from(amount0).checked_mul(U512::from(amount1))?.root(2);
    u128::try_from(U256::checked_from_limbs_slice(root.as_limbs())?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_the_tick() {
        let million = U256::from(1_000_000_000_000_u64);
        assert_eq!(value(million, 0, true), Some(million));
        assert_eq!(value(million, 1, true), Some(U256::from(1_000_099_999_999_u64)), "a unit below 1.0001");
        assert_eq!(value(million, 1, false), Some(U256::from(999_900_009_999_u64)));
        assert_eq!(value(million, -1, true), Some(U256::from(999_900_009_999_u64)));
        // 1.0001^69081 = 999.999339043354…, by 60 decimal places
        assert_eq!(value(U256::from(1_000_000_000_u64), 69_081, true), Some(U256::from(999_999_339_043_u64)));
    }

    #[test]
    fn the_outermost_tick_is_the_last() {
        assert!(value(U256::from(1), MOST_TICK, true).is_some());
        assert_eq!(value(U256::from(1), MOST_TICK + 1, true), None);
        assert_eq!(value(U256::from(1), i32::MIN, true), None);
        assert_eq!(value(U256::MAX, MOST_TICK, true), None);
    }

    #[test]
    fn a_pool_without_a_side_has_no_price() {
        assert_eq!(sqrt_price(U256::ZERO, U256::from(1)), None);
        assert_eq!(sqrt_price(U256::from(1), U256::ZERO), None);
        assert_eq!(sqrt_price(U256::from(4), U256::from(9)), Some((U256::from(3) << 96) / U256::from(2)));
    }
}
