//! From the observations of a price feed to a reference price, or a reason to refuse it.
//!
//! Observations are public, so this file branches.

use core::fmt;

use crate::error::OutOfRange;
use crate::types::{BasisPoints, MicroDollars, UnixSeconds};

/// One round of a price feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The feed's round.
    pub round: u128,
    /// The price.
    pub price: MicroDollars,
    /// When the round was written.
    pub at: UnixSeconds,
}

/// The bounds inside which a price is accepted. Public configuration.
///
/// *Units*: seconds, and basis points of the average.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceRules {
    /// W, the length of the average.
    pub window: u64,
    /// The most that may lie between two observations of which the window needs both.
    pub max_gap: u64,
    /// The most that may lie between the last observation and the deadline.
    pub max_stale: u64,
    /// The most by which the last observation may deviate from the average.
    pub collar: BasisPoints,
    /// The least number of observations that hold at some moment of the window.
    pub minimum_observations: usize,
}

/// A time-weighted average price that passed its rules. Only [`twap`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twap {
    price: MicroDollars,
    last: MicroDollars,
}

impl Twap {
    /// The average.
    #[must_use]
    pub const fn price(&self) -> MicroDollars {
        self.price
    }

    /// The last observation.
    #[must_use]
    pub const fn last(&self) -> MicroDollars {
        self.last
    }
}

/// Why there is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PriceRefusal {
    /// A feed's answer is zero or negative, or rounds to zero.
    NotPositive {
        /// The answer.
        answer: i128,
    },
    /// A feed's answer has more decimals than a power of ten in 128 bits can divide out.
    Decimals {
        /// The most supported.
        greatest: u8,
        /// The feed's.
        found: u8,
    },
    /// A feed's answer is outside the range of a price.
    Range(OutOfRange),
    /// The window has no length or reaches back before 1970.
    Window {
        /// Its length.
        window: u64,
        /// Its end.
        deadline: UnixSeconds,
    },
    /// There is no observation at all.
    NoObservation,
    /// Rounds or times do not strictly increase.
    Unordered {
        /// The position of the later of the two.
        position: usize,
        /// The observation before it.
        before: Observation,
        /// The observation at the position.
        found: Observation,
    },
    /// An observation is later than the deadline.
    AfterDeadline {
        /// The end of the window.
        deadline: UnixSeconds,
        /// The observation's time.
        found: UnixSeconds,
    },
    /// No observation lies at or before the start of the window.
    NoStart {
        /// The start of the window.
        start: UnixSeconds,
        /// The first observation's time.
        found: UnixSeconds,
    },
    /// Too few observations hold in the window.
    TooFew {
        /// The least number.
        least: usize,
        /// The number of observations.
        found: usize,
    },
    /// Two neighbouring observations lie too far apart.
    Gap {
        /// The bound, in seconds.
        greatest: u64,
        /// The gap.
        found: u64,
    },
    /// The last observation is too old.
    Stale {
        /// The bound, in seconds.
        greatest: u64,
        /// The age at the deadline.
        found: u64,
    },
    /// The last observation deviates too far from the average.
    Collar {
        /// The bound.
        greatest: BasisPoints,
        /// The average.
        average: MicroDollars,
        /// The last observation.
        last: MicroDollars,
    },
}

