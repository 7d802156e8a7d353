//! Who one is in a session, and what everybody in it does: sign, blame, count.

use super::fault::{Culprit, Fault, Role, RoundsError};
use super::package::Package;
use crate::envelope::Envelope;
use crate::guard::{Guard, stands};
use crate::identifier::Identifier;
use crate::keys::dealing::Dealing;
use crate::keys::participant::ParticipantKeys;
use crate::keys::session::Session;
use crate::keys::share::KeyShare;
use crate::secret::{HedgedRng, RandomnessError, SecretScalar, random_scalar, random64};
use crate::suite::domain;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;
use zeroize::Zeroizing;

/// What a participant draws when it joins.
pub(crate) type Seed = Zeroizing<[u8; 64]>;

/// One participant of one session: its roles, its numbers, its keys.
///
/// Made from what the participant keeps anyway, checked against the session; needed to join and to read a stored state.
pub struct Party<'k, P> {
    session: Session,
    dealer: Option<Dealer<'k>>,
    receiver: Option<Seat<'k>>,
    protocol: PhantomData<P>,
}

/// A number with the keys that belong to it.
#[derive(Clone, Copy)]
pub(crate) struct Seat<'k> {
    pub(crate) identifier: Identifier,
    pub(crate) keys: &'k ParticipantKeys,
}

/// A seat that deals.
#[derive(Clone, Copy)]
pub(crate) struct Dealer<'k> {
    pub(crate) seat: Seat<'k>,
    pub(crate) constant: Constant<'k>,
}

/// What a dealer deals.
#[derive(Clone, Copy)]
pub(crate) enum Constant<'k> {
    /// A scalar drawn for this session.
    Fresh,
    /// Its share of the master secret.
    Share(&'k KeyShare),
}

impl<P> Clone for Party<'_, P> {
    fn clone(&self) -> Self {
        let Self { session, dealer, receiver, protocol } = self;
        Self { session: session.clone(), dealer: *dealer, receiver: *receiver, protocol: *protocol }
    }
}

impl<'k, P> Party<'k, P> {
    /// A party with these roles, each checked against the session.
    pub(crate) fn with_roles(
        session: Session,
        dealer: Option<Dealer<'k>>,
        receiver: Option<Seat<'k>>,
    ) -> Result<Self, RoundsError> {
        if let Some(Dealer { seat, constant }) = &dealer {
            let identifier = seat.identifier;
            if session.dealers().member(identifier) != Some(&seat.keys.public(identifier)) {
                return Err(not_a_dealer(&session, identifier));
            }
            if let (Constant::Share(share), Some(old)) = (constant, session.old()) {
                share.matches(old)?;
            }
        }
        if let Some(Seat { identifier, keys }) = receiver
            && session.roster().member(identifier) != Some(&keys.public(identifier))
        {
            return Err(RoundsError::NotOnTheRoster { identifier });
        }
        if dealer.is_none() && receiver.is_none() {
            return Err(RoundsError::NoRole);
        }
        Ok(Self { session, dealer, receiver, protocol: PhantomData })
    }

    /// Somebody who reads the board and says nothing.
    pub(crate) fn without_role(session: Session) -> Self {
        Self { session, dealer: None, receiver: None, protocol: PhantomData }
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Its number as a dealer, if it deals.
    #[must_use]
    pub fn dealer(&self) -> Option<Identifier> {
        self.dealer.map(|dealer| dealer.seat.identifier)
    }

    /// Its number as a receiver, if it receives.
    #[must_use]
    pub fn receiver(&self) -> Option<Identifier> {
        self.receiver.map(|seat| seat.identifier)
    }

    pub(crate) fn receiver_seat(&self) -> Option<Seat<'k>> {
        self.receiver
    }

    /// The one dealing of this party under this seed.
    pub(crate) fn deal(&self, seed: &Seed) -> Result<Option<Dealing>, RandomnessError> {
        let Some(Dealer { seat, constant }) = self.dealer else { return Ok(None) };
        let mut rng = seat.draws(seed, &self.session, b"dealing");
        let constant = match constant {
            Constant::Fresh => random_scalar(&mut rng)?,
            Constant::Share(share) => SecretScalar::new(*share.secret().expose()),
        };
        Dealing::create(&self.session, seat.identifier.get(), constant, &mut rng).map(Some)
    }

