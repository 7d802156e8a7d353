//! Sealed tables, and the bare operations under an update of one.
//!
//! The limit of an update is what the cipher and the hash take alone: every chunk is opened twice, sealed once and
//! hashed twice. The tables are empty but for their status row: scans and seals do the same work whatever rows hold.

use ccc_core::{
    epoch::Epoch,
    keys::MasterPublicKey,
    table::{AssetRule, CHUNK_LEN, DataKey, Header, TableId, TableParams, TableSuite, Tier, Update},
};
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit, Tag,
    aead::{AeadInOut, inout::InOutBuf},
};
use curve25519_dalek::{RistrettoPoint, Scalar, ristretto::CompressedRistretto};
use std::hint::black_box;

/// The assets of every table here.
pub const ASSETS: [AssetRule; 2] = [AssetRule { lot: 1 }; 2];
/// Their epoch.
pub const EPOCH: Epoch = Epoch(1);
const MASTER_SECRET: u64 = 77;
const TAG_LEN: usize = 16;

/// A master key whose secret a bench knows.
#[must_use]
pub fn master() -> MasterPublicKey {
    MasterPublicKey::from_bytes(RistrettoPoint::mul_base(&MASTER_SECRET.into()).compress().as_bytes()).unwrap()
}

/// A table of this tier and cipher.
#[must_use]
pub fn params(tier: Tier, suite: TableSuite) -> TableParams {
    let id = TableId { chain: 1, contract: [1; 20], table: [2; 32] };
    TableParams { id, epoch: EPOCH, tier, suite }
}

/// A round without operations, for this many delta slots.
#[must_use]
pub fn idle(k: usize) -> Update<'static> {
    Update::Round { boundary: &[], deltas: &[], k, assets: &ASSETS }
}

/// The data key, opened with the master secret.
#[must_use]
pub fn data_key(header: &Header) -> DataKey {
    let wrapped = header.wrapped();
    let k = element(&wrapped.to_bytes());
    DataKey::from_opened(&wrapped.clone().verify(&master()).unwrap().open_with(&k).unwrap()).unwrap()
}

/// K = xU of a ciphertext to [`master`].
#[must_use]
pub fn element(ciphertext: &[u8]) -> [u8; 32] {
    let u_at = 8 + 129;
    let u = CompressedRistretto::from_slice(&ciphertext[u_at..u_at + 32]).unwrap();
    (u.decompress().unwrap() * Scalar::from(MASTER_SECRET)).compress().to_bytes()
}

/// A cipher alone.
pub enum Bare {
    /// The default suite.
    ChaCha20Poly1305(Box<ChaCha20Poly1305>),
    /// AWS-LC.
    #[cfg(feature = "aes")]
    Aes256Gcm(Box<aws_lc_rs::aead::LessSafeKey>),
}

impl Bare {
    /// The cipher of a suite under a key of zeros.
    #[must_use]
    pub fn new(suite: TableSuite) -> Self {
        match suite {
            TableSuite::ChaCha20Poly1305 => Self::ChaCha20Poly1305(Box::new(ChaCha20Poly1305::new(&[0; 32].into()))),
            #[cfg(feature = "aes")]
            TableSuite::Aes256Gcm => {
                use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
                Self::Aes256Gcm(Box::new(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[0; 32]).unwrap())))
            }
            #[cfg(not(feature = "aes"))]
            TableSuite::Aes256Gcm => panic!("the feature aes has this cipher"),
        }
    }

    fn nonce(index: usize) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&(index as u64).to_be_bytes());
        nonce
    }

    /// Seals `plain` into `sealed`, which is 16 bytes longer.
    pub fn seal(&self, index: usize, aad: &[u8], plain: &[u8], sealed: &mut [u8]) {
        let (body, tag) = sealed.split_at_mut(plain.len());
        match self {
            Self::ChaCha20Poly1305(cipher) => {
                let buffer = InOutBuf::new(plain, body).unwrap();
                tag.copy_from_slice(&cipher.encrypt_inout_detached(&Self::nonce(index).into(), aad, buffer).unwrap());
            }
            #[cfg(feature = "aes")]
            Self::Aes256Gcm(key) => {
                use aws_lc_rs::aead::{Aad, Nonce};
                let nonce = Nonce::assume_unique_for_key(Self::nonce(index));
                key.seal_out_of_place_scatter(nonce, Aad::from(aad), plain, body, &[], tag).unwrap();
            }
        }
    }

    /// Opens `sealed` into `plain`.
    pub fn open(&self, index: usize, aad: &[u8], sealed: &[u8], plain: &mut [u8]) {
        let (body, tag) = sealed.split_last_chunk::<TAG_LEN>().unwrap();
        match self {
            Self::ChaCha20Poly1305(cipher) => {
                let buffer = InOutBuf::new(body, plain).unwrap();
                cipher.decrypt_inout_detached(&Self::nonce(index).into(), aad, buffer, &Tag::from(*tag)).unwrap();
            }
            #[cfg(feature = "aes")]
            Self::Aes256Gcm(key) => {
                use aws_lc_rs::aead::{Aad, Nonce};
                let nonce = Nonce::assume_unique_for_key(Self::nonce(index));
                key.open_separate_gather(nonce, Aad::from(aad), body, tag, plain).unwrap();
            }
        }
    }
}

