//! The masked scans and the plain ledger agree on random batches, refusals included.

use super::super::{
    AccountId, AssetId, BoundaryOperation, Delta, OpenTable, ResultCode, Row, Update,
    batch::Batch,
    boundary::RowSet,
    ledger::Ledger,
    mask,
    row::{ROW_LEN, Status},
    rows::Rows,
};
use super::{ASSETS, account, first, master, rng};
use crate::epoch::Epoch;
use rand::RngExt;
use rand_chacha::ChaCha20Rng;
use zeroize::Zeroizing;

/// Few enough rows that some deposits find the table full.
const ROWS: usize = 24;
const BATCHES: u32 = 10_000;

/// So many cases, times `CCC_CASE_FACTOR` where it is set: `.ci/deep` sets it.
pub(super) fn cases(number: u32) -> u32 {
    let factor: u32 =
        std::env::var("CCC_CASE_FACTOR").map_or(1, |factor| factor.parse().expect("CCC_CASE_FACTOR: a number"));
    number.checked_mul(factor).expect("CCC_CASE_FACTOR: fewer cases")
}

fn small_rows() -> Rows {
    let status = Status { epoch_salt: [1; 16], code: ResultCode::Done, version: 1 };
    let mut plain = Zeroizing::new(vec![0; ROWS * ROW_LEN]);
    plain[..ROW_LEN].copy_from_slice(&status.to_bytes());
    Rows::from_plain(plain, 1).expect("an empty table")
}

fn some_account(rng: &mut ChaCha20Rng) -> AccountId {
    account(rng.random_range(0..9))
}

/// Assets of the configuration for the most part; sometimes an unknown one or a number that stands for a kind of row.
fn some_asset(rng: &mut ChaCha20Rng) -> AssetId {
    match rng.random_range(0..40) {
        0 => AssetId(3),
        1 => AssetId::READING_KEY,
        2 => AssetId::STATUS,
        n => AssetId(n % 3),
    }
}

fn some_amount(rng: &mut ChaCha20Rng) -> u128 {
    match rng.random_range(0..12) {
        0 => 0,
        1 => u128::MAX,
        2 => u128::from(u64::MAX) * u128::from(rng.random::<u32>()),
        3 => u128::MAX / 2,
        n => u128::from(rng.random_range(1..100_000u32)) << (n % 4),
    }
}

fn some_operation(rng: &mut ChaCha20Rng) -> BoundaryOperation {
    let (account, asset) = (some_account(rng), some_asset(rng));
    match rng.random_range(0..13) {
        0 => BoundaryOperation::Register { account, reading_key: rng.random() },
        1 => BoundaryOperation::Open { account, asset },
        2..=4 => BoundaryOperation::Deposit { account, asset, amount: some_amount(rng), reading_key: rng.random() },
        5 => BoundaryOperation::Withdraw { account, asset, amount: some_amount(rng) },
        6 | 7 => {
            BoundaryOperation::Reserve { account, asset, lots: rng.random_range(0..200) >> rng.random_range(0..8) }
        }
        8 => BoundaryOperation::Freeze { account, asset, reason: rng.random(), frozen: rng.random_ratio(1, 4) },
        9 | 10 => BoundaryOperation::Transfer { account, asset, amount: some_amount(rng), to: some_account(rng) },
        _ => BoundaryOperation::ForcedTransfer {
            account,
            asset,
            amount: some_amount(rng),
            to: some_account(rng),
            reason: rng.random(),
        },
    }
}

/// One operation; before half of the forced transfers the row is frozen, and after half of those it is thawed.
fn some_operations(rng: &mut ChaCha20Rng) -> Vec<BoundaryOperation> {
    let operation = some_operation(rng);
    let (account, asset) = (operation.account(), operation.asset());
    let freeze = |frozen| BoundaryOperation::Freeze { account, asset, reason: 1, frozen };
    let forced = matches!(operation, BoundaryOperation::ForcedTransfer { .. });
    match rng.random_range(0..4) {
        0 if forced => vec![freeze(true), operation],
        1 if forced => vec![freeze(true), operation, freeze(false)],
        _ => vec![operation],
    }
}

