//! A cast of participants, and boards on which some of them say something else than their program would.

use super::package::Package;
use super::{Committed, Complained, Culprit, Opened, Participant, Party, Run, StateError, Step, Unconfirmed};
use crate::envelope::Envelope;
use crate::epoch::Epoch;
use crate::identifier::Identifier;
use crate::keys::board::{Board, BoardError, MemoryBoard, Round};
use crate::keys::participant::ParticipantKeys;
use crate::keys::roster::Roster;
use crate::keys::session::Session;
use crate::threshold::Threshold;
use alloc::vec::Vec;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

pub(crate) mod change;
mod restart;

pub(crate) use restart::{Log, with_restarts};

pub(crate) const NONCE: [u8; 32] = [9; 32];

pub(crate) fn id(i: u16) -> Identifier {
    Identifier::new(i).unwrap()
}

pub(crate) type Keys = Vec<(Identifier, ParticipantKeys)>;

pub(crate) fn keys(numbers: impl IntoIterator<Item = u16>, rng: &mut ChaCha20Rng) -> Keys {
    numbers.into_iter().map(|i| (id(i), ParticipantKeys::generate(rng).unwrap())).collect()
}

pub(crate) fn roster(epoch: u64, threshold: Threshold, keys: &Keys) -> Roster {
    Roster::new(Epoch(epoch), threshold, keys.iter().map(|(i, keys)| keys.public(*i)).collect()).unwrap()
}

pub(crate) fn cast(n: u16, rng: &mut ChaCha20Rng) -> (Roster, Keys) {
    let keys = keys(1..=n, rng);
    (roster(1, Threshold::default_for(n).unwrap(), &keys), keys)
}

/// A board that shows `alter` every message, and carries what it gives instead.
pub(crate) struct Tampered<F> {
    pub(crate) inner: MemoryBoard,
    pub(crate) alter: F,
}

impl<F: FnMut(Round, Envelope) -> Vec<Envelope>> Board for Tampered<F> {
    fn nonce(&self) -> [u8; 32] {
        self.inner.nonce()
    }
    fn post(&mut self, round: Round, envelope: Envelope) -> Result<(), BoardError> {
        (self.alter)(round, envelope).into_iter().try_for_each(|e| self.inner.post(round, e))
    }
    fn close(&mut self, round: Round) -> Result<Vec<Envelope>, BoardError> {
        self.inner.close(round)
    }
}

/// A board that shows `alter` a whole round before anybody else reads it.
pub(crate) struct Rewritten<F> {
    pub(crate) inner: MemoryBoard,
    pub(crate) alter: F,
}

impl<F: FnMut(Round, &mut Vec<Envelope>)> Board for Rewritten<F> {
    fn nonce(&self) -> [u8; 32] {
        self.inner.nonce()
    }
    fn post(&mut self, round: Round, envelope: Envelope) -> Result<(), BoardError> {
        self.inner.post(round, envelope)
    }
    fn close(&mut self, round: Round) -> Result<Vec<Envelope>, BoardError> {
        let mut seen = self.inner.close(round)?;
        (self.alter)(round, &mut seen);
        Ok(seen)
    }
}

pub(crate) fn signed(session: &Session, keys: &ParticipantKeys, i: Identifier, package: Package) -> Envelope {
    let (roster, (kind, payload)) = (session.roster(), package.encode());
    Envelope::sign(keys, &roster.digest(), roster.epoch(), i, &session.id(), kind, payload).unwrap()
}

/// Role, number and fault of everybody at fault.
pub(crate) fn named(culprits: &[Culprit]) -> Vec<(super::Role, u16, super::Fault)> {
    culprits.iter().map(|c| (c.role, c.identifier.get(), c.fault.clone())).collect()
}
