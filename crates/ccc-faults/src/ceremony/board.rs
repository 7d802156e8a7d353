//! The board as a host: rounds that end once everybody has spoken, or by its clock.

use super::{ROUNDS, Word};
use crate::network::{Event, MILLI, Micros, Outbox};
use ccc_core::{
    envelope::Envelope,
    identifier::Identifier,
    keys::{
        Committee, Session,
        board::Round,
        rounds::{Posted, Posting},
    },
};
use std::{collections::BTreeSet, sync::Arc};

/// How long a round goes on once everybody has spoken: for the second message of whoever says two things.
const GRACE: Micros = 100 * MILLI;

/// What a round carried when it ended.
pub(crate) struct Carried {
    pub(crate) envelopes: Vec<Envelope>,
    pub(crate) digest: [u8; 32],
}

#[derive(Default)]
struct Running {
    envelopes: Vec<Envelope>,
    spoke: BTreeSet<Identifier>,
    closed: Option<Arc<Carried>>,
}

/// A board that carries whatever is posted to the running round, copies too.
pub(crate) struct BoardHost {
    session: Session,
    members: usize,
    wait: Micros,
    at: usize,
    rounds: [Running; 4],
}

impl BoardHost {
    pub(crate) fn new(session: Session, members: usize, wait: Micros) -> Self {
        Self { session, members, wait, at: 0, rounds: Default::default() }
    }

    pub(crate) fn carried(&self) -> Option<[Arc<Carried>; 4]> {
        let [commit, open, complain, confirm] = &self.rounds;
        Some([commit.closed.clone()?, open.closed.clone()?, complain.closed.clone()?, confirm.closed.clone()?])
    }

    pub(crate) fn take(&mut self, event: Event<Word>, out: &mut Outbox<Word>) {
        match event {
            Event::Started => out.after(self.wait, 0),
            Event::Timer(round) if usize::try_from(round) == Ok(self.at) => self.close(out),
            Event::Message(from, Word::Post(round, envelope)) => self.post(from, round, &envelope, out),
            Event::Message(from, Word::Read(round)) => {
                if let Some(carried) = &self.rounds[round as usize].closed {
                    out.send(from, Word::Closed(round, Arc::clone(carried)));
                }
            }
            Event::Timer(_) | Event::Message(..) => {}
        }
    }

    fn post(&mut self, from: usize, round: Round, envelope: &Arc<Envelope>, out: &mut Outbox<Word>) {
        if round as usize != self.at {
            return;
        }
        let running = &mut self.rounds[self.at];
        running.envelopes.push(Envelope::clone(envelope));
        if let Some(posted) = Posted::of(&self.session, envelope).filter(|posted| is_last(round, posted.posting)) {
            running.spoke.insert(posted.sender);
        }
        out.send(from, Word::Kept(super::digest(envelope)));
        if self.rounds[self.at].spoke.len() >= self.expected() {
            out.after(GRACE, self.at as u64);
        }
    }

    /// Dealers in the first two rounds, receivers in the others.
    fn expected(&self) -> usize {
        let old = self.session.old().map(Committee::roster).filter(|_| self.at < 2);
        old.unwrap_or(self.session.roster()).members().len()
    }

    fn close(&mut self, out: &mut Outbox<Word>) {
        let running = &mut self.rounds[self.at];
        let envelopes = std::mem::take(&mut running.envelopes);
        let mut hash = blake3::Hasher::new();
        for envelope in &envelopes {
            hash.update(&envelope.to_bytes());
        }
        let carried = Arc::new(Carried { envelopes, digest: hash.finalize().into() });
        running.closed = Some(Arc::clone(&carried));
        let round = ROUNDS[self.at];
        (1..=self.members).for_each(|member| out.send(member, Word::Closed(round, Arc::clone(&carried))));
        self.at += 1;
        if self.at < ROUNDS.len() {
            out.after(self.wait, self.at as u64);
        }
    }
}

/// Whether a sender has nothing more to say in a round.
fn is_last(round: Round, posting: Posting) -> bool {
    posting.round() == round && posting != Posting::Complaint
}
