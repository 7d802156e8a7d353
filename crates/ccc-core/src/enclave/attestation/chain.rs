//! Chains of X.509 certificates under a pinned root: one leaf, its issuers in order, no search for a path.
//!
//! *Source*: RFC 5280, sections 4.1, 4.2.1.3, 4.2.1.9 and 6.1, without names constraints and policies, which are refused
//! where they are critical; RFC 5758 for ECDSA with SHA-384, RFC 4055 for RSASSA-PSS.

mod certificate;
mod key;
mod revocation;

pub(super) use certificate::Certificate;
pub(super) use key::{PublicKey, check_p384};
pub(super) use revocation::{RevocationList, check_revocation};

use super::evidence::Window;
use crate::suite::{Hasher, domain};
use p384::ecdsa::VerifyingKey;

/// Greatest number of certificates between a leaf and its root, the leaf with them.
pub const MAX_CHAIN: usize = 8;
/// Greatest length of one certificate.
pub const MAX_CERTIFICATE: usize = 4096;

/// Why certificates vouch for nothing. Positions are counted from the leaf, 0, to the root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No certificate, or too many.
    #[error("{found} certificates, where 1 to {max} are read")]
    Length {
        /// The number found.
        found: usize,
        /// The greatest number.
        max: usize,
    },
    /// Bytes that are not a certificate of version 3 in DER.
    #[error("certificate {position}: not an X.509 certificate of version 3 in DER")]
    Encoding {
        /// Whose.
        position: usize,
    },
    /// Signed by another algorithm than its maker's, or the two places that name it differ.
    #[error("certificate {position}: another signature algorithm than {expected}")]
    Algorithm {
        /// Whose.
        position: usize,
        /// The one algorithm of this maker.
        expected: &'static str,
    },
    /// A public key of another kind than its maker's.
    #[error("certificate {position}: another kind of public key than {expected}")]
    Key {
        /// Whose.
        position: usize,
        /// The kind.
        expected: &'static str,
    },
    /// An extension that must be understood, and is not.
    #[error("certificate {position}: a critical extension that is not understood, or one twice")]
    Extension {
        /// Whose.
        position: usize,
    },
    /// A leaf that is an authority, or an issuer that is none.
    #[error("certificate {position}: basic constraints say authority {found}, where {expected} is wanted")]
    Authority {
        /// Whose.
        position: usize,
        /// What its place asks for.
        expected: bool,
        /// What it says.
        found: bool,
    },
    /// More certificates below an issuer than it allows.
    #[error("certificate {position}: {found} authorities below it, where it allows {allowed}")]
    PathLength {
        /// Whose.
        position: usize,
        /// The number allowed.
        allowed: u8,
        /// The number found.
        found: usize,
    },
    /// Key usage does not allow what the key is used for.
    #[error("certificate {position}: its key usage does not allow {expected}")]
    Usage {
        /// Whose.
        position: usize,
        /// The usage needed.
        expected: &'static str,
    },
    /// Issuer and subject do not join.
    #[error("certificate {position}: its issuer is not the subject of the next one")]
    Name {
        /// Whose.
        position: usize,
    },
    /// Outside of its validity.
    #[error("certificate {position} is valid from {not_before} to {not_after}, and it is {now}")]
    Validity {
        /// Whose.
        position: usize,
        /// First second.
        not_before: u64,
        /// Last second.
        not_after: u64,
        /// The time given.
        now: u64,
    },
    /// Not signed by the next one.
    #[error("certificate {position}: not signed by the key of the next one")]
    Signature {
        /// Whose.
        position: usize,
    },
    /// The last certificate is another one than the pinned root.
    #[error("the root of the chain is not the pinned one")]
    Root,
    /// Evidence under another chain than the one that was verified.
    #[error("the evidence stands under another chain than the verified one")]
    OtherChain,
}

/// Which keys sign certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Issuers {
    /// ECDSA over P-384 with SHA-384.
    #[cfg(feature = "nitro")]
    P384,
    /// RSASSA-PSS with SHA-384, a mask of the same and 48 bytes of salt.
    #[cfg(feature = "snp")]
    RsaPss,
}

/// A chain that was verified once: the leaf's key, and for how long. Evidence under the same chain needs one signature.
///
/// *Security*: it says that the chain was valid at the time of its verification, and its period is checked again at
/// every use. Keep it no longer than your list of revoked certificates allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedChain {
    digest: [u8; 32],
    key: VerifyingKey,
    window: Window,
}