impl fmt::Display for PriceRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPositive { answer } => {
                write!(f, "price: expected a positive answer, found {answer}")
            }
            Self::Decimals { greatest, found } => {
                write!(f, "decimals: expected at most {greatest}, found {found}")
            }
            Self::Range(range) => write!(f, "price: {range}"),
            Self::Window { window, deadline } => {
                write!(f, "window: expected 1 to {} seconds, found {window}", deadline.0)
            }
            Self::NoObservation => f.write_str("price: expected observations, found none"),
            Self::Unordered { position, before, found } => write!(
                f,
                "observation {position}: expected after round {} at {}, found round {} at {}",
                before.round, before.at.0, found.round, found.at.0
            ),
            Self::AfterDeadline { deadline, found } => {
                write!(f, "observation: expected at or before {}, found at {}", deadline.0, found.0)
            }
            Self::NoStart { start, found } => {
                write!(f, "first observation: expected at or before {}, found at {}", start.0, found.0)
            }
            Self::TooFew { least, found } => {
                write!(f, "observations: expected at least {least}, found {found}")
            }
            Self::Gap { greatest, found } => {
                write!(f, "gap between observations: expected at most {greatest} s, found {found} s")
            }
            Self::Stale { greatest, found } => {
                write!(f, "age of the last observation: expected at most {greatest} s, found {found} s")
            }
            Self::Collar { greatest, average, last } => write!(
                f,
                "last observation: expected within {} bp of {}, found {}",
                greatest.get(),
                average.get(),
                last.get()
            ),
        }
    }
}

impl core::error::Error for PriceRefusal {}

/// The most decimals of a feed: 10^38 fits 128 bits.
const DECIMALS_MAX: u8 = 38;

impl MicroDollars {
    /// ⌊answer · 10^6 / 10^decimals⌋, the price in a feed's answer.
    ///
    /// *Errors*: [`PriceRefusal::NotPositive`], [`PriceRefusal::Decimals`], [`PriceRefusal::Range`].
    pub fn from_answer(answer: i128, decimals: u8) -> Result<Self, PriceRefusal> {
        let positive = u128::try_from(answer).map_err(|_| PriceRefusal::NotPositive { answer })?;
        let scaled = scale(positive, decimals)?;
        match u64::try_from(scaled) {
            Ok(0) => Err(PriceRefusal::NotPositive { answer }),
            Ok(price) => Self::new(price).map_err(PriceRefusal::Range),
            Err(_) => Err(out_of_range(scaled)),
        }
    }
}

fn out_of_range(found: u128) -> PriceRefusal {
    PriceRefusal::Range(OutOfRange {
        unit: "micro-dollars",
        least: u128::from(MicroDollars::MIN.get()),
        greatest: u128::from(MicroDollars::MAX.get()),
        found,
    })
}

fn scale(answer: u128, decimals: u8) -> Result<u128, PriceRefusal> {
    if decimals > DECIMALS_MAX {
        return Err(PriceRefusal::Decimals { greatest: DECIMALS_MAX, found: decimals });
    }
    if decimals >= 6 {
        return Ok(answer / 10u128.pow(u32::from(decimals) - 6));
    }
    let factor = 10u128.pow(6 - u32::from(decimals));
    answer.checked_mul(factor).ok_or_else(|| out_of_range(u128::MAX))
}

/// The time-weighted average over [t − W, t], t the deadline: a step function in which the last price holds.
///
/// ⌊Σ p · Δ / W⌋. Observations come oldest first. Those before the one that holds at t − W are checked for
/// order and otherwise ignored.
///
/// *Units*: micro-dollars per coin, seconds.
///
/// *Source*: `docs/spec/clearing.md`, section Price.
///
/// *Errors*: [`PriceRefusal`], the first in the order of: window, order of the observations, deadline,
/// start, number, gaps, staleness, collar.
pub fn twap(observations: &[Observation], rules: &PriceRules, deadline: UnixSeconds) -> Result<Twap, PriceRefusal> {
    let start = window_start(rules, deadline)?;
    check_order(observations)?;
    let last = last_before(observations, deadline)?;
    let held = held_in_window(observations, start)?;
    check_number(held, rules)?;
    check_gaps(held, rules)?;
    check_stale(last, rules, deadline)?;
    let price = average(held, start, deadline, rules.window)?;
    check_collar(price, last.price, rules)?;
    Ok(Twap { price, last: last.price })
}

