//! The submitter on a node with a mempool: what a network does to a transaction, and the report arrives once.
//!
//! `CCC_ANVIL` names the anvil binary; without it there is no mempool to lose something from.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails ends there")]

mod common;

use std::time::Duration;

use alloy::{
    consensus::Transaction as _,
    eips::BlockId,
    primitives::{B256, U64},
    providers::Provider,
};
use ccc_chain::{
    Chain, ConnectOptions, EmbeddedConfig,
    conflict::{self, Claim},
    embedded::{ChainServer, Clock, EmbeddedTransport},
    read::RequestStatus,
    submitter::{self, Policy, Submission, Submitted, SystemClock},
    watch::{Event, Watcher},
};
use ccc_core::report::{Round, SignedReport, Statement};
use common::{
    CHAIN_ID, GENESIS_TIME, World,
    anvil::Anvil,
    proxy::{Fault, Proxy},
};
use serde_json::{Value, json};

/// A world on anvil with one report to deliver; none where there is no anvil.
async fn place() -> Option<(Anvil, World, SignedReport)> {
    let Ok(binary) = std::env::var("CCC_ANVIL") else {
        println!("CCC_ANVIL names no anvil binary: no mempool lost anything.");
        return None;
    };
    let anvil = Anvil::start(&binary);
    let world = World::on(anvil.chain().await).await;
    let signed = idle_round(&world).await;
    Some((anvil, world, signed))
}

async fn idle_round(world: &World) -> SignedReport {
    let round = world.round(B256::ZERO, false).await;
    world.signed(world.report(Statement::Round(round), 1).await)
}

fn policy(chain: &Chain) -> Policy {
    Policy { patience: Duration::from_secs(60), limit: Duration::from_secs(300), ..Policy::of(chain) }
}

async fn deliver(world: &World, chain: &Chain, signed: &SignedReport, policy: &Policy) -> Submitted {
    let (wallet, forwarder) = (&world.stranger, world.deployment.forwarder);
    let outcome = submitter::deliver(chain, wallet, forwarder, signed, policy, &SystemClock::start()).await;
    match outcome.unwrap() {
        Submission::Delivered(submitted) => submitted,
        other @ Submission::Before { .. } => panic!("expected a delivery, found {other:?}"),
    }
}

async fn ask(chain: &Chain, method: &'static str, parameters: Value) -> Value {
    chain.provider().raw_request(method.into(), parameters).await.unwrap()
}

/// Waits until a condition of the chain holds.
async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    for _ in 0..6000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain for {what}");
}

/// Transactions in the mempool: those that could be mined, and those behind a gap.
async fn waiting(chain: &Chain) -> (u64, u64) {
    let status = ask(chain, "txpool_status", json!([])).await;
    let number = |name: &str| serde_json::from_value::<U64>(status[name].clone()).unwrap().to();
    (number("pending"), number("queued"))
}

/// The hash of the only transaction in the mempool.
async fn only(chain: &Chain) -> String {
    let content = ask(chain, "txpool_content", json!([])).await;
    let senders = content["pending"].as_object().unwrap();
    let of_sender = senders.values().next().unwrap().as_object().unwrap();
    of_sender.values().next().unwrap()["hash"].as_str().unwrap().to_owned()
}

async fn version(world: &World) -> u64 {
    world.pool().table(BlockId::latest()).await.unwrap().version
}

/// One round closed, one delivery succeeded, and so many transactions of the sender are mined.
async fn arrived_once(world: &World, transactions: u64) {
    let mut watcher = Watcher::new(&world.chain, &world.deployment, world.deployment.first_block);
    let events = watcher.poll().await.unwrap();
    let rounds = events.iter().filter(|observed| matches!(observed.event, Event::RoundClosed { .. }));
    assert_eq!(rounds.count(), 1, "one round");
    assert_eq!(version(world).await, 1);
    let nonce = world.chain.provider().get_transaction_count(world.stranger.address()).await.unwrap();
    assert_eq!(nonce, transactions);
}

