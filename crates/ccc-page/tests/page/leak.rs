//! No public byte of HTTP has a secret number of a run: every address, every event, while recoveries run and after. One runs
//! by default, three with `CCC_PAGE_LEAKS=all`.

use std::{sync::Arc, time::Duration};

use ccc_node::leak::{Search, Secret};
use ccc_page::{
    assets::ASSETS,
    model::Phase,
    page::Page,
    simulation::{Ask, Figures},
};

use super::caller::{Viewer, get, get_with, page, send, served, signed_in};

/// A place and its bytes.
type Place = (String, Vec<u8>);

const LISTED: [&str; 8] = [
    "/v1/status",
    "/v1/runs",
    "/v1/reports",
    "/v1/transactions",
    "/v1/files",
    "/v1/feed",
    "/v1/openapi.json",
    "/healthz",
];

fn asks() -> Vec<Ask> {
    let figures = Figures {
        liabilities_bitcoin: 98_765,
        covered_basis_points: 9_990,
        recover_to_basis_points: 10_000,
        cover_basis_points: 22_000,
    };
    // the default one is of figures that the operator chose: nothing of them is public
    let mut asks = vec![Ask { scenario: "large-deficit".into(), figures: Some(figures) }];
    if std::env::var_os("CCC_PAGE_LEAKS").is_some_and(|wanted| wanted == "all") {
        asks.push(Ask { scenario: "insufficient-liquidity".into(), figures: None });
        asks.push(Ask { scenario: "large-deficit".into(), figures: None });
    }
    asks
}

async fn look(host: &str, places: &mut Vec<Place>) {
    for path in LISTED {
        places.push((path.to_owned(), get(host, path).await.all()));
    }
}

/// Each transaction and each file.
async fn look_closely(host: &str, places: &mut Vec<Place>) {
    let listed = get(host, "/v1/transactions").await.json();
    for sent in listed["transactions"].as_array().into_iter().flatten() {
        let path = format!("/v1/transactions/{}", sent["hash"].as_str().unwrap_or_default());
        let answer = get(host, &path).await;
        assert_eq!(answer.status, 200);
        places.push((path, answer.all()));
    }
    let files = get(host, "/v1/files").await.json();
    for name in files["files"].as_array().into_iter().flatten().filter_map(|name| name.as_str()) {
        let answer = get(host, &format!("/v1/files/{name}")).await;
        assert_eq!(answer.status, 200, "{name}");
        places.push((name.to_owned(), answer.all()));
    }
}

async fn run(page: &Arc<Page>, host: &str, ask: &Ask, places: &mut Vec<Place>) -> Vec<Secret> {
    let simulation = page.simulation.as_ref().expect("a simulation");
    simulation.start(ask).expect("started");
    while simulation.running() {
        look(host, places).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(page.board.runs().last().map(|run| run.phase), Some(Phase::Done), "{:?}", page.desk.view().lines);
    look(host, places).await;
    look_closely(host, places).await;
    page.desk.secrets()
}

fn found(places: &[Place], secrets: &[Secret]) -> Vec<(String, &'static str)> {
    let search = Search::new(secrets);
    let hits = places.iter().flat_map(|(place, bytes)| search.place(place, bytes));
    hits.map(|hit| (hit.place, hit.secret)).collect()
}

#[tokio::test]
async fn no_public_byte_has_a_secret_of_a_recovery() {
    let (server, page, host) = served(page()).await;
    let mut viewer = Viewer::new(&host, Some("a1-0")).await;
    let (mut places, mut secrets) = (Vec::new(), Vec::new());
    let asks = asks();
    for ask in &asks {
        secrets.extend(run(&page, &host, ask, &mut places).await);
    }
    viewer.for_a_while(Duration::from_millis(300)).await;
    assert!(viewer.text().matches("event: span").count() > 10 * asks.len(), "the stream told of every step");
    places.push(("/v1/events".to_owned(), viewer.bytes));
    for path in ["/", "/operator", "/v1/operator/desk", "/v1/operator/journal"] {
        places.push((path.to_owned(), get(&host, path).await.all()));
    }
    for (name, ..) in ASSETS {
        places.push((name.to_owned(), get(&host, &format!("/assets/{name}")).await.all()));
    }
    let sign_in = send(&host, "POST", "/v1/operator/session", "", r#"{"token":"x"}"#).await;
    places.push(("a refusal".to_owned(), sign_in.all()));
    assert!(
        secrets.len() > 20 * asks.len() && places.len() > 30 * asks.len(),
        "{} secrets, {} places",
        secrets.len(),
        places.len()
    );
    assert_eq!(found(&places, &secrets), [], "in {} places", places.len());

    // the search finds what is there: the desk has the last run's figures, and a planted one is seen
    let cookie = signed_in(&host).await;
    let desk = get_with(&host, "/v1/operator/desk", &cookie).await;
    let kinds: Vec<&str> = found(&[("desk".to_owned(), desk.body)], &secrets).iter().map(|(_, kind)| *kind).collect();
    for kind in ["the order's size", "the agent's deficit", "a fill", "the custodian's reserves"] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
    let view = page.desk.view();
    let size = view.numbers.iter().find(|number| number.name == "the order's size").expect("a size");
    page.hub.publish("span", &size.value);
    let mut late = Viewer::new(&host, Some("a1-1")).await;
    late.for_a_while(Duration::from_millis(200)).await;
    let planted = found(&[("/v1/events".to_owned(), late.bytes)], &secrets);
    assert!(planted.contains(&("/v1/events".to_owned(), "the order's size")), "{planted:?}");
    server.stop().await;
}
