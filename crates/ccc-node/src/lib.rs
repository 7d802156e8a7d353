//! The actors of a recovery, in process, and the recovery that joins them.
//!
//! Each actor is a type with its own secrets that checks what it is given: [`vault_node`],
//! [`workflow_node`], [`maker`], [`agent`], [`custodian`]. [`recovery`] joins them on one chain.

pub mod agent;
pub mod attempt;
pub mod ceremony;
pub mod custodian;
mod domain;
pub mod leak;
pub mod maker;
#[cfg(feature = "provider-nitro-nsm")]
pub mod nsm;
pub mod policy_file;
pub mod pool_log;
pub mod production;
pub mod reading;
pub mod recovery;
pub mod scenario;
pub mod seed;
pub mod timeline;
#[cfg(feature = "provider-configfs-tsm")]
pub mod tsm;
pub mod vault_node;
pub mod workflow_node;
