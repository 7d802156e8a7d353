//! Records in memory, for tests and for nodes that nobody restarts.

use super::{Change, Record, RecordStore, TAKEN, check_lengths, has_room};
use ccc_core::table::StoreError;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Records that last no longer than the process.
#[derive(Debug, Default)]
pub struct MemoryRecords(Mutex<Kept>);

#[derive(Clone, Debug, Default)]
struct Kept {
    records: BTreeMap<u64, Record>,
    values: BTreeMap<String, Vec<u8>>,
}

impl MemoryRecords {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn change(&mut self, change: &Change<'_>) -> Result<(), StoreError> {
        for number in change.remove {
            self.records.remove(number);
        }
        for record in change.add {
            if self.records.insert(record.number, record.clone()).is_some() {
                return Err(TAKEN);
            }
        }
        self.values.extend(change.values.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())));
        Ok(())
    }
}

impl RecordStore for MemoryRecords {
    fn commit(&self, change: &Change<'_>) -> Result<(), StoreError> {
        check_lengths(change.add)?;
        let mut kept = self.kept();
        let mut changed = kept.clone();
        changed.change(change)?;
        *kept = changed;
        Ok(())
    }

    fn records_from(&self, first: u64, most: usize) -> Result<Vec<Record>, StoreError> {
        let (mut found, mut page) = (Vec::new(), 0);
        for (_, record) in self.kept().records.range(first..).take(most) {
            found.push(record.clone());
            if !has_room(&mut page, record.bytes.len()) {
                break;
            }
        }
        Ok(found)
    }

    fn value(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.kept().values.get(name).cloned())
    }
}
