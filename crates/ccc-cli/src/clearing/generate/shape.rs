//! The shapes of books.

use super::{DEADLINE, HOUR, Made, draw::Draw};

/// The greatest spread of a generated order: 50 basis points.
const WIDEST: u64 = 5_000;
/// A quarter of a basis point, in which institutions quote.
const TICK: u64 = 25;

/// How sizes, makers and spreads are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Shape {
    /// 10 to 1 000 makers; the largest order is a fifth of the depth
    Institutional,
    /// As many makers as orders, none of them large
    Crowd,
    /// Three spreads for all
    Ties,
    /// Spreads in equal steps, dearer orders larger
    Ladder,
    /// One order is three fifths of the depth
    Whale,
}

impl Shape {
    /// How many accounts may own the orders.
    pub(super) fn makers(self, number: usize) -> usize {
        let makers = match self {
            Self::Institutional | Self::Whale => (number / 4).clamp(10, 1_000),
            Self::Crowd => number,
            Self::Ties => number / 2,
            Self::Ladder => 16,
        };
        makers.clamp(1, number.max(1))
    }

    /// One weight per order, in proportion to its size.
    pub(super) fn weights(self, number: usize, draw: &mut Draw) -> Vec<u64> {
        let octaves = if matches!(self, Self::Institutional | Self::Whale) { 3 } else { 2 };
        let mut weights: Vec<u64> = match self {
            Self::Ladder => (1..).take(number).collect(),
            _ => (0..number).map(|_| draw.weight(octaves)).collect(),
        };
        let place = usize::try_from(draw.below(number as u64)).unwrap_or(0);
        match self {
            Self::Institutional => anchor(&mut weights, place, |others| others / 4),
            Self::Whale => anchor(&mut weights, place, |others| others / 2 * 3),
            Self::Crowd | Self::Ties | Self::Ladder => {}
        }
        weights
    }

    fn spread(self, place: usize, number: usize, draw: &mut Draw) -> u64 {
        match self {
            Self::Institutional | Self::Whale => draw.low(WIDEST / TICK + 1) * TICK,
            Self::Crowd => draw.low(WIDEST + 1),
            Self::Ties => 1_000 * (1 + draw.below(3)),
            Self::Ladder => (place as u64 + 1) * WIDEST / number.max(1) as u64,
        }
    }

    /// An order of this size, and what else there is about it.
    pub(super) fn order(self, place: usize, number: usize, makers: usize, size: u64, draw: &mut Draw) -> Made {
        let maker = match self {
            Self::Crowd => place,
            _ => usize::try_from(draw.below(makers as u64)).unwrap_or(0),
        };
        let spread = self.spread(place, number, draw);
        let plain =
            Made { maker, spread, size, balance: size, cap: None, minimum: 0, expiry: DEADLINE + HOUR, frozen: false };
        if matches!(self, Self::Ties | Self::Ladder) { plain } else { with_terms(plain, draw) }
    }
}

/// Gives one order its part of the depth; the others are cut until none of them is larger.
fn anchor(weights: &mut [u64], place: usize, part: impl Fn(u64) -> u64) {
    let mut own = 1;
    for _ in 0..u64::BITS {
        let others: u64 = weights.iter().sum::<u64>() - weights.get(place).copied().unwrap_or(0);
        own = part(others).max(1);
        let larger = |(other, weight): &(usize, &mut u64)| *other != place && **weight > own;
        let cut = weights.iter_mut().enumerate().filter(larger).map(|(_, weight)| *weight = own).count();
        if cut == 0 {
            break;
        }
    }
    if let Some(weight) = weights.get_mut(place) {
        *weight = own;
    }
}

/// One in five has a cap, one in ten a minimum, one in twenty too little balance; a few are expired or frozen.
fn with_terms(plain: Made, draw: &mut Draw) -> Made {
    let size = plain.size;
    Made {
        cap: draw.rarely(5).then_some(size.div_ceil(2)),
        minimum: if draw.rarely(10) { size / 20 } else { 0 },
        balance: if draw.rarely(20) { size - size / 4 } else { size },
        expiry: if draw.rarely(100) { DEADLINE - 1 } else { plain.expiry },
        frozen: draw.rarely(200),
        ..plain
    }
}