/// A body sealed in records of one length by a bare cipher.
pub struct Records {
    cipher: Bare,
    aad: &'static [u8],
    len: usize,
    old: Vec<u8>,
    new: Vec<u8>,
    plain: Vec<u8>,
}

impl Records {
    /// `rows` empty rows in records of `len` bytes, without associated data: the library's fastest call.
    #[must_use]
    pub fn new(suite: TableSuite, rows: usize, len: usize) -> Self {
        Self::with(suite, &[], rows, len)
    }

    /// The same with 32 bytes of associated data, as chunks have.
    #[must_use]
    pub fn bound(suite: TableSuite, rows: usize, len: usize) -> Self {
        Self::with(suite, &[7; 32], rows, len)
    }

    fn with(suite: TableSuite, aad: &'static [u8], rows: usize, len: usize) -> Self {
        let (cipher, plain) = (Bare::new(suite), vec![0; rows * 64]);
        let mut old = vec![0; plain.len() / len * (len + TAG_LEN)];
        for (index, sealed) in old.chunks_mut(len + TAG_LEN).enumerate() {
            cipher.seal(index, aad, &vec![0; len], sealed);
        }
        Self { cipher, aad, len, new: old.clone(), old, plain }
    }

    fn open_all(&mut self) {
        let sealed = self.old.chunks(self.len + TAG_LEN);
        for (index, (sealed, plain)) in sealed.zip(self.plain.chunks_mut(self.len)).enumerate() {
            self.cipher.open(index, self.aad, sealed, plain);
        }
    }

    fn seal_all(&mut self) {
        let sealed = self.new.chunks_mut(self.len + TAG_LEN);
        for (index, (sealed, plain)) in sealed.zip(self.plain.chunks(self.len)).enumerate() {
            self.cipher.seal(index, self.aad, plain, sealed);
        }
    }

    /// The limit: each bare operation over all chunks, with one chunk of open rows that stays in the cache.
    pub fn limit(&mut self) {
        let mut plain = vec![0; self.len];
        for _ in 0..2 {
            for (index, sealed) in self.old.chunks(self.len + TAG_LEN).enumerate() {
                self.cipher.open(index, self.aad, sealed, &mut plain);
                black_box(&plain);
            }
        }
        for (index, sealed) in self.new.chunks_mut(self.len + TAG_LEN).enumerate() {
            self.cipher.seal(index, self.aad, &plain, sealed);
        }
        for body in [&self.old, &self.new] {
            for sealed in body.chunks(self.len + TAG_LEN) {
                black_box(blake3::hash(sealed));
            }
        }
    }

    /// The naive way: decrypt all, edit, encrypt all, hash.
    pub fn naive(&mut self) {
        self.open_all();
        for row in [3usize, 500, 900, 1000] {
            self.plain[row * 64 + 39] ^= 1;
        }
        self.seal_all();
        black_box(blake3::hash(&self.new));
    }
}

/// Records of a chunk.
pub const CHUNK: usize = CHUNK_LEN;
