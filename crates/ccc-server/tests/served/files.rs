//! A node from its files: what it refuses to start with, and what a restart remembers.

use crate::{
    common,
    scene::{Scene, SetClock},
};
use ccc_chain::{
    ChainError, EmbeddedConfig,
    embedded::{ChainServer, Clock as ChainClock, EmbeddedTransport},
};
use ccc_core::keys::{KeyShare, KeyShareError, ParticipantKeys};
use ccc_node::vault_node::Ask;
use ccc_server::{
    audit,
    client::Connection,
    config::{ConfigError, VaultConfig},
    follow::{Clock, NotReady},
    frame::Reply,
    journal::{CounterFile, JournalError},
    server::Stop,
    service::{Beginning, KeyProvider, Public, Service, StartError},
};
use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Secrets that a test holds.
pub(crate) struct Held(Vec<u8>, Vec<u8>);

impl KeyProvider for Held {
    type Error = KeyShareError;

    fn open(&self) -> Result<(KeyShare, ParticipantKeys), KeyShareError> {
        Ok((KeyShare::from_bytes(&self.0).unwrap(), ParticipantKeys::from_bytes(&self.1).unwrap()))
    }
}

pub(crate) fn held(scene: &Scene, share: usize, keys: usize) -> Held {
    Held(scene.secrets(share).1.to_bytes().to_vec(), scene.secrets(keys).0.to_bytes().to_vec())
}

pub(crate) fn public(scene: &Scene) -> Public {
    let (committee, deployment) = (scene.committee.clone(), scene.world.deployment.clone());
    Public { committee, deployment, policy: scene.policy() }
}

/// The scene's deployment on a chain that a socket serves.
pub(crate) async fn served() -> (Scene, ChainServer) {
    let mut scene = Scene::new().await;
    let config = EmbeddedConfig { chain_id: common::CHAIN_ID, genesis_time: common::GENESIS_TIME, rich: Vec::new() };
    let server =
        ChainServer::serve("127.0.0.1:0".parse().unwrap(), EmbeddedTransport::new(&config), ChainClock::Blocks);
    let server = server.await.unwrap();
    let chain = ccc_chain::Chain::connect(&server.url(), &ccc_chain::ConnectOptions::default()).await.unwrap();
    scene.world = common::World::on(chain).await;
    scene.clock.0.store(scene.world.now().await + 10, Ordering::SeqCst);
    (scene, server)
}

pub(crate) fn config(dir: &Path, url: &str, host: &[u8; 32]) -> VaultConfig {
    let key = dir.join("p1.ccc");
    std::fs::write(&key, "").unwrap();
    let text = format!(
        "key = {key:?}\ncommittee = 'c'\ndeployment = 'd'\npolicy = 'p'\nrpc_url = '{url}'\nlisten = '127.0.0.1:0'\n\
         operations = '127.0.0.1:0'\n[chain]\ninterval = 1\n[[client]]\nname = 'host'\nkey = '{}'\n",
        hex::encode(host)
    );
    VaultConfig::read(&text, std::iter::empty()).unwrap()
}

/// The counter begins where there is none.
pub(crate) async fn start(
    scene: &Scene,
    config: &VaultConfig,
    keys: &Held,
    public: Public,
) -> Result<Service, StartError> {
    let counter = if config.counter_path().exists() { CounterFile::Kept } else { CounterFile::Begun };
    start_with(scene, config, keys, public, counter).await
}

async fn start_with(
    scene: &Scene,
    config: &VaultConfig,
    keys: &Held,
    public: Public,
    counter: CounterFile,
) -> Result<Service, StartError> {
    let clock: Arc<SetClock> = Arc::clone(&scene.clock);
    let beginning = Beginning { counter, forget_chain: false };
    Service::prepare(config, keys, public, clock as Arc<dyn Clock>, beginning).await
}

