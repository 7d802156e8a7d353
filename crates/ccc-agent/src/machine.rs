//! The next step, from the journal's state and what the chain shows. No clock, no chain, no file.

use alloy::primitives::{Address, B256};

use crate::{
    approval::{self, Approval},
    limits::{self, Limit},
    plan::{Action, Call, Entry, Event, Item, item_digest},
    policy::Policy,
    state::{Decision, Moment, Sent, State},
};

/// What was found out before a step.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Unix seconds.
    pub now: u64,
    /// The newest block's time that is final and deep enough.
    pub final_time: u64,
    /// Whether the kill switch is there.
    pub stopped: bool,
    /// The newest report that is final, deep enough, and what the contract itself says.
    pub latest: Option<Event>,
    /// What became of the open transaction.
    pub fate: Fate,
    /// One that was given up, and that a deep block has after all: where, and success.
    pub late: Option<(B256, Moment, bool)>,
    /// The sender's number by the deep block, and by the newest; what only waits for a block is in neither.
    pub nonces: (u64, u64),
    /// Approvals that lie there; any may be false.
    pub approvals: Vec<Approval>,
    /// Requests that the pool shows as ended: the deep block that shows it, and their success.
    pub ended: Vec<(B256, Moment, bool)>,
}

/// What became of the open transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// The node does not know it.
    #[default]
    Unknown,
    /// It waits for a block.
    Pending,
    /// A block has it.
    Mined {
        /// Which.
        place: Moment,
        /// Whether it succeeded.
        success: bool,
        /// Whether the block is final and deep enough.
        deep: bool,
    },
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write a line, then ask again.
    Write(Entry),
    /// Hand these bytes to the node again, as they were signed.
    Resend(B256),
    /// See what vouches for this event, open the envelope and choose a route; for a solvent one, see what vouches for it.
    Decide(Event),
    /// Take this action: check it against the chain, sign, journal, send.
    Act(Doing),
    /// Nothing now, and why.
    Wait(Waiting),
}

/// An action of a plan that may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doing {
    /// The event that it answers.
    pub event: Event,
    /// Its place in the plan.
    pub index: u32,
    /// What.
    pub item: Item,
}

/// Why nothing happens now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Waiting {
    /// Nothing is missing.
    #[error("nothing is to be done")]
    Idle,
    /// The kill switch is there.
    #[error("the kill switch is there: nothing is sent")]
    Stopped,
    /// A transaction is under way.
    #[error("transaction {transaction} is under way")]
    UnderWay {
        /// Which.
        transaction: B256,
    },
    /// Gas costs more than the policy allows, or taking the place of what waits would.
    #[error("gas would cost {found} wei a unit, the policy allows {most}")]
    Gas {
        /// The policy's.
        most: u64,
        /// What it would cost.
        found: u128,
    },
    /// A limit that time lifts.
    #[error("{0}")]
    Limit(Limit),
    /// Persons who have to approve.
    #[error("action {action} waits for {persons} more persons")]
    Approval {
        /// Its digest.
        action: B256,
        /// How many.
        persons: usize,
    },
    /// An event that was refused is looked at again later.
    #[error("refused, {reason}; looked at again from {until}")]
    Refused {
        /// Why.
        reason: String,
        /// Unix seconds.
        until: u64,
    },
    /// Refused often enough.
    #[error("refused {times} times, the last time: {reason}")]
    GivenUp {
        /// How often.
        times: usize,
        /// Why.
        reason: String,
    },
    /// The report that a plan answers is not on the chain any more.
    #[error("event {sequence} was in block {expected}, the chain has it in {found}: the plan is not carried out")]
    Reorganised {
        /// The event.
        sequence: u64,
        /// The plan's.
        expected: B256,
        /// The chain's.
        found: B256,
    },
    /// A request is not settled yet: what it brings is in no check.
    #[error("request {request} waits for its round: another check comes after it")]
    Request {
        /// Which.
        request: B256,
    },
    /// The check does not know of the last action yet.
    #[error(
        "event {sequence} is about block {about}, the last action is in block {landed}: a later check is waited for"
    )]
    Older {
        /// The event.
        sequence: u64,
        /// The block that it is about.
        about: u64,
        /// The last action's.
        landed: u64,
    },
    /// The check may rest on a custodian's statement from before the last payment.
    #[error(
        "event {sequence} is of time {about_time}, its statement may be {age} s older, and the last payment is of time \
         {landed}: a later check is waited for"
    )]
    Statement {
        /// The event.
        sequence: u64,
        /// The time of the block that it is about.
        about_time: u64,
        /// The policy's greatest age of a statement.
        age: u64,
        /// The last payment's time.
        landed: u64,
    },
    /// The node shows an older report than one that was acted on.
    #[error("the node's newest report is {found}, {expected} was decided on")]
    Behind {
        /// The greatest that was decided on.
        expected: u64,
        /// The node's.
        found: u64,
    },
    /// Somebody else used the sender's key, or the node does not tell the truth.
    #[error("the sender's next number is {expected}, the node says {found}: nothing is sent")]
    Nonce {
        /// By the journal.
        expected: u64,
        /// The node's.
        found: u64,
    },
}

