//! Nodes behind TLS, on loopback: who is believed, and what is told of who is not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper that fails ends its test")]

mod common;

use std::{net::SocketAddr, time::Duration};

use alloy::{primitives::B256, rpc::types::TransactionRequest};
use ccc_chain::{
    Chain, ChainError, ChainKind, ConnectOptions, EmbeddedConfig,
    embedded::{ChainServer, Clock, EmbeddedTransport},
    https::{Authorities, TlsError},
    submitter::{self, Policy, Submission, SystemClock},
};
use ccc_core::report::Statement;
use common::{
    CHAIN_ID, World,
    tls::{AHEAD, AUTHORITY, ELSEWHERE, EXPIRED, Front, NODE, STRANGER},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const LOOPBACK: &str = "127.0.0.1:0";

/// A served chain with TLS before it.
struct Node {
    server: ChainServer,
    front: Front,
}

impl Node {
    async fn with(certificate: &[u8]) -> Self {
        let config = EmbeddedConfig { chain_id: CHAIN_ID, genesis_time: 1_700_000_000, rich: Vec::new() };
        let address: SocketAddr = LOOPBACK.parse().unwrap();
        let server = ChainServer::serve(address, EmbeddedTransport::new(&config), Clock::Blocks).await.unwrap();
        let behind = server.url().trim_start_matches("http://").parse().unwrap();
        let front = Front::before(behind, certificate).await;
        Self { server, front }
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}", self.front.port)
    }

    async fn reached(&self, host: &str, authority: &[u8]) -> Result<Chain, ChainError> {
        reached(&self.url(host), authority).await
    }

    async fn refused(&self, host: &str, authority: &[u8]) -> TlsError {
        fault(self.reached(host, authority).await)
    }
}

async fn reached(url: &str, authority: &[u8]) -> Result<Chain, ChainError> {
    let options = ConnectOptions { answer_timeout: Duration::from_secs(5), ..ConnectOptions::default() };
    Chain::connect_trusting(url, &Authorities::from_pem(authority).unwrap(), &options).await
}

#[track_caller]
fn fault(outcome: Result<Chain, ChainError>) -> TlsError {
    match outcome {
        Err(ChainError::Tls(fault)) => fault,
        other => panic!("expected a fault of TLS, found {other:?}"),
    }
}

#[tokio::test]
async fn a_deployment_goes_through_a_node_behind_tls() {
    let node = Node::with(NODE).await;
    for host in ["localhost", "127.0.0.1"] {
        let chain = node.reached(host, AUTHORITY).await.unwrap();
        assert_eq!((chain.kind(), chain.chain_id()), (ChainKind::Embedded, CHAIN_ID));
    }
    let world = World::on(node.reached("localhost", AUTHORITY).await.unwrap()).await;
    world.idle_round().await;
    drop(node.server);
}

/// What breaks after the handshake is a connection that broke: a transaction may be with the node, and is not given up.
#[tokio::test]
async fn a_stream_that_somebody_writes_into_ends_no_delivery() {
    let node = Node::with(NODE).await;
    let world = World::on(node.reached("localhost", AUTHORITY).await.unwrap()).await;
    let (chain, wallet) = (&world.chain, &world.stranger);
    // the served chain mines what it is sent before it answers
    node.front.spoil("eth_sendRawTransactionSync", 1);
    let signed = chain.sign(wallet, TransactionRequest::default().to(wallet.address())).await.unwrap();
    let lost = chain.send_signed(signed).await.unwrap_err();
    assert!(matches!(lost, ChainError::Rpc(_)) && lost.to_string().contains("TLS"), "{lost:?}");
    let round = world.round(B256::ZERO, false).await;
    let signed = world.signed(world.report(Statement::Round(round), 1).await);
    assert!(node.front.is_spent());
    node.front.spoil("eth_sendRawTransaction", 1);
    let (policy, clock) = (Policy::of(chain), SystemClock::start());
    let sent = submitter::deliver(chain, wallet, world.deployment.forwarder, &signed, &policy, &clock).await.unwrap();
    let Submission::Delivered(submitted) = sent else { panic!("{sent:?}") };
    assert_eq!((submitted.own, submitted.attempts), (true, 1));
    assert!(node.front.is_spent());
}