pub(crate) async fn page(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

/// What a node answers to some asks between a start and a stop.
async fn served_once(scene: &Scene, config: &VaultConfig, asks: &[Ask]) -> Vec<Reply> {
    let service = start_with(scene, config, &held(scene, 0, 0), public(scene), CounterFile::Kept).await.unwrap();
    let [address, _] = service.addresses().unwrap();
    let (stop, stopped) = Stop::new();
    let task = tokio::spawn(service.run(stopped));
    let key = scene.members[0].0.public_keys().signing_key();
    let connection = Connection::open(&scene.host, address, key).await.unwrap();
    let answers = connection.ask(asks).await.unwrap();
    drop(connection);
    stop.stop();
    task.await.unwrap();
    answers
}

/// A machine that was put back to an earlier copy finds it out by itself. It starts to answer nobody, whatever the operator
/// says of the counter, until it has the newest journal again.
#[tokio::test]
async fn n156f_a_node_that_was_set_back_finds_it_out_and_answers_nobody() {
    let (mut scene, chain) = served().await;
    let dir = tempfile::tempdir().unwrap();
    let (config, keys) = (config(dir.path(), &chain.url(), &scene.host.public()), held(&scene, 0, 0));
    drop(start(&scene, &config, &keys, public(&scene)).await.unwrap());
    let journal = config.node.key.with_extension("answers");
    let mut asks = Vec::new();
    for number in [1, 2] {
        let order = scene.submit(number, b"sell 25").await;
        asks.push(scene.attempt(4 + number, &order).await.ask);
    }
    let mut answers = served_once(&scene, &config, &asks[..1]).await;
    let copy = std::fs::read(&journal).unwrap();
    answers.extend(served_once(&scene, &config, &asks[1..]).await);
    assert!(answers.iter().all(|answer| matches!(answer, Reply::Answered(_))), "{answers:?}");
    let newest = std::fs::read(&journal).unwrap();
    for (set_back, lines) in [(Some(copy), 1), (None, 0)] {
        std::fs::remove_file(&journal).unwrap();
        set_back.into_iter().for_each(|bytes| std::fs::write(&journal, bytes).unwrap());
        let refused = start_with(&scene, &config, &keys, public(&scene), CounterFile::Kept).await.err();
        let Some(StartError::Journal(JournalError::Behind { counted, found, .. })) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!((counted, found), (2, lines));
        let again = start_with(&scene, &config, &keys, public(&scene), CounterFile::Begun).await.err();
        assert!(matches!(again, Some(StartError::Journal(JournalError::CounterExists { .. }))), "{again:?}");
    }
    std::fs::write(&journal, newest).unwrap();
    assert_eq!(served_once(&scene, &config, &asks).await, answers);
}

#[tokio::test]
async fn n155_a_restarted_node_gives_the_same_bytes_and_its_log_holds_together() {
    let (mut scene, chain) = served().await;
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), &chain.url(), &scene.host.public());
    let order = scene.submit(1, b"sell 25").await;
    let asks = [scene.attempt(5, &order).await.ask];
    let mut answers = Vec::new();
    for _ in 0..2 {
        let service = start(&scene, &config, &held(&scene, 0, 0), public(&scene)).await.unwrap();
        let [address, operations] = service.addresses().unwrap();
        let (stop, stopped) = Stop::new();
        let task = tokio::spawn(service.run(stopped));
        assert!(page(operations, "/healthz").await.starts_with("HTTP/1.1 200"));
        assert!(page(operations, "/readyz").await.ends_with("ready\n"));
        let key = scene.members[0].0.public_keys().signing_key();
        let connection = Connection::open(&scene.host, address, key).await.unwrap();
        answers.push(connection.ask(&asks).await.unwrap());
        let meters = page(operations, "/metrics").await;
        assert!(meters.contains("ccc_vault_asks_total{kind=\"given\"} 1"), "{meters}");
        drop(connection);
        stop.stop();
        task.await.unwrap();
    }
    assert!(matches!(answers[0][0], Reply::Answered(_)));
    assert_eq!(answers[0], answers[1]);
    let head = audit::verify(&config.audit_path()).unwrap();
    assert_eq!((head.lines, head.given), (2, 2));
    let log = std::fs::read_to_string(config.audit_path()).unwrap();
    assert!(!log.contains("sell") && !log.contains("25\""), "{log}");
}

