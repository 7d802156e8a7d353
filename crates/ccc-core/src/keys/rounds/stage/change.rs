//! What one participant and the carrier may do to a round of any protocol on a board.

use super::id;
use crate::encoding::Kind;
use crate::envelope::Envelope;
use crate::identifier::Identifier;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// One change of what a round carries.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A message once more, elsewhere.
    Repeat(Index, Index),
    /// Two messages change places.
    Swap(Index, Index),
    /// A message that was said before, in this round or an earlier one.
    Replay(Index),
    /// A message with one bit altered, under its old signature.
    Damage(Index, Index),
    /// The liar's messages of this round are gone.
    Hush,
    /// The liar signs a message of any round of an honest run as its own.
    Adopt(Index),
    /// The liar signs its own message with one bit altered.
    Alter(Index),
    /// The liar signs anything.
    Say(Index, Vec<u8>),
    /// The liar signs anything in the name of another.
    Pretend(u16, Index, Vec<u8>),
}

pub(crate) fn change() -> impl Strategy<Value = Change> {
    let index = any::<Index>;
    prop_oneof![
        (index(), index()).prop_map(|(k, to)| Change::Repeat(k, to)),
        (index(), index()).prop_map(|(k, j)| Change::Swap(k, j)),
        index().prop_map(Change::Replay),
        (index(), index()).prop_map(|(k, at)| Change::Damage(k, at)),
        Just(Change::Hush),
        index().prop_map(Change::Adopt),
        index().prop_map(Change::Alter),
        (index(), vec(any::<u8>(), 0..200)).prop_map(|(kind, bytes)| Change::Say(kind, bytes)),
        (1u16..9, index(), vec(any::<u8>(), 0..40)).prop_map(|(i, kind, bytes)| Change::Pretend(i, kind, bytes)),
    ]
}

fn flipped(bytes: &[u8], at: Index) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if !bytes.is_empty() {
        let bit = at.index(8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    bytes
}

/// One participant that says what it likes.
pub(crate) struct Liar<S, O> {
    pub(crate) number: u16,
    /// Its signature, under any number.
    pub(crate) signs: S,
    /// Whether it said this.
    pub(crate) said: O,
}

impl<S: Fn(Identifier, Kind, Vec<u8>) -> Envelope, O: Fn(&Envelope) -> bool> Liar<S, O> {
    /// `said` is what everybody has said so far, `honest` what everybody would say if nobody lied.
    pub(crate) fn apply(&self, change: &Change, seen: &mut Vec<Envelope>, said: &[Envelope], honest: &[Envelope]) {
        let says = |kind, payload| (self.signs)(id(self.number), kind, payload);
        match change {
            Change::Repeat(k, to) if !seen.is_empty() => {
                let copy = seen[k.index(seen.len())].clone();
                seen.insert(to.index(seen.len() + 1), copy);
            }
            Change::Swap(k, j) if !seen.is_empty() => {
                let (k, j) = (k.index(seen.len()), j.index(seen.len()));
                seen.swap(k, j);
            }
            Change::Replay(k) if !said.is_empty() => seen.insert(0, said[k.index(said.len())].clone()),
            Change::Damage(k, at) if !seen.is_empty() => {
                let wire = flipped(&seen[k.index(seen.len())].to_bytes(), *at);
                seen.extend(Envelope::from_bytes(&wire));
            }
            Change::Hush => seen.retain(|envelope| !(self.said)(envelope)),
            Change::Adopt(k) => {
                let taken = &honest[k.index(honest.len())];
                seen.push(says(taken.kind(), taken.unverified_payload().to_vec()));
            }
            Change::Alter(at) => {
                let own = seen.iter().find(|envelope| (self.said)(envelope));
                let altered = own.map(|own| says(own.kind(), flipped(own.unverified_payload(), *at)));
                seen.extend(altered);
            }
            Change::Say(kind, payload) => seen.push(says(*kind.get(&Kind::ALL), payload.clone())),
            Change::Pretend(i, kind, payload) => {
                seen.push((self.signs)(id(*i), *kind.get(&Kind::ALL), payload.clone()));
            }
            _ => {}
        }
    }
}
