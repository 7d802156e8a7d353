//! The sender's key.

use super::{KeySource, NetworkError, keystore};
use crate::{
    error::Error,
    files::{passphrase::Passphrases, secret},
};
use ccc_chain::Wallet;
use std::path::Path;
use zeroize::Zeroizing;

const MAX_KEY_FILE: u64 = 4096;

/// Opens what holds the key.
///
/// # Errors
/// A file that others may read; no key in it; a keystore that does not open.
pub(crate) fn open(source: &KeySource, passphrases: &Passphrases) -> Result<Wallet, Error> {
    match source {
        KeySource::PrivateKeyFile(path) => of_file(path),
        KeySource::Keystore(path) => of_keystore(path, passphrases),
    }
}

fn of_file(path: &Path) -> Result<Wallet, Error> {
    let bytes = secret::read_private(path, MAX_KEY_FILE)?;
    let refused = || NetworkError::Key { path: path.into() };
    let text = std::str::from_utf8(&bytes).map_err(|_| refused())?;
    let line = text.lines().next().unwrap_or_default().trim();
    let mut key = Zeroizing::new([0; 32]);
    hex::decode_to_slice(line.strip_prefix("0x").unwrap_or(line), key.as_mut_slice()).map_err(|_| refused())?;
    Ok(Wallet::from_key(&key).map_err(|_| refused())?)
}

fn of_keystore(path: &Path, passphrases: &Passphrases) -> Result<Wallet, Error> {
    let bytes = secret::read_private(path, keystore::MAX_FILE)?;
    let refused = |source| NetworkError::Keystore { path: path.into(), source };
    let sealed = keystore::Keystore::parse(&bytes).map_err(refused)?;
    let passphrase = passphrases.existing()?;
    let key = sealed.open(passphrase.as_bytes()).map_err(refused)?;
    Ok(Wallet::from_key(&key).map_err(|_| refused(keystore::KeystoreError::NotAKey))?)
}
