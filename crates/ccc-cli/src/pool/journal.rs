//! A participant's journal, beside its key file: what it has answered, so that it never answers twice
//! differently. One JSON line per answer, durable before the share is written.
//!
//! Every line carries an authenticator under a key that only the participant's secrets give, over the
//! authenticator before it: lines that were altered, reordered or taken out are refused. A journal that was
//! replaced by an earlier state of itself, or removed, is not noticed. The beginning of a line at the end is what a killed
//! writer leaves: it was never acknowledged, no answer was given, and it is cut off. Where its end of line alone is missing,
//! that is added.

mod lines;

use crate::{error::Error, files};
use ccc_core::keys::ParticipantKeys;
use ccc_node::vault_node::{Answer, Journal};
use lines::{Entry, JournalKey, Lines, Said};
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

const MAX_JOURNAL: u64 = 1 << 28;

/// A journal in a file. While it is open nobody else opens it: two processes of one participant answer one after the
/// other.
pub(crate) struct FileJournal {
    _lock: File,
    path: PathBuf,
    lines: Lines,
}

impl FileJournal {
    /// Waits for the key file's lock, then reads the journal that belongs to it; an absent one is empty, and a torn line at
    /// its end is left out.
    ///
    /// # Errors
    /// [`Error::Read`] for the key file, [`Error::Journal`] for a line that this participant did not write: it must not answer then.
    pub(crate) fn beside(key_file: &Path, keys: &ParticipantKeys) -> Result<Self, Error> {
        let lock = File::open(key_file).and_then(|file| file.lock().map(|()| file));
        let lock = lock.map_err(|source| Error::Read { path: key_file.into(), source })?;
        let path = key_file.with_extension("journal");
        files::check_target(&path, files::Replace::Force)?;
        let mut bytes = if path.exists() { files::read(&path, MAX_JOURNAL)? } else { Vec::new() };
        if lines::lacks_its_end(&bytes) {
            end_line(&path).map_err(|source| Error::Write { path: path.clone(), source })?;
            bytes.push(b'\n');
        }
        let lines = Lines::read(JournalKey::of(keys), &bytes);
        let lines = lines.map_err(|line| Error::Journal { path: path.clone(), line })?;
        Ok(Self { _lock: lock, path, lines })
    }

    /// Puts a line after the whole ones, where a torn one may stand, and has it and the file's name on the medium.
    fn append(&self, line: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        file.set_len(self.lines.length())?;
        let written = file.write_all(line).and_then(|()| file.sync_all());
        if written.is_err() {
            let _next_time = file.set_len(self.lines.length()); // whoever appends or opens leaves it out all the same
        }
        written?;
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
    }
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
        self.lines.entries().iter().filter(|entry| entry.id.0 == *id).map(given).collect()
    }

    fn keep(&mut self, id: [u8; 32], answer: Answer<'_>) -> Result<(), String> {
        let said = Said { id, digest: answer.request, recipient: answer.recipient, answer: answer.bytes };
        let (entry, line) = self.lines.next(&said).map_err(|error| error.to_string())?;
        self.append(&line).map_err(|error| error.to_string())?;
        self.lines.add(entry, &line);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

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
        journal.keep([7; 32], first).expect("kept");
        journal.keep([8; 32], Answer { bytes: &[], ..first }).expect("kept");
        journal.keep([7; 32], second).expect("kept");
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
            journal.keep([7; 32], Answer { request: [1; 64], recipient: [2; 64], bytes: &[3] }).expect("kept");
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
            journal.keep([i; 32], answer).expect("kept");
        }
        drop(journal);
        let good = std::fs::read(&path).expect("read");
        let refused_at = |bytes: &[u8], keys: &ParticipantKeys| {
            std::fs::write(&path, bytes).expect("written");
            match FileJournal::beside(&key_file, keys) {
                Err(Error::Journal { line, .. }) => line,
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
        journal.keep([1; 32], answer(1)).expect("kept");
        let whole = std::fs::metadata(&path).expect("a journal").len();
        let first = std::fs::read(&path).expect("read");
        journal.keep([2; 32], answer(2)).expect("kept");
        drop(journal);
        let both = std::fs::read(&path).expect("read");
        let cuts = first.len()..both.len();
        for cut in cuts.step_by(7).chain([both.len() - 2]) {
            std::fs::write(&path, &both[..cut]).expect("written");
            let mut journal = FileJournal::beside(&key_file, &keys).expect("read");
            assert_eq!((journal.answers(&[1; 32]).len(), journal.answers(&[2; 32]).len()), (1, 0), "cut at {cut}");
            journal.keep([3; 32], answer(3)).expect("kept");
            // what a failed write leaves that could not be taken back
            let mut file = OpenOptions::new().append(true).open(&path).expect("opened");
            file.write_all(&first[..usize::try_from(whole / 2).expect("short")]).expect("written");
            journal.keep([4; 32], answer(4)).expect("kept");
            drop(journal);
            let journal = FileJournal::beside(&key_file, &keys).expect("read again");
            assert_eq!([1, 2, 3, 4].map(|id| journal.answers(&[id; 32]).len()), [1, 0, 1, 1], "cut at {cut}");
        }
    }
}
