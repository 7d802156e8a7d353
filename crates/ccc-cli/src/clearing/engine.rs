//! One run of the engine, and its time.

use super::{Book, canonical, error::OrdersError, request::Requests};
use crate::error::Error;
use darkpool_matcher::{Fill, Outcome, Workspace, clear_in};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Cleared {
    /// One per request, in the order of the file; a fill per slot.
    pub(crate) outcomes: Vec<(Outcome, Vec<Fill>)>,
    /// What the matcher took, without reading, sorting by hash or writing.
    pub(crate) took: Duration,
}

/// Clears the requests against the book, which is padded to its public number of slots.
///
/// # Errors
/// [`Error::Orders`] for an identifier that is given twice; [`Error::Clearing`].
pub(crate) fn clear(book: &mut Book, path: &Path, requests: &Requests) -> Result<Cleared, Error> {
    let refused = |source: OrdersError| Error::Orders { path: path.into(), source };
    book.pad();
    let permutation = canonical::order(&requests.salt, requests.epoch, book).map_err(refused)?;
    let slots = book.orders.len();
    let (mut spreads, mut capacities) = (vec![0; slots], vec![0; slots]);
    let (mut minimums, mut filled) = (vec![0; slots], vec![0; slots]);
    let mut workspace = Workspace::new(&mut spreads, &mut capacities, &mut minimums, &mut filled)?;
    let mut outcomes = Vec::with_capacity(requests.requests.len());
    let mut took = Duration::ZERO;
    for named in &requests.requests {
        let mut fills = vec![Fill::default(); slots];
        let (orders, market) = (&book.orders, &requests.market);
        let start = Instant::now();
        let outcome = clear_in(&named.request, orders, &permutation, named.price, market, &mut workspace, &mut fills)?;
        took += start.elapsed();
        outcomes.push((outcome, fills));
    }
    Ok(Cleared { outcomes, took })
}
