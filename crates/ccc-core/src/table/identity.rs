//! Who and what a row is about, and how large a table may be.

use core::fmt;

/// log2 of the rows in one sealed chunk.
pub(super) const CHUNK_LOG2: u8 = 10;

/// An account: the address of its owner. Inside the table it is secret; only an exit reveals it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub [u8; 20]);

impl AccountId {
    /// Nobody: the account of the status row and of dummies, never of an owner.
    pub const NOBODY: Self = Self([0; 20]);
}

/// An asset: an index into the contract's configuration (token, decimals, lot).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetId(pub u32);

impl AssetId {
    /// The asset number of the status row.
    pub const STATUS: Self = Self(0xFFFF_FFFE);
    /// The asset number of a row that holds an account's reading key.
    pub const READING_KEY: Self = Self(0xFFFF_FFFF);

    /// Whether the number names an asset and not a kind of row.
    #[must_use]
    pub fn is_balance(self) -> bool {
        self < Self::STATUS
    }
}

/// What the contract's configuration says about one asset; the index in a slice is the asset's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssetRule {
    /// Smallest units of the asset in one lot.
    pub lot: u64,
}

/// The rule of an asset, if the configuration has one.
pub(super) fn rule(assets: &[AssetRule], asset: AssetId) -> Option<AssetRule> {
    if !asset.is_balance() {
        return None;
    }
    usize::try_from(asset.0).ok().and_then(|index| assets.get(index)).copied()
}

/// Which table: a table of one contract on one chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableId {
    /// The chain's EIP-155 number.
    pub chain: u64,
    /// The pool contract that keeps the header hash.
    pub contract: [u8; 20],
    /// The table's identifier in the contract's configuration.
    pub table: [u8; 32],
}

/// The public capacity of a table: a power of four between 2^10 and 2^24 rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tier(u8);

impl Tier {
    /// 1 024 rows, one chunk.
    pub const SMALLEST: Self = Self(10);
    /// 16 777 216 rows, 1 GiB.
    pub const LARGEST: Self = Self(24);

    /// The tier of 2^`log2` rows, if there is one: 10, 12, … 24.
    #[must_use]
    pub fn new(log2: u8) -> Option<Self> {
        (log2.is_multiple_of(2) && (10..=24).contains(&log2)).then_some(Self(log2))
    }

    /// The smallest tier with room for `rows` rows, key rows and the status row counted.
    #[must_use]
    pub fn for_rows(rows: usize) -> Option<Self> {
        (10..=24).step_by(2).map(Self).find(|tier| tier.rows() >= rows)
    }

    /// The next tier, four times as large.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::new(self.0 + 2)
    }

    /// log2 of the rows, as it stands in the header.
    #[must_use]
    pub fn log2(self) -> u8 {
        self.0
    }

    /// Rows, used or not.
    #[must_use]
    pub fn rows(self) -> usize {
        1 << self.0
    }

    /// Sealed chunks of 1 024 rows.
    #[must_use]
    pub fn chunks(self) -> u32 {
        1 << (self.0 - CHUNK_LOG2)
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "2^{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_are_powers_of_four() {
        assert_eq!(Tier::new(11), None);
        assert_eq!(Tier::new(8), None);
        assert_eq!(Tier::new(26), None);
        assert_eq!(Tier::for_rows(0), Some(Tier::SMALLEST));
        assert_eq!(Tier::for_rows(1024), Some(Tier::SMALLEST));
        assert_eq!(Tier::for_rows(1025), Tier::new(12));
        assert_eq!(Tier::for_rows(1 << 24), Some(Tier::LARGEST));
        assert_eq!(Tier::for_rows((1 << 24) + 1), None);
        assert_eq!(Tier::LARGEST.next(), None);
        assert_eq!(Tier::LARGEST.chunks(), 1 << 14);
    }
}
