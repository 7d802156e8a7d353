//! Whole recoveries on the embedded chain.

use ccc_node::{
    recovery::{Mode, RecoveryError, RecoveryOptions, RecoveryReport, run},
    scenario::Scenario,
    timeline::Silent,
};

async fn recover(name: &str, seed: u64) -> RecoveryReport {
    let mut scenario = Scenario::built_in(name).expect("built in");
    scenario.makers = 12;
    run(&RecoveryOptions { scenario, seed: Some(seed), ..RecoveryOptions::default() }, &mut Silent)
        .await
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[tokio::test]
async fn a_reserve_heals() {
    let report = recover("large-deficit", 1).await;
    assert_eq!((report.summary.initial_status, report.summary.final_status), ("insolvent", "solvent"));
    assert!(report.healed());
    assert!(report.summary.culprits.is_empty());
    assert_eq!(report.summary.table_version, 3);
    assert_eq!(report.leaks(), []);
}
