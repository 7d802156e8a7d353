//! A participant of a session as a host: it stores its state, then posts, and after a crash goes on from what it stored.

use super::{BOARD, Gives, Settled, Word, digest, lies::Liar};
use crate::network::{Event, MILLI, Micros, Outbox};
use ccc_core::{
    envelope::Envelope,
    keys::{
        board::Round,
        rounds::{
            Committed, Complained, Opened, Participant, Party, RoundsError, StateError, Step, Unconfirmed, step_of,
        },
    },
    zeroize::Zeroizing,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::sync::Arc;

/// How often it asks again and posts again.
const AGAIN: Micros = 200 * MILLI;
const ASK: u64 = 0;
const COMMIT: u64 = 1;

enum Stage<'k, P> {
    Off,
    Joined(Participant<'k, P>),
    Committed(Committed<'k, P>),
    Opened(Opened<'k, P>),
    Complained(Complained<'k, P>),
    Unconfirmed(Unconfirmed<'k, P>),
}

/// Why a member ended without a result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MemberError {
    #[error(transparent)]
    Rounds(#[from] RoundsError),
    #[error("its stored state: {0}")]
    State(#[from] StateError),
}

/// A participant, its disk, and what it has still to post.
pub(crate) struct Member<'k, P: Gives> {
    party: Party<'k, P>,
    seed: u64,
    lives: u64,
    /// Whether it stores its state before it posts: the guard of the row of restarts.
    stores: bool,
    liar: Option<Liar<'k>>,
    disk: Option<Zeroizing<Vec<u8>>>,
    stage: Stage<'k, P>,
    /// By digest, in the order in which it says them, copies too.
    unposted: Vec<([u8; 32], Round, Arc<Envelope>)>,
    awaits: Round,
    pub(crate) ended: Option<Result<Settled, MemberError>>,
    /// In which steps it crashed.
    pub(crate) crashed_in: Vec<Step>,
}

impl<'k, P: Gives> Member<'k, P> {
    pub(crate) fn new(party: Party<'k, P>, seed: u64, stores: bool, liar: Option<Liar<'k>>) -> Self {
        Self {
            party,
            seed,
            lives: 0,
            stores,
            liar,
            disk: None,
            stage: Stage::Off,
            unposted: Vec::new(),
            awaits: Round::Commit,
            ended: None,
            crashed_in: Vec::new(),
        }
    }

    pub(crate) fn take(&mut self, event: Event<Word>, out: &mut Outbox<Word>) {
        let moved = match event {
            Event::Started => self.start(out),
            Event::Timer(COMMIT) => self.commit(),
            Event::Timer(_) => self.ask(out),
            Event::Message(_, Word::Kept(digest)) => {
                self.unposted.retain(|(unposted, ..)| *unposted != digest);
                Ok(())
            }
            Event::Message(_, Word::Closed(round, carried)) if round == self.awaits => self.advance(&carried.envelopes),
            Event::Message(..) => Ok(()),
        };
        match moved {
            Ok(()) => self.post(out),
            Err(error) => {
                self.unposted.clear();
                self.ended = self.ended.take().or(Some(Err(error)));
            }
        }
    }

    pub(crate) fn crash(&mut self) {
        let step = self.disk.as_deref().and_then(|bytes| step_of(bytes).ok());
        self.crashed_in.extend(step.filter(|_| self.ended.is_none()));
        self.stage = Stage::Off;
        self.unposted.clear();
        if !self.stores {
            self.disk = None;
        }
    }

    fn start(&mut self, out: &mut Outbox<Word>) -> Result<(), MemberError> {
        out.after(AGAIN, ASK);
        self.lives += 1;
        if self.ended.is_some() {
            return Ok(());
        }
        match self.disk.clone() {
            Some(bytes) => self.read(&bytes, out),
            None => self.join(out),
        }
    }

    fn join(&mut self, out: &mut Outbox<Word>) -> Result<(), MemberError> {
        self.awaits = Round::Commit;
        let mut rng = ChaCha20Rng::seed_from_u64(self.seed ^ (self.lives << 32));
        let joined = Participant::join(self.party.clone(), &mut rng)?;
        self.disk = Some(joined.to_bytes());
        self.stage = Stage::Joined(joined);
        out.after(MILLI, COMMIT);
        Ok(())
    }

    /// What it stored, after a crash: it goes on from there, and posts the same again.
    fn read(&mut self, bytes: &[u8], out: &mut Outbox<Word>) -> Result<(), MemberError> {
        let party = self.party.clone();
        match step_of(bytes).map_err(StateError::from)? {
            Step::Joined => {
                self.stage = Stage::Joined(Participant::from_bytes(bytes, party)?);
                out.after(MILLI, COMMIT);
            }
            Step::Committed => self.committed(Committed::from_bytes(bytes, party)?),
            Step::Opened => self.opened(Opened::from_bytes(bytes, party)?),
            Step::Complained => self.complained(Complained::from_bytes(bytes, party)?)?,
            Step::Unconfirmed => self.unconfirmed(Unconfirmed::from_bytes(bytes, party)?),
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), MemberError> {
        if let Stage::Joined(joined) = std::mem::replace(&mut self.stage, Stage::Off) {
            self.committed(joined.commit()?);
        }
        Ok(())
    }

    fn advance(&mut self, carried: &[Envelope]) -> Result<(), MemberError> {
        match std::mem::replace(&mut self.stage, Stage::Off) {
            Stage::Committed(state) => self.opened(state.open(carried)?),
            Stage::Opened(state) => self.complained(state.complain(carried)?)?,
            Stage::Complained(state) => self.unconfirmed(state.finish(carried)?),
            Stage::Unconfirmed(state) => {
                self.unposted.clear();
                self.ended = Some(Ok(P::settle(state.confirm(carried)?)));
            }
            other => self.stage = other,
        }
        Ok(())
    }

    fn committed(&mut self, state: Committed<'k, P>) {
        self.disk = Some(state.to_bytes());
        self.say(Round::Commit, state.outgoing().to_vec());
        self.stage = Stage::Committed(state);
    }

    fn opened(&mut self, state: Opened<'k, P>) {
        self.disk = Some(state.to_bytes());
        self.say(Round::Open, state.outgoing().to_vec());
        self.stage = Stage::Opened(state);
    }

    fn complained(&mut self, state: Complained<'k, P>) -> Result<(), MemberError> {
        self.disk = Some(state.to_bytes());
        let mut envelopes = state.outgoing().to_vec();
        envelopes.extend(state.no_more_complaints()?);
        self.say(Round::Complain, envelopes);
        self.stage = Stage::Complained(state);
        Ok(())
    }

    fn unconfirmed(&mut self, state: Unconfirmed<'k, P>) {
        self.disk = Some(state.to_bytes());
        self.say(Round::Confirm, state.outgoing().to_vec());
        self.stage = Stage::Unconfirmed(state);
    }

    /// What the round before was to carry and does not is late now.
    fn say(&mut self, round: Round, envelopes: Vec<Envelope>) {
        self.awaits = round;
        let envelopes = match &self.liar {
            Some(liar) => liar.says(round, envelopes),
            None => envelopes,
        };
        let unposted = envelopes.into_iter().map(|envelope| (digest(&envelope), round, Arc::new(envelope)));
        self.unposted = unposted.collect();
    }

    /// The first of what it has to say, with its copies: the next goes once the board has that one, so that the board has them
    /// in this order.
    fn post(&self, out: &mut Outbox<Word>) {
        let Some((first, ..)) = self.unposted.first() else { return };
        for (_, round, envelope) in self.unposted.iter().filter(|(digest, ..)| digest == first) {
            out.send(BOARD, Word::Post(*round, Arc::clone(envelope)));
        }
    }

    fn ask(&mut self, out: &mut Outbox<Word>) -> Result<(), MemberError> {
        if self.ended.is_none() {
            out.send(BOARD, Word::Read(self.awaits));
            out.after(AGAIN, ASK);
        }
        Ok(())
    }
}
