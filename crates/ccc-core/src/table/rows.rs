//! The open rows of a version and the scans over them.
//!
//! *Timing*: [`Rows::locate`], [`Rows::write`] and [`Rows::sum`] read or write every row in the same way, whatever is
//! looked for. The check of a whole table at opening ([`Rows::check`]) sorts the keys of the used rows; its memory
//! accesses depend on them, alike for every version with the same accounts.

use super::{
    AccountId, AssetId, StructuralError, Tier,
    boundary::{NAMED, RowSet},
    lookup::Touch,
    mask,
    mask::RowKey,
    row::{self, READING_KEY_LEN, ROW_LEN, RowFault, Status, UNUSED},
    seal::{CHUNK_LEN, CHUNK_ROWS, number},
    touch::{slot, touch},
};
use crate::parallel::prelude::*;
use alloc::vec;
use alloc::vec::Vec;
use zeroize::{Zeroize, Zeroizing};

const WORDS: usize = ROW_LEN / 8;

/// The plain bytes of a table, erased when dropped.
pub(super) struct Rows {
    bytes: Zeroizing<Vec<u8>>,
    used: u32,
}

/// Where a row was found, and the row.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Located {
    pub(super) index: u32,
    pub(super) bytes: [u8; ROW_LEN],
}

/// A row to be written: at an index that a scan found or at the first unused one.
pub(super) type Placed = Option<Located>;

impl Rows {
    /// An empty table: the status row alone.
    pub(super) fn empty(tier: Tier, status: &Status) -> Self {
        let mut rows = Self { bytes: Zeroizing::new(vec![0; tier.rows() * ROW_LEN]), used: 1 };
        rows.set_status(status);
        rows
    }

    /// The rows in these bytes, checked against the layout of this version.
    pub(super) fn from_plain(bytes: Zeroizing<Vec<u8>>, version: u64) -> Result<Self, StructuralError> {
        let mut rows = Self { bytes, used: 0 };
        rows.used = rows.check(version).map_err(|(index, fault)| StructuralError::Row { index, fault })?;
        Ok(rows)
    }

    /// Rows that were taken out of a table, `used` of them before the spare ones.
    pub(super) fn from_working(bytes: Zeroizing<Vec<u8>>, used: u32) -> Self {
        Self { bytes, used }
    }

    /// The same rows in a larger tier.
    pub(super) fn grow(&mut self, tier: Tier) {
        let mut larger = Zeroizing::new(vec![0; tier.rows() * ROW_LEN]);
        larger[..self.bytes.len()].copy_from_slice(&self.bytes);
        self.bytes = larger;
    }

    pub(super) fn used(&self) -> u32 {
        self.used
    }

    /// Unused rows.
    pub(super) fn room(&self) -> usize {
        (self.bytes.len() / ROW_LEN).saturating_sub(self.used as usize)
    }