impl VerifiedChain {
    /// Checks each certificate against the next and the last against the root. At most [`MAX_CHAIN`] signatures.
    pub(super) fn new(
        chain: &[Certificate<'_>],
        root: &Certificate<'_>,
        issuers: Issuers,
        now: u64,
    ) -> Result<Self, ChainError> {
        let (leaf, authorities) = split(chain)?;
        check_leaf(leaf)?;
        for (issuer, position) in authorities.iter().chain([root]).zip(1..) {
            check_issuer(&chain[position - 1], issuer, position, issuers)?;
        }
        let window = validity(chain, root, now)?;
        Ok(Self { digest: digest(chain, root), key: leaf.p384(0)?, window })
    }

    /// The leaf's key, where this is the chain and the time is in its period.
    pub(super) fn admits(
        &self,
        chain: &[Certificate<'_>],
        root: &Certificate<'_>,
        now: u64,
    ) -> Result<&VerifyingKey, ChainError> {
        if self.digest != digest(chain, root) {
            return Err(ChainError::OtherChain);
        }
        let Window { not_before, not_after } = self.window;
        if !self.window.contains(now) {
            return Err(ChainError::Validity { position: 0, not_before, not_after, now });
        }
        Ok(&self.key)
    }

    pub(super) fn window(&self) -> Window {
        self.window
    }
}

fn split<'a, 'b>(chain: &'a [Certificate<'b>]) -> Result<(&'a Certificate<'b>, &'a [Certificate<'b>]), ChainError> {
    let length = ChainError::Length { found: chain.len(), max: MAX_CHAIN };
    if chain.len() > MAX_CHAIN {
        return Err(length);
    }
    chain.split_first().ok_or(length)
}

fn check_leaf(leaf: &Certificate<'_>) -> Result<(), ChainError> {
    let constraints = leaf.constraints(0)?;
    if constraints.is_some_and(|constraints| constraints.ca) {
        return Err(ChainError::Authority { position: 0, expected: false, found: true });
    }
    let usage = leaf.usage(0)?;
    if usage.is_some_and(|usage| !usage.digital_signature()) {
        return Err(ChainError::Usage { position: 0, expected: "digital signatures" });
    }
    Ok(())
}

fn check_issuer(
    subject: &Certificate<'_>,
    issuer: &Certificate<'_>,
    position: usize,
    issuers: Issuers,
) -> Result<(), ChainError> {
    check_authority(issuer, position)?;
    if !subject.issued_by(issuer) {
        return Err(ChainError::Name { position: position - 1 });
    }
    subject.check_algorithm(issuers, position - 1)?;
    let key = PublicKey::of(issuer, issuers, position)?;
    let (signed, signature) = subject.signed();
    if key.verifies(signed, signature) { Ok(()) } else { Err(ChainError::Signature { position: position - 1 }) }
}

fn check_authority(issuer: &Certificate<'_>, position: usize) -> Result<(), ChainError> {
    let constraints = issuer.constraints(position)?.filter(|constraints| constraints.ca);
    let constraints = constraints.ok_or(ChainError::Authority { position, expected: true, found: false })?;
    let found = position - 1;
    if let Some(allowed) = constraints.path_len_constraint
        && found > usize::from(allowed)
    {
        return Err(ChainError::PathLength { position, allowed, found });
    }
    match issuer.usage(position)? {
        Some(usage) if usage.key_cert_sign() => Ok(()),
        _ => Err(ChainError::Usage { position, expected: "signatures of certificates" }),
    }
}

/// The period in which every certificate is valid, with `now` in it.
fn validity(chain: &[Certificate<'_>], root: &Certificate<'_>, now: u64) -> Result<Window, ChainError> {
    let mut window = root.window();
    for (position, certificate) in chain.iter().chain([root]).enumerate() {
        let Window { not_before, not_after } = certificate.window();
        if !certificate.window().contains(now) {
            return Err(ChainError::Validity { position, not_before, not_after, now });
        }
        window = window.and(certificate.window());
    }
    Ok(window)
}

fn digest(chain: &[Certificate<'_>], root: &Certificate<'_>) -> [u8; 32] {
    let mut hasher = Hasher::new(domain::DIGEST, chain.len() + 1);
    for certificate in chain.iter().chain([root]) {
        hasher.field(certificate.bytes());
    }
    hasher.finish32()
}
