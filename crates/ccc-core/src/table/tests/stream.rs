//! A sealed table that streams gives the bytes of one that is held open.

use super::super::{
    BoundaryOperation, DataKey, Delta, FileSink, FileSource, Header, Outputs, Progress, ResultCode, Round, SealedBody,
    SealedTable, SliceSink, Stage, StreamError, Streamed, StructuralError, TableParams, Tier, Updated, body_len,
    chunks::{ChunkSource, MediumError},
    genesis, genesis_to, sidecar_len,
};
use super::{ASSETS, EPOCH, delta, deposit, first, funded, master, params, rng, twin};
use crate::epoch::Epoch;
use std::io::Cursor;

fn round<'a>(boundary: &'a [BoundaryOperation], deltas: &'a [Delta], k: usize) -> Round<'a> {
    Round { boundary, deltas, k, assets: &ASSETS, epoch: EPOCH }
}

/// The next version, from memory to memory.
fn streamed(from: &SealedTable, key: &DataKey, round: &Round<'_>, seed: u64) -> (Streamed, SealedTable) {
    let tier = from.header.tier();
    let (mut body, mut sidecar) = (vec![0; body_len(tier)], vec![0; sidecar_len(tier)]);
    let outputs =
        Outputs { body: &mut SliceSink(&mut body), sidecar: &mut SliceSink(&mut sidecar), progress: &mut |_| () };
    let sealed = SealedBody { header: &from.header, key, body: &mut &from.body[..] };
    let made = sealed.update(round, &master(), outputs, &mut rng(seed)).expect("streams");
    let table = SealedTable { header: made.header.clone(), body, sidecar };
    (made, table)
}

fn assert_same(streamed: &SealedTable, open: &SealedTable, context: &str) {
    assert_eq!(streamed.header.to_bytes(), open.header.to_bytes(), "{context}");
    assert!(streamed.body == open.body, "{context}: bodies differ");
    assert!(streamed.sidecar == open.sidecar, "{context}: sidecars differ");
}

#[test]
fn streaming_gives_the_bytes_of_the_open_table() {
    let mut rng = rng(31);
    let mut current = first(5);
    let mut codes = std::collections::BTreeSet::new();
    for number in 0..60 {
        let boundary = twin::some_operations(&mut rng);
        let deltas = twin::some_deltas(&mut rng);
        let k = [16, 64, 256][number % 3];
        let key = current.rows.key.duplicate();
        let (made, table) = streamed(&current.table, &key, &round(&boundary, &deltas, k), number as u64);
        let twin =
            current.rows.update(&boundary, &deltas, k, &ASSETS, EPOCH, &master(), &mut super::rng(number as u64));
        current = twin.expect("updates");
        assert_same(&table, &current.table, &format!("round {number}: {boundary:?} {deltas:?}"));
        assert_eq!((made.code, &made.boundary), (current.code, &current.boundary), "round {number}");
        codes.extend(made.boundary.iter().map(|result| result.err().unwrap_or(ResultCode::Done)).chain([made.code]));
    }
    assert!(codes.len() > 4, "refusals occur: {codes:?}");
}

#[test]
fn a_new_epoch_and_growth_stream_like_the_open_table() {
    let before = funded();
    let key = before.rows.key.duplicate();
    let later = Round { epoch: Epoch(EPOCH.0 + 1), ..round(&[], &[], 16) };
    let (_, table) = streamed(&before.table, &key, &later, 8);
    let twin = before.rows.update(&[], &[], 16, &ASSETS, later.epoch, &master(), &mut rng(8)).expect("updates");
    assert_same(&table, &twin.table, "epoch");

    let (key, tier) = (twin.rows.key.duplicate(), Tier::new(12).expect("a tier"));
    let (mut body, mut sidecar) = (Cursor::new(vec![]), Cursor::new(vec![]));
    let mut source = FileSource::new(Cursor::new(twin.table.body.clone()));
    let sealed = SealedBody { header: &twin.table.header, key: &key, body: &mut source };
    let mut stages = vec![];
    let outputs = Outputs {
        body: &mut FileSink::new(&mut body),
        sidecar: &mut FileSink::new(&mut sidecar),
        progress: &mut |progress: Progress| stages.push((progress.stage, progress.done, progress.of)),
    };
    let made = sealed.grow(16, later.epoch, &master(), outputs, &mut rng(9)).expect("grows");
    let grown = twin.rows.grow(16, later.epoch, &master(), &mut rng(9)).expect("grows");
    let table = SealedTable { header: made.header, body: body.into_inner(), sidecar: sidecar.into_inner() };
    assert_same(&table, &grown.table, "growth");
    assert_eq!(table.header.tier(), tier);
    assert_eq!(stages, [(Stage::Find, 1, 1), (Stage::Seal, 4, 4), (Stage::Entries, 4, 4)]);
}

