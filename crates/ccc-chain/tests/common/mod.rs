//! A deployment with its people, the nodes and exchanges it is tried on.

#![allow(dead_code, unused_imports, reason = "each test file uses a part")]

pub(crate) mod anvil;
mod deployed;
pub(crate) mod exchange;
pub(crate) mod proxy;
pub(crate) mod tls;

pub(crate) use deployed::*;
