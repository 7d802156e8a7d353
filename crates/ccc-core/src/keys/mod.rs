//! Keys: the master public key, the committee that shares its secret, and how the shares come to be.

pub mod board;
pub mod committee;
pub mod complaint;
pub mod dealer;
pub mod dealing;
pub mod dkg;
pub mod master;
pub mod participant;
pub mod repair;
pub mod reshare;
pub mod roster;
pub mod rounds;
pub mod session;
pub mod share;
mod sharing;
mod weight;

pub use committee::{Committee, Member};
pub use dealing::{Dealing, DealingError, VerifiedDealing};
pub use master::MasterPublicKey;
pub use participant::ParticipantKeys;
pub use roster::{MembershipError, Roster, RosterMember};
pub use session::{Protocol, Session, SessionError};
pub use share::{KeyShare, KeyShareError};
pub use weight::{PublicKeys, WeightedParticipant};
