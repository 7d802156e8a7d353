//! Raw sockets and wrong keys against a running node, which serves its client all the while.

use crate::scene::{Listening, Scene, quick};
use ccc_core::keys::ParticipantKeys;
use ccc_node::vault_node::Behaviour;
use ccc_server::{
    client::{CallError, Connection},
    frame::{self, Reply},
    identity::Identity,
    limits::Limits,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// Until the server ends the connection, and how long that took.
async fn ended(mut stream: TcpStream) -> Duration {
    let began = Instant::now();
    let mut rest = Vec::new();
    let _reset_or_end = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await.expect("it ends");
    assert!(rest.len() < 64, "an alert at most, and {} bytes came", rest.len());
    began.elapsed()
}

async fn served(scene: &mut Scene, node: &Listening, salt: u8) {
    let order = scene.submit(salt, b"sell 25").await;
    let asks = [scene.attempt(salt, &order).await.ask];
    let connection = scene.connect(node).await;
    let mut replies = connection.ask(&asks).await.unwrap();
    let began = Instant::now();
    while replies == [Reply::Later] && began.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        replies = connection.ask(&asks).await.unwrap();
    }
    assert!(matches!(replies[0], Reply::Answered(_)), "{replies:?}");
}

#[tokio::test]
async fn n154_garbage_and_slow_handshakes_end_in_bounded_time() {
    let mut scene = Scene::new().await;
    let limits = Limits { handshake: Duration::from_millis(700), handshakes: 8, ..quick() };
    let node = scene.listen(0, Behaviour::Honest, limits).await;
    let mut rng = StdRng::seed_from_u64(3);
    for bytes in [b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![0; 5_000], (0..4_000).map(|_| rng.random()).collect()] {
        let mut stream = TcpStream::connect(node.address).await.unwrap();
        let _maybe_ended = stream.write_all(&bytes).await;
        ended(stream).await;
    }
    served(&mut scene, &node, 1).await;
}

/// One address holds as many handshakes as it is let; a client from another comes in between.
#[tokio::test]
async fn n154_slow_handshakes_from_one_address_leave_the_others_their_places() {
    let mut scene = Scene::new().await;
    let handshake = Duration::from_secs(4);
    let limits = Limits { handshake, handshakes: 8, handshakes_per_address: 4, ..quick() };
    let order = scene.submit(1, b"sell 25").await;
    let node = scene.listen(0, Behaviour::Honest, limits).await;
    let asks = [scene.attempt(5, &order).await.ask];
    let began = Instant::now();
    let mut slow = Vec::new();
    for _ in 0..12 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let mut stream = socket.connect(node.address).await.unwrap();
        let _maybe_ended = stream.write_all(&[0x16, 0x03, 0x01]).await;
        slow.push(stream);
    }
    let replies = scene.connect(&node).await.ask(&asks).await.unwrap();
    assert!(matches!(replies[0], Reply::Answered(_)), "{replies:?}");
    assert!(began.elapsed() < handshake, "the handshakes were over: {:?}", began.elapsed());
    assert!(
        node.meters.text().contains("ccc_vault_turned_away_total{kind=\"handshakes\"} 8"),
        "{}",
        node.meters.text()
    );
    for stream in slow {
        let took = ended(stream).await;
        assert!(took < Duration::from_secs(8), "{took:?}");
    }
}

/// Without a key, with a stranger's, and with another server's than the one expected.
#[tokio::test]
async fn n154_only_known_keys_pass_the_handshake() {
    let mut scene = Scene::new().await;
    let node = scene.listen(0, Behaviour::Honest, quick()).await;
    let order = scene.submit(1, b"sell 25").await;
    let ask = scene.attempt(5, &order).await.ask;
    let stranger = Identity::new(ParticipantKeys::generate(&mut scene.rng).unwrap());
    // in TLS 1.3 the client is done before the server has judged it: the refusal comes with the first read
    let refused = match Connection::open(&stranger, node.address, node.key).await {
        Ok(connection) => connection.ask(std::slice::from_ref(&ask)).await.unwrap_err(),
        Err(error) => error,
    };
    assert!(matches!(refused, CallError::Broken(_) | CallError::Handshake(_)), "{refused:?}");
    let other = scene.members[1].0.public_keys().signing_key();
    assert!(matches!(Connection::open(&scene.host, node.address, other).await, Err(CallError::Handshake(_))));
    no_key(&node).await;
    assert!(node.meters.text().contains("ccc_vault_turned_away_total{kind=\"handshake\"} 3"), "{}", node.meters.text());
    assert!(!node.meters.text().contains("ccc_vault_asks_total{"), "{}", node.meters.text());
    served(&mut scene, &node, 2).await;
}

/// A client that presents nothing.
async fn no_key(node: &Listening) {
    let config = tls_without_key();
    let stream = TcpStream::connect(node.address).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("vault.invalid").unwrap();
    let connector = tokio_rustls::TlsConnector::from(config);
    if let Ok(mut stream) = connector.connect(name, stream).await {
        let mut one = [0; 1];
        assert!(!matches!(stream.read(&mut one).await, Ok(1..)), "a server speaks to a client without a key");
    }
}

