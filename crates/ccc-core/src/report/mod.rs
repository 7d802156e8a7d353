//! Quorum reports: what a committee says to a contract, to the byte.
//!
//! A [`Report`] is a forwarder header followed by a [`Payload`] of ABI words. Each participant
//! signs its digest with a [`ReportSigner`]; f+1 signatures of one [`SignerSet`] make a
//! [`SignedReport`], which anybody may deliver through the forwarder contract.
//!
//! *Source*: the layout of Chainlink's KeystoneForwarder 1.0.0 for header, context and digest; the
//! payload binds what that layout leaves open (chain, receiver, kind, epoch, sequence, expiry,
//! attestation). The bytes are written down in `docs/spec/report.md`.

mod accumulator;
mod error;
#[cfg(feature = "bls-quorum")]
pub mod group;
mod header;
mod keccak;
mod kind;
mod layout;
mod payload;
mod price;
mod quorum;
mod signature;
mod signed;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
mod word;
#[cfg(test)]
mod wycheproof;

pub use accumulator::{Accumulator, OperationKind, Step};
pub use error::{QuorumError, ReportError};
pub use header::{FORWARDER_HEADER_LEN, ForwarderHeader, Origin};
pub use keccak::{keccak256, workflow_name};
pub use kind::Kind;
pub use layout::{CONTEXT_LEN, Report, ReportContext};
pub use payload::{Binding, EnclaveAdmission, Payload, Payout, Round, Solvency, Statement, Verdict};
pub use price::{PriceObservation, price_digest};
pub use quorum::{Culprit, Examination, Fault, MAX_SIGNERS, SignerSet};
pub use signature::{ReportSigner, SIGNATURE_LEN, Signature65, SignatureFault};
pub use signed::SignedReport;

/// An account on the chain, as 20 bytes.
pub type Address = [u8; 20];

/// A 32-byte hash or identifier.
pub type Word = [u8; 32];
