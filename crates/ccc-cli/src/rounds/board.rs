//! A directory of messages as everybody reads it: which of them count, for which round, and what their digest is.
//!
//! The order is that of the messages' digests, so that it does not depend on file names or on the order of the copying.
//! What is not signed for the session counts for nothing; a file name says nothing.

use crate::{error::Error, files};
use ccc_core::{
    encoding::{Kind, kind_of},
    envelope::{Envelope, MAX_PAYLOAD},
    identifier::Identifier,
    keys::{
        Session,
        board::Round,
        reshare::Certificate,
        rounds::{Posted, Posting},
    },
    suite,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// The longest message: an envelope with the longest payload.
pub(crate) const MAX_MESSAGE: u64 = MAX_PAYLOAD as u64 + 512;
/// The most files that are looked at.
const MAX_FILES: usize = 1 << 14;
/// Messages of one sender in one round that are kept, beside one per dealer: as many as the protocol looks at.
const MAX_PER_SENDER: usize = 4;

type Digest = [u8; 32];
/// One round: by sender, then by digest.
type Messages = BTreeMap<Identifier, BTreeMap<Digest, (Posting, Envelope)>>;

/// A sender that signed two messages where the protocol has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Twice {
    round: Round,
    sender: Identifier,
}

impl std::fmt::Display for Twice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let role = match self.round {
            Round::Commit | Round::Open => "dealer",
            Round::Complain | Round::Confirm => "receiver",
        };
        write!(f, "{role} {} says two things in the {} round", self.sender, self.round)
    }
}

/// The messages of one session.
pub(crate) struct Board {
    rounds: BTreeMap<Round, Messages>,
    bound: usize,
    certified: bool,
    /// Files that count for nothing, and why.
    pub(crate) notes: Vec<String>,
}

impl Board {
    /// Reads the directory. One that does not exist is empty.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::BoardFull`].
    pub(crate) fn read(directory: &Path, session: &Session) -> Result<Self, Error> {
        let dealers = session.old().map_or(session.roster(), ccc_core::keys::Committee::roster).members().len();
        let bound = MAX_PER_SENDER.max(dealers);
        let mut board = Self { rounds: BTreeMap::new(), bound, certified: false, notes: Vec::new() };
        for path in listed(directory)? {
            if let Err(reason) = board.take(&path, session)? {
                board.notes.push(format!("{} is left out: {reason}", path.display()));
            }
        }
        Ok(board)
    }

