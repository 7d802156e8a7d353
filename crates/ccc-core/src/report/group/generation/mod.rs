//! How a group's key comes to be: nobody learns it, and it outlives its holders.
//!
//! The four rounds of [`keys::rounds`](crate::keys::rounds) on the same [`Board`], with the same envelopes, complaints and
//! faults; what is dealt is a [`blsttc::poly::Poly`] over the scalars of BLS12-381 with its commitment in G1. A handover
//! deals the shares of the old committee to the new one, and the group key stays.
//!
//! ```text
//!  Participant --commit--> Committed --open--> Opened --complain--> Complained --finish--> Unconfirmed --confirm--> Outcome
//!                  posts: digest        dealing          complaints          transcript
//! ```
//!
//! **Store, then post.** A participant draws one seed when it joins. All that it posts is a function of the seed and the
//! board: whoever stores [`Participant::seed`] before the first post can run through the rounds again after a restart.
//!
//! *Source*: joint Feldman (Pedersen 1991) with proofs of possession (Ristenpart and Yilek 2007), Desmedt and Jajodia 1997
//! for the handover; publicly decidable complaints as in `docs/spec/keys.md`. *Security*: the last to open may abort, and so
//! choose among a few keys; for signatures that are unique that is harmless (Gennaro, Jarecki, Krawczyk and Rabin 2007).

mod dealing;
mod party;
mod rounds;
mod run;
mod sharing;
#[cfg(test)]
mod tests;

pub use dealing::{GroupDealing, VerifiedGroupDealing};
pub use party::{NewMember, OldMember, Party};
pub use rounds::{Committed, Complained, Opened, Outcome, Participant, Unconfirmed};
pub use run::run_in_process;

use super::set::faults;
use super::{GroupCommittee, GroupError};
use crate::identifier::Identifier;
use crate::keys::{Protocol, Roster, Session, SessionError};
use crate::suite::{digest32, domain};
use alloc::sync::Arc;
use ed25519_dalek::VerifyingKey;

/// One run: a key generation, or a handover of a key. Never the same as a session of the vault's on the same board.
///
/// *Layout* of its id: that of [`Session`], with digest32 H("group-session"; board nonce) in the place of the nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSession {
    rounds: Session,
    old: Option<Arc<GroupCommittee>>,
}

impl GroupSession {
    /// A key generation by this roster, of 4 to 768 participants and t = F + 1.
    ///
    /// *Security*: the board MUST NOT use a nonce twice. A roster whose threshold protects tables is refused: the same
    /// members and keys make a roster of the group's own.
    ///
    /// # Errors
    /// What [`GroupSet::of`](super::GroupSet::of) would find wrong with the threshold of the committee.
    pub fn generation(roster: Roster, board_nonce: &[u8; 32]) -> Result<Self, GroupError> {
        faults(roster.threshold())?;
        Ok(Self { rounds: Session::new(Protocol::Dkg, None, roster, &nonce(board_nonce)), old: None })
    }

    /// A handover of the committee's key to the roster of the next epoch, of as many participants and the same threshold:
    /// the forwarder's configuration names both, and stays.
    ///
    /// # Errors
    /// [`SessionError::Epoch`], [`GroupError::Numbers`]; as [`GroupSession::generation`].
    pub fn handover(old: Arc<GroupCommittee>, roster: Roster, board_nonce: &[u8; 32]) -> Result<Self, GroupError> {
        let (previous, found) = (old.roster().epoch(), roster.epoch());
        if previous.0.checked_add(1) != Some(found.0) {
            return Err(SessionError::Epoch { previous, found }.into());
        }
        let (of, to) = (old.roster().threshold(), roster.threshold());
        if of != to {
            return Err(GroupError::Numbers { of_t: of.t(), of_n: of.n(), t: to.t(), n: to.n() });
        }
        faults(to)?;
        let rounds = Session::new(Protocol::Reshare, Some(&old.digest()), roster, &nonce(board_nonce));
        Ok(Self { rounds, old: Some(old) })
    }

    /// Names this run.
    #[must_use]
    pub fn id(&self) -> [u8; 32] {
        self.rounds.id()
    }

    /// Who receives shares.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        self.rounds.roster()
    }

    /// Who hands over, in a handover.
    #[must_use]
    pub fn old(&self) -> Option<&GroupCommittee> {
        self.old.as_deref()
    }

    /// What envelopes and complaints of this run are bound to.
    fn rounds(&self) -> &Session {
        &self.rounds
    }

    fn dealers(&self) -> &Roster {
        self.old().map_or(self.roster(), GroupCommittee::roster)
    }

    fn dealer_key(&self, dealer: Identifier) -> Option<&VerifyingKey> {
        self.dealers().member(dealer).map(|member| &member.signing_key)
    }

    /// Dealers without which there is no result: t of the committee that hands over, else n − F.
    fn enough_dealers(&self) -> usize {
        self.old().map_or(self.rounds.enough_confirmations(), |old| usize::from(old.roster().threshold().t()))
    }
}

fn nonce(board_nonce: &[u8; 32]) -> [u8; 32] {
    digest32(domain::GROUP_SESSION, &[board_nonce])
}
