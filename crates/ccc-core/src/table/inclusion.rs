//! Proofs that a sealed chunk stands in the body of a version, for whoever has the header alone.
//!
//! The body root is BLAKE3 over the list of leaves, and BLAKE3 is a tree: blocks of 1 024 bytes, here 32 leaves, and
//! parents over pairs of them. A proof is the other leaves of the chunk's block and the chaining values beside the way
//! from the block to the root: 1 280 bytes for 2^14 chunks. A tier has 1, 4 or 16 leaves, or 2, 8, 32, … whole blocks.
//!
//! *Source*: the BLAKE3 paper (2020), sections 2.1 and 2.4; `docs/spec/table.md`, section *Body*.

use super::{
    Header, StructuralError, Tier,
    chunks::ChunkSource,
    passes::waves,
    seal::{SEALED_CHUNK_LEN, body_len, leaf, number, root_of},
    stream::StreamError,
};
use crate::parallel::prelude::*;
use alloc::vec::Vec;
use blake3::hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

const NODE_LEN: usize = 32;
/// Leaves in a block of BLAKE3.
const BLOCK_LEAVES: usize = 32;
/// Bytes in a block of BLAKE3, which its paper calls a chunk.
const BLOCK_LEN: usize = BLOCK_LEAVES * NODE_LEN;

type Node = [u8; NODE_LEN];

/// Why a chunk is not shown to stand in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChunkProofError {
    /// The proof has another length than the tier's.
    #[error("a proof of {found} bytes, where the tier has {expected}")]
    Length {
        /// Bytes of the tier's proofs.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// No such chunk.
    #[error("chunk {found} of {chunks}")]
    Index {
        /// Chunks of the tier.
        chunks: u32,
        /// The index found.
        found: u32,
    },
    /// The sealed chunk is too short or too long.
    #[error("a sealed chunk of {found} bytes, where it has {expected}")]
    ChunkLength {
        /// 65 552.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// The proof leads elsewhere: another chunk, place, body or proof.
    #[error("the proof leads to another body root")]
    Root {
        /// The root in the header.
        expected: [u8; 32],
        /// The root that the proof leads to.
        found: [u8; 32],
    },
}

/// The leaves of a body that has the root of its header; what proofs are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyLeaves(Vec<Node>);

impl BodyLeaves {
    /// Reads a body once, a few chunks at a time, and keeps 32 bytes of each.
    ///
    /// # Errors
    /// [`StructuralError::Length`] and [`StructuralError::BodyRoot`] for a body that is not the header's;
    /// [`StreamError::Medium`].
    pub fn read(header: &Header, body: &mut impl ChunkSource) -> Result<Self, StreamError> {
        let (tier, expected) = (header.tier(), body_len(header.tier()));
        let found = usize::try_from(body.len()?).unwrap_or(usize::MAX);
        if expected != found {
            return Err(StructuralError::Length { expected, found }.into());
        }
        let mut leaves = Vec::with_capacity(tier.chunks() as usize);
        for (first, count) in waves(0..tier.chunks()) {
            let sealed = body.load(first, count)?.par_chunks(SEALED_CHUNK_LEN).enumerate();
            let wave: Vec<_> = sealed.map(|(at, sealed)| leaf(first + number(at), sealed)).collect();
            leaves.extend(wave);
        }
        let (expected, found) = (header.body_root(), root_of(&leaves));
        if expected == found { Ok(Self(leaves)) } else { Err(StructuralError::BodyRoot { expected, found }.into()) }
    }
}

/// A proof that a sealed chunk stands at its place in the body of a version.
///
/// *Layout*: the other leaves of the chunk's block in order, then the chaining values beside the way to the root, from
/// the block upwards; 32 bytes each, no header. Its length is that of the tier ([`ChunkProof::len`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkProof(Vec<Node>);

impl ChunkProof {
    /// Bytes of a proof in this tier: 0, 96, 480, then 32 · (31 + log2 of the blocks), 1 280 at most.
    #[must_use]
    pub fn len(tier: Tier) -> usize {
        let (beside, above) = shape(tier);
        (beside + above) * NODE_LEN
    }

    /// The proof for chunk `index`.
    ///
    /// # Errors
    /// [`ChunkProofError::Index`].
    pub fn make(leaves: &BodyLeaves, index: u32) -> Result<Self, ChunkProofError> {
        let (all, at) = (&leaves.0[..], index as usize);
        if at >= all.len() {
            return Err(ChunkProofError::Index { chunks: number(all.len()), found: index });
        }
        let (block, place) = (at / BLOCK_LEAVES, at % BLOCK_LEAVES);
        let beside = all.chunks(BLOCK_LEAVES).nth(block).unwrap_or_default().iter().enumerate();
        let mut nodes: Vec<_> = beside.filter(|(other, _)| *other != place).map(|(_, leaf)| *leaf).collect();
        nodes.extend(path(all, block));
        Ok(Self(nodes))
    }

    /// Checks that `sealed` is chunk `index` of the body of the version with this header.
    ///
    /// *Security*: the header MUST be the one on chain ([`Header::current`]) or one that it leads to.
    ///
    /// # Errors
    /// [`ChunkProofError`].
    pub fn verify(&self, header: &Header, index: u32, sealed: &[u8]) -> Result<(), ChunkProofError> {
        let tier = header.tier();
        if index >= tier.chunks() {
            return Err(ChunkProofError::Index { chunks: tier.chunks(), found: index });
        }
        let (expected, found) = (SEALED_CHUNK_LEN, sealed.len());
        if expected != found {
            return Err(ChunkProofError::ChunkLength { expected, found });
        }
        check_len(tier, self.0.len() * NODE_LEN)?;
        let (beside, path) = self.0.split_at(shape(tier).0);
        let (before, behind) = beside.split_at(index as usize % BLOCK_LEAVES);
        let block = [before, &[leaf(index, sealed)], behind].concat();
        let (expected, found) = (header.body_root(), climb(index as usize / BLOCK_LEAVES, &block, path));
        if expected == found { Ok(()) } else { Err(ChunkProofError::Root { expected, found }) }
    }

    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.concat()
    }

    /// A proof for a body of this tier; whether it leads to a root, [`ChunkProof::verify`] tells.
    ///
    /// # Errors
    /// [`ChunkProofError::Length`].
    pub fn from_bytes(tier: Tier, bytes: &[u8]) -> Result<Self, ChunkProofError> {
        check_len(tier, bytes.len())?;
        Ok(Self(bytes.as_chunks().0.to_vec()))
    }
}

