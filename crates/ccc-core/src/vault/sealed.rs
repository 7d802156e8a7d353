//! Sealed re-encryption: the shares of one participant, in one HPKE message to the enclave's key X.
//!
//! *Source*: RFC 9180, base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.

use super::recipient::Recipient;
use super::request::{Mode, Request, RequestError, count};
use super::share::{ShareError, Shares};
use super::statement::Statement;
use crate::ciphertext::VerifiedCiphertext;
use crate::encoding::{EncodingError, Reader};
use crate::epoch::Epoch;
use crate::identifier::Identifier;
use crate::keys::{Committee, KeyShare};
use crate::secret::{HedgedRng, RandomnessError, random64};
use crate::suite::{domain, kdf, length_prefixed};
use alloc::vec::Vec;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

pub(crate) type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;
type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
type EncappedKey = <X25519HkdfSha256 as Kem>::EncappedKey;

/// Bytes that sealing adds: the encapsulated key and the tag.
const OVERHEAD: usize = 32 + 16;

/// Shares sealed to an enclave.
///
/// Made by a participant, sent in its envelope through any channel, opened by the enclave alone.
///
/// *Layout*: enc 32 ‖ HPKE ciphertext of the encoded [`Shares`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedShare {
    enc: [u8; 32],
    ciphertext: Vec<u8>,
}

/// Why a request was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The shares were not made.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// E is the identity.
    #[error(transparent)]
    Recipient(#[from] EncodingError),
    /// X has small order, so that anybody knows the shared secret.
    #[error("the enclave's key X is weak")]
    WeakRecipient,
    /// The random generator is broken.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

impl From<RequestError> for SealError {
    fn from(error: RequestError) -> Self {
        Self::Share(error.into())
    }
}

/// Makes the shares of a request in mode sealed and seals them to the recipient.
///
/// *Security*: the caller MUST have checked the recipient's evidence, the request and the labels, and MUST journal
/// the result before it sends it: a repeat of the request returns the same bytes.
///
/// # Errors
/// [`SealError`]; nothing has been made.
pub fn seal<R: CryptoRng + ?Sized>(
    key: &KeyShare,
    committee: &Committee,
    request: &Request,
    recipient: &Recipient,
    ciphertexts: &[VerifiedCiphertext],
    rng: &mut R,
) -> Result<SealedShare, SealError> {
    if request.mode != Mode::Sealed {
        return Err(RequestError::Mode { expected: Mode::Sealed, found: request.mode }.into());
    }
    let statement = Statement::new(committee, request, Some(&recipient.digest()), ciphertexts)?;
    seal_made(key, &Shares::answer(key, &statement, rng)?, &statement, recipient, rng)
}

/// Seals shares that were made before, whatever they are. Nothing is verified.
pub(crate) fn seal_made<R: CryptoRng + ?Sized>(
    key: &KeyShare,
    shares: &Shares,
    statement: &Statement<'_>,
    recipient: &Recipient,
    rng: &mut R,
) -> Result<SealedShare, SealError> {
    recipient.check()?;
    let digest = recipient.digest();
    let plaintext = Zeroizing::new(shares.to_bytes());
    let random = random64(rng)?;
    let secret = key.secret().to_bytes();
    let mut hedged = HedgedRng::new(domain::NONCE, &random, &[secret.as_slice(), &digest, &plaintext]);
    let aad = Bound::new(statement, key.identifier(), &recipient.measurement).associated_data();
    let info = info(&statement.request_digest);
    seal_bytes(&recipient.x, &info, &aad, &plaintext, &mut hedged).ok_or(SealError::WeakRecipient)
}

fn seal_bytes<R: CryptoRng>(
    x: &[u8; 32],
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut R,
) -> Option<SealedShare> {
    let key = PublicKey::from_bytes(x).ok()?;
    let (enc, ciphertext) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &key,
        info,
        plaintext,
        aad,
        rng,
    )
    .ok()?;
    Some(SealedShare { enc: enc.to_bytes().into(), ciphertext })
}

/// Seals bytes of the caller's making as if they were shares.
#[cfg(test)]
pub(crate) fn seal_encoded<R: CryptoRng>(
    wire: &[u8],
    identifier: Identifier,
    committee: &Committee,
    request: &Request,
    recipient: &Recipient,
    ciphertexts: &[VerifiedCiphertext],
    rng: &mut R,
) -> SealedShare {
    let statement = Statement::new(committee, request, Some(&recipient.digest()), ciphertexts).unwrap();
    let aad = Bound::new(&statement, identifier, &recipient.measurement).associated_data();
    seal_bytes(&recipient.x, &info(&statement.request_digest), &aad, wire, rng).unwrap()
}

impl SealedShare {
    /// Encodes the sealed shares.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.enc.as_slice(), &self.ciphertext].concat()
    }

    /// Reads the sealed shares of m ciphertexts.
    ///
    /// # Errors
    /// [`EncodingError`]: the length is exactly that of m sealed shares.
    pub fn from_bytes(bytes: &[u8], m: usize) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        let enc = reader.array("encapsulated key")?;
        let length = m.saturating_mul(32).saturating_add(96 + OVERHEAD - 32);
        let ciphertext = reader.bytes("sealed shares", length)?.to_vec();
        reader.finish()?;
        Ok(Self { enc, ciphertext })
    }

    /// The shares, when this was sealed to the key for this statement by this participant.
    pub(crate) fn open(
        &self,
        key: &PrivateKey,
        statement: &Statement<'_>,
        identifier: Identifier,
        measurement: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let info = info(&statement.request_digest);
        self.open_bytes(key, &info, &Bound::new(statement, identifier, measurement).associated_data())
    }

    fn open_bytes(&self, key: &PrivateKey, info: &[u8], aad: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let enc = EncappedKey::from_bytes(&self.enc).ok()?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            key,
            &enc,
            info,
            &self.ciphertext,
            aad,
        )
        .ok()
        .map(Zeroizing::new)
    }
}

/// "ccc/v1/sealed" ‖ request digest.
fn info(request_digest: &[u8; 64]) -> Vec<u8> {
    [kdf::SEALED, request_digest].concat()
}

/// What the associated data binds.
struct Bound<'a> {
    digests: Vec<[u8; 32]>,
    identifier: Identifier,
    epoch: Epoch,
    committee: [u8; 64],
    measurement: &'a [u8],
    deadline: u64,
}

impl<'a> Bound<'a> {
    fn new(statement: &Statement<'_>, identifier: Identifier, measurement: &'a [u8]) -> Self {
        Self {
            digests: statement.ciphertexts.iter().map(VerifiedCiphertext::digest).collect(),
            identifier,
            epoch: statement.committee.epoch(),
            committee: statement.committee.digest(),
            measurement,
            deadline: statement.request.deadline,
        }
    }

    /// LP of each: m, every ciphertext digest, i, ε, committee, measurement, deadline.
    fn associated_data(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(36 * self.digests.len() + 160);
        length_prefixed(&mut out, &count(&self.digests));
        self.digests.iter().for_each(|digest| length_prefixed(&mut out, digest));
        length_prefixed(&mut out, &self.identifier.to_bytes());
        length_prefixed(&mut out, &self.epoch.to_bytes());
        length_prefixed(&mut out, &self.committee);
        length_prefixed(&mut out, self.measurement);
        length_prefixed(&mut out, &self.deadline.to_be_bytes());
        out
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
