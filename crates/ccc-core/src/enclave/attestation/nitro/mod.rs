//! Evidence of AWS Nitro enclaves: attestation documents under the pinned root G1.
//!
//! *Layout*: COSE_Sign1 (RFC 9052, section 4.2), with or without its tag 18; the protected header says ES384 and nothing
//! else, the unprotected header is empty. The payload is the map that `docs/spec/attestation.md` writes down.
//! *Source*: AWS, *Nitro Enclaves: attestation process*; the root's SHA-256 fingerprint is
//! `641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b`.

mod document;

pub use document::MAX_DOCUMENT;

use super::chain::{Certificate, ChainError, Issuers, VerifiedChain, check_p384};
use super::evidence::{Evidence, Registers, Tcb, Window};
use super::stated::{Stated, StatedCertificate};
use super::{CborError, ProviderKind, RevocationError, RevocationLists};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use document::Document;

/// The root G1, in DER.
pub const ROOT_G1: &[u8] = include_bytes!("../roots/aws-nitro-g1.der");

/// PCRs that name the code: image, kernel, application.
const CODE: [u8; 3] = [0, 1, 2];

/// Why a document is not genuine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NitroError {
    /// More bytes than a document has.
    #[error("{found} bytes, where a document has at most {max}")]
    Length {
        /// The length found.
        found: usize,
        /// The greatest length.
        max: usize,
    },
    /// Not the CBOR of a document.
    #[error("CBOR: {0}")]
    Cbor(#[from] CborError),
    /// The protected header is another one than ES384 alone.
    #[error("the protected header does not say ES384, and nothing else")]
    Algorithm,
    /// Something stands where nobody signs it.
    #[error("the unprotected header has {found} entries, where it has to be empty")]
    Unprotected {
        /// The number of entries.
        found: u64,
    },
    /// A key that no document has.
    #[error("a key of the document is unknown")]
    UnknownKey,
    /// A key twice, or PCRs not in ascending order.
    #[error("{what} stands twice or out of order")]
    Repeated {
        /// Whose.
        what: &'static str,
    },
    /// A key that every document has.
    #[error("{what} is missing")]
    Missing {
        /// Whose.
        what: &'static str,
    },
    /// The document is about another hash than SHA-384.
    #[error("the document's digest is not SHA384")]
    Digest,
    /// PCRs of a length that no hash has, or of more than one.
    #[error("PCR {number} has {found} bytes, where {expected} are needed")]
    Register {
        /// Whose.
        number: u8,
        /// The length of SHA-384.
        expected: usize,
        /// The length found.
        found: usize,
    },
    /// Certificates.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A certificate that was taken back, or a list that is none of the chain's.
    #[error(transparent)]
    Revocation(#[from] RevocationError),
    /// The document is not signed by the key of its certificate.
    #[error("the document is not signed by its certificate's key")]
    Signature,
    /// Made outside of the time in which its certificates are valid.
    #[error("the document was made at {made}, and its certificates are valid from {not_before} to {not_after}")]
    Timestamp {
        /// When it was made.
        made: u64,
        /// First second.
        not_before: u64,
        /// Last second.
        not_after: u64,
    },
}

/// Checks a document's form, signature and chain. Whether its registers are accepted, a policy decides.
///
/// *Units*: now in Unix seconds. *Timing*: five signatures over P-384 for a chain of four.
///
/// # Errors
/// [`NitroError`].
pub fn verify(document: &[u8], root: &[u8], now: u64) -> Result<Evidence, NitroError> {
    let document = Document::parse(document)?;
    let chain = Chain::parse(&document, root)?;
    // the cheapest check over every byte of the payload, so that an altered one costs one signature
    signature(&document, |signed, bytes| Ok(check_p384(&chain.certificates[0].p384(0)?, signed, bytes)))?;
    evidence(&document, chain.verify(now)?.window())
}

/// Checks the chain of a document alone, to be kept for others under the same chain.
///
/// # Errors
/// [`NitroError`].
pub fn chain(document: &[u8], root: &[u8], now: u64) -> Result<VerifiedChain, NitroError> {
    let document = Document::parse(document)?;
    Ok(Chain::parse(&document, root)?.verify(now)?)
}

/// Holds a document's chain against revocation lists.
///
/// *Units*: now in Unix seconds. *Timing*: at most one signature for each certificate.
///
/// # Errors
/// [`NitroError::Revocation`], or that the document has no chain.
pub fn check_revocation(document: &[u8], root: &[u8], lists: &RevocationLists, now: u64) -> Result<(), NitroError> {
    let document = Document::parse(document)?;
    let chain = Chain::parse(&document, root)?;
    Ok(super::chain::check_revocation(&chain.certificates, &chain.root, Issuers::P384, lists, now)?)
}

/// As [`verify`], under a chain that was verified before. *Timing*: one signature over P-384.
///
/// # Errors
/// [`NitroError`]; [`ChainError::OtherChain`] where the document stands under another one.
pub fn verify_under(document: &[u8], root: &[u8], verified: &VerifiedChain, now: u64) -> Result<Evidence, NitroError> {
    let document = Document::parse(document)?;
    let chain = Chain::parse(&document, root)?;
    let key = verified.admits(&chain.certificates, &chain.root, now)?;
    signature(&document, |signed, bytes| Ok(check_p384(key, signed, bytes)))?;
    evidence(&document, verified.window())
}

/// The leaf and what the bundle puts between it and the root, from the leaf upwards.
struct Chain<'a> {
    certificates: Vec<Certificate<'a>>,
    root: Certificate<'a>,
}

