//! The chain of a table's versions, walked from the head backwards by the hash that each header has of the one before.

use super::Pool;
use crate::error::Error;
use ccc_core::table::{Header, SuccessionError, TableStore, check_succession};
use std::{collections::BTreeSet, fmt};

/// The versions that a store holds.
pub(crate) struct History {
    /// From the head backwards, each the predecessor of the one before it.
    pub(crate) chain: Vec<Header>,
    /// Why the chain ends before the first version, if it does.
    pub(crate) broken: Option<Broken>,
    /// What the store holds beside the chain, by version: rounds that the head never followed, or what lies behind a break.
    pub(crate) beside: Vec<Header>,
}

/// A place where the chain of versions is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The store has no header with the hash that a version names as its predecessor.
    Missing { version: u64, previous: [u8; 32] },
    /// What a version names as its predecessor cannot be it.
    Succession { version: u64, source: SuccessionError },
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { version, previous } => {
                let hash = hex::encode(previous);
                write!(f, "version {version} follows header {hash}, which the store does not hold")
            }
            Self::Succession { version, source } => {
                write!(f, "version {version} does not follow its predecessor: {source}")
            }
        }
    }
}

impl Pool {
    /// The versions of the pool's table in a store.
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::PoolFile`] where the head is not what its header says.
    pub(crate) fn history(&self, store: &impl TableStore) -> Result<History, Error> {
        let held: BTreeSet<[u8; 32]> = store.versions()?.into_iter().collect();
        let head = store.header(&self.head.header_hash.0)?;
        self.check_head(&head)?;
        let (chain, broken) = walk(head, &held, store)?;
        let named: BTreeSet<[u8; 32]> = chain.iter().map(Header::hash).collect();
        let mut beside = held.difference(&named).map(|hash| store.header(hash)).collect::<Result<Vec<_>, _>>()?;
        beside.sort_by_key(|header| (header.version(), header.hash()));
        Ok(History { chain, broken, beside })
    }

    fn check_head(&self, head: &Header) -> Result<(), Error> {
        let refused = |reason: String| Err(Error::PoolFile { path: self.paths.head(), reason });
        let (expected, found) = (self.head.version, head.version());
        if expected != found {
            return refused(format!("it names version {expected}, and its header is of version {found}"));
        }
        let id = head.id();
        if (id.chain, id.contract, id.table) != (self.config.chain, self.config.pool, self.config.table) {
            return refused("its header is of another table".into());
        }
        Ok(())
    }
}

impl History {
    /// The header of a version.
    ///
    /// # Errors
    /// [`Error::NoVersion`] with what the chain has.
    pub(crate) fn version(&self, version: u64) -> Result<&Header, Error> {
        let ends = |header: Option<&Header>| header.map_or(0, Header::version);
        let (oldest, newest) = (ends(self.chain.last()), ends(self.chain.first()));
        let found = self.chain.iter().find(|header| header.version() == version);
        found.ok_or(Error::NoVersion { version, oldest, newest })
    }
}

/// Versions count down by one, so the walk ends.
fn walk(
    head: Header,
    held: &BTreeSet<[u8; 32]>,
    store: &impl TableStore,
) -> Result<(Vec<Header>, Option<Broken>), Error> {
    let mut chain = vec![head];
    while let Some(next) = chain.last().filter(|header| header.version() > 1) {
        let (version, previous) = (next.version(), next.previous());
        if !held.contains(&previous) {
            return Ok((chain, Some(Broken::Missing { version, previous })));
        }
        let header = store.header(&previous)?;
        if let Err(source) = check_succession(&header, next) {
            return Ok((chain, Some(Broken::Succession { version, source })));
        }
        chain.push(header);
    }
    Ok((chain, None))
}
