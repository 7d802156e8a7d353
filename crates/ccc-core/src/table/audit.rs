//! What auditors learn: totals over all accounts, never one account's row. Who they are is a versioned set.
//!
//! *Layout* of a summary, 132 + 32·A bytes for the A assets of the configuration: header hash 32 ‖ version u64 ‖ version
//! of the set u64 ‖ digest of the set 32 ‖ accounts u64 ‖ rows u64 ‖ frozen rows u64 ‖ 24 zeros ‖ A u32 ‖ A × (held u128 ‖
//! of it frozen u128).

use super::{
    AssetId, OpenTable,
    mask::{self, RowKey},
    row::{self, Flags, ROW_LEN},
    seal::CHUNK_LEN,
};
use crate::{
    encoding::{EncodingError, Reader},
    parallel::prelude::*,
    suite::{self, domain},
};
use alloc::vec;
use alloc::vec::Vec;

/// The most auditors that a set has.
pub const MAX_AUDITOR_SET: usize = 64;
const PADDING: usize = 24;
const HEAD_LEN: usize = 132;
const PLACE_LEN: usize = 32;

/// A set of auditors that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditorSetError {
    /// Nobody, or too many.
    #[error("{found} auditors, where 1 to {most} are possible")]
    Count {
        /// [`MAX_AUDITOR_SET`].
        most: usize,
        /// Keys given.
        found: usize,
    },
    /// Keys that do not ascend: out of order, or one of them twice.
    #[error("auditor {index} does not come after the one before it")]
    Order {
        /// The later of the two.
        index: usize,
    },
}

/// Who may read summaries: X25519 keys under a version that the deployment counts up with every change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditorSet {
    version: u64,
    keys: Vec<[u8; 32]>,
}

impl AuditorSet {
    /// A set of 1 to [`MAX_AUDITOR_SET`] keys in ascending order.
    ///
    /// # Errors
    /// [`AuditorSetError`].
    pub fn new(version: u64, keys: Vec<[u8; 32]>) -> Result<Self, AuditorSetError> {
        if !(1..=MAX_AUDITOR_SET).contains(&keys.len()) {
            return Err(AuditorSetError::Count { most: MAX_AUDITOR_SET, found: keys.len() });
        }
        match keys.windows(2).position(|pair| pair[0] >= pair[1]) {
            Some(before) => Err(AuditorSetError::Order { index: before + 1 }),
            None => Ok(Self { version, keys }),
        }
    }

    /// The set's version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The keys, ascending.
    #[must_use]
    pub fn keys(&self) -> &[[u8; 32]] {
        &self.keys
    }

    /// digest32 H("auditors"; version u64, keys in order).
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let version = self.version.to_be_bytes();
        let fields: Vec<&[u8]> = core::iter::once(&version[..]).chain(self.keys.iter().map(|key| &key[..])).collect();
        suite::digest32(domain::AUDITORS, &fields)
    }
}

/// What all accounts hold of one asset.
///
/// *Units*: smallest units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Everything, reserved and frozen included.
    pub held: u128,
    /// The part in frozen rows.
    pub frozen: u128,
}

/// The totals of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Hash of the header that was read.
    pub header: [u8; 32],
    /// Its version.
    pub version: u64,
    /// Version of the auditor set to which it is sealed.
    pub set_version: u64,
    /// Digest of that set.
    pub set: [u8; 32],
    /// Accounts with a reading key: all that are registered or were paid in for.
    pub accounts: u64,
    /// Balance rows.
    pub rows: u64,
    /// Frozen ones among them.
    pub frozen_rows: u64,
    /// One total for each asset of the configuration, in its order.
    pub totals: Vec<Total>,
}

/// Bytes of a summary, whatever the table holds.
///
/// *Units*: `assets` of the configuration.
#[must_use]
pub fn summary_len(assets: usize) -> usize {
    HEAD_LEN.saturating_add(PLACE_LEN.saturating_mul(assets))
}

/// Counts of a scan, and the frozen amounts of each asset in lower and upper halves.
struct Census {
    accounts: u64,
    rows: u64,
    frozen_rows: u64,
    frozen: Vec<(u128, u128)>,
}

impl Census {
    fn empty(assets: u32) -> Self {
        Self { accounts: 0, rows: 0, frozen_rows: 0, frozen: vec![(0, 0); assets as usize] }
    }

