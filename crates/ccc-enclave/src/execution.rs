//! How a clearing went, in figures: for the requester what it paid and how evenly the makers shared it, for a maker what
//! its fill was worth at several prices.
//!
//! *Security*: the figures name nobody. A maker's are its own fill beside public prices, and tell it nothing that its
//! receipt and the feed do not. The requester's tell, beside the total of its receipt, the largest share, the Herfindahl
//! index and a bound on the number of makers; with one or two makers that is each one's fill.
//! *Timing*: the same steps for every fill and every amount; no division instruction on an amount. Which prices there
//! are, and whether the round settled, is public.

use ccc_core::table::{Execution, HORIZONS, Markouts};
use darkpool_matcher::{
    Allocation, BASE_UNITS_PER_COIN, Fill, Market, Outcome, Pricing, Request, Rules, Spread, StandingOrder,
};

/// Spread units in one whole, and 10^4 basis points.
const RATE: i128 = 1_000_000;
const TEN_THOUSAND: u128 = 10_000;

/// The prices of a round. Each is zero where there is none.
///
/// *Units*: micro-dollars per coin; Unix seconds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Prices {
    /// That the clearing used.
    pub(crate) average: u64,
    /// The last at the deadline.
    pub(crate) last: u64,
    /// The last by the round's block, and when it was given.
    pub(crate) reference: u64,
    pub(crate) reference_time: u64,
}

/// What the reports of a round are made of, beside what each slot's fill is.
pub(crate) struct Analysis {
    lot: u64,
    prices: Prices,
    /// As if the round settles, and for no request.
    execution: Execution,
}

/// Sums over the fills of a round.
#[derive(Default)]
struct Spent {
    squares: u128,
    largest: u64,
    /// Σ lots · spread.
    weighted: u128,
    makers: u32,
}

impl Spent {
    /// Below 2^102 where the fills add up to less than 2^51.
    fn with(self, (fill, spread): (&Fill, Spread)) -> Self {
        let lots = fill.lots.get();
        Self {
            squares: self.squares + u128::from(lots) * u128::from(lots),
            largest: self.largest.max(lots),
            weighted: self.weighted + u128::from(lots) * u128::from(spread.get()),
            makers: self.makers + u32::from(lots != 0),
        }
    }

    /// Rounded up to a power of two; zero of none.
    fn bound(&self) -> u32 {
        self.makers.next_power_of_two() * u32::from(self.makers != 0)
    }
}

impl Analysis {
    /// Of a clearing. An account has one order at most that is filled, so a fill is a maker's.
    pub(crate) fn new(
        market: &Market,
        prices: Prices,
        request: &Request,
        outcome: &Outcome,
        (fills, orders): (&[Fill], &[StandingOrder]),
    ) -> Self {
        let spreads = orders.iter().map(|order| order.spread);
        let spent = fills.iter().zip(spreads).fold(Spent::default(), Spent::with);
        let Rules { allocation, pricing, .. } = market.rules();
        let filled = u128::from(outcome.filled.get());
        let part = |of: u128, whole: u128| narrow(divide(of * TEN_THOUSAND, whole.max(1)));
        let units = filled * u128::from(market.lot());
        let [average, last] = [prices.average, prices.last].map(|price| Above::of(outcome.total.get(), units, price));
        let execution = Execution {
            outcome: 1,
            reason: 0,
            allocation: allocation_code(allocation),
            pricing: pricing_code(pricing),
            request: [0; 32],
            ordered: request.size.get(),
            filled: outcome.filled.get(),
            average: prices.average,
            last: prices.last,
            total: outcome.total.get(),
            cost: -average.less().units(),
            cost_rate: average.less().rate().saturating_neg(),
            over_last: last.less().rate().saturating_neg(),
            admitted: request.schedule.at(request.deadline).get(),
            premium: narrow(divide(spent.weighted + filled.max(1) - 1, filled.max(1))),
            ratio: part(filled, request.size.get().into()),
            largest_share: part(spent.largest.into(), filled),
            herfindahl: part(spent.squares, filled * filled),
            makers: spent.bound(),
        };
        Self { lot: market.lot(), prices, execution }
    }

