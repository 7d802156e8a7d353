//! Accounts, storage and code, with the way back to every earlier block.

use std::{collections::BTreeMap, convert::Infallible};

use alloy::primitives::{Address, B256, U256};
use revm::{
    DatabaseRef,
    bytecode::Bytecode,
    state::{Account, AccountInfo, EvmState},
};

/// The state after the newest block.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    accounts: BTreeMap<Address, AccountInfo>,
    storage: BTreeMap<(Address, U256), U256>,
    code: BTreeMap<B256, Bytecode>,
    block_hashes: Vec<B256>,
}

/// What a block overwrote.
#[derive(Clone, Debug, Default)]
pub(super) struct Undo {
    accounts: Vec<(Address, Option<AccountInfo>)>,
    slots: Vec<((Address, U256), U256)>,
}

impl State {
    pub(super) fn account(&self, address: &Address) -> AccountInfo {
        self.accounts.get(address).cloned().unwrap_or_default()
    }

    pub(super) fn slot(&self, address: Address, key: U256) -> U256 {
        self.storage.get(&(address, key)).copied().unwrap_or_default()
    }

    /// Every word of an account that is not zero.
    pub(super) fn words(&self, address: Address) -> impl Iterator<Item = (U256, U256)> + '_ {
        let range = (address, U256::ZERO)..=(address, U256::MAX);
        self.storage.range(range).map(|((_, key), value)| (*key, *value))
    }

    pub(super) fn set_balance(&mut self, address: Address, balance: U256) -> Undo {
        let mut undo = Undo::default();
        let info = AccountInfo { balance, ..self.account(&address) };
        self.put_account(address, Some(info), &mut undo);
        undo
    }

    pub(super) fn set_nonce(&mut self, address: Address, nonce: u64) -> Undo {
        let mut undo = Undo::default();
        let info = AccountInfo { nonce, ..self.account(&address) };
        self.put_account(address, Some(info), &mut undo);
        undo
    }

    /// Records the hash that `BLOCKHASH` gives for the next number.
    pub(super) fn push_block_hash(&mut self, hash: B256) {
        self.block_hashes.push(hash);
    }

    /// Applies a transaction's changes and returns what they overwrote.
    pub(super) fn apply(&mut self, changes: EvmState) -> Undo {
        let mut undo = Undo::default();
        for (address, account) in changes.into_iter().filter(|(_, account)| account.is_touched()) {
            self.apply_account(address, account, &mut undo);
        }
        undo
    }

    fn apply_account(&mut self, address: Address, account: Account, undo: &mut Undo) {
        if account.is_selfdestructed() {
            self.remove(address, undo);
            return;
        }
        for (key, slot) in account.changed_storage_slots() {
            self.put_slot(address, *key, slot.present_value, undo);
        }
        let info = Some(account.info).filter(|info| !info.is_empty());
        self.put_account(address, info, undo);
    }

    fn remove(&mut self, address: Address, undo: &mut Undo) {
        let keys: Vec<U256> = self.words(address).map(|(key, _)| key).collect();
        keys.into_iter().for_each(|key| self.put_slot(address, key, U256::ZERO, undo));
        self.put_account(address, None, undo);
    }

    fn put_account(&mut self, address: Address, info: Option<AccountInfo>, undo: &mut Undo) {
        if let Some(code) = info.as_ref().and_then(|info| info.code.clone()) {
            self.code.insert(code.hash_slow(), code);
        }
        let before = match info {
            Some(info) => self.accounts.insert(address, info),
            None => self.accounts.remove(&address),
        };
        undo.accounts.push((address, before));
    }

    fn put_slot(&mut self, address: Address, key: U256, value: U256, undo: &mut Undo) {
        let place = (address, key);
        let before = if value.is_zero() { self.storage.remove(&place) } else { self.storage.insert(place, value) };
        undo.slots.push((place, before.unwrap_or_default()));
    }

    /// The state before the blocks whose changes are given, newest first.
    pub(super) fn before<'a>(&self, blocks: impl Iterator<Item = &'a Undo>) -> Self {
        let mut past = self.clone();
        for undo in blocks {
            past.revert(undo);
        }
        past
    }

    fn revert(&mut self, undo: &Undo) {
        let mut ignored = Undo::default();
        for (address, info) in undo.accounts.iter().rev() {
            self.put_account(*address, info.clone(), &mut ignored);
        }
        for ((address, key), value) in undo.slots.iter().rev() {
            self.put_slot(*address, *key, *value, &mut ignored);
        }
    }
}

impl Undo {
    /// Adds what a later change in the same block overwrote.
    pub(super) fn extend(&mut self, later: Self) {
        self.accounts.extend(later.accounts);
        self.slots.extend(later.slots);
    }
}

impl DatabaseRef for State {
    type Error = Infallible;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.accounts.get(&address).cloned())
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Infallible> {
        Ok(self.code.get(&hash).cloned().unwrap_or_default())
    }

    fn storage_ref(&self, address: Address, key: U256) -> Result<U256, Infallible> {
        Ok(self.slot(address, key))
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Infallible> {
        let at = usize::try_from(number).ok();
        Ok(at.and_then(|at| self.block_hashes.get(at)).copied().unwrap_or_default())
    }
}
