//! Storage of sealed table versions: a local directory and a store in memory.
//!
//! A store gives availability, nothing else. What it holds is sealed; whoever reads compares the header hash with the
//! chain and opens with the data key, so a store that lies is found out and one that is restored from an old copy is
//! a rollback that the chain contradicts.

mod directory;
mod files;
#[cfg(feature = "redb")]
mod journal;
mod memory;
#[cfg(feature = "redb")]
mod pieces;
mod record;
mod written;

pub use directory::DirectoryStore;
pub use files::{Disk, DiskFile, FileSystem};
#[cfg(feature = "redb")]
pub use journal::JournalStore;
pub use memory::MemoryStore;
