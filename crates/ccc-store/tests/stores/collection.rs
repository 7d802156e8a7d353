//! Collections over random histories, cut at random.

use crate::{
    common::{ID, Versions},
    disk::SimulatedDisk,
    media::{Damageable, Directory, Fault, Faulty, Medium, Target, put_both},
};
use ccc_core::table::{Head, SealedTable, StoreError, TableId, TableStore, Tier};
use ccc_store::{CollectError, Confirmation, Keep, Lost, collect};
use proptest::prelude::*;
use std::{io::ErrorKind, num::NonZeroU32, sync::LazyLock};

/// So many cases, times `CCC_CASE_FACTOR` where it is set: `.ci/deep` sets it.
fn cases(number: u32) -> ProptestConfig {
    let factor: u32 = std::env::var("CCC_CASE_FACTOR").map_or(1, |factor| factor.parse().expect("a number"));
    ProptestConfig::with_cases(number.checked_mul(factor).expect("fewer cases"))
}

fn keep(ancestors: u32) -> Keep {
    Keep { ancestors: NonZeroU32::new(ancestors).expect("one at least") }
}

/// A chain of eight versions, a branch of four from the third and one of five from the fifth.
static HISTORY: LazyLock<Vec<SealedTable>> = LazyLock::new(|| {
    let mut history: Vec<_> = Versions::new(1).take(8).collect();
    for (shared, length) in [(2, 4), (4, 5)] {
        let mut branch = Versions::new(1);
        branch.by_ref().take(shared).for_each(drop);
        branch.diverge(shared as u64);
        // the version after the shared ones was sealed before the branch began
        history.extend(branch.skip(1).take(length));
    }
    history
});

static ANOTHER: LazyLock<SealedTable> =
    LazyLock::new(|| Versions::of(TableId { table: [9; 32], ..ID }, Tier::SMALLEST, 2).next().expect("a version"));

/// What a collection below `head` must leave.
fn must_stay(head: Head, ancestors: u64, version: Head) -> bool {
    version.version + ancestors >= head.version
}

#[derive(Clone, Debug)]
struct Plan {
    /// Versions that are kept, in the order in which they were put.
    put: Vec<usize>,
    head: usize,
    hint: usize,
    ancestors: u32,
    cut_after: usize,
    seed: u64,
}

fn plans() -> impl Strategy<Value = Plan> {
    let indices: Vec<usize> = (0..17).collect();
    let put = prop::sample::subsequence(indices, 1..=17).prop_shuffle();
    (put, any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1..4u32, 0..60usize, any::<u64>()).prop_map(
        |(put, head, hint, ancestors, cut_after, seed)| {
            let (head, hint) = (put[head.index(put.len())], put[hint.index(put.len())]);
            Plan { put, head, hint, ancestors, cut_after, seed }
        },
    )
}

fn carry_out(store: &dyn TableStore, head: Head, ancestors: u32) -> Result<usize, CollectError> {
    let collection = collect(store, &ID, head, keep(ancestors))?;
    let removals = collection.removals().len();
    collection.carry_out(Confirmation { head, removals })?;
    Ok(removals)
}

/// Everything that must stay is whole, everything listed is whole, the hint names something whole.
fn assert_nothing_needed_is_gone(store: &dyn TableStore, plan: &Plan) {
    let head = HISTORY[plan.head].header.head();
    for table in plan.put.iter().map(|index| &HISTORY[*index]) {
        if must_stay(head, plan.ancestors.into(), table.header.head()) {
            assert!(store.get(&table.header.hash()).is_ok(), "version {} is gone", table.header.version());
        }
    }
    assert!(store.get(&ANOTHER.header.hash()).is_ok(), "another table's version is gone");
    for hash in store.versions().expect("listed") {
        assert!(store.get(&hash).is_ok(), "a listed version is incomplete");
    }
    let hint = store.head_hint(&ID).expect("read").expect("kept");
    assert!(store.get(&hint).is_ok(), "the hint names nothing");
}