fn window_start(rules: &PriceRules, deadline: UnixSeconds) -> Result<UnixSeconds, PriceRefusal> {
    let refusal = PriceRefusal::Window { window: rules.window, deadline };
    let start = deadline.0.checked_sub(rules.window).ok_or(refusal)?;
    if rules.window == 0 { Err(refusal) } else { Ok(UnixSeconds(start)) }
}

fn check_order(observations: &[Observation]) -> Result<(), PriceRefusal> {
    let pairs = observations.iter().zip(observations.iter().skip(1));
    for (index, (before, found)) in pairs.enumerate() {
        if found.at <= before.at || found.round <= before.round {
            let position = index + 1;
            return Err(PriceRefusal::Unordered { position, before: *before, found: *found });
        }
    }
    Ok(())
}

fn last_before(observations: &[Observation], deadline: UnixSeconds) -> Result<Observation, PriceRefusal> {
    let last = *observations.last().ok_or(PriceRefusal::NoObservation)?;
    if last.at > deadline {
        return Err(PriceRefusal::AfterDeadline { deadline, found: last.at });
    }
    Ok(last)
}

/// The observations that hold at some moment of the window.
fn held_in_window(observations: &[Observation], start: UnixSeconds) -> Result<&[Observation], PriceRefusal> {
    let up_to_start = observations.partition_point(|observation| observation.at <= start);
    match (up_to_start.checked_sub(1), observations.first()) {
        (Some(first), _) => Ok(observations.get(first..).unwrap_or_default()),
        (None, Some(first)) => Err(PriceRefusal::NoStart { start, found: first.at }),
        (None, None) => Err(PriceRefusal::NoObservation),
    }
}

fn check_number(held: &[Observation], rules: &PriceRules) -> Result<(), PriceRefusal> {
    if held.len() < rules.minimum_observations {
        return Err(PriceRefusal::TooFew { least: rules.minimum_observations, found: held.len() });
    }
    Ok(())
}

/// Every gap that overlaps the window: those between the observations that hold in it. The one after the last
/// observation is its staleness.
fn check_gaps(held: &[Observation], rules: &PriceRules) -> Result<(), PriceRefusal> {
    for (before, after) in held.iter().zip(held.iter().skip(1)) {
        let found = after.at.0.saturating_sub(before.at.0);
        if found > rules.max_gap {
            return Err(PriceRefusal::Gap { greatest: rules.max_gap, found });
        }
    }
    Ok(())
}

fn check_stale(last: Observation, rules: &PriceRules, deadline: UnixSeconds) -> Result<(), PriceRefusal> {
    let found = deadline.0.saturating_sub(last.at.0);
    if found > rules.max_stale {
        return Err(PriceRefusal::Stale { greatest: rules.max_stale, found });
    }
    Ok(())
}

/// Σ p · Δ is at most 2^50 · W, so 128 bits hold it.
fn average(
    held: &[Observation],
    start: UnixSeconds,
    deadline: UnixSeconds,
    window: u64,
) -> Result<MicroDollars, PriceRefusal> {
    let ends = held.iter().skip(1).map(|next| next.at).chain(core::iter::once(deadline));
    let weighted = held.iter().zip(ends).map(|(observation, end)| {
        let held_for = end.0.saturating_sub(observation.at.max(start).0);
        u128::from(observation.price.get()) * u128::from(held_for)
    });
    let price = weighted.sum::<u128>() / u128::from(window).max(1);
    let narrow = u64::try_from(price).map_err(|_| out_of_range(price))?;
    MicroDollars::new(narrow).map_err(PriceRefusal::Range)
}

/// |last − average| · 10^4 ≤ bps · average.
fn check_collar(average: MicroDollars, last: MicroDollars, rules: &PriceRules) -> Result<(), PriceRefusal> {
    let deviation = u128::from(last.get().abs_diff(average.get())) * 10_000;
    if deviation > u128::from(rules.collar.get()) * u128::from(average.get()) {
        return Err(PriceRefusal::Collar { greatest: rules.collar, average, last });
    }
    Ok(())
}
