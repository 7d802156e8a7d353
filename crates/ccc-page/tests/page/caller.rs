//! A page that is served, and a caller without a browser's manners.

use std::{
    net::SocketAddr,
    sync::{Arc, RwLock},
    time::Duration,
};

use ccc_page::{
    board::Board,
    desk::Desk,
    hub::Hub,
    limits::{Limits, Rates},
    model::Mode,
    page::Page,
    server::Server,
    session::Sessions,
    simulation::{Simulation, Sizes},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use zeroize::Zeroizing;

pub(crate) const TOKEN: &str = "a token of the desk that nobody guesses";

/// A simulation with a desk, few participants, and room for every request of a test.
pub(crate) fn page() -> Page {
    page_within(Limits { rate: 100_000, burst: 100_000, ..Limits::default() })
}

pub(crate) fn page_within(limits: Limits) -> Page {
    let hub = Hub::new("a1".into());
    let board = Board::new(Arc::clone(&hub), Mode::Simulation);
    let desk = Arc::new(Desk::default());
    let sizes = Sizes { participants: Some(4), makers: Some(4) };
    Page {
        simulation: Some(Simulation::new(Arc::clone(&board), Arc::clone(&desk), sizes)),
        sessions: Some(Sessions::new(&Zeroizing::new(TOKEN.to_owned()), Duration::from_secs(60)).expect("a token")),
        agent: None,
        feed: RwLock::new(Value::Null),
        names: Vec::new(),
        rates: Rates::default(),
        board,
        hub,
        desk,
        limits,
    }
}

pub(crate) async fn served(page: Page) -> (Server, Arc<Page>, String) {
    let page = Arc::new(page);
    let server = Server::serve(SocketAddr::from(([127, 0, 0, 1], 0)), Arc::clone(&page)).await.expect("served");
    let host = server.url().trim_start_matches("http://").to_owned();
    (server, page, host)
}

/// An answer: status, fields as text, body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .lines()
            .find_map(|line| line.split_once(": ").filter(|(known, _)| *known == name))
            .map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(crate) fn all(&self) -> Vec<u8> {
        [self.fields.as_bytes(), &self.body].concat()
    }
}

/// Sends these bytes on a connection of its own and reads until its end.
pub(crate) async fn raw(host: &str, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(host).await.expect("connected");
    // a server that has heard enough may close before all is sent
    let _ = stream.write_all(request).await;
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(bytes.len());
    let fields = String::from_utf8_lossy(&bytes[..end]).replace("\r\n", "\n");
    let status = fields.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, fields, body: bytes.get(end + 4..).unwrap_or_default().to_vec() }
}

pub(crate) async fn get_with(host: &str, path: &str, fields: &str) -> Answer {
    raw(host, format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{fields}\r\n").as_bytes()).await
}

pub(crate) async fn get(host: &str, path: &str) -> Answer {
    get_with(host, path, "").await
}

pub(crate) async fn send(host: &str, method: &str, path: &str, fields: &str, body: &str) -> Answer {
    let length = body.len();
    let kind = if fields.contains("content-type") { "" } else { "content-type: application/json\r\n" };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{kind}content-length: {length}\r\n{fields}\r\n{body}"
    );
    raw(host, request.as_bytes()).await
}

/// Signs in; the field that later requests carry.
pub(crate) async fn signed_in(host: &str) -> String {
    let body = serde_json::json!({ "token": TOKEN }).to_string();
    let answer = send(host, "POST", "/v1/operator/session", "", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let cookie = answer.field("set-cookie").and_then(|set| set.split(';').next()).expect("a cookie");
    format!("cookie: {cookie}\r\n")
}

/// A viewer of the events.
pub(crate) struct Viewer {
    stream: TcpStream,
    pub(crate) bytes: Vec<u8>,
}

impl Viewer {
    pub(crate) async fn new(host: &str, last: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(host).await.expect("connected");
        let last = last.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        let request = format!("GET /v1/events HTTP/1.1\r\nhost: {host}\r\n{last}\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        Self { stream, bytes: Vec::new() }
    }

    /// Reads until what was read holds this text, or the stream ends.
    pub(crate) async fn until(&mut self, text: &str) -> bool {
        let mut buffer = vec![0; 1 << 16];
        loop {
            if self.text().contains(text) {
                return true;
            }
            match self.stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return false,
                Ok(count) => self.bytes.extend_from_slice(&buffer[..count]),
            }
        }
    }

    /// What comes within so long.
    pub(crate) async fn for_a_while(&mut self, time: Duration) {
        let _ = tokio::time::timeout(time, self.until("\u{0}never")).await;
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.text().lines().filter_map(|line| line.strip_prefix("id: ").map(str::to_owned)).collect()
    }
}
