//! What a node gave and refused, to whom: one JSON line each, chained by hashes, so that a line taken out or altered shows.
//!
//! *Layout*: a line holds `sequence` from 1, `time`, `peer`, `request` and `recipient` (their digests), `ciphertexts`, `asks`,
//! `outcome`, `previous` and `hash`, which is H32("node-audit"; previous, sequence ‖ time ‖ ciphertexts ‖ asks, peer, request,
//! recipient, outcome). A line is of one ask; what a peer is refused beyond 60 lines a minute is counted, and a line with
//! that count in `asks` and no digests says so, and so are its answered calls: a peer cannot fill the disk. A line of an enclave's host or of a signer
//! is of one call: `request` is H("node-call"; its body), `recipient` has zeros, and `call` holds the `door` and `answer`,
//! H("node-answer"; the answer's body) or zeros where there is none; its hash is H32("node-audit-call"; the fields above,
//! door, answer). No plaintext, no amount and no key is ever in it.
//!
//! A file that has grown to 64 MiB is put aside when the next line comes, as `<name>.` and the number of its first line, and
//! the chain goes on in a new one: the first line of each file follows the last line of the one before it. Files that were
//! put aside may be moved away, but for the newest, after which a file without a line goes on; the program removes none.
//!
//! *Security*: the chain has no key. It shows that lines belong together; whoever may write the file can write another
//! chain. Copy the last hash elsewhere to pin what came before.

use crate::{application::Door, follow::Clock, hexed::Hex, node::Outcome};
use ccc_core::suite;
use ccc_node::vault_node::Ask;
use ccc_store::chained::{
    Link,
    rotated::{self, Rotated, Whole},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

pub use ccc_store::chained::ChainedError as AuditError;

const LABEL: &str = "node-audit";
const CALL_LABEL: &str = "node-audit-call";
/// Bytes from which a file is put aside.
const MAX_FILE: u64 = 64 << 20;
/// Lines a minute for what one peer is refused, and for its calls that are answered: only a share costs more than its line.
const LINES: u64 = 60;

/// What was asked for, as the log keeps it.
#[derive(Clone, Debug)]
pub struct Named {
    /// Digest of the request, or of a call's body.
    pub request: [u8; 64],
    /// Digest of the enclave's keys.
    pub recipient: [u8; 64],
    /// How many ciphertexts the request names.
    pub ciphertexts: usize,
    /// Of a call that is no ask for shares.
    pub call: Option<Call>,
}

/// A call of an enclave's host or of a signer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The path.
    pub door: String,
    answer: Hex<64>,
}

impl From<&Ask> for Named {
    fn from(ask: &Ask) -> Self {
        let (request, recipient) = (ask.request.digest(), ask.card.recipient.digest());
        Self { request, recipient, ciphertexts: ask.request.ciphertexts.len(), call: None }
    }
}

impl Named {
    /// A call with this body at a door.
    #[must_use]
    pub fn call(door: &Door, body: &[u8]) -> Self {
        let call = Some(Call { door: door.path.to_owned(), answer: Hex([0; 64]) });
        Self { request: suite::hash("node-call", &[body]), recipient: [0; 64], ciphertexts: 0, call }
    }

    /// The call with the body of its answer.
    #[must_use]
    pub fn answered(mut self, body: &[u8]) -> Self {
        if let Some(call) = &mut self.call {
            call.answer = Hex(suite::hash("node-answer", &[body]));
        }
        self
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
    /// What was called, where that is no ask for shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Call>,
    previous: Hex<32>,
    hash: Hex<32>,
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
    /// Asks and calls answered.
    pub given: u64,
    /// Asks and calls refused.
    pub refused: u64,
}

impl Link for AuditLine {
    const MAX_LINE: u64 = 4_096;

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
        let numbers = [self.sequence, self.time, self.ciphertexts as u64, self.asks].map(u64::to_be_bytes).concat();
        let (peer, outcome) = (self.peer.as_bytes(), self.outcome.as_bytes());
        let fields = [&self.previous.0, numbers.as_slice(), peer, &self.request.0, &self.recipient.0, outcome];
        match &self.call {
            None => suite::digest32(LABEL, &fields),
            Some(Call { door, answer }) => {
                suite::digest32(CALL_LABEL, &[fields.as_slice(), &[door.as_bytes(), &answer.0]].concat())
            }
        }
    }
}

