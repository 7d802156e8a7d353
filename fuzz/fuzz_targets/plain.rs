//! Rows as no enclave seals them, and what `docs/spec/table.md` says of them.

use crate::rounds::{ACCOUNTS, ASSETS, account, amount, asset};
use arbitrary::{Arbitrary, Unstructured};
use ccc_core::table::{
    AccountId, AssetId, BoundaryOperation, Delta, EPOCH_SALT_LEN, ROW_LEN, ResultCode, Row, RowFault, Tier,
};
use std::collections::{BTreeMap, BTreeSet};

/// The version of the table with these rows.
pub const VERSION: u64 = 1;
const UNUSED: [u8; ROW_LEN] = [0; ROW_LEN];

/// A row's account and asset.
pub type Key = [u8; 24];

pub fn key(account: AccountId, asset: AssetId) -> Key {
    [&account.0[..], &asset.0.to_be_bytes()].concat().try_into().expect("24 bytes")
}

fn key_of(row: &[u8; ROW_LEN]) -> Key {
    *row.first_chunk().expect("a row is longer than its key")
}

/// The rows of a table of the smallest tier: mostly well formed, with a blemish here and there.
#[derive(Debug)]
pub struct Plain(Vec<[u8; ROW_LEN]>);

impl<'a> Arbitrary<'a> for Plain {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let mut rows = vec![status(input)?];
        for number in 1..=ACCOUNTS {
            regular(AccountId([number; 20]), &mut rows, input)?;
        }
        for _ in 0..u8::arbitrary(input)?.saturating_sub(192) / 16 {
            rows.push(row(input)?);
        }
        if u8::arbitrary(input)? > 200 {
            let room = Tier::SMALLEST.rows() - usize::from(input.int_in_range(0..=3u8)?);
            rows.extend((rows.len()..room).map(filler));
        }
        rows.resize(Tier::SMALLEST.rows(), UNUSED);
        if u8::arbitrary(input)? > 247 {
            *rows.last_mut().expect("a status row at least") = row(input)?;
        }
        Ok(Self(rows))
    }
}

fn status(input: &mut Unstructured<'_>) -> arbitrary::Result<[u8; ROW_LEN]> {
    let mut row = UNUSED;
    row[20..24].copy_from_slice(&AssetId::STATUS.0.to_be_bytes());
    row[24..40].copy_from_slice(&<[u8; EPOCH_SALT_LEN]>::arbitrary(input)?);
    row[47] = input.int_in_range(0..=6)?;
    row[48..56].copy_from_slice(&VERSION.to_be_bytes());
    // as often as in eight rows: a table has one of it
    (0..8).try_fold(row, |row, _| blemished(row, input))
}

/// Key row and balances of an account, most of them.
fn regular(account: AccountId, rows: &mut Vec<[u8; ROW_LEN]>, input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let missing = u8::arbitrary(input)? & u8::arbitrary(input)?;
    if missing & 1 == 0 {
        rows.push(blemished(reading_key(account, input)?, input)?);
    }
    for asset in (0..3).filter(|asset| missing & (2 << asset) == 0) {
        rows.push(blemished(balance(account, AssetId(asset), input)?, input)?);
    }
    Ok(())
}

/// A row of any account and asset, also one that is there already, or any bytes.
fn row(input: &mut Unstructured<'_>) -> arbitrary::Result<[u8; ROW_LEN]> {
    let row = match u8::arbitrary(input)? {
        0..160 => balance(account(input)?, asset(input)?, input)?,
        160..240 => reading_key(account(input)?, input)?,
        240..248 => UNUSED,
        _ => return <[u8; ROW_LEN]>::arbitrary(input),
    };
    blemished(row, input)
}

/// The row, seldom with another byte.
fn blemished(mut row: [u8; ROW_LEN], input: &mut Unstructured<'_>) -> arbitrary::Result<[u8; ROW_LEN]> {
    if u8::arbitrary(input)? > 251 {
        row[input.choose_index(ROW_LEN)?] ^= u8::arbitrary(input)?;
    }
    Ok(row)
}

/// Any amount, reservation and nonce, also those that no update leaves behind.
fn balance(account: AccountId, asset: AssetId, input: &mut Unstructured<'_>) -> arbitrary::Result<[u8; ROW_LEN]> {
    let mut row = Row::empty(account, asset);
    row.amount = amount(input)?;
    row.reserved = number(input)?;
    row.nonce = number(input)?;
    let mut row = row.to_bytes();
    let set = u8::arbitrary(input)?;
    if set >= 128 {
        row[56] = u8::arbitrary(input)?;
        row[57] = if set >= 252 { u8::arbitrary(input)? } else { set & 3 };
    }
    Ok(row)
}

fn number(input: &mut Unstructured<'_>) -> arbitrary::Result<u64> {
    let small = u8::arbitrary(input)?;
    Ok(match small {
        0..192 => small.into(),
        192..224 => u64::MAX - u64::from(small & 1),
        _ => u64::arbitrary(input)?,
    })
}

fn reading_key(account: AccountId, input: &mut Unstructured<'_>) -> arbitrary::Result<[u8; ROW_LEN]> {
    let mut row = UNUSED;
    row[..24].copy_from_slice(&key(account, AssetId::READING_KEY));
    row[24..56].fill(u8::arbitrary(input)?);
    Ok(row)
}

