//! A table follows a rotation: the former key opens it for the last time, the next version is for the new key alone.

use super::super::{
    AssetId, DataKey, Header, OpenTable, Outputs, ResultCode, Rotation, SealedBody, SealedTable, SliceSink,
    StreamError, StructuralError, Tier, Update, Updated, body_len, sidecar_len,
};
use super::{ASSETS, EPOCH, account, delta, deposit, funded, master, rng};
use crate::{ciphertext::CiphertextError, epoch::Epoch, keys::MasterPublicKey};
use curve25519_dalek::{RistrettoPoint, Scalar, ristretto::CompressedRistretto};

const LATER: Epoch = Epoch(EPOCH.0 + 1);

/// The master public key with this secret; [`master`] has 77.
pub(super) fn other(secret: u64) -> MasterPublicKey {
    MasterPublicKey::new(RistrettoPoint::mul_base(&secret.into())).expect("not the identity")
}

fn rotation(from: MasterPublicKey, to: MasterPublicKey) -> Update<'static> {
    Update::Rotation(Rotation::new(LATER, from, to).expect("two keys"))
}

fn rotated(from: Updated, to: MasterPublicKey) -> Updated {
    from.rows.apply(&rotation(master(), to), &to, &mut rng(7)).expect("rotates")
}

/// The data key after a rotation, from the same random bytes.
pub(super) fn key_after(secret: u64) -> [u8; 32] {
    *rotated(funded(), other(secret)).rows.key.expose()
}

/// What holders of this secret read in a header, as if they had all shares.
fn opened(header: &Header, secret: u64) -> Result<DataKey, CiphertextError> {
    let verified = header.wrapped().clone().verify(&other(secret))?;
    let wrapped = header.wrapped().to_wrapped().expect("a table key");
    let u = CompressedRistretto::from_slice(&wrapped[8..40]).expect("32 bytes").decompress().expect("a point");
    let plain = verified.open_with((u * Scalar::from(secret)).compress().as_bytes()).expect("opens");
    Ok(DataKey::from_opened(&plain).expect("a data key"))
}

fn streamed(
    from: &SealedTable,
    key: &DataKey,
    update: &Update<'_>,
    to: MasterPublicKey,
) -> Result<SealedTable, StreamError> {
    let (mut body, mut sidecar) = (vec![0; body_len(Tier::SMALLEST)], vec![0; sidecar_len(Tier::SMALLEST)]);
    let outputs =
        Outputs { body: &mut SliceSink(&mut body), sidecar: &mut SliceSink(&mut sidecar), progress: &mut |_| () };
    let sealed = SealedBody { header: &from.header, key, body: &mut &from.body[..] };
    let header = sealed.apply(update, &to, outputs, &mut rng(7))?.header;
    Ok(SealedTable { header, body, sidecar })
}

fn refusal(made: Result<SealedTable, StreamError>) -> StructuralError {
    match made {
        Err(StreamError::Structural(error)) => error,
        _ => panic!("not refused"),
    }
}

#[test]
fn after_a_rotation_the_new_key_alone_opens_the_header() {
    let before = funded();
    let former = before.table.header.clone();
    let after = rotated(before, other(78));
    let header = &after.table.header;
    assert_eq!((header.epoch(), header.tier()), (LATER, Tier::SMALLEST));
    assert_eq!((header.version(), header.previous()), (former.version() + 1, former.hash()));
    assert_eq!(opened(header, 77).err(), Some(CiphertextError::Proof), "the former committee");
    assert_eq!(opened(header, 79).err(), Some(CiphertextError::Proof));
    let key = opened(header, 78).expect("the new committee");
    assert_eq!(key.expose(), after.rows.key.expose());
    assert!(OpenTable::open(header, &after.table.body, &key).is_ok());
    let kept = opened(&former, 77).expect("the version before stays the former committee's");
    assert!(OpenTable::open(&former, &funded().table.body, &kept).is_ok());
    assert_eq!(opened(&former, 78).err(), Some(CiphertextError::Proof));
}

