//! The board: where everybody posts, and where everybody reads the same.

use crate::envelope::Envelope;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// The rounds of a key generation, a refresh or a reshare, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Round {
    /// Digests of dealings.
    Commit,
    /// The dealings themselves.
    Open,
    /// Complaints against dealers.
    Complain,
    /// Digests of the transcript.
    Confirm,
}

impl core::fmt::Display for Round {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Commit => "commit",
            Self::Open => "open",
            Self::Complain => "complain",
            Self::Confirm => "confirm",
        })
    }
}

/// Why the board did not serve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BoardError {
    /// A message for a round that is over.
    #[error("round {round} is over")]
    Late {
        /// The round.
        round: Round,
    },
    /// A message, or a reader, for a round that has not begun.
    #[error("round {round} has not begun")]
    Early {
        /// The round.
        round: Round,
    },
    /// The board cannot be reached.
    #[error("the board cannot be reached: {0}")]
    Unreachable(String),
}

/// An append-only list of envelopes per round, in one order for everybody.
///
/// *Security*: everything rests on all participants reading the same; the board need not check what it carries.
pub trait Board {
    /// 32 bytes that no other session of this board has.
    fn nonce(&self) -> [u8; 32];

    /// Appends an envelope to the running round.
    ///
    /// # Errors
    /// [`BoardError`]; nothing was appended.
    fn post(&mut self, round: Round, envelope: Envelope) -> Result<(), BoardError>;

    /// Ends the round and gives everything that was posted in it. Repeated calls give the same.
    ///
    /// # Errors
    /// [`BoardError`].
    fn close(&mut self, round: Round) -> Result<Vec<Envelope>, BoardError>;
}

/// A board in memory, for participants of one process.
#[derive(Debug)]
pub struct MemoryBoard {
    nonce: [u8; 32],
    running: Option<Round>,
    posted: BTreeMap<Round, Vec<Envelope>>,
}

impl MemoryBoard {
    /// An empty board. The nonce is the caller's to draw.
    #[must_use]
    pub fn new(nonce: [u8; 32]) -> Self {
        Self { nonce, running: Some(Round::Commit), posted: BTreeMap::new() }
    }

    fn require_running(&self, round: Round) -> Result<(), BoardError> {
        match self.running {
            Some(running) if running == round => Ok(()),
            Some(running) if running < round => Err(BoardError::Early { round }),
            _ => Err(BoardError::Late { round }),
        }
    }
}

impl Board for MemoryBoard {
    fn nonce(&self) -> [u8; 32] {
        self.nonce
    }

    fn post(&mut self, round: Round, envelope: Envelope) -> Result<(), BoardError> {
        self.require_running(round)?;
        self.posted.entry(round).or_default().push(envelope);
        Ok(())
    }

    fn close(&mut self, round: Round) -> Result<Vec<Envelope>, BoardError> {
        match self.require_running(round) {
            Ok(()) => self.running = next(round),
            Err(BoardError::Late { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(self.posted.get(&round).cloned().unwrap_or_default())
    }
}

fn next(round: Round) -> Option<Round> {
    match round {
        Round::Commit => Some(Round::Open),
        Round::Open => Some(Round::Complain),
        Round::Complain => Some(Round::Confirm),
        Round::Confirm => None,
    }
}
