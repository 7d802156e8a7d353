//! The reserve check: one status, one envelope, nothing else.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_core::{
    enclave::attestation::simulated::{SimulatedHardware, SimulatedProvider},
    report::{Payload, Solvency, Statement, Verdict},
    table::{AccountId, AssetId, BoundaryOperation, SealedTable, StructuralError, Update},
};
use ccc_enclave::{
    agent::{ENVELOPE_LEN, envelope_digest},
    attempt::Enclave,
    intake::RoundPlan,
    reserve::{ReserveError, ReserveInput, ReserveOutput, Validity},
    statement::StatementError,
};
use support::{BASE, ENVELOPE_LIFETIME, LOT, NOW, World, statement};

const OWED: u64 = 2_000 * LOT;

fn solvency(output: &ReserveOutput) -> Solvency {
    match Payload::from_bytes(&output.result.payload).expect("a payload").statement {
        Statement::Solvency(solvency) => solvency,
        other => panic!("{other:?}"),
    }
}

fn deficit(world: &World, output: &ReserveOutput) -> u64 {
    let config = &world.config;
    let notice = world.agent.open(config.chain, &config.reserve_attestation, &output.envelope).expect("opens");
    assert_eq!(notice.status, solvency(output).verdict as u8);
    assert_eq!(notice.expiry, output.result.inputs.block_time + ENVELOPE_LIFETIME);
    notice.deficit
}

/// What is missing, and how much of it is not needed to be solvent.
fn parts(world: &World, output: &ReserveOutput) -> (u64, u64) {
    let config = &world.config;
    let notice = world.agent.open(config.chain, &config.reserve_attestation, &output.envelope).expect("opens");
    (notice.deficit, notice.buffer)
}

#[test]
fn the_same_statement_turns_solvent_only_by_the_reserves_row() {
    let (mut world, _) = World::with_makers(1);
    let unchanged = statement(OWED - 25 * LOT, OWED);
    let before = world.check(&unchanged).expect("an answer");
    assert_eq!((solvency(&before).verdict, deficit(&world, &before)), (Verdict::Insolvent, 25 * LOT));
    let without_fill = world.table.clone().expect("a table");
    let order = world.plain_order(25 * LOT);
    let request = world.request(&order);
    world.round(Some(request));
    assert_eq!(world.balance(world.config.reserve, BASE), (u128::from(25 * LOT), 0));
    let after = world.check(&unchanged).expect("an answer");
    assert_eq!((solvency(&after).verdict, deficit(&world, &after)), (Verdict::Solvent, 0));
    world.table = Some(without_fill);
    world.idle();
    let removed = world.check(&unchanged).expect("an answer");
    assert_eq!((solvency(&removed).verdict, deficit(&world, &removed)), (Verdict::Insolvent, 25 * LOT));
}

#[test]
fn the_report_names_block_header_and_envelope_and_carries_evidence() {
    let (mut world, _) = World::with_makers(2);
    let output = world.check(&statement(OWED, OWED)).expect("an answer");
    let solvency = solvency(&output);
    assert_eq!((solvency.block, solvency.block_time), (world.block, world.time));
    assert_eq!(Some(solvency.header_hash), world.header().map(ccc_core::table::Header::hash));
    assert_eq!(solvency.envelope_digest, envelope_digest(&output.envelope));
    let binding = Payload::from_bytes(&output.result.payload).expect("a payload").binding;
    assert_eq!((binding.chain, binding.receiver), (world.config.chain, world.config.reserve_attestation));
    assert_eq!((binding.sequence, binding.valid_until), (3, world.time + 900));
    assert!(output.result.check(&world.policy(), world.time).is_ok());
}

