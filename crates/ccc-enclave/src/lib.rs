//! The confidential program: what runs inside the enclave.
//!
//! Four programs, one shape: an [`attempt::Attempt`] generates fresh keys and attests them; the vault's
//! participants seal their shares to those keys; the program opens what it was sent, computes, and returns
//! a payload for the chain together with an attestation over everything public that it consumed.
//!
//! - [`reserve`]: the custodian's statement and the reserve's row against the liabilities → one status and
//!   one envelope of fixed length for the agent.
//! - [`round`]: the order and the standing orders → clearing → the next version of the table → one boolean; what
//!   accounts transfer and the operator freezes goes with it; or, on a public instruction, a version of its own
//!   ([`upkeep`]).
//! - [`query`]: balances for their owner, and totals for the auditors of the configuration; no version is made.
//!
//! Nothing here reads a clock, a socket or a file: time, randomness and chain state are arguments.

pub mod agent;
pub mod attempt;
pub mod authorisation;
mod book;
mod boundary;
mod cancellation;
mod cleared;
mod clearing;
pub mod config;
mod execution;
pub mod instruction;
pub mod intake;
mod key;
mod planned;
pub mod query;
pub mod reader;
mod receipts;
pub mod reserve;
pub mod result;
pub mod round;
mod seats;
pub mod settlement;
pub mod statement;
mod submission;
pub mod upkeep;
