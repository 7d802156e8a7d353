//! Keys: the master public key, the committee that shares its secret, and how the shares come to be.

pub mod committee;
pub mod master;
pub mod participant;
pub mod roster;
pub mod share;

pub use committee::{Committee, Member};
pub use master::MasterPublicKey;
pub use participant::ParticipantKeys;
pub use roster::{MembershipError, Roster, RosterMember};
pub use share::{KeyShare, KeyShareError};
