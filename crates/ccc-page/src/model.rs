//! What the public page shows. Every value comes from the chain or from a clock; one that is not known is absent.

use alloy::primitives::{Address, B256};
use ccc_node::timeline::Span;
use serde::Serialize;

/// Where the page's data comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Recoveries in this process, on the embedded chain.
    Simulation,
    /// A deployment on a chain.
    Chain,
}

/// The reserve's status, how old it is first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// What counts now: `unknown`, `solvent` or `insolvent`.
    pub verdict: &'static str,
    /// What the last report said.
    pub last: &'static str,
    /// Whether the last report is too old to count.
    pub stale: bool,
    /// When it was true, Unix seconds: the attested block's time, and in simulation when this process saw it.
    pub since: Option<u64>,
    /// Until when it counts, Unix seconds.
    pub until: Option<u64>,
    /// The block that it is about.
    pub block: Option<u64>,
    /// The sequence of its report.
    pub sequence: Option<u64>,
    /// Where this comes from.
    pub mode: Mode,
    /// The chain.
    pub chain_id: Option<u64>,
    /// The table's version.
    pub table_version: Option<u64>,
    /// When the chain was read last without an error, Unix seconds.
    pub read_at: Option<u64>,
    /// What keeps the page from knowing more.
    pub trouble: Option<&'static str>,
}

impl Status {
    /// Before anything is known.
    #[must_use]
    pub const fn unknown(mode: Mode) -> Self {
        Self {
            verdict: "unknown",
            last: "unknown",
            stale: false,
            since: None,
            until: None,
            block: None,
            sequence: None,
            mode,
            chain_id: None,
            table_version: None,
            read_at: None,
            trouble: None,
        }
    }

    /// The same at a later time: an answer whose time is over counts no more.
    #[must_use]
    pub fn at(mut self, now: u64) -> Self {
        self.stale = self.until.is_some_and(|until| now > until);
        self.verdict = if self.stale { "unknown" } else { self.last };
        self
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It goes on.
    Running,
    /// It came to its end.
    Done,
    /// The operator stopped it.
    Stopped,
    /// It could not go on; why is the operator's to know.
    Failed,
}

/// One recovery, step by step.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// Its number in this process.
    pub number: u64,
    /// The built-in scenario; none where the operator chose the figures.
    pub scenario: Option<&'static str>,
    /// How far it is.
    pub phase: Phase,
    /// When it began, Unix seconds.
    pub began: u64,
    /// The step that goes on.
    pub step: Option<&'static str>,
    /// The steps that ended, as measured.
    pub spans: Vec<Span>,
    /// The status at its end.
    pub outcome: Option<&'static str>,
    /// What stayed private, and how often it was found in what is public.
    pub private: Vec<Found>,
    /// Bytes that it made public on the chain.
    pub public_bytes: Option<u64>,
}

/// A kind of secret and where it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The kind.
    pub what: String,
    /// Where.
    pub found: String,
}

/// A report that the chain took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// `solvency`, `round`, `enclave` or `payout`.
    pub kind: &'static str,
    /// Its sequence among those of its kind.
    pub sequence: u64,
    /// What it says.
    pub says: String,
    /// The block that took it.
    pub block: u64,
    /// That block's time, Unix seconds by the chain.
    pub time: u64,
    /// The transaction that brought it.
    pub transaction: B256,
    /// Who signed, as computed from the signatures.
    pub signed_by: Vec<Address>,
    /// Signatures needed.
    pub needed: usize,
    /// Who may sign.
    pub signers: usize,
    /// Whether this process found the quorum to hold.
    pub holds: bool,
    /// The file of it.
    pub file: String,
    /// A command that checks it again.
    pub command: String,
}

/// A transaction, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Transaction {
    /// Its hash.
    pub hash: B256,
    /// Its block.
    pub block: u64,
    /// The block's time, Unix seconds by the chain.
    pub time: u64,
    /// What was called, by name where the name is known.
    pub to: String,
    /// The function, where its name is known.
    pub call: String,
    /// Bytes of calldata.
    pub bytes: usize,
    /// Gas used.
    pub gas: u64,
    /// Whether it succeeded.
    pub success: bool,
}

/// A stretch of bytes with what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it is.
    pub label: String,
    /// The bytes in hexadecimal.
    pub hex: String,
}

/// An event, byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Log {
    /// The contract.
    pub contract: String,
    /// Its name, where it is known.
    pub name: String,
    /// Topics, then data.
    pub parts: Vec<Part>,
}

/// A transaction, byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bytes {
    /// In short.
    #[serde(flatten)]
    pub short: Transaction,
    /// The sender.
    pub from: Address,
    /// The calldata in order: put together, the parts are the calldata. One above 64 KiB is cut, and ends with `…`.
    pub calldata: Vec<Part>,
    /// The events of its block that its contracts gave.
    pub events: Vec<Log>,
}
