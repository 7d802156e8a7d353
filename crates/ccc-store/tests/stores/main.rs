//! Every store under the same tests, and each on a medium that fails.

#[path = "../common/mod.rs"]
mod common;

mod collection;
mod conformance;
mod creation;
mod directory;
mod directory_faults;
mod disk;
mod faults;
#[cfg(feature = "redb")]
mod journal_faults;
mod media;
#[cfg(feature = "object-store-local")]
mod objects;
#[cfg(feature = "redb")]
mod pages;
mod read_only;
mod records;
#[cfg(feature = "redb")]
mod records_faults;
mod recovery;
mod streaming;
mod tampering;