#[test]
fn genesis_streams_like_the_open_table() {
    for tier in [Tier::SMALLEST, Tier::new(14).expect("a tier")] {
        let params = TableParams { tier, ..params() };
        let (mut body, mut sidecar) = (vec![0; body_len(tier)], vec![0; sidecar_len(tier)]);
        let outputs =
            Outputs { body: &mut SliceSink(&mut body), sidecar: &mut SliceSink(&mut sidecar), progress: &mut |_| () };
        let header = genesis_to(&params, &master(), outputs, &mut rng(3)).expect("genesis").header;
        let twin = genesis(&params, &master(), &mut rng(3)).expect("genesis");
        assert_same(&SealedTable { header, body, sidecar }, &twin.table, "genesis");
    }
}

/// What an update of an altered body ends with, from memory and from a file.
fn refusals(table: &SealedTable, key: &DataKey, body: &[u8]) -> [StructuralError; 2] {
    let from = |source: &mut dyn FnMut() -> StreamError| match source() {
        StreamError::Structural(error) => error,
        StreamError::Medium(error) => panic!("{error}"),
    };
    let (round, header) = (round(&[], &[], 16), &table.header);
    let tier = header.tier();
    let update = |source: &mut dyn Source| {
        let (mut body, mut sidecar) = (vec![0; body_len(tier)], vec![0; sidecar_len(tier)]);
        let outputs =
            Outputs { body: &mut SliceSink(&mut body), sidecar: &mut SliceSink(&mut sidecar), progress: &mut |_| () };
        let sealed = SealedBody { header, key, body: &mut Boxed(source) };
        sealed.update(&round, &master(), outputs, &mut rng(1)).expect_err("refused")
    };
    [from(&mut || update(&mut &body[..])), from(&mut || update(&mut FileSource::new(Cursor::new(body))))]
}

trait Source: ChunkSource {}
impl<T: ChunkSource> Source for T {}
struct Boxed<'a>(&'a mut dyn Source);

impl ChunkSource for Boxed<'_> {
    fn len(&mut self) -> Result<u64, MediumError> {
        self.0.len()
    }

    fn is_fixed(&self) -> bool {
        self.0.is_fixed()
    }

    fn load(&mut self, first: u32, count: u32) -> Result<&[u8], MediumError> {
        self.0.load(first, count)
    }
}

fn two_chunks_and_more() -> (SealedTable, DataKey) {
    let Updated { table, rows, .. } = funded().rows.grow(16, EPOCH, &master(), &mut rng(4)).expect("grows");
    (table, rows.key)
}

#[test]
fn structural_checks_stand_in_the_same_order_as_for_an_open_table() {
    let (table, key) = two_chunks_and_more();
    let altered = |at: usize| {
        let mut body = table.body.clone();
        body[at] ^= 1;
        refusals(&table, &key, &body)
    };
    for at in [0, 65_551, 65_552, table.body.len() - 1] {
        assert!(altered(at).iter().all(|error| matches!(error, StructuralError::BodyRoot { .. })), "byte {at}");
    }
    let short = refusals(&table, &key, &table.body[1..]);
    assert!(short.iter().all(|error| matches!(error, StructuralError::Length { found: 262_207, .. })));
    let other = DataKey::from_opened(&[7; 32]).expect("32 bytes");
    assert_eq!(refusals(&table, &other, &table.body), [StructuralError::KeyCommitment, StructuralError::KeyCommitment]);
}

/// Answers the second reading of the first chunk with other bytes.
struct Fickle<'a> {
    honest: &'a [u8],
    other: &'a [u8],
    readings: usize,
}

