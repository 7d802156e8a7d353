//! Removing what nobody needs any more, and nothing else.
//!
//! One comparison decides: a version stays if it is the head, is newer than the head less the depth that is kept, or
//! belongs to another table. So versions above the head stay, which the chain has not finalised, and so do abandoned
//! siblings until the head has moved on; no damaged record and no missing link can make the rule forget a version
//! that it would have kept. Removal goes from the oldest upwards, and a crash in the middle leaves the younger ones.

use crate::recovery::{Halt, Recovery, headers, recover};
use ccc_core::table::{Head, StoreError, TableId, TableStore};
use std::num::NonZeroU32;

/// How many versions before the head are kept: at least its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Versions before the head.
    pub ancestors: NonZeroU32,
}

impl Keep {
    fn keeps(self, head: &Head, version: u64) -> bool {
        version >= head.version.saturating_sub(u64::from(self.ancestors.get()))
    }
}

/// What somebody who has looked at a [`Collection`] agrees to. Another count or another head carries nothing out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The head at a finalised block.
    pub head: Head,
    /// How many versions go.
    pub removals: usize,
}

/// A collection that is not carried out. Nothing was removed, unless it is [`CollectError::Stopped`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// The head itself is not whole in this store: nothing is removed before it is restored.
    #[error(transparent)]
    Head(#[from] Halt),
    /// The head named is no head of this table.
    #[error("version {} is named as the head; under its hash the store has version {} of {}", expected.version,
        found.version, if *same_table { "the table" } else { "another table" })]
    AnotherHead {
        /// The head named.
        expected: Head,
        /// What the store has under its hash.
        found: Head,
        /// Whether it belongs to the table named.
        same_table: bool,
    },
    /// Something else was agreed to.
    #[error("{} removals below version {} are confirmed, where the plan has {} below version {}",
        found.removals, found.head.version, expected.removals, expected.head.version)]
    Confirmation {
        /// What the plan would do.
        expected: Confirmation,
        /// What was confirmed.
        found: Confirmation,
    },
    /// A version cannot be read: what it names is not known, so the parts of every other would stay behind.
    #[error("{0}; nothing is removed before that version is restored or moved out of the store")]
    Unreadable(StoreError),
    /// A removal failed. The version after those removed may be gone in part.
    #[error("{} of {planned} versions were removed, then: {source}", removed.len())]
    Stopped {
        /// The versions removed, oldest first.
        removed: Vec<Head>,
        /// How many were to go.
        planned: usize,
        /// Why no more went.
        source: Box<StoreError>,
    },
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a collection would remove. It does nothing before [`Collection::carry_out`].
#[must_use]
pub struct Collection<'a> {
    store: &'a dyn TableStore,
    table: TableId,
    head: Head,
    removals: Vec<Head>,
}

impl std::fmt::Debug for Collection<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collection").field("head", &self.head).field("removals", &self.removals).finish_non_exhaustive()
    }
}

/// Plans a collection below a head that is whole in the store.
///
/// `head` is the table's head at a *finalised* block. *Security*: of all that the rule needs, this alone is not in the
/// store; with a head that is not final, a version that becomes current again could be gone.
///
/// # Errors
/// [`CollectError::Head`], [`CollectError::AnotherHead`], [`CollectError::Unreadable`], [`CollectError::Store`].
pub fn collect<'a>(
    store: &'a dyn TableStore,
    table: &TableId,
    head: Head,
    keep: Keep,
) -> Result<Collection<'a>, CollectError> {
    check_head(store, table, head)?;
    check_readable(store)?;
    let mut removals: Vec<_> = headers(store, table)?.into_iter().map(|header| header.head()).collect();
    removals.retain(|version| !keep.keeps(&head, version.version));
    removals.sort_unstable_by_key(|removal| (removal.version, removal.hash));
    Ok(Collection { store, table: *table, head, removals })
}

fn check_readable(store: &dyn TableStore) -> Result<(), CollectError> {
    for hash in store.versions()? {
        match store.header(&hash) {
            Ok(_) | Err(StoreError::Missing { .. }) => {}
            Err(source @ StoreError::Corrupt { .. }) => return Err(CollectError::Unreadable(source)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn check_head(store: &dyn TableStore, table: &TableId, head: Head) -> Result<(), CollectError> {
    let found = match recover(store, table, &head.hash)? {
        Recovery::Found(reader) => reader.header().clone(),
        Recovery::Missing(halt) => return Err(halt.into()),
    };
    let same_table = found.id() == *table;
    if same_table && found.version() == head.version {
        return Ok(());
    }
    Err(CollectError::AnotherHead { expected: head, found: found.head(), same_table })
}

impl Collection<'_> {
    /// The versions that would go, oldest first.
    #[must_use]
    pub fn removals(&self) -> &[Head] {
        &self.removals
    }

    /// Removes them, if exactly this was confirmed. A hint that names one of them is moved to the head first.
    ///
    /// # Errors
    /// [`CollectError::Confirmation`]; [`CollectError::Head`] where the head has gone since the plan;
    /// [`CollectError::Stopped`], after which some of the oldest are gone: plan again; [`CollectError::Store`].
    pub fn carry_out(self, confirmation: Confirmation) -> Result<(), CollectError> {
        let Self { store, table, head, removals } = self;
        let expected = Confirmation { head, removals: removals.len() };
        if expected != confirmation {
            return Err(CollectError::Confirmation { expected, found: confirmation });
        }
        check_head(store, &table, head)?;
        let hint = match store.head_hint(&table) {
            Err(StoreError::Malformed { .. }) => None,
            other => other?,
        };
        if hint.is_some_and(|hint| removals.iter().any(|removal| removal.hash == hint)) {
            store.set_head_hint(&table, &head.hash)?;
        }
        for (count, removal) in removals.iter().enumerate() {
            store.remove(&removal.hash).map_err(|source| CollectError::Stopped {
                removed: removals[..count].to_vec(),
                planned: removals.len(),
                source: Box::new(source),
            })?;
        }
        Ok(())
    }
}
