//! A participant's journal, beside its key file: what it has answered, so that it never answers twice
//! differently. One JSON line per answer, durable before the share is written.
//!
//! Every line carries an authenticator under a key that only the participant's secrets give, over the
//! authenticator before it: lines that were altered, reordered or taken out are refused. A journal that was
//! replaced by an earlier state of itself, or removed, is not noticed. The beginning of a line at the end is what a killed
//! writer leaves: it was never acknowledged, no answer was given, and it is cut off. Where its end of line alone is missing,
//! that is added.

mod counter;
mod lines;

use ccc_core::keys::ParticipantKeys;
use ccc_node::vault_node::{Answer, Journal};
use counter::Counter;
use lines::{Entry, JournalKey, Lines, Said};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// Bytes of a journal; an answer that does not fit is not given.
const MAX_JOURNAL: u64 = 1 << 28;

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
    /// A line that this participant did not write there.
    #[error("{}: line {line} is not one that this participant wrote there", path.display())]
    Line {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
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
    /// A counter was not written. What the journal holds stands; the next start reads it.
    #[error("the counter could not be written before; restart")]
    Uncounted,
    /// An older journal than the counter has seen: restored from a backup.
    #[error("{}: {found} answers, where {counted} were counted: an older copy, or another history", path.display())]
    Behind {
        /// The journal.
        path: PathBuf,
        /// Answers counted.
        counted: u64,
        /// Answers found.
        found: usize,
    },
    /// Another process of this participant runs.
    #[error("{}: another process answers with this key file", path.display())]
    Busy {
        /// The key file.
        path: PathBuf,
    },
}

/// A journal in a file. While it is open nobody else opens it: two processes of one participant answer one after the
/// other.
pub struct FileJournal {
    _lock: File,
    path: PathBuf,
    lines: Lines,
    /// Lines kept and not yet on the medium.
    pending: Vec<u8>,
    settled: (usize, u64),
    counter: Option<Counter>,
    /// The file's name is on the medium.
    named: bool,
    /// The journal is ahead of a counter whose slot is in doubt: nothing may be appended or replaced.
    uncounted: bool,
    most: u64,
}

impl FileJournal {
    /// Waits for the key file's lock, then reads the journal that belongs to it; an absent one is empty, and a torn line at
    /// its end is left out. Where a counter lies beside the key file, the journal is held against it and it goes on.
    ///
    /// *Security*: a counter that a service keeps elsewhere is not known here.
    ///
    /// # Errors
    /// [`JournalError`]: the participant must not answer then.
    pub fn beside(key_file: &Path, keys: &ParticipantKeys) -> Result<Self, JournalError> {
        let lock = File::open(key_file).and_then(|file| file.lock().map(|()| file));
        let lock = lock.map_err(|source| JournalError::Read { path: key_file.into(), source })?;
        let mut journal = Self::read(lock, key_file.with_extension("journal"), keys)?;
        let counter = key_file.with_extension("counter");
        journal.counter = match Counter::open(&counter, &journal.path, &journal.lines) {
            Err(JournalError::NoCounter { .. }) => None,
            counter => Some(counter?),
        };
        Ok(journal)
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
        let mut journal = Self::read(lock, key_file.with_extension("journal"), keys)?;
        journal.counter = Some(match expected {
            CounterFile::Kept => Counter::open(counter, &journal.path, &journal.lines)?,
            CounterFile::Begun => Counter::begin(counter, &journal.lines)?,
        });
        Ok(journal)
    }

    fn read(lock: File, path: PathBuf, keys: &ParticipantKeys) -> Result<Self, JournalError> {
        let mut bytes = stored(&path).map_err(|source| JournalError::Read { path: path.clone(), source })?;
        if lines::lacks_its_end(&bytes) {
            end_line(&path).map_err(|source| JournalError::Write { path: path.clone(), source })?;
            bytes.push(b'\n');
        }
        let lines = Lines::read(JournalKey::of(keys), &bytes);
        let lines = lines.map_err(|line| JournalError::Line { path: path.clone(), line })?;
        let settled = (lines.count(), lines.length());
        let (pending, counter, most) = (Vec::new(), None, MAX_JOURNAL);
        Ok(Self { _lock: lock, path, lines, pending, settled, counter, named: false, uncounted: false, most })
    }

    /// Puts lines after the whole ones, where a torn one may stand, and has them and the file's name on the medium.
    fn append(&mut self) -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        file.set_len(self.settled.1)?;
        let written = file.write_all(&self.pending).and_then(|()| file.sync_all());
        if written.is_err() {
            let _next_time = file.set_len(self.settled.1); // whoever appends or opens leaves it out all the same
        }
        written?;
        if !self.named {
            sync_directory(&self.path)?;
            self.named = true;
        }
        Ok(())
    }

    /// A counter that fails may have its slot on the medium all the same: the lines that it counts must then stand.
    fn write(&mut self) -> io::Result<()> {
        self.append()?;
        let Some(counter) = &mut self.counter else { return Ok(()) };
        let counted = counter.advance(&self.lines);
        self.uncounted = counted.is_err();
        counted
    }

    fn writable(&self) -> Result<(), JournalError> {
        if self.uncounted { Err(JournalError::Uncounted) } else { Ok(()) }
    }

    /// Whether so many bytes more fit, which the next start would read.
    fn room(&self, line: usize) -> Result<(), JournalError> {
        let (length, most) = (self.lines.length().saturating_add(line as u64), self.most);
        if length > most { Err(JournalError::Full { length, most }) } else { Ok(()) }
    }
}

/// A file's bytes; none of an absent one. A link is followed nowhere: a journal is a file of its own.
fn stored(path: &Path) -> io::Result<Vec<u8>> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
        Ok(found) if !found.is_file() => return Err(io::Error::other("no regular file")),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_JOURNAL + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_JOURNAL { Err(io::Error::other("longer than 256 MiB")) } else { Ok(bytes) }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

fn given(entry: &Entry) -> Answer<'_> {
    Answer { request: entry.digest.0, recipient: entry.recipient.0, bytes: &entry.answer.0 }
}

fn end_line(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(path)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

impl Journal for FileJournal {
    fn answers(&self, id: &[u8; 32]) -> Vec<Answer<'_>> {
        self.lines.of(id).map(given).collect()
    }

    fn keep(&mut self, id: [u8; 32], answer: Answer<'_>) -> Result<(), String> {
        let said = Said { id, digest: answer.request, recipient: answer.recipient, answer: answer.bytes };
        let (entry, line) = self.lines.next(&said).map_err(|error| error.to_string())?;
        self.writable().and_then(|()| self.room(line.len())).map_err(|error| error.to_string())?;
        self.lines.add(entry, &line);
        self.pending.extend_from_slice(&line);
        Ok(())
    }

    /// All lines since the last time with one synchronisation, and then the counter. What fails is taken back.
    fn settle(&mut self) -> Result<(), String> {
        self.writable().map_err(|error| error.to_string())?;
        if self.pending.is_empty() {
            return Ok(());
        }
        let written = self.write();
        self.pending.clear();
        match written {
            Ok(()) => self.settled = (self.lines.count(), self.lines.length()),
            Err(_) => self.lines.take_back(self.settled.0, self.settled.1),
        }
        written.map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests;
