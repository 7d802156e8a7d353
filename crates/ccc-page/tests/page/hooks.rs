//! Notices that arrive, are tried again, and are given up.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use ccc_page::{
    board::Board,
    clock,
    hub::Hub,
    model::Mode,
    webhook::{ATTEMPTS, FIELD, Forged, Webhook, verify},
};
use zeroize::Zeroizing;

const SECRET: &[u8] = b"a secret that both sides have";

type Received = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A receiver that fails so often first: what it took, and every body that it was sent.
async fn receiver(failing: usize) -> (String, Received, Received) {
    let (received, tried) = (Received::default(), Received::default());
    let (kept, every, calls) = (Arc::clone(&received), Arc::clone(&tried), Arc::new(AtomicUsize::new(0)));
    let take = move |headers: HeaderMap, body: Bytes| {
        let (kept, every, calls) = (Arc::clone(&kept), Arc::clone(&every), Arc::clone(&calls));
        async move {
            every.lock().expect("held").push((String::new(), body.to_vec()));
            if calls.fetch_add(1, Ordering::SeqCst) < failing {
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            let field = headers.get(FIELD).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
            kept.lock().expect("held").push((field, body.to_vec()));
            StatusCode::OK
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/hook", post(take))).await });
    (url, received, tried)
}

async fn until(mut holds: impl FnMut() -> bool) {
    for _ in 0..200 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came");
}

#[tokio::test]
async fn each_change_is_told_signed_and_tried_again() {
    let (url, received, tried) = receiver(2).await;
    let board = Board::new(Hub::new("a".into()), Mode::Simulation);
    let webhook = Webhook::new(&url, Zeroizing::new(SECRET.to_vec())).expect("a webhook");
    let webhook = webhook.with_pause(Duration::from_millis(5));
    tokio::spawn(webhook.run(board.changes(), |_| {}));
    tokio::task::yield_now().await;
    board.set_status(|status| status.last = "insolvent");
    until(|| received.lock().expect("held").len() == 1).await;
    board.set_status(|status| status.last = "solvent");
    until(|| received.lock().expect("held").len() == 2).await;
    let received = received.lock().expect("held").clone();
    let mut ids = Vec::new();
    for ((field, body), verdict) in received.iter().zip(["insolvent", "solvent"]) {
        assert_eq!(verify(SECRET, field, body, clock::now(), 300), Ok(()));
        assert_eq!(verify(b"another secret of theirs", field, body, clock::now(), 300), Err(Forged::Signature));
        let object: serde_json::Value = serde_json::from_slice(body).expect("JSON");
        assert_eq!(object["status"]["verdict"], verdict);
        ids.push(object["id"].as_str().expect("an id").to_owned());
    }
    assert_ne!(ids[0], ids[1]);
    let tried = tried.lock().expect("held").clone();
    assert_eq!(tried.len(), 4);
    assert!(tried[..3].iter().all(|(_, body)| *body == received[0].1), "the same notice, with the same id");
}

#[tokio::test]
async fn what_nobody_takes_is_given_up_and_said() {
    let (url, received, tried) = receiver(usize::MAX).await;
    let board = Board::new(Hub::new("a".into()), Mode::Simulation);
    let webhook = Webhook::new(&url, Zeroizing::new(SECRET.to_vec())).expect("a webhook");
    let said = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&said);
    let telling = move |line: String| lines.lock().expect("held").push(line);
    let began = std::time::Instant::now();
    tokio::spawn(webhook.with_pause(Duration::from_millis(5)).run(board.changes(), telling));
    tokio::task::yield_now().await;
    board.set_status(|status| status.last = "insolvent");
    until(|| !said.lock().expect("held").is_empty()).await;
    let line = said.lock().expect("held")[0].clone();
    assert!(line.contains("given up") && line.contains("503"), "{line}");
    assert_eq!((tried.lock().expect("held").len(), ATTEMPTS), (6, 6));
    assert!(began.elapsed() >= Duration::from_millis(5 * (1 + 2 + 4 + 8 + 16)), "each pause is twice the one before");
    assert!(received.lock().expect("held").is_empty());
}
