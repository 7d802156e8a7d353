//! Delivering a report although the node fails.
//!
//! A node may be away, answer late, forget a transaction, ask for a higher price, lose the transaction before ours, or
//! take a block back. [`deliver`] goes on until the report is with its receiver, deep enough, or a bound of its
//! [`Policy`] is reached; it never needs to know what became of one transaction, because the forwarder knows what became of
//! the report. Before each sending the forwarder is asked, and a second delivery is refused there: a report fills once.
//!
//! [`machine`] decides, without a chain or a clock; this module asks the chain, signs, sends and waits.
//!
//! ```text
//!            forwarder has it ───────────────────────────────► done: before
//! ask ─────► sign ─► send ─► seen ─► landed, deep enough ────► done
//!             ▲       ▲       │ unknown to the node ─► send the same bytes; "already known" is an answer, and waited on
//!             │       │       │ pending too long, underpriced ─► same nonce, dearer
//!             │       └───────┤ nonce taken, or one before it lost ─► the next free nonce
//!             └───────────────┘ taken back with its block ─► as if it had never been there
//! ```

mod drive;
pub mod machine;

use std::{
    future::Future,
    time::{Duration, Instant},
};

use alloy::primitives::B256;

pub use drive::{Submission, Submitted, deliver, patiently};

use crate::{Chain, ChainError};
use machine::Fees;

/// The least by which pools let a transaction be replaced, in percent.
pub const LEAST_BUMP: u32 = 10;

/// The most wei for a unit of gas, unless told otherwise: 500 gwei.
pub const MOST_FEE: u128 = 500_000_000_000;

/// The most that a tip may be of the most that is paid for a unit of gas: a tenth.
const TIP_SHARE: u128 = 10;

/// The least time between two looks at a chain whose blocks come by themselves.
const LEAST_POLL: Duration = Duration::from_secs(4);

/// How long, how often and how dear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Blocks that must stand on the delivery's.
    pub confirmations: u64,
    /// How often the chain is asked.
    pub poll: Duration,
    /// How long a transaction may be pending until a dearer one replaces it.
    pub patience: Duration,
    /// How long all of it may take.
    pub limit: Duration,
    /// By how many percent a replacement is dearer; at least [`LEAST_BUMP`].
    pub bump: u32,
    /// The most wei for a unit of gas; at most a tenth of it is offered as a tip.
    pub most_fee: u128,
    /// How often bytes are handed to the node: first sendings, replacements, and repetitions that brought no "already known".
    pub most_sends: u32,
    /// Failures to answer in a row.
    pub most_failures: u32,
}

impl Policy {
    /// What suits a chain: at once on one for trying things out, two blocks deep elsewhere.
    #[must_use]
    pub fn of(chain: &Chain) -> Self {
        let (confirmations, least_poll) = if chain.is_development() { (0, Duration::ZERO) } else { (2, LEAST_POLL) };
        Self {
            confirmations,
            poll: chain.poll_interval().max(least_poll),
            patience: Duration::from_secs(36),
            limit: Duration::from_secs(600),
            bump: 15,
            most_fee: chain.most_fee(),
            most_sends: 12,
            most_failures: 12,
        }
    }

    /// Whether a price is within the bounds.
    ///
    /// # Errors
    /// [`GaveUp::Fee`], [`GaveUp::Tip`].
    pub(crate) const fn affords(&self, fees: Fees) -> Result<(), GaveUp> {
        affords(self.most_fee, fees)
    }

    fn check(&self) -> Result<(), ChainError> {
        let refused = |field, found: u32| Err(ChainError::OutOfRange { field, found: found.to_string() });
        match (self.bump, self.most_sends) {
            (bump, _) if bump < LEAST_BUMP => refused("the fee's increase in percent", bump),
            (_, 0) => refused("the number of sendings", 0),
            _ => Ok(()),
        }
    }
}

/// Whether a price is at most `most` for a unit of gas, and its tip a tenth of that.
///
/// *Security*: both come from the node. A node that lies about them would let the wallet pay all it has as a tip.
pub(crate) const fn affords(most: u128, fees: Fees) -> Result<(), GaveUp> {
    let most_tip = most / TIP_SHARE;
    if fees.most > most {
        return Err(GaveUp::Fee { needed: fees.most, most });
    }
    if fees.tip > most_tip {
        return Err(GaveUp::Tip { needed: fees.tip, most: most_tip });
    }
    Ok(())
}

/// Time, as the submitter sees it.
pub trait Clock {
    /// Time since any fixed moment.
    fn now(&self) -> Duration;
    /// Lets time pass.
    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// Why the submitter stopped. A transaction that was sent may still be mined; asking again is safe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GaveUp {
    /// The time is over.
    #[error("not delivered after {seconds} s and {sends} sendings{}", shown(.last))]
    Time {
        /// How long it tried.
        seconds: u64,
        /// How often bytes were handed to the node.
        sends: u32,
        /// The newest transaction.
        last: Option<B256>,
    },
    /// The node forgets or refuses what it is sent.
    #[error("not delivered after {sends} sendings, which is the most allowed{}{}", shown(.last), told(.said))]
    Sends {
        /// How often bytes were handed to the node.
        sends: u32,
        /// The newest transaction.
        last: Option<B256>,
        /// The node's last words to a sending that it did not take; empty where it gave none.
        said: String,
    },
    /// The chain asks for more than the policy pays.
    #[error("a unit of gas would cost {needed} wei, at most {most} are allowed")]
    Fee {
        /// What would be needed.
        needed: u128,
        /// The limit.
        most: u128,
    },
    /// The chain asks for a higher tip than the policy pays.
    #[error("a unit of gas would tip {needed} wei, at most {most} are allowed")]
    Tip {
        /// What would be needed.
        needed: u128,
        /// The limit.
        most: u128,
    },
    /// The node does not answer.
    #[error("the node failed {failures} times in a row, last: {reason}")]
    Away {
        /// How often.
        failures: u32,
        /// The last failure.
        reason: String,
    },
    /// It is on the chain, and not deep enough yet.
    #[error("transaction {transaction} is in block {block} with {found} blocks on it, expected {expected}")]
    Shallow {
        /// The transaction.
        transaction: B256,
        /// Its block.
        block: u64,
        /// What the policy asks for.
        expected: u64,
        /// How many stand on it.
        found: u64,
    },
}

fn shown(transaction: &Option<B256>) -> String {
    transaction.map_or_else(String::new, |transaction| format!(", the last of transaction {transaction}"))
}

fn told(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!("; the node said: {words}") }
}
