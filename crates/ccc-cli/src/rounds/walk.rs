//! One run of one participant: as far as the board lets it. It stores, then posts; a repeated run posts the same bytes.

use super::{
    board::{Board, unsigned},
    outcome::Finished,
    sentence,
    stage::{Next, Stage},
    state::{Closed, StateFile},
};
use crate::{
    error::Error,
    files::{self, Audience, Replace},
};
use ccc_core::{
    envelope::Envelope,
    identifier::Identifier,
    keys::{
        Session,
        board::Round,
        rounds::{Party, Posted, Posting, RoundsError, Run},
    },
    suite,
};
use rand_core::CryptoRng;
use std::path::{Path, PathBuf};

/// Everything but the party.
pub(crate) struct Desk<'a> {
    /// Where the messages are.
    pub(crate) board: &'a Path,
    /// Where the state is.
    pub(crate) state: StateFile<'a>,
    /// Whether the round in which the participant stands ends with what is there.
    pub(crate) close: bool,
}

/// What a run did.
pub(crate) struct Walk {
    /// Rounds that this participant has closed, from the first on, with the digests of their messages.
    pub(crate) closed: Closed,
    /// Rounds that this run closed.
    pub(crate) moved: Vec<Round>,
    /// Files that this run wrote to the board.
    pub(crate) posted: Vec<PathBuf>,
    /// Rounds to which this run posted on a chain.
    pub(crate) sent: Vec<Round>,
    /// What the person should know of the board.
    pub(crate) notes: Vec<String>,
    /// Where it ended.
    pub(crate) end: End,
}

/// Where a run ends.
pub(crate) enum End {
    /// These are missing in this round.
    Waits { round: Round, have: usize, missing: Vec<Identifier> },
    /// On a chain: the round ends after this second.
    Until { round: Round, end: u64 },
    /// The result, not yet written.
    Finished(Box<Finished>),
    /// An earlier run has written the result.
    WasFinished,
}

const ROUNDS: [Round; 4] = [Round::Commit, Round::Open, Round::Complain, Round::Confirm];

/// Goes on from the stored state, or joins where there is none.
///
/// # Errors
/// [`Error::State`], [`Error::StateLost`], [`Error::Rounds`], [`Error::OtherMessage`] and those of files; the state is the one
/// stored last.
pub(crate) fn walk<P: Run>(party: &Party<'_, P>, desk: &Desk<'_>, rng: &mut impl CryptoRng) -> Result<Walk, Error>
where
    Finished: From<P::Outcome>,
{
    let mut board = Board::read(desk.board, party.session())?;
    let mut notes = std::mem::take(&mut board.notes);
    let posted = put_back(party, &mut board, desk)?;
    notes.extend(board.twice().iter().map(ToString::to_string));
    let stored = desk.state.read()?;
    let (closed, stage) = match &stored {
        Some(stored) => (stored.closed.clone(), stored.stage(desk.state.path(), party.clone())?),
        None => (Closed::new(), Some(joined(party, &board, desk, rng)?)),
    };
    let mut walk = Walk { closed, moved: Vec::new(), posted, sent: Vec::new(), notes, end: End::WasFinished };
    walk.note_changes(party, &board);
    let Some(stage) = stage else { return Ok(walk) };
    let closing = (desk.close && stored.is_some()).then_some(stage.round());
    walk.end = walk.onwards(stage, party, &mut board, desk, (closing, rng))?;
    Ok(walk)
}

/// Draws everything that there is to draw. A participant that has spoken already must not draw again: it would say
/// something else.
fn joined<'k, P: Run>(
    party: &Party<'k, P>,
    board: &Board,
    desk: &Desk<'_>,
    rng: &mut impl CryptoRng,
) -> Result<Stage<'k, P>, Error>
where
    Finished: From<P::Outcome>,
{
    if party.dealer().is_some_and(|dealer| board.done(Round::Commit).contains(&dealer)) {
        return Err(Error::StateLost { path: desk.state.path().into() });
    }
    let stage = Stage::join(party.clone(), rng).map_err(ended)?;
    desk.state.write(&Closed::new(), Some(&stage), true, rng)?;
    Ok(stage)
}

/// Posts what the board has lost of the rounds that this participant closed: two messages of one sender, of which somebody
/// read the one and somebody the other, then stand before everybody.
fn put_back<P: Run>(party: &Party<'_, P>, board: &mut Board, desk: &Desk<'_>) -> Result<Vec<PathBuf>, Error> {
    let kept = Board::read(&desk.kept(), party.session())?;
    let mut posted = Vec::new();
    for (name, envelope) in board.lacks(&kept) {
        posted.extend(post(desk.board, &name, &envelope.to_bytes(), |_| false)?);
        count(board, party, envelope)?;
    }
    Ok(posted)
}

fn count<P: Run>(board: &mut Board, party: &Party<'_, P>, envelope: &Envelope) -> Result<(), Error> {
    board.add(party.session(), envelope.clone()).map_err(|reason| Error::Rounds { reason: reason.into() })
}

impl Desk<'_> {
    /// Where the messages of closed rounds are kept: beside the state.
    fn kept(&self) -> PathBuf {
        let mut name = self.state.path().as_os_str().to_owned();
        name.push(".seen");
        name.into()
    }

    /// Keeps the messages of a round that ends; they are public.
    fn keep(&self, board: &Board, round: Round) -> Result<(), Error> {
        let mut messages = board.named(round).into_iter();
        messages.try_for_each(|(name, envelope)| post(&self.kept(), &name, &envelope.to_bytes(), |_| false).map(drop))
    }
}

