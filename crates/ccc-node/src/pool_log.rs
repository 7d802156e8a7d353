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
    ops::Range,
    sync::Arc,
};

/// Something with the block that holds it.
#[derive(Clone)]
struct At<T> {
    block: u64,
    what: T,
}

/// A block and its time.
#[derive(Clone, Copy)]
struct Moment {
    block: u64,
    time: u64,
}

/// A place in the log: how much came before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    orders: usize,
    boundary: usize,
}

/// A collateral request, and when it waited.
struct Asked {
    block: u64,
    what: CollateralRequest,
    /// Where it stands itself.
    own: Place,
    /// Up to where it is cleared: fixed when it is made, whatever happens to the requests before it.
    cut: Place,
    /// The last second in which a round can settle it.
    closes: u64,
    /// The block in which it was settled, expired or cancelled.
    ended: Option<u64>,
}

impl Asked {
    /// Whether it waited after everything in a block had happened. Its time ends it, with or without an `expire`.
    fn waits(&self, at: Moment) -> bool {
        self.block <= at.block && at.time <= self.closes && self.ended.is_none_or(|ended| ended > at.block)
    }
}

/// What a reader has seen of a pool.
pub struct PoolLog {
    pool: Address,
    fill_window: u64,
    submissions: Arc<HashMap<[u8; 32], OnChain>>,
    boundary: Vec<At<BoundaryEvent>>,
    orders: Vec<At<Submission>>,
    requests: HashMap<[u8; 32], Asked>,
    /// Execution identifiers of the reports that the pool accepted.
    accepted: HashSet<[u8; 32]>,
}

/// The payload of the report that made the current version, from whoever has it.
#[derive(Clone, Copy, Debug)]
pub struct Former<'a> {
    /// The payload.
    pub payload: &'a [u8],
    /// Time of the block that its round read at ([`read_block`]), Unix seconds, as the reader has it from the chain.
    pub time: u64,
}

/// The block that the round of a payload read at; nothing for a payload of another kind.
///
/// # Errors
/// [`ReportError`] if it is no payload.
pub fn read_block(payload: &[u8]) -> Result<Option<u64>, ReportError> {
    let Statement::Round(round) = Payload::from_bytes(payload)?.statement else { return Ok(None) };
    Ok(Some(round.price_block))
}

