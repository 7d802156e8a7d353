//! Whatever one participant and the carrier put on the board, in any round and any order: no panic, and everybody else
//! ends with one result that blames nobody but this one.

use super::*;
use crate::keys::rounds::Posted;
use crate::keys::rounds::stage::change::{Change, Liar, change};
use proptest::collection::vec;
use proptest::prelude::*;

/// Changes of each of the four rounds.
fn changes() -> impl Strategy<Value = [Vec<Change>; 4]> {
    proptest::array::uniform4(vec(change(), 0..6))
}

const ROUNDS: [Round; 4] = [Round::Commit, Round::Open, Round::Complain, Round::Confirm];

impl World {
    /// Everything that is posted when nobody lies, each run drawing the same.
    fn honest(&self) -> Vec<Envelope> {
        let mut posted = Vec::new();
        self.run(|_, seen| posted.extend(seen.iter().cloned()));
        posted
    }

    /// In a reshare the old member 3 and the new member 3 are two participants.
    fn is_liar(&self, role: Role, (found, number): (Role, Identifier)) -> bool {
        number == id(LIAR) && (found == role || self.session.protocol() != Protocol::Reshare)
    }

    /// The liar's place among the parties.
    fn place(&self, role: Role) -> usize {
        if self.session.protocol() == Protocol::Reshare && role == Role::Receiver { 4 } else { 2 }
    }

    fn withstands(&self, role: Role, changes: &[Vec<Change>; 4]) {
        let (roster, topic) = (self.session.roster(), self.session.id());
        let signs = |i: Identifier, kind, payload| {
            Envelope::sign(self.keys(role), &roster.digest(), roster.epoch(), i, &topic, kind, payload).unwrap()
        };
        let said_it = |envelope: &Envelope| {
            Posted::of(&self.session, envelope).is_some_and(|posted| self.is_liar(role, (posted.role, posted.sender)))
        };
        let liar = Liar { number: LIAR, signs, said: said_it };
        let (honest, mut said) = (self.honest(), Vec::new());
        let outcomes = self.run(|round, seen| {
            let at = ROUNDS.iter().position(|r| *r == round).unwrap();
            said.extend(seen.iter().cloned());
            changes[at].iter().for_each(|change| liar.apply(change, seen, &said, &honest));
        });
        let others = outcomes.into_iter().enumerate().filter(|(at, _)| *at != self.place(role));
        let results: Vec<_> = others.map(|(at, outcome)| outcome.unwrap_or_else(|e| panic!("{at}: {e}"))).collect();
        for (committee, transcript, culprits) in &results {
            assert_eq!((committee, transcript, culprits), (&results[0].0, &results[0].1, &results[0].2));
            assert!(culprits.iter().all(|c| self.is_liar(role, (c.role, c.identifier))), "{culprits:?}");
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
        World::dkg().withstands(Role::Dealer, &changes);
    }

    #[test]
    fn n019_whatever_one_posts_in_a_refresh_the_others_agree(changes in changes()) {
        World::refresh().withstands(Role::Dealer, &changes);
    }

    #[test]
    fn n019_whatever_a_dealer_posts_in_a_reshare_the_others_agree(changes in changes()) {
        World::reshare().withstands(Role::Dealer, &changes);
    }

    #[test]
    fn n019_whatever_a_receiver_posts_in_a_reshare_the_others_agree(changes in changes()) {
        World::reshare().withstands(Role::Receiver, &changes);
    }
}
