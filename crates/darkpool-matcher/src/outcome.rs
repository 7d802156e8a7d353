//! What a clearing hands back. The shape is the same in success and in every failure.

use crate::types::{Lots, Notional};

/// What one standing order gives and gets. Zero for an order that is not filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fill {
    /// Lots sold.
    pub lots: Lots,
    /// What the maker is paid, rounded up.
    pub notional: Notional,
}

/// Why a clearing ended as it did.
///
/// *Security*: goes into sealed receipts only; outside there is the success flag and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// Cleared.
    Ok = 0,
    /// The price was refused.
    Price = 1,
    /// The admissible capacity is below the least total.
    TooSmall = 2,
    /// Minimum interactions could not be met in the solves of the rules.
    Minimum = 3,
    /// An amount leaves the range of its unit.
    TooLarge = 4,
}

impl Reason {
    /// The code of the receipt.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The reason of a code computed by masks.
    pub(crate) const fn from_code(code: u64) -> Self {
        match code {
            0 => Self::Ok,
            1 => Self::Price,
            2 => Self::TooSmall,
            3 => Self::Minimum,
            _ => Self::TooLarge,
        }
    }
}

/// The result of a clearing. The fills are in the caller's slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The request was filled by its success rule.
    pub success: bool,
    /// Why.
    pub reason: Reason,
    /// The sum of the fills.
    pub filled: Lots,
    /// The sum of the notionals.
    pub total: Notional,
}

impl Outcome {
    /// Of a request that was not cleared: a failure without a fill.
    pub const UNCLEARED: Self =
        Self { success: false, reason: Reason::TooSmall, filled: Lots::ZERO, total: Notional::ZERO };
}
