//! What a host made last, so that a second call for the same thing gets the same bytes, also after a restart.
//!
//! *Layout*: records of the host's store: a check has its envelope's digest for a key and block hash 32 ‖ sequence u64 ‖ LP(made) ‖
//! LP(envelope) for bytes. The value `round` is previous header 32 ‖ time u64 ‖ LP(made); `begun` is previous header 32 ‖
//! block hash 32 ‖ time u64 ‖ u8 attempts. Receipts and payouts are files of a directory, each named by a header.

use crate::attested::Check;
use ccc_core::{
    encoding::{EncodingError, Reader},
    suite::length_prefixed,
    table::StoreError,
};
use ccc_store::{Change, Record, RecordStore};
use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many checks are kept.
const CHECKS: usize = 32;
/// The longest file of receipts: those of the largest round.
const MAX_RECEIPTS: u64 = 64 << 20;
const ROUND: &str = "round";
const BEGUN: &str = "begun";

/// A check with its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Checked {
    number: u64,
    check: Check,
    made: Vec<u8>,
    digest: [u8; 32],
    envelope: Vec<u8>,
}

/// A round that may not be on the chain yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Round {
    /// Hash of the header that it goes on from; zero for the first version.
    pub(super) previous: [u8; 32],
    /// Time of its block.
    pub(super) time: u64,
    pub(super) made: Vec<u8>,
}

/// The newest round that settles a request and for which shares were asked: under the request's identifier participants answer no
/// other block's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Begun {
    pub(super) previous: [u8; 32],
    pub(super) block: [u8; 32],
    pub(super) time: u64,
    /// Keys for which shares were asked.
    pub(super) attempts: u8,
}

#[derive(Default)]
struct Newest {
    /// The newest first.
    checks: VecDeque<Checked>,
    round: Option<Round>,
    begun: Option<Begun>,
}

pub(super) struct Kept {
    newest: Mutex<Newest>,
    records: Arc<dyn RecordStore>,
    receipts: PathBuf,
}

/// Why nothing is remembered.
#[derive(Debug)]
pub(super) enum KeptError {
    Receipts(io::Error),
    Records(StoreError),
}

impl Checked {
    fn record(&self) -> Record {
        let mut bytes = [self.check.block.as_slice(), &self.check.sequence.to_be_bytes()].concat();
        length_prefixed(&mut bytes, &self.made);
        length_prefixed(&mut bytes, &self.envelope);
        Record { number: self.number, key: self.digest, bytes }
    }

    fn read(record: &Record) -> Result<Self, EncodingError> {
        let (most, mut reader) = (record.bytes.len(), Reader::new(&record.bytes));
        let check = Check { block: reader.array("block hash")?, sequence: reader.u64("sequence")? };
        let (made, envelope) = (reader.length_prefixed("made", most)?, reader.length_prefixed("envelope", most)?);
        reader.finish()?;
        let (made, envelope) = (made.to_vec(), envelope.to_vec());
        Ok(Self { number: record.number, check, made, digest: record.key, envelope })
    }
}

impl Round {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [self.previous.as_slice(), &self.time.to_be_bytes()].concat();
        length_prefixed(&mut bytes, &self.made);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        let (previous, time) = (reader.array("previous header")?, reader.u64("time")?);
        let made = reader.length_prefixed("made", bytes.len())?.to_vec();
        reader.finish()?;
        Ok(Self { previous, time, made })
    }
}

impl Begun {
    fn to_bytes(self) -> Vec<u8> {
        [self.previous.as_slice(), &self.block, &self.time.to_be_bytes(), &[self.attempts]].concat()
    }

    fn read(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        let (previous, block) = (reader.array("previous header")?, reader.array("block hash")?);
        let (time, attempts) = (reader.u64("time")?, reader.u8("attempts")?);
        reader.finish()?;
        Ok(Self { previous, block, time, attempts })
    }
}

