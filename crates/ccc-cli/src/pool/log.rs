//! `log.jsonl`: the stand-in for the chain's event log, one line per block.
//!
//! Each line is a block: its hash is keccak256(previous hash ‖ line), the hash before the first line is
//! keccak256 of `pool.toml`. Whoever reads the log computes the hashes itself.

use super::hexed::{Hex, HexBytes};
use crate::{error::Error, files};
use ccc_core::report::{Accumulator, OperationKind, keccak256};
use ccc_enclave::intake::{BoundaryEvent, Submission};
use serde::{Deserialize, Serialize};
use std::{fs::OpenOptions, io::Write, path::Path};

/// The longest log that is read.
const MAX_LOG: u64 = 1 << 28;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Event {
    /// A deposit: public but for the account that it credits.
    Deposit { time: u64, id: Hex<32>, who: Hex<20>, asset: u32, amount: String, ciphertext: HexBytes },
    /// A request for a withdrawal: public but for what it says.
    Withdrawal { time: u64, id: Hex<32>, who: Hex<20>, ciphertext: HexBytes },
    /// A maker's standing order.
    StandingOrder { time: u64, id: Hex<32>, who: Hex<20>, ciphertext: HexBytes },
    /// A request for collateral, cleared at its deadline.
    Request { time: u64, id: Hex<32>, who: Hex<20>, deadline: u64, ciphertext: HexBytes },
    /// A block without events, at which an attempt reads everything.
    Block { time: u64 },
}

impl Event {
    /// Time of the block.
    pub(crate) fn time(&self) -> u64 {
        match self {
            Self::Deposit { time, .. }
            | Self::Withdrawal { time, .. }
            | Self::StandingOrder { time, .. }
            | Self::Request { time, .. }
            | Self::Block { time } => *time,
        }
    }

    /// The same event, at this time if its own is earlier.
    fn not_before(&self, least: u64) -> Self {
        let mut event = self.clone();
        let (Self::Deposit { time, .. }
        | Self::Withdrawal { time, .. }
        | Self::StandingOrder { time, .. }
        | Self::Request { time, .. }
        | Self::Block { time }) = &mut event;
        *time = least.max(*time);
        event
    }

    /// Its line, without the newline.
    fn line(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("numbers and text always serialise")
    }

    /// Who submitted what under which identifier; nothing for an empty block.
    pub(crate) fn submission(&self) -> Option<Submission> {
        match self {
            Self::Deposit { id, who, ciphertext, .. }
            | Self::Withdrawal { id, who, ciphertext, .. }
            | Self::StandingOrder { id, who, ciphertext, .. }
            | Self::Request { id, who, ciphertext, .. } => {
                Some(Submission { id: id.0, who: who.0, ciphertext: ciphertext.0.clone() })
            }
            Self::Block { .. } => None,
        }
    }
}

/// A log up to some block.
#[derive(Clone, Debug)]
pub(crate) struct ChainLog {
    events: Vec<Event>,
    hashes: Vec<[u8; 32]>,
}

impl ChainLog {
    /// Reads the log in a file.
    ///
    /// # Errors
    /// Those of reading; as [`Self::parse`].
    pub(crate) fn read(path: &Path, settings: &[u8]) -> Result<Self, Error> {
        Self::parse(&files::read(path, MAX_LOG)?, settings)
    }

    /// Reads a log; every line must be a block, times must not decrease.
    ///
    /// # Errors
    /// [`Error::PoolLog`] with the line's number.
    pub(crate) fn parse(bytes: &[u8], settings: &[u8]) -> Result<Self, Error> {
        let refused = |line: usize, reason: &str| Error::PoolLog { line, reason: reason.to_owned() };
        let mut log = Self { events: Vec::new(), hashes: vec![keccak256(&[settings])] };
        let Some(body) = bytes.strip_suffix(b"\n") else {
            return if bytes.is_empty() { Ok(log) } else { Err(refused(0, "the last line is incomplete")) };
        };
        for (index, line) in body.split(|byte| *byte == b'\n').enumerate() {
            let event: Event = serde_json::from_slice(line).map_err(|error| refused(index + 1, &error.to_string()))?;
            if log.events.last().is_some_and(|last| last.time() > event.time()) {
                return Err(refused(index + 1, "time goes backwards"));
            }
            log.hashes.push(keccak256(&[&log.hashes[index], line]));
            log.events.push(event);
        }
        Ok(log)
    }

