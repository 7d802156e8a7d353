//! The master public key: what everybody encrypts to.

use crate::encoding::{EncodingError, Reader};
use crate::point::Encoded;
use curve25519_dalek::{RistrettoPoint, traits::IsIdentity};

/// Y = x·G, where nobody holds x.
///
/// Made by a key generation, published with the committee, used by whoever encrypts.
///
/// *Layout*: 32 bytes, a canonical ristretto255 element. *Source*: `docs/spec/encryption.md`.
/// *Security*: never the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MasterPublicKey(Encoded);

impl MasterPublicKey {
    /// The key with this element.
    ///
    /// # Errors
    /// [`EncodingError::Identity`].
    pub(crate) fn new(point: RistrettoPoint) -> Result<Self, EncodingError> {
        if point.is_identity() {
            return Err(EncodingError::Identity { what: "master public key" });
        }
        Ok(Self(Encoded::new(point)))
    }

    /// Reads exactly 32 bytes.
    ///
    /// # Errors
    /// [`EncodingError`]: length, canonical form, identity.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        let key = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(key)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, EncodingError> {
        Encoded::read(reader, "master public key").map(Self)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        *self.0.bytes()
    }

    /// The element Y.
    pub(crate) fn point(&self) -> RistrettoPoint {
        *self.0.point()
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        self.0.bytes()
    }
}
