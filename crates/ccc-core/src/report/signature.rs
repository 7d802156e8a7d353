//! Recoverable secp256k1 signatures in the forwarder's 65-byte form.
//!
//! *Source*: ECDSA of SEC 1, section 4.1, with recovery (4.1.6) and the deterministic nonce of RFC 6979; s is low (EIP-2).

use k256::ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey};

use super::{Address, QuorumError, Report, ReportContext, Word, keccak256};

/// The bytes of a signature.
pub const SIGNATURE_LEN: usize = 65;

/// What is wrong with a signature on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureFault {
    /// v is neither 0 nor 1.
    #[error("v is {found}, expected 0 or 1")]
    RecoveryId {
        /// The byte that was found.
        found: u8,
    },
    /// r or s is zero or not below the group order.
    #[error("r or s is zero or not below the group order")]
    ScalarRange,
    /// s is in the upper half of the range: the twin of another signature.
    #[error("s is in the upper half of its range")]
    HighS,
    /// No public key fits.
    #[error("no public key can be recovered")]
    Unrecoverable,
}

/// A signature: r ‖ s ‖ v with s in the lower half of its range and v 0 or 1.
///
/// *Layout*: r 32 ‖ s 32 ‖ v 1, big-endian.
///
/// *Security*: a value of this type has r and s in range, low s and v 0 or 1, so one signature has
/// one encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature65([u8; SIGNATURE_LEN]);

impl Signature65 {
    /// Reads the 65 bytes.
    ///
    /// # Errors
    /// See [`SignatureFault`].
    pub fn from_bytes(bytes: &[u8; SIGNATURE_LEN]) -> Result<Self, SignatureFault> {
        parse(bytes).map(|_| Self(*bytes))
    }

    /// The 65 bytes.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; SIGNATURE_LEN] {
        self.0
    }

    /// The address whose key made this signature over `digest`.
    ///
    /// # Errors
    /// [`SignatureFault::Unrecoverable`] when no key fits.
    pub fn recover(&self, digest: &Word) -> Result<Address, SignatureFault> {
        let (signature, recovery) = parse(&self.0)?;
        VerifyingKey::recover_from_prehash(digest, &signature, recovery)
            .map(|key| address_of(&key))
            .map_err(|_| SignatureFault::Unrecoverable)
    }
}

fn parse(bytes: &[u8; SIGNATURE_LEN]) -> Result<(Signature, RecoveryId), SignatureFault> {
    let (scalars, v) = (&bytes[..64], bytes[64]);
    if v > 1 {
        return Err(SignatureFault::RecoveryId { found: v });
    }
    let signature = Signature::from_slice(scalars).map_err(|_| SignatureFault::ScalarRange)?;
    if signature.normalize_s() != signature {
        return Err(SignatureFault::HighS);
    }
    Ok((signature, RecoveryId::new(v == 1, false)))
}

fn address_of(key: &VerifyingKey) -> Address {
    let point = key.to_sec1_point(false);
    let hash = keccak256(&[&point.as_bytes()[1..]]);
    core::array::from_fn(|i| hash[12 + i])
}

/// A participant's key for reports.
///
/// *Security*: the key is wiped when the value is dropped and never printed. Signing is
/// deterministic (RFC 6979); a signer MUST read accumulator, price and registry again before it
/// signs.
pub struct ReportSigner(SigningKey);

impl ReportSigner {
    /// A signer from a big-endian scalar.
    ///
    /// # Errors
    /// [`QuorumError::SigningKey`] for zero or a value not below the group order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, QuorumError> {
        SigningKey::from_slice(bytes).map(Self).map_err(|_| QuorumError::SigningKey)
    }

    /// The big-endian scalar.
    pub(crate) fn to_bytes(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.0.to_bytes().into())
    }

    /// The address that the forwarder knows this signer by.
    #[must_use]
    pub fn address(&self) -> Address {
        address_of(self.0.verifying_key())
    }

    /// Signs a report in its context.
    #[must_use]
    pub fn sign(&self, report: &Report, context: &ReportContext) -> Signature65 {
        self.sign_digest(&report.signing_digest(context))
    }

    /// RFC 6979 gives a nonce whose point has an x below the order except with probability 2^-127;
    /// the low-s form is taken by the library.
    pub(crate) fn sign_digest(&self, digest: &Word) -> Signature65 {
        let (signature, recovery) = self.0.sign_prehash_recoverable(digest);
        let mut bytes = [0; SIGNATURE_LEN];
        bytes[..64].copy_from_slice(&signature.to_bytes());
        bytes[64] = u8::from(recovery.is_y_odd());
        Signature65(bytes)
    }
}

impl core::fmt::Debug for ReportSigner {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("ReportSigner").field(&"..").finish()
    }
}
