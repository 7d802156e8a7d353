//! The embedded chain over JSON-RPC on loopback, so that other programs can look in.
//!
//! *Security*: loopback alone. A browser is kept out: a body must be `application/json`, which a page of another origin may
//! not send unasked, and the host must be a name of this machine, which a rebound name is not. Whoever is on this machine
//! may use the chain, set balances and move its time.
//!
//! *Bounds*: [`MAX_BODY`] bytes and [`MOST_IN_BATCH`] requests in a body, [`BODY_TIME`] to send it, [`BATCH_TIME`] to answer them,
//! [`MOST_CONNECTIONS`](super::MOST_CONNECTIONS), each silent for no longer than [`IDLE`](super::IDLE).

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alloy::rpc::json_rpc::{ErrorPayload, Id, Request, Response, ResponsePayload, SerializedRequest};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response as Reply},
    routing::post,
};
use serde_json::{Value, value::RawValue};
use tokio::time::Instant;

use super::{
    EmbeddedTransport,
    loopback::{LoopbackServer, ServeError},
};

/// The longest body, in bytes.
pub const MAX_BODY: usize = 1 << 20;

/// The most requests in a body.
pub const MOST_IN_BATCH: usize = 100;

/// How long a body may take to arrive.
pub const BODY_TIME: Duration = Duration::from_secs(10);

/// How long the requests of a body may take together; those that are left are refused.
pub const BATCH_TIME: Duration = Duration::from_secs(10);

const PARSE_ERROR: i64 = -32700;
const INVALID_REQUEST: i64 = -32600;
const TOO_LATE: i64 = -32000;

/// What moves a served chain's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// One second for each block, from the genesis time.
    Blocks,
    /// The machine's clock; never backwards.
    Machine,
}

/// A running server; dropping it ends it.
#[derive(Debug)]
pub struct ChainServer(LoopbackServer);

#[derive(Clone)]
struct Served {
    chain: EmbeddedTransport,
    clock: Clock,
}

impl ChainServer {
    /// Serves a chain; port 0 takes a free one.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn serve(address: SocketAddr, chain: EmbeddedTransport, clock: Clock) -> Result<Self, ServeError> {
        let routes = Router::new().route("/", post(answer)).with_state(Served { chain, clock });
        Ok(Self(LoopbackServer::serve(address, routes).await?))
    }

    /// Where it is served.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Waits until the server ends.
    pub async fn wait(self) {
        self.0.wait().await;
    }
}

async fn answer(State(served): State<Served>, headers: HeaderMap, body: Body) -> Reply {
    if !of_this_machine(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if !is_json(&headers) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    match tokio::time::timeout(BODY_TIME, to_bytes(body, MAX_BODY)).await {
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
        Ok(Err(_)) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Ok(Ok(body)) => ([(header::CONTENT_TYPE, "application/json")], served.reply(&body).await).into_response(),
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = text(headers, header::CONTENT_TYPE).split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// Whether the caller meant this machine by name: another name that leads here was rebound.
fn of_this_machine(headers: &HeaderMap) -> bool {
    let host = text(headers, header::HOST);
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|own| name.eq_ignore_ascii_case(own))
}

impl Served {
    /// The answer to a body: one object, or a list for a list. Requests without an id are told nothing.
    async fn reply(&self, body: &Bytes) -> String {
        if self.clock == Clock::Machine {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
            self.chain.follow(now);
        }
        match serde_json::from_slice::<Value>(body) {
            Err(error) => written(&refusal(PARSE_ERROR, error.to_string())),
            Ok(Value::Array(requests)) => self.batch(requests, Instant::now() + BATCH_TIME).await,
            Ok(request) => self.one(request).map(|response| written(&response)).unwrap_or_default(),
        }
    }

    /// Between two requests others have their turn.
    async fn batch(&self, requests: Vec<Value>, deadline: Instant) -> String {
        if requests.is_empty() || requests.len() > MOST_IN_BATCH {
            let reason = format!("a batch holds 1 to {MOST_IN_BATCH} requests, found {}", requests.len());
            return written(&refusal(INVALID_REQUEST, reason));
        }
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            let late = Instant::now() >= deadline;
            answers.extend(if late { too_late(request) } else { self.one(request) });
            tokio::task::yield_now().await;
        }
        if answers.is_empty() { String::new() } else { written(&answers) }
    }

    fn one(&self, request: Value) -> Option<Response> {
        match parsed(request) {
            Err(reason) => Some(refusal(INVALID_REQUEST, reason)),
            Ok((request, told)) => Some(self.chain.answer(&request)).filter(|_| told),
        }
    }
}

/// A request, and whether its sender wants an answer.
fn parsed(request: Value) -> Result<(SerializedRequest, bool), String> {
    let Value::Object(mut members) = request else { return Err("a request is an object".into()) };
    if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err("`jsonrpc` is not \"2.0\"".into());
    }
    let Some(Value::String(method)) = members.remove("method") else { return Err("`method` is not a text".into()) };
    let told = members.contains_key("id");
    let id = members.remove("id").unwrap_or_default();
    let id: Id = serde_json::from_value(id).map_err(|_| "`id` is neither a number nor a text".to_owned())?;
    let parameters = members.remove("params").unwrap_or_else(|| Value::Array(Vec::new()));
    let request = Request::new(method, id, parameters).serialize().map_err(|error| error.to_string())?;
    Ok((request, told))
}

/// The answer to a request whose batch took too long before it.
fn too_late(request: Value) -> Option<Response> {
    match parsed(request) {
        Err(reason) => Some(refusal(INVALID_REQUEST, reason)),
        Ok((request, told)) => {
            let answer = refusal(TOO_LATE, "the requests before this one took the batch's time".to_owned());
            told.then(|| Response { id: request.id().clone(), ..answer })
        }
    }
}

fn refusal(code: i64, reason: String) -> Response {
    let fault = ErrorPayload { code, message: reason.into(), data: None::<Box<RawValue>> };
    Response { id: Id::None, payload: ResponsePayload::Failure(fault) }
}

fn written(answer: &impl serde::Serialize) -> String {
    serde_json::to_string(answer).expect("answers are values that were parsed or made of text and numbers")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EmbeddedConfig;

    #[tokio::test]
    async fn a_batch_ends_at_its_deadline() {
        let config = EmbeddedConfig { chain_id: 1, genesis_time: 1, rich: Vec::new() };
        let served = Served { chain: EmbeddedTransport::new(&config), clock: Clock::Blocks };
        let requests = vec![serde_json::json!({ "jsonrpc": "2.0", "id": 7, "method": "eth_chainId" })];
        let late = served.batch(requests.clone(), Instant::now()).await;
        assert!(late.contains("-32000") && late.contains("\"id\":7"), "{late}");
        let answer = served.batch(requests, Instant::now() + BATCH_TIME).await;
        assert!(answer.contains("0x1"), "{answer}");
    }
}