/// The other leaves of a block, and the parents above it.
fn shape(tier: Tier) -> (usize, usize) {
    let leaves = tier.chunks() as usize;
    let blocks = leaves.div_ceil(BLOCK_LEAVES);
    (leaves.min(BLOCK_LEAVES) - 1, blocks.ilog2() as usize)
}

fn check_len(tier: Tier, found: usize) -> Result<(), ChunkProofError> {
    let expected = ChunkProof::len(tier);
    if expected == found { Ok(()) } else { Err(ChunkProofError::Length { expected, found }) }
}

/// The chaining value of one of several blocks.
fn block_value(block: usize, leaves: &[Node]) -> Node {
    let mut hasher = blake3::Hasher::new();
    hasher.set_input_offset((block * BLOCK_LEN) as u64).update(leaves.as_flattened());
    hasher.finalize_non_root()
}

/// The chaining values beside the way from a block to the root; none where there is one block.
fn path(leaves: &[Node], block: usize) -> Vec<Node> {
    let blocks = leaves.chunks(BLOCK_LEAVES).enumerate();
    let mut level: Vec<_> = blocks.map(|(block, leaves)| block_value(block, leaves)).collect();
    let (mut path, mut at) = (Vec::new(), block);
    while level.len() > 1 {
        path.extend(level.get(at ^ 1));
        let pairs = level.as_chunks::<2>().0.iter();
        level = pairs.map(|[left, right]| merge_subtrees_non_root(left, right, Mode::Hash)).collect();
        at /= 2;
    }
    path
}

/// The root that a block leads to.
fn climb(block: usize, leaves: &[Node], path: &[Node]) -> [u8; 32] {
    let Some((last, inner)) = path.split_last() else { return root_of(leaves) };
    let (mut value, mut at) = (block_value(block, leaves), block);
    for beside in inner {
        let (left, right) = in_order(at, &value, beside);
        value = merge_subtrees_non_root(left, right, Mode::Hash);
        at /= 2;
    }
    let (left, right) = in_order(at, &value, last);
    *merge_subtrees_root(left, right, Mode::Hash).as_bytes()
}

fn in_order<'a>(at: usize, value: &'a Node, beside: &'a Node) -> (&'a Node, &'a Node) {
    if at.is_multiple_of(2) { (value, beside) } else { (beside, value) }
}
