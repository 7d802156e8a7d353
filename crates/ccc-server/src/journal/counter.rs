//! How far a journal had come, in a file of its own: an older copy of the journal is noticed.
//!
//! *Layout*: two slots of 144 bytes, written in turn, so that a torn write leaves the other: sequence u64 ‖ number of the
//! last answer u64 ‖ its authenticator 64 ‖ HMAC-SHA-512(journal key; "ccc/v1/counter" ‖ the fields before) 64. The slot with the
//! higher sequence counts. The journal is written first: it may be ahead of the counter, never behind it. After a slot that
//! failed to be written nothing is appended before a restart, since it may be on the medium all the same.

use super::{
    Heads, JournalError,
    lines::{JournalKey, authenticator},
    sync_directory,
};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

const LABEL: &[u8] = b"ccc/v1/counter";
const FIELDS: usize = 8 + 8 + 64;
const SLOT: usize = FIELDS + 64;

pub(super) struct Counter {
    file: File,
    key: JournalKey,
    sequence: u64,
    /// The number that the newest slot says.
    counted: u64,
    #[cfg(test)]
    fails: bool,
}

/// What a slot says.
#[derive(Clone, Copy)]
struct Slot {
    sequence: u64,
    count: u64,
    head: [u8; 64],
}

impl Counter {
    /// Reads the counter and holds the journal against it. A file without a byte is what a crash leaves of one that was to
    /// begin: none.
    pub(super) fn open(
        path: &Path,
        journal: &Path,
        heads: &impl Heads,
        key: &JournalKey,
    ) -> Result<Self, JournalError> {
        let read = |source| JournalError::Read { path: path.into(), source };
        let mut file = match OpenOptions::new().read(true).write(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(JournalError::NoCounter { path: path.into() });
            }
            opened => opened.map_err(read)?,
        };
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(2 * SLOT as u64 + 1).read_to_end(&mut bytes).map_err(read)?;
        if bytes.is_empty() {
            return Err(JournalError::NoCounter { path: path.into() });
        }
        let newest = bytes.chunks(SLOT).filter_map(|slot| Slot::read(slot, key)).max_by_key(|slot| slot.sequence);
        let newest = newest.ok_or_else(|| JournalError::Counter { path: path.into() })?;
        newest.check(journal, heads)?;
        Ok(Self::at(file, key, newest.sequence, newest.count))
    }

    /// Makes a counter that says what the journal holds.
    pub(super) fn begin(path: &Path, heads: &impl Heads, key: &JournalKey) -> Result<Self, JournalError> {
        let write = |source| JournalError::Write { path: path.into(), source };
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path).map_err(write)?;
        if file.metadata().map_err(write)?.len() > 0 {
            return Err(JournalError::CounterExists { path: path.into() });
        }
        let mut counter = Self::at(file, key, 0, 0);
        counter.advance(heads).and_then(|()| sync_directory(path)).map_err(write)?;
        Ok(counter)
    }

    /// The number up to which it has counted.
    pub(super) fn counted(&self) -> u64 {
        self.counted
    }

    fn at(file: File, key: &JournalKey, sequence: u64, counted: u64) -> Self {
        Self {
            file,
            key: key.clone(),
            sequence,
            counted,
            #[cfg(test)]
            fails: false,
        }
    }

    /// As a medium does that takes the slot and reports a failure.
    #[cfg(test)]
    pub(super) fn fail_once(&mut self) {
        self.fails = true;
    }

    fn sync(&mut self) -> io::Result<()> {
        #[cfg(test)]
        if std::mem::take(&mut self.fails) {
            return Err(io::Error::other("the medium failed"));
        }
        self.file.sync_data()
    }

    /// Says that the journal has everything up to its last answer on its medium.
    pub(super) fn advance(&mut self, heads: &impl Heads) -> io::Result<()> {
        let sequence = self.sequence.saturating_add(1);
        let (count, head) = heads.last();
        let slot = Slot { sequence, count, head };
        self.file.seek(SeekFrom::Start((sequence % 2) * SLOT as u64))?;
        self.file.write_all(&slot.to_bytes(&self.key))?;
        self.sync()?;
        (self.sequence, self.counted) = (sequence, count);
        Ok(())
    }
}

impl Slot {
    fn read(bytes: &[u8], key: &JournalKey) -> Option<Self> {
        let (fields, mac) = bytes.split_at_checked(FIELDS)?;
        let (sequence, rest) = fields.split_first_chunk::<8>()?;
        let (count, head) = rest.split_first_chunk::<8>()?;
        let slot = Self {
            sequence: u64::from_be_bytes(*sequence),
            count: u64::from_be_bytes(*count),
            head: head.try_into().ok()?,
        };
        (authenticator(key.bytes(), &[LABEL, fields]) == mac).then_some(slot)
    }

    fn to_bytes(self, key: &JournalKey) -> Vec<u8> {
        let fields = [&self.sequence.to_be_bytes()[..], &self.count.to_be_bytes(), &self.head].concat();
        let mac = authenticator(key.bytes(), &[LABEL, &fields]);
        [fields.as_slice(), &mac].concat()
    }

    fn check(self, journal: &Path, heads: &impl Heads) -> Result<(), JournalError> {
        if heads.is_head(self.count, &self.head) {
            return Ok(());
        }
        Err(JournalError::Behind { path: journal.into(), counted: self.count, found: heads.last().0 })
    }
}
