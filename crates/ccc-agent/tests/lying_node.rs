//! A node that hides, invents and loses: nothing is spent on its word, and nothing twice.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails ends there")]

#[path = "../../ccc-chain/tests/common/proxy.rs"]
#[allow(dead_code, reason = "its other tests use the rest")]
mod proxy;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use alloy::{primitives::U256, providers::Provider, rpc::types::Filter, sol_types::SolEvent};
use ccc_agent::{
    drive::{self, DriveError, Turn},
    machine::Waiting,
};
use ccc_chain::{
    Chain, ConnectOptions,
    bindings::ReserveAttestation,
    embedded::{ChainServer, Clock, EmbeddedTransport},
};
use proxy::{Fault, Proxy};
use serde_json::{Value, json};
use world::{COIN, World, config};

/// A world behind a proxy.
async fn behind() -> (ChainServer, Proxy, World) {
    let transport = EmbeddedTransport::new(&config());
    let server = ChainServer::serve(([127, 0, 0, 1], 0).into(), transport, Clock::Blocks).await.unwrap();
    let proxy = Proxy::before(&server.url()).await;
    let chain = Chain::connect(&proxy.url, &ConnectOptions::default()).await.unwrap();
    let world = World::on(chain).await;
    (server, proxy, world)
}

async fn turn(world: &World) -> Result<Turn, DriveError> {
    let policy = world.policy();
    world.driver(&policy).turn(&mut world.rng()).await
}

async fn rests(world: &World) -> Waiting {
    for _ in 0..30 {
        if let Turn::Waits(waiting) = turn(world).await.unwrap() {
            return waiting;
        }
    }
    panic!("it never rests")
}

#[tokio::test]
async fn events_that_the_contract_contradicts_move_nothing() {
    let (_server, proxy, world) = behind().await;
    world.report(1, 0).await;
    let filter = Filter::new().address(world.deployment.attestation).from_block(0);
    let genuine = world.chain.provider().get_logs(&filter).await.unwrap();
    let topic = ReserveAttestation::SolvencyReport::SIGNATURE_HASH;
    let genuine: Vec<_> = genuine.into_iter().filter(|log| log.topic0() == Some(&topic)).collect();
    let bent = |bend: fn(&mut Vec<u8>)| -> Value {
        let logs = genuine.iter().cloned().map(|mut log| {
            let mut data = log.inner.data.data.to_vec();
            bend(&mut data);
            log.inner.data.data = data.into();
            log
        });
        json!(logs.collect::<Vec<_>>())
    };
    // what the events would have to say for the agent to act: insolvent
    for (lie, wanted) in [(json!([]), "the last report"), (bent(|data| turn_insolvent(data)), "the status")] {
        proxy.fault("eth_getLogs", 2, Fault::Lie(lie));
        let found = turn(&world).await;
        assert!(matches!(&found, Err(DriveError::Lies { what, .. }) if *what == wanted), "{wanted}: {found:?}");
        while !proxy.is_spent() {
            let _left = world.chain.provider().get_logs(&filter).await;
        }
    }
    assert_eq!(rests(&world).await, Waiting::Idle);
    assert!(world.journal().1.decisions.is_empty());
}

/// The status is indexed or the first word: whichever byte says one says two.
fn turn_insolvent(data: &mut [u8]) {
    if let Some(byte) = data.get_mut(31).filter(|byte| **byte == 1) {
        *byte = 2;
    }
}

/// The node has the transaction and its answer is lost; then it hides it. It is sent again, and taken once.
#[tokio::test]
async fn what_the_node_lost_and_hid_is_done_once() {
    let (_server, proxy, world) = behind().await;
    world.give_coins(4 * COIN).await;
    world.report(2, 2 * COIN).await;
    let before = world.reserve_coins().await;
    while world.journal_path().metadata().map_or(0, |found| found.len()) == 0 {
        turn(&world).await.unwrap();
    }
    proxy.fault("eth_sendRawTransaction", 1, Fault::Lose);
    let lost = turn(&world).await;
    assert!(matches!(lost, Err(DriveError::Chain(_))), "{lost:?}");
    assert_eq!(world.journal().1.sent.len(), 1, "it was journalled before it was sent");
    for _ in 0..3 {
        proxy.fault("eth_getTransactionReceipt", 1, Fault::Lie(Value::Null));
        proxy.fault("eth_getTransactionByHash", 1, Fault::Lie(Value::Null));
        let again = turn(&world).await.unwrap();
        assert!(matches!(again, Turn::Waits(Waiting::UnderWay { .. })), "{again:?}");
    }
    assert!(proxy.is_spent());
    assert_eq!(rests(&world).await, Waiting::Idle);
    assert_eq!(world.reserve_coins().await - before, U256::from(2 * COIN));
    assert_eq!(world.journal().1.sent.len(), 1);
}

static TIME: AtomicU64 = AtomicU64::new(0);

/// Pauses, caps and deadlines go by the machine's clock, and a node far from it is not believed.
#[tokio::test]
async fn a_node_that_tells_another_time_is_not_believed() {
    let (_server, _proxy, mut world) = behind().await;
    world.give_coins(COIN).await;
    world.report(2, COIN).await;
    let told = world.chain.block(alloy::eips::BlockId::latest()).await.unwrap().time;
    world.clock = drive::Clock::Own(|| TIME.load(Ordering::Relaxed));
    for wrong in [0, told - 121, told + 121, u64::MAX] {
        TIME.store(wrong, Ordering::Relaxed);
        let found = turn(&world).await;
        assert!(matches!(&found, Err(DriveError::Lies { what: "the time", .. })), "{wrong}: {found:?}");
    }
    assert!(world.journal().1.decisions.is_empty());
    TIME.store(told + 100, Ordering::Relaxed);
    assert_eq!(rests(&world).await, Waiting::Idle);
    let (_, state) = world.journal();
    assert_eq!((state.sent.len(), state.sent[0].time), (1, told + 100), "the machine's time, not the node's");
}

/// Another number than the journal's: somebody else has the key, or the node lies. Either way nothing is signed.
#[tokio::test]
async fn a_number_that_the_journal_does_not_know_stops_it() {
    let (_server, proxy, world) = behind().await;
    world.give_coins(2 * COIN).await;
    world.report(2, 2 * COIN).await;
    while world.journal_path().metadata().map_or(0, |found| found.len()) == 0 {
        turn(&world).await.unwrap();
    }
    proxy.fault("eth_getTransactionCount", 2, Fault::Lie(json!("0x0")));
    assert!(matches!(turn(&world).await.unwrap(), Turn::Went(_)), "the first");
    assert!(matches!(turn(&world).await.unwrap(), Turn::Went(_)), "it landed");
    for lie in ["0x0", "0x7"] {
        proxy.fault("eth_getTransactionCount", 2, Fault::Lie(json!(lie)));
        let found = turn(&world).await.unwrap();
        assert!(matches!(found, Turn::Waits(Waiting::Nonce { expected: 1, .. })), "{lie}: {found:?}");
    }
    assert_eq!(world.journal().1.sent.len(), 1);
}
