//! The pool's events as host, participants and report signers read them, each for itself, and the round that follows
//! from them.
//!
//! The contract keeps keccak256 of every ciphertext; the bytes are in the events. A reader needs the events from the
//! pool's first block on: bytes from elsewhere count for nothing here.

use crate::vault_node::OnChain;
use alloy::primitives::{Address, B256, U256};
use ccc_chain::watch::{Event, Observed};
use ccc_core::report::{Accumulator, OperationKind, Payload, ReportError, Statement, keccak256};
use ccc_enclave::{
    intake::{BoundaryEvent, CollateralRequest, Log, Submission},
    upkeep::{Duty, Upkeep},
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Something with the block that holds it.
#[derive(Clone)]
struct At<T> {
    block: u64,
    what: T,
}

/// A collateral request, and when it waited.
struct Asked {
    block: u64,
    what: CollateralRequest,
    /// Submissions before it, in the chain's order.
    after: usize,
    /// The block in which it was settled, expired or cancelled.
    ended: Option<u64>,
}

impl Asked {
    /// Whether it waited after everything in a block had happened.
    fn waits(&self, block: u64) -> bool {
        self.block <= block && self.ended.is_none_or(|ended| ended > block)
    }
}

/// What a reader has seen of a pool.
pub struct PoolLog {
    pool: Address,
    submissions: Arc<HashMap<[u8; 32], OnChain>>,
    boundary: Vec<At<BoundaryEvent>>,
    orders: Vec<At<Submission>>,
    requests: HashMap<[u8; 32], Asked>,
    /// Execution identifiers of the reports that the pool accepted.
    accepted: HashSet<[u8; 32]>,
}

/// Which round a reader wants to plan.
#[derive(Clone, Copy, Debug)]
pub struct RoundAt<'a> {
    /// Block at which everything is read.
    pub block: u64,
    /// Hash of the header that is current at that block; zero before the first version.
    pub header: [u8; 32],
    /// Its version.
    pub version: u64,
    /// What that version has consumed.
    pub consumed: Accumulator,
    /// Payload of the report that made that version, from whoever has it.
    pub former: Option<&'a [u8]>,
    /// Identifier of the collateral request to settle.
    pub request: Option<[u8; 32]>,
}

/// A log that does not say which round comes next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolLogError {
    /// An amount beyond what the table can carry.
    #[error("a deposit of {found} base units, which no table can carry")]
    Amount {
        /// The amount.
        found: U256,
    },
    /// The table has consumed operations that the log does not hold.
    #[error("the table has consumed {consumed} operations, the log holds {found}")]
    Operations {
        /// What the table has consumed.
        consumed: u64,
        /// Operations up to the block.
        found: usize,
    },
    /// No collateral request of this identifier up to the block.
    #[error("no collateral request {} up to block {block}", hex::encode(.id))]
    Request {
        /// The identifier.
        id: [u8; 32],
        /// The block.
        block: u64,
    },
    /// Submissions from before the request that no round has read: a round without a request reads them first, so that
    /// what the request is cleared against is decided when it is made.
    #[error("{waiting} submissions from before request {} are not read yet", hex::encode(.id))]
    Unread {
        /// The request's identifier.
        id: [u8; 32],
        /// How many.
        waiting: usize,
    },
    /// Without the report of the current version nobody knows up to which block its round read.
    #[error("the report that made version {version} is missing")]
    NoFormer {
        /// The current version.
        version: u64,
    },
    /// A table that does not exist yet has no versions of its own.
    #[error("upkeep of a table before its first version")]
    NoVersion,
    /// What was given is no payload.
    #[error("the report that made the current version: {0}")]
    Former(#[from] ReportError),
    /// A payload that the pool never accepted, or that made another version.
    #[error("the payload given is not the one that made version {version}")]
    OtherFormer {
        /// The current version.
        version: u64,
    },
}

impl PoolLog {
    /// An empty log of one pool.
    #[must_use]
    pub fn new(pool: Address) -> Self {
        Self {
            pool,
            submissions: Arc::default(),
            boundary: Vec::new(),
            orders: Vec::new(),
            requests: HashMap::new(),
            accepted: HashSet::new(),
        }
    }

    /// Takes the next event, in the chain's order.
    ///
    /// # Errors
    /// [`PoolLogError::Amount`].
    pub fn take(&mut self, observed: &Observed) -> Result<(), PoolLogError> {
        let block = observed.block;
        match &observed.event {
            Event::Deposited { id, from, asset, amount, ciphertext, .. } => {
                let amount = u128::try_from(*amount).map_err(|_| PoolLogError::Amount { found: *amount })?;
                let submission = self.submit(*id, *from, ciphertext, 0);
                let what = BoundaryEvent { kind: OperationKind::Deposit, asset: *asset, amount, submission };
                self.boundary.push(At { block, what });
            }
            Event::WithdrawalRequested { id, from, ciphertext, .. } => {
                let submission = self.submit(*id, *from, ciphertext, 0);
                let what = BoundaryEvent { kind: OperationKind::Withdrawal, asset: 0, amount: 0, submission };
                self.boundary.push(At { block, what });
            }
            Event::StandingOrderSubmitted { id, maker, ciphertext, .. } => {
                let what = self.submit(*id, *maker, ciphertext, 0);
                self.orders.push(At { block, what });
            }
            Event::CollateralRequested { id, requester, deadline, ciphertext, .. } => {
                let submission = self.submit(*id, *requester, ciphertext, *deadline);
                let what = CollateralRequest { deadline: *deadline, submission };
                self.requests.insert(id.0, Asked { block, what, after: self.orders.len(), ended: None });
            }
            Event::Fill { request, .. } => {
                if let Some(asked) = self.requests.get_mut(&request.0) {
                    asked.ended.get_or_insert(block);
                }
            }
            Event::ReportProcessed { receiver, execution_id, result: true, .. } if *receiver == self.pool => {
                self.accepted.insert(execution_id.0);
            }
            _ => {}
        }
        Ok(())
    }

