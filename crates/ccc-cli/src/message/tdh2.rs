//! Chainlink's tdh2 and tdh2easy as files.

pub(crate) use super::document::{Document, Sealed, is_json};

use super::{Opened, read_share};
use crate::{
    cli::EncryptArgs,
    error::{Error, NotShare},
    files::{
        passphrase::Passphrases,
        sealed::Content,
        secret::{self, Secrets},
    },
};
use ccc_core::compat::tdh2_p256::{
    CombineError, DecryptionShare, INPUT_LEN, PrivateShare, PublicKey, VerifiedCiphertext, combine, easy,
};
use rand_core::CryptoRng;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

impl Sealed {
    fn verify(self, key: &PublicKey) -> Result<Verified<'_>, Error> {
        Ok(match self {
            Self::Hybrid(hybrid) => Verified::Hybrid(hybrid.verify(key)?),
            Self::Raw(raw) => Verified::Raw(raw.verify(key)?),
        })
    }
}

enum Verified<'k> {
    Hybrid(easy::VerifiedCiphertext<'k>),
    Raw(VerifiedCiphertext<'k>),
}

impl<'k> Verified<'k> {
    fn wrapped(&self) -> &VerifiedCiphertext<'k> {
        match self {
            Self::Hybrid(hybrid) => hybrid.wrapped(),
            Self::Raw(raw) => raw,
        }
    }
}

impl Document {
    /// Checks the document with the public key and the ciphertext beside it, and says what is established.
    ///
    /// # Errors
    /// Why it does not hold.
    pub(crate) fn establish(&self, key: &PublicKey, sealed: Option<&Self>) -> Result<String, String> {
        match (self, sealed) {
            (Self::PublicKey(key), _) => {
                let threshold = key.threshold().map_err(|error| error.to_string())?;
                let (k, n) = (threshold.t(), threshold.n());
                Ok(format!("its {n} verification keys share the public key, any {k} open"))
            }
            (Self::Sealed(sealed), _) => {
                sealed.as_ref().clone().verify(key).map_err(|error| error.to_string())?;
                Ok("its author knew the wrapped key and bound it to the label; body and nonce are not bound".into())
            }
            (Self::Share(share), Some(Self::Sealed(sealed))) => {
                let verified = sealed.as_ref().clone().verify(key).map_err(|error| error.to_string())?;
                share.verify(verified.wrapped()).map_err(|error| error.to_string())?;
                Ok(format!("made with private share {}; the proof does not name the ciphertext", share.index()))
            }
            _ => Err("nothing holds it".into()),
        }
    }
}

/// The label that the flags give: 32 bytes, or an address after 12 zero bytes.
///
/// # Errors
/// [`Error::Label`]; flags of the native label have no place in it.
pub(crate) fn label(arguments: &EncryptArgs) -> Result<[u8; INPUT_LEN], Error> {
    let EncryptArgs { label, chain, contract, id, lifetime, .. } = arguments;
    if chain.is_some() || contract.is_some() || id.is_some() || lifetime.is_some() {
        return Err(Error::Label { reason: "a tdh2easy label has no chain, contract, id or lifetime" });
    }
    let text = label.as_deref().unwrap_or_default();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mut out = [0; INPUT_LEN];
    let start = match digits.len() {
        0 if text.is_empty() => return Ok(out),
        40 => INPUT_LEN - 20,
        _ => 0,
    };
    hex::decode_to_slice(digits, &mut out[start..])
        .map_err(|_| Error::Label { reason: "a tdh2easy label has 64 hexadecimal digits, an address 40" })?;
    Ok(out)
}

/// A participant's private share: a secret file of ours, or their JSON with mode 0600.
///
/// # Errors
/// [`Error::Readable`], [`Error::Tdh2Format`] and the errors of a secret file.
pub(crate) fn open_private(path: &Path, passphrases: &Passphrases) -> Result<PrivateShare, Error> {
    let format = |source| Error::Tdh2Format { path: path.into(), source };
    let bytes = secret::read_private(path, secret::MAX_FILE)?;
    if is_json(&bytes) {
        return PrivateShare::from_json(&bytes).map_err(format);
    }
    let secrets = secret::open(path, Content::Tdh2, passphrases)?;
    let [json] = secrets.split::<1>().map_err(|source| Error::Sealed { path: path.into(), source })?;
    PrivateShare::from_json(json).map_err(format)
}

/// The objects of a private share's secret file.
pub(crate) fn secrets(share: &PrivateShare) -> Secrets {
    Secrets::new(&[share.to_json().as_bytes()])
}

/// One participant's share, and its index.
///
/// # Errors
/// [`Error::Tdh2Ciphertext`], [`Error::Tdh2Share`] and the errors of the key file.
pub(crate) fn share(
    sealed: Sealed,
    key: &PublicKey,
    participant: &Path,
    passphrases: &Passphrases,
    rng: &mut impl CryptoRng,
) -> Result<(u16, Vec<u8>), Error> {
    let verified = sealed.verify(key)?;
    let private = open_private(participant, passphrases)?;
    let share = DecryptionShare::create(&private, verified.wrapped(), rng)?;
    Ok((share.index(), share.to_json().into_bytes()))
}

/// Opens with the shares in these files.
///
/// # Errors
/// [`Error::TooFewShares`] with the files left out; [`Error::Tdh2Key`], [`Error::Tdh2Combine`].
pub(crate) fn open(sealed: Sealed, key: &PublicKey, paths: &[PathBuf]) -> Result<Opened, Error> {
    let verified = sealed.verify(key)?;
    let threshold = key.threshold()?;
    let (mut shares, mut not_shares) = (Vec::new(), Vec::new());
    for path in paths {
        match read(&read_share(path)?, verified.wrapped()) {
            Ok(share) => shares.push(share),
            Err(reason) => not_shares.push(NotShare { path: path.clone(), reason }),
        }
    }
    let mut notes: Vec<_> = not_shares.iter().map(NotShare::to_string).collect();
    let opened = match &verified {
        Verified::Hybrid(hybrid) => hybrid.open(threshold, &shares).map(|opened| (opened.plaintext, opened.flooded)),
        Verified::Raw(raw) => {
            combine(raw, threshold, &shares).map(|all| (Zeroizing::new(all.message.to_vec()), all.flooded))
        }
    };
    let (plaintext, flooded) = opened.map_err(|error| too_few(error, not_shares))?;
    notes.extend(
        flooded.iter().map(|index| format!("of share {index} there are more different ones than are looked at")),
    );
    Ok(Opened { plaintext, notes })
}

fn read(bytes: &[u8], ciphertext: &VerifiedCiphertext<'_>) -> Result<DecryptionShare, String> {
    let share = DecryptionShare::from_json(bytes).map_err(|error| error.to_string())?;
    share.verify(ciphertext).map_err(|error| error.to_string())?;
    Ok(share)
}

fn too_few(error: CombineError, not_shares: Vec<NotShare>) -> Error {
    match error {
        CombineError::NotEnoughShares { need, have, .. } => {
            Error::TooFewShares { need: need.into(), have, culprits: Vec::new(), not_shares }
        }
        other => Error::Tdh2Combine(other),
    }
}
