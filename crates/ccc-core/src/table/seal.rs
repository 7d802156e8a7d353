//! Chunks: 1 024 rows sealed as 65 552 bytes, one by one, and the root over them.
//!
//! *Layout*: nonce u96be(chunk index), associated data digest32(P0); leaf = BLAKE3(u32be index ‖ sealed), body root =
//! BLAKE3(leaf₀ ‖ …). *Source*: `docs/spec/table.md`, section *Body*.

use super::{HeaderError, StructuralError, TableSuite, Tier, chacha::ChaChaPoly, row::ROW_LEN};
use crate::parallel::prelude::*;
use alloc::vec::Vec;

/// Rows in a chunk.
pub const CHUNK_ROWS: usize = 1024;
/// Bytes of an open chunk.
pub const CHUNK_LEN: usize = CHUNK_ROWS * ROW_LEN;
/// Bytes of an authentication tag.
pub(super) const TAG_LEN: usize = 16;
/// Bytes of a sealed chunk.
pub const SEALED_CHUNK_LEN: usize = CHUNK_LEN + TAG_LEN;

/// Bytes of the body of a tier.
#[must_use]
pub fn body_len(tier: Tier) -> usize {
    tier.rows() / CHUNK_ROWS * SEALED_CHUNK_LEN
}

/// The root over the sealed chunks in order.
#[must_use]
pub fn body_root(body: &[u8]) -> [u8; 32] {
    let leaves: Vec<_> =
        body.par_chunks(SEALED_CHUNK_LEN).enumerate().map(|(index, sealed)| leaf(number(index), sealed)).collect();
    root_of(&leaves)
}

pub(super) fn root_of(leaves: &[[u8; 32]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for leaf in leaves {
        hasher.update(leaf);
    }
    *hasher.finalize().as_bytes()
}

/// Bytes that BLAKE3 takes in one stride, its widest: sixteen of its chunks.
const STRIDE: usize = 16 * 1024;

/// The index and the first bytes are hashed as one stride, so that every later stride is a whole one.
pub(super) fn leaf(index: u32, sealed: &[u8]) -> [u8; 32] {
    let mut first = [0; STRIDE];
    let (number, body) = first.split_at_mut(4);
    number.copy_from_slice(&index.to_be_bytes());
    let (head, rest) = sealed.split_at(sealed.len().min(body.len()));
    body[..head.len()].copy_from_slice(head);
    let mut hasher = blake3::Hasher::new();
    hasher.update(&first[..4 + head.len()]);
    hasher.update(rest);
    *hasher.finalize().as_bytes()
}

/// Indices of chunks and rows fit 32 bits: the largest tier has 2^24 rows.
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).expect("a table has at most 2^24 rows")
}

/// u96be(index).
pub(super) fn nonce(index: u32) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[8..].copy_from_slice(&index.to_be_bytes());
    nonce
}

/// The cipher of one key, for chunks, entries and receipts.
pub(super) struct Cipher(ChaChaPoly);

impl Cipher {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(ChaChaPoly::new(key))
    }

    /// Seals `plain` into `sealed`, which is 16 bytes longer.
    pub(super) fn seal(&self, index: u32, aad: &[u8], plain: &[u8], sealed: &mut [u8]) {
        let (body, tag) = sealed.split_at_mut(plain.len());
        tag.copy_from_slice(&self.0.seal(&nonce(index), aad, plain, body));
    }

    /// Opens `sealed` into `plain`, which is 16 bytes shorter; `None` where the tag does not fit.
    pub(super) fn open(&self, index: u32, aad: &[u8], sealed: &[u8], plain: &mut [u8]) -> Option<()> {
        let (body, tag) = sealed.split_last_chunk::<TAG_LEN>()?;
        self.0.open(&nonce(index), aad, body, tag, plain)
    }
}

