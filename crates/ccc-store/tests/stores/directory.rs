//! What the directory store does with files that are not as it left them.

use crate::{
    common::{ID, Versions, assert_same, two_versions},
    media::{Damageable, Directory, Medium, Target},
};
use ccc_core::table::{StoreError, TableStore};
use ccc_store::DirectoryStore;
use std::fs;

#[test]
fn n134_a_lost_body_is_missing_and_never_empty() {
    let directory = Directory::new();
    let store = directory.open().expect("opens");
    let table = Versions::new(3).next().expect("a version");
    store.put(&table).expect("kept");
    fs::remove_file(directory.file(&table.header, Target::Body)).expect("removed");
    let hash = table.header.hash();
    assert!(matches!(store.get(&hash), Err(StoreError::Missing { header_hash }) if header_hash == hash));
    assert_eq!(store.header(&hash).expect("still known").hash(), hash);
    store.put(&table).expect("restored");
    assert_same(&store.get(&hash).expect("found"), &table);
}

/// The body named by a manifest that cannot be read could be any.
#[test]
fn a_body_stays_while_a_manifest_cannot_be_read() {
    let directory = Directory::new();
    let store = directory.open().expect("opens");
    let (first, second) = two_versions(6);
    [&first, &second].iter().for_each(|table| store.put(table).expect("kept"));
    directory.alter(&second.header, Target::Manifest, &mut |bytes| bytes[9] ^= 1);
    store.remove(&first.header.hash()).expect("removed");
    assert!(directory.file(&first.header, Target::Body).exists());
    store.put(&second).expect("mended");
    store.put(&first).expect("kept again");
    store.remove(&first.header.hash()).expect("removed");
    assert!(!directory.file(&first.header, Target::Body).exists());
}

#[test]
fn what_no_version_names_goes_at_the_next_opening_unless_a_manifest_cannot_be_read() {
    let directory = Directory::new();
    let store = directory.open().expect("opens");
    let (first, second) = two_versions(7);
    [&first, &second].iter().for_each(|table| store.put(table).expect("kept"));
    drop(store);
    // a cut behind the removal of the manifest
    fs::remove_file(directory.file(&first.header, Target::Manifest)).expect("removed");
    let left = || [Target::Body, Target::Sidecar].map(|part| directory.file(&first.header, part).exists());
    directory.alter(&second.header, Target::Manifest, &mut |bytes| bytes[9] ^= 1);
    drop(directory.open().expect("opens"));
    assert_eq!(left(), [true; 2]);
    directory.alter(&second.header, Target::Manifest, &mut |bytes| bytes[9] ^= 1);
    let store = directory.open().expect("opens");
    assert_eq!(left(), [false; 2]);
    assert_same(&store.get(&second.header.hash()).expect("found"), &second);
}

#[test]
fn n156g_a_directory_of_another_format_is_refused() {
    let directory = Directory::new();
    let table = two_versions(4).0;
    directory.open().expect("opens").put(&table).expect("kept");
    let format = directory.path().join("format");
    assert_eq!(fs::read_to_string(&format).expect("read"), "1");
    fs::write(&format, "2").expect("written");
    assert!(matches!(directory.open().map(drop), Err(StoreError::Format { expected: 1, found: 2 })));
    for malformed in ["", "one", "-1", "1111111111111111111111111"] {
        fs::write(&format, malformed).expect("written");
        assert!(matches!(directory.open().map(drop), Err(StoreError::Malformed { what: "format file" })));
    }
    fs::remove_file(&format).expect("removed");
    let store = directory.open().expect("the release before the number");
    assert_same(&store.get(&table.header.hash()).expect("found"), &table);
    assert_eq!(fs::read_to_string(&format).expect("read"), "1");
}

#[test]
fn an_unfinished_version_leaves_no_file() {
    let directory = Directory::new();
    let store = DirectoryStore::open(directory.path()).expect("opens");
    let listed = || fs::read_dir(directory.path().join("new")).expect("listed").count();
    let writer = store.writer(two_versions(5).0.header.tier()).expect("begins");
    assert_eq!(listed(), 2);
    drop(writer);
    assert_eq!(listed(), 0);
}

#[test]
fn n156d_a_flipped_hint_is_no_hint() {
    let directory = Directory::new();
    let store = directory.open().expect("opens");
    store.set_head_hint(&ID, &[7; 32]).expect("kept");
    let hint =
        fs::read_dir(directory.path().join("heads")).expect("listed").next().expect("one").expect("entry").path();
    for at in 0..64 {
        let mut bytes = fs::read(&hint).expect("read");
        bytes[at] ^= 1;
        fs::write(&hint, &bytes).expect("written");
        assert!(matches!(store.head_hint(&ID), Err(StoreError::Malformed { what: "head hint" })));
        bytes[at] ^= 1;
        fs::write(&hint, &bytes).expect("written");
    }
    assert_eq!(store.head_hint(&ID).expect("read"), Some([7; 32]));
}
