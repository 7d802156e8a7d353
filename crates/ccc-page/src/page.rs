//! From a request to an answer.

use std::{
    convert::Infallible,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use ccc_agent::approval::Approval;
use ccc_node::scenario::{BUILT_IN, Scenario};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    agent_files::{AgentFiles, NotDone},
    answer::{self, Keep, refusal},
    assets,
    board::Board,
    desk::Desk,
    hub::{Hub, Next, Viewer},
    limits::{Caller, Limits, Rates},
    routes::{self, Door, Missing, Route},
    session::{NoSession, Sessions, Standing},
    simulation::{Ask, NoRun, Simulation},
};

/// The longest body, in bytes.
pub const MOST_BODY: usize = 16 << 10;
/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(10);
/// From one sign of life to the next.
const ALIVE: Duration = Duration::from_secs(15);
/// After which a browser comes back, in milliseconds.
const RETRY: Duration = Duration::from_millis(1_000);

/// What stands behind the addresses.
pub struct Page {
    /// What is public.
    pub board: Arc<Board>,
    /// What happens.
    pub hub: Arc<Hub>,
    /// The operator's figures.
    pub desk: Arc<Desk>,
    /// Who may see them; nobody where there is none.
    pub sessions: Option<Sessions>,
    /// Runs, in simulation.
    pub simulation: Option<Arc<Simulation>>,
    /// An agent elsewhere on this machine.
    pub agent: Option<Arc<AgentFiles>>,
    /// What a proof-of-reserve feed says.
    pub feed: RwLock<Value>,
    /// Further names under which a proxy reaches this page.
    pub names: Vec<String>,
    /// Bounds.
    pub limits: Limits,
    /// What each address took.
    pub rates: Rates,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Halt {
    halted: bool,
}

fn field<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Host without port.
fn bare(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

impl Page {
    /// Answers.
    pub async fn answer(self: Arc<Self>, from: IpAddr, request: Request<Body>) -> Response {
        answer::secured(self.checked(from, request).await)
    }

    async fn checked(self: Arc<Self>, from: IpAddr, request: Request<Body>) -> Response {
        if let Some(caller) = self.caller(from, &request)
            && let Err(wait) = self.rates.take(caller, &self.limits)
        {
            return too_often(wait);
        }
        let host = field(request.headers(), &header::HOST).unwrap_or_default().to_owned();
        if !self.is_own(&host) {
            return refusal(StatusCode::MISDIRECTED_REQUEST, "a host of another name");
        }
        let path = request.uri().path().to_owned();
        let (route, name) = match routes::find(request.method().as_str(), &path) {
            Ok(found) => found,
            Err(Missing::Path) => return refusal(StatusCode::NOT_FOUND, "there is nothing of this name"),
            Err(Missing::Method) => return refusal(StatusCode::METHOD_NOT_ALLOWED, "it has another method"),
        };
        if route.method != "GET" && !is_from_here(request.headers(), &host) {
            return refusal(StatusCode::FORBIDDEN, "the request comes from another site");
        }
        if route.signed_in
            && let Some(refused) = self.refused(request.headers())
        {
            return refused;
        }
        let (parts, body) = request.into_parts();
        if route.takes {
            return match taken(&parts.headers, body).await {
                Ok(body) => self.act(route, from, &parts.headers, &body).await,
                Err(refused) => refused,
            };
        }
        self.show(route, name, &parts.headers).await
    }

    /// Whose budget a request is; nobody's for a token, which is looked at first: strangers keep nobody from signing in.
    fn caller(&self, from: IpAddr, request: &Request<Body>) -> Option<Caller> {
        let cookies = field(request.headers(), &header::COOKIE).unwrap_or_default();
        let found = routes::find(request.method().as_str(), request.uri().path()).ok();
        let door = found.map(|(route, _)| route.door);
        let standing = || self.sessions.as_ref().map(|sessions| sessions.standing(cookies, Instant::now()));
        match door {
            Some(Door::SignIn) => None,
            Some(Door::Health) => Some(Caller::Health),
            Some(Door::Events) => Some(Caller::Viewer),
            _ if standing() == Some(Standing::Operator) => Some(Caller::Operator),
            _ => Some(Caller::Address(from)),
        }
    }

    /// A name that was rebound to this machine is another page's.
    fn is_own(&self, host: &str) -> bool {
        let host = bare(host);
        let own = ["127.0.0.1", "localhost", "[::1]"].into_iter().chain(self.names.iter().map(String::as_str));
        own.into_iter().any(|own| own.eq_ignore_ascii_case(host))
    }

    fn refused(&self, headers: &HeaderMap) -> Option<Response> {
        let Some(sessions) = &self.sessions else {
            return Some(refusal(StatusCode::NOT_FOUND, "the page has no desk: start it with a token"));
        };
        let cookies = field(headers, &header::COOKIE).unwrap_or_default();
        match sessions.standing(cookies, Instant::now()) {
            Standing::Operator => None,
            Standing::Nobody => Some(refusal(StatusCode::UNAUTHORIZED, "nobody is signed in")),
            Standing::Expired => Some(refusal(StatusCode::UNAUTHORIZED, "the session is over: sign in again")),
        }
    }

    async fn show(&self, route: &Route, name: &str, asked: &HeaderMap) -> Response {
        match route.door {
            Door::Index => answer::bytes(asked, route.gives, Keep::Tagged, assets::INDEX),
            Door::Operator => answer::bytes(asked, route.gives, Keep::Tagged, assets::OPERATOR),
            Door::Asset => match assets::ASSETS.iter().find(|(known, ..)| *known == name) {
                Some((_, kind, bytes)) => answer::bytes(asked, kind, Keep::Tagged, *bytes),
                None => refusal(StatusCode::NOT_FOUND, "there is no asset of this name"),
            },
            Door::Health => answer::bytes(asked, route.gives, Keep::Never, "the page runs\n"),
            Door::Events => self.events(asked),
            Door::File => match self.board.file(name) {
                Some(bytes) => attached(answer::bytes(asked, route.gives, Keep::Second, bytes.as_ref())),
                None => refusal(StatusCode::NOT_FOUND, "there is no file of this name"),
            },
            Door::Transaction => match self.board.transaction(name) {
                Some(bytes) => answer::json(asked, Keep::Second, bytes.as_ref()),
                None => refusal(StatusCode::NOT_FOUND, "there is no transaction of this hash"),
            },
            Door::Desk => answer::json(asked, Keep::Never, &self.desk_view()),
            Door::Journal => self.journal(asked).await,
            Door::SignOut => self.sign_out(asked),
            _ => answer::json(asked, Keep::Second, &self.listed(route.door)),
        }
    }

    fn listed(&self, door: Door) -> Value {
        match door {
            Door::Status => json!({ "status": self.board.status() }),
            Door::Runs => json!({ "runs": self.board.runs() }),
            Door::Reports => json!({ "reports": self.board.reports() }),
            Door::Transactions => json!({ "transactions": self.board.transactions() }),
            Door::Files => json!({ "files": self.board.files() }),
            Door::Feed => json!({ "feed": *self.feed.read().unwrap_or_else(PoisonError::into_inner) }),
            _ => routes::openapi(),
        }
    }

    fn events(&self, asked: &HeaderMap) -> Response {
        if self.hub.viewers() >= self.limits.viewers {
            return answer::later(StatusCode::SERVICE_UNAVAILABLE, "too many viewers", 10);
        }
        let last = field(asked, &HeaderName::from_static("last-event-id"));
        let viewer = self.hub.view(last);
        let stream = futures::stream::unfold(viewer, |mut viewer: Viewer| async {
            let event = match viewer.next().await? {
                Next::Event(event) => Event::default().id(&event.id).event(event.kind).data(&event.data),
                Next::Anew(id) => Event::default().id(id).event("anew").retry(RETRY).data("{}"),
            };
            Some((Ok::<_, Infallible>(event), viewer))
        });
        let mut response = Sse::new(stream).keep_alive(KeepAlive::new().interval(ALIVE)).into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    fn halted(&self) -> bool {
        self.simulation.as_ref().is_some_and(|simulation| simulation.halted())
            || self.agent.as_ref().is_some_and(|agent| agent.halted())
    }

    fn desk_view(&self) -> Value {
        let scenario = |name: &str| Scenario::built_in(name).ok();
        let scenarios: Vec<Value> = BUILT_IN
            .iter()
            .filter_map(|(name, _)| scenario(name))
            .map(|scenario| {
                json!({
                    "name": scenario.name,
                    "description": scenario.description,
                    "figures": {
                        "liabilities_bitcoin": scenario.reserve.liabilities_bitcoin,
                        "covered_basis_points": scenario.reserve.covered_basis_points,
                        "recover_to_basis_points": scenario.reserve.recover_to_basis_points,
                        "cover_basis_points": scenario.liquidity.cover_basis_points,
                    },
                })
            })
            .collect();
        json!({
            "desk": self.desk.view(),
            "halted": self.halted(),
            "running": self.simulation.as_ref().is_some_and(|simulation| simulation.running()),
            "scenarios": if self.simulation.is_some() { scenarios } else { Vec::new() },
            "journal": self.agent.is_some(),
            "approvals": self.agent.as_ref().is_some_and(|agent| agent.approvals.is_some()),
        })
    }

    async fn journal(&self, asked: &HeaderMap) -> Response {
        let Some(agent) = self.agent.clone() else {
            return refusal(StatusCode::NOT_FOUND, "the page reads no journal");
        };
        match tokio::task::spawn_blocking(move || agent.journal()).await {
            Ok(Ok(journal)) => answer::json(asked, Keep::Never, &journal),
            Ok(Err(error)) => not_done(&error),
            Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the journal could not be read"),
        }
    }

    fn sign_out(&self, asked: &HeaderMap) -> Response {
        let cookies = field(asked, &header::COOKIE).unwrap_or_default();
        let gone = self.sessions.as_ref().map(|sessions| sessions.end(cookies)).unwrap_or_default();
        with_cookie(answer::json(asked, Keep::Never, &json!({ "signed_in": false })), &gone)
    }

    async fn act(&self, route: &Route, from: IpAddr, asked: &HeaderMap, body: &[u8]) -> Response {
        let done = match route.door {
            Door::SignIn => parsed(body).map(|token: Token| self.sign_in(from, asked, &Zeroizing::new(token.token))),
            Door::Run => parsed(body).map(|ask: Ask| self.run(asked, &ask)),
            Door::Halt => parsed(body).map(|halt: Halt| self.halt(asked, halt.halted)),
            Door::Approve => match parsed(body) {
                Ok(approval) => Ok(self.approve(asked, approval).await),
                Err(reason) => Err(reason),
            },
            _ => return refusal(StatusCode::NOT_FOUND, "there is nothing of this name"),
        };
        done.unwrap_or_else(|reason| refusal(StatusCode::BAD_REQUEST, &reason))
    }

    fn sign_in(&self, from: IpAddr, asked: &HeaderMap, token: &str) -> Response {
        let Some(sessions) = &self.sessions else {
            return refusal(StatusCode::NOT_FOUND, "the page has no desk: start it with a token");
        };
        match sessions.begin(token, Instant::now()) {
            Ok(cookie) => with_cookie(answer::json(asked, Keep::Never, &json!({ "signed_in": true })), &cookie),
            // only a wrong token costs its sender something
            Err(error @ NoSession::Token) => match self.rates.take(Caller::Address(from), &self.limits) {
                Ok(()) => refusal(StatusCode::UNAUTHORIZED, &error.to_string()),
                Err(wait) => too_often(wait),
            },
            Err(error @ NoSession::Full) => refusal(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
        }
    }

    fn run(&self, asked: &HeaderMap, ask: &Ask) -> Response {
        let Some(simulation) = &self.simulation else { return refusal(StatusCode::NOT_FOUND, "this is no simulation") };
        match simulation.start(ask) {
            Ok(number) => answer::json(asked, Keep::Never, &json!({ "run": number })),
            Err(error @ (NoRun::Busy { .. } | NoRun::Halted)) => refusal(StatusCode::CONFLICT, &error.to_string()),
            Err(error @ NoRun::Scenario(_)) => refusal(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
            Err(error @ NoRun::Thread(_)) => refusal(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
        }
    }

    fn halt(&self, asked: &HeaderMap, halted: bool) -> Response {
        if self.simulation.is_none() && self.agent.is_none() {
            return refusal(StatusCode::NOT_FOUND, "there is nothing to stop");
        }
        // one that cannot be stopped keeps the other from nothing
        if let Some(simulation) = &self.simulation {
            simulation.halt(halted);
        }
        if let Some(Err(error)) = self.agent.as_ref().map(|agent| agent.halt(halted)) {
            return not_done(&error);
        }
        answer::json(asked, Keep::Never, &json!({ "halted": self.halted() }))
    }

    async fn approve(&self, asked: &HeaderMap, approval: Approval) -> Response {
        let Some(agent) = self.agent.clone() else {
            return refusal(StatusCode::NOT_FOUND, "the page takes no approvals");
        };
        let action = approval.action;
        match tokio::task::spawn_blocking(move || agent.approve(&approval)).await {
            Ok(Ok(())) => {
                self.desk.note(format!("an approval of {action} was handed in"));
                answer::json(asked, Keep::Never, &json!({ "action": action }))
            }
            Ok(Err(error)) => not_done(&error),
            Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the approval could not be checked"),
        }
    }
}

fn too_often(wait: Duration) -> Response {
    answer::later(StatusCode::TOO_MANY_REQUESTS, "too many requests", wait.as_secs() + 1)
}

fn not_done(error: &NotDone) -> Response {
    let status = match error {
        NotDone::NoApprovals => StatusCode::NOT_FOUND,
        NotDone::File { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    refusal(status, &error.to_string())
}

/// Whether a browser, if it is one, sent the request for a page of ours.
fn is_from_here(headers: &HeaderMap, host: &str) -> bool {
    let site = field(headers, &HeaderName::from_static("sec-fetch-site"));
    if site.is_some_and(|site| site != "same-origin") {
        return false;
    }
    match headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default()) {
        None => true,
        Some(origin) => origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host)),
    }
}

async fn taken(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Response> {
    let kind = field(headers, &header::CONTENT_TYPE).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a body is application/json"));
    }
    match tokio::time::timeout(BODY_TIME, to_bytes(body, MOST_BODY)).await {
        Err(_) => Err(refusal(StatusCode::REQUEST_TIMEOUT, "the body took too long")),
        Ok(Err(_)) => {
            let reason = format!("a body has at most {MOST_BODY} bytes");
            Err(refusal(StatusCode::PAYLOAD_TOO_LARGE, &reason))
        }
        Ok(Ok(bytes)) => Ok(bytes.into()),
    }
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    // what was sent is not repeated: it may be a token
    let place = |error: serde_json::Error| format!("no such body: line {}, column {}", error.line(), error.column());
    serde_json::from_slice(body).map_err(place)
}

fn attached(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    response
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}
