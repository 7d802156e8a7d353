//! What the directory store does with files that are not as it left them.

use crate::{
    common::{ID, Versions, assert_same, two_versions},
    media::{Damageable, Directory, Medium, Target},
};
#[cfg(not(feature = "suite-aes-gcm"))]
use ccc_core::table::{HEADER_LEN, header_hash};
use ccc_core::table::{StoreError, TableStore};
use ccc_store::DirectoryStore;
use std::fs;
#[cfg(unix)]
use std::{process::Command, sync::mpsc, thread, time::Duration};

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
    let files = [Target::Body, Target::Sidecar].map(|part| directory.file(&first.header, part));
    let left = || files.each_ref().map(|file| file.exists());
    // a cut behind the removal of the manifest
    fs::remove_file(directory.file(&first.header, Target::Manifest)).expect("removed");
    directory.alter(&second.header, Target::Manifest, &mut |bytes| bytes[9] ^= 1);
    drop(directory.open().expect("opens"));
    assert_eq!(left(), [true; 2]);
    directory.alter(&second.header, Target::Manifest, &mut |bytes| bytes[9] ^= 1);
    let store = directory.open().expect("opens");
    assert_eq!(left(), [false; 2]);
    assert_same(&store.get(&second.header.hash()).expect("found"), &second);
}

/// A hash in other letters names nothing: neither a version nor what no version names.
#[test]
fn a_file_under_a_name_that_the_store_does_not_give_is_left_alone() {
    let directory = Directory::new();
    let table = two_versions(8).0;
    directory.open().expect("opens").put(&table).expect("kept");
    let stray = ["versions", "bodies", "sidecars"].map(|part| directory.path().join(part).join("AB".repeat(32)));
    stray.iter().for_each(|file| fs::write(file, b"stray").expect("written"));
    let store = directory.open().expect("opens");
    assert_eq!(store.versions().expect("listed"), [table.header.hash()]);
    assert_same(&store.get(&table.header.hash()).expect("found"), &table);
    assert!(stray.iter().all(|file| file.exists()));
}

#[test]
fn n156g_a_directory_of_another_format_is_refused() {
    let directory = Directory::new();
    let table = two_versions(4).0;
    directory.open().expect("opens").put(&table).expect("kept");
    let format = directory.path().join("format");
    assert_eq!(fs::read_to_string(&format).expect("read"), "2");
    for another in [0, 3] {
        fs::write(&format, another.to_string()).expect("written");
        let refused = directory.open().map(drop);
        assert!(matches!(refused, Err(StoreError::Format { expected: 2, found }) if found == another));
    }
    for malformed in ["", "one", "-1", "1111111111111111111111111"] {
        fs::write(&format, malformed).expect("written");
        assert!(matches!(directory.open().map(drop), Err(StoreError::Malformed { what: "format file" })));
    }
}

#[test]
fn n156g_a_directory_of_an_older_format_is_read_and_marked() {
    let directory = Directory::new();
    let (table, second) = two_versions(4);
    directory.open().expect("opens").put(&table).expect("kept");
    let former = directory.path().join("sidecars").join(hex::encode(table.header.hash()));
    fs::rename(directory.file(&table.header, Target::Sidecar), &former).expect("renamed");
    directory.alter(&table.header, Target::Manifest, &mut |bytes| bytes.truncate(467));
    let format = directory.path().join("format");
    for older in [None, Some("1")] {
        match older {
            None => fs::remove_file(&format).expect("removed"),
            Some(number) => fs::write(&format, number).expect("written"),
        }
        let store = directory.open().expect("an older format");
        assert_same(&store.get(&table.header.hash()).expect("found"), &table);
        assert_eq!(fs::read_to_string(&format).expect("read"), "2");
    }
    let store = directory.open().expect("opens");
    let mut bent = table.clone();
    *bent.sidecar.last_mut().expect("an entry") ^= 1;
    store.put(&bent).expect("replaced");
    assert!(!former.exists());
    assert_same(&store.get(&table.header.hash()).expect("found"), &bent);
    store.put(&second).expect("kept");
    store.remove(&table.header.hash()).expect("removed");
    assert_eq!(fs::read_dir(directory.path().join("sidecars")).expect("listed").count(), 1);
}

#[test]
fn n156d_a_manifest_cut_to_the_length_of_the_older_format_is_refused() {
    let directory = Directory::new();
    let (table, _) = two_versions(6);
    directory.open().expect("opens").put(&table).expect("kept");
    directory.alter(&table.header, Target::Manifest, &mut |bytes| bytes.truncate(467));
    let store = directory.open().expect("opens");
    let hash = table.header.hash();
    let refused = |found: Result<(), StoreError>| matches!(found, Err(StoreError::Corrupt { header_hash, part: "manifest" }) if header_hash == hash);
    assert!(refused(store.header(&hash).map(drop)));
    assert!(refused(store.get(&hash).map(drop)));
    // nothing of it is swept, and a copy that is whole mends it
    assert!(directory.file(&table.header, Target::Sidecar).exists());
    store.put(&table).expect("kept again");
    assert_same(&store.get(&hash).expect("found"), &table);
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

/// A version of a build with another cipher is whole, and is not called altered.
#[cfg(not(feature = "suite-aes-gcm"))]
#[test]
fn a_suite_that_is_not_built_in_is_told_as_that() {
    let directory = Directory::new();
    let table = Versions::new(8).next().expect("a version");
    let store = directory.open().expect("opens");
    store.put(&table).expect("kept");
    let mut manifest = fs::read(directory.file(&table.header, Target::Manifest)).expect("read");
    manifest[7] = 2;
    let hash = header_hash(&manifest[..HEADER_LEN]);
    let digest = blake3::hash(&manifest[..HEADER_LEN + 32]);
    manifest[HEADER_LEN + 32..].copy_from_slice(digest.as_bytes());
    fs::write(directory.path().join("versions").join(hex::encode(hash)), manifest).expect("written");
    let refused = store.header(&hash);
    assert!(matches!(refused, Err(StoreError::Suite { header_hash, found: 2 }) if header_hash == hash));
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_part_is_not_waited_for() {
    let directory = Directory::new();
    let table = Versions::new(9).next().expect("a version");
    directory.open().expect("opens").put(&table).expect("kept");
    for target in [Target::Body, Target::Sidecar, Target::Manifest] {
        let path = directory.file(&table.header, target);
        let bytes = fs::read(&path).expect("read");
        fs::remove_file(&path).expect("removed");
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
        let (told, heard) = mpsc::channel();
        let (root, hash) = (directory.path().to_owned(), table.header.hash());
        thread::spawn(move || {
            let store = DirectoryStore::open_to_read(root).expect("opens");
            told.send(matches!(store.reader(&hash).err(), Some(StoreError::Medium { .. })))
        });
        assert_eq!(heard.recv_timeout(Duration::from_secs(20)), Ok(true));
        fs::remove_file(&path).expect("removed");
        fs::write(&path, bytes).expect("written");
    }
}
