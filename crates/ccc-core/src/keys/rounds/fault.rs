//! Who is at fault for what, and why four rounds end without a result.

use crate::encoding::EncodingError;
use crate::identifier::Identifier;
use crate::keys::dealing::{DealingError, ShareFault};
use crate::keys::roster::MembershipError;
use crate::keys::session::Protocol;
use crate::keys::share::KeyShareError;
use crate::secret::RandomnessError;
use alloc::vec::Vec;

/// What a participant does in a session. A reshare numbers its dealers as the old committee does, and its receivers as
/// the new roster does: the same number may be two participants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Role {
    /// It deals.
    Dealer = 1,
    /// It receives shares.
    Receiver = 2,
}

impl core::fmt::Display for Role {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Dealer => "dealer",
            Self::Receiver => "receiver",
        })
    }
}

/// What a participant did wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It posted nothing in a round.
    #[error("silent")]
    Silent,
    /// It signed two different messages in one round.
    #[error("two different messages in one round")]
    Equivocation,
    /// It opened another dealing than it had committed to.
    #[error("the dealing is not the one committed to")]
    NotAsCommitted,
    /// It opened bytes that are no dealing.
    #[error("the dealing is malformed")]
    Malformed,
    /// Its dealing is wrong in public.
    #[error(transparent)]
    Dealing(DealingError),
    /// Its dealing uses the same ephemeral point as another.
    #[error("the ephemeral point is that of another dealing")]
    RepeatedPoint,
    /// A complaint proved that a share it dealt is wrong.
    #[error(transparent)]
    Share(ShareFault),
    /// It complained without reason.
    #[error("a complaint without reason")]
    FalseComplaint,
    /// It confirmed another transcript: a fault only if it read the same board. It proves that two boards differed, and not
    /// whose doing that is.
    #[error("another transcript is confirmed")]
    Disagreement,
}

impl Fault {
    /// Whether messages prove it. Silence, and a disagreement about the transcript, may be the board's doing: somebody
    /// that can write to it shows honest participants different messages.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        !matches!(self, Self::Silent | Self::Disagreement)
    }
}

/// A participant at fault. Its own signature proves it, but for what [`Fault::is_proved`] leaves out; a
/// [`Fault::FalseComplaint`] together with the dealing that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Culprit {
    /// Whose number it is: a dealer's or a receiver's.
    pub role: Role,
    /// Who.
    pub identifier: Identifier,
    /// What.
    pub fault: Fault,
}

/// Why four rounds ended without a result. No new share is left behind; an old one still serves.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoundsError {
    /// Keys that are not the roster's for this identifier.
    #[error("participant {identifier} with these keys is not on the roster")]
    NotOnTheRoster {
        /// The identifier.
        identifier: Identifier,
    },
    /// Keys that are not the old committee's for this identifier.
    #[error("participant {identifier} with these keys is not in the committee that hands over")]
    NotInTheCommittee {
        /// The identifier.
        identifier: Identifier,
    },
    /// A participant that neither deals nor receives.
    #[error("a participant that neither deals nor receives")]
    NoRole,
    /// A session of another protocol.
    #[error("a session of protocol {found}, which does not run here")]
    Protocol {
        /// The session's protocol.
        found: Protocol,
    },
    /// Fewer dealers are left than the protocol needs: n − F, in a handover t of the old committee.
    #[error("{have} dealers qualify, where {need} are needed")]
    TooFewDealers {
        /// Dealers needed.
        need: usize,
        /// Dealers left.
        have: usize,
        /// Who is at fault.
        culprits: Vec<Culprit>,
    },
    /// A dealer dealt this participant a wrong share, and the board does not carry the complaint.
    #[error("the share of dealer {dealer} is wrong and the complaint is missing on the board")]
    ComplaintMissing {
        /// The dealer.
        dealer: Identifier,
    },
    /// The dealings of a handover add up to another master public key.
    #[error("the dealings add up to another master public key")]
    MasterKey,
    /// Fewer than n − F participants confirmed this transcript.
    #[error("{have} participants confirm the transcript, where {need} are needed")]
    NotConfirmed {
        /// n − F.
        need: usize,
        /// Confirmations.
        have: usize,
        /// Who is at fault.
        culprits: Vec<Culprit>,
    },
    /// The random generator is broken.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
    /// A message does not fit an envelope.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// The dealings add up to no committee.
    #[error(transparent)]
    Membership(#[from] MembershipError),
    /// A share does not fit its committee: the old one that is dealt, or the sum of the new ones.
    #[error(transparent)]
    KeyShare(#[from] KeyShareError),
}
