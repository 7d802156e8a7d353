//! A sidecar's head and tree checked while it is read in pieces, for stores that never have the whole of it.
//!
//! Each level, taken as leaves, leads to the state root. So each is the level of that tree, or SHA-256 has a collision.

use super::{HEAD_LEN, Header, NODE_LEN, Node, SidecarError, Tree, check_head};
use crate::table::StoreError;
use alloc::{vec, vec::Vec};

/// Nodes read at once, 64 KiB.
const READ_NODES: usize = 2048;

/// Compares a sidecar's head and levels with a header. `read` fills bytes from an offset.
///
/// The entries are not looked at: only their owners' keys can tell.
///
/// *Timing*: reads the levels, 64 of the 176 bytes per row.
///
/// # Errors
/// [`StoreError::Sidecar`], and those of `read`.
pub fn check_sidecar(
    header: &Header,
    mut read: impl FnMut(u64, &mut [u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let refused = |source| StoreError::Sidecar { header_hash: header.hash(), source };
    let mut head = [0; HEAD_LEN];
    read(0, &mut head)?;
    check_head(&head, header).map_err(refused)?;
    let (mut at, expected) = (HEAD_LEN, header.state_root());
    for level in (1..=header.tier().log2()).rev() {
        let nodes = 1 << level;
        let found = level_root(at, nodes, &mut read)?;
        if found != expected {
            return Err(refused(SidecarError::StateRoot { expected, found }));
        }
        at += nodes * NODE_LEN;
    }
    Ok(())
}

/// The root over `nodes` nodes, a power of two, that begin at byte `at`.
fn level_root(
    at: usize,
    nodes: usize,
    read: &mut impl FnMut(u64, &mut [u8]) -> Result<(), StoreError>,
) -> Result<Node, StoreError> {
    let mut piece: Vec<Node> = vec![[0; NODE_LEN]; nodes.min(READ_NODES)];
    let mut roots = Vec::with_capacity(nodes.div_ceil(READ_NODES));
    for first in (0..nodes).step_by(READ_NODES) {
        read((at + first * NODE_LEN) as u64, piece.as_flattened_mut())?;
        roots.push(Tree::new(piece.clone()).root());
    }
    Ok(Tree::new(roots).root())
}
