//! Versions of their own: growth and epochs through the same [`Update`] as rounds.

use super::super::{AssetId, OpenTable, StructuralError, Tier, Update, Updated, genesis};
use super::{ASSETS, EPOCH, account, delta, deposit, funded, master, params, rng};
use crate::{epoch::Epoch, table::TableParams};

fn apply(from: Updated, update: &Update<'_>, seed: u64) -> Result<Updated, StructuralError> {
    from.rows.apply(update, &master(), &mut rng(seed))
}

fn balances(table: &Updated) -> Vec<[u8; 64]> {
    table.rows.rows.all()[1..].iter().filter(|row| **row != [0; 64]).copied().collect()
}

#[test]
fn a_round_keeps_tier_and_epoch() {
    let deltas = [delta(1, 0, -40, 0), delta(2, 0, 40, 0)];
    let round = Update::Round { boundary: &[deposit(3, 0, 5)], deltas: &deltas, k: 16, assets: &ASSETS };
    let after = apply(funded(), &round, 3).expect("seals");
    assert_eq!((after.table.header.tier(), after.table.header.epoch()), (Tier::SMALLEST, EPOCH));
    assert_eq!((after.boundary.as_slice(), after.rows.sum(AssetId(0))), (&[Ok(())][..], 205));
}

#[test]
fn growth_is_a_version_of_its_own_and_changes_no_balance() {
    let before = funded();
    let (kept, former) = (balances(&before), before.table.header.clone());
    let grown = apply(before, &Update::Growth, 4).expect("grows");
    let header = grown.table.header.clone();
    assert_eq!((header.tier(), header.epoch()), (Tier::new(12).expect("tier"), EPOCH));
    assert_eq!((header.version(), header.previous()), (former.version() + 1, former.hash()));
    assert_eq!((balances(&grown), grown.boundary.len()), (kept, 0));
    assert_eq!(grown.rows.epoch_salt(), funded().rows.epoch_salt(), "the canonical order goes on");
    let key = grown.rows.key.duplicate();
    let open = OpenTable::open(&header, &grown.table.body, &key).expect("opens");
    let later = open.apply(&Update::Growth, &master(), &mut rng(5)).expect("grows again");
    assert_eq!(later.table.header.tier(), Tier::new(14).expect("tier"));
}

#[test]
fn a_new_epoch_is_a_version_of_its_own_for_the_same_master_key() {
    let before = funded();
    let (kept, salt) = (balances(&before), before.rows.epoch_salt());
    let after = apply(before, &Update::Epoch(Epoch(9)), 4).expect("wraps anew");
    let header = &after.table.header;
    assert_eq!((header.epoch(), header.tier(), header.version()), (Epoch(9), Tier::SMALLEST, 3));
    assert_eq!(balances(&after), kept);
    assert_eq!(after.rows.epoch_salt(), after.rows.key.epoch_salt(Epoch(9)));
    assert_ne!(after.rows.epoch_salt(), salt);
    assert!(header.wrapped().clone().verify(&master()).is_ok());
    let rotated = super::rotation::other(78);
    let refused = funded().rows.apply(&Update::Epoch(Epoch(9)), &rotated, &mut rng(4)).err();
    assert_eq!(refused, Some(StructuralError::OtherMasterKey { expected: rotated.to_bytes() }));
}

#[test]
fn an_epoch_that_is_not_later_is_refused() {
    for found in [Epoch(0), EPOCH] {
        let refused = apply(funded(), &Update::Epoch(found), 4).err();
        assert_eq!(refused, Some(StructuralError::Epoch { least: EPOCH, found }));
    }
}

#[test]
fn capacities_are_checked_before_anything_is_sealed() {
    let round = |k, deltas| apply(funded(), &Update::Round { boundary: &[], deltas, k, assets: &ASSETS }, 3).err();
    assert_eq!(round(15, &[]), Some(StructuralError::DeltaCapacity { found: 15 }));
    let many = [delta(1, 0, 0, 0); 65];
    assert_eq!(round(64, &many), Some(StructuralError::TooManyDeltas { capacity: 64, found: 65 }));
}

#[test]
fn n130_the_largest_tier_does_not_grow() {
    let mut table = genesis(&params(), &master(), &mut rng(1)).expect("genesis");
    let largest = TableParams { tier: Tier::LARGEST, ..params() };
    table.rows.header = {
        let mut prefix = table.rows.header.prefix().clone();
        prefix.tier = largest.tier;
        let roots = super::super::header::Roots { body: [0; 32], key_commitment: [0; 32], state: [0; 32] };
        super::super::Header::new(prefix, roots, table.table.header.wrapped().clone()).expect("a table key")
    };
    assert_eq!(apply(table, &Update::Growth, 2).err(), Some(StructuralError::LargestTier { found: Tier::LARGEST }));
}

#[test]
fn own_versions_and_rounds_never_share_a_data_key() {
    // the same random bytes: the update's digest and P0 tell the keys apart
    let idle = Update::Round { boundary: &[], deltas: &[], k: 16, assets: &ASSETS };
    let key = |update| *apply(funded(), update, 7).expect("seals").rows.key.expose();
    let mut keys = [&idle, &Update::Growth, &Update::Epoch(Epoch(4)), &Update::Epoch(Epoch(5))].map(key).to_vec();
    keys.extend([78, 79].map(super::rotation::key_after));
    for (index, one) in keys.iter().enumerate() {
        assert!(keys[..index].iter().all(|other| other != one), "update {index}");
    }
    assert_eq!(funded().rows.find(account(1), AssetId(0)).map(|row| row.amount), Some(100));
}
