//! Attestation: evidence (is it genuine?) apart from policy (is it the code and key that we accept?).
//!
//! *Source*: `docs/spec/attestation.md`. Time is an argument. The digest of evidence names it in a report and is never
//! a replay key, since verifiers ignore some bytes of real quotes.
//!
//! Verifiers of hardware stand behind features: `nitro` (AWS Nitro), `snp` (AMD SEV-SNP) and `dcap` (Intel TDX and
//! SGX). Without its feature, evidence of a kind is refused with [`EvidenceError::NotBuilt`].

mod body;
#[cfg(feature = "nitro")]
mod cbor;
#[cfg(any(feature = "nitro", feature = "snp"))]
mod chain;
#[cfg(feature = "dcap")]
pub mod dcap;
mod evidence;
#[cfg(all(test, feature = "nitro"))]
mod forge;
mod hardware;
mod list;
#[cfg(feature = "nitro")]
pub mod nitro;
mod policy;
mod revocation;
#[cfg(all(test, feature = "nitro", feature = "snp", feature = "dcap"))]
mod samples;
pub mod simulated;
#[cfg(feature = "snp")]
pub mod snp;
mod stated;

pub use body::{Body, EvidenceError, verify};
#[cfg(feature = "nitro")]
pub use cbor::CborError;
#[cfg(any(feature = "nitro", feature = "snp"))]
pub use chain::{ChainError, MAX_CERTIFICATE, MAX_CHAIN, VerifiedChain};
pub use evidence::{DcapStatus, Evidence, MAX_EVIDENCE, Registers, SnpGeneration, SnpRegisters, SnpTcb, Tcb};
pub use hardware::{Hardware, NitroProgram, SgxProgram, SnpProgram, TdxProgram};
pub use list::{EvidenceList, MAX_PIECES};
pub use policy::{MAX_SKEW, OperatingMode, Policy, PolicyRefusal};
pub use revocation::{MAX_REVOCATION_LIST, MAX_REVOCATION_LISTS, RevocationError, RevocationLists};
pub use stated::{Stated, StatedCertificate, StatedPeriod, stated};

use crate::enclave::sealing::SealingKey;
use crate::encoding::{EncodingError, Kind, Reader};
use crate::suite::{digest, domain, hash};
use alloc::string::String;
use alloc::vec::Vec;

/// Who made the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum ProviderKind {
    /// A signing key that stands for the hardware: refused in production.
    Simulated = 1,
    /// AWS Nitro enclaves.
    Nitro = 2,
    /// AMD SEV-SNP guests.
    SevSnp = 3,
    /// Intel TDX domains.
    Tdx = 4,
    /// Intel SGX enclaves.
    Sgx = 5,
}

/// Whose keys make evidence genuine. Whoever has broken one of a maker's kinds may have broken the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Maker {
    /// A key of a file.
    Simulated,
    /// AWS: Nitro.
    Aws,
    /// AMD: SEV-SNP.
    Amd,
    /// Intel: TDX and SGX.
    Intel,
}

impl ProviderKind {
    /// Every provider, in the order of its number.
    pub const ALL: [Self; 5] = [Self::Simulated, Self::Nitro, Self::SevSnp, Self::Tdx, Self::Sgx];

    /// The provider with this number.
    ///
    /// # Errors
    /// [`EncodingError::Range`].
    pub fn from_byte(byte: u8) -> Result<Self, EncodingError> {
        let unknown = EncodingError::Range { what: "attestation provider", found: byte.into(), range: "1 to 5" };
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte).ok_or(unknown)
    }

    /// Who answers for it: kinds of one maker vouch as one.
    #[must_use]
    pub fn maker(self) -> Maker {
        match self {
            Self::Simulated => Maker::Simulated,
            Self::Nitro => Maker::Aws,
            Self::SevSnp => Maker::Amd,
            Self::Tdx | Self::Sgx => Maker::Intel,
        }
    }

    /// User data as evidence of this kind carries it, where it vouches for `said` under a configuration: of the
    /// simulated kind, whose measurement is over the configuration, `said` as it is; of hardware, whose registers name
    /// the code alone, H("configured"; said, configuration digest).
    #[must_use]
    pub fn user_data(self, said: &[u8; 64], configuration: &[u8; 32]) -> [u8; 64] {
        match self {
            Self::Simulated => *said,
            Self::Nitro | Self::SevSnp | Self::Tdx | Self::Sgx => hash(domain::CONFIGURED, &[said, configuration]),
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

impl core::fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Simulated => "simulated",
            Self::Nitro => "AWS Nitro",
            Self::SevSnp => "AMD SEV-SNP",
            Self::Tdx => "Intel TDX",
            Self::Sgx => "Intel SGX",
        })
    }
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
    /// Nothing here derives a key from what runs.
    #[error("{kind} gives no sealing key here: {instead}")]
    NoSealing {
        /// The provider.
        kind: ProviderKind,
        /// What its users do instead.
        instead: &'static str,
    },
}

/// Makes evidence for the enclave in which it runs.
///
/// *Security*: what it is given as user data binds the configuration already ([`ProviderKind::user_data`]).
pub trait AttestationProvider {
    /// Which provider this is.
    fn kind(&self) -> ProviderKind;

    /// Evidence over user data and nonce. *Units*: now in Unix seconds.
    ///
    /// # Errors
    /// [`ProviderError`].
    fn attest(&self, user_data: &[u8; 64], nonce: &[u8; 64], now: u64) -> Result<Vec<u8>, ProviderError>;

    /// The key under which this program keeps something over a restart, under this configuration: the same for the same
    /// measurement on the same platform, and for no other.
    ///
    /// # Errors
    /// [`ProviderError::NoSealing`]: of a provider that has none. `docs/spec/attestation.md`, *Sealing*, says which.
    fn sealing_key(&self, configuration: &[u8; 32]) -> Result<SealingKey, ProviderError>;
}

/// How reports name evidence: digest32 of its bytes.
#[must_use]
pub fn evidence_digest(evidence: &[u8]) -> [u8; 32] {
    digest(evidence)
}

#[cfg(test)]
mod tests;
