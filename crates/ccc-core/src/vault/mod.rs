//! The vault: participants turn verified ciphertexts into decryption shares, in public or sealed to one enclave.

pub mod combine;
pub mod compact;
pub(crate) mod received;
pub mod recipient;
pub mod reencryption;
pub mod request;
pub mod sealed;
pub mod share;
pub(crate) mod statement;

pub use combine::{CombineError, Culprit, CulpritReason, Opened};
pub use compact::{Combination, Combined, Partials};
pub use recipient::{AttestedRecipient, Recipient};
pub use reencryption::{Answer, Reencryption, answer};
pub use request::{Mode, Request, RequestError};
pub use sealed::{SealError, SealedShare};
pub use share::{ShareError, Shares};

#[cfg(test)]
mod tests;