#[tokio::test]
async fn n155_an_rpc_failure_around_the_sending_is_survived_on_anvil() {
    let Some((anvil, world, signed)) = place().await else { return };
    let proxy = Proxy::before(&anvil.url).await;
    let options = ConnectOptions { poll_interval: Duration::from_millis(5), ..ConnectOptions::default() };
    let chain = Chain::connect(&proxy.url, &options).await.unwrap();
    proxy.fault("eth_sendRawTransaction", 1, Fault::Lose);
    proxy.fault("eth_blockNumber", 3, Fault::Drop);
    let submitted = deliver(&world, &chain, &signed, &policy(&chain)).await;
    assert!(proxy.is_spent());
    assert_eq!((submitted.own, submitted.attempts, submitted.sends), (true, 1, 1));
    arrived_once(&world, 1).await;
}

#[tokio::test]
async fn n133_a_delivery_that_a_reorganisation_takes_back_on_anvil_is_made_again() {
    let Some((_anvil, world, signed)) = place().await else { return };
    let chain = &world.chain;
    let policy = Policy { confirmations: 2, ..policy(chain) };
    let kept = ask(chain, "evm_snapshot", json!([])).await;
    let network = async {
        until("the first delivery", async || version(&world).await == 1).await;
        assert_eq!(ask(chain, "evm_revert", json!([kept])).await, true);
        until("the second delivery", async || version(&world).await == 1).await;
        ask(chain, "evm_mine", json!([])).await;
        ask(chain, "evm_mine", json!([])).await;
    };
    let (submitted, ()) = tokio::join!(deliver(&world, chain, &signed, &policy), network);
    assert_eq!((submitted.own, submitted.attempts), (true, 1), "the same bytes, twice");
    assert!(submitted.sends >= 2);
    arrived_once(&world, 1).await;
}

#[tokio::test]
async fn a_gap_before_the_nonce_on_anvil_is_filled() {
    let Some((_anvil, world, signed)) = place().await else { return };
    let chain = &world.chain;
    let sender = world.stranger.address();
    ask(chain, "evm_setAutomine", json!([false])).await;
    ask(chain, "anvil_impersonateAccount", json!([sender])).await;
    let before = ask(chain, "eth_sendTransaction", json!([{ "from": sender, "to": sender, "gas": "0x5208" }])).await;
    let policy = Policy { patience: Duration::from_secs(2), ..policy(chain) };
    let network = async {
        until("the report behind another transaction", async || waiting(chain).await.0 == 2).await;
        ask(chain, "anvil_dropTransaction", json!([before])).await;
        until("the report before the gap", async || waiting(chain).await.0 >= 1).await;
        until("the delivery", async || {
            ask(chain, "evm_mine", json!([])).await;
            version(&world).await == 1
        })
        .await;
    };
    let (submitted, ()) = tokio::join!(deliver(&world, chain, &signed, &policy), network);
    assert!(submitted.own);
    let mined = chain.provider().get_transaction_by_hash(submitted.delivery.transaction).await.unwrap().unwrap();
    assert_eq!(mined.nonce(), 0, "in the lost one's place");
    // the one behind it brings nothing: the forwarder has the report
    ask(chain, "evm_mine", json!([])).await;
    let nonce = chain.provider().get_transaction_count(sender).await.unwrap();
    arrived_once(&world, nonce).await;
}

