//! Who one is in a run, checked against it.

use super::dealing::GroupDealing;
use super::{GroupCommittee, GroupSession};
use crate::encoding::Kind;
use crate::envelope::Envelope;
use crate::identifier::Identifier;
use crate::keys::ParticipantKeys;
use crate::keys::rounds::package::Package;
use crate::keys::rounds::{RoundsError, Seat, Seed};
use crate::report::group::GroupShare;
use crate::secret::{RandomnessError, random64};
use alloc::vec;
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// A member of the committee that hands over, with its share.
#[derive(Clone, Copy)]
pub struct OldMember<'k> {
    /// Its share of the group key.
    pub share: &'k GroupShare,
    /// Its keys.
    pub keys: &'k ParticipantKeys,
}

/// A member of the roster that receives.
#[derive(Clone, Copy)]
pub struct NewMember<'k> {
    /// Its number.
    pub identifier: Identifier,
    /// Its keys.
    pub keys: &'k ParticipantKeys,
}

/// One participant of one run: its roles, its numbers, its keys.
#[derive(Clone)]
pub struct Party<'k> {
    session: GroupSession,
    dealer: Option<Seat<'k>>,
    constant: Option<&'k GroupShare>,
    receiver: Option<Seat<'k>>,
}

impl<'k> Party<'k> {
    /// A member of the roster of a key generation.
    ///
    /// # Errors
    /// [`RoundsError::Protocol`] in a handover; [`RoundsError::NotOnTheRoster`].
    pub fn new(session: GroupSession, me: NewMember<'k>) -> Result<Self, RoundsError> {
        if session.old().is_some() {
            return Err(RoundsError::Protocol { found: session.rounds().protocol() });
        }
        let seat = seat_on(&session, me)?;
        Ok(Self { session, dealer: Some(seat), constant: None, receiver: Some(seat) })
    }

    /// A participant of a handover: who hands over, who takes over, or both.
    ///
    /// # Errors
    /// [`RoundsError::Protocol`] in a key generation; [`RoundsError::NotInTheCommittee`], also for a share that is not
    /// that committee's; [`RoundsError::NotOnTheRoster`], [`RoundsError::NoRole`].
    pub fn handover(
        session: GroupSession,
        old: Option<OldMember<'k>>,
        new: Option<NewMember<'k>>,
    ) -> Result<Self, RoundsError> {
        let Some(committee) = session.old() else {
            return Err(RoundsError::Protocol { found: session.rounds().protocol() });
        };
        let dealer = old.map(|me| seat_in(committee, me)).transpose()?;
        let receiver = new.map(|me| seat_on(&session, me)).transpose()?;
        if dealer.is_none() && receiver.is_none() {
            return Err(RoundsError::NoRole);
        }
        Ok(Self { session, dealer, constant: old.map(|me| me.share), receiver })
    }

    /// The run.
    #[must_use]
    pub fn session(&self) -> &GroupSession {
        &self.session
    }

    pub(super) fn receiver(&self) -> Option<Seat<'k>> {
        self.receiver
    }

    /// The one dealing of this party under this seed.
    pub(super) fn deal(&self, seed: &Seed) -> Result<Option<GroupDealing>, RandomnessError> {
        let Some(seat) = self.dealer else { return Ok(None) };
        let mut rng = seat.draws(seed, self.session.rounds(), b"dealing");
        let constant = self.constant.map(GroupShare::secret);
        GroupDealing::create(&self.session, seat.identifier, constant, &mut rng).map(Some)
    }

    /// The seed of what follows the dealing. It does not lead back to the coefficients.
    pub(super) fn later_seed(&self, seed: &Seed) -> Result<Seed, RandomnessError> {
        match self.receiver {
            Some(seat) => random64(&mut seat.draws(seed, self.session.rounds(), b"complaints")),
            None => Ok(Zeroizing::new([0; 64])),
        }
    }

    pub(super) fn post_commitment(&self, digest: [u8; 32]) -> Result<Vec<Envelope>, RoundsError> {
        let (kind, payload) = Package::Commitment(digest).encode();
        self.sign(self.dealer, kind, payload)
    }

    pub(super) fn post_dealing(&self, dealing: &GroupDealing) -> Result<Vec<Envelope>, RoundsError> {
        self.sign(self.dealer, Kind::GroupDealing, dealing.to_bytes())
    }

    pub(super) fn post_as_receiver(&self, package: Package) -> Result<Vec<Envelope>, RoundsError> {
        let (kind, payload) = package.encode();
        self.sign(self.receiver, kind, payload)
    }

    fn sign(&self, seat: Option<Seat<'_>>, kind: Kind, payload: Vec<u8>) -> Result<Vec<Envelope>, RoundsError> {
        let Some(Seat { identifier, keys }) = seat else { return Ok(Vec::new()) };
        let roster = self.session.roster();
        let (digest, topic) = (roster.digest(), self.session.id());
        Ok(vec![Envelope::sign(keys, &digest, roster.epoch(), identifier, &topic, kind, payload)?])
    }
}

fn seat_on<'k>(session: &GroupSession, me: NewMember<'k>) -> Result<Seat<'k>, RoundsError> {
    let NewMember { identifier, keys } = me;
    if session.roster().member(identifier) != Some(&keys.public(identifier)) {
        return Err(RoundsError::NotOnTheRoster { identifier });
    }
    Ok(Seat { identifier, keys })
}

fn seat_in<'k>(committee: &GroupCommittee, me: OldMember<'k>) -> Result<Seat<'k>, RoundsError> {
    let OldMember { share, keys } = me;
    let identifier = share.identifier();
    let is_member = committee.roster().member(identifier) == Some(&keys.public(identifier));
    if !is_member || share.secret().public_key_share() != committee.verification_key(identifier) {
        return Err(RoundsError::NotInTheCommittee { identifier });
    }
    Ok(Seat { identifier, keys })
}
