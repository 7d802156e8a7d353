//! The states of a key generation. Stored ones, behind a true opening: no input makes a reader panic, and what is accepted
//! is written back as it was. Running ones: whatever one participant and the carrier put on the board, in any round and
//! any order, the others end with one result and blame nobody else.
//!
//! `cargo +nightly fuzz run states`
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use ccc_core::{
    encoding::{Kind, header},
    envelope::Envelope,
    epoch::Epoch,
    identifier::Identifier,
    keys::{
        ParticipantKeys, Protocol, Roster, Session,
        dkg::{Committed, Complained, DkgError, Opened, Outcome, Participant, Party, Unconfirmed},
    },
    threshold::Threshold,
};
use libfuzzer_sys::fuzz_target;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::sync::LazyLock;

/// Its number; the others are 1 to 3.
const LIAR: u16 = 4;

struct Table {
    session: Session,
    keys: Vec<ParticipantKeys>,
    /// Everything that is posted when nobody lies.
    honest: Vec<Envelope>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let keys: Vec<_> = (0..4).map(|_| ParticipantKeys::generate(&mut rng).expect("works")).collect();
    let numbered = (1..).zip(&keys).map(|(i, keys)| keys.public(id(i))).collect();
    let roster = Roster::new(Epoch(0), Threshold::default_for(4).expect("four"), numbered).expect("a roster");
    let session = Session::new(Protocol::Dkg, None, roster, &[2; 32]);
    let mut table = Table { session, keys, honest: Vec::new() };
    let mut honest = Vec::new();
    table.run(|_, seen| honest.extend(seen.iter().cloned()));
    table.honest = honest;
    table
});

fn id(i: u16) -> Identifier {
    Identifier::new(i).expect("not zero")
}

/// Takes the states that are left to the next, and gives them with what they say.
fn step<S, T>(
    states: Vec<Result<S, DkgError>>,
    advance: impl Fn(S) -> Result<T, DkgError>,
    says: impl Fn(&T) -> &[Envelope],
) -> (Vec<Result<T, DkgError>>, Vec<Envelope>) {
    let states: Vec<_> = states.into_iter().map(|state| state.and_then(&advance)).collect();
    let said = states.iter().flatten().flat_map(|state| says(state).to_vec()).collect();
    (states, said)
}

impl Table {
    fn party(&self, i: u16) -> Party<'_> {
        Party::new(self.session.clone(), id(i), &self.keys[usize::from(i) - 1]).expect("on the roster")
    }

    /// One run, in which the board carries what `alter` makes of each round.
    fn run(&self, mut alter: impl FnMut(usize, &mut Vec<Envelope>)) -> Vec<Result<Outcome, DkgError>> {
        let mut rng = ChaCha20Rng::from_seed([3; 32]);
        let joined = (1..=4).map(|i| Participant::join(self.party(i), &mut rng)).collect();
        let (states, mut seen) = step(joined, Participant::commit, Committed::outgoing);
        alter(0, &mut seen);
        let (states, mut next) = step(states, |s| s.open(&seen), Opened::outgoing);
        alter(1, &mut next);
        let (states, mut seen) = step(states, |s| s.complain(&next), Complained::outgoing);
        alter(2, &mut seen);
        let (states, mut next) = step(states, |s| s.finish(&seen), Unconfirmed::outgoing);
        alter(3, &mut next);
        states.into_iter().map(|state| state.and_then(|s| s.confirm(&next))).collect()
    }

    /// The liar's signature, under any number.
    fn signs(&self, i: Identifier, kind: Kind, payload: Vec<u8>) -> Option<Envelope> {
        let (roster, topic) = (self.session.roster(), self.session.id());
        let keys = &self.keys[usize::from(LIAR) - 1];
        Envelope::sign(keys, &roster.digest(), roster.epoch(), i, &topic, kind, payload).ok()
    }
}

/// One change of what a round carries.
#[derive(Arbitrary, Debug)]
enum Change {
    Repeat { from: u8, to: u8 },
    Swap { one: u8, other: u8 },
    Replay { of: u8 },
    Damage { of: u8, bit: u16 },
    Hush,
    Adopt { of: u8 },
    Alter { of: u8, bit: u16 },
    Say { kind: u8, payload: Vec<u8> },
    Pretend { number: u16, kind: u8, payload: Vec<u8> },
}

fn flipped(bytes: &[u8], bit: u16) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(last) = bytes.len().checked_sub(1) {
        bytes[last.min(usize::from(bit) / 8)] ^= 1 << (bit % 8);
    }
    bytes
}

