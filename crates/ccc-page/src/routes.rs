//! Every address that the page answers at, in one table: requests are looked up in it, and the OpenAPI document is made of it.

use serde_json::{Map, Value, json};

/// What stands behind an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The public page.
    Index,
    /// The operator's page, which shows nothing by itself.
    Operator,
    /// A file of either page.
    Asset,
    /// Whether the process runs.
    Health,
    /// The status.
    Status,
    /// The runs.
    Runs,
    /// The reports.
    Reports,
    /// The transactions in short.
    Transactions,
    /// One transaction byte by byte.
    Transaction,
    /// Names of public files.
    Files,
    /// One of them.
    File,
    /// The proof-of-reserve feed.
    Feed,
    /// What happens, as it happens.
    Events,
    /// The document.
    OpenApi,
    /// Sign in.
    SignIn,
    /// Sign out.
    SignOut,
    /// The operator's figures.
    Desk,
    /// Start a run.
    Run,
    /// Stop, or let go on.
    Halt,
    /// The agent's journal.
    Journal,
    /// Hand in a person's approval.
    Approve,
}

/// An address with everything that is said of it.
#[derive(Debug)]
pub struct Route {
    /// What stands behind it.
    pub door: Door,
    /// The method.
    pub method: &'static str,
    /// The path; a last part in braces is any name.
    pub path: &'static str,
    /// Its name in the document.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// Whether it takes a JSON body.
    pub takes: bool,
    /// The content type of an answer with status 200.
    pub gives: &'static str,
    /// Whether one has to be signed in.
    pub signed_in: bool,
    /// The other statuses, and when they come.
    pub refuses: &'static [(u16, &'static str)],
}

/// Why there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Nothing has this path.
    Path,
    /// It has another method.
    Method,
}

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";
const TEXT: &str = "text/plain; charset=utf-8";
const STREAM: &str = "text/event-stream";

const fn public(
    door: Door,
    path: &'static str,
    name: &'static str,
    gives: &'static str,
    summary: &'static str,
) -> Route {
    Route { door, method: "GET", path, name, summary, takes: false, gives, signed_in: false, refuses: &[] }
}

const fn desk(
    door: Door,
    method: &'static str,
    path: &'static str,
    name: &'static str,
    summary: &'static str,
) -> Route {
    let takes = matches!(method.as_bytes(), b"POST");
    Route { door, method, path, name, summary, takes, gives: JSON, signed_in: true, refuses: &[] }
}

const ABSENT: &[(u16, &str)] = &[(404, "there is none of this name")];

/// The addresses.
pub const ROUTES: [Route; 21] = [
    public(Door::Index, "/", "page", HTML, "The public page"),
    public(Door::Operator, "/operator", "operatorPage", HTML, "The operator's page, empty until one signs in"),
    Route { refuses: ABSENT, ..public(Door::Asset, "/assets/{name}", "asset", BYTES, "A file of either page") },
    public(Door::Health, "/healthz", "healthz", TEXT, "Whether the process runs"),
    public(Door::Status, "/v1/status", "status", JSON, "The reserve's status, and how old it is"),
    public(Door::Runs, "/v1/runs", "runs", JSON, "The last recoveries of a simulation, with measured spans"),
    public(Door::Reports, "/v1/reports", "reports", JSON, "The last reports, their quorum, and how to verify each"),
    public(Door::Transactions, "/v1/transactions", "transactions", JSON, "What the chain saw, in short"),
    Route {
        refuses: ABSENT,
        ..public(
            Door::Transaction,
            "/v1/transactions/{hash}",
            "transaction",
            JSON,
            "A transaction byte by byte, with labels",
        )
    },
    public(Door::Files, "/v1/files", "files", JSON, "Names of the public files"),
    Route { refuses: ABSENT, ..public(Door::File, "/v1/files/{name}", "file", BYTES, "A public file") },
    public(Door::Feed, "/v1/feed", "feed", JSON, "The public proof-of-reserve feed, where one is shown"),
    Route {
        refuses: &[(503, "too many viewers")],
        ..public(
            Door::Events,
            "/v1/events",
            "events",
            STREAM,
            "What happens, as server-sent events with ids; Last-Event-ID goes on from there, `anew` says to read everything again",
        )
    },
    public(Door::OpenApi, "/v1/openapi.json", "openapi", JSON, "This document"),
    Route {
        signed_in: false,
        refuses: &[(401, "another token is wanted"), (404, "the page has no desk"), (429, "too many wrong tokens")],
        ..desk(Door::SignIn, "POST", "/v1/operator/session", "signIn", "Buys a session with the token: {token}")
    },
    desk(Door::SignOut, "DELETE", "/v1/operator/session", "signOut", "Ends the session"),
    desk(
        Door::Desk,
        "GET",
        "/v1/operator/desk",
        "desk",
        "The operator's figures, the agent's choice with its quotes, what was done",
    ),
    Route {
        refuses: &[
            (404, "not a simulation"),
            (409, "a run goes on, or all is stopped"),
            (422, "no such scenario or figures"),
        ],
        ..desk(Door::Run, "POST", "/v1/operator/runs", "run", "Starts a simulated recovery: {scenario, figures?}")
    },
    Route {
        refuses: &[(404, "there is nothing to stop")],
        ..desk(Door::Halt, "POST", "/v1/operator/halt", "halt", "Stops everything, or lets it go on: {halted}")
    },
    Route {
        refuses: &[(404, "the page reads no journal"), (422, "the journal does not hold together")],
        ..desk(Door::Journal, "GET", "/v1/operator/journal", "journal", "The agent's journal, its last lines")
    },
    Route {
        refuses: &[(404, "the page takes no approvals"), (422, "no person of the policy signed it")],
        ..desk(
            Door::Approve,
            "POST",
            "/v1/operator/approvals",
            "approve",
            "Hands in an approval of `ccc agent approve`",
        )
    },
];

