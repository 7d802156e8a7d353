//! What a host, a participant and a signer read of the chain, each for itself and each block once.

use crate::{
    pool_log::{Former, PoolLog, PoolLogError, RoundAt, read_block},
    vault_node::{ChainView, Enclaves},
    workflow_node::{Registered, SignerView, identity_of},
};
use alloy::{
    eips::BlockId,
    primitives::{Address, B256},
};
use ccc_chain::{
    Chain, ChainError, Deployment,
    enclaves::EnclaveReader,
    read::{BlockRef, Pool, attestation, price_observations},
    status,
    submission::report_of,
    watch::{Event, Watcher},
};
use ccc_core::{
    keys::MasterPublicKey,
    report::{Accumulator, Kind, Payload, PriceObservation, Round, Statement},
};
use ccc_enclave::{
    config::EnclaveConfig,
    intake::{self, Log, Submission},
    result::{AttestedResult, PublicInputs},
};

/// The rounds of the feed that a round reads.
pub const PRICE_ROUNDS: u64 = 64;

/// Why a reading gives nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The chain.
    #[error("chain: {0}")]
    Chain(#[from] ChainError),
    /// The chain's log says no such round.
    #[error("log: {0}")]
    Log(#[from] PoolLogError),
    /// An amount outside what the table can carry.
    #[error("{what} is out of range")]
    Range {
        /// The amount.
        what: &'static str,
    },
}

/// What a reader has seen of the pool.
pub struct ChainLog {
    watcher: Watcher,
    pool: Pool,
    pub(crate) seen: PoolLog,
    /// The delivery of the newest version that was read.
    newest: Option<(u64, B256)>,
    forwarder: Address,
    chain: Chain,
}

impl ChainLog {
    /// A log of which nothing is read yet.
    #[must_use]
    pub fn new(chain: &Chain, deployment: &Deployment) -> Self {
        Self {
            watcher: Watcher::new(chain, deployment, deployment.first_block),
            pool: Pool::new(chain, deployment.pool),
            seen: PoolLog::new(deployment.pool, deployment.times.fill_window),
            newest: None,
            forwarder: deployment.forwarder,
            chain: chain.clone(),
        }
    }

    /// Reads on to a block.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn read_to(&mut self, block: &BlockRef) -> Result<(), ReadError> {
        for observed in self.watcher.poll_to(block.number).await? {
            if let Event::RoundClosed { version, .. } = observed.event {
                self.newest = Some((version, observed.transaction));
            }
            self.seen.take(&observed)?;
        }
        Ok(())
    }

    /// What the pool has logged.
    #[must_use]
    pub fn seen(&self) -> &PoolLog {
        &self.seen
    }

    /// The payload that made a version, out of the calldata of its delivery; nothing for a version that is not the newest
    /// one read, and for one that another contract handed on.
    ///
    /// # Errors
    /// [`ReadError::Chain`].
    pub async fn former(&self, version: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let Some((_, transaction)) = self.newest.filter(|(newest, _)| *newest == version) else { return Ok(None) };
        let report = report_of(&self.chain, self.forwarder, transaction).await?;
        Ok(report.map(|report| report.payload().to_bytes()))
    }

    /// The view that a participant checks requests against.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn view(&mut self, block: &BlockRef) -> Result<ChainView, ReadError> {
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
///
/// # Errors
/// [`ReadError`].
pub async fn enclaves(chain: &Chain, deployment: &Deployment) -> Result<Option<Enclaves>, ReadError> {
    let Some(registry) = deployment.enclave_registry() else { return Ok(None) };
    let mut reader = EnclaveReader::new(registry, deployment.first_block);
    let states = reader.read_to(chain, chain.finalised_block().await?).await?;
    Ok(Some(states.copied().collect()))
}

/// Which round a host plans: header hash and version that it goes on from, and the request that it settles.
#[derive(Clone, Copy, Debug, Default)]
pub struct Planned<'a> {
    /// Hash of the current header; zero before the first version.
    pub header: [u8; 32],
    /// Its version.
    pub version: u64,
    /// The payload that made it.
    pub former: Option<&'a [u8]>,
    /// The request to settle.
    pub request: Option<[u8; 32]>,
}

/// A pool on a chain, with what its enclave is configured for.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The chain.
    pub chain: &'a Chain,
    /// The contracts.
    pub deployment: &'a Deployment,
    /// The enclave's configuration.
    pub config: &'a EnclaveConfig,
    /// The vault's master public key.
    pub key: &'a MasterPublicKey,
}

