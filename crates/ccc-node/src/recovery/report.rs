//! What a recovery leaves: one object for machines, two columns for people, both made from the transcript.

use super::Route;
use crate::{
    leak::{Hit, Search, Secret},
    timeline::Span,
};
use ccc_chain::transcript::{StorageRecord, Transcript};
use ccc_core::{report::Verdict, table::Execution};
use serde::Serialize;
use std::collections::BTreeSet;

/// The public result of a run; `docs/spec/recover.schema.json` describes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Name of the scenario.
    pub scenario: String,
    /// The seed of a reproducible run.
    pub seed: Option<u64>,
    /// `unknown`, `solvent` or `insolvent`, as the chain showed it first.
    pub initial_status: &'static str,
    /// The same at the end.
    pub final_status: &'static str,
    /// Which way the hole was filled, as the chain shows it; none where nothing was sent.
    pub route: Option<Route>,
    /// Measured spans.
    pub spans: Vec<Span>,
    /// Bytes that became public on the chain.
    pub public_bytes: u64,
    /// Names of the public artifacts.
    pub artifacts: Vec<String>,
    /// Version of the table at the end.
    pub table_version: u64,
    /// Participants that misbehaved.
    pub culprits: Vec<CulpritLine>,
}

/// One participant that misbehaved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CulpritLine {
    /// Its identifier.
    pub participant: u16,
    /// What it did.
    pub reason: String,
}

/// One line of a column: what, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What.
    pub what: String,
    /// How much.
    pub amount: String,
}

/// A finished run.
pub struct RecoveryReport {
    /// For machines.
    pub summary: Summary,
    /// What the chain saw, counted from the transcript.
    pub saw: Vec<Line>,
    /// What stayed private, searched for in the transcript.
    pub private: Vec<Line>,
    /// Everything public.
    pub transcript: Transcript,
    /// Public files by name.
    pub public_files: Vec<(String, Vec<u8>)>,
    /// Everything secret, for a search.
    pub secrets: Vec<Secret>,
    /// What the requester was told of its order, under its reading key; none where it asked for nothing.
    ///
    /// *Security*: the requester's alone; it is no part of what is public or searched.
    pub execution: Option<Execution>,
    /// The secret numbers themselves, in the order in which they came up.
    ///
    /// *Security*: the operator's of a simulation alone; they are no part of what is public or searched.
    pub figures: Vec<Figure>,
}

/// A secret number of a run.
///
/// *Units*: of the coin and of the dollar the smallest, as the name has it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// What it is.
    pub name: &'static str,
    /// The number.
    pub value: u128,
}

impl RecoveryReport {
    /// Whether the reserve ended solvent.
    #[must_use]
    pub fn healed(&self) -> bool {
        self.summary.final_status == status(Verdict::Solvent)
    }

    /// Every secret that is found in something public: none, or there is a leak.
    ///
    /// # Panics
    /// Never: the summary always serialises.
    #[must_use]
    pub fn leaks(&self) -> Vec<Hit> {
        let search = Search::new(&self.secrets);
        let mut hits = search_transcript(&self.transcript, &self.secrets);
        for (name, bytes) in &self.public_files {
            hits.extend(search.place(name, bytes));
        }
        let summary = serde_json::to_vec(&self.summary).expect("text and numbers always serialise");
        hits.extend(search.place("the summary", &summary));
        for line in self.saw.iter().chain(&self.private) {
            hits.extend(search.place("a line of the report", format!("{} {}", line.what, line.amount).as_bytes()));
        }
        hits
    }
}

/// The word for a verdict.
#[must_use]
pub fn status(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Unknown => "unknown",
        Verdict::Solvent => "solvent",
        Verdict::Insolvent => "insolvent",
    }
}

pub(super) fn search_transcript(transcript: &Transcript, secrets: &[Secret]) -> Vec<Hit> {
    let search = Search::new(secrets);
    let places = transcript.byte_strings().enumerate();
    places.flat_map(|(index, bytes)| search.place(&format!("byte string {index}"), bytes)).collect()
}

pub(super) fn public_bytes(transcript: &Transcript) -> u64 {
    transcript.byte_strings().map(|bytes| bytes.len() as u64).sum()
}

/// What the chain saw: counts and sizes.
pub(super) fn saw(transcript: &Transcript) -> Vec<Line> {
    let calldata: usize = transcript.transactions.iter().map(|transaction| transaction.calldata.len()).sum();
    let data: usize = transcript.events.iter().map(|event| event.data.len() + 32 * event.topics.len()).sum();
    let mut lines = vec![
        line("transactions", transcript.transactions.len(), calldata),
        line("events", transcript.events.len(), data),
    ];
    if let StorageRecord::Words { words } = &transcript.storage {
        lines.push(line("words of storage", words.len(), 32 * words.len()));
    }
    lines
}

/// What stayed private: every kind of secret, and how often it was found in what is public. How many secrets there
/// are of a kind is not said: the number of fills is one.
pub(super) fn private(secrets: &[Secret], hits: &[Hit], bytes: u64) -> Vec<Line> {
    let names: BTreeSet<&str> = secrets.iter().map(Secret::name).collect();
    let found = |name: &str| hits.iter().filter(|hit| hit.secret == name).count();
    let line = |name: &str| Line {
        what: name.to_owned(),
        amount: match found(name) {
            0 => format!("not in the {bytes} public bytes"),
            hits => format!("FOUND {hits} times"),
        },
    };
    names.into_iter().map(line).collect()
}

fn line(what: &str, count: usize, bytes: usize) -> Line {
    Line { what: format!("{count} {what}"), amount: format!("{bytes} bytes") }
}