/// The wallet's own deposit waits at the nonce that a lagging machine of the node calls free.
#[tokio::test]
async fn another_transaction_of_the_wallet_on_anvil_is_not_outbid() {
    let Some((anvil, world, signed)) = place().await else { return };
    let direct = &world.chain;
    let sender = world.stranger.address();
    ask(direct, "evm_setAutomine", json!([false])).await;
    ask(direct, "anvil_impersonateAccount", json!([sender])).await;
    let fees = direct.provider().estimate_eip1559_fees().await.unwrap();
    let (most, tip) = (format!("{:#x}", fees.max_fee_per_gas), format!("{:#x}", fees.max_priority_fee_per_gas));
    let deposit = json!([{
        "from": sender, "to": sender, "gas": "0x5208", "maxFeePerGas": most, "maxPriorityFeePerGas": tip,
    }]);
    let deposit: B256 = serde_json::from_value(ask(direct, "eth_sendTransaction", deposit).await).unwrap();
    let proxy = Proxy::before(&anvil.url).await;
    let options = ConnectOptions { poll_interval: Duration::from_millis(5), ..ConnectOptions::default() };
    let chain = Chain::connect(&proxy.url, &options).await.unwrap();
    proxy.fault("eth_getTransactionCount", 2, Fault::Lie(json!("0x0")));
    let network = async {
        until("both", async || waiting(direct).await.0 == 2).await;
        ask(direct, "evm_mine", json!([])).await;
    };
    let policy = policy(&chain);
    let (submitted, ()) = tokio::join!(deliver(&world, &chain, &signed, &policy), network);
    assert_eq!((submitted.own, submitted.attempts, submitted.sends), (true, 2, 2));
    let nonce = async |hash| direct.provider().get_transaction_by_hash(hash).await.unwrap().unwrap().nonce();
    assert_eq!((nonce(deposit).await, nonce(submitted.delivery.transaction).await), (0, 1));
    assert!(direct.provider().get_transaction_receipt(deposit).await.unwrap().is_some(), "it was mined");
    arrived_once(&world, 2).await;
}

#[tokio::test]
async fn a_transaction_that_became_too_cheap_on_anvil_is_replaced() {
    let Some((_anvil, world, signed)) = place().await else { return };
    let chain = &world.chain;
    ask(chain, "evm_setAutomine", json!([false])).await;
    let policy = Policy { patience: Duration::from_millis(1500), ..policy(chain) };
    let network = async {
        until("the cheap one", async || waiting(chain).await.0 == 1).await;
        let cheap = only(chain).await.parse().unwrap();
        let cheap = chain.provider().get_transaction_by_hash(cheap).await.unwrap().unwrap().max_fee_per_gas();
        let dear = format!("{:#x}", cheap * 50);
        until("the delivery", async || {
            // the network stays dear
            ask(chain, "anvil_setNextBlockBaseFeePerGas", json!([dear])).await;
            ask(chain, "evm_mine", json!([])).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            version(&world).await == 1
        })
        .await;
        cheap
    };
    let (submitted, cheap) = tokio::join!(deliver(&world, chain, &signed, &policy), network);
    assert!(submitted.own && submitted.attempts >= 2);
    let mined = chain.provider().get_transaction_by_hash(submitted.delivery.transaction).await.unwrap().unwrap();
    assert_eq!(mined.nonce(), 0);
    assert!(mined.max_fee_per_gas() >= cheap * 50, "{} is not above {cheap}", mined.max_fee_per_gas());
    arrived_once(&world, 1).await;
}

#[tokio::test]
async fn a_transaction_that_anvil_drops_is_sent_again() {
    let Some((_anvil, world, signed)) = place().await else { return };
    let chain = &world.chain;
    ask(chain, "evm_setAutomine", json!([false])).await;
    let policy = policy(chain);
    let network = async {
        until("the report", async || waiting(chain).await.0 == 1).await;
        let dropped = only(chain).await;
        ask(chain, "anvil_dropTransaction", json!([dropped])).await;
        until("the report again", async || waiting(chain).await.0 == 1).await;
        ask(chain, "evm_mine", json!([])).await;
        dropped
    };
    let (submitted, dropped) = tokio::join!(deliver(&world, chain, &signed, &policy), network);
    assert_eq!((submitted.own, submitted.attempts), (true, 1));
    assert!(submitted.sends >= 2);
    assert_eq!(submitted.delivery.transaction.to_string(), dropped, "the same bytes");
    arrived_once(&world, 1).await;
}