#[test]
fn all_statuses_have_the_same_sizes() {
    let (mut world, _) = World::with_makers(3);
    let solvent = world.check(&statement(OWED, OWED)).expect("solvent");
    let insolvent = world.check(&statement(1, OWED)).expect("insolvent");
    world.custody -= 1;
    let unknown = world.check(&statement(OWED, OWED)).expect("unknown");
    let verdicts = [&unknown, &solvent, &insolvent].map(|output| solvency(output).verdict);
    assert_eq!(verdicts, [Verdict::Unknown, Verdict::Solvent, Verdict::Insolvent]);
    for output in [&unknown, &solvent, &insolvent] {
        assert_eq!(output.envelope.len(), ENVELOPE_LEN);
        assert_eq!(output.result.payload.len(), solvent.result.payload.len());
        assert_eq!(output.result.evidence.len(), solvent.result.evidence.len());
    }
    assert_eq!([&unknown, &solvent].map(|output| parts(&world, output)), [(0, 0); 2]);
}

#[test]
fn custody_equal_to_the_rows_is_enough_and_one_less_is_unknown() {
    let (mut world, _) = World::with_makers(4);
    assert_eq!(world.custody, u128::from(60 * LOT));
    let exact = world.check(&statement(OWED, OWED)).expect("an answer");
    assert_eq!(solvency(&exact).verdict, Verdict::Solvent);
    world.custody -= 1;
    let short = world.check(&statement(OWED, OWED)).expect("an answer");
    assert_eq!(solvency(&short).verdict, Verdict::Unknown);
}

#[test]
fn the_deficit_is_rounded_up_to_lots() {
    let (mut world, _) = World::with_makers(5);
    for (missing, expected) in [(1, LOT), (LOT, LOT), (LOT + 1, 2 * LOT)] {
        let output = world.check(&statement(OWED - missing, OWED)).expect("an answer");
        assert_eq!((solvency(&output).verdict, deficit(&world, &output)), (Verdict::Insolvent, expected), "{missing}");
    }
    let nothing_owed = world.check(&statement(0, 0)).expect("an answer");
    assert_eq!(solvency(&nothing_owed).verdict, Verdict::Solvent);
}

#[test]
fn the_recovery_aims_above_the_threshold() {
    let mut world = World::configured(6, |config| {
        config.solvent_at = 10_000;
        config.recover_to = 10_100;
    });
    world.idle();
    let output = world.check(&statement(OWED - LOT, OWED)).expect("an answer");
    assert_eq!(deficit(&world, &output), OWED / 100 + LOT);
    assert_eq!(parts(&world, &output), (OWED / 100 + LOT, OWED / 100));
    let enough = world.check(&statement(OWED, OWED)).expect("an answer");
    assert_eq!(solvency(&enough).verdict, Verdict::Solvent);
    assert_eq!(parts(&world, &enough), (0, OWED / 100), "solvent, and not at the aim");
    for (held, buffer) in [(OWED / 100 - 1, LOT), (OWED / 100, 0), (OWED / 50, 0)] {
        let output = world.check(&statement(OWED + held, OWED)).expect("an answer");
        assert_eq!(parts(&world, &output), (0, buffer), "{held}");
    }
}

#[test]
fn a_frozen_or_reserved_row_of_the_reserve_counts_nothing() {
    let (mut world, _) = World::with_makers(7);
    let order = world.plain_order(25 * LOT);
    let request = world.request(&order);
    world.round(Some(request));
    let account = AccountId(world.config.reserve);
    let freeze = BoundaryOperation::Freeze { account, asset: AssetId(BASE), reason: 1, frozen: true };
    let frozen = next(&mut world, &freeze);
    let reserve = BoundaryOperation::Reserve { account, asset: AssetId(BASE), lots: 24 };
    let reserved = next(&mut world, &reserve);
    let covered = statement(OWED - 25 * LOT, OWED);
    for (table, missing) in [(frozen, 25 * LOT), (reserved, 24 * LOT)] {
        world.table = Some(table);
        let output = world.check(&covered).expect("an answer");
        assert_eq!((solvency(&output).verdict, deficit(&world, &output)), (Verdict::Insolvent, missing));
    }
}

