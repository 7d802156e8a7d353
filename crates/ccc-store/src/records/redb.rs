//! Records in one redb file, one transaction per change, with a two-phase commit.
//!
//! *Layout*: a redb database with these tables.
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | `records` | the format, 1 |
//! | `records` | number u64 | key 32 ‖ bytes |
//! | `values` | name | bytes |
//!
//! Every page is checked when the file is opened, as for a journal of versions. A page that is free keeps its old bytes
//! until it is used again: what must be erased does not belong here.

use super::{Change, Record, RecordStore, TAKEN, check_lengths, has_room};
use crate::journal::{self, builder, creation};
use ::redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, StorageBackend, Table, TableDefinition,
    WriteTransaction,
};
use ccc_core::table::StoreError;
use std::path::Path;

const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
const RECORDS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("records");
const VALUES: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("values");

type Records<'t> = Table<'t, u64, &'static [u8]>;

const MALFORMED: StoreError = StoreError::Malformed { what: "file of records" };
const FORMAT: u64 = 1;
const FORMAT_KEY: &str = "records";
/// Of the files that hold versions of a table.
const VERSIONS_KEY: &str = "format";

/// Records in a redb database. One process at a time has it open.
///
/// After a failed commit redb answers nothing more, reads included, until the file is opened again.
#[derive(Debug)]
pub struct RedbRecords {
    database: Database,
}

impl RedbRecords {
    /// Opens the file, which is made if it is missing or empty: whole under the name `<file>.new` first.
    ///
    /// *Timing*: the whole file is read.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process or store has it open, [`StoreError::Malformed`] where the file holds
    /// something else or is damaged, [`StoreError::Format`], [`StoreError::Medium`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        creation::open(path.as_ref(), Self::prepare).map_err(of_records)
    }

    /// [`RedbRecords::open`] on another medium, where it is made in place.
    ///
    /// # Errors
    /// As there.
    pub fn open_on(backend: impl StorageBackend) -> Result<Self, StoreError> {
        let database = builder().create_with_backend(backend).map_err(|error| of_records(journal::opening(error)))?;
        Self::prepare(database)
    }

    fn prepare(database: Database) -> Result<Self, StoreError> {
        let store = Self { database };
        let transaction = store.begin_write()?;
        let found = {
            let mut meta = transaction.open_table(META).map_err(fault("opening a table"))?;
            let read = |name| Ok(meta.get(name).map_err(fault("reading the format"))?.map(|found| found.value()));
            let (found, versions) = (read(FORMAT_KEY)?, read(VERSIONS_KEY)?);
            if versions.is_some() {
                return Err(MALFORMED);
            }
            if found.is_none() {
                meta.insert(FORMAT_KEY, FORMAT).map_err(fault("writing the format"))?;
            }
            transaction.open_table(RECORDS).map_err(fault("opening a table"))?;
            transaction.open_table(VALUES).map_err(fault("opening a table"))?;
            found
        };
        match found {
            None => journal::commit(transaction)?,
            Some(FORMAT) => transaction.abort().map_err(fault("ending a transaction"))?,
            Some(found) => return Err(StoreError::Format { expected: FORMAT, found }),
        }
        Ok(store)
    }

    /// Waits for whoever else of this process writes.
    fn begin_write(&self) -> Result<WriteTransaction, StoreError> {
        let mut transaction = self.database.begin_write().map_err(fault("beginning to write"))?;
        transaction.set_two_phase_commit(true);
        Ok(transaction)
    }

    fn begin_read(&self) -> Result<ReadTransaction, StoreError> {
        self.database.begin_read().map_err(fault("beginning to read"))
    }
}

/// A damaged file is not called a journal of versions, which one could fetch from another holder.
fn of_records(error: StoreError) -> StoreError {
    match error {
        StoreError::Malformed { what: "journal" } => MALFORMED,
        other => other,
    }
}

fn fault<E: Into<::redb::Error>>(operation: &'static str) -> impl Fn(E) -> StoreError {
    move |error| of_records(journal::fault(operation)(error))
}

fn remove(number: u64, records: &mut Records<'_>) -> Result<(), StoreError> {
    records.remove(number).map(drop).map_err(fault("removing a record"))
}

fn add(record: &Record, records: &mut Records<'_>) -> Result<(), StoreError> {
    let bytes = [record.key.as_slice(), &record.bytes].concat();
    let former = records.insert(record.number, bytes.as_slice()).map_err(fault("writing a record"))?;
    if former.is_some() { Err(TAKEN) } else { Ok(()) }
}

fn read(number: u64, bytes: &[u8]) -> Result<Record, StoreError> {
    let (key, bytes) = bytes.split_first_chunk().ok_or(MALFORMED)?;
    Ok(Record { number, key: *key, bytes: bytes.to_vec() })
}

fn carry_out(transaction: &WriteTransaction, change: &Change<'_>) -> Result<(), StoreError> {
    let mut records = transaction.open_table(RECORDS).map_err(fault("opening a table"))?;
    change.remove.iter().try_for_each(|number| remove(*number, &mut records))?;
    change.add.iter().try_for_each(|record| add(record, &mut records))?;
    let mut values = transaction.open_table(VALUES).map_err(fault("opening a table"))?;
    for (name, value) in change.values {
        values.insert(*name, *value).map_err(fault("writing a value"))?;
    }
    Ok(())
}

impl RecordStore for RedbRecords {
    fn commit(&self, change: &Change<'_>) -> Result<(), StoreError> {
        check_lengths(change.add)?;
        let transaction = self.begin_write()?;
        if let Err(error) = carry_out(&transaction, change) {
            transaction.abort().map_err(fault("ending a transaction"))?;
            return Err(error);
        }
        journal::commit(transaction).map_err(of_records)
    }

    fn records_from(&self, first: u64, most: usize) -> Result<Vec<Record>, StoreError> {
        let records = self.begin_read()?.open_table(RECORDS).map_err(fault("opening a table"))?;
        let (mut found, mut page) = (Vec::new(), 0);
        for record in records.range(first..).map_err(fault("reading records"))?.take(most) {
            let (number, bytes) = record.map_err(fault("reading records"))?;
            found.push(read(number.value(), bytes.value())?);
            if !has_room(&mut page, bytes.value().len()) {
                break;
            }
        }
        Ok(found)
    }

    fn value(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let values = self.begin_read()?.open_table(VALUES).map_err(fault("opening a table"))?;
        let found = values.get(name).map_err(fault("reading a value"))?;
        Ok(found.map(|value| value.value().to_vec()))
    }
}
