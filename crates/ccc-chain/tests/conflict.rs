//! Two reports with valid quorums that contradict each other: the first holds, and both say who signed what.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper that fails ends its test")]

mod common;

use alloy::{
    eips::BlockId,
    primitives::{Address, B256},
};
use ccc_chain::{
    Deployment,
    conflict::{Claim, NoConflict, between},
};
use ccc_core::report::{Binding, Kind, Payload, Report, Round, SignedReport, Solvency, Statement, Verdict};
use common::{World, refusal, report_signer};

fn address(seed: u8) -> Address {
    report_signer(seed).address().into()
}

/// Signed by these of the four signers.
fn signed_by(world: &World, report: Report, seeds: [u8; 2]) -> SignedReport {
    world.signed_by(report, &seeds)
}

/// Two successors of one table, as two enclaves would make them.
async fn rounds(world: &World) -> (Report, Report) {
    let round = world.round(B256::ZERO, false).await;
    let other = Round { header_hash: [0x77; 32], ..round };
    (world.report(Statement::Round(round), 1).await, world.report(Statement::Round(other), 2).await)
}

#[tokio::test]
async fn n119_the_first_of_two_quorums_holds_and_the_second_names_who_signed_both() {
    let world = World::new().await;
    let (one, other) = rounds(&world).await;
    let (first, second) = (signed_by(&world, one, [101, 102]), signed_by(&world, other, [102, 103]));
    world.deliver(&first).await.unwrap();
    let late = refusal(world.deliver(&second).await);
    assert_eq!(late, (world.deployment.pool, "VersionMismatch".to_owned()));
    assert_eq!(world.pool().table(BlockId::latest()).await.unwrap().version, 1);
    let found = between(&world.deployment, &first, &second).unwrap();
    assert_eq!((found.kind, found.claim), (Kind::Round, Claim::Version(1)));
    assert_eq!(found.both, [address(102)]);
    assert_eq!((found.first, found.second), (vec![address(101)], vec![address(103)]));
}

#[tokio::test]
async fn n119_two_quorums_without_a_common_signer_name_nobody() {
    let world = World::new().await;
    let (one, other) = rounds(&world).await;
    let (first, second) = (signed_by(&world, one, [101, 102]), signed_by(&world, other, [103, 104]));
    let found = between(&world.deployment, &first, &second).unwrap();
    assert!(found.both.is_empty());
    assert_eq!((found.first.len(), found.second.len()), (2, 2));
}

#[tokio::test]
async fn n119_each_kind_of_claim_is_found() {
    let world = World::new().await;
    let claims = |first: &SignedReport, second: &SignedReport| between(&world.deployment, first, second).unwrap().claim;
    let sign = |report| signed_by(&world, report, [101, 102]);
    let yes = world.solvency(Verdict::Solvent).await;
    let no = Solvency { verdict: Verdict::Insolvent, ..yes };
    let (yes, no) = (Statement::Solvency(yes), Statement::Solvency(no));
    let (yes, no) = (sign(world.report(yes, 1).await), sign(world.report(no, 2).await));
    assert!(matches!(claims(&yes, &no), Claim::Block(_)));
    let round = Round { request_id: [5; 32], ..world.round(B256::ZERO, false).await };
    let next = Round { version: round.version + 1, ..round };
    let (round, next) = (Statement::Round(round), Statement::Round(next));
    let (round, next) = (sign(world.report(round, 1).await), sign(world.report(next, 2).await));
    assert_eq!(claims(&round, &next), Claim::Request([5; 32].into()));
    let pay = |amount| Statement::Payout(world.payout(B256::repeat_byte(6), amount, 1));
    let (little, much) = (sign(world.report(pay(1), 1).await), sign(world.report(pay(2), 2).await));
    assert_eq!(claims(&little, &much), Claim::Withdrawal(B256::repeat_byte(6)));
    let a = world.round(B256::ZERO, false).await;
    let b = Round { version: a.version + 1, ..a };
    let (a, b) = (sign(world.report(Statement::Round(a), 9).await), sign(world.report(Statement::Round(b), 9).await));
    assert_eq!(claims(&a, &b), Claim::Sequence(9));
}

/// Two honest reserve checks at one final block: each seals its own envelope, and the attestation contract takes both.
#[tokio::test]
async fn n119_the_same_verdict_twice_contradicts_nothing() {
    let world = World::new().await;
    let one = world.solvency(Verdict::Solvent).await;
    let other = Solvency { envelope_digest: [0x99; 32], ..one };
    let one = signed_by(&world, world.report(Statement::Solvency(one), 1).await, [101, 102]);
    let other = signed_by(&world, world.report(Statement::Solvency(other), 2).await, [101, 102]);
    assert!(matches!(between(&world.deployment, &one, &other), Err(NoConflict::Apart)));
    world.deliver(&one).await.unwrap();
    world.deliver(&other).await.unwrap();
}

/// A report of an epoch that passed is dead, and its honest successor is about the same table.
#[tokio::test]
async fn n119_reports_of_two_epochs_contradict_nothing() {
    let world = World::new().await;
    let (one, other) = rounds(&world).await;
    let payload = *other.payload();
    let binding = Binding { epoch: payload.binding.epoch + 1, ..payload.binding };
    let made = other.header().timestamp.into();
    let next = Report::new(world.deployment.origin(), made, Payload { binding, ..payload }).unwrap();
    let (first, second) = (signed_by(&world, one, [101, 102]), signed_by(&world, next, [101, 102]));
    assert!(matches!(between(&world.deployment, &first, &second), Err(NoConflict::Apart)));
    let same = signed_by(&world, other, [101, 102]);
    assert!(between(&world.deployment, &first, &same).is_ok(), "of one epoch they do");
}

#[tokio::test]
async fn n119_what_is_no_evidence_is_told_why() {
    let world = World::new().await;
    let (one, other) = rounds(&world).await;
    let first = signed_by(&world, one.clone(), [101, 102]);
    let told = |deployment: &Deployment, second: &SignedReport| between(deployment, &first, second).unwrap_err();
    // the same, for another time and by others
    let again = signed_by(&world, world.report_until(one.payload().statement, 3, 1 << 40).await, [103, 104]);
    assert!(matches!(told(&world.deployment, &again), NoConflict::Same));
    let payout = Statement::Payout(world.payout(B256::ZERO, 1, 1));
    let payout = signed_by(&world, world.report(payout, 1).await, [101, 102]);
    assert!(matches!(told(&world.deployment, &payout), NoConflict::Apart));
    // a stranger's signature binds nobody
    let forged = signed_by(&world, other.clone(), [101, 99]);
    assert!(matches!(told(&world.deployment, &forged), NoConflict::Quorum { which: "second", .. }));
    let second = signed_by(&world, other.clone(), [101, 102]);
    let elsewhere = Deployment { chain_id: 1, ..world.deployment.clone() };
    assert!(matches!(told(&elsewhere, &second), NoConflict::Chain { which: "first", expected: 1, .. }));
    // what was over before the other was made
    let over = world.now().await + 1;
    let short = signed_by(&world, world.report_until(other.payload().statement, 1, over).await, [101, 102]);
    world.chain.advance_time(over + 60).await.unwrap();
    let later = signed_by(&world, world.report(one.payload().statement, 1).await, [101, 102]);
    let refused = between(&world.deployment, &short, &later).unwrap_err();
    assert!(matches!(refused, NoConflict::After { until, made } if until == over && made > until), "{refused}");
    assert!(matches!(between(&world.deployment, &later, &short), Err(NoConflict::After { .. })));
}
