//! Two dealings of one dealer, and complaints about nothing: in a key generation, a refresh and a reshare.

use super::*;
use crate::identifier::MAX_PARTICIPANTS;

impl World {
    /// A complaint of receiver 2, which is honest, about dealer 1's dealing: well-formed, and about a right share.
    fn complaint(&self) -> Complaint {
        let dealing = self.first_dealing().verify(&self.session).unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        Complaint::create(&dealing, id(2), self.receiver(2), &mut rng).unwrap()
    }

    fn receiver(&self, number: u16) -> &ParticipantKeys {
        &self.receivers.iter().find(|(i, _)| i.get() == number).unwrap().1
    }

    /// What receiver 2 says beside what its program says.
    fn complains(&self, package: Package) -> Envelope {
        signed(&self.session, self.receiver(2), id(2), package)
    }

    /// A payload of the kind of complaints that receiver 2 signed.
    fn signs(&self, payload: Vec<u8>) -> Envelope {
        let roster = self.session.roster();
        let (digest, topic) = (roster.digest(), self.session.id());
        let (keys, kind) = (self.receiver(2), Kind::Complaint);
        Envelope::sign(keys, &digest, roster.epoch(), id(2), &topic, kind, payload).unwrap()
    }
}

/// Whichever of the two the dealer committed to, and wherever it stands; the same one three times is one.
#[test]
fn n018_two_dealings_in_the_open_round_name_their_dealer_alone_in_every_protocol() {
    for world in worlds() {
        let committed = world.forge(LIAR, world.constant(), &Lie::Nothing);
        let mut rng = ChaCha20Rng::seed_from_u64(53);
        let other = Dealing::forge(&world.session, LIAR, world.constant(), &Lie::Nothing, &mut rng);
        assert!(other.clone().verify(&world.session).is_ok() && other != committed);
        let says = |dealing: &Dealing| world.says(Role::Dealer, Package::Dealing(dealing.to_bytes()));
        let posted = |all: [&Dealing; 3], round: Round, seen: &mut Vec<Envelope>| match round {
            Round::Commit => {
                let digest = Package::Commitment(committed.commitment_digest());
                replace(seen, vec![world.says(Role::Dealer, digest)]);
            }
            Round::Open => {
                replace(seen, Vec::new());
                seen.splice(0..0, all.map(says));
            }
            Round::Complain | Round::Confirm => {}
        };
        for all in [[&committed, &committed, &other], [&other, &committed, &committed], [&other, &other, &committed]] {
            world.names(Role::Dealer, &Fault::Equivocation, |round, seen| posted(all, round, seen));
        }
        for outcome in world.run(|round, seen| posted([&committed; 3], round, seen)) {
            assert!(outcome.is_ok_and(|(_, _, culprits)| culprits.is_empty()));
        }
    }
}

/// Nobody knows what it is about, so nobody is blamed: neither whoever it names nor whoever signed it.
#[test]
fn n011_a_complaint_that_does_not_parse_changes_no_result_and_names_nobody() {
    for world in worlds() {
        let honest = world.run(|_, _| {});
        let right = world.complaint().to_bytes();
        let about = |dealer: u16, complaint: &[u8]| [dealer.to_be_bytes().as_slice(), complaint].concat();
        let mut identity = right.clone();
        identity[..32].fill(0);
        let mut above_the_order = right.clone();
        above_the_order[96..].fill(0xff);
        let payloads = [
            vec![],
            vec![0],
            about(1, &[]),
            about(1, &right[..right.len() - 1]),
            about(1, &[right.as_slice(), &[0]].concat()),
            about(1, &identity),
            about(1, &above_the_order),
            about(0, &right),
        ];
        for payload in payloads {
            let broken = world.signs(payload);
            assert!(Package::complaint(&broken).is_none());
            let outcomes = world.run(|round, seen| {
                if round == Round::Complain {
                    seen.insert(0, broken.clone());
                }
            });
            assert_eq!(outcomes, honest);
        }
    }
}

/// A complaint about a number that no dealer has is about no dealing.
#[test]
fn n011_a_complaint_about_a_stranger_changes_no_result_and_names_nobody() {
    for world in worlds() {
        let (honest, complaint) = (world.run(|_, _| {}), world.complaint());
        for stranger in [5, MAX_PARTICIPANTS, u16::MAX] {
            let package = Package::Complaint(id(stranger), Box::new(complaint.clone()));
            let about = world.complains(package);
            assert!(Package::complaint(&about).is_some() && world.session.dealer_key(id(stranger)).is_none());
            let outcomes = world.run(|round, seen| {
                if round == Round::Complain {
                    seen.insert(0, about.clone());
                }
            });
            assert_eq!(outcomes, honest);
        }
    }
}

/// Whose dealing does not count cannot be complained about: the dealer keeps its one fault, and the accuser, that may
/// have complained before it knew, has none. Control: about a dealing that counts, the same complaint names its author.
#[test]
fn n011_a_complaint_about_an_evicted_dealer_names_the_dealer_alone_and_once() {
    for world in worlds() {
        let complaint = Box::new(world.complaint());
        let about = |dealer: u16| world.complains(Package::Complaint(id(dealer), complaint.clone()));
        let wrong = world.forge(LIAR, world.constant(), &Lie::Proof);
        let digest = Package::Commitment(wrong.commitment_digest());
        let (digest, wrong) =
            (world.says(Role::Dealer, digest), world.says(Role::Dealer, Package::Dealing(wrong.to_bytes())));
        let fault = Fault::Dealing(DealingError::Proof);
        let evicted = |round: Round, seen: &mut Vec<Envelope>| match round {
            Round::Commit => replace(seen, vec![digest.clone()]),
            Round::Open => replace(seen, vec![wrong.clone()]),
            Round::Complain => seen.insert(0, about(LIAR)),
            Round::Confirm => {}
        };
        world.names(Role::Dealer, &fault, evicted);
        let silent = |round: Round, seen: &mut Vec<Envelope>| match round {
            Round::Open => replace(seen, Vec::new()),
            Round::Complain => seen.insert(0, about(LIAR)),
            _ => {}
        };
        world.names(Role::Dealer, &Fault::Silent, silent);
        for outcome in world.run(|round, seen| {
            if round == Round::Complain {
                seen.insert(0, about(1));
            }
        }) {
            let culprits = named(&outcome.unwrap().2);
            assert_eq!(culprits, [(Role::Receiver, 2, Fault::FalseComplaint)]);
        }
    }
}
