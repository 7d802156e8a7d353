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

const MAX_JOURNAL: u64 = 1 << 28;

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
}

impl FileJournal {
    /// Waits for the key file's lock, then reads the journal that belongs to it; an absent one is empty, and a torn line at
    /// its end is left out.
    ///
    /// # Errors
    /// [`JournalError`]: the participant must not answer then.
    pub fn beside(key_file: &Path, keys: &ParticipantKeys) -> Result<Self, JournalError> {
        let lock = File::open(key_file).and_then(|file| file.lock().map(|()| file));
        let lock = lock.map_err(|source| JournalError::Read { path: key_file.into(), source })?;
        Self::read(lock, key_file.with_extension("journal"), keys)
    }

    /// As [`Self::beside`] for a service: it does not wait, and a counter in another file says how far the journal had come.
    ///
    /// *Security*: keep the counter where backups of the journal do not reach. Whoever restores both to an earlier state is
    /// not noticed here.
    ///
    /// # Errors
    /// [`JournalError::Busy`], [`JournalError::Behind`], [`JournalError::Counter`], and as [`Self::beside`].
    pub fn counted(key_file: &Path, counter: &Path, keys: &ParticipantKeys) -> Result<Self, JournalError> {
        let read = |source| JournalError::Read { path: key_file.into(), source };
        let lock = File::open(key_file).map_err(read)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Busy { path: key_file.into() }),
            Err(TryLockError::Error(source)) => return Err(read(source)),
        }
        let mut journal = Self::read(lock, key_file.with_extension("journal"), keys)?;
        journal.counter = Some(Counter::open(counter, &journal.path, &journal.lines)?);
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
        Ok(Self { _lock: lock, path, lines, pending: Vec::new(), settled, counter: None })
    }

    /// Puts lines after the whole ones, where a torn one may stand, and has them and the file's name on the medium.
    fn append(&self) -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        let fresh = file.metadata()?.len() == 0;
        file.set_len(self.settled.1)?;
        let written = file.write_all(&self.pending).and_then(|()| file.sync_all());
        if written.is_err() {
            let _next_time = file.set_len(self.settled.1); // whoever appends or opens leaves it out all the same
        }
        written?;
        if fresh { sync_directory(&self.path) } else { Ok(()) }
    }

    fn write(&mut self) -> io::Result<()> {
        self.append()?;
        match &mut self.counter {
            Some(counter) => counter.advance(&self.lines),
            None => Ok(()),
        }
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
        self.lines.add(entry, &line);
        self.pending.extend_from_slice(&line);
        Ok(())
    }

    /// All lines since the last time with one synchronisation, and then the counter. What fails is taken back.
    fn settle(&mut self) -> Result<(), String> {
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
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    /// Keeps one answer and has it on the medium.
    fn kept(journal: &mut FileJournal, id: u8, answer: Answer<'_>) {
        journal.keep([id; 32], answer).expect("kept");
        journal.settle().expect("on the medium");
    }

    fn keys(seed: u64) -> ParticipantKeys {
        ParticipantKeys::generate(&mut StdRng::seed_from_u64(seed)).expect("keys")
    }

    #[test]
    fn the_answers_of_one_request_are_read_again_in_their_order() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let (keys, key_file) = (keys(1), dir.path().join("p.ccc"));
        std::fs::write(&key_file, "").expect("written");
        let first = Answer { request: [1; 64], recipient: [2; 64], bytes: &[3; 5] };
        let second = Answer { recipient: [4; 64], bytes: &[5; 6], ..first };
        let mut journal = FileJournal::beside(&key_file, &keys).expect("an absent journal is empty");
        kept(&mut journal, 7, first);
        kept(&mut journal, 8, Answer { bytes: &[], ..first });
        kept(&mut journal, 7, second);
        drop(journal);
        let journal = FileJournal::beside(&key_file, &keys).expect("read again");
        assert_eq!(journal.answers(&[7; 32]), [first, second]);
        assert_eq!(journal.answers(&[9; 32]), []);
    }

    #[test]
    fn n047_two_processes_of_one_participant_answer_one_after_the_other() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let key_file = dir.path().join("p.ccc");
        std::fs::write(&key_file, "").expect("written");
        let mut journal = FileJournal::beside(&key_file, &keys(1)).expect("an absent journal is empty");
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                let journal = FileJournal::beside(&key_file, &keys(1)).expect("read");
                journal.answers(&[7; 32]).len()
            });
            std::thread::sleep(std::time::Duration::from_millis(200));
            assert!(!other.is_finished());
            kept(&mut journal, 7, Answer { request: [1; 64], recipient: [2; 64], bytes: &[3] });
            drop(journal);
            assert_eq!(other.join().expect("the other"), 1, "it sees the first one's answer");
        });
    }

    #[test]
    fn no_byte_of_a_journal_can_change() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let (ours, theirs) = (keys(1), keys(2));
        let (key_file, path) = (dir.path().join("p.ccc"), dir.path().join("p.journal"));
        std::fs::write(&key_file, "").expect("written");
        let mut journal = FileJournal::beside(&key_file, &ours).expect("an absent journal is empty");
        for i in [1_u8, 2, 3] {
            let answer = Answer { request: [0xab; 64], recipient: [0xef; 64], bytes: &[0xcd, i] };
            kept(&mut journal, i, answer);
        }
        drop(journal);
        let good = std::fs::read(&path).expect("read");
        let refused_at = |bytes: &[u8], keys: &ParticipantKeys| {
            std::fs::write(&path, bytes).expect("written");
            match FileJournal::beside(&key_file, keys) {
                Err(JournalError::Line { line, .. }) => line,
                Err(other) => panic!("{other}"),
                Ok(_) => 0,
            }
        };
        assert_eq!(refused_at(&good, &ours), 0);
        assert_eq!(refused_at(&good, &theirs), 1, "another participant's");
        for byte in 0..good.len() {
            for bit in [0x01, 0x20] {
                let mut bent = good.clone();
                bent[byte] ^= bit;
                assert_ne!(refused_at(&bent, &ours), 0, "byte {byte}");
            }
        }
        let lines: Vec<&[u8]> = good.split_inclusive(|byte| *byte == b'\n').collect();
        assert_eq!(refused_at(&[lines[0], lines[2]].concat(), &ours), 2, "a line taken out");
        assert_eq!(refused_at(&[lines[1], lines[0], lines[2]].concat(), &ours), 1, "reordered");
        assert_eq!(refused_at(&[lines[0], lines[1], lines[1]].concat(), &ours), 3, "repeated");
        assert_eq!(refused_at(&good[..good.len() - 1], &ours), 0, "the end of the last line is added");
        assert_eq!(std::fs::read(&path).expect("read"), good);
        assert_eq!(refused_at(&[&good[..good.len() - 1], b"}"].concat(), &ours), 3, "longer than a line");
        assert_eq!(refused_at(&[&good, b"x".as_slice()].concat(), &ours), 4, "no beginning of a line");
        assert_eq!(refused_at(&[&good[..good.len() - 2], b"\n"].concat(), &ours), 3, "torn, and a line after it");
    }

    /// However much of the last line is there, the lines before it stand and the next one follows them.
    #[test]
    fn a_line_cut_anywhere_is_left_out_and_the_next_one_takes_its_place() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let (keys, key_file, path) = (keys(1), dir.path().join("p.ccc"), dir.path().join("p.journal"));
        std::fs::write(&key_file, "").expect("written");
        let answer = |byte| Answer { request: [byte; 64], recipient: [2; 64], bytes: &[3; 5] };
        let mut journal = FileJournal::beside(&key_file, &keys).expect("an absent journal is empty");
        kept(&mut journal, 1, answer(1));
        let whole = std::fs::metadata(&path).expect("a journal").len();
        let first = std::fs::read(&path).expect("read");
        kept(&mut journal, 2, answer(2));
        drop(journal);
        let both = std::fs::read(&path).expect("read");
        let cuts = first.len()..both.len();
        for cut in cuts.step_by(7).chain([both.len() - 2]) {
            std::fs::write(&path, &both[..cut]).expect("written");
            let mut journal = FileJournal::beside(&key_file, &keys).expect("read");
            assert_eq!((journal.answers(&[1; 32]).len(), journal.answers(&[2; 32]).len()), (1, 0), "cut at {cut}");
            kept(&mut journal, 3, answer(3));
            // what a failed write leaves that could not be taken back
            let mut file = OpenOptions::new().append(true).open(&path).expect("opened");
            file.write_all(&first[..usize::try_from(whole / 2).expect("short")]).expect("written");
            kept(&mut journal, 4, answer(4));
            drop(journal);
            let journal = FileJournal::beside(&key_file, &keys).expect("read again");
            assert_eq!([1, 2, 3, 4].map(|id| journal.answers(&[id; 32]).len()), [1, 0, 1, 1], "cut at {cut}");
        }
    }

    /// A journal that was put back to an earlier state, with the counter that has seen more.
    #[test]
    fn n155_an_older_journal_than_its_counter_is_refused() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let (keys, key_file) = (keys(1), dir.path().join("p.ccc"));
        let (path, counter) = (dir.path().join("p.journal"), dir.path().join("p.counter"));
        std::fs::write(&key_file, "").expect("written");
        let open = |keys: &ParticipantKeys| FileJournal::counted(&key_file, &counter, keys);
        let answer = |byte| Answer { request: [byte; 64], recipient: [2; 64], bytes: &[3; 5] };
        let mut journal = open(&keys).expect("an absent journal is empty");
        assert!(matches!(open(&keys), Err(JournalError::Busy { .. })));
        kept(&mut journal, 1, answer(1));
        let earlier = std::fs::read(&path).expect("read");
        journal.keep([2; 32], answer(2)).expect("kept");
        journal.keep([3; 32], answer(3)).expect("kept");
        journal.settle().expect("on the medium");
        drop(journal);
        drop(open(&keys).expect("as it was left"));
        let now = std::fs::read(&path).expect("read");
        std::fs::write(&path, &earlier).expect("written");
        assert!(matches!(open(&keys), Err(JournalError::Behind { counted: 3, found: 1, .. })));
        std::fs::remove_file(&path).expect("removed");
        assert!(matches!(open(&keys), Err(JournalError::Behind { counted: 3, found: 0, .. })));
        std::fs::write(&path, &now).expect("written");
        let seen = std::fs::read(&counter).expect("read");
        let bent: Vec<u8> = seen.iter().map(|byte| byte ^ 1).collect();
        std::fs::write(&counter, bent).expect("written");
        assert!(matches!(open(&keys), Err(JournalError::Counter { .. })));
        std::fs::write(&counter, seen).expect("written");
        let journal = open(&keys).expect("as it was left");
        assert_eq!([1, 2, 3, 4].map(|id| journal.answers(&[id; 32]).len()), [1, 1, 1, 0]);
    }
}
