//! One type per unit. A value that exists is in range, so the arithmetic behind it cannot overflow.

mod amount;
mod money;
mod party;
mod time;

pub(crate) use amount::{AMOUNT_BITS, AMOUNT_MAX};
pub use amount::{BaseUnits, Lots};
pub use money::{BasisPoints, MicroDollars, Notional, Spread};
pub use party::{OwnerId, TierMask};
pub use time::UnixSeconds;

/// Writes `new`, `get` and the documentation that a bounded unit needs.
macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident($raw:ty), $unit:literal, $least:expr, $greatest:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($raw);

        impl $name {
            /// The least value.
            pub const MIN: Self = Self($least);
            /// The greatest value.
            pub const MAX: Self = Self($greatest);

            /// Checks the range.
            ///
            /// *Errors*: [`OutOfRange`](crate::OutOfRange) with the bounds and the value given.
            pub const fn new(value: $raw) -> Result<Self, crate::OutOfRange> {
                if value < Self::MIN.0 || value > Self::MAX.0 {
                    return Err(crate::OutOfRange {
                        unit: $unit,
                        least: Self::MIN.0 as u128,
                        greatest: Self::MAX.0 as u128,
                        found: value as u128,
                    });
                }
                Ok(Self(value))
            }

            /// The bare number.
            #[must_use]
            pub const fn get(self) -> $raw {
                self.0
            }
        }
    };
}
pub(crate) use bounded;
