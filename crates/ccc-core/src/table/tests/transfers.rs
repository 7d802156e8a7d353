//! Transfers: out of the free part of a row, into another account's, of the owner's own will.

use super::super::{AccountId, AssetId, BoundaryOperation, ResultCode, Row, Updated};
use super::{account, delta, deposit, first, funded, next};

fn freeze(number: u8, asset: u32) -> BoundaryOperation {
    BoundaryOperation::Freeze { account: account(number), asset: AssetId(asset), reason: 7, frozen: true }
}

fn transfer(from: u8, asset: u32, amount: u128, to: u8) -> BoundaryOperation {
    BoundaryOperation::Transfer { account: account(from), asset: AssetId(asset), amount, to: account(to) }
}

fn reserve(number: u8, asset: u32, lots: u64) -> BoundaryOperation {
    BoundaryOperation::Reserve { account: account(number), asset: AssetId(asset), lots }
}

fn row(table: &Updated, number: u8, asset: u32) -> Row {
    table.rows.find(account(number), AssetId(asset)).expect("a row")
}

/// The code of a transfer on the funded table, and a check that a refused one left every row as it was.
fn refused(before: &[BoundaryOperation], operation: BoundaryOperation) -> ResultCode {
    let before = next(funded(), before, &[], 3).expect("seals");
    assert!(before.boundary.iter().all(Result::is_ok));
    let kept = before.rows.rows.all()[1..].to_vec();
    let after = next(before, &[operation], &[], 4).expect("seals");
    assert_eq!(after.rows.rows.all()[1..], kept);
    after.boundary[0].expect_err("refused")
}

#[test]
fn a_transfer_moves_the_amount_touches_both_rows_and_keeps_the_sum() {
    let after = next(funded(), &[transfer(1, 0, 60, 2)], &[], 3).expect("seals");
    assert_eq!(after.boundary, [Ok(())]);
    let (from, to) = (row(&after, 1, 0), row(&after, 2, 0));
    assert_eq!((from.amount, from.nonce, to.amount, to.nonce), (40, 2, 160, 2));
    assert_eq!(after.rows.sum(AssetId(0)), 200);
    let later = next(after, &[], &[delta(1, 0, -1, 0), delta(2, 0, 1, 0)], 4).expect("seals");
    assert_eq!(later.code, ResultCode::Done);
}

#[test]
fn a_transfer_takes_the_free_part_and_leaves_the_reservation() {
    let after = next(funded(), &[reserve(1, 1, 3), transfer(1, 1, 2_000, 2)], &[], 3).expect("seals");
    assert_eq!(after.boundary, [Ok(()); 2]);
    assert_eq!((row(&after, 1, 1).amount, row(&after, 1, 1).reserved, row(&after, 2, 1).amount), (3_000, 3, 7_000));
}

#[test]
fn a_transfer_makes_the_row_of_a_registered_account_and_credits_a_frozen_one() {
    let register = BoundaryOperation::Register { account: account(8), reading_key: [8; 32] };
    let after = next(funded(), &[register, transfer(1, 0, 100, 8)], &[], 3).expect("seals");
    assert_eq!(after.boundary, [Ok(()); 2]);
    assert_eq!((row(&after, 8, 0).amount, row(&after, 8, 0).nonce, row(&after, 1, 0).amount), (100, 1, 0));
    let frozen = next(after, &[freeze(2, 0), transfer(8, 0, 100, 2)], &[], 4).expect("seals");
    assert_eq!(frozen.boundary, [Ok(()); 2]);
    assert_eq!((row(&frozen, 2, 0).amount, row(&frozen, 2, 0).flags.reason()), (200, 7));
    assert!(row(&frozen, 2, 0).flags.is_frozen());
}

