//! The chain as one node reads it: finalised blocks only, each once, and whether what it reads can be believed.

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, B256},
};
use ccc_chain::{
    Chain, ChainError, Deployment,
    deploy::check_place,
    enclaves::EnclaveReader,
    handover::{InOffice, in_office},
    read::{BlockRef, Pool},
    watch::{Event, Watcher},
};
use ccc_core::report::keccak256;
use ccc_node::vault_node::{ChainView, Enclaves, OnChain};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

/// Where the time of day comes from.
pub trait Clock: Send + Sync {
    /// Unix seconds.
    fn now(&self) -> u64;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
    }
}

/// The newest finalised block that a node has read, and the table's version there.
///
/// *Units*: `time` in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The block's number.
    pub number: u64,
    /// Its hash.
    pub hash: [u8; 32],
    /// Its time.
    pub time: u64,
    /// The table's version.
    pub version: u64,
}

/// Where a node remembers over a restart what it has seen of a chain.
pub trait Memory: Send + Sync {
    /// What was kept last.
    ///
    /// # Errors
    /// A sentence: nothing must be believed of the chain then.
    fn last(&self) -> Result<Option<Seen>, String>;
    /// Keeps what was seen; it is on the medium when this returns.
    ///
    /// # Errors
    /// A sentence.
    fn keep(&self, seen: &Seen) -> Result<(), String>;
}

/// How a chain is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowOptions {
    /// Between two looks.
    pub interval: Duration,
    /// The newest finalised blocks that a request may name.
    pub window: usize,
    /// Seconds that the newest block may be ahead of the clock.
    pub ahead: u64,
    /// Seconds that it may be behind. What was read is as old at most.
    pub behind: u64,
    /// Seconds that the newest final block may be behind: finality that stands still keeps a revocation out.
    pub final_behind: u64,
}

impl Default for FollowOptions {
    fn default() -> Self {
        Self { interval: Duration::from_secs(2), window: 64, ahead: 30, behind: 300, final_behind: 3_600 }
    }
}

/// Why a node gives no shares for now.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotReady {
    /// Nothing is read yet.
    #[error("the chain is not read yet")]
    Starting,
    /// The endpoint does not answer, or answers nonsense.
    #[error("the chain: {0}")]
    Chain(#[from] ChainError),
    /// The newest block is from the future.
    #[error("the newest block is of {block}, the clock says {clock}: the clock is behind, or the endpoint lies")]
    ClockBehind {
        /// The block's time.
        block: u64,
        /// The clock.
        clock: u64,
    },
    /// The newest block is old.
    #[error("the newest block is of {block}, the clock says {clock}: the endpoint is stale, or the clock is ahead")]
    Stale {
        /// The block's time.
        block: u64,
        /// The clock.
        clock: u64,
    },
    /// What was read last is old: the endpoint is slow, or silent.
    #[error("the chain was read at {read}, the clock says {clock}: the endpoint does not answer in time")]
    Unread {
        /// When the reading began that was finished last.
        read: u64,
        /// The clock.
        clock: u64,
    },
    /// The newest final block is old.
    #[error(
        "the newest final block is of {block}, the clock says {clock}: no block becomes final, or the endpoint hides it"
    )]
    NotFinal {
        /// The block's time.
        block: u64,
        /// The clock.
        clock: u64,
    },
    /// The table's version is older than one that was read before.
    #[error("the table is at version {found}, it was at {last}: the endpoint answers from an older state")]
    OlderTable {
        /// Version read now.
        found: u64,
        /// Version read before.
        last: u64,
    },
    /// What was seen before cannot be read or kept.
    #[error("what was seen of the chain: {reason}")]
    Memory {
        /// What the memory says.
        reason: String,
    },
    /// The journal takes no answer.
    #[error("{reason}")]
    Journal {
        /// What the journal says.
        reason: String,
    },
    /// The registry has a committee of which this node has no share.
    #[error("the registry has epoch {found}, this node's share is of epoch {held}{}", staged.map_or(String::new(), |staged| format!(", the staged one of {staged}")))]
    OtherEpoch {
        /// Epoch of the share in use.
        held: u64,
        /// Epoch of the share that is staged.
        staged: Option<u64>,
        /// The registry's.
        found: u64,
    },
    /// The registry is another vault's.
    #[error("the registry has the master public key {found}, this node's share is of {expected}")]
    OtherVault {
        /// The node's.
        expected: B256,
        /// The registry's.
        found: B256,
    },
    /// The registry has another committee of the staged share's epoch than the one that the share is of.
    #[error("the registry's committee of epoch {epoch} is not the staged one")]
    OtherCommittee {
        /// The epoch.
        epoch: u64,
    },
    /// A finalised block is no longer one.
    #[error("block {number} was final and is not: the endpoint is another one, or inconsistent")]
    WentBack {
        /// Its number.
        number: u64,
    },
}

