//! The enclave's side: keys of one attempt, and the evidence that vouches for them.

pub mod attestation;
pub mod keys;

pub use keys::AttemptKeys;
