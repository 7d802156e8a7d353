//! A directory of messages of one repair.

use super::board::each_file;
use crate::error::Error;
use ccc_core::{encoding::Kind, envelope::Envelope, identifier::Identifier, keys::repair::RepairSession, suite};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
};

/// Messages of one sender in one round that are kept, beside one per helper.
const MAX_PER_SENDER: usize = 4;

/// The rounds in which helpers speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Stage {
    /// A weighted share in parts.
    Split = 1,
    /// The sums of the parts, or complaints about them.
    Sum = 2,
    /// Complaints about the sums.
    Complaints = 3,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Split => "split",
            Self::Sum => "sum",
            Self::Complaints => "complaints",
        })
    }
}

/// The messages of one repair, in an order that is the same for everybody.
pub(crate) struct RepairBoard {
    rounds: BTreeMap<Stage, BTreeMap<Identifier, BTreeMap<[u8; 32], Envelope>>>,
    /// Files that count for nothing, and why.
    pub(crate) notes: Vec<String>,
}

impl RepairBoard {
    /// Reads the directory. One that does not exist is empty.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub(crate) fn read(directory: &Path, session: &RepairSession) -> Result<Self, Error> {
        let mut board = Self { rounds: BTreeMap::new(), notes: Vec::new() };
        board.notes = each_file(directory, |bytes| {
            let counts = Envelope::from_bytes(bytes).is_ok_and(|envelope| board.add(session, envelope));
            if counts { Ok(()) } else { Err("it is no message of this repair") }
        })?;
        Ok(board)
    }

    /// Adds a message, if it counts for this session; the request itself does, and is in no round.
    pub(crate) fn add(&mut self, session: &RepairSession, envelope: Envelope) -> bool {
        let signed = envelope.topic() == session.id() && envelope.verify(session.committee()).is_ok();
        if signed && envelope.kind() == Kind::RepairRequest {
            return true;
        }
        let Some(stage) = stage(session, &envelope).filter(|_| signed) else { return false };
        let messages = self.rounds.entry(stage).or_default().entry(envelope.identifier()).or_default();
        messages.insert(suite::digest(&envelope.to_bytes()), envelope);
        if messages.len() > MAX_PER_SENDER.max(session.helpers().len()) {
            messages.pop_last();
        }
        true
    }

    /// Everything that was said in a round, in the order of everybody.
    pub(crate) fn envelopes(&self, stage: Stage) -> Vec<Envelope> {
        self.messages(stage).into_values().cloned().collect()
    }

    /// digest32 H("digest"; session ‖ round u8 ‖ digests of its messages, ascending): for people to compare.
    pub(crate) fn digest(&self, session: &RepairSession, stage: Stage) -> [u8; 32] {
        let front = session.id().into_iter().chain([stage as u8]);
        suite::digest(&front.chain(self.messages(stage).into_keys().flatten().copied()).collect::<Vec<u8>>())
    }

    /// The helpers of whom nothing is here.
    pub(crate) fn missing(&self, session: &RepairSession, stage: Stage) -> Vec<Identifier> {
        let here: BTreeSet<_> = self.rounds.get(&stage).into_iter().flat_map(BTreeMap::keys).collect();
        session.helpers().iter().filter(|helper| !here.contains(helper)).copied().collect()
    }

    fn messages(&self, stage: Stage) -> BTreeMap<&[u8; 32], &Envelope> {
        self.rounds.get(&stage).into_iter().flat_map(BTreeMap::values).flatten().collect()
    }
}

/// The round of a signed message, by its first byte; what is malformed after it, the protocol blames on its sender.
/// A helper complains in the round of the sums, the lost participant after it.
fn stage(session: &RepairSession, envelope: &Envelope) -> Option<Stage> {
    let payload = envelope.verify(session.committee()).ok()?;
    let first = *payload.first()?;
    match (envelope.kind(), first) {
        (Kind::RepairPacket, 1) => Some(Stage::Split),
        (Kind::RepairPacket, 2) | (Kind::RepairComplaint, 1) => Some(Stage::Sum),
        (Kind::RepairComplaint, 2) => Some(Stage::Complaints),
        _ => None,
    }
}
