//! The plan of a deployment for custody: who gets the power, and when.

use alloy::primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use crate::deploy::{FeedPlan, PoolTimes, Signers};

/// Who may do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roles {
    /// Member of ADMIN.
    pub admin: Address,
    /// Member of OPERATOR and GUARDIAN.
    pub operator: Address,
    /// Member of GUARDIAN without a delay.
    pub guardian: Address,
    /// Seconds that admin and operator wait.
    pub delay: u32,
}

/// The vault's first committee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitteePlan {
    /// Its epoch.
    pub epoch: u64,
    /// Participants that may be faulty, F; there are at least 3F+1.
    pub faults: u8,
    /// The address of each participant's signing key, by number.
    pub participants: Vec<Address>,
    /// The vault's master public key.
    pub master_key: B256,
    /// The root over the verification keys.
    pub verification_root: B256,
}

/// Something that stands on the chain already, or is simulated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<T> {
    /// The contract at this address.
    Standing(Address),
    /// A simulated one, to deploy.
    Simulated(T),
}

/// A token of the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPart {
    /// Where it stands, or the test token to deploy: name, symbol and decimal places.
    pub contract: Part<(String, String, u8)>,
    /// Smallest units in a lot.
    pub lot: u64,
}

/// What is deployed, and to whom it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodyPlan {
    /// Who may do what.
    pub roles: Roles,
    /// The vault's first committee.
    pub committee: CommitteePlan,
    /// The report signers.
    pub signers: Signers,
    /// The workflow id; its first byte is zero, not all of them.
    pub workflow_id: B256,
    /// The workflow's owner.
    pub workflow_owner: Address,
    /// The key that solvency envelopes are sealed to.
    pub agent_key: B256,
    /// Seconds until a solvency answer is stale.
    pub max_age: u64,
    /// Most seconds that an enclave's expiry lies ahead.
    pub max_lifetime: u64,
    /// The account that requests collateral.
    pub reserve: Address,
    /// The balance table.
    pub table_id: B256,
    /// The feed that rounds read.
    pub feed: Part<FeedPlan>,
    /// The tokens, by asset index.
    pub tokens: Vec<TokenPart>,
    /// The pool's durations.
    pub times: PoolTimes,
}

/// Why a plan is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Who would own the contracts is nobody, or could act at once; or reports of any workflow would be taken.
    #[error("{what} is zero")]
    Unguarded {
        /// What is missing.
        what: &'static str,
    },
    /// The deployer gives the role away at the end: were it the admin, the manager would have none.
    #[error("the admin {admin} is the deployer, which keeps no role")]
    AdminDeploys {
        /// The address of both.
        admin: Address,
    },
    /// Who disagrees with what is scheduled could not leave before it takes effect.
    #[error("twice the delay of {delay} s is not below the exit delay of {exit_delay} s")]
    DelayTooLong {
        /// Of admin and operator.
        delay: u32,
        /// Of the pool.
        exit_delay: u64,
    },
    /// The first byte of a workflow id is zero.
    #[error("the workflow id {found} does not begin with a zero byte")]
    WorkflowId {
        /// The id.
        found: B256,
    },
    /// The signer set cannot be used.
    #[error(transparent)]
    Signers(#[from] ccc_core::report::QuorumError),
}

impl CustodyPlan {
    /// Checks what no contract can: who gets the power, and when.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn check(&self, deployer: Address) -> Result<(), PlanError> {
        let Roles { admin, operator, guardian, delay } = self.roles;
        let addresses = [("the admin", admin), ("the operator", operator), ("the guardian", guardian)];
        let owner = ("the workflow's owner", self.workflow_owner);
        for (what, address) in addresses.into_iter().chain([owner]) {
            nonzero(what, address.is_zero())?;
        }
        nonzero("the delay", delay == 0)?;
        nonzero("the workflow id", self.workflow_id.is_zero())?;
        if self.workflow_id[0] != 0 {
            return Err(PlanError::WorkflowId { found: self.workflow_id });
        }
        if admin == deployer {
            return Err(PlanError::AdminDeploys { admin });
        }
        let exit_delay = self.times.exit_delay;
        if u64::from(delay) * 2 >= exit_delay {
            return Err(PlanError::DelayTooLong { delay, exit_delay });
        }
        Ok(self.signers.set().check()?)
    }

    /// Whether a part is simulated, which only a chain for trying things out may have.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        let token = self.tokens.iter().any(|token| matches!(token.contract, Part::Simulated(_)));
        token || matches!(self.feed, Part::Simulated(_))
    }
}

const fn nonzero(what: &'static str, zero: bool) -> Result<(), PlanError> {
    if zero { Err(PlanError::Unguarded { what }) } else { Ok(()) }
}