fn collects_and_loses_nothing(medium: &impl Faulty, plan: &Plan) {
    let head = HISTORY[plan.head].header.head();
    let store = medium.open().expect("opens");
    store.put(&ANOTHER).expect("kept");
    plan.put.iter().for_each(|index| store.put(&HISTORY[*index]).expect("kept"));
    store.set_head_hint(&ID, &HISTORY[plan.hint].header.hash()).expect("kept");
    medium.strike(plan.cut_after, Fault::PowerCut);
    let finished = carry_out(&*store, head, plan.ancestors).is_ok();
    drop(store);
    medium.heal();
    medium.cut(plan.seed);
    let store = medium.open().expect("opens after the cut");
    assert_nothing_needed_is_gone(&*store, plan);
    let left = carry_out(&*store, head, plan.ancestors).expect("carried out");
    assert!(left == 0 || !finished, "a finished collection came back");
    assert_nothing_needed_is_gone(&*store, plan);
    let gone = |index: &&usize| !must_stay(head, plan.ancestors.into(), HISTORY[**index].header.head());
    for index in plan.put.iter().filter(gone) {
        let found = store.get(&HISTORY[*index].header.hash());
        assert!(matches!(found, Err(StoreError::Missing { .. })), "version {index} is left");
    }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn n156c_a_collection_cut_anywhere_loses_nothing_that_the_head_needs(plan in plans()) {
        collects_and_loses_nothing(&SimulatedDisk::default(), &plan);
    }
}

#[cfg(feature = "redb")]
proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn n156c_a_collection_of_the_journal_cut_anywhere_loses_nothing_that_the_head_needs(plan in plans()) {
        collects_and_loses_nothing(&crate::pages::SimulatedPages::default(), &plan);
    }
}

#[cfg(feature = "object-store-local")]
proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn n156c_a_collection_of_a_bucket_stopped_anywhere_loses_nothing_that_the_head_needs(plan in plans()) {
        collects_and_loses_nothing(&crate::objects::SimulatedObjects::default(), &plan);
    }
}

#[test]
fn the_history_has_branches() {
    let versions: Vec<_> = HISTORY.iter().map(|table| table.header.version()).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5, 6, 7, 8, 4, 5, 6, 7, 6, 7, 8, 9, 10]);
    let mut hashes: Vec<_> = HISTORY.iter().map(|table| table.header.hash()).collect();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), HISTORY.len());
}

#[test]
fn nothing_is_removed_without_the_exact_confirmation() {
    let medium = Directory::new();
    let store = medium.open().expect("opens");
    HISTORY[..5].iter().for_each(|table| put_both(&*store, table).expect("kept"));
    let head = HISTORY[4].header.head();
    let agreed = Confirmation { head, removals: 3 };
    let others = [
        Confirmation { removals: 2, ..agreed },
        Confirmation { removals: 4, ..agreed },
        Confirmation { head: HISTORY[3].header.head(), ..agreed },
    ];
    for other in others {
        let collection = collect(&*store, &ID, head, keep(1)).expect("planned");
        let expected: Vec<_> = HISTORY[..3].iter().map(|table| table.header.head()).collect();
        assert_eq!(collection.removals(), expected);
        let refused = collection.carry_out(other);
        assert!(
            matches!(refused, Err(CollectError::Confirmation { expected, found }) if expected == agreed && found == other)
        );
        assert_eq!(store.versions().expect("listed").len(), 5);
    }
    collect(&*store, &ID, head, keep(1)).expect("planned").carry_out(agreed).expect("carried out");
    assert_eq!(store.versions().expect("listed").len(), 2);
}

