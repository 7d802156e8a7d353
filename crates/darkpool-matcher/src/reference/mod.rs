//! The slow twin: the rules of a clearing with branches, a sort and exact division.
//!
//! It shares the types and the shape checks with [`clear`](crate::clear) and nothing of its arithmetic. Tests
//! hold the two against each other.
//!
//! *Security*: MUST NOT be run on secrets: its time and its addresses depend on them.

mod batch;
mod fill;

use alloc::vec;
use alloc::vec::Vec;

use crate::clear::{check_length, check_permutation};
use crate::error::ClearError;
use crate::market::Market;
use crate::outcome::{Fill, Outcome, Reason};
use crate::price::{PriceRefusal, Twap};
use crate::request::{Request, SpreadSchedule, SuccessRule};
use crate::rules::Pricing;
use crate::standing_order::StandingOrder;
use crate::types::{Lots, MicroDollars, Notional, Spread, UnixSeconds};

pub use batch::clear_batch;

/// 2^51.
const TOO_LARGE: u128 = 1 << 51;

/// A slot on the way through the solves, in canonical order.
#[derive(Clone, Copy)]
struct Candidate {
    slot: usize,
    spread: u128,
    capacity: u128,
    minimum: u128,
    fill: u128,
}

/// The outcome and the fills, one per standing order, as [`clear`](crate::clear) gives them.
///
/// *Errors*: as [`clear`](crate::clear).
pub fn clear(
    request: &Request,
    orders: &[StandingOrder],
    permutation: &[u32],
    price: Result<Twap, PriceRefusal>,
    market: &Market,
) -> Result<(Outcome, Vec<Fill>), ClearError> {
    check_length("canonical order", orders.len(), permutation.len())?;
    check_permutation(permutation, &mut vec![0; orders.len()])?;
    let candidates = candidates(request, orders, permutation);
    let Ok(twap) = price else {
        return Ok(failure(Reason::Price, orders.len()));
    };
    match solve(request, candidates, market) {
        Ok(filled) => Ok(settle(&filled, twap.price(), market, orders.len())),
        Err(reason) => Ok(failure(reason, orders.len())),
    }
}

/// ⌈lots · lot · price · (10^6 + spread) / 10^14⌉ by one exact division.
#[must_use]
pub fn notional(market: &Market, lots: Lots, price: MicroDollars, spread: Spread) -> Notional {
    let units = u128::from(lots.get()) * u128::from(market.lot());
    let product = units * u128::from(price.get()) * (1_000_000 + u128::from(spread.get()));
    Notional::new(product.div_ceil(10u128.pow(14)))
}

/// The admissible spread by signed division rounded towards minus infinity.
#[must_use]
pub fn admissible_spread(schedule: &SpreadSchedule, t: UnixSeconds) -> i128 {
    let (s0, s1) = (i128::from(schedule.s0.get()), i128::from(schedule.s1.get()));
    let (t0, t1) = (i128::from(schedule.t0.0), i128::from(schedule.t1.0));
    if t1 <= t0 {
        return s0;
    }
    s0 + ((s1 - s0) * (i128::from(t.0).clamp(t0, t1) - t0)).div_euclid(t1 - t0)
}

fn candidates(request: &Request, orders: &[StandingOrder], permutation: &[u32]) -> Vec<Candidate> {
    let slots = permutation.iter().filter_map(|&slot| usize::try_from(slot).ok());
    slots
        .filter_map(|slot| orders.get(slot).map(|order| (slot, order)))
        .map(|(slot, order)| Candidate {
            slot,
            spread: u128::from(order.spread.get()),
            capacity: u128::from(capacity(request, order)),
            minimum: u128::from(order.minimum.get()),
            fill: 0,
        })
        .collect()
}

fn capacity(request: &Request, order: &StandingOrder) -> u64 {
    let admissible = admissible_spread(&request.schedule, request.deadline);
    let refused = request.deadline > order.expiry
        || order.owner == request.owner
        || order.tiers.0 & request.tiers.0 == 0
        || i128::from(order.spread.get()) > admissible
        || order.frozen;
    let offered = order.size.min(order.balance).min(order.cap);
    let limited = request.dispersion.map_or(offered, |limit| offered.min(limit));
    if refused || limited < order.minimum { 0 } else { limited.get() }
}

fn sum(candidates: &[Candidate]) -> u128 {
    candidates.iter().map(|candidate| candidate.capacity).sum()
}

/// At most as many solves as the rules have, fewer if nothing is left to drop.
fn solve(request: &Request, mut candidates: Vec<Candidate>, market: &Market) -> Result<Vec<Candidate>, Reason> {
    let size = u128::from(request.size.get());
    let least = match request.success {
        SuccessRule::AllOrNone => size,
        SuccessRule::AtLeast(least) => u128::from(least.get()),
    };
    if sum(&candidates) >= TOO_LARGE || size * u128::from(market.lot()) >= TOO_LARGE {
        return Err(Reason::TooLarge);
    }
    for round in 0..market.rules().solves.get() {
        let want = size.min(sum(&candidates));
        if want < least || want == 0 {
            return Err(if round == 0 { Reason::TooSmall } else { Reason::Minimum });
        }
        fill::fill(&mut candidates, want, market.rules().allocation);
        if !drop_violated(&mut candidates) {
            return Ok(candidates);
        }
    }
    Err(Reason::Minimum)
}

/// Takes the capacity of every order filled below its minimum; tells whether there was one.
fn drop_violated(candidates: &mut [Candidate]) -> bool {
    let mut violated = false;
    for candidate in candidates {
        if candidate.fill > 0 && candidate.fill < candidate.minimum {
            candidate.capacity = 0;
            violated = true;
        }
    }
    violated
}

fn settle(candidates: &[Candidate], price: MicroDollars, market: &Market, slots: usize) -> (Outcome, Vec<Fill>) {
    let mut fills = vec![Fill::default(); slots];
    let (mut filled, mut total) = (0, 0);
    let dearest = candidates.iter().filter(|candidate| candidate.fill > 0).map(|candidate| candidate.spread).max();
    for candidate in candidates {
        let paid = match market.rules().pricing {
            Pricing::PayAsBid => candidate.spread,
            Pricing::Uniform => dearest.unwrap_or(0),
        };
        let fill = priced(candidate.fill, paid, price, market);
        filled += fill.lots.get();
        total += fill.notional.get();
        if let Some(entry) = fills.get_mut(candidate.slot) {
            *entry = fill;
        }
    }
    let outcome =
        Outcome { success: true, reason: Reason::Ok, filled: lots(u128::from(filled)), total: Notional::new(total) };
    (outcome, fills)
}

fn priced(filled: u128, paid: u128, price: MicroDollars, market: &Market) -> Fill {
    let spread = u16::try_from(paid).ok().and_then(|s| Spread::new(s).ok());
    let lots = lots(filled);
    Fill { lots, notional: notional(market, lots, price, spread.unwrap_or(Spread::MAX)) }
}

/// A number of lots that a sum below 2^51 bounds.
fn lots(value: u128) -> Lots {
    let narrow = u64::try_from(value).ok();
    narrow.and_then(|v| Lots::new(v).ok()).unwrap_or(Lots::MAX)
}

fn failure(reason: Reason, slots: usize) -> (Outcome, Vec<Fill>) {
    let outcome = Outcome { success: false, reason, filled: Lots::ZERO, total: Notional::ZERO };
    (outcome, vec![Fill::default(); slots])
}
