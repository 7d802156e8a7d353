//! Asks the chain, and does what the machine says, one step a turn.
//!
//! Nothing is asked of a person and nothing is read as text: files and events are numbers, addresses and signatures, and what
//! stands in a name or a message goes into the journal as a string and nowhere else.

mod act;
mod facts;
mod price;

pub use facts::is_there;

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use alloy::{primitives::B256, providers::Provider};
use ccc_chain::{
    Chain, ChainError, Deployment,
    swap::{Parts, SwapError},
};
use ccc_core::{ciphertext::EncryptError, keys::MasterPublicKey};
use rand_core::CryptoRng;

use crate::{
    evidence::{Evidence, EvidenceError},
    journal::{Journal, JournalError},
    machine::{self, Facts, Step, Waiting},
    plan::{Entry, Event},
    policy::Policy,
    signer::{Signer, SignerError},
    state::{Inconsistent, State},
};

/// Where entries go.
pub enum Book {
    /// To the journal: then actions are carried out.
    Journal(Box<Journal>),
    /// Nowhere: what would be done is told and nothing is sent.
    Dry(Box<State>),
}

impl Book {
    /// What was written so far.
    #[must_use]
    pub fn state(&self) -> &State {
        match self {
            Self::Journal(journal) => journal.state(),
            Self::Dry(state) => state,
        }
    }

    fn write(&mut self, time: u64, entry: Entry) -> Result<(), DriveError> {
        match self {
            Self::Journal(journal) => Ok(journal.write(time, entry)?),
            Self::Dry(state) => Ok(state.apply(time, entry)?),
        }
    }
}

/// What a driver works with.
pub struct Means<'a> {
    /// The chain.
    pub chain: &'a Chain,
    /// The contracts.
    pub deployment: &'a Deployment,
    /// What may be done.
    pub policy: &'a Policy,
    /// Where envelopes and reports lie.
    pub evidence: &'a Evidence,
    /// Who signs.
    pub signer: &'a dyn Signer,
    /// What orders are encrypted to.
    pub master_key: &'a MasterPublicKey,
    /// Whether a simulated exchange will do.
    pub parts: Parts,
    /// The kill switch.
    pub kill_switch: PathBuf,
    /// Where approvals lie, if anywhere.
    pub approvals: Option<PathBuf>,
    /// Whose time counts.
    pub clock: Clock,
}

/// Whose time counts for limits, deadlines and expiries.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The chain's: one for trying things out has its own time.
    Chain,
    /// This one, in Unix seconds; a node whose newest block is far from it is not believed.
    Own(fn() -> u64),
}

impl Clock {
    /// The chain's on one for trying things out, this machine's on any other.
    #[must_use]
    pub const fn of(chain: &Chain) -> Self {
        if chain.is_development() { Self::Chain } else { Self::Own(machine_time) }
    }
}

/// A machine whose clock is before 1970 is far from any block.
fn machine_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The agent at work.
pub struct Driver<'a> {
    means: Means<'a>,
    book: Book,
    /// The last event's block: reading begins there.
    since: u64,
    seeds: Vec<[u8; 32]>,
}

