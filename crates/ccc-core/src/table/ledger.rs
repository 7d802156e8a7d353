//! The plain ledger: the same updates on a list of rows, one after another, without any masking or sealing.
//!
//! It is the slow twin of the table's scans: tests, fuzzing and benches compare the two. It holds balances in the open
//! and belongs in no deployment.

use super::{AccountId, AssetId, AssetRule, BoundaryOperation, Delta, ResultCode, Row, Tier, identity::rule};
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

/// Balances in creation order and the accounts that have a reading key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    capacity: usize,
    rows: Vec<Row>,
    reading_keys: BTreeMap<AccountId, [u8; 32]>,
}

/// The exact sum of signed amounts: whole multiples of 2^64, and the rest.
#[derive(Clone, Copy, Default)]
struct Exact {
    multiples: i128,
    rest: i128,
}

const UNIT: i128 = 1 << 64;

impl Exact {
    fn plus(self, amount: i128) -> Self {
        let rest = self.rest + amount.rem_euclid(UNIT);
        Self {
            multiples: self.multiples + amount.div_euclid(UNIT) + rest.div_euclid(UNIT),
            rest: rest.rem_euclid(UNIT),
        }
    }

    fn is_zero(self) -> bool {
        self.multiples == 0 && self.rest == 0
    }

    /// `amount` plus this sum.
    fn added_to(self, amount: u128) -> Result<u128, ResultCode> {
        let half = i128::try_from(amount / 2).map_err(|_| ResultCode::Overflow)?;
        let odd = i128::from(amount % 2 == 1);
        let Self { multiples, rest } = self.plus(half).plus(half).plus(odd);
        if multiples < 0 {
            return Err(ResultCode::Insufficient);
        }
        let multiples = u64::try_from(multiples).map_err(|_| ResultCode::Overflow)?;
        let rest = u128::try_from(rest).map_err(|_| ResultCode::Overflow)?;
        Ok((u128::from(multiples) << 64) + rest)
    }
}

impl Ledger {
    /// An empty ledger with the room of a tier.
    #[must_use]
    pub fn new(tier: Tier) -> Self {
        Self::with_rows(tier.rows())
    }

    /// An empty ledger with this many rows, one of them for the status row.
    #[must_use]
    pub fn with_rows(rows: usize) -> Self {
        Self { capacity: rows.saturating_sub(1), rows: vec![], reading_keys: BTreeMap::new() }
    }

    /// The same balances with the room of another tier.
    pub fn grow(&mut self, tier: Tier) {
        self.capacity = self.capacity.max(tier.rows() - 1);
    }

    /// Appends a balance as it stands, for a ledger that starts from known rows.
    pub fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Balances in creation order.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// An account's reading key.
    #[must_use]
    pub fn reading_key(&self, account: AccountId) -> Option<&[u8; 32]> {
        self.reading_keys.get(&account)
    }

    /// Used rows, with key rows and the status row that the table would have.
    #[must_use]
    pub fn used_rows(&self) -> usize {
        self.rows.len() + self.reading_keys.len() + 1
    }

    /// The balance of an account in an asset.
    #[must_use]
    pub fn find(&self, account: AccountId, asset: AssetId) -> Option<&Row> {
        self.rows.iter().find(|row| row.account == account && row.asset == asset)
    }

    /// Everything that all accounts hold of an asset; `None` above u128.
    #[must_use]
    pub fn sum(&self, asset: AssetId) -> Option<u128> {
        let mut held = self.rows.iter().filter(|row| row.asset == asset).map(|row| row.amount);
        held.try_fold(0u128, u128::checked_add)
    }

    /// Boundary operations in order, each alone, then the deltas, all or nothing.
    pub fn update(
        &mut self,
        boundary: &[BoundaryOperation],
        deltas: &[Delta],
        assets: &[AssetRule],
    ) -> (ResultCode, Vec<Result<(), ResultCode>>) {
        let results = boundary.iter().map(|operation| self.operate(operation, assets)).collect();
        let code = match self.after(deltas, assets) {
            Ok(rows) => {
                self.rows = rows;
                ResultCode::Done
            }
            Err(code) => code,
        };
        (code, results)
    }

