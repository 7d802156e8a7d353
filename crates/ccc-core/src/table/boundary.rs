//! Boundary operations on open rows: one reading scan, one decision, one writing scan each.
//!
//! *Timing*: the scans touch every row alike and take place whether the operation succeeds or not; the decision on
//! the rows that were found is a few branches on words that sit in registers or on the stack.

use super::{
    AccountId, AssetId, AssetRule, BoundaryOperation, ResultCode, Row,
    identity::rule,
    mask::RowKey,
    row::{self, READING_KEY_LEN},
    rows::{Located, Placed},
};

/// Rows that an operation looks up.
pub(super) const NAMED: usize = 3;
/// Rows that an operation may create.
pub(super) const MADE: usize = 2;

/// What an operation found: the key row of the account that may gain a row, the row it names, and the row of a
/// transfer's other side.
pub(super) struct Found {
    key_row: Option<Located>,
    row: Option<(u32, Row)>,
    other: Option<(u32, Row)>,
    /// Index of the first unused row, and how many there are.
    next: u32,
    room: usize,
    total: Option<u128>,
}

/// Rows that boundary operations run on: those of an open table, or the working rows of a sealed one.
pub(super) trait RowSet {
    /// Looks for the keys of one operation in one scan.
    fn locate_named(&self, keys: &[RowKey; NAMED]) -> [Option<Located>; NAMED];

    /// Writes up to two rows in one scan; nothing is written for `None`, at the same cost.
    fn write(&mut self, placed: &[Placed; 2]);

    /// The sum of the amounts of one asset over the whole table; `None` above u128.
    fn sum(&self, asset: AssetId) -> Option<u128>;

    /// Where the next new row is written.
    fn next(&self) -> u32;

    /// Unused rows of the table.
    fn room(&self) -> usize;

    /// Carries out one boundary operation, or leaves every row as it was.
    fn apply_boundary(&mut self, operation: &BoundaryOperation, assets: &[AssetRule]) -> Result<(), ResultCode> {
        let found = self.look_up(operation);
        let decision = decide(operation, found, assets);
        self.write(decision.as_ref().unwrap_or(&[None, None]));
        decision.map(drop)
    }

    fn look_up(&self, operation: &BoundaryOperation) -> Found {
        let [key_row, row, other] = self.locate_named(&operation.keys());
        let (row, other) = (balance(row), balance(other));
        Found { key_row, row, other, next: self.next(), room: self.room(), total: self.sum(operation.asset()) }
    }
}

impl BoundaryOperation {
    /// The key row of the account that may gain a row, the row it names, and that of a transfer's other side.
    pub(super) fn keys(&self) -> [RowKey; NAMED] {
        let asset = self.asset();
        [
            RowKey::reading_key(self.holder()),
            RowKey::balance(self.account(), asset),
            RowKey::balance(self.counterparty(), asset),
        ]
    }
}

fn balance(found: Option<Located>) -> Option<(u32, Row)> {
    found.and_then(|found| Row::from_bytes(&found.bytes).ok().map(|row| (found.index, row)))
}

fn decide(operation: &BoundaryOperation, found: Found, assets: &[AssetRule]) -> Result<[Placed; 2], ResultCode> {
    use BoundaryOperation as Op;
    let account = operation.account();
    if account == AccountId::NOBODY {
        return Err(ResultCode::Unknown);
    }
    if let Op::Register { reading_key, .. } = operation {
        return found.register(account, reading_key).map(|key_row| [Some(key_row), None]);
    }
    let asset = operation.asset();
    let lot = rule(assets, asset).ok_or(ResultCode::Unknown)?.lot;
    match operation {
        Op::Register { .. } => Err(ResultCode::Unknown),
        Op::Open { .. } => found.open(account, asset),
        Op::Deposit { amount, reading_key, .. } => found.deposit(account, asset, *amount, reading_key),
        Op::Withdraw { amount, .. } => found.existing(|row| withdraw(row, *amount, lot)),
        Op::Reserve { lots, .. } => found.existing(|row| reserve(row, *lots, lot)),
        Op::Freeze { reason, frozen, .. } => found.existing(|row| {
            row.flags = row.flags.with_frozen(*frozen, *reason);
            Ok(())
        }),
        Op::ForcedTransfer { to, .. } | Op::Transfer { to, .. } if *to == account => Err(ResultCode::Unknown),
        Op::ForcedTransfer { amount, to, reason, .. } => {
            let forced = Forced { amount: *amount, reason: *reason, lot };
            found.pay(*amount, Row::empty(*to, asset), |row| take(row, &forced))
        }
        Op::Transfer { amount, to, .. } => {
            found.pay(*amount, Row::empty(*to, asset), |row| withdraw(row, *amount, lot))
        }
    }
}

/// What a forced transfer takes, and why.
struct Forced {
    amount: u128,
    reason: u8,
    lot: u64,
}

