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

    pub(crate) fn dealing_secret(&self) -> &SecretScalar {
        &self.dealing
    }
}
