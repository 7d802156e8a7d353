//! Forced transfers: out of a frozen row, into another account's, with the reason kept in the row.

use super::super::{AccountId, AssetId, BoundaryOperation, ResultCode, Row, Updated};
use super::{account, delta, deposit, first, funded, next};

const REASON: u8 = 0x2A;

fn freeze(number: u8, asset: u32) -> BoundaryOperation {
    BoundaryOperation::Freeze { account: account(number), asset: AssetId(asset), reason: 7, frozen: true }
}

fn forced(from: u8, asset: u32, amount: u128, to: u8) -> BoundaryOperation {
    BoundaryOperation::ForcedTransfer {
        account: account(from),
        asset: AssetId(asset),
        amount,
        to: account(to),
        reason: REASON,
    }
}

fn row(table: &Updated, number: u8, asset: u32) -> Row {
    table.rows.find(account(number), AssetId(asset)).expect("a row")
}

/// The code of a forced transfer on the funded table, and a check that a refused one left every row as it was.
fn refused(before: &[BoundaryOperation], operation: BoundaryOperation) -> ResultCode {
    let before = next(funded(), before, &[], 3).expect("seals");
    let kept = before.rows.rows.all()[1..].to_vec();
    let after = next(before, &[operation], &[], 4).expect("seals");
    assert_eq!(after.rows.rows.all()[1..], kept);
    after.boundary[0].expect_err("refused")
}

#[test]
fn a_forced_transfer_moves_the_amount_and_keeps_the_reason_and_the_sum() {
    let after = next(funded(), &[freeze(1, 0), forced(1, 0, 60, 2)], &[], 3).expect("seals");
    assert_eq!(after.boundary, [Ok(()); 2]);
    let (from, to) = (row(&after, 1, 0), row(&after, 2, 0));
    assert_eq!((from.amount, from.nonce, to.amount, to.nonce), (40, 3, 160, 2));
    assert!(from.flags.is_frozen() && from.flags.reason() == REASON);
    assert!(!to.flags.refuses() && to.flags.reason() == 0);
    assert_eq!(after.rows.sum(AssetId(0)), 200);
    let later = next(after, &[], &[delta(1, 0, -1, 0), delta(2, 0, 1, 0)], 4).expect("seals");
    assert_eq!(later.code, ResultCode::Frozen, "the row stays frozen");
}

#[test]
fn a_forced_transfer_takes_the_reserved_part_and_cuts_the_reservation() {
    let reserve = BoundaryOperation::Reserve { account: account(1), asset: AssetId(1), lots: 5 };
    let after = next(funded(), &[reserve, freeze(1, 1), forced(1, 1, 2_500, 2)], &[], 3).expect("seals");
    assert_eq!(after.boundary, [Ok(()); 3]);
    let from = row(&after, 1, 1);
    assert_eq!((from.amount, from.reserved), (2_500, 2), "two lots of a thousand are left");
    let all = next(after, &[forced(1, 1, 2_500, 2)], &[], 4).expect("seals");
    let from = row(&all, 1, 1);
    assert_eq!((from.amount, from.reserved, row(&all, 2, 1).amount), (0, 0, 10_000));
}

#[test]
fn a_forced_transfer_makes_the_row_of_a_registered_account_and_credits_a_frozen_one() {
    let register = BoundaryOperation::Register { account: account(8), reading_key: [8; 32] };
    let after = next(funded(), &[freeze(1, 0), register, forced(1, 0, 100, 8)], &[], 3).expect("seals");
    assert_eq!(after.boundary, [Ok(()); 3]);
    assert_eq!((row(&after, 8, 0).amount, row(&after, 8, 0).nonce, row(&after, 1, 0).amount), (100, 1, 0));
    let frozen = next(after, &[freeze(8, 0), freeze(2, 0), forced(8, 0, 100, 2)], &[], 4).expect("seals");
    assert_eq!(frozen.boundary, [Ok(()); 3]);
    assert_eq!((row(&frozen, 2, 0).amount, row(&frozen, 2, 0).flags.reason()), (200, 7), "its own reason stays");
}

