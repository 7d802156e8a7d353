//! Evidence of every kind as it travels: header ‖ provider ‖ body.

use super::evidence::{Evidence, MAX_EVIDENCE};
use super::{ProviderKind, RevocationLists};
use crate::encoding::{EncodingError, Kind, Reader, header};
use alloc::vec::Vec;

/// Least length: header and provider.
const FRONT: usize = 9;

/// What stands behind the provider's number of hardware's evidence.
///
/// *Layout*: Nitro: the document to the end. SEV-SNP: report 1184 ‖ LP(VCEK certificate). TDX, SGX: LP(quote) ‖
/// LP(collateral).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body<'a> {
    /// A document of AWS Nitro.
    Nitro {
        /// COSE_Sign1.
        document: &'a [u8],
    },
    /// A report of AMD SEV-SNP.
    Snp {
        /// 1184 bytes.
        report: &'a [u8; 1184],
        /// The certificate of the chip's key, in DER.
        vcek: &'a [u8],
    },
    /// A quote of Intel TDX.
    Tdx {
        /// The quote.
        quote: &'a [u8],
        /// What appraises it, in JSON.
        collateral: &'a [u8],
    },
    /// A quote of Intel SGX.
    Sgx {
        /// The quote.
        quote: &'a [u8],
        /// What appraises it, in JSON.
        collateral: &'a [u8],
    },
}

