//! What every store does, whatever it lies on.

use crate::{
    common::{ID, Versions, assert_same, twin, two_versions},
    media::{Directory, Medium, Memory},
    streaming::streams,
};
use ccc_core::table::{
    Header, Part, RollbackError, SEALED_CHUNK_LEN, SealedTable, StoreError, TableId, TableStore, VersionWriter,
    check_current, check_version,
};
use ccc_store::{Confirmation, Keep, MemoryStore, collect, restore};
use std::num::NonZeroU32;

const ANOTHER: TableId = TableId { chain: 1, ..ID };

fn keeps_and_forgets(medium: &impl Medium) {
    let store = medium.open().expect("opens");
    let versions: Vec<_> = Versions::new(1).take(2).collect();
    for table in &versions {
        let hash = table.header.hash();
        let absent = |error| matches!(error, StoreError::Missing { header_hash } if header_hash == hash);
        assert!(store.get(&hash).is_err_and(absent));
        assert!(store.reader(&hash).map(drop).is_err_and(absent));
        assert!(store.header(&hash).map(drop).is_err_and(absent));
        store.put(table).expect("kept");
        store.put(table).expect("kept once");
        assert_same(&store.get(&hash).expect("found"), table);
        assert_eq!(store.header(&hash).expect("found").to_bytes(), table.header.to_bytes());
        assert_eq!(store.head_hint(&ANOTHER).expect("read"), None);
        store.set_head_hint(&ID, &hash).expect("kept");
        assert_eq!(store.head_hint(&ID).expect("read"), Some(hash));
    }
    let (first, second) = (versions[0].header.hash(), versions[1].header.hash());
    let mut listed = store.versions().expect("listed");
    listed.sort_unstable();
    let mut expected = [first, second];
    expected.sort_unstable();
    assert_eq!(listed, expected);
    store.remove(&first).expect("removed");
    store.remove(&first).expect("absent already");
    assert!(matches!(store.get(&first), Err(StoreError::Missing { .. })));
    assert!(store.get(&second).is_ok());
    assert_eq!(store.versions().expect("listed"), [second]);
    store.put(&versions[0]).expect("kept again");
    assert_same(&store.get(&first).expect("found"), &versions[0]);
}

fn lasts(medium: &impl Medium) {
    let table = Versions::new(2).next().expect("a version");
    let hash = table.header.hash();
    medium.open().expect("opens").put(&table).expect("kept");
    {
        let store = medium.open().expect("opens");
        assert_eq!(store.versions().expect("listed"), [hash]);
        assert_same(&store.get(&hash).expect("found"), &table);
        assert_eq!(store.head_hint(&ID).expect("read"), None);
        store.set_head_hint(&ID, &hash).expect("kept");
    }
    assert_eq!(medium.open().expect("opens").head_hint(&ID).expect("read"), Some(hash));
}

/// Writes in pieces of `step` bytes, backwards.
fn write_backwards(writer: &mut dyn VersionWriter, part: Part, bytes: &[u8], step: usize) {
    let starts: Vec<_> = (0..bytes.len()).step_by(step).collect();
    for start in starts.into_iter().rev() {
        let piece = &bytes[start..bytes.len().min(start + step)];
        writer.write_at(part, start as u64, piece).expect("written");
    }
}

fn reads_and_writes_in_pieces(medium: &impl Medium) {
    let store = medium.open().expect("opens");
    let table = Versions::new(3).next().expect("a version");
    let SealedTable { header, body, sidecar } = &table;
    let mut writer = store.writer(header.tier()).expect("begins");
    write_backwards(&mut *writer, Part::Sidecar, sidecar, 7_001);
    write_backwards(&mut *writer, Part::Body, body, SEALED_CHUNK_LEN);
    assert!(matches!(store.get(&header.hash()), Err(StoreError::Missing { .. })), "not before it is committed");
    writer.commit(header).expect("kept");
    assert_same(&store.get(&header.hash()).expect("found"), &table);
    let reader = store.reader(&header.hash()).expect("found");
    check_version(&*reader).expect("as it was written");
    for (part, bytes) in [(Part::Body, body), (Part::Sidecar, sidecar)] {
        for (at, len) in [(0, 0), (0, 1), (61_439, 2), (30_000, 35_000), (bytes.len() - 5, 5), (bytes.len(), 0)] {
            let mut found = vec![0; len];
            reader.read_at(part, at as u64, &mut found).expect("inside");
            assert!(found == bytes[at..at + len]);
        }
        for (offset, len) in [(bytes.len() as u64 - 4, 5), (bytes.len() as u64 + 1, 0), (u64::MAX, 2)] {
            let outside = reader.read_at(part, offset, &mut vec![0; len]);
            let refused = |e| matches!(e, StoreError::Range { part: p, offset: o, .. } if p == part && o == offset);
            assert!(outside.is_err_and(refused));
        }
    }
}