#[test]
fn a_rotation_changes_no_row_and_rounds_go_on_under_the_new_key() {
    let before = funded();
    let (kept, salt) = (before.rows.rows.all()[1..].to_vec(), before.rows.epoch_salt());
    let after = rotated(before, other(78));
    assert_eq!(after.rows.rows.all()[1..], kept);
    assert_eq!((after.code, after.boundary.len()), (ResultCode::Done, 0));
    assert_eq!(after.rows.epoch_salt(), after.rows.key.epoch_salt(LATER));
    assert_ne!(after.rows.epoch_salt(), salt);
    let deltas = [delta(1, 0, -40, 0), delta(2, 0, 40, 0)];
    let round = Update::Round { boundary: &[deposit(3, 0, 5)], deltas: &deltas, k: 16, assets: &ASSETS };
    let key = opened(&after.table.header, 78).expect("a data key");
    let open = OpenTable::open(&after.table.header, &after.table.body, &key).expect("opens");
    let next = open.apply(&round, &other(78), &mut rng(8)).expect("a round");
    assert_eq!(next.rows.find(account(2), AssetId(0)).map(|row| row.amount), Some(140));
    assert_eq!(next.rows.sum(AssetId(0)), 205);
    assert!(opened(&next.table.header, 78).is_ok());
}

#[test]
fn a_rotation_streams_like_on_the_open_table() {
    let before = funded();
    let key = before.rows.key.duplicate();
    let made = streamed(&before.table, &key, &rotation(master(), other(78)), other(78)).expect("streams");
    let open = rotated(before, other(78)).table;
    assert_eq!(made.header.to_bytes(), open.header.to_bytes());
    assert!(made.body == open.body && made.sidecar == open.sidecar);
}

#[test]
fn a_rotation_from_a_key_that_the_header_is_not_wrapped_for_leaves_the_old_version() {
    let before = funded();
    let refused = StructuralError::OtherMasterKey { expected: other(79).to_bytes() };
    let wrong = rotation(other(79), other(78));
    assert_eq!(refusal(streamed(&before.table, &before.rows.key, &wrong, other(78))), refused);
    let table = before.table.clone();
    assert_eq!(before.rows.apply(&wrong, &other(78), &mut rng(7)).err(), Some(refused));
    let key = opened(&table.header, 77).expect("still the former committee's");
    let open = OpenTable::open(&table.header, &table.body, &key).expect("the old version is as it was");
    assert!(open.apply(&rotation(master(), other(78)), &other(78), &mut rng(7)).is_ok());
}

#[test]
fn a_header_that_was_rotated_to_a_third_key_takes_no_second_rotation_from_the_first() {
    let third = rotated(funded(), other(79));
    let again = Update::Rotation(Rotation::new(Epoch(9), master(), other(78)).expect("two keys"));
    let refused = StructuralError::OtherMasterKey { expected: master().to_bytes() };
    assert_eq!(third.rows.apply(&again, &other(78), &mut rng(8)).err(), Some(refused));
}

#[test]
fn a_rotation_is_sealed_for_the_key_that_it_names() {
    let before = funded();
    let update = rotation(master(), other(78));
    for found in [master(), other(79)] {
        let refused = StructuralError::RotatedTo { expected: other(78).to_bytes(), found: found.to_bytes() };
        assert_eq!(refusal(streamed(&before.table, &before.rows.key, &update, found)), refused);
        assert_eq!(funded().rows.apply(&update, &found, &mut rng(7)).err(), Some(refused));
    }
    assert_eq!(Rotation::new(LATER, master(), master()), Err(StructuralError::SameKey));
}

#[test]
fn growth_goes_to_no_other_key() {
    let before = funded();
    let refused = StructuralError::OtherMasterKey { expected: other(78).to_bytes() };
    assert_eq!(refusal(streamed(&before.table, &before.rows.key, &Update::Growth, other(78))), refused);
    assert_eq!(before.rows.apply(&Update::Growth, &other(78), &mut rng(7)).err(), Some(refused));
}

#[test]
fn a_rotation_takes_a_later_epoch() {
    for found in [Epoch(0), EPOCH] {
        let update = Update::Rotation(Rotation::new(found, master(), other(78)).expect("two keys"));
        let refused = funded().rows.apply(&update, &other(78), &mut rng(7)).err();
        assert_eq!(refused, Some(StructuralError::Epoch { least: EPOCH, found }));
    }
}
