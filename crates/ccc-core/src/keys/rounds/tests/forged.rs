//! One participant signs a message of each kind in the name of another: it is refused, and nobody is blamed for it.

use super::*;
use crate::envelope::EnvelopeError;
use crate::keys::rounds::{Posted, Posting};

/// In whose name the liar signs: a dealer and a receiver of every world.
const VICTIM: u16 = 2;

impl World {
    /// A message of each kind, of which its sender would be blamed if it had said it.
    fn forgeries(&self) -> Vec<Envelope> {
        let wire = self.first_dealing().to_bytes();
        let dealing = Dealing::from_bytes(&wire).unwrap().verify(&self.session).unwrap();
        let keys = self.keys(Role::Receiver);
        let complaint = Complaint::create(&dealing, id(LIAR), keys, &mut ChaCha20Rng::seed_from_u64(5)).unwrap();
        let packages = [
            (Role::Dealer, Package::Commitment([7; 32])),
            (Role::Dealer, Package::Dealing(wire)),
            (Role::Receiver, Package::Complaint(id(1), Box::new(complaint))),
            (Role::Receiver, Package::NoMoreComplaints(7)),
            (Role::Receiver, Package::Confirmation([7; 32])),
        ];
        packages.map(|(role, package)| signed(&self.session, self.keys(role), id(VICTIM), package)).into()
    }
}

#[test]
fn n045_a_forged_signature_on_a_message_of_each_kind_is_refused() {
    for world in worlds() {
        let expected = EnvelopeError::Signature { identifier: id(VICTIM) };
        for (at, forged) in world.forgeries().iter().enumerate() {
            let key = match at {
                0 | 1 => world.session.dealer_key(id(VICTIM)),
                _ => world.session.receiver_key(id(VICTIM)),
            };
            assert!(key.is_some());
            assert_eq!(forged.verify_session(world.session.roster(), key), Err(expected.clone()), "{at}");
            assert!(Posting::claimed(forged).is_some());
            assert_eq!(Posted::of(&world.session, forged), None, "{at}");
        }
    }
}

#[test]
fn n019_a_forged_message_of_each_kind_changes_no_result_and_names_nobody() {
    for world in worlds() {
        let honest = world.run(|_, _| {});
        assert!(honest.iter().all(|outcome| outcome.as_ref().is_ok_and(|(_, _, culprits)| culprits.is_empty())));
        for forged in world.forgeries() {
            let of = Posting::claimed(&forged).unwrap();
            let outcomes = world.run(|round, seen| {
                if round == of.round() {
                    seen.insert(0, forged.clone());
                }
            });
            assert_eq!(outcomes, honest, "{of}");
        }
    }
}
