//! Weights: a participant that owns several identifiers.
//!
//! *Source*: `docs/spec/encryption.md`, section *Weights*. A share is a point of a polynomial; who holds w of them has
//! weight w. Everything that counts (t, n, F, confirmations, helpers) counts identifiers.

use super::committee::Committee;
use super::participant::ParticipantKeys;
use super::roster::{MembershipError, Roster, RosterMember};
use crate::encoding::{EncodingError, Reader};
use crate::epoch::Epoch;
use crate::identifier::Identifier;
use crate::threshold::{Threshold, ThresholdError};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use curve25519_dalek::RistrettoPoint;
use ed25519_dalek::VerifyingKey;

/// The public keys of a participant, whatever its identifiers are: one verifies its envelopes, the other receives its
/// shares of dealings.
///
/// Made by the participant ([`ParticipantKeys::public_keys`]), sent to whoever writes the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKeys {
    pub(crate) signing_key: VerifyingKey,
    pub(crate) dealing_key: RistrettoPoint,
}

/// Members with the same keys: one participant, with as many identifiers as it has weight.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WeightedParticipant {
    /// What its members have in common.
    pub keys: PublicKeys,
    /// Its identifiers, ascending, not necessarily consecutive; never empty.
    pub identifiers: Vec<Identifier>,
}

impl WeightedParticipant {
    /// How many identifiers it owns.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.identifiers.len()
    }

    /// Whether it owns this identifier.
    #[must_use]
    pub fn owns(&self, identifier: Identifier) -> bool {
        self.identifiers.binary_search(&identifier).is_ok()
    }
}

impl ParticipantKeys {
    /// The public part.
    #[must_use]
    pub fn public_keys(&self) -> PublicKeys {
        PublicKeys { signing_key: self.signing_key(), dealing_key: self.dealing_key() }
    }
}

impl Roster {
    /// A roster of weighted participants: each gets as many consecutive identifiers as its weight, in the order given,
    /// from 1 on. `threshold` gives the threshold for the sum of the weights, [`Threshold::default_for`] for example.
    ///
    /// # Errors
    /// [`MembershipError`]: a weight of zero, a sum above the maximum, weak or half-shared keys.
    pub fn weighted(
        epoch: Epoch,
        threshold: impl FnOnce(u16) -> Result<Threshold, ThresholdError>,
        participants: &[(PublicKeys, u16)],
    ) -> Result<Self, MembershipError> {
        let sum = participants.iter().fold(0u16, |sum, (_, weight)| sum.saturating_add(*weight));
        let threshold = threshold(sum)?;
        if usize::from(threshold.n()) != usize::from(sum) {
            return Err(MembershipError::Count { expected: threshold.n(), found: sum.into() });
        }
        let mut members = Vec::with_capacity(sum.into());
        for (place, (keys, weight)) in participants.iter().enumerate() {
            if *weight == 0 {
                return Err(MembershipError::NoWeight { place });
            }
            for _ in 0..*weight {
                members.push(keys.member(next_identifier(members.len())?));
            }
        }
        Self::new(epoch, threshold, members)
    }

    /// The participants, ascending by their first identifier.
    #[must_use]
    pub fn participants(&self) -> Vec<WeightedParticipant> {
        let mut owners: BTreeMap<[[u8; 32]; 2], WeightedParticipant> = BTreeMap::new();
        for member in self.members() {
            let keys = [*member.signing_key.as_bytes(), member.dealing_key.compress().to_bytes()];
            let owner = owners.entry(keys).or_insert_with(|| WeightedParticipant {
                keys: PublicKeys { signing_key: member.signing_key, dealing_key: member.dealing_key },
                identifiers: Vec::new(),
            });
            owner.identifiers.push(member.identifier);
        }
        let mut participants: Vec<_> = owners.into_values().collect();
        participants.sort_by(|one, other| one.identifiers.cmp(&other.identifiers));
        participants
    }