/// The next step.
#[must_use]
pub fn next(state: &State, facts: &Facts, policy: &Policy, from: Address) -> Step {
    let settled = state.open().map(|sent| settle(state, sent, facts));
    if let Some(entry) = news(state, facts) {
        return Step::Write(entry);
    }
    if let Some(step @ Step::Write(_)) = settled {
        return step;
    }
    let dropped = state.dropped_approval(from, facts.nonces.1).filter(|_| !facts.stopped);
    // what has the number after it could never be mined
    if let Some(transaction) = dropped {
        return Step::Resend(transaction);
    }
    settled.unwrap_or_else(|| begin(state, facts, policy, from))
}

/// What the chain shows of earlier actions.
fn news(state: &State, facts: &Facts) -> Option<Entry> {
    let ended = facts.ended.iter().find(|(id, ..)| !state.ended.contains_key(id));
    if let Some((request, Moment { block, time }, success)) = ended {
        return Some(Entry::Ended { request: *request, block: *block, time: *time, success: *success });
    }
    let (transaction, Moment { block, time }, success) = facts.late?;
    Some(Entry::Landed { transaction, block, time, success })
}

/// Nothing is open: what the newest report asks for.
fn begin(state: &State, facts: &Facts, policy: &Policy, from: Address) -> Step {
    if facts.stopped {
        return Step::Wait(Waiting::Stopped);
    }
    let Some(event) = facts.latest else { return Step::Wait(Waiting::Idle) };
    if let Some(waiting) = check_nonce(state, facts, from).or_else(|| behind(state, &event)) {
        return Step::Wait(waiting);
    }
    match state.decisions.get(&event.sequence) {
        None if event.status == Event::INSOLVENT => undecided(state, event, facts, policy),
        None if event.status == Event::SOLVENT && takes_back(state, policy) => {
            again(state, event.sequence, facts.now, policy).map_or(Step::Decide(event), Step::Wait)
        }
        None if event.status == Event::SOLVENT && policy.buffer.is_some() => next_lot(state, event, facts, policy),
        None => Step::Wait(Waiting::Idle),
        Some(decision) => carry_on(state, decision, &event, facts, policy),
    }
}

fn behind(state: &State, event: &Event) -> Option<Waiting> {
    let (expected, found) = (*state.decisions.keys().next_back()?, event.sequence);
    (found < expected).then_some(Waiting::Behind { expected, found })
}

