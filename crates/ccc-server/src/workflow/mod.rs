//! A signer of reports as a service: it asks enclaves for results, reads the chain for itself before it signs, exchanges
//! signatures with the other signers, and delivers.
//!
//! `signer` judges and signs; `rooms` answers the other signers; `turn` does what a turn asks for; `schedule` says
//! whose turn it is.

mod agreement;
pub mod config;
mod hosts;
mod rooms;
mod schedule;
pub mod service;
mod signer;
mod turn;

#[cfg(test)]
pub(crate) use rooms::DOORS;
pub use rooms::Rooms;
pub use service::Workflow;
pub use signer::SigningError;
