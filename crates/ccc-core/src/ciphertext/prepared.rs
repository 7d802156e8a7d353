//! A master public key beside a table of its multiples, for whoever encrypts many messages to it.

use super::{Ciphertext, EncryptError, Label};
use crate::keys::MasterPublicKey;
use alloc::boxed::Box;
use curve25519_dalek::ristretto::RistrettoBasepointTable;
use rand_core::CryptoRng;

/// Y with its multiples 16ⁱ·j·Y, j ≤ 8, so that rY costs additions alone.
///
/// Makes the same ciphertexts as [`Ciphertext::encrypt`]. The table has 30 KB and costs about two multiplications, so it
/// pays from the third message on.
///
/// *Timing*: constant in r, as with any other multiple of a secret.
pub struct PreparedMasterKey {
    key: MasterPublicKey,
    multiples: Box<RistrettoBasepointTable>,
}

impl PreparedMasterKey {
    /// Makes the table.
    #[must_use]
    pub fn new(key: &MasterPublicKey) -> Self {
        Self { key: *key, multiples: Box::new(RistrettoBasepointTable::create(&key.point())) }
    }

    /// The key.
    #[must_use]
    pub fn master_public_key(&self) -> &MasterPublicKey {
        &self.key
    }

    /// Encrypts a message, as [`Ciphertext::encrypt`] does.
    ///
    /// # Errors
    /// [`EncryptError`]; nothing has been made.
    pub fn encrypt<R: CryptoRng + ?Sized>(
        &self,
        label: &Label,
        message: &[u8],
        rng: &mut R,
    ) -> Result<Ciphertext, EncryptError> {
        Ciphertext::encrypt_with(&self.key, label, message, rng, |r| &*self.multiples * r)
    }
}
