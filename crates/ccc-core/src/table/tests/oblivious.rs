//! Any two rounds of one size touch the same rows and slots in the same order, on the open table and on the sealed one.

use super::super::{
    AssetId, BoundaryOperation, DataKey, Delta, OpenTable, Outputs, Row, SealedBody, SealedTable, SliceSink, Update,
    Updated, body_len,
    found::Asked,
    lookup::Lookup,
    patch::{Patch, Patches},
    row::{ROW_LEN, UNUSED},
    rows::Located,
    sidecar_len,
    touch::{Trace, recorded},
};
use super::{ASSETS, account, delta, deposit, first, master, next, on_one_thread, rng, twin};
use proptest::{collection::vec, prelude::*};
use std::sync::LazyLock;

/// Operations of each round.
const OPERATIONS: usize = 3;

/// Version 2, with accounts 1 to 6 in asset 0; 7 and 8 are unknown.
static TABLE: LazyLock<(SealedTable, DataKey)> = LazyLock::new(|| {
    let deposits: Vec<_> = (1..=6).map(|number| deposit(number, 0, 1_000)).collect();
    let Updated { table, rows, .. } = next(first(1), &deposits, &[], 2).expect("deposits");
    (table, rows.key)
});

#[derive(Clone, Debug)]
struct Round {
    boundary: Vec<BoundaryOperation>,
    deltas: Vec<Delta>,
}

/// Every operation, on one asset: a sealed table sums as many assets as a round names.
fn operation() -> impl Strategy<Value = BoundaryOperation> {
    let asset = AssetId(0);
    (0..9u8, 0..9u8, 0..9u8, 0..2_000u128).prop_map(move |(tag, number, other, amount)| {
        let (account, to) = (account(number), account(other));
        match tag {
            0 => BoundaryOperation::Open { account, asset },
            1 => BoundaryOperation::Withdraw { account, asset, amount },
            2 => BoundaryOperation::Reserve { account, asset, lots: number.into() },
            3 => BoundaryOperation::Freeze { account, asset, reason: other, frozen: amount % 2 == 0 },
            4 => BoundaryOperation::ForcedTransfer { account, asset, amount, to, reason: 1 },
            5 | 6 => BoundaryOperation::Transfer { account, asset, amount, to },
            _ => deposit(number, 0, amount),
        }
    })
}

/// Up to sixteen deltas: any batch, or transfers that go through.
fn deltas() -> impl Strategy<Value = Vec<Delta>> {
    let any = any::<u64>().prop_map(|seed| twin::some_deltas(&mut rng(seed)));
    let paid = vec((1..=6u8, 1..=6u8, 1..50i128), 0..8).prop_map(|paid| {
        paid.iter().flat_map(|(from, to, amount)| [delta(*from, 0, -amount, 0), delta(*to, 0, *amount, 0)]).collect()
    });
    prop_oneof![any, paid]
}

fn round() -> impl Strategy<Value = Round> {
    (vec(operation(), OPERATIONS), deltas()).prop_map(|(boundary, deltas)| Round { boundary, deltas })
}

fn capacity() -> impl Strategy<Value = usize> {
    prop_oneof![Just(16), Just(64), Just(256)]
}

fn on_open(round: &Round, k: usize, seed: u64) -> Trace {
    let (table, key) = &*TABLE;
    let open = OpenTable::open(&table.header, &table.body, key).expect("opens");
    let update = Update::Round { boundary: &round.boundary, deltas: &round.deltas, k, assets: &ASSETS };
    let (trace, made) = recorded(|| open.apply(&update, &master(), &mut rng(seed)));
    made.expect("updates");
    trace
}

fn on_sealed(round: &Round, k: usize, seed: u64) -> Trace {
    let (table, key) = &*TABLE;
    let tier = table.header.tier();
    let (mut body, mut sidecar) = (vec![0; body_len(tier)], vec![0; sidecar_len(tier)]);
    let outputs =
        Outputs { body: &mut SliceSink(&mut body), sidecar: &mut SliceSink(&mut sidecar), progress: &mut |_| () };
    let update = Update::Round { boundary: &round.boundary, deltas: &round.deltas, k, assets: &ASSETS };
    let sealed = SealedBody { header: &table.header, key, body: &mut &table.body[..] };
    let (trace, made) = recorded(|| sealed.apply(&update, &master(), outputs, &mut rng(seed)));
    made.expect("streams");
    trace
}

/// A table of 1 000 balances; of those that are looked for beyond there is none.
fn rows() -> Vec<[u8; ROW_LEN]> {
    let balance = |number: u16| Row { amount: 5, ..Row::empty(numbered(number), AssetId(0)) }.to_bytes();
    let mut rows: Vec<_> = (0..1_000).map(balance).collect();
    rows.resize(2_048, UNUSED);
    rows
}

fn numbered(number: u16) -> super::AccountId {
    let mut id = [9; 20];
    id[..2].copy_from_slice(&number.to_be_bytes());
    super::AccountId(id)
}

/// What finding and writing touches, for patches of whole rows and for those of deltas.
fn on_rows(named: &[u16], k: usize, seed: [u64; 4]) -> Trace {
    let mut rows = rows();
    let deltas: Vec<_> = named.iter().map(|number| Delta { account: numbered(*number), ..delta(0, 0, 1, 0) }).collect();
    let (whole, deltas) = deltas.split_at(deltas.len().min(OPERATIONS));
    let padded = [Delta::padded(whole, 16), Delta::padded(deltas, k)].map(|deltas| deltas.expect("fits")).concat();
    let patch = |found: &Option<Located>| match found {
        Some(found) => Patch { index: Some(found.index), old: found.bytes, new: UNUSED },
        None => Patch { index: None, old: UNUSED, new: UNUSED },
    };
    recorded(|| {
        let lookup = Lookup::new(
            Asked::new(&[], padded.iter().map(|delta| delta.key(&ASSETS)), [].into_iter(), &ASSETS).unique(),
            seed,
        );
        let mut findings = lookup.start();
        lookup.scan(&mut findings, 0, &rows);
        let patches: Vec<_> = lookup.rows(&findings).expect("well formed").iter().map(patch).collect();
        let (whole, deltas) = patches.split_at(16);
        Patches::new(whole.iter(), deltas, seed).apply(0, &mut rows);
    })
    .0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: twin::cases(16), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_two_rounds_of_one_size_touch_the_same_on_the_open_and_on_the_sealed_table(
        left in round(), right in round(), k in capacity(), seed in any::<u64>(),
    ) {
        on_one_thread(|| {
            let (here, there) = (on_open(&left, k, seed), on_open(&right, k, seed));
            assert!(here.rows > 0 && here.slots > here.rows);
            assert_eq!(here, there, "open");
            let (here, there) = (on_sealed(&left, k, seed), on_sealed(&right, k, seed));
            assert!(here.rows > 0 && here.slots > here.rows);
            assert_eq!(here, there, "sealed");
        });
    }

    #[test]
    fn any_two_batches_under_one_seed_touch_the_same_rows_and_slots(
        left in vec(0..1_200u16, 0..=16), right in vec(0..1_200u16, 0..=16), k in capacity(), seed in any::<[u64; 4]>(),
    ) {
        prop_assert_eq!(on_rows(&left, k, seed), on_rows(&right, k, seed));
    }
}
