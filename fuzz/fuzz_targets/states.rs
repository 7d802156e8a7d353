//! The states of the four protocols on a board. Stored ones behind a true opening, of a key generation, a refresh, and a
//! reshare as dealer, as receiver and as both: no input makes a reader panic, and what is accepted is written back as it
//! was. Running ones of a key generation, a refresh, a reshare to another committee and a repair: whatever one participant and the carrier put on the board, in any round and any order,
//! the others end with one result and blame nobody else.
//!
//! `cargo +nightly fuzz run states`
#![no_main]

mod stored;

use arbitrary::{Arbitrary, Unstructured};
use ccc_core::{
    encoding::Kind,
    envelope::Envelope,
    epoch::Epoch,
    identifier::Identifier,
    keys::{
        Committee, KeyShare, ParticipantKeys, Protocol, Roster, Session, dealer, dkg,
        repair::{self, RepairError, RepairRequest, RepairSession},
        reshare::{self, NewMember, OldMember},
        rounds::{self, Culprit, Posted, Role, RoundsError, Run},
    },
    threshold::Threshold,
};
use libfuzzer_sys::fuzz_target;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::sync::{Arc, LazyLock};

/// Its number; in the reshare it is two participants, of which one lies.
const LIAR: u16 = 3;
/// Whose share is repaired.
const LOST: u16 = 2;

type Keys = Vec<(Identifier, ParticipantKeys)>;

/// A session of four rounds with everybody's keys.
struct World {
    session: Session,
    dealers: Keys,
    receivers: Keys,
    shares: Vec<KeyShare>,
    /// Everything that is posted when nobody lies.
    honest: Vec<Envelope>,
}

/// A repair of the share of number 2 by 1, 3 and 4.
struct Repair {
    committee: Committee,
    session: RepairSession,
    keys: Keys,
    shares: Vec<KeyShare>,
    honest: Vec<Envelope>,
}

static DKG: LazyLock<World> = LazyLock::new(World::dkg);
static REFRESH: LazyLock<World> = LazyLock::new(|| World::handover(Protocol::Refresh, &[1, 2, 3, 4]));
static RESHARE: LazyLock<World> = LazyLock::new(|| World::handover(Protocol::Reshare, &[1, 2, 3, 7, 9]));
static REPAIR: LazyLock<Repair> = LazyLock::new(Repair::new);

fn id(i: u16) -> Identifier {
    Identifier::new(i).expect("not zero")
}

fn roster(epoch: u64, keys: &Keys) -> Roster {
    let n = u16::try_from(keys.len()).expect("few");
    roster_of(Threshold::default_for(n).expect("enough"), epoch, keys)
}

fn roster_of(threshold: Threshold, epoch: u64, keys: &Keys) -> Roster {
    let members = keys.iter().map(|(i, keys)| keys.public(*i)).collect();
    Roster::new(Epoch(epoch), threshold, members).expect("a roster")
}

fn generate(numbers: &[u16], rng: &mut ChaCha20Rng) -> Keys {
    numbers.iter().map(|&i| (id(i), ParticipantKeys::generate(rng).expect("works"))).collect()
}

fn twin((i, keys): &(Identifier, ParticipantKeys)) -> (Identifier, ParticipantKeys) {
    (*i, ParticipantKeys::from_bytes(&keys.to_bytes()).expect("keys"))
}

fn of(all: &Keys, number: u16) -> &ParticipantKeys {
    let (_, keys) = all.iter().find(|(i, _)| i.get() == number).expect("a member");
    keys
}

/// Takes the states that are left to the next, and gives them with what they say.
fn step<S, T>(
    states: Vec<Result<S, RoundsError>>,
    advance: impl Fn(S) -> Result<T, RoundsError>,
    says: impl Fn(&T) -> &[Envelope],
) -> (Vec<Result<T, RoundsError>>, Vec<Envelope>) {
    let states: Vec<_> = states.into_iter().map(|state| state.and_then(&advance)).collect();
    let said = states.iter().flatten().flat_map(|state| says(state).to_vec()).collect();
    (states, said)
}

