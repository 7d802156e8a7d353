//! A table follows a rotation of the master key: one version, opened by the former committee and wrapped for the new one.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_core::{
    ciphertext::CiphertextError,
    epoch::Epoch,
    report::{Payload, Round, Statement, price_digest},
    table::{AccountId, AssetId, SealedTable},
};
use ccc_enclave::{
    attempt::{AttemptError, Enclave},
    config::{ConfigError, EnclaveConfig},
    intake::{Log, PlanError, RoundPlan},
    round::{RoundError, RoundOutput},
    upkeep::{Duty, Upkeep},
};
use support::{BASE, Job, LOT, QUOTE, World, committee, committee_in, owner::Owner};

fn round_of(output: &RoundOutput) -> (u64, Round) {
    let payload = Payload::from_bytes(&output.result.payload).expect("a payload");
    match payload.statement {
        Statement::Round(round) => (payload.binding.epoch, round),
        other => panic!("{other:?}"),
    }
}

fn instructed(world: &World, duty: Duty) -> Log {
    Log { consumed: world.consumed, upkeep: Some(Upkeep { duty, read: 90 }), ..Log::default() }
}

fn job(world: &World) -> Job {
    Job { log: instructed(world, Duty::Rotation), ..world.job(None) }
}

fn accept(world: &mut World, table: SealedTable) {
    world.table = Some(table);
    (world.block, world.time) = (world.block + 1, world.time + 12);
}

/// A pool whose vault went to another key, with its makers.
fn handed_over(seed: u64) -> (World, [Owner; 3]) {
    let (mut world, makers) = World::with_makers(seed);
    world.hand_over(seed + 100);
    (world, makers)
}

fn rotated(seed: u64) -> (World, [Owner; 3]) {
    let (mut world, makers) = handed_over(seed);
    let job = job(&world);
    let output = world.rotate(&job).expect("a rotation");
    accept(&mut world, output.table);
    (world, makers)
}

fn plan(world: &World, log: Log) -> Result<RoundPlan, PlanError> {
    RoundPlan::new(&world.config, &world.key(), world.header(), log, world.time)
}

#[test]
fn a_table_follows_a_rotation_and_rounds_go_on_under_the_new_key() {
    let (mut world, makers) = World::with_makers(1);
    let (sums, before) = (world.sums(), world.table.clone().expect("a table"));
    let reserved = world.balance(makers[0].account(), BASE);
    world.hand_over(101);
    let former = *world.former.as_ref().expect("a committee").0.master_public_key();
    let job = job(&world);
    let output = world.rotate(&job).expect("a rotation");
    let (header, (epoch, round)) = (&output.table.header, round_of(&output));
    assert!(header.wrapped().clone().verify(&world.key()).is_ok());
    assert_eq!(header.wrapped().clone().verify(&former).map(drop), Err(CiphertextError::Proof));
    assert_eq!((header.epoch(), epoch), (Epoch(2), 2));
    assert_eq!((header.tier(), header.previous()), (before.header.tier(), before.header.hash()));
    assert_eq!((round.request_id, round.success, round.version), ([0; 32], false, before.header.version() + 1));
    assert_eq!((round.count, round.accumulator), (world.consumed.count(), world.consumed.value()));
    assert_eq!((round.price_block, Ok(round.price_digest)), (90, price_digest(&[])));
    assert_eq!((output.payouts.len(), output.receipts.len()), (0, 0));
    assert_eq!(output.result.log, job.log.digest(world.time));
    accept(&mut world, output.table);
    assert_eq!(world.sums(), sums);
    assert_eq!(world.balance(makers[0].account(), BASE), reserved);
    world.deposit([1; 20], &makers[0], BASE, 5);
    assert_eq!(round_of(&world.idle()).0, 2);
    assert_eq!(world.balance(makers[0].account(), BASE), (reserved.0 + 5, reserved.1));
    // the version before stays readable with the former committee's shares
    world.swap();
    let rows = world.rows_of(&before);
    assert_eq!([BASE, QUOTE].map(|asset| rows.sum(AssetId(asset))), sums);
}

/// The new committee may refresh before the table follows: the result is of the epoch that it is in.
#[test]
fn a_rotation_goes_to_the_epoch_that_the_present_committee_is_in() {
    let (mut world, _) = handed_over(10);
    (world.committee, world.members) = committee_in(Epoch(5), 110);
    assert_eq!(world.key().to_bytes(), world.config.master_public_key, "refreshed: the same key");
    let job = job(&world);
    let output = world.rotate(&job).expect("a rotation");
    assert_eq!((round_of(&output).0, output.table.header.epoch()), (5, Epoch(5)));
    accept(&mut world, output.table);
    assert_eq!(round_of(&world.idle()).0, 5);
}

