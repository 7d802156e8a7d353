//! What the journal adds up to. The same lines give the same state, on every machine.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};

use crate::plan::{Action, Call, Entry, Event, Intent, Item};

/// A plan for an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The event.
    pub event: Event,
    /// Its actions.
    pub items: Vec<Item>,
    /// The second after which the envelope may not be acted on.
    pub expiry: u64,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// On the chain, and it did what it was for.
    Done,
    /// On the chain, and refused there.
    Reverted,
    /// It can do nothing any more.
    Lapsed,
}

/// A transaction that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Which.
    pub intent: Intent,
    /// When it was journalled.
    pub time: u64,
    /// How it ended; none while nobody knows.
    pub end: Option<End>,
    /// The block that has it.
    pub place: Option<Moment>,
}

/// A block and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Its number.
    pub block: u64,
    /// Unix seconds.
    pub time: u64,
}

/// Something that made a hole smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The event that it answered.
    pub sequence: u64,
    /// When it was there at the latest.
    pub at: Moment,
    /// Whether a check knows of it by the custodian's statement, which is older than the check's block.
    pub stated: bool,
}

/// What was decided, sent and refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Plans by the event's sequence. The first one stands.
    pub decisions: BTreeMap<u64, Decision>,
    /// Transactions in the order in which they were signed.
    pub sent: Vec<Sent>,
    /// Refusals of an event: when, and the last reason.
    pub refusals: BTreeMap<u64, (Vec<u64>, String)>,
    /// Requests that ended: where that was seen, and their success.
    pub ended: BTreeMap<B256, (Moment, bool)>,
}

/// A line that cannot follow the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Inconsistent {
    /// A second plan for an event.
    #[error("event {sequence} has two plans")]
    TwoPlans {
        /// The event.
        sequence: u64,
    },
    /// A transaction while another one is open, of no plan, or done before.
    #[error("transaction {transaction} does not follow from what was decided")]
    Transaction {
        /// Which.
        transaction: B256,
    },
    /// An end of what is not open.
    #[error("transaction {transaction} is not open")]
    NotOpen {
        /// Which.
        transaction: B256,
    },
}

impl State {
    /// Takes one line in.
    ///
    /// # Errors
    /// [`Inconsistent`]; the state is as it was.
    pub fn apply(&mut self, time: u64, entry: Entry) -> Result<(), Inconsistent> {
        match entry {
            Entry::Began { .. } => {}
            Entry::Decided { event, items, expiry, .. } => {
                let sequence = event.sequence;
                if self.decisions.contains_key(&sequence) {
                    return Err(Inconsistent::TwoPlans { sequence });
                }
                self.decisions.insert(sequence, Decision { event, items, expiry });
            }
            Entry::Refused { sequence, reason } => {
                let (times, last) = self.refusals.entry(sequence).or_default();
                times.push(time);
                *last = reason;
            }
            Entry::Intent(intent) => self.open_one(time, intent)?,
            Entry::Landed { transaction, success, block, time } => {
                let place = Moment { block, time };
                self.end(transaction, if success { End::Done } else { End::Reverted }, Some(place))?;
            }
            Entry::Lapsed { transaction } => self.end(transaction, End::Lapsed, None)?,
            Entry::Ended { request, success, block, time } => {
                self.ended.insert(request, (Moment { block, time }, success));
            }
        }
        Ok(())
    }

    fn open_one(&mut self, time: u64, intent: Intent) -> Result<(), Inconsistent> {
        let Intent { sequence, index, transaction, nonce, from, value, .. } = intent;
        let item = self.item(sequence, index);
        let bound = item.is_some_and(|item| match intent.call {
            Call::Approve => value == 0 && matches!(item.action, Action::Swap { .. }),
            Call::Principal => value <= item.value,
        });
        let next = self.next_nonce(from).is_none_or(|next| next == nonce);
        if self.open().is_some() || !bound || !next || self.is_done(sequence, index) {
            return Err(Inconsistent::Transaction { transaction });
        }
        self.sent.push(Sent { intent, time, end: None, place: None });
        Ok(())
    }

    /// One that lapsed may still be taken by a block, which then has its number: it lands late, and whatever else was signed
    /// with that number never can.
    fn end(&mut self, transaction: B256, end: End, place: Option<Moment>) -> Result<(), Inconsistent> {
        let not_open = Inconsistent::NotOpen { transaction };
        let found = self.unsettled().find(|sent| sent.intent.transaction == transaction).ok_or(not_open)?;
        if end == End::Lapsed && found.end.is_some() {
            return Err(not_open);
        }
        let (from, nonce) = (found.intent.from, found.intent.nonce);
        for sent in self.sent.iter_mut().filter(|sent| (sent.intent.from, sent.intent.nonce) == (from, nonce)) {
            let own = sent.intent.transaction == transaction;
            (sent.end, sent.place) = if own { (Some(end), place) } else { (sent.end.or(Some(End::Lapsed)), None) };
        }
        Ok(())
    }