impl Place<'_> {
    fn pool(&self) -> Pool {
        Pool::new(self.chain, self.deployment.pool)
    }

    /// The public facts at a block.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn public_inputs(&self, block: &BlockRef) -> Result<PublicInputs, ReadError> {
        let pool = self.pool();
        let token = Address::from(self.config.assets[self.config.base as usize].token);
        let custody = pool.token_balance(token, block.id()).await?;
        let consumed = pool.table(block.id()).await?.consumed;
        Ok(PublicInputs {
            block: block.number,
            block_time: block.time,
            custody: u128::try_from(custody).map_err(|_| ReadError::Range { what: "the pool's custody" })?,
            consumed,
            accumulator: pool.history(consumed, block.id()).await?.0,
        })
    }

    /// The feed's observations at a block.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn observations(&self, block: &BlockRef) -> Result<Vec<PriceObservation>, ReadError> {
        Ok(price_observations(self.chain, self.deployment.feed, PRICE_ROUNDS, block.id()).await?)
    }

    /// Whether a round at this time would open a submission.
    #[must_use]
    pub fn opens(&self, submission: &Submission, now: u64) -> bool {
        intake::opens(self.config, self.key, submission, now)
    }

    /// The last sequence number that the receiver of a kind accepted.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn last_sequence(&self, kind: Kind, latest: &BlockRef) -> Result<u64, ReadError> {
        Ok(match kind {
            Kind::Solvency => attestation(self.chain, self.deployment.attestation, latest.id()).await?.sequence,
            _ => self.pool().last_sequence(kind, latest.id()).await?,
        })
    }

    /// The log of a round with these public facts, from a log that was read to their block.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn round_log(
        &self,
        log: &ChainLog,
        planned: Planned<'_>,
        inputs: &PublicInputs,
    ) -> Result<Log, ReadError> {
        Ok(log.seen.round(&RoundAt {
            block: inputs.block,
            time: inputs.block_time,
            header: planned.header,
            version: planned.version,
            consumed: Accumulator::resume(inputs.accumulator, inputs.consumed),
            former: self.former(planned.former).await?,
            request: planned.request,
            opens: &|submission| self.opens(submission, inputs.block_time),
        })?)
    }

    /// The report that made the current version, with the time of the block that its round read at.
    async fn former<'p>(&self, payload: Option<&'p [u8]>) -> Result<Option<Former<'p>>, ReadError> {
        let Some(payload) = payload else { return Ok(None) };
        let read = read_block(payload).map_err(PoolLogError::from)?.unwrap_or(0);
        let time = self.chain.block(BlockId::number(read)).await?.time;
        Ok(Some(Former { payload, time }))
    }

    /// What one signer reads before it signs; `former` is the payload that made the version at the result's block.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn signer_view(
        &self,
        log: &mut ChainLog,
        payload: &Payload,
        result: &AttestedResult,
        former: Option<&[u8]>,
    ) -> Result<SignerView, ReadError> {
        let pool = self.pool();
        let at = self.chain.block(BlockId::number(result.inputs.block)).await?;
        let latest = self.chain.block(BlockId::latest()).await?;
        let newest = pool.table(latest.id()).await?;
        let table = pool.table(at.id()).await?;
        let mut view = SignerView {
            chain: self.chain.chain_id(),
            receivers: [self.deployment.attestation.0.0, self.deployment.pool.0.0],
            epoch: self.deployment.workflow.epoch,
            now: latest.time,
            latest: (newest.header_hash.0, newest.version),
            last_sequence: self.last_sequence(payload.statement.kind(), &latest).await?,
            inputs: self.public_inputs(&at).await?,
            block_hash: at.hash.0,
            log: Log::default(),
            header: (table.header_hash.0, table.version),
            accumulator: None,
            price_source: self.deployment.feed.0.0,
            observations: Vec::new(),
            enclave: self.registered(result, &latest).await?,
        };
        if let Statement::Round(round) = &payload.statement {
            log.read_to(&at).await?;
            self.view_round(log, round, former, &mut view).await?;
        }
        Ok(view)
    }

    /// What the registry says of whoever signed a result, where there is a registry.
    async fn registered(&self, result: &AttestedResult, latest: &BlockRef) -> Result<Option<Registered>, ReadError> {
        let Some(registry) = self.deployment.enclave_registry() else { return Ok(None) };
        let signer = identity_of(result);
        let standing = status::standing(self.chain, registry, signer.into(), latest.id()).await?;
        Ok(Some(Registered { signer, standing }))
    }

    /// What a signer reads for a round: prices, operations, orders and the request, from its own log.
    async fn view_round(
        &self,
        log: &ChainLog,
        round: &Round,
        former: Option<&[u8]>,
        view: &mut SignerView,
    ) -> Result<(), ReadError> {
        let (pool, at) = (self.pool(), BlockId::number(view.inputs.block));
        let read = self.chain.block(BlockId::number(round.price_block)).await?;
        view.observations = self.observations(&read).await?;
        let known = round.count <= pool.count(at).await?;
        view.accumulator = known.then_some(pool.history(round.count, at).await?.0);
        let request = (round.request_id != [0; 32]).then_some(round.request_id);
        let planned = Planned { header: view.header.0, version: view.header.1, former, request };
        view.log = self.round_log(log, planned, &view.inputs).await?;
        Ok(())
    }
}