/// One run, in which the board carries what `alter` makes of each round.
fn run<P: Run>(
    parties: Vec<rounds::Party<'_, P>>,
    mut alter: impl FnMut(usize, &mut Vec<Envelope>),
) -> Vec<Result<P::Outcome, RoundsError>> {
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let joined = parties.into_iter().map(|party| rounds::Participant::join(party, &mut rng)).collect();
    let (states, mut seen) = step(joined, rounds::Participant::commit, rounds::Committed::outgoing);
    alter(0, &mut seen);
    let (states, mut next) = step(states, |s| s.open(&seen), rounds::Opened::outgoing);
    alter(1, &mut next);
    let (states, mut seen) = step(states, |s| s.complain(&next), rounds::Complained::outgoing);
    alter(2, &mut seen);
    let (states, mut next) = step(states, |s| s.finish(&seen), rounds::Unconfirmed::outgoing);
    alter(3, &mut next);
    states.into_iter().map(|state| state.and_then(|s| s.confirm(&next))).collect()
}

/// What one participant says came of it.
type Seen = Result<(Committee, [u8; 32], Vec<Culprit>), RoundsError>;

impl World {
    fn dkg() -> Self {
        let dealers = generate(&[1, 2, 3, 4], &mut ChaCha20Rng::from_seed([1; 32]));
        let receivers: Keys = dealers.iter().map(twin).collect();
        let session = Session::new(Protocol::Dkg, None, roster(0, &dealers), &[2; 32]);
        Self { session, dealers, receivers, shares: Vec::new(), honest: Vec::new() }.with_honest()
    }

    /// Four hand over to these. In a reshare 1 and 2 keep their keys, and 3 is somebody else.
    fn handover(protocol: Protocol, numbers: &[u16]) -> Self {
        let mut rng = ChaCha20Rng::from_seed([4; 32]);
        let dealers = generate(&[1, 2, 3, 4], &mut rng);
        let (old, shares) = dealer::deal(&roster(6, &dealers), &mut rng).expect("dealt");
        let kept = if protocol == Protocol::Refresh { 4 } else { 2 };
        let mut receivers = generate(numbers, &mut rng);
        receivers.splice(..kept, dealers[..kept].iter().map(twin));
        let next = roster(7, &receivers);
        let session = Session::handover(protocol, Arc::new(old), next, &[2; 32]).expect("a session");
        Self { session, dealers, receivers, shares, honest: Vec::new() }.with_honest()
    }

    fn with_honest(mut self) -> Self {
        let mut honest = Vec::new();
        self.run(|_, seen| honest.extend(seen.iter().cloned()));
        self.honest = honest;
        self
    }

    fn party(&self, i: u16) -> dkg::Party<'_> {
        dkg::Party::new(self.session.clone(), id(i), of(&self.dealers, i)).expect("on the roster")
    }

    /// Everybody of the old committee, then whoever is in the new one alone. A dealer receives where it has the same keys.
    fn parties(&self) -> Vec<reshare::Party<'_>> {
        let same = |share: &KeyShare| {
            let i = share.identifier();
            let new = self.receivers.iter().find(|(j, _)| *j == i)?;
            (new.1.public_keys() == of(&self.dealers, i.get()).public_keys()).then_some(i)
        };
        let member = |i: Identifier| NewMember { identifier: i, keys: of(&self.receivers, i.get()) };
        let party = |old, new| reshare::Party::new(self.session.clone(), old, new).expect("a party");
        let old = self.shares.iter().map(|key_share| {
            let keys = of(&self.dealers, key_share.identifier().get());
            party(Some(OldMember { key_share, keys }), same(key_share).map(member))
        });
        let both: Vec<_> = self.shares.iter().filter_map(same).collect();
        let new = self.receivers.iter().filter(|(i, _)| !both.contains(i)).map(|(i, _)| party(None, Some(member(*i))));
        old.chain(new).collect()
    }

    fn run(&self, alter: impl FnMut(usize, &mut Vec<Envelope>)) -> Vec<Seen> {
        if self.shares.is_empty() {
            let seen = |outcome: dkg::Outcome| {
                assert!(outcome.key_share.matches(&outcome.committee).is_ok());
                (outcome.committee, outcome.transcript, outcome.culprits)
            };
            let outcomes = run((1..=4).map(|i| self.party(i)).collect(), alter);
            return outcomes.into_iter().map(|outcome| outcome.map(seen)).collect();
        }
        let seen = |handover: reshare::Handover| {
            assert!(handover.key_share.is_none_or(|share| share.matches(&handover.committee).is_ok()));
            assert!(handover.certificate.verify(&self.session).is_ok());
            (handover.committee, handover.transcript, handover.culprits)
        };
        run(self.parties(), alter).into_iter().map(|outcome| outcome.map(seen)).collect()
    }

    fn is_liar(&self, lies_as: Role, (role, number): (Role, Identifier)) -> bool {
        number == id(LIAR) && (role == lies_as || self.session.protocol() != Protocol::Reshare)
    }

    /// The others agree, and name at most the liar.
    fn withstands(&self, role: Role, changes: &[Vec<Change>; 4]) {
        let keys = of(if role == Role::Dealer { &self.dealers } else { &self.receivers }, LIAR);
        let (roster, topic) = (self.session.roster(), self.session.id());
        let signs = |i: Identifier, kind, payload| {
            Envelope::sign(keys, &roster.digest(), roster.epoch(), i, &topic, kind, payload).ok()
        };
        let said_it = |envelope: &Envelope| {
            Posted::of(&self.session, envelope).is_some_and(|posted| self.is_liar(role, (posted.role, posted.sender)))
        };
        let liar = Liar { number: LIAR, signs, said: said_it, honest: &self.honest };
        let mut said = Vec::new();
        let outcomes = self.run(|round, seen| liar.alters(&changes[round], seen, &mut said));
        // among the parties it is the third; the new member 3 of the reshare stands behind the four old ones
        let place = if self.session.protocol() == Protocol::Reshare && role == Role::Receiver { 4 } else { 2 };
        let others = outcomes.into_iter().enumerate().filter(|(at, _)| *at != place);
        let mut results = others.map(|(_, outcome)| outcome.unwrap_or_else(|error| panic!("{error}")));
        let first = results.next().expect("three or more");
        assert!(first.2.iter().all(|culprit| self.is_liar(role, (culprit.role, culprit.identifier))));
        results.for_each(|other| assert!(other == first));
        if let Some(old) = self.session.old() {
            assert!(first.0.master_public_key() == old.master_public_key());
        }
    }
}

