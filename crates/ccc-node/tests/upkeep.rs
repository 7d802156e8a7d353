//! A signer signs a version of its own on its operator's instruction, and never on the host's word.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_enclave::{
    result::AttestedResult,
    upkeep::{Duty, Upkeep},
};
use ccc_node::workflow_node::SignerRefusal;
use support::{
    pool::{BASE, Job, World},
    signing::{instructed, sign, signer_view},
};

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
    assert!(sign(&world, &result, &signer_view(&world, &job, instructed(&world, Duty::Growth))).is_none());
}

#[test]
fn a_signer_without_the_instruction_refuses_growth() {
    let (world, job, result) = grown(2);
    match sign(&world, &result, &signer_view(&world, &job, world.log(None))) {
        Some(SignerRefusal::Differs { what }) => assert_eq!(what, "the price block"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_signer_refuses_a_duty_or_a_block_that_is_not_its_instructions() {
    let (world, job, result) = grown(3);
    match sign(&world, &result, &signer_view(&world, &job, instructed(&world, Duty::Epoch))) {
        Some(SignerRefusal::OtherLog { expected, found }) => assert_ne!(expected, found),
        other => panic!("{other:?}"),
    }
    let mut elsewhere = instructed(&world, Duty::Growth);
    elsewhere.upkeep = Some(Upkeep { duty: Duty::Growth, read: 91 });
    match sign(&world, &result, &signer_view(&world, &job, elsewhere)) {
        Some(SignerRefusal::Differs { what }) => assert_eq!(what, "the price block"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_instructed_signer_signs_no_round_instead() {
    let (mut world, _) = World::with_makers(4);
    let job = world.job(None);
    let result = world.run(&job).expect("a round").result;
    match sign(&world, &result, &signer_view(&world, &job, instructed(&world, Duty::Growth))) {
        Some(SignerRefusal::Differs { what }) => assert_eq!(what, "the price block"),
        other => panic!("{other:?}"),
    }
}
