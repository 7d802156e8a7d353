//! Refresh and reshare: the holders of shares deal them on, and the master secret has new holders.
//!
//! Everybody of the old committee that is willing deals its own share x_i, with C_0 = P_i checked against the old
//! table, to the new roster. The t dealers with the smallest numbers among the qualified count, t being the old
//! threshold: x'_j = Σ λ_i·x_ij and P'_j = Σ λ_i·(commitments of i at j). The master public key stays, old ciphertexts
//! open, shares of two epochs never combine. A refresh is a reshare to the same members under the same threshold.
//!
//! The four rounds are those of [`rounds`]. Dealers are numbered as in the old committee, receivers as on
//! the new roster; one participant may be both, under two numbers and with two sets of keys.
//!
//! *Source*: Herzberg, Jarecki, Krawczyk and Yung 1995 (refresh); Desmedt and Jajodia 1997, Wong, Wang and Wing 2002
//! (reshare), with the dealing of key generation. *Security*: the old share serves until n′ − F′ receivers have confirmed,
//! and MUST be erased then, with the old dealing key where the new roster has another. Whoever keeps t old shares
//! keeps the master secret.
//!
//! # Examples
//! Four holders hand over to three others:
//!
//! ```
//! use ccc_core::keys::reshare::{NewMember, OldMember, Party, run_in_process};
//! use ccc_core::keys::{ParticipantKeys, Protocol, Roster, Session, board::MemoryBoard, dealer};
//! use ccc_core::{epoch::Epoch, identifier::Identifier, threshold::Threshold};
//! # use rand::SeedableRng;
//!
//! # let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
//! let mut members = |n| -> Result<Vec<_>, Box<dyn core::error::Error>> {
//!     (1..=n).map(|i| Ok((Identifier::new(i)?, ParticipantKeys::generate(&mut rng)?))).collect()
//! };
//! let (old, new) = (members(4)?, members(3)?);
//! let roster = |epoch, keys: &[(Identifier, ParticipantKeys)], t| {
//!     Roster::new(Epoch(epoch), t, keys.iter().map(|(i, keys)| keys.public(*i)).collect())
//! };
//! let (committee, shares) = dealer::deal(&roster(1, &old, Threshold::new(3, 4)?)?, &mut rng)?;
//! let master = *committee.master_public_key();
//!
//! let nonce = [7; 32]; // the board's, never used before
//! let next = roster(2, &new, Threshold::new(2, 3)?)?;
//! let session = Session::handover(Protocol::Reshare, committee.into(), next, &nonce)?;
//! let mut parties = Vec::new();
//! for ((_, keys), key_share) in old.iter().zip(&shares) {
//!     parties.push(Party::new(session.clone(), Some(OldMember { key_share, keys }), None)?);
//! }
//! for (identifier, keys) in &new {
//!     parties.push(Party::new(session.clone(), None, Some(NewMember { identifier: *identifier, keys }))?);
//! }
//! let mut outcomes = run_in_process(parties, &mut MemoryBoard::new(nonce), &mut rng)?;
//!
//! let (receiver, dealer) = (outcomes.remove(4)?, outcomes.remove(0)?);
//! assert_eq!(receiver.committee.master_public_key(), &master);
//! assert!(receiver.key_share.is_some() && dealer.key_share.is_none());
//! for share in shares {
//!     assert!(dealer.retire(share).is_ok()); // confirmed by n′ − F′: the old shares are erased
//! }
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod certificate;

pub use certificate::{Certificate, CertificateError};

use super::board::{Board, BoardError};
use super::committee::Committee;
use super::participant::ParticipantKeys;
use super::rounds::{self, Concluded, Constant, Culprit, Dealer, RoundsError, Run, Seat};
use super::session::Session;
use super::share::KeyShare;
use crate::identifier::Identifier;
use alloc::vec::Vec;
use rand_core::CryptoRng;

/// The protocols, as a type: a refresh and a reshare differ by their session only.
#[derive(Clone, Copy, Debug)]
pub enum Reshare {}

