//! Stored states of every kind of party: what it keeps of a run in which everybody speaks, and of one in which a dealer is
//! silent, so that the state names somebody.

use super::{DKG, REFRESH, RESHARE, World, id};
use ccc_core::{
    envelope::Envelope,
    keys::rounds::{Committed, Complained, Opened, Participant, Party, Run, Unconfirmed},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::sync::LazyLock;

/// Bytes that every state of a party has in front, but for its step: header, step, protocol, session, dealer, receiver.
const OPENING: usize = 8 + 1 + 1 + 32 + 2 + 2;
/// Who is silent: in a reshare a dealer that does not receive.
const SILENT: u16 = 4;
/// Steps of a party.
const STEPS: usize = 5;

/// The states of a party, step by step, in both runs.
type States = [[Vec<u8>; STEPS]; 2];

/// Among the parties of a reshare: one that deals and receives, one of the old committee alone, one of the new alone.
const BOTH: usize = 0;
const OLD: usize = 2;
const NEW: usize = 5;

static OF_DKG: LazyLock<States> = LazyLock::new(|| both_runs(&DKG, || dkg_parties(&DKG), BOTH));
static OF_REFRESH: LazyLock<States> = LazyLock::new(|| both_runs(&REFRESH, || REFRESH.parties(), BOTH));
static OF_BOTH: LazyLock<States> = LazyLock::new(|| both_runs(&RESHARE, || RESHARE.parties(), BOTH));
static OF_OLD: LazyLock<States> = LazyLock::new(|| both_runs(&RESHARE, || RESHARE.parties(), OLD));
static OF_NEW: LazyLock<States> = LazyLock::new(|| both_runs(&RESHARE, || RESHARE.parties(), NEW));

fn dkg_parties(world: &World) -> Vec<ccc_core::keys::dkg::Party<'_>> {
    (1..=4).map(|i| world.party(i)).collect()
}

fn both_runs<'k, P: Run>(world: &World, parties: impl Fn() -> Vec<Party<'k, P>>, at: usize) -> States {
    let heard = |envelope: &&Envelope| envelope.identifier() != id(SILENT);
    let others: Vec<_> = world.honest.iter().filter(heard).cloned().collect();
    [states(parties(), at, &world.honest), states(parties(), at, &others)]
}

/// What the party at this place keeps. It draws what it drew in the run of which the board is; what is of another round
/// counts for nothing.
fn states<P: Run>(parties: Vec<Party<'_, P>>, at: usize, board: &[Envelope]) -> [Vec<u8>; STEPS] {
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let mut all: Vec<_> = parties.into_iter().map(|party| Participant::join(party, &mut rng).expect("joins")).collect();
    let joined = all.swap_remove(at);
    let first = joined.to_bytes().to_vec();
    let committed = joined.commit().expect("commits");
    let second = committed.to_bytes().to_vec();
    let opened = committed.open(board).expect("enough commitments");
    let third = opened.to_bytes().to_vec();
    let complained = opened.complain(board).expect("enough dealings");
    let fourth = complained.to_bytes().to_vec();
    let unconfirmed = complained.finish(board).expect("a committee");
    [first, second, third, fourth, unconfirmed.to_bytes().to_vec()]
}

/// The readers of the states of a party that a byte chooses, in a run that it chooses too.
pub(super) fn settles(which: u8, bytes: &[u8]) {
    let of_reshare = |at: usize| RESHARE.parties().swap_remove(at);
    let run = usize::from(which / 5 % 2);
    match which % 5 {
        0 => settle_all(&DKG.party(1), &OF_DKG[run], bytes),
        1 => settle_all(&REFRESH.parties().swap_remove(BOTH), &OF_REFRESH[run], bytes),
        2 => settle_all(&of_reshare(BOTH), &OF_BOTH[run], bytes),
        3 => settle_all(&of_reshare(OLD), &OF_OLD[run], bytes),
        _ => settle_all(&of_reshare(NEW), &OF_NEW[run], bytes),
    }
}

/// The bytes behind each step's true opening; and a true state, in which they stand from some place on: the first three
/// say which and where.
fn settle_all<P: Run>(party: &Party<'_, P>, states: &[Vec<u8>; STEPS], bytes: &[u8]) {
    for (step, state) in states.iter().enumerate() {
        settle(step, &[&state[..OPENING], bytes].concat(), party.clone());
    }
    if let Some(([step, at @ ..], bytes)) = bytes.split_first_chunk::<3>() {
        let (step, at) = (usize::from(*step) % STEPS, u16::from_be_bytes(*at));
        let read = settle(step, &overwritten(&states[step], at.into(), bytes), party.clone());
        assert!(read || !bytes.is_empty(), "a state is read by the party that kept it");
    }
}

fn overwritten(state: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut state = state.to_vec();
    let at = at % state.len();
    state[at..].iter_mut().zip(bytes).for_each(|(old, new)| *old = *new);
    state
}

/// A stored state is refused, or written back as it was; whether it was read.
fn settle<P: Run>(step: usize, bytes: &[u8], party: Party<'_, P>) -> bool {
    let written = match step {
        0 => Participant::from_bytes(bytes, party).map(|state| state.to_bytes()),
        1 => Committed::from_bytes(bytes, party).map(|state| state.to_bytes()),
        2 => Opened::from_bytes(bytes, party).map(|state| state.to_bytes()),
        3 => Complained::from_bytes(bytes, party).map(|state| state.to_bytes()),
        _ => Unconfirmed::from_bytes(bytes, party).map(|state| state.to_bytes()),
    };
    written.is_ok_and(|written| {
        assert_eq!(written.as_slice(), bytes);
        true
    })
}