/// What was read at the newest finalised block.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// That block.
    pub finalised: BlockRef,
    /// The clock, when the reading began.
    read: u64,
    recent: Arc<HashSet<[u8; 32]>>,
    header_hash: [u8; 32],
    version: u64,
    submissions: Arc<HashMap<[u8; 32], OnChain>>,
    enclaves: Option<Enclaves>,
    vault: Option<InOffice>,
}

impl Snapshot {
    /// The vault's committee as its registry has it; nothing where no registry is asked.
    #[must_use]
    pub fn vault(&self) -> Option<InOffice> {
        self.vault
    }

    /// The view against which a request that names this block is checked. The block must be among the newest finalised
    /// ones; header, version, submissions, enclaves and time are those of the newest, so that a request cannot choose an older table.
    #[must_use]
    pub fn view(&self, named: &[u8; 32]) -> ChainView {
        let block_hash = if self.recent.contains(named) { *named } else { self.finalised.hash.0 };
        ChainView {
            block_hash,
            time: self.finalised.time,
            header_hash: self.header_hash,
            version: self.version,
            submissions: Arc::clone(&self.submissions),
            enclaves: self.enclaves.clone(),
        }
    }

    /// What is said after a while is said of an older chain, whatever the endpoint does meanwhile.
    fn check_age(&self, options: &FollowOptions, clock: u64) -> Result<(), NotReady> {
        let (read, block) = (self.read, self.finalised.time);
        if clock > read.saturating_add(options.behind) {
            return Err(NotReady::Unread { read, clock });
        }
        if clock > block.saturating_add(options.final_behind) {
            return Err(NotReady::NotFinal { block, clock });
        }
        Ok(())
    }
}

/// What the follower found last, shared with whoever answers.
#[derive(Clone)]
pub struct Followed {
    found: Arc<RwLock<Result<Snapshot, Arc<NotReady>>>>,
    options: FollowOptions,
    clock: Arc<dyn Clock>,
}

impl Followed {
    fn new(options: FollowOptions, clock: &Arc<dyn Clock>) -> Self {
        let found = Arc::new(RwLock::new(Err(Arc::new(NotReady::Starting))));
        Self { found, options, clock: Arc::clone(clock) }
    }

    /// The newest snapshot, which is not old by now.
    ///
    /// # Errors
    /// [`NotReady`]: nothing may be given then.
    pub fn snapshot(&self) -> Result<Snapshot, Arc<NotReady>> {
        let found = self.found.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        found.check_age(&self.options, self.clock.now())?;
        Ok(found)
    }

    fn set(&self, found: Result<Snapshot, Arc<NotReady>>) {
        *self.found.write().unwrap_or_else(PoisonError::into_inner) = found;
    }
}

/// Reads a pool's chain on and on.
pub struct Follower {
    chain: Chain,
    watcher: Watcher,
    pool: Pool,
    submissions: Arc<HashMap<[u8; 32], OnChain>>,
    /// Nothing where the deployment has no registry of enclaves.
    registry: Option<EnclaveReader>,
    /// The vault's; nothing where the epoch is fixed.
    vault: Option<Address>,
    version: u64,
    recent: VecDeque<BlockRef>,
    /// What was seen last, before a restart too.
    seen: Option<Seen>,
    memory: Option<Arc<dyn Memory>>,
    options: FollowOptions,
    clock: Arc<dyn Clock>,
    followed: Followed,
}

