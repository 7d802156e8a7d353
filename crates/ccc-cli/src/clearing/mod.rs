//! Orders and requests in the clear, cleared here and now: for trying the engine. Nothing is secret in it.

mod canonical;
mod cell;
mod columns;
mod engine;
mod error;
mod figures;
pub(crate) mod generate;
mod orders_csv;
mod orders_json;
pub(crate) mod request;
mod show;
mod source;

pub(crate) use engine::clear;
pub(crate) use error::{OrdersError, RequestError};
pub(crate) use show::{fills_csv, lines, object};
pub(crate) use source::read;

use cell::OrderId;
use darkpool_matcher::{Lots, OwnerId, Spread, StandingOrder, TierMask, UnixSeconds};

/// The most orders that a run reads or makes. *Memory*: about 200 bytes per order while it clears.
pub(crate) const MAX_SLOTS: usize = 1 << 22;
/// The most orders unless `--slots` says otherwise.
pub(crate) const DEFAULT_SLOTS: usize = 1 << 20;

/// One order of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) id: OrderId,
    pub(crate) order: StandingOrder,
}

/// The orders of a file in its order, and their names.
#[derive(Debug)]
pub(crate) struct Book {
    slots: usize,
    ids: Vec<OrderId>,
    orders: Vec<StandingOrder>,
}

impl Book {
    /// A book that takes this many orders.
    fn new(slots: usize) -> Self {
        Self { slots, ids: Vec::new(), orders: Vec::new() }
    }

    fn add(&mut self, entry: &Entry) -> Result<(), OrdersError> {
        if self.ids.len() >= self.slots {
            return Err(OrdersError::TooMany { slots: self.slots });
        }
        self.ids.push(entry.id);
        self.orders.push(entry.order);
        Ok(())
    }

    /// The number of orders that the file has.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Empty slots after the orders, up to the public number.
    fn pad(&mut self) {
        self.orders.resize(self.slots.max(self.ids.len()), empty());
    }
}

/// A slot that holds no order: frozen, and nothing in it.
fn empty() -> StandingOrder {
    StandingOrder {
        owner: OwnerId([0; 20]),
        spread: Spread::MIN,
        size: Lots::ZERO,
        balance: Lots::ZERO,
        cap: Lots::ZERO,
        minimum: Lots::ZERO,
        expiry: UnixSeconds(0),
        tiers: TierMask(0),
        frozen: true,
    }
}