fn some_signed(rng: &mut ChaCha20Rng) -> i128 {
    match rng.random_range(0..16) {
        0 => i128::MAX,
        1 => i128::MIN,
        2 => 0,
        _ => i128::from(rng.random_range(-5_000..5_000i32)),
    }
}

pub(super) fn some_boundary(rng: &mut ChaCha20Rng) -> Vec<BoundaryOperation> {
    (0..rng.random_range(0..4)).flat_map(|_| some_operations(rng)).collect()
}

/// A transfer between two rows for the most part; sometimes a lone or wild delta.
pub(super) fn some_deltas(rng: &mut ChaCha20Rng) -> Vec<Delta> {
    let mut deltas = vec![];
    for _ in 0..rng.random_range(0..4) {
        let (asset, amount) = (some_asset(rng), some_signed(rng));
        let reserved = match rng.random_range(0..20) {
            0 => i64::MIN,
            1 => i64::MAX,
            n => i64::from(n % 5) - 3,
        };
        deltas.push(Delta { account: some_account(rng), asset, amount, reserved });
        if rng.random_ratio(19, 20) {
            deltas.push(Delta { account: some_account(rng), asset, amount: amount.wrapping_neg(), reserved: 0 });
        }
    }
    deltas
}

fn step(
    rows: &mut Rows,
    boundary: &[BoundaryOperation],
    deltas: &[Delta],
) -> (ResultCode, Vec<Result<(), ResultCode>>) {
    let results = boundary.iter().map(|operation| rows.apply_boundary(operation, &ASSETS)).collect();
    let batch = Batch::new(&Delta::padded(deltas, 16).expect("at most 16"), &ASSETS);
    let code = batch.outcome(rows);
    for row in rows.bytes_mut().as_chunks_mut().0 {
        batch.apply(row, mask::from_bool(code.is_done()));
    }
    (code, results)
}

fn balances<'a>(rows: impl Iterator<Item = &'a [u8; ROW_LEN]>) -> Vec<Row> {
    rows.filter_map(|bytes| Row::from_bytes(bytes).ok()).collect()
}

fn assert_same(rows: &Rows, ledger: &Ledger, context: &str) {
    assert_eq!(balances(rows.all().iter()), ledger.rows(), "{context}");
    assert_eq!(rows.used() as usize, ledger.used_rows(), "{context}");
    let keys = rows.reading_keys();
    for number in 0..9 {
        assert_eq!(keys.get(account(number)), ledger.reading_key(account(number)), "{context}");
    }
    for asset in (0..4).map(AssetId) {
        assert_eq!(rows.sum(asset), ledger.sum(asset), "{context}");
    }
}

/// What the boundary operations that succeeded add to an asset's sum.
fn crossed(asset: AssetId, boundary: &[BoundaryOperation], results: &[Result<(), ResultCode>]) -> (u128, u128) {
    let done = boundary.iter().zip(results).filter(|(_, result)| result.is_ok());
    done.fold((0, 0), |(deposited, withdrawn), (operation, _)| match operation {
        BoundaryOperation::Deposit { asset: of, amount, .. } if *of == asset => (deposited + amount, withdrawn),
        BoundaryOperation::Withdraw { asset: of, amount, .. } if *of == asset => (deposited, withdrawn + amount),
        _ => (deposited, withdrawn),
    })
}

