//! Writing rows back in one scan that touches every row alike.
//!
//! A patch is the index of a row and what to exclusive-or onto it. Every row takes the sum of all patches under the
//! masks of their indices, which is zero for most rows. Above 64 deltas the patches stand in bins
//! ([`place`](super::place)) by a hash of the index, and a row meets one bin.
//!
//! *Timing*: there is no branch on a row or patch; addresses depend on the number of rows and patches and on a secret
//! seed, never on what is written or where.

use super::{
    lanes::{self, Quad},
    lookup::{GREATEST_DIRECT, LANES, Touch},
    mask,
    place::{self, BinHash, Item, NOWHERE},
    row::ROW_LEN,
};
use alloc::vec;
use alloc::vec::Vec;

/// First byte and length of the fields that a delta changes: amount, reservation, nonce.
const DELTA_AT: usize = 24;
const DELTA_LEN: usize = 32;
const DELTA_WORDS: usize = DELTA_LEN / 4;
const PLACED_WORDS: usize = DELTA_WORDS + 1;
/// Seeds that are tried before every row meets every patch.
const ATTEMPTS: u64 = 4;

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
    /// Where the deltas stand in bins of sixteen.
    bins: Option<BinHash>,
}

impl Patches {
    /// `whole` may change every byte of a row; `deltas` change amount, reservation and nonce.
    pub(super) fn new<'a>(whole: impl Iterator<Item = &'a Patch>, deltas: &[Patch], seed: [u64; 4]) -> Self {
        let whole = whole.map(Masked::whole).collect();
        let deltas: Vec<_> = deltas.iter().map(Masked::delta).collect();
        if deltas.len() > GREATEST_DIRECT {
            let tried =
                (0..ATTEMPTS).find_map(|attempt| binned(&deltas, [seed[0] ^ attempt, seed[1], seed[2], seed[3]]));
            if let Some((deltas, hash)) = tried {
                return Self { whole, deltas, bins: Some(hash) };
            }
        }
        Self { whole, deltas, bins: None }
    }

    /// Nothing to write.
    pub(super) fn none() -> Self {
        Self { whole: vec![], deltas: vec![], bins: None }
    }

    /// Writes onto the rows of one chunk, the first of which has the number `first`.
    pub(super) fn apply(&self, first: u32, rows: &mut [[u8; ROW_LEN]]) {
        self.apply_touching(first, rows, &mut |_| ());
    }

    /// [`Patches::apply`], telling what it touches.
    #[inline]
    pub(super) fn apply_touching(&self, first: u32, rows: &mut [[u8; ROW_LEN]], touch: &mut impl FnMut(Touch)) {
        for (index, row) in (first..).zip(&mut *rows) {
            touch(Touch::Row(index));
            let met = self.met(index);
            touch(Touch::Group(met.start));
            let [a, b] = sum_of_deltas(index, self.deltas.get(met).unwrap_or_default());
            let fields = row[DELTA_AT..DELTA_AT + DELTA_LEN].as_chunks_mut::<4>().0;
            for (bytes, word) in fields.iter_mut().zip(a.iter().chain(&b)) {
                *bytes = (u32::from_le_bytes(*bytes) ^ word).to_le_bytes();
            }
        }
        if !self.whole.is_empty() {
            self.apply_whole(first, rows);
        }
    }

    /// The delta patches that a row meets.
    #[inline]
    fn met(&self, index: u32) -> core::ops::Range<usize> {
        match &self.bins {
            None => 0..self.deltas.len(),
            Some(hash) => {
                let from = hash.bin([u64::from(index), 0, 0]) as usize * LANES;
                from..from + LANES
            }
        }
    }

    fn apply_whole(&self, first: u32, rows: &mut [[u8; ROW_LEN]]) {
        for (index, row) in (first..).zip(rows) {
            let (old, sum) = (lanes::quads(row), sum(index, &self.whole));
            *row = lanes::bytes(&core::array::from_fn(|i| lanes::xor(old[i], sum[i])));
        }
    }
}

/// The deltas in bins by their index, as many bins as deltas at least; none where one overflows.
fn binned(deltas: &[Masked<2>], seed: [u64; 4]) -> Option<(Vec<Masked<2>>, BinHash)> {
    let bins = deltas.len().next_power_of_two();
    let hash = BinHash::new(seed, bins);
    let items = deltas.iter().map(|delta| {
        let [index, ..] = delta.index;
        let mut words = [index; PLACED_WORDS];
        words[..DELTA_WORDS].copy_from_slice(delta.quads.as_flattened());
        let nowhere = mask::is_zero_32(index ^ NOWHERE);
        Item { number: (!nowhere & hash.bin([u64::from(index), 0, 0])) | (nowhere & NOWHERE), words }
    });
    let placed = place::place(items.collect(), bins)?;
    Some((placed.slots.iter().map(Masked::of_item).collect(), hash))
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
    fn of_item(item: &Item<PLACED_WORDS>) -> Self {
        let empty = mask::is_zero_32(item.number ^ NOWHERE);
        let [.., index] = item.words;
        let index = (!empty & index) | (empty & NOWHERE);
        Self { index: [index; 4], quads: core::array::from_fn(|i| core::array::from_fn(|j| item.words[4 * i + j])) }
    }

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

/// [`sum`] with both quads in registers of their own, three times as fast as the loop over them.
#[inline]
fn sum_of_deltas(index: u32, patches: &[Masked<2>]) -> [Quad; 2] {
    let (mut first, mut second) = ([0; 4], [0; 4]);
    for patch in patches {
        let mask = lanes::same(patch.index, [index; 4]);
        first = lanes::xor(first, lanes::and(mask, patch.quads[0]));
        second = lanes::xor(second, lanes::and(mask, patch.quads[1]));
    }
    [first, second]
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
