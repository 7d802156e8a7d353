//! Where sealed versions are kept: the traits alone.

use super::{
    Header, SealedTable, SidecarError, TableId, Tier, body_len, body_root, check_sidecar,
    seal::{SEALED_CHUNK_LEN, leaf, number, root_of},
    sidecar_len,
};
use alloc::{boxed::Box, vec, vec::Vec};

/// What a store answers when it cannot do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No complete version with this header hash. It is a halt: a missing table is never an empty one.
    #[error("no complete table version with header hash {}", Hex(header_hash))]
    Missing {
        /// The hash asked for.
        header_hash: [u8; 32],
    },
    /// What is kept under this hash has been altered.
    #[error("table version {}: the {part} kept is not the one written", Hex(header_hash))]
    Corrupt {
        /// The hash asked for.
        header_hash: [u8; 32],
        /// Header, body, sidecar or manifest.
        part: &'static str,
    },
    /// The version is sealed with a cipher that this build does not have.
    #[error("table version {}: suite {found} is not built in", Hex(header_hash))]
    Suite {
        /// The hash asked for.
        header_hash: [u8; 32],
        /// The number of the suite.
        found: u16,
    },
    /// The sidecar given is none of this version. Nothing was kept.
    #[error("table version {}: {source}; take the sidecar from the host that sealed it", Hex(header_hash))]
    Sidecar {
        /// The version's hash.
        header_hash: [u8; 32],
        /// What is wrong.
        source: SidecarError,
    },
    /// The store's own index is malformed.
    #[error("the store's {what} is malformed{}", way_on(what))]
    Malformed {
        /// Which index.
        what: &'static str,
    },
    /// The store was written by another release, in a format that this one does not read.
    #[error("the store has format {found}, where {expected} is read")]
    Format {
        /// The format of this release.
        expected: u64,
        /// The format found.
        found: u64,
    },
    /// Bytes outside of a part were asked for or given.
    #[error("{len} bytes at {offset} of the {}, which has {total}", part.name())]
    Range {
        /// Body or sidecar.
        part: Part,
        /// Where they start.
        offset: u64,
        /// How many.
        len: usize,
        /// Bytes of the part.
        total: u64,
    },
    /// A version was committed before all of it was written. Nothing was kept.
    #[error("the {} has {expected} bytes, {found} of them were written", part.name())]
    Incomplete {
        /// Body or sidecar.
        part: Part,
        /// Bytes of the part.
        expected: u64,
        /// Bytes written.
        found: u64,
    },
    /// The store writes one version at a time, and another one is being written.
    #[error("the store is writing another version")]
    Busy,
    /// Another process has the store open.
    #[error("another process has the store open")]
    Locked,
    /// A write could not be made durable earlier; the store takes no more until it is opened again.
    #[error("an earlier write could not be made durable; open the store again and compare with the chain")]
    Halted,
    /// The medium failed. The previous versions are still readable.
    #[error("{operation}: {source}")]
    Medium {
        /// What was being done.
        operation: &'static str,
        /// The medium's own error.
        source: Box<dyn core::error::Error + Send + Sync>,
    },
}

/// What to do about a malformed index, where the name does not say it.
fn way_on(what: &str) -> &'static str {
    match what {
        "journal" => "; move it away, open a new one and restore the table into it from another holder",
        _ => "",
    }
}

struct Hex<'a>(&'a [u8; 32]);

impl core::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One of the two parts that lie beside a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The sealed chunks, concatenated.
    Body,
    /// What owners need to exit.
    Sidecar,
}

impl Part {
    /// Both, in the order in which they are written.
    pub const ALL: [Self; 2] = [Self::Body, Self::Sidecar];

    /// Its bytes in a tier.
    #[must_use]
    pub fn len(self, tier: Tier) -> u64 {
        let len = match self {
            Self::Body => body_len(tier),
            Self::Sidecar => sidecar_len(tier),
        };
        len as u64
    }

    /// Its name in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Sidecar => "sidecar",
        }
    }

    /// Whether `len` bytes from `offset` on lie inside the part.
    ///
    /// # Errors
    /// [`StoreError::Range`].
    pub fn check_range(self, tier: Tier, offset: u64, len: usize) -> Result<(), StoreError> {
        let total = self.len(tier);
        let fits = offset.checked_add(len as u64).is_some_and(|end| end <= total);
        if fits { Ok(()) } else { Err(StoreError::Range { part: self, offset, len, total }) }
    }
}

