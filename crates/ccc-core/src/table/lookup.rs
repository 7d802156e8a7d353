//! Finding rows by account and asset in one scan that touches every row alike.
//!
//! The wanted keys stand in groups of sixteen, word by word, so that one comparison meets four of them in a vector
//! register. A row is added under its mask to every slot of a group; what a slot holds in the end is its row, if
//! exactly one row had the key.
//!
//! *Timing*: addresses depend on the number of rows and keys alone, and there is no branch on either.

use super::{
    lanes::{self, Quad},
    mask::{self, RowKey},
    row::{self, ROW_LEN, RowFault},
    rows::Located,
};
use alloc::vec;
use alloc::vec::Vec;
use zeroize::Zeroize;

/// Keys in a group.
pub(super) const LANES: usize = 16;
const KEY_WORDS: usize = 6;
const ROW_WORDS: usize = ROW_LEN / 4;

/// Sixteen keys, word by word.
struct KeyGroup([[u32; LANES]; KEY_WORDS]);

/// The words of a row after its key, its index, and one.
type Held = [Quad; 3];

/// The keys to look for.
pub(super) struct Lookup {
    keys: Vec<RowKey>,
    groups: Vec<KeyGroup>,
}

/// What one part of a scan found; parts are merged in any order.
pub(super) struct Findings {
    held: Vec<[Held; LANES]>,
    /// Rows with a key, and the number of the last of them.
    used: u32,
    last: u32,
}

impl Drop for Findings {
    fn drop(&mut self) {
        self.held.iter_mut().flatten().flatten().for_each(Zeroize::zeroize);
    }
}

impl Lookup {
    /// *Security*: a key that occurs twice is found twice; callers that compute on the rows MUST make keys unique.
    pub(super) fn new(keys: Vec<RowKey>) -> Self {
        let groups = keys.chunks(LANES).map(KeyGroup::new).collect();
        Self { keys, groups }
    }

    pub(super) fn start(&self) -> Findings {
        Findings { held: vec![[[[0; 4]; 3]; LANES]; self.groups.len()], used: 0, last: 0 }
    }

    /// Looks through the rows of one chunk, the first of which has the number `first`.
    pub(super) fn scan(&self, findings: &mut Findings, first: u32, rows: &[[u8; ROW_LEN]]) {
        for (index, row) in (first..).zip(rows) {
            let words = words(row);
            findings.count(index, &words);
            let held = held(index, &words);
            for (group, sums) in self.groups.iter().zip(&mut findings.held) {
                add_under(&group.matches(&words), &held, sums);
            }
        }
    }

    /// The row of each key, in the order of the keys.
    ///
    /// # Errors
    /// A row that two rows share their key with, or that is no row.
    pub(super) fn rows(&self, findings: &Findings) -> Result<Vec<Option<Located>>, (u32, RowFault)> {
        self.keys.iter().zip(findings.held.iter().flatten()).map(|(key, sums)| located(*key, sums)).collect()
    }
}

impl KeyGroup {
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
            for (differ, key) in differ.iter_mut().zip(keys) {
                *differ |= key ^ word;
            }
        }
        differ.map(mask::is_zero_32)
    }
}

#[inline]
fn add_under(masks: &[u32; LANES], held: &Held, sums: &mut [Held; LANES]) {
    for (sums, mask) in sums.iter_mut().zip(masks) {
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

#[inline]
fn words(row: &[u8; ROW_LEN]) -> [u32; ROW_WORDS] {
    let words = row.as_chunks::<4>().0;
    core::array::from_fn(|i| u32::from_le_bytes(words[i]))
}

#[inline]
fn held(index: u32, row: &[u32; ROW_WORDS]) -> Held {
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
        _ => Err((index, RowFault::Duplicate)),
    }
}
