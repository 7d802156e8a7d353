//! What a node gave and refused, to whom: one JSON line each, chained by hashes, so that a line taken out or altered shows.
//!
//! *Layout*: a line holds `sequence` from 1, `time`, `peer`, `request` and `recipient` (their digests), `ciphertexts`, `asks`,
//! `outcome`, `previous` and `hash`, which is H32("node-audit"; previous, sequence ‖ time ‖ ciphertexts ‖ asks, peer, request,
//! recipient, outcome). A line is of one ask; what a peer is refused beyond 60 lines a minute is counted, and a line with
//! that count in `asks` and no digests says so: a peer cannot fill the disk. No plaintext, no amount and no key is ever in
//! it: the node has none of them to write.
//!
//! A file that has grown to 64 MiB is put aside when the next line comes, as `<name>.` and the number of its first line, and
//! the chain goes on in a new one: the first line of each file follows the last line of the one before it. Files that were
//! put aside may be moved away, but for the newest, after which a file without a line goes on; the program removes none.
//!
//! *Security*: the chain has no key. It shows that lines belong together; whoever may write the file can write another
//! chain. Copy the last hash elsewhere to pin what came before.

mod parts;

use crate::{hexed::Hex, node::Outcome};
use ccc_core::suite;
use ccc_node::vault_node::Ask;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

const LABEL: &str = "node-audit";
/// The longest line that is read.
const MAX_LINE: u64 = 4_096;
/// Bytes from which a file is put aside.
const MAX_FILE: u64 = 64 << 20;
/// Lines a minute for what one peer is refused.
const REFUSALS: u64 = 60;

/// What an ask names, as the log keeps it.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// Digest of the request.
    pub request: [u8; 64],
    /// Digest of the enclave's keys.
    pub recipient: [u8; 64],
    /// How many ciphertexts the request names.
    pub ciphertexts: usize,
}

impl From<&Ask> for Named {
    fn from(ask: &Ask) -> Self {
        let (request, recipient) = (ask.request.digest(), ask.card.recipient.digest());
        Self { request, recipient, ciphertexts: ask.request.ciphertexts.len() }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditLine {
    /// Its number, from 1.
    pub sequence: u64,
    /// Unix seconds.
    pub time: u64,
    /// Who asked.
    pub peer: String,
    request: Hex<64>,
    recipient: Hex<64>,
    /// How many ciphertexts the request names.
    pub ciphertexts: usize,
    /// One, or how many refusals are counted here.
    pub asks: u64,
    /// given, refused or later.
    pub outcome: String,
    previous: Hex<32>,
    hash: Hex<32>,
}

/// Why a log does not hold together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The file cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A line that is none, has another number, another predecessor or another hash.
    #[error("line {line} is not what was written there: {reason}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong.
        reason: &'static str,
    },
}

/// What a whole log says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditHead {
    /// Lines of files that are not here any more.
    pub elsewhere: u64,
    /// Lines, those elsewhere among them.
    pub lines: u64,
    /// Hash of the last one; zero for none.
    pub hash: [u8; 32],
    /// Shares given.
    pub given: u64,
    /// Asks refused.
    pub refused: u64,
    /// Number of the newest file's first line.
    first: u64,
    /// Bytes of the whole lines of the newest file.
    length: u64,
}

impl AuditLine {
    fn digest(&self) -> [u8; 32] {
        let numbers = [self.sequence, self.time, self.ciphertexts as u64, self.asks].map(u64::to_be_bytes).concat();
        let (peer, outcome) = (self.peer.as_bytes(), self.outcome.as_bytes());
        let fields = [&self.previous.0, numbers.as_slice(), peer, &self.request.0, &self.recipient.0, outcome];
        suite::digest32(LABEL, &fields)
    }
}

/// Reads a log from the first line that is here to its last: the files that were put aside, and then the newest.
///
/// # Errors
/// [`AuditError`] with the first line that does not belong; a last line without its end is one.
pub fn verify(path: &Path) -> Result<AuditHead, AuditError> {
    let mut head = None;
    for part in parts::aside(path)?.into_iter().chain([path.to_owned()]) {
        head = Some(whole(&part, head)?);
    }
    Ok(head.unwrap_or_default())
}

/// A file without a torn end, after the lines of the file before it.
fn whole(path: &Path, before: Option<AuditHead>) -> Result<AuditHead, AuditError> {
    match read(path, before)? {
        (head, 0) => Ok(head),
        (head, _) => Err(AuditError::Line { line: head.lines + 1, reason: "it has no end" }),
    }
}

