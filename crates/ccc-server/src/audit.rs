//! What a node gave and refused, to whom: one JSON line each, chained by hashes, so that a line taken out or altered shows.
//!
//! *Layout*: a line holds `sequence` from 1, `time`, `peer`, `request` (the request's digest), `ciphertexts`, `outcome`,
//! `previous` and `hash`, which is H32("node-audit"; previous, sequence ‖ time ‖ ciphertexts, peer, request, outcome). No plaintext, no
//! amount and no key is ever in it: the node has none of them to write.
//!
//! *Security*: the chain has no key. It shows that lines belong together; whoever may write the file can write another
//! chain. Copy the last hash elsewhere to pin what came before.

use crate::{hexed::Hex, node::Outcome};
use ccc_core::{suite, vault::Request};
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::Path,
};

const LABEL: &str = "node-audit";
/// The longest line that is read.
const MAX_LINE: u64 = 4_096;

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
    /// How many ciphertexts the request names.
    pub ciphertexts: usize,
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
    /// Lines.
    pub lines: u64,
    /// Hash of the last one; zero for none.
    pub hash: [u8; 32],
    /// Shares given.
    pub given: u64,
    /// Asks refused.
    pub refused: u64,
    /// Bytes of the whole lines.
    length: u64,
}

impl AuditLine {
    fn digest(&self) -> [u8; 32] {
        let numbers = [self.sequence, self.time, self.ciphertexts as u64].map(u64::to_be_bytes).concat();
        let fields =
            [&self.previous.0, numbers.as_slice(), self.peer.as_bytes(), &self.request.0, self.outcome.as_bytes()];
        suite::digest32(LABEL, &fields)
    }
}

/// Reads a log from its first line to its last.
///
/// # Errors
/// [`AuditError`] with the first line that does not belong.
pub fn verify(path: &Path) -> Result<AuditHead, AuditError> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut head = AuditHead::default();
    loop {
        let mut text = Vec::new();
        io::Read::take(&mut reader, MAX_LINE).read_until(b'\n', &mut text)?;
        if text.is_empty() {
            return Ok(head);
        }
        head = head.then(&text)?;
    }
}

impl AuditHead {
    fn then(self, text: &[u8]) -> Result<Self, AuditError> {
        let number = self.lines + 1;
        let wrong = |reason| AuditError::Line { line: number, reason };
        let body = text.strip_suffix(b"\n").ok_or_else(|| wrong("it has no end"))?;
        let line: AuditLine = serde_json::from_slice(body).map_err(|_| wrong("it cannot be read"))?;
        let checks = [
            (line.sequence == number, "it has another number"),
            (line.previous.0 == self.hash, "it follows another line"),
            (line.digest() == line.hash.0, "its hash is another"),
        ];
        if let Some((_, reason)) = checks.into_iter().find(|(holds, _)| !holds) {
            return Err(wrong(reason));
        }
        let counted = |word: &str| u64::from(line.outcome == word);
        Ok(Self {
            lines: number,
            hash: line.hash.0,
            given: self.given + counted(Outcome::Given.word()),
            refused: self.refused + counted(Outcome::Refused.word()),
            length: self.length + text.len() as u64,
        })
    }
}

/// A log that is written on.
pub struct AuditLog {
    file: File,
    head: AuditHead,
}

impl AuditLog {
    /// Opens a log, or begins one; all that stands in it must hold together.
    ///
    /// # Errors
    /// [`AuditError`].
    pub fn open(path: &Path) -> Result<Self, AuditError> {
        let head = if path.exists() { verify(path)? } else { AuditHead::default() };
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file, head })
    }

    /// Appends a line. It is with the system when this returns, and on the medium after [`Self::sync`].
    ///
    /// # Errors
    /// What the system says; the line does not count then.
    pub fn append(&mut self, time: u64, peer: &str, request: &Request, outcome: Outcome) -> Result<(), AuditError> {
        let mut line = AuditLine {
            sequence: self.head.lines + 1,
            time,
            peer: peer.to_owned(),
            request: Hex(request.digest()),
            ciphertexts: request.ciphertexts.len(),
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

    /// Has every line on the medium.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&mut self) -> Result<(), AuditError> {
        Ok(self.file.sync_data()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ccc_core::{epoch::Epoch, vault::Mode};

    fn request(id: u8) -> Request {
        Request {
            chain: 1,
            contract: [1; 20],
            id: [id; 32],
            table_header: None,
            block_hash: [2; 32],
            deadline: 5,
            mode: Mode::Sealed,
            epoch: Epoch(1),
            committee: [3; 64],
            ciphertexts: vec![[4; 32]],
        }
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
    }
}
