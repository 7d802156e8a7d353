//! Reads a transaction again before it is signed, and refuses what the policy does not contain.
//!
//! It shares no code with the makers of the calls: selectors come from signatures as text, words are cut by hand, and
//! every byte of the calldata is accounted for. Whoever holds the agent's process but not its signer gets from the signer
//! payments to the reserve, each within `limits.per_action` at no more than the policy's highest price.
//!
//! *Security*: the size of a request is sealed, so the guard sees its place, deadline and length alone; what it moves is
//! bounded by [`crate::limits`] before it is sealed. The guard reads one call and remembers none: what holds over several
//! calls or needs persons (`per_day`, `cooldown`, `attempts`, `requests_per_day`, approvals) is the machine's, not the guard's.

use alloy::primitives::{Address, Bytes, U256, keccak256};

use crate::policy::{DOLLAR, Policy};

const WORD: usize = 32;
/// The longest sealed order: the pool's own bound.
const MOST_CIPHERTEXT: usize = 16_384;
/// The most gas of a transaction.
const MOST_GAS: u64 = 3_000_000;
/// How much later than the policy's longest deadline a call may end: clocks differ.
const SLACK: u64 = 120;
const GWEI: u128 = 1_000_000_000;

/// A transaction that nobody signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    /// The chain.
    pub chain_id: u64,
    /// The sender's number.
    pub nonce: u64,
    /// The contract.
    pub to: Address,
    /// Ether, in wei.
    pub ether: U256,
    /// The call.
    pub data: Bytes,
    /// The most gas.
    pub gas: u64,
    /// The most wei for a unit of gas.
    pub fee: u128,
    /// Of that, the tip.
    pub tip: u128,
}

/// What a call turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permitted {
    /// The router may take so many millionths of a dollar.
    Approve {
        /// So many.
        amount: u64,
    },
    /// A swap whose proceeds go to the reserve.
    Swap {
        /// What is paid, in millionths of a dollar.
        paid: u64,
        /// The last second.
        deadline: u64,
    },
    /// Coins to the reserve.
    Send {
        /// How many.
        coins: u64,
    },
    /// A sealed request to the pool.
    Request {
        /// When its round is.
        deadline: u64,
    },
    /// The end of a request.
    Cancel,
}

/// Why a transaction is not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Forbidden {
    /// Another chain.
    #[error("the transaction is for chain {found}, the policy's is {expected}")]
    Chain {
        /// The policy's.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// A contract that the policy does not contain, or a function of it that the agent has no use for.
    #[error("the call of {selector} at {to} is not in the policy")]
    Call {
        /// Where.
        to: Address,
        /// The first four bytes.
        selector: String,
    },
    /// The money would go elsewhere.
    #[error("{field} is {found}, the policy allows {expected} alone")]
    Address {
        /// Which argument.
        field: &'static str,
        /// The policy's.
        expected: Address,
        /// The call's.
        found: Address,
    },
    /// Too much, too dear, too late.
    #[error("{field} is {found}, the policy allows {expected}")]
    Bound {
        /// What.
        field: &'static str,
        /// The bound.
        expected: String,
        /// The call's.
        found: String,
    },
    /// Calldata that is not what its function takes, byte for byte.
    #[error("the calldata is not that of the function: {field}")]
    Layout {
        /// Where.
        field: &'static str,
    },
}

/// The policy as the signer holds it.
#[derive(Clone, Debug)]
pub struct Guard {
    policy: Policy,
}

impl Guard {
    /// A guard for a policy.
    #[must_use]
    pub const fn new(policy: Policy) -> Self {
        Self { policy }
    }