    /// The seed of what follows the dealing. It does not lead back to the coefficients.
    pub(crate) fn later_seed(&self, seed: &Seed) -> Result<Seed, RandomnessError> {
        match self.receiver {
            Some(seat) => random64(&mut seat.draws(seed, &self.session, b"complaints")),
            None => Ok(Zeroizing::new([0; 64])),
        }
    }

    pub(crate) fn sign_as_dealer(&self, package: Option<Package>) -> Result<Vec<Envelope>, RoundsError> {
        self.sign(self.dealer.map(|dealer| dealer.seat), package)
    }

    pub(crate) fn sign_as_receiver(&self, package: Option<Package>) -> Result<Vec<Envelope>, RoundsError> {
        self.sign(self.receiver, package)
    }

    fn sign(&self, seat: Option<Seat<'_>>, package: Option<Package>) -> Result<Vec<Envelope>, RoundsError> {
        let (Some(Seat { identifier, keys }), Some(package)) = (seat, package) else { return Ok(Vec::new()) };
        let (roster, (kind, payload)) = (self.session.roster(), package.encode());
        let (digest, topic) = (roster.digest(), self.session.id());
        Ok(vec![Envelope::sign(keys, &digest, roster.epoch(), identifier, &topic, kind, payload)?])
    }
}

impl Seat<'_> {
    /// A generator for one purpose: hedged with the long-lived secret, so that a weak seed alone gives nothing away.
    pub(crate) fn draws(&self, seed: &[u8; 64], session: &Session, purpose: &[u8]) -> HedgedRng {
        let secret = self.keys.dealing_secret().to_bytes();
        let (id, identifier) = (session.id(), self.identifier.to_bytes());
        HedgedRng::new(domain::ROUNDS, seed, &[secret.as_slice(), &id, &identifier, purpose])
    }
}

fn not_a_dealer(session: &Session, identifier: Identifier) -> RoundsError {
    match session.old() {
        Some(_) => RoundsError::NotInTheCommittee { identifier },
        None => RoundsError::NotOnTheRoster { identifier },
    }
}

/// The first fault of everybody, by role and number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults(BTreeMap<(Role, Identifier), Fault>);

impl Faults {
    pub(crate) fn blame(&mut self, role: Role, identifier: Identifier, fault: Fault) {
        self.0.entry((role, identifier)).or_insert(fault);
    }

    /// Everybody of whom nothing was heard.
    pub(crate) fn blame_silent<T>(&mut self, session: &Session, spoke: &BTreeMap<Identifier, T>) {
        for member in session.dealers().members().iter().filter(|m| !spoke.contains_key(&m.identifier)) {
            self.blame(Role::Dealer, member.identifier, Fault::Silent);
        }
    }

    /// Every receiver that confirmed nothing. In a key generation receivers are the dealers, and one silence is enough.
    pub(crate) fn blame_unconfirmed<T>(&mut self, session: &Session, confirmed: &BTreeMap<Identifier, T>) {
        for member in session.roster().members().iter().filter(|m| !confirmed.contains_key(&m.identifier)) {
            let known = self.0.get(&(Role::Dealer, member.identifier)) == Some(&Fault::Silent);
            if session.old().is_some() || !known {
                self.blame(Role::Receiver, member.identifier, Fault::Silent);
            }
        }
    }

    pub(crate) fn culprits(&self) -> Vec<Culprit> {
        let culprit = |(&(role, identifier), fault): (&(Role, Identifier), &Fault)| Culprit {
            role,
            identifier,
            fault: fault.clone(),
        };
        self.0.iter().map(culprit).collect()
    }

    /// Refuses to go on with too few dealers.
    pub(crate) fn require(&self, session: &Session, have: usize) -> Result<(), RoundsError> {
        let need = session.enough_dealers();
        if have >= need || !stands(Guard::Dealers) {
            Ok(())
        } else {
            Err(RoundsError::TooFewDealers { need, have, culprits: self.culprits() })
        }
    }
}
