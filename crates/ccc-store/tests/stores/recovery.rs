//! What is left of an update that the chain accepted and the store did not survive.

use crate::{
    common::{ID, Versions, assert_same, two_versions},
    disk::SimulatedDisk,
    media::{Damageable, Directory, Fault, Faulty, Medium, Target, prepare, put_both},
};
use ccc_core::table::{SealedTable, StoreError, TableStore};
use ccc_store::{Lost, MemoryStore, Recovery, recover, restore};
use std::fs;

#[expect(clippy::panic, reason = "the lint's exception covers test functions only, and this serves several")]
fn assert_halts(store: &dyn TableStore, table: &SealedTable, lost: Lost, newest: Option<&SealedTable>) -> String {
    match recover(store, &ID, &table.header.hash()).expect("the store answers") {
        Recovery::Found(_) => panic!("a version was made up"),
        Recovery::Missing(halt) => {
            assert_eq!((halt.header_hash, halt.lost), (table.header.hash(), lost));
            assert_eq!(halt.newest, newest.map(|newest| newest.header.head()));
            halt.to_string()
        }
    }
}

fn assert_found(store: &dyn TableStore, table: &SealedTable) {
    let found = recover(store, &ID, &table.header.hash()).expect("the store answers").found().expect("here");
    assert_eq!(found.header().to_bytes(), table.header.to_bytes());
    drop(found);
    assert_same(&store.get(&table.header.hash()).expect("found"), table);
}

/// The chain has the second version, the store lost it in the middle of its write: halt, restore, go on.
fn halts_and_is_restored<M: Faulty>(new: impl Fn() -> M, pair: &(SealedTable, SealedTable)) {
    let (first, second) = pair;
    let another = MemoryStore::new();
    another.put(second).expect("kept");
    let mut halts = 0;
    for at in 0.. {
        let medium = new();
        prepare(&medium, first);
        let store = medium.open().expect("opens");
        medium.strike(at, Fault::PowerCut);
        let kept = put_both(&*store, second).is_ok();
        drop(store);
        medium.heal();
        medium.cut(at as u64);
        let store = medium.open().expect("opens after the cut");
        if store.get(&second.header.hash()).is_err() {
            halts += 1;
            let message = assert_halts(&*store, second, Lost::Version, Some(first));
            assert!(message.contains("Restore it") && message.contains("newest other version here is 1"), "{message}");
            assert!(matches!(
                restore(&*store, &MemoryStore::new(), &second.header.hash()),
                Err(StoreError::Missing { .. })
            ));
            restore(&*store, &another, &second.header.hash()).expect("restored");
        }
        assert_found(&*store, second);
        assert_found(&*store, first);
        if kept {
            break;
        }
    }
    assert!(halts > 5, "{halts} halts");
}

#[test]
fn n134_n156c_a_version_that_the_chain_has_and_a_cut_took_is_a_halt_until_it_is_restored() {
    halts_and_is_restored(SimulatedDisk::default, &two_versions(31));
}

#[cfg(feature = "redb")]
#[test]
fn n134_n156c_a_version_that_a_cut_took_from_the_journal_is_a_halt_until_it_is_restored() {
    halts_and_is_restored(crate::pages::SimulatedPages::default, &two_versions(32));
}

#[cfg(feature = "object-store-local")]
#[test]
fn n134_n156c_a_version_that_a_stopped_writer_left_undone_in_a_bucket_is_a_halt_until_it_is_restored() {
    halts_and_is_restored(crate::objects::SimulatedObjects::default, &two_versions(36));
}

#[test]
fn n134_an_empty_store_halts_and_names_no_version() {
    let table = Versions::new(33).next().expect("a version");
    let message = assert_halts(&MemoryStore::new(), &table, Lost::Version, None);
    assert!(message.contains("No other version of the table is here"), "{message}");
}

#[test]
fn n134_a_lost_or_damaged_part_is_named_and_restored() {
    let (first, second) = two_versions(34);
    let another = MemoryStore::new();
    another.put(&second).expect("kept");
    let directory = Directory::new();
    let store = directory.open().expect("opens");
    [&first, &second].into_iter().for_each(|table| put_both(&*store, table).expect("kept"));
    for (target, part) in [(Target::Body, "body"), (Target::Sidecar, "sidecar")] {
        directory.alter(&second.header, target, &mut |bytes| bytes[9] ^= 1);
        assert_halts(&*store, &second, Lost::Damaged(part), Some(&first));
        restore(&*store, &another, &second.header.hash()).expect("restored");
        assert_found(&*store, &second);
        fs::remove_file(directory.file(&second.header, target)).expect("removed");
        assert_halts(&*store, &second, Lost::Part, Some(&first));
        restore(&*store, &another, &second.header.hash()).expect("restored");
        assert_found(&*store, &second);
    }
    directory.alter(&second.header, Target::Manifest, &mut |bytes| bytes[9] ^= 1);
    assert_halts(&*store, &second, Lost::Damaged("header"), Some(&first));
}

#[test]
fn n156f_a_version_is_never_restored_from_a_damaged_copy() {
    let table = Versions::new(35).next().expect("a version");
    let copy = Directory::new();
    copy.open().expect("opens").put(&table).expect("kept");
    for (target, part) in [(Target::Body, "body"), (Target::Sidecar, "sidecar"), (Target::Manifest, "header")] {
        copy.alter(&table.header, target, &mut |bytes| bytes[70] ^= 1);
        let store = MemoryStore::new();
        let refused = restore(&store, &*copy.open().expect("opens"), &table.header.hash());
        assert!(matches!(refused, Err(StoreError::Corrupt { part: found, .. }) if found == part));
        assert!(store.versions().expect("listed").is_empty());
        copy.alter(&table.header, target, &mut |bytes| bytes[70] ^= 1);
    }
}

/// Only owners can check the entries of a sidecar, so the digest of the one that was kept decides.
#[test]
fn n156f_a_copy_with_other_entries_never_takes_the_place_of_a_sidecar_that_is_whole() {
    let table = Versions::new(37).next().expect("a version");
    let mut bent = table.clone();
    *bent.sidecar.last_mut().expect("an entry") ^= 1;
    let (copy, genuine) = (MemoryStore::new(), MemoryStore::new());
    copy.put(&bent).expect("its tree is the header's");
    genuine.put(&table).expect("kept");
    let directory = Directory::new();
    let store = directory.open().expect("opens");
    store.put(&table).expect("kept");
    fs::remove_file(directory.file(&table.header, Target::Body)).expect("removed");
    let refused = restore(&*store, &copy, &table.header.hash());
    assert!(matches!(refused, Err(StoreError::Corrupt { part: "sidecar", .. })));
    assert_eq!(fs::read(directory.file(&table.header, Target::Sidecar)).expect("read"), table.sidecar);
    restore(&*store, &genuine, &table.header.hash()).expect("restored");
    assert_found(&*store, &table);
}
