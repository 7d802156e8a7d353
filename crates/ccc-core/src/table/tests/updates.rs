//! Rounds one by one: what succeeds, what is refused and with which code, what survives a refusal.

use super::super::{
    AccountId, AssetId, BoundaryOperation, Delta, OpenTable, ResultCode, StructuralError, Tier, Update, Updated,
};
use super::{ASSETS, EPOCH, account, delta, deposit, first, funded, master, next, rng};
use crate::epoch::Epoch;

fn amount(table: &Updated, number: u8, asset: u32) -> Option<u128> {
    table.rows.find(account(number), AssetId(asset)).map(|row| row.amount)
}

fn balances(table: &Updated) -> Vec<[u8; 64]> {
    table.rows.rows.all()[1..].to_vec()
}

fn freeze(number: u8, asset: u32, frozen: bool) -> BoundaryOperation {
    BoundaryOperation::Freeze { account: account(number), asset: AssetId(asset), reason: 7, frozen }
}

fn reserve(number: u8, asset: u32, lots: u64) -> BoundaryOperation {
    BoundaryOperation::Reserve { account: account(number), asset: AssetId(asset), lots }
}

fn withdraw(number: u8, asset: u32, amount: u128) -> BoundaryOperation {
    BoundaryOperation::Withdraw { account: account(number), asset: AssetId(asset), amount }
}

/// The code of a batch that must be refused, and a check that it left every row as it was.
fn refused(deltas: &[Delta]) -> ResultCode {
    let before = funded();
    let kept = balances(&before);
    let after = next(before, &[], deltas, 3).expect("a refusal is no structural error");
    assert_eq!(balances(&after), kept);
    assert_eq!(after.rows.result_code(), after.code);
    after.code
}

#[test]
fn a_clearing_moves_rows() {
    let after =
        next(funded(), &[], &[delta(1, 0, -40, 0), delta(2, 0, 40, 0), delta(2, 1, -7, 0), delta(1, 1, 7, 0)], 3)
            .expect("updates");
    assert_eq!(after.code, ResultCode::Done);
    assert_eq!((amount(&after, 1, 0), amount(&after, 2, 0)), (Some(60), Some(140)));
    assert_eq!((amount(&after, 1, 1), amount(&after, 2, 1)), (Some(5007), Some(4993)));
    assert_eq!((after.rows.sum(AssetId(0)), after.rows.sum(AssetId(1))), (200, 10_000));
    assert_eq!(after.rows.find(account(1), AssetId(0)).map(|row| row.nonce), Some(2));
    assert_eq!(after.rows.used_rows(), 7);
}

#[test]
fn a_fill_takes_its_reservation_along() {
    let reserved = next(funded(), &[reserve(1, 1, 3)], &[], 3).expect("reserves");
    assert_eq!(reserved.boundary, [Ok(())]);
    let filled = next(reserved, &[], &[delta(1, 1, -2000, -2), delta(2, 1, 2000, 0)], 4).expect("fills");
    let row = filled.rows.find(account(1), AssetId(1)).expect("row");
    assert_eq!((filled.code, row.amount, row.reserved), (ResultCode::Done, 3000, 1));
    let over = next(filled, &[withdraw(1, 1, 2001), withdraw(1, 1, 2000)], &[], 5).expect("withdraws");
    assert_eq!(over.boundary, [Err(ResultCode::Insufficient), Ok(())]);
}

#[test]
fn n126_debits_beyond_the_balance_and_overflows_are_refused() {
    assert_eq!(refused(&[delta(1, 0, -101, 0), delta(2, 0, 101, 0)]), ResultCode::Insufficient);
    assert_eq!(
        refused(&[delta(1, 0, i128::MIN, 0), delta(2, 0, i128::MAX, 0), delta(2, 0, 1, 0)]),
        ResultCode::Insufficient
    );
    assert_eq!(refused(&[delta(1, 1, 0, 6)]), ResultCode::Insufficient);
    assert_eq!(refused(&[delta(1, 1, 0, -1)]), ResultCode::Insufficient);
    let after = next(funded(), &[deposit(1, 0, 0), withdraw(1, 0, 0), withdraw(1, 0, 101)], &[], 3).expect("seals");
    assert_eq!(after.boundary, [Err(ResultCode::Insufficient); 3]);
    let full = next(after, &[deposit(3, 0, u128::MAX - 200), deposit(1, 0, 1)], &[], 4).expect("seals");
    assert_eq!(full.boundary, [Ok(()), Err(ResultCode::Overflow)]);
    assert_eq!((full.rows.sum(AssetId(0)), amount(&full, 1, 0)), (u128::MAX, Some(100)));
}