fn refuses_what_is_not_whole(medium: &impl Medium) {
    let store = medium.open().expect("opens");
    let (first, second) = two_versions(4);
    store.put(&first).expect("kept");
    let SealedTable { header, body, sidecar } = &second;
    let write = |body: &[u8], sidecar: &[u8]| {
        let mut writer = store.writer(header.tier())?;
        writer.write_at(Part::Body, 0, body)?;
        writer.write_at(Part::Sidecar, 0, sidecar)?;
        writer.commit(header)
    };
    let lacking = |part, missing: u64| move |error| matches!(error, StoreError::Incomplete { part: p, expected, found } if p == part && expected - found == missing);
    assert!(write(&body[..body.len() - 1], sidecar).is_err_and(lacking(Part::Body, 1)));
    assert!(write(body, &sidecar[..7]).is_err_and(lacking(Part::Sidecar, sidecar.len() as u64 - 7)));
    let foreign = write(&first.body, sidecar);
    assert!(matches!(foreign, Err(StoreError::Corrupt { header_hash, part: "body" }) if header_hash == header.hash()));
    let long = write(&[&body[..], &[0]].concat(), sidecar);
    assert!(matches!(long, Err(StoreError::Range { part: Part::Body, .. })));
    assert!(matches!(store.get(&header.hash()), Err(StoreError::Missing { .. })));
    assert_eq!(store.versions().expect("listed"), [first.header.hash()]);
    assert_same(&store.get(&first.header.hash()).expect("found"), &first);
    write(body, sidecar).expect("kept");
    assert_same(&store.get(&header.hash()).expect("found"), &second);
}

fn write(store: &dyn TableStore, header: &Header, parts: &[(Part, u64, &[u8])]) -> Result<(), StoreError> {
    let mut writer = store.writer(header.tier())?;
    parts.iter().try_for_each(|(part, offset, bytes)| writer.write_at(*part, *offset, bytes))?;
    writer.commit(header)
}

/// Another tree is refused; entries that only an owner could refuse never take the place of those that are kept, unless
/// they are put.
fn keeps_the_sidecar_that_was_put(medium: &impl Medium) {
    let store = medium.open().expect("opens");
    let table = Versions::new(7).next().expect("a version");
    let header = &table.header;
    for at in [0, 38, 38 + 32 * 1_024, 38 + 32 * 2_045] {
        let mut bent = table.clone();
        bent.sidecar[at] ^= 1;
        let refused = store.put(&bent);
        assert!(
            matches!(refused, Err(StoreError::Sidecar { header_hash, .. }) if header_hash == header.hash()),
            "{at}"
        );
    }
    assert!(store.versions().expect("listed").is_empty());
    let liar = MemoryStore::new();
    let mut garbage = table.clone();
    *garbage.sidecar.last_mut().expect("an entry") ^= 1;
    liar.put(&garbage).expect("only an owner can tell");
    store.put(&table).expect("kept");
    restore(&*store, &liar, &header.hash()).expect("there already");
    assert_same(&store.get(&header.hash()).expect("found"), &table);
    store.remove(&header.hash()).expect("removed");
    restore(&*store, &liar, &header.hash()).expect("restored");
    assert_same(&store.get(&header.hash()).expect("found"), &garbage);
    store.put(&table).expect("replaced");
    assert_same(&store.get(&header.hash()).expect("found"), &table);
}

/// A range written twice does not stand for one that was not.
fn finds_a_hole(medium: &impl Medium) {
    let store = medium.open().expect("opens");
    let SealedTable { header, body, sidecar } = Versions::new(8).next().expect("a version");
    let (most, last) = sidecar.split_at(sidecar.len() - 112);
    let at = sidecar.len() as u64 - 224;
    let parts = [(Part::Body, 0, &body[..]), (Part::Sidecar, 0, most), (Part::Sidecar, at, &most[most.len() - 112..])];
    let holed = write(&*store, &header, &parts);
    assert!(
        matches!(holed, Err(StoreError::Incomplete { part: Part::Sidecar, expected, found }) if expected - found == last.len() as u64)
    );
}

/// A version below the head that shares its body goes, and the body stays.
fn keeps_what_another_version_shares(medium: &impl Medium) {
    let store = medium.open().expect("opens");
    let history: Vec<_> = Versions::new(6).take(4).collect();
    let forged = twin(&history[3], 2);
    history.iter().chain([&forged]).for_each(|table| store.put(table).expect("kept"));
    let head = history[3].header.head();
    let collection = collect(&*store, &ID, head, Keep { ancestors: NonZeroU32::MIN }).expect("planned");
    assert!(collection.removals().contains(&forged.header.head()));
    collection.carry_out(Confirmation { head, removals: 3 }).expect("carried out");
    assert!(matches!(store.get(&forged.header.hash()), Err(StoreError::Missing { .. })));
    history[2..].iter().for_each(|table| assert_same(&store.get(&table.header.hash()).expect("found"), table));
    store.remove(&head.hash).expect("removed");
    assert!(matches!(store.get(&head.hash), Err(StoreError::Missing { .. })));
    assert_same(&store.get(&history[2].header.hash()).expect("found"), &history[2]);
}

