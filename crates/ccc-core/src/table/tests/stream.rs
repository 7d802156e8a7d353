//! A sealed table that streams gives the bytes of one that is held open.

use super::super::{
    AccountId, AssetId, BoundaryOperation, DataKey, Delta, FileSink, FileSource, Header, Outputs, Progress, ResultCode,
    SealedBody, SealedTable, SliceSink, Stage, StreamError, Streamed, StructuralError, TableParams, Tier, Update,
    Updated, body_len,
    chunks::{ChunkSource, MediumError},
    genesis, genesis_to, sidecar_len,
};
use super::{ASSETS, EPOCH, account, delta, deposit, first, funded, master, next, on_one_thread, params, rng, twin};
use crate::epoch::Epoch;
use rand::RngExt;
use std::io::Cursor;

fn round<'a>(boundary: &'a [BoundaryOperation], deltas: &'a [Delta], k: usize) -> Update<'a> {
    Update::Round { boundary, deltas, k, assets: &ASSETS }
}

/// The next version, from memory to memory.
fn streamed(from: &SealedTable, key: &DataKey, update: &Update<'_>, seed: u64) -> (Streamed, SealedTable) {
    let found = from.header.tier();
    let tier = if *update == Update::Growth { found.next().expect("a larger tier") } else { found };
    let (mut body, mut sidecar) = (vec![0; body_len(tier)], vec![0; sidecar_len(tier)]);
    let outputs =
        Outputs { body: &mut SliceSink(&mut body), sidecar: &mut SliceSink(&mut sidecar), progress: &mut |_| () };
    let sealed = SealedBody { header: &from.header, key, body: &mut &from.body[..] };
    let made = sealed.apply(update, &master(), outputs, &mut rng(seed)).expect("streams");
    let table = SealedTable { header: made.header.clone(), body, sidecar };
    (made, table)
}

fn assert_same(streamed: &SealedTable, open: &SealedTable, context: &str) {
    assert_eq!(streamed.header.to_bytes(), open.header.to_bytes(), "{context}");
    assert!(streamed.body == open.body, "{context}: bodies differ");
    assert!(streamed.sidecar == open.sidecar, "{context}: sidecars differ");
}

/// The next version of both; they are the same.
fn both(current: Updated, update: &Update<'_>, seed: u64, context: &str) -> Updated {
    let key = current.rows.key.duplicate();
    let (made, table) = streamed(&current.table, &key, update, seed);
    let next = current.rows.apply(update, &master(), &mut rng(seed)).expect("updates");
    assert_same(&table, &next.table, context);
    assert_eq!((made.code, &made.boundary), (next.code, &next.boundary), "{context}");
    next
}

#[test]
fn streaming_gives_the_bytes_of_the_open_table() {
    let mut rng = rng(31);
    let mut current = first(5);
    let (mut codes, mut forced) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for number in 0..u64::from(twin::cases(120)) {
        let boundary = twin::some_boundary(&mut rng);
        let deltas = twin::some_deltas(&mut rng);
        let k = [16, 64, 256][rng.random_range(0..3)];
        current =
            both(current, &round(&boundary, &deltas, k), number, &format!("round {number}: {boundary:?} {deltas:?}"));
        let ends = current.boundary.iter().map(|result| result.err().unwrap_or(ResultCode::Done));
        let of_forced = boundary.iter().zip(ends.clone());
        forced
            .extend(of_forced.filter(|(of, _)| matches!(of, BoundaryOperation::ForcedTransfer { .. })).map(|(_, r)| r));
        codes.extend(ends.chain([current.code]));
    }
    assert!(codes.len() > 4, "refusals occur: {codes:?}");
    assert!(forced.contains(&ResultCode::Done) && forced.len() > 3, "ends of forced transfers: {forced:?}");
}

