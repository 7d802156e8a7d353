//! A chain in this process: revm behind an alloy transport.
//!
//! The same provider code talks to it and to a node over HTTP, so nothing needs to be installed to run
//! everything once.
//!
//! *What it is not*: there is no state trie (state roots are zero), no mempool (one block for each transaction, mined
//! at once) and no reorganisation (the newest block is final). Its base fee never moves. It is an execution
//! environment; a real node is the cross-check.
//!
//! *Time*: the clock starts at the genesis time and moves one second for each block unless a time is set. Same
//! requests, same bytes, on every machine.

mod block;
mod connections;
mod execute;
mod fault;
mod filters;
mod loopback;
mod mine;
mod node;
mod parameters;
mod queries;
mod recovery;
mod rpc;
mod server;
mod state;
mod transport;

use alloy::primitives::Address;

pub(crate) use rpc::CLIENT_VERSION;

pub use connections::{IDLE, MOST_CONNECTIONS};
pub use loopback::{LoopbackServer, ServeError};
pub use server::{BATCH_TIME, BODY_TIME, ChainServer, Clock, MAX_BODY, MOST_IN_BATCH};
pub use transport::EmbeddedTransport;

/// The most gas that a transaction may ask for (EIP-7825).
pub const TRANSACTION_GAS_CAP: u64 = 16_777_216;

/// The gas limit of every block.
pub const BLOCK_GAS_LIMIT: u64 = 30_000_000;

/// The price of gas in every block, in wei.
pub const BASE_FEE: u64 = 1_000_000_000;

/// What an embedded chain starts from.
///
/// *Units*: `genesis_time` in Unix seconds; each rich account starts with 10,000 ether.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedConfig {
    /// The chain id.
    pub chain_id: u64,
    /// The time of block 0.
    pub genesis_time: u64,
    /// Accounts with ether.
    pub rich: Vec<Address>,
}