fn keeps_one_opener(medium: &impl Medium) {
    let store = medium.open().expect("opens");
    let second = medium.open().map(drop);
    assert_eq!(matches!(second, Err(StoreError::Locked)), medium.is_exclusive());
    drop(store);
    assert!(medium.open().is_ok());
}

/// A copy made at the first version and restored when the chain has the second.
fn an_old_copy_is_found_out(medium: &impl Medium) {
    let (old, new) = two_versions(5);
    let restored = medium.open().expect("opens");
    restored.put(&old).expect("kept");
    restored.set_head_hint(&ID, &old.header.hash()).expect("kept");
    let chain = new.header.head();
    assert!(matches!(restored.get(&chain.hash), Err(StoreError::Missing { .. })));
    let hint = restored.head_hint(&ID).expect("read").expect("kept");
    let stale = restored.get(&hint).expect("found").header;
    let rollback = RollbackError { expected: chain, found: old.header.head() };
    assert_eq!(check_current(&stale, chain.hash, chain.version), Err(rollback));
}

fn conforms<M: Medium>(new: impl Fn() -> M) {
    keeps_and_forgets(&new());
    reads_and_writes_in_pieces(&new());
    refuses_what_is_not_whole(&new());
    keeps_what_another_version_shares(&new());
    keeps_the_sidecar_that_was_put(&new());
    finds_a_hole(&new());
    an_old_copy_is_found_out(&new());
    streams(&new());
    if new().is_lasting() {
        lasts(&new());
    }
}

#[test]
fn the_directory_conforms() {
    conforms(Directory::new);
}

#[test]
fn the_memory_conforms() {
    conforms(|| Memory);
}

#[test]
fn n156e_a_second_opener_is_refused() {
    keeps_one_opener(&Directory::new());
}

#[test]
fn n156f_a_restored_old_copy_is_a_rollback_against_the_chain() {
    an_old_copy_is_found_out(&Directory::new());
}

#[cfg(feature = "redb")]
mod journal {
    use super::*;
    use crate::media::Journal;

    #[test]
    fn the_journal_conforms() {
        conforms(Journal::new);
    }

    #[test]
    fn n156e_a_second_opener_of_a_journal_is_refused() {
        keeps_one_opener(&Journal::new());
    }

    #[test]
    fn the_journal_writes_one_version_at_a_time() {
        let journal = Journal::new();
        let store = journal.open().expect("opens");
        let (first, second) = two_versions(6);
        let writer = store.writer(first.header.tier()).expect("begins");
        assert!(matches!(store.put(&second), Err(StoreError::Busy)));
        assert!(matches!(store.set_head_hint(&ID, &[1; 32]), Err(StoreError::Busy)));
        drop(writer);
        store.put(&second).expect("kept");
    }
}

#[cfg(feature = "object-store-local")]
mod bucket {
    use super::*;
    use crate::objects::{Bucket, SimulatedObjects};

    #[test]
    fn the_bucket_conforms() {
        conforms(Bucket::new);
        conforms(SimulatedObjects::default);
    }

    #[test]
    fn a_bucket_has_many_openers_and_needs_no_lock() {
        let bucket = Bucket::new();
        let (first, second) = two_versions(7);
        let (one, other) = (bucket.open().expect("opens"), bucket.open().expect("opens"));
        let mut begun = one.writer(first.header.tier()).expect("begins");
        begun.write_at(Part::Body, 0, &first.body).expect("written");
        other.put(&first).expect("kept by another");
        other.put(&second).expect("kept by another");
        begun.write_at(Part::Sidecar, 0, &first.sidecar).expect("written");
        begun.commit(&first.header).expect("kept twice is kept once");
        for store in [one, other] {
            [&first, &second].iter().for_each(|table| {
                assert_same(&store.get(&table.header.hash()).expect("found"), table);
            });
        }
    }

    /// Waiting for a request inside of somebody's runtime is no panic.
    #[test]
    fn a_bucket_works_inside_of_a_runtime() {
        let table = two_versions(8).0;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("built");
        runtime.block_on(async {
            let bucket = Bucket::new();
            let store = bucket.open().expect("opens");
            store.put(&table).expect("kept");
            assert_same(&store.get(&table.header.hash()).expect("found"), &table);
        });
    }
}
