//! The same story on the embedded chain and on anvil: same results, same gas, line by line.
//!
//! `CCC_ANVIL` names the anvil binary; without it there is nothing to compare with.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper that fails ends its test")]

mod common;

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use alloy::{
    eips::BlockId,
    primitives::{B256, Bytes},
};
use ccc_chain::{Chain, ChainError, ChainKind, ConnectOptions, read, transcript, watch::Watcher};
use ccc_core::report::{Round, Statement, Verdict};
use common::{CHAIN_ID, GENESIS_TIME, USDC_LOT, World, embedded_chain, salt};

/// An anvil that ends with the test.
struct Anvil {
    child: Child,
    url: String,
}

impl Anvil {
    fn start(binary: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(binary)
            .args(["--host", "127.0.0.1", "--hardfork", "osaka", "--silent"])
            .args(["--port", &port.to_string(), "--chain-id", &CHAIN_ID.to_string()])
            .args(["--timestamp", &GENESIS_TIME.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, url: format!("http://127.0.0.1:{port}") }
    }

    async fn chain(&self) -> Chain {
        let options = ConnectOptions {
            expected_chain_id: Some(CHAIN_ID),
            poll_interval: Duration::from_millis(5),
            ..ConnectOptions::default()
        };
        for _ in 0..200 {
            if let Ok(chain) = Chain::connect(&self.url, &options).await {
                return chain;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("anvil did not answer at {}", self.url);
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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
