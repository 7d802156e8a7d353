//! The directory store on a real file system: what is kept, what is refused.

mod common;

use ccc_core::table::{RollbackError, StoreError, TableStore, check_current};
use ccc_store::{DirectoryStore, MemoryStore};
use common::{ID, Versions, assert_same};
use std::{fs, path::Path};

fn round_trip(store: &impl TableStore) {
    let versions: Vec<_> = Versions::new(1).take(2).collect();
    for table in &versions {
        let hash = table.header.hash();
        assert!(matches!(store.get(&hash), Err(StoreError::Missing { header_hash }) if header_hash == hash));
        store.put(table).expect("kept");
        store.put(table).expect("kept once");
        assert_same(&store.get(&hash).expect("found"), table);
        store.set_head_hint(&ID, &hash).expect("kept");
        assert_eq!(store.head_hint(&ID).expect("read"), Some(hash));
    }
    let first = versions[0].header.hash();
    store.remove(&first).expect("removed");
    store.remove(&first).expect("absent already");
    assert!(matches!(store.get(&first), Err(StoreError::Missing { .. })));
    assert!(store.get(&versions[1].header.hash()).is_ok());
}

#[test]
fn versions_return_as_they_were_kept() {
    let dir = tempfile::tempdir().expect("directory");
    round_trip(&DirectoryStore::open(dir.path()).expect("opens"));
    round_trip(&MemoryStore::new());
}

#[test]
fn versions_survive_reopening() {
    let dir = tempfile::tempdir().expect("directory");
    let table = Versions::new(2).next().expect("a version");
    DirectoryStore::open(dir.path()).expect("opens").put(&table).expect("kept");
    let store = DirectoryStore::open(dir.path()).expect("opens");
    assert_eq!(store.versions().expect("listed"), [table.header.hash()]);
    assert_same(&store.get(&table.header.hash()).expect("found"), &table);
    assert_eq!(store.head_hint(&ID).expect("read"), None);
}

#[test]
fn n156e_a_second_opener_is_refused() {
    let dir = tempfile::tempdir().expect("directory");
    let store = DirectoryStore::open(dir.path()).expect("opens");
    assert!(matches!(DirectoryStore::open(dir.path()), Err(StoreError::Locked)));
    drop(store);
    assert!(DirectoryStore::open(dir.path()).is_ok());
}

#[test]
fn n134_a_lost_body_is_missing_and_never_empty() {
    let dir = tempfile::tempdir().expect("directory");
    let store = DirectoryStore::open(dir.path()).expect("opens");
    let table = Versions::new(3).next().expect("a version");
    store.put(&table).expect("kept");
    let body = dir.path().join("bodies").join(hex::encode(table.header.body_root()));
    fs::remove_file(body).expect("removed");
    let hash = table.header.hash();
    assert!(matches!(store.get(&hash), Err(StoreError::Missing { header_hash }) if header_hash == hash));
    store.put(&table).expect("restored");
    assert_same(&store.get(&hash).expect("found"), &table);
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).expect("read");
    bytes[at] ^= 1;
    fs::write(path, bytes).expect("written");
}

#[test]
fn n156d_flipped_bits_are_found() {
    let dir = tempfile::tempdir().expect("directory");
    let store = DirectoryStore::open(dir.path()).expect("opens");
    let table = Versions::new(4).next().expect("a version");
    let hash = table.header.hash();
    store.put(&table).expect("kept");
    store.set_head_hint(&ID, &hash).expect("kept");
    let file = |part: &str, name: &[u8]| dir.path().join(part).join(hex::encode(name));
    let places = [
        (file("versions", &hash), 3, "header"),
        (file("versions", &hash), 440, "sidecar"),
        (file("bodies", &table.header.body_root()), 40_000, "body"),
        (file("sidecars", &hash), 150_000, "sidecar"),
    ];
    for (path, at, expected) in places {
        flip(&path, at);
        assert!(matches!(store.get(&hash), Err(StoreError::Corrupt { part, .. }) if part == expected), "{expected}");
        flip(&path, at);
        let whole = fs::read(&path).expect("read");
        fs::write(&path, &whole[..whole.len() - 1]).expect("written");
        assert!(matches!(store.get(&hash), Err(StoreError::Corrupt { .. })));
        fs::write(&path, [&whole[..], &[0]].concat()).expect("written");
        assert!(matches!(store.get(&hash), Err(StoreError::Corrupt { .. })));
        fs::write(&path, whole).expect("written");
    }
    let heads: Vec<_> = fs::read_dir(dir.path().join("heads")).expect("listed").collect();
    flip(&heads[0].as_ref().expect("entry").path(), 0);
    assert!(matches!(store.head_hint(&ID), Err(StoreError::Malformed { what: "head hint" })));
}

#[test]
fn n156f_a_restored_old_copy_is_a_rollback_against_the_chain() {
    let (dir, copy) = (tempfile::tempdir().expect("directory"), tempfile::tempdir().expect("directory"));
    let mut versions = Versions::new(5);
    let (old, new) = (versions.next().expect("a version"), versions.next().expect("a version"));
    {
        let store = DirectoryStore::open(copy.path()).expect("opens");
        store.put(&old).expect("kept");
        store.set_head_hint(&ID, &old.header.hash()).expect("kept");
    }
    DirectoryStore::open(dir.path()).expect("opens").put(&new).expect("kept");
    let restored = DirectoryStore::open(copy.path()).expect("opens");
    let chain = new.header.head();
    assert!(matches!(restored.get(&chain.hash), Err(StoreError::Missing { .. })));
    let hint = restored.head_hint(&ID).expect("read").expect("kept");
    let stale = restored.get(&hint).expect("found").header;
    let rollback = RollbackError { expected: chain, found: old.header.head() };
    assert_eq!(check_current(&stale, chain.hash, chain.version), Err(rollback));
}