/// Which round a reader wants to plan.
#[derive(Clone, Copy)]
pub struct RoundAt<'a> {
    /// Block at which everything is read.
    pub block: u64,
    /// Its time, Unix seconds.
    pub time: u64,
    /// Hash of the header that is current at that block; zero before the first version.
    pub header: [u8; 32],
    /// Its version.
    pub version: u64,
    /// What that version has consumed.
    pub consumed: Accumulator,
    /// The report that made that version.
    pub former: Option<Former<'a>>,
    /// Identifier of the collateral request to settle.
    pub request: Option<[u8; 32]>,
    /// Whether a plan at the block would open a submission ([`ccc_enclave::intake::opens`]): nobody waits for bytes.
    pub opens: &'a dyn Fn(&Submission) -> bool,
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
    /// No collateral request of this identifier waits at the block.
    #[error("no collateral request {} waits at block {block}", hex::encode(.id))]
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
    /// A request that waits is cleared against less: this one is not settled before that has ended.
    #[error("request {} is settled after request {}, which waits and is cleared against less", hex::encode(.id), hex::encode(.other))]
    Held {
        /// The request's identifier.
        id: [u8; 32],
        /// The other's.
        other: [u8; 32],
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
    /// An empty log of one pool, whose requests can be settled for `fill_window` seconds after their deadlines.
    #[must_use]
    pub fn new(pool: Address, fill_window: u64) -> Self {
        Self {
            pool,
            fill_window,
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
                let asked = self.asked(block, what);
                self.requests.insert(id.0, asked);
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

    /// A request that comes now. It is cleared against what came before it, or before an older one that may still wait
    /// when it is cleared: one that has not ended, and whose time is not over at this one's deadline. The own places of
    /// the older ones are taken, not what they are cleared against, so that a row of requests does not stand still.
    fn asked(&self, block: u64, what: CollateralRequest) -> Asked {
        let own = Place { orders: self.orders.len(), boundary: self.boundary.len() };
        let may_wait = |older: &&Asked| older.ended.is_none() && what.deadline <= older.closes;
        let cut = self.requests.values().filter(may_wait).map(|older| older.own).fold(own, Place::min);
        let closes = what.deadline.saturating_add(self.fill_window);
        Asked { block, what, own, cut, closes, ended: None }
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

    /// The log of a round: the operations that the table has not consumed, every standing order up to where the requests
    /// that wait at the block are cleared, and the request. An order is a live one when the round that made the current
    /// version has read it, and a new one otherwise; nothing is left out here, and no round before it has a say.
    ///
    /// *Security*: what comes after a request waits until that request has ended, also for the request's own round, and
    /// operations that come after it wait until the orders from before it have been read. So no maker that sees a request
    /// takes its order out of it, or puts one in, whatever the host does; and whenever another request ends, this one is
    /// cleared against the same orders.
    ///
    /// # Errors
    /// [`PoolLogError`]; [`PoolLogError::Unread`] asks for a round without the request, [`PoolLogError::Held`] for the
    /// other request's first.
    pub fn round(&self, at: &RoundAt<'_>) -> Result<Log, PoolLogError> {
        if at.version == 0 {
            return Ok(Log { consumed: at.consumed, ..Log::default() });
        }
        let now = Moment { block: at.block, time: at.time };
        let taken = self.read_by_former(at)?.map_or(0, |read| self.readable(read));
        // never less than what was read: no request is cleared against less than one that waited when it came
        let readable = self.readable(now).max(taken);
        let boundary = self.unconsumed(at, self.operations(at, now, taken))?;
        let live = if at.request.is_some() { readable } else { taken };
        let collateral = at.request.map(|id| self.request(id, at, taken..readable)).transpose()?;
        let (live, new) = self.orders[..readable].split_at(live);
        let [live_orders, new_orders] =
            [live, new].map(|orders| orders.iter().map(|order| order.what.clone()).collect());
        Ok(Log { consumed: at.consumed, boundary, new_orders, live_orders, collateral, upkeep: None })
    }

    /// The requests that a round at a block could settle: those that wait and whose deadline has come, in the order in which
    /// they have to be.
    #[must_use]
    pub fn due(&self, block: u64, time: u64) -> Vec<[u8; 32]> {
        let due = self.waiting(Moment { block, time }).filter(|asked| asked.what.deadline <= time);
        let mut due: Vec<_> = due.map(|asked| (asked.cut, asked.block, asked.what.submission.id)).collect();
        due.sort_unstable();
        due.into_iter().map(|(_, _, id)| id).collect()
    }

    fn waiting(&self, at: Moment) -> impl Iterator<Item = &Asked> {
        self.requests.values().filter(move |asked| asked.waits(at))
    }

    /// How many submissions a round at a block reads, old and new: those up to the block, and up to where every request
    /// that waits is cleared.
    fn readable(&self, at: Moment) -> usize {
        let known = self.orders.partition_point(|order| order.block <= at.block);
        self.waiting(at).map(|asked| asked.cut.orders).fold(known, usize::min)
    }

    /// How many operations a round takes at most, old and new: while a request waits for orders that nobody has read,
    /// those from after it could fund them, or take their funds away, in sight of the request.
    fn operations(&self, at: &RoundAt<'_>, now: Moment, taken: usize) -> usize {
        let known = self.boundary.partition_point(|event| event.block <= at.block);
        let unread = |asked: &&Asked| self.unread(at, taken..asked.cut.orders) != 0;
        self.waiting(now).filter(unread).map(|asked| asked.cut.boundary).fold(known, usize::min)
    }

    /// Submissions of a range that a round at the block would open.
    fn unread(&self, at: &RoundAt<'_>, range: Range<usize>) -> usize {
        self.orders.get(range).unwrap_or_default().iter().filter(|order| (at.opens)(&order.what)).count()
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
        let upkeep = Upkeep { duty, read: self.read_by_former(at)?.map_or(0, |read| read.block) };
        Ok(Log { consumed: at.consumed, upkeep: Some(upkeep), ..Log::default() })
    }

    /// The operations after those that were consumed, up to a place.
    fn unconsumed(&self, at: &RoundAt<'_>, limit: usize) -> Result<Vec<BoundaryEvent>, PoolLogError> {
        let found = self.boundary.partition_point(|event| event.block <= at.block);
        let consumed = at.consumed.count();
        let missing = PoolLogError::Operations { consumed, found };
        let first = usize::try_from(consumed).ok().filter(|first| *first <= found).ok_or(missing)?;
        Ok(self.boundary[first..limit.max(first)].iter().map(|event| event.what.clone()).collect())
    }

    /// A request that waits, when it can be settled: everything that it is cleared against has been read, and no more.
    fn request(&self, id: [u8; 32], at: &RoundAt<'_>, new: Range<usize>) -> Result<CollateralRequest, PoolLogError> {
        let now = Moment { block: at.block, time: at.time };
        let waits = self.requests.get(&id).filter(|asked| asked.waits(now));
        let asked = waits.ok_or(PoolLogError::Request { id, block: at.block })?;
        let least = self.waiting(now).map(|other| (other.cut, other.what.submission.id)).min();
        if let Some((_, other)) = least.filter(|(cut, _)| cut.orders < asked.cut.orders) {
            return Err(PoolLogError::Held { id, other });
        }
        match self.unread(at, new) {
            0 => Ok(asked.what.clone()),
            waiting => Err(PoolLogError::Unread { id, waiting }),
        }
    }

    /// Up to which block the round read that made the current version; nothing for the first version, which takes no
    /// orders. The chain keeps keccak256 of the accepted payload, so the payload may come from anybody: from the
    /// calldata of its delivery, or from the host.
    fn read_by_former(&self, at: &RoundAt<'_>) -> Result<Option<Moment>, PoolLogError> {
        let version = at.version;
        if version == 1 {
            return Ok(None);
        }
        let former = at.former.ok_or(PoolLogError::NoFormer { version })?;
        let payload = Payload::from_bytes(former.payload)?;
        match &payload.statement {
            Statement::Round(round)
                if self.accepted.contains(&payload.execution_id())
                    && (round.header_hash, round.version) == (at.header, version) =>
            {
                Ok(Some(Moment { block: round.price_block, time: former.time }))
            }
            _ => Err(PoolLogError::OtherFormer { version }),
        }
    }
}
