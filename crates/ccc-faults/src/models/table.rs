//! The versions of a table: two hosts make versions from what they hold, signers sign what follows the head that they read,
//! the pool takes what f + 1 of them signed.
//!
//! *Source*: `docs/spec/table.md` and `docs/spec/report.md`. Four signers with f = 1, of which one signs anything; honest ones
//! may lag behind the chain, and be restored from an old image.

use stateright::{Model, Property};

/// f + 1.
const QUORUM: u32 = 2;
const HONEST: u8 = 3;
const LIAR: u8 = 3;
const HOSTS: u8 = 2;
/// Versions that are made at most, beside the first.
const MADE: usize = 2;

/// A version has one successor.
pub const ONE_SUCCESSOR: &str = "no version has two successors";

/// The model; without its guard the pool does not compare what a report follows with its head.
#[derive(Clone, Copy, Debug)]
pub struct Versions {
    /// Whether the pool compares.
    pub guarded: bool,
}

/// A version that a host made. Its number is its place, from 1; 0 is the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Made {
    parent: u8,
    signed: u8,
    accepted: bool,
}

/// Everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    made: Vec<Made>,
    head: u8,
    /// What each host holds.
    hosts: [u8; HOSTS as usize],
    /// The head that each honest signer read last.
    views: [u8; HONEST as usize],
    restored: [bool; 2],
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A host makes a version from the one that it holds.
    Make(u8),
    /// A host takes the head from the chain.
    Fetch(u8),
    /// A signer reads the chain.
    Read(u8),
    /// A signer signs a version that follows the head that it read.
    Sign(u8, u8),
    /// The liar signs a version.
    Lie(u8),
    /// Somebody delivers a version's report.
    Deliver(u8),
    /// A host is restored from its first image.
    RestoreHost(u8),
    /// A signer is restored from its first image.
    RestoreSigner(u8),
}

impl State {
    fn version(&mut self, number: u8) -> &mut Made {
        &mut self.made[usize::from(number) - 1]
    }

    fn deliver(&mut self, number: u8) {
        self.version(number).accepted = true;
        self.head = number;
    }
}

impl Model for Versions {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for host in 0..HOSTS {
            if state.made.len() < MADE {
                actions.push(Action::Make(host));
            }
            actions.push(Action::Fetch(host));
            if !state.restored[0] {
                actions.push(Action::RestoreHost(host));
            }
        }
        for signer in 0..HONEST {
            actions.push(Action::Read(signer));
            if !state.restored[1] {
                actions.push(Action::RestoreSigner(signer));
            }
        }
        for (number, made) in (1..).zip(&state.made) {
            let follows = |signer: &u8| state.views[usize::from(*signer)] == made.parent;
            (0..HONEST).filter(follows).for_each(|signer| actions.push(Action::Sign(signer, number)));
            actions.push(Action::Lie(number));
            let follows_head = made.parent == state.head || !self.guarded;
            if made.signed.count_ones() >= QUORUM && !made.accepted && follows_head {
                actions.push(Action::Deliver(number));
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut next = last.clone();
        match action {
            Action::Make(host) => {
                next.made.push(Made { parent: last.hosts[usize::from(host)], signed: 0, accepted: false });
            }
            Action::Fetch(host) => next.hosts[usize::from(host)] = last.head,
            Action::Read(signer) => next.views[usize::from(signer)] = last.head,
            Action::Sign(signer, number) => next.version(number).signed |= 1 << signer,
            Action::Lie(number) => next.version(number).signed |= 1 << LIAR,
            Action::Deliver(number) => next.deliver(number),
            Action::RestoreHost(host) => {
                next.hosts[usize::from(host)] = 0;
                next.restored[0] = true;
            }
            Action::RestoreSigner(signer) => {
                next.views[usize::from(signer)] = 0;
                next.restored[1] = true;
            }
        }
        // what changes nothing is no step
        Some(next).filter(|next| next != last)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE_SUCCESSOR, |_, state: &State| {
                let mut parents: Vec<_> = state.made.iter().filter(|m| m.accepted).map(|m| m.parent).collect();
                let accepted = parents.len();
                parents.sort_unstable();
                parents.dedup();
                parents.len() == accepted
            }),
            Property::sometimes("two versions follow each other after both restores", |_, state: &State| {
                state.restored == [true; 2] && state.made.iter().filter(|made| made.accepted).count() == 2
            }),
            Property::sometimes("a signed version is outrun", |_, state: &State| {
                state.made.iter().any(|m| m.signed.count_ones() >= QUORUM && !m.accepted && m.parent != state.head)
            }),
        ]
    }
}