    pub(super) fn all(&self) -> &[[u8; ROW_LEN]] {
        self.bytes.as_chunks().0
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    pub(super) fn set_status(&mut self, status: &Status) {
        if let Some(first) = self.bytes.first_chunk_mut::<ROW_LEN>() {
            *first = status.to_bytes();
        }
    }

    /// Looks for every key in one scan.
    pub(super) fn locate<const N: usize>(&self, keys: &[RowKey; N]) -> [Option<Located>; N] {
        let mut found = self.locate_many(keys).into_iter();
        core::array::from_fn(|_| found.next().flatten())
    }

    /// Looks for every key in one scan.
    pub(super) fn locate_many(&self, keys: &[RowKey]) -> Vec<Option<Located>> {
        let found = self
            .bytes
            .par_chunks(CHUNK_LEN)
            .enumerate()
            .map(|(chunk, bytes)| scan_chunk(chunk * CHUNK_ROWS, bytes, keys))
            .merge(|| vec![Hit::default(); keys.len()], merge);
        found.into_iter().map(Hit::into_located).collect()
    }

    /// Writes up to two rows in one scan; nothing is written for `None`, at the same cost.
    pub(super) fn write(&mut self, placed: &[Placed; 2]) {
        let targets = placed.each_ref().map(Target::new);
        self.bytes
            .par_chunks_mut(CHUNK_LEN)
            .enumerate()
            .for_each(|(chunk, bytes)| write_chunk(chunk * CHUNK_ROWS, bytes, &targets));
        for index in placed.iter().flatten().map(|row| row.index) {
            self.used = self.used.max(index + 1);
        }
    }

    /// The sum of the amounts of one asset; `None` above u128.
    pub(super) fn sum(&self, asset: AssetId) -> Option<u128> {
        self.halves(asset).total()
    }

    pub(super) fn halves(&self, asset: AssetId) -> Halves {
        self.bytes.par_chunks(CHUNK_LEN).map(|bytes| sum_chunk(bytes, asset)).merge(Halves::default, Halves::with)
    }

    /// Every account's reading key, sorted by account for lookup.
    pub(super) fn reading_keys(&self) -> ReadingKeys {
        ReadingKeys::new(self.all().iter().filter_map(row::owner_and_key).collect())
    }

    /// Status row first, then used rows, then unused ones; no two of one account and asset. Returns the used rows.
    fn check(&self, version: u64) -> Result<u32, (u32, RowFault)> {
        let rows = self.all();
        let first = rows.first().ok_or((0, RowFault::Status))?;
        let status = Status::from_bytes(first).map_err(|fault| (0, fault))?;
        if status.version != version {
            return Err((0, RowFault::Status));
        }
        let used = rows.iter().position(|bytes| *bytes == UNUSED).unwrap_or(rows.len());
        for (index, bytes) in rows.iter().enumerate().take(used).skip(1) {
            row::check_used(bytes).map_err(|fault| (number(index), fault))?;
        }
        if let Some(gap) = rows.iter().skip(used).position(|bytes| *bytes != UNUSED) {
            return Err((number(used + gap), RowFault::Gap));
        }
        self.check_unique(used)?;
        Ok(number(used))
    }

    fn check_unique(&self, used: usize) -> Result<(), (u32, RowFault)> {
        let mut keys: Vec<_> =
            self.all().iter().enumerate().take(used).map(|(index, bytes)| (RowKey::of(bytes), index)).collect();
        keys.par_sort_unstable();
        match keys.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err((number(pair[1].1), RowFault::Duplicate)),
            None => Ok(()),
        }
    }
}

impl RowSet for Rows {
    fn locate_named(&self, keys: &[RowKey; NAMED]) -> [Option<Located>; NAMED] {
        self.locate(keys)
    }

    fn write(&mut self, placed: &[Placed; 2]) {
        self.write(placed);
    }

    fn sum(&self, asset: AssetId) -> Option<u128> {
        self.sum(asset)
    }

    fn next(&self) -> u32 {
        self.used
    }

    fn room(&self) -> usize {
        self.room()
    }
}

/// The reading keys of all accounts, erased when dropped.
pub(super) struct ReadingKeys(Vec<(AccountId, [u8; READING_KEY_LEN])>);

impl ReadingKeys {
    pub(super) fn new(mut keys: Vec<(AccountId, [u8; READING_KEY_LEN])>) -> Self {
        keys.sort_unstable_by_key(|(account, _)| *account);
        Self(keys)
    }

    /// Adds keys; they are found once the whole is [`ReadingKeys::sorted`].
    pub(super) fn take(&mut self, other: Self) {
        self.0.extend_from_slice(&other.0);
    }

    pub(super) fn sorted(mut self) -> Self {
        self.0.sort_unstable_by_key(|(account, _)| *account);
        self
    }

    pub(super) fn get(&self, account: AccountId) -> Option<&[u8; READING_KEY_LEN]> {
        self.0.binary_search_by_key(&account, |(account, _)| *account).ok().and_then(|at| self.0.get(at)).map(|e| &e.1)
    }
}

