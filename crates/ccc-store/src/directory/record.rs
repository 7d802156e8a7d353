//! The file that makes a version of its parts.

use crate::record::{DIGEST_LEN, Manifest};
use ccc_core::table::StoreError;

/// Header 435 ‖ BLAKE3 of the sidecar 32 ‖ BLAKE3 of both 32; without the last in format 1.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) manifest: Manifest,
    is_former: bool,
}

impl Record {
    pub(super) const LEN: usize = Manifest::LEN + DIGEST_LEN;

    pub(super) fn new(manifest: Manifest) -> Self {
        Self { manifest, is_former: false }
    }

    /// Whether it is as long as one of format 1: it is one, or one of this format that was cut there.
    pub(super) fn is_former(&self) -> bool {
        self.is_former
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let bytes = self.manifest.to_bytes();
        [&bytes[..], blake3::hash(&bytes).as_bytes()].concat()
    }

    pub(super) fn read(bytes: &[u8], hash: &[u8; 32]) -> Result<Self, StoreError> {
        let (manifest, digest) = Manifest::read(bytes, hash)?;
        let is_former = digest.is_empty();
        // the header was compared with its hash already; what names the sidecar is compared here
        if is_former || blake3::hash(&manifest.to_bytes()).as_bytes() == digest {
            return Ok(Self { manifest, is_former });
        }
        Err(StoreError::Corrupt { header_hash: *hash, part: "manifest" })
    }

    /// The name of the sidecar's file: its content, and in format 1 the version.
    pub(super) fn sidecar(&self) -> [u8; DIGEST_LEN] {
        if self.is_former { self.manifest.header.hash() } else { self.manifest.sidecar_digest }
    }

    /// Every name that the sidecar may have, whatever the format.
    pub(super) fn sidecars(&self) -> [[u8; DIGEST_LEN]; 2] {
        [self.manifest.sidecar_digest, self.manifest.header.hash()]
    }
}
