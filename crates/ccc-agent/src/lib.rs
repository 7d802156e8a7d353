//! The agent that refills the reserve.
//!
//! It acts on a solvency report that is final, deep enough and signed by the quorum, and on nothing else. What it may do is a
//! closed list ([`plan::Action`]), where money goes is fixed ([`policy`]), and every call is decoded again before it is signed
//! ([`guard`]). What is missing it learns from its envelope alone; [`route`] chooses between a public swap, the dark pool
//! and both, [`limits`] bound it, and [`journal`] has each step before it is taken.
//!
//! ```text
//! report on the chain ─► envelope opened ─► route ─► plan, journalled ─► limits, approvals ─► call ─► guard ─► signed
//!                                                                                                              │
//!                          outcome, journalled ◄── deep enough ◄── sent ◄── bytes, nonce and hash journalled ◄─┘
//! ```
//!
//! [`machine`] decides without a chain or a clock; [`drive`] asks the chain, and does what the machine says.

#![forbid(unsafe_code)]

pub mod approval;
pub mod drive;
pub mod evidence;
pub mod guard;
pub mod journal;
pub mod limits;
pub mod machine;
pub mod plan;
pub mod policy;
pub mod recovery;
pub mod route;
pub mod signer;
pub mod state;

/// Labels of this crate's digests.
mod domain {
    /// What an approval signs.
    pub(crate) const ACTION: &str = "agent-action";
    /// A line of the journal.
    pub(crate) const JOURNAL: &str = "agent-journal";
    /// A policy file.
    pub(crate) const POLICY: &str = "agent-policy";
}
