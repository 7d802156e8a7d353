//! However much one sender posts, what is kept of it is bounded by what an honest one may say.

use super::*;
use crate::encoding::HEADER_LEN;
use crate::envelope::MAX_PAYLOAD;
use crate::keys::dealing::MAX_DEALING;
use crate::keys::rounds::package::collect_complaints;
use crate::keys::rounds::stage::cast;
use crate::keys::rounds::{Posted, Posting};
use crate::secret::SecretScalar;

impl World {
    /// Bytes that the liar marks as a dealing and signs, each time others.
    fn marked(&self, length: usize, mark: u8) -> Envelope {
        let front = header(Kind::Dealing);
        let wire = [front.as_slice(), &vec![mark; length - HEADER_LEN]].concat();
        self.says(Role::Dealer, Package::Dealing(wire))
    }

    /// A run in which the liar commits to the first of these and opens all of them.
    fn opens(said: &[Envelope], own: Option<&Envelope>, round: Round, world: &Self, seen: &mut Vec<Envelope>) {
        let opened: Vec<_> = own.into_iter().chain(said).cloned().collect();
        let Some(first) = opened.first() else { return };
        let digest = digest32(domain::DEALING_COMMITMENT, &[first.unverified_payload()]);
        match round {
            Round::Commit => replace(seen, vec![world.says(Role::Dealer, Package::Commitment(digest))]),
            Round::Open => replace(seen, opened),
            Round::Complain | Round::Confirm => {}
        }
    }
}

#[test]
fn a_dealing_longer_than_any_of_its_session_is_of_no_round_and_its_dealer_silent() {
    for world in worlds() {
        let session = &world.session;
        let longest = Dealing::longest(session);
        assert!(longest < MAX_DEALING && MAX_DEALING < MAX_PAYLOAD);
        for length in [longest + 1, MAX_PAYLOAD] {
            let flood: Vec<_> = (0..3).map(|mark| world.marked(length, mark)).collect();
            let committed = digest32(domain::DEALING_COMMITMENT, &[flood[0].unverified_payload()]);
            let kept = collect_from_dealers(session, &flood, |_, e| Package::dealing(session, e, &committed));
            assert!(kept.is_empty(), "{length}");
            assert!(collect_from_dealers(session, &flood, |_, e| Package::any_dealing(session, e)).is_empty());
            assert_eq!(Posted::of(session, &flood[0]), None);
            assert_eq!(Posting::claimed(&flood[0]).is_some(), length <= MAX_DEALING);
            let silent = |round, seen: &mut Vec<Envelope>| World::opens(&flood, None, round, &world, seen);
            world.names(Role::Dealer, &Fault::Silent, silent);
        }
        let malformed = world.marked(longest, 7);
        assert_eq!(world.deals(malformed.unverified_payload(), &Fault::Malformed), 0);
    }
}

/// Beside a right dealing it is nothing: what nobody keeps makes no second dealing.
#[test]
fn a_dealing_that_is_too_long_changes_no_result() {
    for world in worlds() {
        let right =
            world.says(Role::Dealer, Package::Dealing(world.forge(LIAR, world.constant(), &Lie::Nothing).to_bytes()));
        let long = [world.marked(Dealing::longest(&world.session) + 1, 1)];
        let honest = world.run(|round, seen| World::opens(&[], Some(&right), round, &world, seen));
        assert!(honest.iter().all(|outcome| outcome.as_ref().is_ok_and(|(_, _, culprits)| culprits.is_empty())));
        assert_eq!(world.run(|round, seen| World::opens(&long, Some(&right), round, &world, seen)), honest);
    }
}

/// The digits of the wire's layout: a dealing of the highest degree is as long as the bound, and no longer.
#[test]
fn the_longest_dealing_is_one_of_the_highest_degree() {
    for world in worlds() {
        let n = world.session.roster().threshold().n();
        let dealing = world.forge(LIAR, world.constant(), &Lie::Degree(n));
        assert_eq!(dealing.to_bytes().len(), Dealing::longest(&world.session));
    }
}

/// Four messages of a dealer, and one complaint about each dealer: more of them is no answer that an honest one gives.
#[test]
fn of_one_sender_four_messages_are_kept_and_a_complaint_for_each_dealer() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let (roster, keys) = cast(7, &mut rng);
    let session = Session::new(Protocol::Dkg, None, roster, &NONCE);
    let says = |package| signed(&session, &keys[2].1, id(LIAR), package);
    let flood: Vec<_> = (0..200u8).map(|k| says(Package::Commitment([k; 32]))).collect();
    assert_eq!(collect_from_dealers(&session, &flood, |_, e| Package::commitment(e))[&id(LIAR)].len(), 4);
    let dealing = |k: u8| says(Package::Dealing([header(Kind::Dealing).as_slice(), &[k; 500]].concat()));
    let flood: Vec<_> = (0..200).map(dealing).collect();
    let kept = collect_from_dealers(&session, &flood, |_, e| Package::any_dealing(&session, e));
    assert_eq!(kept[&id(LIAR)].len(), 4);
    let constant = SecretScalar::new(Scalar::from(9u8));
    let dealing = Dealing::create(&session, 1, constant, &mut rng).unwrap().verify(&session).unwrap();
    let complaint = Complaint::create(&dealing, id(LIAR), &keys[2].1, &mut rng).unwrap();
    let complaints = (1..=50).map(|dealer| says(Package::Complaint(id(dealer), Box::new(complaint.clone()))));
    let kept = collect_complaints(&session, &complaints.collect::<Vec<_>>());
    let about: Vec<_> = kept[&id(LIAR)].iter().map(|(dealer, _)| dealer.get()).collect();
    assert_eq!(about, [1, 2, 3, 4, 5, 6, 7]);
}
