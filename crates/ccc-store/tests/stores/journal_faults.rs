//! The journal on pages that fail, and on a file that somebody damaged.

use crate::{
    common::{ID, Versions, assert_same, two_versions},
    media::{Fault, Faulty, Journal, Medium, assert_old_or_new, prepare, put_both},
    pages::SimulatedPages,
};
use ccc_core::table::StoreError;
use std::{fs, io::ErrorKind};

#[test]
fn n156b_any_failing_operation_of_the_journal_leaves_the_previous_version_readable() {
    let (first, second) = two_versions(21);
    for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
        let mut refused = 0;
        for at in 0.. {
            let pages = SimulatedPages::default();
            prepare(&pages, &first);
            let store = pages.open().expect("opens");
            pages.strike(at, Fault::Fails(kind));
            let outcome = put_both(&*store, &second);
            let struck = pages.was_struck();
            pages.heal();
            if outcome.is_ok() && !struck {
                assert!(at > 12, "the fault never struck");
                break;
            }
            assert!(matches!(outcome, Ok(()) | Err(StoreError::Medium { .. } | StoreError::Halted)), "operation {at}");
            refused += usize::from(outcome.is_err());
            // redb answers nothing more after a failed write, until it is opened again
            match store.get(&first.header.hash()) {
                Ok(found) => assert_same(&found, &first),
                Err(error) => assert!(matches!(error, StoreError::Halted), "operation {at}: {error}"),
            }
            drop(store);
            let store = pages.open().expect("opens again");
            let kept = assert_old_or_new(&*store, &first, &second);
            assert!(kept || outcome.is_err(), "operation {at}: an acknowledged version is gone");
            put_both(&*store, &second).expect("kept after opening again");
            drop(store);
            pages.cut(0);
            assert!(assert_old_or_new(&*pages.open().expect("opens"), &first, &second));
        }
        assert!(refused > 10, "{refused} failures were seen");
    }
}

#[test]
fn every_commit_has_two_phases() {
    let (first, second) = two_versions(25);
    let pages = SimulatedPages::default();
    prepare(&pages, &first);
    let store = pages.open().expect("opens");
    let syncs = |change: &dyn Fn()| {
        let before = pages.syncs();
        change();
        pages.syncs() - before
    };
    assert_eq!(syncs(&|| store.put(&second).expect("kept")), 2);
    assert_eq!(syncs(&|| store.set_head_hint(&ID, &second.header.hash()).expect("kept")), 2);
    assert_eq!(syncs(&|| store.remove(&first.header.hash()).expect("removed")), 2);
}

#[test]
fn a_failed_commit_halts_the_journal() {
    let (first, second) = two_versions(22);
    let pages = SimulatedPages::default();
    prepare(&pages, &first);
    let store = pages.open().expect("opens");
    pages.strike(0, Fault::PowerCut);
    assert!(put_both(&*store, &second).is_err());
    pages.heal();
    assert!(matches!(store.put(&second), Err(StoreError::Halted)));
    assert!(matches!(store.set_head_hint(&ID, &first.header.hash()), Err(StoreError::Halted)));
    assert!(matches!(store.remove(&first.header.hash()), Err(StoreError::Halted)));
}

#[test]
fn n156d_a_byte_changed_anywhere_in_the_journals_file_is_found_or_harmless() {
    let journal = Journal::new();
    let table = Versions::new(23).next().expect("a version");
    put_both(&*journal.open().expect("opens"), &table).expect("kept");
    let whole = fs::read(journal.file()).expect("read");
    let (mut found, mut harmless) = (0, 0);
    for at in (0..600).step_by(13).chain((600..whole.len()).step_by(whole.len() / 60)) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x24;
        fs::write(journal.file(), &bytes).expect("written");
        match journal.open().and_then(|store| store.get(&table.header.hash())) {
            Ok(kept) => {
                assert_same(&kept, &table);
                harmless += 1;
            }
            Err(StoreError::Malformed { .. } | StoreError::Format { .. } | StoreError::Medium { .. }) => found += 1,
            Err(other) => panic!("byte {at}: {other}"),
        }
    }
    assert!(found > 10 && harmless > 0, "{found} found, {harmless} harmless");
}

#[test]
fn n156d_a_file_that_is_no_journal_is_refused() {
    let journal = Journal::new();
    fs::write(journal.file(), vec![0x5A; 70_000]).expect("written");
    assert!(matches!(journal.open().map(drop), Err(StoreError::Malformed { what: "journal" })));
    let table = Versions::new(24).next().expect("a version");
    let other = Journal::new();
    other.open().expect("opens").put(&table).expect("kept");
    let whole = fs::read(other.file()).expect("read");
    for len in [1, 100, 4_096, whole.len() / 2, whole.len() - 1] {
        fs::write(journal.file(), &whole[..len]).expect("written");
        let outcome = journal.open().and_then(|store| store.get(&table.header.hash()));
        assert!(matches!(outcome, Err(StoreError::Malformed { .. } | StoreError::Medium { .. })), "{len} bytes");
    }
}

#[test]
fn n156a_a_journal_whose_making_was_cut_is_made_again() {
    let (journal, whole) = (Journal::new(), Journal::new());
    drop(whole.open().expect("opens"));
    let whole = fs::read(whole.file()).expect("read");
    let table = Versions::new(25).next().expect("a version");
    for unfinished in [&[][..], &[0; 4_096], &vec![0; whole.len()], &whole[..whole.len() / 2]] {
        fs::write(journal.file(), b"").expect("written");
        fs::write(journal.unfinished(), unfinished).expect("written");
        let store = journal.open().expect("opens");
        store.put(&table).expect("kept");
        assert_same(&store.get(&table.header.hash()).expect("kept"), &table);
        assert!(!journal.unfinished().exists());
    }
}

#[test]
fn n156g_a_journal_of_another_format_is_refused() {
    let journal = Journal::new();
    drop(journal.open().expect("opens"));
    let database = redb::Database::open(journal.file()).expect("opens");
    let transaction = database.begin_write().expect("begins");
    let meta = redb::TableDefinition::<&str, u64>::new("meta");
    transaction.open_table(meta).expect("there").insert("format", 2).expect("written");
    transaction.commit().expect("kept");
    drop(database);
    assert!(matches!(journal.open().map(drop), Err(StoreError::Format { expected: 1, found: 2 })));
}

#[test]
fn n156h_a_journal_that_cannot_be_written_is_a_typed_error_at_opening() {
    let missing = crate::media::Directory::new();
    let path = missing.path().join("no such directory").join("journal");
    assert!(matches!(ccc_store::JournalStore::open(path).map(drop), Err(StoreError::Medium { .. })));
    let pages = SimulatedPages::default();
    pages.strike(0, Fault::PowerCut);
    assert!(matches!(pages.open().map(drop), Err(StoreError::Medium { .. })));
}
