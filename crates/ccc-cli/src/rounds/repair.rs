//! A directory of messages of one repair, and beside it what a participant has read of them.
//!
//! A message that is taken away would make an honest complaint about it look like one without reason. So every run keeps
//! what it reads, and puts back what the board has lost: who signed two messages then stands with both before everybody.

use super::board::{each_file, unsigned};
use crate::{error::Error, files::is_stream};
use ccc_core::{
    encoding::Kind,
    envelope::Envelope,
    identifier::Identifier,
    keys::repair::{RepairComplaint, RepairPacket, RepairSession},
    suite,
};
use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    ffi::{OsStr, OsString},
    fmt,
    path::{Path, PathBuf},
};

/// Messages of one sender, round and class that are kept where there are fewer helpers: an honest sender has one packet, and
/// one complaint about each helper.
const MAX_PER_SENDER: usize = 4;

/// Why a file counts for nothing.
const NO_MESSAGE: &str = "it is no message of this repair";

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

/// What a message is within its round. Each class has slots of its own, so that what does not count displaces nothing that
/// does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// A split, or a sum of the splits that are here.
    Packet,
    /// A sum of other splits.
    OtherSplits,
    /// A complaint that can be read.
    Complaint,
}

/// By the digest of what is signed: another signature of the same is not another message.
type Messages = BTreeMap<[u8; 32], Envelope>;

/// The messages of one repair, in an order that is the same for everybody.
#[derive(Default)]
pub(crate) struct RepairBoard {
    rounds: BTreeMap<(Stage, Class), BTreeMap<Identifier, Messages>>,
    /// Of which splits a sum has to be.
    splits: Option<[u8; 32]>,
    /// Files that count for nothing, and why.
    pub(crate) notes: Vec<String>,
}

