//! What a scan touches does not depend on what is looked for or written.

use super::super::{
    AccountId, AssetId, BoundaryOperation, Delta, ResultCode, Row,
    boundary::{NAMED, RowSet},
    found::Asked,
    lookup::Lookup,
    mask::RowKey,
    patch::{Patch, Patches},
    row::{ROW_LEN, UNUSED},
    rows::{Halves, Located, Placed},
    touch::{Trace, recorded},
    working::{Survey, Working},
};
use super::{ASSETS, first, funded};
use std::cell::RefCell;

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

fn asked(boundary: &[BoundaryOperation], padded: &[Delta]) -> Asked {
    Asked::new(boundary, padded.iter().map(|delta| delta.key(&ASSETS)), [].into_iter(), &ASSETS)
}

/// Everything that both passes touch for a batch, and the amounts of its rows as found.
fn trace(deltas: &[Delta]) -> (Trace, Vec<Option<u128>>) {
    recorded(|| changed(deltas))
}

/// Finds the rows of a batch and writes them back changed.
fn changed(deltas: &[Delta]) -> Vec<Option<u128>> {
    let mut rows = rows();
    let lookup = Lookup::new(asked(&[], deltas).unique(), SEED);
    let mut findings = lookup.start();
    lookup.scan(&mut findings, 0, &rows);
    let found = lookup.rows(&findings).expect("well formed");
    let patches: Vec<_> = found.iter().map(patch_of).collect();
    Patches::new([].iter(), &patches, SEED).apply(0, &mut rows);
    let changed: Vec<_> =
        (0u32..).zip(&rows).filter(|(at, row)| *at < ROWS && amount(row) != u128::from(*at)).collect();
    assert_eq!(changed.len(), found.iter().flatten().count());
    assert!(changed.iter().all(|(at, row)| amount(row) == u128::from(*at) + 1_000_000));
    found.iter().map(|row| row.as_ref().map(|row| amount(&row.bytes))).collect()
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

/// Rows that write down which scans an operation makes.
struct Watched<R> {
    rows: R,
    scans: RefCell<Vec<&'static str>>,
}

impl<R: RowSet> RowSet for Watched<R> {
    fn locate_named(&self, keys: &[RowKey; NAMED]) -> [Option<Located>; NAMED] {
        self.scans.borrow_mut().push("read");
        self.rows.locate_named(keys)
    }

    fn write(&mut self, placed: &[Placed; 2]) {
        self.scans.borrow_mut().push("write");
        self.rows.write(placed);
    }

    fn sum(&self, asset: AssetId) -> Option<u128> {
        self.scans.borrow_mut().push("sum");
        self.rows.sum(asset)
    }

    fn next(&self) -> u32 {
        self.rows.next()
    }

    fn room(&self) -> usize {
        self.rows.room()
    }
}

/// What submissions become, each of them once done and once refused, and the one that nobody authorised.
fn submitted() -> Vec<(BoundaryOperation, bool)> {
    let (account, to, asset) = (super::account(1), super::account(2), AssetId(0));
    let freeze = |account, frozen| BoundaryOperation::Freeze { account, asset, reason: 1, frozen };
    let transfer = |amount| BoundaryOperation::Transfer { account, asset, amount, to };
    let forced = |account, to| BoundaryOperation::ForcedTransfer { account, asset, amount: 1, to, reason: 2 };
    vec![
        (BoundaryOperation::Reserve { account, asset, lots: 3 }, true),
        (BoundaryOperation::Reserve { account, asset, lots: 300 }, false),
        (BoundaryOperation::Reserve { account: AccountId::NOBODY, asset, lots: 0 }, false),
        (transfer(7), true),
        (transfer(700), false),
        (freeze(to, true), true),
        (freeze(super::account(9), true), false),
        (forced(to, account), true),
        (forced(account, to), false),
        (freeze(to, false), true),
    ]
}

#[test]
fn every_submission_makes_the_same_scans_whatever_it_says_and_however_it_ends() {
    let mut watched = Watched { rows: funded().rows.rows, scans: RefCell::default() };
    for (operation, done) in submitted() {
        let result = watched.apply_boundary(&operation, &ASSETS);
        assert_eq!(result.is_ok(), done, "{operation:?}");
        assert_ne!(result, Err(ResultCode::Unbalanced));
        assert_eq!(watched.scans.take(), ["read", "sum", "write"], "{operation:?}");
    }
}

#[test]
fn a_sealed_table_is_searched_alike_for_every_submission() {
    let body: Vec<_> = first(1).rows.rows.all().to_vec();
    let touched = |operation: &BoundaryOperation| {
        let operations = [operation.clone(), operation.clone()];
        let lookup = Lookup::new(asked(&operations, &[Delta::DUMMY; 16]).unique(), SEED);
        recorded(|| lookup.scan(&mut lookup.start(), 0, &body)).0
    };
    let traces: Vec<_> = submitted().iter().map(|(operation, _)| touched(operation)).collect();
    assert!(traces.iter().all(|trace| trace.slots > 0 && *trace == traces[0]));
}

/// Accounts of a round: which of them take part, sell, own or are strangers is secret.
fn round_of(accounts: impl Fn(u32) -> u32, slots: u32) -> (Vec<BoundaryOperation>, Vec<Delta>, Vec<AccountId>) {
    let reserve = |number| BoundaryOperation::Reserve { account: account(number), asset: AssetId(0), lots: 1 };
    let boundary = (0..4).map(|i| reserve(accounts(i))).collect();
    let number = slots as usize;
    (boundary, deltas((0..slots).map(&accounts), number), (0..slots).map(|i| account(accounts(i))).collect())
}

#[test]
fn a_rounds_first_pass_and_its_patches_touch_the_same_places_whoever_takes_part() {
    let touched = |accounts: &dyn Fn(u32) -> u32, slots: u32| {
        let (boundary, deltas, owners) = round_of(accounts, slots);
        let owners = owners.into_iter().map(RowKey::reading_key);
        let asked = Asked::new(&boundary, deltas.iter().map(|delta| delta.key(&ASSETS)), owners, &ASSETS);
        let lookup = Lookup::new(asked.unique(), SEED);
        let touching = || {
            let (mut rows, mut findings) = (rows(), lookup.start());
            lookup.scan(&mut findings, 0, &rows);
            let survey = Survey { findings, sums: vec![Halves::default(); asked.assets.len()], first: None };
            let working = Working::new(&lookup, &survey, &asked, rows.len(), SEED).expect("well formed");
            working.patches().apply(0, &mut rows);
        };
        recorded(touching).0
    };
    for slots in [16, 64, 256] {
        let nobody = touched(&|_| ROWS + 7, slots);
        assert!(nobody.rows > 4_096 && nobody.slots > 0);
        assert!(nobody == touched(&|i| i, slots), "{slots} slots: everybody");
        assert!(nobody == touched(&|i| (i * 37) % ROWS, slots), "{slots} slots: spread");
        assert!(nobody == touched(&|i| i % 3, slots), "{slots} slots: three accounts over and over");
        assert!(nobody == touched(&|i| if i % 2 == 0 { i } else { ROWS + i }, slots), "{slots} slots: half strangers");
    }
}
