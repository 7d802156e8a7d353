//! Which way: a public swap, the dark pool, or both. A pure function over quotes.
//!
//! A swap is taken where all of the deficit comes for less than the ceiling, at less than the impact limit against
//! the average price. Otherwise the dark pool gets it, and where a part is cheaper in public, that part is swapped: of all
//! points of the curve within both limits the one whose sum, with the rest at the dark pool's expected cost, is least.
//!
//! *Units*: dollars in millionths, coins in smallest units, impact in 1/10,000.

use std::fmt;

/// One quote: so many coins for so many dollars, both more than nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Dollars.
    pub paid: u64,
    /// Coins.
    pub got: u64,
}

/// The average price, as a ratio.
pub type Price = Point;

/// What the choice goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The average price.
    pub fair: Price,
    /// A public swap pays less than this.
    pub ceiling: u64,
    /// A public swap costs less than this.
    pub impact: u16,
    /// What the dark pool is expected to cost.
    pub dark_cost: u16,
    /// How much cheaper than the dark pool alone a split must be; none where nothing is split.
    pub gain: Option<u16>,
    /// Coins in a lot of the pool.
    pub lot: u64,
}

/// The way chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is swapped in public.
    pub direct: Option<Point>,
    /// Coins that are asked for in the dark, in whole lots.
    pub dark: u64,
    /// What all of it is expected to cost, in dollars.
    pub cost: u128,
    /// Why.
    pub why: Why,
}

/// Why a way was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The whole comes in public within both limits.
    Small {
        /// Its impact.
        impact: u64,
    },
    /// No quote gives all of it.
    NoQuote,
    /// It would pay too much in public.
    Ceiling {
        /// So much.
        paid: u64,
    },
    /// It would move the price too far.
    Impact {
        /// So far.
        impact: u64,
    },
    /// A part in public is cheaper than all of it in the dark.
    Split {
        /// What the dark pool alone would cost.
        alone: u128,
        /// The part's impact.
        impact: u64,
    },
}

const BASIS: u128 = 10_000;

/// How far a quote stands above the average price, in 1/10,000, rounded up; nothing where it stands below.
#[must_use]
pub fn impact(point: &Point, fair: &Price) -> u64 {
    let paid = u128::from(point.paid) * u128::from(fair.got);
    let due = u128::from(point.got) * u128::from(fair.paid);
    if due == 0 {
        return u64::MAX;
    }
    let over = paid.saturating_sub(due);
    // over / due · 10,000 without leaving 128 bits
    let (whole, rest) = (over / due, over % due);
    let parts = rest.checked_mul(BASIS).map_or_else(|| rest / (due / BASIS).max(1) + 1, |scaled| scaled.div_ceil(due));
    u64::try_from(whole.saturating_mul(BASIS).saturating_add(parts)).unwrap_or(u64::MAX)
}

/// What coins are worth at the average price, rounded up.
#[must_use]
pub fn worth(coins: u64, fair: &Price) -> u128 {
    (u128::from(coins) * u128::from(fair.paid)).div_ceil(u128::from(fair.got.max(1)))
}

/// What coins cost in the dark, by the policy's expectation.
#[must_use]
pub fn dark_cost(coins: u64, terms: &Terms) -> u128 {
    let worth = worth(coins, &terms.fair);
    worth.saturating_add(worth.saturating_mul(terms.dark_cost.into()).div_ceil(BASIS))
}

impl Terms {
    fn allows(&self, point: &Point) -> bool {
        point.paid < self.ceiling && impact(point, &self.fair) < self.impact.into()
    }

    /// The rest in whole lots.
    fn rest(&self, deficit: u64, got: u64) -> u64 {
        let lot = self.lot.max(1);
        deficit.saturating_sub(got).div_ceil(lot).saturating_mul(lot)
    }
}

/// Chooses. The curve's points are in any order; those that pay or give nothing are passed over.
#[must_use]
pub fn choose(curve: &[Point], deficit: u64, terms: &Terms) -> Choice {
    let real = |point: &&Point| point.paid > 0 && point.got > 0;
    let whole = curve.iter().filter(real).filter(|point| point.got >= deficit).min_by_key(|point| point.paid);
    if let Some(point) = whole.filter(|point| terms.allows(point)) {
        let why = Why::Small { impact: impact(point, &terms.fair) };
        return Choice { direct: Some(*point), dark: 0, cost: point.paid.into(), why };
    }
    let dark = terms.rest(deficit, 0);
    let alone = dark_cost(dark, terms);
    let parts = curve.iter().filter(real).filter(|point| point.got < deficit && terms.allows(point));
    let best =
        parts.map(|point| (with_rest(point, deficit, terms), *point)).min_by_key(|(cost, point)| (*cost, point.paid));
    match (best, terms.gain) {
        (Some((cost, point)), Some(gain)) if is_cheaper(cost, alone, gain) => {
            let why = Why::Split { alone, impact: impact(&point, &terms.fair) };
            Choice { direct: Some(point), dark: terms.rest(deficit, point.got), cost, why }
        }
        _ => Choice { direct: None, dark, cost: alone, why: why_dark(whole, terms) },
    }
}

fn with_rest(point: &Point, deficit: u64, terms: &Terms) -> u128 {
    dark_cost(terms.rest(deficit, point.got), terms).saturating_add(point.paid.into())
}

/// Below the other by more than so many 1/10,000 of it.
fn is_cheaper(cost: u128, alone: u128, gain: u16) -> bool {
    cost < alone && alone - cost >= alone.saturating_mul(gain.into()) / BASIS
}

fn why_dark(whole: Option<&Point>, terms: &Terms) -> Why {
    match whole {
        None => Why::NoQuote,
        Some(point) if point.paid >= terms.ceiling => Why::Ceiling { paid: point.paid },
        Some(point) => Why::Impact { impact: impact(point, &terms.fair) },
    }
}

/// Dollars with two places.
pub(crate) struct Dollars(pub(crate) u128);

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = self.0.div_ceil(10_000);
        write!(f, "${}.{:02}", cents / 100, cents % 100)
    }
}

impl Choice {
    /// The choice in words and numbers, a sentence a line.
    #[must_use]
    pub fn words(&self, deficit: u64, terms: &Terms) -> Vec<String> {
        let fair = Dollars(worth(deficit, &terms.fair));
        let mut words = vec![format!("{deficit} units are missing, worth {fair} at the average price")];
        let (ceiling, most) = (Dollars(terms.ceiling.into()), terms.impact);
        words.push(match self.why {
            Why::Small { impact } => {
                format!("direct: all of it comes for less than {ceiling}, {impact} bp above the average; the limit is {most} bp")
            }
            Why::NoQuote => "dark: no public quote gives all of it".to_owned(),
            Why::Ceiling { paid } => {
                format!("dark: in public it would pay {}, the ceiling is {ceiling}", Dollars(paid.into()))
            }
            Why::Impact { impact } => {
                format!("dark: in public it would cost {impact} bp above the average; the limit is {most} bp")
            }
            Why::Split { alone, impact } => format!(
                "split: together {}, in the dark alone {}; the public part costs {impact} bp above the average",
                Dollars(self.cost),
                Dollars(alone)
            ),
        });
        if let Some(Point { paid, got }) = self.direct {
            words.push(format!("swap {} for {got} units, paid to the reserve", Dollars(paid.into())));
        }
        if self.dark > 0 {
            words.push(format!("request {} units from the dark pool, under seal", self.dark));
        }
        words
    }
}