    /// This log with one more block, in memory alone.
    pub(crate) fn then(&self, event: &Event) -> Self {
        let mut log = self.clone();
        log.hashes.push(keccak256(&[&self.hash(), &event.line()]));
        log.events.push(event.clone());
        log
    }

    /// The blocks up to the one with this hash; nothing if there is none.
    pub(crate) fn up_to(&self, hash: &[u8; 32]) -> Option<Self> {
        let blocks = self.hashes.iter().position(|found| found == hash)?;
        Some(Self { events: self.events[..blocks].to_vec(), hashes: self.hashes[..=blocks].to_vec() })
    }

    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Number of the last block.
    pub(crate) fn number(&self) -> u64 {
        self.events.len() as u64
    }

    /// Hash of the last block.
    pub(crate) fn hash(&self) -> [u8; 32] {
        self.hashes.last().copied().unwrap_or_default()
    }

    /// Time of the last block; zero before the first.
    pub(crate) fn time(&self) -> u64 {
        self.events.last().map_or(0, Event::time)
    }

    /// Every deposit and every request for a withdrawal, in order.
    ///
    /// # Errors
    /// [`Error::PoolLog`] for an amount that is not an integer.
    pub(crate) fn boundary(&self) -> Result<Vec<BoundaryEvent>, Error> {
        self.events
            .iter()
            .enumerate()
            .filter_map(|(index, event)| boundary_event(index + 1, event).transpose())
            .collect()
    }

    /// What all deposits in one asset come to.
    ///
    /// # Errors
    /// As [`Self::boundary`].
    pub(crate) fn deposited(&self, asset: u32) -> Result<u128, Error> {
        let boundary = self.boundary()?;
        let deposits = boundary.iter().filter(|event| event.kind == OperationKind::Deposit && event.asset == asset);
        Ok(deposits.fold(0, |sum: u128, deposit| sum.saturating_add(deposit.amount)))
    }

    /// The accumulator's value after `count` boundary events; nothing if there were not that many.
    ///
    /// # Errors
    /// As [`Self::boundary`], and [`Error::PoolLog`] for an asset without a token.
    pub(crate) fn accumulator(&self, count: u64, tokens: &[[u8; 20]]) -> Result<Option<Accumulator>, Error> {
        let boundary = self.boundary()?;
        let Some(counted) = usize::try_from(count).ok().and_then(|count| boundary.get(..count)) else {
            return Ok(None);
        };
        let folded = counted.iter().try_fold(Accumulator::default(), |sum, event| accumulate(sum, event, tokens))?;
        Ok(Some(folded))
    }
}

/// What an event moves across the boundary; nothing for an order, a request or an empty block.
fn boundary_event(line: usize, event: &Event) -> Result<Option<BoundaryEvent>, Error> {
    let (kind, asset, amount) = match event {
        Event::Deposit { asset, amount, .. } => {
            let refused = |_| Error::PoolLog { line, reason: "the amount is not an integer".into() };
            (OperationKind::Deposit, *asset, amount.parse().map_err(refused)?)
        }
        Event::Withdrawal { .. } => (OperationKind::Withdrawal, 0, 0),
        Event::StandingOrder { .. } | Event::Request { .. } | Event::Block { .. } => return Ok(None),
    };
    Ok(event.submission().map(|submission| BoundaryEvent { kind, asset, amount, submission }))
}

