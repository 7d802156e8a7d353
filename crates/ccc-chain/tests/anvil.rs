//! The same story on the embedded chain and on anvil: same results, same gas, line by line.
//!
//! `CCC_ANVIL` names the anvil binary; without it there is nothing to compare with.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper that fails ends its test")]

mod common;

use alloy::{
    eips::BlockId,
    primitives::{B256, Bytes},
    providers::Provider,
};
use ccc_chain::{
    Chain, ChainError, ChainKind, ConnectOptions, Finality, custody, read, status, transcript,
    watch::{Event, Watcher},
};
use ccc_core::report::{Round, Statement, Verdict};
use common::{CHAIN_ID, USDC_LOT, World, anvil::Anvil, embedded_chain, salt};

/// What happened, with block numbers, times and gas; block hashes and fees differ by design.
async fn story(chain: Chain) -> Vec<String> {
    let world = World::on(chain).await;
    let mut lines = vec![format!("{:?}", world.deployment)];
    world.deposit(5 * USDC_LOT, 1).await;
    world.act().submit_standing_order(&world.maker, salt(2), Bytes::from_static(b"standing")).await.unwrap();
    let withdrawal = world.act().request_withdrawal(&world.maker, salt(3), Bytes::from_static(b"w")).await.unwrap().id;
    let start = world.now().await;
    world.act().push_price(&world.owner, 6_000_000_000_000, start).await.unwrap();
    lines.push(format!(
        "{:?}",
        read::price_observations(&world.chain, world.deployment.feed, 8, BlockId::latest()).await
    ));
    let (request, deadline) = world.request(4).await;
    world.chain.advance_time(deadline).await.unwrap();
    let round = world.round(request, true).await;
    let wrong = Round { previous: [1; 32], ..round };
    lines.push(world.deliver_statement(Statement::Round(wrong), 1).await.unwrap_err().to_string());
    let delivered = world.deliver_statement(Statement::Round(round), 1).await.unwrap();
    lines.push(format!("round {} {} {}", delivered.block, delivered.gas_used, delivered.execution_id));
    let payout = Statement::Payout(world.payout(withdrawal, 1_000_000, 1));
    lines.push(format!("payout {}", world.deliver_statement(payout, 1).await.unwrap().gas_used));
    let solvency = Statement::Solvency(world.solvency(Verdict::Solvent).await);
    lines.push(format!("solvency {}", world.deliver_statement(solvency, 1).await.unwrap().gas_used));
    lines.push(world.act().expire(&world.stranger, B256::ZERO).await.unwrap_err().to_string());
    lines.extend(ending(&world).await);
    lines
}

async fn ending(world: &World) -> Vec<String> {
    let mut watcher = Watcher::new(&world.chain, &world.deployment, world.deployment.first_block);
    let mut lines = Vec::new();
    for observed in watcher.poll().await.unwrap() {
        lines.push(format!("{} {} {:?}", observed.block, observed.log_index, observed.event));
    }
    let seen = transcript::collect(&world.chain, world.deployment.first_block, &[]).await.unwrap();
    for record in seen.transactions {
        let (block, time, gas) = (record.block, record.time, record.gas_used);
        lines.push(format!("{block} {time} {gas} {} {:?} {}", record.from, record.to, record.success));
    }
    lines
}

#[tokio::test]
async fn story_and_gas_agree_with_anvil() {
    let Ok(binary) = std::env::var("CCC_ANVIL") else {
        println!("CCC_ANVIL names no anvil binary: the embedded chain was compared with nothing.");
        return;
    };
    let anvil = Anvil::start(&binary);
    let chain = anvil.chain().await;
    assert_eq!(chain.kind(), ChainKind::Anvil);
    let (ours, theirs) = (story(embedded_chain()).await, story(chain).await);
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
    let options = ConnectOptions { expected_chain_id: Some(1), ..ConnectOptions::default() };
    let refused = Chain::connect(&anvil.url, &options).await;
    assert!(matches!(refused, Err(ChainError::WrongChain { expected: 1, found: CHAIN_ID })));
}

