//! A participant's journal, beside its key file: what it has answered, so that it never answers twice differently. One
//! record per answer in a store of records, durable before the share leaves.
//!
//! Every answer carries an authenticator under a key that only the participant's secrets give, over the authenticator
//! before it: answers that were altered, reordered or taken out are refused. A counter in a file of its own tells a journal
//! that was replaced by an earlier state of itself, or removed. What is past its time is taken out.

mod chain;
mod counter;
#[allow(dead_code, reason = "tests write what an earlier release wrote; the fuzz target drives all of it")]
mod lines;
mod seen;
mod taking_over;

use alloy::primitives::Address;
use ccc_core::{keys::ParticipantKeys, table::StoreError};
use ccc_node::vault_node::{Answer, Journal};
use ccc_store::RedbRecords;
use chain::{Broken, Chain};
use counter::Counter;
use lines::JournalKey;
pub use seen::SeenRecord;
use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Bytes of a journal; an answer that does not fit is not given.
const MAX_JOURNAL: u64 = 1 << 28;

/// How far a journal had come, in either of its forms.
trait Heads {
    /// Whether the answer with this number, from 1, has this authenticator; of none it is 64 zero bytes.
    fn is_head(&self, count: u64, head: &[u8; 64]) -> bool;
    /// The number and the authenticator of the last answer.
    fn last(&self) -> (u64, [u8; 64]);
}

/// What a service expects of the counter's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterFile {
    /// It is there.
    Kept,
    /// There is none: this start makes it, from what the journal holds.
    Begun,
}

/// Why there is no journal to answer from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A file that cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file that cannot be written.
    #[error("{}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The store of the answers.
    #[error("{}: {source}", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// What the store says.
        source: Box<StoreError>,
    },
    /// An answer that this participant did not write there.
    #[error("{}: answer {number} is not one that this participant wrote there", path.display())]
    Answer {
        /// The journal.
        path: PathBuf,
        /// Its number, from 1.
        number: u64,
    },
    /// Where the answers begin and end is not what this participant wrote.
    #[error("{}: not answers that this participant wrote", path.display())]
    Foreign {
        /// The journal.
        path: PathBuf,
    },
    /// A journal of an earlier release beside one that did not come from it.
    #[error("{}: a journal in a file, beside answers that were not taken over from it", path.display())]
    TwoJournals {
        /// The file.
        path: PathBuf,
    },
    /// An answer under an identifier whose time is over, whatever the clock says now.
    #[error("what ends at {until} is forgotten: everything before {past} is")]
    Past {
        /// Last second of the answer.
        until: u64,
        /// Before this second answers were taken out.
        past: u64,
    },
    /// The counter is not this participant's.
    #[error("{}: not a counter that this participant wrote", path.display())]
    Counter {
        /// The counter.
        path: PathBuf,
    },
    /// Without a counter an older copy of the journal would not be noticed.
    #[error("{}: there is no counter", path.display())]
    NoCounter {
        /// Where it should be.
        path: PathBuf,
    },
    /// A counter that was to begin, and is there.
    #[error("{}: there is a counter already", path.display())]
    CounterExists {
        /// The counter.
        path: PathBuf,
    },
    /// No room for another answer.
    #[error("the journal is full: {length} bytes, and {most} are possible")]
    Full {
        /// Bytes with the answer.
        length: u64,
        /// Bytes that a journal has at most.
        most: u64,
    },
    /// Answers or their counter were not written. What the journal holds stands; the next start reads it.
    #[error("the journal or its counter could not be written before; restart")]
    Uncounted,
    /// An older journal than the counter has seen: restored from a backup.
    #[error("{}: {found} answers, where {counted} were counted: an older copy, or another history", path.display())]
    Behind {
        /// The journal.
        path: PathBuf,
        /// Answers counted.
        counted: u64,
        /// Answers found.
        found: u64,
    },
    /// Another process of this participant runs.
    #[error("{}: another process answers with this key file", path.display())]
    Busy {
        /// The key file.
        path: PathBuf,
    },
}

