//! Keys of those who read answers: an owner's, fresh for each query, and an auditor's. HPKE base mode, X25519 /
//! HKDF-SHA-256 / ChaCha20-Poly1305.
//!
//! *Layout* of an answer: encapsulated key 32 ‖ ciphertext with its tag. Info: the use's label ‖ request digest;
//! associated data: place of the answer u32.

use crate::key::{self, OpeningKey};
use ccc_core::{
    encoding::EncodingError,
    suite::kdf,
    table::{Holdings, Summary},
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// What a sealed message is longer than its plaintext: encapsulated key and tag.
pub const SEAL_OVERHEAD: usize = key::SEAL_OVERHEAD;

/// The secret key of somebody who reads answers.
///
/// *Security*: no `Clone`, no `Debug`.
pub struct ReaderKey(OpeningKey);

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
        Self(OpeningKey::generate(rng))
    }

    /// A key from its 32 bytes, clamped.
    ///
    /// # Errors
    /// [`ReaderError::Key`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReaderError> {
        OpeningKey::from_bytes(bytes).map(Self).ok_or(ReaderError::Key)
    }

    /// The 32 secret bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.to_bytes()
    }

    /// The public key: an owner's goes into its query, an auditor's into the set.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.0.public()
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
        self.0.open(&info(label, request), &place.to_be_bytes(), sealed).ok_or(ReaderError::Closed)
    }
}

/// Seals an answer to a public key; nothing for bytes that are no key.
pub(crate) fn seal(
    public: &[u8; 32],
    (label, request): (&[u8], &[u8; 64]),
    place: u32,
    plain: &[u8],
    rng: &mut impl CryptoRng,
) -> Option<Vec<u8>> {
    key::seal_message(public, &info(label, request), &place.to_be_bytes(), plain, rng)
}

/// The use's label ‖ request digest.
pub(crate) fn info(label: &[u8], request: &[u8; 64]) -> Vec<u8> {
    [label, request].concat()
}
