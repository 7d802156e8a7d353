//! What can go wrong between this process and a chain.

use alloy::{
    primitives::{Address, B256},
    transports::TransportError,
};
use ccc_core::report::QuorumError;

use crate::{Refusal, submitter::GaveUp};

/// Why something on the chain was not done or not learnt.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The caller's address of a node is not an `http://` URL.
    #[error("`{url}` is not an http:// address of a node")]
    Url {
        /// What was given.
        url: String,
    },
    /// The caller's key is zero or not below the group order.
    #[error("the key is not a secp256k1 secret key")]
    Key,
    /// The node speaks for another chain.
    #[error("the node's chain id is {found}, expected {expected}")]
    WrongChain {
        /// The configured chain id.
        expected: u64,
        /// The node's.
        found: u64,
    },
    /// The node could not be reached or answered with an error.
    #[error("the node did not answer as expected: {0}")]
    Rpc(#[from] TransportError),
    /// The node's answer could not be read as the contract's.
    #[error("the contract's answer could not be read: {0}")]
    Contract(alloy::contract::Error),
    /// A contract refused; nothing changed.
    #[error("refused by {by}: {0}", by = .0.by)]
    Refused(Box<Refusal>),
    /// A transaction was mined and undone, and the reason is not known any more.
    #[error("transaction {transaction} was reverted in block {block}")]
    Reverted {
        /// The transaction.
        transaction: B256,
        /// The block that holds it.
        block: u64,
    },
    /// The transaction could not be signed.
    #[error("the transaction could not be signed: {reason}")]
    Signing {
        /// What the signer said.
        reason: String,
    },
    /// The transaction was sent and is not mined. It may be mined later.
    #[error("transaction {transaction} is not mined after {seconds} seconds")]
    NotMined {
        /// The transaction.
        transaction: B256,
        /// How long was waited.
        seconds: u64,
    },
    /// The submitter reached one of its bounds.
    #[error(transparent)]
    GaveUp(#[from] GaveUp),
    /// The forwarder has the report already.
    #[error("the report was delivered before, by {transmitter}")]
    DeliveredBefore {
        /// Who delivered it.
        transmitter: Address,
    },
    /// A deployment left no contract, or none stands where one should.
    #[error("there is no contract {contract}")]
    NotDeployed {
        /// The contract's name.
        contract: String,
    },
    /// A delivery's transaction holds no `ReportProcessed` of its report.
    #[error("transaction {transaction} delivered no report")]
    NotDelivered {
        /// The transaction.
        transaction: B256,
    },
    /// The forwarder found that the receiver takes no reports; no later delivery can succeed.
    #[error("{receiver} takes no reports")]
    InvalidReceiver {
        /// The receiver.
        receiver: Address,
    },
    /// The receiver refused and the forwarder kept no reason; the delivery may be repeated.
    #[error("{receiver} refused the report of transaction {transaction}; the forwarder kept no reason")]
    DeliveryFailed {
        /// The receiver.
        receiver: Address,
        /// The transaction.
        transaction: B256,
    },
    /// The forwarder holds another signer set than the deployment says.
    #[error("the forwarder's config digest is {found}, expected {expected}")]
    SignerSet {
        /// The digest of the deployment's set.
        expected: B256,
        /// The forwarder's; zero for none.
        found: B256,
    },
    /// The block is not on the chain.
    #[error("block {block} is not on the chain")]
    NoBlock {
        /// How the block was named.
        block: String,
    },
    /// A value on the chain exceeds what the project counts with.
    #[error("{field} is {found}, which does not fit")]
    OutOfRange {
        /// The value's name.
        field: &'static str,
        /// The value.
        found: String,
    },
    /// An event of a watched contract has another form than its ABI.
    #[error("the event at block {block}, log {log_index} of {contract} cannot be read")]
    Event {
        /// The contract.
        contract: Address,
        /// The block.
        block: u64,
        /// The log's index in the block.
        log_index: u64,
    },
    /// Time did not come.
    #[error("the chain's time is {found}, waited for {wanted}")]
    TimeNotReached {
        /// The time that was waited for, Unix time.
        wanted: u64,
        /// The newest block's time, Unix time.
        found: u64,
    },
    /// The account has no ether and this chain cannot give it any.
    #[error("account {address} has no ether for gas")]
    Unfunded {
        /// The account.
        address: Address,
    },
    /// The plan of a deployment cannot be used.
    #[error(transparent)]
    Quorum(#[from] QuorumError),
}

impl ChainError {
    /// The contract's refusal, when that is what happened.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// An error of a node as a refusal by `by`, when it carries revert data.
    pub(crate) fn of_call(by: Address, error: TransportError) -> Self {
        match error.as_error_resp().and_then(|response| response.as_revert_data()) {
            Some(data) => Self::Refused(Box::new(Refusal::decode(by, data))),
            None => Self::Rpc(error),
        }
    }
}

/// Whether a node answered that the call reverts, with data or without.
pub(crate) fn is_revert(error: &TransportError) -> bool {
    error.as_error_resp().is_some_and(|response| {
        let words = response.message.to_lowercase();
        response.as_revert_data().is_some() || words.contains("revert") || words.contains("vm execution error")
    })
}

impl From<alloy::contract::Error> for ChainError {
    fn from(error: alloy::contract::Error) -> Self {
        match error {
            alloy::contract::Error::TransportError(error) => Self::Rpc(error),
            other => Self::Contract(other),
        }
    }
}
