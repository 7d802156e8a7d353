//! The whole set: what a rehearsal says, who holds which role afterwards, and what the status tells.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails ends there")]

mod common;

use alloy::{
    eips::BlockId,
    primitives::{Address, B256},
    providers::Provider,
};
use ccc_chain::{
    Actions, Chain, Wallet,
    bindings::{AccessManager, CREDarkPool, QuorumForwarder},
    custody::{self, CustodyError, CustodyPlan, GUARDIAN, OPERATOR, Part, PlanError},
    deploy,
    status::{self, Standing},
    submit,
};
use ccc_core::report::{EnclaveAdmission, Kind, Payload, Report, SignedReport, Statement};
use common::{ADMIN, DEPLOYER, GUARDIAN_SEED, RESERVE, custody_plan as plan, embedded_chain, report_signer, wallet};

async fn funded() -> (Chain, Wallet) {
    let chain = embedded_chain();
    for seed in [DEPLOYER, GUARDIAN_SEED, RESERVE] {
        chain.fund(wallet(seed).address()).await.unwrap();
    }
    (chain, wallet(DEPLOYER))
}

#[tokio::test]
async fn a_rehearsal_gives_the_addresses_and_the_gas_of_the_deployment() {
    let (chain, deployer) = funded().await;
    // one transaction before it, so that the nonce counts
    let moved = alloy::rpc::types::TransactionRequest::default().to(ADMIN);
    chain.send(&deployer, moved).await.unwrap();
    let before = chain.provider().get_block_number().await.unwrap();
    let (rehearsed, steps) = custody::rehearse(&chain, &deployer, &plan()).await.unwrap();
    assert_eq!(chain.provider().get_block_number().await.unwrap(), before, "nothing was sent");
    let (deployment, done) = custody::deploy(&chain, &deployer, &plan()).await.unwrap();
    assert_eq!(steps, done);
    assert_eq!(rehearsed.contracts(), deployment.contracts());
    deploy::check(&chain, &deployment).await.unwrap();
}

#[tokio::test]
async fn what_stands_already_is_stood_in_for_and_used() {
    let (chain, deployer) = funded().await;
    let (first, _) = custody::deploy(&chain, &deployer, &plan()).await.unwrap();
    let mut second = plan();
    second.feed = Part::Standing(first.feed);
    for (token, old) in second.tokens.iter_mut().zip(&first.tokens) {
        token.contract = Part::Standing(old.address);
    }
    assert!(plan().is_simulated() && !second.is_simulated());
    let (rehearsed, _) = custody::rehearse(&chain, &deployer, &second).await.unwrap();
    let (deployment, _) = custody::deploy(&chain, &deployer, &second).await.unwrap();
    assert_eq!((deployment.feed, &deployment.tokens), (first.feed, &first.tokens));
    assert_eq!(rehearsed.contracts(), deployment.contracts());
}

#[tokio::test]
async fn the_deployer_keeps_nothing() {
    let (chain, deployer) = funded().await;
    let (deployment, _) = custody::deploy(&chain, &deployer, &plan()).await.unwrap();
    let registries = deployment.registries.unwrap();
    let manager = AccessManager::new(registries.manager, chain.provider());
    let roles = plan().roles;
    for (role, account, delay) in [
        (0, ADMIN, 3600),
        (OPERATOR, roles.operator, 3600),
        (GUARDIAN, roles.operator, 3600),
        (GUARDIAN, roles.guardian, 0),
    ] {
        let found = manager.hasRole(role, account).call().await.unwrap();
        assert_eq!((found.isMember, found.executionDelay), (true, delay), "role {role} of {account}");
    }
    for role in [0, OPERATOR, GUARDIAN] {
        assert!(!manager.hasRole(role, deployer.address()).call().await.unwrap().isMember, "role {role}");
    }
    let forwarder = QuorumForwarder::new(deployment.forwarder, chain.provider());
    assert_eq!(forwarder.owner().call().await.unwrap(), registries.manager);
    let set = forwarder.clearConfig(1, 1).into_transaction_request();
    let (by, name) = common::refusal(chain.send(&deployer, set).await);
    assert_eq!((by, name.as_str()), (deployment.forwarder, "OwnableUnauthorizedAccount"));
}

#[tokio::test]
async fn the_guardian_stops_at_once_and_nobody_else() {
    let (chain, deployer) = funded().await;
    let (deployment, _) = custody::deploy(&chain, &deployer, &plan()).await.unwrap();
    let pool = CREDarkPool::new(deployment.pool, chain.provider());
    let (_, name) = common::refusal(chain.send(&deployer, pool.pause().into_transaction_request()).await);
    assert_eq!(name, "AccessManagedUnauthorized");
    assert!(!status::read(&chain, &deployment).await.unwrap().paused);
    chain.send(&wallet(GUARDIAN_SEED), pool.pause().into_transaction_request()).await.unwrap();
    assert!(status::read(&chain, &deployment).await.unwrap().paused);
}

/// Delivers a signed statement of the deployment's quorum.
async fn deliver(
    chain: &Chain,
    deployment: &ccc_chain::Deployment,
    statement: Statement,
    sequence: u64,
) -> SignedReport {
    let now = chain.block(BlockId::latest()).await.unwrap().time;
    let receiver = deployment.receiver(statement.kind()).unwrap();
    let binding = deployment.binding(receiver, sequence, now + 600, B256::repeat_byte(0xaa));
    let report = Report::new(deployment.origin(), now, Payload { binding, statement }).unwrap();
    let context = deployment.context(sequence);
    let signatures: Vec<_> = (101..=102).map(|seed| report_signer(seed).sign(&report, &context)).collect();
    let (set, forwarder) = (deployment.signer_set(), deployment.forwarder.0.0);
    let signed = SignedReport::assemble(report, context, &signatures, &set, &forwarder).unwrap();
    assert_eq!(submit::delivered(chain, deployment.forwarder, &signed).await.unwrap(), None);
    submit::deliver(chain, &wallet(DEPLOYER), deployment.forwarder, &signed).await.unwrap();
    signed
}

