//! A version in a bucket, read in pieces.

use super::{BucketStore, PIECE_LEN, Piece, Record, position};
use crate::pieces;
use ccc_core::table::{Header, Part, StoreError, VersionReader};

pub(super) struct BucketReader<'a> {
    store: &'a BucketStore,
    record: Record,
    hash: [u8; 32],
}

impl<'a> BucketReader<'a> {
    pub(super) fn new(store: &'a BucketStore, record: Record) -> Self {
        Self { store, hash: record.manifest.header.hash(), record }
    }
}

impl VersionReader for BucketReader<'_> {
    fn header(&self) -> &Header {
        &self.record.manifest.header
    }

    fn sidecar_digest(&self) -> [u8; 32] {
        self.record.manifest.sidecar_digest
    }

    fn read_at(&self, part: Part, offset: u64, bytes: &mut [u8]) -> Result<(), StoreError> {
        let (tier, header_hash) = (self.header().tier(), self.hash);
        let corrupt = || StoreError::Corrupt { header_hash, part: part.name() };
        part.check_range(tier, offset, bytes.len())?;
        for span in pieces::spans(PIECE_LEN, offset, bytes.len()) {
            let name = self.record.pieces.get(position(tier, part, span.index)).ok_or_else(corrupt)?;
            let piece = match self.store.piece(name)? {
                Some(Piece::Whole(piece)) => piece,
                Some(Piece::Altered) => return Err(corrupt()),
                None => return Err(StoreError::Missing { header_hash }),
            };
            bytes[span.outside].copy_from_slice(piece.get(span.inside).ok_or_else(corrupt)?);
        }
        Ok(())
    }
}
