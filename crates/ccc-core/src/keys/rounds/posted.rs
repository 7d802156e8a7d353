//! What a board carries, told by whoever reads it: which round a message belongs to, and who said it.
//!
//! A board whose rounds end by a clock needs none of this. A board of files, where people decide, does: who is still
//! missing?

use super::Role;
use super::package::Package;
use crate::envelope::Envelope;
use crate::identifier::Identifier;
use crate::keys::board::Round;
use crate::keys::dealing::{Dealing, MAX_DEALING};
use crate::keys::session::Session;

/// What one message of a round says of its round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posting {
    /// The digest of a dealing.
    Commitment,
    /// A dealing.
    Dealing,
    /// A complaint.
    Complaint,
    /// That the sender has made so many complaints, and makes no more.
    NoMoreComplaints(u16),
    /// A transcript.
    Confirmation,
}

impl core::fmt::Display for Posting {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Commitment => "a commitment to a dealing",
            Self::Dealing => "a dealing",
            Self::Complaint => "a complaint",
            Self::NoMoreComplaints(_) => "the end of its complaints",
            Self::Confirmation => "a confirmation",
        })
    }
}

/// A message that its sender signed for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Posted {
    /// Whose number the sender's is.
    pub role: Role,
    /// Who signed it.
    pub sender: Identifier,
    /// What it is.
    pub posting: Posting,
}

impl Posted {
    /// Reads an envelope. Whether a dealing or a complaint is right, the states decide.
    ///
    /// Gives nothing for an envelope of another session, of no round, or that its sender did not sign. A dealing longer than
    /// any to this roster is of no round, and is not hashed.
    #[must_use]
    pub fn of(session: &Session, envelope: &Envelope) -> Option<Self> {
        if envelope.topic() != session.id() {
            return None;
        }
        let posting = Posting::claimed_within(envelope, Dealing::longest(session))?;
        let (role, sender) = (posting.role(), envelope.identifier());
        let key = match role {
            Role::Dealer => session.dealer_key(sender),
            Role::Receiver => session.receiver_key(sender),
        };
        envelope.verify_session(session.roster(), key).ok()?;
        Some(Self { role, sender, posting })
    }
}

impl Posting {
    /// The round in which it counts.
    #[must_use]
    pub fn round(self) -> Round {
        match self {
            Self::Commitment => Round::Commit,
            Self::Dealing => Round::Open,
            Self::Complaint | Self::NoMoreComplaints(_) => Round::Complain,
            Self::Confirmation => Round::Confirm,
        }
    }

    fn role(self) -> Role {
        match self.round() {
            Round::Commit | Round::Open => Role::Dealer,
            Round::Complain | Round::Confirm => Role::Receiver,
        }
    }

    /// What an envelope claims to be, whoever wrote it and for whatever session; nothing for one of no round, nor for a
    /// dealing above [`MAX_DEALING`].
    /// *Security*: MUST NOT be taken for what somebody said; [`Posted::of`] tells that.
    #[must_use]
    pub fn claimed(envelope: &Envelope) -> Option<Self> {
        Self::claimed_within(envelope, MAX_DEALING)
    }

    fn claimed_within(envelope: &Envelope, longest: usize) -> Option<Self> {
        if Package::is_dealing(envelope, longest) {
            return Some(Self::Dealing);
        }
        let commitment = Package::commitment(envelope).map(|_| Self::Commitment);
        let confirmation = || Package::confirmation(envelope).map(|_| Self::Confirmation);
        let complaint = || Package::complaint(envelope).map(|_| Self::Complaint);
        let end = || Package::no_more_complaints(envelope).map(Self::NoMoreComplaints);
        commitment.or_else(confirmation).or_else(complaint).or_else(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::rounds::stage::{NONCE, cast, id, signed};
    use crate::keys::session::Protocol;
    use rand::SeedableRng;

    #[test]
    fn every_message_is_of_one_round_and_signed_by_its_sender() {
        let (roster, keys) = cast(4, &mut rand_chacha::ChaCha20Rng::seed_from_u64(5));
        let session = Session::new(Protocol::Dkg, None, roster.clone(), &NONCE);
        let all = [
            (Package::Commitment([1; 32]), Posting::Commitment, Role::Dealer, Round::Commit),
            (Package::NoMoreComplaints(0x0102), Posting::NoMoreComplaints(0x0102), Role::Receiver, Round::Complain),
            (Package::Confirmation([2; 32]), Posting::Confirmation, Role::Receiver, Round::Confirm),
        ];
        for (package, posting, role, round) in all {
            let envelope = signed(&session, &keys[2].1, id(3), package);
            assert_eq!(Posted::of(&session, &envelope), Some(Posted { role, sender: id(3), posting }));
            assert_eq!(posting.round(), round);
        }
    }

    #[test]
    fn what_is_of_another_session_or_unsigned_is_nothing() {
        let (roster, keys) = cast(4, &mut rand_chacha::ChaCha20Rng::seed_from_u64(5));
        let session = Session::new(Protocol::Dkg, None, roster.clone(), &NONCE);
        let other = Session::new(Protocol::Dkg, None, roster, &[1; 32]);
        let package = || Package::Commitment([1; 32]);
        assert_eq!(Posted::of(&session, &signed(&other, &keys[2].1, id(3), package())), None);
        assert_eq!(Posted::of(&session, &signed(&session, &keys[1].1, id(3), package())), None);
        assert_eq!(Posted::of(&session, &signed(&session, &keys[1].1, id(9), package())), None);
        assert_eq!(Posted::of(&session, &signed(&session, &keys[1].1, id(2), Package::Dealing(vec![9; 4]))), None);
    }
}
