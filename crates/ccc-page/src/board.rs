//! What is public, in one place: kept, told to the hub, handed out.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use ccc_node::timeline::Span;
use serde_json::json;

use crate::{
    clock,
    hub::Hub,
    model::{Bytes, Found, Mode, Phase, Report, Run, Status, Transaction},
};

/// Runs that are kept.
const MOST_RUNS: usize = 20;
/// Reports that are kept.
const MOST_REPORTS: usize = 32;
/// Transactions that are kept.
const MOST_TRANSACTIONS: usize = 256;
/// Bytes of files that are kept.
const MOST_FILE_BYTES: usize = 64 << 20;

struct State {
    status: Status,
    runs: VecDeque<Run>,
    reports: VecDeque<Report>,
    transactions: VecDeque<Arc<Bytes>>,
    files: BTreeMap<String, Arc<[u8]>>,
}

/// What is public.
pub struct Board {
    hub: Arc<Hub>,
    state: RwLock<State>,
    changed: tokio::sync::watch::Sender<Status>,
}

/// What the chain shows at the end of a run, or of a look at it.
#[derive(Default)]
pub struct Seen {
    /// Newest last.
    pub reports: Vec<Report>,
    /// Newest last.
    pub transactions: Vec<Bytes>,
    /// By name.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Board {
    /// Knowing nothing.
    #[must_use]
    pub fn new(hub: Arc<Hub>, mode: Mode) -> Arc<Self> {
        let status = Status::unknown(mode);
        let state = State {
            status: status.clone(),
            runs: VecDeque::new(),
            reports: VecDeque::new(),
            transactions: VecDeque::new(),
            files: BTreeMap::new(),
        };
        let changed = tokio::sync::watch::Sender::new(status);
        Arc::new(Self { hub, state: RwLock::new(state), changed })
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The status now.
    #[must_use]
    pub fn status(&self) -> Status {
        self.read().status.clone().at(clock::now())
    }

    /// Who is told of each change of the status.
    #[must_use]
    pub fn changes(&self) -> tokio::sync::watch::Receiver<Status> {
        self.changed.subscribe()
    }

    /// Changes the status, and says so where it is another one.
    pub fn set_status(&self, change: impl FnOnce(&mut Status)) {
        // told before the next one can change it: the last that was told is the one that is
        let mut state = self.write();
        let before = state.status.clone();
        change(&mut state.status);
        state.status = state.status.clone().at(clock::now());
        let after = state.status.clone();
        let quiet = |status: &Status| Status { read_at: None, ..status.clone() };
        if quiet(&before) != quiet(&after) {
            self.hub.publish("status", &after);
            self.changed.send_replace(after);
        }
    }

    /// The runs, newest last.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        self.read().runs.iter().cloned().collect()
    }

