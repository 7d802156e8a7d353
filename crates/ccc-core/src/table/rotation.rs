//! The way of a table from one master public key to another.
//!
//! A refresh and a reshare keep the master public key; a rotation makes a new one. The current data key is then opened by the
//! former committee for the last time, and the next version, which settles nothing, is wrapped for the new key.
//!
//! *Source*: `docs/spec/table.md`, section *Rotation*.

use super::{Header, StructuralError};
use crate::{epoch::Epoch, keys::MasterPublicKey};

/// A later epoch under another master public key, for [`Update::Rotation`](super::Update::Rotation).
///
/// Made by the enclave from its configuration, which names both keys; it says which key the result is for, and an update
/// with it makes a version for no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    epoch: Epoch,
    from: MasterPublicKey,
    to: MasterPublicKey,
}

impl Rotation {
    /// From the key that the current version is wrapped for to the one of the new committee.
    ///
    /// # Errors
    /// [`StructuralError::SameKey`]: without another key it is [`Update::Epoch`](super::Update::Epoch).
    pub fn new(epoch: Epoch, from: MasterPublicKey, to: MasterPublicKey) -> Result<Self, StructuralError> {
        if from == to { Err(StructuralError::SameKey) } else { Ok(Self { epoch, from, to }) }
    }

    /// The epoch that the result is of.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The former key: that of the current version.
    #[must_use]
    pub fn from(&self) -> &MasterPublicKey {
        &self.from
    }

    /// The new key: that of the result.
    #[must_use]
    pub fn to(&self) -> &MasterPublicKey {
        &self.to
    }

    /// Refuses a header whose data key is wrapped for another key than the former one.
    pub(super) fn check_from(&self, header: &Header) -> Result<(), StructuralError> {
        header.check_wrapped_for(&self.from)
    }

    /// Refuses to be sealed for another key than the new one.
    pub(super) fn check_to(&self, master: &MasterPublicKey) -> Result<(), StructuralError> {
        let (expected, found) = (self.to.to_bytes(), master.to_bytes());
        if expected == found { Ok(()) } else { Err(StructuralError::RotatedTo { expected, found }) }
    }
}

impl Header {
    /// Whether the data key is wrapped for this master public key: whether its proof verifies under it.
    pub(super) fn check_wrapped_for(&self, key: &MasterPublicKey) -> Result<(), StructuralError> {
        let verified = self.wrapped().clone().verify(key);
        verified.map(drop).map_err(|_| StructuralError::OtherMasterKey { expected: key.to_bytes() })
    }
}
