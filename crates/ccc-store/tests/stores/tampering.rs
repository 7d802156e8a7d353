//! Bytes changed behind a store's back: found, named, and never handed out.

use crate::{
    common::{ID, Versions, assert_same},
    media::{Damageable, Directory, Target},
};
use ccc_core::table::{HEADER_LEN, SEALED_CHUNK_LEN, SealedTable, StoreError, TableId, Tier};

/// First bytes of the header's fields (`docs/spec/table.md`, section *Header*) and of the digest behind them.
const FIELDS: [(&str, usize); 17] = [
    ("magic", 0),
    ("format", 4),
    ("suite", 6),
    ("chain", 8),
    ("contract", 16),
    ("table", 36),
    ("epoch", 68),
    ("version", 76),
    ("previous", 84),
    ("tier", 116),
    ("row size", 117),
    ("chunks", 119),
    ("body root", 123),
    ("key commitment", 155),
    ("state root", 187),
    ("wrapped data key", 219),
    ("sidecar digest", HEADER_LEN),
];

/// Changes a part, asserts that it is found and named, and puts the bytes back.
fn assert_found(
    medium: &impl Damageable,
    table: &SealedTable,
    target: Target,
    expected: &[&str],
    what: &str,
    change: impl Fn(&mut Vec<u8>),
) {
    let (header, hash) = (&table.header, table.header.hash());
    let (mut whole, mut shorter) = (vec![], false);
    medium.alter(header, target, &mut |bytes| {
        whole.clone_from(bytes);
        change(bytes);
        shorter = bytes.len() < whole.len();
        assert!(*bytes != whole, "{what}: nothing was changed");
    });
    let found = medium.open().and_then(|store| store.get(&hash)).map(drop);
    let named = match &found {
        Err(StoreError::Corrupt { header_hash, part }) => *header_hash == hash && expected.contains(part),
        // a piece that is gone altogether
        Err(StoreError::Missing { header_hash }) => *header_hash == hash && shorter,
        _ => false,
    };
    assert!(named, "{what}: {}", found.map_or_else(|error| error.to_string(), |()| "handed out".to_owned()));
    medium.alter(header, target, &mut |bytes| bytes.clone_from(&whole));
    assert_same(&medium.open().expect("opens").get(&hash).expect("whole again"), table);
}

fn kept(medium: &impl Damageable, id: TableId, tier: Tier, seed: u64) -> SealedTable {
    let table = Versions::of(id, tier, seed).next().expect("a version");
    medium.open().expect("opens").put(&table).expect("kept");
    table
}

fn flips_in_every_field(medium: &impl Damageable) {
    let table = kept(medium, ID, Tier::SMALLEST, 1);
    let ends = FIELDS.iter().skip(1).map(|(_, start)| *start).chain([HEADER_LEN + 32]);
    for ((field, start), end) in FIELDS.into_iter().zip(ends) {
        let expected: &[_] = if start < HEADER_LEN { &["header"] } else { &["sidecar", "manifest"] };
        for (at, bit) in [(start, 7), (usize::midpoint(start, end), 3), (end - 1, 0)] {
            let what = format!("{field}, byte {at}");
            assert_found(medium, &table, Target::Manifest, expected, &what, |bytes| bytes[at] ^= 1 << bit);
        }
    }
}

fn flips_in_every_chunk(medium: &impl Damageable) {
    let table = kept(medium, ID, Tier::new(12).expect("a tier"), 2);
    for chunk in 0..4 {
        for within in [0, 40_000, SEALED_CHUNK_LEN - 1] {
            let at = chunk * SEALED_CHUNK_LEN + within;
            let what = format!("chunk {chunk}, byte {within}");
            assert_found(medium, &table, Target::Body, &["body"], &what, |bytes| bytes[at] ^= 0x10);
        }
    }
    for at in (0..table.sidecar.len()).step_by(90_001).chain([table.sidecar.len() - 1]) {
        let what = format!("sidecar, byte {at}");
        assert_found(medium, &table, Target::Sidecar, &["sidecar"], &what, |bytes| bytes[at] ^= 0x01);
    }
}

