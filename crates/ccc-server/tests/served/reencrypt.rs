//! A whole re-encryption over TLS, and what nodes refuse there.

use crate::scene::{MEASUREMENT, Scene, quick};
use ccc_core::{identifier::Identifier, vault::CulpritReason};
use ccc_node::vault_node::Behaviour;
use ccc_server::{client::Fault, frame::Reply, limits::Limits};
use std::time::{Duration, Instant};

fn identifier(i: u16) -> Identifier {
    Identifier::new(i).unwrap()
}

#[tokio::test]
async fn four_nodes_open_an_order_and_who_lied_is_named() {
    let mut scene = Scene::new().await;
    let order = scene.submit(1, b"sell 25").await;
    let mut nodes = Vec::new();
    for index in 0..4 {
        let behaviour = if index == 1 { Behaviour::Lying } else { Behaviour::Honest };
        nodes.push(scene.listen(index, behaviour, quick()).await);
    }
    let attempt = scene.attempt(5, &order).await;
    let client = scene.client(&nodes).with_times(Duration::from_secs(20), Duration::from_secs(20));
    let mut gathered = client.gather(std::slice::from_ref(&attempt.ask)).await;
    assert!(gathered.faults.is_empty() && gathered.outstanding.is_empty(), "{gathered:?}");
    let mut envelopes = gathered.envelopes.remove(0);
    // the liar's first, so that t shares alone do not do
    envelopes.sort_by_key(|envelope| envelope.identifier() != identifier(2));
    let opened =
        attempt.keys.open(&scene.committee, &attempt.ask.request, MEASUREMENT, &[attempt.ciphertext], envelopes);
    let opened = opened.unwrap();
    assert_eq!(opened.plaintexts[0].as_ref().unwrap().as_slice(), b"sell 25");
    let culprits: Vec<_> = opened.culprits.iter().map(|culprit| (culprit.identifier, culprit.reason)).collect();
    assert_eq!(culprits.len(), 1, "{culprits:?}");
    assert_eq!(culprits[0].0, identifier(2));
    assert_ne!(culprits[0].1, CulpritReason::Malformed);
}

#[tokio::test]
async fn a_gathering_goes_on_past_a_node_that_is_down_and_one_that_is_silent() {
    let mut scene = Scene::new().await;
    let order = scene.submit(1, b"sell 25").await;
    let mut nodes = Vec::new();
    for index in 0..4 {
        nodes.push(scene.listen(index, Behaviour::Honest, quick()).await);
    }
    nodes[0].stop.stop();
    (&mut nodes[0].task).await.unwrap();
    let attempt = scene.attempt(5, &order).await;
    let mut gathered = scene.client(&nodes).gather(std::slice::from_ref(&attempt.ask)).await;
    assert!(matches!(gathered.faults.as_slice(), [(who, Fault::Call(_))] if *who == identifier(1)), "{gathered:?}");
    let envelopes = gathered.envelopes.remove(0);
    let opened =
        attempt.keys.open(&scene.committee, &attempt.ask.request, MEASUREMENT, &[attempt.ciphertext], envelopes);
    assert_eq!(opened.unwrap().plaintexts[0].as_ref().unwrap().as_slice(), b"sell 25");
}

#[tokio::test]
async fn n047_a_repeat_gets_the_same_bytes_and_another_digest_nothing() {
    let mut scene = Scene::new().await;
    let order = scene.submit(1, b"sell 25").await;
    let node = scene.listen(0, Behaviour::Honest, quick()).await;
    let connection = scene.connect(&node).await;
    let attempt = scene.attempt(5, &order).await;
    let first = connection.ask(std::slice::from_ref(&attempt.ask)).await.unwrap();
    assert!(matches!(first[0], Reply::Answered(_)));
    let batch = vec![attempt.ask.clone(); 64];
    assert_eq!(connection.ask(&batch).await.unwrap(), vec![first[0].clone(); 64]);
    let mut other = attempt.ask.request.clone();
    other.deadline += 1;
    let (_, card) = scene.attested(&other);
    let other = ccc_node::vault_node::Ask { request: other, card, ..attempt.ask.clone() };
    assert_eq!(connection.ask(&[other]).await.unwrap(), [Reply::Refused]);
    assert!(node.meters.text().contains("ccc_vault_asks_total{kind=\"given\"} 65"), "{}", node.meters.text());
}

