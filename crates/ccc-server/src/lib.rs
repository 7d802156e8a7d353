//! Vault participants, enclave hosts and report signers as services: HTTP/2 over TLS 1.3, both sides known by their
//! Ed25519 keys.
//!
//! [`node`] decides for a participant, [`server`] listens, [`follow`] reads the chain, [`client`] asks every node at once. The
//! checks themselves are those of [`ccc_node::vault_node`]. `docs/spec/node.md` has protocol, limits and errors;
//! `docs/spec/services.md` those of [`enclave`] and [`workflow`].

pub mod application;
pub mod attested;
pub mod audit;
mod body;
pub mod client;
pub mod config;
pub mod enclave;
pub mod follow;
pub mod frame;
pub mod hexed;
pub mod identity;
pub mod journal;
pub mod limits;
pub mod log;
pub mod meters;
pub mod node;
pub mod operations;
mod peers;
pub mod routes;
pub mod server;
pub mod service;
pub mod serving;
pub mod tls;
pub mod workflow;
