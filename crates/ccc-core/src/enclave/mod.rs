//! The enclave's side: keys of one attempt and of its identity, and the evidence that vouches for them.

pub mod attestation;
pub mod identity;
pub(crate) mod keys;
pub mod sealing;

pub use keys::{ATTEMPT_KEYS_LEN, AttemptKeys};
