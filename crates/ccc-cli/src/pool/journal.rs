//! A participant's journal, beside its key file: what it has answered, so that it never answers twice
//! differently. One JSON line per answer, durable before the share is written.
//!
//! Every line carries an authenticator under a key that only the participant's secrets give, over the
//! authenticator before it: lines that were altered, reordered or taken out are refused. A journal that was
//! replaced by an earlier state of itself, or removed, is not noticed. The beginning of a line at the end is what a killed
//! writer leaves: it was never acknowledged, no answer was given, and it is cut off. Where its end of line alone is missing,
//! that is added.

use super::hexed::{Hex, HexBytes};
use crate::{error::Error, files};
use ccc_core::keys::ParticipantKeys;
use ccc_node::vault_node::{Answer, Journal};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha512;
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

const MAX_JOURNAL: u64 = 1 << 28;
const KEY_LABEL: &[u8] = b"ccc/v1/journal";

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Hex<32>,
    digest: Hex<64>,
    recipient: Hex<64>,
    answer: HexBytes,
    mac: Hex<64>,
}

/// The key of a journal's authenticators.
///
/// *Layout*: HMAC-SHA-512(participant's keys (kind 19); "ccc/v1/journal"). A line's authenticator is
/// HMAC-SHA-512(key; the one before, 64 zero bytes at first ‖ id 32 ‖ request digest 64 ‖ recipient digest 64 ‖
/// answer).
struct JournalKey(Zeroizing<[u8; 64]>);

/// A journal in a file. While it is open nobody else opens it: two processes of one participant answer one after the
/// other.
pub(crate) struct FileJournal {
    _lock: File,
    path: PathBuf,
    key: JournalKey,
    entries: Vec<Entry>,
    /// Bytes of the whole lines.
    length: u64,
}

impl JournalKey {
    fn of(keys: &ParticipantKeys) -> Self {
        Self(Zeroizing::new(authenticator(&keys.to_bytes(), &[KEY_LABEL])))
    }

    fn line(&self, last: Option<&Entry>, id: &[u8; 32], answer: &Answer<'_>) -> [u8; 64] {
        let before = last.map_or([0; 64], |entry| entry.mac.0);
        authenticator(self.0.as_slice(), &[&before, id, &answer.request, &answer.recipient, answer.bytes])
    }
}

fn authenticator(key: &[u8], parts: &[&[u8]]) -> [u8; 64] {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
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
        if lacks_its_end(&bytes) {
            end_line(&path).map_err(|source| Error::Write { path: path.clone(), source })?;
            bytes.push(b'\n');
        }
        let mut journal = Self { _lock: lock, path, key: JournalKey::of(keys), entries: Vec::new(), length: 0 };
        for line in bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| !is_torn(line)) {
            let entry = journal.authentic(line);
            let refused = || Error::Journal { path: journal.path.clone(), line: journal.entries.len() + 1 };
            journal.entries.push(entry.ok_or_else(refused)?);
            journal.length += line.len() as u64;
        }
        Ok(journal)
    }

    /// Puts a line after the whole ones, where a torn one may stand, and has it and the file's name on the medium.
    fn append(&self, line: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        file.set_len(self.length)?;
        let written = file.write_all(line).and_then(|()| file.sync_all());
        if written.is_err() {
            let _next_time = file.set_len(self.length); // whoever appends or opens leaves it out all the same
        }
        written?;
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
    }

    /// The entry of a line that stands as it was written, after the entries before it.
    fn authentic(&self, line: &[u8]) -> Option<Entry> {
        let entry: Entry = serde_json::from_slice(line).ok()?;
        let mac = self.key.line(self.entries.last(), &entry.id.0, &entry.given());
        (mac == entry.mac.0 && written(&entry).ok()? == line).then_some(entry)
    }
}

impl Entry {
    fn given(&self) -> Answer<'_> {
        Answer { request: self.digest.0, recipient: self.recipient.0, bytes: &self.answer.0 }
    }
}

/// Whether bytes are the beginning of a line and not all of it.
fn is_torn(line: &[u8]) -> bool {
    line.last() != Some(&b'\n') && serde_json::from_slice::<Entry>(line).is_err_and(|error| error.is_eof())
}

/// Whether the last line is whole but for its end.
fn lacks_its_end(bytes: &[u8]) -> bool {
    let last = bytes.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    !last.is_empty() && serde_json::from_slice::<Entry>(last).is_ok()
}

fn end_line(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(path)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

fn written(entry: &Entry) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    Ok(line)
}

impl Journal for FileJournal {
    fn answers(&self, id: &[u8; 32]) -> Vec<Answer<'_>> {
        self.entries.iter().filter(|entry| entry.id.0 == *id).map(Entry::given).collect()
    }

    fn keep(&mut self, id: [u8; 32], answer: Answer<'_>) -> Result<(), String> {
        let mac = Hex(self.key.line(self.entries.last(), &id, &answer));
        let (digest, recipient) = (Hex(answer.request), Hex(answer.recipient));
        let entry = Entry { id: Hex(id), digest, recipient, answer: HexBytes(answer.bytes.to_vec()), mac };
        let line = written(&entry).map_err(|error| error.to_string())?;
        self.append(&line).map_err(|error| error.to_string())?;
        self.length += line.len() as u64;
        self.entries.push(entry);
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
