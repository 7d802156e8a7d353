//! A store that lives as long as its process, for one-machine runs and tests.

use ccc_core::table::{SealedTable, StoreError, TableId, TableStore};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

#[derive(Debug, Default)]
struct Content {
    versions: HashMap<[u8; 32], SealedTable>,
    heads: HashMap<TableId, [u8; 32]>,
}

/// Sealed versions in memory.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Content>);

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No operation leaves the maps half-changed, so a panic elsewhere does not spoil them.
    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TableStore for MemoryStore {
    fn put(&self, table: &SealedTable) -> Result<(), StoreError> {
        self.content().versions.insert(table.header.hash(), table.clone());
        Ok(())
    }

    fn get(&self, header_hash: &[u8; 32]) -> Result<SealedTable, StoreError> {
        let missing = StoreError::Missing { header_hash: *header_hash };
        self.content().versions.get(header_hash).cloned().ok_or(missing)
    }

    fn set_head_hint(&self, table: &TableId, header_hash: &[u8; 32]) -> Result<(), StoreError> {
        self.content().heads.insert(*table, *header_hash);
        Ok(())
    }

    fn head_hint(&self, table: &TableId) -> Result<Option<[u8; 32]>, StoreError> {
        Ok(self.content().heads.get(table).copied())
    }

    fn remove(&self, header_hash: &[u8; 32]) -> Result<(), StoreError> {
        self.content().versions.remove(header_hash);
        Ok(())
    }
}
