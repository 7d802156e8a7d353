//! A version on its way into the journal: one transaction from the first byte to the commit.

use super::{
    JournalStore, META, NEXT_KEY, PIECE_LEN, PIECES, Record, VERSIONS, commit, fault, forget, key, read_pieces,
};
use crate::{pieces::Assembler, record::Manifest, written::Written};
use ccc_core::table::{Header, Part, StoreError, Tier, VersionWriter};
use redb::{ReadableTable, WriteTransaction};

pub(super) struct JournalWriter {
    /// Dropped without a commit, it leaves the journal as it was.
    transaction: WriteTransaction,
    number: u64,
    assembler: Assembler,
    written: Written,
}

impl JournalWriter {
    pub(super) fn new(store: &JournalStore, tier: Tier) -> Result<Self, StoreError> {
        let transaction = store.begin_write()?;
        let number = next_number(&transaction)?;
        let assembler = Assembler::new(PIECE_LEN, tier);
        Ok(Self { transaction, number, assembler, written: Written::new(tier) })
    }
}

impl VersionWriter for JournalWriter {
    fn write_at(&mut self, part: Part, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        part.check_range(self.written.tier(), offset, bytes.len())?;
        let mut pieces = self.transaction.open_table(PIECES).map_err(fault("opening a table"))?;
        self.assembler.write(part, offset, bytes, |part, index, piece| {
            pieces.insert(key(self.number, part, index), piece).map(drop).map_err(fault("writing a piece"))
        })?;
        self.written.add(part, offset, bytes);
        Ok(())
    }

    fn commit(self: Box<Self>, header: &Header) -> Result<(), StoreError> {
        let Self { transaction, number, written, .. } = *self;
        let hash = header.hash();
        let sidecar_digest = {
            let pieces = transaction.open_table(PIECES).map_err(fault("opening a table"))?;
            written.finish(header, |part, offset, bytes| {
                read_pieces(&pieces, (&hash, number, written.tier()), part, offset, bytes)
            })?
        };
        // a damaged version under the same hash gives way
        forget(&transaction, &hash)?;
        let record = Record { manifest: Manifest { header: header.clone(), sidecar_digest }, number };
        {
            let mut versions = transaction.open_table(VERSIONS).map_err(fault("opening a table"))?;
            versions.insert(&hash, &record.to_bytes()[..]).map_err(fault("writing a version"))?;
        }
        commit(transaction)
    }
}

/// A number that no version of the journal has or had.
fn next_number(transaction: &WriteTransaction) -> Result<u64, StoreError> {
    let mut meta = transaction.open_table(META).map_err(fault("opening a table"))?;
    let number = meta.get(NEXT_KEY).map_err(fault("reading a counter"))?.map_or(0, |number| number.value());
    let next = number.checked_add(1).ok_or(StoreError::Malformed { what: "counter" })?;
    meta.insert(NEXT_KEY, next).map_err(fault("writing a counter"))?;
    Ok(number)
}
