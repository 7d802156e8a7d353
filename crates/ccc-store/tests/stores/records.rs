//! What every store of records does, whatever it lies on. Another store is held to the same by another [`Place`].

use ccc_core::table::StoreError;
use ccc_store::{Change, MAX_RECORD, MemoryRecords, Record, RecordStore};

/// Where a store of records can be opened again and again.
pub(crate) trait Place {
    fn open(&self) -> Result<Box<dyn RecordStore + '_>, StoreError>;

    /// Whether what is kept is still there when the store is opened again, and a second opener is refused.
    fn is_lasting(&self) -> bool {
        true
    }
}

struct Memory;

impl Place for Memory {
    fn open(&self) -> Result<Box<dyn RecordStore + '_>, StoreError> {
        Ok(Box::new(MemoryRecords::new()))
    }

    fn is_lasting(&self) -> bool {
        false
    }
}

pub(crate) fn record(number: u64, key: u8) -> Record {
    let length = usize::try_from(number % 300).expect("small");
    Record { number, key: [key; 32], bytes: vec![key ^ 0x5A; length] }
}

pub(crate) fn add(store: &dyn RecordStore, records: &[Record]) -> Result<(), StoreError> {
    store.commit(&Change { add: records, ..Change::default() })
}

fn numbers(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.number).collect()
}

fn keeps_in_order(place: &impl Place) {
    let store = place.open().expect("opens");
    assert_eq!(store.records_from(0, 9).expect("read"), []);
    assert_eq!(store.value("v").expect("read"), None);
    add(&*store, &[record(7, 1), record(3, 2), record(u64::MAX, 1), record(256, 1)]).expect("kept");
    add(&*store, &[record(4, 1)]).expect("kept");
    let all = [record(3, 2), record(4, 1), record(7, 1), record(256, 1), record(u64::MAX, 1)];
    assert_eq!(store.records_from(0, 9).expect("read"), all);
    assert_eq!(numbers(&store.records_from(4, 2).expect("read")), [4, 7]);
    assert_eq!(numbers(&store.records_from(8, 1).expect("read")), [256]);
    assert_eq!(store.records_from(0, 0).expect("read"), []);
}

fn changes_all_or_nothing(place: &impl Place) {
    let store = place.open().expect("opens");
    add(&*store, &[record(1, 1), record(2, 2)]).expect("kept");
    store.commit(&Change { values: &[("a", b"one"), ("b", b"")], ..Change::default() }).expect("kept");
    let taken = Change { remove: &[1], add: &[record(3, 3), record(2, 9)], values: &[("a", b"two")] };
    assert!(matches!(store.commit(&taken), Err(StoreError::Malformed { what: "order of records" })));
    let long = Record { number: 9, key: [9; 32], bytes: vec![0; MAX_RECORD + 1] };
    let long = Change { remove: &[1], add: &[long], values: &[("a", b"two")] };
    assert!(matches!(store.commit(&long), Err(StoreError::Malformed { what: "length of a record" })));
    assert_eq!(numbers(&store.records_from(0, 9).expect("read")), [1, 2], "nothing of a refused change");
    assert_eq!(store.value("a").expect("read").as_deref(), Some(b"one".as_slice()));
    assert_eq!(store.value("b").expect("read").as_deref(), Some([].as_slice()));
    let whole = Change { remove: &[1, 1, 77], add: &[record(1, 4)], values: &[("a", b"two")] };
    store.commit(&whole).expect("a number that was given back is free");
    assert_eq!(store.records_from(0, 9).expect("read"), [record(1, 4), record(2, 2)]);
    assert_eq!(store.value("a").expect("read").as_deref(), Some(b"two".as_slice()));
}

fn lasts(place: &impl Place) {
    let most = Record { number: 5, key: [5; 32], bytes: vec![7; MAX_RECORD] };
    add(&*place.open().expect("opens"), &[record(1, 1), record(2, 1), most.clone()]).expect("kept");
    {
        let store = place.open().expect("opens again");
        assert!(matches!(place.open().map(drop), Err(StoreError::Locked)), "a second opener");
        store.commit(&Change { remove: &[1], add: &[], values: &[("v", &[9; 100])] }).expect("kept");
    }
    let store = place.open().expect("opens again");
    assert_eq!(store.records_from(0, 9).expect("read"), [record(2, 1), most.clone()]);
    let next = Record { number: 6, ..most };
    add(&*store, &[next]).expect("kept");
    assert_eq!(numbers(&store.records_from(0, 9).expect("read")), [2, 5], "a page has an end");
    assert_eq!(numbers(&store.records_from(6, 9).expect("read")), [6]);
    assert_eq!(store.value("v").expect("read"), Some(vec![9; 100]));
}

pub(crate) fn conforms<P: Place>(new: impl Fn() -> P) {
    keeps_in_order(&new());
    changes_all_or_nothing(&new());
    let place = new();
    if place.is_lasting() {
        lasts(&place);
    }
}

#[test]
fn records_in_memory_conform() {
    conforms(|| Memory);
}