    /// The requester's: where nothing settled, what it asked for, the prices and the rules.
    pub(crate) fn execution(&self, request: [u8; 32], (outcome, reason): (u8, u8), settled: bool) -> Execution {
        let made = Execution { outcome, reason, request, ..self.execution.clone() };
        if settled {
            return made;
        }
        let Execution { allocation, pricing, ordered, average, last, admitted, .. } = made;
        Execution {
            outcome,
            reason,
            allocation,
            pricing,
            request,
            ordered,
            average,
            last,
            admitted,
            ..Execution::default()
        }
    }

    /// A maker's, of its fill; zeros beside the prices where there is none.
    pub(crate) fn markouts(&self, outcome: u8, lots: u64, notional: u128) -> Markouts {
        let Prices { average, last, reference, reference_time } = self.prices;
        let units = u128::from(lots) * u128::from(self.lot);
        let references = [average, last, reference];
        let above: [Above; HORIZONS] = references.map(|price| Above::of(notional, units, price));
        let price = divide(notional * u128::from(BASE_UNITS_PER_COIN), units.max(1));
        Markouts {
            outcome,
            lots,
            price: u64::try_from(price).unwrap_or(u64::MAX),
            references,
            reference_time,
            markouts: above.map(|above| above.units()),
            rates: above.map(|above| above.rate()),
        }
    }
}

fn allocation_code(allocation: Allocation) -> u8 {
    match allocation {
        Allocation::ProRata => 1,
        Allocation::EqualSplit => 2,
    }
}

fn pricing_code(pricing: Pricing) -> u8 {
    match pricing {
        Pricing::PayAsBid => 1,
        Pricing::Uniform => 2,
    }
}

/// What an amount of quote is above the value of base units at a price, and that value, both in 10^-8 quote units.
///
/// Units are below 2^51, prices below 2^50 and the amount below 2^76, which is what so many units cost at most: both are
/// below 2^103.
#[derive(Clone, Copy)]
struct Above {
    above: i128,
    value: u128,
}

impl Above {
    /// Nothing above a price that there is not.
    fn of(notional: u128, units: u128, price: u64) -> Self {
        let value = units * u128::from(price);
        let paid = notional * u128::from(BASE_UNITS_PER_COIN);
        let above = if price == 0 { 0 } else { paid.cast_signed() - value.cast_signed() };
        Self { above, value }
    }

    /// The same of the opposite sign, to round the other way.
    fn less(self) -> Self {
        Self { above: -self.above, ..self }
    }

    /// In quote units, rounded down.
    fn units(self) -> i128 {
        floor(self.above, BASE_UNITS_PER_COIN.into())
    }

    /// In parts of the value, 1/100 basis point, rounded down, and bounded by what fits.
    fn rate(self) -> i32 {
        let rate = floor(self.above * RATE, self.value.max(1));
        let bounded = rate.clamp((-i32::MAX).into(), i32::MAX.into());
        i32::try_from(bounded).unwrap_or(i32::MAX)
    }
}

fn narrow(value: u128) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

/// ⌊dividend / divisor⌋, towards minus infinity, for a divisor from 1 and below 2^127: of a negative number d it is
/// −1 − ⌊(|d| − 1) / divisor⌋, and |d| − 1 is d with its bits turned.
fn floor(dividend: i128, divisor: u128) -> i128 {
    let sign = dividend >> 127;
    divide((dividend ^ sign).cast_unsigned(), divisor).cast_signed() ^ sign
}

/// ⌊dividend / divisor⌋ in 128 steps, for a dividend below 2^127 and a divisor from 1 and below 2^127.
fn divide(dividend: u128, divisor: u128) -> u128 {
    let (mut quotient, mut remainder) = (0u128, 0u128);
    for position in (0..128).rev() {
        let brought = (remainder << 1) | ((dividend >> position) & 1);
        let (left, borrows) = brought.overflowing_sub(divisor);
        let fits = core::hint::black_box(u128::from(borrows).wrapping_sub(1));
        remainder = (left & fits) | (brought & !fits);
        quotient = (quotient << 1) | (fits & 1);
    }
    quotient
}

#[cfg(test)]
mod tests;
