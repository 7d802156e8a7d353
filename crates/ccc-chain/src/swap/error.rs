//! Why the direct route was not taken.

use alloy::primitives::{Address, U256};

use crate::{ChainError, Refusal};

/// Why a swap was refused, before it cost anything unless the variant says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SwapError {
    /// The chain did not answer, or a contract refused for a reason that is none of the below.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The price is not the quoted one any more.
    #[error("the price moved: {quoted} were quoted, {found} would come, at least {least} must")]
    PriceMoved {
        /// What was quoted.
        quoted: U256,
        /// What the swap would give now; none where the contract said only that it is too little.
        found: Found,
        /// What the order takes at least.
        least: U256,
    },
    /// The swap gives too little against the average price.
    #[error("the swap gives {quoted}, the average price {fair}: {cost} ppm below, at most {most} ppm are allowed")]
    Cost {
        /// What was quoted.
        quoted: U256,
        /// What the average price gives.
        fair: U256,
        /// Parts of a million between them.
        cost: i64,
        /// The limit.
        most: i64,
    },
    /// The pool's memory is shorter than the window.
    #[error("the pool remembers {found} s of prices, the average needs {window} s: more observations must be kept")]
    ShortHistory {
        /// Seconds since the oldest observation.
        found: u64,
        /// Seconds of the window.
        window: u32,
    },
    /// Nobody traded for too long.
    #[error("the newest price observation is {found} s old, at most {most} s are allowed")]
    Stale {
        /// Seconds since the newest observation.
        found: u64,
        /// The limit.
        most: u64,
    },
    /// The deadline lies behind the chain's time.
    #[error("the swap's deadline was {deadline}, the chain's time is {now}")]
    DeadlinePassed {
        /// The order's.
        deadline: u64,
        /// The newest block's.
        now: u64,
    },
    /// The proceeds would go to somebody else than the reserve.
    #[error("the proceeds would go to {found}, the reserve is {expected}")]
    Recipient {
        /// The reserve.
        expected: Address,
        /// The recipient.
        found: Address,
    },
    /// A token counts in other units than the deployment says.
    #[error("token {token} has {found} decimals, expected {expected}")]
    Decimals {
        /// The token.
        token: Address,
        /// The deployment's.
        expected: u8,
        /// The token's.
        found: u8,
    },
    /// The pool does not trade these two tokens, or the same one twice.
    #[error("the pool {pool} does not trade {sell} for {buy}")]
    Tokens {
        /// The pool.
        pool: Address,
        /// What would be sold.
        sell: Address,
        /// What would be bought.
        buy: Address,
    },
    /// Router or quoter work with another factory, which does not know the pool.
    #[error("{contract} trades on {found}, not on the pool {expected}")]
    Pool {
        /// The router or the quoter.
        contract: Address,
        /// The pool of the venue.
        expected: Address,
        /// The pool that the contract would use; zero for none.
        found: Address,
    },
    /// No exchange is known for the chain, and the operator names none.
    #[error("no exchange is known for chain {chain_id}: name its factory, router and quoter")]
    Unknown {
        /// The chain.
        chain_id: u64,
    },
    /// A market that stands on another exchange than the known or named one.
    #[error("the market's {part} is {found}, the exchange's is {expected}")]
    Exchange {
        /// Which contract.
        part: &'static str,
        /// The known or named one.
        expected: Address,
        /// The market's.
        found: Address,
    },
    /// A quote, an average price or an order of another pool.
    #[error("{what} is of the pool {found}, expected {expected}")]
    OtherPool {
        /// Which of them.
        what: &'static str,
        /// The market's pool.
        expected: Address,
        /// The one that was asked.
        found: Address,
    },
    /// The average price was asked in another block than the quote, too long before or after.
    #[error("the quote is of time {quote}, the average price of time {average}: at most {most} s may lie between")]
    Apart {
        /// Time of the quote's block.
        quote: u64,
        /// Time of the average's block.
        average: u64,
        /// The limit, in seconds.
        most: u64,
    },
    /// A simulated exchange on a chain where amounts are worth something.
    #[error("{contract} is a simulated exchange, which only a chain for trying things out may have")]
    Simulated {
        /// The contract.
        contract: Address,
    },
    /// The sender has too little of what would be sold.
    #[error("{holder} holds {found} of {token}, the swap needs {expected}")]
    Funds {
        /// The sender.
        holder: Address,
        /// The token.
        token: Address,
        /// What is needed.
        expected: U256,
        /// What is there.
        found: U256,
    },
    /// A limit that guards nothing, or an amount of nothing.
    #[error("{field} is {found}, which must be {expected}")]
    Limit {
        /// Which.
        field: &'static str,
        /// What was given.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// A call to the router that is not the swap it should be.
    #[error("the call is not the swap of the order: {field} differs")]
    Call {
        /// What differs.
        field: &'static str,
    },
    /// The swap was mined, and the reserve did not get what the order takes at least. The money was spent.
    #[error("the swap was mined, but its event shows {found} for the reserve, at least {least} were due")]
    Proceeds {
        /// What the pool's event says went to the reserve.
        found: U256,
        /// What was due.
        least: U256,
    },
    /// A published artifact without usable bytecode.
    #[error("the artifact of {name}: {reason}")]
    Artifact {
        /// The contract.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// An amount that may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// So much.
    Amount(U256),
    /// Less than asked for.
    Less,
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Amount(amount) => amount.fmt(f),
            Self::Less => f.write_str("less"),
        }
    }
}

/// Whether the router refused because the swap gives too little: by its own error, or in Uniswap's words.
pub(super) fn is_too_little(refusal: &Refusal) -> bool {
    says(refusal, "TooLittleReceived", "Too little received")
}

/// Whether the router refused because of the deadline.
pub(super) fn is_too_old(refusal: &Refusal) -> bool {
    says(refusal, "TransactionTooOld", "Transaction too old")
}

fn says(refusal: &Refusal, name: &str, words: &str) -> bool {
    refusal.name == name || (refusal.name == "Error" && refusal.argument("reason") == Some(words))
}
