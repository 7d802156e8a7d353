//! A journal of sealed versions: one file, one transaction per change, two-phase commit.
//!
//! *Layout*: a redb database with these tables; integers in keys are redb's own.
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | `format`, `next` | 1; the number of the next version to be written |
//! | `versions` | header hash 32 | header 435 ‖ BLAKE3 of the sidecar 32 ‖ the version's number u64 |
//! | `pieces` | number u64, part u8 (0 body, 1 sidecar), piece u32 | 61 440 bytes; the last of a part is shorter |
//! | `heads` | `<chain>-<contract>-<table>` | header hash 32 ‖ BLAKE3 of it 32 |
//!
//! A version enters in one transaction, so it is there whole or not at all. The two phases keep a commit that was cut
//! in the middle from ever being taken for a whole one. redb's checksums find accidents, which is what they are used
//! for: every page is checked when the journal is opened, because a plain opening trusts the file and may panic on a
//! damaged one. Nothing here stops tampering; hashes and seals do.

pub(crate) mod creation;
mod reader;
mod record;
mod writer;

use crate::{
    pieces,
    record::{hint_bytes, read_hint, table_name},
};
use ccc_core::table::{Header, Part, StoreError, TableId, TableStore, Tier, VersionReader, VersionWriter};
use reader::JournalReader;
use record::Record;
use redb::{
    Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase, ReadableTable, StorageBackend,
    TableDefinition, TransactionError, WriteTransaction,
};
use std::path::Path;
use writer::JournalWriter;

const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
const VERSIONS: TableDefinition<'static, &[u8; 32], &[u8]> = TableDefinition::new("versions");
const PIECES: TableDefinition<'static, PieceKey, &[u8]> = TableDefinition::new("pieces");
const HEADS: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("heads");

type PieceKey = (u64, u8, u32);

const FORMAT: u64 = 1;
const FORMAT_KEY: &str = "format";
const NEXT_KEY: &str = "next";
/// In a file that holds a node's records.
const RECORDS_KEY: &str = "records";
/// With its key and the page's head it fills a page of 64 KiB; a whole chunk would take one of 128 KiB.
const PIECE_LEN: usize = 60 * 1024;
/// Memory for pages, read and written. redb's own choice is 1 GiB.
const CACHE_LEN: usize = 16 << 20;

/// Sealed versions in a redb database.
///
/// One version is written at a time; another writer, also in this process, is refused with [`StoreError::Busy`].
/// After a failed write redb answers nothing more, reads included, until the journal is opened again.
#[derive(Debug)]
pub struct JournalStore {
    database: Database,
}

impl JournalStore {
    /// Opens the journal in a file, which is made if it is missing or empty: whole under the name `<file>.new` first, so
    /// that a stop at any moment leaves a journal or none.
    ///
    /// *Timing*: the whole file is read.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process or store has it open, [`StoreError::Malformed`] where the file is
    /// no journal or damaged, [`StoreError::Format`], [`StoreError::Medium`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        creation::open(path.as_ref(), Self::prepare)
    }

    /// [`JournalStore::open`] on another medium, which makes the journal in place: a medium on which that was cut in the
    /// middle holds no journal, is refused as such and has to be emptied.
    ///
    /// # Errors
    /// As there.
    pub fn open_on(backend: impl StorageBackend) -> Result<Self, StoreError> {
        Self::prepare(builder().create_with_backend(backend).map_err(opening)?)
    }

    /// Makes the tables of a new journal; refuses one of another format.
    fn prepare(database: Database) -> Result<Self, StoreError> {
        let store = Self { database };
        let transaction = store.begin_write()?;
        let found = {
            let mut meta = transaction.open_table(META).map_err(fault("opening a table"))?;
            if meta.get(RECORDS_KEY).map_err(fault("reading the format"))?.is_some() {
                return Err(StoreError::Malformed { what: "index" });
            }
            let found = meta.get(FORMAT_KEY).map_err(fault("reading the format"))?.map(|found| found.value());
            if found.is_none() {
                meta.insert(FORMAT_KEY, FORMAT).map_err(fault("writing the format"))?;
            }
            transaction.open_table(VERSIONS).map_err(fault("opening a table"))?;
            transaction.open_table(PIECES).map_err(fault("opening a table"))?;
            transaction.open_table(HEADS).map_err(fault("opening a table"))?;
            found
        };
        match found {
            None => commit(transaction)?,
            Some(FORMAT) => transaction.abort().map_err(fault("ending a transaction"))?,
            Some(found) => return Err(StoreError::Format { expected: FORMAT, found }),
        }
        Ok(store)
    }

    fn begin_read(&self) -> Result<ReadTransaction, StoreError> {
        self.database.begin_read().map_err(fault("beginning to read"))
    }

    fn begin_write(&self) -> Result<WriteTransaction, StoreError> {
        let mut transaction = self.database.try_begin_write().map_err(|error| match error {
            TransactionError::WouldBlock => StoreError::Busy,
            other => fault("beginning to write")(other),
        })?;
        transaction.set_two_phase_commit(true);
        Ok(transaction)
    }

    fn record(&self, transaction: &ReadTransaction, hash: &[u8; 32]) -> Result<Record, StoreError> {
        let versions = transaction.open_table(VERSIONS).map_err(fault("opening a table"))?;
        Record::find(&versions, hash)?.ok_or(StoreError::Missing { header_hash: *hash })
    }
}

