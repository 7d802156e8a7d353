mod any;
mod boards;
mod forms;
mod liar;
mod next;
mod packets;
mod reading;

use super::packet::{Stage, seen};
use super::receiver::assemble;
use super::*;
use crate::encoding::Kind;
use crate::envelope::EnvelopeError;
use crate::epoch::Epoch;
use crate::keys::{Committee, KeyShare, ParticipantKeys, Roster, dealer};
use crate::point::Encoded;
use crate::secret::SecretScalar;
use crate::threshold::Threshold;
use curve25519_dalek::Scalar;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

fn id(i: u16) -> Identifier {
    Identifier::new(i).unwrap()
}

fn ids(numbers: &[u16]) -> Vec<Identifier> {
    numbers.iter().map(|&i| id(i)).collect()
}

struct World {
    rng: ChaCha20Rng,
    keys: Vec<ParticipantKeys>,
    committee: Committee,
    shares: Vec<KeyShare>,
}

fn world_with(numbers: &[u16], t: u16, epoch: u64) -> World {
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    let keys: Vec<_> = numbers.iter().map(|_| ParticipantKeys::generate(&mut rng).unwrap()).collect();
    let members = numbers.iter().zip(&keys).map(|(&i, keys)| keys.public(id(i))).collect();
    let threshold = Threshold::new(t, u16::try_from(numbers.len()).unwrap()).unwrap();
    let roster = Roster::new(Epoch(epoch), threshold, members).unwrap();
    let (committee, shares) = dealer::deal(&roster, &mut rng).unwrap();
    World { rng, keys, committee, shares }
}

/// Five participants, threshold three; the share of 2 is lost, 1, 4 and 5 help.
fn world() -> (World, RepairSession) {
    let mut world = world_with(&[1, 2, 3, 4, 5], 3, 7);
    let session = world.session(2, &[1, 4, 5]);
    (world, session)
}

impl World {
    fn session(&mut self, lost: u16, helpers: &[u16]) -> RepairSession {
        let request = RepairRequest::new(&self.committee, id(lost), ids(helpers), &mut self.rng).unwrap();
        RepairSession::new(self.committee.clone(), request).unwrap()
    }

    fn at(&self, i: Identifier) -> usize {
        self.committee.members().iter().position(|member| member.identifier == i).unwrap()
    }

    fn share(&self, i: Identifier) -> &KeyShare {
        &self.shares[self.at(i)]
    }

    fn keys(&self, i: Identifier) -> &ParticipantKeys {
        &self.keys[self.at(i)]
    }

    fn helper(&self, session: &RepairSession, i: Identifier) -> Helper<'_> {
        Helper::new(session.clone(), self.share(i), self.keys(i)).unwrap()
    }

    fn receiver(&self, session: &RepairSession) -> Receiver<'_> {
        Receiver::new(session.clone(), self.keys(session.lost())).unwrap()
    }

    fn splits(&self, session: &RepairSession) -> Vec<Envelope> {
        session.helpers().iter().map(|&i| self.helper(session, i).split().unwrap()).collect()
    }

    fn sums(&self, session: &RepairSession, first: &[Envelope]) -> Vec<Envelope> {
        session.helpers().iter().map(|&i| self.helper(session, i).sum(first).unwrap()).collect()
    }

    fn signed(&self, session: &RepairSession, i: u16, kind: Kind, payload: Vec<u8>) -> Envelope {
        session.sign(self.keys(id(i)), id(i), kind, payload).unwrap()
    }

    fn signed_packet(&self, session: &RepairSession, i: u16, packet: &RepairPacket) -> Envelope {
        self.signed(session, i, Kind::RepairPacket, packet.to_bytes())
    }
}

fn secret(n: u64) -> SecretScalar {
    SecretScalar::new(Scalar::from(n))
}

fn nothing_seen(session: &RepairSession) -> [u8; 32] {
    seen(session, std::iter::empty())
}

fn packet_of(envelope: &Envelope) -> RepairPacket {
    RepairPacket::from_bytes(envelope.unverified_payload()).unwrap()
}

/// The culprits of a step that failed.
fn culprits<T>(result: Result<T, RepairError>) -> Vec<(u16, RepairFault)> {
    match result {
        Err(RepairError::Ended { culprits, .. }) => {
            culprits.into_iter().map(|culprit| (culprit.identifier.get(), culprit.fault)).collect()
        }
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it went on"),
    }
}

/// The splits with the one of helper `i` replaced.
fn with(mut envelopes: Vec<Envelope>, i: u16, by: Vec<Envelope>) -> Vec<Envelope> {
    let at = envelopes.iter().position(|envelope| envelope.identifier() == id(i)).unwrap();
    envelopes.splice(at..=at, by);
    envelopes
}

