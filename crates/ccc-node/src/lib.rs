//! The actors of a recovery, in process, and the recovery that joins them.
//!
//! Each actor is a type with its own secrets that checks what it is given: [`vault_node`],
//! [`workflow_node`], [`maker`], [`agent`], [`custodian`]. [`recovery`] joins them on one chain.

pub mod agent;
pub mod custodian;
pub mod leak;
pub mod maker;
pub mod pool_log;
pub mod recovery;
pub mod scenario;
pub mod seed;
pub mod timeline;
pub mod vault_node;
pub mod workflow_node;
