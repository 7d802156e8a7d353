//! What the next version is made for: a round, a larger tier, or a new epoch.
//!
//! A round moves balances and keeps tier and epoch. Growth and a new epoch are versions of their own: they change no
//! balance, take no operation and no delta, and are public, since tier and epoch stand in the header.
//!
//! *Source*: `docs/spec/table.md`, section *Updates*.

use super::{
    AssetRule, BoundaryOperation, Delta, OpenTable, ResultCode, StructuralError, Updated, batch::Batch, header::Prefix,
    key::DataKey, operation::own_version_digest,
};
use crate::{epoch::Epoch, keys::MasterPublicKey};
use alloc::vec;
use alloc::vec::Vec;
use rand_core::CryptoRng;

/// The step from a version to the next that [`OpenTable::apply`] takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update<'a> {
    /// Boundary operations in order, each succeeding or failing alone, then deltas, all or nothing.
    Round {
        /// Named events at the table's boundary.
        boundary: &'a [BoundaryOperation],
        /// The batch.
        deltas: &'a [Delta],
        /// The public number of delta slots ([`delta_capacity`](super::delta_capacity)).
        k: usize,
        /// The configuration's assets.
        assets: &'a [AssetRule],
    },
    /// The next tier, four times as large.
    Growth,
    /// The data key wrapped for a committee of a later epoch, which a refresh or a reshare gives the same master public
    /// key. It starts a new canonical order of standing orders.
    Epoch(Epoch),
}

impl Update<'_> {
    /// Tag and public argument of a version of its own, as its digest takes them; nothing for a round.
    ///
    /// *Layout*: growth `08` ‖ log2 of the new tier u8; epoch `09` ‖ new epoch u64.
    fn own_version(&self, next: &Prefix) -> Vec<u8> {
        match self {
            Self::Round { .. } => vec![],
            Self::Growth => vec![8, next.tier.log2()],
            Self::Epoch(epoch) => [&[9], &epoch.to_bytes()[..]].concat(),
        }
    }
}

impl OpenTable {
    /// The next version.
    ///
    /// # Errors
    /// [`StructuralError`]; the old version stays valid. [`StructuralError::LargestTier`] where there is no larger
    /// tier, [`StructuralError::Epoch`] where the epoch is not a later one.
    ///
    /// *Security*: `master` MUST be the key of the committee of the new version's epoch: whoever holds its shares reads
    /// the whole table. The enclave takes the key of its configuration, which its measurement covers.
    /// *Timing*: depends on the tier and, for a round, on `k` and the number of boundary operations.
    pub fn apply(
        self,
        update: &Update<'_>,
        master: &MasterPublicKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Updated, StructuralError> {
        let prefix = match *update {
            Update::Round { boundary, deltas, k, assets } => {
                let epoch = self.header.epoch();
                return self.update(boundary, deltas, k, assets, epoch, master, rng);
            }
            Update::Growth => self.grown()?,
            Update::Epoch(epoch) => self.in_epoch(epoch)?,
        };
        self.own_version(update, prefix, master, rng)
    }

    fn grown(&self) -> Result<Prefix, StructuralError> {
        let found = self.header.tier();
        let tier = found.next().ok_or(StructuralError::LargestTier { found })?;
        self.next_prefix(self.header.epoch(), tier)
    }

    fn in_epoch(&self, found: Epoch) -> Result<Prefix, StructuralError> {
        let least = self.header.epoch();
        if found <= least {
            return Err(StructuralError::Epoch { least, found });
        }
        self.next_prefix(found, self.header.tier())
    }

    /// A version that changes no balance.
    fn own_version(
        mut self,
        update: &Update<'_>,
        prefix: Prefix,
        master: &MasterPublicKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Updated, StructuralError> {
        let digest = own_version_digest(&update.own_version(&prefix));
        let key = DataKey::fresh(Some(&self.key), &prefix.to_bytes(), &digest, rng);
        if prefix.tier != self.header.tier() {
            self.rows.grow(prefix.tier);
        }
        let (table, rows) = self.into_next(prefix, key, Batch::new(&[], &[]), ResultCode::Done, master, rng)?;
        Ok(Updated { table, rows, code: ResultCode::Done, boundary: vec![] })
    }
}