/// A journal in a file of records. While it is open nobody else opens it: two processes of one participant answer one after
/// the other.
pub struct FileJournal {
    path: PathBuf,
    chain: Chain,
    counter: Option<Counter>,
    /// The medium may be ahead of what is known here: nothing may be added or replaced.
    uncounted: bool,
    /// The number before which answers are being taken out.
    forgetting: Option<u64>,
    most: u64,
    /// The last to go: whoever waits for it finds the answers closed.
    _lock: File,
}

impl FileJournal {
    /// Waits for the key file's lock, then reads the journal that belongs to it; an absent one is empty, and one of an earlier
    /// release is taken over. Where a counter lies beside the key file, the journal is held against it and it goes on.
    ///
    /// *Security*: a counter that a service keeps elsewhere is not known here.
    ///
    /// # Errors
    /// [`JournalError`]: the participant must not answer then.
    pub fn beside(key_file: &Path, keys: &ParticipantKeys) -> Result<Self, JournalError> {
        let lock = File::open(key_file).and_then(|file| file.lock().map(|()| file));
        let lock = lock.map_err(|source| JournalError::Read { path: key_file.into(), source })?;
        let counter = key_file.with_extension("counter");
        let counter = is_begun(&counter)?.then_some(counter);
        Self::read(lock, key_file, counter.as_deref(), keys)
    }

    /// As [`Self::beside`] for a service: it does not wait, and a counter in another file says how far the journal had come.
    ///
    /// *Security*: keep the counter where backups of the journal do not reach. Whoever restores both to an earlier state is
    /// not noticed here. An absent counter is no reason to begin one: the caller says so.
    ///
    /// # Errors
    /// [`JournalError::Busy`], [`JournalError::Behind`], [`JournalError::Counter`], [`JournalError::NoCounter`],
    /// [`JournalError::CounterExists`], and as [`Self::beside`].
    pub fn counted(
        key_file: &Path,
        counter: &Path,
        expected: CounterFile,
        keys: &ParticipantKeys,
    ) -> Result<Self, JournalError> {
        let read = |source| JournalError::Read { path: key_file.into(), source };
        let lock = File::open(key_file).map_err(read)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Busy { path: key_file.into() }),
            Err(TryLockError::Error(source)) => return Err(read(source)),
        }
        match expected {
            CounterFile::Kept if is_begun(counter)? => Self::read(lock, key_file, Some(counter), keys),
            CounterFile::Kept => Err(JournalError::NoCounter { path: counter.into() }),
            CounterFile::Begun => {
                let mut journal = Self::read(lock, key_file, None, keys)?;
                journal.counter = Some(Counter::begin(counter, &journal.chain, journal.chain.key())?);
                Ok(journal)
            }
        }
    }

    fn read(lock: File, key_file: &Path, counter: Option<&Path>, keys: &ParticipantKeys) -> Result<Self, JournalError> {
        let path = key_file.with_extension("answers");
        let store = RedbRecords::open(&path).map_err(|source| of_store(&path, source))?;
        let key = JournalKey::of(keys);
        let mut chain = Chain::open(Arc::new(store), key.clone()).map_err(|broken| of_chain(&path, broken))?;
        taking_over::take_over(&key_file.with_extension("journal"), counter, &mut chain)?;
        let counter = counter.map(|counter| Counter::open(counter, &path, &chain, &key)).transpose()?;
        let (uncounted, forgetting, most) = (false, None, MAX_JOURNAL);
        Ok(Self { path, chain, counter, uncounted, forgetting, most, _lock: lock })
    }

    /// What this participant has seen of a deployment, beside its answers.
    #[must_use]
    pub fn seen(&self, chain: u64, pool: &Address) -> SeenRecord {
        SeenRecord::new(Arc::clone(self.chain.store()), self.chain.key().clone(), chain, pool)
    }

    fn check_writable(&self) -> Result<(), JournalError> {
        if self.uncounted { Err(JournalError::Uncounted) } else { Ok(()) }
    }

    fn check(&self, answer: &Answer) -> Result<(), JournalError> {
        self.check_writable()?;
        let (until, past) = (answer.until, self.chain.past());
        if until < past {
            return Err(JournalError::Past { until, past });
        }
        let (length, most) = (self.chain.length().saturating_add(chain::room(answer)), self.most);
        if length > most { Err(JournalError::Full { length, most }) } else { Ok(()) }
    }

    /// The counter says what the chain holds; one that fails may have its slot on the medium all the same.
    fn advance(&mut self) -> Result<(), JournalError> {
        let Some(counter) = &mut self.counter else { return Ok(()) };
        let counted = counter.advance(&self.chain);
        self.uncounted = counted.is_err();
        counted.map_err(|source| JournalError::Write { path: self.path.with_extension("counter"), source })
    }

    fn write(&mut self) -> Result<(), JournalError> {
        self.check_writable()?;
        if !self.chain.has_pending() {
            return Ok(());
        }
        if let Err(error) = self.chain.settle() {
            self.uncounted = true;
            return Err(of_store(&self.path, error));
        }
        self.advance()
    }

    /// A page of what is past, once that is a quarter of everything or the journal is half full.
    ///
    /// Answers go only after the counter has counted them: it is never left behind the beginning of the chain.
    fn forget_page(&mut self, now: u64) -> Result<bool, JournalError> {
        self.check_writable()?;
        let dead = self.chain.dead(now);
        let part = if self.chain.length() >= self.most / 2 { 16 } else { 4 };
        let worth = dead > 0 && dead >= self.chain.length() / part;
        if self.chain.has_pending() || (self.forgetting.is_none() && !worth) {
            return Ok(false);
        }
        if self.counter.as_ref().is_some_and(|counter| counter.counted() < self.chain.last().0) {
            self.advance()?;
        }
        let end = *self.forgetting.get_or_insert(self.chain.last().0.saturating_add(1));
        let forgotten = self.chain.forget(now, end).map_err(|broken| of_chain(&self.path, broken));
        self.uncounted = forgotten.is_err();
        if forgotten? {
            self.forgetting = None;
        }
        self.advance()?;
        Ok(self.forgetting.is_some())
    }
}

