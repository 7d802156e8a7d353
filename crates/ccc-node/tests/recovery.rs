//! What a recovery refuses before it touches anything.

use ccc_core::{enclave::attestation::PolicyRefusal, threshold::ThresholdError};
use ccc_node::{
    production::ProductionRefusal,
    recovery::{Mode, RecoveryError, RecoveryOptions, run},
    scenario::Scenario,
    timeline::Silent,
};

async fn refusal(options: RecoveryOptions) -> ProductionRefusal {
    // a node that is not there: were anything done, the chain would be the error
    let options = RecoveryOptions { mode: Mode::Production, rpc_url: Some("http://127.0.0.1:9".into()), ..options };
    let error = run(&options, &mut Silent).await.err().expect("refused");
    let RecoveryError::Production(refusal) = error else { panic!("another error: {error}") };
    refusal
}

#[tokio::test]
async fn n112_production_refuses_seeds_simulated_hardware_and_committees_without_fault_tolerance() {
    let default = RecoveryOptions::default;
    assert_eq!(refusal(RecoveryOptions { seed: Some(1), ..default() }).await, ProductionRefusal::Seed);
    assert_eq!(refusal(RecoveryOptions { secret_seed: Some(1), ..default() }).await, ProductionRefusal::Seed);
    for participants in [1, 2, 3] {
        let scenario = Scenario { participants, ..Scenario::default() };
        let found = refusal(RecoveryOptions { scenario, ..default() }).await;
        assert_eq!(found, ProductionRefusal::Threshold(ThresholdError::NotFaultTolerant { n: participants }));
    }
    assert_eq!(refusal(default()).await, ProductionRefusal::Policy(PolicyRefusal::Simulated));
}