fn ended(error: RoundsError) -> Error {
    Error::Rounds { reason: sentence(&error) }
}

impl Walk {
    fn onwards<'k, P: Run>(
        &mut self,
        mut stage: Stage<'k, P>,
        party: &Party<'k, P>,
        board: &mut Board,
        desk: &Desk<'_>,
        (closing, rng): (Option<Round>, &mut impl CryptoRng),
    ) -> Result<End, Error>
    where
        Finished: From<P::Outcome>,
    {
        let session = party.session();
        loop {
            self.post(&stage, board, party, desk)?;
            let round = stage.round();
            let intact = self.changed(session, board).next().is_none();
            let (expected, done) = (board.expected(session, round, intact), board.done(round));
            let missing: Vec<_> = expected.difference(&done).copied().collect();
            let waits = !missing.is_empty() && closing != Some(round);
            let certificate = board.certificate.as_ref().filter(|_| waits && round == Round::Confirm);
            if waits && certificate.is_none() {
                return Ok(End::Waits { round, have: expected.len() - missing.len(), missing });
            }
            let next = stage.advance(party, board, certificate).map_err(ended)?;
            self.closed.push(board.digest(session, round));
            self.moved.push(round);
            match next {
                Next::Finished(finished) => return Ok(End::Finished(finished)),
                Next::Stage(next) => stage = next,
            }
            desk.keep(board, round)?;
            desk.state.write(&self.closed, Some(&stage), false, rng)?;
        }
    }

    fn post<P: Run>(
        &mut self,
        stage: &Stage<'_, P>,
        board: &mut Board,
        party: &Party<'_, P>,
        desk: &Desk<'_>,
    ) -> Result<(), Error>
    where
        Finished: From<P::Outcome>,
    {
        for (name, envelope) in stage.messages().map_err(ended)? {
            let contradicts = |found: &Envelope| is_another(party.session(), &envelope, found);
            self.posted.extend(post(desk.board, &name, &envelope.to_bytes(), contradicts)?);
            count(board, party, &envelope)?;
        }
        Ok(())
    }

    /// Tells which of the closed rounds look different now.
    fn note_changes<P: Run>(&mut self, party: &Party<'_, P>, board: &Board) {
        let changed: Vec<_> = self.changed(party.session(), board).map(|(round, closed)| (round, *closed)).collect();
        for (round, closed) in changed {
            self.notes.push(format!(
                "the {round} round on the board is not what this participant closed, digest {}: what is late counts \
                     for nothing",
                hex::encode(closed)
            ));
        }
    }

    /// The closed rounds whose messages are others on the board now, with the digest of what was closed.
    fn changed(&self, session: &Session, board: &Board) -> impl Iterator<Item = (Round, &[u8; 32])> {
        let closed = ROUNDS.into_iter().zip(&self.closed);
        closed.filter(|(round, closed)| board.digest(session, *round) != **closed)
    }
}

/// Whether a message under the name of another is what its sender says in that other's place.
fn is_another(session: &Session, envelope: &Envelope, found: &Envelope) -> bool {
    let [mine, theirs] = [envelope, found].map(|envelope| Posted::of(session, envelope));
    let (Some(mine), Some(theirs)) = (mine, theirs) else { return false };
    let one_of_several = [mine.posting, theirs.posting].contains(&Posting::Complaint);
    let same_place = (mine.role, mine.sender) == (theirs.role, theirs.sender)
        && mine.posting.round() == theirs.posting.round()
        && !one_of_several;
    same_place && unsigned(envelope) != unsigned(found)
}

/// Writes one message; the same message again changes nothing. A name that something else has taken is left to it: the
/// message then gets its digest into its name.
///
/// # Errors
/// [`Error::OtherMessage`] where what has the name `contradicts` the message.
pub(crate) fn post(
    board: &Path,
    name: &str,
    bytes: &[u8],
    contradicts: impl Fn(&Envelope) -> bool,
) -> Result<Option<PathBuf>, Error> {
    files::directory(board)?;
    for path in names(name, bytes).map(|name| board.join(name)) {
        if std::fs::symlink_metadata(&path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            match files::write(&path, bytes, Audience::Everyone, Replace::Never) {
                Err(Error::Exists { .. }) => {}
                written => return written.map(|()| Some(path)),
            }
        }
        let found = path.is_file().then(|| files::read(&path, super::board::MAX_MESSAGE).ok()).flatten();
        match found {
            Some(found) if found == bytes => return Ok(None),
            Some(found) if Envelope::from_bytes(&found).is_ok_and(|found| contradicts(&found)) => {
                return Err(Error::OtherMessage { path });
            }
            _ => {}
        }
    }
    Err(Error::OtherMessage { path: board.join(name) })
}

/// The names that a message may have, in the order in which they are tried.
fn names(name: &str, bytes: &[u8]) -> impl Iterator<Item = String> {
    let stem = name.strip_suffix(".ccc").unwrap_or(name).to_owned();
    let digest = hex::encode(&suite::digest(bytes)[..8]);
    let more = (1u64..).map(move |k| match k {
        1 => format!("{stem}-{digest}.ccc"),
        k => format!("{stem}-{digest}-{k}.ccc"),
    });
    std::iter::once(name.to_owned()).chain(more)
}
