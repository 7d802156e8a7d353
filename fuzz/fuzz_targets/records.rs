//! What stores keep beside a body: manifests in a directory, a journal and a bucket, hints, names, and sidecars. No input
//! makes a reader panic, and what is accepted is written back as it was.
//!
//! `cargo +nightly fuzz run records`
#![no_main]

use arbitrary::Arbitrary;
use ccc_core::{
    epoch::Epoch,
    keys::MasterPublicKey,
    table::{
        HEADER_LEN, Header, Part, SealedTable, Sidecar, StoreError, TableId, TableParams, TableSuite, Tier, genesis,
        header_hash,
    },
};
use curve25519_dalek::{RistrettoPoint, Scalar};
use libfuzzer_sys::fuzz_target;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use record::{HINT_LEN, Manifest, hash_of, hint_bytes, read_hint, table_name};
use std::sync::LazyLock;

#[allow(dead_code, reason = "the reader is driven")]
#[path = "../../crates/ccc-store/src/bucket/record.rs"]
mod bucket;
#[allow(dead_code, reason = "the reader is driven")]
#[path = "../../crates/ccc-store/src/directory/record.rs"]
mod directory;
#[path = "../../crates/ccc-store/src/journal/record.rs"]
mod journal;
#[allow(dead_code, reason = "a bucket's record counts pieces with it")]
#[path = "../../crates/ccc-store/src/pieces.rs"]
mod pieces;
#[path = "../../crates/ccc-store/src/record.rs"]
mod record;

const DIGEST_LEN: usize = 32;

static ID: TableId = TableId { chain: 1, contract: [1; 20], table: [2; 32] };
/// A first version.
static TABLE: LazyLock<SealedTable> = LazyLock::new(|| {
    let params = TableParams { id: ID, epoch: Epoch(7), tier: Tier::SMALLEST, suite: TableSuite::ChaCha20Poly1305 };
    let master = RistrettoPoint::mul_base(&Scalar::from(77u64)).compress();
    let master = MasterPublicKey::from_bytes(master.as_bytes()).expect("not the identity");
    genesis(&params, &master, &mut ChaCha20Rng::seed_from_u64(1)).expect("genesis").table
});

/// A record, or a true sidecar in which bytes stand from some place on.
#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Record(Record<'a>),
    Sidecar { at: u32, put: &'a [u8] },
}

/// Bytes as they are, or behind a true header in which one byte may be changed; with or without a digest that fits.
#[derive(Arbitrary, Debug)]
struct Record<'a> {
    headed: bool,
    change: Option<(u16, u8)>,
    length: Length,
    bytes: &'a [u8],
    digest: bool,
}

/// What the bytes are cut or filled to, without the digest.
#[derive(Arbitrary, Debug)]
enum Length {
    AsTheyAre,
    Manifest,
    Journal,
    Bucket,
}

impl Length {
    fn of(&self, bytes: &[u8]) -> usize {
        match self {
            Self::AsTheyAre => bytes.len(),
            Self::Manifest => Manifest::LEN,
            Self::Journal => Manifest::LEN + 8,
            Self::Bucket => bucket::Record::len(Tier::SMALLEST) - DIGEST_LEN,
        }
    }
}

impl Record<'_> {
    fn to_bytes(&self) -> Vec<u8> {
        let mut record = if self.headed { TABLE.header.to_bytes().to_vec() } else { Vec::new() };
        if let Some((at, mask)) = self.change
            && let Some(byte) = record.get_mut(usize::from(at) % HEADER_LEN)
        {
            *byte ^= mask;
        }
        record.extend_from_slice(self.bytes);
        record.resize(self.length.of(&record), 0);
        if self.digest {
            record.extend_from_slice(blake3::hash(&record).as_bytes());
        }
        record
    }
}

fuzz_target!(|input: Input| match input {
    Input::Record(record) => records(&record),
    Input::Sidecar { at, put } => {
        let mut bytes = TABLE.sidecar.clone();
        let at = at as usize % bytes.len();
        bytes[at..].iter_mut().zip(put).for_each(|(old, new)| *old = *new);
        sidecar(&bytes, &TABLE.header);
    }
});

fn records(input: &Record<'_>) {
    let record = input.to_bytes();
    let of_header = |bytes: &[u8]| bytes.first_chunk::<HEADER_LEN>().map_or([0; 32], |header| header_hash(header));
    // under the name of another version nothing is read; under its own, what is in form
    assert!(Manifest::read(&record, &[9; 32]).is_err());
    let hash = of_header(&record);
    manifest(&record, &hash);
    of_directory(&record, &hash);
    of_journal(&record, &hash);
    of_bucket(&record, &hash);
    hint(input.bytes);
    name(input.bytes);
}

