//! The object that makes a version of its pieces.

use crate::{
    pieces,
    record::{DIGEST_LEN, Manifest},
};
use ccc_core::table::{Part, SEALED_CHUNK_LEN, StoreError, Tier};

/// Bytes of a piece.
pub(super) const PIECE_LEN: usize = SEALED_CHUNK_LEN;

/// A version's manifest with the names of its pieces.
pub(super) struct Record {
    pub(super) manifest: Manifest,
    pub(super) pieces: Vec<[u8; DIGEST_LEN]>,
}

impl Record {
    /// Bytes of a manifest of a tier.
    pub(super) fn len(tier: Tier) -> usize {
        Manifest::LEN + (count(tier) + 1) * DIGEST_LEN
    }

    pub(super) fn read(bytes: &[u8], hash: &[u8; 32]) -> Result<Self, StoreError> {
        let altered = StoreError::Corrupt { header_hash: *hash, part: "manifest" };
        let (manifest, names) = Manifest::read(bytes, hash)?;
        let Some((listed, digest)) = bytes.split_last_chunk::<DIGEST_LEN>() else { return Err(altered) };
        let (names, _) = names.as_chunks::<DIGEST_LEN>();
        let whole = bytes.len() == Self::len(manifest.header.tier()) && blake3::hash(listed) == *digest;
        match names.split_last() {
            Some((_, pieces)) if whole => Ok(Self { manifest, pieces: pieces.to_vec() }),
            _ => Err(altered),
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [&self.manifest.to_bytes()[..], self.pieces.as_flattened()].concat();
        let digest = blake3::hash(&bytes);
        bytes.extend_from_slice(digest.as_bytes());
        bytes
    }
}

/// Pieces of both parts.
pub(super) fn count(tier: Tier) -> usize {
    Part::ALL.into_iter().map(|part| pieces::count(PIECE_LEN, part, tier) as usize).sum()
}

/// Where a piece stands in the manifest: the body's come first.
pub(super) fn position(tier: Tier, part: Part, index: u32) -> usize {
    let before = match part {
        Part::Body => 0,
        Part::Sidecar => pieces::count(PIECE_LEN, Part::Body, tier),
    };
    before as usize + index as usize
}
