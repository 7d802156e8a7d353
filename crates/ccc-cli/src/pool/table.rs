//! The pool's table in its store. Which version is true is decided by the header hash of the head, never by the store; what
//! the store has lost is a halt.

use super::{Pool, hexed::Hex, parse_json};
use crate::{
    error::Error,
    files::{self, Audience, Replace},
};
use ccc_core::table::{Header, Part, SealedTable, TableId, VersionReader, body_len, sidecar_len};
use ccc_store::{DirectoryStore, recover};
use serde::{Deserialize, Serialize};
use std::path::Path;

const MAX_COLLECTED: u64 = 4096;

/// `collected.json`: up to where history was given up on purpose, so that it is not taken for a loss.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Collected {
    /// The lowest version that every collection so far kept.
    kept_from: u64,
}

impl Pool {
    /// The table's name in a store.
    pub(crate) fn table_id(&self) -> TableId {
        TableId { chain: self.config.chain, contract: self.config.pool, table: self.config.table }
    }

    /// The store of sealed versions; one opener at a time.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn store(&self) -> Result<DirectoryStore, Error> {
        Ok(DirectoryStore::open(self.paths.table())?)
    }

    /// Reads a pool directory while its store is held open: no other run moves the table meanwhile.
    ///
    /// # Errors
    /// As [`Self::open`] and [`Self::store`].
    pub(crate) fn open_alone(directory: &Path) -> Result<(Self, DirectoryStore), Error> {
        let store = Self::open(directory)?.store()?;
        Ok((Self::open(directory)?, store))
    }

    /// The version that the head names, compared with what was written.
    ///
    /// # Errors
    /// [`Error::Halt`] where the store has lost or altered it; [`Error::Store`].
    pub(crate) fn current<'s>(&self, store: &'s DirectoryStore) -> Result<Box<dyn VersionReader + 's>, Error> {
        Ok(recover(store, &self.table_id(), &self.head.header_hash.0)?.found()?)
    }

    /// The header of the current table, of which all has been compared, in the memory of one chunk.
    ///
    /// # Errors
    /// As [`Self::current`] and [`Self::store`].
    pub(crate) fn header(&self) -> Result<Header, Error> {
        Ok(self.current(&self.store()?)?.header().clone())
    }

    /// The current table.
    ///
    /// # Errors
    /// As [`Self::current`] and [`Self::store`].
    pub(crate) fn table(&self) -> Result<SealedTable, Error> {
        self.table_in(&self.store()?)
    }

    /// The current table, from a store that is open already.
    ///
    /// # Errors
    /// As [`Self::current`].
    pub(crate) fn table_in(&self, store: &DirectoryStore) -> Result<SealedTable, Error> {
        let current = self.current(store)?;
        let header = current.header().clone();
        let (mut body, mut sidecar) = (vec![0; body_len(header.tier())], vec![0; sidecar_len(header.tier())]);
        current.read_at(Part::Body, 0, &mut body)?;
        current.read_at(Part::Sidecar, 0, &mut sidecar)?;
        Ok(SealedTable { header, body, sidecar })
    }

    /// Refuses a header that is not the one of which the head speaks.
    ///
    /// # Errors
    /// [`Error::PoolFile`].
    pub(crate) fn check_head(&self, header: &Header) -> Result<(), Error> {
        let refused = |reason: String| Err(Error::PoolFile { path: self.paths.head(), reason });
        let (expected, found) = (self.head.version, header.version());
        if expected != found {
            return refused(format!("it names version {expected}, and its header is of version {found}"));
        }
        if header.id() != self.table_id() {
            return refused("its header is of another table".into());
        }
        Ok(())
    }

    /// The lowest version that every collection kept; zero where there was none.
    ///
    /// # Errors
    /// [`Error::PoolFile`] and the errors of reading.
    pub(crate) fn kept_from(&self) -> Result<u64, Error> {
        let path = self.paths.collected();
        if !path.exists() {
            return Ok(0);
        }
        let Collected { kept_from } = parse_json(&path, &files::read(&path, MAX_COLLECTED)?)?;
        Ok(kept_from)
    }

    /// Writes down, before a collection, from which version on it keeps all.
    ///
    /// # Errors
    /// As [`Self::kept_from`] and [`files::write`].
    pub(crate) fn set_kept_from(&self, kept_from: u64) -> Result<(), Error> {
        let kept_from = kept_from.max(self.kept_from()?);
        let text = format!("{:#}\n", serde_json::json!(Collected { kept_from }));
        files::write(&self.paths.collected(), text.as_bytes(), Audience::Everyone, Replace::Force)
    }
}

/// Header, body and sidecar of a version, without what a store writes beside them. *Units*: bytes.
pub(crate) fn bytes_of(header: &Header) -> u64 {
    let parts: u64 = Part::ALL.iter().map(|part| part.len(header.tier())).sum();
    header.to_bytes().len() as u64 + parts
}

/// A version in an answer for programs.
pub(crate) fn object(header: &Header) -> serde_json::Value {
    serde_json::json!({
        "version": header.version(), "header_hash": Hex(header.hash()), "previous": Hex(header.previous()),
        "tier": header.tier().log2(), "rows": header.tier().rows(), "epoch": header.epoch().0,
        "bytes": bytes_of(header),
    })
}
