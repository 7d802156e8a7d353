//! What a host made last, so that a second call for the same thing gets the same bytes.

use crate::attested::Check;
use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How many checks are kept.
const CHECKS: usize = 32;
/// The longest file of receipts: those of the largest round.
const MAX_RECEIPTS: u64 = 64 << 20;

/// A check with its envelope.
struct Checked {
    check: Check,
    made: Vec<u8>,
    digest: [u8; 32],
    envelope: Vec<u8>,
}

/// A round that may not be on the chain yet.
#[derive(Clone)]
pub(super) struct Round {
    /// Hash of the header that it goes on from; zero for the first version.
    pub(super) previous: [u8; 32],
    /// Time of its block.
    pub(super) time: u64,
    pub(super) made: Vec<u8>,
}

#[derive(Default)]
struct Newest {
    checks: VecDeque<Checked>,
    round: Option<Round>,
}

pub(super) struct Kept {
    newest: Mutex<Newest>,
    receipts: PathBuf,
}

impl Kept {
    /// Receipts go into this directory, which is made.
    pub(super) fn new(receipts: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&receipts)?;
        Ok(Self { newest: Mutex::default(), receipts })
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

    pub(super) fn keep_check(&self, check: Check, made: Vec<u8>, (digest, envelope): ([u8; 32], Vec<u8>)) {
        let mut newest = self.newest();
        newest.checks.truncate(CHECKS - 1);
        newest.checks.push_front(Checked { check, made, digest, envelope });
    }

    pub(super) fn round(&self) -> Option<Round> {
        self.newest().round.clone()
    }

    pub(super) fn keep_round(&self, round: Round) {
        self.newest().round = Some(round);
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

    #[test]
    fn payouts_are_there_again_after_a_restart_and_stand_beside_receipts() {
        let directory = tempfile::tempdir().expect("a directory");
        let kept = || Kept::new(directory.path().join("receipts")).expect("made");
        kept().keep_payouts(&[1; 32], b"round").expect("written");
        kept().keep_receipts(&[1; 32], b"receipts").expect("written");
        let again = kept();
        assert_eq!(again.payouts(&[1; 32]).as_deref(), Some(b"round".as_slice()));
        assert_eq!(again.receipts(&[1; 32]).as_deref(), Some(b"receipts".as_slice()));
        assert_eq!(again.payouts(&[2; 32]), None);
    }
}
