//! The table: one row per fault, with its goal, what was measured, and whether the goal was met.

use crate::{cpu, network::Micros};
use serde::Serialize;
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Every draw of the simulations comes from it.
    pub seed: u64,
    /// The long run: committees of 100 beside those of 16, more seeds, more kills.
    pub deep: bool,
}

/// What a row found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// The figures, in words.
    pub figures: String,
    /// Virtual time of the simulated part, where the goal is about time.
    pub took: Option<Micros>,
}

/// Why a row does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The goal was missed.
    #[error("{0}")]
    Missed(String),
    /// It could not be run on this machine.
    #[error("not run: {0}")]
    NotRun(String),
}

/// One fault.
#[derive(Clone, Copy)]
pub struct Row {
    /// How `--row` names it.
    pub name: &'static str,
    /// What is broken.
    pub fault: &'static str,
    /// What has to hold.
    pub goal: &'static str,
    /// Tries it.
    pub run: fn(&Extent) -> Result<Measured, Failure>,
}

/// A row with what came out.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    /// Its name.
    pub name: &'static str,
    /// What was broken.
    pub fault: &'static str,
    /// What had to hold.
    pub goal: &'static str,
    /// The figures, or the reason of a failure.
    pub measured: String,
    /// *Units*: milliseconds of virtual time, where the goal is about time.
    pub virtual_ms: Option<u64>,
    /// *Units*: milliseconds of processor time of all threads; nothing where the system does not tell.
    pub cpu_ms: Option<u64>,
    /// *Units*: milliseconds by the wall.
    pub wall_ms: u64,
    /// `held`, `missed` or `not run`.
    pub verdict: &'static str,
}

impl Tried {
    /// Whether the goal was met.
    #[must_use]
    pub fn held(&self) -> bool {
        self.verdict == "held"
    }
}

impl Failure {
    /// The same with where it came from before it.
    #[must_use]
    pub fn within(self, place: &str) -> Self {
        match self {
            Self::Missed(why) => Self::Missed(format!("{place}: {why}")),
            Self::NotRun(why) => Self::NotRun(format!("{place}: {why}")),
        }
    }

    fn verdict(&self) -> &'static str {
        match self {
            Self::Missed(_) => "missed",
            Self::NotRun(_) => "not run",
        }
    }
}

/// Fails a row whose goal is not met, with a sentence.
///
/// # Errors
/// [`Failure::Missed`].
pub fn require(holds: bool, or: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::Missed(or())) }
}

/// Tries one row: a panic in it and an end that does not come are failures.
#[must_use]
pub fn try_row(row: &Row, extent: Extent, limit: Duration) -> Tried {
    let (started, before) = (Instant::now(), cpu::spent());
    let found = within(row.run, extent, limit);
    let cpu_ms = cpu::spent().zip(before).map(|(now, before)| millis(now.saturating_sub(before)));
    let (measured, verdict) = match found {
        Ok(measured) => (measured, "held"),
        Err(failure) => (Measured { figures: failure.to_string(), took: None }, failure.verdict()),
    };
    Tried {
        name: row.name,
        fault: row.fault,
        goal: row.goal,
        measured: measured.figures,
        virtual_ms: measured.took.map(|took| took / 1_000),
        cpu_ms,
        wall_ms: millis(started.elapsed()),
        verdict,
    }
}

type Run = fn(&Extent) -> Result<Measured, Failure>;

/// A row that does not end keeps its thread: the process ends with it.
fn within(run: Run, extent: Extent, limit: Duration) -> Result<Measured, Failure> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let caught = catch_unwind(AssertUnwindSafe(|| run(&extent)));
        // nobody listens once the limit has passed
        let _ = send.send(caught.unwrap_or_else(|reason| Err(Failure::Missed(panicked(&*reason)))));
    });
    receive.recv_timeout(limit).unwrap_or_else(|_| Err(Failure::Missed(format!("no end after {} s", limit.as_secs()))))
}

fn panicked(reason: &(dyn Any + Send)) -> String {
    let text = reason.downcast_ref::<String>().map(String::as_str).or_else(|| reason.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("without words"))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// One line of the table, as in `docs/reliability.md`.
#[must_use]
pub fn line(tried: &Tried) -> String {
    let seconds =
        |ms: Option<u64>| ms.map_or_else(|| "–".to_owned(), |ms| format!("{}.{:02} s", ms / 1000, ms % 1000 / 10));
    let Tried { name, fault, goal, measured, virtual_ms, cpu_ms, verdict, .. } = tried;
    format!("| {name} | {fault} | {goal} | {measured} | {} | {} | {verdict} |", seconds(*virtual_ms), seconds(*cpu_ms))
}

/// The heading of the table.
pub const HEADING: &str =
    "| row | fault | goal | measured | virtual time | processor time | verdict |\n|---|---|---|---|---|---|---|";
