//! Several requests over one pool, one after another, with counterparty lists.

use crate::clear::{Pool, Workspace, check_length, check_permutation, clear_columns};
use crate::counterparties::CounterpartyList;
use crate::error::ClearError;
use crate::kernel::columns::Columns;
use crate::kernel::mask::{Mask, bit, from_flag};
use crate::market::Market;
use crate::outcome::{Fill, Outcome};
use crate::price::{PriceRefusal, Twap};
use crate::request::Request;
use crate::standing_order::StandingOrder;
use crate::types::Lots;

/// What is cleared together: the pool, the requests, and the order in which each is taken.
///
/// *Security*: the lengths, both permutations and whether there are lists are public. What the lists hold is not.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The pool.
    pub orders: &'a [StandingOrder],
    /// The requesters that each maker admits, one list per standing order; empty for a pool without lists.
    pub order_lists: &'a [CounterpartyList],
    /// The slots in canonical order.
    pub permutation: &'a [u32],
    /// The requests.
    pub requests: &'a [Request],
    /// The makers that each requester admits, one list per request; empty for requests without lists.
    pub request_lists: &'a [CounterpartyList],
    /// The requests by (deadline, canonical key of the identifier).
    pub sequence: &'a [u32],
    /// The price of each request, at its own deadline.
    pub prices: &'a [Result<Twap, PriceRefusal>],
}

/// [`clear_batch_in`] with memory of its own.
///
/// *Errors*: as [`clear_batch_in`].
#[cfg(feature = "alloc")]
pub fn clear_batch(
    batch: &Batch<'_>,
    market: &Market,
    fills: &mut [Fill],
    outcomes: &mut [Outcome],
) -> Result<(), ClearError> {
    let slots = batch.orders.len();
    let mut spreads = alloc::vec![0; slots];
    let mut capacities = alloc::vec![0; slots];
    let mut minimums = alloc::vec![0; slots];
    let mut filled = alloc::vec![0; slots];
    let mut workspace = Workspace::new(&mut spreads, &mut capacities, &mut minimums, &mut filled)?;
    clear_batch_in(batch, market, &mut workspace, &mut batch.orders.to_vec(), fills, outcomes)
}

/// Clears the requests one after another, as [`clear_in`](crate::clear_in) does each, and fills nothing twice.
///
/// `fills` has one row per request, in the order of `requests`, and in a row one entry per standing order;
/// `outcomes` has one entry per request. `standing` is memory for as many standing orders as there are. All
/// three are overwritten.
///
/// 1. The lengths and both permutations are checked. They are public; nothing else is checked by branching.
/// 2. For each request, in `sequence`:
///    an order takes part if its list admits the requester and the request's list admits its owner;
///    the request is cleared at its price; the size and the balance of each order shrink by its fill.
///
/// The cap and the minimum of an order, and the dispersion limit, are per request. A request that fails takes
/// nothing.
///
/// *Errors*: [`ClearError`], about public shape only; the fills are then zero and the outcomes
/// [`Outcome::UNCLEARED`].
///
/// *Security*: `standing` and the workspace hold secrets afterwards; the caller wipes them.
///
/// *Timing*: that of [`clear_in`](crate::clear_in) and two passes over the orders, once for each request.
pub fn clear_batch_in(
    batch: &Batch<'_>,
    market: &Market,
    workspace: &mut Workspace<'_>,
    standing: &mut [StandingOrder],
    fills: &mut [Fill],
    outcomes: &mut [Outcome],
) -> Result<(), ClearError> {
    fills.fill(Fill::default());
    outcomes.fill(Outcome::UNCLEARED);
    batch.check_lengths()?;
    let (slots, requests) = (batch.orders.len(), batch.requests.len());
    check_length("standing orders", slots, standing.len())?;
    check_length("workspace", slots, workspace.slots())?;
    check_length("rows of fills", slots.saturating_mul(requests), fills.len())?;
    check_length("outcomes", requests, outcomes.len())?;
    check_permutation(batch.permutation, workspace.scratch())?;
    let checked = check_sequence(batch.sequence, outcomes);
    outcomes.fill(Outcome::UNCLEARED);
    checked?;
    standing.copy_from_slice(batch.orders);
    take_turns(batch, market, &mut workspace.columns, standing, fills, outcomes);
    Ok(())
}

