//! What a host does for one call.

use super::{
    kept::{Begun, Kept, KeptError, Round},
    rooms::{Neighbour, fetch_table},
    sources::{Demand, Rule, Source, SourceError, statement},
};
use crate::{
    attested::{AttestedError, Beside, Check, Made, REPORT_LIFETIME},
    client::{Client, Fault, Gathered},
    follow::NotReady,
    frame::Reply,
    identity::Identity,
};
use alloy::{eips::BlockId, primitives::B256};
use ccc_chain::{
    Chain, ChainError, Deployment,
    read::{BlockRef, Pool},
};
use ccc_core::{
    enclave::attestation::AttestationProvider,
    encoding::EncodingError,
    envelope::Envelope,
    keys::Committee,
    report::{Kind, Payload},
    table::{Header, Receipts, SealedTable, StoreError, TableStore},
    vault::{Mode, Request},
};
use ccc_enclave::{
    agent::envelope_digest,
    attempt::{Attempt, AttemptError, Enclave, OpenedAttempt},
    config::{ConfigError, EnclaveConfig},
    intake::{Log, PlanError, RoundPlan},
    reserve::{ReserveError, ReserveInput, Validity},
    result::PublicInputs,
    round::{RoundError, RoundInput, RoundOutput},
};
use ccc_node::{
    attempt,
    pool_log::PoolLogError,
    reading::{ChainLog, Place, Planned, ReadError},
    vault_node::{Ask, MAX_RECIPIENTS},
};
use ccc_store::RecordStore;
use rand::{
    SeedableRng,
    rngs::{StdRng, SysRng},
};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// Seconds that a block may be older than the newest one.
const MAX_BLOCK_AGE: u64 = 240;
/// How long the participants may take to read a block.
const CATCH_UP: Duration = Duration::from_secs(20);
const AGAIN: Duration = Duration::from_millis(300);