/// The same script before both chains: what the submitter did, what it cost, what the chain says.
async fn faulty(url: &str) -> Vec<String> {
    let options = ConnectOptions { poll_interval: Duration::from_millis(5), ..ConnectOptions::default() };
    let world = World::on(Chain::connect(url, &options).await.unwrap()).await;
    let signed = idle_round(&world).await;
    let proxy = Proxy::before(url).await;
    let chain = Chain::connect(&proxy.url, &options).await.unwrap();
    proxy.fault("eth_sendRawTransaction", 1, Fault::Say("transaction underpriced"));
    proxy.fault("eth_sendRawTransaction", 1, Fault::Drop);
    proxy.fault("eth_sendRawTransaction", 1, Fault::Lose);
    proxy.fault("eth_getTransactionReceipt", 1, Fault::Lie(Value::Null));
    let submitted = deliver(&world, &chain, &signed, &policy(&chain)).await;
    arrived_once(&world, 1).await;
    let delivery = submitted.delivery;
    let mut lines = vec![
        format!("{} {} {}", submitted.own, submitted.attempts, submitted.sends),
        format!("{} {} {}", delivery.block, delivery.gas_used, delivery.execution_id),
    ];
    let mut watcher = Watcher::new(&world.chain, &world.deployment, world.deployment.first_block);
    for observed in watcher.poll().await.unwrap() {
        lines.push(format!("{} {} {:?}", observed.block, observed.log_index, observed.event));
    }
    lines
}

#[tokio::test]
async fn the_same_faults_give_the_same_delivery_on_anvil_and_in_process() {
    let Ok(binary) = std::env::var("CCC_ANVIL") else {
        println!("CCC_ANVIL names no anvil binary: the submitter was compared with nothing.");
        return;
    };
    let anvil = Anvil::start(&binary);
    anvil.chain().await;
    let config = EmbeddedConfig { chain_id: CHAIN_ID, genesis_time: GENESIS_TIME, rich: Vec::new() };
    let server = ChainServer::serve(([127, 0, 0, 1], 0).into(), EmbeddedTransport::new(&config), Clock::Blocks);
    let server = server.await.unwrap();
    assert_eq!(faulty(&server.url()).await, faulty(&anvil.url).await);
}

/// Two results for one request, as two enclaves would give them; each is made here, and has its quorum. A reorganisation takes
/// the first back; whichever comes then is the one, and the other is refused.
#[tokio::test]
async fn n074_of_two_results_for_one_request_a_reorganised_anvil_takes_one() {
    let Some((anvil, world, _)) = place().await else { return };
    let (request, deadline) = world.request(4).await;
    world.chain.advance_time(deadline).await.unwrap();
    let round = world.round(request, true).await;
    let other = Round { header_hash: [0x77; 32], success: false, ..round };
    let one = world.signed(world.report(Statement::Round(round), 1).await);
    let two = world.signed(world.report(Statement::Round(other), 1).await);
    let before = ask(&world.chain, "evm_snapshot", json!([])).await;
    deliver(&world, &world.chain, &one, &policy(&world.chain)).await;
    assert_eq!(world.pool().table(BlockId::latest()).await.unwrap().header_hash, round.header_hash);
    assert_eq!(ask(&world.chain, "evm_revert", json!([before])).await, true);
    assert_eq!(version(&world).await, 0, "taken back");
    deliver(&world, &world.chain, &two, &policy(&world.chain)).await;
    let table = world.pool().table(BlockId::latest()).await.unwrap();
    assert_eq!((table.version, table.header_hash.0), (1, other.header_hash));
    let (stranger, forwarder) = (&world.stranger, world.deployment.forwarder);
    let late = ccc_chain::submit::deliver(&world.chain, stranger, forwarder, &one).await;
    assert_eq!(common::refusal(late), (world.deployment.pool, "StaleSequence".to_owned()));
    let settled = world.pool().request(request, BlockId::latest()).await.unwrap();
    assert_eq!(settled.status, RequestStatus::Failed, "what the second result said");
    let found = conflict::between(&world.deployment, &one, &two).unwrap();
    assert_eq!((found.claim, found.both.len()), (Claim::Version(1), 2));
    drop(anvil);
}