    /// The reports, newest first.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.read().reports.iter().rev().cloned().collect()
    }

    /// The transactions, newest first.
    #[must_use]
    pub fn transactions(&self) -> Vec<Transaction> {
        self.read().transactions.iter().rev().map(|bytes| bytes.short.clone()).collect()
    }

    /// A transaction by its hash.
    #[must_use]
    pub fn transaction(&self, hash: &str) -> Option<Arc<Bytes>> {
        let is_it = |bytes: &&Arc<Bytes>| bytes.short.hash.to_string() == hash;
        self.read().transactions.iter().find(is_it).cloned()
    }

    /// A public file.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<Arc<[u8]>> {
        self.read().files.get(name).cloned()
    }

    /// Names of the public files.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        self.read().files.keys().cloned().collect()
    }

    /// A run begins.
    pub fn begin(&self, number: u64, scenario: Option<&'static str>) {
        let run = Run {
            number,
            scenario,
            phase: Phase::Running,
            began: clock::now(),
            step: None,
            spans: Vec::new(),
            outcome: None,
            private: Vec::new(),
            public_bytes: None,
        };
        // who reads the list after this event finds the run in it
        let mut state = self.write();
        state.runs.push_back(run.clone());
        while state.runs.len() > MOST_RUNS {
            state.runs.pop_front();
        }
        self.hub.publish("run", &run);
    }

    fn change_run(&self, number: u64, change: impl FnOnce(&mut Run)) -> Option<Run> {
        let mut state = self.write();
        let run = state.runs.iter_mut().find(|run| run.number == number)?;
        change(run);
        Some(run.clone())
    }

    /// A step begins.
    pub fn step(&self, number: u64, name: &'static str) {
        self.change_run(number, |run| run.step = Some(name));
        self.hub.publish("step", &json!({ "run": number, "step": name }));
    }

    /// A step ended.
    pub fn span(&self, number: u64, span: &Span) {
        let run = self.change_run(number, |run| {
            run.step = None;
            run.spans.push(span.clone());
        });
        let place = run.map(|run| run.spans.len() - 1);
        self.hub.publish("span", &json!({ "run": number, "place": place, "span": span }));
    }

    /// A run ended.
    pub fn end(&self, number: u64, phase: Phase, outcome: Option<&'static str>, private: (Vec<Found>, Option<u64>)) {
        let run = self.change_run(number, |run| {
            (run.phase, run.step, run.outcome) = (phase, None, outcome);
            (run.private, run.public_bytes) = private;
        });
        if let Some(run) = run {
            self.hub.publish("run", &run);
        }
    }

    /// A run is over, however it ended: one that says nothing of its end has failed. Whether it was such a one.
    pub fn settle(&self, number: u64) -> bool {
        let silent = self.read().runs.iter().any(|run| run.number == number && run.phase == Phase::Running);
        if silent {
            self.end(number, Phase::Failed, None, (Vec::new(), None));
        }
        silent
    }

    /// The desk has something new. That is all that is said of it in public: when a run ended is known anyway.
    pub fn stir(&self) {
        self.hub.publish("desk", &json!({}));
    }

    /// What the chain showed.
    pub fn show(&self, seen: Seen) {
        let counts = {
            let mut state = self.write();
            // a transaction that came into another block is the same one
            let again = |shown: &Report| seen.reports.iter().any(|one| one.file == shown.file);
            state.reports.retain(|shown| !again(shown));
            let again = |shown: &Arc<Bytes>| seen.transactions.iter().any(|one| one.short.hash == shown.short.hash);
            state.transactions.retain(|shown| !again(shown));
            state.reports.extend(seen.reports);
            while state.reports.len() > MOST_REPORTS {
                // its file goes with it, so that there is room for the next one's
                let Some(gone) = state.reports.pop_front() else { break };
                state.files.remove(&gone.file);
            }
            state.transactions.extend(seen.transactions.into_iter().map(Arc::new));
            while state.transactions.len() > MOST_TRANSACTIONS {
                state.transactions.pop_front();
            }
            keep_files(&mut state.files, seen.files);
            json!({ "reports": state.reports.len(), "transactions": state.transactions.len() })
        };
        self.hub.publish("chain", &counts);
    }

    /// Forgets what a former run's chain showed: the next one has a chain of its own.
    pub fn forget(&self) {
        let mut state = self.write();
        state.reports.clear();
        state.transactions.clear();
        state.files.clear();
    }
}

fn keep_files(files: &mut BTreeMap<String, Arc<[u8]>>, added: Vec<(String, Vec<u8>)>) {
    let mut total: usize = files.values().map(|bytes| bytes.len()).sum();
    for (name, bytes) in added {
        let before = files.get(&name).map_or(0, |bytes| bytes.len());
        if total - before + bytes.len() <= MOST_FILE_BYTES {
            total = total - before + bytes.len();
            files.insert(name, bytes.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_whose_time_is_over_counts_no_more() {
        let status = Status { last: "solvent", until: Some(100), ..Status::unknown(Mode::Chain) };
        let fresh = status.clone().at(100);
        assert_eq!((fresh.verdict, fresh.stale), ("solvent", false));
        let stale = status.at(101);
        assert_eq!((stale.verdict, stale.last, stale.stale), ("unknown", "solvent", true));
    }

    #[tokio::test]
    async fn a_status_is_told_when_it_changes_and_not_when_it_was_read_again() {
        let hub = Hub::new("a".into());
        let board = Board::new(Arc::clone(&hub), Mode::Chain);
        board.set_status(|status| status.last = "insolvent");
        board.set_status(|status| status.read_at = Some(7));
        board.set_status(|status| status.last = "solvent");
        let mut viewer = hub.view(Some("a-0"));
        for verdict in ["insolvent", "solvent"] {
            let Some(crate::hub::Next::Event(event)) = viewer.next().await else { panic!("an event") };
            assert!(event.kind == "status" && event.data.contains(&format!("\"verdict\":\"{verdict}\"")));
        }
        assert_eq!(board.status().read_at, Some(7));
    }

    #[tokio::test]
    async fn an_answer_that_gets_too_old_is_told_of_itself() {
        let board = Board::new(Hub::new("a".into()), Mode::Chain);
        let soon = clock::now();
        board.set_status(|status| (status.last, status.until) = ("solvent", Some(soon)));
        let mut changes = board.changes();
        while clock::now() <= soon {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        board.set_status(|_| {});
        assert!(changes.has_changed().is_ok_and(|changed| changed));
        let status = changes.borrow_and_update().clone();
        assert_eq!((status.verdict, status.stale), ("unknown", true));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let board = Board::new(Hub::new("a".into()), Mode::Simulation);
        (0..100).for_each(|number| board.begin(number, None));
        assert_eq!(board.runs().len(), MOST_RUNS);
        assert_eq!(board.runs().last().map(|run| run.number), Some(99));
        let large = |name: &str| (name.to_owned(), vec![0; MOST_FILE_BYTES / 2 + 1]);
        board.show(Seen { files: vec![large("a"), large("b")], ..Seen::default() });
        assert_eq!(board.files(), ["a"]);
    }
}
