//! Recoveries in this process: one at a time, each on a chain of its own, watched as it goes.
//!
//! What runs is `ccc_node::recovery` with the agent of `ccc agent`, as in `ccc recover`; the market of a public swap is simulated.
//! Custodian, price feed, tokens and the enclave's hardware are
//! simulated.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ccc_agent::recovery::RecoveryAgent;
use ccc_chain::Deployment;
use ccc_node::{
    recovery::{self, RecoveryOptions, RecoveryReport, Route},
    scenario::{BUILT_IN, Scenario, ScenarioError},
    timeline::{Observer, Span},
};
use serde::Deserialize;
use tokio::sync::oneshot;

use crate::{
    board::{Board, Seen},
    clock, decision,
    desk::Desk,
    labels::Names,
    look,
    model::{Found, Mode, Phase, Status},
};

/// What the operator asks for.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// A built-in scenario.
    pub scenario: String,
    /// Other figures of the simulated custodian; the scenario's where there are none.
    #[serde(default)]
    pub figures: Option<Figures>,
}

/// The simulated custodian's figures.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Liabilities in whole coins.
    pub liabilities_bitcoin: u64,
    /// Reserves as a share of them, in 1/10,000.
    pub covered_basis_points: u32,
    /// What the recovery aims for, in 1/10,000.
    pub recover_to_basis_points: u32,
    /// What the makers' orders cover of what is missing, in 1/10,000.
    pub cover_basis_points: u32,
}

/// Why nothing runs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoRun {
    /// One at a time.
    #[error("run {number} goes on: wait for its end, or stop it")]
    Busy {
        /// Which.
        number: u64,
    },
    /// The operator stopped everything.
    #[error("everything is stopped: let it go on first")]
    Halted,
    /// The scenario or the figures.
    #[error("{0}")]
    Scenario(#[from] ScenarioError),
    /// The thread that it would run on.
    #[error("no thread for it: {0}")]
    Thread(#[from] std::io::Error),
}

/// Sizes of every run, where the scenario's are not wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sizes {
    /// Vault participants.
    pub participants: Option<u16>,
    /// Market makers.
    pub makers: Option<u32>,
}

#[derive(Default)]
struct Turn {
    last: u64,
    going: Option<oneshot::Sender<()>>,
    halted: bool,
}

/// Runs recoveries.
pub struct Simulation {
    board: Arc<Board>,
    desk: Arc<Desk>,
    sizes: Sizes,
    turn: Mutex<Turn>,
}