    /// The transactions of the last number, of which none is known to have landed: the chain takes at most one of them.
    pub fn unsettled(&self) -> impl Iterator<Item = &Sent> {
        let last = self.sent.last().map(|sent| (sent.intent.from, sent.intent.nonce));
        let of_last = self.sent.iter().filter(move |sent| Some((sent.intent.from, sent.intent.nonce)) == last);
        let landed = of_last.clone().any(|sent| matches!(sent.end, Some(End::Done | End::Reverted)));
        of_last.filter(move |_| !landed)
    }

    /// The transaction whose end nobody knows yet.
    #[must_use]
    pub fn open(&self) -> Option<&Sent> {
        self.sent.last().filter(|sent| sent.end.is_none())
    }

    /// An action of a plan.
    #[must_use]
    pub fn item(&self, sequence: u64, index: u32) -> Option<&Item> {
        self.decisions.get(&sequence)?.items.get(usize::try_from(index).ok()?)
    }

    /// The transactions of an action itself, without approvals.
    pub fn tries(&self, sequence: u64, index: u32) -> impl Iterator<Item = &Sent> {
        self.principals().filter(move |sent| sent.intent.sequence == sequence && sent.intent.index == index)
    }

    /// The transactions of all actions, without approvals.
    pub fn principals(&self) -> impl Iterator<Item = &Sent> {
        self.sent.iter().filter(|sent| sent.intent.call == Call::Principal)
    }

    /// Whether an action was done.
    #[must_use]
    pub fn is_done(&self, sequence: u64, index: u32) -> bool {
        self.tries(sequence, index).any(|sent| sent.end == Some(End::Done))
    }

    /// The number that the sender's next transaction must have: the one after the last that landed, or the one of the last that
    /// lapsed, so that the chain takes at most one of the two, whatever a node says. None before the first.
    #[must_use]
    pub fn next_nonce(&self, from: Address) -> Option<u64> {
        let nonce = self.sent.iter().rev().find(|sent| sent.intent.from == from)?.intent.nonce;
        let of_it = self.sent.iter().filter(|sent| sent.intent.from == from && sent.intent.nonce == nonce);
        let landed = of_it.into_iter().any(|sent| matches!(sent.end, Some(End::Done | End::Reverted)));
        if landed { nonce.checked_add(1) } else { Some(nonce) }
    }

    /// What was done: swaps and payments when they landed, requests when they were filled. One that was signed later than its
    /// block says counts from then: a node makes nothing older than it is.
    pub fn effects(&self) -> impl Iterator<Item = Effect> {
        let done = self.principals().filter(|sent| sent.end == Some(End::Done));
        done.filter_map(|sent| {
            let sequence = sent.intent.sequence;
            let signed = |at: Moment| Moment { time: at.time.max(sent.time), ..at };
            match self.item(sequence, sent.intent.index)?.action {
                Action::Swap { .. } | Action::Send { .. } => {
                    Some(Effect { sequence, at: signed(sent.place?), stated: true })
                }
                Action::Request { .. } => {
                    let (at, success) = self.ended.get(&sent.intent.request?)?;
                    success.then_some(Effect { sequence, at: signed(*at), stated: false })
                }
                Action::Cancel { .. } => None,
            }
        })
    }

    /// Requests that were made and have not ended, with their events.
    pub fn pending(&self) -> impl Iterator<Item = (u64, B256)> {
        let done = self.principals().filter(|sent| sent.end == Some(End::Done));
        let made = done.filter_map(|sent| Some((sent.intent.sequence, sent.intent.request?)));
        made.filter(|(_, id)| !self.ended.contains_key(id))
    }

    /// Requests that were made and have not ended.
    #[must_use]
    pub fn pending_requests(&self) -> Vec<B256> {
        self.pending().map(|(_, id)| id).collect()
    }

    /// An approval that was on the chain by a block that is gone: the node's next number for the sender is its own again.
    #[must_use]
    pub fn dropped_approval(&self, from: Address, next: u64) -> Option<B256> {
        let landed = || self.sent.iter().filter(|sent| sent.place.is_some() && sent.intent.from == from);
        if landed().any(|sent| sent.intent.call == Call::Principal && sent.intent.nonce >= next) {
            // what is deep goes with no reorganisation: the node is behind, or lies
            return None;
        }
        let of_it = landed().find(|sent| (sent.intent.nonce, sent.intent.call) == (next, Call::Approve));
        of_it.map(|sent| sent.intent.transaction)
    }

    /// Whether another transaction was signed with the number of this one.
    #[must_use]
    pub fn is_contested(&self, intent: &Intent) -> bool {
        let same = |sent: &&Sent| (sent.intent.from, sent.intent.nonce) == (intent.from, intent.nonce);
        self.sent.iter().filter(same).count() > 1
    }
}