#[test]
fn n128_a_transfer_of_to_or_from_nobody_is_unknown() {
    assert_eq!(refused(&[], transfer(1, 0, 1, 1)), ResultCode::Unknown, "to itself");
    assert_eq!(refused(&[], transfer(1, 0, 1, 0)), ResultCode::Unknown, "to account zero");
    assert_eq!(refused(&[], transfer(0, 0, 1, 2)), ResultCode::Unknown, "from account zero");
    assert_eq!(refused(&[], transfer(1, 0, 1, 9)), ResultCode::Unknown, "to an account that is not registered");
    assert_eq!(refused(&[], transfer(9, 0, 1, 2)), ResultCode::Unknown, "from an account without a row");
    assert_eq!(refused(&[], transfer(1, 3, 1, 2)), ResultCode::Unknown, "of an asset that is not configured");
    assert_eq!(refused(&[], transfer(1, 0xFFFF_FFFF, 1, 2)), ResultCode::Unknown, "of a kind of row");
    assert_eq!(refused(&[freeze(1, 0)], transfer(1, 0, 1, 1)), ResultCode::Unknown, "before a frozen row is looked at");
}

#[test]
fn n129_a_transfer_out_of_a_frozen_row_is_frozen() {
    assert_eq!(refused(&[freeze(1, 0)], transfer(1, 0, 1, 2)), ResultCode::Frozen);
    assert_eq!(refused(&[freeze(1, 0)], transfer(1, 0, 0, 2)), ResultCode::Frozen, "before the amount is looked at");
}

#[test]
fn n126_a_transfer_of_nothing_or_of_more_than_is_free_is_insufficient() {
    assert_eq!(refused(&[], transfer(1, 0, 0, 2)), ResultCode::Insufficient);
    assert_eq!(refused(&[], transfer(1, 0, 101, 2)), ResultCode::Insufficient);
    assert_eq!(refused(&[], transfer(1, 0, u128::MAX, 2)), ResultCode::Insufficient);
    assert_eq!(refused(&[reserve(1, 1, 3)], transfer(1, 1, 2_001, 2)), ResultCode::Insufficient, "reserved");
}

#[test]
fn n126_a_transfer_past_the_range_of_a_nonce_is_an_overflow() {
    for at_end in [account(1), account(2)] {
        let mut before = funded();
        let rows = before.rows.rows.bytes_mut().as_chunks_mut().0;
        for bytes in rows {
            if let Ok(row) = Row::from_bytes(bytes)
                && (row.account, row.asset) == (at_end, AssetId(0))
            {
                *bytes = Row { nonce: u64::MAX, ..row }.to_bytes();
            }
        }
        let kept = before.rows.rows.all()[1..].to_vec();
        let after = next(before, &[transfer(1, 0, 1, 2)], &[], 3).expect("seals");
        assert_eq!(after.boundary, [Err(ResultCode::Overflow)]);
        assert_eq!(after.rows.rows.all()[1..], kept);
    }
}

#[test]
fn n130_a_transfer_into_a_full_table_says_so_inside_and_moves_nothing() {
    // 1 023 rows beside the status row: 509 accounts of two rows, and five key rows
    let id = |i: u16| {
        let mut id = [9; 20];
        id[..2].copy_from_slice(&i.to_be_bytes());
        AccountId(id)
    };
    let fill = (0..509)
        .map(|i| BoundaryOperation::Deposit { account: id(i), asset: AssetId(0), amount: 1, reading_key: [1; 32] })
        .chain((509..514).map(|i| BoundaryOperation::Register { account: id(i), reading_key: [1; 32] }));
    let full = next(first(1), &fill.collect::<Vec<_>>(), &[], 2).expect("seals");
    assert_eq!(full.rows.used_rows(), 1024);
    let kept = full.rows.rows.all()[1..].to_vec();
    let pay = |to| BoundaryOperation::Transfer { account: id(0), asset: AssetId(0), amount: 1, to };
    let refused = next(full, &[pay(id(509)), deposit(3, 0, 1)], &[], 3).expect("seals");
    assert_eq!(refused.boundary, [Err(ResultCode::Full); 2]);
    assert_eq!(refused.rows.rows.all()[1..], kept);
    let moved = next(refused, &[pay(id(1))], &[], 4).expect("seals");
    assert_eq!(moved.boundary, [Ok(())], "a row that exists needs no room");
}
