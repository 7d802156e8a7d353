//! Repair: a participant that lost its share gets it back from helpers, who learn nothing.
//!
//! ```text
//! lost ℓ       request: helpers A, |A| ≥ t, nonce                                      → board
//! helper i     λ_i·x_i = Σ_j δ_ij     D_ij = δ_ij·G, δ_ij sealed to each helper j      → board, first round
//!              everybody: Σ_j D_ij = λ_i·P_i
//! helper j     δ_ij·G = D_ij for all i, or a complaint; σ_j = Σ_i δ_ij, sealed to ℓ    → board, second round
//!              everybody: σ_j·G = Σ_i D_ij
//! lost ℓ       σ_j·G as committed for all j, or a complaint; x_ℓ = Σ_j σ_j, x_ℓ·G = P_ℓ
//! ```
//!
//! *Source*: the first of the two repairable threshold schemes of Stinson and Wei 2018, from the enrollment protocol, with
//! scalars committed to and publicly decidable complaints, so that a wrong result always has a name:
//! `docs/spec/repair.md`.
//! *Security*: t − 1 participants, the lost one among them or not, learn at most the share that is repaired. The
//! participant keeps its signing and dealing keys; who lost those too is replaced by a reshare.
//!
//! Nothing is drawn but the request's nonce. What a helper says is a function of its share, the session and what the
//! board carried, so there is no state between the rounds: after a restart it says the same again, byte for byte.
//!
//! ```
//! # use ccc_core::{epoch::Epoch, identifier::Identifier, threshold::Threshold};
//! # use ccc_core::keys::{ParticipantKeys, Roster, dealer};
//! use ccc_core::keys::repair::{Helper, Receiver, RepairRequest, RepairSession};
//! # let mut rng = rand_core::UnwrapErr(rand::rngs::SysRng);
//! # let keys: Vec<_> = (0..4).map(|_| ParticipantKeys::generate(&mut rng)).collect::<Result<_, _>>()?;
//! # let weights: Vec<_> = keys.iter().map(|keys| (keys.public_keys(), 1)).collect();
//! # let roster = Roster::weighted(Epoch(1), Threshold::default_for, &weights)?;
//! # let (committee, shares) = dealer::deal(&roster, &mut rng)?;
//! let [lost, helpers @ ..] = [1, 2, 3, 4].map(Identifier::new);
//! let helpers = helpers.into_iter().collect::<Result<Vec<_>, _>>()?;
//! let request = RepairRequest::new(&committee, lost?, helpers, &mut rng)?;
//! let session = RepairSession::new(committee.clone(), request)?;
//! let receiver = Receiver::new(session, &keys[0])?;
//! let request = receiver.request()?;
//!
//! let mut first_round = Vec::new();
//! let mut second_round = Vec::new();
//! for (share, keys) in shares[1..].iter().zip(&keys[1..]) {
//!     let session = RepairSession::requested(committee.clone(), &request)?;
//!     first_round.push(Helper::new(session, share, keys)?.split()?);
//! }
//! for (share, keys) in shares[1..].iter().zip(&keys[1..]) {
//!     let session = RepairSession::requested(committee.clone(), &request)?;
//!     second_round.push(Helper::new(session, share, keys)?.sum(&first_round)?);
//! }
//! let repaired = receiver.finish(&first_round, &second_round)?;
//! assert_eq!(repaired.matches(&committee), Ok(()));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod complaint;
mod helper;
mod packet;
mod receiver;
mod round;
mod session;

pub use complaint::RepairComplaint;
pub use helper::Helper;
pub use packet::{PacketError, RepairPacket};
pub use receiver::Receiver;
pub use session::{RepairRequest, RepairSession, RepairSessionError};

use super::dealing::ShareFault;
use super::share::KeyShareError;
use crate::encoding::EncodingError;
use crate::envelope::Envelope;
use crate::identifier::Identifier;
use alloc::vec::Vec;
use round::{FirstRound, SecondRound};