    /// What a transaction is, if the policy contains it.
    ///
    /// # Errors
    /// [`Forbidden`].
    pub fn permit(&self, transaction: &Unsigned, now: u64) -> Result<Permitted, Forbidden> {
        self.check_frame(transaction)?;
        let data = Words::of(&transaction.data)?;
        let contracts = &self.policy.contracts;
        let (to, is) = (transaction.to, |signature: &str| data.selector == selector(signature));
        let router = contracts.exchange.map(|exchange| exchange.router);
        if to == contracts.quote && router.is_some() && is("approve(address,uint256)") {
            return self.approve(&data, router.unwrap_or_default());
        }
        if to == contracts.base && is("transfer(address,uint256)") {
            return self.send(&data);
        }
        if Some(to) == router
            && is("exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))")
        {
            return self.swap(&data, now);
        }
        if to == contracts.pool && is("requestCollateral(bytes32,uint64,bytes)") {
            return self.request(&data, now);
        }
        if to == contracts.pool && is("cancel(bytes32)") {
            return data.exactly(1).map(|()| Permitted::Cancel);
        }
        Err(Forbidden::Call { to, selector: hex::encode(data.selector) })
    }

    fn check_frame(&self, transaction: &Unsigned) -> Result<(), Forbidden> {
        let (expected, found) = (self.policy.chain_id, transaction.chain_id);
        if expected != found {
            return Err(Forbidden::Chain { expected, found });
        }
        at_most("ether", transaction.ether, U256::ZERO)?;
        at_most("gas", U256::from(transaction.gas), U256::from(MOST_GAS))?;
        let most = u128::from(self.policy.limits.gas_price).saturating_mul(GWEI);
        at_most("the gas price", U256::from(transaction.fee), U256::from(most))?;
        at_most("the tip", U256::from(transaction.tip), U256::from(most / 10))
    }

    fn cap(&self) -> U256 {
        U256::from(self.policy.limits.per_action) * U256::from(DOLLAR)
    }

    fn approve(&self, data: &Words<'_>, router: Address) -> Result<Permitted, Forbidden> {
        data.exactly(2)?;
        same("the spender", data.address(0)?, router)?;
        let amount = data.number(1);
        at_most("the approval", amount, self.cap())?;
        Ok(Permitted::Approve { amount: narrow("the approval", amount)? })
    }

    fn send(&self, data: &Words<'_>) -> Result<Permitted, Forbidden> {
        data.exactly(2)?;
        same("the recipient", data.address(0)?, self.policy.contracts.reserve)?;
        let coins = narrow("the amount", data.number(1))?;
        if coins == 0 {
            return Err(bound("the amount", "more than nothing", "0"));
        }
        let whole = U256::from(10).pow(U256::from(self.policy.contracts.base_decimals));
        let most = U256::from(self.policy.limits.per_action) * whole / U256::from(self.policy.route.price.max(1));
        at_most("the amount", U256::from(coins), most)?;
        Ok(Permitted::Send { coins })
    }

    fn swap(&self, data: &Words<'_>, now: u64) -> Result<Permitted, Forbidden> {
        data.exactly(8)?;
        let contracts = &self.policy.contracts;
        same("what is sold", data.address(0)?, contracts.quote)?;
        same("what is bought", data.address(1)?, contracts.base)?;
        let fee = U256::from(contracts.exchange.map_or(0, |exchange| exchange.fee));
        if data.number(2) != fee {
            return Err(bound("the pool's fee", fee, data.number(2)));
        }
        same("the recipient", data.address(3)?, contracts.reserve)?;
        let deadline = self.deadline(data.number(4), now, self.policy.route.deadline)?;
        let (paid, least) = (data.number(5), data.number(6));
        at_most("what is paid", paid, self.cap())?;
        self.check_price(paid, least)?;
        at_most("the price limit", data.number(7), U256::ZERO)?;
        Ok(Permitted::Swap { paid: narrow("what is paid", paid)?, deadline })
    }

