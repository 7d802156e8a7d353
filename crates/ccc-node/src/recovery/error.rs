//! Why a recovery could not go on.

use crate::{
    agent::AgentRefusal, custodian::CustodianError, pool_log::PoolLogError, production::ProductionRefusal,
    reading::ReadError, scenario::ScenarioError, seed::NoRandomness, vault_node::Refusal, workflow_node::SignerRefusal,
};
use ccc_chain::ChainError;
use ccc_core::{
    ciphertext::EncryptError,
    enclave::sealing::UnsealError,
    encoding::EncodingError,
    keys::{MembershipError, board::BoardError, rounds::RoundsError},
    report::QuorumError,
    secret::RandomnessError,
    table::{SidecarError, StoreError},
};
use ccc_enclave::{
    attempt::AttemptError, authorisation::AuthorisationError, config::ConfigError, intake::PlanError,
    reserve::ReserveError, round::RoundError,
};

/// Why a recovery could not go on. What the chain has accepted stays; nothing else does.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecoveryError {
    /// What production must not run.
    #[error(transparent)]
    Production(#[from] ProductionRefusal),
    /// The scenario.
    #[error("scenario: {0}")]
    Scenario(#[from] ScenarioError),
    /// Randomness.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The board of the key generation.
    #[error("key generation: {0}")]
    Board(#[from] BoardError),
    /// One participant's side of the key generation.
    #[error("key generation: {0}")]
    KeyGeneration(#[from] RoundsError),
    /// A generator gave out.
    #[error(transparent)]
    Generator(#[from] RandomnessError),
    /// The roster.
    #[error("committee: {0}")]
    Membership(#[from] MembershipError),
    /// The table has no tier for so many accounts.
    #[error("no table has room for {accounts} accounts")]
    Capacity {
        /// Accounts asked for.
        accounts: u32,
    },
    /// The receipts of a round are fewer or more than a file takes: a defect.
    #[error("receipts: {0}")]
    Receipts(#[from] EncodingError),
    /// The chain's log says no next round.
    #[error("log: {0}")]
    Log(#[from] PoolLogError),
    /// The chain.
    #[error("chain: {0}")]
    Chain(#[from] ChainError),
    /// The custodian.
    #[error("custodian: {0}")]
    Custodian(#[from] CustodianError),
    /// The enclave's configuration.
    #[error("enclave: {0}")]
    Config(#[from] ConfigError),
    /// The round's plan.
    #[error("round: {0}")]
    Plan(#[from] PlanError),
    /// The attempt.
    #[error("enclave: {0}")]
    Attempt(#[from] AttemptError),
    /// The enclave's identity, which was kept sealed, cannot be read.
    #[error("the sealed identity: {0}")]
    Unseal(#[from] UnsealError),
    /// The reserve check.
    #[error("reserve check: {0}")]
    Reserve(#[from] ReserveError),
    /// The round.
    #[error("round: {0}")]
    Round(#[from] RoundError),
    /// Too few participants answered.
    #[error("{} of {need} needed participants answered; participant {}: {}", .answered, .refusal.0, .refusal.1)]
    Vault {
        /// Shares needed.
        need: u16,
        /// Answers.
        answered: usize,
        /// One participant's refusal.
        refusal: Box<(u16, Refusal)>,
    },
    /// A signer refused and too few are left.
    #[error("signers: {0}")]
    Signer(#[from] SignerRefusal),
    /// The signatures are no quorum.
    #[error("report: {0}")]
    Quorum(#[from] QuorumError),
    /// The agent.
    #[error("agent: {0}")]
    Agent(#[from] AgentRefusal),
    /// A maker's key.
    #[error("account: {0}")]
    Account(#[from] AuthorisationError),
    /// A ciphertext could not be made.
    #[error("encryption: {0}")]
    Encrypt(#[from] EncryptError),
    /// The store.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// The sidecar of a version that this run made.
    #[error("table: {0}")]
    Sidecar(#[source] SidecarError),
    /// An amount outside what the chain or the table can carry.
    #[error("{what} is out of range")]
    Range {
        /// The amount.
        what: &'static str,
    },
    /// The agent of a crate above.
    #[error("agent: {0}")]
    Refill(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What the services did not do, or did wrong.
    #[error("services: {0}")]
    Services(String),
    /// The chain does not show what this run put there.
    #[error("the chain does not show {what}")]
    NotShown {
        /// What is missing.
        what: &'static str,
    },
}

impl From<ReadError> for RecoveryError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Chain(error) => Self::Chain(error),
            ReadError::Log(error) => Self::Log(error),
            ReadError::Range { what } => Self::Range { what },
        }
    }
}
