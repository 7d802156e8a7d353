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
//!             ▲       ▲       │ unknown to the node ─► send the same bytes
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

pub use drive::{Submission, Submitted, deliver};

use crate::{Chain, ChainError, ChainKind};

/// The least by which pools let a transaction be replaced, in percent.
pub const LEAST_BUMP: u32 = 10;

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
    /// The most wei for a unit of gas.
    pub most_fee: Option<u128>,
    /// How often bytes are handed to the node: first sendings, replacements and repetitions.
    pub most_sends: u32,
    /// Failures to answer in a row.
    pub most_failures: u32,
}

impl Policy {
    /// What suits a chain: at once on one for trying things out, two blocks deep elsewhere.
    #[must_use]
    pub fn of(chain: &Chain) -> Self {
        Self {
            confirmations: if chain.kind() == ChainKind::Node { 2 } else { 0 },
            poll: chain.poll_interval(),
            patience: Duration::from_secs(36),
            limit: Duration::from_secs(600),
            bump: 15,
            most_fee: None,
            most_sends: 12,
            most_failures: 12,
        }
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
    #[error("not delivered after {sends} sendings, which is the most allowed{}", shown(.last))]
    Sends {
        /// How often bytes were handed to the node.
        sends: u32,
        /// The newest transaction.
        last: Option<B256>,
    },
    /// The chain asks for more than the policy pays.
    #[error("a unit of gas would cost {needed} wei, at most {most} are allowed")]
    Fee {
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
