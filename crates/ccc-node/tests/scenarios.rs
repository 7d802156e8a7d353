//! The scenarios that ship, each run to its end on the embedded chain with fewer makers.

#![allow(clippy::panic, clippy::expect_used, reason = "a helper that fails ends its test")]

use ccc_node::{
    recovery::{CulpritLine, RecoveryOptions, RecoveryReport, run},
    scenario::{Mode, Scenario},
    timeline::Silent,
};

async fn recover(name: &str) -> RecoveryReport {
    recover_in(Mode::Sealed, name).await
}

async fn recover_in(mode: Mode, name: &str) -> RecoveryReport {
    let scenario = Scenario { makers: 8, mode, ..Scenario::built_in(name).expect("built in") };
    let options = RecoveryOptions { scenario, seed: Some(11), ..RecoveryOptions::default() };
    run(&options, &mut Silent).await.unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn assert_outcome(report: &RecoveryReport, last: &str, culprits: &[(u16, &str)]) {
    let summary = &report.summary;
    assert_eq!((summary.initial_status, summary.final_status), ("insolvent", last));
    assert_eq!(report.healed(), last == "solvent");
    assert_eq!(summary.table_version, 3);
    let named = culprits.iter().map(|(participant, reason)| (*participant, (*reason).to_owned()));
    let named: Vec<CulpritLine> = named.map(|(participant, reason)| CulpritLine { participant, reason }).collect();
    assert_eq!(summary.culprits, named);
    assert_eq!(report.leaks(), []);
}

#[tokio::test]
async fn a_large_deficit_heals() {
    assert_outcome(&recover("large-deficit").await, "solvent", &[]);
}

#[tokio::test]
async fn insufficient_liquidity_leaves_the_reserve_insolvent() {
    assert_outcome(&recover("insufficient-liquidity").await, "insolvent", &[]);
}

#[tokio::test]
async fn a_lying_participant_is_named_and_the_run_heals() {
    assert_outcome(&recover("participant-lying").await, "solvent", &[(3, "sent a share that fails its proof")]);
}

#[tokio::test]
async fn a_silent_participant_is_listed_and_the_run_heals() {
    assert_outcome(&recover("participant-silent").await, "solvent", &[(5, "did not answer")]);
}

/// Partials in the place of sealed shares: the outcome is the same, and a liar is named the same way.
#[tokio::test]
async fn compact_answers_heal_and_name_a_lying_participant() {
    let report = recover_in(Mode::Compact, "participant-lying").await;
    assert_outcome(&report, "solvent", &[(3, "sent a share that fails its proof")]);
}
