//! Breaks things on purpose, and prints one table of what held: `cargo run -p ccc-faults -- --table --quick`.
//!
//! [`network`] is a virtual clock with hosts, losses, cuts and crashes, drawn from one seed. [`ceremony`] runs key generation,
//! refresh and reshare on it, [`requests`] re-encryption, [`signing`] the reports. [`models`] are checked in every order of
//! events. [`stores`] puts table versions on a disk that fails, and kills their writers. [`table`] is what they come to,
//! [`guards`] what a row can be run without.

pub mod ceremony;
pub mod cpu;
pub mod guards;
pub mod models;
pub mod network;
pub mod requests;
pub mod signing;
pub mod stores;
pub mod table;

// the sealed versions and the simulated disk of ccc-store's tests, which is where they are tried themselves
#[allow(unreachable_pub, dead_code, reason = "a module of another crate's tests, of which this crate uses a part")]
#[path = "../../ccc-store/tests/common/mod.rs"]
mod common;
#[allow(unreachable_pub, dead_code, reason = "a module of another crate's tests, of which this crate uses a part")]
#[path = "../../ccc-store/tests/stores/disk.rs"]
mod disk;
#[allow(unexpected_cfgs, dead_code, reason = "a module of another crate's tests, whose features are not this crate's")]
#[path = "../../ccc-store/tests/stores/media.rs"]
mod media;

use table::Row;

/// Every row, in the order of the table.
#[must_use]
pub fn rows() -> Vec<Row> {
    [ceremony::rows::ROWS, requests::rows::ROWS, models::ROWS, signing::ROWS, stores::ROWS].concat()
}
