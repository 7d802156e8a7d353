//! Words that are all ones or all zeros, for scans that touch every row alike.
//!
//! *Timing*: no branch and no address depends on a row. What the compiler makes of it is best effort, as with
//! every constant-time code in a high-level language.

use super::{AccountId, AssetId, row::ROW_LEN};

/// All ones when `x` is zero, else all zeros.
#[inline]
pub(super) fn is_zero(x: u64) -> u64 {
    ((x | x.wrapping_neg()) >> 63).wrapping_sub(1)
}

/// [`is_zero`] for 32 bits: a comparison, which compilers make in every lane of a vector.
#[inline]
pub(super) fn is_zero_32(x: u32) -> u32 {
    u32::from(x == 0).wrapping_neg()
}

/// All ones for true.
#[inline]
pub(super) fn from_bool(b: bool) -> u64 {
    u64::from(b).wrapping_neg()
}

/// `mask` over both halves of a u128.
#[inline]
pub(super) fn wide(mask: u64) -> u128 {
    (u128::from(mask) << 64) | u128::from(mask)
}

/// The upper 64 bits.
#[inline]
pub(super) fn high(x: u128) -> u64 {
    low(x >> 64)
}

/// The lower 64 bits.
#[inline]
pub(super) fn low(x: u128) -> u64 {
    u64::try_from(x & u128::from(u64::MAX)).expect("64 bits are left after masking")
}

/// The lower 32 bits.
#[inline]
pub(super) fn low_32(x: u64) -> u32 {
    u32::try_from(x & u64::from(u32::MAX)).expect("32 bits are left after masking")
}

/// `new` where the mask is set, else `old`.
#[inline]
pub(super) fn select(mask: u64, new: u64, old: u64) -> u64 {
    old ^ (mask & (new ^ old))
}

/// [`select`] for u128.
#[inline]
pub(super) fn select_wide(mask: u64, new: u128, old: u128) -> u128 {
    old ^ (wide(mask) & (new ^ old))
}

/// The first 24 bytes of a row, account and asset, as words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowKey {
    high: u128,
    low: u64,
}

impl RowKey {
    /// A key that no row has: account zero stands only in the status row and in unused rows.
    pub(super) const ABSENT: Self = Self { high: 0, low: 0xFFFF_FFFD };

    /// The key of an unused row.
    pub(super) const UNUSED: Self = Self { high: 0, low: 0 };

    /// The key of a row of an account; [`Self::ABSENT`] for nobody.
    pub(super) fn new(account: AccountId, asset: AssetId) -> Self {
        if account == AccountId::NOBODY {
            return Self::ABSENT;
        }
        let mut bytes = [0; 24];
        bytes[..20].copy_from_slice(&account.0);
        bytes[20..].copy_from_slice(&asset.0.to_be_bytes());
        Self::from_prefix(&bytes)
    }

    /// The key of the balance of an account in an asset; [`Self::ABSENT`] where there can be none.
    pub(super) fn balance(account: AccountId, asset: AssetId) -> Self {
        if asset.is_balance() { Self::new(account, asset) } else { Self::ABSENT }
    }

    /// The key of the row with an account's reading key.
    pub(super) fn reading_key(account: AccountId) -> Self {
        Self::new(account, AssetId::READING_KEY)
    }

    /// The key that a row carries.
    #[inline]
    pub(super) fn of(row: &[u8; ROW_LEN]) -> Self {
        Self::from_prefix(row.first_chunk().expect("a row is longer than its key"))
    }

    /// All ones when the keys are the same.
    #[inline]
    pub(super) fn matches(self, other: Self) -> u64 {
        let x = self.high ^ other.high;
        is_zero(high(x) | low(x) | (self.low ^ other.low))
    }

    /// [`Self::ABSENT`] where the mask is set, else this key.
    #[inline]
    pub(super) fn unless(self, mask: u64) -> Self {
        let high = select_wide(mask, Self::ABSENT.high, self.high);
        Self { high, low: select(mask, Self::ABSENT.low, self.low) }
    }

    /// The 24 bytes as they stand in a row.
    pub(super) fn to_bytes(self) -> [u8; 24] {
        let mut bytes = [0; 24];
        bytes[..16].copy_from_slice(&self.high.to_be_bytes());
        bytes[16..].copy_from_slice(&self.low.to_be_bytes());
        bytes
    }

    #[inline]
    fn from_prefix(bytes: &[u8; 24]) -> Self {
        let (head, tail) = bytes.split_first_chunk::<16>().expect("24 bytes hold 16");
        let tail = tail.first_chunk::<8>().expect("8 bytes are left");
        Self { high: u128::from_be_bytes(*head), low: u64::from_be_bytes(*tail) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_all_or_nothing() {
        assert_eq!(is_zero(0), u64::MAX);
        for x in [1, 1 << 63, u64::MAX, 0x8000] {
            assert_eq!(is_zero(x), 0);
        }
        assert_eq!(select(u64::MAX, 7, 9), 7);
        assert_eq!(select(0, 7, 9), 9);
        assert_eq!(select_wide(u64::MAX, u128::MAX, 9), u128::MAX);
    }

    #[test]
    fn every_byte_of_a_key_counts() {
        let mut row = [0u8; ROW_LEN];
        row[..24].fill(0x5a);
        let key = RowKey::of(&row);
        for i in 0..24 {
            let mut other = row;
            other[i] ^= 1;
            assert_eq!(key.matches(RowKey::of(&other)), 0, "byte {i}");
        }
        row[24] ^= 1;
        assert_eq!(key.matches(RowKey::of(&row)), u64::MAX);
    }
}