impl Repair {
    fn new() -> Self {
        let mut rng = ChaCha20Rng::from_seed([5; 32]);
        let keys = generate(&[1, 2, 3, 4, 5], &mut rng);
        // three helpers, the one that lost its share, and one that stands by
        let threshold = Threshold::new(3, 5).expect("within the rule");
        let (committee, shares) = dealer::deal(&roster_of(threshold, 7, &keys), &mut rng).expect("dealt");
        let helpers = [1, 3, 4].map(id).to_vec();
        let request = RepairRequest::new(&committee, id(LOST), helpers, &mut rng).expect("a request");
        let session = RepairSession::new(committee.clone(), request).expect("a session");
        let mut repair = Self { committee, session, keys, shares, honest: Vec::new() };
        let first = repair.splits();
        let sums: Vec<_> = repair.helpers().map(|helper| helper.sum(&first).expect("a sum")).collect();
        repair.honest = [first, sums].concat();
        repair
    }

    fn helpers(&self) -> impl Iterator<Item = repair::Helper<'_>> {
        let helper = |&i: &Identifier| {
            let share = self.shares.iter().find(|share| share.identifier() == i).expect("a share");
            repair::Helper::new(self.session.clone(), share, of(&self.keys, i.get())).expect("a helper")
        };
        self.session.helpers().iter().map(helper)
    }

    fn splits(&self) -> Vec<Envelope> {
        self.helpers().map(|helper| helper.split().expect("a split")).collect()
    }

    /// A helper, the one whose share is lost, or a member that does neither, lies: nobody else is named, and what comes
    /// out is the share.
    fn withstands(&self, number: u16, changes: &[Vec<Change>; 4]) {
        let (liar_id, topic) = (id(number), self.session.id());
        let signs = |i: Identifier, kind, payload| {
            let (digest, epoch) = (self.committee.digest(), self.committee.epoch());
            Envelope::sign(of(&self.keys, number), &digest, epoch, i, &topic, kind, payload).ok()
        };
        let said_it =
            |envelope: &Envelope| envelope.identifier() == liar_id && envelope.verify(&self.committee).is_ok();
        let liar = Liar { number, signs, said: said_it, honest: &self.honest };
        let mut said = Vec::new();
        let mut first = self.splits();
        liar.alters(&changes[0], &mut first, &mut said);
        let sums = self.helpers().flat_map(|helper| match helper.sum(&first) {
            Ok(sum) => vec![sum],
            Err(error) => complaints(&error, liar_id),
        });
        let mut second: Vec<_> = sums.collect();
        liar.alters(&changes[1], &mut second, &mut said);
        let receiver = repair::Receiver::new(self.session.clone(), of(&self.keys, LOST)).expect("the receiver");
        let finished = receiver.finish(&first, &second);
        let mut third = finished.as_ref().err().map_or_else(Vec::new, |error| complaints(error, liar_id));
        liar.alters(&changes[2], &mut third, &mut said);
        let judged = repair::judge(&self.session, [&first, &second, &third]);
        match (finished, judged) {
            (Ok(share), Ok(())) => assert!(share.matches(&self.committee).is_ok()),
            // only the receiver complains of a sum
            (Ok(_), Err(error)) => assert!(number == LOST && complaints(&error, liar_id).is_empty()),
            (Err(_), Err(error)) => assert!(complaints(&error, liar_id).is_empty()),
            (Err(_), Ok(())) => panic!("the receiver names somebody of whom the board shows nothing"),
        }
    }
}