/// The cipher of a body, by the suite in the header.
pub(super) enum BodyCipher {
    ChaCha20Poly1305(Cipher),
    #[cfg(feature = "suite-aes-gcm")]
    Aes256Gcm(aes::Cipher),
}

impl BodyCipher {
    /// # Errors
    /// [`HeaderError::Suite`] where the suite is not built in.
    pub(super) fn new(suite: TableSuite, key: &[u8; 32]) -> Result<Self, HeaderError> {
        match suite {
            TableSuite::ChaCha20Poly1305 => Ok(Self::ChaCha20Poly1305(Cipher::new(key))),
            #[cfg(feature = "suite-aes-gcm")]
            TableSuite::Aes256Gcm => Ok(Self::Aes256Gcm(aes::Cipher::new(key))),
            #[cfg(not(feature = "suite-aes-gcm"))]
            TableSuite::Aes256Gcm => Err(HeaderError::Suite { found: suite as u16 }),
        }
    }

    /// Seals a chunk into `sealed`, which is 16 bytes longer. Open rows are never written where `sealed` lies.
    pub(super) fn seal(&self, index: u32, aad: &[u8], plain: &[u8], sealed: &mut [u8]) {
        match self {
            Self::ChaCha20Poly1305(cipher) => cipher.seal(index, aad, plain, sealed),
            #[cfg(feature = "suite-aes-gcm")]
            Self::Aes256Gcm(cipher) => cipher.seal(index, aad, plain, sealed),
        }
    }

    /// Opens `sealed` into `plain`, which is 16 bytes shorter; `None` where the tag does not fit.
    pub(super) fn open(&self, index: u32, aad: &[u8], sealed: &[u8], plain: &mut [u8]) -> Option<()> {
        match self {
            Self::ChaCha20Poly1305(cipher) => cipher.open(index, aad, sealed, plain),
            #[cfg(feature = "suite-aes-gcm")]
            Self::Aes256Gcm(cipher) => cipher.open(index, aad, sealed, plain),
        }
    }
}

/// AES-256-GCM by AWS-LC.
#[cfg(feature = "suite-aes-gcm")]
mod aes {
    use super::{TAG_LEN, nonce};
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

    pub(in super::super) struct Cipher(LessSafeKey);

    impl Cipher {
        pub(super) fn new(key: &[u8; 32]) -> Self {
            let key = UnboundKey::new(&AES_256_GCM, key).expect("AES-256-GCM takes keys of 32 bytes");
            Self(LessSafeKey::new(key))
        }

        pub(super) fn seal(&self, index: u32, aad: &[u8], plain: &[u8], sealed: &mut [u8]) {
            let (body, tag) = sealed.split_at_mut(plain.len());
            let nonce = Nonce::assume_unique_for_key(nonce(index));
            let made = self.0.seal_out_of_place_scatter(nonce, Aad::from(aad), plain, body, &[], tag);
            made.expect("a chunk is far below the cipher's limit, and the lengths fit");
        }

        pub(super) fn open(&self, index: u32, aad: &[u8], sealed: &[u8], plain: &mut [u8]) -> Option<()> {
            let (body, tag) = sealed.split_last_chunk::<TAG_LEN>()?;
            let nonce = Nonce::assume_unique_for_key(nonce(index));
            self.0.open_separate_gather(nonce, Aad::from(aad), body, tag, plain).ok()
        }
    }
}

/// Opens every chunk of a body into `rows`.
///
/// # Errors
/// [`StructuralError::Chunk`] with an index of a chunk that does not open.
pub(super) fn open_body(cipher: &BodyCipher, aad: &[u8], body: &[u8], rows: &mut [u8]) -> Result<(), StructuralError> {
    body.par_chunks(SEALED_CHUNK_LEN).zip(rows.par_chunks_mut(CHUNK_LEN)).enumerate().try_for_each(
        |(index, (sealed, plain))| {
            let index = number(index);
            cipher.open(index, aad, sealed, plain).ok_or(StructuralError::Chunk { index })
        },
    )
}
