//! One test for each bad input: a business failure reseals the unchanged rows with its code inside, a structural one is
//! a typed error and leaves the old version valid.

use super::super::{
    AssetId, BoundaryOperation, Delta, Head, Header, HeaderError, OpenTable, ResultCode, SealedTable, StructuralError,
    Tier, Update, Updated, header_hash, row::Status,
};
use super::{ASSETS, EPOCH, account, delta, deposit, first, funded, master, next, rng};
use crate::epoch::Epoch;

/// The code of a batch on the funded table after `before`: sealed inside the next version, whose other rows are as they
/// were and which opens again.
fn sealed_inside(before: &[BoundaryOperation], deltas: &[Delta]) -> ResultCode {
    let before = next(funded(), before, &[], 3).expect("seals");
    let (version, kept) = (before.table.header.version(), before.rows.rows.all()[1..].to_vec());
    let after = next(before, &[], deltas, 4).expect("a business failure is no structural error");
    assert_eq!(after.table.header.version(), version + 1);
    assert_eq!(after.rows.rows.all()[1..], kept);
    let open = OpenTable::open(&after.table.header, &after.table.body, &after.rows.key).expect("opens");
    let status = Status::from_bytes(&open.rows.all()[0]).expect("a status row");
    assert_eq!((status.code, open.result_code()), (after.code, after.code));
    after.code
}

#[test]
fn n128_an_unknown_account_is_sealed_inside() {
    assert_eq!(sealed_inside(&[], &[delta(1, 0, -5, 0), delta(9, 0, 5, 0)]), ResultCode::Unknown);
}

#[test]
fn n129_a_frozen_account_is_sealed_inside() {
    let freeze = BoundaryOperation::Freeze { account: account(2), asset: AssetId(0), reason: 1, frozen: true };
    let transfer = [delta(1, 0, -5, 0), delta(2, 0, 5, 0)];
    assert_eq!(sealed_inside(std::slice::from_ref(&freeze), &transfer), ResultCode::Frozen);
}

#[test]
fn n126_an_insufficient_balance_is_sealed_inside() {
    assert_eq!(sealed_inside(&[], &[delta(1, 0, -101, 0), delta(2, 0, 101, 0)]), ResultCode::Insufficient);
}

#[test]
fn n126_a_reservation_that_no_longer_fits_is_sealed_inside() {
    let reserve = BoundaryOperation::Reserve { account: account(1), asset: AssetId(1), lots: 5 };
    let transfer = [delta(1, 1, -1, 0), delta(2, 1, 1, 0)];
    assert_eq!(sealed_inside(std::slice::from_ref(&reserve), &transfer), ResultCode::Insufficient);
}

#[test]
fn n126_an_overflow_is_sealed_inside() {
    let reserved = [delta(1, 0, 0, i64::MAX), delta(1, 0, 0, i64::MAX), delta(1, 0, 0, 2)];
    let filled = [deposit(1, 0, u128::MAX - 200)];
    assert_eq!(sealed_inside(&filled, &reserved), ResultCode::Overflow);
}

#[test]
fn n129_a_sum_that_is_not_zero_is_sealed_inside() {
    assert_eq!(sealed_inside(&[], &[delta(1, 0, -5, 0), delta(2, 0, 4, 0)]), ResultCode::Unbalanced);
    let crossed = [delta(1, 0, -5, 0), delta(2, 1, 5, 0)];
    assert_eq!(sealed_inside(&[], &crossed), ResultCode::Unbalanced, "two assets do not balance each other");
}

/// Checks that the funded table still opens as the current one, and gives its parts.
fn still_current(table: &SealedTable, rows: &OpenTable) {
    let head = table.header.head();
    assert!(OpenTable::open_current(&table.header.to_bytes(), head, Some(&table.body), &rows.key).is_ok());
}

/// What opening altered header bytes says under a chain that holds their hash.
fn refused(header: &[u8], version: u64) -> StructuralError {
    let Updated { table, rows, .. } = funded();
    let head = Head { hash: header_hash(header), version };
    let error = OpenTable::open_current(header, head, Some(&table.body), &rows.key).expect_err("refused");
    still_current(&table, &rows);
    error
}

