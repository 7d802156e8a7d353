//! Writing rows back in one scan that touches every row alike.
//!
//! A patch is the index of a row and what to exclusive-or onto it. Every row takes the sum of all patches under the
//! masks of their indices, which is zero for most rows. Up to 64 deltas a row meets three slots in turn
//! ([`turns`](super::turns)); above, the sixteen of one bin, by a hash of the index ([`place`](super::place)).
//!
//! *Timing*: there is no branch on a row or patch; addresses depend on the number of rows and patches and on a secret
//! seed, never on what is written or where.

use super::{
    lanes::{self, Quad},
    lookup::{GREATEST_DIRECT, LANES, Touch},
    mask,
    place::{self, BinHash, Item, NOWHERE},
    row::ROW_LEN,
    touch::{slot, touch},
    turns::{TABLES, Turns},
};
use alloc::vec;
use alloc::vec::Vec;

/// First byte and length of the fields that a delta changes: amount, reservation, nonce.
const DELTA_AT: usize = 24;
const DELTA_LEN: usize = 32;
const DELTA_WORDS: usize = DELTA_LEN / 4;
const PLACED_WORDS: usize = DELTA_WORDS + 1;

/// A row before and after; the index is none where there is no such row.
pub(super) struct Patch {
    pub(super) index: Option<u32>,
    pub(super) old: [u8; ROW_LEN],
    pub(super) new: [u8; ROW_LEN],
}

/// The index four times, and the quads to exclusive-or.
#[derive(Clone)]
pub(super) struct Masked<const N: usize> {
    pub(super) index: Quad,
    pub(super) quads: [Quad; N],
}

/// Everything that a version writes, beside the status row.
pub(super) struct Patches {
    whole: Vec<Masked<4>>,
    deltas: Deltas,
}

/// Where the deltas stand.
enum Deltas {
    /// Every row meets every delta.
    Listed(Vec<Masked<2>>),
    /// In tables that rows meet in turn, each twice: the rows of a block meet slots without a gap.
    InTurns(Turns, [Vec<Masked<2>>; TABLES]),
    /// In bins of sixteen.
    Hashed(BinHash, Vec<Masked<2>>),
}

impl Patches {
    /// `whole` may change every byte of a row; `deltas` change amount, reservation and nonce.
    pub(super) fn new<'a>(whole: impl Iterator<Item = &'a Patch>, deltas: &[Patch], seed: [u64; 4]) -> Self {
        let whole = whole.map(Masked::whole).collect();
        let deltas: Vec<_> = deltas.iter().map(Masked::delta).collect();
        let placed = if deltas.len() > GREATEST_DIRECT { hashed } else { in_turns };
        let placed = place::seeds(seed).find_map(|seed| placed(&deltas, seed));
        Self { whole, deltas: placed.unwrap_or(Deltas::Listed(deltas)) }
    }

    /// Nothing to write.
    pub(super) fn none() -> Self {
        Self { whole: vec![], deltas: Deltas::Listed(vec![]) }
    }

    /// Writes onto the rows of one chunk, the first of which has the number `first`.
    pub(super) fn apply(&self, first: u32, rows: &mut [[u8; ROW_LEN]]) {
        self.apply_touching(first, rows, &mut touch);
    }

    /// [`Patches::apply`], telling what it touches.
    #[inline]
    pub(super) fn apply_touching(&self, first: u32, rows: &mut [[u8; ROW_LEN]], touch: &mut impl FnMut(Touch)) {
        match &self.deltas {
            Deltas::Listed(deltas) => apply_deltas(deltas, first, rows, |_| 0..deltas.len(), touch),
            Deltas::InTurns(turns, tables) => {
                let blocks = (first..).step_by(turns.slots()).zip(rows.chunks_mut(turns.slots()));
                blocks.for_each(|(first, rows)| apply_in_turns(tables, turns.block(first), first, rows, touch));
            }
            Deltas::Hashed(hash, deltas) => {
                let met = |index| {
                    let from = hash.bin([u64::from(index), 0, 0]) as usize * LANES;
                    from..from + LANES
                };
                apply_deltas(deltas, first, rows, met, touch);
            }
        }
        if !self.whole.is_empty() {
            self.apply_whole(first, rows);
        }
    }

    fn apply_whole(&self, first: u32, rows: &mut [[u8; ROW_LEN]]) {
        for (index, row) in (first..).zip(rows) {
            touch(Touch::Row(index));
            let (old, sum) = (lanes::quads(row), sum(index, &self.whole));
            *row = lanes::bytes(&core::array::from_fn(|i| lanes::xor(old[i], sum[i])));
        }
    }
}

