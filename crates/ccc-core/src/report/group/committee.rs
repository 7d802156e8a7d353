//! Who shares a group key, what each of them signs, and how their partial signatures become one.

use super::key::IDENTITY;
use super::{GroupError, GroupKey, GroupSignature, PartialCulprit, PartialFault};
use crate::identifier::Identifier;
use crate::keys::Roster;
use crate::report::{Report, ReportContext};
use crate::suite::{SUITE_BYTES, domain, hash};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use blsttc::poly::Commitment;
use blsttc::{PublicKeySet, SecretKeyShare, Signature, SignatureShare};
use zeroize::Zeroizing;

/// A roster with the public side of the key that it shares: what a key generation agrees on.
///
/// *Layout* of the commitments: t × C_k 48, compressed; C_0 is the group key, Σ_k C_k·j^k the key of participant j.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupCommittee {
    roster: Arc<Roster>,
    keys: PublicKeySet,
}

/// A participant's share of a group key.
///
/// *Security*: erased when dropped, never printed. One report, one signature: signing is deterministic and may be repeated.
pub struct GroupShare {
    identifier: Identifier,
    secret: SecretKeyShare,
}

/// One participant's part of a group signature.
///
/// *Layout*: 96 bytes, compressed; whose it is stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialSignature {
    /// Whose it claims to be.
    pub identifier: Identifier,
    share: SignatureShare,
}

/// Wrong partial signatures of one participant that are checked: each is a pairing.
const MOST_WRONG: usize = 2;

/// blsttc counts its shares from zero and evaluates at one more.
fn index(identifier: Identifier) -> u64 {
    u64::from(identifier.get()) - 1
}

impl GroupCommittee {
    /// A roster with the commitments of its key, each a compressed point.
    ///
    /// # Errors
    /// [`GroupError::Commitments`], [`GroupError::Key`], and [`GroupError::Identity`] of the group's key or of the highest
    /// commitment: without it fewer than t shares give the key away.
    pub fn new(roster: Arc<Roster>, commitments: &[[u8; 48]]) -> Result<Self, GroupError> {
        let commitment = Commitment::from_bytes(commitments.concat()).map_err(|_| GroupError::Key)?;
        Self::of(roster, commitment)
    }

    pub(super) fn of(roster: Arc<Roster>, commitment: Commitment) -> Result<Self, GroupError> {
        let bytes = commitment.to_bytes();
        let points = bytes.as_chunks::<48>().0;
        // A plain sum whose highest coefficient vanishes is shorter; a weighted one ends with the identity.
        let (expected, found) = (usize::from(roster.threshold().t()), points.len());
        if expected != found {
            return Err(GroupError::Commitments { expected, found });
        }
        let keys = PublicKeySet::from(commitment);
        GroupKey::new(keys.public_key())?;
        if points.last().is_some_and(|highest| highest[0] & IDENTITY != 0) {
            return Err(GroupError::Identity { what: "highest commitment" });
        }
        Ok(Self { roster, keys })
    }

    /// The members, and their threshold.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// What the forwarder verifies with.
    #[must_use]
    pub fn key(&self) -> GroupKey {
        GroupKey::new(self.keys.public_key()).expect("checked when the committee was made")
    }

    /// The commitments, as [`GroupCommittee::new`] takes them.
    #[must_use]
    pub fn commitments(&self) -> Vec<[u8; 48]> {
        let bytes = self.keys.to_bytes();
        bytes.as_chunks().0.to_vec()
    }

    /// H("group-committee"; S, roster, C_k…): names this sharing of the key.
    #[must_use]
    pub fn digest(&self) -> [u8; 64] {
        let (roster, commitments) = (self.roster.digest(), self.keys.to_bytes());
        hash(domain::GROUP_COMMITTEE, &[&SUITE_BYTES, &roster, &commitments])
    }

    /// The public key of one participant's share.
    pub(super) fn verification_key(&self, identifier: Identifier) -> blsttc::PublicKeyShare {
        self.keys.public_key_share(index(identifier))
    }

    /// Whether this partial signature is right.
    ///
    /// # Errors
    /// [`PartialFault`].
    pub fn check(&self, message: &[u8], partial: &PartialSignature) -> Result<(), PartialFault> {
        if self.roster.member(partial.identifier).is_none() {
            return Err(PartialFault::NotAMember);
        }
        match self.verification_key(partial.identifier).verify(&partial.share, message) {
            true => Ok(()),
            false => Err(PartialFault::Signature),
        }
    }