/// The route of a path for a method, and the name at the path's end.
///
/// # Errors
/// [`Missing`].
pub fn find<'p>(method: &str, path: &'p str) -> Result<(&'static Route, &'p str), Missing> {
    let mut of_path = false;
    for route in &ROUTES {
        let Some(name) = matches(route.path, path) else { continue };
        if route.method == method || (route.method == "GET" && method == "HEAD") {
            return Ok((route, name));
        }
        of_path = true;
    }
    Err(if of_path { Missing::Method } else { Missing::Path })
}

fn matches<'p>(pattern: &str, path: &'p str) -> Option<&'p str> {
    match pattern.split_once('{') {
        None => (pattern == path).then_some(""),
        Some((front, _)) => path.strip_prefix(front).filter(|name| !name.is_empty() && !name.contains('/')),
    }
}

/// The routes as an `OpenAPI` 3.1 document.
#[must_use]
pub fn openapi() -> Value {
    let mut paths = Map::new();
    for route in &ROUTES {
        let methods = paths.entry(route.path).or_insert_with(|| json!({}));
        methods[route.method.to_lowercase()] = operation(route);
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "ccc serve",
            "version": "1",
            "description": "A reserve's page: public addresses, and an operator's desk behind a session. Bodies: docs/spec/page.md.",
        },
        "components": {
            "securitySchemes": { "session": { "type": "apiKey", "in": "cookie", "name": crate::session::COOKIE } },
        },
        "paths": paths,
    });
    // one order, whichever the library keeps
    document.sort_all_objects();
    document
}

fn operation(route: &Route) -> Value {
    let mut responses = Map::new();
    responses.insert("200".to_owned(), json!({ "description": "the answer", "content": content(route.gives) }));
    let mut refuses = route.refuses.to_vec();
    refuses.extend([(421, "a host of another name"), (429, "too many requests")]);
    if route.signed_in {
        refuses.push((401, "nobody is signed in, or the session is over"));
    }
    if route.method != "GET" {
        refuses.push((403, "the request comes from another site"));
    }
    if route.takes {
        refuses.extend([(400, "no such body"), (408, "slow"), (413, "too large"), (415, "not JSON")]);
    }
    for (status, when) in refuses {
        responses.entry(status.to_string()).or_insert_with(|| json!({ "description": when, "content": content(JSON) }));
    }
    let tag = if route.path.contains("/operator") { "operator" } else { "public" };
    let mut operation =
        json!({ "operationId": route.name, "summary": route.summary, "tags": [tag], "responses": responses });
    if let Some((_, name)) = route.path.split_once('{') {
        let name = name.trim_end_matches('}');
        operation["parameters"] =
            json!([{ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }]);
    }
    if route.takes {
        operation["requestBody"] = json!({ "required": true, "content": content(JSON) });
    }
    if route.signed_in {
        operation["security"] = json!([{ "session": [] }]);
    }
    operation
}

fn content(kind: &str) -> Value {
    let schema = if kind == JSON { json!({ "type": "object" }) } else { json!({ "type": "string" }) };
    json!({ kind: { "schema": schema } })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `/v1/openapi.json` serves it.
    #[test]
    fn the_document_is_the_one_that_is_committed() {
        let made = serde_json::to_string_pretty(&openapi()).expect("JSON") + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/spec/page.openapi.json");
        if std::env::var_os("CCC_WRITE_SNAPSHOTS").is_some() {
            std::fs::write(path, &made).expect("written");
        }
        assert_eq!(std::fs::read_to_string(path).expect("read"), made);
    }

    #[test]
    fn a_path_is_found_by_its_own_method_and_no_other_path_is() {
        for route in &ROUTES {
            let path = route.path.split('{').next().unwrap_or_default().to_owned();
            let path = if route.path.contains('{') { path + "x" } else { path };
            assert_eq!(find(route.method, &path).map(|(found, _)| found.door), Ok(route.door), "{path}");
            assert_eq!(find("PUT", &path).map(|(found, _)| found.door), Err(Missing::Method), "{path}");
        }
        for path in ["/assets/", "/assets/a/b", "/v1", "/v1/files/../status", "//", "", "/v1/operator"] {
            assert_eq!(find("GET", path).map(|(found, _)| found.door), Err(Missing::Path), "{path}");
        }
        assert_eq!(find("HEAD", "/v1/status").map(|(found, _)| found.door), Ok(Door::Status));
    }

    #[test]
    fn everything_of_the_operator_wants_a_session_but_its_door() {
        for route in &ROUTES {
            let open = matches!(route.door, Door::Operator | Door::SignIn);
            assert_eq!(route.signed_in, route.path.contains("/operator") && !open, "{}", route.path);
        }
    }
}