/// The second step of [`clear_batch_in`]; every length and both permutations were checked.
pub(crate) fn take_turns<C: Columns>(
    batch: &Batch<'_>,
    market: &Market,
    columns: &mut C,
    standing: &mut [StandingOrder],
    fills: &mut [Fill],
    outcomes: &mut [Outcome],
) {
    let slots = batch.orders.len();
    for index in batch.sequence.iter().map(|&index| usize::try_from(index).unwrap_or(usize::MAX)) {
        let row = index.wrapping_mul(slots)..index.wrapping_mul(slots).wrapping_add(slots);
        let (Some(turn), Some(row), Some(outcome)) = (batch.turn(index), fills.get_mut(row), outcomes.get_mut(index))
        else {
            continue;
        };
        turn.admit(batch, standing);
        let pool = Pool { orders: standing, permutation: batch.permutation };
        *outcome = clear_columns(turn.request, &pool, turn.price, market, columns, row);
        consume(standing, row);
    }
}

impl<'a> Batch<'a> {
    pub(crate) fn check_lengths(&self) -> Result<(), ClearError> {
        let (slots, requests) = (self.orders.len(), self.requests.len());
        check_length("canonical order", slots, self.permutation.len())?;
        check_length("sequence", requests, self.sequence.len())?;
        check_length("prices", requests, self.prices.len())?;
        check_lists("lists of makers", slots, self.order_lists)?;
        check_lists("lists of requesters", requests, self.request_lists)
    }

    fn turn(&self, index: usize) -> Option<Turn<'a>> {
        let (request, price) = (self.requests.get(index)?, *self.prices.get(index)?);
        Some(Turn { request, price, list: self.request_lists.get(index) })
    }
}

fn check_lists(what: &'static str, expected: usize, lists: &[CounterpartyList]) -> Result<(), ClearError> {
    if lists.is_empty() { Ok(()) } else { check_length(what, expected, lists.len()) }
}

/// Every request once. `outcomes` is scratch memory with one entry per request, none of them a success.
pub(crate) fn check_sequence(sequence: &[u32], outcomes: &mut [Outcome]) -> Result<(), ClearError> {
    let requests = outcomes.len();
    for (position, &found) in sequence.iter().enumerate() {
        let index = usize::try_from(found).unwrap_or(usize::MAX);
        let outcome = outcomes.get_mut(index).ok_or(ClearError::UnknownRequest { position, requests, found })?;
        if outcome.success {
            return Err(ClearError::RepeatedRequest { position, found });
        }
        outcome.success = true;
    }
    Ok(())
}

/// One request of a batch.
struct Turn<'a> {
    request: &'a Request,
    price: Result<Twap, PriceRefusal>,
    list: Option<&'a CounterpartyList>,
}

impl Turn<'_> {
    /// Freezes, for this turn, the orders whose owner and requester do not admit each other.
    fn admit(&self, batch: &Batch<'_>, standing: &mut [StandingOrder]) {
        for (slot, (order, now)) in batch.orders.iter().zip(standing).enumerate() {
            let theirs = admits(batch.order_lists.get(slot), &self.request.owner);
            let ours = admits(self.list, &order.owner);
            now.frozen = bit(from_flag(order.frozen) | !(theirs & ours)) == 1;
        }
    }
}

/// No list admits all.
fn admits(list: Option<&CounterpartyList>, owner: &crate::types::OwnerId) -> Mask {
    list.map_or(Mask::MAX, |list| list.admits(owner))
}

/// Takes the fills out of the size and the balance, which are at least as large.
fn consume(standing: &mut [StandingOrder], fills: &[Fill]) {
    for (order, fill) in standing.iter_mut().zip(fills) {
        let left = |held: Lots| Lots::masked(held.get().wrapping_sub(fill.lots.get()));
        order.size = left(order.size);
        order.balance = left(order.balance);
    }
}