#[test]
fn forced_transfers_stream_like_on_the_open_table() {
    let freeze =
        |number| BoundaryOperation::Freeze { account: account(number), asset: AssetId(0), reason: 7, frozen: true };
    let forced = |from, amount, to| BoundaryOperation::ForcedTransfer {
        account: account(from),
        asset: AssetId(0),
        amount,
        to: account(to),
        reason: 9,
    };
    let register = |number| BoundaryOperation::Register { account: account(number), reading_key: [number; 32] };
    // into a row that is there, into one that it makes, into one that an operation before it made, and back out of it
    let rounds = [
        vec![freeze(1), forced(1, 40, 2)],
        vec![register(8), forced(1, 30, 8)],
        vec![deposit(9, 0, 5), forced(1, 10, 9), freeze(9), forced(9, 15, 8)],
        vec![register(7), forced(1, 10, 7), forced(1, 10, 7), freeze(7), forced(7, 15, 1)],
    ];
    let mut current = funded();
    for (number, boundary) in (0..).zip(&rounds) {
        let deltas = [delta(2, 0, -1, 0), delta(8, 0, 1, 0)];
        current = both(current, &round(boundary, &deltas, 16), number, &format!("round {number}"));
    }
    assert_eq!(current.boundary, [Ok(()); 5]);
    assert_eq!(current.rows.find(account(7), AssetId(0)).map(|row| row.amount), Some(5));
}

#[test]
fn transfers_stream_like_on_the_open_table() {
    let transfer = |from, amount, to| BoundaryOperation::Transfer {
        account: account(from),
        asset: AssetId(0),
        amount,
        to: account(to),
    };
    let register = |number| BoundaryOperation::Register { account: account(number), reading_key: [number; 32] };
    let freeze =
        |number| BoundaryOperation::Freeze { account: account(number), asset: AssetId(0), reason: 7, frozen: true };
    // into a row that is there, into one that it makes and out of it again, into a frozen one, and refused ones
    let rounds = [
        vec![transfer(1, 40, 2), transfer(1, 61, 2)],
        vec![register(8), transfer(1, 30, 8), transfer(8, 10, 1), transfer(1, 5, 9)],
        vec![freeze(2), transfer(8, 5, 2), transfer(2, 5, 8), transfer(1, 1, 1)],
    ];
    let mut current = funded();
    for (number, boundary) in (0..).zip(&rounds) {
        current = both(current, &round(boundary, &[], 16), number, &format!("round {number}"));
    }
    assert_eq!(current.boundary, [Ok(()), Ok(()), Err(ResultCode::Frozen), Err(ResultCode::Unknown)]);
    let amounts = [1, 2, 8].map(|number| current.rows.find(account(number), AssetId(0)).map(|row| row.amount));
    assert_eq!(amounts, [Some(40), Some(145), Some(15)]);
}

#[test]
fn n130_room_that_a_round_takes_is_gone_for_its_later_operations() {
    let id = |i: u16| {
        let mut id = [9; 20];
        id[..2].copy_from_slice(&i.to_be_bytes());
        AccountId(id)
    };
    let deposit = |i| BoundaryOperation::Deposit { account: id(i), asset: AssetId(0), amount: 1, reading_key: [1; 32] };
    let register = |i| BoundaryOperation::Register { account: id(i), reading_key: [1; 32] };
    let force = |to| BoundaryOperation::ForcedTransfer { account: id(0), asset: AssetId(0), amount: 1, to, reason: 2 };
    let freeze = BoundaryOperation::Freeze { account: id(0), asset: AssetId(0), reason: 1, frozen: true };
    // one of 1 024 rows stays unused; account 0 has enough for two transfers
    let fill: Vec<_> = (0..509).map(deposit).chain((509..513).map(register)).chain([deposit(0), freeze]).collect();
    let almost = next(first(1), &fill, &[], 2).expect("seals");
    assert_eq!(almost.rows.used_rows(), 1023);
    let boundary = [force(id(509)), force(id(510)), register(600), deposit(1)];
    let full = both(almost, &round(&boundary, &[], 16), 3, "full");
    assert_eq!(full.boundary, [Ok(()), Err(ResultCode::Full), Err(ResultCode::Full), Ok(())]);
}