/// Writes the deltas; `met` says which of them a row meets.
#[inline]
fn apply_deltas(
    deltas: &[Masked<2>],
    first: u32,
    rows: &mut [[u8; ROW_LEN]],
    met: impl Fn(u32) -> core::ops::Range<usize>,
    touch: &mut impl FnMut(Touch),
) {
    for (index, row) in (first..).zip(rows) {
        touch(Touch::Row(index));
        let met = met(index);
        touch(Touch::Group(met.start));
        write(row, sum_of_deltas(index, deltas.get(met).unwrap_or_default()));
    }
}

/// [`apply_deltas`] for the rows of a block, the first of which meets the slots `from`.
#[inline]
fn apply_in_turns(
    tables: &[Vec<Masked<2>>; TABLES],
    from: [usize; TABLES],
    first: u32,
    rows: &mut [[u8; ROW_LEN]],
    touch: &mut impl FnMut(Touch),
) {
    let [one, two, three] = tables;
    let [a, b, c] = from;
    let met = one[a..].iter().zip(&two[b..]).zip(&three[c..]);
    for ((index, row), ((one, two), three)) in (first..).zip(rows).zip(met) {
        touch(Touch::Row(index));
        from.into_iter().for_each(|from| touch(Touch::Group(from)));
        write(row, sum_of_deltas(index, [one, two, three]));
    }
}

/// The deltas in bins by their index, as many bins as deltas at least; none where one overflows.
fn hashed(deltas: &[Masked<2>], seed: [u64; 4]) -> Option<Deltas> {
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
    Some(Deltas::Hashed(hash, placed.slots.iter().map(Masked::of_item).collect()))
}

/// The deltas in slots that rows meet in turn; none where one finds no slot.
fn in_turns(deltas: &[Masked<2>], seed: [u64; 4]) -> Option<Deltas> {
    let turns = Turns::new(seed, deltas.len());
    let indices: Vec<_> = deltas.iter().map(|delta| delta.index[0]).collect();
    let standing = turns.place(&indices)?;
    // no row has the index of nobody, so that what stands with it is never written
    let in_slot = |index: &u32| Masked { index: [*index; 4], quads: sum_of_deltas(*index, deltas) };
    let tables = standing.map(|table| {
        let slots: Vec<_> = table.iter().map(in_slot).collect();
        [&slots[..], &slots[..]].concat()
    });
    Some(Deltas::InTurns(turns, tables))
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
fn sum_of_deltas<'a>(index: u32, patches: impl IntoIterator<Item = &'a Masked<2>>) -> [Quad; 2] {
    let (mut first, mut second) = ([0; 4], [0; 4]);
    for (at, patch) in patches.into_iter().enumerate() {
        slot(at);
        let mask = lanes::same(patch.index, [index; 4]);
        first = lanes::xor(first, lanes::and(mask, patch.quads[0]));
        second = lanes::xor(second, lanes::and(mask, patch.quads[1]));
    }
    [first, second]
}

/// Writes the fields that a delta changes.
#[inline]
fn write(row: &mut [u8; ROW_LEN], [a, b]: [Quad; 2]) {
    let fields = row[DELTA_AT..DELTA_AT + DELTA_LEN].as_chunks_mut::<4>().0;
    for (bytes, word) in fields.iter_mut().zip(a.iter().chain(&b)) {
        *bytes = (u32::from_le_bytes(*bytes) ^ word).to_le_bytes();
    }
}

/// What the patches of a row come to.
#[inline]
fn sum<const N: usize>(index: u32, patches: &[Masked<N>]) -> [Quad; N] {
    let mut sums = [[0; 4]; N];
    for (at, patch) in patches.iter().enumerate() {
        slot(at);
        let mask = lanes::same(patch.index, [index; 4]);
        for (sum, quad) in sums.iter_mut().zip(&patch.quads) {
            *sum = lanes::xor(*sum, lanes::and(mask, *quad));
        }
    }
    sums
}

#[cfg(test)]
mod tests;
