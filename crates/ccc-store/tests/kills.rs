//! Writers killed at any moment, over every store. Alone in this process: a lock would survive in a fork until the
//! fork's exec.
//!
//! `CCC_CRASH_ROUNDS` is the number of kills per store; `CCC_CRASH_SECONDS`, where it is set, ends each store's rounds
//! after its share of so many seconds. One line per store says what came out.

mod common;

use ccc_core::table::{HEADER_LEN, Header, SealedTable, TableStore, Tier, body_len, sidecar_len};
use ccc_store::{Confirmation, DirectoryStore, Keep, collect};
use common::{ID, Versions};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
    num::NonZeroU32,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

const CHILD: &str = "CCC_STORE_CHILD";
/// Versions that a store takes before a new one begins.
const VERSIONS: usize = 40;
/// Every so many versions the past is collected.
const COLLECTED_EVERY: usize = 4;
/// Every so many rounds a writer begins in an empty directory and is killed at any moment from its start. A multiple of
/// three, which is how often that moment comes.
const NEW_EVERY: u64 = 12;
const ANCESTORS: u32 = 2;

/// The stores that are killed.
const STORES: &[&str] = &[
    "directory",
    #[cfg(feature = "redb")]
    "journal",
    #[cfg(feature = "object-store-local")]
    "bucket",
];

fn open(store: &str, path: &Path) -> Box<dyn TableStore> {
    match store {
        #[cfg(feature = "redb")]
        "journal" => Box::new(ccc_store::JournalStore::open(path.join("journal")).expect("opens")),
        #[cfg(feature = "object-store-local")]
        "bucket" => {
            let objects = object_store::local::LocalFileSystem::new_with_prefix(path).expect("a directory");
            let objects = std::sync::Arc::new(objects.with_fsync(true));
            Box::new(ccc_store::BucketStore::open(objects, "").expect("opens"))
        }
        _ => Box::new(DirectoryStore::open(path).expect("opens")),
    }
}

/// One history of sealed versions in a file, so that writers need not seal.
struct History(PathBuf);

impl History {
    fn parts() -> [usize; 3] {
        [HEADER_LEN, body_len(Tier::SMALLEST), sidecar_len(Tier::SMALLEST)]
    }

    fn write(path: PathBuf) -> Self {
        let bytes: Vec<u8> = Versions::new(1)
            .take(VERSIONS)
            .flat_map(|SealedTable { header, body, sidecar }| [&header.to_bytes()[..], &body, &sidecar].concat())
            .collect();
        fs::write(&path, bytes).expect("written");
        Self(path)
    }

    fn read(&self, index: usize) -> SealedTable {
        let parts = Self::parts();
        let mut file = File::open(&self.0).expect("opened");
        file.seek(SeekFrom::Start((index * parts.iter().sum::<usize>()) as u64)).expect("there");
        let [header, body, sidecar] = parts.map(|len| {
            let mut bytes = vec![0; len];
            file.read_exact(&mut bytes).expect("there");
            bytes
        });
        SealedTable { header: Header::from_bytes(&header).expect("a header"), body, sidecar }
    }
}

/// The next version to write, from the store's own hint.
fn next_index(store: &dyn TableStore) -> usize {
    let hint = store.head_hint(&ID).expect("read");
    // version 1 has index 0, so the version is the next index
    hint.map_or(0, |hint| {
        usize::try_from(store.header(&hint).expect("the hint names a version").version()).expect("small")
    })
}

/// Not a test of its own: the process that [`n156a_killed_writers_lose_nothing_acknowledged`] kills.
#[test]
fn child_writer() {
    let Ok(child) = std::env::var(CHILD) else { return };
    let [name, path, history] = child.split('#').collect::<Vec<_>>().try_into().expect("store, path, history");
    let (store, history) = (open(name, Path::new(path)), History(PathBuf::from(history)));
    for index in next_index(&*store)..VERSIONS {
        let table = history.read(index);
        store.put(&table).expect("kept");
        store.set_head_hint(&ID, &table.header.hash()).expect("kept");
        println!("acknowledged {index};");
        if index % COLLECTED_EVERY == COLLECTED_EVERY - 1 {
            let keep = Keep { ancestors: NonZeroU32::new(ANCESTORS).expect("not zero") };
            let collection = collect(&*store, &ID, table.header.head(), keep).expect("planned");
            let confirmation = Confirmation { head: table.header.head(), removals: collection.removals().len() };
            collection.carry_out(confirmation).expect("carried out");
        }
    }
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
        .args(["child_writer", "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, format!("{store}#{}#{}", path.display(), history.0.display()))
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let first = (round % 3 != 2).then(|| lines.by_ref().find_map(|line| acknowledged(&line))).flatten();
    std::thread::sleep(Duration::from_micros(1 + 7_919 * round % 30_000));
    child.kill().expect("killed");
    let status = child.wait().expect("ended");
    assert!(ended_as_meant(status), "{store}, round {round}: the writer stopped with {status}");
    first.into_iter().chain(lines.filter_map(|line| acknowledged(&line))).collect()
}

#[derive(Default)]
struct Summary {
    rounds: u64,
    acknowledged: usize,
    lost: usize,
    unreadable: usize,
}

impl Summary {
    /// What must be there is there, what is listed is whole, and the hint is the last acknowledged version or the one
    /// after. Returns the next index.
    fn check(&mut self, store: &str, path: &Path, history: &History, last: Option<usize>) -> usize {
        let store = open(store, path);
        let next = next_index(&*store);
        let behind = last.map_or(0, |last| last + 1);
        self.lost += usize::from(next != behind && next != behind + 1);
        // a collection begins after its head is the hint
        let collected = next / COLLECTED_EVERY * COLLECTED_EVERY;
        let first = collected.saturating_sub(1 + ANCESTORS as usize).min(behind);
        self.lost += (first..behind).filter(|index| store.get(&history.read(*index).header.hash()).is_err()).count();
        let listed = store.versions().expect("listed");
        self.unreadable += listed.iter().filter(|hash| store.get(hash).is_err()).count();
        next
    }
}

fn crash(store: &str, rounds: u64, ends: Option<Instant>, history: &History) -> Summary {
    let mut summary = Summary::default();
    let mut last = None;
    let mut dir = tempfile::tempdir().expect("directory");
    while summary.rounds < rounds && ends.is_none_or(|ends| Instant::now() < ends) {
        let written = killed_writer(store, dir.path(), history, summary.rounds);
        // two rounds in three wait for an acknowledgement before they kill, and a store with all versions is replaced
        assert!(summary.rounds % 3 == 2 || !written.is_empty(), "{store}, round {}: nothing written", summary.rounds);
        summary.rounds += 1;
        summary.acknowledged += written.len();
        last = written.last().copied().or(last);
        let next = summary.check(store, dir.path(), history, last);
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
    let rounds = number("CCC_CRASH_ROUNDS").unwrap_or(if seconds.is_some() { u64::MAX } else { 5 });
    let scratch = tempfile::tempdir().expect("directory");
    let history = History::write(scratch.path().join("history"));
    for store in STORES {
        let share = |seconds| Instant::now() + Duration::from_secs(seconds) / u32::try_from(STORES.len()).expect("few");
        let Summary { rounds, acknowledged, lost, unreadable } = crash(store, rounds, seconds.map(share), &history);
        println!("kills, {store}: rounds {rounds}, acknowledged {acknowledged}, lost {lost}, unreadable {unreadable}");
        assert!(rounds > 0 && acknowledged > 0, "{store}: nothing was written");
        assert_eq!((lost, unreadable), (0, 0), "{store}");
    }
}
