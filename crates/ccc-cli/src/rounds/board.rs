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
        Roster, Session,
        board::Round,
        reshare::Certificate,
        rounds::{Posted, Posting},
    },
    suite,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// The longest message: an envelope with the longest payload.
pub(crate) const MAX_MESSAGE: u64 = MAX_PAYLOAD as u64 + 512;
/// Files that count for nothing are named up to this many; the others are counted.
const MAX_NOTES: usize = 16;
/// Messages of one sender in one round that are kept: as many as the protocol looks at. Of complaints it looks at one per
/// dealer, and their end is one more message.
const MAX_PER_SENDER: usize = 4;

/// Bytes at the end of an envelope.
const SIGNATURE_LEN: usize = 64;

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
    dealers: usize,
    /// Of a handover: one that lies on the board and certifies it.
    pub(crate) certificate: Option<Certificate>,
    /// Files that count for nothing, and why.
    pub(crate) notes: Vec<String>,
}

impl Board {
    /// Reads the directory. One that does not exist is empty.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub(crate) fn read(directory: &Path, session: &Session) -> Result<Self, Error> {
        let dealers = session.old().map_or(session.roster(), ccc_core::keys::Committee::roster).members().len();
        let mut board = Self { rounds: BTreeMap::new(), dealers, certificate: None, notes: Vec::new() };
        board.notes = each_file(directory, |bytes| board.take(bytes, session))?;
        Ok(board)
    }

    /// Messages of one sender that are kept of a round.
    fn bound(&self, round: Round) -> usize {
        match round {
            Round::Complain => MAX_PER_SENDER.max(self.dealers.saturating_add(1)),
            Round::Commit | Round::Open | Round::Confirm => MAX_PER_SENDER,
        }
    }

    fn take(&mut self, bytes: &[u8], session: &Session) -> Result<(), &'static str> {
        if kind_of(bytes) == Ok(Kind::Certificate) {
            return self.take_certificate(bytes, session);
        }
        self.add(session, Envelope::from_bytes(bytes).map_err(|_| "it is no message")?)
    }

    /// Somebody else's certificate brings the confirmations that one has missed. Whoever wrote it chose among them.
    fn take_certificate(&mut self, bytes: &[u8], session: &Session) -> Result<(), &'static str> {
        if session.old().is_none() {
            return Err("a key generation has no certificate");
        }
        let certificate = Certificate::from_bytes(bytes).map_err(|_| "it is no certificate")?;
        certificate.verify(session).map_err(|_| "it does not certify this session")?;
        certificate.confirmations().iter().try_for_each(|envelope| self.add(session, envelope.clone()))?;
        self.certificate = Some(certificate);
        Ok(())
    }

    /// Adds a message that counts for this session. A dealing longer than any of the session is of no round: it is neither
    /// kept nor hashed, whoever signed it.
    pub(crate) fn add(&mut self, session: &Session, envelope: Envelope) -> Result<(), &'static str> {
        if envelope.topic() != session.id() {
            return Err("it is of another session");
        }
        let posted = Posted::of(session, &envelope).ok_or("its sender did not sign it, or it is of no round")?;
        let bound = self.bound(posted.posting.round());
        let of_round = self.rounds.entry(posted.posting.round()).or_default();
        let messages = of_round.entry(posted.sender).or_default();
        messages.insert(suite::digest(&envelope.to_bytes()), (posted.posting, envelope));
        if messages.len() > bound {
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

    /// Who said two things where one is said: of complaints there may be several, as many as their sender counts.
    pub(crate) fn twice(&self) -> Vec<Twice> {
        let all = self.rounds.iter().flat_map(|(round, senders)| senders.iter().map(move |sender| (*round, sender)));
        let twice = all.filter(|(_, (_, messages))| contradicts(messages.values()));
        twice.map(|(round, (sender, _))| Twice { round, sender: *sender }).collect()
    }

    /// Whether a dealer said two things.
    pub(crate) fn has_two_faced_dealers(&self) -> bool {
        self.twice().iter().any(|twice| matches!(twice.round, Round::Commit | Round::Open))
    }

    /// How many members confirm a transcript.
    pub(crate) fn confirming(&self, roster: &Roster, transcript: &[u8; 32]) -> usize {
        let senders = self.rounds.get(&Round::Confirm).into_iter().flat_map(BTreeMap::values);
        let confirms = |(_, envelope): &(Posting, Envelope)| {
            envelope.verify_roster(roster).is_ok_and(|payload| payload.get(1..) == Some(transcript))
        };
        senders.filter(|messages| messages.values().any(confirms)).count()
    }

    /// The messages of `kept` that are not here, with the names that their senders give them.
    pub(crate) fn lacks<'a>(&self, kept: &'a Self) -> Vec<(String, &'a Envelope)> {
        let here: BTreeSet<_> = self.rounds.keys().flat_map(|round| self.messages(*round)).map(|(d, _)| *d).collect();
        let all = kept.rounds.keys().flat_map(|round| kept.messages(*round));
        let lost = all.filter(|(digest, _)| !here.contains(*digest));
        lost.map(|(_, (posting, envelope))| (name_of(*posting, envelope.identifier()), envelope)).collect()
    }

    /// Everything that was said in a round, each with the name that its sender gives it.
    pub(crate) fn named(&self, round: Round) -> Vec<(String, &Envelope)> {
        let messages = self.messages(round).map(|(_, message)| message);
        messages.map(|(posting, envelope)| (name_of(*posting, envelope.identifier()), envelope)).collect()
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

/// Two messages of a round of which an honest sender has one, or more complaints than their sender counts.
fn contradicts<'a>(messages: impl Iterator<Item = &'a (Posting, Envelope)>) -> bool {
    let (mut said, mut announced, mut complaints) = (BTreeSet::new(), None, 0);
    for (posting, envelope) in messages {
        match posting {
            Posting::Complaint => {
                complaints += 1;
                continue;
            }
            Posting::NoMoreComplaints(count) => announced = Some(usize::from(*count)),
            _ => {}
        }
        said.insert(unsigned(envelope));
    }
    said.len() > 1 || announced.is_some_and(|announced| complaints > announced)
}

