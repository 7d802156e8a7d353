//! A directory of messages of one repair, and beside it what a participant has read of them.
//!
//! A message that is taken away would make an honest complaint about it look like one without reason. So every run keeps
//! what it reads, and puts back what the board has lost: who signed two messages then stands with both before everybody.

use super::board::each_file;
use crate::{error::Error, files::is_stream};
use ccc_core::{encoding::Kind, envelope::Envelope, identifier::Identifier, keys::repair::RepairSession, suite};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    fmt,
    path::{Path, PathBuf},
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
    /// Reads the directory. One that does not exist is empty. Of each sender and round a bounded number is kept.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub(crate) fn read(directory: &Path, session: &RepairSession) -> Result<Self, Error> {
        Self::read_up_to(MAX_PER_SENDER.max(session.helpers().len()), directory, session)
    }

    /// Reads what earlier runs have kept: all of it, since each run keeps a bounded number.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub(crate) fn read_kept(directory: &Path, session: &RepairSession) -> Result<Self, Error> {
        Self::read_up_to(usize::MAX, directory, session)
    }

    fn read_up_to(bound: usize, directory: &Path, session: &RepairSession) -> Result<Self, Error> {
        let mut board = Self { rounds: BTreeMap::new(), notes: Vec::new() };
        board.notes = each_file(directory, |bytes| {
            let counts = Envelope::from_bytes(bytes).is_ok_and(|envelope| board.add_up_to(bound, session, envelope));
            if counts { Ok(()) } else { Err("it is no message of this repair") }
        })?;
        Ok(board)
    }

    /// Adds a message, if it counts for this session; the request itself does, and is in no round.
    pub(crate) fn add(&mut self, session: &RepairSession, envelope: Envelope) -> bool {
        self.add_up_to(usize::MAX, session, envelope)
    }

    fn add_up_to(&mut self, bound: usize, session: &RepairSession, envelope: Envelope) -> bool {
        let signed = envelope.topic() == session.id() && envelope.verify(session.committee()).is_ok();
        if signed && envelope.kind() == Kind::RepairRequest {
            return true;
        }
        let Some(stage) = stage(session, &envelope).filter(|_| signed) else { return false };
        let messages = self.rounds.entry(stage).or_default().entry(envelope.identifier()).or_default();
        messages.insert(suite::digest(&envelope.to_bytes()), envelope);
        if messages.len() > bound {
            messages.pop_last();
        }
        true
    }

    /// The messages of `other` that are not here, each with the name that its sender gives it.
    pub(crate) fn lacks<'a>(&self, other: &'a Self) -> Vec<(String, &'a Envelope)> {
        let here: BTreeSet<_> = self.rounds.keys().flat_map(|stage| self.messages(*stage).into_keys()).collect();
        let all = other.rounds.keys().flat_map(|stage| other.messages(*stage).into_iter().map(move |m| (*stage, m)));
        let lost = all.filter(|(_, (digest, _))| !here.contains(digest));
        lost.map(|(stage, (_, envelope))| (name_of(stage, envelope), envelope)).collect()
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

/// Where a participant keeps what it has read of this repair: in `seen`, or beside its own file, apart for each session.
pub(crate) fn kept_in(seen: Option<&Path>, own: &Path, me: Identifier, session: &RepairSession) -> PathBuf {
    let beside = || {
        let name = if is_stream(own) { format!("participant-{me}").into() } else { own.as_os_str().to_owned() };
        PathBuf::from([&name, OsStr::new(".seen")].into_iter().collect::<OsString>())
    };
    seen.map_or_else(beside, Path::to_path_buf).join(hex::encode(&session.id()[..8]))
}

/// The file name of a message. It says nothing to whoever reads it.
fn name_of(stage: Stage, envelope: &Envelope) -> String {
    let what = match (stage, envelope.kind()) {
        (Stage::Split, _) => "split",
        (Stage::Sum, Kind::RepairPacket) => "sum",
        (Stage::Sum | Stage::Complaints, _) => "complaint",
    };
    format!("{what}-{}.ccc", envelope.identifier())
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