impl Newest {
    fn read(records: &dyn RecordStore) -> Result<Self, StoreError> {
        let mut checks = VecDeque::new();
        let mut next = 0;
        loop {
            let page = records.records_from(next, CHECKS)?;
            let Some(last) = page.last() else { break };
            next = last.number.saturating_add(1);
            for record in &page {
                checks.push_front(Checked::read(record).map_err(|_| foreign("check that a host kept"))?);
            }
        }
        let round = records.value(ROUND)?.map(|bytes| Round::read(&bytes)).transpose();
        let begun = records.value(BEGUN)?.map(|bytes| Begun::read(&bytes)).transpose();
        let foreign = |what| move |_| foreign(what);
        let (round, begun) = (round.map_err(foreign("round that a host kept"))?, begun.map_err(foreign("attempt"))?);
        Ok(Self { checks, round, begun })
    }
}

fn foreign(what: &'static str) -> StoreError {
    StoreError::Malformed { what }
}

impl Kept {
    /// What was kept before. Receipts go into a directory, which is made.
    pub(super) fn new(records: Arc<dyn RecordStore>, receipts: PathBuf) -> Result<Self, KeptError> {
        fs::create_dir_all(&receipts).map_err(KeptError::Receipts)?;
        let newest = Newest::read(&*records).map_err(KeptError::Records)?;
        Ok(Self { newest: Mutex::new(newest), records, receipts })
    }

