//! A message by hand: encrypted to a vault, opened by t shares, in the native form or as Chainlink's tdh2.

mod document;
pub(crate) mod native;
pub(crate) mod tdh2;

use crate::{artifact::instead, error::Error, files};
use ccc_core::{ciphertext::Ciphertext, compat::tdh2_p256::PublicKey, keys::Committee};
use std::path::Path;
use zeroize::Zeroizing;

/// The longest file of a ciphertext: a message of 16 MiB in base64.
const MAX_CIPHERTEXT: u64 = 1 << 25;
const MAX_KEY: u64 = 1 << 18;
/// The longest file of one share of one ciphertext.
const MAX_SHARE: u64 = 1 << 16;

/// What one encrypts to.
pub(crate) enum Key {
    /// A committee and its master public key.
    Native(Box<Committee>),
    /// A tdh2 public key.
    Tdh2(Box<PublicKey>),
}

/// A ciphertext of either form.
pub(crate) enum Sealed {
    /// Ours.
    Native(Ciphertext),
    /// Chainlink's.
    Tdh2(tdh2::Sealed),
}

/// What was opened.
pub(crate) struct Opened {
    /// The message.
    pub(crate) plaintext: Zeroizing<Vec<u8>>,
    /// What the person should know about the shares.
    pub(crate) notes: Vec<String>,
}

impl Key {
    /// Reads a committee or a tdh2 public key, told apart by their first byte.
    ///
    /// # Errors
    /// [`Error::OtherContent`], [`Error::Committee`], [`Error::Tdh2Format`].
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let bytes = files::read(path, MAX_KEY)?;
        if tdh2::is_json(&bytes) {
            let refused = |source| Error::Tdh2Format { path: path.into(), source };
            let key = PublicKey::from_json(&bytes).map_err(refused);
            let key = key.map_err(|error| instead(path, bytes, "a tdh2 public key", error));
            return key.map(|key| Self::Tdh2(Box::new(key)));
        }
        let refused = |source| Error::Committee { path: path.into(), source };
        let committee = Committee::from_bytes(&bytes).map_err(refused);
        let committee = committee.map_err(|error| instead(path, bytes, "a committee", error));
        committee.map(|committee| Self::Native(Box::new(committee)))
    }

    /// What it is, in words, with its article.
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Self::Native(_) => "a committee",
            Self::Tdh2(_) => "a tdh2 public key",
        }
    }

    /// This key where another kind of key is wanted.
    pub(crate) fn unfit(&self, path: &Path, expected: &'static str) -> Error {
        Error::OtherContent { path: path.into(), expected, found: self.words() }
    }
}

impl Sealed {
    /// Reads a ciphertext.
    ///
    /// # Errors
    /// [`Error::OtherContent`], [`Error::CiphertextFile`], [`Error::Tdh2Format`].
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let bytes = files::read(path, MAX_CIPHERTEXT)?;
        if tdh2::is_json(&bytes) {
            let refused = |source| Error::Tdh2Format { path: path.into(), source };
            let sealed = tdh2::Sealed::from_json(&bytes).map_err(refused);
            return sealed.map(Self::Tdh2).map_err(|error| instead(path, bytes, "a tdh2easy ciphertext", error));
        }
        let refused = |source| Error::CiphertextFile { path: path.into(), source };
        let ciphertext = Ciphertext::from_bytes(&bytes).map_err(refused);
        ciphertext.map(Self::Native).map_err(|error| instead(path, bytes, "a ciphertext", error))
    }
}

/// The bytes of one share.
fn read_share(path: &Path) -> Result<Vec<u8>, Error> {
    files::read(path, MAX_SHARE)
}