/// A refusal that a damaged record gets, or one of a suite that is not built in: of this version, and of nothing else.
fn refused<T>(read: Result<T, StoreError>, hash: &[u8; 32]) -> Option<T> {
    match read {
        Ok(found) => Some(found),
        Err(StoreError::Corrupt { header_hash, part: "header" | "manifest" }) if header_hash == *hash => None,
        Err(StoreError::Suite { header_hash, .. }) if header_hash == *hash => None,
        Err(other) => panic!("{other}"),
    }
}

fn manifest(bytes: &[u8], hash: &[u8; 32]) {
    let Some((manifest, rest)) = refused(Manifest::read(bytes, hash), hash) else { return };
    assert_eq!(manifest.header.hash(), *hash);
    assert_eq!([&manifest.to_bytes(), rest].concat(), bytes);
}

fn of_directory(bytes: &[u8], hash: &[u8; 32]) {
    let Some(record) = refused(directory::Record::read(bytes, hash), hash) else { return };
    let written = if record.is_former() { record.manifest.to_bytes() } else { record.to_bytes() };
    assert_eq!(written, bytes);
    assert!(record.sidecars().contains(&record.sidecar()));
}

fn of_journal(bytes: &[u8], hash: &[u8; 32]) {
    let Some(record) = refused(journal::Record::read(bytes, hash), hash) else { return };
    assert_eq!(record.manifest.header.hash(), *hash);
    assert_eq!(record.to_bytes(), bytes);
}

/// A bucket's record names every piece of its tier.
fn of_bucket(bytes: &[u8], hash: &[u8; 32]) {
    let Some(record) = refused(bucket::Record::read(bytes, hash), hash) else { return };
    assert_eq!(record.to_bytes(), bytes);
    let tier = record.manifest.header.tier();
    assert_eq!((bucket::Record::len(tier), bucket::count(tier)), (bytes.len(), record.pieces.len()));
    for part in Part::ALL {
        let last = pieces::count(bucket::PIECE_LEN, part, tier) - 1;
        assert!(bucket::position(tier, part, last) < record.pieces.len());
    }
}

/// The bytes as they are, and with a digest that fits.
fn hint(bytes: &[u8]) {
    if let Ok(hash) = read_hint(bytes) {
        assert_eq!(hint_bytes(&hash)[..], *bytes);
    }
    let Some(hash) = bytes.first_chunk::<DIGEST_LEN>() else { return };
    let made = hint_bytes(hash);
    assert_eq!((made.len(), read_hint(&made).ok()), (HINT_LEN, Some(*hash)));
}

/// A name that stands for a hash is the one that the store gives it.
fn name(bytes: &[u8]) {
    let Ok(name) = std::str::from_utf8(bytes) else { return };
    if let Some(hash) = hash_of(name) {
        assert_eq!(hex::encode(hash), name);
    }
    assert_eq!(hash_of(&table_name(&ID)), None);
    let Some(hash) = bytes.first_chunk::<DIGEST_LEN>() else { return };
    assert_eq!(hash_of(&hex::encode(hash)), Some(*hash));
}

/// A sidecar that is read consists of what is read from it: nothing else stands in it.
fn sidecar(bytes: &[u8], header: &Header) {
    let Ok(sidecar) = Sidecar::parse(bytes, header) else { return };
    let (rows, levels) = (header.tier().rows(), header.tier().log2());
    let numbers = || (0..u32::MAX).take(rows);
    let paths: Vec<_> = numbers().map(|row| sidecar.path(row).expect("a row of the tier")).collect();
    let mut written = [&b"CCTS"[..], &1u16.to_be_bytes()[..], &header.hash()].concat();
    // the node k of a level is the sibling of its neighbour
    let level = |l: usize| (0..rows >> l).map(move |k| ((k ^ 1) << l, l));
    let nodes = (0..usize::from(levels)).flat_map(level).map(|(row, l)| paths[row][l]);
    nodes.for_each(|node| written.extend_from_slice(&node));
    numbers().for_each(|row| written.extend_from_slice(sidecar.entry(row).expect("a row of the tier")));
    assert!(written == bytes, "the sidecar holds more than is read from it");
    assert!(sidecar.path(rows as u32).is_none() && sidecar.entry(rows as u32).is_none());
    let _ = sidecar.open_entry(&[0; 32], 0);
}
