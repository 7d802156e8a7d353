//! A thousand viewers on one core, and one that was away.

use std::time::{Duration, Instant};

use ccc_page::limits::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::caller::{Viewer, page_within, served};

const VIEWERS: usize = 1_000;
const EVENTS: u32 = 100;

/// Both ends of every connection are in this process.
fn allow_connections() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = Some(4 * VIEWERS as u64);
    if current < wanted {
        setrlimit(Resource::Nofile, Rlimit { current: wanted, maximum }).expect("room for the connections");
    }
}

#[tokio::test]
async fn a_thousand_viewers_miss_nothing() {
    allow_connections();
    let (server, page, host) = served(page_within(Limits::default())).await;
    let mut viewers = Vec::new();
    for _ in 0..VIEWERS {
        viewers.push(Viewer::new(&host, Some("a1-0")).await);
    }
    let began = Instant::now();
    let hub = std::sync::Arc::clone(&page.hub);
    let watching: Vec<_> = viewers
        .into_iter()
        .map(|mut viewer| {
            tokio::spawn(async move {
                assert!(viewer.until(&format!("id: a1-{EVENTS}\n")).await);
                viewer.ids()
            })
        })
        .collect();
    for number in 1..=EVENTS {
        hub.publish("number", &number);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let expected: Vec<String> = (1..=EVENTS).map(|number| format!("a1-{number}")).collect();
    for viewer in watching {
        assert_eq!(viewer.await.expect("a viewer"), expected);
    }
    println!("{VIEWERS} viewers, {EVENTS} events each: {:?}", began.elapsed());
    server.stop().await;
}

#[tokio::test]
async fn who_was_away_goes_on_where_it_was() {
    let (server, page, host) = served(super::caller::page()).await;
    (1..=3).for_each(|number| page.hub.publish("number", &number));
    let mut first = Viewer::new(&host, None).await;
    assert!(first.until("id: a1-3").await);
    assert!(first.text().contains("event: anew"), "who comes first reads everything");
    drop(first);
    (4..=6).for_each(|number| page.hub.publish("number", &number));
    let mut again = Viewer::new(&host, Some("a1-3")).await;
    assert!(again.until("id: a1-6").await);
    assert_eq!(again.ids(), ["a1-4", "a1-5", "a1-6"]);
    let mut foreign = Viewer::new(&host, Some("b2-3")).await;
    assert!(foreign.until("event: anew").await, "another process's id");
    server.stop().await;
}

#[tokio::test]
async fn more_viewers_than_there_is_room_for_are_told_to_come_later() {
    let (server, _, host) = served(page_within(Limits { viewers: 1, ..Limits::default() })).await;
    let mut one = Viewer::new(&host, None).await;
    assert!(one.until("event: anew").await);
    let refused = super::caller::get(&host, "/v1/events").await;
    assert_eq!((refused.status, refused.field("retry-after")), (503, Some("10")));
    server.stop().await;
}