/// What a participant of a repair did wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RepairFault {
    /// It posted nothing in a round.
    #[error("is silent")]
    Silent,
    /// It signed two different packets in one round.
    #[error("signed two different packets in one round")]
    Equivocation,
    /// Its packet is wrong in public.
    #[error("sent a wrong packet: {0}")]
    Packet(PacketError),
    /// Its packet uses the same ephemeral point as another.
    #[error("uses the ephemeral point of another packet")]
    RepeatedPoint,
    /// A complaint proved that a scalar it sealed is wrong.
    #[error("sealed a wrong scalar: {0}")]
    Scalar(ShareFault),
    /// It complained without reason.
    #[error("complained without reason")]
    FalseComplaint,
}

/// A participant at fault. Everything but silence is proved by its own signature; a complaint without reason together with
/// the packet that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepairCulprit {
    /// Who.
    pub identifier: Identifier,
    /// What.
    pub fault: RepairFault,
}

impl core::fmt::Display for RepairCulprit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "participant {} {}", self.identifier, self.fault)
    }
}

/// Why a repair, or a step of it, gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RepairError {
    /// Keys that are not those of this member of the committee.
    #[error("these are not the keys of participant {identifier}")]
    Keys {
        /// The member.
        identifier: Identifier,
    },
    /// A participant that the request does not name as a helper.
    #[error("participant {identifier} is not a helper of this repair")]
    NotAHelper {
        /// The participant.
        identifier: Identifier,
    },
    /// Somebody is at fault; a new request names other helpers.
    #[error("the repair ended: {}", Sentence(culprits))]
    Ended {
        /// Who, ascending; one entry each.
        culprits: Vec<RepairCulprit>,
        /// What this participant posts so that everybody sees it. Empty when everybody sees it already.
        complaints: Vec<Envelope>,
    },
    /// Helpers added up other splits than these, and posted no sum of these. Nobody is at fault by that: somebody that can
    /// write to the board may have shown them others. They help again; a helper that never fits is as good as silent.
    #[error("the sums of participants {} are of other splits than these", Numbers(helpers))]
    OtherBoard {
        /// Who, ascending.
        helpers: Vec<Identifier>,
    },
    /// A share does not serve the committee: a helper's own, or the repaired one.
    #[error(transparent)]
    KeyShare(#[from] KeyShareError),
    /// A message does not fit an envelope.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
}

struct Sentence<'a>(&'a [RepairCulprit]);

impl core::fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (k, culprit) in self.0.iter().enumerate() {
            let separator = if k == 0 { "" } else { ", " };
            write!(f, "{separator}{culprit}")?;
        }
        Ok(())
    }
}

struct Numbers<'a>(&'a [Identifier]);

impl core::fmt::Display for Numbers<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (k, identifier) in self.0.iter().enumerate() {
            let separator = if k == 0 { "" } else { ", " };
            write!(f, "{separator}{identifier}")?;
        }
        Ok(())
    }
}

/// What anybody who reads the board says of a repair: nothing, or who is at fault.
///
/// The rounds are those of the helpers' packets, of their sums, and of the lost participant's complaints.
///
/// # Errors
/// [`RepairError::Ended`]; [`RepairError::OtherBoard`] where nobody is at fault and helpers read other splits.
pub fn judge(session: &RepairSession, rounds: [&[Envelope]; 3]) -> Result<(), RepairError> {
    let [first, second, third] = rounds;
    let first = FirstRound::read(session, first)?;
    let second = SecondRound::read(session, &first, second)?;
    ended(second.judge(session, third))
}

/// The end of a run in which somebody is at fault.
fn ended(culprits: Vec<RepairCulprit>) -> Result<(), RepairError> {
    if culprits.is_empty() { Ok(()) } else { Err(RepairError::Ended { culprits, complaints: Vec::new() }) }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
