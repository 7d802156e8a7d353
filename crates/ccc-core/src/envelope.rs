//! Signed envelopes: what a participant says, bound to its committee, epoch and topic.
//!
//! *Source*: `docs/spec/encryption.md`, section *Envelopes*. What is not signed is dropped and blames nobody.
//! Signatures are Ed25519 (RFC 8032), verified strictly: no small order, no second encoding of R.

use crate::encoding::{EncodingError, Kind, Reader, header};
use crate::epoch::Epoch;
use crate::identifier::Identifier;
use crate::keys::{Committee, ParticipantKeys, Roster};
use crate::suite::{domain, hash, length_prefixed};
use alloc::vec::Vec;
use ed25519_dalek::{Signature, VerifyingKey};

/// The longest payload: sealed shares of the most ciphertexts of a request, rounded up.
pub const MAX_PAYLOAD: usize = 4 << 20;
/// The longest topic: a request digest.
pub const MAX_TOPIC: usize = 64;

/// A payload with the signature of a participant.
///
/// *Layout*: header 8, whose kind is the payload's ‖ committee 64 ‖ ε u64 ‖ i u16 ‖ LP(topic) ‖ LP(payload) ‖
/// signature 64. Topic: a request digest or a repair's session with the committee's digest, or a session with the
/// roster's.
/// *Security*: Ed25519 by the strict rule, over H("envelope"; header, committee, ε, i, topic, payload).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    kind: Kind,
    committee: [u8; 64],
    epoch: Epoch,
    identifier: Identifier,
    topic: Vec<u8>,
    payload: Vec<u8>,
    signature: [u8; 64],
}

/// Why an envelope counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Bytes that are not an envelope.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// An envelope for another committee or roster.
    #[error("an envelope for another committee")]
    Committee,
    /// An envelope of another epoch.
    #[error("an envelope of epoch {found}, where epoch {expected} is served")]
    Epoch {
        /// The committee's epoch.
        expected: Epoch,
        /// The envelope's epoch.
        found: Epoch,
    },
    /// A sender that is not in the committee.
    #[error("participant {identifier} is not in the committee")]
    UnknownSender {
        /// The claimed sender.
        identifier: Identifier,
    },
    /// The signature is not the sender's.
    #[error("the signature is not that of participant {identifier}")]
    Signature {
        /// The claimed sender.
        identifier: Identifier,
    },
}

impl Envelope {
    /// Signs a payload.
    ///
    /// # Errors
    /// [`EncodingError::Range`] when topic or payload are above their maximum.
    pub fn sign(
        keys: &ParticipantKeys,
        committee: &[u8; 64],
        epoch: Epoch,
        identifier: Identifier,
        topic: &[u8],
        kind: Kind,
        payload: Vec<u8>,
    ) -> Result<Self, EncodingError> {
        check_length("topic", topic, MAX_TOPIC)?;
        check_length("payload", &payload, MAX_PAYLOAD)?;
        let (committee, topic) = (*committee, topic.to_vec());
        let mut envelope = Self { kind, committee, epoch, identifier, topic, payload, signature: [0; 64] };
        envelope.signature = keys.sign(&envelope.message());
        Ok(envelope)
    }

    /// Encodes the envelope.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(154 + self.topic.len() + self.payload.len());
        out.extend_from_slice(&header(self.kind));
        out.extend_from_slice(&self.committee);
        out.extend_from_slice(&self.epoch.to_bytes());
        out.extend_from_slice(&self.identifier.to_bytes());
        length_prefixed(&mut out, &self.topic);
        length_prefixed(&mut out, &self.payload);
        out.extend_from_slice(&self.signature);
        out
    }

    /// Reads an envelope; whose it is, [`Envelope::verify`] tells.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        let envelope = Self {
            kind: reader.any_header()?,
            committee: reader.array("committee digest")?,
            epoch: Epoch(reader.u64("epoch")?),
            identifier: Identifier::new(reader.u16("identifier")?)?,
            topic: reader.length_prefixed("topic", MAX_TOPIC)?.to_vec(),
            payload: reader.length_prefixed("payload", MAX_PAYLOAD)?.to_vec(),
            signature: reader.array("signature")?,
        };
        reader.finish()?;
        Ok(envelope)
    }

    /// Checks that a member of the committee signed it, and gives the payload.
    ///
    /// # Errors
    /// [`EnvelopeError`]: nobody is to blame.
    pub fn verify(&self, committee: &Committee) -> Result<&[u8], EnvelopeError> {
        let key = committee.member(self.identifier).map(|member| &member.signing_key);
        self.verify_with(&committee.digest(), committee.epoch(), key)
    }

    /// Checks that a member of the roster signed it, and gives the payload: for sessions of key generation.
    ///
    /// # Errors
    /// [`EnvelopeError`]: nobody is to blame.
    pub fn verify_roster(&self, roster: &Roster) -> Result<&[u8], EnvelopeError> {
        let key = roster.member(self.identifier).map(|member| &member.signing_key);
        self.verify_with(&roster.digest(), roster.epoch(), key)
    }

    /// Checks that the holder of this key signed it for a session of the roster: a dealer of a reshare need not be
    /// on the roster.
    pub(crate) fn verify_session(&self, roster: &Roster, key: Option<&VerifyingKey>) -> Result<&[u8], EnvelopeError> {
        self.verify_with(&roster.digest(), roster.epoch(), key)
    }

    /// What the payload claims to be.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The claimed sender.
    #[must_use]
    pub fn identifier(&self) -> Identifier {
        self.identifier
    }

    /// The claimed topic.
    #[must_use]
    pub fn topic(&self) -> &[u8] {
        &self.topic
    }

    pub(crate) fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    fn verify_with(
        &self,
        committee: &[u8; 64],
        expected: Epoch,
        key: Option<&VerifyingKey>,
    ) -> Result<&[u8], EnvelopeError> {
        if self.epoch != expected {
            return Err(EnvelopeError::Epoch { expected, found: self.epoch });
        }
        if self.committee != *committee {
            return Err(EnvelopeError::Committee);
        }
        let identifier = self.identifier;
        let key = key.ok_or(EnvelopeError::UnknownSender { identifier })?;
        if !is_signed(key, &self.message(), &self.signature) {
            return Err(EnvelopeError::Signature { identifier });
        }
        Ok(&self.payload)
    }

    fn message(&self) -> [u8; 64] {
        let Self { kind, committee, epoch, identifier, topic, payload, .. } = self;
        hash(domain::ENVELOPE, &[&header(*kind), committee, &epoch.to_bytes(), &identifier.to_bytes(), topic, payload])
    }
}

/// Whether the holder of this key signed the message: RFC 8032, section 5.1.7, by the strict rule.
fn is_signed(key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
    key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
}

fn check_length(what: &'static str, field: &[u8], max: usize) -> Result<(), EncodingError> {
    if field.len() <= max {
        return Ok(());
    }
    Err(EncodingError::Range { what, found: field.len() as u64, range: "the field's maximum length" })
}

#[cfg(test)]
mod tests;
