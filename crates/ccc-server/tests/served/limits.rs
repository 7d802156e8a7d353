//! Bounds of connections and calls, and a journal that fails.

use crate::{
    common,
    scene::{Listening, Scene, quick},
};
use ccc_node::vault_node::{Answer, Behaviour, Journal, MemoryJournal, VaultNode};
use ccc_server::{
    client::{CallError, Connection},
    follow::{Clock, FollowOptions, Follower, NotReady},
    frame::{self, Reply},
    identity::Identity,
    limits::Limits,
    node::Node,
    tls,
};
use futures::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    Request, StatusCode,
    body::{Bytes, Frame},
    client::conn::http2::{self, SendRequest},
    header::CONTENT_TYPE,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::net::TcpStream;

pub(crate) type Streamed = UnsyncBoxBody<Bytes, Infallible>;

/// A connection whose bodies come frame by frame.
async fn raw(identity: &Identity, node: &Listening) -> SendRequest<Streamed> {
    raw_at(identity, node.address, node.key).await
}

pub(crate) async fn raw_at(identity: &Identity, address: SocketAddr, key: [u8; 32]) -> SendRequest<Streamed> {
    let stream = TcpStream::connect(address).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("vault.invalid").unwrap();
    let connector = tokio_rustls::TlsConnector::from(tls::client(identity, key).unwrap());
    let stream = connector.connect(name, stream).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Frames of one size, as many as there are, and then silence if the body is not to end.
fn body(size: usize, count: usize, ends: bool) -> Request<Streamed> {
    let frames = stream::iter((0..count).map(move |_| Ok(Frame::data(Bytes::from(vec![0; size])))));
    let silence = if ends { stream::empty().left_stream() } else { stream::pending().right_stream() };
    let request = Request::post(format!("https://vault.invalid{}", frame::PATH)).header(CONTENT_TYPE, frame::ASKS);
    request.body(StreamBody::new(frames.chain(silence)).boxed_unsync()).unwrap()
}

async fn said(sender: &SendRequest<Streamed>, request: Request<Streamed>) -> (StatusCode, String) {
    let response = sender.clone().send_request(request).await.unwrap();
    let status = response.status();
    let text = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&text).trim().to_owned())
}

/// A body that does not end holds one of its peer's calls, and for a bounded time.
#[tokio::test]
async fn n154_slow_bodies_end_and_the_calls_of_a_peer_are_bounded() {
    let scene = Scene::new().await;
    let limits = Limits { body_time: Duration::from_secs(2), calls_per_peer: 2, ..quick() };
    let node = scene.listen(0, Behaviour::Honest, limits).await;
    let (first, second) = (raw(&scene.host, &node).await, raw(&scene.host, &node).await);
    let third = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        said(&second, body(10, 1, true)).await
    };
    let began = Instant::now();
    let slow = || said(&first, body(10, 1, false));
    let (one, two, third) = tokio::join!(slow(), slow(), third);
    assert_eq!((one.0.as_u16(), one.1.as_str()), (408, "slow"));
    assert_eq!((two.0.as_u16(), two.1.as_str()), (408, "slow"));
    assert_eq!((third.0.as_u16(), third.1.as_str()), (429, "busy"));
    assert!(began.elapsed() >= Duration::from_secs(2));
    let (status, text) = said(&first, body(10, 1, true)).await;
    assert!(status == StatusCode::BAD_REQUEST && text.starts_with("malformed: "), "{text}");
}

#[tokio::test]
async fn n154_a_body_in_frames_of_one_byte_is_broken_off() {
    let scene = Scene::new().await;
    let node = scene.listen(0, Behaviour::Honest, quick()).await;
    let sender = raw(&scene.host, &node).await;
    let response = sender.clone().send_request(body(1, 100_000, true)).await;
    // the frames that are still under way may have the connection ended too
    if let Ok(response) = response {
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        if let Ok(text) = response.into_body().collect().await {
            assert_eq!(text.to_bytes(), "small-frames\n");
        }
    }
    let (status, text) = said(&raw(&scene.host, &node).await, body(10, 1, true)).await;
    assert!(status == StatusCode::BAD_REQUEST && text.starts_with("malformed: "), "{text}");
}

/// Until a call on it fails, and how long that took.
async fn ends(connection: &Connection) -> Duration {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(20) {
        match connection.call("/v1/other", frame::ASKS, Vec::new()).await {
            Err(CallError::Status { .. }) => tokio::time::sleep(Duration::from_millis(50)).await,
            _ => return began.elapsed(),
        }
    }
    panic!("it is served for ever");
}