impl ChunkSource for Fickle<'_> {
    fn len(&mut self) -> Result<u64, MediumError> {
        Ok(self.honest.len() as u64)
    }

    fn is_fixed(&self) -> bool {
        false
    }

    fn load(&mut self, first: u32, count: u32) -> Result<&[u8], MediumError> {
        self.readings += 1;
        let bytes = if self.readings == 2 { self.other } else { self.honest };
        let (from, len) = (first as usize * 65_552, count as usize * 65_552);
        Ok(&bytes[from..from + len])
    }
}

#[test]
fn a_host_that_answers_two_readings_differently_is_refused() {
    let (before, key) = {
        let table = funded();
        (table.table, table.rows.key)
    };
    // the same rows under the same key: every tag fits, and only the leaf kept from the first pass differs
    let mut other = before.body.clone();
    let keys = key.body_keys(&before.header.p0());
    let cipher = super::super::seal::BodyCipher::new(before.header.suite(), keys.body_key()).expect("built in");
    let mut plain = vec![0; 65_536];
    cipher.open(0, &before.header.chunk_aad(), &other, &mut plain).expect("opens");
    plain[3 * 64 + 39] ^= 1;
    cipher.seal(0, &before.header.chunk_aad(), &mut plain, &mut other);
    let mut source = Fickle { honest: &before.body, other: &other, readings: 0 };
    let tier = before.header.tier();
    let (mut body, mut sidecar) = (vec![0; body_len(tier)], vec![0; sidecar_len(tier)]);
    let outputs =
        Outputs { body: &mut SliceSink(&mut body), sidecar: &mut SliceSink(&mut sidecar), progress: &mut |_| () };
    let sealed = SealedBody { header: &before.header, key: &key, body: &mut source };
    let deltas = [delta(1, 0, -1, 0), delta(2, 0, 1, 0)];
    let error = sealed.update(&round(&[deposit(1, 0, 1)], &deltas, 16), &master(), outputs, &mut rng(1));
    // the body is read once more to say why, and by then it is the honest one
    assert!(matches!(error, Err(StreamError::Structural(StructuralError::Chunk { index: 0 }))));
}

#[test]
fn a_full_disk_is_a_medium_error() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    impl std::io::Seek for Full {
        fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
            Ok(0)
        }
    }
    let table = funded();
    let outputs = Outputs { body: &mut FileSink::new(Full), sidecar: &mut FileSink::new(Full), progress: &mut |_| () };
    let sealed = SealedBody { header: &table.table.header, key: &table.rows.key, body: &mut &table.table.body[..] };
    match sealed.update(&round(&[], &[], 16), &master(), outputs, &mut rng(1)) {
        Err(StreamError::Medium(error)) => assert_eq!(error.operation, "writing chunks"),
        _ => panic!("a full disk"),
    }
}

#[test]
fn a_header_that_is_not_the_chains_is_refused_first() {
    let table = funded().table;
    let mut head = table.header.head();
    head.hash[0] ^= 1;
    assert!(matches!(Header::current(&table.header.to_bytes(), head), Err(StructuralError::Hash { .. })));
}

#[cfg(feature = "suite-aes-gcm")]
#[test]
fn suite_2_seals_opens_and_streams() {
    let params = TableParams { suite: super::super::TableSuite::Aes256Gcm, ..params() };
    let start = genesis(&params, &master(), &mut rng(3)).expect("genesis");
    let key = start.rows.key.duplicate();
    let boundary = [deposit(1, 0, 5)];
    let (_, table) = streamed(&start.table, &key, &round(&boundary, &[], 16), 4);
    let twin = start.rows.update(&boundary, &[], 16, &ASSETS, EPOCH, &master(), &mut rng(4)).expect("updates");
    assert_same(&table, &twin.table, "suite 2");
    super::super::OpenTable::open(&table.header, &table.body, &twin.rows.key).expect("opens");
    let mut body = table.body.clone();
    body[70] ^= 1;
    let refused = refusals(&table, &twin.rows.key, &body);
    assert!(refused.iter().all(|error| matches!(error, StructuralError::BodyRoot { .. })));
}

#[cfg(not(feature = "suite-aes-gcm"))]
#[test]
fn suite_2_is_refused_where_it_is_not_built_in() {
    let params = TableParams { suite: super::super::TableSuite::Aes256Gcm, ..params() };
    let expected = StructuralError::Header(super::super::HeaderError::Suite { found: 2 });
    assert_eq!(genesis(&params, &master(), &mut rng(3)).err(), Some(expected));
}
