//! A signer's own turns.

use crate::{
    common,
    hosts::{Net, Running},
};
use ccc_chain::deploy::deploy;
use ccc_node::{policy_file::ModeName, production::ProductionRefusal};
use ccc_server::{service::StartError, workflow};
use serde_json::Value;
use std::{fs, sync::atomic::Ordering::SeqCst, time::Duration};
use tokio::time::sleep;

/// What a signer signs in its own turn has a line before it leaves, whatever becomes of the report.
#[tokio::test]
async fn a_signature_of_a_signers_own_turn_has_its_line() {
    let mut net = Net::new().await;
    let world = &net.scene.world;
    let mut plan = common::plan(world.reserve.address());
    plan.workflow.epoch = u64::from_be_bytes(net.scene.committee.epoch().to_bytes());
    net.scene.world.deployment = deploy(&world.chain, &world.owner, &plan).await.unwrap();
    net.scene.clock.0.store(net.scene.world.now().await + 10, SeqCst);
    let directory = tempfile::tempdir().unwrap();
    let host = Running::host(net.host(&net.host_file(directory.path(), "")).await.unwrap());
    let mut file = net.signer_file(directory.path());
    (file.own.schedule.cadence, file.own.schedule.takeover) = (2, 1);
    file.own.enclaves[0].address = host.addresses[0];
    let signer = Running::signer(net.signer(&file).await.unwrap());
    let mut own = Vec::new();
    for _ in 0..150 {
        let lines = fs::read_to_string(file.audit_path()).unwrap();
        let lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        own = lines.filter(|line| line["peer"] == "(itself)").collect();
        if !own.is_empty() {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    signer.end().await;
    host.end().await;
    let line = own.first().expect("a line");
    assert_eq!((&line["outcome"], &line["call"]["door"]), (&"given".into(), &"/v1/sign".into()));
    assert_ne!(line["call"]["answer"], "0".repeat(128));
    assert!(ccc_server::audit::verify(&file.audit_path()).unwrap().given > 0);
}

#[tokio::test]
async fn n099_a_signer_in_production_takes_no_deployment_in_which_nobody_is_revoked() {
    let net = Net::new().await;
    let directory = tempfile::tempdir().unwrap();
    let mut file = net.signer_file(directory.path());
    file.node.mode = ModeName::Production;
    let refused = workflow::service::check(&file, &net.public(), &net.enclave());
    assert!(matches!(refused, Err(StartError::Production(ProductionRefusal::NoRegistry))), "{refused:?}");
}
