//! Where a participant stands, whichever of the states it is in.

use super::outcome::Finished;
use ccc_core::{
    envelope::Envelope,
    keys::{
        board::Round,
        rounds::{
            Committed, Complained, Opened, Participant, Party, RoundsError, Run, StateError, Step, Unconfirmed, step_of,
        },
    },
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// A participant that has something to post in one of the four rounds.
pub(crate) enum Stage<'k, P> {
    Commit(Box<Committed<'k, P>>),
    Open(Box<Opened<'k, P>>),
    Complain(Box<Complained<'k, P>>),
    Confirm(Box<Unconfirmed<'k, P>>),
}

/// What comes after a round.
pub(crate) enum Next<'k, P> {
    Stage(Stage<'k, P>),
    Finished(Box<Finished>),
}

impl<'k, P: Run> Stage<'k, P>
where
    Finished: From<P::Outcome>,
{
    /// Joins and deals. Nothing may be posted before this is stored.
    ///
    /// # Errors
    /// [`RoundsError`].
    pub(crate) fn join(party: Party<'k, P>, rng: &mut impl CryptoRng) -> Result<Self, RoundsError> {
        Ok(Self::Commit(Box::new(Participant::join(party, rng)?.commit()?)))
    }

    /// Reads a stored state of this party.
    ///
    /// # Errors
    /// [`StateError`].
    pub(crate) fn read(bytes: &[u8], party: Party<'k, P>) -> Result<Self, StateError> {
        Ok(match step_of(bytes)? {
            Step::Joined => Self::Commit(Box::new(Participant::from_bytes(bytes, party)?.commit()?)),
            Step::Committed => Self::Commit(Box::new(Committed::from_bytes(bytes, party)?)),
            Step::Opened => Self::Open(Box::new(Opened::from_bytes(bytes, party)?)),
            Step::Complained => Self::Complain(Box::new(Complained::from_bytes(bytes, party)?)),
            Step::Unconfirmed => Self::Confirm(Box::new(Unconfirmed::from_bytes(bytes, party)?)),
        })
    }

    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Commit(state) => state.to_bytes(),
            Self::Open(state) => state.to_bytes(),
            Self::Complain(state) => state.to_bytes(),
            Self::Confirm(state) => state.to_bytes(),
        }
    }

    /// The round in which it posts, and whose end it waits for.
    pub(crate) fn round(&self) -> Round {
        match self {
            Self::Commit(_) => Round::Commit,
            Self::Open(_) => Round::Open,
            Self::Complain(_) => Round::Complain,
            Self::Confirm(_) => Round::Confirm,
        }
    }

    /// What it posts, each with its file name.
    ///
    /// # Errors
    /// [`RoundsError`].
    pub(crate) fn messages(&self) -> Result<Vec<(String, Envelope)>, RoundsError> {
        let named = |what: &str, envelopes: &[Envelope]| {
            let name = |envelope: &Envelope| format!("{what}-{}.ccc", envelope.identifier());
            envelopes.iter().map(|envelope| (name(envelope), envelope.clone())).collect::<Vec<_>>()
        };
        Ok(match self {
            Self::Commit(state) => named("commit", state.outgoing()),
            Self::Open(state) => named("open", state.outgoing()),
            Self::Complain(state) => {
                let complaints = state.outgoing().iter().zip(1..);
                let name = |(envelope, k): (&Envelope, u16)| {
                    (format!("complaint-{}-{k}.ccc", envelope.identifier()), envelope.clone())
                };
                complaints.map(name).chain(named("complained", &state.no_more_complaints()?)).collect()
            }
            Self::Confirm(state) => named("confirm", state.outgoing()),
        })
    }

    /// Takes what the board carried in its round.
    ///
    /// # Errors
    /// [`RoundsError`]; what is stored stays as it is.
    pub(crate) fn advance(self, seen: &[Envelope]) -> Result<Next<'k, P>, RoundsError> {
        Ok(Next::Stage(match self {
            Self::Commit(state) => Self::Open(Box::new(state.open(seen)?)),
            Self::Open(state) => Self::Complain(Box::new(state.complain(seen)?)),
            Self::Complain(state) => Self::Confirm(Box::new(state.finish(seen)?)),
            Self::Confirm(state) => return Ok(Next::Finished(Box::new(state.confirm(seen)?.into()))),
        }))
    }
}