#[test]
fn n124_a_wrong_version_is_structural() {
    let header = funded().table.header;
    let expected = Head { hash: header.hash(), version: 3 };
    assert_eq!(refused(&header.to_bytes(), 3), StructuralError::Version { expected, found: header.head() });
}

#[test]
fn n122_a_wrong_table_is_structural() {
    let header = funded().table.header;
    let mut bytes = header.to_bytes();
    bytes[50] ^= 1; // inside the table's identifier: another P0, so other keys
    assert_eq!(refused(&bytes, 2), StructuralError::KeyCommitment);
    let unknown = Head { hash: [7; 32], version: 2 };
    let found = OpenTable::open_current(&header.to_bytes(), unknown, None, &funded().rows.key).expect_err("refused");
    assert_eq!(found, StructuralError::Hash { expected: [7; 32], found: header.hash() });
}

#[test]
fn n122_a_wrong_suite_is_structural() {
    let mut bytes = funded().table.header.to_bytes();
    bytes[6..8].copy_from_slice(&9u16.to_be_bytes());
    assert_eq!(refused(&bytes, 2), StructuralError::Header(HeaderError::Suite { found: 9 }));
}

#[test]
fn n130_a_capacity_that_is_exceeded_is_structural() {
    let Updated { table, rows, .. } = funded();
    let key = rows.key.duplicate();
    let many = [delta(1, 0, 0, 0); 17];
    let update = Update::Round { boundary: &[], deltas: &many, k: 16, assets: &ASSETS };
    let found = rows.apply(&update, &master(), &mut rng(5)).expect_err("refused");
    assert_eq!(found, StructuralError::TooManyDeltas { capacity: 16, found: 17 });
    assert!(OpenTable::open(&table.header, &table.body, &key).is_ok(), "the old version stays valid");
}

#[test]
fn n130_a_table_without_room_says_so_inside() {
    let account = |number: u32| {
        let mut id = [0xAA; 20];
        id[..4].copy_from_slice(&number.to_be_bytes());
        super::super::AccountId(id)
    };
    let register = |number| BoundaryOperation::Register { account: account(number), reading_key: [1; 32] };
    let fill: Vec<_> = (1..1024).map(register).collect();
    let full = next(first(1), &fill, &[], 2).expect("seals");
    assert!(full.boundary.iter().all(Result::is_ok));
    let open = BoundaryOperation::Open { account: account(1), asset: AssetId(0) };
    let refused = next(full, &[register(5_000), open.clone(), deposit(3, 0, 1)], &[], 3).expect("seals");
    assert_eq!(refused.boundary, [Err(ResultCode::Full); 3]);
    let grown = refused.rows.apply(&Update::Growth, &master(), &mut rng(4)).expect("grows");
    let after = next(grown, &[register(5_000), open, deposit(3, 0, 1)], &[], 5).expect("seals");
    assert_eq!(after.boundary, [Ok(()); 3], "growth makes room");
    assert_eq!(after.table.header.tier(), Tier::new(12).expect("tier"));
}

#[test]
fn n134_a_missing_body_halts_and_says_what_to_do() {
    let Updated { table, rows, .. } = funded();
    let (header, head) = (table.header.to_bytes(), table.header.head());
    let found = OpenTable::open_current(&header, head, None, &rows.key).expect_err("refused");
    assert_eq!(found, StructuralError::MissingBody { body_root: table.header.body_root() });
    let text = found.to_string();
    assert!(text.contains("restore it from another holder") && text.contains("no empty table"), "{text}");
    still_current(&table, &rows);
}

#[test]
fn an_epoch_that_goes_back_is_structural() {
    let Updated { table, rows, .. } = funded();
    let key = rows.key.duplicate();
    let found = rows.apply(&Update::Epoch(Epoch(2)), &master(), &mut rng(5)).expect_err("refused");
    assert_eq!(found, StructuralError::Epoch { least: EPOCH, found: Epoch(2) });
    assert!(OpenTable::open(&table.header, &table.body, &key).is_ok());
    assert!(Header::from_bytes(&table.header.to_bytes()).is_ok());
}
