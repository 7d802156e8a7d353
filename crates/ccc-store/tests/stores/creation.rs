//! The first opening of a store: cut, on a medium that fails, and by several at once.

use crate::{
    common::{Versions, assert_same},
    disk::SimulatedDisk,
    media::{Directory, Fault, Faulty, Medium, put_both},
};
use ccc_core::table::{SealedTable, StoreError};
use std::{io::ErrorKind, sync::Barrier, thread};

fn table(seed: u64) -> SealedTable {
    Versions::new(seed).next().expect("a version")
}

/// A medium that is usable takes a version, which a power cut leaves there.
fn is_usable<M: Faulty>(medium: &M, table: &SealedTable) -> Result<(), StoreError> {
    let store = medium.open()?;
    put_both(&*store, table).expect("kept");
    drop(store);
    medium.cut(0);
    assert_same(&medium.open().expect("opens again").get(&table.header.hash()).expect("kept"), table);
    Ok(())
}

/// A fault at every operation of the first opening, and what a power cut makes of it; `judge` says what has to come of the
/// next opening.
fn strike_while_making<M: Faulty>(new: impl Fn() -> M, fault: Fault, judge: impl Fn(Result<(), StoreError>)) {
    let table = table(61);
    let mut refused = 0;
    for at in 0.. {
        let mut made = false;
        for seed in 0..4 {
            let medium = new();
            medium.strike(at, fault);
            let outcome = medium.open().map(drop);
            made = outcome.is_ok() && !medium.was_struck();
            let typed = matches!(outcome, Ok(()) | Err(StoreError::Medium { .. } | StoreError::Halted));
            assert!(typed, "operation {at}");
            refused += usize::from(outcome.is_err());
            medium.heal();
            if fault == Fault::PowerCut {
                medium.cut(seed);
            }
            judge(is_usable(&medium, &table));
        }
        if made {
            break;
        }
    }
    assert!(refused > 0, "the fault never struck");
}

const FULL: Fault = Fault::Fails(ErrorKind::StorageFull);

#[test]
fn n156c_a_making_cut_at_any_operation_is_finished_at_the_next_opening() {
    strike_while_making(SimulatedDisk::default, Fault::PowerCut, |next| next.expect("usable"));
}

#[test]
fn n156b_a_medium_that_fails_while_a_store_is_made_is_a_typed_error_and_the_next_opening_makes_it() {
    strike_while_making(SimulatedDisk::default, FULL, |next| next.expect("usable"));
}

/// At how many operations of a first opening a failure of this kind is no obstacle, and at how many it is one.
fn outcomes(kind: ErrorKind) -> (usize, usize) {
    let (mut refused, mut tolerated) = (0, 0);
    for at in 0.. {
        let disk = SimulatedDisk::default();
        disk.strike(at, Fault::Fails(kind));
        match disk.open().map(drop) {
            Ok(()) if !disk.was_struck() => break,
            Ok(()) => tolerated += 1,
            outcome => {
                assert!(matches!(outcome, Err(StoreError::Medium { .. })), "operation {at}");
                refused += 1;
            }
        }
    }
    (tolerated, refused)
}

#[test]
fn n156h_a_directory_above_the_store_that_cannot_be_synced_is_no_obstacle_where_nothing_was_made_in_it() {
    // of /srv/tables/store: /srv and /, and on a read-only file system /srv/tables too
    let above = [
        (ErrorKind::PermissionDenied, 2),
        (ErrorKind::InvalidInput, 2),
        (ErrorKind::Unsupported, 2),
        (ErrorKind::ReadOnlyFilesystem, 3),
        (ErrorKind::StorageFull, 0),
        (ErrorKind::Other, 0),
    ];
    for (kind, expected) in above {
        let (tolerated, refused) = outcomes(kind);
        assert!(tolerated == expected && refused > 12, "{kind}: {tolerated} tolerated, {refused} refused");
    }
}

/// Which of them opened; the others found it locked.
fn open_at_once(openers: usize, medium: &(impl Medium + Sync)) -> usize {
    let (start, end) = (Barrier::new(openers), Barrier::new(openers));
    thread::scope(|scope| {
        let opener = || {
            start.wait();
            let store = medium.open();
            end.wait();
            assert!(matches!(store, Ok(_) | Err(StoreError::Locked)));
            store.is_ok()
        };
        let all: Vec<_> = (0..openers).map(|_| scope.spawn(opener)).collect();
        all.into_iter().map(|opener| opener.join().expect("ended")).filter(|opened| *opened).count()
    })
}

#[test]
fn n156e_of_several_that_make_a_directory_at_once_one_opens_it() {
    for _ in 0..8 {
        assert_eq!(open_at_once(4, &Directory::new()), 1);
    }
}

#[cfg(feature = "redb")]
mod journal {
    use super::*;
    use crate::{media::Journal, pages::SimulatedPages};
    use std::fs;

    /// A medium that no other name can be made on keeps no half journal for a whole one: it is refused, and no more.
    fn usable_or_refused(next: Result<(), StoreError>) {
        assert!(matches!(next, Ok(()) | Err(StoreError::Malformed { what: "journal" })));
    }

    #[test]
    fn n156c_a_journal_whose_making_in_place_was_cut_is_usable_or_refused() {
        strike_while_making(SimulatedPages::default, Fault::PowerCut, usable_or_refused);
    }

    #[test]
    fn n156b_a_medium_that_fails_while_a_journal_is_made_is_a_typed_error() {
        strike_while_making(SimulatedPages::default, FULL, usable_or_refused);
    }

    #[test]
    fn n156e_of_several_that_make_a_journal_at_once_one_opens_it() {
        for _ in 0..8 {
            assert_eq!(open_at_once(4, &Journal::new()), 1);
        }
    }

    #[test]
    fn n156b_a_journal_that_cannot_be_made_is_a_typed_error_and_leaves_none() {
        let journal = Journal::new();
        // nothing can be written under the name that it is made by
        fs::create_dir(journal.unfinished()).expect("made");
        assert!(matches!(journal.open().map(drop), Err(StoreError::Medium { .. })));
        assert!(!journal.file().exists());
        fs::remove_dir(journal.unfinished()).expect("removed");
        journal.open().expect("opens").put(&table(62)).expect("kept");
    }
}

#[cfg(feature = "object-store-local")]
mod bucket {
    use super::*;
    use crate::objects::{Bucket, SimulatedObjects};

    #[test]
    fn n156c_a_bucket_whose_making_stops_at_any_request_is_made_at_the_next_opening() {
        strike_while_making(SimulatedObjects::default, Fault::PowerCut, |next| next.expect("usable"));
    }

    #[test]
    fn n156b_a_provider_that_fails_while_a_bucket_is_made_is_a_typed_error() {
        strike_while_making(SimulatedObjects::default, FULL, |next| next.expect("usable"));
    }

    #[test]
    fn several_that_make_a_bucket_at_once_all_open_it() {
        assert_eq!(open_at_once(4, &Bucket::new()), 4);
    }
}
