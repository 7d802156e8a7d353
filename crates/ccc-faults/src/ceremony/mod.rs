//! Key generation, refresh and reshare on the simulated network: a board, and participants that run the states of `ccc-core`.

mod board;
mod cast;
mod lies;
mod member;
pub mod rows;

use crate::network::{Cut, Event, Host, Message, Micros, Network, Outbox, Weather};
use board::{BoardHost, Carried};
use ccc_core::{
    envelope::Envelope,
    keys::{
        Committee, KeyShare, Session,
        board::Round,
        dkg::{self, Dkg},
        reshare::{self, Reshare},
        rounds::{self, Culprit, Party, Run, Step},
    },
};
use lies::Liar;
use member::{Member, MemberError};
use std::sync::Arc;

/// The board's number; members follow it.
const BOARD: usize = 0;
const ROUNDS: [Round; 4] = [Round::Commit, Round::Open, Round::Complain, Round::Confirm];

/// What a session gave one participant.
pub(crate) struct Settled {
    pub(crate) committee: Committee,
    pub(crate) transcript: [u8; 32],
    pub(crate) culprits: Vec<Culprit>,
    pub(crate) key_share: Option<KeyShare>,
}

/// A protocol whose outcome can be looked at.
pub(crate) trait Gives: Run {
    fn settle(outcome: Self::Outcome) -> Settled;
}

impl Gives for Dkg {
    fn settle(outcome: dkg::Outcome) -> Settled {
        let dkg::Outcome { committee, key_share, transcript, culprits, .. } = outcome;
        Settled { committee, transcript, culprits, key_share: Some(key_share) }
    }
}

impl Gives for Reshare {
    fn settle(outcome: reshare::Handover) -> Settled {
        let reshare::Handover { committee, key_share, transcript, culprits, .. } = outcome;
        Settled { committee, transcript, culprits, key_share }
    }
}

/// What travels between members and board.
#[derive(Clone)]
pub(crate) enum Word {
    Post(Round, Arc<Envelope>),
    /// The board has the envelope with this digest.
    Kept([u8; 32]),
    Read(Round),
    Closed(Round, Arc<Carried>),
}

fn digest(envelope: &Envelope) -> [u8; 32] {
    blake3::hash(&envelope.to_bytes()).into()
}

impl Message for Word {
    fn trace(&self, hash: &mut blake3::Hasher) {
        let (kind, round, digest) = match self {
            Self::Post(round, envelope) => (0, *round as u8, digest(envelope)),
            Self::Kept(digest) => (1, 0, *digest),
            Self::Read(round) => (2, *round as u8, [0; 32]),
            Self::Closed(round, carried) => (3, *round as u8, carried.digest),
        };
        hash.update(&[kind, round]).update(&digest);
    }
}

/// A machine of a session.
pub(crate) enum Machine<'k, P: Gives> {
    Board(Box<BoardHost>),
    Member(Box<Member<'k, P>>),
}

impl<P: Gives> Host for Machine<'_, P> {
    type Message = Word;

    fn take(&mut self, event: Event<Word>, out: &mut Outbox<Word>) {
        match self {
            Self::Board(board) => board.take(event, out),
            Self::Member(member) => member.take(event, out),
        }
    }

    /// The board is a contract: it has no power to lose.
    fn crash(&mut self) {
        if let Self::Member(member) = self {
            member.crash();
        }
    }
}

/// What befalls a session.
pub(crate) struct Scenario<'k> {
    pub(crate) seed: u64,
    pub(crate) weather: Weather,
    /// How long the board waits for who has not spoken.
    pub(crate) wait: Micros,
    /// Members that never run, by host.
    pub(crate) silent: Vec<usize>,
    /// Host, moment, and how long it is down.
    pub(crate) crashes: Vec<(usize, Micros, Micros)>,
    pub(crate) cuts: Vec<Cut>,
    pub(crate) liars: Vec<(usize, Liar<'k>)>,
    /// Whether members store before they post.
    pub(crate) stores: bool,
}

impl Scenario<'_> {
    pub(crate) fn fair(seed: u64) -> Self {
        Self {
            seed,
            weather: Weather::FAIR,
            wait: 3 * crate::network::SECOND,
            silent: Vec::new(),
            crashes: Vec::new(),
            cuts: Vec::new(),
            liars: Vec::new(),
            stores: true,
        }
    }
}

/// How a session ended.
pub(crate) struct Ended {
    /// By member, from 0; nothing for who never ran or never ended.
    pub(crate) outcomes: Vec<Option<Result<Settled, MemberError>>>,
    pub(crate) took: Micros,
    pub(crate) befell: crate::network::Befell,
    pub(crate) crashed_in: Vec<Step>,
    pub(crate) trace: [u8; 32],
    /// What the board carried, by round.
    pub(crate) carried: Vec<Arc<Carried>>,
    /// What somebody who took no part makes of the board.
    pub(crate) audited: Option<Result<rounds::Audited, rounds::RoundsError>>,
}

/// Runs a session; host 1 is the first party.
pub(crate) fn run<'k, P: Gives>(session: &Session, parties: Vec<Party<'k, P>>, scenario: &Scenario<'k>) -> Ended {
    let count = parties.len();
    let mut machines = vec![Machine::Board(Box::new(BoardHost::new(session.clone(), count, scenario.wait)))];
    for (at, party) in parties.into_iter().enumerate() {
        let liar = scenario.liars.iter().find(|(host, _)| *host == at + 1).map(|(_, liar)| liar.clone());
        let seed = scenario.seed.wrapping_mul(0x9e37_79b9).wrapping_add(at as u64);
        machines.push(Machine::Member(Box::new(Member::new(party, seed, scenario.stores, liar))));
    }
    let mut network = Network::new(machines, scenario.weather, scenario.seed);
    scenario.silent.iter().for_each(|host| network.crash(*host, 0, None));
    scenario.crashes.iter().for_each(|(host, at, down)| network.crash(*host, *at, Some(*down)));
    scenario.cuts.iter().for_each(|cut| network.cut(cut.clone()));
    let silent = &scenario.silent;
    network.run(8 * scenario.wait + 60 * crate::network::SECOND, |machines| all_ended(machines, silent));
    gather(session, network)
}

fn all_ended<P: Gives>(machines: &[Machine<'_, P>], silent: &[usize]) -> bool {
    machines.iter().enumerate().all(|(at, machine)| match machine {
        Machine::Board(_) => true,
        Machine::Member(member) => member.ended.is_some() || silent.contains(&at),
    })
}

fn gather<P: Gives>(session: &Session, network: Network<Machine<'_, P>>) -> Ended {
    let (took, befell, trace) = (network.now(), network.befell, network.trace());
    let (mut outcomes, mut crashed_in, mut audited, mut all) = (Vec::new(), Vec::new(), None, Vec::new());
    for machine in network.hosts {
        match machine {
            Machine::Board(board) => {
                audited = board.carried().map(|carried| {
                    let rounds = [0, 1, 2, 3].map(|at: usize| carried[at].envelopes.as_slice());
                    all.extend(carried.iter().cloned());
                    rounds::audit(session, rounds)
                });
            }
            Machine::Member(member) => {
                crashed_in.extend(member.crashed_in);
                outcomes.push(member.ended);
            }
        }
    }
    Ended { outcomes, took, befell, crashed_in, trace, carried: all, audited }
}