/// A message without its signature, which its sender may make in several ways.
pub(crate) fn unsigned(envelope: &Envelope) -> Vec<u8> {
    let mut wire = envelope.to_bytes();
    wire.truncate(wire.len().saturating_sub(SIGNATURE_LEN));
    wire
}

/// The file name of a message. It says nothing to whoever reads it.
fn name_of(posting: Posting, sender: Identifier) -> String {
    let what = match posting {
        Posting::Commitment => "commit",
        Posting::Dealing => "open",
        Posting::Complaint => "complaint",
        Posting::NoMoreComplaints(_) => "complained",
        Posting::Confirmation => "confirm",
    };
    format!("{what}-{sender}.ccc")
}

/// Gives the plain files of a directory to `take`, one at a time, and tells which of them count for nothing. Hidden ones
/// are somebody's work in progress. What nobody can read is left out like what nobody signed: it stops no one.
///
/// # Errors
/// [`Error::Read`] of the directory.
pub(crate) fn each_file(
    directory: &Path,
    mut take: impl FnMut(&[u8]) -> Result<(), &'static str>,
) -> Result<Vec<String>, Error> {
    let error = |source| Error::Read { path: directory.into(), source };
    let entries = match std::fs::read_dir(directory) {
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(error)?,
    };
    let (mut notes, mut more) = (Vec::new(), 0u64);
    for entry in entries {
        let path = entry.map_err(error)?.path();
        let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden || !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
            continue;
        }
        let taken = match files::read(&path, MAX_MESSAGE) {
            Err(Error::TooLong { .. }) => Err("it is too long for a message"),
            Err(_) => Err("it cannot be read"),
            Ok(bytes) => take(&bytes),
        };
        match taken {
            Ok(()) => {}
            Err(reason) if notes.len() < MAX_NOTES => {
                notes.push(format!("{} is left out: {reason}", path.display()));
            }
            Err(_) => more += 1,
        }
    }
    notes.sort();
    notes.extend((more > 0).then(|| format!("{more} more files of {} are left out", directory.display())));
    Ok(notes)
}

#[cfg(test)]
mod tests;