fn accumulate(sum: Accumulator, event: &BoundaryEvent, tokens: &[[u8; 20]]) -> Result<Accumulator, Error> {
    let refused = |reason: String| Error::PoolLog { line: 0, reason };
    let Submission { who, ciphertext, .. } = &event.submission;
    let added = match event.kind {
        OperationKind::Deposit => {
            let token = tokens.get(event.asset as usize).ok_or_else(|| refused("unknown asset".into()))?;
            sum.deposit(*who, *token, event.amount, ciphertext)
        }
        OperationKind::Withdrawal => sum.withdrawal(*who, ciphertext),
    };
    added.map_err(|error| refused(error.to_string()))
}

/// Appends one line, makes it durable and gives the log with it. Writers wait for each other, and as on a chain a
/// block is never older than the one before it: a time that others have overtaken becomes theirs.
///
/// # Errors
/// [`Error::Symlink`], [`Error::Write`], and as [`ChainLog::read`].
pub(crate) fn append(path: &Path, settings: &[u8], event: &Event) -> Result<ChainLog, Error> {
    files::check_target(path, files::Replace::Force)?;
    let error = |source| Error::Write { path: path.into(), source };
    let mut file = OpenOptions::new().append(true).open(path).map_err(error)?;
    file.lock().map_err(error)?;
    let log = ChainLog::read(path, settings)?;
    let event = event.not_before(log.time());
    let line = [event.line(), b"\n".to_vec()].concat();
    file.write_all(&line).and_then(|()| file.sync_all()).map_err(error)?;
    Ok(log.then(&event))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ChainLog, Error> {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let path = dir.path().join("log.jsonl");
        std::fs::write(&path, text).expect("written");
        ChainLog::read(&path, b"settings")
    }

    #[test]
    fn blocks_are_chained_by_their_hashes() {
        let log = read("{\"event\":\"block\",\"time\":5}\n{\"event\":\"block\",\"time\":6}\n").expect("a log");
        assert_eq!((log.number(), log.time()), (2, 6));
        let first = log.up_to(&log.hashes[1]).expect("the first block");
        assert_eq!((first.number(), first.time(), first.hash()), (1, 5, log.hashes[1]));
        let altered = read("{\"event\":\"block\",\"time\":4}\n{\"event\":\"block\",\"time\":6}\n").expect("a log");
        assert_ne!(altered.hash(), log.hash());
        assert!(altered.up_to(&log.hash()).is_none());
    }

    #[test]
    fn writers_wait_for_each_other_and_time_never_goes_backwards() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let path = dir.path().join("log.jsonl");
        std::fs::write(&path, "").expect("written");
        let other = std::fs::File::open(&path).expect("opened");
        other.lock().expect("locked");
        let grown = std::thread::scope(|scope| {
            let late = scope.spawn(|| append(&path, b"settings", &Event::Block { time: 3 }));
            std::thread::sleep(std::time::Duration::from_millis(200));
            std::fs::write(&path, "{\"event\":\"block\",\"time\":16}\n").expect("written");
            drop(other);
            late.join().expect("the late writer").expect("appended")
        });
        let read = ChainLog::read(&path, b"settings").expect("a log");
        assert_eq!((grown.number(), grown.time(), grown.hash()), (2, 16, read.hash()));
    }

    #[test]
    fn broken_lines_are_refused_by_number() {
        let line = |text| match read(text) {
            Err(Error::PoolLog { line, .. }) => line,
            other => panic!("{other:?}"),
        };
        assert_eq!(line("{\"event\":\"block\",\"time\":5}"), 0);
        assert_eq!(line("{\"event\":\"block\",\"time\":5}\n\n"), 2);
        assert_eq!(line("{\"event\":\"block\",\"time\":5,\"more\":1}\n"), 1);
        assert_eq!(line("{\"event\":\"block\",\"time\":5}\n{\"event\":\"block\",\"time\":4}\n"), 2);
        assert_eq!(line("{\"event\":\"other\",\"time\":5}\n"), 1);
        assert_eq!(read("").expect("an empty log").number(), 0);
    }
}
