//! Every page that a vault node serves, in one table: the listeners look into it, and the OpenAPI document is made of it.

use crate::frame;
use serde_json::{Map, Value, json};

/// Who reaches a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// The committee and the clients of the configuration, over TLS.
    Committee,
    /// The operator, on a loopback address.
    Operator,
}

/// What a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// Asks, and replies to them.
    Reencrypt,
    /// Whether the process runs.
    Health,
    /// Whether the node would answer.
    Ready,
    /// Meters.
    Meters,
}

/// A page with everything that is said of it.
#[derive(Debug)]
pub struct Route {
    /// What it is.
    pub page: Page,
    /// Where it is served.
    pub listener: Listener,
    /// The one method.
    pub method: &'static str,
    /// The path.
    pub path: &'static str,
    /// Its name in the document.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// The content type that it takes, if it takes a body.
    pub takes: Option<&'static str>,
    /// The content type of an answer with status 200.
    pub gives: &'static str,
    /// The other statuses, and when they come.
    pub refuses: &'static [(u16, &'static str)],
}

/// Why there is no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// No page has this path.
    Path,
    /// The page has another method.
    Method,
}

const TEXT: &str = "text/plain; charset=utf-8";

/// The pages.
pub const ROUTES: [Route; 4] = [
    Route {
        page: Page::Reencrypt,
        listener: Listener::Committee,
        method: "POST",
        path: frame::PATH,
        name: "reencrypt",
        summary: "Re-encrypts to attested enclaves: 1 to 64 asks, as many replies",
        takes: Some(frame::ASKS),
        gives: frame::REPLIES,
        refuses: &[
            (400, "malformed, broken-off, small-frames"),
            (405, "method"),
            (408, "slow"),
            (413, "too-large"),
            (415, "content-type"),
            (429, "busy, with retry-after"),
            (503, "not-ready"),
        ],
    },
    Route {
        page: Page::Health,
        listener: Listener::Operator,
        method: "GET",
        path: "/healthz",
        name: "healthz",
        summary: "Whether the process runs",
        takes: None,
        gives: TEXT,
        refuses: &[(405, "method")],
    },
    Route {
        page: Page::Ready,
        listener: Listener::Operator,
        method: "GET",
        path: "/readyz",
        name: "readyz",
        summary: "Whether the node would answer, and the reason where it would not",
        takes: None,
        gives: TEXT,
        refuses: &[(405, "method"), (503, "the reason")],
    },
    Route {
        page: Page::Meters,
        listener: Listener::Operator,
        method: "GET",
        path: "/metrics",
        name: "metrics",
        summary: "Meters in the text form of Prometheus",
        takes: None,
        gives: TEXT,
        refuses: &[(405, "method")],
    },
];

/// The page that a listener has under a path for a method.
///
/// # Errors
/// [`Missing`].
pub fn find(listener: Listener, method: &str, path: &str) -> Result<&'static Route, Missing> {
    let of_path = || ROUTES.iter().filter(|route| route.listener == listener && route.path == path);
    let found = of_path().find(|route| route.method == method);
    found.ok_or(if of_path().next().is_some() { Missing::Method } else { Missing::Path })
}

/// The pages as an `OpenAPI` 3.1 document. Bodies are bytes: their layout is in `docs/spec/node.md`.
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
            "title": "ccc node vault",
            "version": "1",
            "description": "Pages tagged committee are served over TLS 1.3 to known raw public keys, pages tagged operator on a \
                            loopback address. Layouts: docs/spec/node.md.",
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
    for (status, when) in route.refuses {
        responses.insert(status.to_string(), json!({ "description": when, "content": content(TEXT) }));
    }
    let tag = if route.listener == Listener::Committee { "committee" } else { "operator" };
    let mut operation =
        json!({ "operationId": route.name, "summary": route.summary, "tags": [tag], "responses": responses });
    if let Some(takes) = route.takes {
        operation["requestBody"] = json!({ "required": true, "content": content(takes) });
    }
    operation
}

fn content(kind: &str) -> Value {
    let schema = if kind == TEXT { json!({ "type": "string" }) } else { json!({}) };
    json!({ kind: { "schema": schema } })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `ccc node openapi` prints it.
    #[test]
    fn the_document_is_the_one_that_is_committed() {
        let made = serde_json::to_string_pretty(&openapi()).expect("JSON") + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/spec/node.openapi.json");
        if std::env::var_os("CCC_WRITE_SNAPSHOTS").is_some() {
            std::fs::write(path, &made).expect("written");
        }
        assert_eq!(std::fs::read_to_string(path).expect("read"), made);
    }

    #[test]
    fn a_page_is_found_by_its_own_listener_alone() {
        for route in &ROUTES {
            let found = |listener, method, path| find(listener, method, path).map(|found| found.page);
            assert_eq!(found(route.listener, route.method, route.path), Ok(route.page));
            assert_eq!(found(route.listener, "PUT", route.path), Err(Missing::Method));
            let other = if route.listener == Listener::Operator { Listener::Committee } else { Listener::Operator };
            assert_eq!(found(other, route.method, route.path), Err(Missing::Path));
            assert_eq!(found(route.listener, route.method, "/"), Err(Missing::Path));
        }
    }
}
