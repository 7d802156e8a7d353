//! A round in steps, decided on what was found, against the open table; and what its scans touch.

use super::super::{
    AccountId, AssetId, BoundaryOperation, DataKey, Delta, Outputs, ResultCode, SealedBody, SealedTable, SliceSink,
    StreamError, StructuralError, Update, Updated, Wanted, body_len, sidecar_len,
};
use super::{ASSETS, account, delta, deposit, first, funded, master, rng, twin};
use rand::RngExt;
use rand_chacha::ChaCha20Rng;

const ALL: std::ops::Range<u8> = 0..9;

/// What both ways of a round saw: balances and indices, reading keys, sums.
#[derive(Debug, PartialEq, Eq)]
struct Seen(Vec<Option<(u32, super::super::Row)>>, Vec<Option<[u8; 32]>>, Vec<u128>);

macro_rules! seen {
    ($rows:expr, $wanted:expr) => {{
        let (rows, wanted): (_, &Named) = (&$rows, $wanted);
        let keys = rows.reading_keys(&wanted.owners).into_iter().map(|key| key.map(|key| *key)).collect();
        let sums = (0..3).map(|asset| rows.sum(AssetId(asset))).collect();
        Seen(rows.locate_many(&wanted.rows), keys, sums)
    }};
}

/// Rows and accounts that a first pass names, more than the batch needs.
struct Named {
    rows: Vec<(AccountId, AssetId)>,
    owners: Vec<AccountId>,
    k: usize,
}

impl Named {
    fn wanted<'a>(&'a self, boundary: &'a [BoundaryOperation]) -> Wanted<'a> {
        Wanted { boundary, rows: &self.rows, owners: &self.owners, k: self.k, assets: &ASSETS }
    }

    /// Every row that one of the deltas or a few strangers have, some of them twice.
    fn around(deltas: &[Delta], rng: &mut ChaCha20Rng) -> Self {
        let k = [16, 64, 256][rng.random_range(0..3)];
        let mut rows: Vec<_> = deltas.iter().map(|delta| (delta.account, delta.asset)).collect();
        while rows.len() < 14 {
            rows.push((account(rng.random_range(ALL)), AssetId(rng.random_range(0..4))));
        }
        let owners = (0..rng.random_range(0..12)).map(|_| account(rng.random_range(ALL))).collect();
        Self { rows, owners, k }
    }
}

/// Amounts may change between the passes; what a key names may not.
fn enlarged(mut boundary: Vec<BoundaryOperation>) -> Vec<BoundaryOperation> {
    for operation in &mut boundary {
        if let BoundaryOperation::Reserve { lots, .. } = operation {
            *lots += 1;
        }
    }
    boundary
}

/// A round in steps and the same one on the open table; the next version.
fn both(current: Updated, named: &Named, boundary: &[BoundaryOperation], deltas: &[Delta], seed: u64) -> Updated {
    let (key, from, tier) = (current.rows.key.duplicate(), &current.table, current.table.header.tier());
    let sealed = SealedBody { header: &from.header, key: &key, body: &mut &from.body[..] };
    let found = sealed.find(&named.wanted(boundary), &mut |_| ()).expect("finds");
    assert_eq!(seen!(found.rows(), named), seen!(current.rows, named));
    assert_eq!(found.epoch_salt(), current.rows.epoch_salt());
    let boundary = enlarged(boundary.to_vec());
    let update = Update::Round { boundary: &boundary, deltas, k: named.k, assets: &ASSETS };
    let mut randomness = rng(seed);
    let decided = found.decide(&update, &mut randomness).expect("decides");
    let next = current.rows.apply(&update, &master(), &mut rng(seed)).expect("updates");
    assert_eq!((decided.code(), decided.boundary()), (next.code, &next.boundary[..]));
    assert_eq!(seen!(decided.rows(), named), seen!(next.rows, named));
    let (mut body, mut sidecar) = (vec![0; body_len(tier)], vec![0; sidecar_len(tier)]);
    let outputs =
        Outputs { body: &mut SliceSink(&mut body), sidecar: &mut SliceSink(&mut sidecar), progress: &mut |_| () };
    let (made, rows) = decided.seal(&master(), outputs, &mut randomness).expect("seals");
    assert_eq!(seen!(rows, named), seen!(next.rows, named));
    assert_eq!(made.header.to_bytes(), next.table.header.to_bytes());
    assert!(body == next.table.body && sidecar == next.table.sidecar);
    next
}

#[test]
fn rounds_in_steps_are_those_of_the_open_table() {
    let mut rng = rng(77);
    let (mut current, mut codes) = (first(5), std::collections::BTreeSet::new());
    for number in 0..100u64 {
        let (boundary, deltas) = (twin::some_boundary(&mut rng), twin::some_deltas(&mut rng));
        let named = Named::around(&deltas, &mut rng);
        current = both(current, &named, &boundary, &deltas, number);
        codes.extend(current.boundary.iter().map(|result| result.err().unwrap_or(ResultCode::Done)));
        codes.insert(current.code);
    }
    assert!(codes.len() > 4, "refusals occur: {codes:?}");
}

