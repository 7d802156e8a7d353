//! What an enclave keeps over a restart: sealed under a key that its platform gives to this program alone.
//!
//! *Source*: XChaCha20-Poly1305, draft-irtf-cfrg-xchacha. Where the key comes from: `docs/spec/attestation.md`, *Sealing*.

use crate::encoding::{EncodingError, HEADER_LEN, Kind, Reader, header};
use crate::secret::{RandomnessError, random64};
use crate::suite::{digest32, domain};
use alloc::vec::Vec;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Bytes that sealing adds.
pub const SEALING_OVERHEAD: usize = HEADER_LEN + 24 + 16;

/// A key that one program under one configuration has on one platform.
///
/// Made by [`AttestationProvider::sealing_key`](super::attestation::AttestationProvider::sealing_key).
///
/// *Security*: no `Clone`, wiped when dropped; MUST NOT leave the enclave.
pub struct SealingKey(Zeroizing<[u8; 32]>);

/// Why sealed bytes do not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsealError {
    /// Not sealed bytes, or not of what is looked for.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Sealed by another program, under another configuration or on another platform, or altered: which, nobody can say.
    #[error("not sealed by this program under this configuration on this platform, or altered")]
    Unopened,
}

impl SealingKey {
    /// digest32 H("sealing"; platform's secret, measurement 32, configuration digest 32).
    ///
    /// A provider whose hardware mixes the measurement into the secret names it here all the same.
    #[must_use]
    pub fn derive(secret: &[u8], measurement: &[u8; 32], configuration: &[u8; 32]) -> Self {
        Self(Zeroizing::new(digest32(domain::SEALING, &[secret, measurement, configuration])))
    }

    /// Seals bytes.
    ///
    /// *Layout*: header 8 ‖ nonce 24 ‖ ciphertext ‖ tag 16; the header is the associated data.
    ///
    /// # Errors
    /// [`RandomnessError`].
    pub fn seal(&self, plaintext: &[u8], rng: &mut (impl CryptoRng + ?Sized)) -> Result<Vec<u8>, RandomnessError> {
        let random = random64(rng)?;
        let nonce = random.first_chunk::<24>().ok_or(RandomnessError)?;
        let mut out = Vec::with_capacity(plaintext.len().saturating_add(SEALING_OVERHEAD));
        let start = header(Kind::SealedState);
        out.extend_from_slice(&start);
        out.extend_from_slice(nonce);
        let body = out.len();
        out.extend_from_slice(plaintext);
        let tag = self
            .cipher()
            .encrypt_inout_detached(&XNonce::from(*nonce), &start, out[body..].as_mut().into())
            .expect("a state in memory is below the cipher's maximum of 256 GiB");
        out.extend_from_slice(&tag);
        Ok(out)
    }

    /// Opens what [`Self::seal`] sealed under the same key.
    ///
    /// # Errors
    /// [`UnsealError`].
    pub fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        let mut reader = Reader::new(sealed);
        reader.header(Kind::SealedState)?;
        let nonce: [u8; 24] = reader.array("nonce")?;
        let length = reader.remaining().checked_sub(16).ok_or(UnsealError::Unopened)?;
        let mut plain = Zeroizing::new(reader.bytes("sealed state", length)?.to_vec());
        let tag: [u8; 16] = reader.array("tag")?;
        self.cipher()
            .decrypt_inout_detached(
                &XNonce::from(nonce),
                &header(Kind::SealedState),
                plain.as_mut_slice().into(),
                &Tag::from(tag),
            )
            .map_err(|_| UnsealError::Unopened)?;
        Ok(plain)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    fn sealed() -> (SealingKey, Vec<u8>) {
        let key = SealingKey::derive(&[1; 32], &[2; 32], &[3; 32]);
        let bytes = key.seal(b"kept", &mut ChaCha20Rng::from_seed([4; 32])).unwrap();
        (key, bytes)
    }

    #[test]
    fn what_is_sealed_opens_under_the_same_key_and_no_other() {
        let (key, bytes) = sealed();
        assert_eq!(bytes.len(), 4 + SEALING_OVERHEAD);
        assert_eq!(key.open(&bytes).unwrap().as_slice(), b"kept");
        let others = [([9; 32], [2; 32], [3; 32]), ([1; 32], [9; 32], [3; 32]), ([1; 32], [2; 32], [9; 32])];
        for (secret, measurement, configuration) in others {
            let other = SealingKey::derive(&secret, &measurement, &configuration);
            assert_eq!(other.open(&bytes), Err(UnsealError::Unopened));
        }
    }

    #[test]
    fn no_byte_of_what_is_sealed_can_be_altered_and_none_cut_or_added() {
        let (key, bytes) = sealed();
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            assert!(key.open(&altered).is_err(), "byte {at}");
            assert!(key.open(&bytes[..at]).is_err(), "cut at {at}");
        }
        assert_eq!(key.open(&[&bytes[..], &[0]].concat()), Err(UnsealError::Unopened));
        assert_eq!(key.open(&bytes[..SEALING_OVERHEAD - 1]), Err(UnsealError::Unopened));
    }
}
