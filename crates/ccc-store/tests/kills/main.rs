//! Writers killed at any moment, over every store. Alone in this process: a lock would survive in a fork until the
//! fork's exec.
//!
//! `CCC_CRASH_ROUNDS` is the number of kills per store; `CCC_CRASH_SECONDS`, where it is set, ends each store's rounds
//! after its share of so many seconds; `CCC_CRASH_STORE` names the one store to try. One line per store says what came
//! out.

#[path = "../common/mod.rs"]
mod common;
mod history;
mod writer;

use history::{History, Twins};
use std::{
    fmt::{self, Display, Formatter},
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};
use writer::{ANCESTORS, CHILD, COLLECTED_EVERY, VERSIONS, Way, next_index, open};

/// Every so many rounds a writer begins in an empty directory and is killed at any moment from its start. An odd
/// multiple of three: every third round has that moment, and every three rounds the writers change their way.
const NEW_EVERY: u64 = 15;

/// The stores that are killed.
const STORES: &[&str] = &[
    "directory",
    #[cfg(feature = "redb")]
    "journal",
    #[cfg(feature = "object-store-local")]
    "bucket",
];

fn way_of(round: u64) -> Way {
    if (round / 3).is_multiple_of(2) { Way::Put } else { Way::Update }
}

fn acknowledged(line: &str) -> Option<usize> {
    // the test harness may print on the same line first; a line that was cut short has no semicolon
    line.rsplit_once("acknowledged ")?.1.strip_suffix(';')?.parse().ok()
}

/// Whether a writer was killed, or had written everything; one that stopped by itself says why on its standard error.
fn ended_as_meant(status: ExitStatus) -> bool {
    #[cfg(unix)]
    let killed = std::os::unix::process::ExitStatusExt::signal(&status).is_some();
    #[cfg(not(unix))]
    let killed = !status.success();
    killed || status.success()
}

/// Starts a writer, kills it, and returns the indices it acknowledged.
///
/// A panic in it, as where a store does not open after a kill, fails the test.
///
/// Two in three are killed while they write, the third at any moment from its start, which is when it opens the store
/// that another kill left.
fn killed_writer(store: &str, path: &Path, history: &History, round: u64) -> Vec<usize> {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["writer::child_writer", "--exact", "--nocapture", "--test-threads=1"])
        .env(
            CHILD,
            [store, way_of(round).name(), &path.display().to_string(), &history.path().display().to_string()].join("#"),
        )
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let first = (round % 3 != 2).then(|| lines.by_ref().find_map(|line| acknowledged(&line))).flatten();
    std::thread::sleep(Duration::from_micros(1 + 7_919 * round % way_of(round).longest_wait()));
    child.kill().expect("killed");
    let status = child.wait().expect("ended");
    assert!(ended_as_meant(status), "{store}, round {round}: the writer stopped with {status}");
    first.into_iter().chain(lines.filter_map(|line| acknowledged(&line))).collect()
}

#[derive(Default)]
struct Summary {
    rounds: u64,
    acknowledged: usize,
    /// Of the acknowledged versions those that are updates of the one before.
    updates: usize,
    lost: usize,
    unreadable: usize,
    /// Whole, and not what was written: other bytes, no opening under its key, or other balances than the plain ledger.
    wrong: usize,
}

impl Summary {
    /// What must be there is there, what is listed is whole and what was written, the hint is the last acknowledged
    /// version or the one after, and that version holds what the plain ledger holds. Returns the next index.
    fn check(&mut self, store: &str, path: &Path, twins: &Twins, last: Option<usize>) -> usize {
        let store = open(store, path);
        let next = next_index(&*store);
        let behind = last.map_or(0, |last| last + 1);
        self.lost += usize::from(next != behind && next != behind + 1);
        // a collection begins after its head is the hint
        let collected = next / COLLECTED_EVERY * COLLECTED_EVERY;
        let first = collected.saturating_sub(1 + ANCESTORS as usize).min(behind);
        self.lost += (first..behind).filter(|index| store.get(&twins.history.hash(*index)).is_err()).count();
        for hash in store.versions().expect("listed") {
            match store.get(&hash) {
                Ok(found) => self.wrong += usize::from(!twins.wrote(&found)),
                Err(_) => self.unreadable += 1,
            }
        }
        let current = next.checked_sub(1).map(|index| (index, store.get(&twins.history.hash(index))));
        let held = |(index, found)| matches!(found, Ok(found) if twins.holds(index, &found));
        self.wrong += usize::from(!current.is_none_or(held));
        next
    }

    /// One writer in a directory. Returns the next index.
    fn round(&mut self, store: &str, path: &Path, twins: &Twins, last: Option<usize>) -> usize {
        let round = self.rounds;
        let written = killed_writer(store, path, &twins.history, round);
        // two rounds in three wait for an acknowledgement before they kill, and a store with all versions is replaced
        assert!(round % 3 == 2 || !written.is_empty(), "{store}, round {round}: nothing written");
        self.rounds += 1;
        self.acknowledged += written.len();
        self.updates += if way_of(round) == Way::Update { written.len() } else { 0 };
        self.check(store, path, twins, written.last().copied().or(last))
    }
}

impl Display for Summary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { rounds, acknowledged, updates, lost, unreadable, wrong } = self;
        write!(f, "rounds {rounds}, acknowledged {acknowledged}, updates {updates}, ")?;
        write!(f, "lost {lost}, unreadable {unreadable}, wrong {wrong}")
    }
}

fn crash(store: &str, rounds: u64, ends: Option<Instant>, twins: &Twins) -> Summary {
    let mut summary = Summary::default();
    let mut last = None;
    let mut dir = tempfile::tempdir().expect("directory");
    while summary.rounds < rounds && ends.is_none_or(|ends| Instant::now() < ends) {
        let next = summary.round(store, dir.path(), twins, last);
        // what a kill left unacknowledged and whole counts from now on
        last = next.checked_sub(1);
        if next + 1 >= VERSIONS || summary.rounds % NEW_EVERY == 2 {
            (dir, last) = (tempfile::tempdir().expect("directory"), None);
        }
    }
    summary
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|number| number.parse().expect("a number"))
}

#[test]
fn n156a_killed_writers_lose_nothing_acknowledged() {
    let seconds = number("CCC_CRASH_SECONDS");
    let rounds = number("CCC_CRASH_ROUNDS").unwrap_or(if seconds.is_some() { u64::MAX } else { 6 });
    let scratch = tempfile::tempdir().expect("directory");
    let twins = Twins::make(scratch.path().join("history"), VERSIONS);
    let only = std::env::var("CCC_CRASH_STORE").ok();
    let stores: Vec<_> = STORES.iter().filter(|store| only.as_ref().is_none_or(|only| only == *store)).collect();
    assert!(!stores.is_empty(), "CCC_CRASH_STORE names none of {}", STORES.join(", "));
    for store in &stores {
        let share = |seconds| Instant::now() + Duration::from_secs(seconds) / u32::try_from(stores.len()).expect("few");
        let summary = crash(store, rounds, seconds.map(share), &twins);
        println!("kills, {store}: {summary}");
        assert!(summary.acknowledged > summary.updates && summary.updates > 0, "{store}: one way was not tried");
        assert_eq!([summary.lost, summary.unreadable, summary.wrong], [0; 3], "{store}");
    }
}
