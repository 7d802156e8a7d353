//! A quote under limits becomes an order.

use alloy::{
    primitives::{Address, U256, aliases::U160},
    sol_types::SolCall,
};

use super::{Market, Quote, SwapError, Twap};
use crate::bindings::uniswap::IUniswapRouter::{ExactInputSingleParams, exactInputSingleCall};

/// The most slippage, and the most cost against the average price, that limits may allow: ten percent.
pub const MOST_BASIS_POINTS: u16 = 1000;

/// The furthest deadline that limits may allow, in seconds.
pub const MOST_DEADLINE: u64 = 3600;

/// The oldest newest observation that limits may allow: a day, in seconds.
pub const MOST_AGE: u64 = 86_400;

/// The most between the block of a quote and the block of its average price, in seconds.
const MOST_APART: u64 = 60;

const BASIS: u64 = 10_000;

/// What an operator allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How far the price may move between quote and swap, in 1/10,000; at most [`MOST_BASIS_POINTS`].
    pub slippage: u16,
    /// How far the quote may stand below the average price, its fee included, in 1/10,000; at most [`MOST_BASIS_POINTS`].
    pub cost: u16,
    /// Seconds since the pool's newest observation; at most [`MOST_AGE`].
    pub most_age: u64,
    /// Seconds for which the order holds; at most [`MOST_DEADLINE`].
    pub deadline: u64,
    /// Who gets the proceeds; the market refuses everybody but its reserve.
    pub recipient: Address,
}

impl Limits {
    /// Half a percent of slippage, one percent of cost, an hour of age, five minutes.
    #[must_use]
    pub const fn to(recipient: Address) -> Self {
        Self { slippage: 50, cost: 100, most_age: 3600, deadline: 300, recipient }
    }

    fn check(&self) -> Result<(), SwapError> {
        let limit = |field, found: String, expected| Err(SwapError::Limit { field, found, expected });
        if self.slippage > MOST_BASIS_POINTS {
            return limit("slippage", self.slippage.to_string(), "at most 1000 basis points");
        }
        if self.cost > MOST_BASIS_POINTS {
            return limit("cost", self.cost.to_string(), "at most 1000 basis points");
        }
        if self.most_age > MOST_AGE {
            return limit("age", self.most_age.to_string(), "at most 86400 s");
        }
        if self.deadline == 0 || self.deadline > MOST_DEADLINE {
            return limit("deadline", self.deadline.to_string(), "1 to 3600 s");
        }
        Ok(())
    }
}

/// A swap whose amounts, deadline and recipient were checked.
///
/// Made by [`Market::order`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwapOrder {
    quote: Quote,
    least: U256,
    deadline: u64,
    recipient: Address,
}

impl SwapOrder {
    /// What was quoted.
    #[must_use]
    pub const fn quote(&self) -> &Quote {
        &self.quote
    }

    /// What has to come out at least.
    #[must_use]
    pub const fn least(&self) -> U256 {
        self.least
    }

    /// The last second in which it may be mined (Unix time).
    #[must_use]
    pub const fn deadline(&self) -> u64 {
        self.deadline
    }

    /// Who gets the proceeds.
    #[must_use]
    pub const fn recipient(&self) -> Address {
        self.recipient
    }
}