impl Drop for ReadingKeys {
    fn drop(&mut self) {
        for (_, key) in &mut self.0 {
            key.zeroize();
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Hit {
    found: u64,
    index: u64,
    words: [u64; WORDS],
}

impl Hit {
    fn into_located(self) -> Option<Located> {
        let mut bytes = UNUSED;
        for (out, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.words) {
            *out = word.to_be_bytes();
        }
        let index = u32::try_from(self.index).unwrap_or(u32::MAX);
        (self.found != 0).then_some(Located { index, bytes })
    }
}

fn words(bytes: &[u8; ROW_LEN]) -> [u64; WORDS] {
    core::array::from_fn(|i| row::u64_at(bytes, 8 * i))
}

fn scan_chunk(first: usize, bytes: &[u8], keys: &[RowKey]) -> Vec<Hit> {
    let mut hits = vec![Hit::default(); keys.len()];
    for (offset, bytes) in bytes.as_chunks().0.iter().enumerate() {
        let (here, words, index) = (RowKey::of(bytes), words(bytes), number(first + offset));
        touch(Touch::Row(index));
        for (at, (hit, key)) in hits.iter_mut().zip(keys).enumerate() {
            slot(at);
            let mask = here.matches(*key);
            hit.found |= mask;
            hit.index |= mask & u64::from(index);
            for (out, word) in hit.words.iter_mut().zip(words) {
                *out |= mask & word;
            }
        }
    }
    hits
}

fn merge(mut left: Vec<Hit>, right: Vec<Hit>) -> Vec<Hit> {
    for (a, b) in left.iter_mut().zip(right) {
        a.found |= b.found;
        a.index |= b.index;
        for (out, word) in a.words.iter_mut().zip(b.words) {
            *out |= word;
        }
    }
    left
}

struct Target {
    index: u64,
    words: [u64; WORDS],
}

impl Target {
    /// An index that no row has stands for "nowhere".
    fn new(placed: &Placed) -> Self {
        match placed {
            Some(row) => Self { index: u64::from(row.index), words: words(&row.bytes) },
            None => Self { index: u64::MAX, words: [0; WORDS] },
        }
    }
}

fn write_chunk(first: usize, bytes: &mut [u8], targets: &[Target; 2]) {
    for (offset, bytes) in bytes.as_chunks_mut::<ROW_LEN>().0.iter_mut().enumerate() {
        let index = number(first + offset);
        touch(Touch::Row(index));
        let mut words = words(bytes);
        for (at, target) in targets.iter().enumerate() {
            slot(at);
            let mask = mask::is_zero(u64::from(index) ^ target.index);
            for (word, new) in words.iter_mut().zip(target.words) {
                *word = mask::select(mask, new, *word);
            }
        }
        for (out, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *out = word.to_be_bytes();
        }
    }
}

/// A sum of amounts, lower and upper halves apart: 2^24 of either stay far below u128.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Halves {
    low: u128,
    high: u128,
}

impl Halves {
    #[cfg(test)]
    pub(super) fn of(amount: u128) -> Self {
        Self { low: amount & u128::from(u64::MAX), high: amount >> 64 }
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self { low: self.low + other.low, high: self.high + other.high }
    }

    /// This sum without that of some of its amounts.
    pub(super) fn without(self, part: Self) -> Self {
        Self { low: self.low.saturating_sub(part.low), high: self.high.saturating_sub(part.high) }
    }

    /// The amount modulo 2^128.
    pub(super) fn wrapping(self) -> u128 {
        (self.high << 64).wrapping_add(self.low)
    }

    /// The amount; `None` above u128.
    pub(super) fn total(self) -> Option<u128> {
        let high = self.high.checked_add(self.low >> 64).filter(|high| high >> 64 == 0)?;
        Some((high << 64) | u128::from(mask::low(self.low)))
    }
}

/// The sum over the rows of one chunk; zero for a number that stands for a kind of row.
pub(super) fn sum_chunk(bytes: &[u8], asset: AssetId) -> Halves {
    let mut sum = Halves::default();
    let wanted = mask::from_bool(asset.is_balance());
    for (offset, bytes) in bytes.as_chunks().0.iter().enumerate() {
        slot(offset);
        let holder = !mask::from_bool(row::account(bytes) == AccountId::NOBODY);
        let mask = wanted & holder & mask::is_zero(u64::from(row::asset(bytes).0 ^ asset.0));
        sum.low += u128::from(mask & row::u64_at(bytes, 32));
        sum.high += u128::from(mask & row::u64_at(bytes, 24));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{ResultCode, Row};

    const STATUS: Status = Status { epoch_salt: [3; 16], code: ResultCode::Done, version: 1 };

    fn rows(used: &[[u8; ROW_LEN]]) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![0; Tier::SMALLEST.rows() * ROW_LEN]);
        bytes[..ROW_LEN].copy_from_slice(&STATUS.to_bytes());
        for (out, row) in bytes[ROW_LEN..].chunks_mut(ROW_LEN).zip(used) {
            out.copy_from_slice(row);
        }
        bytes
    }

    fn balance(account: u8, asset: u32, amount: u128) -> [u8; ROW_LEN] {
        Row { amount, ..Row::empty(AccountId([account; 20]), AssetId(asset)) }.to_bytes()
    }

    fn fault(bytes: Zeroizing<Vec<u8>>) -> Option<(u32, RowFault)> {
        match Rows::from_plain(bytes, 1) {
            Err(StructuralError::Row { index, fault }) => Some((index, fault)),
            _ => None,
        }
    }

    #[test]
    fn malformed_tables_are_refused() {
        let (a, b) = (balance(1, 0, 5), balance(2, 0, 6));
        assert_eq!(fault(rows(&[a, b])), None);
        assert_eq!(fault(rows(&[a, b, a])), Some((3, RowFault::Duplicate)));
        assert_eq!(fault(rows(&[a, UNUSED, b])), Some((3, RowFault::Gap)));
        assert_eq!(fault(rows(&[a, balance(0, 0, 1)])), Some((2, RowFault::Nobody)));
        let mut padding = b;
        padding[60] = 1;
        assert_eq!(fault(rows(&[a, padding])), Some((2, RowFault::Padding)));
        let mut flags = b;
        flags[57] = 8;
        assert_eq!(fault(rows(&[flags])), Some((1, RowFault::Flags)));
        assert_eq!(fault(rows(&[STATUS.to_bytes()])), Some((1, RowFault::Nobody)));
        let mut status = a;
        status[20..24].copy_from_slice(&AssetId::STATUS.0.to_be_bytes());
        assert_eq!(fault(rows(&[status])), Some((1, RowFault::Asset)));
        assert_eq!(fault(Zeroizing::new(vec![])), Some((0, RowFault::Status)));
        assert!(matches!(Rows::from_plain(rows(&[a]), 2), Err(StructuralError::Row { fault: RowFault::Status, .. })));
    }

    #[test]
    fn scans_find_and_write_what_is_there() {
        let mut rows =
            Rows::from_plain(rows(&[balance(1, 0, 5), balance(2, 0, u128::MAX - 5)]), 1).expect("well formed");
        assert_eq!((rows.used(), rows.sum(AssetId(0)), rows.sum(AssetId(1))), (3, Some(u128::MAX), Some(0)));
        let [found, none] = rows.locate(&[
            RowKey::balance(AccountId([2; 20]), AssetId(0)),
            RowKey::balance(AccountId([2; 20]), AssetId(1)),
        ]);
        assert!(none.is_none());
        assert!(found.is_some_and(|found| found.index == 2 && found.bytes == balance(2, 0, u128::MAX - 5)));
        rows.write(&[Some(Located { index: 3, bytes: balance(3, 0, 1) }), None]);
        assert_eq!((rows.used(), rows.sum(AssetId(0))), (4, None));
        assert!(rows.locate(&[RowKey::ABSENT])[0].is_none());
    }
}
