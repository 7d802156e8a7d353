//! Writers killed at any moment. Alone in this process: a lock would survive in a fork until the fork's exec.

mod common;

use ccc_core::table::TableStore;
use ccc_store::DirectoryStore;
use common::{ID, Versions};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

const CHILD: &str = "CCC_STORE_CHILD";

/// Not a test of its own: the process that [`n156a_killed_writers_lose_nothing_acknowledged`] kills.
#[test]
fn child_writer() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let (dir, seed) = dir.rsplit_once('#').expect("directory and seed");
    let store = DirectoryStore::open(dir).expect("opens");
    for table in Versions::new(seed.parse().expect("seed")) {
        let hash = table.header.hash();
        store.put(&table).expect("kept");
        store.set_head_hint(&ID, &hash).expect("kept");
        println!("acknowledged {}", hex::encode(hash));
    }
}

fn acknowledged(line: &str) -> Option<[u8; 32]> {
    // the test harness may print on the same line first
    hex::decode(line.rsplit_once("acknowledged ")?.1.get(..64)?).ok()?.try_into().ok()
}

/// Starts a writer, kills it while it writes, and returns the hashes it acknowledged.
fn killed_writer(dir: &Path, round: u64) -> Vec<[u8; 32]> {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["child_writer", "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, format!("{}#{round}", dir.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let first = lines.by_ref().map_while(Result::ok).find_map(|line| acknowledged(&line)).expect("one write");
    std::thread::sleep(Duration::from_micros(1 + 7_919 * round % 40_000));
    child.kill().expect("killed");
    child.wait().expect("ended");
    // the last line may be cut short; a shorter hash is not one
    [first].into_iter().chain(lines.map_while(Result::ok).filter_map(|line| acknowledged(&line))).collect()
}

/// Kills after which a new directory begins: each looks at everything that was acknowledged in the directory so far.
const KILLS_PER_DIRECTORY: u64 = 50;

#[test]
fn n156a_killed_writers_lose_nothing_acknowledged() {
    let rounds: u64 = std::env::var("CCC_CRASH_ROUNDS").map_or(6, |rounds| rounds.parse().expect("a number of rounds"));
    assert!(rounds > 0, "no rounds");
    for start in (0..rounds).step_by(usize::try_from(KILLS_PER_DIRECTORY).expect("small")) {
        let dir = tempfile::tempdir().expect("directory");
        let mut all = vec![];
        for round in start..rounds.min(start + KILLS_PER_DIRECTORY) {
            let written = killed_writer(dir.path(), round);
            all.extend(&written);
            check(dir.path(), round, &all);
        }
    }
}

/// Every acknowledged version is there, every listed one is whole, and the hint is the last version or the one after.
fn check(dir: &Path, round: u64, all: &[[u8; 32]]) {
    let store = DirectoryStore::open(dir).expect("opens after a kill");
    for hash in all {
        assert!(store.get(hash).is_ok(), "round {round}: an acknowledged version is gone");
    }
    for hash in store.versions().expect("listed") {
        assert!(store.get(&hash).is_ok(), "round {round}: a listed version is incomplete");
    }
    let last = all.last().expect("one write");
    let hint = store.head_hint(&ID).expect("read").expect("kept");
    let (kept, acknowledged) = (store.get(&hint).expect("found"), store.get(last).expect("found"));
    let (hint, last) = (kept.header.version(), acknowledged.header.version());
    assert!(hint == last || hint == last + 1, "round {round}: hint {hint} after {last}");
}