/// The whole lines, and how many bytes stand after the last of them without an end of line. Where no file stands before it,
/// the first line says itself what it follows.
fn read(path: &Path, before: Option<AuditHead>) -> Result<(AuditHead, u64), AuditError> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut head = before.map(|head| AuditHead { length: 0, ..head });
    loop {
        let mut text = Vec::new();
        io::Read::take(&mut reader, MAX_LINE).read_until(b'\n', &mut text)?;
        if text.is_empty() {
            return Ok((head.unwrap_or_default(), 0));
        }
        if text.last() != Some(&b'\n') {
            let head = head.unwrap_or_default();
            return Ok((head, tail(head.lines + 1, text.len() as u64, reader)?));
        }
        head = Some(head.unwrap_or_else(|| AuditHead::before(&text)).then(&text)?);
    }
}

/// The rest of a file whose last end of line is past: a line that was cut. One that goes on in another line is none.
fn tail(line: u64, mut length: u64, mut reader: impl BufRead) -> Result<u64, AuditError> {
    loop {
        let read = reader.fill_buf()?;
        if read.is_empty() {
            return Ok(length);
        }
        if read.contains(&b'\n') {
            return Err(AuditError::Line { line, reason: "it is too long" });
        }
        let read = read.len();
        length += read as u64;
        reader.consume(read);
    }
}

impl AuditHead {
    /// What stands before the first line that is here, as that line says; nothing before a line that cannot be read.
    fn before(text: &[u8]) -> Self {
        let line: Option<AuditLine> = serde_json::from_slice(text).ok();
        let follows = line.and_then(|line| Some((line.sequence.checked_sub(1)?, line.previous.0)));
        let (lines, hash) = follows.unwrap_or_default();
        Self { elsewhere: lines, lines, hash, ..Self::default() }
    }

    fn then(self, text: &[u8]) -> Result<Self, AuditError> {
        let number = self.lines + 1;
        let wrong = |reason| AuditError::Line { line: number, reason };
        let line: AuditLine = serde_json::from_slice(text).map_err(|_| wrong("it cannot be read"))?;
        let checks = [
            (line.sequence == number, "it has another number"),
            (line.previous.0 == self.hash, "it follows another line"),
            (line.digest() == line.hash.0, "its hash is another"),
        ];
        if let Some((_, reason)) = checks.into_iter().find(|(holds, _)| !holds) {
            return Err(wrong(reason));
        }
        let counted = |word: &str| if line.outcome == word { line.asks } else { 0 };
        Ok(Self {
            elsewhere: self.elsewhere,
            lines: number,
            hash: line.hash.0,
            given: self.given.saturating_add(counted(Outcome::Given.word())),
            refused: self.refused.saturating_add(counted(Outcome::Refused.word())),
            first: if self.length == 0 { number } else { self.first },
            length: self.length + text.len() as u64,
        })
    }
}

/// A log that is written on.
pub struct AuditLog {
    path: PathBuf,
    file: File,
    most: u64,
    head: AuditHead,
    refusals: BTreeMap<String, Refusals>,
}

/// What one peer was refused.
#[derive(Clone, Copy, Default)]
struct Refusals {
    minute: u64,
    lines: u64,
    /// Without a line of their own yet, and when the last of them was.
    uncounted: u64,
    at: u64,
}

impl Refusals {
    /// Whether another one has a line of its own.
    fn has_line(&mut self, time: u64) -> bool {
        if self.minute != time / 60 {
            (self.minute, self.lines) = (time / 60, 0);
        }
        self.lines = self.lines.saturating_add(1);
        if self.lines <= REFUSALS {
            return true;
        }
        (self.uncounted, self.at) = (self.uncounted.saturating_add(1), time);
        false
    }
}

impl AuditLog {
    /// Opens a log, or begins one; every whole line in its newest two files must hold together. A last line without its end is what a power
    /// loss leaves, since lines reach the medium some seconds later: it is cut off, and that is logged.
    ///
    /// # Errors
    /// [`AuditError`].
    pub fn open(path: &Path) -> Result<Self, AuditError> {
        let before = parts::aside(path)?.pop().map(|part| whole(&part, None)).transpose()?;
        let (head, torn) = if path.exists() { read(path, before)? } else { (parts::next_file(before), 0) };
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        if torn > 0 {
            tracing::warn!(target: "ccc_server::audit", lines = head.lines, "a torn last line of {torn} bytes is cut off");
            file.set_len(head.length)?;
            file.sync_data()?;
        }
        Ok(Self { path: path.into(), file, most: MAX_FILE, head, refusals: BTreeMap::new() })
    }

