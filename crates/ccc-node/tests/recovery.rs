//! What a recovery refuses before it touches anything.

use ccc_core::{enclave::attestation::PolicyRefusal, threshold::ThresholdError};
use ccc_node::{
    production::ProductionRefusal,
    recovery::{Mode, RecoveryError, RecoveryOptions, run},
    scenario::Scenario,
    timeline::Silent,
};

/// What production refuses; nothing if the run failed for another reason.
async fn refusal(options: RecoveryOptions) -> Option<ProductionRefusal> {
    // a node that is not there: were anything done, the chain would be the error
    let options = RecoveryOptions { mode: Mode::Production, rpc_url: Some("http://127.0.0.1:9".into()), ..options };
    match run(&options, &mut Silent).await {
        Err(RecoveryError::Production(refusal)) => Some(refusal),
        _ => None,
    }
}

#[tokio::test]
async fn n112_production_refuses_seeds_simulated_hardware_and_committees_without_fault_tolerance() {
    let default = RecoveryOptions::default;
    assert_eq!(refusal(RecoveryOptions { seed: Some(1), ..default() }).await, Some(ProductionRefusal::Seed));
    assert_eq!(refusal(RecoveryOptions { secret_seed: Some(1), ..default() }).await, Some(ProductionRefusal::Seed));
    for n in [1, 2, 3] {
        let scenario = Scenario { participants: n, ..Scenario::default() };
        let found = refusal(RecoveryOptions { scenario, ..default() }).await;
        assert_eq!(found, Some(ProductionRefusal::Threshold(ThresholdError::NotFaultTolerant { n })));
    }
    assert_eq!(refusal(default()).await, Some(ProductionRefusal::Policy(PolicyRefusal::Simulated)));
}