#[test]
fn a_lost_share_comes_back_from_t_helpers_or_more() {
    for (numbers, t, lost, helpers) in [
        (&[1, 2, 3][..], 2, 3, &[1, 2][..]),
        (&[1, 2, 3, 4], 3, 1, &[2, 3, 4]),
        (&[2, 3, 500, 900, 65535], 3, 500, &[2, 900, 65535]),
        (&[1, 2, 3, 4, 5, 6, 7], 4, 5, &[1, 2, 3, 4, 6, 7]),
    ] {
        let mut world = world_with(numbers, t, 3);
        let session = world.session(lost, helpers);
        let request = world.receiver(&session).request().unwrap();
        assert_eq!(RepairSession::requested(world.committee.clone(), &request), Ok(session.clone()));
        let first = world.splits(&session);
        let second = world.sums(&session, &first);
        let share = world.receiver(&session).finish(&first, &second).unwrap();
        assert_eq!(share.to_bytes(), world.share(id(lost)).to_bytes());
        assert_eq!(judge(&session, [&first, &second, &[]]), Ok(()));
    }
}

#[test]
fn n021_a_restart_says_the_same_again_and_another_session_says_something_else() {
    let (mut world, session) = world();
    let first = world.splits(&session);
    assert_eq!(first, world.splits(&session));
    assert_eq!(world.sums(&session, &first), world.sums(&session, &first));

    let other = world.session(2, &[1, 4, 5]);
    let again = world.splits(&other);
    for (one, two) in first.iter().zip(&again) {
        let (one, two) = (packet_of(one), packet_of(two));
        assert_ne!(one.r(), two.r());
        assert!((0..3).all(|j| one.commitment(j) != two.commitment(j)));
    }
}

#[test]
fn the_order_of_the_board_and_what_is_not_signed_do_not_matter() {
    let (world, session) = world();
    let mut first = world.splits(&session);
    let mut forged = session.sign(world.keys(id(3)), id(1), Kind::RepairPacket, vec![1, 2, 3]).unwrap();
    first.insert(0, forged.clone());
    first.reverse();
    first.push(first[0].clone());
    let mut second = world.sums(&session, &first);
    forged = session.sign(world.keys(id(3)), id(2), Kind::RepairComplaint, vec![0; 131]).unwrap();
    second.push(forged);
    second.extend(first.iter().cloned());
    assert!(world.receiver(&session).finish(&first, &second).is_ok());
}

#[test]
fn a_silent_helper_is_named_in_either_round() {
    let (world, session) = world();
    let first = world.splits(&session);
    let second = world.sums(&session, &first);
    let missing = with(first.clone(), 4, vec![]);
    let expected = vec![(4, RepairFault::Silent)];
    assert_eq!(culprits(world.helper(&session, id(1)).sum(&missing)), expected);
    assert_eq!(culprits(judge(&session, [&missing, &second, &[]])), expected);
    let missing = with(second, 4, vec![]);
    assert_eq!(culprits(world.receiver(&session).finish(&first, &missing)), expected);
}

#[test]
fn n022_packets_of_another_session_count_for_nothing() {
    let (mut world, session) = world();
    let other = world.session(2, &[1, 4, 5]);
    let mixed = with(world.splits(&session), 4, vec![world.helper(&other, id(4)).split().unwrap()]);
    assert_eq!(culprits(world.helper(&session, id(1)).sum(&mixed)), vec![(4, RepairFault::Silent)]);

    let replayed = packet_of(&world.helper(&other, id(4)).split().unwrap());
    let signed = world.signed_packet(&session, 4, &replayed);
    let mixed = with(world.splits(&session), 4, vec![signed]);
    let expected = vec![(4, RepairFault::Packet(PacketError::Seen))];
    assert_eq!(culprits(world.helper(&session, id(1)).sum(&mixed)), expected);
}

/// A split of this helper with the commitments that it should have, sealed with an ephemeral scalar of its choice.
fn sealed_with(world: &World, session: &RepairSession, i: u16, u: &SecretScalar) -> Envelope {
    let honest = packet_of(&world.helper(session, id(i)).split().unwrap());
    let points = (0..3).map(|j| Encoded::new(*honest.commitment(j).unwrap())).collect();
    let scalars: Vec<_> = session.helpers().iter().map(|&j| (j, secret(6))).collect();
    let origin = (Stage::Split, id(i), nothing_seen(session));
    world.signed_packet(session, i, &RepairPacket::seal(session, origin, &scalars, points, u, &[1; 64]))
}

/// A split of helper 4 whose parts are sealed wrongly under commitments that add up.
fn wrong_part(world: &World, session: &RepairSession) -> Vec<Envelope> {
    with(world.splits(session), 4, vec![sealed_with(world, session, 4, &secret(77))])
}

/// What stands behind all other checks: the table of verification keys.
#[test]
fn a_wrong_result_does_not_match_the_verification_key() {
    let (_, session) = world();
    let found = assemble(&session, &[secret(1), secret(2), secret(3)]).err();
    assert_eq!(found, Some(KeyShareError::VerificationKey { identifier: id(2) }));
    assert!(assemble(&session, &[]).is_err());
}