    /// The least that comes out must be worth what is paid, at the highest price that the policy names: without it a call
    /// that takes nothing for everything would pass.
    fn check_price(&self, paid: U256, least: U256) -> Result<(), Forbidden> {
        let whole = U256::from(10).pow(U256::from(self.policy.contracts.base_decimals));
        let most = U256::from(self.policy.route.price) * U256::from(DOLLAR);
        let (Some(due), Some(given)) = (paid.checked_mul(whole), least.checked_mul(most)) else {
            return Err(bound("the least amount", "one that can be counted", least));
        };
        if paid.is_zero() || due > given {
            let expected = format!("at most {} dollars for a coin", self.policy.route.price);
            return Err(bound("the least amount", expected, least));
        }
        Ok(())
    }

    fn request(&self, data: &Words<'_>, now: u64) -> Result<Permitted, Forbidden> {
        let deadline = self.deadline(data.number(1), now, self.policy.dark.opens_in)?;
        if data.number(2) != U256::from(3 * WORD) {
            return Err(Forbidden::Layout { field: "where the order begins" });
        }
        let length = narrow("the order's length", data.number(3))?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length == 0 || length > MOST_CIPHERTEXT {
            return Err(bound("the order's length", format!("1 to {MOST_CIPHERTEXT}"), length));
        }
        data.exactly(4 + length.div_ceil(WORD))?;
        let padding = data.rest.get(4 * WORD + length..).unwrap_or_default();
        if padding.iter().any(|byte| *byte != 0) {
            return Err(Forbidden::Layout { field: "what follows the order" });
        }
        Ok(Permitted::Request { deadline })
    }

    fn deadline(&self, found: U256, now: u64, most: u64) -> Result<u64, Forbidden> {
        let last = now.saturating_add(most).saturating_add(SLACK);
        let deadline = narrow("the deadline", found)?;
        if deadline < now || deadline > last {
            return Err(bound("the deadline", format!("{now} to {last}"), deadline));
        }
        Ok(deadline)
    }
}

fn selector(signature: &str) -> [u8; 4] {
    let hash = keccak256(signature.as_bytes());
    [hash[0], hash[1], hash[2], hash[3]]
}

fn bound(field: &'static str, expected: impl ToString, found: impl ToString) -> Forbidden {
    Forbidden::Bound { field, expected: expected.to_string(), found: found.to_string() }
}

fn at_most(field: &'static str, found: U256, most: U256) -> Result<(), Forbidden> {
    if found <= most { Ok(()) } else { Err(bound(field, format!("at most {most}"), found)) }
}

fn same(field: &'static str, found: Address, expected: Address) -> Result<(), Forbidden> {
    if found == expected { Ok(()) } else { Err(Forbidden::Address { field, expected, found }) }
}

fn narrow(field: &'static str, found: U256) -> Result<u64, Forbidden> {
    u64::try_from(found).map_err(|_| bound(field, format!("at most {}", u64::MAX), found))
}

/// Calldata: four bytes, then words.
struct Words<'a> {
    selector: [u8; 4],
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    fn of(data: &'a [u8]) -> Result<Self, Forbidden> {
        let (selector, rest) = data.split_first_chunk::<4>().ok_or(Forbidden::Layout { field: "the function" })?;
        if rest.len() % WORD != 0 {
            return Err(Forbidden::Layout { field: "its length" });
        }
        Ok(Self { selector: *selector, rest })
    }

    fn exactly(&self, words: usize) -> Result<(), Forbidden> {
        if self.rest.len() == words * WORD { Ok(()) } else { Err(Forbidden::Layout { field: "its length" }) }
    }

    /// A word that is not there counts as the greatest number: no bound lets it pass.
    fn number(&self, at: usize) -> U256 {
        let word = self.rest.get(at * WORD..(at + 1) * WORD);
        word.map_or(U256::MAX, U256::from_be_slice)
    }

    fn address(&self, at: usize) -> Result<Address, Forbidden> {
        let word = self.number(at).to_be_bytes::<WORD>();
        let (zeros, address) = word.split_at(12);
        if zeros.iter().any(|byte| *byte != 0) {
            return Err(Forbidden::Layout { field: "an address" });
        }
        Ok(Address::from_slice(address))
    }
}
