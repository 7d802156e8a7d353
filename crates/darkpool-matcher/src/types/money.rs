//! Prices, spreads and what is paid.

use super::bounded;

bounded! {
    /// What a maker asks above the reference price.
    ///
    /// *Units*: 1/100 of a basis point, 14 bits: at most 16 383, which is 1.6383 %.
    Spread(u16), "spread", 0, 16_383
}

impl Spread {
    /// Wraps a number that the arithmetic keeps in range; the mask holds it there whatever happens.
    pub(crate) const fn masked(value: u16) -> Self {
        Self(value & Self::MAX.0)
    }
}

bounded! {
    /// A price of one coin.
    ///
    /// *Units*: micro-dollars per coin, from 1 and below 2^50 (1.1 thousand million dollars).
    MicroDollars(u64), "micro-dollars", 1, (1 << 50) - 1
}

bounded! {
    /// A share.
    ///
    /// *Units*: 1/10 000.
    BasisPoints(u16), "basis points", 0, 10_000
}

/// What is paid for a fill, or for all fills of a request.
///
/// *Units*: micro-dollars. One fill is below 2^75, so a sum over 2^32 fills cannot overflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Notional(u128);

impl Notional {
    /// Nothing is paid.
    pub const ZERO: Self = Self(0);

    /// A number of micro-dollars.
    #[must_use]
    pub const fn new(value: u128) -> Self {
        Self(value)
    }

    /// The number of micro-dollars.
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0
    }
}