/// Reads a log from the first line that is here to its last: the files that were put aside, and then the newest.
///
/// # Errors
/// [`AuditError`] with the first line that does not belong; a last line without its end is one.
pub fn verify(path: &Path) -> Result<AuditHead, AuditError> {
    let (mut given, mut refused) = (0_u64, 0_u64);
    let Whole { elsewhere, head } = rotated::verify(path, |line: AuditLine| {
        let counted = |word: &str| if line.outcome == word { line.asks } else { 0 };
        given = given.saturating_add(counted(Outcome::Given.word()));
        refused = refused.saturating_add(counted(Outcome::Refused.word()));
    })?;
    Ok(AuditHead { elsewhere, lines: head.lines, hash: head.hash, given, refused })
}

/// A log that is written on.
pub struct AuditLog {
    file: Rotated<AuditLine>,
    /// By peer, and whether it was answered.
    counts: BTreeMap<(String, bool), Counts>,
}

/// What one peer was refused, or answered in calls.
#[derive(Clone, Copy, Default)]
struct Counts {
    minute: u64,
    lines: u64,
    /// Without a line of their own yet, and when the last of them was.
    uncounted: u64,
    at: u64,
}

impl Counts {
    /// Whether another one has a line of its own.
    fn has_line(&mut self, time: u64) -> bool {
        if self.minute != time / 60 {
            (self.minute, self.lines) = (time / 60, 0);
        }
        self.lines = self.lines.saturating_add(1);
        if self.lines <= LINES {
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
    /// [`AuditError`]; [`AuditError::Busy`] while another process writes it.
    pub fn open(path: &Path) -> Result<Self, AuditError> {
        Self::open_with(path, MAX_FILE)
    }

    fn open_with(path: &Path, most: u64) -> Result<Self, AuditError> {
        let file = Rotated::open(path, most)?;
        if file.torn() > 0 {
            let (lines, torn) = (file.head().lines, file.torn());
            tracing::warn!(target: "ccc_server::audit", lines, "a torn last line of {torn} bytes is cut off");
        }
        Ok(Self { file, counts: BTreeMap::new() })
    }

    /// Appends a line, or counts what is beyond what its peer has lines for. It is with the system when this returns, and
    /// on the medium after [`Self::sync`].
    ///
    /// # Errors
    /// What the system says; the line does not count then.
    pub fn append(&mut self, time: u64, peer: &str, named: &Named, outcome: Outcome) -> Result<(), AuditError> {
        let given = outcome == Outcome::Given;
        let bounded = !given || named.call.is_some();
        if bounded && !self.counts.entry((peer.to_owned(), given)).or_default().has_line(time) {
            return Ok(());
        }
        self.write(time, peer, named, 1, outcome)
    }

    fn write(&mut self, time: u64, peer: &str, named: &Named, asks: u64, outcome: Outcome) -> Result<(), AuditError> {
        self.file.append(|sequence, previous| {
            let mut line = AuditLine {
                sequence,
                time,
                peer: peer.to_owned(),
                request: Hex(named.request),
                recipient: Hex(named.recipient),
                ciphertexts: named.ciphertexts,
                asks,
                outcome: outcome.word().to_owned(),
                call: named.call.clone(),
                previous: Hex(previous),
                hash: Hex([0; 32]),
            };
            line.hash = Hex(line.digest());
            line
        })
    }

    /// Writes what was counted and has every line on the medium.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&mut self) -> Result<(), AuditError> {
        let counted: Vec<_> = self.counts.iter().filter(|(_, counts)| counts.uncounted > 0).collect();
        let counted: Vec<_> = counted.into_iter().map(|(whose, counts)| (whose.clone(), *counts)).collect();
        let nothing = Named { request: [0; 64], recipient: [0; 64], ciphertexts: 0, call: None };
        for ((peer, given), Counts { uncounted, at, .. }) in counted {
            let outcome = if given { Outcome::Given } else { Outcome::Refused };
            self.write(at, &peer, &nothing, uncounted, outcome)?;
            self.counts.entry((peer, given)).and_modify(|counts| counts.uncounted = 0);
        }
        self.file.sync()
    }
}

/// A node's log, or none, with the clock that its lines are of. What cannot be written is an error in the node's own log, and stops
/// no answer.
pub struct Auditor {
    log: Mutex<Option<AuditLog>>,
    clock: Arc<dyn Clock>,
}

impl Auditor {
    /// A log that is written by this clock.
    #[must_use]
    pub fn new(log: Option<AuditLog>, clock: Arc<dyn Clock>) -> Self {
        Self { log: Mutex::new(log), clock }
    }