impl<'a> Chain<'a> {
    /// The bundle starts with the root and ends with the leaf's issuer.
    fn parse(document: &Document<'a>, root: &'a [u8]) -> Result<Self, ChainError> {
        let (first, rest) = document.bundle.split_first().ok_or(ChainError::Root)?;
        if *first != root {
            return Err(ChainError::Root);
        }
        let upwards = core::iter::once(&document.certificate).chain(rest.iter().rev()).enumerate();
        let certificates = upwards.map(|(position, bytes)| Certificate::parse(bytes, position));
        let certificates = certificates.collect::<Result<Vec<_>, _>>()?;
        let root = Certificate::parse(root, certificates.len())?;
        Ok(Self { certificates, root })
    }

    fn verify(&self, now: u64) -> Result<VerifiedChain, ChainError> {
        VerifiedChain::new(&self.certificates, &self.root, Issuers::P384, now)
    }
}

fn signature(
    document: &Document<'_>,
    verifies: impl Fn(&[u8], &[u8; 96]) -> Result<bool, ChainError>,
) -> Result<(), NitroError> {
    match verifies(&document.signed(), document.signature)? {
        true => Ok(()),
        false => Err(NitroError::Signature),
    }
}

fn evidence(document: &Document<'_>, window: Window) -> Result<Evidence, NitroError> {
    let Window { not_before, not_after } = window;
    let made = document.timestamp / 1000;
    if !window.contains(made) {
        return Err(NitroError::Timestamp { made, not_before, not_after });
    }
    let Stated { kind, measurement, registers, user_data, nonce, debug, issued, .. } = say(document);
    let tcb = Tcb::Unstated;
    Ok(Evidence { kind, measurement, registers, user_data, nonce, debug, tcb, issued, not_before, not_after })
}

/// What a document says, its form read, and nothing verified.
///
/// # Errors
/// [`NitroError`].
pub(super) fn stated(document: &[u8]) -> Result<Stated, NitroError> {
    let document = Document::parse(document)?;
    let upwards = core::iter::once(&document.certificate).chain(document.bundle.iter().rev());
    let certificates = upwards.filter_map(|bytes| StatedCertificate::read(bytes)).collect();
    Ok(Stated { certificates, ..say(&document) })
}

/// The document's own fields.
fn say(document: &Document<'_>) -> Stated {
    let pcrs: BTreeMap<u8, Vec<u8>> = document.pcrs.iter().map(|(number, value)| (*number, value.to_vec())).collect();
    let zero = |number: &u8| pcrs.get(number).is_some_and(|value| value.iter().all(|byte| *byte == 0));
    let debug = CODE.iter().any(zero);
    let registers = Registers::Nitro { pcrs };
    Stated {
        kind: ProviderKind::Nitro,
        measurement: registers.measurement().expect("every kind of hardware has one"),
        registers,
        user_data: document.user_data.map(<[u8]>::to_vec).unwrap_or_default(),
        nonce: Some(document.nonce.map(<[u8]>::to_vec).unwrap_or_default()),
        debug,
        tcb: Some(Tcb::Unstated),
        issued: Some(document.timestamp / 1000),
        validity: None,
        certificates: Vec::new(),
        collateral: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
