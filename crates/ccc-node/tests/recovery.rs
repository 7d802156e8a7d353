//! What a recovery refuses before it touches anything.

use ccc_node::{
    recovery::{Mode, RecoveryError, RecoveryOptions, run},
    timeline::Silent,
};

#[tokio::test]
async fn production_refuses_a_seed_and_everything_simulated() {
    let seeded = RecoveryOptions { mode: Mode::Production, seed: Some(1), ..RecoveryOptions::default() };
    assert!(matches!(run(&seeded, &mut Silent).await, Err(RecoveryError::SeedInProduction)));
    let simulated = RecoveryOptions { mode: Mode::Production, ..RecoveryOptions::default() };
    assert!(matches!(run(&simulated, &mut Silent).await, Err(RecoveryError::SimulatedInProduction)));
}
