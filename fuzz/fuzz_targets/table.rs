//! A sequence of up to four random updates, with at most one growth among them, on the open table, on the sealed one and on
//! the plain ledger: the first two give the same bytes, all the same codes, balances and sums. Every input starts from the same table, which is made once; longer
//! histories are what `table/tests/twin.rs` tries.
//!
//! `cargo +nightly fuzz run table`
#![no_main]

mod rounds;

use arbitrary::{Arbitrary, Unstructured};
use ccc_core::{
    epoch::Epoch,
    keys::MasterPublicKey,
    table::{
        AccountId, AssetId, BoundaryOperation, DataKey, OpenTable, Outputs, SealedBody, SealedTable, SliceSink,
        StreamError, Streamed, StructuralError, TableId, TableParams, TableSuite, Tier, Update, Updated, body_len,
        genesis, ledger::Ledger, sidecar_len,
    },
};
use curve25519_dalek::Scalar;
use libfuzzer_sys::fuzz_target;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rounds::{ACCOUNTS, ASSETS, EPOCH, Round, lengthened, master, unwrap};
use std::sync::LazyLock;

#[derive(Arbitrary, Debug)]
enum Step {
    Round(Round),
    /// One in four is carried out.
    Growth(u8),
    Epoch(u64),
}

/// What every input starts from: two accounts with money in two assets.
const DEPOSITS: [BoundaryOperation; 4] = [deposit(1, 0), deposit(1, 1), deposit(2, 0), deposit(2, 1)];

const fn deposit(account: u8, asset: u32) -> BoundaryOperation {
    let (account, asset, reading_key) = (AccountId([account; 20]), AssetId(asset), [account; 32]);
    BoundaryOperation::Deposit { account, asset, amount: 1_000_000, reading_key }
}

/// The sealed table with those deposits: made once, opened for every input.
struct Start {
    secret: Scalar,
    master: MasterPublicKey,
    table: SealedTable,
}

/// A version, sealed and open.
struct Current {
    table: SealedTable,
    open: OpenTable,
}

static START: LazyLock<Start> = LazyLock::new(|| {
    let secret = Scalar::from(77u64);
    let master = master(&secret);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let id = TableId { chain: 1, contract: [1; 20], table: [2; 32] };
    let params = TableParams { id, epoch: EPOCH, tier: Tier::SMALLEST, suite: TableSuite::ChaCha20Poly1305 };
    let empty = genesis(&params, &master, &mut rng).expect("genesis").rows;
    let deposits = Update::Round { boundary: &DEPOSITS, deltas: &[], k: 16, assets: &ASSETS };
    let made = empty.apply(&deposits, &master, &mut rng).expect("seals");
    assert_eq!(made.boundary, [Ok(()); 4]);
    Start { secret, master, table: made.table }
});

fn assert_same(open: &OpenTable, ledger: &Ledger) {
    let all: Vec<_> =
        (0..=ACCOUNTS).flat_map(|number| (0..4).map(move |asset| (AccountId([number; 20]), AssetId(asset)))).collect();
    for (found, (account, asset)) in open.find_many(&all).iter().zip(&all) {
        assert_eq!(found.as_ref(), ledger.find(*account, *asset));
    }
    for asset in (0..4).map(AssetId) {
        assert_eq!(Some(open.sum(asset)), ledger.sum(asset));
    }
    assert_eq!(open.used_rows() as usize, ledger.used_rows());
}

fn data_key(table: &SealedTable) -> DataKey {
    DataKey::from_opened(&unwrap(&table.header, &START.master, &START.secret)).expect("32 bytes")
}

/// The update on the sealed table.
fn stream(
    table: &SealedTable,
    update: &Update<'_>,
    rng: &mut ChaCha20Rng,
) -> Result<(Streamed, SealedTable), StreamError> {
    let found = table.header.tier();
    let tier = if *update == Update::Growth { found.next().expect("a larger tier") } else { found };
    let (mut body, mut sidecar) = (vec![0; body_len(tier)], vec![0; sidecar_len(tier)]);
    let outputs =
        Outputs { body: &mut SliceSink(&mut body), sidecar: &mut SliceSink(&mut sidecar), progress: &mut |_| () };
    let sealed = SealedBody { header: &table.header, key: &data_key(table), body: &mut &table.body[..] };
    let made = sealed.apply(update, &START.master, outputs, rng)?;
    let table = SealedTable { header: made.header.clone(), body, sidecar };
    Ok((made, table))
}