/// A balance of an account of its own.
fn filler(index: usize) -> [u8; ROW_LEN] {
    let mut account = [0xFF; 20];
    account[12..].copy_from_slice(&index.to_be_bytes());
    Row { amount: 1, ..Row::empty(AccountId(account), AssetId(0)) }.to_bytes()
}

/// A status row of this version, and nothing else.
fn is_status(row: &[u8; ROW_LEN]) -> bool {
    let code = row[47];
    let (mut rest, version) = (*row, row[48..56] == VERSION.to_be_bytes());
    rest[24..40].fill(0);
    rest[47] = 0;
    rest[48..56].fill(0);
    rest[..24] == key(AccountId::NOBODY, AssetId::STATUS)
        && rest[24..] == UNUSED[24..]
        && version
        && ResultCode::from_byte(code).is_some()
}

/// What is wrong with a used row; a balance's own decoder is the target `decode`'s.
fn fault_of(row: &[u8; ROW_LEN]) -> Option<RowFault> {
    if row[20..24] != AssetId::READING_KEY.0.to_be_bytes() {
        return Row::from_bytes(row).err();
    }
    match () {
        () if row[..20] == [0; 20] => Some(RowFault::Nobody),
        () if row[56..] != [0; 8] => Some(RowFault::Padding),
        () => None,
    }
}

impl Plain {
    pub fn rows(&self) -> &[[u8; ROW_LEN]] {
        &self.0
    }

    pub fn bytes(&self) -> &[u8] {
        self.0.as_flattened()
    }

    /// Rows before the first unused one.
    pub fn used(&self) -> usize {
        self.0.iter().position(|row| *row == UNUSED).unwrap_or(self.0.len())
    }

    /// The first fault of a table that is opened whole.
    pub fn fault(&self) -> Option<RowFault> {
        if !is_status(&self.0[0]) {
            return Some(RowFault::Status);
        }
        let (used, unused) = self.0.split_at(self.used());
        let found = used[1..].iter().find_map(fault_of);
        let gap = || unused.iter().any(|row| *row != UNUSED).then_some(RowFault::Gap);
        let keys: BTreeSet<_> = used.iter().map(key_of).collect();
        found.or_else(gap).or_else(|| (keys.len() != used.len()).then_some(RowFault::Duplicate))
    }

    /// The faults, one of which an update of the sealed table reports: of status row and order, else of the rows of
    /// the round.
    pub fn faults_in(&self, named: &BTreeSet<Key>) -> Vec<RowFault> {
        let keyed = self.0.iter().map(|row| key_of(row) != [0; 24]);
        match self.keyed() {
            _ if !is_status(&self.0[0]) => vec![RowFault::Status],
            used if keyed.skip(used).any(|keyed| keyed) => vec![RowFault::Gap],
            _ => self.faults_of_named(named),
        }
    }

    /// Rows before the first that has neither account nor asset.
    pub fn keyed(&self) -> usize {
        self.0.iter().position(|row| key_of(row) == [0; 24]).unwrap_or(self.0.len())
    }

    fn faults_of_named(&self, named: &BTreeSet<Key>) -> Vec<RowFault> {
        let mut found: BTreeMap<Key, Vec<_>> = BTreeMap::new();
        for row in self.0.iter().filter(|row| named.contains(&key_of(row))) {
            found.entry(key_of(row)).or_default().push(row);
        }
        let fault = |rows: Vec<&[u8; ROW_LEN]>| match rows[..] {
            [row] => fault_of(row),
            _ => Some(RowFault::Duplicate),
        };
        found.into_values().filter_map(fault).collect()
    }

    /// The rows that a round does not name stand in `next` as they were.
    pub fn assert_kept(&self, next: &[u8], named: &BTreeSet<Key>) {
        for (index, (old, new)) in self.0.iter().zip(next.as_chunks().0).enumerate().take(self.keyed()).skip(1) {
            assert!(named.contains(&key_of(old)) || old == new, "row {index}");
        }
    }
}

/// The rows that a round names.
pub fn named(boundary: &[BoundaryOperation], deltas: &[Delta]) -> BTreeSet<Key> {
    let configured = |delta: &&Delta| (delta.asset.0 as usize) < ASSETS.len();
    let of_deltas = deltas.iter().filter(configured).map(|delta| (delta.account, delta.asset));
    let all = boundary.iter().flat_map(of_operation).chain(of_deltas);
    all.filter(|(account, _)| *account != AccountId::NOBODY).map(|(account, asset)| key(account, asset)).collect()
}

/// The balances of both sides, and the key row of the side that may gain a row.
fn of_operation(operation: &BoundaryOperation) -> Vec<(AccountId, AssetId)> {
    let (account, asset) = (operation.account(), operation.asset());
    let to = match operation {
        BoundaryOperation::ForcedTransfer { to, .. } | BoundaryOperation::Transfer { to, .. } => Some(*to),
        _ => None,
    };
    let balances = [Some(account), to].into_iter().flatten().filter(|_| asset.is_balance());
    let holder = (to.unwrap_or(account), AssetId::READING_KEY);
    balances.map(|account| (account, asset)).chain([holder]).collect()
}
