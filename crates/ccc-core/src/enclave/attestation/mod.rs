//! Attestation: evidence (is it genuine?) apart from policy (is it the code and key that we accept?).
//!
//! *Source*: `docs/spec/encryption.md`, section *Attestation*. Time is an argument. The digest of evidence names it in
//! a report and is never a replay key, since verifiers ignore some bytes of real quotes.

mod policy;
pub mod simulated;

pub use policy::{OperatingMode, Policy, PolicyRefusal};

use crate::encoding::{EncodingError, Kind, Reader};
use crate::suite::digest;
use alloc::string::String;
use alloc::vec::Vec;

/// Who made the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum ProviderKind {
    /// A signing key that stands for the hardware: refused in production.
    Simulated = 1,
}

impl ProviderKind {
    /// The provider with this number.
    ///
    /// # Errors
    /// [`EncodingError::Range`].
    pub fn from_byte(byte: u8) -> Result<Self, EncodingError> {
        match byte {
            1 => Ok(Self::Simulated),
            found => Err(EncodingError::Range { what: "attestation provider", found: found.into(), range: "1" }),
        }
    }

    /// The provider that evidence claims.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn of(evidence: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(evidence);
        reader.header(Kind::Evidence)?;
        Self::from_byte(reader.u8("attestation provider")?)
    }
}

/// What genuine evidence says.
///
/// *Units*: times in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// Who made it.
    pub kind: ProviderKind,
    /// What runs.
    pub measurement: [u8; 32],
    /// What the running program said.
    pub user_data: [u8; 64],
    /// What the verifier asked to be included, where the provider has such a field.
    pub nonce: Option<[u8; 64]>,
    /// Whether the enclave can be inspected from outside.
    pub debug: bool,
    /// First second of validity.
    pub not_before: u64,
    /// Last second of validity.
    pub not_after: u64,
}

/// Why no evidence was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// The validity period does not fit the clock's range.
    #[error("time {now} plus the lifetime of evidence overflows")]
    Time {
        /// The time given.
        now: u64,
    },
    /// The hardware or its service refused.
    #[error("the attestation provider refused: {0}")]
    Refused(String),
}

/// Makes evidence for the enclave in which it runs.
pub trait AttestationProvider {
    /// Which provider this is.
    fn kind(&self) -> ProviderKind;

    /// Evidence over user data and nonce. *Units*: now in Unix seconds.
    ///
    /// # Errors
    /// [`ProviderError`].
    fn attest(&self, user_data: &[u8; 64], nonce: &[u8; 64], now: u64) -> Result<Vec<u8>, ProviderError>;
}

/// How reports name evidence: digest32 of its bytes.
#[must_use]
pub fn evidence_digest(evidence: &[u8]) -> [u8; 32] {
    digest(evidence)
}

#[cfg(test)]
mod tests;