/// Why evidence of hardware is not genuine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// Bytes that are not evidence.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Simulated evidence has no pinned root: `simulated::verify` takes one.
    #[error("simulated evidence stands under no maker's root")]
    Simulated,
    /// This build has no verifier of the kind.
    #[error("this build verifies no evidence of {kind}")]
    NotBuilt {
        /// The kind.
        kind: ProviderKind,
    },
    /// A quote of the other of Intel's two kinds.
    #[error("a quote of {found}, under the number of {expected}")]
    Quote {
        /// The kind that the number says.
        expected: ProviderKind,
        /// The quote's.
        found: ProviderKind,
    },
    /// AWS Nitro.
    #[cfg(feature = "nitro")]
    #[error(transparent)]
    Nitro(#[from] super::nitro::NitroError),
    /// AMD SEV-SNP.
    #[cfg(feature = "snp")]
    #[error(transparent)]
    Snp(#[from] super::snp::SnpError),
    /// Intel TDX and SGX.
    #[cfg(feature = "dcap")]
    #[error(transparent)]
    Dcap(#[from] super::dcap::DcapError),
}

impl<'a> Body<'a> {
    /// Reads evidence of hardware. Nothing of it is verified.
    ///
    /// # Errors
    /// [`EvidenceError::Encoding`], [`EvidenceError::Simulated`].
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, EvidenceError> {
        let kind = ProviderKind::of(bytes)?;
        if bytes.len() > MAX_EVIDENCE {
            return Err(too_long(bytes.len()).into());
        }
        let mut reader = Reader::new(&bytes[FRONT..]);
        let body = match kind {
            ProviderKind::Simulated => return Err(EvidenceError::Simulated),
            ProviderKind::Nitro => Self::Nitro { document: reader.bytes("document", bytes.len() - FRONT)? },
            ProviderKind::SevSnp => {
                let report = reader.bytes("report", 1184)?.try_into().expect("1184 bytes were read");
                Self::Snp { report, vcek: reader.length_prefixed("certificate", MAX_EVIDENCE)? }
            }
            ProviderKind::Tdx => {
                let (quote, collateral) = quote(&mut reader)?;
                Self::Tdx { quote, collateral }
            }
            ProviderKind::Sgx => {
                let (quote, collateral) = quote(&mut reader)?;
                Self::Sgx { quote, collateral }
            }
        };
        reader.finish()?;
        Ok(body)
    }

    /// Evidence as a device or a service gives it, told by its first bytes and its length: a document, or a report or
    /// quote with what vouches for it beside it (the VCEK certificate in DER, collateral in JSON). Nothing of it is
    /// verified.
    #[must_use]
    pub fn from_raw(bytes: &'a [u8], beside: Option<&'a [u8]>) -> Option<Self> {
        const DOCUMENT: &[u8] = &[0x84, 0x44, 0xa1, 0x01, 0x38];
        let front = |at: usize| bytes.get(at..at + 4).map(|found| [found[0], found[1], found[2], found[3]]);
        if bytes.strip_prefix(&[0xd2]).unwrap_or(bytes).starts_with(DOCUMENT) {
            return beside.is_none().then_some(Self::Nitro { document: bytes });
        }
        let beside = beside?;
        if let Ok(report) = bytes.try_into() {
            return Some(Self::Snp { report, vcek: beside });
        }
        // version u16, kind of key u16 = 2, TEE u32
        match (front(0)?, front(4)?) {
            ([3, 0, 2, 0], [0, 0, 0, 0]) => Some(Self::Sgx { quote: bytes, collateral: beside }),
            ([4 | 5, 0, 2, 0], [0x81, 0, 0, 0]) => Some(Self::Tdx { quote: bytes, collateral: beside }),
            _ => None,
        }
    }

    /// Whose evidence it is.
    #[must_use]
    pub fn kind(&self) -> ProviderKind {
        match self {
            Self::Nitro { .. } => ProviderKind::Nitro,
            Self::Snp { .. } => ProviderKind::SevSnp,
            Self::Tdx { .. } => ProviderKind::Tdx,
            Self::Sgx { .. } => ProviderKind::Sgx,
        }
    }

    /// Header, provider and body.
    ///
    /// # Errors
    /// [`EncodingError::Range`] above [`MAX_EVIDENCE`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodingError> {
        let mut out = Vec::from(header(Kind::Evidence));
        out.push(self.kind() as u8);
        match self {
            Self::Nitro { document } => out.extend_from_slice(document),
            Self::Snp { report, vcek } => {
                out.extend_from_slice(*report);
                prefixed(&mut out, vcek)?;
            }
            Self::Tdx { quote, collateral } | Self::Sgx { quote, collateral } => {
                prefixed(&mut out, quote)?;
                prefixed(&mut out, collateral)?;
            }
        }
        if out.len() > MAX_EVIDENCE {
            return Err(too_long(out.len()));
        }
        Ok(out)
    }
}

fn too_long(found: usize) -> EncodingError {
    EncodingError::Range { what: "evidence", found: found as u64, range: "at most 64 KiB" }
}

fn prefixed(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), EncodingError> {
    let len = u32::try_from(bytes.len()).map_err(|_| too_long(bytes.len()))?;
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

fn quote<'a>(reader: &mut Reader<'a>) -> Result<(&'a [u8], &'a [u8]), EncodingError> {
    Ok((reader.length_prefixed("quote", MAX_EVIDENCE)?, reader.length_prefixed("collateral", MAX_EVIDENCE)?))
}

/// Checks evidence of hardware under the pinned roots: form, signatures, chains and dates. Whether what it says is
/// accepted, a policy decides.
///
/// *Units*: now in Unix seconds.
///
/// # Errors
/// [`EvidenceError`].
#[cfg_attr(not(any(feature = "nitro", feature = "snp", feature = "dcap")), allow(unused_variables))]
pub fn verify(bytes: &[u8], now: u64) -> Result<Evidence, EvidenceError> {
    match Body::from_bytes(bytes)? {
        #[cfg(feature = "nitro")]
        Body::Nitro { document } => Ok(super::nitro::verify(document, super::nitro::ROOT_G1, now)?),
        #[cfg(feature = "snp")]
        Body::Snp { report, vcek } => Ok(super::snp::verify(report, vcek, &super::snp::AUTHORITIES, now)?),
        #[cfg(feature = "dcap")]
        Body::Tdx { quote, collateral } => of_quote(ProviderKind::Tdx, quote, collateral, now),
        #[cfg(feature = "dcap")]
        Body::Sgx { quote, collateral } => of_quote(ProviderKind::Sgx, quote, collateral, now),
        #[allow(unreachable_patterns, reason = "reached where a feature is off")]
        body => Err(EvidenceError::NotBuilt { kind: body.kind() }),
    }
}

/// Holds the chain of evidence of AWS and AMD against revocation lists; Intel's were in the collateral.
///
/// # Errors
/// [`EvidenceError`].
#[cfg_attr(not(any(feature = "nitro", feature = "snp")), allow(unused_variables))]
pub(super) fn check_revocation(bytes: &[u8], lists: &RevocationLists, now: u64) -> Result<(), EvidenceError> {
    match Body::from_bytes(bytes)? {
        #[cfg(feature = "nitro")]
        Body::Nitro { document } => Ok(super::nitro::check_revocation(document, super::nitro::ROOT_G1, lists, now)?),
        #[cfg(feature = "snp")]
        Body::Snp { vcek, .. } => Ok(super::snp::check_revocation(vcek, &super::snp::AUTHORITIES, lists, now)?),
        _ => Ok(()),
    }
}

#[cfg(feature = "dcap")]
fn of_quote(expected: ProviderKind, quote: &[u8], collateral: &[u8], now: u64) -> Result<Evidence, EvidenceError> {
    let evidence = super::dcap::verify(quote, collateral, super::dcap::ROOT, now)?;
    let found = evidence.kind;
    if found == expected { Ok(evidence) } else { Err(EvidenceError::Quote { expected, found }) }
}
