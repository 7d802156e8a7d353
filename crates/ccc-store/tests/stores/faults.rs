//! What every lasting store keeps when the power goes, at any operation, once and twice.

use crate::{
    common::{assert_same, two_versions},
    disk::SimulatedDisk,
    media::{Fault, Faulty, assert_old_or_new, prepare, put_both},
};
use ccc_core::table::SealedTable;

/// Cuts the power at every operation of an update; `cuts` of what survives are tried for each.
fn cut_at_any_operation<M: Faulty>(new: impl Fn() -> M, pair: &(SealedTable, SealedTable), cuts: u64) {
    let (first, second) = pair;
    let mut seen = [false; 2];
    for at in 0.. {
        let mut acknowledged = false;
        for seed in 0..cuts {
            let medium = new();
            prepare(&medium, first);
            let store = medium.open().expect("opens");
            medium.strike(at, Fault::PowerCut);
            acknowledged = put_both(&*store, second).is_ok();
            drop(store);
            medium.heal();
            medium.cut(seed);
            let store = medium.open().expect("opens after the cut");
            let kept = assert_old_or_new(&*store, first, second);
            assert!(kept || !acknowledged, "operation {at}, seed {seed}: an acknowledged version is gone");
            seen[usize::from(kept)] = true;
            put_both(&*store, second).expect("kept after the cut");
            drop(store);
            medium.cut(seed);
            let store = medium.open().expect("opens after the second cut");
            assert!(assert_old_or_new(&*store, first, second), "operation {at}: gone after a second cut");
        }
        if acknowledged {
            break;
        }
    }
    assert_eq!(seen, [true; 2]);
}

/// Cuts the power in an update, and again at every operation of the opening that follows.
fn cut_again_while_opening<M: Faulty>(new: impl Fn() -> M, pair: &(SealedTable, SealedTable), step: usize) {
    let (first, second) = pair;
    let mut double_cuts = 0;
    for at in (0..).step_by(step) {
        let mut acknowledged = false;
        for again in 0.. {
            let medium = new();
            prepare(&medium, first);
            let store = medium.open().expect("opens");
            medium.strike(at, Fault::PowerCut);
            acknowledged = put_both(&*store, second).is_ok();
            drop(store);
            medium.heal();
            medium.cut(again as u64);
            medium.strike(again, Fault::PowerCut);
            let opened = medium.open().is_ok();
            medium.heal();
            medium.cut(again as u64 + 1);
            double_cuts += usize::from(!opened);
            let store = medium.open().expect("opens after two cuts");
            let kept = assert_old_or_new(&*store, first, second);
            assert!(kept || !acknowledged, "operations {at} and {again}: an acknowledged version is gone");
            if opened {
                break;
            }
        }
        if acknowledged {
            break;
        }
    }
    assert!(double_cuts > 20, "{double_cuts} cuts while opening");
}

/// Cuts the power at every operation of a put that replaces a version's sidecar.
fn cut_while_replacing<M: Faulty>(new: impl Fn() -> M, pair: &(SealedTable, SealedTable), cuts: u64) {
    let table = &pair.0;
    let mut former = table.clone();
    *former.sidecar.last_mut().expect("an entry") ^= 1;
    for at in 0.. {
        let mut acknowledged = false;
        for seed in 0..cuts {
            let medium = new();
            prepare(&medium, &former);
            let store = medium.open().expect("opens");
            medium.strike(at, Fault::PowerCut);
            acknowledged = store.put(table).is_ok();
            drop(store);
            medium.heal();
            medium.cut(seed);
            let store = medium.open().expect("opens after the cut");
            let found = store.get(&table.header.hash()).expect("the version stays");
            let kept = if acknowledged || found.sidecar == table.sidecar { table } else { &former };
            assert_same(&found, kept);
            store.put(table).expect("kept after the cut");
            assert_same(&store.get(&table.header.hash()).expect("kept"), table);
        }
        if acknowledged {
            break;
        }
    }
}

#[test]
fn n156c_a_power_cut_while_a_sidecar_is_replaced_leaves_the_version_with_either() {
    cut_while_replacing(SimulatedDisk::default, &two_versions(7), 4);
}

#[test]
fn n156c_a_power_cut_after_any_operation_leaves_old_or_new() {
    cut_at_any_operation(SimulatedDisk::default, &two_versions(2), 4);
}

#[test]
fn n156c_a_second_cut_while_opening_leaves_old_or_new() {
    cut_again_while_opening(SimulatedDisk::default, &two_versions(6), 1);
}

#[cfg(feature = "redb")]
mod journal {
    use super::*;
    use crate::pages::SimulatedPages;

    #[test]
    fn n156c_a_power_cut_after_any_operation_of_the_journal_leaves_old_or_new() {
        cut_at_any_operation(SimulatedPages::default, &two_versions(12), 4);
    }

    #[test]
    fn n156c_a_power_cut_while_the_journal_replaces_a_sidecar_leaves_the_version_with_either() {
        cut_while_replacing(SimulatedPages::default, &two_versions(18), 2);
    }

    #[test]
    fn n156c_a_second_cut_while_the_journal_opens_leaves_old_or_new() {
        cut_again_while_opening(SimulatedPages::default, &two_versions(16), 11);
    }
}

#[cfg(feature = "object-store-local")]
#[test]
fn n156c_a_writer_of_a_bucket_that_stops_at_any_request_leaves_old_or_new() {
    cut_at_any_operation(crate::objects::SimulatedObjects::default, &two_versions(17), 2);
}

#[cfg(feature = "object-store-local")]
#[test]
fn n156c_a_writer_of_a_bucket_that_stops_while_it_replaces_a_sidecar_leaves_the_version_with_either() {
    cut_while_replacing(crate::objects::SimulatedObjects::default, &two_versions(19), 2);
}
