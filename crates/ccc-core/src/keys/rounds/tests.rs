//! One participant lies in each possible way in each round, in a key generation, a refresh and a reshare: everybody else
//! ends with the same result and names this one and nobody else.

use super::package::{Package, collect_from_dealers};
use super::stage::{Keys, NONCE, Rewritten, id, keys, named, roster, signed};
use super::{Culprit, Fault, Role, RoundsError, audit};
use crate::encoding::{Kind, header};
use crate::envelope::Envelope;
use crate::identifier::Identifier;
use crate::keys::board::{MemoryBoard, Round};
use crate::keys::complaint::Complaint;
use crate::keys::dealing::forge::Lie;
use crate::keys::dealing::{Dealing, DealingError, ShareFault};
use crate::keys::reshare::{NewMember, OldMember};
use crate::keys::{Committee, KeyShare, ParticipantKeys, Protocol, Session, dealer, dkg, reshare};
use crate::suite::{digest32, domain};
use crate::threshold::Threshold;
use curve25519_dalek::Scalar;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::sync::Arc;

mod any;
mod boards;
mod bounds;
mod contradictions;
mod forged;

const LIAR: u16 = 3;

/// A session with everybody's keys. In the reshare number 3 is two participants.
struct World {
    session: Session,
    dealers: Keys,
    receivers: Keys,
    shares: Vec<KeyShare>,
}

type Seen = Result<(Committee, [u8; 32], Vec<Culprit>), RoundsError>;

fn twin(keys: &ParticipantKeys) -> ParticipantKeys {
    ParticipantKeys::from_bytes(&keys.to_bytes()).unwrap()
}

impl World {
    fn dkg() -> Self {
        let dealers = keys(1..=4, &mut ChaCha20Rng::seed_from_u64(1));
        let roster = roster(1, Threshold::default_for(4).unwrap(), &dealers);
        let receivers = dealers.iter().map(|(i, k)| (*i, twin(k))).collect();
        Self { session: Session::new(Protocol::Dkg, None, roster, &NONCE), dealers, receivers, shares: Vec::new() }
    }