/// Whether a counter is there. A file without a byte is what a crash leaves of one that was to begin: none.
fn is_begun(counter: &Path) -> Result<bool, JournalError> {
    match counter.metadata() {
        Ok(found) => Ok(found.len() > 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(JournalError::Read { path: counter.into(), source }),
    }
}

fn of_store(path: &Path, source: StoreError) -> JournalError {
    JournalError::Store { path: path.into(), source: Box::new(source) }
}

fn of_chain(path: &Path, broken: Broken) -> JournalError {
    match broken {
        Broken::Store(source) => of_store(path, source),
        Broken::Record(number) => JournalError::Answer { path: path.into(), number },
        Broken::State => JournalError::Foreign { path: path.into() },
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

impl Journal for FileJournal {
    fn answers(&self, id: &[u8; 32]) -> Result<Vec<Answer>, String> {
        self.chain.under(id).map_err(|broken| of_chain(&self.path, broken).to_string())
    }

    fn keep(&mut self, id: [u8; 32], answer: &Answer) -> Result<(), String> {
        self.check(answer).map_err(|error| error.to_string())?;
        self.chain.add(id, answer);
        Ok(())
    }

    /// Everything since the last time in one transaction, and then the counter.
    fn settle(&mut self) -> Result<(), String> {
        self.write().map_err(|error| error.to_string())
    }

    fn writable(&self) -> Result<(), String> {
        self.check_writable().map_err(|error| error.to_string())
    }

    fn forget(&mut self, now: u64) -> Result<bool, String> {
        self.forget_page(now).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests;