/// One kept version, read where the reader likes.
///
/// *Security*: nothing but lengths was compared when it was opened. Whoever reads a body in pieces compares its root
/// with the header ([`check_version`] does, and so does a pass of the enclave over the chunks).
pub trait VersionReader: Send + Sync {
    /// The header, whose hash is the one asked for.
    fn header(&self) -> &Header;

    /// BLAKE3 of the sidecar, as it was when it was written.
    fn sidecar_digest(&self) -> [u8; 32];

    /// Fills `bytes` from a part.
    ///
    /// # Errors
    /// [`StoreError::Range`], [`StoreError::Corrupt`], [`StoreError::Medium`].
    fn read_at(&self, part: Part, offset: u64, bytes: &mut [u8]) -> Result<(), StoreError>;
}

/// A version that is being written. Dropped before it is committed, it leaves nothing that anybody reads.
///
/// The header comes last, because its body root and state root are known last.
pub trait VersionWriter: Send {
    /// Writes bytes of a part; any order, each byte once.
    ///
    /// # Errors
    /// [`StoreError::Range`], [`StoreError::Medium`]; afterwards the version is to be dropped.
    fn write_at(&mut self, part: Part, offset: u64, bytes: &[u8]) -> Result<(), StoreError>;

    /// Reads back what was written, compares the body and the sidecar's tree with the header, and keeps the version; when
    /// it returns, the version survives a power cut. It replaces what is kept under the same header hash, which
    /// [`TableStore::put`] does where the sidecar is another one.
    ///
    /// # Errors
    /// [`StoreError::Incomplete`], [`StoreError::Corrupt`] where the body written is not the header's,
    /// [`StoreError::Sidecar`], [`StoreError::Medium`]; earlier versions stay readable.
    fn commit(self: Box<Self>, header: &Header) -> Result<(), StoreError>;
}

/// A store of sealed versions, addressed by their header hash.
///
/// Availability is all that it gives: whoever reads compares with the chain and opens with the data key. A crash at
/// any instant leaves the version that was being written complete or absent, and every earlier one readable.
pub trait TableStore {
    /// Begins to write a version in a tier, in pieces.
    ///
    /// # Errors
    /// [`StoreError::Halted`], [`StoreError::Busy`], [`StoreError::Medium`].
    fn writer(&self, tier: Tier) -> Result<Box<dyn VersionWriter + '_>, StoreError>;

    /// Opens a complete version for reading in pieces.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where a part of it is absent and [`StoreError::Corrupt`] where one has another length,
    /// both of which a store may find only when it reads; [`StoreError::Corrupt`] where the header has another hash;
    /// [`StoreError::Medium`].
    fn reader(&self, header_hash: &[u8; 32]) -> Result<Box<dyn VersionReader + '_>, StoreError>;

    /// The header of a version, also where its body is lost.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Corrupt`], [`StoreError::Medium`].
    fn header(&self, header_hash: &[u8; 32]) -> Result<Header, StoreError>;

    /// BLAKE3 of the sidecar that a version was kept with, also where its parts are lost; `None` where the store cannot
    /// tell.
    ///
    /// # Errors
    /// As [`Self::header`].
    fn sidecar_digest(&self, _header_hash: &[u8; 32]) -> Result<Option<[u8; 32]>, StoreError> {
        Ok(None)
    }

    /// Header hashes of the versions, in no order. A listed version was once complete.
    ///
    /// # Errors
    /// [`StoreError`].
    fn versions(&self) -> Result<Vec<[u8; 32]>, StoreError>;

    /// Remembers which version of a table was last seen current.
    ///
    /// # Errors
    /// [`StoreError`].
    fn set_head_hint(&self, table: &TableId, header_hash: &[u8; 32]) -> Result<(), StoreError>;

    /// The header hash last remembered. *Security*: a hint for a quick start; the chain alone says what is current.
    ///
    /// # Errors
    /// [`StoreError`].
    fn head_hint(&self, table: &TableId) -> Result<Option<[u8; 32]>, StoreError>;

    /// Forgets a version; forgetting an absent one is no error. What another version shares with it stays.
    ///
    /// # Errors
    /// [`StoreError`].
    fn remove(&self, header_hash: &[u8; 32]) -> Result<(), StoreError>;

