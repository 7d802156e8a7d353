//! What one signer does with a result: reads everything again, judges it, signs.

use crate::attested::Beside;
use alloy::eips::BlockId;
use ccc_chain::{Chain, ChainError, Deployment, read::Pool};
use ccc_core::{
    keys::MasterPublicKey,
    report::{Payload, Report, ReportContext, ReportError, Signature65},
};
use ccc_enclave::{config::EnclaveConfig, result::AttestedResult};
use ccc_node::{
    reading::{ChainLog, Place, ReadError},
    workflow_node::{SignerRefusal, WorkflowNode},
};

/// Seconds that the block of a result may be older than the newest one.
const MAX_BLOCK_AGE: u64 = 300;

/// Why a signer does not sign.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
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
}

impl Signer {
    pub(super) fn place(&self) -> Place<'_> {
        Place { chain: &self.chain, deployment: &self.deployment, config: &self.config, key: &self.key }
    }

    /// Judges a result by what this signer reads itself, and signs.
    pub(super) async fn sign(&self, result: &AttestedResult, beside: &Beside) -> Result<Signed, SigningError> {
        let payload = Payload::from_bytes(&result.payload)?;
        let (last, found) = (self.chain.finalised_block().await?, result.inputs.block);
        if found > last.number {
            return Err(SigningError::NotFinal { last: last.number, found });
        }
        let at = self.chain.block(BlockId::number(found)).await?;
        let age = last.time.saturating_sub(at.time);
        if age > MAX_BLOCK_AGE {
            return Err(SigningError::Stale { age });
        }
        let mut log = self.log.lock().await;
        log.read_to(&last).await?;
        let version = Pool::new(&self.chain, self.deployment.pool).table_version(at.id()).await?;
        let former = log.former(version).await?;
        let view = self.place().signer_view(&mut log, &payload, result, former.as_deref()).await?;
        drop(log);
        let context = self.deployment.context(payload.binding.sequence);
        let (report, signature) = self.node.sign(result, beside.shown(), &view, self.deployment.origin(), &context)?;
        Ok(Signed { report, context, signature })
    }
}
