//! One participant of a key generation, a refresh or a reshare with the chain as board: what it stores, what it posts, and
//! how far it comes.
//!
//! **Store, then post**, as `ccc_core::keys::rounds` says: whatever is killed when, the next run reads the state and the
//! board, and says the same.

mod entry;

pub use entry::{Entered, EntryError, Handing, enter};

use ccc_chain::{Wallet, board::CheckedCeremony};
use ccc_core::{
    envelope::Envelope,
    keys::{
        board::{BoardError, Round},
        rounds::{
            Committed, Complained, Opened, Participant, Party, Posted, Posting, Role, RoundsError, Run, StateError,
            Step, Unconfirmed, step_of,
        },
    },
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Where a participant keeps its state. *Security*: it is secret, and has to be on its medium when `write` returns.
pub trait Kept {
    /// What was written last; nothing before the first time.
    ///
    /// # Errors
    /// A sentence.
    fn read(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, String>;
    /// Replaces it; `first` must not replace anything.
    ///
    /// # Errors
    /// A sentence: nothing may be posted then.
    fn write(&mut self, state: &[u8], first: bool) -> Result<(), String>;
}

/// Why a run of a participant ended without a step forward. What is stored is the state stored last.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CeremonyError {
    /// The board, or the chain below it.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// The rounds ended.
    #[error("the rounds ended: {0}")]
    Rounds(#[from] RoundsError),
    /// The stored state is of another session, participant or step.
    #[error("the state: {0}")]
    State(#[from] StateError),
    /// The state could not be read or written.
    #[error("the state: {0}")]
    Kept(String),
    /// No state, and the board holds a message of this participant: a second draw would contradict the first.
    #[error("there is no state, and the board holds a message of this participant")]
    StateLost,
}

/// How far a run came.
pub struct Walked<O> {
    /// Rounds that it posted to.
    pub posted: Vec<Round>,
    /// Rounds that were over before it could post to them.
    pub missed: Vec<Round>,
    /// Where it ended.
    pub stand: Stand<O>,
}

/// Where a run ends.
pub enum Stand<O> {
    /// The round is not over by a final block.
    Waits {
        /// The round.
        round: Round,
        /// Its last second.
        end: u64,
    },
    /// The result, confirmed by n − F. The state still leads to it: store the result before the state goes.
    Finished(Box<O>),
}

/// A participant that has something to post in one of the four rounds.
enum Stage<'k, P> {
    Commit(Committed<'k, P>),
    Open(Opened<'k, P>),
    Complain(Complained<'k, P>),
    Confirm(Unconfirmed<'k, P>),
}

enum Next<'k, P: Run> {
    Stage(Box<Stage<'k, P>>),
    Finished(P::Outcome),
}

impl<'k, P: Run> Stage<'k, P> {
    fn read(bytes: &[u8], party: Party<'k, P>) -> Result<Self, CeremonyError> {
        Ok(match step_of(bytes).map_err(StateError::from)? {
            Step::Joined => Self::Commit(Participant::from_bytes(bytes, party)?.commit()?),
            Step::Committed => Self::Commit(Committed::from_bytes(bytes, party)?),
            Step::Opened => Self::Open(Opened::from_bytes(bytes, party)?),
            Step::Complained => Self::Complain(Complained::from_bytes(bytes, party)?),
            Step::Unconfirmed => Self::Confirm(Unconfirmed::from_bytes(bytes, party)?),
        })
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Commit(state) => state.to_bytes(),
            Self::Open(state) => state.to_bytes(),
            Self::Complain(state) => state.to_bytes(),
            Self::Confirm(state) => state.to_bytes(),
        }
    }

    fn round(&self) -> Round {
        match self {
            Self::Commit(_) => Round::Commit,
            Self::Open(_) => Round::Open,
            Self::Complain(_) => Round::Complain,
            Self::Confirm(_) => Round::Confirm,
        }
    }

    fn outgoing(&self) -> &[Envelope] {
        match self {
            Self::Commit(state) => state.outgoing(),
            Self::Open(state) => state.outgoing(),
            Self::Complain(state) => state.outgoing(),
            Self::Confirm(state) => state.outgoing(),
        }
    }

    fn advance(self, seen: &[Envelope]) -> Result<Next<'k, P>, RoundsError> {
        Ok(Next::Stage(Box::new(match self {
            Self::Commit(state) => Self::Open(state.open(seen)?),
            Self::Open(state) => Self::Complain(state.complain(seen)?),
            Self::Complain(state) => Self::Confirm(state.finish(seen)?),
            Self::Confirm(state) => return state.confirm(seen).map(Next::Finished),
        })))
    }
}

/// Goes as far as the chain's final blocks let it: joins or reads its state, stores, posts, takes the rounds that are over.
/// Call it again after the round's end; a call that was killed anywhere is made up for by the next.
///
/// # Errors
/// [`CeremonyError`].
pub async fn walk<P: Run>(
    party: &Party<'_, P>,
    board: &CheckedCeremony,
    wallet: &Wallet,
    kept: &mut impl Kept,
    rng: &mut impl CryptoRng,
) -> Result<Walked<P::Outcome>, CeremonyError> {
    let mut stage = match kept.read().map_err(CeremonyError::Kept)? {
        Some(bytes) => Stage::read(&bytes, party.clone())?,
        None => joined(party, board, kept, rng).await?,
    };
    let (mut posted, mut missed) = (Vec::new(), Vec::new());
    loop {
        let round = stage.round();
        match post(&stage, board, wallet).await {
            Ok(true) => posted.push(round),
            Ok(false) => {}
            Err(BoardError::Late { .. }) => missed.push(round),
            Err(error) => return Err(error.into()),
        }
        let seen = match board.closed(round).await {
            Err(BoardError::Early { .. }) => {
                return Ok(Walked { posted, missed, stand: Stand::Waits { round, end: board.end(round) } });
            }
            seen => seen?,
        };
        match stage.advance(&seen)? {
            Next::Finished(outcome) => {
                return Ok(Walked { posted, missed, stand: Stand::Finished(Box::new(outcome)) });
            }
            Next::Stage(next) => stage = *next,
        }
        kept.write(&stage.to_bytes(), false).map_err(CeremonyError::Kept)?;
    }
}

/// Draws everything that there is to draw, and stores it. Who has spoken already must not draw again.
async fn joined<'k, P: Run>(
    party: &Party<'k, P>,
    board: &CheckedCeremony,
    kept: &mut impl Kept,
    rng: &mut impl CryptoRng,
) -> Result<Stage<'k, P>, CeremonyError> {
    let session = party.session();
    let own = |envelope: &Envelope| {
        Posted::of(session, envelope).is_some_and(|posted| {
            posted.posting == Posting::Commitment
                && posted.role == Role::Dealer
                && Some(posted.sender) == party.dealer()
        })
    };
    if board.so_far(Round::Commit).await?.iter().any(own) {
        return Err(CeremonyError::StateLost);
    }
    let stage = Stage::Commit(Participant::join(party.clone(), rng)?.commit()?);
    kept.write(&stage.to_bytes(), true).map_err(CeremonyError::Kept)?;
    Ok(stage)
}

/// Whether anything was sent. What is there already is left out, also in a round that is over.
async fn post<P: Run>(stage: &Stage<'_, P>, board: &CheckedCeremony, wallet: &Wallet) -> Result<bool, BoardError> {
    let round = stage.round();
    if stage.outgoing().is_empty() {
        return Ok(false);
    }
    let there = board.so_far(round).await?;
    let mut sent = false;
    for envelope in stage.outgoing().iter().filter(|envelope| !there.contains(envelope)) {
        sent |= board.post(round, envelope, wallet).await?;
    }
    Ok(sent)
}
