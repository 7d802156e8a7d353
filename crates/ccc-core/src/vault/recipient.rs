//! The recipient of a re-encryption: the attested enclave's public keys of one attempt.

use crate::encoding::{EncodingError, Kind, Reader, header};
use crate::point::Encoded;
use crate::suite::{domain, hash, length_prefixed};
use alloc::vec::Vec;
use curve25519_dalek::RistrettoPoint;
use curve25519_dalek::traits::IsIdentity;

/// The longest evidence that travels with a recipient.
pub const MAX_EVIDENCE: usize = 1 << 16;

/// X, E and the measurement of the enclave that holds their secrets.
///
/// Made by the enclave for one attempt ([`AttemptKeys::recipient`](crate::enclave::AttemptKeys::recipient)), sent with its evidence to every participant.
///
/// *Security*: a participant MUST check the evidence against its policy before it seals to these keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// X25519 public key, for sealed shares.
    pub x: [u8; 32],
    pub(crate) e: RistrettoPoint,
    /// What the enclave runs.
    pub measurement: [u8; 32],
}

impl Recipient {
    /// A recipient of these public keys. *Layout*: X (RFC 7748) and E (RFC 9496), 32 bytes each.
    ///
    /// # Errors
    /// [`EncodingError`]: E is no canonical ristretto255 element, or the identity.
    pub fn new(x: [u8; 32], e: &[u8; 32], measurement: [u8; 32]) -> Result<Self, EncodingError> {
        Ok(Self { x, e: Reader::new(e).point("enclave key E")?, measurement })
    }

    /// E, the ristretto255 public key for compact shares, 32 bytes.
    #[must_use]
    pub fn e(&self) -> [u8; 32] {
        self.e.compress().to_bytes()
    }

    /// H("recipient"; X, E, measurement).
    #[must_use]
    pub fn digest(&self) -> [u8; 64] {
        self.digest_with(&Encoded::new(self.e))
    }

    /// As [`Self::digest`], where E is encoded already.
    pub(crate) fn digest_with(&self, e: &Encoded) -> [u8; 64] {
        hash(domain::RECIPIENT, &[&self.x, e.bytes(), &self.measurement])
    }

    /// H("user-data"; E, X, request): what the enclave's evidence must carry.
    #[must_use]
    pub fn user_data(&self, request_digest: &[u8; 64]) -> [u8; 64] {
        user_data(&self.x, &self.e, request_digest)
    }

    /// E is not the identity.
    ///
    /// # Errors
    /// [`EncodingError::Identity`].
    pub fn check(&self) -> Result<(), EncodingError> {
        if self.e.is_identity() { Err(EncodingError::Identity { what: "enclave key E" }) } else { Ok(()) }
    }
}

/// H("user-data"; E, X, request).
pub(crate) fn user_data(x: &[u8; 32], e: &RistrettoPoint, request_digest: &[u8; 64]) -> [u8; 64] {
    hash(domain::USER_DATA, &[e.compress().as_bytes(), x, request_digest])
}

/// A recipient with the evidence for it.
///
/// *Layout*: header 8 ‖ X 32 ‖ E 32 ‖ measurement 32 ‖ LP(evidence), at most 64 KiB of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedRecipient {
    /// The keys.
    pub recipient: Recipient,
    /// What the attestation provider says, unchecked.
    pub evidence: Vec<u8>,
}

impl AttestedRecipient {
    /// Encodes recipient and evidence.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(108 + self.evidence.len());
        out.extend_from_slice(&header(Kind::Recipient));
        out.extend_from_slice(&self.recipient.x);
        out.extend_from_slice(self.recipient.e.compress().as_bytes());
        out.extend_from_slice(&self.recipient.measurement);
        length_prefixed(&mut out, &self.evidence);
        out
    }

    /// Reads recipient and evidence; the evidence is still to be judged.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        reader.header(Kind::Recipient)?;
        let recipient = Recipient {
            x: reader.array("enclave key X")?,
            e: reader.point("enclave key E")?,
            measurement: reader.array("measurement")?,
        };
        let evidence = reader.length_prefixed("evidence", MAX_EVIDENCE)?.to_vec();
        reader.finish()?;
        Ok(Self { recipient, evidence })
    }
}