/// The set with registries and roles: same addresses, same gas, and both are what a rehearsal beside the node says.
#[tokio::test]
async fn custody_deployment_and_rehearsal_agree_with_anvil() {
    let Ok(binary) = std::env::var("CCC_ANVIL") else {
        println!("CCC_ANVIL names no anvil binary: the set was deployed on the embedded chain alone.");
        return;
    };
    let anvil = Anvil::start(&binary);
    let (ours, theirs) = (embedded_chain(), anvil.chain().await);
    let deployer = common::wallet(common::DEPLOYER);
    for chain in [&ours, &theirs] {
        chain.fund(deployer.address()).await.unwrap();
    }
    let plan = common::custody_plan();
    let (_, rehearsed) = custody::rehearse(&theirs, &deployer, &plan).await.unwrap();
    let (here, our_steps) = custody::deploy(&ours, &deployer, &plan).await.unwrap();
    let (there, their_steps) = custody::deploy(&theirs, &deployer, &plan).await.unwrap();
    assert_eq!((&here, &our_steps), (&there, &their_steps));
    assert_eq!(rehearsed, their_steps);
    let told = [status::read(&ours, &here).await.unwrap(), status::read(&theirs, &there).await.unwrap()];
    let [here, there] =
        told.map(|status| (status.registries, status.table.version, status.configurations, status.paused));
    assert_eq!(here, there);
}

/// Blocks that stand on one before it counts as final.
const DEPTH: u64 = 3;

/// Asks the node for what no client would: to go back, or on without a transaction.
async fn ask(chain: &Chain, method: &'static str, parameters: serde_json::Value) -> serde_json::Value {
    chain.provider().raw_request(method.into(), parameters).await.unwrap()
}

async fn bury(chain: &Chain) {
    for _ in 0..DEPTH {
        ask(chain, "evm_mine", serde_json::json!([])).await;
    }
}

/// Closes the next idle round with this header hash, after a deposit.
async fn close(world: &World, salt_byte: u8, header_hash: [u8; 32]) -> B256 {
    let deposit = world.deposit(USDC_LOT, salt_byte).await;
    let round = Round { header_hash, ..world.round(B256::ZERO, false).await };
    world.deliver_statement(Statement::Round(round), round.version).await.unwrap();
    deposit
}

/// The header hashes of the rounds that a watcher tells, and the identifiers of the deposits.
async fn told(watcher: &mut Watcher) -> (Vec<B256>, Vec<B256>) {
    let (mut rounds, mut deposits) = (Vec::new(), Vec::new());
    for observed in watcher.poll().await.unwrap() {
        match observed.event {
            Event::RoundClosed { header_hash, .. } => rounds.push(header_hash),
            Event::Deposited { id, .. } => deposits.push(id),
            _ => {}
        }
    }
    (rounds, deposits)
}

/// A version that the node takes back is never told, its block gives no answer, the one before is current again, and what
/// follows it on the other branch is told once it is final.
#[tokio::test]
async fn n133_a_follower_of_anvil_goes_through_a_reorganisation_and_tells_nothing_of_the_lost_branch() {
    let Ok(binary) = std::env::var("CCC_ANVIL") else {
        println!("CCC_ANVIL names no anvil binary: no reorganisation was followed.");
        return;
    };
    let anvil = Anvil::start(&binary);
    let world = World::on(anvil.chain().await).await;
    let follower = anvil.chain_with(Some(Finality::Confirmations(DEPTH))).await;
    let pool = read::Pool::new(&follower, world.deployment.pool);
    let mut watcher = Watcher::new(&follower, &world.deployment, world.deployment.first_block);

    let first = close(&world, 1, [1; 32]).await;
    bury(&world.chain).await;
    assert_eq!(told(&mut watcher).await, (vec![[1; 32].into()], vec![first]));
    let before = pool.table(follower.finalised_block().await.unwrap().id()).await.unwrap();
    assert_eq!((before.version, before.header_hash), (1, [1; 32].into()));

    let kept = ask(&world.chain, "evm_snapshot", serde_json::json!([])).await;
    close(&world, 2, [2; 32]).await;
    let lost = follower.block(BlockId::latest()).await.unwrap();
    assert_eq!(pool.table(lost.id()).await.unwrap().version, 2, "it is there, and not final");
    assert_eq!(pool.table(follower.finalised_block().await.unwrap().id()).await.unwrap(), before);
    assert_eq!(told(&mut watcher).await, (vec![], vec![]), "what is not final is not told");

    assert_eq!(ask(&world.chain, "evm_revert", serde_json::json!([kept])).await, true);
    assert_eq!(pool.table(BlockId::latest()).await.unwrap(), before, "the old version is current again");
    assert!(pool.table(lost.id()).await.is_err(), "a block of the lost branch gives no answer, and nobody else's");
    assert!(matches!(follower.block(lost.id()).await, Err(ChainError::NoBlock { .. })));

    let other = close(&world, 3, [3; 32]).await;
    assert_eq!(told(&mut watcher).await, (vec![], vec![]));
    bury(&world.chain).await;
    assert_eq!(told(&mut watcher).await, (vec![[3; 32].into()], vec![other]), "nothing lost, nothing twice");
    let after = pool.table(follower.finalised_block().await.unwrap().id()).await.unwrap();
    assert_eq!((after.version, after.header_hash, after.consumed), (2, [3; 32].into(), 2));
}