    fn reshare() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let dealers = keys(1..=4, &mut rng);
        let old = roster(6, Threshold::default_for(4).unwrap(), &dealers);
        let (old, shares) = dealer::deal(&old, &mut rng).unwrap();
        let mut receivers = keys([3, 7, 9], &mut rng);
        receivers.splice(0..0, dealers[..2].iter().map(|(i, k)| (*i, twin(k))));
        let roster = roster(7, Threshold::default_for(5).unwrap(), &receivers);
        let session = Session::handover(Protocol::Reshare, Arc::new(old), roster, &NONCE).unwrap();
        Self { session, dealers, receivers, shares }
    }

    /// The holders of the old shares deal and receive the new ones.
    fn refresh() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(6);
        let dealers = keys(1..=4, &mut rng);
        let threshold = Threshold::default_for(4).unwrap();
        let (old, shares) = dealer::deal(&roster(6, threshold, &dealers), &mut rng).unwrap();
        let receivers: Keys = dealers.iter().map(|(i, k)| (*i, twin(k))).collect();
        let roster = roster(7, threshold, &receivers);
        let session = Session::handover(Protocol::Refresh, Arc::new(old), roster, &NONCE).unwrap();
        Self { session, dealers, receivers, shares }
    }

    /// Everybody's outcome, where the board carries what `alter` makes of each round.
    fn run(&self, alter: impl FnMut(Round, &mut Vec<Envelope>)) -> Vec<Seen> {
        let mut board = Rewritten { inner: MemoryBoard::new(NONCE), alter };
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        if self.shares.is_empty() {
            let outcomes = dkg::run_in_process(self.session.roster(), &self.dealers, &mut board, &mut rng).unwrap();
            let seen = |o: dkg::Outcome| {
                assert_eq!(o.key_share.matches(&o.committee), Ok(()));
                (o.committee, o.transcript, o.culprits)
            };
            return outcomes.into_iter().map(|(_, outcome)| outcome.map(seen)).collect();
        }
        let outcomes = reshare::run_in_process(self.parties(), &mut board, &mut rng).unwrap();
        let seen = |h: reshare::Handover| {
            assert!(h.key_share.is_none_or(|share| share.matches(&h.committee) == Ok(())));
            assert_eq!(h.certificate.verify(&self.session), Ok(()));
            (h.committee, h.transcript, h.culprits)
        };
        outcomes.into_iter().map(|outcome| outcome.map(seen)).collect()
    }

    /// In a refresh everybody deals and receives; in the reshare 1 and 2 do, the rest does one of both.
    fn parties(&self) -> Vec<reshare::Party<'_>> {
        let old = |at: usize| OldMember { key_share: &self.shares[at], keys: &self.dealers[at].1 };
        let new = |at: usize| NewMember { identifier: self.receivers[at].0, keys: &self.receivers[at].1 };
        let places: &[(Option<usize>, Option<usize>)] = match self.session.protocol() {
            Protocol::Refresh => &[(Some(0), Some(0)), (Some(1), Some(1)), (Some(2), Some(2)), (Some(3), Some(3))],
            _ => &[
                (Some(0), Some(0)),
                (Some(1), Some(1)),
                (Some(2), None),
                (Some(3), None),
                (None, Some(2)),
                (None, Some(3)),
                (None, Some(4)),
            ],
        };
        let party = |(dealer, receiver): &(Option<usize>, Option<usize>)| {
            reshare::Party::new(self.session.clone(), dealer.map(old), receiver.map(new)).unwrap()
        };
        places.iter().map(party).collect()
    }

    fn keys(&self, role: Role) -> &ParticipantKeys {
        let all = if role == Role::Dealer { &self.dealers } else { &self.receivers };
        &all.iter().find(|(i, _)| i.get() == LIAR).unwrap().1
    }

    fn says(&self, role: Role, package: Package) -> Envelope {
        signed(&self.session, self.keys(role), id(LIAR), package)
    }

    /// The liar's right constant term.
    fn constant(&self) -> Scalar {
        self.shares.get(2).map_or(Scalar::from(33u8), |share| *share.secret().expose())
    }

    fn forge(&self, number: u16, constant: Scalar, lie: &Lie) -> Dealing {
        Dealing::forge(&self.session, number, constant, lie, &mut ChaCha20Rng::seed_from_u64(4))
    }

    /// The dealing that dealer 1 opens in every run.
    fn first_dealing(&self) -> Dealing {
        let mut first = None;
        self.run(|round, seen| {
            if round == Round::Open {
                first = Some(Dealing::from_bytes(seen[0].unverified_payload()).unwrap());
            }
        });
        first.unwrap()
    }

    /// Everybody ends with the same result and names the liar alone. Gives the number of complaints.
    fn names(&self, role: Role, fault: &Fault, mut alter: impl FnMut(Round, &mut Vec<Envelope>)) -> usize {
        let (mut complaints, mut carried) = (0, Vec::new());
        let outcomes = self.run(|round, seen| {
            if round == Round::Complain {
                complaints = seen.len();
            }
            alter(round, seen);
            carried.push(seen.clone());
        });
        let outcomes: Vec<_> = outcomes.into_iter().map(|o| o.unwrap_or_else(|e| panic!("{fault}: {e}"))).collect();
        for (committee, transcript, culprits) in &outcomes {
            assert_eq!((committee, transcript), (&outcomes[0].0, &outcomes[0].1), "{fault}");
            assert_eq!(named(culprits), [(role, LIAR, fault.clone())]);
        }
        if let Some(old) = self.session.old() {
            assert_eq!(outcomes[0].0.master_public_key(), old.master_public_key());
        }
        assert_eq!(self.audited(&carried).as_ref(), Ok(&outcomes[0]), "{fault}");
        complaints
    }

    /// What somebody who took no part makes of the board.
    fn audited(&self, carried: &[Vec<Envelope>]) -> Seen {
        let rounds = [0, 1, 2, 3].map(|at: usize| carried[at].as_slice());
        let audited = audit(&self.session, rounds)?;
        let at_fault = |i: &Identifier| audited.culprits.iter().any(|c| c.role == Role::Dealer && c.identifier == *i);
        assert!(
            !audited.dealers.iter().any(at_fault) && audited.confirmed.len() >= self.session.enough_confirmations()
        );
        Ok((audited.committee, audited.transcript, audited.culprits))
    }

    /// The liar commits to these bytes and opens them.
    fn deals(&self, wire: &[u8], fault: &Fault) -> usize {
        self.names(Role::Dealer, fault, |round, seen| {
            let package = match round {
                Round::Commit => Package::Commitment(digest32(domain::DEALING_COMMITMENT, &[wire])),
                Round::Open => Package::Dealing(wire.to_vec()),
                _ => return,
            };
            replace(seen, vec![self.says(Role::Dealer, package)]);
        })
    }
}

