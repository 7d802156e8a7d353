//! Versions of their own: a full table grows on an instruction, a new epoch is taken before the next round.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_core::{
    epoch::Epoch,
    report::{Payload, Round, Statement, price_digest},
    table::{
        AccountId, AssetRule, BoundaryOperation, ResultCode, SealedTable, StructuralError, TableId, TableParams,
        TableSuite, Tier, Update, genesis,
    },
};
use ccc_enclave::{
    intake::{Log, PlanError, RoundPlan},
    round::{RoundError, RoundOutput},
    upkeep::{Duty, Upkeep},
};
use support::{BASE, Job, World, owner::Owner};

fn round_of(output: &RoundOutput) -> Round {
    match Payload::from_bytes(&output.result.payload).expect("a payload").statement {
        Statement::Round(round) => round,
        other => panic!("{other:?}"),
    }
}

/// A version of its own on top of the current table, read up to block 90.
fn job(world: &World, duty: Duty) -> Job {
    let log = Log { consumed: world.consumed, upkeep: Some(Upkeep { duty, read: 90 }), ..Log::default() };
    Job { log, ..world.job(None) }
}

/// What the chain does with an accepted version of its own: no operation and no order is taken.
fn accept(world: &mut World, table: SealedTable) {
    world.table = Some(table);
    (world.block, world.time) = (world.block + 1, world.time + 12);
}

/// Uses up the rows of the current table.
fn fill(world: &mut World) {
    let rules: Vec<_> = world.config.assets.iter().map(|asset| AssetRule { lot: asset.lot }).collect();
    let (key, rows) = (world.key(), world.rows());
    let register = |number: u32| {
        let mut account = [0xEE; 20];
        account[..4].copy_from_slice(&number.to_be_bytes());
        BoundaryOperation::Register { account: AccountId(account), reading_key: [1; 32] }
    };
    let boundary: Vec<_> = (1..=1_024 - rows.used_rows()).map(register).collect();
    let update = Update::Round { boundary: &boundary, deltas: &[], k: 16, assets: &rules };
    let full = rows.apply(&update, &key, &mut world.rng).expect("an update");
    assert!(full.boundary.iter().all(Result::is_ok));
    world.table = Some(full.table);
}

#[test]
fn n130_a_full_table_halts_grows_on_an_instruction_and_books_what_waited() {
    let (mut world, makers) = World::with_makers(1);
    fill(&mut world);
    world.deposit([9; 20], &Owner::new(9), BASE, 5);
    let waiting = world.job(None);
    let halted = world.run(&waiting).map(|_| ()).expect_err("no row is left");
    assert!(matches!(halted, RoundError::Deposit { index: 0, code: ResultCode::Full }), "{halted}");
    let (sums, former) = (world.sums(), world.header().expect("a header").clone());
    let job = job(&world, Duty::Growth);
    let output = world.run(&job).expect("a version of its own");
    let (header, round) = (&output.table.header, round_of(&output));
    assert_eq!((header.tier(), header.previous()), (Tier::new(12).expect("tier"), former.hash()));
    assert_eq!((round.request_id, round.success, round.version), ([0; 32], false, former.version() + 1));
    assert_eq!((round.count, round.accumulator), (world.consumed.count(), world.consumed.value()));
    assert_eq!((round.price_block, Ok(round.price_digest)), (90, price_digest(&[])));
    assert_eq!((output.payouts.len(), output.receipts.len()), (0, 0));
    assert_eq!(output.result.log, job.log.digest(world.time));
    accept(&mut world, output.table);
    assert_eq!(world.sums(), sums, "no balance changes");
    world.idle();
    assert_eq!(world.balance(Owner::new(9).account(), BASE), (5, 0));
    assert_eq!(world.balance(makers[0].account(), BASE).1, 10, "reservations stand");
}

#[test]
fn a_version_of_its_own_takes_nothing_else() {
    let (mut world, makers) = World::with_makers(2);
    world.deposit([1; 20], &makers[0], BASE, 5);
    let upkeep = Some(Upkeep { duty: Duty::Growth, read: 1 });
    let order = world.plain_order(5);
    let request = world.request(&order);
    let whole = world.log(Some(request));
    let without = || Log { consumed: whole.consumed, upkeep, ..Log::default() };
    let mixed = [
        Log { boundary: whole.boundary.clone(), ..without() },
        Log { live_orders: whole.live_orders.clone(), ..without() },
        Log { new_orders: whole.live_orders.clone(), ..without() },
        Log { collateral: whole.collateral.clone(), ..without() },
    ];
    for log in mixed {
        let plan = RoundPlan::new(&world.config, &world.key(), world.header(), log, world.time);
        assert!(matches!(plan.err(), Some(PlanError::Upkeep)));
    }
    let first = RoundPlan::new(&world.config, &world.key(), None, without(), world.time);
    assert!(matches!(first.err(), Some(PlanError::Genesis)), "there is nothing to keep up");
}

#[test]
fn instructions_are_told_apart_by_the_log_digest() {
    let log = |upkeep| Log { upkeep, ..Log::default() }.digest(7);
    let digests = [
        log(None),
        log(Some(Upkeep { duty: Duty::Growth, read: 1 })),
        log(Some(Upkeep { duty: Duty::Growth, read: 2 })),
        log(Some(Upkeep { duty: Duty::Epoch, read: 1 })),
    ];
    for (index, digest) in digests.iter().enumerate() {
        assert!(digests[..index].iter().all(|other| other != digest), "log {index}");
    }
}

/// A world whose table is of the epoch before its committee's.
fn handed_over(seed: u64) -> World {
    let mut world = World::empty(seed);
    let id = TableId { chain: world.config.chain, contract: world.config.pool, table: world.config.table };
    let suite = TableSuite::ChaCha20Poly1305;
    let params = TableParams { id, epoch: Epoch(0), tier: Tier::SMALLEST, suite };
    let key = world.key();
    world.table = Some(genesis(&params, &key, &mut world.rng).expect("genesis").table);
    world
}

#[test]
fn a_round_waits_until_the_new_epoch_has_its_version() {
    let mut world = handed_over(3);
    for job in [world.job(None), job(&world, Duty::Growth)] {
        let refused = world.run(&job).map(|_| ()).expect_err("another epoch");
        assert!(matches!(refused, RoundError::Epoch { expected: Epoch(1), found: Epoch(0) }), "{refused}");
    }
    let job = job(&world, Duty::Epoch);
    let output = world.run(&job).expect("a version of its own");
    assert_eq!((output.table.header.epoch(), output.table.header.tier()), (Epoch(1), Tier::SMALLEST));
    accept(&mut world, output.table);
    assert_eq!(round_of(&world.idle()).version, 3);
}

#[test]
fn an_epoch_that_the_table_has_needs_no_version() {
    let (mut world, _) = World::with_makers(4);
    let job = job(&world, Duty::Epoch);
    let refused = world.run(&job).map(|_| ()).expect_err("the same epoch");
    let expected = StructuralError::Epoch { least: Epoch(1), found: Epoch(1) };
    assert!(matches!(refused, RoundError::Table(error) if error == expected));
}