/// The endpoint was put back to an earlier state while the node was down.
#[tokio::test]
async fn n155_a_restarted_node_refuses_an_endpoint_that_went_back() {
    use alloy::providers::Provider;
    let (mut scene, chain) = served().await;
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), &chain.url(), &scene.host.public());
    let control = |scene: &Scene, method: &'static str, parameters: serde_json::Value| {
        let provider = scene.world.chain.provider().clone();
        async move { provider.raw_request::<_, serde_json::Value>(method.into(), parameters).await.unwrap() }
    };
    let before = control(&scene, "evm_snapshot", serde_json::json!([])).await;
    scene.submit(1, b"sell 25").await;
    drop(start(&scene, &config, &held(&scene, 0, 0), public(&scene)).await.unwrap());
    control(&scene, "evm_revert", serde_json::json!([before])).await;
    let behind = start(&scene, &config, &held(&scene, 0, 0), public(&scene)).await.err();
    assert!(matches!(&behind, Some(StartError::NotReady(why)) if matches!(**why, NotReady::WentBack { .. })));
    scene.submit(2, b"another").await;
    let other = start(&scene, &config, &held(&scene, 0, 0), public(&scene)).await.err();
    assert!(matches!(&other, Some(StartError::NotReady(why)) if matches!(**why, NotReady::WentBack { .. })));
    let beginning = Beginning { counter: CounterFile::Kept, forget_chain: true };
    let (keys, clock) = (held(&scene, 0, 0), Arc::clone(&scene.clock));
    drop(Service::prepare(&config, &keys, public(&scene), clock, beginning).await.unwrap());
    drop(start(&scene, &config, &held(&scene, 0, 0), public(&scene)).await.unwrap());
}

#[tokio::test]
async fn n155_another_nodes_files_a_foreign_counter_a_wrong_chain_and_a_wrong_clock_are_refused() {
    let (scene, chain) = served().await;
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), &chain.url(), &scene.host.public());
    let right = held(&scene, 0, 0);
    let foreign = start(&scene, &config, &held(&scene, 0, 1), public(&scene)).await.err();
    assert!(matches!(foreign, Some(StartError::OtherKeys { identifier: 1 })), "{foreign:?}");
    let mut elsewhere = public(&scene);
    elsewhere.deployment.chain_id += 1;
    let elsewhere = start(&scene, &config, &right, elsewhere).await.err();
    assert!(matches!(elsewhere, Some(StartError::Chain(ChainError::WrongChain { .. }))), "{elsewhere:?}");
    let mut nowhere = public(&scene);
    nowhere.deployment.pool = alloy::primitives::Address::repeat_byte(9);
    let nowhere = start(&scene, &config, &right, nowhere).await.err();
    assert!(matches!(nowhere, Some(StartError::Chain(ChainError::NotDeployed { .. }))), "{nowhere:?}");
    let now = scene.clock.0.load(Ordering::SeqCst);
    scene.clock.0.store(now - 10_000, Ordering::SeqCst);
    let behind = start(&scene, &config, &right, public(&scene)).await.err();
    assert!(matches!(&behind, Some(StartError::NotReady(why)) if matches!(**why, NotReady::ClockBehind { .. })));
    scene.clock.0.store(now + 10_000, Ordering::SeqCst);
    let ahead = start(&scene, &config, &right, public(&scene)).await.err();
    assert!(matches!(&ahead, Some(StartError::NotReady(why)) if matches!(**why, NotReady::Stale { .. })));
    scene.clock.0.store(now, Ordering::SeqCst);
    config.node.rpc_url = "http://127.0.0.1:9".to_owned();
    let silent = start(&scene, &config, &right, public(&scene)).await.err();
    assert!(matches!(silent, Some(StartError::Chain(ChainError::Rpc(_)))), "{silent:?}");
    config.node.rpc_url = chain.url();
    drop(start(&scene, &config, &right, public(&scene)).await.unwrap());
    let seen = std::fs::read(config.counter_path()).unwrap();
    std::fs::write(config.counter_path(), vec![7; seen.len()]).unwrap();
    let counter = start(&scene, &config, &right, public(&scene)).await.err();
    assert!(matches!(counter, Some(StartError::Journal(JournalError::Counter { .. }))), "{counter:?}");
    std::fs::remove_file(config.counter_path()).unwrap();
    let absent = start_with(&scene, &config, &right, public(&scene), CounterFile::Kept).await.err();
    assert!(matches!(absent, Some(StartError::Journal(JournalError::NoCounter { .. }))), "{absent:?}");
    config.own.clients[0].key = hex::encode(scene.members[2].0.public_keys().signing_key());
    let member = start(&scene, &config, &right, public(&scene)).await.err();
    assert!(matches!(member, Some(StartError::Config(ConfigError::SameKey { index: 0 }))), "{member:?}");
}

/// Production takes no simulated hardware, whatever else is right.
#[tokio::test]
async fn n112_a_node_in_production_refuses_a_policy_of_simulation() {
    let (scene, chain) = served().await;
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), &chain.url(), &scene.host.public());
    config.node.mode = ccc_node::policy_file::ModeName::Production;
    let refused = start(&scene, &config, &held(&scene, 0, 0), public(&scene)).await.err();
    assert!(matches!(refused, Some(StartError::Production(_))), "{refused:?}");
}
