//! Keys: the master public key, the committee that shares its secret, and how the shares come to be.

pub mod master;

pub use master::MasterPublicKey;
