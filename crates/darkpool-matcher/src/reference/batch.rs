//! Requests one after another, with lists that are searched.

use alloc::vec;
use alloc::vec::Vec;

use super::{clear, lots};
use crate::batch::{Batch, check_sequence};
use crate::clear::check_permutation;
use crate::counterparties::CounterpartyList;
use crate::error::ClearError;
use crate::market::Market;
use crate::outcome::{Fill, Outcome};
use crate::standing_order::StandingOrder;
use crate::types::OwnerId;

/// The outcomes and the rows of fills, as [`clear_batch`](crate::clear_batch) gives them.
///
/// *Errors*: as [`clear_batch`](crate::clear_batch).
pub fn clear_batch(batch: &Batch<'_>, market: &Market) -> Result<(Vec<Outcome>, Vec<Fill>), ClearError> {
    batch.check_lengths()?;
    let (slots, requests) = (batch.orders.len(), batch.requests.len());
    check_permutation(batch.permutation, &mut vec![0; slots])?;
    check_sequence(batch.sequence, &mut vec![Outcome::UNCLEARED; requests])?;
    let mut given = vec![0; slots];
    let mut rows = vec![None; requests];
    for index in batch.sequence.iter().filter_map(|&index| usize::try_from(index).ok()) {
        let left = left(batch, index, &given);
        let (outcome, fills) = clear(&batch.requests[index], &left, batch.permutation, batch.prices[index], market)?;
        for (given, fill) in given.iter_mut().zip(&fills) {
            *given += u128::from(fill.lots.get());
        }
        rows[index] = Some((outcome, fills));
    }
    let (outcomes, fills): (Vec<_>, Vec<_>) = rows.into_iter().flatten().unzip();
    Ok((outcomes, fills.concat()))
}

/// The orders without what was given, for one request; those that do not admit it are frozen.
fn left(batch: &Batch<'_>, index: usize, given: &[u128]) -> Vec<StandingOrder> {
    let requester = batch.requests[index].owner;
    let rows = batch.orders.iter().zip(given).enumerate();
    rows.map(|(slot, (order, given))| StandingOrder {
        size: lots(u128::from(order.size.get()) - given),
        balance: lots(u128::from(order.balance.get()) - given),
        frozen: order.frozen
            || !admits(batch.order_lists.get(slot), requester)
            || !admits(batch.request_lists.get(index), order.owner),
        ..*order
    })
    .collect()
}

fn admits(list: Option<&CounterpartyList>, owner: OwnerId) -> bool {
    list.is_none_or(|list| list.names().is_empty() || list.names().contains(&owner) == list.is_allow())
}