    fn submit(&mut self, id: B256, who: Address, ciphertext: &[u8], opens_at: u64) -> Submission {
        let who = who.0.0;
        let on_chain = OnChain { who, hash: keccak256(&[ciphertext]), opens_at };
        Arc::make_mut(&mut self.submissions).insert(id.0, on_chain);
        Submission { id: id.0, who, ciphertext: ciphertext.to_vec() }
    }

    /// A host's log after it lost every request.
    #[cfg(test)]
    pub(crate) fn forget_requests(&mut self) {
        self.requests.clear();
    }

    /// A host's log after it lost its last standing order.
    #[cfg(test)]
    pub(crate) fn forget_order(&mut self) -> Option<[u8; 32]> {
        self.orders.pop().map(|order| order.what.id)
    }

    /// Every submission so far, by identifier.
    #[must_use]
    pub fn submissions(&self) -> Arc<HashMap<[u8; 32], OnChain>> {
        Arc::clone(&self.submissions)
    }

    /// What was paid in, in the chain's order.
    pub fn deposits(&self) -> impl Iterator<Item = &BoundaryEvent> {
        let deposit = |event: &&BoundaryEvent| event.kind == OperationKind::Deposit;
        self.boundary.iter().map(|at| &at.what).filter(deposit)
    }

    /// The log of a round: every operation that the table has not consumed, every standing order up to the oldest
    /// request that waits at the block, and the request. An order is a live one when the round that made the current
    /// version has read it, and a new one otherwise; nothing is left out here, and no round before it has a say.
    ///
    /// *Security*: what comes after a request waits until that request has ended, also for the request's own round. So
    /// no maker that sees a request takes its order out of it, or puts one in, whatever the host does.
    ///
    /// # Errors
    /// [`PoolLogError`]; [`PoolLogError::Unread`] asks for a round without the request.
    pub fn round(&self, at: &RoundAt<'_>) -> Result<Log, PoolLogError> {
        if at.version == 0 {
            return Ok(Log { consumed: at.consumed, ..Log::default() });
        }
        let taken = self.read_by_former(at)?.map_or(0, |read| self.readable(read.min(at.block)));
        // no request that waits now waited before one that waited then
        let readable = self.readable(at.block).max(taken);
        let collateral = at.request.map(|id| self.request(id, at.block)).transpose()?;
        if let (Some(id), waiting @ 1..) = (at.request, readable - taken) {
            return Err(PoolLogError::Unread { id, waiting });
        }
        let (live, new) = self.orders[..readable].split_at(taken);
        let [live_orders, new_orders] =
            [live, new].map(|orders| orders.iter().map(|order| order.what.clone()).collect());
        let boundary = self.unconsumed(at)?;
        Ok(Log { consumed: at.consumed, boundary, new_orders, live_orders, collateral, upkeep: None })
    }

    /// How many submissions a round at a block reads, old and new: those up to the block that came before every request
    /// that waits.
    fn readable(&self, block: u64) -> usize {
        let waiting = self.requests.values().filter(|asked| asked.waits(block)).map(|asked| asked.after);
        waiting.fold(self.orders.partition_point(|order| order.block <= block), usize::min)
    }

    /// The log of a version of its own, on this reader's operator's instruction: nothing is taken from the chain but
    /// where the rounds before have read to, so that the round after goes on from there.
    ///
    /// # Errors
    /// [`PoolLogError::NoVersion`] before the first version, and as [`Self::round`].
    pub fn upkeep(&self, at: &RoundAt<'_>, duty: Duty) -> Result<Log, PoolLogError> {
        if at.version == 0 {
            return Err(PoolLogError::NoVersion);
        }
        let upkeep = Upkeep { duty, read: self.read_by_former(at)?.unwrap_or(0) };
        Ok(Log { consumed: at.consumed, upkeep: Some(upkeep), ..Log::default() })
    }

    fn unconsumed(&self, at: &RoundAt<'_>) -> Result<Vec<BoundaryEvent>, PoolLogError> {
        let known: Vec<&At<BoundaryEvent>> = self.boundary.iter().filter(|event| event.block <= at.block).collect();
        let consumed = at.consumed.count();
        let missing = PoolLogError::Operations { consumed, found: known.len() };
        let rest = usize::try_from(consumed).ok().and_then(|consumed| known.get(consumed..)).ok_or(missing)?;
        Ok(rest.iter().map(|event| event.what.clone()).collect())
    }

    fn request(&self, id: [u8; 32], block: u64) -> Result<CollateralRequest, PoolLogError> {
        let known = self.requests.get(&id).filter(|request| request.block <= block);
        known.map(|request| request.what.clone()).ok_or(PoolLogError::Request { id, block })
    }

    /// Up to which block the round read that made the current version; nothing for the first version, which takes no
    /// orders. The chain keeps keccak256 of the accepted payload, so the payload may come from anybody: from the
    /// calldata of its delivery, or from the host.
    fn read_by_former(&self, at: &RoundAt<'_>) -> Result<Option<u64>, PoolLogError> {
        let version = at.version;
        if version == 1 {
            return Ok(None);
        }
        let payload = Payload::from_bytes(at.former.ok_or(PoolLogError::NoFormer { version })?)?;
        match &payload.statement {
            Statement::Round(round)
                if self.accepted.contains(&payload.execution_id())
                    && (round.header_hash, round.version) == (at.header, version) =>
            {
                Ok(Some(round.price_block))
            }
            _ => Err(PoolLogError::OtherFormer { version }),
        }
    }
}