fn moved_chunks(medium: &impl Damageable) {
    let table = kept(medium, ID, Tier::new(12).expect("a tier"), 3);
    let chunk = |index: usize| index * SEALED_CHUNK_LEN..(index + 1) * SEALED_CHUNK_LEN;
    let found = |what: &str, change: &dyn Fn(&mut Vec<u8>)| {
        assert_found(medium, &table, Target::Body, &["body"], what, change);
    };
    found("two chunks swapped", &|bytes| {
        let (low, high) = bytes.split_at_mut(SEALED_CHUNK_LEN);
        low.swap_with_slice(&mut high[SEALED_CHUNK_LEN..2 * SEALED_CHUNK_LEN]);
    });
    found("a chunk repeated", &|bytes| bytes.copy_within(chunk(1), 2 * SEALED_CHUNK_LEN));
    found("a chunk cut off", &|bytes| bytes.truncate(3 * SEALED_CHUNK_LEN));
    found("a byte cut off", &|bytes| _ = bytes.pop());
    found("a byte added", &|bytes| bytes.push(0));
    found("a chunk added", &|bytes| bytes.extend_from_within(chunk(0)));
    found("nothing left", &|bytes| bytes.clear());
    for target in [Target::Manifest, Target::Sidecar] {
        let parts = ["manifest", "header", "sidecar"];
        assert_found(medium, &table, target, &parts, "the last byte cut off", |bytes| _ = bytes.pop());
        assert_found(medium, &table, target, &parts, "a byte added", |bytes| bytes.push(0));
        assert_found(medium, &table, target, &parts, "nothing left", |bytes| bytes.clear());
    }
}

fn parts_of_another_version(medium: &impl Damageable) {
    let mut versions = Versions::new(4);
    let (old, new) = (versions.next().expect("a version"), versions.next().expect("a version"));
    let other = Versions::of(TableId { table: [1; 32], ..ID }, Tier::SMALLEST, 5).next().expect("a version");
    let store = medium.open().expect("opens");
    [&old, &new, &other].iter().for_each(|table| store.put(table).expect("kept"));
    drop(store);
    for (whose, from) in [("another table's", &other), ("the old version's", &old)] {
        let found = |target, expected: &str, name: &str| {
            let mut foreign = vec![];
            medium.alter(&from.header, target, &mut |bytes| foreign.clone_from(bytes));
            let what = format!("{whose} {name}");
            assert_found(medium, &new, target, &[expected], &what, |bytes| bytes.clone_from(&foreign));
        };
        found(Target::Manifest, "header", "manifest");
        found(Target::Body, "body", "body");
        found(Target::Sidecar, "sidecar", "sidecar");
    }
}

#[test]
fn n156d_flipped_bits_are_found_in_every_field() {
    flips_in_every_field(&Directory::new());
}

#[test]
fn n156d_flipped_bits_are_found_in_every_chunk() {
    flips_in_every_chunk(&Directory::new());
}

#[test]
fn n156d_chunks_swapped_repeated_or_cut_off_are_found() {
    moved_chunks(&Directory::new());
}

#[test]
fn n122_n156d_parts_of_another_table_or_an_older_version_are_found() {
    parts_of_another_version(&Directory::new());
}

#[cfg(feature = "redb")]
mod journal {
    use super::*;
    use crate::media::Journal;

    #[test]
    fn n156d_a_journal_finds_flipped_bits_in_every_field() {
        flips_in_every_field(&Journal::new());
    }

    #[test]
    fn n156d_a_journal_finds_flipped_bits_in_every_chunk() {
        flips_in_every_chunk(&Journal::new());
    }

    #[test]
    fn n156d_a_journal_finds_chunks_swapped_repeated_or_cut_off() {
        moved_chunks(&Journal::new());
    }

    #[test]
    fn n122_n156d_a_journal_finds_parts_of_another_table_or_an_older_version() {
        parts_of_another_version(&Journal::new());
    }
}

#[cfg(feature = "object-store-local")]
mod bucket {
    use super::*;
    use crate::objects::Bucket;

    #[test]
    fn n156d_a_bucket_finds_flipped_bits_in_every_field() {
        flips_in_every_field(&Bucket::new());
    }

    #[test]
    fn n156d_a_bucket_finds_flipped_bits_in_every_chunk() {
        flips_in_every_chunk(&Bucket::new());
    }

    #[test]
    fn n156d_a_bucket_finds_chunks_swapped_repeated_or_cut_off() {
        moved_chunks(&Bucket::new());
    }

    #[test]
    fn n122_n156d_a_bucket_finds_parts_of_another_table_or_an_older_version() {
        parts_of_another_version(&Bucket::new());
    }
}
