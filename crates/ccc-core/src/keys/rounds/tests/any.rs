//! Whatever one participant and the carrier put on the board, in any round and any order: no panic, and everybody else
//! ends with one result that blames nobody but this one.

use super::*;
use crate::encoding::Kind;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// One change of what a round carries.
#[derive(Clone, Debug)]
enum Change {
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

fn change() -> impl Strategy<Value = Change> {
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

/// Changes of each of the four rounds.
fn changes() -> impl Strategy<Value = [Vec<Change>; 4]> {
    proptest::array::uniform4(vec(change(), 0..6))
}

const ROUNDS: [Round; 4] = [Round::Commit, Round::Open, Round::Complain, Round::Confirm];

fn flipped(bytes: &[u8], at: Index) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if !bytes.is_empty() {
        let bit = at.index(8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    bytes
}

impl World {
    /// The liar's signature, under any number.
    fn signs(&self, i: Identifier, kind: Kind, payload: Vec<u8>) -> Envelope {
        let roster = self.session.roster();
        let topic = self.session.id();
        Envelope::sign(self.keys(Role::Dealer), &roster.digest(), roster.epoch(), i, &topic, kind, payload).unwrap()
    }

    /// `said` is what everybody has said so far, `honest` what everybody would say if nobody lied.
    fn apply(&self, change: &Change, seen: &mut Vec<Envelope>, said: &[Envelope], honest: &[Envelope]) {
        let own = |seen: &[Envelope]| seen.iter().find(|envelope| envelope.identifier() == id(LIAR)).cloned();
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
            Change::Hush => seen.retain(|envelope| envelope.identifier() != id(LIAR)),
            Change::Adopt(k) => {
                let taken = &honest[k.index(honest.len())];
                seen.push(self.signs(id(LIAR), taken.kind(), taken.unverified_payload().to_vec()));
            }
            Change::Alter(at) => seen.extend(own(seen).map(|envelope| {
                let payload = flipped(envelope.unverified_payload(), *at);
                self.signs(id(LIAR), envelope.kind(), payload)
            })),
            Change::Say(kind, payload) => {
                seen.push(self.signs(id(LIAR), *kind.get(&Kind::ALL), payload.clone()));
            }
            Change::Pretend(i, kind, payload) => {
                seen.push(self.signs(id(*i), *kind.get(&Kind::ALL), payload.clone()));
            }
            _ => {}
        }
    }

    /// Everything that is posted when nobody lies, each run drawing the same.
    fn honest(&self) -> Vec<Envelope> {
        let mut posted = Vec::new();
        self.run(|_, seen| posted.extend(seen.iter().cloned()));
        posted
    }

    fn withstands(&self, changes: &[Vec<Change>; 4]) {
        let (honest, mut said) = (self.honest(), Vec::new());
        let outcomes = self.run(|round, seen| {
            let at = ROUNDS.iter().position(|r| *r == round).unwrap();
            said.extend(seen.iter().cloned());
            changes[at].iter().for_each(|change| self.apply(change, seen, &said, &honest));
        });
        let numbers: Vec<u16> = self.session.roster().members().iter().map(|m| m.identifier.get()).collect();
        let others = outcomes.into_iter().zip(numbers).filter(|(_, number)| *number != LIAR);
        let results: Vec<_> = others.map(|(outcome, i)| outcome.unwrap_or_else(|e| panic!("{i}: {e}"))).collect();
        for (committee, transcript, culprits) in &results {
            assert_eq!((committee, transcript, culprits), (&results[0].0, &results[0].1, &results[0].2));
            assert!(culprits.iter().all(|culprit| culprit.identifier == id(LIAR)), "{culprits:?}");
        }
        if let Some(old) = self.session.old() {
            assert_eq!(results[0].0.master_public_key(), old.master_public_key());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn n019_whatever_one_posts_in_a_key_generation_the_others_agree(changes in changes()) {
        World::dkg().withstands(&changes);
    }

    #[test]
    fn n019_whatever_one_posts_in_a_refresh_the_others_agree(changes in changes()) {
        World::refresh().withstands(&changes);
    }
}
