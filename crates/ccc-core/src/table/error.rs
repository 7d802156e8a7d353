//! Structural errors: they halt and leave the old version valid.

use super::{
    AssetId, Tier,
    header::{Head, HeaderError},
    row::RowFault,
};
use crate::{ciphertext::EncryptError, epoch::Epoch};

/// A table, or a request to change it, that is not what it must be.
///
/// Business failures (an insufficient balance, say) are no errors of this type: they are sealed inside the next
/// version. *State*: after any of these the previous version stays valid and nothing has been made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StructuralError {
    /// The header does not have the hash that the chain keeps.
    #[error("the header's hash is not the one on chain")]
    Hash {
        /// The hash on chain.
        expected: [u8; 32],
        /// The hash of the header.
        found: [u8; 32],
    },
    /// The header is malformed.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The header has another version than the chain.
    #[error("table version {} where the chain has {}", found.version, expected.version)]
    Version {
        /// The head on chain.
        expected: Head,
        /// The head of the header.
        found: Head,
    },
    /// The chain knows a version whose body nobody has: restore it; there is no empty table to go on with.
    #[error(
        "the body of the current version is missing: restore it from another holder, there is no empty table to go on with"
    )]
    MissingBody {
        /// The body root of the current header.
        body_root: [u8; 32],
    },
    /// The body is too short or too long for the tier.
    #[error("a body of {found} bytes, where the tier has {expected}")]
    Length {
        /// Bytes of the tier's body.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// The body is another one.
    #[error("the body's root is not the header's")]
    BodyRoot {
        /// The root in the header.
        expected: [u8; 32],
        /// The root of the body.
        found: [u8; 32],
    },
    /// A data key of another length.
    #[error("a data key of {found} bytes, where it has {expected}")]
    DataKeyLength {
        /// 32.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// The data key is not the one that the header commits to.
    #[error("the data key is not the one that the header commits to")]
    KeyCommitment,
    /// A chunk does not open.
    #[error("chunk {index} does not open")]
    Chunk {
        /// The chunk.
        index: u32,
    },
    /// A row is not one.
    #[error("row {index}: {fault}")]
    Row {
        /// The row.
        index: u32,
        /// What is wrong with it.
        fault: RowFault,
    },
    /// The rows are not the ones that the header commits to.
    #[error("the state root is not the header's")]
    StateRoot {
        /// The root in the header.
        expected: [u8; 32],
        /// The root of the rows.
        found: [u8; 32],
    },
    /// A number of delta slots that is not one of 16·4^j.
    #[error("{found} delta slots are not one of 16, 64, 256, … 262144")]
    DeltaCapacity {
        /// The number asked for.
        found: usize,
    },
    /// More deltas than the public number of slots.
    #[error("{found} deltas, where {capacity} fit")]
    TooManyDeltas {
        /// The public number of slots.
        capacity: usize,
        /// The number of deltas.
        found: usize,
    },
    /// A round names a row that its first pass did not look for.
    #[error("the round names a row that was not looked for")]
    NotSought,
    /// A round changed what all accounts hold of an asset by something else than deposits and withdrawals: a defect.
    #[error("the sum of asset {} is not what came in and went out", asset.0)]
    Conservation {
        /// The asset.
        asset: AssetId,
    },
    /// The last version has been reached.
    #[error("version {found} is the last")]
    LastVersion {
        /// The current version.
        found: u64,
    },
    /// The epoch may not go back.
    #[error("epoch {found} after epoch {least}")]
    Epoch {
        /// The current epoch.
        least: Epoch,
        /// The epoch asked for.
        found: Epoch,
    },
    /// The data key of the current version is wrapped for another master public key.
    #[error("the table's data key is not wrapped for the master public key that was to open it")]
    OtherMasterKey {
        /// The key for which it should be wrapped.
        expected: [u8; 32],
    },
    /// A rotation to one master public key, asked to be sealed for another.
    #[error("a rotation to one master public key, to be sealed for another")]
    RotatedTo {
        /// The key of the rotation.
        expected: [u8; 32],
        /// The key given.
        found: [u8; 32],
    },
    /// A rotation to the key that the table has.
    #[error("a rotation from a master public key to the same one")]
    SameKey,
    /// No larger tier exists.
    #[error("tier {found} is the largest")]
    LargestTier {
        /// The current tier.
        found: Tier,
    },
    /// The data key could not be wrapped.
    #[error("wrapping the data key: {0}")]
    Wrap(#[from] EncryptError),
}