impl Found {
    fn register(self, account: AccountId, reading_key: &[u8; READING_KEY_LEN]) -> Result<Located, ResultCode> {
        let bytes = row::key_row(account, reading_key);
        match self.key_row {
            Some(former) => Ok(Located { index: former.index, bytes }),
            None if self.room == 0 => Err(ResultCode::Full),
            None => Ok(Located { index: self.next, bytes }),
        }
    }

    fn open(self, account: AccountId, asset: AssetId) -> Result<[Placed; 2], ResultCode> {
        match (&self.key_row, &self.row) {
            (None, _) => Err(ResultCode::Unknown),
            (Some(_), None) if self.room == 0 => Err(ResultCode::Full),
            (Some(_), None) => Ok([placed(self.next, touched(Row::empty(account, asset))?), None]),
            (Some(_), Some(_)) => self.existing(|_| Ok(())),
        }
    }

    /// Missing rows are made together or not at all: key row first, then the balance.
    fn deposit(
        self,
        account: AccountId,
        asset: AssetId,
        amount: u128,
        reading_key: &[u8; READING_KEY_LEN],
    ) -> Result<[Placed; 2], ResultCode> {
        let missing = usize::from(self.key_row.is_none()) + usize::from(self.row.is_none());
        check_positive(amount)?;
        self.total.and_then(|total| total.checked_add(amount)).ok_or(ResultCode::Overflow)?;
        if missing > self.room {
            return Err(ResultCode::Full);
        }
        let new_key_row = self.key_row.is_none().then(|| row::key_row(account, reading_key));
        let after_key_row = self.next + u32::from(new_key_row.is_some());
        let (index, mut row) = self.row.unwrap_or((after_key_row, Row::empty(account, asset)));
        row.amount = row.amount.checked_add(amount).ok_or(ResultCode::Overflow)?;
        let key_row = new_key_row.map(|bytes| Located { index: self.next, bytes });
        Ok([key_row, placed(index, touched(row)?)])
    }

    /// Both rows change or neither; `none` is the credited row where there is none yet, `debit` checks and debits.
    fn pay(
        self,
        amount: u128,
        none: Row,
        debit: impl FnOnce(&mut Row) -> Result<(), ResultCode>,
    ) -> Result<[Placed; 2], ResultCode> {
        let missing = usize::from(self.other.is_none());
        let ((index, mut from), _) = self.row.zip(self.key_row).ok_or(ResultCode::Unknown)?;
        debit(&mut from)?;
        let (other, mut to) = self.other.unwrap_or((self.next, none));
        to.amount = to.amount.checked_add(amount).ok_or(ResultCode::Overflow)?;
        let rows = [placed(index, touched(from)?), placed(other, touched(to)?)];
        if missing > self.room { Err(ResultCode::Full) } else { Ok(rows) }
    }

    fn existing(self, change: impl FnOnce(&mut Row) -> Result<(), ResultCode>) -> Result<[Placed; 2], ResultCode> {
        let (index, mut row) = self.row.ok_or(ResultCode::Unknown)?;
        change(&mut row)?;
        Ok([placed(index, touched(row)?), None])
    }
}

fn placed(index: u32, row: Row) -> Placed {
    Some(Located { index, bytes: row.to_bytes() })
}

fn touched(mut row: Row) -> Result<Row, ResultCode> {
    row.nonce = row.nonce.checked_add(1).ok_or(ResultCode::Overflow)?;
    Ok(row)
}

fn check_positive(amount: u128) -> Result<(), ResultCode> {
    if amount == 0 { Err(ResultCode::Insufficient) } else { Ok(()) }
}

fn withdraw(row: &mut Row, amount: u128, lot: u64) -> Result<(), ResultCode> {
    if row.flags.refuses() {
        return Err(ResultCode::Frozen);
    }
    check_positive(amount)?;
    if amount > row.free(lot) {
        return Err(ResultCode::Insufficient);
    }
    row.amount -= amount;
    Ok(())
}

/// Debits the frozen row of a forced transfer: its reservation covers no more than what is left.
fn take(row: &mut Row, forced: &Forced) -> Result<(), ResultCode> {
    if !row.flags.is_frozen() {
        return Err(ResultCode::Frozen);
    }
    check_positive(forced.amount)?;
    row.amount = row.amount.checked_sub(forced.amount).ok_or(ResultCode::Insufficient)?;
    let most = row.amount.checked_div(u128::from(forced.lot)).unwrap_or(u128::MAX);
    row.reserved = u64::try_from(most).map_or(row.reserved, |most| row.reserved.min(most));
    row.flags = row.flags.with_frozen(true, forced.reason);
    Ok(())
}

fn reserve(row: &mut Row, lots: u64, lot: u64) -> Result<(), ResultCode> {
    if row.flags.refuses() {
        return Err(ResultCode::Frozen);
    }
    if u128::from(lots) * u128::from(lot) > row.amount {
        return Err(ResultCode::Insufficient);
    }
    row.reserved = lots;
    Ok(())
}
