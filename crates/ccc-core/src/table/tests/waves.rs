//! A table of many chunks streams in several waves and several blocks of the sidecar, and gives the bytes of one that is
//! held open.

use super::super::{
    AccountId, AssetId, BoundaryOperation, Delta, FileSink, FileSource, OpenTable, Outputs, Progress, ROW_LEN,
    ResultCode, Row, SealedBody, SealedTable, SliceSink, Stage, Tier, Update, Wanted,
    batch::Batch,
    body_len,
    chunks::{ChunkSink, ChunkSource, PlaceSink},
    key::DataKey,
    row::{self, Status},
    rows::Rows,
    sidecar_len,
    update::Sealing,
};
use super::{ASSETS, first, master, on_one_thread, rng};
use std::io::Cursor;

/// Rows 1 and 2 are key and balance of account 0; then come the other accounts' keys, then their balances.
const ACCOUNTS: u32 = 32_761;
const HELD: u128 = 1_000;

fn tier() -> Tier {
    Tier::new(16).expect("64 chunks")
}

fn account(number: u32) -> AccountId {
    let mut id = [7; 20];
    id[..4].copy_from_slice(&number.to_be_bytes());
    AccountId(id)
}

fn reading_key(number: u32) -> [u8; 32] {
    let mut key = [0x5A; 32];
    key[..4].copy_from_slice(&number.to_be_bytes());
    key
}

fn balance_row(number: u32) -> u32 {
    if number == 0 { 2 } else { 1 + ACCOUNTS + number }
}

/// Thirteen rows of the last chunk stay unused.
fn filled() -> (SealedTable, OpenTable) {
    let prefix = super::super::header::Prefix { tier: tier(), ..first(1).table.header.prefix().clone() };
    let mut rows = Rows::empty(tier(), &Status { epoch_salt: [0; 16], code: ResultCode::Done, version: 1 });
    let places = rows.bytes_mut().as_chunks_mut::<ROW_LEN>().0;
    for number in 0..ACCOUNTS {
        let key_row = if number == 0 { 1 } else { 2 + number };
        places[key_row as usize] = row::key_row(account(number), &reading_key(number));
        let balance = Row { amount: HELD, ..Row::empty(account(number), AssetId(0)) };
        places[balance_row(number) as usize] = balance.to_bytes();
    }
    let rows = Rows::from_plain(rows.bytes().to_vec().into(), 1).expect("well formed");
    assert_eq!(rows.room(), 13);
    let key = DataKey::fresh(None, &prefix.to_bytes(), &[0; 32], &mut rng(8));
    let sealing = Sealing { prefix, key, batch: Batch::new(&[], &[]), accepted: 0 };
    sealing.seal(rows, &master(), &mut rng(9)).expect("seals")
}

/// Accounts whose balances stand in the first, a middle and the last chunk pay each other, a new one and one that
/// deposits.
fn operations() -> [BoundaryOperation; 4] {
    let [near, middle, far, new] = [0, 16_000, ACCOUNTS - 1, ACCOUNTS].map(account);
    let asset = AssetId(0);
    [
        BoundaryOperation::Transfer { account: near, asset, amount: 100, to: far },
        BoundaryOperation::Deposit { account: new, asset, amount: 5, reading_key: reading_key(ACCOUNTS) },
        BoundaryOperation::Transfer { account: middle, asset, amount: 10, to: new },
        BoundaryOperation::Transfer { account: far, asset, amount: HELD + 99, to: new },
    ]
}

fn deltas() -> [Delta; 5] {
    let delta = |number, amount| Delta { account: account(number), asset: AssetId(0), amount, reserved: 0 };
    [delta(0, -9), delta(ACCOUNTS - 1, 4), delta(20_000, 3), delta(16_000, 1), delta(ACCOUNTS, 1)]
}

/// The version that streams from one medium to two others, and the stages it was told.
fn stream<B: ChunkSink, P: PlaceSink>(
    from: (&SealedTable, &DataKey),
    source: &mut impl ChunkSource,
    update: &Update<'_>,
    (body, sidecar): (&mut B, &mut P),
) -> (super::super::Streamed, Vec<(Stage, u32)>) {
    let mut stages = vec![];
    let progress = &mut |progress: Progress| stages.push((progress.stage, progress.done));
    let sealed = SealedBody { header: &from.0.header, key: from.1, body: source };
    let outputs = Outputs { body, sidecar, progress };
    (sealed.apply(update, &master(), outputs, &mut rng(10)).expect("streams"), stages)
}

fn from_slice(from: &SealedTable, key: &DataKey, update: &Update<'_>) -> (SealedTable, Vec<(Stage, u32)>) {
    let (mut body, mut sidecar) = (vec![0; body_len(tier())], vec![0; sidecar_len(tier())]);
    let sinks = (&mut SliceSink(&mut body), &mut SliceSink(&mut sidecar));
    let (made, stages) = stream((from, key), &mut &from.body[..], update, sinks);
    (SealedTable { header: made.header, body, sidecar }, stages)
}

