//! One reader's picture of the chain's log, read by itself and once.

use super::RecoveryError;
use crate::{
    pool_log::PoolLog,
    vault_node::{ChainView, Enclaves},
};
use ccc_chain::{
    Chain, Deployment,
    enclaves::EnclaveReader,
    read::{BlockRef, Pool},
    watch::Watcher,
};

/// What a reader has seen of the pool.
pub(crate) struct ChainLog {
    watcher: Watcher,
    pool: Pool,
    pub(super) seen: PoolLog,
}

impl ChainLog {
    pub(super) fn new(chain: &Chain, deployment: &Deployment) -> Self {
        Self {
            watcher: Watcher::new(chain, deployment, deployment.first_block),
            pool: Pool::new(chain, deployment.pool),
            seen: PoolLog::new(deployment.pool, deployment.times.fill_window),
        }
    }

    /// Reads on to a block.
    pub(super) async fn read_to(&mut self, block: &BlockRef) -> Result<(), RecoveryError> {
        for observed in self.watcher.poll_to(block.number).await? {
            self.seen.take(&observed)?;
        }
        Ok(())
    }

    /// The view that a participant checks requests against.
    pub(super) async fn view(&mut self, block: &BlockRef) -> Result<ChainView, RecoveryError> {
        self.read_to(block).await?;
        Ok(ChainView {
            block_hash: block.hash.0,
            time: block.time,
            header_hash: self.pool.header_hash(block.id()).await?.0,
            version: self.pool.table_version(block.id()).await?,
            submissions: self.seen.submissions(),
            enclaves: None,
        })
    }
}

/// What the registry of enclaves says at the newest final block, whichever block a request names: a revocation counts from
/// then on. Nothing where the deployment has no registry.
pub(super) async fn enclaves(chain: &Chain, deployment: &Deployment) -> Result<Option<Enclaves>, RecoveryError> {
    let Some(registry) = deployment.enclave_registry() else { return Ok(None) };
    let mut reader = EnclaveReader::new(registry, deployment.first_block);
    let states = reader.read_to(chain, chain.finalised_block().await?).await?;
    Ok(Some(states.copied().collect()))
}