/// One participant of one session.
pub type Party<'k> = rounds::Party<'k, Reshare>;
/// Before the first round.
pub type Participant<'k> = rounds::Participant<'k, Reshare>;
/// Committed to its dealing, if it deals.
pub type Committed<'k> = rounds::Committed<'k, Reshare>;
/// Has opened its dealing, if it deals.
pub type Opened<'k> = rounds::Opened<'k, Reshare>;
/// Has gathered the dealings.
#[doc(hidden)]
pub type Gathered<'k> = rounds::Gathered<'k, Reshare>;
/// Has complained about wrong shares, if it receives.
pub type Complained<'k> = rounds::Complained<'k, Reshare>;
/// Has a result that the others have not confirmed.
pub type Unconfirmed<'k> = rounds::Unconfirmed<'k, Reshare>;

/// A holder of an old share, who deals.
#[derive(Clone, Copy)]
pub struct OldMember<'k> {
    /// Its share; it keeps serving during the session.
    pub key_share: &'k KeyShare,
    /// Its keys in the old committee.
    pub keys: &'k ParticipantKeys,
}

/// A member of the new roster, who receives.
#[derive(Clone, Copy)]
pub struct NewMember<'k> {
    /// Its number on the new roster.
    pub identifier: Identifier,
    /// Its keys on the new roster.
    pub keys: &'k ParticipantKeys,
}

/// What a refresh or a reshare gives one participant: the same committee and transcript for all.
///
/// It exists only once n′ − F′ receivers have confirmed that they hold their shares. *Security*: store the new share,
/// then [`retire`](Handover::retire) the old one and erase it from the disk.
#[non_exhaustive]
pub struct Handover {
    /// The new committee, with the old master public key.
    pub committee: Committee,
    /// This participant's new share, if it receives.
    pub key_share: Option<KeyShare>,
    /// digest32 H("transcript"; …).
    pub transcript: [u8; 32],
    /// Who was found at fault on the way.
    pub culprits: Vec<Culprit>,
    /// The confirmations, for whoever was not there.
    pub certificate: Certificate,
    old: [u8; 64],
}

impl rounds::sealed::Sealed for Reshare {}

impl Run for Reshare {
    type Outcome = Handover;
}

impl From<Concluded> for Handover {
    fn from(concluded: Concluded) -> Self {
        let Concluded { session, committee, key_share, transcript, culprits, confirmations } = concluded;
        let old = session.old().map(Committee::digest).expect("every party of a reshare has an old committee");
        let certificate = Certificate::new(session.id(), transcript, confirmations);
        Self { committee, key_share, transcript, culprits, certificate, old }
    }
}

impl Handover {
    /// Erases a share of the committee that has handed over.
    ///
    /// # Errors
    /// A share of another committee is given back.
    pub fn retire(&self, share: KeyShare) -> Result<(), KeyShare> {
        if share.committee() == self.old { Ok(()) } else { Err(share) }
    }
}

impl<'k> Party<'k> {
    /// A dealer, a receiver, or both.
    ///
    /// # Errors
    /// [`RoundsError::Protocol`] for a session without an old committee; [`RoundsError::NotInTheCommittee`],
    /// [`RoundsError::NotOnTheRoster`], [`RoundsError::NoRole`]; [`RoundsError::KeyShare`] for a share that is not
    /// the old committee's.
    pub fn new(session: Session, old: Option<OldMember<'k>>, new: Option<NewMember<'k>>) -> Result<Self, RoundsError> {
        if session.old().is_none() {
            return Err(RoundsError::Protocol { found: session.protocol() });
        }
        let dealer = old.map(|OldMember { key_share, keys }| Dealer {
            seat: Seat { identifier: key_share.identifier(), keys },
            constant: Constant::Share(key_share),
        });
        Self::with_roles(session, dealer, new.map(|NewMember { identifier, keys }| Seat { identifier, keys }))
    }
}

/// Runs every round for these parties; everybody else is silent. Outcomes stand in the order of the parties.
///
/// A participant that fails stops posting and keeps its error.
///
/// # Errors
/// [`BoardError`] when the board itself fails.
pub fn run_in_process<B: Board, R: CryptoRng + ?Sized>(
    parties: Vec<Party<'_>>,
    board: &mut B,
    rng: &mut R,
) -> Result<Vec<Result<Handover, RoundsError>>, BoardError> {
    rounds::run_in_process(parties.into_iter().map(Ok).collect(), board, rng)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
