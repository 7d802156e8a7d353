//! The chain: contract bindings, an embedded EVM, one provider for it and for any node, delivery of signed reports,
//! and what can be read and watched.
//!
//! A [`Chain`] is a handle to one of two things: [`Chain::embedded`] runs in this process, [`Chain::connect`] speaks to
//! a node over HTTP or HTTPS. [`deploy`] puts the contracts there, [`submit`] delivers a
//! [`SignedReport`](ccc_core::report::SignedReport), [`read`] and [`watch`] give back what the chain holds, and
//! [`transcript`] lists everything that an observer of the chain saw.
//!
//! The crate knows contracts and reports; it knows nothing about orders, tables or vaults.

#![forbid(unsafe_code)]

pub mod act;
pub mod bindings;
pub mod board;
pub mod calls;
pub mod conflict;
pub mod custody;
pub mod deploy;
pub mod embedded;
pub mod enclaves;
mod error;
#[cfg(feature = "bls-quorum")]
pub mod group;
pub mod handover;
pub mod history;
pub mod https;
pub mod permit;
pub mod provider;
pub mod read;
pub mod refusal;
mod send;
pub mod status;
pub mod submission;
pub mod submit;
pub mod submitter;
pub mod swap;
pub mod transcript;
pub mod wallet;
pub mod watch;

pub use act::{Actions, submission_id};
pub use deploy::{Deployment, DeploymentPlan};
pub use embedded::EmbeddedConfig;
pub use error::ChainError;
pub use provider::{Chain, ChainKind, ConnectOptions, Finality};
pub use refusal::Refusal;
pub use send::{Sent, Signed};
pub use submit::Delivery;
pub use wallet::Wallet;
