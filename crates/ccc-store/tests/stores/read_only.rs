//! A medium that has become read-only: every write is a typed error, and what is kept is harmed by none of them.

use crate::{
    common::{ID, assert_same, two_versions},
    disk::{ROOT, SimulatedDisk},
    media::{Faulty, Medium, assert_old_or_new, prepare, put_both},
};
use ccc_core::table::{SealedTable, StoreError, TableStore};
use ccc_store::DirectoryStore;

/// Whether an error is one of the medium, or the halt that follows one.
fn is_refused<T>(outcome: Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Medium { .. } | StoreError::Halted))
}

fn refuses_every_write(store: &dyn TableStore, first: &SealedTable, second: &SealedTable) {
    assert!(is_refused(store.put(second)));
    assert!(is_refused(store.set_head_hint(&ID, &second.header.hash())));
    assert!(is_refused(store.remove(&first.header.hash())));
}

/// A store that is open when its medium becomes read-only, and one that is opened on it.
fn is_not_harmed<M: Faulty>(medium: &M, opens: bool, (first, second): &(SealedTable, SealedTable)) {
    prepare(medium, first);
    let store = medium.open().expect("opens");
    medium.set_read_only(true);
    assert_same(&store.get(&first.header.hash()).expect("what is kept is read"), first);
    refuses_every_write(&*store, first, second);
    drop(store);
    match medium.open() {
        Ok(store) => {
            assert!(opens);
            assert!(!assert_old_or_new(&*store, first, second));
            refuses_every_write(&*store, first, second);
            assert!(!assert_old_or_new(&*store, first, second));
        }
        refused => assert!(!opens && is_refused(refused)),
    }
    medium.set_read_only(false);
    let store = medium.open().expect("opens again");
    assert!(!assert_old_or_new(&*store, first, second), "nothing was harmed, nothing was kept");
    put_both(&*store, second).expect("kept");
    drop(store);
    medium.cut(0);
    assert!(assert_old_or_new(&*medium.open().expect("opens"), first, second));
}

#[test]
fn n156h_a_directory_on_a_medium_that_became_read_only_is_not_harmed() {
    is_not_harmed(&SimulatedDisk::default(), false, &two_versions(61));
}

#[cfg(feature = "redb")]
#[test]
fn n156h_a_journal_on_a_medium_that_became_read_only_is_not_harmed() {
    is_not_harmed(&crate::pages::SimulatedPages::default(), false, &two_versions(62));
}

#[cfg(feature = "object-store-local")]
#[test]
fn n156h_a_bucket_whose_credentials_are_a_readers_is_read_and_not_harmed() {
    is_not_harmed(&crate::objects::SimulatedObjects::default(), true, &two_versions(63));
}

#[test]
fn n156h_a_directory_on_a_read_only_medium_is_opened_to_read() {
    let (first, second) = two_versions(64);
    let disk = SimulatedDisk::default();
    prepare(&disk, &first);
    disk.set_read_only(true);
    let store = DirectoryStore::open_to_read_on(disk.clone(), ROOT).expect("nothing is written");
    assert!(!assert_old_or_new(&store, &first, &second));
    refuses_every_write(&store, &first, &second);
    // no lock is taken: whoever writes is not kept out, and what it writes is read
    disk.set_read_only(false);
    refuses_every_write(&store, &first, &second);
    put_both(&*disk.open().expect("opens beside a reader"), &second).expect("kept");
    assert!(assert_old_or_new(&store, &first, &second));
}

#[test]
fn what_is_no_store_is_not_opened_to_read_and_not_made_one() {
    let directory = crate::media::Directory::new();
    let there = || std::fs::read_dir(directory.path()).expect("listed").count();
    assert!(is_refused(DirectoryStore::open_to_read(directory.path())));
    assert_eq!(there(), 0);
    let (first, _) = two_versions(65);
    prepare(&directory, &first);
    assert_same(
        &DirectoryStore::open_to_read(directory.path()).expect("a store").get(&first.header.hash()).expect("kept"),
        &first,
    );
    for (format, refused) in [("3", true), ("none", true), ("2", false)] {
        std::fs::write(directory.path().join("format"), format).expect("written");
        let found = DirectoryStore::open_to_read(directory.path());
        assert_eq!(found.is_err(), refused, "{format}");
    }
}
