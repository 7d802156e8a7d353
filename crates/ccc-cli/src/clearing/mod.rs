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
use darkpool_matcher::{CounterpartyList, StandingOrder};

/// The most orders that a run reads or makes. *Memory*: about 200 bytes per order while it clears.
pub(crate) const MAX_SLOTS: usize = 1 << 22;
/// The most orders unless `--slots` says otherwise.
pub(crate) const DEFAULT_SLOTS: usize = 1 << 20;

/// One order of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) id: OrderId,
    pub(crate) order: StandingOrder,
    pub(crate) list: CounterpartyList,
}

/// The orders of a file in its order, and their names.
#[derive(Debug)]
pub(crate) struct Book {
    slots: usize,
    ids: Vec<OrderId>,
    orders: Vec<StandingOrder>,
    /// As far as the last order that names requesters; none where no order does. *Memory*: 162 bytes each.
    lists: Vec<CounterpartyList>,
}

impl Book {
    /// A book that takes this many orders.
    fn new(slots: usize) -> Self {
        Self { slots, ids: Vec::new(), orders: Vec::new(), lists: Vec::new() }
    }

    fn add(&mut self, entry: &Entry) -> Result<(), OrdersError> {
        if self.ids.len() >= self.slots {
            return Err(OrdersError::TooMany { slots: self.slots });
        }
        if !entry.list.names().is_empty() {
            self.lists.resize(self.orders.len(), CounterpartyList::EMPTY);
            self.lists.push(entry.list);
        }
        self.ids.push(entry.id);
        self.orders.push(entry.order);
        Ok(())
    }

    /// The number of orders that the file has.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Empty slots after the orders, up to the public number; a list for each where there are lists.
    fn pad(&mut self) {
        self.orders.resize(self.slots.max(self.ids.len()), StandingOrder::EMPTY);
        if !self.lists.is_empty() {
            self.lists.resize(self.orders.len(), CounterpartyList::EMPTY);
        }
    }
}
