//! A group as the forwarder knows it.

use super::{GroupCommittee, GroupError, GroupKey};
use crate::report::word::WordWriter;
use crate::report::{Address, Word, keccak256};
use crate::threshold::Threshold;

/// A group key under one configuration of the forwarder, in the place of a [`SignerSet`](crate::report::SignerSet).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupSet {
    /// The committee's number at the forwarder.
    pub don_id: u32,
    /// The version of this set.
    pub config_version: u32,
    /// The number of faulty participants tolerated; any f+1 sign.
    pub f: u8,
    /// How many share the key.
    pub participants: u16,
    /// The key.
    pub key: GroupKey,
}

impl GroupSet {
    /// The set of a committee: f = t − 1.
    ///
    /// # Errors
    /// As [`GroupSet::check`]; [`GroupError::Threshold`] above 256.
    pub fn of(committee: &GroupCommittee, don_id: u32, config_version: u32) -> Result<Self, GroupError> {
        let threshold = committee.roster().threshold();
        let f = faults(threshold)?;
        Ok(Self { don_id, config_version, f, participants: threshold.n(), key: committee.key() })
    }

    /// The rules that the forwarder applies.
    ///
    /// # Errors
    /// [`GroupError::ZeroFaults`], [`GroupError::Participants`].
    pub fn check(&self) -> Result<(), GroupError> {
        check_numbers(self.f, self.participants)
    }

    /// keccak256(abi.encode("ccc/v1/group-config", chain, forwarder, donId, configVersion, f, participants, key)): what
    /// a report's context names.
    #[must_use]
    pub fn config_digest(&self, chain: u64, forwarder: &Address) -> Word {
        const OFFSET_OF_KEY: u128 = 8 * 32;
        let key = self.key.to_eip2537();
        let head = WordWriter::default()
            .word(&padded(b"ccc/v1/group-config"))
            .uint(chain.into())
            .address(forwarder)
            .uint(self.don_id.into())
            .uint(self.config_version.into())
            .uint(self.f.into())
            .uint(self.participants.into())
            .uint(OFFSET_OF_KEY)
            .uint(key.len() as u128);
        keccak256(&[&head.finish(), &key])
    }

    /// What the group signs to be configured: "ccc/v1/group-possession", padded to 32 bytes, and the digest.
    #[must_use]
    pub fn possession(&self, chain: u64, forwarder: &Address) -> [u8; 64] {
        let mut message = [0; 64];
        message[..32].copy_from_slice(&padded(b"ccc/v1/group-possession"));
        message[32..].copy_from_slice(&self.config_digest(chain, forwarder));
        message
    }
}

/// The faults that a group of this threshold tolerates: t − 1, if the forwarder takes it.
pub(super) fn faults(threshold: Threshold) -> Result<u8, GroupError> {
    let f = u8::try_from(threshold.t() - 1).map_err(|_| GroupError::Threshold { found: threshold.t() })?;
    check_numbers(f, threshold.n())?;
    Ok(f)
}

fn check_numbers(f: u8, participants: u16) -> Result<(), GroupError> {
    if f == 0 {
        return Err(GroupError::ZeroFaults);
    }
    let (least, found) = (3 * usize::from(f), usize::from(participants));
    if found > least { Ok(()) } else { Err(GroupError::Participants { f: f.into(), least, found }) }
}

fn padded(text: &[u8]) -> Word {
    let mut word = [0; 32];
    word[..text.len()].copy_from_slice(text);
    word
}
