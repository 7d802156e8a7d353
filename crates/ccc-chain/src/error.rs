//! What can go wrong between this process and a chain.

use alloy::{
    primitives::{Address, B256},
    transports::{RpcError, TransportError},
};
use ccc_core::report::QuorumError;

use crate::{Refusal, https::TlsError, submitter::GaveUp};

/// Why something on the chain was not done or not learnt.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The caller's address of a node is neither an `http://` nor an `https://` URL; or authorities were named for one
    /// without TLS.
    #[error("`{}` is not an http:// or https:// address of a node, or not the https:// one that authorities need", hosts_alone(.url))]
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
    ///
    /// *Security*: the text names no more of an address than its host: providers put keys into paths.
    #[error("the node did not answer as expected: {}", hosts_alone(&.0.to_string()))]
    Rpc(#[source] TransportError),
    /// The node behind TLS is not believed, or cannot be: no question reached it.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The node's answer could not be read as the contract's.
    #[error("the contract's answer could not be read: {0}")]
    Contract(alloy::contract::Error),
    /// A contract refused; nothing changed.
    #[error("refused by {by}: {0}", by = .0.by)]
    Refused(Box<Refusal>),
    /// A contract refused in the block itself: the gas is spent, nothing else changed.
    #[error("refused by {by} in transaction {transaction}, block {block}: {refusal}", by = .refusal.by)]
    RefusedInBlock {
        /// The reason.
        refusal: Box<Refusal>,
        /// The transaction.
        transaction: B256,
        /// The block that holds it.
        block: u64,
    },
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
    /// The forwarder has the report already, from so long ago that its transaction was not looked for.
    #[error("the report was delivered long before, by {transmitter}")]
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
    /// The pool is another one than the deployment says.
    #[error("the pool's {what} is {found}, expected {expected}")]
    OtherPool {
        /// What of it.
        what: &'static str,
        /// As the deployment has it.
        expected: String,
        /// As the pool has it.
        found: String,
    },
    /// The registry of enclaves is not one of this deployment.
    #[error("the registry of enclaves {registry} has another {what} than the deployment")]
    OtherRegistry {
        /// Its address.
        registry: Address,
        /// What differs.
        what: &'static str,
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
    /// No permission can be signed for the token.
    #[error("{token} takes no permission by signature: {reason}")]
    NoPermit {
        /// The token.
        token: Address,
        /// Why.
        reason: String,
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
            Self::Refused(refusal) | Self::RefusedInBlock { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// An error of the first question to a node: one that speaks no TLS, or not this one, is told as that.
    pub(crate) fn at_connect(error: TransportError) -> Self {
        match fault_of(&error) {
            Some(fault) => Self::Tls(fault.clone()),
            None => Self::Rpc(error),
        }
    }

    /// An error of a node as a refusal by `by`, when it carries revert data.
    pub(crate) fn of_call(by: Address, error: TransportError) -> Self {
        match error.as_error_resp().and_then(|response| response.as_revert_data()) {
            Some(data) => Self::Refused(Box::new(Refusal::decode(by, data))),
            None => error.into(),
        }
    }
}

impl From<TransportError> for ChainError {
    /// A certificate that is refused is refused before a byte of the question leaves, and would be again. Whatever else
    /// breaks in TLS is a connection that broke: the node may have read the question, and may answer the next one.
    fn from(error: TransportError) -> Self {
        match fault_of(&error) {
            None | Some(TlsError::Handshake { .. }) => Self::Rpc(error),
            Some(fault) => Self::Tls(fault.clone()),
        }
    }
}

fn fault_of(error: &TransportError) -> Option<&TlsError> {
    let RpcError::Transport(kind) = error else { return None };
    kind.as_custom()?.downcast_ref()
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
            alloy::contract::Error::TransportError(error) => error.into(),
            other => Self::Contract(other),
        }
    }
}

/// A text in which every address is cut to its scheme and host.
fn hosts_alone(text: &str) -> String {
    let ends = |c: char| c.is_whitespace() || matches!(c, ')' | '"' | '\'' | '`' | '>' | '<');
    let mut parts = text.split("://");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (address, rest) = part.split_at(part.find(ends).unwrap_or(part.len()));
        let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        out.push_str("://");
        out.push_str(host);
        if host.len() < address.len() {
            out.push('…');
        }
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_its_host_alone() {
        let shown = hosts_alone("error for url (https://u:p@node.example:1/v2/KEY?k=KEY), see wss://a/b \"http://c\"");
        assert_eq!(shown, "error for url (https://node.example:1…), see wss://a… \"http://c\"");
        assert_eq!(hosts_alone("no address"), "no address");
    }

    #[tokio::test]
    async fn a_node_that_does_not_answer_is_named_without_its_path() {
        let options = crate::ConnectOptions::default();
        let error = crate::Chain::connect("http://127.0.0.1:9/KEY", &options).await.expect_err("nobody listens");
        assert!(matches!(error, ChainError::Rpc(_)), "{error:?}");
        assert!(error.to_string().contains("127.0.0.1:9") && !error.to_string().contains("KEY"), "{error}");
    }
}
