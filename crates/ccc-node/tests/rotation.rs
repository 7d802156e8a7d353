//! A rotation among the actors: the former committee gives its shares for the last time, the signers sign on their
//! operators' instruction, and afterwards the former committee gives none. What they read of the chain is made by hand here;
//! `handover.rs` reads it.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_core::{
    ciphertext::CiphertextError,
    enclave::attestation::PolicyRefusal,
    table::{RollbackError, SealedTable},
};
use ccc_enclave::{attempt::Enclave, result::AttestedResult, upkeep::Duty};
use ccc_node::{
    vault_node::Refusal,
    workflow_node::{SignerRefusal, SignerView},
};
use rand::{SeedableRng, rngs::StdRng};
use support::{
    Asked, ask_for, node,
    pool::{Job, World},
    signing::{instructed, sign, signer_view},
    view,
};

fn job(world: &World) -> Job {
    Job { log: instructed(world, Duty::Rotation), ..world.job(None) }
}

/// A pool whose vault went to another master key.
fn handed_over(seed: u64) -> World {
    let (mut world, _) = World::with_makers(seed);
    world.hand_over(seed + 100);
    world
}

/// What the former committee is asked.
fn asked(world: &mut World) -> Asked {
    let plan = world.plan(instructed(world, Duty::Rotation));
    world.swap();
    let asked = ask_for(world, plan);
    world.swap();
    asked
}

fn accept(world: &mut World, table: SealedTable) {
    world.table = Some(table);
    (world.block, world.time) = (world.block + 1, world.time + 12);
}

#[test]
fn the_former_participants_open_the_version_that_follows_a_rotation() {
    let mut world = handed_over(1);
    let (asked, chain) = (asked(&mut world), view(&world, None));
    let (mut rng, job) = (StdRng::seed_from_u64(1), job(&world));
    world.swap();
    let envelopes = (0..3).map(|index| node(&world, index).reencrypt(&chain, &asked.ask, world.time, &mut rng));
    let envelopes = envelopes.map(|answer| answer.expect("an answer").expect("not silent")).collect();
    let former = world.committee.clone();
    world.swap();
    let plan = world.plan(job.log.clone());
    let enclave = Enclave::new(world.config.clone(), &world.provider).expect("a configuration");
    let attempt = enclave.resume(asked.ask.request, asked.keys, world.time).expect("an attempt");
    let opened = attempt.open_former((&former, world.committee.epoch()), asked.verified, envelopes).expect("opened");
    assert!(opened.culprits().is_empty());
    let table = world.table.clone().expect("a table");
    let output = opened.rotate(&plan, (&table.header, &table.body), &job.input(), &mut rng).expect("a rotation");
    assert!(output.table.header.wrapped().clone().verify(&world.key()).is_ok());
}

#[test]
fn a_participant_that_does_not_list_the_enclave_with_both_keys_gives_no_share_for_it() {
    let mut world = handed_over(2);
    let (asked, chain, with_both) = (asked(&mut world), view(&world, None), world.config.clone());
    world.swap();
    world.config.former_master_public_key = None;
    let refused = node(&world, 0).reencrypt(&chain, &asked.ask, world.time, &mut StdRng::seed_from_u64(1)).err();
    assert!(matches!(refused, Some(Refusal::Policy(PolicyRefusal::Measurement { .. }))), "{refused:?}");
    world.config = with_both;
    assert!(node(&world, 0).reencrypt(&chain, &asked.ask, world.time, &mut StdRng::seed_from_u64(1)).is_ok());
}

#[test]
fn after_the_rotation_the_former_participants_give_no_share_of_either_version() {
    let mut world = handed_over(3);
    let (before, job) = (asked(&mut world), job(&world));
    let table = world.rotate(&job).expect("a rotation").table;
    accept(&mut world, table);
    let (chain, mut rng) = (view(&world, None), StdRng::seed_from_u64(1));
    let plan = world.plan(world.log(None));
    world.swap();
    let after = ask_for(&mut world, plan);
    let refused = node(&world, 0).reencrypt(&chain, &after.ask, world.time, &mut rng).err();
    match refused {
        Some(Refusal::Ciphertext { index: 0, source }) => assert_eq!(source, CiphertextError::Proof),
        other => panic!("{other:?}"),
    }
    let refused = node(&world, 0).reencrypt(&chain, &before.ask, world.time, &mut rng).err();
    assert!(matches!(refused, Some(Refusal::Rollback(RollbackError { .. }))), "{refused:?}");
}

fn rotated(seed: u64) -> (World, Job, AttestedResult) {
    let mut world = handed_over(seed);
    let job = job(&world);
    let result = world.rotate(&job).expect("a rotation").result;
    (world, job, result)
}

#[test]
fn an_instructed_signer_signs_a_rotation_in_the_new_epoch_alone() {
    let (world, job, result) = rotated(4);
    let good = signer_view(&world, &job, instructed(&world, Duty::Rotation));
    assert!(sign(&world, &result, &good).is_none());
    let early = SignerView { epoch: 1, ..good };
    match sign(&world, &result, &early) {
        Some(SignerRefusal::Differs { what }) => assert_eq!(what, "the epoch"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_signer_without_the_instruction_refuses_a_rotation() {
    let (world, job, result) = rotated(5);
    match sign(&world, &result, &signer_view(&world, &job, world.log(None))) {
        Some(SignerRefusal::Differs { what }) => assert_eq!(what, "the price block"),
        other => panic!("{other:?}"),
    }
    // another duty is planned under the present key, for which the header is not wrapped
    match sign(&world, &result, &signer_view(&world, &job, instructed(&world, Duty::Epoch))) {
        Some(SignerRefusal::Plan(error)) => assert!(error.to_string().starts_with("the table's key does not verify")),
        other => panic!("{other:?}"),
    }
}
