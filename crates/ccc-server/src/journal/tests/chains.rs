//! Nothing in the store can change without being found.

use super::{UNTIL, answer, keys};
use crate::journal::{
    chain::{Broken, Chain},
    lines::JournalKey,
};
use ccc_store::{Change, MemoryRecords, Record, RecordStore};
use std::sync::Arc;

fn open(store: &Arc<MemoryRecords>, seed: u64) -> Result<Chain, Broken> {
    Chain::open(Arc::clone(store) as Arc<dyn RecordStore>, JournalKey::of(&keys(seed)))
}

/// A store with these records and this state.
fn store(records: &[Record], state: &[u8]) -> Arc<MemoryRecords> {
    let store = MemoryRecords::new();
    store.commit(&Change { remove: &[], add: records, values: &[("answers", state)] }).expect("in memory");
    Arc::new(store)
}

fn written() -> (Vec<Record>, Vec<u8>) {
    let store = Arc::new(MemoryRecords::new());
    let mut chain = open(&store, 1).expect("an empty store");
    for id in [1, 2, 3] {
        chain.add([id; 32], &answer(id));
        chain.settle().expect("in memory");
    }
    (store.records_from(0, 9).expect("read"), store.value("answers").expect("read").expect("a state"))
}

/// The number of the answer that is named; zero for the state, and none where nothing is found.
fn found(records: &[Record], state: &[u8], seed: u64) -> Option<u64> {
    match open(&store(records, state), seed).err()? {
        Broken::Record(number) => Some(number),
        Broken::State => Some(0),
        Broken::Store(error) => panic!("{error}"),
    }
}

#[test]
fn no_byte_of_an_answer_and_none_of_the_state_can_change() {
    let (records, state) = written();
    assert_eq!(found(&records, &state, 1), None);
    assert_eq!(found(&records, &state, 2), Some(0), "another participant's");
    for (index, number) in [(0, 1), (1, 2), (2, 3)] {
        for byte in 0..records[index].bytes.len() {
            let mut bent = records.clone();
            bent[index].bytes[byte] ^= 1;
            assert_eq!(found(&bent, &state, 1), Some(number), "byte {byte}");
        }
        let mut bent = records.clone();
        bent[index].key[31] ^= 1;
        assert_eq!(found(&bent, &state, 1), Some(number), "an answer under another identifier");
    }
    for byte in 0..state.len() {
        let mut bent = state.clone();
        bent[byte] ^= 1;
        assert_eq!(found(&records, &bent, 1), Some(0), "byte {byte} of the state");
    }
}

#[test]
fn an_answer_taken_out_put_in_moved_or_left_over_is_named() {
    let (records, state) = written();
    assert_eq!(found(&records[1..], &state, 1), Some(1), "the first is gone");
    assert_eq!(found(&[records[0].clone(), records[2].clone()], &state, 1), Some(2), "one between is gone");
    assert_eq!(found(&records[..2], &state, 1), Some(3), "the last is gone");
    assert_eq!(found(&[], &state, 1), Some(1), "all are gone");
    let numbered = |record: &Record, number| Record { number, ..record.clone() };
    let swapped = [numbered(&records[1], 1), numbered(&records[0], 2), records[2].clone()];
    assert_eq!(found(&swapped, &state, 1), Some(1), "two changed places");
    let more = |record: Record| [records.clone(), vec![record]].concat();
    assert_eq!(found(&more(numbered(&records[2], 4)), &state, 1), Some(4), "one again");
    assert_eq!(found(&more(numbered(&records[0], 0)), &state, 1), Some(1), "one before the first");
    let empty = MemoryRecords::new();
    empty.commit(&Change { add: &records, ..Change::default() }).expect("in memory");
    assert!(matches!(open(&Arc::new(empty), 1).err(), Some(Broken::Record(1))), "answers without a state");
}

/// The state of an earlier moment does not belong to the answers of a later one.
#[test]
fn an_older_state_does_not_fit() {
    let store = Arc::new(MemoryRecords::new());
    let mut chain = open(&store, 1).expect("an empty store");
    chain.add([1; 32], &answer(1));
    chain.settle().expect("in memory");
    let older = store.value("answers").expect("read").expect("a state");
    chain.add([2; 32], &answer(2));
    chain.settle().expect("in memory");
    let records = store.records_from(0, 9).expect("read");
    assert_eq!(found(&records, &older, 1), Some(2));
    assert_eq!(found(&records[..1], &older, 1), None, "whose counter tells that more was there");
}

/// A medium that changes under a chain that is open.
#[test]
fn what_changes_in_the_store_while_it_is_open_is_neither_given_nor_written_anew() {
    let (records, state) = written();
    let bend = |bend: &dyn Fn(&mut Record)| {
        let mut bent = records[1].clone();
        bend(&mut bent);
        vec![bent]
    };
    let changes = [
        bend(&|record| record.bytes[0] ^= 1),
        bend(&|record| *record.bytes.last_mut().expect("an answer") ^= 1),
        bend(&|record| record.key = [1; 32]),
        bend(&|record| record.bytes = records[0].bytes.clone()),
        bend(&|record| record.bytes.truncate(9)),
        Vec::new(),
    ];
    for (index, add) in changes.into_iter().enumerate() {
        for now in [UNTIL, UNTIL + 1] {
            let store = store(&records, &state);
            let mut chain = open(&store, 1).expect("as it was written");
            store.commit(&Change { remove: &[2], add: &add, values: &[] }).expect("in memory");
            let left = store.records_from(0, 9).expect("read");
            assert!(matches!(chain.under(&[2; 32]), Err(Broken::Record(2))), "change {index}");
            assert_eq!(chain.under(&[1; 32]).expect("as it was written"), [answer(1)]);
            assert!(matches!(chain.forget(now, 4), Err(Broken::Record(2))), "change {index} at {now}");
            assert_eq!(store.records_from(0, 9).expect("read"), left, "change {index} at {now}");
        }
    }
    let store = store(&records, &state);
    let mut chain = open(&store, 1).expect("as it was written");
    store.commit(&Change { remove: &[1, 2, 3], ..Change::default() }).expect("in memory");
    assert!(matches!(chain.forget(UNTIL, 4), Err(Broken::Record(1))), "nothing is left to move");
}
