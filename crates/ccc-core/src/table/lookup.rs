//! Finding rows by account and asset in one scan that touches every row alike.
//!
//! The wanted keys stand in groups of sixteen, word by word, so that one comparison meets four of them in a vector
//! register. A row is added under its mask to every slot of a group; what a slot holds in the end is its row, if
//! exactly one row had the key.
//!
//! Up to 64 keys, every row meets every group, and of a row that has a key only its number is added; then the rows with
//! these numbers are collected ([`gather`](super::gather)). Above, the groups are bins ([`place`](super::place)), a row
//! meets the bin of its own key, and all of it is added.
//!
//! *Timing*: there is no branch on a row or key. Addresses depend on the number of rows and keys and on a secret seed;
//! with bins also on a hash of the keys that stand in the table, and of the indices of unused rows, under the seed. They
//! never depend on the keys that are looked for.

use super::{
    gather::{self, Collected},
    lanes::{self, Quad},
    mask::{self, RowKey},
    place::{self, BinHash, Item, NOWHERE},
    row::{self, ROW_LEN, RowFault},
    rows::Located,
    seal::number,
    touch::{slot, touch},
};
use alloc::vec;
use alloc::vec::Vec;

/// Keys in a group.
pub(super) const LANES: usize = 16;
const KEY_WORDS: usize = 6;
const ROW_WORDS: usize = ROW_LEN / 4;
const HELD_WORDS: usize = 12;
/// A key and its place among the keys.
const PLACED_WORDS: usize = KEY_WORDS + 1;
/// The most keys that every row meets.
pub(super) const GREATEST_DIRECT: usize = 64;

/// Sixteen keys, word by word.
struct KeyGroup([[u32; LANES]; KEY_WORDS]);

/// The words of a row after its key, its index, and one.
type Held = [Quad; 3];

/// Rows that are numbered together: from 1, so that the sum of all numbers is below [`FOUND`].
const NUMBERED: usize = 4096;
/// One row that was found, in the word that its number is added to. The upper byte counts up to 255 of them; more have
/// numbers that sum up to more than [`NUMBERED`].
const FOUND: u32 = 1 << 24;

/// The keys to look for.
pub(super) struct Lookup {
    keys: Vec<RowKey>,
    seed: [u64; 4],
    groups: Vec<KeyGroup>,
    bins: Option<Bins>,
}

/// How the keys came into bins.
struct Bins {
    hash: BinHash,
    distances: Vec<u32>,
    places: Vec<u32>,
    items: usize,
}

/// Part of a scan that a test can follow: a row that is read, a group that it meets, a slot of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Touch {
    Row(u32),
    Group(usize),
    Slot(usize),
}

/// What one part of a scan found; parts are merged in any order.
pub(super) struct Findings {
    held: Vec<[Held; LANES]>,
    /// Rows with a key, and the number of the last of them.
    used: u32,
    last: u32,
}

impl Drop for Findings {
    /// A fill, which is faster than erasing word by word; the barrier keeps it.
    fn drop(&mut self) {
        self.held.fill([[[0; 4]; 3]; LANES]);
        core::hint::black_box(&self.held);
    }
}

impl Lookup {
    /// *Security*: a key that occurs twice is found twice; callers that compute on the rows MUST make keys unique.
    pub(super) fn new(keys: Vec<RowKey>, seed: [u64; 4]) -> Self {
        if keys.len() > GREATEST_DIRECT
            && let Some((groups, bins)) = place::seeds(seed).find_map(|seed| binned(&keys, seed))
        {
            return Self { keys, seed, groups, bins: Some(bins) };
        }
        let groups = keys.chunks(LANES).map(KeyGroup::new).collect();
        Self { keys, seed, groups, bins: None }
    }

    pub(super) fn start(&self) -> Findings {
        Findings { held: vec![[[[0; 4]; 3]; LANES]; self.groups.len()], used: 0, last: 0 }
    }

    /// Looks through the rows of a few chunks, the first of which has the number `first`.
    pub(super) fn scan(&self, findings: &mut Findings, first: u32, rows: &[[u8; ROW_LEN]]) {
        self.scan_touching(findings, first, rows, &mut touch);
    }

