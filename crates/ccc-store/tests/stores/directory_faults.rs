//! The directory store on a simulated disk: every operation made to fail, power cut after every operation.

use crate::{
    common::{ID, two_versions},
    disk::{ROOT, SimulatedDisk},
    media::{Fault, Faulty, Medium, assert_old_or_new, prepare, put_both},
};
use ccc_core::table::{StoreError, TableStore};
use ccc_store::DirectoryStore;
use std::io::ErrorKind;

#[test]
fn n156b_any_failing_operation_leaves_the_previous_version_readable() {
    let (first, second) = two_versions(1);
    for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
        let mut halts = 0;
        for at in 0.. {
            let disk = SimulatedDisk::default();
            prepare(&disk, &first);
            let store = disk.open().expect("opens");
            disk.strike(at, Fault::Fails(kind));
            let outcome = put_both(&*store, &second);
            let struck = disk.was_struck();
            disk.heal();
            if outcome.is_ok() && !struck {
                assert!(at > 12, "the fault never struck");
                break;
            }
            assert!(matches!(outcome, Ok(()) | Err(StoreError::Medium { .. })), "operation {at}");
            assert_old_or_new(&*store, &first, &second);
            match put_both(&*store, &second) {
                Ok(()) => assert!(assert_old_or_new(&*store, &first, &second)),
                Err(StoreError::Halted) => halts += 1,
                Err(other) => panic!("operation {at}: {other}"),
            }
            drop(store);
            let store = disk.open().expect("opens");
            put_both(&*store, &second).expect("kept after opening again");
            assert!(assert_old_or_new(&*store, &first, &second));
            drop(store);
            // what is acknowledged after a failed sync is as durable as anything else
            disk.cut(0);
            assert!(assert_old_or_new(&*disk.open().expect("opens"), &first, &second));
        }
        // four files, each with a sync of its bytes and one of its directory
        assert_eq!(halts, 8, "every failed sync halts the store, and nothing else does");
    }
}

#[test]
fn n156b_a_failing_read_is_a_typed_error_and_harms_nothing() {
    let (first, _) = two_versions(1);
    let disk = SimulatedDisk::default();
    prepare(&disk, &first);
    let store = disk.open().expect("opens");
    let mut failed = 0;
    for at in 0.. {
        disk.strike(at, Fault::Fails(ErrorKind::Other));
        let outcome = store.get(&first.header.hash());
        let struck = disk.was_struck();
        disk.heal();
        assert!(store.get(&first.header.hash()).is_ok());
        if !struck {
            break;
        }
        assert!(matches!(outcome, Err(StoreError::Medium { .. })), "operation {at}");
        failed += 1;
    }
    // the manifest; opening, measuring and reading of two parts
    assert_eq!(failed, 7);
}

#[test]
fn n156c_a_power_cut_while_removing_leaves_no_half_version() {
    let (first, second) = two_versions(3);
    for at in 0.. {
        let disk = SimulatedDisk::default();
        prepare(&disk, &first);
        let store = disk.open().expect("opens");
        store.put(&second).expect("kept");
        disk.strike(at, Fault::PowerCut);
        let removed = store.remove(&second.header.hash()).is_ok();
        drop(store);
        disk.heal();
        disk.cut(0);
        let kept = assert_old_or_new(&*disk.open().expect("opens"), &first, &second);
        assert!(!(kept && removed), "operation {at}");
        if removed {
            break;
        }
    }
}

#[test]
fn n156g_an_upgrade_cut_at_any_operation_is_finished_at_the_next_opening() {
    let (first, second) = two_versions(4);
    for at in 0.. {
        let disk = SimulatedDisk::default();
        prepare(&disk, &first);
        // the release before the format had a number
        disk.forget_file(&format!("{ROOT}/format"));
        disk.strike(at, Fault::PowerCut);
        let upgraded = disk.open().is_ok();
        disk.heal();
        disk.cut(at as u64);
        let store = disk.open().expect("opens after the cut");
        assert!(!assert_old_or_new(&*store, &first, &second));
        put_both(&*store, &second).expect("kept");
        drop(store);
        disk.cut(0);
        assert!(assert_old_or_new(&*disk.open().expect("opens"), &first, &second));
        if upgraded {
            assert!(at > 12, "the cut never struck");
            break;
        }
    }
}

#[test]
fn n156h_a_read_only_medium_is_a_typed_error_at_opening() {
    let disk = SimulatedDisk::default();
    disk.set_read_only(true);
    assert!(matches!(DirectoryStore::open_on(disk, ROOT), Err(StoreError::Medium { .. })));
}

#[test]
fn a_halted_store_calls_nothing_kept() {
    let (first, second) = two_versions(5);
    let disk = SimulatedDisk::default();
    prepare(&disk, &first);
    let store = DirectoryStore::open_on(disk.clone(), ROOT).expect("opens");
    for at in 0.. {
        disk.strike(at, Fault::Fails(ErrorKind::Other));
        if matches!(store.set_head_hint(&ID, &second.header.hash()), Err(StoreError::Medium { .. }))
            && matches!(store.put(&second), Err(StoreError::Halted))
        {
            break;
        }
    }
    disk.heal();
    let hash = first.header.hash();
    assert!(matches!(store.put(&first), Err(StoreError::Halted)));
    assert!(matches!(store.writer(first.header.tier()).map(drop), Err(StoreError::Halted)));
    assert!(matches!(store.remove(&hash), Err(StoreError::Halted)));
    assert!(matches!(store.set_head_hint(&ID, &hash), Err(StoreError::Halted)));
    assert!(store.get(&hash).is_ok(), "reading goes on");
}
