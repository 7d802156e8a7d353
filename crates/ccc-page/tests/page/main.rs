//! The page over HTTP, as somebody outside meets it.

#![allow(clippy::panic, clippy::expect_used, reason = "a helper that fails ends its test")]

mod caller;
mod doors;
mod feed;
mod hooks;
mod leak;
mod viewers;