    /// The participant that owns this identifier, with all that it owns: whom a fault of this identifier concerns.
    #[must_use]
    pub fn owner(&self, identifier: Identifier) -> Option<WeightedParticipant> {
        let RosterMember { signing_key, dealing_key, .. } = *self.member(identifier)?;
        let same = |m: &&RosterMember| m.signing_key == signing_key && m.dealing_key == dealing_key;
        let identifiers = self.members().iter().filter(same).map(|m| m.identifier).collect();
        Some(WeightedParticipant { keys: PublicKeys { signing_key, dealing_key }, identifiers })
    }

    /// Refuses what production must not run: fewer than four identifiers, or a participant that owns more than F of
    /// them, so that its silence alone stops the service.
    ///
    /// # Errors
    /// [`MembershipError::Threshold`], [`MembershipError::Weight`].
    pub fn require_fault_tolerance(&self) -> Result<(), MembershipError> {
        let most = self.threshold().require_fault_tolerance()?.max_faulty();
        for participant in self.participants() {
            if participant.weight() > usize::from(most) {
                let (identifier, found) = (participant.identifiers[0], participant.weight());
                return Err(MembershipError::Weight { identifier, found, most });
            }
        }
        Ok(())
    }
}

impl Committee {
    /// The participants, ascending by their first identifier.
    #[must_use]
    pub fn participants(&self) -> Vec<WeightedParticipant> {
        self.roster().participants()
    }

    /// The participant that owns this identifier, with all that it owns: whom a fault of this identifier concerns.
    #[must_use]
    pub fn owner(&self, identifier: Identifier) -> Option<WeightedParticipant> {
        self.roster().owner(identifier)
    }
}

impl PublicKeys {
    /// Reads the two keys: Ed25519 (RFC 8032) and ristretto255 (RFC 9496), 32 bytes each.
    ///
    /// *Security*: whether a key is weak, [`Roster::new`] tells.
    ///
    /// # Errors
    /// [`EncodingError`]: bytes that are no key, a second encoding of one, or the identity as a dealing key.
    pub fn from_bytes(signing_key: &[u8; 32], dealing_key: &[u8; 32]) -> Result<Self, EncodingError> {
        let signing_key = Reader::new(signing_key).signing_key("signing key")?;
        Ok(Self { signing_key, dealing_key: Reader::new(dealing_key).point("dealing key")? })
    }

    /// The key that verifies its envelopes, 32 bytes.
    #[must_use]
    pub fn signing_key(&self) -> [u8; 32] {
        self.signing_key.to_bytes()
    }

    /// The key that receives its shares of dealings, 32 bytes.
    #[must_use]
    pub fn dealing_key(&self) -> [u8; 32] {
        self.dealing_key.compress().to_bytes()
    }

    /// The line of a roster that gives these keys an identifier.
    #[must_use]
    pub fn member(&self, identifier: Identifier) -> RosterMember {
        RosterMember { identifier, signing_key: self.signing_key, dealing_key: self.dealing_key }
    }
}

fn next_identifier(taken: usize) -> Result<Identifier, MembershipError> {
    let next = u16::try_from(taken + 1).map_err(|_| ThresholdError::Participants { n: u16::MAX })?;
    Ok(Identifier::new(next)?)
}

/// Members share both keys, as one participant, or none.
pub(super) fn refuse_half_shared_keys(members: &[RosterMember]) -> Result<(), MembershipError> {
    let line = |m: &RosterMember| (*m.signing_key.as_bytes(), m.dealing_key.compress().to_bytes(), m.identifier);
    let mut lines: Vec<_> = members.iter().map(line).collect();
    refuse_adjacent(&mut lines)?;
    lines.iter_mut().for_each(|(signing, dealing, _)| core::mem::swap(signing, dealing));
    refuse_adjacent(&mut lines)
}

/// Sorted by the first key, then the second: equal first keys with different second ones stand side by side.
fn refuse_adjacent(lines: &mut [([u8; 32], [u8; 32], Identifier)]) -> Result<(), MembershipError> {
    lines.sort_unstable();
    match lines.windows(2).find(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1) {
        Some(pair) => {
            let (one, other) = (pair[0].2, pair[1].2);
            Err(MembershipError::SharedKey { first: one.min(other), second: one.max(other) })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