impl Simulation {
    /// One that has run nothing.
    #[must_use]
    pub fn new(board: Arc<Board>, desk: Arc<Desk>, sizes: Sizes) -> Arc<Self> {
        Arc::new(Self { board, desk, sizes, turn: Mutex::default() })
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether everything is stopped.
    #[must_use]
    pub fn halted(&self) -> bool {
        self.turn().halted
    }

    /// Whether a run goes on.
    #[must_use]
    pub fn running(&self) -> bool {
        self.turn().going.is_some()
    }

    /// Starts a run; its number.
    ///
    /// # Errors
    /// [`NoRun`].
    pub fn start(self: &Arc<Self>, ask: &Ask) -> Result<u64, NoRun> {
        let scenario = self.scenario(ask)?;
        // what the operator chose is the operator's: its name says what the figures are
        let name = BUILT_IN.iter().map(|(name, _)| *name).find(|name| *name == ask.scenario && ask.figures.is_none());
        let (stop, stopped) = oneshot::channel();
        let number = {
            let mut turn = self.turn();
            if turn.halted {
                return Err(NoRun::Halted);
            }
            if turn.going.is_some() {
                return Err(NoRun::Busy { number: turn.last });
            }
            turn.last += 1;
            turn.going = Some(stop);
            turn.last
        };
        let own = Arc::clone(self);
        let spawned = std::thread::Builder::new().name(format!("run {number}")).spawn(move || {
            // also where the run panics: the next one may begin
            let _turn = Over(&own, number);
            own.run(number, name, scenario, stopped);
        });
        if let Err(error) = spawned {
            self.turn().going = None;
            return Err(error.into());
        }
        self.desk.note(format!("run {number} began: {}", ask.scenario));
        Ok(number)
    }

    /// Stops the run that goes on, and lets none begin; or lets runs begin again.
    pub fn halt(&self, halted: bool) {
        let mut turn = self.turn();
        turn.halted = halted;
        if let Some(going) = turn.going.as_mut().filter(|_| halted) {
            // the run's end takes the place; telling it twice is no harm
            let (gone, _) = oneshot::channel();
            let _ = std::mem::replace(going, gone).send(());
        }
        self.desk.note(if halted { "everything is stopped" } else { "runs may begin again" }.to_owned());
    }

    fn scenario(&self, ask: &Ask) -> Result<Scenario, ScenarioError> {
        let mut scenario = Scenario::built_in(&ask.scenario)?;
        if let Some(participants) = self.sizes.participants {
            (scenario.participants, scenario.threshold) = (participants, None);
            scenario.faults.lying.retain(|faulty| *faulty <= participants);
            scenario.faults.silent.retain(|faulty| *faulty <= participants);
        }
        scenario.makers = self.sizes.makers.unwrap_or(scenario.makers);
        if let Some(figures) = ask.figures {
            scenario.reserve.liabilities_bitcoin = figures.liabilities_bitcoin;
            scenario.reserve.covered_basis_points = figures.covered_basis_points;
            scenario.reserve.recover_to_basis_points = figures.recover_to_basis_points;
            scenario.liquidity.cover_basis_points = figures.cover_basis_points;
        }
        scenario.validate()?;
        Ok(scenario)
    }

    fn run(&self, number: u64, name: Option<&'static str>, scenario: Scenario, stopped: oneshot::Receiver<()>) {
        self.board.forget();
        self.lose();
        self.board.begin(number, name);
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return self.fail(number, &error.to_string()),
        };
        // the agent's journal tells what was missing: it lies in a directory of this process, and ends with the run
        let folder = match tempfile::tempdir() {
            Ok(folder) => folder,
            Err(error) => return self.fail(number, &format!("the agent's journal: {error}")),
        };
        let agent = Box::new(RecoveryAgent::new(folder.path().to_owned(), None));
        let options = RecoveryOptions { scenario, ..RecoveryOptions::default() };
        let mut watching = Watching { board: &self.board, number };
        runtime.block_on(async {
            let outcome = tokio::select! {
                biased;
                _ = stopped => None,
                outcome = recovery::run_with(&options, agent, &mut watching) => Some(outcome),
            };
            match outcome {
                None => {
                    self.desk.note(format!("run {number} was stopped"));
                    self.lose();
                    self.board.end(number, Phase::Stopped, None, (Vec::new(), None));
                }
                Some(Err(error)) => self.fail(number, &error.to_string()),
                Some(Ok(report)) => self.finish(number, report).await,
            }
        });
    }

    /// A run has a chain of its own: before its first check, and when it broke off, nothing is known.
    fn lose(&self) {
        self.board.set_status(|status| *status = Status::unknown(Mode::Simulation));
    }

    /// The reason is the operator's: it may name what the public must not know.
    fn fail(&self, number: u64, reason: &str) {
        self.desk.note(format!("run {number} failed: {reason}"));
        self.lose();
        self.board.end(number, Phase::Failed, None, (Vec::new(), None));
    }

    async fn finish(&self, number: u64, report: RecoveryReport) {
        let leaks = report.leaks();
        if !leaks.is_empty() {
            // its steps were told as they went; what it left is not shown
            return self.fail(number, &format!("{} secrets were found in what it made public", leaks.len()));
        }
        let file = report.public_files.iter().find(|(name, _)| name == "deployment.json");
        let deployment = file.and_then(|(_, bytes)| serde_json::from_slice::<Deployment>(bytes).ok());
        let Some(deployment) = deployment else { return self.fail(number, "the run left no deployment") };
        let outcome = report.summary.final_status;
        let way = match report.summary.route {
            None => "nothing was sent",
            Some(Route::Direct) => "it went by a public swap",
            Some(Route::Dark) => "it went through the dark pool",
            Some(Route::Split) => "it went by a public swap and through the dark pool",
        };
        let found = |line: &recovery::Line| Found { what: line.what.clone(), found: line.amount.clone() };
        let private = report.private.iter().map(found).collect();
        let bytes = report.summary.public_bytes;
        let deficit = report.figures.iter().find(|figure| figure.name == "the agent's deficit");
        let deficit = deficit.and_then(|figure| u64::try_from(figure.value).ok());
        let price = look::price(&deployment, &report.transcript.transactions);
        self.show(&deployment, &report);
        self.desk.keep(number, &report.figures, report.execution.as_ref(), report.secrets);
        self.board.end(number, Phase::Done, Some(outcome), (private, Some(bytes)));
        self.desk.note(format!("run {number} ended: the reserve is {outcome}; {way}"));
        let (Some(deficit), Some(price)) = (deficit, price) else { return };
        match decision::decide(number, deficit, price).await {
            Ok(decision) => self.desk.decide(decision),
            Err(reason) => self.desk.note(format!("no quote curve for run {number}: {reason}")),
        }
    }

