//! Orders and requests in the clear, cleared here and now: for trying the engine. Nothing is secret in it.

mod book;
mod canonical;
mod cell;
mod columns;
mod engine;
mod error;
mod figures;
mod form;
pub(crate) mod generate;
mod orders_csv;
mod orders_json;
pub(crate) mod request;
mod show;
mod source;

pub(crate) use book::{Book, Entry};
pub(crate) use engine::clear;
pub(crate) use error::{OrdersError, RequestError};
pub(crate) use show::{fills_csv, lines, object};
pub(crate) use source::read;

/// The most orders that a run reads or makes. *Memory*: about 200 bytes per order while it clears.
pub(crate) const MAX_SLOTS: usize = 1 << 22;
/// The most orders unless `--slots` says otherwise.
pub(crate) const DEFAULT_SLOTS: usize = 1 << 20;