/// What follows header, committee, ε, number and topic, up to the signature.
fn payload(envelope: &Envelope) -> Vec<u8> {
    let wire = envelope.to_bytes();
    wire[8 + 64 + 8 + 2 + 36 + 4..wire.len() - 64].to_vec()
}

fn kind(byte: u8) -> Kind {
    Kind::ALL[usize::from(byte) % Kind::ALL.len()]
}

/// What is added is repeated from this run, or signed by the liar, or by nobody. `said` is what was said so far.
fn apply(change: &Change, seen: &mut Vec<Envelope>, said: &[Envelope]) {
    let honest = |of: u8| &TABLE.honest[usize::from(of) % TABLE.honest.len()];
    let place = |at: u8, seen: &[Envelope]| usize::from(at) % seen.len().max(1);
    match change {
        Change::Repeat { from, to } if !seen.is_empty() => {
            let copy = seen[place(*from, seen)].clone();
            seen.insert(place(*to, seen), copy);
        }
        Change::Swap { one, other } if !seen.is_empty() => {
            let (one, other) = (place(*one, seen), place(*other, seen));
            seen.swap(one, other);
        }
        Change::Replay { of } if !said.is_empty() => seen.insert(0, said[place(*of, said)].clone()),
        Change::Damage { of, bit } => seen.extend(Envelope::from_bytes(&flipped(&honest(*of).to_bytes(), *bit))),
        Change::Hush => seen.retain(|envelope| envelope.identifier() != id(LIAR)),
        Change::Adopt { of } => {
            let taken = honest(*of);
            seen.extend(TABLE.signs(id(LIAR), taken.kind(), payload(taken)));
        }
        Change::Alter { of, bit } => {
            let taken = honest(*of);
            seen.extend(TABLE.signs(id(LIAR), taken.kind(), flipped(&payload(taken), *bit)));
        }
        Change::Say { kind: of, payload } => seen.extend(TABLE.signs(id(LIAR), kind(*of), payload.clone())),
        Change::Pretend { number, kind: of, payload } => {
            let Ok(number) = Identifier::new(*number) else { return };
            seen.extend(TABLE.signs(number, kind(*of), payload.clone()));
        }
        _ => {}
    }
}

/// The three others agree, and name at most the liar.
fn others_agree(changes: &[Vec<Change>; 4]) {
    let mut said = Vec::new();
    let outcomes = TABLE.run(|round, seen| {
        said.extend(seen.iter().cloned());
        changes[round].iter().take(8).for_each(|change| apply(change, seen, &said));
    });
    let mut results = outcomes.into_iter().take(3).map(|outcome| outcome.unwrap_or_else(|error| panic!("{error}")));
    let first = results.next().expect("three of them");
    assert!(first.culprits.iter().all(|culprit| culprit.identifier == id(LIAR)));
    assert!(first.key_share.matches(&first.committee).is_ok());
    for other in results {
        assert_eq!((&other.committee, other.transcript), (&first.committee, first.transcript));
        assert_eq!(other.culprits, first.culprits);
    }
}

/// header ‖ step ‖ protocol ‖ session ‖ dealer ‖ receiver ‖ what the fuzzer says.
fn state(step: u8, rest: &[u8]) -> Vec<u8> {
    let number = id(1).to_bytes();
    let opening: [&[u8]; 6] =
        [&header(Kind::RoundsState), &[step, Protocol::Dkg as u8], &TABLE.session.id(), &number, &number, rest];
    opening.concat()
}

macro_rules! settles {
    ($state:ident, $bytes:expr) => {
        if let Ok(state) = $state::from_bytes($bytes, TABLE.party(1)) {
            assert_eq!(state.to_bytes().as_slice(), $bytes);
        }
    };
}

/// A stored state is refused, or written back as it was.
fn settle(step: u8, bytes: &[u8]) {
    match step {
        1 => settles!(Participant, bytes),
        2 => settles!(Committed, bytes),
        3 => settles!(Opened, bytes),
        4 => settles!(Complained, bytes),
        _ => settles!(Unconfirmed, bytes),
    }
}

// the first byte chooses, so that the readers do not wait for whole runs
fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    if which & 1 == 0 {
        (1..=5).for_each(|step| settle(step, &state(step, bytes)));
    } else if let Ok(changes) = <[Vec<Change>; 4]>::arbitrary(&mut Unstructured::new(bytes)) {
        others_agree(&changes);
    }
});
