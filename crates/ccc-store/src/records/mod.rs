//! What a node keeps for itself: records in the order in which they came, and a few named values.
//!
//! A store gives order, atomicity and durability. Whether what it holds is authentic, and whether it is the newest, is for
//! whoever writes it to know: the bytes are opaque here. So there is no index beside the records, which could say less than
//! they do: who looks for a key reads the records once and keeps an index of its own.

mod memory;
#[cfg(feature = "redb")]
mod redb;

pub use memory::MemoryRecords;
#[cfg(feature = "redb")]
pub use redb::RedbRecords;

use ccc_core::table::StoreError;

/// Bytes of a record at most.
pub const MAX_RECORD: usize = 1 << 24;
/// Bytes of records with which [`RecordStore::records_from`] ends.
pub const MAX_PAGE: usize = 1 << 24;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number, which no other record of the store has.
    pub number: u64,
    /// What it is about; several records may share one.
    pub key: [u8; 32],
    /// What its writer wrote.
    pub bytes: Vec<u8>,
}

/// What one transaction changes: all of it or nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change<'a> {
    /// Numbers of records that go, before any comes; one that is not there changes nothing.
    pub remove: &'a [u64],
    /// Records that come. A number that is taken is refused.
    pub add: &'a [Record],
    /// Values that are put under their names in place of former ones.
    pub values: &'a [(&'a str, &'a [u8])],
}

/// A node's own records.
///
/// *Security*: a record that was acknowledged is there after a crash at any instant; one that was not may be there or not,
/// with everything else of its transaction.
pub trait RecordStore: Send + Sync {
    /// Carries out a transaction. It is on the medium when this returns.
    ///
    /// # Errors
    /// [`StoreError::Malformed`] for a number that is taken or a record above [`MAX_RECORD`]: nothing changed, and the store
    /// goes on. [`StoreError::Medium`] and [`StoreError::Halted`]: nobody knows what the medium holds before the store is
    /// opened again.
    fn commit(&self, change: &Change<'_>) -> Result<(), StoreError>;

    /// The first records with this number or a higher one, in their order: at most so many, and none after
    /// the one that reaches [`MAX_PAGE`] bytes.
    ///
    /// # Errors
    /// [`StoreError`].
    fn records_from(&self, first: u64, most: usize) -> Result<Vec<Record>, StoreError>;

    /// The value under a name.
    ///
    /// # Errors
    /// [`StoreError`].
    fn value(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;
}

/// Whether a page has room for another record after one of so many bytes.
fn has_room(page: &mut usize, bytes: usize) -> bool {
    *page = page.saturating_add(bytes);
    *page < MAX_PAGE
}

const TAKEN: StoreError = StoreError::Malformed { what: "order of records" };
const TOO_LONG: StoreError = StoreError::Malformed { what: "length of a record" };

fn check_lengths(records: &[Record]) -> Result<(), StoreError> {
    if records.iter().any(|record| record.bytes.len() > MAX_RECORD) { Err(TOO_LONG) } else { Ok(()) }
}