impl RepairBoard {
    /// Reads the directory. One that does not exist is empty. Of each sender, round and class a bounded number is kept.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub(crate) fn read(directory: &Path, session: &RepairSession) -> Result<Self, Error> {
        let mut board = Self::default();
        board.notes = board.take(directory, session, bound(session), |stage| stage == Stage::Split)?;
        board.splits = session.digest_of_splits(&board.envelopes(Stage::Split));
        board.take(directory, session, bound(session), |stage| stage != Stage::Split)?;
        Ok(board)
    }

    /// Reads the directory, and what earlier runs have kept of it, as one that has lost nothing since: which sums count is
    /// told by the splits of both. What is kept is read whole, since a bounded number is.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub(crate) fn read_beside(directory: &Path, kept_in: &Path, session: &RepairSession) -> Result<[Self; 2], Error> {
        let (mut board, mut kept) = (Self::default(), Self::default());
        board.notes = board.take(directory, session, bound(session), |stage| stage == Stage::Split)?;
        kept.take(kept_in, session, usize::MAX, |stage| stage == Stage::Split)?;
        let splits = [board.envelopes(Stage::Split), kept.envelopes(Stage::Split)].concat();
        board.splits = session.digest_of_splits(&splits);
        kept.splits = board.splits;
        board.take(directory, session, bound(session), |stage| stage != Stage::Split)?;
        kept.take(kept_in, session, usize::MAX, |stage| stage != Stage::Split)?;
        Ok([board, kept])
    }

    /// Takes the messages of these rounds, and tells which files count for nothing.
    fn take(
        &mut self,
        directory: &Path,
        session: &RepairSession,
        bound: usize,
        wanted: impl Fn(Stage) -> bool,
    ) -> Result<Vec<String>, Error> {
        each_file(directory, |bytes| {
            let envelope = Envelope::from_bytes(bytes).map_err(|_| NO_MESSAGE)?;
            match stage(session, &envelope) {
                Some(stage) if wanted(stage) => self.put(stage, envelope, bound),
                Some(_) => {}
                None if is_request(session, &envelope) => {}
                None => return Err(NO_MESSAGE),
            }
            Ok(())
        })
    }

    /// Adds a message, if it is of a round of this session.
    pub(crate) fn add(&mut self, session: &RepairSession, envelope: Envelope) {
        if let Some(stage) = stage(session, &envelope) {
            self.put(stage, envelope, usize::MAX);
        }
    }

    /// Adds a message while there is room for one of its sender, round and class: what came first stays.
    pub(crate) fn keep(&mut self, session: &RepairSession, envelope: &Envelope) -> bool {
        let Some(stage) = stage(session, envelope) else { return false };
        let messages = self.messages_like(stage, envelope);
        let room = messages.len() < bound(session) && !messages.contains_key(&key(envelope));
        if room {
            messages.insert(key(envelope), envelope.clone());
        }
        room
    }

    /// Keeps the `bound` lowest, and of several signatures of the same the one that makes the lowest digest.
    fn put(&mut self, stage: Stage, envelope: Envelope, bound: usize) {
        let messages = self.messages_like(stage, &envelope);
        match messages.entry(key(&envelope)) {
            Entry::Occupied(found) if digest(found.get()) <= digest(&envelope) => {}
            Entry::Occupied(mut found) => drop(found.insert(envelope)),
            Entry::Vacant(place) => {
                place.insert(envelope);
            }
        }
        if messages.len() > bound {
            messages.pop_last();
        }
    }

    fn messages_like(&mut self, stage: Stage, envelope: &Envelope) -> &mut Messages {
        let class = match envelope.kind() {
            Kind::RepairComplaint => Class::Complaint,
            _ if RepairSession::is_of_other_splits(envelope, self.splits) => Class::OtherSplits,
            _ => Class::Packet,
        };
        self.rounds.entry((stage, class)).or_default().entry(envelope.identifier()).or_default()
    }

    /// The messages of `other` that are not here, each with the name that its sender gives it.
    pub(crate) fn lacks<'a>(&self, other: &'a Self) -> Vec<(String, &'a Envelope)> {
        let all = |board: &'a Self| {
            board.rounds.iter().flat_map(|((stage, _), senders)| {
                senders.values().flatten().map(|(key, envelope)| (*stage, key, envelope))
            })
        };
        let here: BTreeSet<_> = self.rounds.values().flat_map(BTreeMap::values).flat_map(BTreeMap::keys).collect();
        let lost = all(other).filter(|(_, key, _)| !here.contains(key));
        lost.map(|(stage, _, envelope)| (name_of(stage, envelope), envelope)).collect()
    }

    /// Everything that was said in a round, in the order of everybody.
    pub(crate) fn envelopes(&self, stage: Stage) -> Vec<Envelope> {
        self.messages(stage).into_values().cloned().collect()
    }

    /// digest32 H("digest"; session ‖ round u8 ‖ digests of its messages, ascending): for people to compare.
    pub(crate) fn digest(&self, session: &RepairSession, stage: Stage) -> [u8; 32] {
        let front = session.id().into_iter().chain([stage as u8]);
        suite::digest(&front.chain(self.messages(stage).into_keys().flatten()).collect::<Vec<u8>>())
    }

    /// The helpers of whom nothing is here.
    pub(crate) fn missing(&self, session: &RepairSession, stage: Stage) -> Vec<Identifier> {
        let here: BTreeSet<_> = self.of_round(stage).flat_map(BTreeMap::keys).collect();
        session.helpers().iter().filter(|helper| !here.contains(helper)).copied().collect()
    }

    fn messages(&self, stage: Stage) -> BTreeMap<[u8; 32], &Envelope> {
        let messages = self.of_round(stage).flat_map(BTreeMap::values).flat_map(BTreeMap::values);
        messages.map(|envelope| (digest(envelope), envelope)).collect()
    }

    fn of_round(&self, stage: Stage) -> impl Iterator<Item = &BTreeMap<Identifier, Messages>> {
        self.rounds.iter().filter(move |((of, _), _)| *of == stage).map(|(_, senders)| senders)
    }
}

/// Messages of one sender, round and class that are kept.
fn bound(session: &RepairSession) -> usize {
    MAX_PER_SENDER.max(session.helpers().len())
}

fn digest(envelope: &Envelope) -> [u8; 32] {
    suite::digest(&envelope.to_bytes())
}

fn key(envelope: &Envelope) -> [u8; 32] {
    suite::digest(&unsigned(envelope))
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

/// The request itself: it belongs to this repair, and is in no round.
fn is_request(session: &RepairSession, envelope: &Envelope) -> bool {
    let signed = envelope.topic() == session.id() && envelope.verify(session.committee()).is_ok();
    signed && envelope.kind() == Kind::RepairRequest
}

/// The round of a message that is signed for this session, by its first byte; what is malformed after it, the protocol
/// blames on a packet's sender. What is longer than any message of the session, or a complaint that cannot be read, is of
/// none. A helper complains in the round of the sums, the lost participant after it.
fn stage(session: &RepairSession, envelope: &Envelope) -> Option<Stage> {
    if envelope.topic() != session.id() {
        return None;
    }
    let payload = envelope.verify(session.committee()).ok()?;
    let first = *payload.first()?;
    let stage = match (envelope.kind(), first) {
        (Kind::RepairPacket, 1) => Stage::Split,
        (Kind::RepairPacket, 2) | (Kind::RepairComplaint, 1) => Stage::Sum,
        (Kind::RepairComplaint, 2) => Stage::Complaints,
        _ => return None,
    };
    let readable = envelope.kind() == Kind::RepairPacket || RepairComplaint::from_bytes(payload).is_ok();
    (payload.len() <= RepairPacket::longest(session) && readable).then_some(stage)
}

#[cfg(test)]
mod tests;
