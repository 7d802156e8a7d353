//! Set-up of the benches: our own parties, the bare operations that nothing can be faster than, and the peers.
//!
//! A group of a bench is one line of the table in `docs/benchmarks.md`: its member `ccc` is measured beside `floor`, the
//! peers and the other ways in one run, so that only ratios of one run are compared.

#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up ends")]
#![allow(clippy::panic, reason = "a bench that cannot be set up ends")]
#![allow(clippy::missing_panics_doc, reason = "a bench that cannot be set up ends")]

pub mod batches;
#[cfg(feature = "peers-book")]
pub mod books;
pub mod clearing;
pub mod clearing_timing;
pub mod crossing;
pub mod floor;
pub mod generation;
pub mod handover;
pub mod one_by_one;
pub mod peers;
pub mod sealed;
pub mod secrets;
pub mod timing;
pub mod verdict;
pub mod welch;
pub mod world;

/// t of n in every bench that depends on them.
pub const SIZES: [(u16, u16); 3] = [(3, 5), (11, 16), (67, 100)];
/// What is encrypted.
pub const MESSAGE: [u8; 32] = [7; 32];
/// What the enclave runs.
pub const MEASUREMENT: [u8; 32] = [5; 32];

/// The name of a size in a bench.
#[must_use]
pub fn size(t: u16, n: u16) -> String {
    format!("({t},{n})")
}