    fn room(&self) -> usize {
        self.capacity.saturating_sub(self.rows.len() + self.reading_keys.len())
    }

    fn operate(&mut self, operation: &BoundaryOperation, assets: &[AssetRule]) -> Result<(), ResultCode> {
        use BoundaryOperation as Op;
        let account = operation.account();
        if account == AccountId::NOBODY {
            return Err(ResultCode::Unknown);
        }
        if let Op::Register { reading_key, .. } = operation {
            return self.register(account, *reading_key);
        }
        let asset = operation.asset();
        let lot = rule(assets, asset).ok_or(ResultCode::Unknown)?.lot;
        match operation {
            Op::Register { .. } => Err(ResultCode::Unknown),
            Op::Open { .. } => self.open(account, asset),
            Op::Deposit { amount, reading_key, .. } => self.deposit(account, asset, *amount, *reading_key),
            Op::Withdraw { amount, .. } => self.change(account, asset, |row| debit(row, *amount, lot)),
            Op::Reserve { lots, .. } => self.change(account, asset, |row| reserve(row, *lots, lot)),
            Op::Freeze { reason, frozen, .. } => self.change(account, asset, |row| {
                row.flags = row.flags.with_frozen(*frozen, *reason);
                Ok(())
            }),
            Op::ForcedTransfer { amount, to, reason, .. } => {
                self.pay((account, *to), asset, *amount, |row| force(row, *amount, (*reason, lot)))
            }
            Op::Transfer { amount, to, .. } => self.pay((account, *to), asset, *amount, |row| debit(row, *amount, lot)),
        }
    }

    /// Debits one account and credits another, which has a reading key; or changes nothing.
    fn pay(
        &mut self,
        (from, to): (AccountId, AccountId),
        asset: AssetId,
        amount: u128,
        debit: impl FnOnce(&mut Row) -> Result<(), ResultCode>,
    ) -> Result<(), ResultCode> {
        if from == to || !self.reading_keys.contains_key(&to) {
            return Err(ResultCode::Unknown);
        }
        let before = self.clone();
        let result = self.change(from, asset, debit).and_then(|()| self.credit(to, asset, amount));
        if result.is_err() {
            *self = before;
        }
        result
    }

    /// Credits an account, making its row where there is none.
    fn credit(&mut self, account: AccountId, asset: AssetId, amount: u128) -> Result<(), ResultCode> {
        if self.find(account, asset).is_none() {
            if self.room() == 0 {
                return Err(ResultCode::Full);
            }
            self.rows.push(Row::empty(account, asset));
        }
        self.change(account, asset, |row| {
            row.amount = row.amount.checked_add(amount).ok_or(ResultCode::Overflow)?;
            Ok(())
        })
    }

    fn register(&mut self, account: AccountId, reading_key: [u8; 32]) -> Result<(), ResultCode> {
        if !self.reading_keys.contains_key(&account) && self.room() == 0 {
            return Err(ResultCode::Full);
        }
        self.reading_keys.insert(account, reading_key);
        Ok(())
    }

    fn open(&mut self, account: AccountId, asset: AssetId) -> Result<(), ResultCode> {
        if !self.reading_keys.contains_key(&account) {
            return Err(ResultCode::Unknown);
        }
        if self.find(account, asset).is_none() {
            if self.room() == 0 {
                return Err(ResultCode::Full);
            }
            self.rows.push(Row::empty(account, asset));
        }
        self.change(account, asset, |_| Ok(()))
    }

    fn deposit(&mut self, account: AccountId, asset: AssetId, amount: u128, key: [u8; 32]) -> Result<(), ResultCode> {
        if amount == 0 {
            return Err(ResultCode::Insufficient);
        }
        self.sum(asset).and_then(|sum| sum.checked_add(amount)).ok_or(ResultCode::Overflow)?;
        let before = self.clone();
        let result = self.deposit_steps(account, asset, amount, key);
        if result.is_err() {
            *self = before;
        }
        result
    }

    fn deposit_steps(
        &mut self,
        account: AccountId,
        asset: AssetId,
        amount: u128,
        key: [u8; 32],
    ) -> Result<(), ResultCode> {
        if !self.reading_keys.contains_key(&account) {
            self.register(account, key)?;
        }
        self.credit(account, asset, amount)
    }