#[test]
fn a_new_epoch_and_growth_stream_like_on_the_open_table() {
    let epoch = both(funded(), &Update::Epoch(Epoch(EPOCH.0 + 1)), 8, "epoch");
    let key = epoch.rows.key.duplicate();
    let (mut body, mut sidecar) = (Cursor::new(vec![]), Cursor::new(vec![]));
    let mut source = FileSource::new(Cursor::new(epoch.table.body.clone()));
    let sealed = SealedBody { header: &epoch.table.header, key: &key, body: &mut source };
    let mut stages = vec![];
    let outputs = Outputs {
        body: &mut FileSink::new(&mut body),
        sidecar: &mut FileSink::new(&mut sidecar),
        progress: &mut |progress: Progress| stages.push((progress.stage, progress.done, progress.of)),
    };
    let made = sealed.apply(&Update::Growth, &master(), outputs, &mut rng(9)).expect("grows");
    let grown = both(epoch, &Update::Growth, 9, "growth");
    let table = SealedTable { header: made.header, body: body.into_inner(), sidecar: sidecar.into_inner() };
    assert_same(&table, &grown.table, "growth from file to file");
    assert_eq!(table.header.tier(), Tier::new(12).expect("a tier"));
    assert_eq!(stages, [(Stage::Find, 1, 1), (Stage::Seal, 4, 4), (Stage::Entries, 4, 4)]);
    both(grown, &round(&[deposit(3, 0, 7)], &[delta(1, 0, -1, 0), delta(2, 0, 1, 0)], 16), 10, "after growth");
}

#[test]
fn an_update_that_cannot_follow_is_refused_like_on_the_open_table() {
    let table = funded();
    let refused = |update: &Update<'_>| {
        let outputs =
            Outputs { body: &mut SliceSink(&mut []), sidecar: &mut SliceSink(&mut []), progress: &mut |_| () };
        let sealed = SealedBody { header: &table.table.header, key: &table.rows.key, body: &mut &table.table.body[..] };
        match sealed.apply(update, &master(), outputs, &mut rng(1)) {
            Err(StreamError::Structural(error)) => error,
            _ => panic!("not refused"),
        }
    };
    assert_eq!(refused(&Update::Epoch(EPOCH)), StructuralError::Epoch { least: EPOCH, found: EPOCH });
    assert_eq!(refused(&round(&[], &[], 17)), StructuralError::DeltaCapacity { found: 17 });
    let many = [delta(1, 0, 0, 0); 17];
    assert_eq!(refused(&round(&[], &many, 16)), StructuralError::TooManyDeltas { capacity: 16, found: 17 });
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
        sealed.apply(&round, &master(), outputs, &mut rng(1)).expect_err("refused")
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
    let Updated { table, rows, .. } = funded().rows.apply(&Update::Growth, &master(), &mut rng(4)).expect("grows");
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

/// Answers one reading of a few chunks with other bytes.
struct Fickle<'a> {
    honest: &'a [u8],
    other: &'a [u8],
    /// The number of the reading.
    at: usize,
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
        let bytes = if self.readings == self.at { self.other } else { self.honest };
        let (from, len) = (first as usize * 65_552, count as usize * 65_552);
        Ok(&bytes[from..from + len])
    }
}

/// A table of 64 chunks, of which under test sixteen stay open from the first pass on.
fn of_64_chunks() -> (SealedTable, DataKey) {
    let grow = |table: Updated, _| table.rows.apply(&Update::Growth, &master(), &mut rng(4)).expect("grows");
    let Updated { table, rows, .. } = (0..3).fold(funded(), grow);
    (table, rows.key)
}