fn tls_without_key() -> std::sync::Arc<rustls::ClientConfig> {
    let provider = std::sync::Arc::new(rustls_graviola::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(std::sync::Arc::new(Anybody))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    std::sync::Arc::new(config)
}

#[derive(Debug)]
struct Anybody;

impl rustls::client::danger::ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        vec![rustls::SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

fn status(error: &CallError) -> (u16, &str) {
    match error {
        CallError::Status { status, text } => (status.as_u16(), text.as_str()),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn n051_n154_ten_thousand_malformed_calls_and_oversized_bodies_are_typed_refusals() {
    let mut scene = Scene::new().await;
    let limits = Limits { body: 100_000, rate: u32::MAX, burst: u32::MAX, ..quick() };
    let node = scene.listen(0, Behaviour::Honest, limits).await;
    let order = scene.submit(1, b"sell 25").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let good = frame::write_asks(&[scene.attempt(5, &order).await.ask]);
    let connection = scene.connect(&node).await;
    let error = connection.call(frame::PATH, frame::ASKS, vec![0; 100_001]).await.unwrap_err();
    assert_eq!(status(&error), (413, "too-large"));
    let error = connection.call("/v1/other", frame::ASKS, good.clone()).await.unwrap_err();
    assert_eq!(status(&error), (404, "no-path"));
    let error = connection.call(frame::PATH, "application/json", good.clone()).await.unwrap_err();
    assert_eq!(status(&error), (415, "content-type"));
    let mut rng = StdRng::seed_from_u64(4);
    for round in 0..10_000 {
        let mut bytes = good.clone();
        match round % 3 {
            0 => bytes.truncate(rng.random_range(0..good.len())),
            1 => bytes.push(rng.random()),
            _ => bytes[rng.random_range(0..10)] ^= 0x80 | rng.random::<u8>(),
        }
        let error = connection.call(frame::PATH, frame::ASKS, bytes).await.unwrap_err();
        let (status, text) = status(&error);
        assert!(status == 400 && text.starts_with("malformed: "), "{status} {text}");
    }
    assert!(frame::read_replies(&connection.call(frame::PATH, frame::ASKS, good).await.unwrap()).is_ok());
}

#[tokio::test]
async fn n051_a_peer_that_spends_its_rate_is_told_to_wait() {
    let mut scene = Scene::new().await;
    let unknown = scene.encrypted(9, b"x").verify(scene.committee.master_public_key()).unwrap();
    let ask = scene.attempt(5, &unknown).await.ask;
    let batch = vec![ask; 64];
    let body = frame::write_asks(&batch);
    // a token for the call, and one for each 256 bytes
    let burst = u32::try_from(body.len().div_ceil(256) + 4).unwrap();
    let node = scene.listen(0, Behaviour::Honest, Limits { rate: 1, burst, ..quick() }).await;
    let connection = scene.connect(&node).await;
    assert_eq!(connection.ask(&batch).await.unwrap(), vec![Reply::Refused; 64]);
    // nothing of it can be read, and it is paid for all the same
    let error = connection.call(frame::PATH, frame::ASKS, vec![0xff; body.len()]).await.unwrap_err();
    assert_eq!(status(&error), (429, "busy"));
    // a call that the burst never lets through is not told to wait
    let error = connection.call(frame::PATH, frame::ASKS, vec![0xff; body.len() + 2_000]).await.unwrap_err();
    assert_eq!(status(&error), (413, "too-large"));
}

/// One peer keeps eight calls in the air, each long to read and each refused; the other's call does not queue behind them.
#[tokio::test]
async fn n051_under_a_flood_by_one_peer_another_keeps_its_time() {
    let mut scene = Scene::new().await;
    let limits = Limits { rate: u32::MAX, burst: u32::MAX, workers: 2, workers_per_peer: 1, ..quick() };
    let order = scene.submit(1, b"sell 25").await;
    let node = scene.listen(0, Behaviour::Honest, limits).await;
    let mut bad = scene.attempt(5, &order).await.ask;
    bad.card.evidence[40] ^= 1;
    bad.ciphertexts = vec![bad.ciphertexts[0].clone(); 100];
    let body = frame::write_asks(&vec![bad; 64]);
    let good = [scene.attempt(6, &order).await.ask];
    let flood = Connection::open(&scene.rival(), node.address, node.key).await.unwrap();
    let connection = scene.connect(&node).await;
    let done = AtomicUsize::new(0);
    let flooding = async {
        let one = || async {
            loop {
                let replies = flood.call(frame::PATH, frame::ASKS, body.clone()).await.unwrap();
                assert_eq!(frame::read_replies(&replies).unwrap(), vec![Reply::Refused; 64]);
                done.fetch_add(1, Ordering::Relaxed);
            }
        };
        futures::future::join_all((0..8).map(|_| one())).await
    };
    let asking = async {
        while done.load(Ordering::Relaxed) < 8 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let before = done.load(Ordering::Relaxed);
        let reply = connection.ask(&good).await.unwrap();
        assert!(matches!(reply[0], Reply::Answered(_)), "{reply:?}");
        done.load(Ordering::Relaxed) - before
    };
    let passed = tokio::select! {
        passed = asking => passed,
        _ = flooding => panic!("the flood never ends by itself"),
    };
    assert!(passed <= 4, "{passed} calls of the flood were answered meanwhile");
}

#[tokio::test]
async fn n154_connections_of_a_peer_are_bounded_and_idle_ones_end() {
    let mut scene = Scene::new().await;
    let limits = Limits { connections_per_peer: 2, idle: Duration::from_secs(1), ..quick() };
    let node = scene.listen(0, Behaviour::Honest, limits).await;
    let order = scene.submit(1, b"sell 25").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let asks = [scene.attempt(5, &order).await.ask];
    let (first, second) = (scene.connect(&node).await, scene.connect(&node).await);
    first.ask(&asks).await.unwrap();
    second.ask(&asks).await.unwrap();
    let third = Connection::open(&scene.host, node.address, node.key).await;
    if let Ok(third) = third {
        assert!(third.ask(&asks).await.is_err(), "a third connection is served");
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(first.ask(&asks).await.is_err(), "an idle connection is still served");
    served(&mut scene, &node, 2).await;
}
