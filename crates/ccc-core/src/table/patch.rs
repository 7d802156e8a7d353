//! Writing rows back in one scan that touches every row alike.
//!
//! A patch is the index of a row and what to exclusive-or onto it. Every row takes the sum of all patches under the
//! masks of their indices, which is zero for most rows.
//!
//! *Timing*: addresses depend on the number of rows and patches alone, and there is no branch on either.

use super::{
    lanes::{self, Quad},
    row::ROW_LEN,
};
use alloc::vec;
use alloc::vec::Vec;

/// An index that no row has.
const NOWHERE: u32 = u32::MAX;
/// First byte and length of the fields that a delta changes: amount, reservation, nonce.
const DELTA_AT: usize = 24;
const DELTA_LEN: usize = 32;

/// A row before and after; the index is none where there is no such row.
pub(super) struct Patch {
    pub(super) index: Option<u32>,
    pub(super) old: [u8; ROW_LEN],
    pub(super) new: [u8; ROW_LEN],
}

/// The index four times, and the quads to exclusive-or.
struct Masked<const N: usize> {
    index: Quad,
    quads: [Quad; N],
}

/// Everything that a version writes, beside the status row.
pub(super) struct Patches {
    whole: Vec<Masked<4>>,
    deltas: Vec<Masked<2>>,
}

impl Patches {
    /// `whole` may change every byte of a row; `deltas` change amount, reservation and nonce.
    pub(super) fn new<'a>(whole: impl Iterator<Item = &'a Patch>, deltas: &[Patch]) -> Self {
        Self { whole: whole.map(Masked::whole).collect(), deltas: deltas.iter().map(Masked::delta).collect() }
    }

    /// Nothing to write.
    pub(super) fn none() -> Self {
        Self { whole: vec![], deltas: vec![] }
    }

    /// Writes onto the rows of one chunk, the first of which has the number `first`.
    pub(super) fn apply(&self, first: u32, rows: &mut [[u8; ROW_LEN]]) {
        for (index, row) in (first..).zip(&mut *rows) {
            let [a, b] = sum(index, &self.deltas);
            let fields = row[DELTA_AT..DELTA_AT + DELTA_LEN].as_chunks_mut::<4>().0;
            for (bytes, word) in fields.iter_mut().zip(a.iter().chain(&b)) {
                *bytes = (u32::from_le_bytes(*bytes) ^ word).to_le_bytes();
            }
        }
        if !self.whole.is_empty() {
            self.apply_whole(first, rows);
        }
    }

    fn apply_whole(&self, first: u32, rows: &mut [[u8; ROW_LEN]]) {
        for (index, row) in (first..).zip(rows) {
            let (old, sum) = (lanes::quads(row), sum(index, &self.whole));
            *row = lanes::bytes(&core::array::from_fn(|i| lanes::xor(old[i], sum[i])));
        }
    }
}

impl<const N: usize> Masked<N> {
    fn index(patch: &Patch) -> Quad {
        [patch.index.unwrap_or(NOWHERE); 4]
    }
}

impl Masked<4> {
    fn whole(patch: &Patch) -> Self {
        let (old, new) = (lanes::quads(&patch.old), lanes::quads(&patch.new));
        Self { index: Self::index(patch), quads: core::array::from_fn(|i| lanes::xor(old[i], new[i])) }
    }
}

impl Masked<2> {
    fn delta(patch: &Patch) -> Self {
        let words = |row: &[u8; ROW_LEN], at| -> Quad {
            let words = row[at..at + 16].as_chunks::<4>().0;
            core::array::from_fn(|i| u32::from_le_bytes(words[i]))
        };
        let quads = core::array::from_fn(|i| {
            let at = DELTA_AT + 16 * i;
            lanes::xor(words(&patch.old, at), words(&patch.new, at))
        });
        Self { index: Self::index(patch), quads }
    }
}

/// What the patches of a row come to.
#[inline]
fn sum<const N: usize>(index: u32, patches: &[Masked<N>]) -> [Quad; N] {
    let mut sums = [[0; 4]; N];
    for patch in patches {
        let mask = lanes::same(patch.index, [index; 4]);
        for (sum, quad) in sums.iter_mut().zip(&patch.quads) {
            *sum = lanes::xor(*sum, lanes::and(mask, *quad));
        }
    }
    sums
}