impl TableStore for JournalStore {
    fn writer(&self, tier: Tier) -> Result<Box<dyn VersionWriter + '_>, StoreError> {
        Ok(Box::new(JournalWriter::new(self, tier)?))
    }

    fn reader(&self, hash: &[u8; 32]) -> Result<Box<dyn VersionReader + '_>, StoreError> {
        let transaction = self.begin_read()?;
        let record = self.record(&transaction, hash)?;
        Ok(Box::new(JournalReader::new(&transaction, record)?))
    }

    fn header(&self, hash: &[u8; 32]) -> Result<Header, StoreError> {
        Ok(self.record(&self.begin_read()?, hash)?.manifest.header)
    }

    fn sidecar_digest(&self, hash: &[u8; 32]) -> Result<Option<[u8; 32]>, StoreError> {
        Ok(Some(self.record(&self.begin_read()?, hash)?.manifest.sidecar_digest))
    }

    fn versions(&self) -> Result<Vec<[u8; 32]>, StoreError> {
        let versions = self.begin_read()?.open_table(VERSIONS).map_err(fault("opening a table"))?;
        let mut listed = vec![];
        for entry in versions.iter().map_err(fault("listing versions"))? {
            listed.push(*entry.map_err(fault("listing versions"))?.0.value());
        }
        Ok(listed)
    }

    fn set_head_hint(&self, table: &TableId, hash: &[u8; 32]) -> Result<(), StoreError> {
        let transaction = self.begin_write()?;
        {
            let mut heads = transaction.open_table(HEADS).map_err(fault("opening a table"))?;
            heads.insert(&*table_name(table), &hint_bytes(hash)[..]).map_err(fault("writing the head hint"))?;
        }
        commit(transaction)
    }

    fn head_hint(&self, table: &TableId) -> Result<Option<[u8; 32]>, StoreError> {
        let heads = self.begin_read()?.open_table(HEADS).map_err(fault("opening a table"))?;
        let kept = heads.get(&*table_name(table)).map_err(fault("reading the head hint"))?;
        kept.map(|kept| read_hint(kept.value())).transpose()
    }

    fn remove(&self, hash: &[u8; 32]) -> Result<(), StoreError> {
        let transaction = self.begin_write()?;
        forget(&transaction, hash)?;
        commit(transaction)
    }
}

impl Record {
    fn find(
        versions: &impl ReadableTable<&'static [u8; 32], &'static [u8]>,
        hash: &[u8; 32],
    ) -> Result<Option<Self>, StoreError> {
        let found = versions.get(hash).map_err(fault("reading a version"))?;
        found.map(|bytes| Self::read(bytes.value(), hash)).transpose()
    }
}

/// Both phases. After a failure nobody knows what the medium holds, and redb refuses everything that follows.
pub(crate) fn commit(transaction: WriteTransaction) -> Result<(), StoreError> {
    transaction.commit().map_err(fault("committing"))
}

fn key(number: u64, part: Part, index: u32) -> PieceKey {
    (number, u8::from(part == Part::Sidecar), index)
}

/// Takes a version and its pieces out, in a transaction.
fn forget(transaction: &WriteTransaction, hash: &[u8; 32]) -> Result<(), StoreError> {
    let mut versions = transaction.open_table(VERSIONS).map_err(fault("opening a table"))?;
    let record = match Record::find(&versions, hash) {
        // the pieces of a record that cannot be read cannot be told from those of others
        Err(StoreError::Corrupt { .. }) => None,
        other => other?,
    };
    versions.remove(hash).map_err(fault("removing a version"))?;
    let Some(Record { manifest, number }) = record else { return Ok(()) };
    let mut kept = transaction.open_table(PIECES).map_err(fault("opening a table"))?;
    for part in Part::ALL {
        for index in 0..pieces::count(PIECE_LEN, part, manifest.header.tier()) {
            kept.remove(key(number, part, index)).map_err(fault("removing a piece"))?;
        }
    }
    Ok(())
}

/// Fills `bytes` from the pieces of a version.
fn read_pieces(
    kept: &impl ReadableTable<PieceKey, &'static [u8]>,
    record: (&[u8; 32], u64, Tier),
    part: Part,
    offset: u64,
    bytes: &mut [u8],
) -> Result<(), StoreError> {
    let (hash, number, tier) = record;
    part.check_range(tier, offset, bytes.len())?;
    for span in pieces::spans(PIECE_LEN, offset, bytes.len()) {
        let piece = kept.get(key(number, part, span.index)).map_err(fault("reading a piece"))?;
        let piece = piece.ok_or(StoreError::Missing { header_hash: *hash })?;
        let corrupt = StoreError::Corrupt { header_hash: *hash, part: part.name() };
        let whole = piece.value().len() == pieces::len_of(PIECE_LEN, part, tier, span.index);
        let found = piece.value().get(span.inside).filter(|_| whole).ok_or(corrupt)?;
        bytes[span.outside].copy_from_slice(found);
    }
    Ok(())
}

pub(crate) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_LEN).set_check_integrity_on_open(true);
    builder
}

pub(crate) fn opening(error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::Locked,
        DatabaseError::UpgradeRequired(found) => StoreError::Format { expected: FORMAT, found: u64::from(found) },
        // what is said of a file that begins with other bytes than a journal
        DatabaseError::Storage(redb::StorageError::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
            StoreError::Malformed { what: "journal" }
        }
        other => fault("opening the journal")(other),
    }
}

/// redb's error as the trait's.
pub(crate) fn fault<E: Into<redb::Error>>(operation: &'static str) -> impl Fn(E) -> StoreError {
    move |error| match error.into() {
        redb::Error::PreviousIo => StoreError::Halted,
        redb::Error::Corrupted(_) => StoreError::Malformed { what: "journal" },
        other => StoreError::Medium { operation, source: Box::new(other) },
    }
}
