//! One run of the engine, and its time.

use super::{
    Book, canonical,
    error::{OrdersError, RequestError, Wrong},
    request::{Named, Requests},
};
use crate::error::Error;
use darkpool_matcher::{Batch, CounterpartyList, Fill, Outcome, Request, Workspace, clear_batch_in, clear_in};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// The most fills of a run, slots by requests. *Memory*: 32 bytes each.
const MAX_FILLS: usize = 1 << 24;

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Cleared {
    outcomes: Vec<Outcome>,
    /// One row per request, a fill per slot.
    fills: Vec<Fill>,
    slots: usize,
    /// What the matcher took, without reading, sorting by hash or writing.
    pub(super) took: Duration,
}

impl Cleared {
    /// Outcome and fills of each request, in the order of the file.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = (&Outcome, &[Fill])> {
        self.outcomes.iter().zip(self.fills.chunks_exact(self.slots.max(1)).chain(std::iter::repeat(&[][..])))
    }
}

/// Clears the requests against the book, which is padded to its public number of slots. Several requests, and
/// requests where somebody has a list of counterparties, are a batch: one after another by deadline, and nothing is
/// filled twice.
///
/// # Errors
/// [`Error::Orders`] for an identifier that is given twice; [`Error::Clearing`] for more fills than a run has memory
/// for.
pub(crate) fn clear(book: &mut Book, requests: &Requests, paths: [&Path; 2]) -> Result<Cleared, Error> {
    let [of_orders, of_requests] = paths.map(Path::to_path_buf);
    book.pad();
    let slots = book.orders.len();
    check_size(slots, requests).map_err(|source| Error::Clearing { path: of_requests, source })?;
    let refused = |source: OrdersError| Error::Orders { path: of_orders, source };
    let permutation = canonical::order(&requests.salt, requests.epoch, book).map_err(refused)?;
    let number = requests.requests.len();
    let (mut outcomes, mut fills) = (vec![Outcome::UNCLEARED; number], vec![Fill::default(); slots * number]);
    let (mut spreads, mut capacities) = (vec![0; slots], vec![0; slots]);
    let (mut minimums, mut filled) = (vec![0; slots], vec![0; slots]);
    let mut workspace = Workspace::new(&mut spreads, &mut capacities, &mut minimums, &mut filled)?;
    let took = if let ([named], [outcome]) = (&requests.requests[..], &mut outcomes[..])
        && book.lists.is_empty()
        && named.list.names().is_empty()
    {
        let (orders, market) = (&book.orders, &requests.market);
        let start = Instant::now();
        *outcome = clear_in(&named.request, orders, &permutation, named.price, market, &mut workspace, &mut fills)?;
        start.elapsed()
    } else {
        batch(book, requests, &permutation, &mut workspace, &mut fills, &mut outcomes)?
    };
    Ok(Cleared { outcomes, fills, slots, took })
}

fn check_size(slots: usize, requests: &Requests) -> Result<(), RequestError> {
    let (most, found) = (MAX_FILLS / slots.max(1), requests.requests.len());
    if found <= most {
        return Ok(());
    }
    let wrong = Wrong::new(format!("at most {most} requests for {slots} slots"), &found.to_string());
    Err(RequestError::Value { field: "request".into(), wrong })
}

fn batch(
    book: &Book,
    requests: &Requests,
    permutation: &[u32],
    workspace: &mut Workspace<'_>,
    fills: &mut [Fill],
    outcomes: &mut [Outcome],
) -> Result<Duration, Error> {
    let asked: Vec<Request> = requests.requests.iter().map(|named| named.request).collect();
    let prices: Vec<_> = requests.requests.iter().map(|named| named.price).collect();
    let batch = Batch {
        orders: &book.orders,
        order_lists: &book.lists,
        permutation,
        requests: &asked,
        request_lists: &lists(requests),
        sequence: &sequence(requests),
        prices: &prices,
    };
    let mut standing = book.orders.clone();
    let start = Instant::now();
    clear_batch_in(&batch, &requests.market, workspace, &mut standing, fills, outcomes)?;
    Ok(start.elapsed())
}

/// The lists of the requests; none where no request names a maker.
fn lists(requests: &Requests) -> Vec<CounterpartyList> {
    let lists = || requests.requests.iter().map(|named| named.list);
    if lists().all(|list| list.names().is_empty()) { Vec::new() } else { lists().collect() }
}

/// The places of the requests by deadline, then by the canonical key of the name.
fn sequence(requests: &Requests) -> Vec<u32> {
    let key = |named: &Named| canonical::key(&requests.salt, requests.epoch, named.name.as_bytes());
    let keyed = requests.requests.iter().map(|named| (named.request.deadline, key(named)));
    let mut keyed: Vec<_> = keyed.zip(0..).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, place)| place).collect()
}