#[test]
fn rows_that_a_round_makes_are_there_after_it() {
    let named = Named { rows: vec![(account(7), AssetId(0))], owners: vec![account(7), account(1)], k: 16 };
    let after = both(funded(), &named, &[deposit(7, 0, 5)], &[], 3);
    assert_eq!(after.rows.find(account(7), AssetId(0)).map(|row| row.amount), Some(5));
    assert!(after.rows.reading_keys(&named.owners).iter().all(Option::is_some));
}

/// How a round ends whose first pass named something else.
fn refused(named: &Named, sought: &[BoundaryOperation], update: &Update<'_>) -> StructuralError {
    let table = funded();
    let key = table.rows.key.duplicate();
    let sealed = SealedBody { header: &table.table.header, key: &key, body: &mut &table.table.body[..] };
    match sealed.find(&named.wanted(sought), &mut |_| ()) {
        Ok(found) => found.decide(update, &mut rng(1)).err().expect("refused"),
        Err(StreamError::Structural(error)) => error,
        Err(StreamError::Medium(error)) => panic!("{error}"),
    }
}

#[test]
fn a_round_that_names_what_was_not_looked_for_is_refused() {
    let named =
        Named { rows: vec![(account(1), AssetId(0)), (account(2), AssetId(0))], owners: vec![account(3)], k: 16 };
    let update = |boundary, deltas, k| Update::Round { boundary, deltas, k, assets: &ASSETS };
    let (one, two) = ([deposit(1, 0, 1)], [deposit(1, 0, 1), deposit(1, 0, 1)]);
    let elsewhere = [deposit(1, 1, 1)];
    // an account whose reading key alone was looked for is no row that a delta may name
    let outside = [delta(1, 0, -1, 0), delta(3, 0, 1, 0)];
    let other_asset = [delta(1, 1, -1, 0), delta(2, 1, 1, 0)];
    for (boundary, deltas, k) in [
        (&one[..], &outside[..], 16),
        (&one, &other_asset, 16),
        (&two, &[], 16),
        (&[], &[], 16),
        (&elsewhere, &[], 16),
        (&one, &[], 64),
    ] {
        assert_eq!(refused(&named, &one, &update(boundary, deltas, k)), StructuralError::NotSought);
    }
    assert_eq!(refused(&named, &one, &Update::Growth), StructuralError::NotSought);
    let odd = Named { k: 17, ..Named { rows: vec![], owners: vec![], k: 0 } };
    assert_eq!(refused(&odd, &one, &update(&one, &[], 16)), StructuralError::DeltaCapacity { found: 17 });
    let many = Named { rows: vec![(account(1), AssetId(0)); 17], owners: vec![], k: 16 };
    assert_eq!(
        refused(&many, &one, &update(&one, &[], 16)),
        StructuralError::TooManyDeltas { capacity: 16, found: 17 }
    );
}

/// A body whose rows are right and whose root is not the header's, from memory: the passes find it in the second one.
#[test]
fn a_round_on_another_body_seals_nothing() {
    let (table, other) = (funded(), first(9));
    let key = table.rows.key.duplicate();
    let mut header = table.table.header.to_bytes();
    // the root stands behind P0's 123 bytes; the tags do not cover it
    header[123] ^= 1;
    let header = super::super::Header::from_bytes(&header).expect("a header");
    let sealed = SealedBody { header: &header, key: &key, body: &mut &table.table.body[..] };
    let named = Named { rows: vec![], owners: vec![], k: 16 };
    let found = sealed.find(&named.wanted(&[]), &mut |_| ()).expect("every tag fits");
    let update = Update::Round { boundary: &[], deltas: &[], k: 16, assets: &ASSETS };
    let decided = found.decide(&update, &mut rng(1)).expect("decides");
    assert!(matches!(sealed_to_nowhere(decided, &other.table), Err(StructuralError::BodyRoot { .. })));
}

fn sealed_to_nowhere(
    decided: super::super::DecidedRound<'_, &[u8]>,
    sizes: &SealedTable,
) -> Result<(), StructuralError> {
    let (mut body, mut sidecar) = (sizes.body.clone(), sizes.sidecar.clone());
    let outputs =
        Outputs { body: &mut SliceSink(&mut body), sidecar: &mut SliceSink(&mut sidecar), progress: &mut |_| () };
    match decided.seal(&master(), outputs, &mut rng(1)) {
        Ok(_) => Ok(()),
        Err(StreamError::Structural(error)) => Err(error),
        Err(StreamError::Medium(error)) => panic!("{error}"),
    }
}

#[test]
fn a_key_that_the_header_does_not_commit_to_finds_nothing() {
    let table = funded();
    let key = DataKey::from_opened(&[7; 32]).expect("32 bytes");
    let sealed = SealedBody { header: &table.table.header, key: &key, body: &mut &table.table.body[..] };
    let named = Named { rows: vec![], owners: vec![], k: 16 };
    let error = sealed.find(&named.wanted(&[]), &mut |_| ()).err();
    assert!(matches!(error, Some(StreamError::Structural(StructuralError::KeyCommitment))));
}
