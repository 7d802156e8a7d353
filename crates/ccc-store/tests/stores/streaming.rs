//! A table that streams from a store into the same store.

use crate::{
    common::{ID, assert_same, data_key, master},
    media::{Medium, Memory},
};
use ccc_core::{
    epoch::Epoch,
    table::{
        AccountId, AssetId, AssetRule, BoundaryOperation, ChunkSource, Delta, OpenTable, Outputs, Part, ResultCode,
        SealedBody, SealedTable, StoreError, StoredBody, StoredVersion, StreamError, Streamed, TableParams, TableStore,
        TableSuite, Tier, Update, genesis,
    },
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

const ASSETS: [AssetRule; 1] = [AssetRule { lot: 1 }];

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn first() -> SealedTable {
    first_of(TableSuite::ChaCha20Poly1305)
}

fn first_of(suite: TableSuite) -> SealedTable {
    let params = TableParams { id: ID, epoch: Epoch(0), tier: Tier::SMALLEST, suite };
    genesis(&params, &master(), &mut rng(1)).expect("genesis").table
}

/// The next version, written to a writer of this tier, and committed.
fn stream(
    store: &dyn TableStore,
    hash: &[u8; 32],
    update: &Update<'_>,
    tier: Tier,
    seed: u64,
) -> Result<Streamed, StreamError> {
    let reader = store.reader(hash).expect("found");
    let (header, written) = (reader.header(), StoredVersion::new(store.writer(tier).expect("begins")));
    let key = data_key(header);
    let sealed = SealedBody { header, key: &key, body: &mut StoredBody::new(&*reader) };
    let outputs = Outputs { body: &mut written.body(), sidecar: &mut written.sidecar(), progress: &mut |_| () };
    let made = sealed.apply(update, &master(), outputs, &mut rng(seed))?;
    written.commit(&made.header).expect("kept");
    Ok(made)
}

fn account(number: u8) -> AccountId {
    AccountId([number; 20])
}

/// The versions that stream are those of the open table, bit for bit, in every store.
pub(crate) fn streams(medium: &impl Medium) {
    streams_from(medium, first());
}

fn streams_from(medium: &impl Medium, mut current: SealedTable) {
    let store = medium.open().expect("opens");
    let deposit = |number, amount| BoundaryOperation::Deposit {
        account: account(number),
        asset: AssetId(0),
        amount,
        reading_key: [number; 32],
    };
    let delta = |number, amount| Delta { account: account(number), asset: AssetId(0), amount, reserved: 0 };
    let (deposits, deltas) = ([deposit(1, 100), deposit(2, 100)], [delta(1, -30), delta(2, 30)]);
    let larger = Tier::SMALLEST.next().expect("a larger tier");
    let updates = [
        (Update::Round { boundary: &deposits, deltas: &[], k: 16, assets: &ASSETS }, Tier::SMALLEST),
        (Update::Growth, larger),
        (Update::Epoch(Epoch(1)), larger),
        (Update::Round { boundary: &[], deltas: &deltas, k: 16, assets: &ASSETS }, larger),
    ];
    store.put(&current).expect("kept");
    for (seed, (update, tier)) in (2..).zip(updates) {
        let made = stream(&*store, &current.header.hash(), &update, tier, seed).expect("streams");
        let open = OpenTable::open(&current.header, &current.body, &data_key(&current.header)).expect("opens");
        let twin = open.apply(&update, &master(), &mut rng(seed)).expect("updates");
        assert_eq!(made.code, ResultCode::Done);
        current = store.get(&made.header.hash()).expect("found");
        assert_same(&current, &twin.table);
    }
}

/// Of one chunk, then of four.
#[cfg(feature = "suite-aes-gcm")]
#[test]
fn a_table_of_suite_2_streams_as_one_of_suite_1() {
    let (directory, table) = (crate::media::Directory::new(), first_of(TableSuite::Aes256Gcm));
    assert_eq!(table.header.suite(), TableSuite::Aes256Gcm);
    streams_from(&directory, table);
    #[cfg(feature = "redb")]
    streams_from(&crate::media::Journal::new(), first_of(TableSuite::Aes256Gcm));
}

#[test]
fn what_a_store_holds_can_change_between_two_readings() {
    let (store, table) = (Memory.open().expect("opens"), first());
    store.put(&table).expect("kept");
    let reader = store.reader(&table.header.hash()).expect("found");
    assert!(!StoredBody::new(&*reader).is_fixed());
}

#[test]
fn a_store_that_refuses_stops_the_update_and_keeps_no_version() {
    let (store, table) = (Memory.open().expect("opens"), first());
    store.put(&table).expect("kept");
    match stream(&*store, &table.header.hash(), &Update::Growth, Tier::SMALLEST, 2) {
        Err(StreamError::Medium(error)) => {
            assert_eq!(error.operation, "writing chunks");
            let cause = error.source.downcast_ref::<StoreError>();
            assert!(matches!(cause, Some(StoreError::Range { part: Part::Body, .. })));
        }
        _ => panic!("a writer of the smaller tier"),
    }
    assert_eq!(store.versions().expect("listed"), [table.header.hash()]);
}