/// Puts these envelopes in the place of the liar's.
fn replace(seen: &mut Vec<Envelope>, by: Vec<Envelope>) {
    seen.retain(|envelope| envelope.identifier() != id(LIAR));
    seen.extend(by);
}

fn worlds() -> [World; 3] {
    [World::dkg(), World::refresh(), World::reshare()]
}

#[test]
fn n005_n006_n007_n008_n078_every_wrong_dealing_names_its_dealer_alone_and_leads_to_no_complaint() {
    for world in worlds() {
        let (t, n) = (world.session.roster().threshold().t(), world.session.roster().threshold().n());
        let copied = world.first_dealing().ephemeral();
        let degree = |found: u16| DealingError::Degree { expected: t, found: found.into() };
        let shares = DealingError::Shares { expected: n, found: usize::from(n) - 1 };
        let lies = [
            (Lie::Degree(t - 1), degree(t - 1)),
            (Lie::Degree(t + 1), degree(t + 1)),
            (Lie::LastZero, DealingError::ZeroCommitment { index: usize::from(t) - 1 }),
            (Lie::Elsewhere, DealingError::Session),
            (Lie::Shares, shares),
            (Lie::Possession, DealingError::Possession),
            (Lie::Proof, DealingError::Proof),
            (Lie::Copied(copied), DealingError::Proof),
        ];
        for (lie, error) in lies {
            let dealing = world.forge(LIAR, world.constant(), &lie);
            assert_eq!(world.deals(&dealing.to_bytes(), &Fault::Dealing(error)), 0);
        }
        let zero = world.forge(LIAR, Scalar::ZERO, &Lie::Nothing);
        let fault = Fault::Dealing(DealingError::ZeroCommitment { index: 0 });
        assert_eq!(world.deals(&zero.to_bytes(), &fault), 0);
        let other = world.forge(1, world.constant(), &Lie::Nothing);
        assert_eq!(world.deals(&other.to_bytes(), &Fault::Dealing(DealingError::Dealer { found: 1 })), 0);
        let garbage = [header(Kind::Dealing).as_slice(), &[7; 40]].concat();
        assert_eq!(world.deals(&garbage, &Fault::Malformed), 0);
    }
}

#[test]
fn n077_a_dealer_of_a_reshare_that_deals_another_secret_is_named() {
    for world in [World::refresh(), World::reshare()] {
        let dealing = world.forge(LIAR, world.constant() + Scalar::ONE, &Lie::Nothing);
        let fault = Fault::Dealing(DealingError::Constant { dealer: LIAR });
        assert_eq!(world.deals(&dealing.to_bytes(), &fault), 0);
        let copied = world.forge(LIAR, *world.shares[0].secret().expose(), &Lie::Nothing);
        assert_eq!(world.deals(&copied.to_bytes(), &fault), 0);
    }
}

#[test]
fn n011_every_wrong_share_names_its_dealer_alone() {
    for world in worlds() {
        let lies = [
            (Lie::Shift(1, Scalar::from(5u8)), ShareFault::Commitment),
            (Lie::Tag(1), ShareFault::Tag),
            (Lie::Scalar(1), ShareFault::Scalar),
        ];
        for (lie, fault) in lies {
            let dealing = world.forge(LIAR, world.constant(), &lie);
            assert_eq!(world.deals(&dealing.to_bytes(), &Fault::Share(fault)), 1);
        }
    }
}

