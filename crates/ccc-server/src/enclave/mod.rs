//! An enclave's host: it reads the chain, fetches the custodian's statement, asks the vault for shares, runs the programs,
//! and serves what they attest.
//!
//! *Security*: nobody believes it. Participants judge the enclave's evidence, signers read the chain for themselves, and
//! the statement is the host's word: `SECURITY.md` says what follows from that.

pub mod config;
mod host;
mod kept;
mod rooms;
pub mod service;
pub mod sources;

pub use host::{Host, HostError, Parts};
#[cfg(test)]
pub(crate) use rooms::DOORS;
pub use rooms::{Neighbour, Rooms};
