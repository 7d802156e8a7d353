//! What one signer does with a result: reads everything again, judges it, signs.

use super::{agreement::NoAgreement, hosts::Hosts};
use crate::{
    attested::{Beside, Check, Made, REPORT_LIFETIME},
    follow::{Followed, NotReady},
};
use alloy::eips::BlockId;
use ccc_chain::{
    Chain, ChainError, Deployment,
    read::{BlockRef, Pool},
};
use ccc_core::{
    keys::MasterPublicKey,
    report::{Kind, Payload, Report, ReportContext, ReportError, Signature65, Statement},
};
use ccc_enclave::{config::EnclaveConfig, result::AttestedResult};
use ccc_node::{
    reading::{ChainLog, Place, ReadError},
    workflow_node::{
        SignerRefusal, WorkflowNode,
        record::{self, SignedRecord},
    },
};
use std::sync::Arc;

/// Seconds that the block of a result may be older than the newest one.
const MAX_BLOCK_AGE: u64 = 300;

/// Why a signer does not sign.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// This signer does not trust what it reads.
    #[error("{0}")]
    NotReady(#[from] Arc<NotReady>),
    /// Enclaves that this signer asked itself do not say it.
    #[error("reserve check: {0}")]
    Disagree(String),
    /// A result that is not the one that its host gives this signer.
    #[error("reserve check: none of the enclaves that agree gives this result")]
    NotAmong,
    /// The payload is none.
    #[error("payload: {0}")]
    Payload(#[from] ReportError),
    /// A block that is not final here.
    #[error("block {found} is not final here, {last} is")]
    NotFinal {
        /// The newest final one.
        last: u64,
        /// The result's.
        found: u64,
    },
    /// A block too old for what is said of it to be news.
    #[error("the block of the result is {age} seconds old, where {MAX_BLOCK_AGE} are accepted")]
    Stale {
        /// Its age.
        age: u64,
    },
    /// A report that would keep back what contradicts it for too long.
    #[error("the report could be delivered until {found}, where {last} is the last second")]
    LongLived {
        /// The last second that is signed.
        last: u64,
        /// The report's.
        found: u64,
    },
    /// The chain.
    #[error("chain: {0}")]
    Chain(#[from] ChainError),
    /// The chain, or its log.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// What was read speaks against it.
    #[error("{0}")]
    Refusal(#[from] SignerRefusal),
}

/// A report as this signer would have it delivered.
pub(super) struct Signed {
    pub(super) report: Report,
    pub(super) context: ReportContext,
    pub(super) signature: Signature65,
}

pub(super) struct Signer {
    pub(super) node: WorkflowNode,
    pub(super) chain: Chain,
    pub(super) deployment: Deployment,
    pub(super) config: EnclaveConfig,
    pub(super) key: MasterPublicKey,
    pub(super) log: tokio::sync::Mutex<ChainLog>,
    pub(super) followed: Followed,
    pub(super) hosts: Hosts,
    pub(super) record: Arc<SignedRecord>,
}

impl Signer {
    pub(super) fn place(&self) -> Place<'_> {
        Place { chain: &self.chain, deployment: &self.deployment, config: &self.config, key: &self.key }
    }

    /// Signs what another signer shows. Of a reserve check this signer asks every enclave of its own file: what one host and
    /// one signer say together is not signed.
    pub(super) async fn sign_shown(&self, result: &AttestedResult, beside: &Beside) -> Result<Signed, SigningError> {
        if let Some(signed) = self.signed_before(result)? {
            return Ok(signed);
        }
        let payload = Payload::from_bytes(&result.payload)?;
        self.vouched(result, beside).await?;
        if let Statement::Solvency(_) = payload.statement {
            let check = Check { block: beside.request.block_hash, sequence: payload.binding.sequence };
            self.witness(check, result).await?;
        }
        self.sign(result, beside).await
    }

    async fn witness(&self, check: Check, result: &AttestedResult) -> Result<(), SigningError> {
        let now = self.now().await?;
        let vouch = |made: &Made| self.vouch(made, now);
        let agreed = self.hosts.agreed(check, vouch, Some(result)).await;
        among(result, &agreed.map_err(|none: NoAgreement| SigningError::Disagree(none.to_string()))?.members)
    }

    /// Time of the newest block.
    pub(super) async fn now(&self) -> Result<u64, SigningError> {
        Ok(self.chain.block(BlockId::latest()).await?.time)
    }

    /// The block at which the reserve is checked with a sequence: that of a check which this signer signed and which can still be
    /// delivered, or the newest final one.
    pub(super) async fn block_of_check(&self, sequence: u64, now: u64) -> Result<BlockRef, SigningError> {
        let Deployment { chain_id: chain, attestation, workflow, .. } = &self.deployment;
        let (receiver, epoch) = (attestation.0.0, workflow.epoch);
        let place = record::Place { chain: *chain, receiver, kind: Kind::Solvency, epoch };
        Ok(match self.record.pending(&place, sequence, now) {
            Some(number) => self.chain.block(BlockId::number(number)).await?,
            None => self.chain.finalised_block().await?,
        })
    }

    /// Whether an enclave vouches for what a host made.
    pub(super) fn vouch(&self, made: &Made, now: u64) -> Result<(), String> {
        self.node.vouched(&made.result, made.beside.shown(), now).map_err(|refusal| refusal.to_string())
    }

    /// Before anything else is read: whether an enclave vouches for a result.
    async fn vouched(&self, result: &AttestedResult, beside: &Beside) -> Result<(), SigningError> {
        self.followed.snapshot()?;
        Ok(self.node.vouched(result, beside.shown(), self.now().await?)?)
    }

    /// What was signed may be delivered anyhow: it is signed again, however old its block and its evidence are by now.
    fn signed_before(&self, result: &AttestedResult) -> Result<Option<Signed>, SigningError> {
        self.followed.snapshot()?;
        let payload = Payload::from_bytes(&result.payload)?;
        let context = self.deployment.context(payload.binding.sequence);
        let report = Report::new(self.deployment.origin(), result.inputs.block_time, payload)?;
        let signature = self.node.sign_again(&report, &context);
        Ok(signature.map(|signature| Signed { report, context, signature }))
    }

    /// Judges a result by what this signer reads itself, and signs.
    pub(super) async fn sign(&self, result: &AttestedResult, beside: &Beside) -> Result<Signed, SigningError> {
        if let Some(signed) = self.signed_before(result)? {
            return Ok(signed);
        }
        self.vouched(result, beside).await?;
        let payload = Payload::from_bytes(&result.payload)?;
        let (last, found) = (self.chain.finalised_block().await?, result.inputs.block);
        if found > last.number {
            return Err(SigningError::NotFinal { last: last.number, found });
        }
        let at = self.chain.block(BlockId::number(found)).await?;
        let age = last.time.saturating_sub(at.time);
        let context = self.deployment.context(payload.binding.sequence);
        // what a version owes stays owed
        let news = !matches!(payload.statement, Statement::Payout(_));
        if news && age > MAX_BLOCK_AGE {
            return Err(SigningError::Stale { age });
        }
        if news {
            check_lifetime(payload.binding.valid_until, self.now().await?)?;
        }
        let mut log = self.log.lock().await;
        log.read_to(&last).await?;
        let version = Pool::new(&self.chain, self.deployment.pool).table_version(at.id()).await?;
        let former = log.former(version).await?;
        let view = self.place().signer_view(&mut log, &payload, result, former.as_deref()).await?;
        drop(log);
        let (report, signature) = self.node.sign(result, beside.shown(), &view, self.deployment.origin(), &context)?;
        Ok(Signed { report, context, signature })
    }
}

/// A host may see newer blocks than this signer: twice its lifetime is accepted.
fn check_lifetime(found: u64, now: u64) -> Result<(), SigningError> {
    let last = now.saturating_add(2 * REPORT_LIFETIME);
    if found <= last { Ok(()) } else { Err(SigningError::LongLived { last, found }) }
}

/// Whether a result is one of those that enough hosts gave.
pub(super) fn among(result: &AttestedResult, members: &[(String, Made)]) -> Result<(), SigningError> {
    let given = members.iter().any(|(_, made)| made.result == *result);
    if given { Ok(()) } else { Err(SigningError::NotAmong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n119_a_host_keeps_nothing_back_for_longer_than_ten_minutes() {
        assert!(check_lifetime(1_000 + REPORT_LIFETIME, 1_000).is_ok(), "an honest host's");
        assert!(check_lifetime(1_600, 1_000).is_ok(), "the last second");
        let refused = check_lifetime(1_601, 1_000);
        assert!(matches!(refused, Err(SigningError::LongLived { last: 1_600, found: 1_601 })), "{refused:?}");
    }
}
