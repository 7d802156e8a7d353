//! The roster: a committee before its verification keys exist.

use super::weight::{PublicKeys, refuse_half_shared_keys};
use crate::encoding::EncodingError;
use crate::epoch::Epoch;
use crate::identifier::Identifier;
use crate::suite::{Hasher, SUITE_BYTES, domain};
use crate::threshold::Threshold;
use alloc::vec::Vec;
use curve25519_dalek::{RistrettoPoint, traits::IsIdentity};
use ed25519_dalek::VerifyingKey;

/// One line of a roster: an identifier with the keys of its owner, made by [`PublicKeys::member`] or
/// [`ParticipantKeys::public`](super::ParticipantKeys::public).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterMember {
    /// The participant's x-coordinate.
    pub identifier: Identifier,
    pub(crate) signing_key: VerifyingKey,
    pub(crate) dealing_key: RistrettoPoint,
}

impl RosterMember {
    /// The keys of the participant that owns this identifier.
    #[must_use]
    pub fn keys(&self) -> PublicKeys {
        PublicKeys { signing_key: self.signing_key, dealing_key: self.dealing_key }
    }
}

/// Why members do not make a roster or a committee.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MembershipError {
    /// Another number of members than the threshold speaks of.
    #[error("{found} members, where the threshold speaks of {expected}")]
    Count {
        /// n of the threshold.
        expected: u16,
        /// Members given.
        found: usize,
    },
    /// Identifiers that do not ascend strictly.
    #[error("identifier {found} after {previous}: members are distinct and ascend")]
    Order {
        /// The identifier before.
        previous: Identifier,
        /// The identifier out of order.
        found: Identifier,
    },
    /// The identity, or a signing key of small order.
    #[error("a key of participant {identifier} is weak")]
    WeakKey {
        /// Whose key.
        identifier: Identifier,
    },
    /// One key that two members claim, whose other keys differ.
    #[error("participants {first} and {second} claim the same key, and are not one participant")]
    SharedKey {
        /// One of them.
        first: Identifier,
        /// The other.
        second: Identifier,
    },
    /// A participant without an identifier.
    #[error("participant number {place} of the list has no weight")]
    NoWeight {
        /// Its place in the list, from 0.
        place: usize,
    },
    /// A participant whose silence alone would stop the service.
    #[error("the participant with identifier {identifier} owns {found} of them, where at most {most} are safe")]
    Weight {
        /// Its first identifier.
        identifier: Identifier,
        /// Its weight.
        found: usize,
        /// F.
        most: u16,
    },
    /// Verification keys that are not the values of one polynomial of degree t − 1 with Y at zero.
    #[error("the verification keys do not share the master public key")]
    VerificationKeys,
    /// Bytes that are not a committee.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// A threshold outside the rule.
    #[error(transparent)]
    Threshold(#[from] crate::threshold::ThresholdError),
}

/// Who takes part in a sharing, before the sharing exists.
///
/// Agreed outside of the protocol, by the contract or the operators; input of every key generation.
///
/// Members with the same signing key and the same dealing key are one participant: [`Roster::participants`].
/// *Security*: keys are not proved to be their owner's. Who copies another's keys into the roster gets nothing that it
/// can use, and gives the owner weight; the agreement outside MUST say which identifiers are whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    epoch: Epoch,
    threshold: Threshold,
    members: Vec<RosterMember>,
    dealing_keys: Vec<[u8; 32]>,
    digest: [u8; 64],
}

impl Roster {
    /// A roster of n members, strictly ascending by identifier.
    ///
    /// # Errors
    /// [`MembershipError`]: count, order, weak keys, one key of two shared.
    pub fn new(epoch: Epoch, threshold: Threshold, members: Vec<RosterMember>) -> Result<Self, MembershipError> {
        check_members(threshold, &members)?;
        let dealing_keys: Vec<_> = members.iter().map(|member| member.dealing_key.compress().to_bytes()).collect();
        let digest = digest(epoch, threshold, &members, &dealing_keys);
        Ok(Self { epoch, threshold, members, dealing_keys, digest })
    }

    /// The epoch that the sharing will have.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// t of n.
    #[must_use]
    pub fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// The members, ascending.
    #[must_use]
    pub fn members(&self) -> &[RosterMember] {
        &self.members
    }

    /// The member with this identifier.
    #[must_use]
    pub fn member(&self, identifier: Identifier) -> Option<&RosterMember> {
        self.members.get(self.position(identifier)?)
    }

    /// The members' dealing keys in bytes, in their order.
    pub(crate) fn encoded_dealing_keys(&self) -> &[[u8; 32]] {
        &self.dealing_keys
    }

    /// The place of this member with its dealing key in bytes.
    pub(crate) fn encoded_dealing_key(&self, identifier: Identifier) -> Option<(usize, &[u8; 32])> {
        let at = self.position(identifier)?;
        Some((at, self.dealing_keys.get(at)?))
    }

    fn position(&self, identifier: Identifier) -> Option<usize> {
        self.members.binary_search_by_key(&identifier, |m| m.identifier).ok()
    }

    /// H("roster"; S, ε, n, t, then (i, signing key, dealing key) ascending).
    #[must_use]
    pub fn digest(&self) -> [u8; 64] {
        self.digest
    }
}

fn digest(epoch: Epoch, threshold: Threshold, members: &[RosterMember], dealing_keys: &[[u8; 32]]) -> [u8; 64] {
    let mut hasher = Hasher::new(domain::ROSTER, 4 + 3 * members.len());
    hasher.field(&SUITE_BYTES).field(&epoch.to_bytes());
    hasher.field(&threshold.n().to_be_bytes()).field(&threshold.t().to_be_bytes());
    for (member, dealing_key) in members.iter().zip(dealing_keys) {
        hasher.field(&member.identifier.to_bytes()).field(member.signing_key.as_bytes()).field(dealing_key);
    }
    hasher.finish()
}

fn check_members(threshold: Threshold, members: &[RosterMember]) -> Result<(), MembershipError> {
    if members.len() != usize::from(threshold.n()) {
        return Err(MembershipError::Count { expected: threshold.n(), found: members.len() });
    }
    for pair in members.windows(2) {
        let (previous, found) = (pair[0].identifier, pair[1].identifier);
        if previous >= found {
            return Err(MembershipError::Order { previous, found });
        }
    }
    for member in members {
        if member.dealing_key.is_identity() || member.signing_key.is_weak() {
            return Err(MembershipError::WeakKey { identifier: member.identifier });
        }
    }
    refuse_half_shared_keys(members)
}

#[cfg(test)]
mod tests;