    /// Makes the group's signature of the right ones among the partial signatures. No more are checked than it takes.
    ///
    /// *Security*: whoever collects partial signatures MUST know who sent each, by its envelope: of one participant two
    /// wrong ones are checked, and what else stands under its number is passed over.
    ///
    /// # Errors
    /// [`GroupError::BelowThreshold`] with whose are wrong.
    pub fn combine(&self, message: &[u8], partials: &[PartialSignature]) -> Result<GroupSignature, GroupError> {
        let needed = usize::from(self.roster.threshold().t());
        let (good, culprits) = self.sort(message, partials, needed);
        let found = good.len();
        if found < needed {
            return Err(GroupError::BelowThreshold { needed, found, culprits });
        }
        let shares = good.iter().map(|(identifier, share)| (index(*identifier), *share));
        let signature = self.keys.combine_signatures(shares).map_err(|_| GroupError::NotTheGroups)?;
        let signature = GroupSignature::new(signature)?;
        self.key().verify(message, &signature)?;
        Ok(signature)
    }

    /// Who sent something that does not count, whether or not the others suffice; each at most twice.
    #[must_use]
    pub fn culprits(&self, message: &[u8], partials: &[PartialSignature]) -> Vec<PartialCulprit> {
        self.sort(message, partials, usize::MAX).1
    }

    fn sort<'a>(
        &self,
        message: &[u8],
        partials: &'a [PartialSignature],
        enough: usize,
    ) -> (BTreeMap<Identifier, &'a SignatureShare>, Vec<PartialCulprit>) {
        let (mut good, mut culprits, mut wrong) = (BTreeMap::new(), Vec::new(), BTreeMap::<Identifier, usize>::new());
        for partial in partials {
            let PartialSignature { identifier, share } = partial;
            if good.len() >= enough {
                break;
            }
            if wrong.get(identifier).is_some_and(|found| *found >= MOST_WRONG) {
                continue;
            }
            let checked = match good.get(identifier) {
                Some(same) if *same == share => Ok(()),
                Some(_) => Err(PartialFault::Repeated),
                None => self.check(message, partial),
            };
            match checked {
                Ok(()) => drop(good.insert(*identifier, share)),
                Err(fault) => {
                    *wrong.entry(*identifier).or_default() += 1;
                    culprits.push(PartialCulprit { identifier: *identifier, fault });
                }
            }
        }
        (good, culprits)
    }
}

impl GroupShare {
    /// The share of a participant of this committee: the 32 bytes of [`GroupShare::to_bytes`].
    ///
    /// # Errors
    /// [`GroupError::Share`], [`GroupError::ForeignShare`].
    pub fn from_bytes(
        identifier: Identifier,
        bytes: &Zeroizing<[u8; 32]>,
        committee: &GroupCommittee,
    ) -> Result<Self, GroupError> {
        let secret = SecretKeyShare::from_bytes(**bytes).map_err(|_| GroupError::Share)?;
        Self::new(identifier, secret, committee)
    }

    pub(super) fn new(
        identifier: Identifier,
        secret: SecretKeyShare,
        committee: &GroupCommittee,
    ) -> Result<Self, GroupError> {
        let is_member = committee.roster.member(identifier).is_some();
        if !is_member || secret.public_key_share() != committee.verification_key(identifier) {
            return Err(GroupError::ForeignShare { identifier });
        }
        Ok(Self { identifier, secret })
    }

    /// The scalar, big-endian. *Security*: MUST stay inside a sealed file.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.secret.to_bytes())
    }

    /// Whose it is.
    #[must_use]
    pub fn identifier(&self) -> Identifier {
        self.identifier
    }

    /// Signs a report in its context.
    ///
    /// *Security*: as every report signer, MUST have read accumulator, price and registry again.
    #[must_use]
    pub fn sign(&self, report: &Report, context: &ReportContext) -> PartialSignature {
        self.sign_message(&report.signing_digest(context))
    }

    /// Signs what a configuration needs: that this group holds this key, on this chain and for this forwarder.
    #[must_use]
    pub fn prove_possession(&self, set: &super::GroupSet, chain: u64, forwarder: &[u8; 20]) -> PartialSignature {
        self.sign_message(&set.possession(chain, forwarder))
    }

    pub(super) fn sign_message(&self, message: &[u8]) -> PartialSignature {
        PartialSignature { identifier: self.identifier, share: self.secret.sign(message) }
    }

    /// The secret, as the constant term of a resharing.
    pub(super) fn secret(&self) -> &SecretKeyShare {
        &self.secret
    }
}

impl core::fmt::Debug for GroupShare {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("GroupShare").field("identifier", &self.identifier).finish_non_exhaustive()
    }
}

impl PartialSignature {
    /// Reads the 96 bytes of this participant.
    ///
    /// # Errors
    /// [`GroupError::Signature`], [`GroupError::Identity`].
    pub fn from_bytes(identifier: Identifier, bytes: &[u8; 96]) -> Result<Self, GroupError> {
        let signature = Signature::from_bytes(*bytes).map_err(|_| GroupError::Signature)?;
        GroupSignature::new(signature.clone())?;
        Ok(Self { identifier, share: SignatureShare(signature) })
    }

    /// The 96 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 96] {
        self.share.to_bytes()
    }
}