#[tokio::test]
async fn another_name_is_told_with_both_names() {
    let node = Node::with(ELSEWHERE).await;
    match node.refused("localhost", AUTHORITY).await {
        TlsError::Name { expected, found } => {
            assert_eq!(expected, "localhost");
            assert!(found.len() == 1 && found[0].contains("node.example"), "{found:?}");
        }
        other => panic!("expected a name, found {other:?}"),
    }
    assert!(matches!(node.refused("127.0.0.1", AUTHORITY).await, TlsError::Name { .. }));
}

#[tokio::test]
async fn an_authority_that_nobody_named_is_not_believed() {
    let node = Node::with(NODE).await;
    assert_eq!(node.refused("localhost", STRANGER).await, TlsError::UnknownAuthority);
    let by_the_system = Chain::connect(&node.url("localhost"), &ConnectOptions::default()).await;
    let fault = fault(by_the_system);
    assert!(matches!(fault, TlsError::UnknownAuthority | TlsError::NoAuthorities { .. }), "{fault:?}");
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_told_with_the_times() {
    match Node::with(EXPIRED).await.refused("localhost", AUTHORITY).await {
        TlsError::Expired { until, now } => assert!(until == 1_609_459_200 && now > until, "{until} {now}"),
        other => panic!("expected an expiry, found {other:?}"),
    }
    match Node::with(AHEAD).await.refused("localhost", AUTHORITY).await {
        TlsError::NotYet { from, now } => assert!(from > now, "{from} {now}"),
        other => panic!("expected a time to come, found {other:?}"),
    }
}

#[tokio::test]
async fn a_node_without_tls_is_told_as_one() {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let speaks = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let refused = fault(reached(&format!("https://localhost:{port}"), AUTHORITY).await);
    assert!(matches!(refused, TlsError::Handshake { .. }), "{refused:?}");
    speaks.await.unwrap();
}

/// Nobody at the address is no fault of TLS, and may be asked again.
#[tokio::test]
async fn nobody_at_the_address_is_a_failure_of_the_node() {
    let refused = reached("https://127.0.0.1:9/KEY", AUTHORITY).await.unwrap_err();
    assert!(matches!(refused, ChainError::Rpc(_)), "{refused:?}");
    assert!(refused.to_string().contains("Connect") && !refused.to_string().contains("KEY"), "{refused}");
}

/// The address that was named is asked, and no other that it names.
#[tokio::test]
async fn a_redirection_is_not_followed() {
    let node = Node::with(NODE).await;
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = format!("HTTP/1.1 307 Elsewhere\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", node.server.url());
    let speaks = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut question = [0; 4096];
            assert!(stream.read(&mut question).await.unwrap() > 0);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let front = Front::before(address, NODE).await;
    let plain = Chain::connect(&format!("http://{address}"), &ConnectOptions::default()).await;
    let hidden = reached(&format!("https://localhost:{}", front.port), AUTHORITY).await;
    for refused in [plain.unwrap_err(), hidden.unwrap_err()] {
        assert!(matches!(&refused, ChainError::Rpc(_)) && refused.to_string().contains("307"), "{refused:?}");
    }
    speaks.abort();
}

#[tokio::test]
async fn authorities_count_for_nothing_without_tls() {
    let refused = reached("http://127.0.0.1:9/KEY", AUTHORITY).await.unwrap_err();
    assert!(matches!(refused, ChainError::Url { .. }), "{refused:?}");
    assert!(!refused.to_string().contains("KEY"), "{refused}");
    let other = Chain::connect("wss://127.0.0.1:9", &ConnectOptions::default()).await;
    assert!(matches!(other, Err(ChainError::Url { .. })));
}

#[tokio::test]
async fn a_silent_node_is_waited_for_no_longer_than_told() {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let options = ConnectOptions { answer_timeout: Duration::from_millis(200), ..ConnectOptions::default() };
    let authorities = Authorities::from_pem(AUTHORITY).unwrap();
    let asked = Chain::connect_trusting(&url, &authorities, &options);
    let refused = tokio::time::timeout(Duration::from_secs(5), asked).await.expect("an end").unwrap_err();
    assert!(refused.to_string().contains("no answer within"), "{refused}");
}