/// 127: what an asset's accounts hold changes by deposits and withdrawals only.
fn assert_conserved(before: &Rows, after: &Rows, boundary: &[BoundaryOperation], results: &[Result<(), ResultCode>]) {
    for asset in (0..3).map(AssetId) {
        // a sum may pass through u128::MAX within one batch, so both sides are compared modulo 2^128
        let (deposited, withdrawn) = crossed(asset, boundary, results);
        let held = |rows: &Rows| rows.sum(asset).expect("no deposit carries a sum past u128");
        assert_eq!(held(before).wrapping_add(deposited).wrapping_sub(withdrawn), held(after));
    }
}

#[test]
fn n127_scans_agree_with_the_plain_ledger_and_conserve_sums() {
    let mut rng = rng(127);
    let (mut codes, mut forced, mut paid) = ([0usize; 7], 0, [0usize; 7]);
    let (mut rows, mut ledger) = (small_rows(), Ledger::with_rows(ROWS));
    for batch in 0..cases(BATCHES) {
        if batch % 100 == 0 {
            (rows, ledger) = (small_rows(), Ledger::with_rows(ROWS));
        }
        let boundary = some_boundary(&mut rng);
        let deltas = some_deltas(&mut rng);
        let before = Rows::from_plain(Zeroizing::new(rows.bytes().to_vec()), 1).expect("well formed");
        let masked = step(&mut rows, &boundary, &deltas);
        let plain = ledger.update(&boundary, &deltas, &ASSETS);
        assert_eq!(masked, plain, "batch {batch}: {boundary:?} {deltas:?}");
        assert_same(&rows, &ledger, &format!("batch {batch}"));
        assert_conserved(&before, &rows, &boundary, &masked.1);
        let of_forced = |(operation, result): &(&BoundaryOperation, &Result<(), ResultCode>)| {
            matches!(operation, BoundaryOperation::ForcedTransfer { .. }) && result.is_ok()
        };
        forced += boundary.iter().zip(&masked.1).filter(of_forced).count();
        for (operation, result) in boundary.iter().zip(&masked.1) {
            if let BoundaryOperation::Transfer { .. } = operation {
                paid[usize::from(result.err().unwrap_or(ResultCode::Done).byte())] += 1;
            }
        }
        for code in masked.1.iter().map(|result| result.err().unwrap_or(ResultCode::Done)).chain([masked.0]) {
            codes[usize::from(code.byte())] += 1;
        }
    }
    assert!(codes.iter().all(|count| *count > 20), "every code occurs: {codes:?}");
    assert!(forced > 20, "forced transfers that succeed: {forced}");
    // no sum passes u128, so no credit does
    let [done, unbalanced, unknown, frozen, insufficient, overflow, full] = paid;
    assert!([done, unknown, frozen, insufficient, full].iter().all(|count| *count > 5), "ends of transfers: {paid:?}");
    assert_eq!((unbalanced, overflow), (0, 0));
}

#[test]
fn sealed_versions_agree_with_the_plain_ledger() {
    let mut rng = rng(128);
    let mut ledger = Ledger::new(super::params().tier);
    let mut current = first(5);
    for round in 0..40 {
        if round == 20 {
            current = current.rows.apply(&Update::Growth, &master(), &mut rng).expect("grows");
            ledger.grow(current.table.header.tier());
        }
        if round == 30 {
            current = current.rows.apply(&Update::Epoch(Epoch(4)), &master(), &mut rng).expect("a new epoch");
        }
        let boundary = some_boundary(&mut rng);
        let deltas = some_deltas(&mut rng);
        let key = current.rows.key.duplicate();
        let open = OpenTable::open(&current.table.header, &current.table.body, &key).expect("opens");
        let update = Update::Round { boundary: &boundary, deltas: &deltas, k: 16, assets: &ASSETS };
        let next = open.apply(&update, &master(), &mut rng).expect("updates");
        let (code, results) = ledger.update(&boundary, &deltas, &ASSETS);
        assert_eq!((next.code, &next.boundary), (code, &results), "round {round}");
        assert_same(&next.rows.rows, &ledger, &format!("round {round}"));
        current = next;
    }
}