/// The transaction that is open comes first: nothing is signed beside it.
fn settle(state: &State, sent: &Sent, facts: &Facts) -> Step {
    let intent = &sent.intent;
    let transaction = intent.transaction;
    match facts.fate {
        // an approval moves nothing, and the transaction after it has the next number: it cannot come first. Where another one
        // was signed with its own number, that one could still take its place
        Fate::Mined { place: Moment { block, time }, success, deep }
            if deep || intent.call == Call::Approve && !state.is_contested(intent) =>
        {
            Step::Write(Entry::Landed { transaction, block, time, success })
        }
        Fate::Mined { .. } => Step::Wait(Waiting::UnderWay { transaction }),
        Fate::Unknown | Fate::Pending if intent.deadline.is_some_and(|deadline| facts.final_time > deadline) => {
            Step::Write(Entry::Lapsed { transaction })
        }
        // no block wants it: the next one offers more
        Fate::Pending if intent.deadline.is_none() && facts.now > sent.time.saturating_add(PATIENCE) => {
            Step::Write(Entry::Lapsed { transaction })
        }
        Fate::Pending => Step::Wait(Waiting::UnderWay { transaction }),
        Fate::Unknown if facts.stopped => Step::Wait(Waiting::Stopped),
        Fate::Unknown if is_wanted(state, sent, facts) => Step::Resend(transaction),
        // the next transaction takes its number, so that the chain takes one of the two at most
        Fate::Unknown if intent.deadline.is_none() && facts.latest.is_some() => {
            Step::Write(Entry::Lapsed { transaction })
        }
        Fate::Unknown => Step::Wait(Waiting::UnderWay { transaction }),
    }
}

/// For how long a transaction without a deadline may wait for a block, in seconds.
const PATIENCE: u64 = 1_800;

/// Whether the plan of a transaction still answers the chain's newest report.
fn is_wanted(state: &State, sent: &Sent, facts: &Facts) -> bool {
    let decision = state.decisions.get(&sent.intent.sequence);
    decision.is_some_and(|decision| facts.latest == Some(decision.event) && facts.now <= decision.expiry)
}

fn moved(decision: &Decision, event: &Event) -> Option<Waiting> {
    let (expected, found) = (decision.event.block_hash, event.block_hash);
    (decision.event != *event).then_some(Waiting::Reorganised { sequence: event.sequence, expected, found })
}

fn check_nonce(state: &State, facts: &Facts, from: Address) -> Option<Waiting> {
    let (deep, newest) = facts.nonces;
    let expected = state.next_nonce(from).unwrap_or(deep);
    (newest != expected).then_some(Waiting::Nonce { expected, found: newest })
}

fn undecided(state: &State, event: Event, facts: &Facts, policy: &Policy) -> Step {
    match unsettled(state, &event, policy).or_else(|| again(state, event.sequence, facts.now, policy)) {
        Some(waiting) => Step::Wait(waiting),
        None => Step::Decide(event),
    }
}

/// A lot for the buffer comes at its time alone: what became of the one before changes nothing.
fn next_lot(state: &State, event: Event, facts: &Facts, policy: &Policy) -> Step {
    let every = policy.buffer.map_or(0, |buffer| buffer.every);
    let last = state.principals().filter(|sent| sent.intent.request.is_some()).map(|sent| sent.time).max();
    match last.map(|last| last.saturating_add(every)).filter(|until| facts.now < *until) {
        Some(until) => Step::Wait(Waiting::Limit(Limit::Cooldown { until })),
        None => undecided(state, event, facts, policy),
    }
}

/// What was done for another event must be in the check, and in the custodian's statement that it rests on: the same hole
/// would be filled twice.
fn unsettled(state: &State, event: &Event, policy: &Policy) -> Option<Waiting> {
    let Event { sequence, about, about_time, .. } = *event;
    if let Some((_, request)) = state.pending().find(|(of, _)| *of != sequence) {
        return Some(Waiting::Request { request });
    }
    let others = || state.effects().filter(|effect| effect.sequence != sequence);
    if let Some(landed) = others().map(|effect| effect.at.block).max().filter(|landed| about <= *landed) {
        return Some(Waiting::Older { sequence, about, landed });
    }
    let age = policy.limits.max_statement_age;
    let stated = others().filter(|effect| effect.stated).map(|effect| effect.at.time).max();
    let landed = stated.filter(|landed| about_time.saturating_sub(age) <= *landed)?;
    Some(Waiting::Statement { sequence, about_time, age, landed })
}