#[test]
fn a_rotation_goes_to_no_epoch_up_to_the_former_committees() {
    let (mut world, _) = handed_over(11);
    let provider = world.hardware();
    let enclave = Enclave::new(world.config.clone(), &provider).expect("a configuration");
    (world.committee, world.members) = committee_in(Epoch(1), 111);
    let mut planned = world.plan(instructed(&world, Duty::Rotation));
    match world.open_former(&enclave, &mut planned).err() {
        Some(AttemptError::Epoch { former, found }) => assert_eq!((former, found), (Epoch(1), Epoch(1))),
        other => panic!("{other:?}"),
    }
}

/// What becomes of a rotation that was asked for as ever, with this plan and this input.
fn rotate_otherwise(world: &mut World, plan: &RoundPlan, changed: &Job) -> Option<RoundError> {
    let mut asked = world.plan(instructed(world, Duty::Rotation));
    let provider = world.hardware();
    let enclave = Enclave::new(world.config.clone(), &provider).expect("a configuration");
    let opened = world.open_former(&enclave, &mut asked).expect("opened");
    let table = world.table.clone().expect("a table");
    opened.rotate(plan, (&table.header, &table.body), &changed.input(), &mut world.rng).err()
}

/// The key is opened for one plan at one block: with another, no version is made of it.
#[test]
fn what_the_former_committee_opened_serves_the_plan_that_it_was_asked_for() {
    let (mut world, _) = handed_over(12);
    let (good, plan) = (job(&world), world.plan(instructed(&world, Duty::Rotation)));
    let empty = Log { consumed: world.consumed, ..Log::default() };
    let first = RoundPlan::new(&world.config, &world.key(), None, empty, world.time).expect("a first version");
    assert!(matches!(rotate_otherwise(&mut world, &first, &good), Some(RoundError::OtherPlan)));
    let mut log = job(&world);
    log.inputs.consumed += 1;
    assert!(matches!(rotate_otherwise(&mut world, &plan, &log), Some(RoundError::OtherLog { .. })));
    let mut time = job(&world);
    time.inputs.block_time += 1;
    assert!(matches!(rotate_otherwise(&mut world, &plan, &time), Some(RoundError::OtherTime { .. })));
    assert!(rotate_otherwise(&mut world, &plan, &good).is_none());
}

