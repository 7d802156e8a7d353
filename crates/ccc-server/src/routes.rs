//! Every page that a node of each kind serves, in one table: the operator's listener looks into it, and the OpenAPI documents
//! are made of it.

use crate::{
    application::{Door, VAULT},
    attested::{ENVELOPE, PAYOUTS, RESERVE, ROUND, SIGN, TABLE},
    config::Kind,
};
use serde_json::{Map, Value, json};

/// Who reaches a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// Known peers, over TLS.
    Peers,
    /// The operator, on a loopback address.
    Operator,
}

/// What a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// A door of the kind.
    Door,
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

/// What every door may say instead of an answer.
const REFUSES: [(u16, &str); 7] = [
    (400, "malformed, broken-off, small-frames"),
    (405, "method"),
    (408, "slow"),
    (413, "too-large"),
    (415, "content-type"),
    (429, "busy, with retry-after"),
    (503, "not-ready"),
];
/// Of a door that not everybody known may use, or that has nothing: both are one answer.
const REFUSED: [(u16, &str); 8] = [
    REFUSES[0],
    (403, "refused: not for this peer, not there, or not now"),
    REFUSES[1],
    REFUSES[2],
    REFUSES[3],
    REFUSES[4],
    REFUSES[5],
    REFUSES[6],
];

const fn door(door: Door, name: &'static str, summary: &'static str, refuses: &'static [(u16, &'static str)]) -> Route {
    let Door { path, asks, replies } = door;
    let (page, listener) = (Page::Door, Listener::Peers);
    Route { page, listener, method: "POST", path, name, summary, takes: Some(asks), gives: replies, refuses }
}

const fn operator(
    page: Page,
    path: &'static str,
    name: &'static str,
    summary: &'static str,
    refuses: &'static [(u16, &'static str)],
) -> Route {
    Route { page, listener: Listener::Operator, method: "GET", path, name, summary, takes: None, gives: TEXT, refuses }
}

const VAULT_DOORS: [Route; 1] =
    [door(VAULT[0], "reencrypt", "Re-encrypts to attested enclaves: 1 to 64 asks, as many replies", &REFUSES)];

const ENCLAVE_DOORS: [Route; 5] = [
    door(RESERVE, "reserve", "Runs the reserve check with a sequence at a block; workflow nodes alone", &REFUSED),
    door(ROUND, "round", "Runs the round that comes next at a block; workflow nodes alone", &REFUSED),
    door(PAYOUTS, "payouts", "The round with payouts that this host made, or nothing; workflow nodes alone", &REFUSED),
    door(TABLE, "table", "A version of the table, sealed", &REFUSED),
    door(ENVELOPE, "envelope", "The agent's envelope of one of the newest checks", &REFUSED),
];

const WORKFLOW_DOORS: [Route; 1] =
    [door(SIGN, "sign", "Judges an attested result, and signs its report or says why not", &REFUSES)];

/// The operator's pages, which every kind has.
const OPERATOR: [Route; 3] = [
    operator(Page::Health, "/healthz", "healthz", "Whether the process runs", &[(405, "method")]),
    operator(
        Page::Ready,
        "/readyz",
        "readyz",
        "Whether the node would answer, and the reason where it would not",
        &[(405, "method"), (503, "the reason")],
    ),
    operator(Page::Meters, "/metrics", "metrics", "Meters in the text form of Prometheus", &[(405, "method")]),
];

/// The doors of a kind.
#[must_use]
pub fn doors(kind: Kind) -> &'static [Route] {
    match kind {
        Kind::Vault => &VAULT_DOORS,
        Kind::Enclave => &ENCLAVE_DOORS,
        Kind::Workflow => &WORKFLOW_DOORS,
    }
}

/// The operator's page under a path for a method.
///
/// # Errors
/// [`Missing`].
pub fn find(method: &str, path: &str) -> Result<&'static Route, Missing> {
    let of_path = || OPERATOR.iter().filter(|route| route.path == path);
    let found = of_path().find(|route| route.method == method);
    found.ok_or(if of_path().next().is_some() { Missing::Method } else { Missing::Path })
}

/// The pages of a kind as an `OpenAPI` 3.1 document. Bodies are bytes: their layout is in `docs/spec/node.md` and
/// `docs/spec/services.md`.
#[must_use]
pub fn openapi(kind: Kind) -> Value {
    let mut paths = Map::new();
    for route in doors(kind).iter().chain(&OPERATOR) {
        let methods = paths.entry(route.path).or_insert_with(|| json!({}));
        methods[route.method.to_lowercase()] = operation(route);
    }
    let layouts = if kind == Kind::Vault { "docs/spec/node.md" } else { "docs/spec/services.md" };
    let description = format!(
        "Pages tagged peers are served over TLS 1.3 to known raw public keys, pages tagged operator on a loopback address. \
         Layouts: {layouts}."
    );
    let mut document = json!({
        "openapi": "3.1.0",
        "info": { "title": format!("ccc node {}", kind.word()), "version": "1", "description": description },
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
    let tag = if route.listener == Listener::Peers { "peers" } else { "operator" };
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

    /// As `ccc node openapi --kind` prints them.
    #[test]
    fn the_documents_are_those_that_are_committed() {
        for kind in Kind::ALL {
            let made = serde_json::to_string_pretty(&openapi(kind)).expect("JSON") + "\n";
            let name = if kind == Kind::Vault { "node" } else { kind.word() };
            let path = format!("{}/../../docs/spec/{name}.openapi.json", env!("CARGO_MANIFEST_DIR"));
            if std::env::var_os("CCC_WRITE_SNAPSHOTS").is_some() {
                std::fs::write(&path, &made).expect("written");
            }
            assert_eq!(std::fs::read_to_string(path).expect("read"), made);
        }
    }

    #[test]
    fn a_page_is_found_by_its_own_method_alone_and_no_door_is_one() {
        for route in &OPERATOR {
            assert_eq!(find(route.method, route.path).map(|found| found.page), Ok(route.page));
            assert_eq!(find("PUT", route.path).map(|found| found.page), Err(Missing::Method));
        }
        for path in Kind::ALL.into_iter().flat_map(doors).map(|route| route.path).chain(["/"]) {
            assert_eq!(find("POST", path).map(|found| found.page), Err(Missing::Path));
            assert_eq!(find("GET", path).map(|found| found.page), Err(Missing::Path));
        }
    }

    /// What a document has is what stands behind the doors of its kind.
    #[test]
    fn every_door_of_a_kind_has_its_page() {
        let behind = |kind| match kind {
            Kind::Vault => VAULT.to_vec(),
            Kind::Enclave => crate::enclave::DOORS.to_vec(),
            Kind::Workflow => crate::workflow::DOORS.to_vec(),
        };
        for kind in Kind::ALL {
            let pages = doors(kind).iter().map(|route| Door {
                path: route.path,
                asks: route.takes.expect("a body"),
                replies: route.gives,
            });
            assert_eq!(pages.collect::<Vec<_>>(), behind(kind), "{}", kind.word());
        }
    }
}
