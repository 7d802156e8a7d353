//! Records in a redb file: the suite of every store, a power cut at any operation, media that fail, files that hold
//! something else.

use crate::{
    media::{Fault, Faulty},
    pages::SimulatedPages,
    records::{Place, add, conforms, record},
};
use ccc_core::table::StoreError;
use ccc_store::{Change, JournalStore, RecordStore, RedbRecords};
use std::{io::ErrorKind, path::PathBuf};
use tempfile::TempDir;

struct File(TempDir);

impl File {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("directory"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("records")
    }
}

impl Place for File {
    fn open(&self) -> Result<Box<dyn RecordStore + '_>, StoreError> {
        Ok(Box::new(RedbRecords::open(self.path())?))
    }
}

#[test]
fn n156e_records_in_a_file_conform_and_a_second_opener_is_refused() {
    conforms(File::new);
}

const FIRST: Change<'static> = Change { remove: &[], add: &[], values: &[("state", b"first")] };

/// Both the record and the value of the second change, or neither.
fn is_new(pages: &SimulatedPages) -> bool {
    let store = RedbRecords::open_on(pages.clone()).expect("opens after the cut");
    let records = store.records_from(0, 9).expect("read");
    let value = store.value("state").expect("read").expect("a value");
    let is_new = value == b"second";
    assert_eq!(records, [if is_new { record(2, 2) } else { record(1, 1) }], "half of a change");
    assert!(is_new || value == b"first");
    is_new
}

fn prepared() -> SimulatedPages {
    let pages = SimulatedPages::default();
    let store = RedbRecords::open_on(pages.clone()).expect("made");
    add(&store, &[record(1, 1)]).expect("kept");
    store.commit(&FIRST).expect("kept");
    drop(store);
    pages
}

#[test]
fn n156c_a_power_cut_at_any_operation_leaves_the_records_of_before_or_after() {
    let mut seen = [false; 2];
    for at in 0.. {
        let mut acknowledged = false;
        for seed in 0..6 {
            let pages = prepared();
            let store = RedbRecords::open_on(pages.clone()).expect("opens");
            pages.strike(at, Fault::PowerCut);
            let second = Change { remove: &[1], add: &[record(2, 2)], values: &[("state", b"second")] };
            acknowledged = store.commit(&second).is_ok();
            drop(store);
            pages.heal();
            pages.cut(seed);
            let is_new = is_new(&pages);
            assert!(is_new || !acknowledged, "operation {at}, seed {seed}: an acknowledged record is gone");
            seen[usize::from(is_new)] = true;
            pages.cut(seed);
            assert_eq!(self::is_new(&pages), is_new, "another state after a second cut");
        }
        if acknowledged {
            break;
        }
    }
    assert_eq!(seen, [true; 2]);
}

#[test]
fn n156b_records_whose_medium_fails_are_a_typed_error_and_stand_after_it() {
    for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
        for at in 0.. {
            let pages = prepared();
            let store = RedbRecords::open_on(pages.clone()).expect("opens");
            pages.strike(at, Fault::Fails(kind));
            let second = Change { remove: &[1], add: &[record(2, 2)], values: &[("state", b"second")] };
            let committed = store.commit(&second);
            let struck = pages.was_struck();
            pages.heal();
            if committed.is_err() {
                assert!(matches!(committed, Err(StoreError::Medium { .. } | StoreError::Halted)), "{committed:?}");
            }
            drop(store);
            is_new(&pages);
            if !struck {
                break;
            }
        }
    }
}

/// An index beside the records could say less than they do, and whoever reads the records could not tell.
#[test]
fn a_file_of_records_has_no_index_beside_them() {
    use redb::{ReadableDatabase, TableHandle};
    let file = File::new();
    add(&*file.open().expect("made"), &[record(1, 1)]).expect("kept");
    let database = redb::Database::open(file.path()).expect("opens");
    let transaction = database.begin_read().expect("begins");
    let mut tables: Vec<_> = transaction.list_tables().expect("listed").map(|table| table.name().to_owned()).collect();
    tables.sort();
    assert_eq!(tables, ["meta", "records", "values"]);
}

#[test]
fn n156g_a_file_of_versions_and_one_of_another_format_hold_no_records() {
    let file = File::new();
    drop(JournalStore::open(file.path()).expect("a journal of versions"));
    assert!(matches!(RedbRecords::open(file.path()).map(drop), Err(StoreError::Malformed { what: "file of records" })));
    drop(JournalStore::open(file.path()).expect("still a journal of versions"));
    let file = File::new();
    drop(RedbRecords::open(file.path()).expect("records"));
    assert!(matches!(JournalStore::open(file.path()).map(drop), Err(StoreError::Malformed { what: "index" })));
    drop(RedbRecords::open(file.path()).expect("still records"));
    let table = redb::TableDefinition::<&str, u64>::new("meta");
    let database = redb::Database::open(file.path()).expect("opens");
    let transaction = database.begin_write().expect("begins");
    transaction.open_table(table).expect("there").insert("records", 2).expect("written");
    transaction.commit().expect("kept");
    drop(database);
    assert!(matches!(RedbRecords::open(file.path()).map(drop), Err(StoreError::Format { expected: 1, found: 2 })));
    std::fs::write(file.path(), b"no database").expect("written");
    assert!(matches!(RedbRecords::open(file.path()).map(drop), Err(StoreError::Malformed { what: "file of records" })));
}
