//! A version in the journal, read in pieces.

use super::{PIECES, PieceKey, Record, fault, read_pieces};
use ccc_core::table::{Header, Part, StoreError, VersionReader};
use redb::{ReadOnlyTable, ReadTransaction};

/// What it reads stays as it was when it was opened, also when the version is removed meanwhile.
pub(super) struct JournalReader {
    record: Record,
    hash: [u8; 32],
    pieces: ReadOnlyTable<PieceKey, &'static [u8]>,
}

impl JournalReader {
    pub(super) fn new(transaction: &ReadTransaction, record: Record) -> Result<Self, StoreError> {
        let pieces = transaction.open_table(PIECES).map_err(fault("opening a table"))?;
        Ok(Self { hash: record.manifest.header.hash(), record, pieces })
    }
}

impl VersionReader for JournalReader {
    fn header(&self) -> &Header {
        &self.record.manifest.header
    }

    fn sidecar_digest(&self) -> [u8; 32] {
        self.record.manifest.sidecar_digest
    }

    fn read_at(&self, part: Part, offset: u64, bytes: &mut [u8]) -> Result<(), StoreError> {
        let Record { manifest, number } = &self.record;
        read_pieces(&self.pieces, (&self.hash, *number, manifest.header.tier()), part, offset, bytes)
    }
}