#[test]
fn n128_a_forced_transfer_of_to_or_from_nobody_is_unknown() {
    let frozen = [freeze(1, 0)];
    assert_eq!(refused(&frozen, forced(1, 0, 1, 1)), ResultCode::Unknown, "to itself");
    assert_eq!(refused(&frozen, forced(1, 0, 1, 0)), ResultCode::Unknown, "to account zero");
    assert_eq!(refused(&frozen, forced(0, 0, 1, 2)), ResultCode::Unknown, "from account zero");
    assert_eq!(refused(&frozen, forced(1, 0, 1, 9)), ResultCode::Unknown, "to an account that is not registered");
    assert_eq!(refused(&frozen, forced(9, 0, 1, 2)), ResultCode::Unknown, "from an account without a row");
    assert_eq!(refused(&frozen, forced(1, 3, 1, 2)), ResultCode::Unknown, "of an asset that is not configured");
    assert_eq!(refused(&frozen, forced(1, 0xFFFF_FFFF, 1, 2)), ResultCode::Unknown, "of a kind of row");
}

#[test]
fn a_row_that_is_not_frozen_is_not_forced() {
    assert_eq!(refused(&[], forced(1, 0, 1, 2)), ResultCode::Frozen);
    assert_eq!(refused(&[freeze(2, 0)], forced(1, 0, 1, 2)), ResultCode::Frozen);
    assert_eq!(refused(&[freeze(1, 1)], forced(1, 0, 1, 2)), ResultCode::Frozen);
}

#[test]
fn n126_a_forced_transfer_of_nothing_or_more_than_there_is_is_insufficient() {
    assert_eq!(refused(&[freeze(1, 0)], forced(1, 0, 0, 2)), ResultCode::Insufficient);
    assert_eq!(refused(&[freeze(1, 0)], forced(1, 0, 101, 2)), ResultCode::Insufficient);
    assert_eq!(refused(&[freeze(1, 0)], forced(1, 0, u128::MAX, 2)), ResultCode::Insufficient);
}

#[test]
fn n130_a_forced_transfer_into_a_full_table_says_so_inside_and_moves_nothing() {
    // 1 023 rows beside the status row: 509 accounts of two rows, two of theirs frozen, and five key rows
    let id = |i: u16| {
        let mut id = [9; 20];
        id[..2].copy_from_slice(&i.to_be_bytes());
        AccountId(id)
    };
    let mut fill: Vec<_> = (0..509)
        .map(|i| BoundaryOperation::Deposit { account: id(i), asset: AssetId(0), amount: 1, reading_key: [1; 32] })
        .collect();
    let register = |i: u16| BoundaryOperation::Register { account: id(i), reading_key: [1; 32] };
    fill.extend((509..514).map(register));
    fill.push(BoundaryOperation::Freeze { account: id(0), asset: AssetId(0), reason: 1, frozen: true });
    let full = next(first(1), &fill, &[], 2).expect("seals");
    assert!(full.boundary.iter().all(Result::is_ok));
    assert_eq!(full.rows.used_rows(), 1024);
    let kept = full.rows.rows.all()[1..].to_vec();
    let force = |to| BoundaryOperation::ForcedTransfer { account: id(0), asset: AssetId(0), amount: 1, to, reason: 2 };
    let refused = next(full, &[force(id(509)), deposit(3, 0, 1)], &[], 3).expect("seals");
    assert_eq!(refused.boundary, [Err(ResultCode::Full); 2]);
    assert_eq!(refused.rows.rows.all()[1..], kept);
    let moved = next(refused, &[force(id(1))], &[], 4).expect("seals");
    assert_eq!(moved.boundary, [Ok(())], "a row that exists needs no room");
}
