//! The running node against its OpenAPI document: whatever is sent, the status is one that the document has for the page.

use crate::{
    files::{config, held, public, served, start},
    scene::Scene,
};
use ccc_server::{
    client::{CallError, Connection},
    frame, routes,
    server::Stop,
};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The pages of a tag: path, method in capitals, statuses.
fn pages(document: &Value, tag: &str) -> Vec<(String, String, Vec<u16>)> {
    let mut pages = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if operation["tags"][0] == tag {
                let statuses = operation["responses"].as_object().unwrap().keys();
                let statuses = statuses.map(|status| status.parse().unwrap()).collect();
                pages.push((path.clone(), method.to_uppercase(), statuses));
            }
        }
    }
    pages
}

/// What the document allows for a path: its page's statuses, or 404 for what is no page.
fn allowed(pages: &[(String, String, Vec<u16>)], path: &str) -> Vec<u16> {
    pages.iter().find(|page| page.0 == path).map_or(vec![404], |page| page.2.clone())
}

fn bent_path(path: &str, rng: &mut StdRng) -> String {
    match rng.random_range(0..6) {
        0 => format!("{path}/"),
        1 => format!("/{}", path.trim_start_matches('/').to_uppercase()),
        2 => format!("{path}{}", rng.random_range(0..10)),
        3 => "/".to_owned(),
        _ => path.to_owned(),
    }
}

/// Good asks of which bytes are changed, cut off or added; or anything.
fn body(good: &[u8], rng: &mut StdRng) -> Vec<u8> {
    let mut body = good.to_vec();
    match rng.random_range(0..4) {
        0 => body.truncate(rng.random_range(0..good.len())),
        1 => body.extend_from_slice(&[0; 3]),
        2 => {
            body = vec![0; rng.random_range(0..2_000)];
            rng.fill_bytes(&mut body);
        }
        _ => {
            let at = rng.random_range(0..body.len());
            body[at] ^= 1 << rng.random_range(0..8);
        }
    }
    body
}

async fn committee_door(connection: &Connection, good: &[u8], document: &Value, rng: &mut StdRng) {
    let pages = pages(document, "committee");
    let mut seen = std::collections::BTreeSet::new();
    for turn in 0..120 {
        let (path, ..) = &pages[turn % pages.len()];
        let path = bent_path(path, rng);
        let kind = [frame::ASKS, frame::ASKS, frame::ASKS, "application/json", ""][rng.random_range(0..5)];
        let status = match connection.call(&path, kind, body(good, rng)).await {
            Ok(replies) => {
                frame::read_replies(&replies).unwrap();
                200
            }
            Err(CallError::Status { status, .. }) => status.as_u16(),
            Err(other) => panic!("{path}: {other}"),
        };
        assert!(allowed(&pages, &path).contains(&status), "{path}: {status}");
        seen.insert(status);
    }
    assert!([400, 404, 415].iter().all(|status| seen.contains(status)), "{seen:?}");
}

/// The status of whatever an operator sends; none where the connection ends without an answer.
async fn sent(address: SocketAddr, text: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ended = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
}

async fn operator_door(address: SocketAddr, document: &Value, rng: &mut StdRng) {
    let pages = pages(document, "operator");
    for turn in 0..60 {
        let (path, method, statuses) = &pages[turn % pages.len()];
        let line =
            |method: &str, path: &str| format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert!(sent(address, &line(method, path)).await.is_some_and(|status| statuses.contains(&status)));
        for other in ["PUT", "DELETE", "PATCH"] {
            assert_eq!(sent(address, &line(other, path)).await, Some(405), "{other} {path}");
        }
        let path = bent_path(path, rng);
        let status = sent(address, &line(method, &path)).await.unwrap();
        assert!(allowed(&pages, &path).contains(&status), "{path}: {status}");
    }
}

#[tokio::test]
async fn n154_whatever_is_sent_gets_a_status_that_the_document_has() {
    let (mut scene, chain): (Scene, _) = served().await;
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), &chain.url(), &scene.host.public());
    let order = scene.submit(1, b"sell 25").await;
    let good = frame::write_asks(&[scene.attempt(5, &order).await.ask]);
    let service = start(&scene, &config, &held(&scene, 0, 0), public(&scene)).await.unwrap();
    let [address, operations] = service.addresses().unwrap();
    let (stop, stopped) = Stop::new();
    let task = tokio::spawn(service.run(stopped));
    let key = scene.members[0].0.public_keys().signing_key();
    let connection = Connection::open(&scene.host, address, key).await.unwrap();
    let (document, mut rng) = (routes::openapi(), StdRng::seed_from_u64(154));
    committee_door(&connection, &good, &document, &mut rng).await;
    operator_door(operations, &document, &mut rng).await;
    assert!(frame::read_replies(&connection.call(frame::PATH, frame::ASKS, good).await.unwrap()).is_ok());
    drop(connection);
    stop.stop();
    task.await.unwrap();
}
