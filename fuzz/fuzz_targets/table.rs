//! A sequence of up to four random updates, with at most one growth among them, on a sealed table and on
//! the plain ledger: same codes, same balances, same sums. Every input starts from the same table, which is made once; longer
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
        AccountId, AssetId, BoundaryOperation, DataKey, Header, OpenTable, ResultCode, SealedTable, StructuralError,
        TableId, TableParams, TableSuite, Tier, Update, genesis, ledger::Ledger,
    },
};
use curve25519_dalek::Scalar;
use libfuzzer_sys::fuzz_target;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rounds::{ACCOUNTS, ASSETS, EPOCH, Round, SLOTS, lengthened, master, unwrap};
use std::sync::LazyLock;
use zeroize::Zeroizing;

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
    master: MasterPublicKey,
    header: Header,
    body: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

static START: LazyLock<Start> = LazyLock::new(|| {
    let secret = Scalar::from(77u64);
    let master = master(&secret);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let id = TableId { chain: 1, contract: [1; 20], table: [2; 32] };
    let params = TableParams { id, epoch: EPOCH, tier: Tier::SMALLEST, suite: TableSuite::ChaCha20Poly1305 };
    let empty = genesis(&params, &master, &mut rng).expect("genesis").rows;
    let deposits = Update::Round { boundary: &DEPOSITS, deltas: &[], k: SLOTS, assets: &ASSETS };
    let made = empty.apply(&deposits, &master, &mut rng).expect("seals");
    assert_eq!(made.boundary, [Ok(()); 4]);
    let SealedTable { header, body, .. } = made.table;
    let key = unwrap(&header, &master, &secret);
    Start { master, header, body, key }
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

/// One round on both.
fn round(open: OpenTable, ledger: &mut Ledger, round: Round, rng: &mut ChaCha20Rng) -> OpenTable {
    let (boundary, deltas) = round.parts();
    let update = Update::Round { boundary: &boundary, deltas: &deltas, k: SLOTS, assets: &ASSETS };
    let next = open.apply(&update, &START.master, rng).expect("seals");
    let (code, results): (ResultCode, Vec<_>) = ledger.update(&boundary, &deltas, &ASSETS);
    assert_eq!((next.code, next.boundary), (code, results));
    assert_eq!(next.rows.result_code(), code);
    next.rows
}

/// A new epoch, or the refusal of one that is not later; nothing after a refusal, which spends the open table.
fn epoch(open: OpenTable, found: Epoch, rng: &mut ChaCha20Rng) -> Option<OpenTable> {
    let (least, balances) = (open.header().epoch(), open.used_rows());
    match open.apply(&Update::Epoch(found), &START.master, rng) {
        Ok(next) => {
            assert!(found > least && next.rows.used_rows() == balances);
            assert_eq!(next.table.header.epoch(), found);
            Some(next.rows)
        }
        Err(error) => {
            assert_eq!(error, StructuralError::Epoch { least, found });
            assert!(found <= least);
            None
        }
    }
}

fn grow(open: OpenTable, ledger: &mut Ledger, rng: &mut ChaCha20Rng) -> OpenTable {
    let tier = open.header().tier().next().expect("the smallest tier has a next one");
    let next = open.apply(&Update::Growth, &START.master, rng).expect("grows");
    assert_eq!(next.table.header.tier(), tier);
    ledger.grow(tier);
    next.rows
}

fuzz_target!(|bytes: &[u8]| {
    let steps = <[Option<Step>; 4]>::arbitrary(&mut Unstructured::new(&lengthened(bytes)));
    let Ok(steps) = steps else { return };
    let start = &*START;
    let key = DataKey::from_opened(&start.key).expect("32 bytes");
    let mut open = OpenTable::open(&start.header, &start.body, &key).expect("opens");
    let mut ledger = Ledger::new(Tier::SMALLEST);
    ledger.update(&DEPOSITS, &[], &ASSETS);
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    for step in steps.into_iter().flatten() {
        open = match step {
            Step::Round(moves) => round(open, &mut ledger, moves, &mut rng),
            // one growth is a table four times as slow; the second would be sixteen times
            Step::Growth(odds) if odds > 63 || open.header().tier() != Tier::SMALLEST => open,
            Step::Growth(_) => grow(open, &mut ledger, &mut rng),
            Step::Epoch(number) => match epoch(open, Epoch(number), &mut rng) {
                Some(open) => open,
                None => return,
            },
        };
        assert_same(&open, &ledger);
    }
});
