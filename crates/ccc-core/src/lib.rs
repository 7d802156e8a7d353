//! Threshold encryption under a master key that no single node holds, re-encryption of ciphertexts to one
//! attested enclave, encrypted balance tables, and quorum-signed reports.
//!
//! The data's way through the crate: an order becomes a `Ciphertext`, once checked a `VerifiedCiphertext`;
//! participants turn it into sealed shares for an attested enclave; the enclave opens it, settles in the
//! [`table`] and speaks to the chain through a report.
//!
//! Assumptions: the random-oracle model, DDH in ristretto255, static corruption of at most t−1
//! participants for secrecy and at most F = ⌊(n−1)/3⌋ faulty ones for liveness.

#![forbid(unsafe_code)]
#![cfg_attr(not(any(test, feature = "std")), no_std)]

extern crate alloc;

pub mod ciphertext;
pub mod compat;
pub mod enclave;
pub mod encoding;
pub mod envelope;
pub mod epoch;
pub mod identifier;
pub mod keys;
mod parallel;
mod point;
mod polynomial;
mod proof;
pub mod report;
pub mod secret;
pub mod suite;
pub mod table;
pub mod threshold;
pub mod vault;

#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;
