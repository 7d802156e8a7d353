//! The session of a repair: whose share, in which committee, from whom.

use super::RepairCulprit;
use crate::encoding::{EncodingError, Kind, Reader};
use crate::envelope::{Envelope, EnvelopeError};
use crate::epoch::Epoch;
use crate::identifier::{Identifier, MAX_PARTICIPANTS};
use crate::keys::committee::Committee;
use crate::keys::participant::ParticipantKeys;
use crate::keys::session::Protocol;
use crate::polynomial::lagrange_at;
use crate::secret::{RandomnessError, random64};
use crate::suite::{Hasher, SUITE_BYTES, domain};
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand_core::CryptoRng;

/// What a participant asks for, unchecked: its lost share, in this committee, from these helpers.
///
/// Made by the participant, posted on the board in its envelope.
///
/// *Layout*: committee 64 ‖ ε u64 ‖ lost u16 ‖ number of helpers u16 ‖ helpers u16 each, ascending ‖ nonce 32; the
/// envelope's header names the kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairRequest {
    /// Digest of the committee in which the share counts.
    pub committee: [u8; 64],
    /// Its epoch.
    pub epoch: Epoch,
    /// Whose share is lost.
    pub lost: Identifier,
    /// Who is to help.
    pub helpers: Vec<Identifier>,
    /// Random, of the requester's making.
    pub nonce: [u8; 32],
}

impl RepairRequest {
    /// A request for this participant's share, from these helpers, with a fresh nonce.
    ///
    /// # Errors
    /// [`RandomnessError`].
    pub fn new<R: CryptoRng + ?Sized>(
        committee: &Committee,
        lost: Identifier,
        helpers: Vec<Identifier>,
        rng: &mut R,
    ) -> Result<Self, RandomnessError> {
        let mut nonce = [0; 32];
        nonce.copy_from_slice(&random64(rng)?[..32]);
        Ok(Self { committee: committee.digest(), epoch: committee.epoch(), lost, helpers, nonce })
    }

    /// Encodes the request.
    ///
    /// # Errors
    /// [`EncodingError::Range`] for more helpers than a committee has members.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodingError> {
        let mut out = Vec::with_capacity(108 + 2 * self.helpers.len());
        out.extend_from_slice(&self.committee);
        out.extend_from_slice(&self.epoch.to_bytes());
        out.extend_from_slice(&self.lost.to_bytes());
        out.extend_from_slice(&helper_count(self.helpers.len())?.to_be_bytes());
        self.helpers.iter().for_each(|helper| out.extend_from_slice(&helper.to_bytes()));
        out.extend_from_slice(&self.nonce);
        Ok(out)
    }

    /// Reads a request; whether it makes a session, [`RepairSession::new`] tells.
    ///
    /// # Errors
    /// [`EncodingError`]; the count is checked before anything is allocated.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        let (committee, epoch) = (reader.array("committee digest")?, Epoch(reader.u64("epoch")?));
        let lost = Identifier::new(reader.u16("lost participant")?)?;
        let count = helper_count(reader.u16("number of helpers")?.into())?;
        let mut identifiers = Reader::new(reader.bytes("helpers", 2 * usize::from(count))?);
        let helpers = (0..count).map(|_| Identifier::new(identifiers.u16("helper")?)).collect::<Result<_, _>>()?;
        let nonce = reader.array("nonce")?;
        reader.finish()?;
        Ok(Self { committee, epoch, lost, helpers, nonce })
    }
}

fn helper_count(found: usize) -> Result<u16, EncodingError> {
    match u16::try_from(found) {
        Ok(count) if (1..=MAX_PARTICIPANTS).contains(&count) => Ok(count),
        _ => Err(EncodingError::Range { what: "number of helpers", found: found as u64, range: "1 to 1024" }),
    }
}