    /// [`Lookup::scan`], telling what it touches.
    #[inline]
    pub(super) fn scan_touching(
        &self,
        findings: &mut Findings,
        first: u32,
        rows: &[[u8; ROW_LEN]],
        touch: &mut impl FnMut(Touch),
    ) {
        if let Some(bins) = &self.bins {
            return self.scan_bins(bins, findings, first, rows, touch);
        }
        for (first, rows) in (first..).step_by(NUMBERED).zip(rows.chunks(NUMBERED)) {
            let marks = self.mark(findings, first, rows, touch);
            let wanted: Vec<_> = marks.iter().flatten().map(|mark| wanted(first, *mark)).collect();
            // more keys come here where no seed gave them bins; their slots would not fit the chunks that rows come in
            let few = wanted.len() <= GREATEST_DIRECT;
            let collected = few.then(|| gather::gather(self.seed, (first, rows), &wanted, touch)).flatten();
            match collected {
                Some(collected) => findings.add(first, marks.as_flattened(), &collected),
                None => self.scan_whole(findings, first, rows, touch),
            }
        }
    }

    /// The sum of the numbers of the rows that have each key.
    #[inline]
    fn mark(
        &self,
        findings: &mut Findings,
        first: u32,
        rows: &[[u8; ROW_LEN]],
        touch: &mut impl FnMut(Touch),
    ) -> Vec<[u32; LANES]> {
        let mut marks = vec![[0_u32; LANES]; self.groups.len()];
        for ((index, mark), row) in (first..).zip(FOUND + 1..).zip(rows) {
            touch(Touch::Row(index));
            let words = words(row);
            findings.count(index, &words);
            for (group, marks) in self.groups.iter().zip(&mut marks) {
                for (lane, (sum, mask)) in marks.iter_mut().zip(&group.matches(&words)).enumerate() {
                    slot(lane);
                    *sum = sum.wrapping_add(mask & mark);
                }
            }
        }
        marks
    }

    /// Adds every row to every slot under its mask: where no seed had room for the rows that were found.
    fn scan_whole(&self, findings: &mut Findings, first: u32, rows: &[[u8; ROW_LEN]], touch: &mut impl FnMut(Touch)) {
        for (index, row) in (first..).zip(rows) {
            touch(Touch::Row(index));
            let words = words(row);
            for (group, sums) in self.groups.iter().zip(&mut findings.held) {
                add_under(&group.matches(&words), &held_words(index, &words), sums);
            }
        }
    }

    #[inline]
    fn scan_bins(
        &self,
        bins: &Bins,
        findings: &mut Findings,
        first: u32,
        rows: &[[u8; ROW_LEN]],
        touch: &mut impl FnMut(Touch),
    ) {
        for (index, row) in (first..).zip(rows) {
            touch(Touch::Row(index));
            let words = words(row);
            findings.count(index, &words);
            let bin = bins.hash.row(index, &words) as usize;
            touch(Touch::Group(bin));
            if let (Some(group), Some(sums)) = (self.groups.get(bin), findings.held.get_mut(bin)) {
                add_under(&group.matches(&words), &held_words(index, &words), sums);
            }
        }
    }

    /// The row of each key, in the order of the keys.
    ///
    /// # Errors
    /// A row that two rows share their key with, or that is no row.
    pub(super) fn rows(&self, findings: &Findings) -> Result<Vec<Option<Located>>, (u32, RowFault)> {
        let held = findings.held.iter().flatten().copied();
        let held: Vec<_> = match &self.bins {
            None => held.collect(),
            Some(bins) => bins.by_place(held, self.keys.len()),
        };
        self.keys.iter().zip(&held).map(|(key, sums)| located(*key, sums)).collect()
    }
}

/// The bin of a key; of nothing where it is [`RowKey::ABSENT`].
fn bin_of(hash: &BinHash, key: RowKey) -> u32 {
    let absent = mask::low_32(key.matches(RowKey::ABSENT));
    let words = key.to_bytes();
    let words: &[[u8; 8]] = words.as_chunks().0;
    (!absent & hash.bin(core::array::from_fn(|i| u64::from_le_bytes(words[i])))) | (absent & NOWHERE)
}

