//! The switch of a reshare: a committee of four, of which one lies, runs a session, and a second one if the first ends without
//! a result. Confirmations may come after the board closed.
//!
//! *Source*: `docs/spec/keys.md`, "The switch position" and "What a certificate proves".

use stateright::{Model, Property};

/// Confirmations that make a result count: n′ − F′ of four.
const NEED: u32 = 3;
const HONEST: u8 = 3;
/// The one that signs anything.
const LIAR: u8 = 3;
/// Two sessions of one epoch.
const SESSIONS: u8 = 2;

/// Two sessions of one epoch never both serve.
pub const ONE_SESSION: &str = "one session serves";
/// An old share goes only once a session has won on the board.
pub const NOT_BEFORE: &str = "nothing is erased before the switch";

/// The model; without its guard a certificate counts for whatever session it certifies.
#[derive(Clone, Copy, Debug)]
pub struct Switch {
    /// Whether a participant asks the board which session counts.
    pub guarded: bool,
}

/// An honest receiver, as its disk has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Receiver {
    /// The session whose new share it holds, unconfirmed or confirmed.
    stored: Option<u8>,
    /// The session that it serves; nothing is the old epoch.
    serves: Option<u8>,
    /// Whether the old share is gone.
    erased: bool,
}

/// Everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    receivers: [Receiver; HONEST as usize],
    /// The session that runs; `SESSIONS` after the last.
    running: u8,
    /// Confirmations when the board closed, and all that were ever signed: bits by receiver.
    carried: [u8; SESSIONS as usize],
    signed: [u8; SESSIONS as usize],
    won: Option<u8>,
    restored: bool,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A receiver stores the new share of a session.
    Store(u8, u8),
    /// A receiver signs what it stored; the board carries it while the session runs.
    Sign(u8),
    /// The liar signs a session, whatever it holds.
    Lie(u8),
    /// The board ends the round.
    Close,
    /// A receiver reads how it ended.
    Learn(u8),
    /// A receiver is shown a certificate of what it stored.
    Certificate(u8),
    /// A receiver is restored from the image of before the session.
    Restore(u8),
}

impl State {
    fn sign(&mut self, who: u8, session: u8) {
        self.signed[usize::from(session)] |= 1 << who;
        if session == self.running {
            self.carried[usize::from(session)] |= 1 << who;
        }
    }

    fn switch(&mut self, who: u8, session: u8) {
        let receiver = &mut self.receivers[usize::from(who)];
        (receiver.serves, receiver.erased) = (Some(session), true);
    }

    fn close(&mut self) {
        if self.carried[usize::from(self.running)].count_ones() >= NEED {
            self.won = Some(self.running);
            self.running = SESSIONS;
        } else {
            self.running += 1;
        }
    }

    fn offers_to(&self, who: u8, guarded: bool, actions: &mut Vec<Action>) {
        let Receiver { stored, serves, .. } = self.receivers[usize::from(who)];
        let open = [Some(self.running).filter(|session| *session < SESSIONS), self.won];
        for session in open.into_iter().flatten().filter(|session| stored != Some(*session) && serves.is_none()) {
            actions.push(Action::Store(who, session));
        }
        let Some(session) = stored.filter(|_| serves.is_none()) else { return };
        if self.signed[usize::from(session)] & (1 << who) == 0 {
            actions.push(Action::Sign(who));
        }
        if self.won == Some(session) {
            actions.push(Action::Learn(who));
        }
        let certified = self.signed[usize::from(session)].count_ones() >= NEED;
        if certified && (!guarded || self.won == Some(session)) {
            actions.push(Action::Certificate(who));
        }
    }
}

impl Model for Switch {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        (0..HONEST).for_each(|who| state.offers_to(who, self.guarded, actions));
        (0..SESSIONS)
            .filter(|s| state.signed[usize::from(*s)] & (1 << LIAR) == 0)
            .for_each(|s| actions.push(Action::Lie(s)));
        if state.running < SESSIONS {
            actions.push(Action::Close);
        }
        if !state.restored {
            (0..HONEST).for_each(|who| actions.push(Action::Restore(who)));
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut next = last.clone();
        match action {
            Action::Store(who, session) => next.receivers[usize::from(who)].stored = Some(session),
            Action::Sign(who) => next.sign(who, last.receivers[usize::from(who)].stored?),
            Action::Lie(session) => next.sign(LIAR, session),
            Action::Close => next.close(),
            Action::Learn(who) | Action::Certificate(who) => {
                next.switch(who, last.receivers[usize::from(who)].stored?);
            }
            Action::Restore(who) => {
                next.receivers[usize::from(who)] = Receiver::default();
                next.restored = true;
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE_SESSION, |_, state: &State| {
                let mut serving = state.receivers.iter().filter_map(|receiver| receiver.serves);
                let first = serving.next();
                serving.all(|session| Some(session) == first)
            }),
            Property::always(NOT_BEFORE, |_, state: &State| {
                state.receivers.iter().all(|receiver| !receiver.erased || state.won == receiver.serves)
            }),
            Property::sometimes("all hand over", |_, state: &State| {
                state.receivers.iter().all(|receiver| receiver.serves == Some(0))
            }),
            Property::sometimes("the second session wins after late confirmations of the first", |_, state: &State| {
                state.won == Some(1) && state.signed[0].count_ones() >= NEED
            }),
            Property::sometimes("a restored receiver catches up", |_, state: &State| {
                state.restored && state.receivers.iter().all(|receiver| receiver.serves.is_some())
            }),
        ]
    }
}