#[tokio::test]
async fn the_status_tells_what_the_registries_say() {
    let (chain, deployer) = funded().await;
    let (deployment, _) = custody::deploy(&chain, &deployer, &plan()).await.unwrap();
    let enclaves = deployment.registries.unwrap().enclaves;
    assert_eq!(deployment.receiver(Kind::Enclave), Some(enclaves));
    let (signer, measurement) = ([0x77; 20], [0x88; 32]);
    let expiry = chain.block(BlockId::latest()).await.unwrap().time + 5000;
    let allow = EnclaveAdmission { measurement, box_key: [0; 32], signer: [0; 20], expiry };
    deliver(&chain, &deployment, Statement::Enclave(allow), 1).await;
    let admit = EnclaveAdmission { box_key: [0x99; 32], signer, ..allow };
    let signed = deliver(&chain, &deployment, Statement::Enclave(admit), 2).await;
    let transmitter = submit::delivered(&chain, deployment.forwarder, &signed).await.unwrap();
    assert_eq!(transmitter, Some(deployer.address()));
    let found = status::read(&chain, &deployment).await.unwrap().registries.unwrap();
    assert_eq!((found.vault.epoch, found.vault.participants, found.vault.faults), (7, 4, 1));
    let [enclave] = found.enclaves[..] else { panic!("one enclave, found {}", found.enclaves.len()) };
    assert_eq!((enclave.signer.0.0, enclave.measurement.0), (signer, measurement));
    assert_eq!((enclave.valid_until, enclave.epoch, enclave.standing), (expiry, 7, Standing::Current));
    let revoke = EnclaveAdmission { measurement: [0; 32], box_key: [0; 32], expiry: 0, signer };
    deliver(&chain, &deployment, Statement::Enclave(revoke), 3).await;
    let found = status::read(&chain, &deployment).await.unwrap().registries.unwrap();
    assert_eq!(found.enclaves[0].standing, Standing::Revoked);
}

#[tokio::test]
async fn the_status_lists_what_waits() {
    let (chain, deployer) = funded().await;
    let (deployment, _) = custody::deploy(&chain, &deployer, &plan()).await.unwrap();
    let empty = status::read(&chain, &deployment).await.unwrap();
    assert!(empty.pending.is_empty() && empty.attestation.stale && empty.table.version == 0);
    assert_eq!(empty.configurations.signer_sets, std::slice::from_ref(&deployment.signers));
    let deadline = empty.block.time + 60;
    let act = Actions::new(&chain, &deployment);
    let order = alloy::primitives::Bytes::from_static(b"sealed");
    let made = act.request_collateral(&wallet(RESERVE), B256::ZERO, deadline, order).await.unwrap();
    let [pending] = status::read(&chain, &deployment).await.unwrap().pending[..] else { panic!("one request") };
    assert_eq!((pending.id, pending.request.deadline), (made.id, deadline));
}

#[tokio::test]
async fn plans_that_guard_nothing_are_refused_before_anything_is_sent() {
    let (chain, deployer) = funded().await;
    type Change = fn(&mut CustodyPlan);
    type Expected = fn(&PlanError) -> bool;
    let cases: [(Change, Expected); 7] = [
        (|p| p.roles.admin = Address::ZERO, |e| matches!(e, PlanError::Unguarded { what: "the admin" })),
        (|p| p.roles.delay = 0, |e| matches!(e, PlanError::Unguarded { what: "the delay" })),
        (|p| p.workflow_owner = Address::ZERO, |e| matches!(e, PlanError::Unguarded { .. })),
        (|p| p.workflow_id[0] = 1, |e| matches!(e, PlanError::WorkflowId { .. })),
        (|p| p.roles.admin = wallet(DEPLOYER).address(), |e| matches!(e, PlanError::AdminDeploys { .. })),
        (|p| p.roles.delay = 43_200, |e| matches!(e, PlanError::DelayTooLong { delay: 43_200, exit_delay: 86_400 })),
        (|p| p.signers.f = 2, |e| matches!(e, PlanError::Signers(_))),
    ];
    for (change, expected) in cases {
        let mut changed = plan();
        change(&mut changed);
        match custody::deploy(&chain, &deployer, &changed).await {
            Err(CustodyError::Plan(error)) => assert!(expected(&error), "{error}"),
            other => panic!("expected a refusal of the plan, found {other:?}"),
        }
    }
    assert_eq!(chain.provider().get_block_number().await.unwrap(), 0);
}

#[tokio::test]
async fn a_step_that_fails_is_named() {
    let (chain, deployer) = funded().await;
    let mut changed = plan();
    changed.committee.participants.truncate(3);
    let failed = custody::rehearse(&chain, &deployer, &changed).await;
    match failed {
        Err(CustodyError::Step { step: "VaultRegistry", source, .. }) => {
            assert_eq!(source.refusal().unwrap().name, "TooFewParticipants");
        }
        other => panic!("expected a refusal by the registry, found {other:?}"),
    }
}