/// Why a request makes no session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RepairSessionError {
    /// A request for another committee.
    #[error("a request to repair a share of another committee")]
    Committee,
    /// A request of another epoch.
    #[error("a request to repair a share of epoch {found}, where epoch {expected} is served")]
    Epoch {
        /// The committee's epoch.
        expected: Epoch,
        /// The request's epoch.
        found: Epoch,
    },
    /// Somebody who is not in the committee.
    #[error("participant {identifier} is not in the committee")]
    UnknownMember {
        /// Who.
        identifier: Identifier,
    },
    /// The lost participant among its own helpers.
    #[error("participant {identifier} cannot help to repair its own share")]
    HelpsItself {
        /// Who.
        identifier: Identifier,
    },
    /// Helpers that do not ascend strictly.
    #[error("helper {found} after {previous}: helpers are distinct and ascend")]
    Order {
        /// The helper before.
        previous: Identifier,
        /// The helper out of order.
        found: Identifier,
    },
    /// Fewer helpers than the threshold.
    #[error("{have} helpers, where {need} are needed")]
    TooFewHelpers {
        /// t.
        need: u16,
        /// Helpers named.
        have: usize,
    },
    /// A request that somebody else signed.
    #[error("participant {found} asks for the share of participant {expected}")]
    NotTheOwner {
        /// Whose share.
        expected: Identifier,
        /// Who signed.
        found: Identifier,
    },
    /// The generator that was to give the nonce does not work.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
    /// An envelope of another kind or topic.
    #[error("not a request for repair")]
    NotARequest,
    /// Bytes that are not a request.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// An envelope that counts for nothing.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
}

/// One repair. Two runs never share an identifier unless they are the same to the last byte.
///
/// *Security*: helpers need not judge whether the share was lost: what they send opens with the participant's own
/// dealing key, and gives no more than the share that it had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairSession {
    committee: Arc<Committee>,
    request: RepairRequest,
    weights: Vec<Scalar>,
    id: [u8; 32],
}

impl RepairSession {
    /// The session of this request in the committee: at least t helpers, members, distinct, ascending, without ℓ.
    ///
    /// # Errors
    /// [`RepairSessionError`].
    pub fn new(committee: Committee, request: RepairRequest) -> Result<Self, RepairSessionError> {
        let lost = check(&committee, &request)?;
        let weights =
            lagrange_at(&request.helpers, lost).ok_or(RepairSessionError::HelpsItself { identifier: lost })?;
        let id = session_id(&request);
        Ok(Self { committee: Arc::new(committee), request, weights, id })
    }

    /// The session of a request that the participant itself signed.
    ///
    /// # Errors
    /// [`RepairSessionError`].
    pub fn requested(committee: Committee, envelope: &Envelope) -> Result<Self, RepairSessionError> {
        let request = RepairRequest::from_bytes(envelope.verify(&committee)?)?;
        let (expected, found) = (request.lost, envelope.identifier());
        if expected != found {
            return Err(RepairSessionError::NotTheOwner { expected, found });
        }
        let session = Self::new(committee, request)?;
        if envelope.kind() != Kind::RepairRequest || envelope.topic() != session.id {
            return Err(RepairSessionError::NotARequest);
        }
        Ok(session)
    }

    /// The request to make after sessions that ended with these culprits: the honest helpers of this session and, in the
    /// culprits' places, the first other members of the committee. A culprit stays out under every identifier that it
    /// owns.
    ///
    /// *Security*: give the culprits of all sessions so far, or an earlier one comes back. With f liars the repair ends
    /// after at most f + 1 sessions, if t helpers without a fault are left.
    ///
    /// # Errors
    /// [`RepairSessionError::TooFewHelpers`]: fewer than t are left. [`RepairSessionError::Randomness`].
    pub fn without<R: CryptoRng + ?Sized>(
        &self,
        culprits: &[RepairCulprit],
        rng: &mut R,
    ) -> Result<RepairRequest, RepairSessionError> {
        let helpers = self.helpers_without(culprits);
        let (need, have) = (self.committee.threshold().t(), helpers.len());
        if have < usize::from(need) {
            return Err(RepairSessionError::TooFewHelpers { need, have });
        }
        Ok(RepairRequest::new(&self.committee, self.lost(), helpers, rng)?)
    }

