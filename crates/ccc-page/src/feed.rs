//! A public proof-of-reserve feed beside the page: any contract with the calls of AggregatorV3.

use alloy::{eips::BlockId, primitives::Address};
use ccc_chain::{Chain, ChainError, read};
use serde::Serialize;

use crate::clock;

/// Seconds by which a feed's clock may be ahead.
const AHEAD: u64 = 60;
/// The most decimals that a feed has.
const MOST_DECIMALS: u8 = 18;

/// Which feed, and what it must be like.
#[derive(Clone, Copy, Debug)]
pub struct Feed {
    /// The contract.
    pub address: Address,
    /// The decimals that it must have.
    pub decimals: u8,
    /// The greatest age of its answer, in seconds.
    pub most_age: u64,
}

/// An answer that may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The contract.
    pub feed: Address,
    /// Its answer, with the point where the decimals put it.
    pub reserves: String,
    /// Its round.
    pub round: String,
    /// When it was made, Unix seconds.
    pub time: u64,
    /// Until when it counts, Unix seconds.
    pub until: u64,
}

/// Why an answer is not shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoAnswer {
    /// The chain.
    #[error("the feed cannot be read: {0}")]
    Chain(#[from] ChainError),
    /// It has never answered.
    #[error("the feed has no answer")]
    None,
    /// Other decimals: every figure would be off by a power of ten.
    #[error("the feed has {found} decimals, {expected} were expected")]
    Decimals {
        /// Expected.
        expected: u8,
        /// The feed's.
        found: u8,
    },
    /// Nothing or less.
    #[error("the feed's answer is {found}, and reserves are above 0")]
    Answer {
        /// The feed's.
        found: i128,
    },
    /// Too old.
    #[error("the feed's answer is {found} s old, at most {most} s count")]
    Stale {
        /// Its age.
        found: u64,
        /// The bound.
        most: u64,
    },
    /// From a time to come.
    #[error("the feed's answer is from {found} s ahead")]
    Ahead {
        /// How far.
        found: u64,
    },
}

impl NoAnswer {
    /// A word for the public page.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Chain(_) => "the feed cannot be read",
            Self::None => "the feed has no answer",
            Self::Decimals { .. } => "the feed has other decimals than were expected",
            Self::Answer { .. } => "the feed's answer is no amount of reserves",
            Self::Stale { .. } => "the feed's answer is stale",
            Self::Ahead { .. } => "the feed's answer is from a time to come",
        }
    }
}

impl Feed {
    /// Reads it.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn read(&self, chain: &Chain) -> Result<Answer, NoAnswer> {
        let found = read::price_decimals(chain, self.address, BlockId::latest()).await?;
        let rounds = read::price_observations(chain, self.address, 1, BlockId::latest()).await?;
        let newest = rounds.last().ok_or(NoAnswer::None)?;
        self.check(found, (newest.answer, newest.updated_at), clock::now())?;
        Ok(Answer {
            feed: self.address,
            reserves: pointed(newest.answer.unsigned_abs(), self.decimals),
            round: newest.round.to_string(),
            time: newest.updated_at,
            until: newest.updated_at.saturating_add(self.most_age),
        })
    }

    fn check(&self, found: u8, (answer, time): (i128, u64), now: u64) -> Result<(), NoAnswer> {
        let expected = self.decimals;
        if found != expected || found > MOST_DECIMALS {
            return Err(NoAnswer::Decimals { expected, found });
        }
        if answer <= 0 {
            return Err(NoAnswer::Answer { found: answer });
        }
        if time > now.saturating_add(AHEAD) {
            return Err(NoAnswer::Ahead { found: time - now });
        }
        let (age, most) = (now.saturating_sub(time), self.most_age);
        if age > most { Err(NoAnswer::Stale { found: age, most }) } else { Ok(()) }
    }
}

fn pointed(value: u128, decimals: u8) -> String {
    let unit = 10u128.pow(decimals.into());
    match decimals {
        0 => value.to_string(),
        places => format!("{}.{:0width$}", value / unit, value % unit, width = usize::from(places)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEED: Feed = Feed { address: Address::ZERO, decimals: 8, most_age: 100 };

    #[test]
    fn what_a_feed_says_is_shown_while_it_is_fresh_and_of_its_decimals() {
        assert!(FEED.check(8, (1, 1_000), 1_100).is_ok());
        assert!(matches!(FEED.check(18, (1, 1_000), 1_000), Err(NoAnswer::Decimals { expected: 8, found: 18 })));
        assert!(matches!(FEED.check(8, (0, 1_000), 1_000), Err(NoAnswer::Answer { found: 0 })));
        assert!(matches!(FEED.check(8, (-5, 1_000), 1_000), Err(NoAnswer::Answer { found: -5 })));
        assert!(matches!(FEED.check(8, (1, 1_000), 1_101), Err(NoAnswer::Stale { found: 101, most: 100 })));
        assert!(matches!(FEED.check(8, (1, 1_061), 1_000), Err(NoAnswer::Ahead { found: 61 })));
        assert!(matches!(Feed { decimals: 19, ..FEED }.check(19, (1, 1_000), 1_000), Err(NoAnswer::Decimals { .. })));
    }

    #[test]
    fn the_point_stands_where_the_decimals_put_it() {
        assert_eq!(pointed(12_345_678_901_234, 8), "123456.78901234");
        assert_eq!(pointed(7, 2), "0.07");
        assert_eq!(pointed(7, 0), "7");
    }
}
