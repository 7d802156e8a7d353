//! Running nodes of every kind against their OpenAPI documents: whatever is sent, the status is one that the document has for the
//! page, soon, and no answer tells a secret.

use crate::{
    files::{config, held, public, served, start},
    hosts::{ACCOUNT, Net, Running, TOKEN, Who},
    limits::{Streamed, raw_at},
    scene::Scene,
};
use ccc_server::{
    attested::{ENVELOPE, ROUND, TABLE},
    client::{CallError, Connection},
    config::Kind,
    frame,
    identity::Identity,
    routes,
    server::Stop,
};
use futures::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::{
    Method, Request, StatusCode,
    body::{Bytes, Frame},
    client::conn::http2::SendRequest,
    header::CONTENT_TYPE,
};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// For any one answer. Refusals wait for a step of 250 ms; a machine that builds beside has its share.
const SOON: Duration = Duration::from_secs(5);
/// The longest text that comes instead of an answer.
const TEXT: usize = 512;

/// Calls at one time: fewer than a peer may have.
const AT_ONCE: usize = 6;

/// A page of a document.
struct Page {
    path: String,
    method: String,
    statuses: Vec<u16>,
    takes: Option<String>,
}

/// The pages of a tag.
fn pages(document: &Value, tag: &str) -> Vec<Page> {
    let mut pages = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if operation["tags"][0] == tag {
                let statuses = operation["responses"].as_object().unwrap().keys();
                let statuses = statuses.map(|status| status.parse().unwrap()).collect();
                let takes = operation["requestBody"]["content"].as_object();
                let takes = takes.and_then(|content| content.keys().next().cloned());
                pages.push(Page { path: path.clone(), method: method.to_uppercase(), statuses, takes });
            }
        }
    }
    pages
}

/// What the document allows for a path: its page's statuses, or 404 for what is no page.
fn allowed(pages: &[Page], path: &str) -> Vec<u16> {
    pages.iter().find(|page| page.path == path).map_or(vec![404], |page| page.statuses.clone())
}

fn bent_path(path: &str, rng: &mut StdRng) -> String {
    match rng.random_range(0..8) {
        0 => format!("{path}/"),
        1 => format!("/{}", path.trim_start_matches('/').to_uppercase()),
        2 => format!("{path}{}", rng.random_range(0..10)),
        3 => "/".to_owned(),
        _ => path.to_owned(),
    }
}

/// A good body of which bytes are changed, cut off or added; or anything.
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

/// What no answer may hold: as it is, and in hexadecimal digits.
struct Secrets(Vec<Vec<u8>>);

impl Secrets {
    fn check(&self, text: &[u8]) {
        for secret in &self.0 {
            let digits = hex::encode(secret).into_bytes();
            for form in [secret, &digits] {
                assert!(!text.windows(form.len()).any(|window| window == form.as_slice()), "a secret in an answer");
            }
        }
    }
}

/// A node of some kind that runs, and a peer that it knows.
struct Target<'a> {
    kind: Kind,
    address: SocketAddr,
    key: [u8; 32],
    peer: &'a Identity,
    /// A body that is one, for each door.
    good: BTreeMap<&'static str, Vec<u8>>,
    secrets: Secrets,
    /// Statuses that have to come.
    expected: &'static [u16],
}

