//! The data key of a version and everything derived from it.
//!
//! *Source*: `docs/spec/table.md`, section *Keys*. Every derivation names the prefix P0, so a key belongs to one
//! table, version and predecessor; a fresh data key is drawn per seal attempt, hedged with the old key and the
//! update, so neither a retry nor a cloned machine repeats a nonce under it.

use super::{
    StructuralError,
    header::P0_LEN,
    row::{EPOCH_SALT_LEN, ROW_LEN},
};
use crate::{
    epoch::Epoch,
    suite::{kdf, length_prefixed},
};
use alloc::vec::Vec;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes of a data key.
pub const DATA_KEY_LEN: usize = 32;
/// Bytes of a row's salt.
pub const SALT_LEN: usize = 32;

/// The 32 bytes that open one version of a table.
///
/// The enclave that seals a version makes it and wraps it under the master public key; the enclave of the next
/// round receives it from the participants' shares. *Security*: it MUST NOT leave an enclave.
pub struct DataKey(Zeroizing<[u8; DATA_KEY_LEN]>);

impl DataKey {
    /// The data key in the plaintext of a header's wrapped key.
    ///
    /// # Errors
    /// [`StructuralError::DataKeyLength`].
    pub fn from_opened(plaintext: &[u8]) -> Result<Self, StructuralError> {
        let mut key = Zeroizing::new([0; DATA_KEY_LEN]);
        if plaintext.len() != DATA_KEY_LEN {
            return Err(StructuralError::DataKeyLength { expected: DATA_KEY_LEN, found: plaintext.len() });
        }
        key.copy_from_slice(plaintext);
        Ok(Self(key))
    }

    /// HKDF(random ‖ old key; salt "ccc/v1/table-fresh", info LP(P0) ‖ LP(update digest)).
    pub(super) fn fresh(old: Option<&Self>, p0: &[u8; P0_LEN], update: &[u8; 32], rng: &mut impl CryptoRng) -> Self {
        let mut ikm = Zeroizing::new([0; 2 * DATA_KEY_LEN]);
        rng.fill_bytes(&mut ikm[..DATA_KEY_LEN]);
        if let Some(old) = old {
            ikm[DATA_KEY_LEN..].copy_from_slice(&old.0[..]);
        }
        let mut info = Vec::with_capacity(P0_LEN + 40);
        length_prefixed(&mut info, p0);
        length_prefixed(&mut info, update);
        Self(derive(&ikm[..], kdf::TABLE_FRESH, &info))
    }

    /// HKDF(data key; salt "ccc/v1/epoch-salt", info u64 epoch): the order salt of the epoch that starts here.
    pub(super) fn epoch_salt(&self, epoch: Epoch) -> [u8; EPOCH_SALT_LEN] {
        *derive(&self.0[..], kdf::EPOCH_SALT, &epoch.to_bytes())
    }

    /// The body key and the key commitment.
    pub(super) fn body_keys(&self, p0: &[u8; P0_LEN]) -> BodyKeys {
        BodyKeys(derive(&self.0[..], kdf::TABLE, p0))
    }

    /// The key of the row salts.
    pub(super) fn salt_key(&self, p0: &[u8; P0_LEN]) -> SaltKey {
        let key = derive::<32>(&self.0[..], kdf::TABLE_SALT, p0);
        SaltKey(Hmac::<Sha256>::new_from_slice(&key[..]).expect("HMAC takes keys of any length"))
    }

    /// Seeds of the bins in which a scan for many rows looks. They are new in each version and the same for every batch.
    pub(super) fn scan_seeds(&self, p0: &[u8; P0_LEN]) -> [[u64; 4]; 2] {
        let bytes = derive::<64>(&self.0[..], kdf::TABLE_SCAN, p0);
        let words = bytes.as_chunks::<8>().0;
        core::array::from_fn(|i| core::array::from_fn(|j| u64::from_be_bytes(words[4 * i + j])))
    }

    pub(super) fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    pub(super) fn expose(&self) -> &[u8; DATA_KEY_LEN] {
        &self.0
    }
}

/// HKDF(data key; salt "ccc/v1/table", info P0, 64 bytes): body key ‖ commitment.
pub(super) struct BodyKeys(Zeroizing<[u8; 64]>);

impl BodyKeys {
    pub(super) fn body_key(&self) -> &[u8; 32] {
        self.0.first_chunk().expect("64 bytes hold 32")
    }

    pub(super) fn commitment(&self) -> [u8; 32] {
        *self.0.last_chunk().expect("64 bytes hold 32")
    }

    /// Compared in constant time.
    pub(super) fn commits_to(&self, commitment: &[u8; 32]) -> bool {
        self.0[32..].ct_eq(commitment).into()
    }
}

/// The key of the salts; salt_i = HMAC-SHA-256(salt key, u32be i).
pub(super) struct SaltKey(Hmac<Sha256>);

impl SaltKey {
    pub(super) fn salt(&self, index: u32) -> [u8; SALT_LEN] {
        let mut mac = self.0.clone();
        mac.update(&index.to_be_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// HKDF(reading key; salt, info P1, 32): the key of one owner's entry or receipt in one version.
pub(super) fn owner_key(reading_key: &[u8], salt: &[u8], p1: &[u8]) -> Zeroizing<[u8; 32]> {
    derive(reading_key, salt, p1)
}

/// The chunk of rows and salt that an owner's entry holds.
pub(super) const ENTRY_PLAIN_LEN: usize = ROW_LEN + SALT_LEN;

fn derive<const N: usize>(ikm: &[u8], salt: &[u8], info: &[u8]) -> Zeroizing<[u8; N]> {
    let mut out = Zeroizing::new([0; N]);
    Hkdf::<Sha512>::new(Some(salt), ikm)
        .expand(info, &mut out[..])
        .expect("at most 64 bytes are derived, far below the limit of HKDF");
    out
}
