//! What the table of versions says about one.

use crate::record::Manifest;
use ccc_core::table::StoreError;

/// Header 435 ‖ BLAKE3 of the sidecar 32 ‖ the version's number u64.
pub(super) struct Record {
    pub(super) manifest: Manifest,
    pub(super) number: u64,
}

impl Record {
    pub(super) fn read(bytes: &[u8], hash: &[u8; 32]) -> Result<Self, StoreError> {
        let (manifest, number) = Manifest::read(bytes, hash)?;
        let number = number.try_into().map_err(|_| StoreError::Corrupt { header_hash: *hash, part: "manifest" })?;
        Ok(Self { manifest, number: u64::from_be_bytes(number) })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        [&self.manifest.to_bytes()[..], &self.number.to_be_bytes()].concat()
    }
}
