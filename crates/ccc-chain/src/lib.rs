//! The chain.

pub mod embedded;
