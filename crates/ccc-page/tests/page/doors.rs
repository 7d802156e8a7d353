//! Who gets in where, and what is refused.

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use ccc_page::{
    answer::POLICY,
    limits::Limits,
    page::MOST_BODY,
    routes::ROUTES,
    server::{ServeError, Server},
};

use super::caller::{Answer, Viewer, get, get_with, page, page_within, raw, send, served, signed_in};

fn refusal(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["refused"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn nothing_of_the_operators_is_told_without_a_session() {
    let (server, _, host) = served(page()).await;
    for route in ROUTES.iter().filter(|route| route.signed_in) {
        for cookie in ["", "cookie: ccc_desk=\r\n", "cookie: ccc_desk=00\r\n"] {
            let answer = send(&host, route.method, route.path, cookie, "{}").await;
            assert_eq!(answer.status, 401, "{} {}: {}", route.method, route.path, answer.text());
        }
    }
    let cookie = signed_in(&host).await;
    assert_eq!(get_with(&host, "/v1/operator/desk", &cookie).await.status, 200);
    assert_eq!(send(&host, "DELETE", "/v1/operator/session", &cookie, "").await.status, 200);
    assert_eq!(get_with(&host, "/v1/operator/desk", &cookie).await.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn a_page_without_a_token_has_no_desk() {
    let mut page = page();
    page.sessions = None;
    let (server, _, host) = served(page).await;
    assert_eq!(get(&host, "/v1/operator/desk").await.status, 404);
    assert_eq!(send(&host, "POST", "/v1/operator/session", "", r#"{"token":""}"#).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn another_sites_request_is_refused_with_a_good_cookie_too() {
    let (server, page, host) = served(page()).await;
    let cookie = signed_in(&host).await;
    let foreign = [
        "origin: http://elsewhere.example\r\n".to_owned(),
        "origin: null\r\n".to_owned(),
        "sec-fetch-site: cross-site\r\n".to_owned(),
        "sec-fetch-site: same-site\r\n".to_owned(),
        format!("origin: http://{host}.elsewhere.example\r\n"),
    ];
    for field in foreign {
        let answer = send(&host, "POST", "/v1/operator/halt", &format!("{cookie}{field}"), r#"{"halted":true}"#).await;
        assert_eq!(refusal(&answer), (403, "the request comes from another site".to_owned()), "{field}");
    }
    let form = format!("{cookie}content-type: text/plain\r\n");
    assert_eq!(send(&host, "POST", "/v1/operator/halt", &form, r#"{"halted":true}"#).await.status, 415);
    let simulation = page.simulation.as_ref().expect("a simulation");
    assert!(!simulation.halted());
    let own = format!("{cookie}origin: http://{host}\r\nsec-fetch-site: same-origin\r\n");
    assert_eq!(send(&host, "POST", "/v1/operator/halt", &own, r#"{"halted":true}"#).await.status, 200);
    assert!(simulation.halted());
    server.stop().await;
}

#[tokio::test]
async fn a_rebound_name_is_refused() {
    let mut page = page();
    page.names = vec!["reserve.example".to_owned()];
    let (server, _, host) = served(page).await;
    for (name, status) in [
        ("elsewhere.example", 421),
        ("127.0.0.1.elsewhere.example", 421),
        ("", 421),
        ("localhost:1", 200),
        ("[::1]:80", 200),
        ("reserve.example", 200),
    ] {
        let request = format!("GET /v1/status HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n");
        assert_eq!(raw(&host, request.as_bytes()).await.status, status, "{name}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_malformed_too_long_or_too_slow_is_refused() {
    let (server, _, host) =
        served(page_within(Limits { fields_time: Duration::from_millis(200), ..Limits::default() })).await;
    let cookie = signed_in(&host).await;
    let long = format!(r#"{{"scenario":"{}"}}"#, "x".repeat(MOST_BODY));
    for (body, status) in [
        (long.as_str(), 413),
        ("", 400),
        ("{", 400),
        (r#"{"scenario":1}"#, 400),
        (r#"{"scenario":"large-deficit","recipient":"0x00"}"#, 400),
        (r#"{"scenario":"../../etc"}"#, 422),
        (
            r#"{"scenario":"large-deficit","figures":{"liabilities_bitcoin":1,"covered_basis_points":1,"recover_to_basis_points":10000,"cover_basis_points":100}}"#,
            422,
        ),
    ] {
        let answer = send(&host, "POST", "/v1/operator/runs", &cookie, body).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(!answer.json()["refused"].as_str().unwrap_or_default().is_empty());
    }
    for (path, status) in
        [("/v1/files/..%2fdesk", 404), ("/v1/files/none", 404), ("/assets/x", 404), ("/v2/status", 404)]
    {
        assert_eq!(get(&host, path).await.status, status, "{path}");
    }
    assert_eq!(send(&host, "PUT", "/v1/status", "", "").await.status, 405);
    assert_eq!(
        raw(&host, &[b"GET / HTTP/1.1\r\nx: ".as_slice(), &[b'a'; 40_000], b"\r\n\r\n"].concat()).await.status,
        431
    );
    // fields that never end: the connection does
    let begun = std::time::Instant::now();
    assert_eq!(raw(&host, b"GET /v1/status HTTP/1.1\r\nhost: ").await.body, b"");
    assert!(begun.elapsed() < Duration::from_secs(5));
    server.stop().await;
}

#[tokio::test]
async fn a_wrong_token_is_not_repeated_and_not_guessed() {
    let (server, _, host) = served(page()).await;
    let secretive = send(&host, "POST", "/v1/operator/session", "", r#"{"token":"a-guess-of-mine","x":1}"#).await;
    assert!(secretive.status == 400 && !secretive.text().contains("guess"), "{}", secretive.text());
    let answer = send(&host, "POST", "/v1/operator/session", "", r#"{"token":"x"}"#).await;
    assert_eq!(refusal(&answer), (401, "another token is wanted".to_owned()));
    server.stop().await;
}

#[tokio::test]
async fn strangers_use_up_their_own_budget_and_the_operator_stops_everything() {
    let (server, page, host) = served(page_within(Limits { rate: 1, burst: 5, ..Limits::default() })).await;
    let before = signed_in(&host).await;
    for _ in 0..20 {
        send(&host, "POST", "/v1/operator/session", "", r#"{"token":"x"}"#).await;
        get(&host, "/v1/status").await;
    }
    let wrong = send(&host, "POST", "/v1/operator/session", "", r#"{"token":"x"}"#).await;
    assert_eq!((wrong.status, wrong.field("retry-after").is_some()), (429, true));
    assert_eq!(
        get_with(&host, "/v1/operator/desk", "cookie: ccc_desk=00\r\n").await.status,
        429,
        "a cookie of nobody's"
    );
    let after = signed_in(&host).await;
    let simulation = page.simulation.as_ref().expect("a simulation");
    for (cookie, halted) in [(before, true), (after, false)] {
        let body = format!(r#"{{"halted":{halted}}}"#);
        assert_eq!(send(&host, "POST", "/v1/operator/halt", &cookie, &body).await.status, 200);
        assert_eq!(simulation.halted(), halted);
    }
    assert_eq!(get(&host, "/healthz").await.status, 200, "it runs, whoever asks for what");
    server.stop().await;
}

#[tokio::test]
async fn an_address_that_asks_too_often_waits() {
    let (server, _, host) = served(page_within(Limits { rate: 1, burst: 3, ..Limits::default() })).await;
    let mut found = Vec::new();
    for _ in 0..5 {
        found.push(get(&host, "/v1/status").await.status);
    }
    assert_eq!(found, [200, 200, 200, 429, 429]);
    server.stop().await;
}

#[tokio::test]
async fn every_answer_is_secured_and_what_is_unchanged_is_not_sent_again() {
    let (server, _, host) = served(page()).await;
    for path in ["/", "/operator", "/assets/page.js", "/v1/status", "/v1/operator/desk", "/nothing"] {
        let answer = get(&host, path).await;
        assert_eq!(answer.field("content-security-policy"), Some(POLICY), "{path}");
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"), "{path}");
    }
    let first = get(&host, "/assets/page.js").await;
    let tag = first.field("etag").expect("a tag");
    let again = get_with(&host, "/assets/page.js", &format!("if-none-match: {tag}\r\n")).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let other = get_with(&host, "/assets/page.js", "if-none-match: \"0\"\r\n").await;
    assert_eq!((other.status, other.body == first.body), (200, true));
    let cookie = signed_in(&host).await;
    assert_eq!(get_with(&host, "/v1/operator/desk", &cookie).await.field("cache-control"), Some("no-store"));
    server.stop().await;
}

#[tokio::test]
async fn it_listens_on_loopback_alone_and_stops_with_viewers() {
    let refused = Server::serve(([0, 0, 0, 0], 0).into(), std::sync::Arc::new(page())).await;
    assert!(matches!(refused.err(), Some(ServeError::NotLoopback(_))));
    let (server, _, host) = served(page()).await;
    let mut viewer = Viewer::new(&host, None).await;
    assert!(viewer.until("event: anew").await);
    let begun = std::time::Instant::now();
    server.stop().await;
    assert!(!viewer.until("\u{0}never").await, "the stream has an end");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(tokio::net::TcpStream::connect(&host).await.is_err());
}

#[tokio::test]
async fn it_stops_where_there_is_no_room_for_one_more() {
    let limits = Limits { connections: 2, drain: Duration::from_millis(100), ..Limits::default() };
    let (server, _, host) = served(page_within(limits)).await;
    // callers who ask for much and read nothing: their answers never end
    let request = format!("GET /assets/uPlot.iife.min.js HTTP/1.1\r\nhost: {host}\r\n\r\n").repeat(400);
    let mut deaf = Vec::new();
    for _ in 0..4 {
        let mut stream = tokio::net::TcpStream::connect(&host).await.expect("connected");
        stream.write_all(request.as_bytes()).await.expect("sent");
        deaf.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(tokio::time::timeout(Duration::from_secs(2), server.stop()).await.is_ok(), "it waits for nobody's end");
}
