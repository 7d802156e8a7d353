//! The hybrid of `tdh2easy`: a fresh AES-256 key under TDH2, the message under AES-256-GCM.
//!
//! *Security*: the two halves are joined by the key alone: the proof covers the wrapped key and the label, not body or
//! nonce, and the body has no associated data. See the [module above](super).

use super::error::{CiphertextError, CombineError, FormatError};
use super::json::{Object, Writer};
use super::{Combined, DecryptionShare, INPUT_LEN, PublicKey, combine};
use crate::secret::{hedged_bytes, random64};
use crate::suite::domain;
use crate::threshold::Threshold;
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit, Nonce};
use alloc::string::String;
use alloc::vec::Vec;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;
/// The longest message. Theirs names no limit; services that take their ciphertexts have lower ones.
pub const MAX_MESSAGE: usize = crate::ciphertext::MAX_MESSAGE;
/// The longest JSON that is read: the longest body in base64, with room for the rest.
const MAX_JSON: usize = MAX_MESSAGE.div_ceil(3) * 4 + (1 << 16);

/// A hybrid ciphertext, its proof not yet checked.
///
/// *Layout*: `{"TDH2Ctxt":…,"SymCtxt":…,"Nonce":…}` in base64: the JSON of a raw ciphertext; the body with its tag of 16
/// bytes; 12 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ciphertext {
    wrapped: super::Ciphertext,
    body: Vec<u8>,
    nonce: [u8; NONCE_LEN],
}

impl Ciphertext {
    /// Encrypts a message under a label; theirs without a label has 32 zero bytes.
    ///
    /// # Errors
    /// [`CiphertextError::MessageTooLong`], [`CiphertextError::Randomness`]; nothing has been made.
    ///
    /// *Timing*: constant in the message's bytes and the randomness; the length shows, and is not padded.
    pub fn encrypt<R: CryptoRng + ?Sized>(
        key: &PublicKey,
        label: &[u8; INPUT_LEN],
        message: &[u8],
        rng: &mut R,
    ) -> Result<Self, CiphertextError> {
        let too_long = CiphertextError::MessageTooLong { found: message.len(), limit: MAX_MESSAGE };
        if message.len() > MAX_MESSAGE {
            return Err(too_long);
        }
        let random = random64(rng)?;
        let fresh = hedged_bytes(domain::TDH2_P256, &random, &[key.h().bytes(), label, message], 3);
        let mut body_key = Zeroizing::new([0; INPUT_LEN]);
        body_key.copy_from_slice(&fresh[..INPUT_LEN]);
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&fresh[INPUT_LEN..INPUT_LEN + NONCE_LEN]);
        let mut body = Vec::with_capacity(message.len() + TAG_LEN);
        body.extend_from_slice(message);
        let mut body = Zeroizing::new(body);
        cipher(&body_key).encrypt_in_place(&Nonce::from(nonce), &[], &mut *body).map_err(|_| too_long)?;
        let wrapped = super::Ciphertext::encrypt(key, label, &body_key, rng)?;
        Ok(Self { wrapped, body: core::mem::take(&mut *body), nonce })
    }

    /// Reads a ciphertext; its proof is still to be checked.
    ///
    /// # Errors
    /// [`FormatError`]; the length is compared before anything is allocated.
    pub fn from_json(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut object = Object::read("hybrid ciphertext", bytes, MAX_JSON, &["TDH2Ctxt", "SymCtxt", "Nonce"])?;
        let wrapped = super::Ciphertext::from_json(&object.bytes("TDH2Ctxt")?)?;
        let body = core::mem::take(&mut *object.bytes("SymCtxt")?);
        if !(TAG_LEN..=MAX_MESSAGE + TAG_LEN).contains(&body.len()) {
            let range = "16 bytes to 16 MiB";
            return Err(FormatError::Range { field: "SymCtxt", found: body.len() as u64, range });
        }
        Ok(Self { wrapped, body, nonce: *object.array("Nonce")? })
    }

    /// Writes the ciphertext.
    #[must_use]
    pub fn to_json(&self) -> String {
        let capacity = 1024 + self.body.len().div_ceil(3) * 4;
        let writer = Writer::new(capacity).bytes("TDH2Ctxt", self.wrapped.to_json().as_bytes());
        core::mem::take(&mut *writer.bytes("SymCtxt", &self.body).bytes("Nonce", &self.nonce).finish())
    }

    /// The label of the wrapped key.
    #[must_use]
    pub fn label(&self) -> &[u8; INPUT_LEN] {
        self.wrapped.label()
    }

    /// Bytes of the message.
    #[must_use]
    pub fn message_len(&self) -> usize {
        self.body.len().saturating_sub(TAG_LEN)
    }

    /// Checks the proof of the wrapped key and its label. Body and nonce are not under it.
    ///
    /// # Errors
    /// [`CiphertextError::Proof`].
    pub fn verify(self, key: &PublicKey) -> Result<VerifiedCiphertext<'_>, CiphertextError> {
        let Self { wrapped, body, nonce } = self;
        Ok(VerifiedCiphertext { wrapped: wrapped.verify(key)?, body, nonce })
    }
}

/// A hybrid ciphertext whose wrapped key was checked under a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCiphertext<'k> {
    wrapped: super::VerifiedCiphertext<'k>,
    body: Vec<u8>,
    nonce: [u8; NONCE_LEN],
}

/// What a hybrid ciphertext opened to.
#[non_exhaustive]
pub struct Opened {
    /// The message.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// Indices under which a share came whose proof does not verify, ascending.
    pub refused: Vec<u16>,
    /// Indices under which more than 8 different shares came, ascending: those after the eighth were looked at only as far
    /// as they were needed.
    pub flooded: Vec<u16>,
}

impl<'k> VerifiedCiphertext<'k> {
    /// The wrapped key, which decryption shares are made of.
    #[must_use]
    pub fn wrapped(&self) -> &super::VerifiedCiphertext<'k> {
        &self.wrapped
    }

    /// Opens with at least k shares, each verified first, as [`combine`] does.
    ///
    /// # Errors
    /// [`CombineError`]; a wrong key and altered bytes are one error, [`CombineError::Decryption`].
    pub fn open(&self, threshold: Threshold, shares: &[DecryptionShare]) -> Result<Opened, CombineError> {
        let Combined { message: key, refused, flooded } = combine(&self.wrapped, threshold, shares)?;
        let mut plaintext = Zeroizing::new(self.body.clone());
        cipher(&key)
            .decrypt_in_place(&Nonce::from(self.nonce), &[], &mut *plaintext)
            .map_err(|_| CombineError::Decryption)?;
        Ok(Opened { plaintext, refused, flooded })
    }
}

fn cipher(key: &[u8; INPUT_LEN]) -> Aes256Gcm {
    Aes256Gcm::new(key.into())
}
