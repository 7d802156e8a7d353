//! Four rounds on a board in which shares come to be: one machine for key generation, refresh and reshare.
//!
//! Digests of dealings, dealings, complaints, confirmations. The states do no input or output: each takes what the
//! board carried, and holds what is to be posted.
//!
//! **Store, then post.** Everything that a participant draws, it draws when it joins, as one seed. Every later state,
//! and every byte that it posts, is a function of the stored state and the board. Whoever stores a state before posting
//! its [`outgoing`](Committed::outgoing) envelopes, and after a restart reads it again, posts the same bytes again: no
//! coefficient and no nonce serves two messages. A repeated envelope counts once.
//!
//! ```text
//!  Participant --commit--> Committed --open--> Opened --complain--> Complained --finish--> Unconfirmed --confirm--> result
//!                  posts: digest        dealing          complaints          transcript
//! ```
//!
//! *Source*: Pedersen 1991 and Gennaro, Jarecki, Krawczyk and Rabin 1999, after FROST's key generation (Komlo and
//! Goldberg 2020; the share's arithmetic is that of RFC 9591, appendix C); changes and reasons: `docs/spec/keys.md`.

mod audit;
mod fault;
pub(crate) mod package;
mod party;
mod posted;
mod run;
#[cfg(test)]
pub(crate) mod stage;
mod state;
mod stored;
#[cfg(test)]
mod tests;

pub use audit::{Audited, audit};
pub use fault::{Culprit, Fault, Role, RoundsError};
pub use party::Party;
pub use posted::{Posted, Posting};
#[doc(hidden)]
pub use state::Gathered;
pub use state::{Committed, Complained, Opened, Participant, Unconfirmed};
pub use stored::{StateError, Step, step_of};

pub(crate) use party::{Constant, Dealer, Seat};
#[cfg(feature = "bls-quorum")]
pub(crate) use party::{Faults, Seed};
pub(crate) use run::run_in_process;

use super::committee::Committee;
use super::session::Session;
use super::share::KeyShare;
use crate::envelope::Envelope;
use alloc::vec::Vec;

/// Which of the protocols runs in the four rounds.
pub trait Run: sealed::Sealed + Copy + Send + Sync {
    /// What it gives one participant.
    type Outcome: From<Concluded>;
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// What four rounds give one participant, before the protocol names it.
pub struct Concluded {
    pub(crate) session: Session,
    pub(crate) committee: Committee,
    pub(crate) key_share: Option<KeyShare>,
    pub(crate) transcript: [u8; 32],
    pub(crate) culprits: Vec<Culprit>,
    pub(crate) confirmations: Vec<Envelope>,
}
