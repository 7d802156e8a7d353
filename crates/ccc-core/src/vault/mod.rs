//! The vault: participants turn verified ciphertexts into decryption shares, in public or sealed to one enclave.

pub(crate) mod combine;
pub mod compact;
pub(crate) mod received;
pub(crate) mod recipient;
pub(crate) mod reencryption;
pub(crate) mod request;
pub mod sealed;
pub mod share;
#[cfg(feature = "simulated-liars")]
pub mod simulated;
pub(crate) mod statement;

pub use combine::{CombineError, Culprit, CulpritReason, Opened, combine_public};
pub use compact::{Combination, Combined, Partials};
pub use recipient::{AttestedRecipient, MAX_EVIDENCE, Recipient};
pub use reencryption::{Answer, Reencryption, answer};
pub use request::{MAX_CIPHERTEXTS, MAX_COMPACT, Mode, Request, RequestError};
pub use sealed::{SealError, SealedShare};
pub use share::{ShareError, Shares};

#[cfg(test)]
mod tests;