    /// As many helpers as this session has, as far as there are others.
    fn helpers_without(&self, culprits: &[RepairCulprit]) -> Vec<Identifier> {
        let owned = culprits.iter().filter_map(|culprit| self.committee.owner(culprit.identifier));
        let refused: BTreeSet<Identifier> = owned.flat_map(|owner| owner.identifiers).collect();
        let able = |helper: &Identifier| *helper != self.lost() && !refused.contains(helper);
        let mut helpers: Vec<_> = self.helpers().iter().copied().filter(able).collect();
        let others = self.committee.members().iter().map(|member| member.identifier);
        let others = others.filter(|other| able(other) && self.position(*other).is_none());
        helpers.extend(others.take(self.helpers().len() - helpers.len()));
        helpers.sort_unstable();
        helpers
    }

    /// The committee in which the share counts.
    #[must_use]
    pub fn committee(&self) -> &Committee {
        &self.committee
    }

    /// Whose share is repaired.
    #[must_use]
    pub fn lost(&self) -> Identifier {
        self.request.lost
    }

    /// Who helps, ascending.
    #[must_use]
    pub fn helpers(&self) -> &[Identifier] {
        &self.request.helpers
    }

    /// The request that made it.
    #[must_use]
    pub fn request(&self) -> &RepairRequest {
        &self.request
    }

    /// digest32 H("session"; S, protocol 5, committee, ε, lost, helpers…, nonce).
    #[must_use]
    pub fn id(&self) -> [u8; 32] {
        self.id
    }

    pub(super) fn position(&self, helper: Identifier) -> Option<usize> {
        self.request.helpers.binary_search(&helper).ok()
    }

    /// λ_i of the helper at this place, for the value at ℓ.
    pub(super) fn weight(&self, position: usize) -> &Scalar {
        &self.weights[position]
    }

    pub(super) fn dealing_key(&self, identifier: Identifier) -> Option<RistrettoPoint> {
        self.committee.member(identifier).map(|member| member.dealing_key)
    }

    /// Whether these keys are the member's.
    pub(super) fn owns(&self, keys: &ParticipantKeys, identifier: Identifier) -> bool {
        self.committee.roster().member(identifier) == Some(&keys.public(identifier))
    }

    pub(super) fn sign(
        &self,
        keys: &ParticipantKeys,
        identifier: Identifier,
        kind: Kind,
        payload: Vec<u8>,
    ) -> Result<Envelope, EncodingError> {
        let committee = &self.committee;
        Envelope::sign(keys, &committee.digest(), committee.epoch(), identifier, &self.id, kind, payload)
    }
}

fn check(committee: &Committee, request: &RepairRequest) -> Result<Identifier, RepairSessionError> {
    if request.committee != committee.digest() {
        return Err(RepairSessionError::Committee);
    }
    if request.epoch != committee.epoch() {
        return Err(RepairSessionError::Epoch { expected: committee.epoch(), found: request.epoch });
    }
    let (need, have) = (committee.threshold().t(), request.helpers.len());
    if have < usize::from(need) {
        return Err(RepairSessionError::TooFewHelpers { need, have });
    }
    for pair in request.helpers.windows(2) {
        if pair[0] >= pair[1] {
            return Err(RepairSessionError::Order { previous: pair[0], found: pair[1] });
        }
    }
    for &identifier in core::iter::once(&request.lost).chain(&request.helpers) {
        committee.member(identifier).ok_or(RepairSessionError::UnknownMember { identifier })?;
    }
    Ok(request.lost)
}

fn session_id(request: &RepairRequest) -> [u8; 32] {
    let mut hasher = Hasher::new(domain::SESSION, 6 + request.helpers.len());
    hasher.field(&SUITE_BYTES).field(&[Protocol::Repair as u8]).field(&request.committee);
    hasher.field(&request.epoch.to_bytes()).field(&request.lost.to_bytes());
    for helper in &request.helpers {
        hasher.field(&helper.to_bytes());
    }
    hasher.field(&request.nonce);
    hasher.finish32()
}
