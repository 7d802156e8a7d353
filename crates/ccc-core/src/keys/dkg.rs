//! Distributed key generation: everybody deals, nobody learns the master secret, all agree on what came of it.
//!
//! Four rounds on a board, run by the states of [`rounds`].
//!
//! *Source*: joint Feldman (Pedersen 1991) with proofs of possession, commit-then-open, and publicly decidable
//! complaints. *Security*: the last to open may still abort, which leaves it a choice among 2^F public keys: harmless
//! for an encryption key.

mod run;

pub use run::run_in_process;

use super::committee::Committee;
use super::participant::ParticipantKeys;
use super::rounds::{self, Concluded, Constant, Culprit, Dealer, RoundsError, Run, Seat};
use super::session::{Protocol, Session};
use super::share::KeyShare;
use crate::identifier::Identifier;
use alloc::vec::Vec;
use rand_core::CryptoRng;

/// The protocol, as a type.
#[derive(Clone, Copy, Debug)]
pub enum Dkg {}

/// One participant of one session.
pub type Party<'k> = rounds::Party<'k, Dkg>;
/// Before the first round.
pub type Participant<'k> = rounds::Participant<'k, Dkg>;
/// Committed to its dealing.
pub type Committed<'k> = rounds::Committed<'k, Dkg>;
/// Has opened its dealing.
pub type Opened<'k> = rounds::Opened<'k, Dkg>;
/// Has gathered the dealings.
pub type Gathered<'k> = rounds::Gathered<'k, Dkg>;
/// Has complained about wrong shares.
pub type Complained<'k> = rounds::Complained<'k, Dkg>;
/// Has a result that the others have not confirmed.
pub type Unconfirmed<'k> = rounds::Unconfirmed<'k, Dkg>;

/// What a key generation gives one participant: the same committee and transcript for all, a share for itself.
#[non_exhaustive]
pub struct Outcome {
    /// The public result.
    pub committee: Committee,
    /// This participant's share.
    pub key_share: KeyShare,
    /// digest32 H("transcript"; …).
    pub transcript: [u8; 32],
    /// Who was found at fault on the way.
    pub culprits: Vec<Culprit>,
}

impl rounds::sealed::Sealed for Dkg {}

impl Run for Dkg {
    type Outcome = Outcome;
}

impl From<Concluded> for Outcome {
    fn from(concluded: Concluded) -> Self {
        let Concluded { committee, key_share, transcript, culprits, .. } = concluded;
        let key_share = key_share.expect("every party of a key generation receives");
        Self { committee, key_share, transcript, culprits }
    }
}

impl<'k> Party<'k> {
    /// The member with this number and these keys.
    ///
    /// # Errors
    /// [`RoundsError::Protocol`], [`RoundsError::NotOnTheRoster`].
    pub fn new(session: Session, identifier: Identifier, keys: &'k ParticipantKeys) -> Result<Self, RoundsError> {
        if session.protocol() != Protocol::Dkg {
            return Err(RoundsError::Protocol { found: session.protocol() });
        }
        let seat = Seat { identifier, keys };
        Self::with_roles(session, Some(Dealer { seat, constant: Constant::Fresh }), Some(seat))
    }
}

impl<'k> Participant<'k> {
    /// Joins this session; everything that is drawn is drawn here.
    ///
    /// # Errors
    /// [`RoundsError::Protocol`], [`RoundsError::NotOnTheRoster`], [`RoundsError::Randomness`].
    pub fn new<R: CryptoRng + ?Sized>(
        session: Session,
        identifier: Identifier,
        keys: &'k ParticipantKeys,
        rng: &mut R,
    ) -> Result<Self, RoundsError> {
        Self::join(Party::new(session, identifier, keys)?, rng)
    }
}

#[cfg(test)]
mod tests;
