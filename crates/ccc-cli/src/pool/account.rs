//! A table account's key file.

use crate::{
    error::Error,
    files::{
        passphrase::Passphrases,
        sealed::{Content, SealedError},
        secret::{self, Secrets},
    },
};
use ccc_chain::Wallet;
use ccc_core::encoding::{EncodingError, Reader};
use ccc_enclave::authorisation::AuthorisationError;
use ccc_node::maker::TableOwner;
use rand_core::CryptoRng;
use std::path::Path;
use zeroize::Zeroizing;

/// Signing key and reading key.
type KeyPair = (Zeroizing<[u8; 32]>, Zeroizing<[u8; 32]>);

/// A fresh account, with the content of its key file: signing key and reading key.
///
/// # Errors
/// [`Error::AccountKey`].
pub(crate) fn generate(rng: &mut impl CryptoRng) -> Result<(TableOwner, Secrets), Error> {
    let (mut signing, mut reading) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
    rng.fill_bytes(signing.as_mut_slice());
    rng.fill_bytes(reading.as_mut_slice());
    let secrets = Secrets::new(&[signing.as_slice(), reading.as_slice()]);
    Ok((TableOwner::new(&signing, reading)?, secrets))
}

/// Opens a key file.
///
/// # Errors
/// Those of [`secret::open`], and [`Error::AccountKey`].
pub(crate) fn open(path: &Path, passphrases: &Passphrases) -> Result<TableOwner, Error> {
    let (signing, reading) = read(path, passphrases)?;
    Ok(TableOwner::new(&signing, reading)?)
}

/// As [`open`], with the account as a sender of transactions: its address is its own.
///
/// # Errors
/// As [`open`].
pub(crate) fn with_wallet(path: &Path, passphrases: &Passphrases) -> Result<(TableOwner, Wallet), Error> {
    let (signing, reading) = read(path, passphrases)?;
    let wallet = Wallet::from_key(&signing).map_err(|_| Error::AccountKey(AuthorisationError::Malformed))?;
    Ok((TableOwner::new(&signing, reading)?, wallet))
}

fn read(path: &Path, passphrases: &Passphrases) -> Result<KeyPair, Error> {
    let secrets = secret::open(path, Content::Account, passphrases)?;
    let keys = secrets.split::<2>().and_then(|[signing, reading]| Ok((key(signing)?, key(reading)?)));
    keys.map_err(|source| Error::Sealed { path: path.into(), source })
}

/// Exactly 32 bytes.
pub(crate) fn key(bytes: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealedError> {
    let mut reader = Reader::new(bytes);
    let key = reader.array("key").map(Zeroizing::new);
    let finished: Result<_, EncodingError> = key.and_then(|key| reader.finish().map(|()| key));
    Ok(finished?)
}
