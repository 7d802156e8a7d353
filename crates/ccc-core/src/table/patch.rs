//! Writing rows back in one scan that touches every row alike.
//!
//! A patch is the index of a row and what to exclusive-or onto it. Every row takes the sum of all patches under the
//! masks of their indices, which is zero for most rows. Deltas stand in bins, and a row meets one bin. Up to 64 deltas
//! the bins are taken in turn ([`turns`](super::turns)); above, by a hash of the index ([`place`](super::place)).
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
    turns::{self, Turns},
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
pub(super) struct Masked<const N: usize> {
    pub(super) index: Quad,
    pub(super) quads: [Quad; N],
}

/// Everything that a version writes, beside the status row.
pub(super) struct Patches {
    whole: Vec<Masked<4>>,
    deltas: Vec<Masked<2>>,
    bins: Bins,
}

/// Where the deltas stand.
enum Bins {
    /// Every row meets every delta.
    None,
    /// In bins of eight.
    Turns(Turns),
    /// In bins of sixteen.
    Hashed(BinHash),
}

impl Patches {
    /// `whole` may change every byte of a row; `deltas` change amount, reservation and nonce.
    pub(super) fn new<'a>(whole: impl Iterator<Item = &'a Patch>, deltas: &[Patch], seed: [u64; 4]) -> Self {
        let whole = whole.map(Masked::whole).collect();
        let deltas: Vec<_> = deltas.iter().map(Masked::delta).collect();
        let in_bins = if deltas.len() > GREATEST_DIRECT { hashed } else { in_turns };
        let binned = place::seeds(seed).find_map(|seed| in_bins(&deltas, seed));
        let (deltas, bins) = binned.unwrap_or((deltas, Bins::None));
        Self { whole, deltas, bins }
    }

    /// Nothing to write.
    pub(super) fn none() -> Self {
        Self { whole: vec![], deltas: vec![], bins: Bins::None }
    }

    /// Writes onto the rows of one chunk, the first of which has the number `first`.
    pub(super) fn apply(&self, first: u32, rows: &mut [[u8; ROW_LEN]]) {
        self.apply_touching(first, rows, &mut touch);
    }

    /// [`Patches::apply`], telling what it touches.
    #[inline]
    pub(super) fn apply_touching(&self, first: u32, rows: &mut [[u8; ROW_LEN]], touch: &mut impl FnMut(Touch)) {
        match &self.bins {
            Bins::None => self.apply_deltas(first, rows, |_| 0..self.deltas.len(), touch),
            Bins::Turns(turns) => {
                for (first, rows) in (first..).step_by(turns::RUN).zip(rows.chunks_mut(turns::RUN)) {
                    let run = turns.run(first);
                    self.apply_in_turns(first, rows, run, touch);
                }
            }
            Bins::Hashed(hash) => {
                let met = |index| {
                    let from = hash.bin([u64::from(index), 0, 0]) as usize * LANES;
                    from..from + LANES
                };
                self.apply_deltas(first, rows, met, touch);
            }
        }
        if !self.whole.is_empty() {
            self.apply_whole(first, rows);
        }
    }

    /// Writes the deltas; `met` says which of them a row meets.
    #[inline]
    fn apply_deltas(
        &self,
        first: u32,
        rows: &mut [[u8; ROW_LEN]],
        met: impl Fn(u32) -> core::ops::Range<usize>,
        touch: &mut impl FnMut(Touch),
    ) {
        for (index, row) in (first..).zip(rows) {
            touch(Touch::Row(index));
            let met = met(index);
            touch(Touch::Group(met.start));
            write(row, sum_of_deltas(index, self.deltas.get(met).unwrap_or_default()));
        }
    }

    /// [`Patches::apply_deltas`] for a run of rows.
    #[inline]
    fn apply_in_turns(
        &self,
        first: u32,
        rows: &mut [[u8; ROW_LEN]],
        run: impl Iterator<Item = usize>,
        touch: &mut impl FnMut(Touch),
    ) {
        let bins: &[[Masked<2>; turns::SLOTS]] = self.deltas.as_chunks().0;
        for ((index, row), bin) in (first..).zip(rows).zip(run) {
            touch(Touch::Row(index));
            touch(Touch::Group(bin));
            if let Some(deltas) = bins.get(bin) {
                write(row, sum_of_deltas(index, deltas));
            }
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

/// The deltas in bins by their index, as many bins as deltas at least; none where one overflows.
fn hashed(deltas: &[Masked<2>], seed: [u64; 4]) -> Option<(Vec<Masked<2>>, Bins)> {
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
    Some((placed.slots.iter().map(Masked::of_item).collect(), Bins::Hashed(hash)))
}

/// The deltas in bins that rows meet in turn; none where one overflows.
fn in_turns(deltas: &[Masked<2>], seed: [u64; 4]) -> Option<(Vec<Masked<2>>, Bins)> {
    let turns = Turns::new(seed, deltas.len());
    let indices: Vec<_> = deltas.iter().map(|delta| delta.index[0]).collect();
    let slots = turns.slots(&indices)?;
    // by slot; the index against that of nothing, so that the sum of nothing is nothing
    let by_slot = |(delta, slot): (&Masked<2>, &u32)| {
        let [first, second] = delta.quads;
        Masked { index: [*slot; 4], quads: [lanes::xor(delta.index, [NOWHERE; 4]), first, second] }
    };
    let by_slot: Vec<_> = deltas.iter().zip(&slots).map(by_slot).collect();
    let in_slot = |slot| {
        let [index, first, second] = sum(slot, &by_slot);
        Masked { index: lanes::xor(index, [NOWHERE; 4]), quads: [first, second] }
    };
    Some(((0..turns.slot_count()).map(in_slot).collect(), Bins::Turns(turns)))
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
    for (at, patch) in patches.iter().enumerate() {
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