/// The keys in bins, as many as keys at least; none where one overflows.
fn binned(keys: &[RowKey], seed: [u64; 4]) -> Option<(Vec<KeyGroup>, Bins)> {
    let bins = keys.len().next_power_of_two();
    let hash = BinHash::new(seed, bins);
    let items = (0u32..).zip(keys).map(|(at, key)| {
        let mut words = [at; PLACED_WORDS];
        for (word, bytes) in words.iter_mut().zip(key.to_bytes().as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        Item { number: bin_of(&hash, *key), words }
    });
    let placed = place::place(items.collect(), bins)?;
    let groups = placed.slots.chunks(LANES).map(KeyGroup::of_items).collect();
    let places = placed.slots.iter().map(|item| item.words[KEY_WORDS]).collect();
    Some((groups, Bins { hash, distances: placed.distances(), places, items: placed.items() }))
}

impl Bins {
    /// What the slots hold, in the order of the keys.
    fn by_place(&self, held: impl Iterator<Item = Held>, keys: usize) -> Vec<Held> {
        let words: Vec<[u32; HELD_WORDS + 1]> = self
            .places
            .iter()
            .zip(held)
            .map(|(place, held)| {
                let mut words = [*place; HELD_WORDS + 1];
                words[..HELD_WORDS].copy_from_slice(held.as_flattened());
                words
            })
            .collect();
        let mut items = place::collect(&self.distances, &words, self.items);
        for item in &mut items {
            let empty = mask::is_zero_32(item.number ^ NOWHERE);
            item.number = (!empty & item.words[HELD_WORDS]) | (empty & NOWHERE);
        }
        let held = place::put(items).into_iter().take(keys);
        held.map(|item| core::array::from_fn(|i| core::array::from_fn(|j| item.words[4 * i + j]))).collect()
    }
}

impl BinHash {
    /// The bin of a row: of its key or, where it is unused, of its index.
    #[inline]
    fn row(&self, index: u32, row: &[u32; ROW_WORDS]) -> u32 {
        let unused = mask::is_zero_32(row.iter().take(KEY_WORDS).fold(0, |all, word| all | word));
        let pair = |at: usize| u64::from(row[at]) | (u64::from(row[at + 1]) << 32);
        self.bin([pair(0), pair(2), pair(4) ^ u64::from(unused & (index + 1))])
    }
}

impl KeyGroup {
    fn of_items(items: &[Item<PLACED_WORDS>]) -> Self {
        let absent = RowKey::ABSENT.to_bytes();
        let absent: &[[u8; 4]] = absent.as_chunks().0;
        let mut group = Self([[0; LANES]; KEY_WORDS]);
        for (lane, item) in items.iter().enumerate().take(LANES) {
            let empty = mask::is_zero_32(item.number ^ NOWHERE);
            for (at, words) in group.0.iter_mut().enumerate() {
                words[lane] = (!empty & item.words[at]) | (empty & u32::from_le_bytes(absent[at]));
            }
        }
        group
    }

    fn new(keys: &[RowKey]) -> Self {
        let mut group = Self([[0; LANES]; KEY_WORDS]);
        for lane in 0..LANES {
            let key = keys.get(lane).copied().unwrap_or(RowKey::ABSENT).to_bytes();
            for (words, bytes) in group.0.iter_mut().zip(key.as_chunks::<4>().0) {
                words[lane] = u32::from_le_bytes(*bytes);
            }
        }
        group
    }

    /// All ones in the lane whose key the row has.
    #[inline]
    fn matches(&self, row: &[u32; ROW_WORDS]) -> [u32; LANES] {
        let mut differ = [0; LANES];
        for (keys, word) in self.0.iter().zip(row) {
            for (lane, (differ, key)) in differ.iter_mut().zip(keys).enumerate() {
                slot(lane);
                *differ |= key ^ word;
            }
        }
        differ.map(mask::is_zero_32)
    }
}

#[inline]
fn add_under(masks: &[u32; LANES], held: &Held, sums: &mut [Held; LANES]) {
    for (lane, (sums, mask)) in sums.iter_mut().zip(masks).enumerate() {
        slot(lane);
        for (sum, quad) in sums.iter_mut().zip(held) {
            *sum = lanes::add(*sum, lanes::and([*mask; 4], *quad));
        }
    }
}

impl Findings {
    #[inline]
    fn count(&mut self, index: u32, row: &[u32; ROW_WORDS]) {
        let zero = mask::is_zero_32(row.iter().take(KEY_WORDS).fold(0, |all, word| all | word));
        self.used += 1 & !zero;
        self.last = self.last.max((index + 1) & !zero);
    }

    /// Adds what the marks of some rows, the first of which has the number `first`, tell, and the rows themselves.
    fn add(&mut self, first: u32, marks: &[u32], collected: &[Collected]) {
        for ((sums, mark), [a, b, [.., i, j]]) in self.held.iter_mut().flatten().zip(marks).zip(collected) {
            let (rows, numbers) = parts(*mark);
            let indices = numbers.wrapping_add(rows.wrapping_mul(first.wrapping_sub(1)));
            let held = [*a, *b, [*i, *j, indices, rows]];
            *sums = core::array::from_fn(|at| lanes::add(sums[at], held[at]));
        }
    }

    /// Both parts together.
    pub(super) fn merge(mut self, other: &Self) -> Self {
        for (sums, others) in self.held.iter_mut().flatten().zip(other.held.iter().flatten()) {
            for (sum, other) in sums.iter_mut().zip(others) {
                *sum = lanes::add(*sum, *other);
            }
        }
        self.used += other.used;
        self.last = self.last.max(other.last);
        self
    }

    /// The number of used rows, which come first.
    ///
    /// # Errors
    /// [`RowFault::Gap`] at the last used row where an unused one stands before it.
    pub(super) fn used(&self) -> Result<u32, (u32, RowFault)> {
        if self.used == self.last { Ok(self.used) } else { Err((self.last.saturating_sub(1), RowFault::Gap)) }
    }
}

/// How many rows a mark counts, and the sum of their numbers.
fn parts(mark: u32) -> (u32, u32) {
    let numbers = mark & (FOUND - 1);
    // 256 rows seem to be none and 257 one, but one row has no number that is larger than the last
    let more = u32::from((mark >> 24) <= 1 && numbers > number(NUMBERED)) << 8;
    ((mark >> 24) | more, numbers)
}

/// The index of the one row that a mark counts; [`NOWHERE`] where there is none, or more than one.
fn wanted(first: u32, mark: u32) -> u32 {
    let (rows, numbers) = parts(mark);
    let one = mask::is_zero_32(rows ^ 1);
    (one & first.wrapping_add(numbers).wrapping_sub(1)) | (!one & NOWHERE)
}

#[inline]
fn words(row: &[u8; ROW_LEN]) -> [u32; ROW_WORDS] {
    let words = row.as_chunks::<4>().0;
    core::array::from_fn(|i| u32::from_le_bytes(words[i]))
}

#[inline]
fn held_words(index: u32, row: &[u32; ROW_WORDS]) -> Held {
    let [.., a, b, c, d, e, f, g, h, i, j] = *row;
    [[a, b, c, d], [e, f, g, h], [i, j, index, 1]]
}

/// The row in a slot: none where nothing was added.
fn located(key: RowKey, sums: &Held) -> Result<Option<Located>, (u32, RowFault)> {
    let [first, second, [i, j, index, found]] = *sums;
    let mut bytes = [0; ROW_LEN];
    let (head, tail) = bytes.split_at_mut(4 * KEY_WORDS);
    head.copy_from_slice(&key.to_bytes());
    let rest = first.iter().chain(&second).chain([&i, &j]);
    for (out, word) in tail.as_chunks_mut::<4>().0.iter_mut().zip(rest) {
        *out = word.to_le_bytes();
    }
    match found {
        0 => Ok(None),
        1 => row::check_used(&bytes).map(|()| Some(Located { index, bytes })).map_err(|fault| (index, fault)),
        // the sum of their indices: up to 255 rows that share the key have their mean between them
        rows => Err((index / rows, RowFault::Duplicate)),
    }
}

#[cfg(test)]
mod tests;
