//! Where a participant stands, whichever of the states it is in.

use super::{board::Board, outcome::Finished};
use ccc_core::{
    envelope::Envelope,
    keys::{
        board::Round,
        reshare::Certificate,
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

    /// Takes what the board carries in its round; for the confirm round, a certificate if one is given.
    ///
    /// # Errors
    /// [`RoundsError`]; what is stored stays as it is.
    pub(crate) fn advance(
        self,
        party: &Party<'k, P>,
        board: &Board,
        certificate: Option<&Certificate>,
    ) -> Result<Next<'k, P>, RoundsError> {
        let seen = board.envelopes(self.round());
        Ok(Next::Stage(match self {
            Self::Commit(state) => Self::Open(Box::new(state.open(&seen)?)),
            Self::Open(state) => Self::Complain(Box::new(state.complain(&seen)?)),
            Self::Complain(state) => Self::Confirm(Box::new(settled(*state, party, board)?)),
            Self::Confirm(state) => {
                let outcome = match certificate {
                    Some(certificate) => state.confirm_by_certificate(certificate)?,
                    None => state.confirm(&seen)?,
                };
                return Ok(Next::Finished(Box::new(outcome.into())));
            }
        }))
    }
}

/// The result without the dealers that said two things, of which this participant may have read one when it closed the
/// round; unless more members have confirmed the result as it would be with them.
fn settled<'k, P: Run>(
    state: Complained<'k, P>,
    party: &Party<'k, P>,
    board: &Board,
) -> Result<Unconfirmed<'k, P>, RoundsError> {
    let [commit, open, complain] = [Round::Commit, Round::Open, Round::Complain].map(|round| board.envelopes(round));
    if !board.has_two_faced_dealers() {
        return state.finish(&complain);
    }
    // both results are needed, `finish` takes the state, and no state is cloned, since it holds secrets: its stored form is
    // read a second time, as it would be after a restart
    let as_closed = Complained::from_bytes(&state.to_bytes(), party.clone()).ok();
    let as_closed = as_closed.and_then(|state| state.finish(&complain).ok());
    let evicted = state.evict(&commit, &open).finish(&complain);
    let roster = party.session().roster();
    let confirmed =
        |result: Option<&Unconfirmed<'k, P>>| result.map_or(0, |r| board.confirming(roster, &r.transcript()));
    match as_closed {
        Some(first) if confirmed(Some(&first)) > confirmed(evicted.as_ref().ok()) => Ok(first),
        _ => evicted,
    }
}
