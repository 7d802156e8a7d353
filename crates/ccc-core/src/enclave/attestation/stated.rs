//! What evidence says of itself, before anything of it is verified.

use super::body::{Body, EvidenceError};
use super::{ProviderKind, Registers, Tcb, simulated};
use alloc::string::String;
use alloc::vec::Vec;

/// What evidence says. Its form is read; no signature, no chain and no date is checked, so anybody can have written it.
///
/// For the enclave that made it, which learns its own registers here, and for showing it. Nothing may be decided on it.
///
/// *Units*: times in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stated {
    /// Who is said to have made it.
    pub kind: ProviderKind,
    /// What is said to run.
    pub measurement: [u8; 32],
    /// The registers.
    pub registers: Registers,
    /// What the running program said.
    pub user_data: Vec<u8>,
    /// What the verifier asked for; nothing where the provider has no such field.
    pub nonce: Option<Vec<u8>>,
    /// Whether the enclave can be inspected from outside.
    pub debug: bool,
    /// Versions; nothing where only verification gives a verdict.
    pub tcb: Option<Tcb>,
    /// When it was made, where it says so.
    pub issued: Option<u64>,
    /// First and last second of validity, where the evidence itself states them.
    pub validity: Option<(u64, u64)>,
    /// The certificates that travel with it or are pinned, from the leaf to the root.
    pub certificates: Vec<StatedCertificate>,
    /// The parts of collateral with the dates that they state; of Intel's kinds.
    pub collateral: Vec<StatedPeriod>,
}

/// From when to when a part of collateral says that it holds.
///
/// *Units*: times in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatedPeriod {
    /// Which part.
    pub what: &'static str,
    /// When it was issued.
    pub not_before: u64,
    /// When the next one is due.
    pub not_after: u64,
}

/// What a certificate says of itself.
///
/// *Units*: times in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatedCertificate {
    /// Whose key it is, as RFC 4514 writes names.
    pub subject: String,
    /// First second of validity.
    pub not_before: u64,
    /// Last second of validity.
    pub not_after: u64,
}

#[cfg(any(feature = "nitro", feature = "snp", feature = "dcap"))]
impl StatedCertificate {
    /// Nothing for bytes that are no certificate.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        use alloc::string::ToString;
        use der::Decode;
        let certificate = x509_cert::Certificate::from_der(bytes).ok()?;
        let fields = certificate.tbs_certificate();
        let validity = fields.validity();
        Some(Self {
            subject: fields.subject().to_string().chars().filter(|c| !c.is_control()).collect(),
            not_before: validity.not_before.to_unix_duration().as_secs(),
            not_after: validity.not_after.to_unix_duration().as_secs(),
        })
    }
}

/// Reads what evidence of any kind says of itself. Nothing is verified.
///
/// # Errors
/// [`EvidenceError`] for bytes that are not evidence, or of a kind that this build does not read.
pub fn stated(bytes: &[u8]) -> Result<Stated, EvidenceError> {
    if ProviderKind::of(bytes)? == ProviderKind::Simulated {
        return Ok(simulated::stated(bytes)?);
    }
    match Body::from_bytes(bytes)? {
        #[cfg(feature = "nitro")]
        Body::Nitro { document } => Ok(super::nitro::stated(document)?),
        #[cfg(feature = "snp")]
        Body::Snp { report, vcek } => Ok(super::snp::stated(report, vcek)?),
        #[cfg(feature = "dcap")]
        Body::Tdx { quote, collateral } => of_quote(ProviderKind::Tdx, quote, collateral),
        #[cfg(feature = "dcap")]
        Body::Sgx { quote, collateral } => of_quote(ProviderKind::Sgx, quote, collateral),
        #[allow(unreachable_patterns, reason = "reached where a feature is off")]
        body => Err(EvidenceError::NotBuilt { kind: body.kind() }),
    }
}

#[cfg(feature = "dcap")]
fn of_quote(expected: ProviderKind, quote: &[u8], collateral: &[u8]) -> Result<Stated, EvidenceError> {
    let stated = super::dcap::stated(quote, collateral)?;
    let found = stated.kind;
    if found == expected { Ok(stated) } else { Err(EvidenceError::Quote { expected, found }) }
}