/// Why the agent stops altogether. What was journalled stands.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriveError {
    /// The chain does not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The node contradicts itself, its events and its contracts, or the clock.
    #[error("the node says {what} is {found}, expected {expected}")]
    Lies {
        /// What.
        what: &'static str,
        /// The contract's, or the clock's.
        expected: String,
        /// What it says.
        found: String,
    },
    /// The journal cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A step that does not follow from the ones before.
    #[error(transparent)]
    Inconsistent(#[from] Inconsistent),
    /// Approvals cannot be read.
    #[error("{}: {source}", path.display())]
    Approvals {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// Why one event or action is refused: journalled, and nothing is spent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error(transparent)]
    Swap(#[from] SwapError),
    #[error(transparent)]
    Signer(#[from] SignerError),
    #[error("the order: {0}")]
    Encrypt(#[from] EncryptError),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error("{what} is {found}, expected {expected}")]
    Value { what: &'static str, expected: String, found: String },
    #[error("gas would cost {found} wei a unit, the policy allows {most}")]
    Gas { most: u64, found: u128 },
}

impl Refusal {
    /// Out as an error where nothing was refused: a node that is away is asked again later.
    fn away(self) -> Result<Self, DriveError> {
        match self {
            Self::Chain(error) | Self::Swap(SwapError::Chain(error)) | Self::Signer(SignerError::Key(error))
                if !matches!(error, ChainError::Refused(_) | ChainError::OutOfRange { .. }) =>
            {
                Err(error.into())
            }
            refusal => Ok(refusal),
        }
    }
}

/// What a turn did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Something; there may be more.
    Went(Vec<String>),
    /// What would be done next; nothing is sent in a dry run.
    Would(Vec<String>),
    /// Nothing, and why.
    Waits(Waiting),
}

impl<'a> Driver<'a> {
    /// A driver that goes on where its book ends.
    #[must_use]
    pub fn new(means: Means<'a>, book: Book) -> Self {
        let last = book.state().decisions.values().next_back().map(|decision| decision.event.block);
        let since = last.unwrap_or(means.deployment.first_block);
        Self { means, book, since, seeds: Vec::new() }
    }

    /// The seeds of the orders that this driver sealed, for a search of what became public.
    pub(crate) fn seeds(&self) -> &[[u8; 32]] {
        &self.seeds
    }

    /// What was written so far.
    #[must_use]
    pub fn state(&self) -> &State {
        self.book.state()
    }

    /// Writes that a run begins.
    ///
    /// # Errors
    /// [`DriveError`].
    pub async fn begin(&mut self) -> Result<(), DriveError> {
        let now = self.now().await?;
        self.book.write(now, Entry::Began { policy: self.means.policy.digest() })
    }

    /// Looks, and takes one step.
    ///
    /// # Errors
    /// [`DriveError`]; the next turn asks the chain anew.
    pub async fn turn(&mut self, rng: &mut impl CryptoRng) -> Result<Turn, DriveError> {
        let facts = self.facts().await?;
        match machine::next(self.book.state(), &facts, self.means.policy, self.means.signer.address()) {
            Step::Wait(waiting) => Ok(Turn::Waits(waiting)),
            Step::Write(entry) => {
                let words = vec![in_words(&entry)];
                self.book.write(facts.now, entry)?;
                Ok(Turn::Went(words))
            }
            Step::Resend(transaction) => self.resend(transaction).await,
            Step::Decide(event) => self.decide(event, &facts).await,
            Step::Act(doing) => self.act(doing, &facts, rng).await,
        }
    }

    async fn decide(&mut self, event: Event, facts: &Facts) -> Result<Turn, DriveError> {
        if event.status == Event::SOLVENT && machine::takes_back(self.book.state(), self.means.policy) {
            return self.take_back(event, facts);
        }
        match self.plan(&event, facts).await {
            Ok((items, expiry, words)) => {
                let entry = Entry::Decided { event, items, expiry, words: words.clone() };
                self.book.write(facts.now, entry)?;
                Ok(Turn::Went(words))
            }
            Err(refusal) => self.refuse(event.sequence, facts.now, refusal),
        }
    }

    /// Nothing is taken back on the node's word alone.
    fn take_back(&mut self, event: Event, facts: &Facts) -> Result<Turn, DriveError> {
        if let Err(error) = self.means.evidence.vouch(&event) {
            return self.refuse(event.sequence, facts.now, error.into());
        }
        let entry = machine::cancellation(self.book.state(), self.means.policy, event, facts.now);
        let words = vec![in_words(&entry)];
        self.book.write(facts.now, entry)?;
        Ok(Turn::Went(words))
    }

    fn refuse(&mut self, sequence: u64, now: u64, refusal: Refusal) -> Result<Turn, DriveError> {
        let reason = refusal.away()?.to_string();
        self.book.write(now, Entry::Refused { sequence, reason: reason.clone() })?;
        Ok(Turn::Went(vec![format!("event {sequence} is refused: {reason}")]))
    }

    /// A transaction's bytes, as they were signed: the chain takes them once.
    async fn resend(&mut self, transaction: B256) -> Result<Turn, DriveError> {
        let found = self.book.state().sent.iter().find(|sent| sent.intent.transaction == transaction);
        let Some(raw) = found.map(|sent| sent.intent.raw.clone()) else { return Ok(Turn::Waits(Waiting::Idle)) };
        if matches!(self.book, Book::Dry(_)) {
            return Ok(Turn::Would(vec![format!("send transaction {transaction} again")]));
        }
        self.hand_over(&raw, transaction).await
    }

    /// A node that refuses bytes it has, or that are mined, says so in words of its own: what counts is whether they are there.
    async fn hand_over(&self, raw: &[u8], transaction: B256) -> Result<Turn, DriveError> {
        match self.means.chain.provider().send_raw_transaction(raw).await {
            Ok(_) => Ok(Turn::Went(vec![format!("sent transaction {transaction}")])),
            Err(error) if error.is_error_resp() => Ok(Turn::Waits(Waiting::UnderWay { transaction })),
            Err(error) => Err(ChainError::from(error).into()),
        }
    }
}

/// An entry that the machine writes by itself, in words.
fn in_words(entry: &Entry) -> String {
    match entry {
        Entry::Landed { transaction, block, success: true, .. } => {
            format!("transaction {transaction} is in block {block}")
        }
        Entry::Landed { transaction, block, success: false, .. } => {
            format!("transaction {transaction} was refused in block {block}")
        }
        Entry::Lapsed { transaction } => {
            format!("transaction {transaction} is given up: the next one takes its number")
        }
        Entry::Ended { request, success: true, .. } => format!("request {request} was filled"),
        Entry::Ended { request, success: false, .. } => format!("request {request} ended unfilled"),
        Entry::Decided { words, .. } => words.join("; "),
        Entry::Refused { reason, .. } => reason.clone(),
        Entry::Began { .. } | Entry::Intent(_) => String::new(),
    }
}