/// What is posted after a step that failed. Nobody but the liar is at fault.
fn complaints(error: &RepairError, liar: Identifier) -> Vec<Envelope> {
    let (culprits, complaints) = match error {
        RepairError::Ended { culprits, complaints } => (culprits, complaints),
        RepairError::OtherBoard { helpers } => {
            assert_eq!(helpers, &[liar]);
            return Vec::new();
        }
        _ => panic!("{error}"),
    };
    assert!(culprits.iter().all(|culprit| culprit.identifier == liar));
    complaints.clone()
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

/// One participant that says what it likes.
struct Liar<'a, S, O> {
    number: u16,
    /// Its signature, under any number.
    signs: S,
    /// Whether it said this.
    said: O,
    honest: &'a [Envelope],
}

impl<S: Fn(Identifier, Kind, Vec<u8>) -> Option<Envelope>, O: Fn(&Envelope) -> bool> Liar<'_, S, O> {
    /// What the board carries in the place of a round. `said` is what was said so far.
    fn alters(&self, changes: &[Change], seen: &mut Vec<Envelope>, said: &mut Vec<Envelope>) {
        said.extend(seen.iter().cloned());
        changes.iter().take(8).for_each(|change| self.apply(change, seen, said));
    }

    /// What is added is repeated from this run, or signed by the liar, or by nobody.
    fn apply(&self, change: &Change, seen: &mut Vec<Envelope>, said: &[Envelope]) {
        let honest = |of: u8| &self.honest[usize::from(of) % self.honest.len()];
        let place = |at: u8, seen: &[Envelope]| usize::from(at) % seen.len().max(1);
        let says = |kind, payload| (self.signs)(id(self.number), kind, payload);
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
            Change::Hush => seen.retain(|envelope| !(self.said)(envelope)),
            Change::Adopt { of } => {
                let taken = honest(*of);
                seen.extend(says(taken.kind(), payload(taken)));
            }
            Change::Alter { of, bit } => {
                let taken = honest(*of);
                seen.extend(says(taken.kind(), flipped(&payload(taken), *bit)));
            }
            Change::Say { kind: of, payload } => seen.extend(says(kind(*of), payload.clone())),
            Change::Pretend { number, kind: of, payload } => {
                let Ok(number) = Identifier::new(*number) else { return };
                seen.extend((self.signs)(number, kind(*of), payload.clone()));
            }
            _ => {}
        }
    }
}

/// A run of the session that a byte chooses.
fn others_agree(which: u8, changes: &[Vec<Change>; 4]) {
    match which % 7 {
        0 => DKG.withstands(Role::Dealer, changes),
        1 => REFRESH.withstands(Role::Dealer, changes),
        2 => RESHARE.withstands(Role::Dealer, changes),
        3 => RESHARE.withstands(Role::Receiver, changes),
        liar @ 4..=6 => REPAIR.withstands([LOST, 3, 5][usize::from(liar) - 4], changes),
        _ => {}
    }
}

// the first byte chooses, so that the readers do not wait for whole runs
fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    if which & 1 == 0 {
        stored::settles(which >> 1, bytes);
    } else if let Ok(changes) = <[Vec<Change>; 4]>::arbitrary(&mut Unstructured::new(bytes)) {
        others_agree(which >> 1, &changes);
    }
});
