//! The embedded chain over JSON-RPC: who may ask, and what is refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails ends there")]

mod common;

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alloy::{eips::BlockId, providers::Provider};
use ccc_chain::{
    Chain, ChainError, ChainKind, ConnectOptions, EmbeddedConfig, deploy,
    embedded::{ChainServer, Clock, EmbeddedTransport, MAX_BODY, MOST_IN_BATCH, ServeError},
};
use common::{CHAIN_ID, GENESIS_TIME, plan, wallet};
use serde_json::{Value, json};

async fn server(clock: Clock) -> ChainServer {
    let config = EmbeddedConfig { chain_id: CHAIN_ID, genesis_time: GENESIS_TIME, rich: vec![wallet(1).address()] };
    ChainServer::serve(([127, 0, 0, 1], 0).into(), EmbeddedTransport::new(&config), clock).await.unwrap()
}

/// Status code and body of a POST with these headers.
async fn post(server: &ChainServer, headers: &str, body: &[u8]) -> (u16, String) {
    let address = server.url().trim_start_matches("http://").to_owned();
    let host = if headers.contains("Host:") { String::new() } else { format!("Host: {address}\r\n") };
    let head = format!("POST / HTTP/1.1\r\n{host}Content-Length: {}\r\nConnection: close\r\n{headers}\r\n", body.len());
    let request = [head.as_bytes(), body].concat();
    let answer = tokio::task::spawn_blocking(move || exchange(&address, &request)).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap_or("0").parse().unwrap();
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    (status, body)
}

fn exchange(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut answer = Vec::new();
    // a server that has refused closes while the body is still being sent
    let _ = stream.write_all(request).and_then(|()| stream.read_to_end(&mut answer));
    String::from_utf8(answer).unwrap()
}

const JSON: &str = "Content-Type: application/json\r\n";

async fn asked(server: &ChainServer, body: &[u8]) -> Value {
    let (status, body) = post(server, JSON, body).await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

#[tokio::test]
async fn the_contracts_are_deployed_through_it_as_in_process() {
    let server = server(Clock::Blocks).await;
    let chain = Chain::connect(&server.url(), &ConnectOptions::default()).await.unwrap();
    assert_eq!((chain.kind(), chain.chain_id()), (ChainKind::Embedded, CHAIN_ID));
    let here = common::embedded_chain();
    here.fund(wallet(1).address()).await.unwrap();
    let reserve = wallet(2).address();
    let there = deploy::deploy(&chain, &wallet(1), &plan(reserve)).await.unwrap();
    assert_eq!(there, deploy::deploy(&here, &wallet(1), &plan(reserve)).await.unwrap());
    let last = chain.provider().get_block_number().await.unwrap();
    let receipts = chain.provider().get_block_receipts(BlockId::number(last)).await.unwrap().unwrap();
    assert_eq!(receipts.len(), 1);
    assert!(chain.provider().get_accounts().await.unwrap().is_empty());
}

#[tokio::test]
async fn its_time_is_the_machines_when_asked() {
    let server = server(Clock::Machine).await;
    let chain = Chain::connect(&server.url(), &ConnectOptions::default()).await.unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    chain.fund(wallet(2).address()).await.unwrap();
    let reserve = wallet(2).address();
    deploy::deploy(&chain, &wallet(1), &plan(reserve)).await.unwrap();
    let newest = chain.block(BlockId::latest()).await.unwrap().time;
    assert!((now..now + 60).contains(&newest), "{newest} is not near {now}");
}

#[tokio::test]
async fn what_is_no_request_is_answered_with_an_error() {
    let server = server(Clock::Blocks).await;
    let many = json!(vec![json!({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}); MOST_IN_BATCH + 1]).to_string();
    for (body, code) in [
        ("", -32700),
        ("{", -32700),
        ("\u{ff}", -32700),
        ("7", -32600),
        ("{}", -32600),
        ("[]", -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_nothing"}"#, -32601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_getBalance"}"#, -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":{"a":1}}"#, -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0x1"]}"#, -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x02"]}"#, -32602),
        (many.as_str(), -32600),
    ] {
        let answer = asked(&server, body.as_bytes()).await;
        assert_eq!(answer["error"]["code"], code, "{body}: {answer}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(asked(&server, deep.as_bytes()).await["error"]["code"], -32700);
    let answer = asked(&server, br#"{"jsonrpc":"2.0","id":"a","method":"eth_chainId"}"#).await;
    assert_eq!(answer, json!({"jsonrpc": "2.0", "id": "a", "result": "0x7a69"}));
    let two = br#"[{"jsonrpc":"2.0","id":1,"method":"net_version"},7]"#;
    let answer = asked(&server, two).await;
    assert_eq!((&answer[0]["result"], &answer[1]["error"]["code"]), (&json!("31337"), &json!(-32600)));
    let (status, body) = post(&server, JSON, br#"{"jsonrpc":"2.0","method":"eth_chainId"}"#).await;
    assert_eq!((status, body.as_str()), (200, ""), "a notification is told nothing");
}

#[tokio::test]
async fn browsers_and_long_bodies_are_kept_out() {
    let server = server(Clock::Blocks).await;
    let body = br#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#;
    assert_eq!(post(&server, "", body).await.0, 415);
    assert_eq!(post(&server, "Content-Type: text/plain\r\n", body).await.0, 415);
    for host in ["evil.example", "127.0.0.1.evil.example:80", ""] {
        assert_eq!(post(&server, &format!("{JSON}Host: {host}\r\n"), body).await.0, 403, "{host}");
    }
    for host in ["localhost:1", "LOCALHOST", "[::1]:8545"] {
        assert_eq!(post(&server, &format!("{JSON}Host: {host}\r\n"), body).await.0, 200, "{host}");
    }
    let long = vec![b' '; MAX_BODY + 1];
    assert!([413, 0].contains(&post(&server, JSON, &long).await.0));
}

#[tokio::test]
async fn only_loopback_is_served() {
    let config = EmbeddedConfig { chain_id: CHAIN_ID, genesis_time: GENESIS_TIME, rich: Vec::new() };
    let refused = ChainServer::serve(([0, 0, 0, 0], 0).into(), EmbeddedTransport::new(&config), Clock::Blocks).await;
    assert!(matches!(refused, Err(ServeError::NotLoopback(_))));
}

/// Answers twice over HTTP, then takes what comes and says nothing.
fn fall_silent(listener: &std::net::TcpListener) {
    for result in ["\"0x1\"", "\"a node\""] {
        let mut stream = listener.accept().unwrap().0;
        let mut request = [0; 4096];
        let read = stream.read(&mut request).unwrap();
        let text = String::from_utf8_lossy(&request[..read]).into_owned();
        let id = text.split_once("\"id\":").map_or("0", |(_, rest)| rest.split([',', '}']).next().unwrap()).to_owned();
        let body = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}");
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
        write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    }
    let _silent = listener.accept().unwrap();
    std::thread::sleep(Duration::from_secs(20));
}

#[tokio::test]
async fn a_node_that_falls_silent_is_not_waited_for() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || fall_silent(&listener));
    let options = ConnectOptions { answer_timeout: Duration::from_millis(500), ..ConnectOptions::default() };
    let chain = Chain::connect(&url, &options).await.unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(10), chain.block(BlockId::latest())).await;
    assert!(matches!(answer, Ok(Err(ChainError::Rpc(_)))), "an error, and soon");
}