    fn change(
        &mut self,
        account: AccountId,
        asset: AssetId,
        change: impl FnOnce(&mut Row) -> Result<(), ResultCode>,
    ) -> Result<(), ResultCode> {
        let row = self.rows.iter_mut().find(|row| row.account == account && row.asset == asset);
        let row = row.ok_or(ResultCode::Unknown)?;
        let mut new = row.clone();
        change(&mut new)?;
        new.nonce = new.nonce.checked_add(1).ok_or(ResultCode::Overflow)?;
        *row = new;
        Ok(())
    }

    /// The rows after the batch, or its lowest refusal.
    fn after(&self, deltas: &[Delta], assets: &[AssetRule]) -> Result<Vec<Row>, ResultCode> {
        let mut sums: BTreeMap<AssetId, Exact> = BTreeMap::new();
        let mut nets: BTreeMap<(AccountId, AssetId), (Exact, i128)> = BTreeMap::new();
        for delta in deltas.iter().filter(|delta| **delta != Delta::DUMMY) {
            let sum = sums.entry(delta.asset).or_default();
            *sum = sum.plus(delta.amount);
            let (amount, reserved) = nets.entry((delta.account, delta.asset)).or_default();
            *amount = amount.plus(delta.amount);
            *reserved += i128::from(delta.reserved);
        }
        let mut refusals = vec![];
        if sums.values().any(|sum| !sum.is_zero()) {
            refusals.push(ResultCode::Unbalanced);
        }
        let mut rows = self.rows.clone();
        for ((account, asset), (amount, reserved)) in nets {
            let row = rows.iter_mut().find(|row| row.account == account && row.asset == asset);
            match (row, rule(assets, asset)) {
                (Some(row), Some(rule)) => refusals.extend(settle(row, amount, reserved, rule.lot)),
                _ => refusals.push(ResultCode::Unknown),
            }
        }
        refusals.into_iter().min().map_or(Ok(rows), Err)
    }
}

fn settle(row: &mut Row, amount: Exact, reserved: i128, lot: u64) -> Vec<ResultCode> {
    let mut refusals = vec![];
    if row.flags.refuses() {
        refusals.push(ResultCode::Frozen);
    }
    let amount = amount.added_to(row.amount);
    let reserved = i128::from(row.reserved) + reserved;
    refusals.extend(amount.err());
    if let Ok(amount) = amount {
        let held = u128::try_from(reserved).ok().and_then(|reserved| reserved.checked_mul(u128::from(lot)));
        if held.is_none_or(|held| held > amount) {
            refusals.push(ResultCode::Insufficient);
        }
        row.amount = amount;
    }
    match u64::try_from(reserved) {
        Ok(reserved) => row.reserved = reserved,
        Err(_) if reserved < 0 => refusals.push(ResultCode::Insufficient),
        Err(_) => refusals.push(ResultCode::Overflow),
    }
    match row.nonce.checked_add(1) {
        Some(nonce) => row.nonce = nonce,
        None => refusals.push(ResultCode::Overflow),
    }
    refusals
}

fn force(row: &mut Row, amount: u128, (reason, lot): (u8, u64)) -> Result<(), ResultCode> {
    if !row.flags.is_frozen() {
        return Err(ResultCode::Frozen);
    }
    row.amount = row.amount.checked_sub(amount).filter(|_| amount != 0).ok_or(ResultCode::Insufficient)?;
    if u128::from(row.reserved) * u128::from(lot) > row.amount {
        row.reserved = u64::try_from(row.amount / u128::from(lot)).map_err(|_| ResultCode::Overflow)?;
    }
    row.flags = row.flags.with_frozen(true, reason);
    Ok(())
}

fn debit(row: &mut Row, amount: u128, lot: u64) -> Result<(), ResultCode> {
    if row.flags.refuses() {
        return Err(ResultCode::Frozen);
    }
    let held = u128::from(row.reserved) * u128::from(lot);
    let left = row.amount.checked_sub(amount).filter(|left| *left >= held && amount != 0);
    row.amount = left.ok_or(ResultCode::Insufficient)?;
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
