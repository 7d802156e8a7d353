//! What a store answers after a crash, when the chain says which version is true.

use ccc_core::table::{
    Head, Header, Part, SEALED_CHUNK_LEN, StoreError, TableId, TableStore, VersionReader, check_version,
};
use std::fmt;

/// The version that the chain names, or what to do without it.
#[must_use]
pub enum Recovery<'a> {
    /// It is here and as it was written.
    Found(Box<dyn VersionReader + 'a>),
    /// It is not here, or not as it was written.
    Missing(Halt),
}

impl<'a> Recovery<'a> {
    /// The version, or the halt as an error.
    ///
    /// # Errors
    /// [`Halt`].
    pub fn found(self) -> Result<Box<dyn VersionReader + 'a>, Halt> {
        match self {
            Self::Found(reader) => Ok(reader),
            Self::Missing(halt) => Err(halt),
        }
    }
}

impl fmt::Debug for Recovery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(reader) => f.debug_tuple("Found").field(&reader.header().head()).finish(),
            Self::Missing(halt) => f.debug_tuple("Missing").field(halt).finish(),
        }
    }
}

/// What is lost of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Everything: its write never ended here, or its store is another one.
    Version,
    /// Body or sidecar, although its write had ended.
    Part,
    /// This part is there and is not the one written.
    Damaged(&'static str),
}

/// The version that the chain names cannot be had from this store: stop, restore it, go on.
///
/// *Security*: there is no way around it. An empty table would take every balance, and an older version is a rollback,
/// which the contract refuses because its hash is not the current one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "table version {} is the current one on chain, and {}. Restore it from a holder that has it: another store of this \
     table, the host that sealed it, a backup made after it. {}",
    hex::encode(header_hash), lost, Newest(*newest)
)]
pub struct Halt {
    /// The hash that the chain keeps.
    pub header_hash: [u8; 32],
    /// What is lost.
    pub lost: Lost,
    /// The newest version of the table whose header is here. It is not current.
    pub newest: Option<Head>,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version => f.write_str("this store does not have it"),
            Self::Part => f.write_str("this store lacks a part of it"),
            Self::Damaged(part) => write!(f, "the {part} in this store has been altered"),
        }
    }
}

struct Newest(Option<Head>);

impl fmt::Display for Newest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(Head { version, .. }) => {
                write!(f, "The newest other version here is {version}; the contract takes nothing that follows it")
            }
            None => f.write_str("No other version of the table is here"),
        }
    }
}

/// Looks for the version that the chain names and compares it with what was written.
///
/// `header_hash` is that of the table's head at a finalised block; nothing in the store says which version is true.
///
/// *Timing*: reads the version once, in the memory of one chunk.
///
/// # Errors
/// [`StoreError::Medium`] and the like, where the store cannot answer. A version that is lost is no error here but
/// [`Recovery::Missing`].
pub fn recover<'a>(
    store: &'a dyn TableStore,
    table: &TableId,
    header_hash: &[u8; 32],
) -> Result<Recovery<'a>, StoreError> {
    let whole = store.reader(header_hash).and_then(|reader| check_version(&*reader).map(|()| reader));
    let lost = match whole {
        Ok(reader) => return Ok(Recovery::Found(reader)),
        Err(StoreError::Missing { .. }) if store.header(header_hash).is_ok() => Lost::Part,
        Err(StoreError::Missing { .. }) => Lost::Version,
        Err(StoreError::Corrupt { part, .. }) => Lost::Damaged(part),
        Err(error) => return Err(error),
    };
    let newest = headers(store, table)?.into_iter().map(|header| header.head());
    let newest = newest.filter(|head| head.hash != *header_hash).max_by_key(|head| head.version);
    Ok(Recovery::Missing(Halt { header_hash: *header_hash, lost, newest }))
}

/// The headers of a table's versions; one that cannot be read is left out.
pub(crate) fn headers(store: &dyn TableStore, table: &TableId) -> Result<Vec<Header>, StoreError> {
    let mut found = vec![];
    for hash in store.versions()? {
        match store.header(&hash) {
            Ok(header) if header.id() == *table => found.push(header),
            Ok(_) | Err(StoreError::Corrupt { .. } | StoreError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Copies a version from a store that has it, in little memory. A version that is whole in `into` stays as it is.
///
/// *Security*: `from` is not trusted. The header has the hash asked for, the body its root and the sidecar the tree of
/// the header, or nothing is kept. Where `into` still knows the digest of its own sidecar, the copy's is that one. Where it
/// does not, the sidecar's entries are what `from` calls them, since only their owners can tell;
/// [`put`](TableStore::put) with the sealing host's own replaces them.
///
/// # Errors
/// [`StoreError`] of either store.
pub fn restore(into: &dyn TableStore, from: &dyn TableStore, header_hash: &[u8; 32]) -> Result<(), StoreError> {
    restore_from(into, &*from.reader(header_hash)?, header_hash).map(|_| ())
}

/// [`restore`] from a copy of the version that lies in no store. Whether anything was copied.
///
/// # Errors
/// As there; [`StoreError::Missing`] where the copy is of another version.
pub fn restore_from(
    into: &dyn TableStore,
    copy: &dyn VersionReader,
    header_hash: &[u8; 32],
) -> Result<bool, StoreError> {
    if copy.header().hash() != *header_hash {
        return Err(StoreError::Missing { header_hash: *header_hash });
    }
    let tier = copy.header().tier();
    // the writer first: a store that has halted must not call a version kept
    let mut writer = into.writer(tier)?;
    if into.reader(header_hash).is_ok_and(|kept| check_version(&*kept).is_ok()) {
        return Ok(false);
    }
    check_version(copy)?;
    check_sidecar_kept(into, copy, header_hash)?;
    let mut piece = vec![0; SEALED_CHUNK_LEN];
    for part in Part::ALL {
        for offset in (0..part.len(tier)).step_by(SEALED_CHUNK_LEN) {
            let left = usize::try_from(part.len(tier) - offset).unwrap_or(usize::MAX);
            let piece = &mut piece[..left.min(SEALED_CHUNK_LEN)];
            copy.read_at(part, offset, piece)?;
            writer.write_at(part, offset, piece)?;
        }
    }
    writer.commit(copy.header())?;
    Ok(true)
}

/// A copy whose entries are others than those that were kept must not take the place of a sidecar that may be whole.
fn check_sidecar_kept(into: &dyn TableStore, copy: &dyn VersionReader, hash: &[u8; 32]) -> Result<(), StoreError> {
    let kept = match into.sidecar_digest(hash) {
        Err(StoreError::Missing { .. } | StoreError::Corrupt { .. }) => None,
        known => known?,
    };
    if kept.is_none_or(|kept| kept == copy.sidecar_digest()) {
        return Ok(());
    }
    Err(StoreError::Corrupt { header_hash: *hash, part: Part::Sidecar.name() })
}