impl Target<'_> {
    async fn attack(&self, rng: &mut StdRng) {
        let document = routes::openapi(self.kind);
        let pages = pages(&document, "peers");
        assert_eq!(pages.len(), self.good.len(), "every door is tried");
        self.strangers(rng).await;
        self.bodies(&pages, rng).await;
        let sender = raw_at(self.peer, self.address, self.key).await;
        for page in &pages {
            self.methods(&sender, page).await;
            self.endless(&sender, page).await;
        }
    }

    /// Nobody whose key is unknown gets as far as a page.
    async fn strangers(&self, rng: &mut StdRng) {
        let stranger = Identity::new(ccc_core::keys::ParticipantKeys::generate(rng).unwrap());
        for (path, body) in &self.good {
            let refused = match Connection::open(&stranger, self.address, self.key).await {
                Ok(connection) => connection.call(path, "", body.clone()).await.unwrap_err(),
                Err(error) => error,
            };
            assert!(matches!(refused, CallError::Broken(_) | CallError::Handshake(_)), "{path}: {refused:?}");
        }
    }

    async fn bodies(&self, pages: &[Page], rng: &mut StdRng) {
        let connection = Connection::open(self.peer, self.address, self.key).await.unwrap();
        let sent = (0..24 * pages.len()).map(|turn| {
            let page = &pages[turn % pages.len()];
            let right = page.takes.as_deref().unwrap();
            let kind = [right, right, right, "application/json", ""][rng.random_range(0..5)];
            self.one(&connection, pages, (bent_path(&page.path, rng), kind, body(&self.good[page.path.as_str()], rng)))
        });
        let seen: BTreeSet<u16> = stream::iter(sent).buffer_unordered(AT_ONCE).collect().await;
        assert!(self.expected.iter().all(|status| seen.contains(status)), "{seen:?}");
    }

    async fn one(&self, connection: &Connection, pages: &[Page], (path, kind, body): (String, &str, Vec<u8>)) -> u16 {
        let began = Instant::now();
        let status = match connection.call(&path, kind, body).await {
            Ok(answer) => {
                self.secrets.check(&answer);
                200
            }
            Err(CallError::Status { status, text }) => {
                assert!(text.len() < TEXT && text.is_ascii(), "{text}");
                self.secrets.check(text.as_bytes());
                status.as_u16()
            }
            Err(other) => panic!("{path}: {other}"),
        };
        assert!(began.elapsed() < SOON, "{path}: {:?}", began.elapsed());
        assert!(allowed(pages, &path).contains(&status), "{path}: {status}");
        status
    }

    async fn methods(&self, sender: &SendRequest<Streamed>, page: &Page) {
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
            let request = request(method.clone(), page, stream::empty());
            let response = sender.clone().send_request(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {}", page.path);
        }
    }

    /// A body without an end is cut off soon after the bound, whatever comes behind it.
    async fn endless(&self, sender: &SendRequest<Streamed>, page: &Page) {
        let taken = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&taken);
        let frames = stream::repeat(Bytes::from(vec![0; 16 << 10]));
        let frames = frames.inspect(move |bytes| {
            counted.fetch_add(bytes.len(), Ordering::SeqCst);
        });
        let began = Instant::now();
        let response = sender.clone().send_request(request(Method::POST, page, frames)).await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE, "{}", page.path);
        let (most, taken) = (64 << 10, taken.load(Ordering::SeqCst));
        assert!(taken < most + (4 << 20), "{}: {taken} bytes were taken", page.path);
        assert!(began.elapsed() < SOON, "{}: {:?}", page.path, began.elapsed());
    }
}

fn request(
    method: Method,
    page: &Page,
    frames: impl futures::Stream<Item = Bytes> + Send + 'static,
) -> Request<Streamed> {
    let request = Request::builder().method(method).uri(format!("https://vault.invalid{}", page.path));
    let request = request.header(CONTENT_TYPE, page.takes.as_deref().unwrap());
    request.body(StreamBody::new(frames.map(|bytes| Ok(Frame::data(bytes)))).boxed_unsync()).unwrap()
}

/// The status of whatever an operator sends; none where the connection ends without an answer.
async fn sent(address: SocketAddr, text: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ended = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
}

async fn operator_door(kind: Kind, address: SocketAddr, rng: &mut StdRng) {
    let pages = pages(&routes::openapi(kind), "operator");
    for turn in 0..30 {
        let Page { path, method, statuses, .. } = &pages[turn % pages.len()];
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
    for page in ["/healthz", "/readyz"] {
        let line = format!("GET {page} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert_eq!(sent(address, &line).await, Some(200), "{page} after all of it");
    }
}

#[tokio::test]
async fn n154_whatever_is_sent_to_a_participant_gets_a_status_that_its_document_has() {
    let (mut scene, chain): (Scene, _) = served().await;
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), &chain.url(), &scene.host.public());
    config.node.limits = toml::from_str("body = 65536").unwrap();
    let order = scene.submit(1, b"sell 25").await;
    let good = frame::write_asks(&[scene.attempt(5, &order).await.ask]);
    let service = start(&scene, &config, &held(&scene, 0, 0), public(&scene)).await.unwrap();
    let [address, operations] = service.addresses().unwrap();
    let (stop, stopped) = Stop::new();
    let task = tokio::spawn(service.run(stopped));
    let key = scene.members[0].0.public_keys().signing_key();
    let (keys, share) = scene.secrets(0);
    let target = Target {
        kind: Kind::Vault,
        address,
        key,
        peer: &scene.host,
        good: BTreeMap::from([(frame::PATH, good.clone())]),
        secrets: Secrets(vec![keys.to_bytes().to_vec(), share.to_bytes().to_vec(), b"sell 25".to_vec()]),
        expected: &[400, 404, 415],
    };
    let mut rng = StdRng::seed_from_u64(154);
    target.attack(&mut rng).await;
    operator_door(Kind::Vault, operations, &mut rng).await;
    let connection = Connection::open(&scene.host, address, key).await.unwrap();
    assert!(frame::read_replies(&connection.call(frame::PATH, frame::ASKS, good).await.unwrap()).is_ok());
    drop(connection);
    stop.stop();
    task.await.unwrap();
}

