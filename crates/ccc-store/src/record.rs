//! The small records of every store: which header a version has, which version a table was last seen at.

use ccc_core::table::{HEADER_LEN, Header, HeaderError, StoreError, TableId, header_hash};

pub(crate) const DIGEST_LEN: usize = 32;

/// Header 435 ‖ BLAKE3 of the sidecar 32 ‖ where the parts are, in the store's own way.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) header: Header,
    pub(crate) sidecar_digest: [u8; DIGEST_LEN],
}

impl Manifest {
    pub(crate) const LEN: usize = HEADER_LEN + DIGEST_LEN;

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [&self.header.to_bytes()[..], &self.sidecar_digest].concat()
    }

    /// The manifest of the version with this hash, and the bytes after it.
    pub(crate) fn read<'b>(bytes: &'b [u8], hash: &[u8; 32]) -> Result<(Self, &'b [u8]), StoreError> {
        let altered = |part| StoreError::Corrupt { header_hash: *hash, part };
        let (header, rest) = bytes.split_at_checked(HEADER_LEN).ok_or_else(|| altered("manifest"))?;
        let (sidecar_digest, rest) = rest.split_first_chunk().ok_or_else(|| altered("manifest"))?;
        if header_hash(header) != *hash {
            return Err(altered("header"));
        }
        let header = Header::from_bytes(header).map_err(|error| match error {
            HeaderError::Suite { found } => StoreError::Suite { header_hash: *hash, found },
            _ => altered("header"),
        })?;
        Ok((Self { header, sidecar_digest: *sidecar_digest }, rest))
    }
}

/// Header hash 32 ‖ BLAKE3 of it 32.
pub(crate) const HINT_LEN: usize = 2 * DIGEST_LEN;

pub(crate) fn hint_bytes(hash: &[u8; 32]) -> [u8; HINT_LEN] {
    let mut bytes = [0; HINT_LEN];
    bytes[..DIGEST_LEN].copy_from_slice(hash);
    bytes[DIGEST_LEN..].copy_from_slice(blake3::hash(hash).as_bytes());
    bytes
}

pub(crate) fn read_hint(bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    let malformed = StoreError::Malformed { what: "head hint" };
    match bytes.split_first_chunk::<DIGEST_LEN>() {
        Some((hash, digest)) if blake3::hash(hash).as_bytes() == digest => Ok(*hash),
        _ => Err(malformed),
    }
}

/// The name under which a table's hint is kept.
pub(crate) fn table_name(table: &TableId) -> String {
    format!("{}-{}-{}", table.chain, hex::encode(table.contract), hex::encode(table.table))
}

/// The hash that a file or an object is named by; a name that the store does not give is none.
pub(crate) fn hash_of(name: &str) -> Option<[u8; 32]> {
    let hash: [u8; 32] = hex::decode(name).ok()?.try_into().ok()?;
    (hex::encode(hash) == name).then_some(hash)
}
