//! Keys: the master public key, the committee that shares its secret, and how the shares come to be.

pub mod board;
pub(crate) mod committee;
pub(crate) mod complaint;
pub mod dealer;
pub(crate) mod dealing;
pub mod dkg;
pub(crate) mod master;
pub(crate) mod participant;
pub mod repair;
pub mod reshare;
pub(crate) mod roster;
pub mod rounds;
pub(crate) mod session;
pub(crate) mod share;
mod sharing;
mod weight;

pub use committee::{Committee, Member};
pub use complaint::{COMPLAINT_LEN, Complaint, Verdict};
pub use dealing::{Dealing, DealingError, MAX_DEALING, ShareFault, VerifiedDealing};
pub use master::MasterPublicKey;
pub use participant::{PARTICIPANT_KEYS_LEN, ParticipantKeys};
pub use roster::{MembershipError, Roster, RosterMember};
pub use session::{Protocol, Session, SessionError};
pub use share::{KEY_SHARE_LEN, KeyShare, KeyShareError};
pub use weight::{PublicKeys, WeightedParticipant};