/// A body of the right length for each door of a host.
fn host_bodies() -> BTreeMap<&'static str, Vec<u8>> {
    routes::doors(Kind::Enclave)
        .iter()
        .map(|route| (route.path, vec![3; if route.path == "/v1/reserve" { 40 } else { 32 }]))
        .collect()
}

#[tokio::test]
async fn n154_whatever_is_sent_to_a_host_gets_a_status_that_its_document_has() {
    let net = Net::new().await;
    let dir = tempfile::tempdir().unwrap();
    let running = Running::host(net.host(&net.host_file(dir.path(), "")).await.unwrap());
    let [address, operations] = running.addresses;
    let (mut rng, key) = (StdRng::seed_from_u64(155), net.identity(Who::Host).public());
    let secrets = || vec![net.keys(Who::Host).to_bytes().to_vec(), vec![7; 32], TOKEN.into(), ACCOUNT.into()];
    for (who, expected) in [(Who::Signer, &[200, 400, 403, 404, 415]), (Who::Reader, &[403, 400, 404, 415, 415])] {
        let target = Target {
            kind: Kind::Enclave,
            address,
            key,
            peer: &net.identity(who),
            good: host_bodies(),
            secrets: Secrets(secrets()),
            expected,
        };
        target.attack(&mut rng).await;
    }
    operator_door(Kind::Enclave, operations, &mut rng).await;
    running.end().await;
}

/// What is not there and what is not allowed are one answer: the same status, the same text.
#[tokio::test]
async fn n052_a_host_says_the_same_of_what_is_unknown_and_of_what_is_not_allowed() {
    let net = Net::new().await;
    let dir = tempfile::tempdir().unwrap();
    let running = Running::host(net.host(&net.host_file(dir.path(), "")).await.unwrap());
    let block = net.scene.world.chain.finalised_block().await.unwrap().hash.0;
    let signer = net.connect(Who::Signer, running.addresses[0], Who::Host).await.unwrap();
    let made = signer.call(ROUND.path, ROUND.asks, block.to_vec()).await.unwrap();
    assert!(!made.is_empty());
    let reader = net.connect(Who::Reader, running.addresses[0], Who::Host).await.unwrap();
    let mut answers = BTreeSet::new();
    for (connection, door, body) in [
        (&reader, ROUND, block.to_vec()),
        (&reader, ROUND, vec![9; 32]),
        (&reader, ROUND, vec![9; 3]),
        (&reader, TABLE, vec![9; 32]),
        (&reader, ENVELOPE, vec![9; 32]),
        (&signer, ROUND, vec![9; 32]),
        (&signer, TABLE, vec![9; 32]),
    ] {
        let began = Instant::now();
        match connection.call(door.path, door.asks, body).await {
            Err(CallError::Status { status, text }) => drop(answers.insert((status.as_u16(), text))),
            other => panic!("{other:?}"),
        }
        assert!(began.elapsed() >= Duration::from_millis(250), "{}: its time tells the reason", door.path);
    }
    assert_eq!(answers, BTreeSet::from([(403, "refused".to_owned())]));
    drop((signer, reader));
    running.end().await;
}

#[tokio::test]
async fn n154_whatever_is_sent_to_a_signer_gets_a_status_that_its_document_has() {
    let net = Net::new().await;
    let dir = tempfile::tempdir().unwrap();
    let running = Running::signer(net.signer(&net.signer_file(dir.path())).await.unwrap());
    let [address, operations] = running.addresses;
    let mut rng = StdRng::seed_from_u64(156);
    let target = Target {
        kind: Kind::Workflow,
        address,
        key: net.identity(Who::Signer).public(),
        peer: &net.identity(Who::Reader),
        good: BTreeMap::from([("/v1/sign", judged(&net).await)]),
        secrets: Secrets(vec![net.keys(Who::Signer).to_bytes().to_vec(), vec![101; 32], vec![9; 32]]),
        expected: &[200, 400, 404, 415],
    };
    target.attack(&mut rng).await;
    operator_door(Kind::Workflow, operations, &mut rng).await;
    running.end().await;
}

/// What a host of the net made, as a signer is shown it.
async fn judged(net: &Net) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::host(net.host(&net.host_file(dir.path(), "")).await.unwrap());
    let signer = net.connect(Who::Signer, running.addresses[0], Who::Host).await.unwrap();
    let block = net.scene.world.chain.finalised_block().await.unwrap().hash.0;
    let made = signer.call(ROUND.path, ROUND.asks, block.to_vec()).await.unwrap();
    let made = ccc_server::attested::Made::from_bytes(&made).unwrap();
    drop(signer);
    running.end().await;
    ccc_server::attested::judged(&made.result, &made.beside)
}
