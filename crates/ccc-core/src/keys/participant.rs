//! The long-lived keys of a participant: one signs envelopes, one opens shares that are dealt to it.
//!
//! *Source*: Ed25519, RFC 8032; the dealing key is a Diffie–Hellman key in ristretto255 (RFC 9496).

use super::roster::RosterMember;
use crate::encoding::{EncodingError, HEADER_LEN, Kind, Reader, header};
use crate::identifier::Identifier;
use crate::secret::{RandomnessError, SecretScalar, random_scalar, random64};
use alloc::vec::Vec;
use curve25519_dalek::{RistrettoPoint, Scalar};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// A participant's Ed25519 signing key and its ristretto255 dealing key.
///
/// Made once by the participant, kept in a sealed file, never sent.
///
/// *Layout*, 72 bytes: header ‖ signing seed 32 ‖ dealing scalar 32, only inside a sealed file.
/// *Security*: the dealing key opens dealings and nothing else.
pub struct ParticipantKeys {
    signing: SigningKey,
    dealing: SecretScalar,
}

/// Bytes of encoded participant keys.
pub const PARTICIPANT_KEYS_LEN: usize = HEADER_LEN + 64;

impl ParticipantKeys {
    /// Fresh keys.
    ///
    /// # Errors
    /// [`RandomnessError`].
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomnessError> {
        let seed = random64(rng)?;
        let mut half = Zeroizing::new([0; 32]);
        half.copy_from_slice(&seed[..32]);
        let dealing = random_scalar(rng)?;
        if *dealing.expose() == Scalar::ZERO {
            return Err(RandomnessError);
        }
        Ok(Self { signing: SigningKey::from_bytes(&half), dealing })
    }

    /// The same signing key with a fresh dealing key, for the roster of a refresh.
    ///
    /// *Security*: the old keys MUST be erased once the handover is confirmed: they open whatever a board still carries
    /// for them.
    ///
    /// # Errors
    /// [`RandomnessError`].
    pub fn with_new_dealing_key<R: CryptoRng + ?Sized>(&self, rng: &mut R) -> Result<Self, RandomnessError> {
        let Self { dealing, .. } = Self::generate(rng)?;
        Ok(Self { signing: self.signing.clone(), dealing })
    }

    /// Encodes the secrets.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(PARTICIPANT_KEYS_LEN));
        out.extend_from_slice(&header(Kind::ParticipantKeys));
        out.extend_from_slice(self.signing.as_bytes());
        out.extend_from_slice(self.dealing.to_bytes().as_slice());
        out
    }

    /// Reads the secrets.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        reader.header(Kind::ParticipantKeys)?;
        let seed = Zeroizing::new(reader.array::<32>("signing seed")?);
        let dealing = SecretScalar::new(reader.scalar("dealing key")?);
        reader.finish()?;
        if *dealing.expose() == Scalar::ZERO {
            return Err(EncodingError::Range { what: "dealing key", found: 0, range: "non-zero scalars" });
        }
        Ok(Self { signing: SigningKey::from_bytes(&seed), dealing })
    }

    /// The key that verifies this participant's envelopes.
    pub(crate) fn signing_key(&self) -> VerifyingKey {
        self.signing.verifying_key()
    }

    /// The key to which shares are dealt.
    pub(crate) fn dealing_key(&self) -> RistrettoPoint {
        RistrettoPoint::mul_base(self.dealing.expose())
    }

    /// The public part, as a line of a roster.
    #[must_use]
    pub fn public(&self, identifier: Identifier) -> RosterMember {
        RosterMember { identifier, signing_key: self.signing_key(), dealing_key: self.dealing_key() }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
    }

    /// Signs what proves possession of the signing key in a TLS 1.3 handshake, and nothing else.
    ///
    /// *Source*: RFC 8446, section 4.4.3: 64 spaces, the context string of server or client, a zero byte, the hash of the
    /// transcript.
    /// *Security*: envelopes sign 64 bytes of a hash, a handshake signs at least 130 bytes that begin with 64 spaces: one
    /// is never the other. `None` for any other message.
    #[must_use]
    pub fn sign_handshake(&self, message: &[u8]) -> Option<[u8; 64]> {
        is_handshake(message).then(|| self.sign(message))
    }

    pub(crate) fn dealing_secret(&self) -> &SecretScalar {
        &self.dealing
    }
}

fn is_handshake(message: &[u8]) -> bool {
    let after = message.strip_prefix(&[b' '; 64]);
    let contexts: [&[u8]; 2] = [b"TLS 1.3, server CertificateVerify\0", b"TLS 1.3, client CertificateVerify\0"];
    contexts
        .iter()
        .any(|context| after.and_then(|rest| rest.strip_prefix(*context)).is_some_and(|hash| hash.len() >= 32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    #[test]
    fn only_handshakes_are_signed_for_others() {
        let keys = ParticipantKeys::generate(&mut StdRng::seed_from_u64(1)).expect("keys");
        let mut message = [b' '; 64].to_vec();
        message.extend_from_slice(b"TLS 1.3, client CertificateVerify\0");
        assert_eq!(keys.sign_handshake(&message), None, "without a hash");
        message.extend_from_slice(&[7; 32]);
        let signature = keys.sign_handshake(&message).expect("a handshake");
        assert_eq!(signature, keys.sign(&message));
        for byte in 0..message.len() - 32 {
            let mut bent = message.clone();
            bent[byte] ^= 1;
            assert_eq!(keys.sign_handshake(&bent), None, "byte {byte}");
        }
        assert_eq!(keys.sign_handshake(&[0; 64]), None, "an envelope's message");
    }
}