/// The same rows but for one byte of this chunk, under the same key: every tag fits.
fn resealed(table: &SealedTable, key: &DataKey, chunk: u32) -> Vec<u8> {
    let (mut other, from) = (table.body.clone(), chunk as usize * 65_552);
    let keys = key.body_keys(&table.header.p0());
    let cipher = super::super::seal::BodyCipher::new(table.header.suite(), keys.body_key()).expect("built in");
    let sealed = &mut other[from..from + 65_552];
    let mut plain = vec![0; 65_536];
    cipher.open(chunk, &table.header.chunk_aad(), sealed, &mut plain).expect("opens");
    plain[3 * 64 + 39] ^= 1;
    cipher.seal(chunk, &table.header.chunk_aad(), &plain, sealed);
    other
}

/// What an update ends with whose host answers one reading with the bytes in which a chunk was sealed again.
fn of_a_fickle_host(table: &SealedTable, key: &DataKey, chunk: u32, at: usize) -> Result<Streamed, StreamError> {
    let mut source = Fickle { honest: &table.body, other: &resealed(table, key, chunk), at, readings: 0 };
    let tier = table.header.tier();
    let (mut body, mut sidecar) = (vec![0; body_len(tier)], vec![0; sidecar_len(tier)]);
    let outputs =
        Outputs { body: &mut SliceSink(&mut body), sidecar: &mut SliceSink(&mut sidecar), progress: &mut |_| () };
    let sealed = SealedBody { header: &table.header, key, body: &mut source };
    let deltas = [delta(1, 0, -1, 0), delta(2, 0, 1, 0)];
    sealed.apply(&round(&[deposit(1, 0, 1)], &deltas, 16), &master(), outputs, &mut rng(1))
}

#[test]
fn a_host_that_answers_two_readings_differently_is_refused() {
    on_one_thread(|| {
        let (table, key) = of_64_chunks();
        // four readings in the first pass; the second one reads chunks 48 to 63 alone, the others stayed open
        for (chunk, at) in [(48, 5), (50, 5), (63, 5)] {
            let error = of_a_fickle_host(&table, &key, chunk, at);
            // the body is read once more to say why, and by then it is the honest one
            let refused = StructuralError::Chunk { index: chunk };
            assert!(matches!(error, Err(StreamError::Structural(error)) if error == refused), "chunk {chunk}");
        }
    });
}

#[test]
fn a_chunk_that_stayed_open_is_not_read_again() {
    on_one_thread(|| {
        let (table, key) = of_64_chunks();
        let made = of_a_fickle_host(&table, &key, 0, usize::MAX).expect("an honest host");
        for at in 5..12 {
            let again = of_a_fickle_host(&table, &key, 0, at).expect("the chunk stands in the enclave's memory");
            assert_eq!(again.header.to_bytes(), made.header.to_bytes());
        }
        let first = of_a_fickle_host(&table, &key, 0, 1);
        assert!(matches!(first, Err(StreamError::Structural(StructuralError::BodyRoot { .. }))));
    });
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
    match sealed.apply(&round(&[], &[], 16), &master(), outputs, &mut rng(1)) {
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
    let twin = both(start, &round(&[deposit(1, 0, 5)], &[], 16), 4, "suite 2");
    let table = &twin.table;
    super::super::OpenTable::open(&table.header, &table.body, &twin.rows.key).expect("opens");
    let mut body = table.body.clone();
    body[70] ^= 1;
    let refused = refusals(table, &twin.rows.key, &body);
    assert!(refused.iter().all(|error| matches!(error, StructuralError::BodyRoot { .. })));
}

#[cfg(not(feature = "suite-aes-gcm"))]
#[test]
fn suite_2_is_refused_where_it_is_not_built_in() {
    let params = TableParams { suite: super::super::TableSuite::Aes256Gcm, ..params() };
    let expected = StructuralError::Header(super::super::HeaderError::Suite { found: 2 });
    assert_eq!(genesis(&params, &master(), &mut rng(3)).err(), Some(expected));
}