/// Each of the two whose shares changed places complains, and the dealer is named once.
#[test]
fn n017_shares_that_change_places_name_their_dealer_alone() {
    for world in worlds() {
        let dealing = world.forge(LIAR, world.constant(), &Lie::Swap(0, 1));
        assert_eq!(world.deals(&dealing.to_bytes(), &Fault::Share(ShareFault::Tag)), 2);
    }
}

#[test]
fn n013_silence_and_double_talk_of_a_dealer_name_it_alone() {
    for world in worlds() {
        let dealing = world.forge(LIAR, world.constant(), &Lie::Nothing);
        let silent_in = |silent: Round| {
            move |round: Round, seen: &mut Vec<Envelope>| {
                if round == silent {
                    replace(seen, Vec::new());
                }
            }
        };
        world.names(Role::Dealer, &Fault::Silent, silent_in(Round::Commit));
        world.names(Role::Dealer, &Fault::Silent, silent_in(Round::Open));
        world.names(Role::Dealer, &Fault::Equivocation, |round, seen| {
            if round == Round::Commit {
                seen.push(world.says(Role::Dealer, Package::Commitment([7; 32])));
            }
        });
        world.names(Role::Dealer, &Fault::NotAsCommitted, |round, seen| {
            if round == Round::Open {
                replace(seen, vec![world.says(Role::Dealer, Package::Dealing(dealing.to_bytes()))]);
            }
        });
    }
}

#[test]
fn n011_a_complaint_without_reason_names_the_accuser_alone() {
    for world in worlds() {
        let dealing = world.first_dealing().verify(&world.session).unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let keys = world.keys(Role::Receiver);
        let right = Complaint::create(&dealing, id(LIAR), keys, &mut rng).unwrap();
        let mut wire = right.to_bytes();
        wire[96] ^= 1;
        let wrong = Complaint::from_bytes(&wire).unwrap();
        for complaint in [right, wrong] {
            world.names(Role::Receiver, &Fault::FalseComplaint, |round, seen| {
                if round == Round::Complain {
                    let package = Package::Complaint(id(1), Box::new(complaint.clone()));
                    seen.push(world.says(Role::Receiver, package));
                }
            });
        }
    }
}

#[test]
fn n023_silence_and_double_talk_of_a_receiver_name_it_alone() {
    for world in worlds() {
        let other = || world.says(Role::Receiver, Package::Confirmation([5; 32]));
        for fault in [Fault::Silent, Fault::Disagreement, Fault::Equivocation] {
            world.names(Role::Receiver, &fault, |round, seen| match (round, &fault) {
                (Round::Confirm, Fault::Silent) => replace(seen, Vec::new()),
                (Round::Confirm, Fault::Disagreement) => replace(seen, vec![other()]),
                (Round::Confirm, _) => seen.push(other()),
                _ => {}
            });
        }
    }
}

/// What the old member 3 signs does not count as the new member 3's, nor the other way round.
#[test]
fn n018_a_number_of_both_committees_is_two_participants() {
    let world = World::reshare();
    let outcomes = world.run(|round, seen| match round {
        Round::Commit => seen.push(world.says(Role::Receiver, Package::Commitment([7; 32]))),
        Round::Confirm => seen.push(world.says(Role::Dealer, Package::Confirmation([7; 32]))),
        _ => {}
    });
    assert!(outcomes.into_iter().all(|outcome| outcome.is_ok_and(|(_, _, culprits)| culprits.is_empty())));
}

/// Whatever one sender posts in a round, a bounded number of its messages is kept.
#[test]
fn a_flood_of_messages_of_one_sender_is_bounded() {
    let world = World::dkg();
    let flood: Vec<_> = (0..200u8).map(|k| world.says(Role::Dealer, Package::Commitment([k; 32]))).collect();
    let kept = collect_from_dealers(&world.session, &flood, |_: Identifier, e| Package::commitment(e));
    assert_eq!(kept[&id(LIAR)].len(), 4);
}
