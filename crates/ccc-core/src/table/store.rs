//! Where sealed versions are kept: the trait alone.

use super::{SealedTable, TableId};
use alloc::boxed::Box;

/// What a store answers when it cannot do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No complete version with this header hash. It is a halt: a missing table is never an empty one.
    #[error("no complete table version with header hash {}", Hex(header_hash))]
    Missing {
        /// The hash asked for.
        header_hash: [u8; 32],
    },
    /// What is kept under this hash has been altered.
    #[error("table version {}: the {part} kept is not the one written", Hex(header_hash))]
    Corrupt {
        /// The hash asked for.
        header_hash: [u8; 32],
        /// Header, body, sidecar or manifest.
        part: &'static str,
    },
    /// The store's own index is malformed.
    #[error("the store's {what} is malformed")]
    Malformed {
        /// Which index.
        what: &'static str,
    },
    /// Another process has the store open.
    #[error("another process has the store open")]
    Locked,
    /// A write could not be made durable earlier; the store takes no more until it is opened again.
    #[error("an earlier write could not be made durable; open the store again and compare with the chain")]
    Halted,
    /// The medium failed. The previous versions are still readable.
    #[error("{operation}: {source}")]
    Medium {
        /// What was being done.
        operation: &'static str,
        /// The medium's own error.
        source: Box<dyn core::error::Error + Send + Sync>,
    },
}

struct Hex<'a>(&'a [u8; 32]);

impl core::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A store of sealed versions, addressed by their header hash.
///
/// Availability is all that it gives: whoever reads compares with the chain and opens with the data key. A crash at
/// any instant leaves the version that was being written complete or absent, and every earlier one readable.
pub trait TableStore {
    /// Keeps a version; when it returns, the version survives a power cut. Keeping it twice is keeping it once.
    ///
    /// # Errors
    /// [`StoreError`]; earlier versions stay readable.
    fn put(&self, table: &SealedTable) -> Result<(), StoreError>;

    /// The version with this header hash, compared with what was written.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Corrupt`], [`StoreError::Medium`].
    fn get(&self, header_hash: &[u8; 32]) -> Result<SealedTable, StoreError>;

    /// Remembers which version of a table was last seen current.
    ///
    /// # Errors
    /// [`StoreError`].
    fn set_head_hint(&self, table: &TableId, header_hash: &[u8; 32]) -> Result<(), StoreError>;

    /// The header hash last remembered. *Security*: a hint for a quick start; the chain alone says what is current.
    ///
    /// # Errors
    /// [`StoreError`].
    fn head_hint(&self, table: &TableId) -> Result<Option<[u8; 32]>, StoreError>;

    /// Forgets a version; forgetting an absent one is no error.
    ///
    /// # Errors
    /// [`StoreError`].
    fn remove(&self, header_hash: &[u8; 32]) -> Result<(), StoreError>;
}