#[test]
fn before_the_rotation_nothing_else_is_planned() {
    let (world, _) = handed_over(2);
    for log in [world.log(None), instructed(&world, Duty::Growth), instructed(&world, Duty::Epoch), Log::default()] {
        match plan(&world, log).err() {
            Some(PlanError::TableKey(error)) => assert_eq!(error, CiphertextError::Proof),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn after_the_rotation_the_former_committee_opens_nothing() {
    let (mut world, _) = rotated(3);
    match plan(&world, instructed(&world, Duty::Rotation)).err() {
        Some(PlanError::TableKey(error)) => assert_eq!(error, CiphertextError::Proof),
        other => panic!("{other:?}"),
    }
    let (mut present, provider) = (world.plan(world.log(None)), world.hardware());
    let enclave = Enclave::new(world.config.clone(), &provider).expect("a configuration");
    world.swap();
    let head = world.header().map(|header| header.hash());
    let request = world.vault_request(head, present.digests());
    let attempt = enclave.attempt(request, world.time, &mut world.rng).expect("an attempt");
    let refused = attempt.open(&world.committee, present.take_ciphertexts(), Vec::new()).err();
    assert!(matches!(refused, Some(AttemptError::Foreign { what: "master public key" })));
}

#[test]
fn another_former_key_than_the_headers_is_refused_and_the_version_stays() {
    let (mut world, _) = handed_over(4);
    let good = world.config.clone();
    world.config.former_master_public_key = Some(committee(9).0.master_public_key().to_bytes());
    match plan(&world, instructed(&world, Duty::Rotation)).err() {
        Some(PlanError::TableKey(error)) => assert_eq!(error, CiphertextError::Proof),
        other => panic!("{other:?}"),
    }
    let provider = world.hardware();
    let other = Enclave::new(world.config.clone(), &provider).expect("a configuration");
    world.config = good;
    let mut planned = world.plan(instructed(&world, Duty::Rotation));
    let refused = world.open_former(&other, &mut planned).err();
    assert!(matches!(refused, Some(AttemptError::Foreign { what: "master public key" })));
    let job = job(&world);
    assert!(world.rotate(&job).is_ok(), "the old version is current and rotates");
}

#[test]
fn a_configuration_without_a_former_key_rotates_nothing() {
    let (mut world, _) = handed_over(5);
    let mut planned = world.plan(instructed(&world, Duty::Rotation));
    world.config.former_master_public_key = None;
    let refused = plan(&world, instructed(&world, Duty::Rotation)).err();
    assert!(matches!(refused, Some(PlanError::NoFormerKey)));
    let provider = world.hardware();
    let enclave = Enclave::new(world.config.clone(), &provider).expect("a configuration");
    assert!(matches!(world.open_former(&enclave, &mut planned).err(), Some(AttemptError::NoFormerKey)));
}

#[test]
fn shares_of_the_former_committee_make_no_other_version() {
    let mut world = World::empty(6);
    world.hand_over(106);
    let mut first = world.plan(world.log(None));
    let provider = world.hardware();
    let enclave = Enclave::new(world.config.clone(), &provider).expect("a configuration");
    let opened = world.open_former(&enclave, &mut first).expect("there is nothing to open");
    let (job, mut other) = (world.job(None), World::new(7));
    let table = other.table.take().expect("a table");
    let refused = opened.rotate(&first, (&table.header, &table.body), &job.input(), &mut world.rng).err();
    assert!(matches!(refused, Some(RoundError::OtherCommittee { expected: "present" })));
}

#[test]
fn a_former_key_is_a_key_and_another_one() {
    let (world, _) = handed_over(8);
    let refused = |former| {
        let config = EnclaveConfig { former_master_public_key: Some(former), ..world.config.clone() };
        config.validate().err()
    };
    let same = ConfigError::FormerKey { what: "it is the present one" };
    assert_eq!(refused(world.config.master_public_key), Some(same));
    let none = ConfigError::FormerKey { what: "it is no ristretto255 element but zero" };
    assert_eq!(refused([0xFF; 32]), Some(none.clone()));
    assert_eq!(refused([0; 32]), Some(none));
    let config = EnclaveConfig { master_public_key: [0xFF; 32], ..world.config.clone() };
    let next = ConfigError::FormerKey { what: "the one that follows it is no ristretto255 element but zero" };
    assert_eq!(config.validate(), Err(next));
}

/// What was submitted for the former key and waits is not opened: a deposit is its payer's, a withdrawal moves nothing, an
/// order stands in no clearing, and its reservation stays until the account's next order.
#[test]
fn what_waited_for_the_former_key_is_read_by_nobody_after_the_rotation() {
    let (mut world, makers) = World::with_makers(9);
    let (payer, account) = ([0xD1; 20], makers[0].account());
    world.deposit(payer, &makers[0], BASE, 7);
    let who = [1; 20];
    let id = world.fresh_id(who);
    let (config, key) = (world.config.clone(), world.key());
    let withdrawal =
        makers[1].withdrawal(&config, &key, (id, who), (BASE, 1, [0x55; 20]), makers[1].account(), &mut world.rng);
    world.withdrawal_bytes(who, id, withdrawal);
    let before = [world.balance(account, BASE), world.balance(makers[1].account(), BASE)];
    world.hand_over(109);
    let job = job(&world);
    let output = world.rotate(&job).expect("a rotation");
    accept(&mut world, output.table);
    let order = world.plain_order(LOT);
    let request = world.request(&order);
    let filled = world.round(Some(request));
    assert!(!round_of(&filled).1.success, "no order of before is read");
    assert!(filled.payouts.is_empty());
    assert_eq!(world.balance(payer, BASE), (7, 0));
    assert_eq!([world.balance(account, BASE), world.balance(makers[1].account(), BASE)], before);
    assert_eq!(before[0].1, 10, "the reservation stands");
    assert!(world.rows().find(AccountId(payer), AssetId(QUOTE)).is_some());
    world.order(who, &makers[0], 4, 1_000);
    world.idle();
    assert_eq!(world.balance(account, BASE).1, 4, "the account's next order replaces it");
    let order = world.plain_order(LOT);
    let request = world.request(&order);
    assert!(round_of(&world.round(Some(request))).1.success);
}
