//! A rotation of the master key on a chain: the contracts of a custody deployment, whose registry hands the vault over,
//! and actors that read each fact from that chain.

#![allow(clippy::panic, clippy::expect_used, reason = "a helper of a test fails as the test does")]

mod custody;
mod support;

use ccc_chain::status::Standing;
use ccc_core::{ciphertext::CiphertextError, table::Header};
use ccc_enclave::upkeep::Duty;
use ccc_node::{vault_node::Refusal, workflow_node::SignerRefusal};
use custody::{Scene, refusal};
use support::{
    ask_for,
    pool::{BASE, LOT, QUOTE, owner::Owner},
};

const RESERVE: u8 = 1;
const MAKERS: [u8; 3] = [2, 3, 4];

/// After two versions: the reserve and three makers have paid in, and their orders are read.
async fn with_makers(seed: u64) -> Scene {
    let mut scene = Scene::new(seed).await;
    scene.deposit(RESERVE, QUOTE, 1_000_000_000_000).await;
    for (maker, lots) in MAKERS.into_iter().zip([10, 20, 30]) {
        scene.deposit(maker, BASE, u128::from(lots * LOT)).await;
        scene.order(maker, lots * LOT, 1_000).await;
    }
    scene.close(None).await;
    scene
}

/// Amounts and reservations of the makers, opened by the committee that holds the table.
fn balances(scene: &mut Scene) -> [(u128, u64); 3] {
    MAKERS.map(|maker| scene.world.balance(Owner::new(maker).account(), BASE))
}

/// The chain's table is the one with this header.
async fn assert_on_chain(scene: &Scene, header: &Header) {
    let table = scene.table().await;
    assert_eq!((table.version, table.header_hash.0), (header.version(), header.hash()));
}

#[tokio::test]
async fn a_rotation_is_taken_after_the_handover_and_a_round_of_the_former_key_never_again() {
    let mut scene = with_makers(1).await;
    let (before, funds) = (scene.table().await, balances(&mut scene));
    assert_eq!((before.version, before.consumed, scene.epoch().await), (2, 4, 1));
    let held = scene.make(None).await;
    let held = scene.sign(&held, None).await.expect("a round of the epoch");
    scene.prepare(101);
    let early = scene.make(Some(Duty::Rotation)).await;
    let refused = scene.sign(&early, Some(Duty::Rotation)).await.err();
    assert!(matches!(refused, Some(SignerRefusal::NotCurrent { standing: Standing::Unknown, .. })), "{refused:?}");
    let (pool, registry) = (scene.deployment.pool, scene.registries().vault);
    let taken = scene.deliver(&scene.sign_blindly(&early)).await;
    assert_eq!(refusal(taken), (pool, "WrongEpoch(1, 2)".to_owned()));
    let next = scene.world.committee.clone();
    assert_eq!(refusal(scene.hand_over(&next, 2).await), (registry, "SignatureCount(3, 2)".to_owned()));
    scene.hand_over(&next, 3).await.expect("n−F of the committee in office");
    assert_eq!(scene.epoch().await, 2);
    assert_eq!(refusal(scene.deliver(&held).await), (pool, "WrongEpoch(2, 1)".to_owned()));
    scene.admit().await;
    let rotated = scene.close(Some(Duty::Rotation)).await;
    assert_on_chain(&scene, &rotated).await;
    assert_eq!((rotated.version(), rotated.epoch().0, rotated.previous()), (3, 2, before.header_hash.0));
    assert!(rotated.wrapped().clone().verify(&scene.world.key()).is_ok());
    assert_eq!(balances(&mut scene), funds);
    assert_eq!(refusal(scene.deliver(&held).await), (pool, "WrongEpoch(2, 1)".to_owned()));
}

#[tokio::test]
async fn after_a_rotation_the_pool_goes_on_with_the_new_committee_and_the_former_one_opens_nothing() {
    let mut scene = with_makers(2).await;
    scene.prepare(102);
    scene.hand_over(&scene.world.committee.clone(), 3).await.expect("n−F of the committee in office");
    scene.admit().await;
    let made = scene.make(Some(Duty::Rotation)).await;
    // the host alone wants it
    match scene.sign(&made, None).await {
        Err(SignerRefusal::Differs { what }) => assert_eq!(what, "the price block"),
        other => panic!("{other:?}"),
    }
    scene.close(Some(Duty::Rotation)).await;
    scene.deposit(MAKERS[0], BASE, u128::from(LOT)).await;
    let plan = scene.job(None).await.log;
    let plan = scene.world.plan(plan);
    scene.world.swap();
    let asked = ask_for(&mut scene.world, plan);
    match scene.answers(&asked.ask).await {
        Err(Refusal::Ciphertext { index: 0, source }) => assert_eq!(source, CiphertextError::Proof),
        other => panic!("{other:?}"),
    }
    scene.world.swap();
    let header = scene.close(None).await;
    assert_on_chain(&scene, &header).await;
    assert_eq!((header.version(), header.epoch().0), (4, 2));
    let lots = [11, 20, 30].map(|lots: u64| u128::from(lots * LOT));
    assert_eq!(balances(&mut scene).map(|(amount, _)| amount), lots);
}
