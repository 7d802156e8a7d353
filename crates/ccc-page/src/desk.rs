//! What is the operator's alone: figures, fills, the agent's choice. Nothing of it is in the board or the hub.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ccc_core::table::Execution;
use ccc_node::{leak::Secret, recovery::Figure};
use serde::Serialize;

use crate::{clock, decision::Decision};

/// Lines that are kept.
const MOST_LINES: usize = 200;

/// A secret number with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Number {
    /// What it is.
    pub name: &'static str,
    /// The number, in decimal: more than 53 bits are no number in a browser.
    pub value: String,
}

/// What the requester was told of its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Whether it was filled.
    pub filled: bool,
    /// Lots ordered.
    pub lots_ordered: String,
    /// Lots filled.
    pub lots_filled: String,
    /// Quote units paid.
    pub paid: String,
    /// Paid above what the average price asks.
    pub cost: String,
    /// Makers that were filled, rounded up to a power of two.
    pub makers: u32,
    /// The largest part of one maker, in 1/10,000.
    pub largest_share: u16,
}

impl From<&Execution> for Told {
    fn from(execution: &Execution) -> Self {
        Self {
            filled: execution.outcome == 1,
            lots_ordered: execution.ordered.to_string(),
            lots_filled: execution.filled.to_string(),
            paid: execution.total.to_string(),
            cost: execution.cost.to_string(),
            makers: execution.makers,
            largest_share: execution.largest_share,
        }
    }
}

/// Something that was done at the desk, or went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Unix seconds.
    pub time: u64,
    /// What.
    pub what: String,
}

#[derive(Default)]
struct Contents {
    run: Option<u64>,
    numbers: Vec<Number>,
    told: Option<Told>,
    decision: Option<Decision>,
    lines: Vec<Line>,
    secrets: Vec<Secret>,
}

/// The desk.
#[derive(Default)]
pub struct Desk(Mutex<Contents>);

/// What the operator sees of it.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    /// The run that the numbers are of.
    pub run: Option<u64>,
    /// Every secret number of the run.
    pub numbers: Vec<Number>,
    /// What the requester was told.
    pub told: Option<Told>,
    /// The agent's choice on a quote curve.
    pub decision: Option<Decision>,
    /// What was done, newest last.
    pub lines: Vec<Line>,
}

impl Desk {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a line.
    pub fn note(&self, what: String) {
        let mut contents = self.contents();
        contents.lines.push(Line { time: clock::now(), what });
        if contents.lines.len() > MOST_LINES {
            contents.lines.remove(0);
        }
    }

    /// What a run left.
    pub fn keep(&self, run: u64, figures: &[Figure], execution: Option<&Execution>, secrets: Vec<Secret>) {
        let mut contents = self.contents();
        contents.run = Some(run);
        contents.numbers =
            figures.iter().map(|figure| Number { name: figure.name, value: figure.value.to_string() }).collect();
        contents.told = execution.map(Told::from);
        contents.decision = None;
        contents.secrets = secrets;
    }

    /// What the agent's rule chose.
    pub fn decide(&self, decision: Decision) {
        self.contents().decision = Some(decision);
    }

    /// For whoever is signed in.
    #[must_use]
    pub fn view(&self) -> View {
        let contents = self.contents();
        View {
            run: contents.run,
            numbers: contents.numbers.clone(),
            told: contents.told.clone(),
            decision: contents.decision.clone(),
            lines: contents.lines.clone(),
        }
    }

    /// The secrets of the last run, for a search in what is public.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        self.contents().secrets.clone()
    }
}