#[test]
fn nothing_is_removed_below_a_head_that_is_not_whole_here() {
    let medium = Directory::new();
    let store = medium.open().expect("opens");
    HISTORY[..4].iter().for_each(|table| put_both(&*store, table).expect("kept"));
    let lost = HISTORY[4].header.head();
    let refused = collect(&*store, &ID, lost, keep(1));
    assert!(
        matches!(refused, Err(CollectError::Head(halt)) if halt.header_hash == lost.hash && halt.lost == Lost::Version)
    );
    let damaged = &HISTORY[3].header;
    let path = medium.file(damaged, Target::Body);
    std::fs::write(&path, vec![0; HISTORY[3].body.len()]).expect("written");
    let refused = collect(&*store, &ID, damaged.head(), keep(1));
    assert!(matches!(refused, Err(CollectError::Head(halt)) if halt.lost == Lost::Damaged("body")));
    assert_eq!(store.versions().expect("listed").len(), 4);
}

#[test]
fn a_head_with_another_version_or_of_another_table_is_refused() {
    let medium = Directory::new();
    let store = medium.open().expect("opens");
    HISTORY[..4].iter().for_each(|table| put_both(&*store, table).expect("kept"));
    store.put(&ANOTHER).expect("kept");
    let inflated = Head { version: 9, ..HISTORY[1].header.head() };
    let refused = collect(&*store, &ID, inflated, keep(1));
    assert!(matches!(refused, Err(CollectError::AnotherHead { expected, found, same_table: true })
        if expected == inflated && found.version == 2));
    let refused = collect(&*store, &ID, ANOTHER.header.head(), keep(1));
    assert!(matches!(refused, Err(CollectError::AnotherHead { same_table: false, .. })));
    assert_eq!(store.versions().expect("listed").len(), 5);
}

#[test]
fn nothing_is_removed_while_a_version_cannot_be_read() {
    let medium = Directory::new();
    let store = medium.open().expect("opens");
    HISTORY[..4].iter().for_each(|table| put_both(&*store, table).expect("kept"));
    let bent = &HISTORY[0].header;
    medium.alter(bent, Target::Manifest, &mut |bytes| bytes[9] ^= 1);
    let refused = collect(&*store, &ID, HISTORY[3].header.head(), keep(1));
    assert!(matches!(refused, Err(CollectError::Unreadable(StoreError::Corrupt { header_hash, .. }))
        if header_hash == bent.hash()));
    assert_eq!(store.versions().expect("listed").len(), 4);
    medium.alter(bent, Target::Manifest, &mut |bytes| bytes[9] ^= 1);
    assert_eq!(carry_out(&*store, HISTORY[3].header.head(), 1).expect("carried out"), 2);
}

/// Every operation of a removal fails once; what is told is what is gone.
#[test]
fn a_collection_that_stops_says_what_was_removed() {
    let (mut stops, mut most) = (0, 0);
    for at in 0.. {
        let medium = SimulatedDisk::default();
        let store = medium.open().expect("opens");
        HISTORY[..5].iter().for_each(|table| put_both(&*store, table).expect("kept"));
        let head = HISTORY[4].header.head();
        let plan = collect(&*store, &ID, head, keep(1)).expect("planned");
        let planned = plan.removals().to_vec();
        medium.strike(at, Fault::Fails(ErrorKind::Other));
        let outcome = plan.carry_out(Confirmation { head, removals: 3 });
        medium.heal();
        match outcome {
            Ok(()) => break,
            Err(CollectError::Stopped { removed, planned: 3, source }) => {
                assert!(matches!(*source, StoreError::Medium { .. }));
                assert_eq!(removed, planned[..removed.len()]);
                assert!(removed.iter().all(|gone| store.header(&gone.hash).is_err()), "told and not gone");
                assert!(planned[removed.len() + 1..].iter().all(|left| store.header(&left.hash).is_ok()));
                (stops, most) = (stops + 1, most.max(removed.len()));
            }
            // before the first removal
            Err(_) => assert!(planned.iter().all(|left| store.header(&left.hash).is_ok())),
        }
    }
    assert!(stops > 6 && most == 2, "{stops} stops, at most {most} removed");
}