    fn newest(&self) -> MutexGuard<'_, Newest> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn check(&self, check: Check) -> Option<Vec<u8>> {
        self.newest().checks.iter().find(|kept| kept.check == check).map(|kept| kept.made.clone())
    }

    pub(super) fn envelope(&self, digest: &[u8; 32]) -> Option<Vec<u8>> {
        self.newest().checks.iter().find(|kept| kept.digest == *digest).map(|kept| kept.envelope.clone())
    }

    /// On the medium before the check leaves: nobody but its host has the agent's envelope.
    pub(super) fn keep_check(
        &self,
        check: Check,
        made: Vec<u8>,
        (digest, envelope): ([u8; 32], Vec<u8>),
    ) -> Result<(), StoreError> {
        let mut newest = self.newest();
        let number = newest.checks.front().map_or(0, |last| last.number.saturating_add(1));
        let checked = Checked { number, check, made, digest, envelope };
        let remove: Vec<_> = newest.checks.iter().skip(CHECKS - 1).map(|old| old.number).collect();
        self.records.commit(&Change { remove: &remove, add: &[checked.record()], ..Change::default() })?;
        newest.checks.truncate(CHECKS - 1);
        newest.checks.push_front(checked);
        Ok(())
    }

    pub(super) fn round(&self) -> Option<Round> {
        self.newest().round.clone()
    }

    /// On the medium before the round leaves.
    pub(super) fn keep_round(&self, round: Round) -> Result<(), StoreError> {
        let mut newest = self.newest();
        self.records.commit(&Change { values: &[(ROUND, &round.to_bytes())], ..Change::default() })?;
        newest.round = Some(round);
        Ok(())
    }

    pub(super) fn begun(&self) -> Option<Begun> {
        self.newest().begun
    }

    /// On the medium before shares are asked for: one more attempt of the same round, or the first of another.
    pub(super) fn begin(&self, previous: [u8; 32], block: [u8; 32], time: u64) -> Result<(), StoreError> {
        let mut newest = self.newest();
        let same = newest.begun.filter(|begun| begun.previous == previous && begun.block == block);
        let attempts = same.map_or(1, |begun| begun.attempts.saturating_add(1));
        let begun = Begun { previous, block, time, attempts };
        self.records.commit(&Change { values: &[(BEGUN, &begun.to_bytes())], ..Change::default() })?;
        newest.begun = Some(begun);
        Ok(())
    }

    fn path(&self, header: &[u8; 32]) -> PathBuf {
        self.receipts.join(hex::encode(header))
    }

    /// On the medium before the round leaves.
    pub(super) fn keep_receipts(&self, header: &[u8; 32], receipts: &[u8]) -> io::Result<()> {
        self.keep(self.path(header), receipts)
    }

    /// A round with its payouts, which are owed when the chain has taken it; on the medium before it leaves.
    pub(super) fn keep_payouts(&self, header: &[u8; 32], made: &[u8]) -> io::Result<()> {
        self.keep(self.path(header).with_extension("payouts"), made)
    }

    pub(super) fn payouts(&self, header: &[u8; 32]) -> Option<Vec<u8>> {
        read(&self.path(header).with_extension("payouts")).ok()
    }

    fn keep(&self, path: PathBuf, bytes: &[u8]) -> io::Result<()> {
        let new = self.receipts.join("new");
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        File::open(&self.receipts)?.sync_all()
    }

    pub(super) fn receipts(&self, header: &[u8; 32]) -> Option<Vec<u8>> {
        read(&self.path(header)).ok()
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > MAX_RECEIPTS {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    fs::read(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ccc_store::{MemoryRecords, RedbRecords};

    fn check(sequence: u8) -> Check {
        Check { block: [sequence; 32], sequence: sequence.into() }
    }

    fn on(records: &Arc<dyn RecordStore>, directory: &Path) -> Kept {
        Kept::new(Arc::clone(records), directory.join("receipts")).expect("made")
    }

    #[test]
    fn payouts_are_there_again_after_a_restart_and_stand_beside_receipts() {
        let directory = tempfile::tempdir().expect("a directory");
        let records: Arc<dyn RecordStore> = Arc::new(MemoryRecords::default());
        let kept = || on(&records, directory.path());
        kept().keep_payouts(&[1; 32], b"round").expect("written");
        kept().keep_receipts(&[1; 32], b"receipts").expect("written");
        let again = kept();
        assert_eq!(again.payouts(&[1; 32]).as_deref(), Some(b"round".as_slice()));
        assert_eq!(again.receipts(&[1; 32]).as_deref(), Some(b"receipts".as_slice()));
        assert_eq!(again.payouts(&[2; 32]), None);
    }

    /// The file as it is on the medium while the host runs: what a kill leaves.
    #[test]
    fn what_was_made_last_is_there_after_a_kill() {
        let directory = tempfile::tempdir().expect("a directory");
        let (path, killed) = (directory.path().join("kept"), directory.path().join("killed"));
        let open = |path: &Path| Arc::new(RedbRecords::open(path).expect("opened")) as Arc<dyn RecordStore>;
        let records = open(&path);
        let kept = on(&records, directory.path());
        for sequence in 1..=40 {
            let envelope = ([sequence; 32], vec![sequence; 9]);
            kept.keep_check(check(sequence), vec![sequence; 5], envelope).expect("kept");
        }
        let round = Round { previous: [7; 32], time: 70, made: b"made".to_vec() };
        kept.keep_round(round.clone()).expect("kept");
        for _ in 0..2 {
            kept.begin([7; 32], [8; 32], 71).expect("kept");
        }
        fs::copy(&path, &killed).expect("copied");
        let again = on(&open(&killed), directory.path());
        assert_eq!(again.round(), Some(round));
        assert_eq!(again.begun(), Some(Begun { previous: [7; 32], block: [8; 32], time: 71, attempts: 2 }));
        assert_eq!((again.check(check(8)), again.envelope(&[8; 32])), (None, None), "32 are kept");
        for sequence in 9..=40 {
            assert_eq!(again.check(check(sequence)), Some(vec![sequence; 5]));
            assert_eq!(again.envelope(&[sequence; 32]), Some(vec![sequence; 9]));
        }
        again.begin([7; 32], [9; 32], 72).expect("kept");
        assert_eq!(again.begun().map(|begun| begun.attempts), Some(1), "another block is another request");
        again.keep_check(check(41), Vec::new(), ([41; 32], Vec::new())).expect("kept");
        assert_eq!((again.check(check(9)), again.check(check(10))), (None, Some(vec![10; 5])));
    }

    #[test]
    fn what_no_host_wrote_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let refused = |change: Change<'_>| {
            let records: Arc<dyn RecordStore> = Arc::new(MemoryRecords::default());
            records.commit(&change).expect("committed");
            match Kept::new(records, directory.path().join("receipts")) {
                Err(KeptError::Records(StoreError::Malformed { what })) => what,
                _ => "nothing",
            }
        };
        let record = Record { number: 0, key: [1; 32], bytes: vec![0; 47] };
        assert_eq!(refused(Change { add: &[record], ..Change::default() }), "check that a host kept");
        assert_eq!(refused(Change { values: &[(ROUND, &[0; 43])], ..Change::default() }), "round that a host kept");
        assert_eq!(refused(Change { values: &[(BEGUN, &[0; 74])], ..Change::default() }), "attempt");
        assert_eq!(refused(Change { values: &[(BEGUN, &[0; 73])], ..Change::default() }), "nothing");
    }
}
