//! Storage of sealed table versions: a local directory, a journal, an object store, and a store in memory.
//!
//! A store gives availability, nothing else. What it holds is sealed; whoever reads compares the header hash with the
//! chain and opens with the data key, so a store that lies is found out and one that is restored from an old copy is
//! a rollback that the chain contradicts.
//!
//! | store | for | a version enters by |
//! |---|---|---|
//! | [`DirectoryStore`] | one machine | a rename, after its bytes and before its name are synced |
//! | `JournalStore`, feature `redb` | one machine, one file | one transaction with a two-phase commit |
//! | `BucketStore`, feature `object-store` | many machines | its manifest, created once all of its pieces are there |
//! | [`MemoryStore`] | tests and one-machine runs | an insertion |
//!
//! Beside the versions, [`RecordStore`] is where a node keeps what it said and saw: `RedbRecords` in one file, feature `redb`,
//! and [`MemoryRecords`].
//!
//! After a crash [`recover`] looks for the version that the chain names, and says what to do where it is lost;
//! [`collect`] removes what lies behind a finalised head.

#[cfg(feature = "object-store")]
mod bucket;
pub mod chained;
mod collection;
mod directory;
mod files;
#[cfg(feature = "redb")]
mod journal;
mod memory;
#[cfg(any(feature = "redb", feature = "object-store"))]
mod pieces;
mod record;
mod records;
mod recovery;
mod written;

#[cfg(feature = "object-store")]
pub use bucket::BucketStore;
pub use collection::{CollectError, Collection, Confirmation, Keep, collect};
pub use directory::DirectoryStore;
pub use files::{Disk, DiskFile, FileSystem};
#[cfg(feature = "redb")]
pub use journal::JournalStore;
pub use memory::MemoryStore;
#[cfg(feature = "redb")]
pub use records::RedbRecords;
pub use records::{Change, MAX_PAGE, MAX_RECORD, MemoryRecords, Record, RecordStore};
pub use recovery::{Halt, Lost, Recovery, recover, restore, restore_from};

/// The README's example is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