    fn of_chunk(bytes: &[u8], assets: u32) -> Self {
        bytes.as_chunks().0.iter().fold(Self::empty(assets), Self::with_row)
    }

    fn with_row(mut self, bytes: &[u8; ROW_LEN]) -> Self {
        let asset = u64::from(row::asset(bytes).0);
        let key = mask::is_zero(asset ^ u64::from(AssetId::READING_KEY.0));
        let status = mask::is_zero(asset ^ u64::from(AssetId::STATUS.0));
        let used = !RowKey::of(bytes).matches(RowKey::UNUSED);
        let balance = used & !key & !status;
        let frozen = balance & mask::from_bool(row::flags(bytes) & Flags::FROZEN != 0);
        self.accounts += key & 1;
        self.rows += balance & 1;
        self.frozen_rows += frozen & 1;
        for (sum, number) in self.frozen.iter_mut().zip(0u64..) {
            let mask = frozen & mask::is_zero(asset ^ number);
            sum.0 += u128::from(mask & row::u64_at(bytes, 32));
            sum.1 += u128::from(mask & row::u64_at(bytes, 24));
        }
        self
    }

    fn with(mut self, other: &Self) -> Self {
        self.accounts += other.accounts;
        self.rows += other.rows;
        self.frozen_rows += other.frozen_rows;
        for (sum, other) in self.frozen.iter_mut().zip(&other.frozen) {
            *sum = (sum.0 + other.0, sum.1 + other.1);
        }
        self
    }
}

impl OpenTable {
    /// The totals of the first `assets` assets, for a set of auditors.
    ///
    /// *Timing*: depends on the tier and the number of assets.
    #[must_use]
    pub fn summary(&self, assets: u32, set: &AuditorSet) -> Summary {
        let chunks = self.rows.bytes().par_chunks(CHUNK_LEN).map(|bytes| Census::of_chunk(bytes, assets));
        let census = chunks.merge(|| Census::empty(assets), |a, b| a.with(&b));
        let total =
            |(asset, frozen): (u32, &(u128, u128))| Total { held: self.sum(AssetId(asset)), frozen: whole(*frozen) };
        Summary {
            header: self.header().hash(),
            version: self.header().version(),
            set_version: set.version(),
            set: set.digest(),
            accounts: census.accounts,
            rows: census.rows,
            frozen_rows: census.frozen_rows,
            totals: (0..).zip(&census.frozen).map(total).collect(),
        }
    }
}

/// lower + upper·2^64; no asset's amounts pass u128 together, and the frozen part does not either.
fn whole((lower, upper): (u128, u128)) -> u128 {
    upper.saturating_mul(1 << 64).saturating_add(lower)
}

impl Summary {
    /// The bytes of the layout above.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(summary_len(self.totals.len()));
        out.extend_from_slice(&self.header);
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&self.set_version.to_be_bytes());
        out.extend_from_slice(&self.set);
        for count in [self.accounts, self.rows, self.frozen_rows] {
            out.extend_from_slice(&count.to_be_bytes());
        }
        out.extend_from_slice(&[0; PADDING]);
        out.extend_from_slice(&u32::try_from(self.totals.len()).unwrap_or(u32::MAX).to_be_bytes());
        for total in &self.totals {
            out.extend_from_slice(&total.held.to_be_bytes());
            out.extend_from_slice(&total.frozen.to_be_bytes());
        }
        out
    }

    /// Reads exactly the layout above.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        let header = reader.array("header hash")?;
        let (version, set_version) = (reader.u64("version")?, reader.u64("version of the auditor set")?);
        let set = reader.array("digest of the auditor set")?;
        let (accounts, rows) = (reader.u64("accounts")?, reader.u64("rows")?);
        let frozen_rows = reader.u64("frozen rows")?;
        if reader.array::<PADDING>("padding")? != [0; PADDING] {
            return Err(EncodingError::Reserved { what: "summary" });
        }
        let count = reader.u32("number of assets")?;
        let mut totals = Vec::with_capacity((bytes.len() / PLACE_LEN).min(count as usize));
        for _ in 0..count {
            totals.push(Total { held: reader.u128("held")?, frozen: reader.u128("frozen")? });
        }
        reader.finish()?;
        Ok(Self { header, version, set_version, set, accounts, rows, frozen_rows, totals })
    }
}