/// The version after one operation by the operator.
fn next(world: &mut World, operation: &BoundaryOperation) -> SealedTable {
    let rules: Vec<_> = world.config.assets.iter().map(|asset| ccc_core::table::AssetRule { lot: asset.lot }).collect();
    let (key, rows) = (world.key(), world.rows());
    let boundary = std::slice::from_ref(operation);
    let update = Update::Round { boundary, deltas: &[], k: 16, assets: &rules };
    let updated = rows.apply(&update, &key, &mut world.rng).expect("an update");
    assert_eq!(updated.boundary, [Ok(())]);
    updated.table
}

#[test]
fn refused_statements_leave_no_report() {
    let (mut world, _) = World::with_makers(8);
    let late = NOW + world.config.max_statement_age + 1;
    let another = String::from_utf8(statement(OWED, OWED)).expect("text").replace("cold", "warm").into_bytes();
    let refusals: [(&[u8], StatementError); 5] = [
        (&another, StatementError::Account),
        (
            br#"{"account":"a","unit":"satoshi","time":1,"reserves":-5,"liabilities":1}"#,
            StatementError::Negative { field: "reserves" },
        ),
        (
            br#"{"account":"a","unit":"satoshi","time":1,"reserves":5,"liabilities":1.5}"#,
            StatementError::NotInteger { field: "liabilities" },
        ),
        (
            br#"{"account":"a","unit":"satoshi","time":1,"reserves":99999999999999999999999,"liabilities":1}"#,
            StatementError::TooLarge { field: "reserves" },
        ),
        (br#"{"account":"a","unit":"bitcoin","time":1,"reserves":5,"liabilities":1}"#, StatementError::Unit),
    ];
    for (bytes, expected) in refusals {
        match world.check(bytes) {
            Err(ReserveError::Statement(found)) => assert_eq!(found, expected),
            other => panic!("{:?}", other.map(|_| ())),
        }
    }
    world.time = late;
    match world.check(&statement(OWED, OWED)) {
        Err(ReserveError::Statement(found)) => {
            assert_eq!(found, StatementError::Stale { age: late - NOW, max: world.config.max_statement_age });
        }
        other => panic!("{:?}", other.map(|_| ())),
    }
    world.time = NOW - 1;
    match world.check(&statement(OWED, OWED)) {
        Err(ReserveError::Statement(found)) => assert_eq!(found, StatementError::FromTheFuture { ahead: 1 }),
        other => panic!("{:?}", other.map(|_| ())),
    }
}

#[test]
fn n121_an_older_table_under_the_current_header_is_refused() {
    let (mut world, _) = World::with_makers(9);
    let old = world.table.clone().expect("a table");
    world.idle();
    let (current, inputs) = (world.table.clone().expect("a table"), world.inputs());
    let answer = world.check_with(&current.header, &old, &statement(OWED, OWED), inputs.clone());
    assert!(matches!(answer, Err(ReserveError::OtherHeader)));
    let mixed = SealedTable { header: current.header.clone(), ..old };
    let answer = world.check_with(&current.header, &mixed, &statement(OWED, OWED), inputs);
    assert!(matches!(answer, Err(ReserveError::Table(StructuralError::BodyRoot { .. }))));
}

#[test]
fn a_request_for_more_than_the_tables_key_is_refused() {
    let (mut world, makers) = World::with_makers(10);
    world.deposit([7; 20], &makers[0], BASE, 1);
    let log = world.log(None);
    let mut plan: RoundPlan = world.plan(log);
    let table = world.table.clone().expect("a table");
    let request = world.vault_request(Some(table.header.hash()), plan.digests());
    let provider = SimulatedProvider::new(SimulatedHardware::from_seed(&[9; 32]), world.config.measurement());
    let enclave = Enclave::new(world.config.clone(), &provider).expect("a configuration");
    let opened = world.open(&enclave, request, &mut plan);
    let statement = statement(OWED, OWED);
    let input = ReserveInput {
        header: &table.header,
        body: &table.body,
        statement: &statement,
        inputs: world.inputs(),
        validity: Validity { sequence: 1, valid_until: NOW },
    };
    assert!(matches!(opened.reserve(&input, &mut world.rng), Err(ReserveError::Request)));
}
