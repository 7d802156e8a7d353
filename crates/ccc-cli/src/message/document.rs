//! What a JSON file of Chainlink's tdh2 and tdh2easy is, told from its bytes alone.

use ccc_core::compat::tdh2_p256::{
    Ciphertext, DecryptionShare, FormatError, INPUT_LEN, MasterSecret, PrivateShare, PublicKey, easy,
};

/// A ciphertext that either of the two packages writes.
#[derive(Clone)]
pub(crate) enum Sealed {
    /// tdh2easy.
    Hybrid(easy::Ciphertext),
    /// tdh2.
    Raw(Ciphertext),
}

/// What a JSON file of theirs is, with what may be shown of it.
pub(crate) enum Document {
    PublicKey(Box<PublicKey>),
    Sealed(Box<Sealed>),
    Share(Box<DecryptionShare>),
    PrivateShare { index: u16 },
    MasterSecret,
}

/// Whether bytes may be a JSON object: nothing else that is read here starts with a brace.
pub(crate) fn is_json(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first() == Some(&b'{')
}

impl Sealed {
    /// Reads a hybrid ciphertext, or else a raw one.
    ///
    /// # Errors
    /// [`FormatError`].
    pub(crate) fn from_json(bytes: &[u8]) -> Result<Self, FormatError> {
        match easy::Ciphertext::from_json(bytes) {
            Err(FormatError::Missing { field: "TDH2Ctxt" }) => Ciphertext::from_json(bytes).map(Self::Raw),
            hybrid => hybrid.map(Self::Hybrid),
        }
    }

    /// The label.
    pub(crate) fn label(&self) -> &[u8; INPUT_LEN] {
        match self {
            Self::Hybrid(hybrid) => hybrid.label(),
            Self::Raw(raw) => raw.label(),
        }
    }

    /// Bytes of the message.
    pub(crate) fn message_len(&self) -> usize {
        match self {
            Self::Hybrid(hybrid) => hybrid.message_len(),
            Self::Raw(_) => INPUT_LEN,
        }
    }
}

impl Document {
    /// Tells and reads a JSON object of theirs; `None` for any other JSON.
    ///
    /// # Errors
    /// [`FormatError`] of the one kind whose fields are there.
    pub(crate) fn read(bytes: &[u8]) -> Option<Result<Self, FormatError>> {
        let readers: [&dyn Fn() -> Result<Self, FormatError>; 5] = [
            &|| Sealed::from_json(bytes).map(|sealed| Self::Sealed(Box::new(sealed))),
            &|| DecryptionShare::from_json(bytes).map(|share| Self::Share(Box::new(share))),
            &|| PublicKey::from_json(bytes).map(|key| Self::PublicKey(Box::new(key))),
            &|| PrivateShare::from_json(bytes).map(|share| Self::PrivateShare { index: share.index() }),
            &|| MasterSecret::from_json(bytes).map(|_| Self::MasterSecret),
        ];
        let other = |error: &FormatError| {
            matches!(error, FormatError::Missing { .. } | FormatError::TooLong { .. } | FormatError::Json { .. })
        };
        readers.iter().map(|read| read()).find(|read| !read.as_ref().is_err_and(other))
    }

    /// What it is, in words, with its article.
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Self::PublicKey(_) => "a tdh2 public key",
            Self::Sealed(sealed) => match **sealed {
                Sealed::Hybrid(_) => "a tdh2easy ciphertext",
                Sealed::Raw(_) => "a tdh2 ciphertext",
            },
            Self::Share(_) => "a tdh2 decryption share",
            Self::PrivateShare { .. } => "a tdh2 private share in the clear",
            Self::MasterSecret => "a tdh2 master secret in the clear",
        }
    }
}
