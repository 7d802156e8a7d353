//! What the agent may do, and what it decided.
//!
//! *Units*: dollars in millionths (the quote asset has 6 decimals), coins in the base asset's smallest units.

use alloy::primitives::{Address, B256, Bytes};
use ccc_core::suite;
use serde::{Deserialize, Serialize};

use crate::domain;

/// The report that an action answers, with its place on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The report's sequence at the attestation contract: one number, one event.
    pub sequence: u64,
    /// The block that took it.
    pub block: u64,
    /// That block's hash: another one under the same sequence is another history.
    pub block_hash: B256,
    /// The transaction that brought it.
    pub transaction: B256,
    /// Its log in the block.
    pub log_index: u64,
    /// Its status: 0 unknown, 1 solvent, 2 insolvent.
    pub status: u8,
    /// The block that its answer is about.
    pub about: u64,
    /// That block's time, Unix seconds: the custodian's statement in the answer may be older still.
    pub about_time: u64,
    /// The digest of the agent's envelope.
    pub envelope: B256,
}

impl Event {
    /// The status that asks for nothing.
    pub const SOLVENT: u8 = 1;
    /// The status that asks for a refill.
    pub const INSOLVENT: u8 = 2;
}

/// Everything that the agent can do that leaves a trace. Reading a balance, the fifth action, leaves none. There is no other:
/// no field of any input names a recipient, a contract or a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// Send coins that the agent holds to the reserve.
    Send {
        /// How many.
        coins: u64,
    },
    /// Swap dollars for coins, which the exchange pays to the reserve.
    Swap {
        /// What is paid.
        paid: u64,
        /// What it gave when it was quoted.
        quoted: u64,
    },
    /// Ask the dark pool for coins, under seal.
    Request {
        /// How many.
        coins: u64,
    },
    /// Take back a request that nobody needs any more.
    Cancel {
        /// Its id at the pool.
        request: B256,
    },
}

impl Action {
    /// One word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Send { .. } => "send",
            Self::Swap { .. } => "swap",
            Self::Request { .. } => "request",
            Self::Cancel { .. } => "cancel",
        }
    }

    fn to_bytes(self) -> Vec<u8> {
        let numbers = |kind: u8, numbers: [u64; 2]| [&[kind][..], &numbers.map(u64::to_be_bytes).concat()].concat();
        match self {
            Self::Send { coins } => numbers(1, [coins, 0]),
            Self::Swap { paid, quoted } => numbers(2, [paid, quoted]),
            Self::Request { coins } => numbers(3, [coins, 0]),
            Self::Cancel { request } => [&[4][..], request.as_slice()].concat(),
        }
    }
}

/// One action of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What.
    #[serde(flatten)]
    pub action: Action,
    /// The most that it moves, in millionths of a dollar: what limits count.
    pub value: u64,
}

/// What is approved: one action of one event.
///
/// *Layout*: digest32 H("agent-action"; chain u64 ‖ attestation contract 20 ‖ sequence u64 ‖ block hash 32 ‖ index u32 ‖
/// value u64, action). An action is kind u8 ‖ two numbers u64, or kind 4 ‖ request 32.
#[must_use]
pub fn item_digest(place: (u64, &Address), event: &Event, index: u32, item: &Item) -> [u8; 32] {
    let (chain, contract) = place;
    let mut fixed = Vec::with_capacity(80);
    fixed.extend_from_slice(&chain.to_be_bytes());
    fixed.extend_from_slice(contract.as_slice());
    fixed.extend_from_slice(&event.sequence.to_be_bytes());
    fixed.extend_from_slice(event.block_hash.as_slice());
    fixed.extend_from_slice(&index.to_be_bytes());
    fixed.extend_from_slice(&item.value.to_be_bytes());
    suite::digest32(domain::ACTION, &[&fixed, &item.action.to_bytes()])
}

/// Which transaction of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// The router may take what a swap pays. It moves nothing.
    Approve,
    /// The action itself.
    Principal,
}

/// A transaction that was signed and is not sent yet, or nobody knows whether it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The event.
    pub sequence: u64,
    /// The action's place in the plan.
    pub index: u32,
    /// Which transaction of it.
    pub call: Call,
    /// What it moves at most, in millionths of a dollar; zero for an approval.
    pub value: u64,
    /// Who sends.
    pub from: Address,
    /// The sender's number for it: the chain takes one transaction of a number.
    pub nonce: u64,
    /// Its hash.
    pub transaction: B256,
    /// Its bytes, to be sent again as they are.
    pub raw: Bytes,
    /// The most wei for a unit of gas: who takes its number must offer an eighth more.
    pub fee: u64,
    /// Of that, the tip.
    pub tip: u64,
    /// The last second in which the contract takes it, where it has one.
    pub deadline: Option<u64>,
    /// The request's id at the pool, where it makes one.
    pub request: Option<B256>,
}

/// What the journal keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case")]
pub enum Entry {
    /// A run began under a policy.
    Began {
        /// The policy's digest.
        policy: B256,
    },
    /// A plan for an event, and why.
    Decided {
        /// The event.
        event: Event,
        /// In this order.
        items: Vec<Item>,
        /// The second after which the envelope may not be acted on.
        expiry: u64,
        /// The choice in words and numbers.
        words: Vec<String>,
    },
    /// Something was not done.
    Refused {
        /// The event.
        sequence: u64,
        /// Why.
        reason: String,
    },
    /// A transaction is about to be sent.
    Intent(Intent),
    /// It is on the chain, deep enough.
    Landed {
        /// The transaction.
        transaction: B256,
        /// Its block.
        block: u64,
        /// That block's time, Unix seconds.
        time: u64,
        /// Whether it did what it was for.
        success: bool,
    },
    /// It is given up: its deadline passed and it is on no final block, it waited in vain for too long, or nobody wants it and
    /// the node does not know it. The next transaction takes its number.
    Lapsed {
        /// The transaction.
        transaction: B256,
    },
    /// A request ended at the pool.
    Ended {
        /// Its id.
        request: B256,
        /// The final and deep block at which that was seen: it ended there or before.
        block: u64,
        /// That block's time, Unix seconds.
        time: u64,
        /// Whether it was filled.
        success: bool,
    },
}