/// Whether an event that was refused has to wait.
fn again(state: &State, sequence: u64, now: u64, policy: &Policy) -> Option<Waiting> {
    let (times, reason) = state.refusals.get(&sequence)?;
    if times.len() >= usize::try_from(policy.limits.attempts).unwrap_or(usize::MAX) {
        return Some(Waiting::GivenUp { times: times.len(), reason: reason.clone() });
    }
    let until = times.last()?.saturating_add(policy.limits.cooldown.max(1));
    (now < until).then(|| Waiting::Refused { reason: reason.clone(), until })
}

/// Whether something waits at the pool that a solvent reserve does not need. A lot of the buffer was asked for when it was
/// solvent already, and is not taken back.
#[must_use]
pub fn takes_back(state: &State, policy: &Policy) -> bool {
    needless_requests(state, policy).next().is_some()
}

fn needless_requests<'a>(state: &'a State, policy: &Policy) -> impl Iterator<Item = B256> + 'a {
    let lots = policy.buffer.is_some();
    let is_lot =
        |sequence: &u64| state.decisions.get(sequence).is_some_and(|decision| decision.event.status == Event::SOLVENT);
    state.pending().filter(move |(sequence, _)| !lots || !is_lot(sequence)).map(|(_, request)| request)
}

/// The reserve is solvent: what was asked for to make it so is taken back. The caller has seen what vouches for the event.
#[must_use]
pub fn cancellation(state: &State, policy: &Policy, event: Event, now: u64) -> Entry {
    let requests: Vec<B256> = needless_requests(state, policy).collect();
    let words = vec![format!("the reserve is solvent: {} requests are taken back", requests.len())];
    let items = requests.into_iter().map(|request| Item { action: Action::Cancel { request }, value: 0 }).collect();
    Entry::Decided { event, items, expiry: now.saturating_add(CANCELLING), words }
}

/// How long a cancellation is tried, in seconds.
const CANCELLING: u64 = 86_400;

/// The first action of the plan that is not done.
fn carry_on(state: &State, decision: &Decision, event: &Event, facts: &Facts, policy: &Policy) -> Step {
    if let Some(waiting) = moved(decision, event) {
        return Step::Wait(waiting);
    }
    if facts.now > decision.expiry {
        return Step::Wait(Waiting::Idle);
    }
    // what was given up for another event may have landed since
    let cancels = decision.items.iter().all(|item| matches!(item.action, Action::Cancel { .. }));
    let older = if cancels { None } else { unsettled(state, event, policy) };
    if let Some(waiting) = older.or_else(|| again(state, event.sequence, facts.now, policy)) {
        return Step::Wait(waiting);
    }
    let mut given_up = None;
    for (index, item) in (0u32..).zip(&decision.items) {
        if state.is_done(event.sequence, index) || is_needless(state, item) {
            continue;
        }
        match may(state, Doing { event: *event, index, item: *item }, facts, policy) {
            // one that is over leaves the others their turn
            Step::Wait(Waiting::Limit(limit)) if !limit.passes() => given_up = given_up.or(Some(limit)),
            step => return step,
        }
    }
    Step::Wait(given_up.map_or(Waiting::Idle, Waiting::Limit))
}

/// A request that ended by itself needs no cancellation.
fn is_needless(state: &State, item: &Item) -> bool {
    matches!(item.action, Action::Cancel { request } if state.ended.contains_key(&request))
}

fn may(state: &State, doing: Doing, facts: &Facts, policy: &Policy) -> Step {
    let Doing { event, index, item } = doing;
    if let Err(limit) = limits::admit(state, policy, facts.now, (event.sequence, index), &item) {
        return Step::Wait(Waiting::Limit(limit));
    }
    let place = (policy.chain_id, &policy.contracts.attestation);
    let action = B256::from(item_digest(place, &event, index, &item));
    match approval::missing(policy, &facts.approvals, &action, item.value) {
        0 => Step::Act(doing),
        persons => Step::Wait(Waiting::Approval { action, persons }),
    }
}
