//! The journal: what was decided and sent, a line each, on the medium before it is acted on.
//!
//! *Layout*: a line of JSON: `sequence` from 1, `time` in Unix seconds, `entry` with its fields ([`crate::plan::Entry`]) under
//! `what`, `previous` and `hash`, which is H32("agent-journal"; previous, sequence ‖ time, the JSON of `what`).
//!
//! *Security*: it holds what is missing from the reserve, and signed transactions: mode 0600, and nobody's but the agent's.

use std::path::Path;

use alloy::primitives::B256;
use ccc_core::suite;
use ccc_store::chained::{Chained, ChainedError, Head, Link};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    domain,
    plan::Entry,
    state::{Inconsistent, State},
};

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its number, from 1.
    pub sequence: u64,
    /// Unix seconds.
    pub time: u64,
    /// The entry, as it was written.
    what: Box<RawValue>,
    previous: B256,
    hash: B256,
}

impl Line {
    /// What it says; none where this version does not know it.
    #[must_use]
    pub fn entry(&self) -> Option<Entry> {
        serde_json::from_str(self.what.get()).ok()
    }
}

impl Link for Line {
    const MAX_LINE: u64 = 1 << 18;

    fn parse(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    fn text(&self) -> Option<Vec<u8>> {
        serde_json::to_vec(self).ok()
    }

    fn sequence(&self) -> u64 {
        self.sequence
    }

    fn previous(&self) -> [u8; 32] {
        self.previous.0
    }

    fn hash(&self) -> [u8; 32] {
        self.hash.0
    }

    fn digest(&self) -> [u8; 32] {
        let numbers = [self.sequence, self.time].map(u64::to_be_bytes).concat();
        suite::digest32(domain::JOURNAL, &[self.previous.as_slice(), &numbers, self.what.get().as_bytes()])
    }
}

/// Why a journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Its lines do not hold together.
    #[error("the journal: {0}")]
    Chained(#[from] ChainedError),
    /// A line that this version does not know.
    #[error("line {line} of the journal says nothing that this version knows")]
    Entry {
        /// Its number.
        line: u64,
    },
    /// A line that cannot follow the ones before it.
    #[error("line {line} of the journal: {reason}")]
    Inconsistent {
        /// Its number.
        line: u64,
        /// Why.
        reason: Inconsistent,
    },
}

/// What is taken in line by line.
#[derive(Default)]
struct Reading {
    state: State,
    failed: Option<JournalError>,
}

impl Reading {
    fn take(&mut self, line: &Line) {
        if self.failed.is_some() {
            return;
        }
        let number = line.sequence;
        let Some(entry) = line.entry() else {
            self.failed = Some(JournalError::Entry { line: number });
            return;
        };
        let applied = self.state.apply(line.time, entry);
        self.failed = applied.err().map(|reason| JournalError::Inconsistent { line: number, reason });
    }

    fn finish(self) -> Result<State, JournalError> {
        self.failed.map_or(Ok(self.state), Err)
    }
}

/// Reads a journal from its first line to its last, and hands each line on.
///
/// # Errors
/// [`JournalError`]; a last line without its end is one.
pub fn verify(path: &Path, mut each: impl FnMut(&Line)) -> Result<(Head, State), JournalError> {
    let mut reading = Reading::default();
    let head = ccc_store::chained::verify(path, |line: Line| {
        reading.take(&line);
        each(&line);
    })?;
    Ok((head, reading.finish()?))
}

/// A journal that is written on.
pub struct Journal {
    file: Chained<Line>,
    state: State,
}

impl Journal {
    /// Opens a journal, or begins one.
    ///
    /// # Errors
    /// [`JournalError`]; [`ChainedError::Busy`] while another process acts.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let mut reading = Reading::default();
        let file = Chained::open(path, |line: Line| reading.take(&line))?;
        Ok(Self { file, state: reading.finish()? })
    }

    /// What it adds up to.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// How far it goes.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.file.head()
    }

    /// Writes an entry; it is on the medium when this returns.
    ///
    /// # Errors
    /// [`JournalError`]. Nothing may be sent then: whether the line is on the medium is not known.
    pub fn write(&mut self, time: u64, entry: Entry) -> Result<(), JournalError> {
        let line = self.file.head().lines + 1;
        let mut state = self.state.clone();
        state.apply(time, entry.clone()).map_err(|reason| JournalError::Inconsistent { line, reason })?;
        let what = serde_json::value::to_raw_value(&entry).map_err(|_| JournalError::Entry { line })?;
        self.file.append(|sequence, previous| {
            let mut line = Line { sequence, time, what, previous: previous.into(), hash: B256::ZERO };
            line.hash = line.digest().into();
            line
        })?;
        self.file.sync()?;
        self.state = state;
        Ok(())
    }
}
