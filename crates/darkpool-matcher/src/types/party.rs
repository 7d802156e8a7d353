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
        let ((ours, _), (theirs, _)) = (self.0.as_chunks::<4>(), other.0.as_chunks::<4>());
        let word = |bytes: &[u8; 4]| u32::from_ne_bytes(*bytes);
        mask::nonzero(ours.iter().zip(theirs).fold(0, |bits, (a, b)| bits | u64::from(word(a) ^ word(b))))
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
