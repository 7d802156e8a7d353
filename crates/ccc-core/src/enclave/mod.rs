//! The enclave's side: keys of one attempt, and the evidence that vouches for them.

pub mod attestation;
pub(crate) mod keys;

pub use keys::{ATTEMPT_KEYS_LEN, AttemptKeys};
