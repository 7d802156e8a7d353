//! The host of an enclave: asks every participant, again until it answers, and opens with what came.

use super::{Word, asks::Prepared};
use crate::network::{Event, MILLI, Micros, Outbox};
use ccc_core::{
    envelope::Envelope,
    identifier::Identifier,
    vault::{CombineError, Culprit},
};
use std::collections::BTreeMap;

/// How often it asks again.
const AGAIN: Micros = 300 * MILLI;

/// How long it goes on once everybody has answered: for the second message of whoever says two things.
const GRACE: Micros = 100 * MILLI;
/// Marks a timer that ends [`GRACE`].
const OVER: u64 = 1 << 32;

/// When it tries to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// As soon as t have answered, and again with each answer after that.
    First,
    /// A while after everybody has answered, or so long after the beginning of the request.
    All(Micros),
}

/// One request under way.
pub(crate) struct Pending {
    pub(crate) prepared: Prepared,
    /// When it begins.
    pub(crate) at: Micros,
    answers: Vec<Envelope>,
    answered: BTreeMap<Identifier, usize>,
    pub(crate) opened: Option<(Micros, Vec<Culprit>)>,
    /// What the enclave said when the time was over.
    pub(crate) refused: Option<CombineError>,
}

impl Pending {
    pub(crate) fn new(prepared: Prepared, at: Micros) -> Self {
        Self { prepared, at, answers: Vec::new(), answered: BTreeMap::new(), opened: None, refused: None }
    }

    /// How long it took, or nothing if it is not opened.
    pub(crate) fn latency(&self) -> Option<Micros> {
        self.opened.as_ref().map(|(at, _)| at - self.at)
    }
}

/// The host, with every request that it makes.
pub(crate) struct Asker {
    pub(crate) requests: Vec<Pending>,
    nodes: usize,
    threshold: usize,
    patience: Patience,
    timeout: Micros,
}

impl Asker {
    pub(crate) fn new(
        requests: Vec<Pending>,
        nodes: usize,
        threshold: usize,
        patience: Patience,
        timeout: Micros,
    ) -> Self {
        Self { requests, nodes, threshold, patience, timeout }
    }

    pub(crate) fn take(&mut self, event: Event<Word>, out: &mut Outbox<Word>) {
        match event {
            Event::Started => {
                for (index, pending) in (0..).zip(&self.requests) {
                    out.after(pending.at, index);
                }
            }
            Event::Timer(token) if token >= OVER => self.end(index(token - OVER), out.now),
            Event::Timer(token) => self.ask(index(token), out),
            Event::Message(_, Word::Answer(envelope)) => self.answer(&envelope, out),
            Event::Message(_, Word::Ask(_)) => {}
        }
    }

    fn ask(&mut self, index: usize, out: &mut Outbox<Word>) {
        let (nodes, patience, timeout) = (self.nodes, self.patience, self.timeout);
        let pending = &mut self.requests[index];
        let waited = out.now - pending.at;
        if let Patience::All(most) = patience
            && waited >= most
            && pending.opened.is_none()
        {
            pending.open(out.now);
        }
        if pending.opened.is_some() {
            return;
        }
        if waited >= timeout && pending.refused.is_none() {
            pending.refused = pending.prepared.open(pending.answers.clone()).err();
        }
        for node in 1..=nodes {
            let silent = Identifier::new(u16::try_from(node).expect("at most 1024"))
                .is_ok_and(|i| !pending.answered.contains_key(&i));
            if silent {
                out.send(node, Word::Ask(pending.prepared.ask.clone()));
            }
        }
        out.after(AGAIN, index as u64);
    }

    fn answer(&mut self, envelope: &Envelope, out: &mut Outbox<Word>) {
        let (nodes, threshold, patience) = (self.nodes, self.threshold, self.patience);
        let asked = (0..).zip(&mut self.requests).find(|(_, pending)| pending.prepared.is_valid(envelope));
        let Some((index, pending)) = asked.filter(|(_, pending)| pending.opened.is_none()) else { return };
        pending.answers.push(envelope.clone());
        *pending.answered.entry(envelope.identifier()).or_default() += 1;
        match patience {
            Patience::First if pending.answered.len() >= threshold => pending.open(out.now),
            Patience::All(_) if pending.answered.len() >= nodes => out.after(GRACE, OVER + index),
            Patience::First | Patience::All(_) => {}
        }
    }

    fn end(&mut self, index: usize, now: Micros) {
        let pending = &mut self.requests[index];
        if pending.opened.is_none() {
            pending.open(now);
        }
    }
}

fn index(token: u64) -> usize {
    usize::try_from(token).expect("an index")
}

impl Pending {
    fn open(&mut self, now: Micros) {
        if let Ok(culprits) = self.prepared.open(self.answers.clone()) {
            self.opened = Some((now, culprits));
        }
    }
}
