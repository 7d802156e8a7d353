//! The actors of a recovery, in process.
pub mod leak;
pub mod scenario;
pub mod seed;
pub mod timeline;
