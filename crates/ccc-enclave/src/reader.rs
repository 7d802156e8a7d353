//! Keys of those who read answers: an owner's, fresh for each query, and an auditor's. HPKE base mode, X25519 /
//! HKDF-SHA-256 / ChaCha20-Poly1305.
//!
//! *Layout* of an answer: encapsulated key 32 ‖ ciphertext with its tag. Info: the use's label ‖ request digest;
//! associated data: place of the answer u32.

use crate::x25519::{Private, secret};
use ccc_core::{
    encoding::EncodingError,
    suite::kdf,
    table::{Holdings, Summary},
};
use hpke::{
    Deserializable, HpkeError, Kem, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::X25519HkdfSha256,
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

type Public = <X25519HkdfSha256 as Kem>::PublicKey;
type Encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey;

/// What a sealed message is longer than its plaintext: encapsulated key and tag.
pub const SEAL_OVERHEAD: usize = 48;

/// The secret key of somebody who reads answers.
///
/// *Security*: no `Clone`, no `Debug`.
pub struct ReaderKey(Private);

/// An answer that its reader cannot use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReaderError {
    /// Not a key.
    #[error("not an X25519 key")]
    Key,
    /// Sealed to another key, for another request or place, altered, or an answer to a query that was refused.
    #[error("the answer does not open")]
    Closed,
    /// Malformed inside.
    #[error("answer: {0}")]
    Encoding(#[from] EncodingError),
}

impl ReaderKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0u8; 32]);
        rng.fill_bytes(seed.as_mut_slice());
        Self(X25519HkdfSha256::derive_keypair(seed.as_slice()).0)
    }

    /// A key from its 32 bytes, clamped.
    ///
    /// # Errors
    /// [`ReaderError::Key`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReaderError> {
        secret(bytes).map(Self).ok_or(ReaderError::Key)
    }

    /// The 32 secret bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes().into())
    }

    /// The public key: an owner's goes into its query, an auditor's into the set.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        X25519HkdfSha256::sk_to_pk(&self.0).to_bytes().into()
    }

    /// Opens the answer at a place of the answers to a request.
    ///
    /// # Errors
    /// [`ReaderError`].
    pub fn open_holdings(&self, request: &[u8; 64], place: u32, answer: &[u8]) -> Result<Holdings, ReaderError> {
        Ok(Holdings::from_bytes(&self.open(kdf::ANSWER, request, place, answer)?)?)
    }

    /// Opens the summary for the auditor at a place of the set.
    ///
    /// # Errors
    /// [`ReaderError`]. The caller compares the set's version and digest with those that it knows.
    pub fn open_summary(&self, request: &[u8; 64], place: u32, answer: &[u8]) -> Result<Summary, ReaderError> {
        Ok(Summary::from_bytes(&self.open(kdf::SUMMARY, request, place, answer)?)?)
    }

    fn open(
        &self,
        label: &[u8],
        request: &[u8; 64],
        place: u32,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, ReaderError> {
        let (enc, ciphertext) = sealed.split_first_chunk::<32>().ok_or(ReaderError::Closed)?;
        let enc = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(enc).map_err(|_| ReaderError::Closed)?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.0,
            &enc,
            &info(label, request),
            ciphertext,
            &place.to_be_bytes(),
        )
        .map(Zeroizing::new)
        .map_err(|_| ReaderError::Closed)
    }
}

/// Whether a message can be sealed to these bytes: not for a point of small order, which gives the same secret with every key.
///
/// *Source*: RFC 9180, section 7.1.4. The public keys of both sides are values of one kind, so a receiver that takes
/// them as an encapsulated key does the check of the sender.
pub(crate) fn takes_messages(public: &[u8; 32]) -> bool {
    let Ok(encapsulated) = Encapsulated::from_bytes(public) else { return false };
    let (any, _) = X25519HkdfSha256::derive_keypair(&[0; 32]);
    let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &any,
        &encapsulated,
        &[],
        &[0; 16],
        &[],
    );
    !matches!(opened, Err(HpkeError::DecapError))
}

/// Seals an answer to a public key; nothing for bytes that are no key.
pub(crate) fn seal(
    public: &[u8; 32],
    (label, request): (&[u8], &[u8; 64]),
    place: u32,
    plain: &[u8],
    rng: &mut impl CryptoRng,
) -> Option<Vec<u8>> {
    seal_message(public, &info(label, request), &place.to_be_bytes(), plain, rng)
}

/// Encapsulated key ‖ ciphertext; nothing for bytes that are no key.
pub(crate) fn seal_message(
    public: &[u8; 32],
    info: &[u8],
    aad: &[u8],
    plain: &[u8],
    rng: &mut impl CryptoRng,
) -> Option<Vec<u8>> {
    let key = Public::from_bytes(public).ok()?;
    let (enc, sealed) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &key,
        info,
        plain,
        aad,
        rng,
    )
    .ok()?;
    Some([enc.to_bytes().as_slice(), &sealed].concat())
}

/// The use's label ‖ request digest.
pub(crate) fn info(label: &[u8], request: &[u8; 64]) -> Vec<u8> {
    [label, request].concat()
}