/// Why a host made nothing. The chain and the table are as they were.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// A block that is not final here, or that is too old.
    #[error("the block is not among the newest final ones")]
    Block,
    /// A check that is not the next one.
    #[error("the next check has sequence {expected}, {found} was asked for")]
    Sequence {
        /// The one that the chain takes next.
        expected: u64,
        /// The one that was asked for.
        found: u64,
    },
    /// A check before the first round.
    #[error("there is no table yet")]
    NoTable,
    /// Neither here nor with the other hosts.
    #[error("nobody has the table {}", hex::encode(.header))]
    Missing {
        /// Hash of its header.
        header: [u8; 32],
    },
    /// The host does not trust what it reads.
    #[error("{0}")]
    NotReady(#[from] Arc<NotReady>),
    /// Too few participants answered.
    #[error("{found} participants gave a share, {need} are needed")]
    Shares {
        /// Needed.
        need: u16,
        /// Given.
        found: usize,
    },
    /// The statement.
    #[error("statement: {0}")]
    Source(#[from] SourceError),
    /// The chain.
    #[error("chain: {0}")]
    Chain(#[from] ChainError),
    /// The chain, or its log.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// The store.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// The receipts of a round.
    #[error("receipts: {0}")]
    Receipts(std::io::Error),
    /// An object that cannot be written.
    #[error("{0}")]
    Encoding(#[from] EncodingError),
    /// What another host sent.
    #[error("another host: {0}")]
    Attested(#[from] AttestedError),
    /// The configuration.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// The plan.
    #[error("plan: {0}")]
    Plan(#[from] PlanError),
    /// The attempt.
    #[error("attempt: {0}")]
    Attempt(#[from] AttemptError),
    /// The check.
    #[error("reserve check: {0}")]
    Reserve(#[from] ReserveError),
    /// The round.
    #[error("round: {0}")]
    Round(#[from] RoundError),
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    Randomness,
}

impl From<KeptError> for HostError {
    fn from(error: KeptError) -> Self {
        match error {
            KeptError::Receipts(error) => Self::Receipts(error),
            KeptError::Records(error) => Self::Store(error),
        }
    }
}

/// What a host is made of.
pub struct Parts {
    /// The chain.
    pub chain: Chain,
    /// The contracts.
    pub deployment: Deployment,
    /// What the enclave is built for.
    pub config: EnclaveConfig,
    /// The vault.
    pub committee: Committee,
    /// How participants answer.
    pub mode: Mode,
    /// What attests.
    pub provider: Box<dyn AttestationProvider + Send + Sync>,
    /// Who the host is.
    pub identity: Identity,
    /// The participants.
    pub vault: Client,
    /// Where the statement comes from.
    pub sources: Vec<Source>,
    /// What is made of several.
    pub rule: Rule,
    /// Other hosts, which may have a table.
    pub neighbours: Vec<Neighbour>,
}

/// An enclave with everything around it.
pub struct Host {
    parts: Parts,
    store: Mutex<Box<dyn TableStore + Send>>,
    log: tokio::sync::Mutex<ChainLog>,
    kept: Kept,
    /// One program runs at a time.
    running: tokio::sync::Mutex<()>,
}

/// One attempt, from its plan to its end.
struct Run<'a> {
    block: BlockRef,
    request: Request,
    header: Option<Header>,
    opened: OpenedAttempt<'a>,
    rng: StdRng,
}

impl Host {
    /// A host with the store of its tables, its own records, and the directory of its receipts; it remembers what it made last.
    ///
    /// # Errors
    /// [`HostError::Receipts`] when the directory cannot be made; [`HostError::Store`] for records that are none of a host.
    pub fn new(
        parts: Parts,
        store: Box<dyn TableStore + Send>,
        (records, receipts): (Arc<dyn RecordStore>, PathBuf),
    ) -> Result<Self, HostError> {
        let log = ChainLog::new(&parts.chain, &parts.deployment);
        let kept = Kept::new(records, receipts)?;
        Ok(Self { parts, store: Mutex::new(store), log: log.into(), kept, running: ().into() })
    }

    /// A reserve check.
    ///
    /// # Errors
    /// [`HostError`].
    pub async fn reserve(&self, check: Check) -> Result<Vec<u8>, HostError> {
        if let Some(made) = self.kept.check(check) {
            return Ok(made);
        }
        let _one = self.running.lock().await;
        if let Some(made) = self.kept.check(check) {
            return Ok(made);
        }
        let block = self.block(&check.block).await?;
        self.is_next(check.sequence).await?;
        let table = self.current(&block).await?.ok_or(HostError::NoTable)?;
        let demand = Demand {
            account: &self.parts.config.custodian_account,
            time: block.time,
            max_age: self.parts.config.max_statement_age,
        };
        let statement = statement(self.parts.rule, &self.parts.sources, demand).await?;
        let inputs = self.place().public_inputs(&block).await?;
        let enclave = self.enclave()?;
        let plan = self.plan(Some(&table.header), Log::default(), &block)?;
        let id = attempt::check_id(&self.parts.config, check.sequence, &block);
        let (run, _) = self.run(&enclave, id, block, Some(&table.header), plan).await?;
        let Run { request, header, opened, mut rng, .. } = run;
        let validity = validity(check.sequence, &self.latest().await?);
        let input = ReserveInput { header: &table.header, body: &table.body, statement: &statement, inputs, validity };
        let output = opened.reserve(&input, &mut rng)?;
        let digest = envelope_digest(&output.envelope);
        let made = Made { result: output.result, beside: Beside { request, header }, payouts: Vec::new() }.to_bytes();
        self.kept.keep_check(check, made.clone(), (digest, output.envelope))?;
        Ok(made)
    }

    /// No other check than the next one: each asks every participant, and each would put an older envelope out.
    async fn is_next(&self, found: u64) -> Result<(), HostError> {
        let latest = self.latest().await?;
        let expected = self.place().last_sequence(Kind::Solvency, &latest).await?.saturating_add(1);
        if found == expected { Ok(()) } else { Err(HostError::Sequence { expected, found }) }
    }

    async fn latest(&self) -> Result<BlockRef, HostError> {
        Ok(self.parts.chain.block(BlockId::latest()).await?)
    }

    /// The round with payouts that this host made and that has this header.
    #[must_use]
    pub fn payouts(&self, header: &[u8; 32]) -> Option<Vec<u8>> {
        self.kept.payouts(header)
    }

    /// The round that comes next at a block. As long as it can be delivered, a later call gets the same one: who signed it signs
    /// no other.
    ///
    /// # Errors
    /// [`HostError`].
    pub async fn round(&self, block: [u8; 32]) -> Result<Vec<u8>, HostError> {
        let _one = self.running.lock().await;
        let block = self.block(&block).await?;
        let table = self.current(&block).await?;
        let previous = table.as_ref().map_or([0; 32], |table| table.header.hash());
        let now = self.latest().await?.time;
        let fresh = |round: &Round| {
            let made_before = round.time <= block.time.saturating_add(MAX_BLOCK_AGE);
            round.previous == previous && made_before && now <= until(&round.made).unwrap_or(round.time)
        };
        if let Some(round) = self.kept.round().filter(fresh) {
            return Ok(round.made);
        }
        let block = self.begun(block, previous).await?;
        let (time, inputs) = (block.time, self.place().public_inputs(&block).await?);
        let log = self.next_log(&block, table.as_ref().map(|table| &table.header), &inputs).await?;
        let made = self.make_round(block, table, log, inputs).await?;
        self.kept.keep_round(Round { previous, time, made: made.clone() })?;
        Ok(made)
    }

    /// The block of a round that was begun on the same version and came to nothing, also before a restart: participants that
    /// answered for its request answer for no other block's. Otherwise the block that was named; but never because an endpoint
    /// did not answer: what was begun would be forgotten.
    async fn begun(&self, block: BlockRef, previous: [u8; 32]) -> Result<BlockRef, HostError> {
        let again = |begun: &Begun| {
            begun.previous == previous && usize::from(begun.attempts) < MAX_RECIPIENTS && is_near(begun.time, &block)
        };
        match self.kept.begun().filter(again) {
            Some(begun) => Ok(self.canonical(&begun.block).await?.unwrap_or(block)),
            None => Ok(block),
        }
    }

    /// The log of the next round: with the first request that can be settled, or without one.
    async fn next_log(
        &self,
        block: &BlockRef,
        header: Option<&Header>,
        inputs: &PublicInputs,
    ) -> Result<Log, HostError> {
        let mut log = self.log.lock().await;
        log.read_to(block).await?;
        let (hash, version) = (header.map_or([0; 32], Header::hash), header.map_or(0, Header::version));
        let former = log.former(version).await?;
        let idle = Planned { header: hash, version, former: former.as_deref(), request: None };
        for id in log.seen().due(block.number, block.time) {
            match self.place().round_log(&log, Planned { request: Some(id), ..idle }, inputs).await {
                // another request is first, or something is to be read first
                Err(ReadError::Log(PoolLogError::Held { .. })) => {}
                Err(ReadError::Log(PoolLogError::Unread { .. })) => break,
                made => return Ok(made?),
            }
        }
        Ok(self.place().round_log(&log, idle, inputs).await?)
    }

    async fn make_round(
        &self,
        block: BlockRef,
        table: Option<SealedTable>,
        log: Log,
        inputs: PublicInputs,
    ) -> Result<Vec<u8>, HostError> {
        let header = table.as_ref().map(|table| &table.header);
        let version = header.map_or(0, Header::version);
        let idle = || attempt::idle_id(&self.parts.config, version, block.number);
        let id = log.collateral.as_ref().map_or_else(idle, |request| request.submission.id);
        let observations = self.place().observations(&block).await?;
        let (latest, sequences) = self.sequences().await?;
        let (enclave, settles) = (self.enclave()?, log.collateral.is_some());
        let plan = self.plan(header, log, &block)?;
        if settles {
            self.kept.begin(header.map_or([0; 32], Header::hash), block.hash.0, block.time)?;
        }
        let (run, plan) = self.run(&enclave, id, block, header, plan).await?;
        let Run { block, request, header, opened, mut rng } = run;
        let input = RoundInput {
            observations: &observations,
            price_block: block.number,
            inputs,
            validity: validity(sequences[0], &latest),
            payout_sequence: sequences[1],
            progress: &|_| (),
        };
        let current = table.as_ref().map(|table| (&table.header, table.body.as_slice()));
        let output = opened.round(&plan, current, &input, &mut rng)?;
        self.keep_round(&output)?;
        let (made, paid) = (output.table.header.hash(), !output.payouts.is_empty());
        let bytes =
            Made { result: output.result, beside: Beside { request, header }, payouts: output.payouts }.to_bytes();
        if paid {
            self.kept.keep_payouts(&made, &bytes).map_err(HostError::Receipts)?;
        }
        Ok(bytes)
    }

    /// Table and receipts are on the medium before anybody may sign for them.
    fn keep_round(&self, output: &RoundOutput) -> Result<(), HostError> {
        self.keep(&output.table)?;
        if output.receipts.is_empty() {
            return Ok(());
        }
        let header = output.table.header.hash();
        let receipts = Receipts::new(header, output.receipts.clone())?;
        self.kept.keep_receipts(&header, &receipts.to_bytes()).map_err(HostError::Receipts)
    }

    /// The next sequence numbers of a round and of a payout, as the newest block has them: that is where a report arrives.
    async fn sequences(&self) -> Result<(BlockRef, [u64; 2]), HostError> {
        let (place, latest) = (self.place(), self.latest().await?);
        let round = place.last_sequence(Kind::Round, &latest).await?.saturating_add(1);
        let payout = place.last_sequence(Kind::Payout, &latest).await?.saturating_add(1);
        Ok((latest, [round, payout]))
    }

    fn plan(&self, header: Option<&Header>, log: Log, block: &BlockRef) -> Result<RoundPlan, HostError> {
        let key = self.parts.committee.master_public_key();
        Ok(RoundPlan::new(&self.parts.config, key, header, log, block.time)?)
    }

    fn enclave(&self) -> Result<Enclave<'_>, HostError> {
        Ok(Enclave::new(self.parts.config.clone(), self.parts.provider.as_ref())?)
    }

    /// Fresh keys, everybody's shares, open ciphertexts.
    async fn run<'a>(
        &self,
        enclave: &'a Enclave<'_>,
        id: [u8; 32],
        block: BlockRef,
        header: Option<&Header>,
        mut plan: RoundPlan,
    ) -> Result<(Run<'a>, RoundPlan), HostError> {
        let Parts { config, committee, mode, .. } = &self.parts;
        let mut rng = StdRng::try_from_rng(&mut SysRng).map_err(|_| HostError::Randomness)?;
        let request = attempt::request(config, (committee, *mode), id, &block, header, plan.digests());
        let attempt = enclave.attempt(request.clone(), block.time, &mut rng)?;
        let envelopes = self.shares(&attempt, &request, header, &plan).await?;
        let ciphertexts = plan.take_ciphertexts();
        let made = attempt::open(attempt, committee, &request, ciphertexts, envelopes, &mut rng)?;
        for culprit in &made.culprits {
            let (participant, what) = (culprit.identifier.get(), attempt::words(culprit.reason));
            tracing::warn!(target: "ccc_server::enclave", participant, "the participant {what}");
        }
        Ok((Run { block, request, header: header.cloned(), opened: made.opened, rng }, plan))
    }

    /// Everybody's envelopes; who has not read the block yet is asked again. Nothing to open needs nobody.
    async fn shares(
        &self,
        attempt: &Attempt<'_>,
        request: &Request,
        header: Option<&Header>,
        plan: &RoundPlan,
    ) -> Result<Vec<Envelope>, HostError> {
        if request.ciphertexts.is_empty() {
            return Ok(Vec::new());
        }
        let ciphertexts = plan.ciphertexts().iter().map(|verified| verified.ciphertext().clone()).collect();
        let identity = attempt.identity();
        let ask = Ask {
            request: request.clone(),
            card: attempt.card().clone(),
            identity,
            ciphertexts,
            header: header.cloned(),
        };
        let (need, end) = (self.parts.committee.threshold().t(), Instant::now() + CATCH_UP);
        loop {
            let mut gathered = self.parts.vault.gather(std::slice::from_ref(&ask)).await;
            let envelopes = gathered.envelopes.pop().unwrap_or_default();
            if envelopes.len() >= usize::from(need) {
                log_faults(&gathered);
                return Ok(envelopes);
            }
            if !gathered.faults.iter().any(|(_, fault)| is_later(fault)) || Instant::now() > end {
                log_faults(&gathered);
                return Err(HostError::Shares { need, found: envelopes.len() });
            }
            sleep(AGAIN).await;
        }
    }

    fn place(&self) -> Place<'_> {
        let Parts { chain, deployment, config, committee, .. } = &self.parts;
        Place { chain, deployment, config, key: committee.master_public_key() }
    }

    /// A block that is final, and among the newest.
    async fn block(&self, hash: &[u8; 32]) -> Result<BlockRef, HostError> {
        let last = self.parts.chain.finalised_block().await?;
        let block = self.canonical(hash).await?.ok_or(HostError::Block)?;
        let fresh = block.time.saturating_add(MAX_BLOCK_AGE) >= last.time;
        if block.number <= last.number && fresh { Ok(block) } else { Err(HostError::Block) }
    }

    /// A block, unless the chain has another one at its height.
    async fn canonical(&self, hash: &[u8; 32]) -> Result<Option<BlockRef>, ChainError> {
        let block = self.parts.chain.block(BlockId::from(B256::from(*hash))).await?;
        let there = self.parts.chain.block(BlockId::number(block.number)).await?;
        Ok(Some(block).filter(|block| *block == there && block.hash.0 == *hash))
    }

    /// The table that is current at a block: out of the store, or from another host.
    async fn current(&self, block: &BlockRef) -> Result<Option<SealedTable>, HostError> {
        let header = Pool::new(&self.parts.chain, self.parts.deployment.pool).header_hash(block.id()).await?.0;
        if header == [0; 32] {
            return Ok(None);
        }
        if let Some(table) = self.table(&header)? {
            return Ok(Some(table));
        }
        let closed = fetch_table(&self.parts.identity, &self.parts.neighbours, header).await;
        let closed = closed.ok_or(HostError::Missing { header })?;
        self.keep(&closed.table)?;
        if let Some(receipts) = closed.receipts {
            self.kept.keep_receipts(&header, &receipts.to_bytes()).map_err(HostError::Receipts)?;
        }
        Ok(Some(closed.table))
    }

    fn keep(&self, table: &SealedTable) -> Result<(), HostError> {
        Ok(self.store.lock().unwrap_or_else(PoisonError::into_inner).put(table)?)
    }

    fn table(&self, header: &[u8; 32]) -> Result<Option<SealedTable>, HostError> {
        match self.store.lock().unwrap_or_else(PoisonError::into_inner).get(header) {
            Ok(table) => Ok(Some(table)),
            Err(StoreError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A version with its receipts, for its owners and for other hosts: it is sealed, and the chain names its hash.
    ///
    /// # Errors
    /// [`HostError::Store`].
    pub fn version(&self, header: &[u8; 32]) -> Result<Option<Vec<u8>>, HostError> {
        let table = self.table(header)?;
        Ok(table.map(|table| crate::attested::version(&table, self.kept.receipts(header).as_deref())))
    }

    /// One of the newest envelopes, which the agent alone opens.
    #[must_use]
    pub fn envelope(&self, digest: &[u8; 32]) -> Option<Vec<u8>> {
        self.kept.envelope(digest)
    }
}

/// Whether a time is less than the age of a block from it, before or after.
fn is_near(time: u64, block: &BlockRef) -> bool {
    time.abs_diff(block.time) < MAX_BLOCK_AGE
}

/// Counted from the newest block: a final one may be many minutes older.
fn validity(sequence: u64, latest: &BlockRef) -> Validity {
    Validity { sequence, valid_until: latest.time.saturating_add(REPORT_LIFETIME) }
}

/// The last second of what a host made.
fn until(made: &[u8]) -> Option<u64> {
    let made = Made::from_bytes(made).ok()?;
    Some(Payload::from_bytes(&made.result.payload).ok()?.binding.valid_until)
}

fn is_later(fault: &Fault) -> bool {
    matches!(fault, Fault::No { reply: Reply::Later, .. })
}

/// Each participant's fault, once a call.
fn log_faults(gathered: &Gathered) {
    for (participant, fault) in &gathered.faults {
        tracing::warn!(target: "ccc_server::enclave", participant = participant.get(), "no share: {fault:?}");
    }
    for participant in &gathered.outstanding {
        tracing::warn!(target: "ccc_server::enclave", participant = participant.get(), "no share yet");
    }
}

#[cfg(test)]
mod tests;