fn from_file(from: &SealedTable, key: &DataKey, update: &Update<'_>) -> SealedTable {
    let (mut body, mut sidecar) = (Cursor::new(vec![]), Cursor::new(vec![]));
    let sinks = (&mut FileSink::new(&mut body), &mut FileSink::new(&mut sidecar));
    let made = stream((from, key), &mut FileSource::new(Cursor::new(&from.body)), update, sinks).0;
    SealedTable { header: made.header, body: body.into_inner(), sidecar: sidecar.into_inner() }
}

fn assert_same(made: &SealedTable, twin: &SealedTable, context: &str) {
    assert!(made.body == twin.body, "{context}: bodies differ");
    assert_eq!(made.header.to_bytes(), twin.header.to_bytes(), "{context}");
    assert!(made.sidecar == twin.sidecar, "{context}: sidecars differ");
}

/// Four waves of sixteen chunks; under test a block of the sidecar has 24 of them, a wave and a half.
#[test]
fn many_waves_and_blocks_stream_like_on_the_open_table() {
    on_one_thread(|| {
        let (operations, deltas) = (operations(), deltas());
        let (table, open) = filled();
        let key = open.key.duplicate();
        let update = Update::Round { boundary: &operations, deltas: &deltas, k: 16, assets: &ASSETS };
        let (made, stages) = from_slice(&table, &key, &update);
        let stage = |stage| stages.iter().filter(move |(of, _)| *of == stage).map(|(_, done)| *done);
        assert!(stage(Stage::Find).eq([16, 32, 48, 64]) && stage(Stage::Seal).eq([16, 32, 48, 64]));
        assert!(stage(Stage::Entries).eq([16, 24, 40, 48, 64]));
        let filed = from_file(&table, &key, &update);
        let twin = open.apply(&update, &master(), &mut rng(10)).expect("updates");
        assert_eq!((twin.code, &twin.boundary[..]), (ResultCode::Done, &[Ok(()); 4][..]));
        let amount = |number| twin.rows.find(account(number), AssetId(0)).map(|row| row.amount);
        let after = [0, ACCOUNTS - 1, 20_000, 16_000, ACCOUNTS].map(amount);
        assert_eq!(after, [891, 5, 1_003, 991, 1_115].map(Some));
        assert_same(&made, &twin.table, "from a slice");
        assert_same(&filed, &twin.table, "from a file");
    });
}

/// With 256 slots keys and patches stand in bins, by hashes of rows of every chunk.
#[test]
fn many_waves_stream_alike_where_keys_and_patches_stand_in_bins() {
    on_one_thread(|| {
        let delta = |number, amount| Delta { account: account(number), asset: AssetId(0), amount, reserved: 0 };
        let pairs = (0..128).map(|at| at * 255).flat_map(|number| [delta(number, -1), delta(number + 100, 1)]);
        let deltas: Vec<_> = pairs.collect();
        let (table, open) = filled();
        let key = open.key.duplicate();
        let update = Update::Round { boundary: &[], deltas: &deltas, k: 256, assets: &ASSETS };
        let filed = from_file(&table, &key, &update);
        let twin = open.apply(&update, &master(), &mut rng(10)).expect("updates");
        assert_eq!(twin.code, ResultCode::Done);
        assert_same(&filed, &twin.table, "from a file");
    });
}

/// The steps of a round may run on pools of different sizes, so that waves of one are not those of the other. On two
/// threads, one of the two waves stays open.
#[cfg(feature = "parallel")]
#[test]
fn the_passes_may_run_on_different_numbers_of_threads() {
    let on = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let (operations, deltas) = (operations(), deltas());
    let (table, open) = filled();
    let key = open.key.duplicate();
    let update = Update::Round { boundary: &operations, deltas: &deltas, k: 16, assets: &ASSETS };
    let twin = open.apply(&update, &master(), &mut rng(10)).expect("updates");
    let rows = deltas.map(|delta| (delta.account, delta.asset));
    let wanted = Wanted { boundary: &operations, rows: &rows, owners: &[], k: 16, assets: &ASSETS };
    for (first, second) in [(2, 2), (2, 3), (1, 3), (3, 1)] {
        let (mut body, mut sidecar) = (vec![0; body_len(tier())], vec![0; sidecar_len(tier())]);
        let mut source = &table.body[..];
        let sealed = SealedBody { header: &table.header, key: &key, body: &mut source };
        let found = on(first).install(|| sealed.find(&wanted, &mut |_| ()).expect("finds"));
        let made = on(second).install(|| {
            let mut rng = rng(10);
            let sinks = (&mut SliceSink(&mut body), &mut SliceSink(&mut sidecar));
            let outputs = Outputs { body: sinks.0, sidecar: sinks.1, progress: &mut |_| () };
            let decided = found.decide(&update, &mut rng).expect("decides");
            decided.seal(&master(), outputs, &mut rng).expect("seals").0
        });
        let made = SealedTable { header: made.header, body, sidecar };
        assert_same(&made, &twin.table, &format!("on {first} threads, then on {second}"));
    }
}
