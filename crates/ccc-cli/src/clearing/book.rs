//! The orders of a file.

use super::{cell::OrderId, error::OrdersError};
use darkpool_matcher::{CounterpartyList, StandingOrder};

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
    pub(super) slots: usize,
    pub(super) ids: Vec<OrderId>,
    pub(super) orders: Vec<StandingOrder>,
    /// As far as the last order that names requesters; none where no order does. *Memory*: 162 bytes each.
    pub(super) lists: Vec<CounterpartyList>,
}

impl Book {
    /// A book that takes this many orders.
    pub(super) fn new(slots: usize) -> Self {
        Self { slots, ids: Vec::new(), orders: Vec::new(), lists: Vec::new() }
    }

    pub(super) fn add(&mut self, entry: &Entry) -> Result<(), OrdersError> {
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
    pub(super) fn pad(&mut self) {
        self.orders.resize(self.slots.max(self.ids.len()), StandingOrder::EMPTY);
        if !self.lists.is_empty() {
            self.lists.resize(self.orders.len(), CounterpartyList::EMPTY);
        }
    }
}
