//! Who trades, and with whom they are willing to.

use crate::kernel::mask::{self, Mask};

/// The account behind an order or a request.
///
/// *Layout*: 20 bytes, the owner's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerId(pub [u8; 20]);

impl OwnerId {
    /// All ones if the two differ. *Timing*: constant.
    pub(crate) fn differs(&self, other: &Self) -> Mask {
        let pairs = self.0.iter().zip(&other.0);
        mask::nonzero(pairs.fold(0, |bits, (a, b)| bits | u64::from(a ^ b)))
    }
}

/// The tiers of counterparties that an order or a request admits, one bit each.
///
/// An order and a request meet if they share a bit; a mask of zero meets nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TierMask(pub u64);

impl TierMask {
    /// Every tier.
    pub const ALL: Self = Self(u64::MAX);

    /// All ones if the two share a tier. *Timing*: constant.
    pub(crate) fn meets(self, other: Self) -> Mask {
        mask::nonzero(self.0 & other.0)
    }
}