#[test]
fn n126_a_row_cannot_pass_u128() {
    let full = next(funded(), &[deposit(3, 0, u128::MAX - 200)], &[], 3).expect("seals");
    let wild = [delta(3, 0, i128::MAX, 0), delta(1, 0, i128::MIN, 0), delta(2, 0, 1, 0)];
    let after = next(full, &[], &wild, 4).expect("seals");
    assert_eq!(after.code, ResultCode::Insufficient);
    let reserved =
        next(after, &[], &[delta(3, 0, 0, i64::MAX), delta(3, 0, 0, i64::MAX), delta(3, 0, 0, 2)], 5).expect("seals");
    assert_eq!(reserved.code, ResultCode::Overflow);
}

#[test]
fn n128_self_transfers_unknown_and_zero_accounts() {
    assert_eq!(refused(&[delta(1, 0, -5, 0), delta(9, 0, 5, 0)]), ResultCode::Unknown);
    assert_eq!(refused(&[delta(1, 0, -5, 0), delta(0, 0, 5, 0)]), ResultCode::Unknown);
    assert_eq!(refused(&[delta(1, 0, -5, 0), delta(2, 0, 5, 0), delta(0, 0, 0, 1)]), ResultCode::Unknown);
    assert_eq!(refused(&[delta(1, 2, -5, 0), delta(2, 2, 5, 0)]), ResultCode::Unknown);
    assert_eq!(refused(&[delta(1, 0xFFFF_FFFF, -5, 0), delta(2, 0xFFFF_FFFF, 5, 0)]), ResultCode::Unknown);
    let own = next(funded(), &[deposit(0, 0, 5)], &[delta(1, 0, -1000, 0), delta(1, 0, 1000, 0)], 3).expect("seals");
    assert_eq!((own.code, own.boundary.as_slice()), (ResultCode::Done, &[Err(ResultCode::Unknown)][..]));
    let row = own.rows.find(account(1), AssetId(0)).expect("row");
    assert_eq!((row.amount, row.nonce), (100, 2));
    assert!(own.rows.find(AccountId::NOBODY, AssetId(0)).is_none());
    assert!(own.rows.find(account(1), AssetId::READING_KEY).is_none());
}

#[test]
fn n129_one_bad_entry_refuses_the_batch_and_keeps_boundary_results() {
    let good = [delta(1, 0, -40, 0), delta(2, 0, 40, 0)];
    let unbalanced = [&good[..], &[delta(1, 0, 1, 0)]].concat();
    assert_eq!(refused(&unbalanced), ResultCode::Unbalanced);
    let both = [&unbalanced[..], &[delta(9, 0, 5, 0)]].concat();
    assert_eq!(refused(&both), ResultCode::Unbalanced, "the lowest code wins");
    let after = next(funded(), &[deposit(1, 0, 11), withdraw(9, 0, 1)], &unbalanced, 3).expect("seals");
    assert_eq!(
        (after.code, after.boundary.as_slice()),
        (ResultCode::Unbalanced, &[Ok(()), Err(ResultCode::Unknown)][..])
    );
    assert_eq!((amount(&after, 1, 0), amount(&after, 2, 0)), (Some(111), Some(100)));
}

#[test]
fn frozen_rows_take_deposits_only() {
    let frozen = next(funded(), &[freeze(1, 0, true), deposit(1, 0, 5), withdraw(1, 0, 1), reserve(1, 0, 1)], &[], 3)
        .expect("seals");
    assert_eq!(frozen.boundary, [Ok(()), Ok(()), Err(ResultCode::Frozen), Err(ResultCode::Frozen)]);
    let after = next(frozen, &[], &[delta(1, 0, 1, 0), delta(2, 0, -1, 0)], 4).expect("seals");
    assert_eq!((after.code, amount(&after, 1, 0)), (ResultCode::Frozen, Some(105)));
    let flags = after.rows.find(account(1), AssetId(0)).map(|row| row.flags).expect("row");
    assert!(flags.is_frozen() && flags.reason() == 7);
    let thawed = next(after, &[freeze(1, 0, false)], &[delta(1, 0, 1, 0), delta(2, 0, -1, 0)], 5).expect("seals");
    assert_eq!((thawed.code, amount(&thawed, 1, 0)), (ResultCode::Done, Some(106)));
}