    /// Keeps a version; when it returns, the version survives a power cut. Keeping it twice is keeping it once.
    ///
    /// A kept version whose sidecar is another one is replaced: of a sidecar, nobody but an owner can check the entries,
    /// so the caller's word counts, who has it from the enclave.
    ///
    /// # Errors
    /// [`StoreError`]; earlier versions stay readable.
    fn put(&self, table: &SealedTable) -> Result<(), StoreError> {
        let SealedTable { header, body, sidecar } = table;
        // the writer first: a store that has halted must not call a version kept
        let mut writer = self.writer(header.tier())?;
        let digest = *blake3::hash(sidecar).as_bytes();
        let same =
            |kept: Box<dyn VersionReader + '_>| Ok(kept.sidecar_digest() == digest && check_version(&*kept).is_ok());
        if self.reader(&header.hash()).and_then(same).unwrap_or(false) {
            return Ok(());
        }
        writer.write_at(Part::Body, 0, body)?;
        writer.write_at(Part::Sidecar, 0, sidecar)?;
        writer.commit(header)
    }

    /// The version with this header hash, compared with what was written.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Corrupt`], [`StoreError::Medium`].
    fn get(&self, header_hash: &[u8; 32]) -> Result<SealedTable, StoreError> {
        let reader = self.reader(header_hash)?;
        let header = reader.header().clone();
        let corrupt = |part: Part| StoreError::Corrupt { header_hash: *header_hash, part: part.name() };
        let body = whole(&*reader, Part::Body, body_len(header.tier()))?;
        if body_root(&body) != header.body_root() {
            return Err(corrupt(Part::Body));
        }
        let sidecar = whole(&*reader, Part::Sidecar, sidecar_len(header.tier()))?;
        if *blake3::hash(&sidecar).as_bytes() != reader.sidecar_digest() {
            return Err(corrupt(Part::Sidecar));
        }
        Ok(SealedTable { header, body, sidecar })
    }
}

fn whole(reader: &dyn VersionReader, part: Part, len: usize) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![0; len];
    reader.read_at(part, 0, &mut bytes)?;
    Ok(bytes)
}

/// Compares a kept version with what was written, and its sidecar's tree with the header, in little memory.
///
/// # Errors
/// [`StoreError::Corrupt`], and what reading gives.
pub fn check_version(reader: &dyn VersionReader) -> Result<(), StoreError> {
    let header = reader.header();
    for part in Part::ALL {
        let expected = match part {
            Part::Body => header.body_root(),
            Part::Sidecar => reader.sidecar_digest(),
        };
        let found = part_digest(part, header.tier(), |offset, bytes| reader.read_at(part, offset, bytes))?;
        if expected != found {
            return Err(StoreError::Corrupt { header_hash: header.hash(), part: part.name() });
        }
    }
    let tree = check_sidecar(header, |offset, bytes| reader.read_at(Part::Sidecar, offset, bytes));
    tree.map_err(|error| match error {
        StoreError::Sidecar { header_hash, .. } => StoreError::Corrupt { header_hash, part: Part::Sidecar.name() },
        other => other,
    })
}

/// What a part is known by, read in pieces: the body's root, or BLAKE3 of the sidecar.
///
/// # Errors
/// Those of `read`.
pub fn part_digest(
    part: Part,
    tier: Tier,
    mut read: impl FnMut(u64, &mut [u8]) -> Result<(), StoreError>,
) -> Result<[u8; 32], StoreError> {
    let mut piece = vec![0; SEALED_CHUNK_LEN];
    let mut leaves = Vec::new();
    let mut whole = blake3::Hasher::new();
    for (index, offset) in (0..part.len(tier)).step_by(SEALED_CHUNK_LEN).enumerate() {
        let left = usize::try_from(part.len(tier) - offset).unwrap_or(usize::MAX);
        let piece = &mut piece[..left.min(SEALED_CHUNK_LEN)];
        read(offset, piece)?;
        match part {
            Part::Body => leaves.push(leaf(number(index), piece)),
            Part::Sidecar => _ = whole.update(piece),
        }
    }
    Ok(match part {
        Part::Body => root_of(&leaves),
        Part::Sidecar => *whole.finalize().as_bytes(),
    })
}