impl Follower {
    /// A follower of a deployment that stands on this chain.
    ///
    /// # Errors
    /// [`ChainError::WrongChain`], [`ChainError::NotDeployed`].
    pub async fn new(
        chain: &Chain,
        deployment: &Deployment,
        options: FollowOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ChainError> {
        check_place(chain, deployment).await?;
        Ok(Self {
            chain: chain.clone(),
            watcher: Watcher::new(chain, deployment, deployment.first_block),
            pool: Pool::new(chain, deployment.pool),
            submissions: Arc::default(),
            registry: deployment
                .enclave_registry()
                .map(|registry| EnclaveReader::new(registry, deployment.first_block)),
            vault: deployment.registries.map(|registries| registries.vault),
            version: 0,
            recent: VecDeque::new(),
            seen: None,
            memory: None,
            followed: Followed::new(options, &clock),
            options,
            clock,
        })
    }

    /// Asks this registry of the vault for the epoch, whichever the deployment names.
    #[must_use]
    pub fn asking(self, registry: Option<Address>) -> Self {
        Self { vault: registry.or(self.vault), ..self }
    }

    /// Goes on from what was seen before: an endpoint that answers from an older state is not believed.
    ///
    /// # Errors
    /// [`NotReady::Memory`].
    pub fn remembering(mut self, memory: Arc<dyn Memory>) -> Result<Self, NotReady> {
        self.seen = memory.last().map_err(|reason| NotReady::Memory { reason })?;
        self.version = self.seen.map_or(0, |seen| seen.version);
        self.memory = Some(memory);
        Ok(self)
    }

    /// Where its findings are.
    #[must_use]
    pub fn followed(&self) -> Followed {
        self.followed.clone()
    }

    /// Looks once. What it finds, or why it cannot, is what [`Followed`] says from then on.
    ///
    /// # Errors
    /// [`NotReady`].
    pub async fn look(&mut self) -> Result<(), Arc<NotReady>> {
        let found = self.read().await.map_err(Arc::new);
        let outcome = found.as_ref().map(|_| ()).map_err(Arc::clone);
        self.followed.set(found);
        outcome
    }

    /// Looks until it is dropped; every change of the outcome is logged.
    pub async fn run(mut self) {
        let mut last = String::new();
        loop {
            let said =
                self.look().await.err().map_or_else(|| "the chain is read".to_owned(), |error| error.to_string());
            if said != last {
                tracing::info!(target: "ccc_server::follow", "{said}");
                last = said;
            }
            tokio::time::sleep(self.options.interval).await;
        }
    }

    async fn read(&mut self) -> Result<Snapshot, NotReady> {
        let read = self.clock.now();
        self.check_clock().await?;
        let finalised = self.chain.finalised_block().await?;
        self.check_history(&finalised).await?;
        self.read_blocks(&finalised).await?;
        for observed in self.watcher.poll_to(finalised.number).await? {
            self.take(&observed.event);
        }
        let enclaves = self.read_enclaves(&finalised).await?;
        let vault = self.read_vault(&finalised).await?;
        let version = self.pool.table_version(finalised.id()).await?;
        self.version = check_version(version, self.version)?;
        let header_hash = self.pool.header_hash(finalised.id()).await?.0;
        self.remember(&finalised).await?;
        let snapshot = Snapshot {
            finalised,
            read,
            recent: Arc::new(self.recent.iter().map(|block| block.hash.0).collect()),
            header_hash,
            version,
            submissions: Arc::clone(&self.submissions),
            enclaves,
            vault,
        };
        snapshot.check_age(&self.options, self.clock.now())?;
        Ok(snapshot)
    }

    /// Who is current in the registry. Where it cannot be read there is no snapshot, and nothing is given.
    async fn read_enclaves(&mut self, finalised: &BlockRef) -> Result<Option<Enclaves>, NotReady> {
        let Some(registry) = &mut self.registry else { return Ok(None) };
        let states = registry.read_to(&self.chain, *finalised).await?;
        Ok(Some(states.copied().collect()))
    }

    /// The vault's committee. Where it cannot be read there is no snapshot, and nothing is given.
    async fn read_vault(&self, finalised: &BlockRef) -> Result<Option<InOffice>, NotReady> {
        let Some(registry) = self.vault else { return Ok(None) };
        Ok(Some(in_office(&self.chain, registry, finalised.id()).await?))
    }

    /// Of a submission its submitter, the hash of its ciphertext and its time are kept, and not its bytes.
    fn take(&mut self, event: &Event) {
        match event {
            Event::Deposited { id, from, ciphertext, .. } | Event::WithdrawalRequested { id, from, ciphertext, .. } => {
                self.submitted(id, from, ciphertext, 0);
            }
            Event::StandingOrderSubmitted { id, maker, ciphertext, .. } => self.submitted(id, maker, ciphertext, 0),
            Event::CollateralRequested { id, requester, deadline, ciphertext, .. } => {
                self.submitted(id, requester, ciphertext, *deadline);
            }
            _ => {}
        }
    }

    fn submitted(&mut self, id: &B256, who: &Address, ciphertext: &[u8], opens_at: u64) {
        let on_chain = OnChain { who: who.0.0, hash: keccak256(&[ciphertext]), opens_at };
        Arc::make_mut(&mut self.submissions).insert(id.0, on_chain);
    }

    async fn check_clock(&self) -> Result<(), NotReady> {
        let (block, clock) = (self.chain.block(BlockId::latest()).await?.time, self.clock.now());
        if block > clock.saturating_add(self.options.ahead) {
            return Err(NotReady::ClockBehind { block, clock });
        }
        if clock > block.saturating_add(self.options.behind) {
            return Err(NotReady::Stale { block, clock });
        }
        Ok(())
    }

    /// What was final stays so, over a restart too.
    async fn check_history(&self, finalised: &BlockRef) -> Result<(), NotReady> {
        let Some(Seen { number, hash, .. }) = self.seen else { return Ok(()) };
        if finalised.number < number {
            return Err(NotReady::WentBack { number });
        }
        match self.numbered(number).await? {
            found if found.hash.0 == hash => Ok(()),
            _ => Err(NotReady::WentBack { number }),
        }
    }

    /// Nothing is told of a block before it is remembered.
    async fn remember(&mut self, finalised: &BlockRef) -> Result<(), NotReady> {
        let BlockRef { number, hash, time } = *finalised;
        let seen = Seen { number, hash: hash.0, time, version: self.version };
        if let Some(memory) = self.memory.clone().filter(|_| self.seen != Some(seen)) {
            let kept = tokio::task::spawn_blocking(move || memory.keep(&seen)).await;
            let kept = kept.unwrap_or_else(|_| Err("it was not kept".to_owned()));
            kept.map_err(|reason| NotReady::Memory { reason })?;
        }
        self.seen = Some(seen);
        Ok(())
    }

    async fn read_blocks(&mut self, finalised: &BlockRef) -> Result<(), NotReady> {
        let window = u64::try_from(self.options.window.max(1)).unwrap_or(u64::MAX);
        let oldest = finalised.number.saturating_sub(window - 1);
        let first = self.recent.back().map_or(oldest, |last| oldest.max(last.number.saturating_add(1)));
        for number in first..=finalised.number {
            let block = if number == finalised.number { *finalised } else { self.numbered(number).await? };
            self.recent.push_back(block);
        }
        self.recent.retain(|block| block.number >= oldest);
        Ok(())
    }

    async fn numbered(&self, number: u64) -> Result<BlockRef, ChainError> {
        self.chain.block(BlockNumberOrTag::Number(number).into()).await
    }
}

/// An older table's key is not given for an answer from an older state.
fn check_version(found: u64, last: u64) -> Result<u64, NotReady> {
    if found < last { Err(NotReady::OlderTable { found, last }) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n155_a_tables_version_does_not_fall() {
        assert!(matches!(check_version(4, 3), Ok(4)));
        assert!(matches!(check_version(3, 3), Ok(3)));
        assert!(matches!(check_version(2, 3), Err(NotReady::OlderTable { found: 2, last: 3 })));
    }
}