#[test]
fn rows_are_opened_for_registered_accounts_only() {
    let (account, asset) = (account(8), AssetId(0));
    let open = BoundaryOperation::Open { account, asset };
    let register = BoundaryOperation::Register { account, reading_key: [8; 32] };
    let after = next(funded(), &[open.clone(), register, open.clone(), open], &[], 3).expect("seals");
    assert_eq!(after.boundary, [Err(ResultCode::Unknown), Ok(()), Ok(()), Ok(())]);
    assert_eq!(after.rows.find(account, asset).map(|row| (row.amount, row.nonce)), Some((0, 2)));
    assert_eq!(after.rows.reading_keys(&[account])[0].as_deref(), Some(&[8; 32]));
}

#[test]
fn n124_versions_end_at_the_last_one() {
    let mut table = first(1);
    table.rows.header = {
        let mut prefix = table.rows.header.prefix().clone();
        (prefix.version, prefix.previous) = (u64::MAX, [1; 32]);
        let roots = super::super::header::Roots { body: [0; 32], key_commitment: [0; 32], state: [0; 32] };
        super::super::Header::new(prefix, roots, table.table.header.wrapped().clone()).expect("a table key")
    };
    assert!(matches!(next(table, &[], &[], 2), Err(StructuralError::LastVersion { found: u64::MAX })));
}

#[test]
fn capacities_and_epochs_are_checked_before_anything_is_sealed() {
    let update =
        |k, deltas: &[Delta], epoch| funded().rows.update(&[], deltas, k, &ASSETS, epoch, &master(), &mut rng(9)).err();
    assert_eq!(update(0, &[], EPOCH), Some(StructuralError::DeltaCapacity { found: 0 }));
    let many = [Delta::DUMMY; 17];
    assert_eq!(update(16, &many, EPOCH), Some(StructuralError::TooManyDeltas { capacity: 16, found: 17 }));
    assert_eq!(update(16, &[], Epoch(2)), Some(StructuralError::Epoch { least: EPOCH, found: Epoch(2) }));
}

#[test]
fn the_epoch_salt_changes_with_the_epoch_only() {
    let start = first(1);
    let salt = start.rows.epoch_salt();
    assert_eq!(salt, start.rows.key.epoch_salt(EPOCH));
    let same = next(start, &[], &[], 2).expect("seals");
    assert_eq!(same.rows.epoch_salt(), salt);
    let later = same.rows.update(&[], &[], 16, &ASSETS, Epoch(4), &master(), &mut rng(3)).expect("seals");
    assert_eq!(later.rows.epoch_salt(), later.rows.key.epoch_salt(Epoch(4)));
    assert_ne!(later.rows.epoch_salt(), salt);
    assert_eq!(later.table.header.epoch(), Epoch(4));
}

#[test]
fn a_table_grows_in_a_version_of_its_own() {
    let before = funded();
    let kept = balances(&before);
    let grown = before.rows.apply(&Update::Growth, &master(), &mut rng(4)).expect("grows");
    assert_eq!(grown.table.header.tier(), Tier::new(12).expect("tier"));
    assert_eq!(balances(&grown)[..kept.len()], kept);
    let open = OpenTable::open(&grown.table.header, &grown.table.body, &grown.rows.key).expect("opens");
    assert_eq!(open.find(account(1), AssetId(1)).map(|row| row.amount), Some(5000));
    assert_eq!(open.used_rows(), 7);
}

#[test]
fn n130_a_full_table_refuses_new_rows_and_says_so_inside() {
    let accounts: Vec<_> = (0..511u16)
        .map(|i| {
            let mut id = [9; 20];
            id[..2].copy_from_slice(&i.to_be_bytes());
            BoundaryOperation::Deposit { account: AccountId(id), asset: AssetId(0), amount: 1, reading_key: [1; 32] }
        })
        .collect();
    let full = next(first(1), &accounts, &[], 2).expect("seals");
    assert!(full.boundary.iter().all(Result::is_ok));
    assert_eq!(full.rows.used_rows(), 1023);
    let more = next(full, &[deposit(3, 0, 1), deposit(9, 1, 1)], &[], 3).expect("seals");
    assert_eq!(more.boundary, [Err(ResultCode::Full), Err(ResultCode::Full)]);
}
