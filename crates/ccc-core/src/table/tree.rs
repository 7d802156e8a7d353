//! The state tree: a full SHA-256 Merkle tree over salted row commitments.
//!
//! *Layout*: leaf = SHA-256(00 ‖ salt ‖ row), node = SHA-256(01 ‖ left ‖ right). The salts are new in each version, so
//! the leaves of unchanged rows do not link versions. *Source*: `docs/spec/table.md`, section *State*.

use super::{Tier, key::SALT_LEN, row::ROW_LEN, sha256};
use crate::parallel::prelude::*;
use alloc::vec;
use alloc::vec::Vec;

/// A node of the tree.
pub type Node = [u8; 32];

/// Nodes of a level that one thread makes at a time.
const SERIAL: usize = 512;

/// The commitment to a row.
#[must_use]
pub fn leaf(salt: &[u8; SALT_LEN], row: &[u8; ROW_LEN]) -> Node {
    sha256::of_two_blocks([&[0], salt, row])
}

pub(super) fn node(left: &Node, right: &Node) -> Node {
    sha256::of_two_blocks([&[1], left, right])
}

/// The commitments to rows with their salts, as many as there are places for: [`leaf`] for each.
pub(super) fn leaves<'a>(rows: impl Iterator<Item = ([u8; SALT_LEN], &'a [u8; ROW_LEN])>, leaves: &mut [Node]) {
    sha256::of_two_blocks_each(1 + SALT_LEN + ROW_LEN, rows, leaves, |(salt, row), blocks| {
        let (head, rest) = blocks[1..].split_at_mut(SALT_LEN);
        head.copy_from_slice(&salt);
        rest[..ROW_LEN].copy_from_slice(row);
    });
}

/// The level above nodes, of which there are two for each place: [`node`] for each pair.
pub(super) fn parents(level: &[Node], parents: &mut [Node]) {
    let pairs = level.as_flattened().as_chunks::<64>().0.iter();
    sha256::of_two_blocks_each(65, pairs, parents, |pair, blocks| {
        blocks[0] = 1;
        blocks[1..65].copy_from_slice(pair);
    });
}

/// Every level of the tree, leaves first, root last.
pub(super) struct Tree {
    levels: Vec<Vec<Node>>,
    root: Node,
}

impl Tree {
    /// The tree over `leaves`, whose number is a power of two.
    pub(super) fn new(leaves: Vec<Node>) -> Self {
        let mut levels = vec![];
        let mut level = leaves;
        while level.len() > 1 {
            let mut above = vec![[0; 32]; level.len() / 2];
            let parts = level.par_chunks(2 * SERIAL).zip(above.par_chunks_mut(SERIAL));
            parts.for_each(|(level, above)| parents(level, above));
            levels.push(core::mem::replace(&mut level, above));
        }
        Self { root: level.first().copied().unwrap_or_default(), levels }
    }

    pub(super) fn root(&self) -> Node {
        self.root
    }

    /// The levels from the leaves upward, without the root.
    pub(super) fn levels(&self) -> &[Vec<Node>] {
        &self.levels
    }
}

/// The state root over all rows of a tier with their salts; none where there are not as many salts as rows, or no power of
/// two of them.
#[must_use]
pub fn state_root(salts: &[[u8; SALT_LEN]], rows: &[[u8; ROW_LEN]]) -> Option<Node> {
    if salts.len() != rows.len() || !rows.len().is_power_of_two() {
        return None;
    }
    let mut level = vec![[0; 32]; rows.len()];
    let parts = level.par_chunks_mut(SERIAL).zip(salts.par_chunks(SERIAL)).zip(rows.par_chunks(SERIAL));
    parts.for_each(|((out, salts), rows)| leaves(salts.iter().copied().zip(rows), out));
    Some(Tree::new(level).root())
}

/// Why a row does not stand under a state root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The path has another length than the tier.
    #[error("a path of {found} nodes, where the tier has {expected}")]
    Length {
        /// log2 of the rows.
        expected: usize,
        /// Nodes found.
        found: usize,
    },
    /// No such row.
    #[error("row {found} of {rows}")]
    Index {
        /// Rows of the tier.
        rows: usize,
        /// The index found.
        found: u32,
    },
    /// The path leads elsewhere.
    #[error("the path leads to another state root")]
    Root {
        /// The root of the header.
        expected: Node,
        /// Where the path leads.
        found: Node,
    },
}

/// Whether row `index` with this salt stands under the state root; `path` holds the siblings from the leaf upward.
///
/// # Errors
/// [`ProofError`].
pub fn verify_row(
    state_root: &Node,
    tier: Tier,
    index: u32,
    row: &[u8; ROW_LEN],
    salt: &[u8; SALT_LEN],
    path: &[Node],
) -> Result<(), ProofError> {
    let expected = usize::from(tier.log2());
    if path.len() != expected {
        return Err(ProofError::Length { expected, found: path.len() });
    }
    if index >> tier.log2() != 0 {
        return Err(ProofError::Index { rows: tier.rows(), found: index });
    }
    let found = climb(index, leaf(salt, row), path);
    if found == *state_root { Ok(()) } else { Err(ProofError::Root { expected: *state_root, found }) }
}

fn climb(index: u32, leaf: Node, path: &[Node]) -> Node {
    path.iter().enumerate().fold(leaf, |here, (level, sibling)| match (index >> level) & 1 {
        0 => node(&here, sibling),
        _ => node(sibling, &here),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_the_root() {
        let (tier, salt) = (Tier::SMALLEST, [9; SALT_LEN]);
        let row = |i: u32| {
            let mut row = [0; ROW_LEN];
            row[..4].copy_from_slice(&i.to_be_bytes());
            row
        };
        let tree = Tree::new((0..1024).map(|i| leaf(&salt, &row(i))).collect());
        let (salts, rows) = (vec![salt; 1024], (0..1024).map(row).collect::<Vec<_>>());
        assert_eq!(state_root(&salts, &rows), Some(tree.root()));
        assert_eq!(state_root(&salts[1..], &rows), None);
        assert_eq!(state_root(&salts[1..], &rows[1..]), None);
        let path = |i: usize| -> Vec<Node> {
            tree.levels().iter().enumerate().map(|(level, nodes)| nodes[(i >> level) ^ 1]).collect()
        };
        for i in [0u32, 1, 511, 512, 1023] {
            let path = path(i as usize);
            assert_eq!(verify_row(&tree.root(), tier, i, &row(i), &salt, &path), Ok(()));
            assert!(matches!(
                verify_row(&tree.root(), tier, i ^ 1, &row(i), &salt, &path),
                Err(ProofError::Root { .. })
            ));
            assert!(matches!(
                verify_row(&tree.root(), tier, i, &row(i + 1), &salt, &path),
                Err(ProofError::Root { .. })
            ));
            assert_eq!(
                verify_row(&tree.root(), tier, i, &row(i), &salt, &path[1..]),
                Err(ProofError::Length { expected: 10, found: 9 })
            );
            assert_eq!(
                verify_row(&tree.root(), tier, i + 1024, &row(i), &salt, &path),
                Err(ProofError::Index { rows: 1024, found: i + 1024 })
            );
        }
    }
}