/// What the chain does not know, what a policy forbids and what came too late are one answer, after one time.
#[tokio::test]
async fn n046_n052_unknown_and_forbidden_are_one_answer_after_one_time() {
    let mut scene = Scene::new().await;
    let order = scene.submit(1, b"sell 25").await;
    let limits = Limits { refusal_step: Duration::from_millis(400), ..quick() };
    let node = scene.listen(0, Behaviour::Honest, limits).await;
    let connection = scene.connect(&node).await;
    let unknown = scene.encrypted(9, b"nobody submitted it").verify(scene.committee.master_public_key()).unwrap();
    let unknown = scene.attempt(6, &unknown).await.ask;
    let mut forbidden = scene.attempt(7, &order).await.ask;
    forbidden.card.evidence[40] ^= 1;
    let mut late = scene.attempt(8, &order).await.ask;
    late.request.deadline = 1;
    let mut foreign = scene.attempt(9, &order).await.ask;
    foreign.request.contract[0] ^= 1;
    let mut bodies = Vec::new();
    for ask in [unknown, forbidden, late, foreign] {
        let began = Instant::now();
        let body = ccc_server::frame::write_asks(&[ask]);
        let answer = connection.call(ccc_server::frame::PATH, ccc_server::frame::ASKS, body).await.unwrap();
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(399), "{took:?}");
        bodies.push(answer);
    }
    assert!(bodies.windows(2).all(|two| two[0] == two[1]), "{bodies:?}");
}

/// The block is one that this node has not read; the one it read before serves still.
#[tokio::test]
async fn n155_a_block_that_is_not_read_here_is_for_later_and_an_older_one_serves() {
    let mut scene = Scene::new().await;
    let order = scene.submit(1, b"sell 25").await;
    let node = scene.listen(0, Behaviour::Honest, quick()).await;
    let connection = scene.connect(&node).await;
    let mut ahead = scene.attempt(5, &order).await.ask;
    ahead.request.block_hash = [0xcd; 32];
    ahead.card = scene.attested(&ahead.request).1;
    assert_eq!(connection.ask(&[ahead]).await.unwrap(), [Reply::Later]);
    let older = scene.attempt(6, &order).await.ask;
    scene.submit(2, b"another").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(matches!(connection.ask(&[older]).await.unwrap()[0], Reply::Answered(_)));
}

/// The clock runs away from the chain: the node says that it is not ready, and recovers.
#[tokio::test]
async fn n155_a_clock_that_jumps_stops_shares_until_it_is_right() {
    use std::sync::atomic::Ordering;
    let mut scene = Scene::new().await;
    let order = scene.submit(1, b"sell 25").await;
    let node = scene.listen(0, Behaviour::Honest, quick()).await;
    let connection = scene.connect(&node).await;
    let ask = scene.attempt(5, &order).await.ask;
    let right = scene.clock.0.load(Ordering::SeqCst);
    for wrong in [right + 100_000, right - 100_000] {
        scene.clock.0.store(wrong, Ordering::SeqCst);
        let refused = until(|| connection.ask(std::slice::from_ref(&ask)), Result::is_err).await.unwrap_err();
        assert_eq!(refused.to_string(), "status 503 Service Unavailable: not-ready");
    }
    scene.clock.0.store(right, Ordering::SeqCst);
    let replies = until(|| connection.ask(std::slice::from_ref(&ask)), Result::is_ok).await.unwrap();
    assert!(matches!(replies[0], Reply::Answered(_)), "{replies:?}");
}

/// Tries again until the outcome is the one that is waited for, for some seconds.
async fn until<T, F: Future<Output = T>>(mut one: impl FnMut() -> F, wanted: impl Fn(&T) -> bool) -> T {
    let began = Instant::now();
    loop {
        let outcome = one().await;
        if wanted(&outcome) || began.elapsed() > Duration::from_secs(20) {
            return outcome;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What runs is answered, what comes after is not taken.
#[tokio::test]
async fn n155_an_orderly_stop_answers_the_calls_that_run() {
    let mut scene = Scene::new().await;
    let unknown = scene.encrypted(9, b"x").verify(scene.committee.master_public_key()).unwrap();
    let limits = Limits { refusal_step: Duration::from_millis(600), ..quick() };
    let mut node = scene.listen(0, Behaviour::Honest, limits).await;
    let connection = scene.connect(&node).await;
    let ask = scene.attempt(5, &unknown).await.ask;
    let asks = [ask];
    let (reply, ()) = tokio::join!(connection.ask(&asks), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        node.stop.stop();
    });
    assert_eq!(reply.unwrap(), [Reply::Refused]);
    (&mut node.task).await.unwrap();
    assert!(connection.ask(&asks).await.is_err());
    assert!(tokio::net::TcpStream::connect(node.address).await.is_err());
}
