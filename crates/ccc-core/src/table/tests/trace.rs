//! What a scan touches does not depend on what is looked for or written.

use super::super::{
    AccountId, AssetId, Delta, Row,
    lookup::{Lookup, Touch},
    mask::RowKey,
    patch::{Patch, Patches},
    row::{ROW_LEN, UNUSED},
    working::keys_of,
};
use super::ASSETS;

const SEED: [u64; 4] = [0x9d39_247e_3377_6d41, 0x2af7_3980_05aa_a5c7, 0x44db_0150_2462_3547, 0x9c15_f73e_62a7_6ae2];
const ROWS: u32 = 3_000;

fn account(number: u32) -> AccountId {
    let mut id = [9; 20];
    id[..4].copy_from_slice(&number.to_be_bytes());
    AccountId(id)
}

/// Row 0 is left out; then balances, then unused rows.
fn rows() -> Vec<[u8; ROW_LEN]> {
    let balance = |number| Row { amount: u128::from(number), ..Row::empty(account(number), AssetId(0)) }.to_bytes();
    let mut rows: Vec<_> = (0..ROWS).map(balance).collect();
    rows.resize(4_096, UNUSED);
    rows
}

fn deltas(accounts: impl Iterator<Item = u32>, k: usize) -> Vec<Delta> {
    let delta = |number| Delta { account: account(number), asset: AssetId(0), amount: 1, reserved: 0 };
    Delta::padded(&accounts.map(delta).collect::<Vec<_>>(), k).expect("fits")
}

/// Everything that both passes touch for a batch, and the amounts of its rows as found.
fn trace(deltas: &[Delta]) -> (Vec<Touch>, Vec<Option<u128>>) {
    let mut rows = rows();
    let mut touched = vec![];
    let lookup = Lookup::new(keys_of(&[], deltas, &ASSETS), SEED);
    let mut findings = lookup.start();
    lookup.scan_touching(&mut findings, 0, &rows, &mut |touch| touched.push(touch));
    let found = lookup.rows(&findings).expect("well formed");
    let patches: Vec<_> = found.iter().map(patch_of).collect();
    Patches::new([].iter(), &patches, SEED).apply_touching(0, &mut rows, &mut |touch| touched.push(touch));
    let changed: Vec<_> =
        (0u32..).zip(&rows).filter(|(at, row)| *at < ROWS && amount(row) != u128::from(*at)).collect();
    assert_eq!(changed.len(), found.iter().flatten().count());
    assert!(changed.iter().all(|(at, row)| amount(row) == u128::from(*at) + 1_000_000));
    (touched, found.iter().map(|row| row.as_ref().map(|row| amount(&row.bytes))).collect())
}

fn amount(row: &[u8; ROW_LEN]) -> u128 {
    Row::from_bytes(row).expect("a balance").amount
}

fn patch_of(found: &Option<super::super::rows::Located>) -> Patch {
    let Some(found) = found else { return Patch { index: None, old: UNUSED, new: UNUSED } };
    let row = Row::from_bytes(&found.bytes).expect("a balance");
    let new = Row { amount: row.amount + 1_000_000, ..row }.to_bytes();
    Patch { index: Some(found.index), old: found.bytes, new }
}

#[test]
fn any_two_batches_of_one_size_touch_the_same_places() {
    for k in [16, 64, 256] {
        let number = u32::try_from(k).expect("small");
        let (idle, none) = trace(&deltas(0..0, k));
        let (adjacent, first) = trace(&deltas(0..number, k));
        let (spread, far) = trace(&deltas((0..number).map(|i| (i * 37) % ROWS), k));
        let (unknown, absent) = trace(&deltas((0..number).map(|i| ROWS + i), k));
        assert!(idle == adjacent && adjacent == spread && spread == unknown, "K = {k}");
        let found = |numbers: &mut dyn Iterator<Item = u32>| numbers.map(|i| Some(u128::from(i))).collect::<Vec<_>>();
        assert_eq!(first, found(&mut (0..number)), "K = {k}");
        assert_eq!(far, found(&mut (0..number).map(|i| (i * 37) % ROWS)), "K = {k}");
        assert!(none.iter().chain(&absent).all(Option::is_none), "K = {k}");
    }
}

#[test]
fn a_row_named_twice_is_found_once() {
    let found = trace(&deltas([5, 5, 6, 5].into_iter(), 16)).1;
    assert_eq!(found[..4], [Some(5), None, Some(6), None]);
}

#[test]
fn two_rows_of_one_key_are_a_fault() {
    let mut rows = rows();
    rows[9] = rows[4];
    for keys in [1, 100] {
        let lookup = Lookup::new((0..keys).map(|i| RowKey::balance(account(4 + i), AssetId(0))).collect(), SEED);
        let mut findings = lookup.start();
        lookup.scan(&mut findings, 0, &rows);
        assert!(matches!(lookup.rows(&findings), Err((_, super::super::RowFault::Duplicate))));
    }
}

#[test]
fn unused_rows_between_used_ones_are_a_fault() {
    let mut rows = rows();
    rows[7] = UNUSED;
    let lookup = Lookup::new(vec![RowKey::ABSENT], SEED);
    let mut findings = lookup.start();
    lookup.scan(&mut findings, 0, &rows);
    assert_eq!(findings.used(), Err((ROWS - 1, super::super::RowFault::Gap)));
}