    /// Writes what became of each.
    pub fn append(&self, peer: &str, lines: impl IntoIterator<Item = (Named, Outcome)>) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(log), now) = (log.as_mut(), self.clock.now()) else { return };
        for (named, outcome) in lines {
            if let Err(error) = log.append(now, peer, &named, outcome) {
                tracing::error!(target: "ccc_server::audit", "the audit log did not take an entry: {error}");
            }
        }
    }

    /// Has every line on the medium.
    pub fn sync(&self) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(error)) = log.as_mut().map(AuditLog::sync) {
            tracing::error!(target: "ccc_server::audit", "the audit log is not on its medium: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two lines in the form of the release before this one, made by `docs/spec/encodings.md` and not by this code.
    const FORMER: &str = include_str!("audit/former.audit");

    fn request(id: u8) -> Named {
        Named { request: [id; 64], recipient: [4; 64], ciphertexts: 1, call: None }
    }

    /// Every file of the log but the newest.
    fn aside(directory: &Path) -> Vec<std::path::PathBuf> {
        let files = std::fs::read_dir(directory).expect("listed").map(|entry| entry.expect("an entry").path());
        files.filter(|path| !path.ends_with("audit.log")).collect()
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

    /// Whoever may read what is sealed may read it often.
    #[test]
    fn n051_what_a_peer_calls_takes_a_bounded_part_of_the_disk() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let path = dir.path().join("audit.log");
        let mut log = AuditLog::open(&path).expect("begun");
        let call = Named::call(&crate::attested::TABLE, b"hash");
        for _ in 0..5_000 {
            log.append(120, "reader", &call, Outcome::Given).expect("written");
        }
        for _ in 0..100 {
            log.append(120, "host", &request(1), Outcome::Given).expect("written");
        }
        log.append(120, "reader", &call, Outcome::Refused).expect("written");
        log.sync().expect("on the medium");
        let head = verify(&path).expect("whole");
        assert_eq!((head.lines, head.given, head.refused), (60 + 1 + 100 + 1, 5_100, 1), "a share has its line always");
    }

    /// A log in files of a few lines each, and one of them altered, taken out or moved away.
    #[test]
    fn the_chain_goes_on_over_files_that_were_put_aside() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let path = dir.path().join("audit.log");
        let part = |number: u8| dir.path().join(format!("audit.log.0000000000{number:02}"));
        for time in 1..=10 {
            let mut log = AuditLog::open_with(&path, 1_500).expect("opened");
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
            let mut log = AuditLog::open_with(&path, 1_500).expect("opened");
            log.append(time, "host", &request(1), Outcome::Given).expect("written");
            drop(log);
            for part in aside(dir.path()) {
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
        assert!(matches!(AuditLog::open(&path), Err(AuditError::Busy)), "one process writes it");
        drop(log);
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
        drop(log);
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

    /// Written by the release before: what it wrote holds together here, and goes on.
    #[test]
    fn a_log_of_an_earlier_release_is_read_and_written_on() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let path = dir.path().join("audit.log");
        std::fs::write(&path, FORMER).expect("written");
        let head = verify(&path).expect("whole");
        assert_eq!((head.lines, head.given, head.refused), (2, 1, 1));
        let mut log = AuditLog::open(&path).expect("opened");
        let door = crate::attested::SIGN;
        log.append(3, "signer", &Named::call(&door, b"body").answered(b"answer"), Outcome::Given).expect("written");
        drop(log);
        let text = std::fs::read_to_string(&path).expect("read");
        assert!(text.starts_with(FORMER) && text.contains(r#""call":{"door":"/v1/sign","answer":""#), "{text}");
        assert_eq!(verify(&path).expect("whole").lines, 3);
        for (from, to) in [("/v1/sign", "/v1/sigh"), (r#""answer":""#, r#""answer":"0x"#)] {
            std::fs::write(&path, text.replacen(from, to, 1)).expect("altered");
            let altered = verify(&path);
            let same = from.starts_with('"');
            assert_eq!(altered.is_ok(), same, "the same digits are the same line, another door is not: {altered:?}");
        }
    }
}
