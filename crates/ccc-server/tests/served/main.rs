//! Vault nodes that listen on loopback, asked over TLS about a chain in this process.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper that fails ends its test")]

#[path = "../../../ccc-chain/tests/common/deployed.rs"]
mod common;
mod epochs;
mod files;
mod followed;
mod hostile;
mod hosts;
mod limits;
mod openapi;
#[path = "../../../ccc-chain/tests/common/proxy.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
mod proxy;
mod reencrypt;
mod registry;
mod restarts;
mod scene;
mod statements;
#[path = "../../../ccc-chain/tests/common/tls.rs"]
mod tls;
mod turns;
