//! What the next version is made for: a round, a larger tier, a new epoch, or a new epoch under another master key.
//!
//! A round moves balances and keeps tier and epoch. The others are versions of their own: they change no
//! balance, take no operation and no delta, and are public, since tier and epoch stand in the header.
//!
//! *Source*: `docs/spec/table.md`, section *Updates*.

use super::{
    AssetRule, BoundaryOperation, Delta, Header, OpenTable, ResultCode, Rotation, StructuralError, Updated,
    batch::Batch,
    header::Prefix,
    key::DataKey,
    operation::{own_version_digest, update_digest},
};
use crate::{epoch::Epoch, keys::MasterPublicKey};
use alloc::vec;
use alloc::vec::Vec;
use rand_core::CryptoRng;

/// The step from a version to the next that [`OpenTable::apply`] takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "one is made for each version, and passed by reference")]
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
    /// The data key wrapped for another master public key, that of a committee of a later epoch: [`Rotation::to`].
    Rotation(Rotation),
}

/// The next version as the current header and the update determine it, and what is to be done to the rows.
pub(super) struct Next<'a> {
    pub(super) prefix: Prefix,
    /// What enters the data key beside P0.
    pub(super) digest: [u8; 32],
    pub(super) boundary: &'a [BoundaryOperation],
    /// Deltas and dummies; none for a version of its own.
    pub(super) padded: Vec<Delta>,
    pub(super) assets: &'a [AssetRule],
}

impl<'a> Update<'a> {
    /// What follows the version with this header.
    pub(super) fn after(&self, header: &Header) -> Result<Next<'a>, StructuralError> {
        let prefix = match *self {
            Self::Round { boundary, deltas, k, assets } => {
                let padded = Delta::padded(deltas, k)?;
                let prefix = header.next_prefix(header.epoch(), header.tier())?;
                let digest = update_digest(boundary, &padded);
                return Ok(Next { prefix, digest, boundary, padded, assets });
            }
            Self::Growth => grown(header)?,
            Self::Epoch(epoch) => in_epoch(header, epoch)?,
            Self::Rotation(rotation) => {
                rotation.check_from(header)?;
                in_epoch(header, rotation.epoch())?
            }
        };
        let digest = own_version_digest(&self.own_version(&prefix));
        Ok(Next { prefix, digest, boundary: &[], padded: vec![], assets: &[] })
    }

    /// Whether `master` is the key that a version of its own is for: that of the version before, but for a rotation, which
    /// says it. A round takes the key that its caller has verified the header under.
    pub(super) fn check_key(&self, header: &Header, master: &MasterPublicKey) -> Result<(), StructuralError> {
        match self {
            Self::Round { .. } => Ok(()),
            Self::Growth | Self::Epoch(_) => header.check_wrapped_for(master),
            Self::Rotation(rotation) => rotation.check_to(master),
        }
    }

    /// Tag and public argument of a version of its own, as its digest takes them; nothing for a round.
    ///
    /// *Layout*: growth `08` ‖ log2 of the new tier u8; epoch `09` ‖ new epoch u64; rotation `0b` ‖ new epoch u64 ‖ new
    /// master public key 32.
    fn own_version(&self, next: &Prefix) -> Vec<u8> {
        match self {
            Self::Round { .. } => vec![],
            Self::Growth => vec![8, next.tier.log2()],
            Self::Epoch(epoch) => [&[9], &epoch.to_bytes()[..]].concat(),
            Self::Rotation(rotation) => [&[11], &rotation.epoch().to_bytes()[..], &rotation.to().to_bytes()].concat(),
        }
    }
}

impl OpenTable {
    /// The next version.
    ///
    /// # Errors
    /// [`StructuralError`]; the old version stays valid. [`StructuralError::LargestTier`] where there is no larger
    /// tier, [`StructuralError::Epoch`] where the epoch is not a later one, [`StructuralError::OtherMasterKey`] where growth
    /// or a new epoch is on top of a header that is wrapped for another key, [`StructuralError::RotatedTo`] where
    /// `master` is not the key of the rotation.
    ///
    /// *Security*: `master` MUST be the key of the committee of the new version's epoch: whoever holds its shares reads
    /// the whole table. A round does not find out another one. The enclave takes the key of its configuration, which its
    /// measurement covers, and has verified the current header under it.
    /// *Timing*: depends on the tier and, for a round, on `k` and the number of boundary operations.
    pub fn apply(
        self,
        update: &Update<'_>,
        master: &MasterPublicKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Updated, StructuralError> {
        if let Update::Round { boundary, deltas, k, assets } = *update {
            let epoch = self.header.epoch();
            return self.update(boundary, deltas, k, assets, epoch, master, rng);
        }
        let next = update.after(&self.header)?;
        update.check_key(&self.header, master)?;
        self.own_version(next, master, rng)
    }

    /// A version that changes no balance.
    fn own_version(
        mut self,
        next: Next<'_>,
        master: &MasterPublicKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Updated, StructuralError> {
        let Next { prefix, digest, .. } = next;
        let key = DataKey::fresh(Some(&self.key), &prefix.to_bytes(), &digest, rng);
        if prefix.tier != self.header.tier() {
            self.rows.grow(prefix.tier);
        }
        let (table, rows) = self.into_next(prefix, key, Batch::new(&[], &[]), ResultCode::Done, master, rng)?;
        Ok(Updated { table, rows, code: ResultCode::Done, boundary: vec![] })
    }
}

fn grown(header: &Header) -> Result<Prefix, StructuralError> {
    let found = header.tier();
    let tier = found.next().ok_or(StructuralError::LargestTier { found })?;
    header.next_prefix(header.epoch(), tier)
}

fn in_epoch(header: &Header, found: Epoch) -> Result<Prefix, StructuralError> {
    let least = header.epoch();
    if found <= least {
        return Err(StructuralError::Epoch { least, found });
    }
    header.next_prefix(found, header.tier())
}
