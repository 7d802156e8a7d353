//! A version on its way into a bucket: its pieces first, its manifest last.

use super::{BucketStore, DIGEST_LEN, PIECE_LEN, Piece, Record, count, position};
use crate::{
    pieces::{Assembler, spans},
    record::Manifest,
    written::Written,
};
use ccc_core::table::TableStore as _;
use ccc_core::table::{Header, Part, StoreError, Tier, VersionWriter, check_version};

pub(super) struct BucketWriter<'a> {
    store: &'a BucketStore,
    assembler: Assembler,
    /// The pieces' names, zeros for those that are not there yet.
    names: Vec<[u8; DIGEST_LEN]>,
    written: Written,
}

impl<'a> BucketWriter<'a> {
    pub(super) fn new(store: &'a BucketStore, tier: Tier) -> Self {
        let names = vec![[0; DIGEST_LEN]; count(tier)];
        Self { store, assembler: Assembler::new(PIECE_LEN, tier), names, written: Written::new(tier) }
    }
}

impl VersionWriter for BucketWriter<'_> {
    fn write_at(&mut self, part: Part, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let tier = self.written.tier();
        part.check_range(tier, offset, bytes.len())?;
        self.assembler.write(part, offset, bytes, |part, index, piece| {
            self.names[position(tier, part, index)] = self.store.keep_piece(piece)?;
            Ok(())
        })?;
        self.written.add(part, offset, bytes);
        Ok(())
    }

    fn commit(self: Box<Self>, header: &Header) -> Result<(), StoreError> {
        let Self { store, names, written, .. } = *self;
        let (tier, hash) = (written.tier(), header.hash());
        let sidecar_digest = written.finish(header, |part, offset, bytes| {
            for span in spans(PIECE_LEN, offset, bytes.len()) {
                let corrupt = StoreError::Corrupt { header_hash: hash, part: part.name() };
                let Some(Piece::Whole(piece)) = store.piece(&names[position(tier, part, span.index)])? else {
                    return Err(corrupt);
                };
                bytes[span.outside].copy_from_slice(piece.get(span.inside).ok_or(corrupt)?);
            }
            Ok(())
        })?;
        let record = Record { manifest: Manifest { header: header.clone(), sidecar_digest }, pieces: names };
        let path = store.path("versions", &hex::encode(hash));
        if store.create(&path, record.to_bytes(), "writing a version")?
            || store
                .reader(&hash)
                .is_ok_and(|kept| kept.sidecar_digest() == sidecar_digest && check_version(&*kept).is_ok())
        {
            return Ok(());
        }
        // a damaged version under the same hash gives way, and so does another sidecar
        store.overwrite(&path, record.to_bytes(), "replacing a version")
    }
}