    fn show(&self, deployment: &Deployment, report: &RecoveryReport) {
        let (records, events) = (&report.transcript.transactions, &report.transcript.events);
        let names = Names::of(deployment);
        let reports = look::reports(deployment, records, events);
        let mut files = report.public_files.clone();
        files.extend(reports.iter().map(|(shown, bytes)| (shown.file.clone(), bytes.clone())));
        self.board.set_status(|status| {
            status.chain_id = Some(deployment.chain_id);
            status.table_version = Some(report.summary.table_version);
            if let Some((solvency, sequence)) = look::newest(deployment, records, events) {
                (status.block, status.sequence) = (Some(solvency.block), Some(sequence));
                status.until = status.since.map(|since| since.saturating_add(deployment.max_age));
            }
        });
        self.board.show(Seen {
            reports: reports.into_iter().map(|(shown, _)| shown).collect(),
            transactions: look::transactions(&names, records, events),
            files,
        });
    }
}

/// Frees the turn when a run is over.
struct Over<'a>(&'a Simulation, u64);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        if self.0.board.settle(self.1) {
            self.0.lose();
        }
        self.0.turn().going = None;
        self.0.board.stir();
    }
}

/// Tells the board of each step.
struct Watching<'a> {
    board: &'a Board,
    number: u64,
}

impl Observer for Watching<'_> {
    fn started(&mut self, name: &'static str) {
        self.board.step(self.number, name);
    }

    fn finished(&mut self, span: &Span) {
        self.board.span(self.number, span);
        let Some(word) = span.status else { return };
        self.board.set_status(|status| {
            (status.last, status.since) = (word, Some(clock::now()));
            (status.until, status.block, status.sequence) = (None, None, None);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Hub;

    fn simulation() -> Arc<Simulation> {
        let board = Board::new(Hub::new("a".into()), Mode::Simulation);
        Simulation::new(board, Arc::default(), Sizes { participants: Some(4), makers: Some(4) })
    }

    fn ask(scenario: &str) -> Ask {
        Ask { scenario: scenario.into(), figures: None }
    }

    #[test]
    fn figures_outside_their_ranges_and_unknown_scenarios_are_refused() {
        let simulation = simulation();
        assert!(matches!(simulation.start(&ask("x")), Err(NoRun::Scenario(ScenarioError::Unknown(_)))));
        let figures = Figures {
            liabilities_bitcoin: 99,
            covered_basis_points: 9_990,
            recover_to_basis_points: 10_000,
            cover_basis_points: 22_000,
        };
        let refused = simulation.start(&Ask { figures: Some(figures), ..ask("large-deficit") });
        let Err(NoRun::Scenario(ScenarioError::Range { field, found, .. })) = refused else { panic!("{refused:?}") };
        assert_eq!((field, found), ("reserve.liabilities_bitcoin", 99));
        assert!(!simulation.running());
    }

    #[test]
    fn one_run_at_a_time_and_a_stop_ends_it() {
        let simulation = simulation();
        let number = simulation.start(&ask("large-deficit")).expect("started");
        assert!(matches!(simulation.start(&ask("large-deficit")), Err(NoRun::Busy { number: 1 })));
        simulation.halt(true);
        while simulation.running() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let run = simulation.board.runs().pop().expect("a run");
        assert_eq!((run.number, run.phase), (number, Phase::Stopped));
        assert_eq!(simulation.board.status(), Status::unknown(Mode::Simulation));
        assert!(matches!(simulation.start(&ask("large-deficit")), Err(NoRun::Halted)));
        simulation.halt(false);
        assert!(!simulation.halted());
    }
}