impl Market<'_> {
    /// An order for a quote, under limits. It takes at least the quote less the slippage, and at least the average price
    /// less the cost, whichever is more.
    ///
    /// # Errors
    /// Limits that guard nothing; another recipient than the reserve; a quote or an average price of another pool, or of times
    /// that lie apart; observations that are too old; a quote too far below
    /// the average price.
    pub fn order(&self, quote: Quote, twap: &Twap, limits: &Limits) -> Result<SwapOrder, SwapError> {
        limits.check()?;
        if limits.recipient != self.reserve {
            return Err(SwapError::Recipient { expected: self.reserve, found: limits.recipient });
        }
        self.check_pool("the quote", quote.pool)?;
        self.check_pool("the average price", twap.pool)?;
        let (asked, average) = (quote.block.time, twap.block.time);
        if asked.abs_diff(average) > MOST_APART {
            return Err(SwapError::Apart { quote: asked, average, most: MOST_APART });
        }
        if twap.newest_age > limits.most_age {
            return Err(SwapError::Stale { found: twap.newest_age, most: limits.most_age });
        }
        let cost = quote.cost(twap)?;
        let fair = twap.value(quote.amount_in).unwrap_or_default();
        let floor = less(fair, limits.cost);
        if quote.amount_out < floor {
            let most = i64::from(limits.cost).saturating_mul(100);
            return Err(SwapError::Cost { quoted: quote.amount_out, fair, cost, most });
        }
        let least = less(quote.amount_out, limits.slippage).max(floor);
        let deadline = quote.block.time.saturating_add(limits.deadline);
        Ok(SwapOrder { quote, least, deadline, recipient: limits.recipient })
    }

    pub(super) fn check_pool(&self, what: &'static str, found: Address) -> Result<(), SwapError> {
        let expected = self.venue.pool;
        if found == expected { Ok(()) } else { Err(SwapError::OtherPool { what, expected, found }) }
    }

    /// The call to the router.
    pub(super) fn call(&self, order: &SwapOrder) -> exactInputSingleCall {
        exactInputSingleCall {
            params: ExactInputSingleParams {
                tokenIn: self.pair.sell.address,
                tokenOut: self.pair.buy.address,
                fee: self.fee,
                recipient: order.recipient,
                deadline: U256::from(order.deadline),
                amountIn: order.quote.amount_in,
                amountOutMinimum: order.least,
                sqrtPriceLimitX96: U160::ZERO,
            },
        }
    }

    /// Reads the calldata of a swap and holds it against the order, whoever made the bytes. For bytes from elsewhere: what
    /// [`send`](Self::send) signs it makes of the order itself, and only the recipient is held against something else.
    ///
    /// # Errors
    /// [`SwapError::Recipient`] for proceeds that go elsewhere, [`SwapError::Call`] for everything else.
    pub fn check_call(&self, calldata: &[u8], order: &SwapOrder) -> Result<(), SwapError> {
        let Ok(found) = exactInputSingleCall::abi_decode(calldata) else {
            return Err(SwapError::Call { field: "function" });
        };
        let (found, expected) = (found.params, self.call(order).params);
        if found.recipient != self.reserve {
            return Err(SwapError::Recipient { expected: self.reserve, found: found.recipient });
        }
        let same = [
            (
                "token",
                (found.tokenIn, found.tokenOut, found.fee) == (expected.tokenIn, expected.tokenOut, expected.fee),
            ),
            ("amount", found.amountIn == expected.amountIn),
            ("least amount", found.amountOutMinimum == expected.amountOutMinimum),
            ("deadline", found.deadline == expected.deadline),
            ("price limit", found.sqrtPriceLimitX96 == expected.sqrtPriceLimitX96),
        ];
        match same.into_iter().find(|(_, same)| !same) {
            Some((field, _)) => Err(SwapError::Call { field }),
            None => Ok(()),
        }
    }
}

/// `amount` less so many 1/10,000 of it, rounded up.
fn less(amount: U256, basis_points: u16) -> U256 {
    let off = U256::from(basis_points);
    let whole = (amount / U256::from(BASIS)).saturating_mul(off);
    let rest = (amount % U256::from(BASIS)).saturating_mul(off) / U256::from(BASIS);
    amount.saturating_sub(whole.saturating_add(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_off_is_rounded_down() {
        for (amount, basis_points, expected) in [(10_000, 50, 9_950), (1, 1000, 1), (199, 50, 199), (200, 50, 199)] {
            assert_eq!(less(U256::from(amount), basis_points), U256::from(expected));
        }
        assert_eq!(less(U256::MAX, 0), U256::MAX);
    }

    #[test]
    fn limits_that_guard_nothing_are_refused() {
        let limits = Limits::to(Address::ZERO);
        assert!(limits.check().is_ok());
        for (limits, name) in [
            (Limits { slippage: 1001, ..limits }, "slippage"),
            (Limits { cost: 1001, ..limits }, "cost"),
            (Limits { most_age: 86_401, ..limits }, "age"),
            (Limits { deadline: 0, ..limits }, "deadline"),
            (Limits { deadline: 3601, ..limits }, "deadline"),
        ] {
            assert!(matches!(limits.check(), Err(SwapError::Limit { field, .. }) if field == name), "{name}");
        }
    }
}
