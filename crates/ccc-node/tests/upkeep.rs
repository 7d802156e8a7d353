//! A signer signs a version of its own on its operator's instruction, and never on the host's word.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_core::report::{Origin, ReportContext, ReportSigner};
use ccc_enclave::{
    intake::Log,
    result::AttestedResult,
    upkeep::{Duty, Upkeep},
};
use ccc_node::workflow_node::{Shown, SignerRefusal, SignerView, WorkflowNode};
use support::pool::{BASE, BLOCK_HASH, Job, World};

const CONTEXT: ReportContext = ReportContext { config_digest: [5; 32], sequence: 7 };

/// The log of a version of its own after rounds that have read orders up to block 90.
fn instructed(world: &World, duty: Duty) -> Log {
    Log { consumed: world.consumed, upkeep: Some(Upkeep { duty, read: 90 }), ..Log::default() }
}

/// What a signer reads whose operator gave it this log.
fn view(world: &World, job: &Job, log: Log) -> SignerView {
    let header = world.header().map_or(([0; 32], 0), |header| (header.hash(), header.version()));
    SignerView {
        chain: world.config.chain,
        receivers: [world.config.reserve_attestation, world.config.pool],
        epoch: world.committee.epoch().0,
        now: world.time,
        inputs: world.inputs(),
        block_hash: BLOCK_HASH,
        log,
        header,
        latest: header,
        last_sequence: job.validity.sequence - 1,
        accumulator: Some(world.consumed.value()),
        price_source: world.config.price_source,
        observations: job.observations.clone(),
        enclave: None,
    }
}

fn sign(world: &World, result: &AttestedResult, view: &SignerView) -> Option<SignerRefusal> {
    let key = ReportSigner::from_bytes(&[4; 32]).expect("a key");
    let signer = WorkflowNode::new(key, world.policy(), world.config.clone(), world.key());
    let shown = Shown { request: world.asked.as_ref().expect("a request"), header: world.header() };
    let mut workflow_id = [7; 32];
    workflow_id[0] = 0;
    let origin = Origin { don_id: 1, config_version: 1, workflow_id, workflow_owner: [8; 20] };
    signer.sign(result, shown, view, origin, &CONTEXT).err()
}

/// A grown table's result while a deposit waits, and the job that made it.
fn grown(seed: u64) -> (World, Job, AttestedResult) {
    let (mut world, makers) = World::with_makers(seed);
    world.deposit([1; 20], &makers[0], BASE, 5);
    let job = Job { log: instructed(&world, Duty::Growth), ..world.job(None) };
    let result = world.run(&job).expect("a version of its own").result;
    (world, job, result)
}

#[test]
fn an_instructed_signer_signs_growth() {
    let (world, job, result) = grown(1);
    assert!(sign(&world, &result, &view(&world, &job, instructed(&world, Duty::Growth))).is_none());
}

#[test]
fn a_signer_without_the_instruction_refuses_growth() {
    let (world, job, result) = grown(2);
    match sign(&world, &result, &view(&world, &job, world.log(None))) {
        Some(SignerRefusal::Differs { what }) => assert_eq!(what, "the price block"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_signer_refuses_a_duty_or_a_block_that_is_not_its_instructions() {
    let (world, job, result) = grown(3);
    match sign(&world, &result, &view(&world, &job, instructed(&world, Duty::Epoch))) {
        Some(SignerRefusal::OtherLog { expected, found }) => assert_ne!(expected, found),
        other => panic!("{other:?}"),
    }
    let mut elsewhere = instructed(&world, Duty::Growth);
    elsewhere.upkeep = Some(Upkeep { duty: Duty::Growth, read: 91 });
    match sign(&world, &result, &view(&world, &job, elsewhere)) {
        Some(SignerRefusal::Differs { what }) => assert_eq!(what, "the price block"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_instructed_signer_signs_no_round_instead() {
    let (mut world, _) = World::with_makers(4);
    let job = world.job(None);
    let result = world.run(&job).expect("a round").result;
    match sign(&world, &result, &view(&world, &job, instructed(&world, Duty::Growth))) {
        Some(SignerRefusal::Differs { what }) => assert_eq!(what, "the price block"),
        other => panic!("{other:?}"),
    }
}
