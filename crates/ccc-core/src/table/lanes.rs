//! Four 32-bit words at a time, written so that compilers keep them in one vector register.
//!
//! *Timing*: no branch and no address depends on a value.

use super::{mask, row::ROW_LEN};

/// Four words.
pub(super) type Quad = [u32; 4];

/// A row as quads: words in memory order.
#[inline]
pub(super) fn quads(row: &[u8; ROW_LEN]) -> [Quad; 4] {
    let words = row.as_chunks::<4>().0;
    core::array::from_fn(|i| core::array::from_fn(|j| u32::from_le_bytes(words[4 * i + j])))
}

/// The four words of a row from a byte on.
#[inline]
pub(super) fn quad(row: &[u8; ROW_LEN], at: usize) -> Quad {
    let words = row[at..at + 16].as_chunks::<4>().0;
    core::array::from_fn(|i| u32::from_le_bytes(words[i]))
}

/// The bytes of the quads of a row.
#[inline]
pub(super) fn bytes(quads: &[Quad; 4]) -> [u8; ROW_LEN] {
    let mut row = [0; ROW_LEN];
    for (bytes, word) in row.as_chunks_mut::<4>().0.iter_mut().zip(quads.iter().flatten()) {
        *bytes = word.to_le_bytes();
    }
    row
}

#[inline]
pub(super) fn and(a: Quad, b: Quad) -> Quad {
    core::array::from_fn(|i| a[i] & b[i])
}

#[inline]
pub(super) fn or(a: Quad, b: Quad) -> Quad {
    core::array::from_fn(|i| a[i] | b[i])
}

#[inline]
pub(super) fn xor(a: Quad, b: Quad) -> Quad {
    core::array::from_fn(|i| a[i] ^ b[i])
}

#[inline]
pub(super) fn add(a: Quad, b: Quad) -> Quad {
    core::array::from_fn(|i| a[i].wrapping_add(b[i]))
}

/// All ones in the places where both are the same.
#[inline]
pub(super) fn same(a: Quad, b: Quad) -> Quad {
    core::array::from_fn(|i| mask::is_zero_32(a[i] ^ b[i]))
}
