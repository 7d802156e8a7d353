//! The chain of a table's versions, walked from the head backwards by the hash that each header has of the one before.

use super::Pool;
use crate::error::Error;
use ccc_core::table::{Header, StoreError, SuccessionError, TableStore, check_succession};
use ccc_store::DirectoryStore;
use std::{collections::BTreeSet, fmt};

/// The versions that a store holds.
pub(crate) struct History {
    /// From the head backwards, each the predecessor of the one before it; empty if the head's own header is altered.
    pub(crate) chain: Vec<Header>,
    /// Why the chain ends before the first version, if it is neither there nor collected.
    pub(crate) broken: Option<Broken>,
    /// The last of the versions that were collected, if any were.
    pub(crate) collected: Option<u64>,
    /// What the store holds beside the chain, by version: rounds that the head never followed, or what lies behind a break.
    pub(crate) beside: Vec<Header>,
    /// What the store holds beside the chain and cannot give, as its header was altered.
    pub(crate) altered: Vec<Altered>,
}

/// A version whose header the store does not hold as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Altered {
    /// The hash that names it.
    pub(crate) header_hash: [u8; 32],
    /// Header or manifest.
    pub(crate) part: &'static str,
}

impl Altered {
    /// The header that a store gives, or what was altered of it.
    ///
    /// # Errors
    /// [`Error::Store`] for everything else that a store refuses.
    fn or_header(store: &impl TableStore, hash: &[u8; 32]) -> Result<Result<Header, Self>, Error> {
        match store.header(hash) {
            Ok(header) => Ok(Ok(header)),
            Err(StoreError::Corrupt { header_hash, part }) => Ok(Err(Self { header_hash, part })),
            Err(error) => Err(error.into()),
        }
    }
}

/// A place where the chain of versions is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The store has no header with the hash that a version names as its predecessor.
    Missing { version: u64, previous: [u8; 32] },
    /// The header of the head, or of a predecessor, is not the one that was written.
    Altered(Altered),
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
            Self::Altered(Altered { header_hash, part }) => {
                write!(f, "table version {}: the {part} kept is not the one written", hex::encode(header_hash))
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
    /// [`Error::Store`]; [`Error::Halt`] where the store has nothing of the head; [`Error::PoolFile`] where the head is not
    /// what its header says.
    pub(crate) fn history(&self, store: &DirectoryStore) -> Result<History, Error> {
        let held: BTreeSet<[u8; 32]> = store.versions()?.into_iter().collect();
        if !held.contains(&self.head.header_hash.0) {
            self.current(store)?;
        }
        let (chain, broken) = match Altered::or_header(store, &self.head.header_hash.0)? {
            Ok(head) => {
                self.check_head(&head)?;
                walk(head, &held, store)?
            }
            Err(altered) => (vec![], Some(Broken::Altered(altered))),
        };
        let (broken, collected) = self.collected(broken)?;
        let named: BTreeSet<[u8; 32]> = chain.iter().map(Header::hash).collect();
        let (mut beside, mut altered) = (vec![], vec![]);
        for hash in held.difference(&named) {
            match Altered::or_header(store, hash)? {
                Ok(header) => beside.push(header),
                Err(version) => altered.push(version),
            }
        }
        beside.sort_by_key(|header| (header.version(), header.hash()));
        Ok(History { chain, broken, collected, beside, altered })
    }

    /// A chain that ends where a collection ended is not broken.
    fn collected(&self, broken: Option<Broken>) -> Result<(Option<Broken>, Option<u64>), Error> {
        match broken {
            Some(Broken::Missing { version, .. }) if version <= self.kept_from()? => Ok((None, version.checked_sub(1))),
            broken => Ok((broken, None)),
        }
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
        let header = match Altered::or_header(store, &previous)? {
            Ok(header) => header,
            Err(altered) => return Ok((chain, Some(Broken::Altered(altered)))),
        };
        if let Err(source) = check_succession(&header, next) {
            return Ok((chain, Some(Broken::Succession { version, source })));
        }
        chain.push(header);
    }
    Ok((chain, None))
}