/// The update on both tables, from the same random bytes: the same version or the same refusal.
fn apply(current: Current, update: &Update<'_>, rng: &mut ChaCha20Rng) -> Result<Updated, StructuralError> {
    let streamed = stream(&current.table, update, &mut rng.clone());
    let next = current.open.apply(update, &START.master, rng);
    match (&next, streamed) {
        (Ok(next), Ok((made, table))) => {
            assert_eq!((next.code, &next.boundary), (made.code, &made.boundary));
            assert_eq!(next.table.header.to_bytes(), table.header.to_bytes());
            assert!(next.table.body == table.body, "bodies differ");
            assert!(next.table.sidecar == table.sidecar, "sidecars differ");
        }
        (Err(open), Err(StreamError::Structural(sealed))) => assert_eq!(*open, sealed),
        (_, streamed) => panic!("open: {:?}, sealed: {:?}", next.is_ok(), streamed.map(|_| ())),
    }
    next
}

impl From<Updated> for Current {
    fn from(Updated { table, rows, .. }: Updated) -> Self {
        Self { table, open: rows }
    }
}

/// One round on all three.
fn round(current: Current, ledger: &mut Ledger, round: &Round, rng: &mut ChaCha20Rng) -> Current {
    let Round { boundary, deltas, slots } = round;
    let next = apply(current, &Update::Round { boundary, deltas, k: *slots, assets: &ASSETS }, rng).expect("seals");
    let (code, results) = ledger.update(boundary, deltas, &ASSETS);
    assert_eq!((next.code, &next.boundary), (code, &results));
    assert_eq!(next.rows.result_code(), code);
    next.into()
}

/// A new epoch, or the refusal of one that is not later; nothing after a refusal, which spends the open table.
fn epoch(current: Current, found: Epoch, rng: &mut ChaCha20Rng) -> Option<Current> {
    let (least, balances) = (current.open.header().epoch(), current.open.used_rows());
    match apply(current, &Update::Epoch(found), rng) {
        Ok(next) => {
            assert!(found > least && next.rows.used_rows() == balances);
            assert_eq!(next.table.header.epoch(), found);
            Some(next.into())
        }
        Err(error) => {
            assert_eq!(error, StructuralError::Epoch { least, found });
            assert!(found <= least);
            None
        }
    }
}

fn grow(current: Current, ledger: &mut Ledger, rng: &mut ChaCha20Rng) -> Current {
    let tier = current.table.header.tier().next().expect("the smallest tier has a next one");
    let next = apply(current, &Update::Growth, rng).expect("grows");
    assert_eq!(next.table.header.tier(), tier);
    ledger.grow(tier);
    next.into()
}

fuzz_target!(|bytes: &[u8]| {
    let steps = <[Option<Step>; 4]>::arbitrary(&mut Unstructured::new(&lengthened(bytes)));
    let Ok(steps) = steps else { return };
    let table = START.table.clone();
    let open = OpenTable::open(&table.header, &table.body, &data_key(&table)).expect("opens");
    let mut current = Current { table, open };
    let mut ledger = Ledger::new(Tier::SMALLEST);
    ledger.update(&DEPOSITS, &[], &ASSETS);
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    for step in steps.into_iter().flatten() {
        current = match step {
            Step::Round(moves) => round(current, &mut ledger, &moves, &mut rng),
            // one growth is a table four times as slow; the second would be sixteen times
            Step::Growth(odds) if odds > 63 || current.table.header.tier() != Tier::SMALLEST => current,
            Step::Growth(_) => grow(current, &mut ledger, &mut rng),
            Step::Epoch(number) => match epoch(current, Epoch(number), &mut rng) {
                Some(next) => next,
                None => return,
            },
        };
        assert_same(&current.open, &ledger);
    }
});