    /// Appends a line, or counts a refusal beyond what its peer has lines for. It is with the system when this returns, and
    /// on the medium after [`Self::sync`].
    ///
    /// # Errors
    /// What the system says; the line does not count then.
    pub fn append(&mut self, time: u64, peer: &str, named: &Named, outcome: Outcome) -> Result<(), AuditError> {
        if outcome != Outcome::Given {
            let refusals = self.refusals.entry(peer.to_owned()).or_default();
            if !refusals.has_line(time) {
                return Ok(());
            }
        }
        self.write(time, peer, named, 1, outcome)
    }

    fn write(&mut self, time: u64, peer: &str, named: &Named, asks: u64, outcome: Outcome) -> Result<(), AuditError> {
        if self.head.length >= self.most {
            self.file = parts::put_aside(&self.path, &self.file, self.head.first)?;
            self.head = parts::next_file(Some(self.head));
        }
        let mut line = AuditLine {
            sequence: self.head.lines + 1,
            time,
            peer: peer.to_owned(),
            request: Hex(named.request),
            recipient: Hex(named.recipient),
            ciphertexts: named.ciphertexts,
            asks,
            outcome: outcome.word().to_owned(),
            previous: Hex(self.head.hash),
            hash: Hex([0; 32]),
        };
        line.hash = Hex(line.digest());
        let mut text = serde_json::to_vec(&line).map_err(io::Error::other)?;
        text.push(b'\n');
        if let Err(error) = self.file.write_all(&text) {
            let _torn = self.file.set_len(self.head.length);
            return Err(error.into());
        }
        self.head = self.head.then(&text)?;
        Ok(())
    }

    /// Writes what was counted and has every line on the medium.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&mut self) -> Result<(), AuditError> {
        let counted: Vec<_> = self.refusals.iter().map(|(peer, refusals)| (peer.clone(), *refusals)).collect();
        let nothing = Named { request: [0; 64], recipient: [0; 64], ciphertexts: 0 };
        for (peer, Refusals { uncounted, at, .. }) in counted.into_iter().filter(|(_, counts)| counts.uncounted > 0) {
            self.write(at, &peer, &nothing, uncounted, Outcome::Refused)?;
            self.refusals.entry(peer).and_modify(|refusals| refusals.uncounted = 0);
        }
        Ok(self.file.sync_data()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: u8) -> Named {
        Named { request: [id; 64], recipient: [4; 64], ciphertexts: 1 }
    }

