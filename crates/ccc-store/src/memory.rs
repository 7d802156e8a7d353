//! A store that lives as long as its process, for one-machine runs and tests.

use crate::written::Written;
use ccc_core::table::{
    Header, Part, SealedTable, StoreError, TableId, TableStore, Tier, VersionReader, VersionWriter, body_len,
    sidecar_len,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[derive(Debug, Default)]
struct Content {
    versions: HashMap<[u8; 32], Kept>,
    heads: HashMap<TableId, [u8; 32]>,
}

#[derive(Clone, Debug)]
struct Kept {
    table: Arc<SealedTable>,
    sidecar_digest: [u8; 32],
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

    fn kept(&self, header_hash: &[u8; 32]) -> Result<Kept, StoreError> {
        let missing = StoreError::Missing { header_hash: *header_hash };
        self.content().versions.get(header_hash).cloned().ok_or(missing)
    }
}

impl TableStore for MemoryStore {
    fn writer(&self, tier: Tier) -> Result<Box<dyn VersionWriter + '_>, StoreError> {
        let (body, sidecar) = (vec![0; body_len(tier)], vec![0; sidecar_len(tier)]);
        Ok(Box::new(MemoryWriter { store: self, body, sidecar, written: Written::new(tier) }))
    }

    fn reader(&self, header_hash: &[u8; 32]) -> Result<Box<dyn VersionReader + '_>, StoreError> {
        Ok(Box::new(self.kept(header_hash)?))
    }

    fn header(&self, header_hash: &[u8; 32]) -> Result<Header, StoreError> {
        Ok(self.kept(header_hash)?.table.header.clone())
    }

    fn sidecar_digest(&self, header_hash: &[u8; 32]) -> Result<Option<[u8; 32]>, StoreError> {
        Ok(Some(self.kept(header_hash)?.sidecar_digest))
    }

    fn versions(&self) -> Result<Vec<[u8; 32]>, StoreError> {
        Ok(self.content().versions.keys().copied().collect())
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

impl VersionReader for Kept {
    fn header(&self) -> &Header {
        &self.table.header
    }

    fn sidecar_digest(&self) -> [u8; 32] {
        self.sidecar_digest
    }

    fn read_at(&self, part: Part, offset: u64, bytes: &mut [u8]) -> Result<(), StoreError> {
        part.check_range(self.table.header.tier(), offset, bytes.len())?;
        let from = match part {
            Part::Body => &self.table.body,
            Part::Sidecar => &self.table.sidecar,
        };
        bytes.copy_from_slice(within(from, offset, bytes.len()));
        Ok(())
    }
}

/// A range that was checked against the part, which is in memory, so that its offset fits the address space.
fn within(bytes: &[u8], offset: u64, len: usize) -> &[u8] {
    let start = usize::try_from(offset).expect("the part is in memory");
    &bytes[start..start + len]
}

struct MemoryWriter<'a> {
    store: &'a MemoryStore,
    body: Vec<u8>,
    sidecar: Vec<u8>,
    written: Written,
}

impl VersionWriter for MemoryWriter<'_> {
    fn write_at(&mut self, part: Part, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        part.check_range(self.written.tier(), offset, bytes.len())?;
        let into = match part {
            Part::Body => &mut self.body,
            Part::Sidecar => &mut self.sidecar,
        };
        let start = usize::try_from(offset).expect("the part is in memory");
        into[start..start + bytes.len()].copy_from_slice(bytes);
        self.written.add(part, offset, bytes);
        Ok(())
    }

    fn commit(self: Box<Self>, header: &Header) -> Result<(), StoreError> {
        let Self { store, body, sidecar, written } = *self;
        let sidecar_digest = written.finish(header, |part, offset, bytes| {
            let from = if part == Part::Body { &body } else { &sidecar };
            bytes.copy_from_slice(within(from, offset, bytes.len()));
            Ok(())
        })?;
        let table = Arc::new(SealedTable { header: header.clone(), body, sidecar });
        store.content().versions.insert(header.hash(), Kept { table, sidecar_digest });
        Ok(())
    }
}