#[tokio::test]
async fn n154_an_old_connection_ends_however_busy_it_is() {
    let scene = Scene::new().await;
    let limits = Limits { age: Duration::from_secs(2), ..quick() };
    let node = scene.listen(0, Behaviour::Honest, limits).await;
    let took = ends(&scene.connect(&node).await).await;
    assert!((Duration::from_secs(1)..Duration::from_secs(10)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn n154_connections_of_all_peers_together_are_bounded() {
    let scene = Scene::new().await;
    let node = scene.listen(0, Behaviour::Honest, Limits { connections: 1, ..quick() }).await;
    let first = scene.connect(&node).await;
    assert!(matches!(first.call("/v1/other", frame::ASKS, Vec::new()).await, Err(CallError::Status { .. })));
    let rival = Connection::open(&scene.rival(), node.address, node.key).await;
    if let Ok(rival) = rival {
        assert!(matches!(rival.call("/v1/other", frame::ASKS, Vec::new()).await, Err(CallError::Broken(_))));
    }
    assert!(
        node.meters.text().contains("ccc_vault_turned_away_total{kind=\"connections\"} 1"),
        "{}",
        node.meters.text()
    );
}

/// A journal whose medium fails while a test says so.
struct Failing(MemoryJournal, Arc<AtomicBool>);

impl Journal for Failing {
    fn answers(&self, id: &[u8; 32]) -> Result<Vec<Answer>, String> {
        self.0.answers(id)
    }

    fn keep(&mut self, id: [u8; 32], answer: &Answer) -> Result<(), String> {
        // what is not settled is taken back
        if self.1.load(Ordering::SeqCst) { Ok(()) } else { self.0.keep(id, answer) }
    }

    fn settle(&mut self) -> Result<(), String> {
        self.writable()
    }

    fn writable(&self) -> Result<(), String> {
        if self.1.load(Ordering::SeqCst) { Err("the medium failed".into()) } else { Ok(()) }
    }
}

/// A node that refuses everything because of its journal does not say that it is ready.
#[tokio::test]
async fn n155_a_node_whose_journal_takes_nothing_is_not_ready() {
    let scene = Scene::new().await;
    let fails = Arc::new(AtomicBool::new(false));
    let (keys, share) = scene.secrets(0);
    let served = (common::CHAIN_ID, scene.world.deployment.pool.0.0);
    let journal = Failing(MemoryJournal::default(), Arc::clone(&fails));
    let vault = VaultNode::new(keys, share, scene.committee.clone(), scene.policy(), served, journal);
    let clock: Arc<dyn Clock> = Arc::clone(&scene.clock) as _;
    let (chain, deployment) = (&scene.world.chain, &scene.world.deployment);
    let mut follower = Follower::new(chain, deployment, FollowOptions::default(), Arc::clone(&clock)).await.unwrap();
    let node = Node::new(vault, follower.followed(), clock, None);
    assert!(matches!(&*node.ready().unwrap_err(), NotReady::Starting));
    follower.look().await.unwrap();
    assert!(node.ready().is_ok());
    fails.store(true, Ordering::SeqCst);
    let refused = node.ready().unwrap_err();
    assert!(matches!(&*refused, NotReady::Journal { reason } if reason.contains("the medium failed")), "{refused}");
}

#[tokio::test]
async fn n047_no_share_leaves_that_the_journal_did_not_keep() {
    let mut scene = Scene::new().await;
    let order = scene.submit(1, b"sell 25").await;
    let fails = Arc::new(AtomicBool::new(true));
    let journal = Failing(MemoryJournal::default(), Arc::clone(&fails));
    let node = scene.listen_with(0, Behaviour::Honest, quick(), (journal, None)).await;
    let connection = scene.connect(&node).await;
    let asks = [scene.attempt(5, &order).await.ask, scene.attempt(6, &order).await.ask];
    assert_eq!(connection.ask(&asks).await.unwrap(), vec![Reply::Refused; 2]);
    fails.store(false, Ordering::SeqCst);
    let given = connection.ask(&asks).await.unwrap();
    assert!(given.iter().all(|reply| matches!(reply, Reply::Answered(_))), "{given:?}");
    assert_eq!(connection.ask(&asks).await.unwrap(), given);
}