    /// Ten thousand refusals in a minute are few lines, and none of them is lost to the count.
    #[test]
    fn n051_what_a_peer_is_refused_takes_a_bounded_part_of_the_disk() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let path = dir.path().join("audit.log");
        let mut log = AuditLog::open(&path).expect("begun");
        for time in [120, 130] {
            for _ in 0..5_000 {
                log.append(time, "host", &request(1), Outcome::Refused).expect("written");
            }
            log.append(time, "other", &request(2), Outcome::Refused).expect("written");
            log.append(time, "host", &request(3), Outcome::Given).expect("written");
            log.sync().expect("on the medium");
        }
        let head = verify(&path).expect("whole");
        assert_eq!((head.lines, head.given, head.refused), (60 + 2 + 2 + 2, 2, 10_002));
        log.append(180, "host", &request(1), Outcome::Refused).expect("written");
        assert_eq!(verify(&path).expect("whole").lines, head.lines + 1, "the next minute has lines again");
    }

    /// A log in files of a few lines each, and one of them altered, taken out or moved away.
    #[test]
    fn the_chain_goes_on_over_files_that_were_put_aside() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let path = dir.path().join("audit.log");
        let part = |number: u8| dir.path().join(format!("audit.log.0000000000{number:02}"));
        for time in 1..=10 {
            let mut log = AuditLog::open(&path).expect("opened");
            log.most = 1_500;
            log.append(time, "host", &request(1), Outcome::Given).expect("written");
        }
        let head = verify(&path).expect("whole");
        assert_eq!((head.elsewhere, head.lines, head.given), (0, 10, 10));
        let lines_of = |path: &Path| std::fs::read_to_string(path).expect("read").lines().count();
        assert_eq!([part(1), part(4), part(7), path.clone()].map(|part| lines_of(&part)), [3, 3, 3, 1]);
        let second = std::fs::read_to_string(part(4)).expect("read");
        std::fs::write(part(4), second.replacen("host", "most", 1)).expect("altered");
        assert!(matches!(verify(&path), Err(AuditError::Line { line: 4, reason: "its hash is another" })));
        std::fs::remove_file(part(4)).expect("taken out");
        assert!(matches!(verify(&path), Err(AuditError::Line { line: 4, reason: "it has another number" })));
        std::fs::write(part(4), &second).expect("put back");
        std::fs::remove_file(part(1)).expect("moved away");
        let head = verify(&path).expect("what is here is whole");
        assert_eq!((head.elsewhere, head.lines, head.given), (3, 10, 7));
        let mut log = AuditLog::open(&path).expect("opened");
        log.append(11, "host", &request(1), Outcome::Given).expect("written");
        assert_eq!(verify(&path).expect("it goes on").lines, 11);
        let torn = std::fs::read(part(7)).expect("read");
        std::fs::write(part(7), &torn[..torn.len() - 1]).expect("cut");
        assert!(matches!(verify(&path), Err(AuditError::Line { line: 9, reason: "it has no end" })));
        assert!(matches!(AuditLog::open(&path), Err(AuditError::Line { line: 9, reason: "it has no end" })));
    }

    /// Whoever moves the older files away finds the chain going on, and none of their names given again.
    #[test]
    fn a_log_whose_older_files_were_all_moved_away_goes_on_and_no_file_takes_the_name_of_one() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let path = dir.path().join("audit.log");
        let mut moved = Vec::new();
        for time in 1..=20 {
            let mut log = AuditLog::open(&path).expect("opened");
            log.most = 1_500;
            log.append(time, "host", &request(1), Outcome::Given).expect("written");
            drop(log);
            for part in parts::aside(&path).expect("listed") {
                assert!(!moved.contains(&part), "{} again", part.display());
                std::fs::remove_file(&part).expect("moved away");
                moved.push(part);
            }
            assert_eq!(verify(&path).expect("whole").lines, time, "after {} files", moved.len());
        }
        assert_eq!(moved.len(), 6);
    }

    #[test]
    fn a_line_altered_taken_out_or_moved_is_named() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let path = dir.path().join("audit.log");
        let mut log = AuditLog::open(&path).expect("begun");
        log.append(1, "host", &request(1), Outcome::Given).expect("written");
        log.append(2, "host", &request(2), Outcome::Refused).expect("written");
        drop(log);
        let mut log = AuditLog::open(&path).expect("opened again");
        log.append(3, "host", &request(3), Outcome::Later).expect("written");
        log.sync().expect("on the medium");
        let head = verify(&path).expect("whole");
        assert_eq!((head.lines, head.given, head.refused), (3, 1, 1));
        let good = std::fs::read_to_string(&path).expect("read");
        let lines: Vec<&str> = good.split_inclusive('\n').collect();
        let wrong = |text: String| {
            std::fs::write(&path, text).expect("written");
            match verify(&path) {
                Err(AuditError::Line { line, reason }) => (line, reason),
                other => (0, if other.is_ok() { "whole" } else { "unreadable" }),
            }
        };
        assert_eq!(wrong(good.replace("refused", "given")), (2, "its hash is another"));
        assert_eq!(wrong([lines[0], lines[2]].concat()), (2, "it has another number"));
        assert_eq!(wrong([lines[0], lines[0]].concat()), (2, "it has another number"));
        assert_eq!(wrong(good.trim_end().to_owned()), (3, "it has no end"));
        assert_eq!(wrong(format!("{good}x\n")), (4, "it cannot be read"));
        assert!(matches!(AuditLog::open(&path), Err(AuditError::Line { line: 4, .. })));
        let long = "x".repeat(5_000);
        assert_eq!(wrong(format!("{good}{long}\n")), (4, "it is too long"));
    }

    /// A power loss takes what was not on the medium, or leaves zeros in its place; the node starts all the same.
    #[test]
    fn a_last_line_cut_anywhere_is_left_out_and_the_next_one_takes_its_place() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let path = dir.path().join("audit.log");
        let mut log = AuditLog::open(&path).expect("begun");
        log.append(1, "host", &request(1), Outcome::Given).expect("written");
        let whole = std::fs::read(&path).expect("read").len();
        log.append(2, "host", &request(2), Outcome::Refused).expect("written");
        let both = std::fs::read(&path).expect("read");
        let cuts = (whole + 1..both.len()).map(|cut| both[..cut].to_vec());
        let zeros = [1, 5_000, 20_000].map(|zeros| [&both[..whole], &vec![0; zeros]].concat());
        for torn in cuts.chain(zeros) {
            std::fs::write(&path, &torn).expect("written");
            assert!(matches!(verify(&path), Err(AuditError::Line { line: 2, reason: "it has no end" })));
            let mut log = AuditLog::open(&path).expect("opened");
            log.append(3, "host", &request(3), Outcome::Given).expect("written");
            let head = verify(&path).expect("whole");
            assert_eq!((head.lines, head.given, head.refused), (2, 2, 0), "{} bytes", torn.len());
        }
    }
}
