//! How far a journal had come, in a file of its own: an older copy of the journal is noticed.
//!
//! *Layout*: two slots of 144 bytes, written in turn, so that a torn write leaves the other: sequence u64 ‖ lines u64 ‖
//! authenticator of the last line 64 ‖ HMAC-SHA-512(journal key; "ccc/v1/counter" ‖ the fields before) 64. The slot with the
//! higher sequence counts. The journal is written first: it may be ahead of the counter, never behind it. After a slot that
//! failed to be written nothing is appended before a restart, since it may be on the medium all the same.

use super::{
    JournalError,
    lines::{Lines, authenticator},
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
    sequence: u64,
    #[cfg(test)]
    fails: bool,
}

/// What a slot says.
#[derive(Clone, Copy)]
struct Slot {
    sequence: u64,
    lines: u64,
    head: [u8; 64],
}

impl Counter {
    /// Reads the counter and holds the journal against it. A file without a byte is what a crash leaves of one that was to
    /// begin: none.
    pub(super) fn open(path: &Path, journal: &Path, lines: &Lines) -> Result<Self, JournalError> {
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
        let newest = bytes.chunks(SLOT).filter_map(|slot| Slot::read(slot, lines)).max_by_key(|slot| slot.sequence);
        let newest = newest.ok_or_else(|| JournalError::Counter { path: path.into() })?;
        newest.check(journal, lines)?;
        Ok(Self::at(file, newest.sequence))
    }

    /// Makes a counter that says what the journal holds.
    pub(super) fn begin(path: &Path, lines: &Lines) -> Result<Self, JournalError> {
        let write = |source| JournalError::Write { path: path.into(), source };
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path).map_err(write)?;
        if file.metadata().map_err(write)?.len() > 0 {
            return Err(JournalError::CounterExists { path: path.into() });
        }
        let mut counter = Self::at(file, 0);
        counter.advance(lines).and_then(|()| sync_directory(path)).map_err(write)?;
        Ok(counter)
    }

    fn at(file: File, sequence: u64) -> Self {
        Self {
            file,
            sequence,
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

    /// Says that the journal has all these lines on its medium.
    pub(super) fn advance(&mut self, lines: &Lines) -> io::Result<()> {
        let sequence = self.sequence.saturating_add(1);
        let head = lines.head(lines.count()).unwrap_or([0; 64]);
        let slot = Slot { sequence, lines: lines.count() as u64, head };
        self.file.seek(SeekFrom::Start((sequence % 2) * SLOT as u64))?;
        self.file.write_all(&slot.to_bytes(lines))?;
        self.sync()?;
        self.sequence = sequence;
        Ok(())
    }
}

impl Slot {
    fn read(bytes: &[u8], lines: &Lines) -> Option<Self> {
        let (fields, mac) = bytes.split_at_checked(FIELDS)?;
        let (sequence, rest) = fields.split_first_chunk::<8>()?;
        let (count, head) = rest.split_first_chunk::<8>()?;
        let slot = Self {
            sequence: u64::from_be_bytes(*sequence),
            lines: u64::from_be_bytes(*count),
            head: head.try_into().ok()?,
        };
        (authenticator(lines.key().bytes(), &[LABEL, fields]) == mac).then_some(slot)
    }

    fn to_bytes(self, lines: &Lines) -> Vec<u8> {
        let fields = [&self.sequence.to_be_bytes()[..], &self.lines.to_be_bytes(), &self.head].concat();
        let mac = authenticator(lines.key().bytes(), &[LABEL, &fields]);
        [fields.as_slice(), &mac].concat()
    }

    fn check(self, journal: &Path, lines: &Lines) -> Result<(), JournalError> {
        let counted = usize::try_from(self.lines).ok();
        if counted.and_then(|count| lines.head(count)) == Some(self.head) {
            return Ok(());
        }
        Err(JournalError::Behind { path: journal.into(), counted: self.lines, found: lines.count() })
    }
}