    fn take(&mut self, path: &Path, session: &Session) -> Result<Result<(), &'static str>, Error> {
        let bytes = match files::read(path, MAX_MESSAGE) {
            Err(Error::TooLong { .. }) => return Ok(Err("it is too long for a message")),
            read => read?,
        };
        if kind_of(&bytes) == Ok(Kind::Certificate) {
            return Ok(self.take_certificate(&bytes, session));
        }
        Ok(match Envelope::from_bytes(&bytes) {
            Ok(envelope) => self.add(session, envelope),
            Err(_) => Err("it is no message"),
        })
    }

    /// Somebody else's certificate brings the confirmations that one has missed.
    fn take_certificate(&mut self, bytes: &[u8], session: &Session) -> Result<(), &'static str> {
        let certificate = Certificate::from_bytes(bytes).map_err(|_| "it is no certificate")?;
        certificate.verify(session).map_err(|_| "it does not certify this session")?;
        self.certified = true;
        certificate.confirmations().iter().try_for_each(|envelope| self.add(session, envelope.clone()))
    }

    /// Adds a message that counts for this session.
    pub(crate) fn add(&mut self, session: &Session, envelope: Envelope) -> Result<(), &'static str> {
        if envelope.topic() != session.id() {
            return Err("it is of another session");
        }
        let posted = Posted::of(session, &envelope).ok_or("its sender did not sign it, or it is of no round")?;
        let of_round = self.rounds.entry(posted.posting.round()).or_default();
        let messages = of_round.entry(posted.sender).or_default();
        messages.insert(suite::digest(&envelope.to_bytes()), (posted.posting, envelope));
        if messages.len() > self.bound {
            messages.pop_last();
        }
        Ok(())
    }

    /// Everything that was said in a round, in the order of everybody.
    pub(crate) fn envelopes(&self, round: Round) -> Vec<Envelope> {
        let messages: BTreeMap<_, _> = self.messages(round).map(|(digest, (_, envelope))| (digest, envelope)).collect();
        messages.into_values().cloned().collect()
    }

    /// digest32 H("digest"; session ‖ round u8 ‖ digests of its messages, ascending): for people to compare.
    pub(crate) fn digest(&self, session: &Session, round: Round) -> Digest {
        let digests: BTreeSet<_> = self.messages(round).map(|(digest, _)| *digest).collect();
        let front = session.id().into_iter().chain([place(round)]);
        suite::digest(&front.chain(digests.into_iter().flatten()).collect::<Vec<u8>>())
    }

    /// Who said two things where one is said; of complaints there may be several.
    pub(crate) fn twice(&self) -> Vec<Twice> {
        let all = self.rounds.iter().flat_map(|(round, senders)| senders.iter().map(move |sender| (*round, sender)));
        let twice = all.filter(|(_, (_, messages))| {
            messages.values().filter(|(posting, _)| *posting != Posting::Complaint).nth(1).is_some()
        });
        twice.map(|(round, (sender, _))| Twice { round, sender: *sender }).collect()
    }

    /// Who has said everything that it says in a round.
    pub(crate) fn done(&self, round: Round) -> BTreeSet<Identifier> {
        let Some(senders) = self.rounds.get(&round) else { return BTreeSet::new() };
        let done = senders.iter().filter(|(_, messages)| is_all(round, messages.values().map(|(posting, _)| *posting)));
        done.map(|(sender, _)| *sender).collect()
    }

    /// Who has to speak in a round: whoever spoke before, where the rounds that are closed are `intact` on this board;
    /// else all dealers, or all receivers.
    pub(crate) fn expected(&self, session: &Session, round: Round, intact: bool) -> BTreeSet<Identifier> {
        let members = |roster: &ccc_core::keys::Roster| roster.members().iter().map(|m| m.identifier).collect();
        let dealers = session.old().map_or(session.roster(), ccc_core::keys::Committee::roster);
        match (round, session.old()) {
            (Round::Confirm, _) if self.certified => BTreeSet::new(),
            (Round::Commit, _) => members(dealers),
            (Round::Open, _) if !intact => members(dealers),
            (Round::Complain | Round::Confirm, _) if !intact => members(session.roster()),
            (Round::Open, _) | (Round::Complain, None) => self.done(Round::Commit),
            (Round::Complain, Some(_)) => members(session.roster()),
            (Round::Confirm, _) => self.done(Round::Complain),
        }
    }

    fn messages(&self, round: Round) -> impl Iterator<Item = (&Digest, &(Posting, Envelope))> {
        self.rounds.get(&round).into_iter().flat_map(BTreeMap::values).flatten()
    }
}

/// The number of a round, from 1.
pub(crate) fn place(round: Round) -> u8 {
    match round {
        Round::Commit => 1,
        Round::Open => 2,
        Round::Complain => 3,
        Round::Confirm => 4,
    }
}

/// One message is all there is, but for complaints, of which the sender tells the number.
fn is_all(round: Round, postings: impl Iterator<Item = Posting>) -> bool {
    let postings: Vec<_> = postings.collect();
    if round != Round::Complain {
        return !postings.is_empty();
    }
    let complaints = postings.iter().filter(|posting| **posting == Posting::Complaint).count();
    let announced = postings.iter().find_map(|posting| match posting {
        Posting::NoMoreComplaints(count) => Some(usize::from(*count)),
        _ => None,
    });
    announced == Some(complaints)
}

/// The plain files of a directory, by name; hidden ones are somebody's work in progress.
///
/// # Errors
/// [`Error::Read`], [`Error::BoardFull`].
pub(crate) fn listed(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let error = |source| Error::Read { path: directory.into(), source };
    let entries = match std::fs::read_dir(directory) {
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(error)?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(error)?.path();
        let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden || !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
            continue;
        }
        if paths.len() == MAX_FILES {
            return Err(Error::BoardFull { path: directory.into(), limit: MAX_FILES });
        }
        paths.push(path);
    }
    paths.sort();
    Ok(paths)
}
