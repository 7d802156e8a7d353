mod any;
mod boards;
mod next;

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

#[test]
fn two_packets_of_one_helper_are_equivocation() {
    let (world, session) = world();
    let first = world.splits(&session);
    let parts: Vec<_> = session.helpers().iter().map(|&j| (j, secret(5))).collect();
    let origin = (Stage::Split, id(4), nothing_seen(&session));
    let other = world.signed_packet(&session, 4, &RepairPacket::create(&session, origin, &parts, &[1; 64]));
    let both = with(first.clone(), 4, vec![first[1].clone(), other]);
    assert_eq!(culprits(world.helper(&session, id(5)).sum(&both)), vec![(4, RepairFault::Equivocation)]);
}

#[test]
fn parts_that_do_not_add_up_to_the_weighted_share_name_their_helper() {
    let (world, session) = world();
    let parts: Vec<_> = session.helpers().iter().map(|&j| (j, secret(5))).collect();
    let origin = (Stage::Split, id(4), nothing_seen(&session));
    let wrong = world.signed_packet(&session, 4, &RepairPacket::create(&session, origin, &parts, &[1; 64]));
    let first = with(world.splits(&session), 4, vec![wrong]);
    let expected = vec![(4, RepairFault::Packet(PacketError::Sum))];
    for helper in [1, 4, 5] {
        assert_eq!(culprits(world.helper(&session, id(helper)).sum(&first)), expected);
    }
    assert_eq!(culprits(world.receiver(&session).finish(&first, &[])), expected);
}

#[test]
fn a_packet_of_another_helper_or_of_another_size_names_who_signed_it() {
    let (world, session) = world();
    let first = world.splits(&session);
    let copied = world.signed_packet(&session, 4, &packet_of(&first[0]));
    let expected = vec![(4, RepairFault::Packet(PacketError::Sender { found: id(1) }))];
    assert_eq!(culprits(world.helper(&session, id(5)).sum(&with(first.clone(), 4, vec![copied]))), expected);

    let origin = (Stage::Split, id(4), nothing_seen(&session));
    let short = RepairPacket::create(&session, origin, &[(id(1), secret(5))], &[1; 64]);
    let short = world.signed_packet(&session, 4, &short);
    let expected = vec![(4, RepairFault::Packet(PacketError::Count { expected: 3, found: 1 }))];
    assert_eq!(culprits(world.helper(&session, id(5)).sum(&with(first, 4, vec![short]))), expected);
}

/// The attack that the proof of u stops: the recipient of a copied R would show sk·R in its complaint.
#[test]
fn a_copied_ephemeral_point_has_no_proof() {
    let (world, session) = world();
    let first = world.splits(&session);
    let (victim, mut own) = (packet_of(&first[0]).to_bytes(), packet_of(&first[1]).to_bytes());
    let at = own.len() - 96;
    own[at..at + 32].copy_from_slice(&victim[at..at + 32]);
    let copied = world.signed(&session, 4, Kind::RepairPacket, own);
    let expected = vec![(4, RepairFault::Packet(PacketError::Proof))];
    assert_eq!(culprits(world.helper(&session, id(5)).sum(&with(first, 4, vec![copied]))), expected);
}

/// A split of this helper with the commitments that it should have, sealed with an ephemeral scalar of its choice.
fn sealed_with(world: &World, session: &RepairSession, i: u16, u: &SecretScalar) -> Envelope {
    let honest = packet_of(&world.helper(session, id(i)).split().unwrap());
    let points = (0..3).map(|j| Encoded::new(*honest.commitment(j).unwrap())).collect();
    let scalars: Vec<_> = session.helpers().iter().map(|&j| (j, secret(6))).collect();
    let origin = (Stage::Split, id(i), nothing_seen(session));
    world.signed_packet(session, i, &RepairPacket::seal(session, origin, &scalars, points, u, &[1; 64]))
}

#[test]
fn an_ephemeral_point_that_two_helpers_use_names_both() {
    let (world, session) = world();
    let two = |one, other| {
        let first = with(world.splits(&session), 4, vec![sealed_with(&world, &session, 4, &secret(one))]);
        with(first, 5, vec![sealed_with(&world, &session, 5, &secret(other))])
    };
    let expected = vec![(4, RepairFault::RepeatedPoint), (5, RepairFault::RepeatedPoint)];
    assert_eq!(culprits(world.helper(&session, id(1)).sum(&two(77, 77))), expected);
    assert_ne!(culprits(world.helper(&session, id(1)).sum(&two(77, 78))), expected);
}

/// A split of helper 4 whose parts are sealed wrongly under commitments that add up.
fn wrong_part(world: &World, session: &RepairSession) -> Vec<Envelope> {
    with(world.splits(session), 4, vec![sealed_with(world, session, 4, &secret(77))])
}

#[test]
fn a_part_that_is_not_the_committed_one_leads_to_a_complaint_that_names_its_helper() {
    let (world, session) = world();
    let first = wrong_part(&world, &session);
    let expected = vec![(4, RepairFault::Scalar(ShareFault::Commitment))];
    let Err(RepairError::Ended { culprits: seen, complaints }) = world.helper(&session, id(5)).sum(&first) else {
        panic!("a wrong part was added");
    };
    assert_eq!(seen, [RepairCulprit { identifier: id(4), fault: RepairFault::Scalar(ShareFault::Commitment) }]);
    let Err(RepairError::Ended { complaints: others, .. }) = world.helper(&session, id(1)).sum(&first) else {
        panic!("a wrong part was added");
    };
    let second = [complaints, others].concat();
    assert_eq!(culprits(world.receiver(&session).finish(&first, &second)), expected);
    assert_eq!(culprits(judge(&session, [&first, &second, &[]])), expected);
}

#[test]
fn a_helper_that_complains_without_reason_is_named_and_nobody_else() {
    let (world, session) = world();
    let first = world.splits(&session);
    let packet = packet_of(&first[1]);
    let (keys, accused) = (world.keys(id(5)), (Stage::Split, id(4)));
    let complaint = RepairComplaint::create(&session, accused, &packet, id(5), keys);
    let wrong_point = RepairComplaint::create(&session, accused, &packet_of(&first[0]), id(5), keys);
    let expected = vec![(5, RepairFault::FalseComplaint)];
    for complaint in [complaint, wrong_point] {
        let mut second = with(world.sums(&session, &first), 5, vec![]);
        second.push(world.signed(&session, 5, Kind::RepairComplaint, complaint.to_bytes()));
        assert_eq!(culprits(judge(&session, [&first, &second, &[]])), expected);
        assert_eq!(culprits(world.receiver(&session).finish(&first, &second)), expected);
    }
}

#[test]
fn a_sum_that_is_not_the_committed_one_names_its_helper() {
    let (world, session) = world();
    let first = world.splits(&session);
    let honest = packet_of(&world.helper(&session, id(4)).sum(&first).unwrap());
    let seen = seen(&session, first.iter().map(packet_of).collect::<Vec<_>>().iter());
    let scalars = [(id(2), secret(8))];

    let openly = RepairPacket::create(&session, (Stage::Sum, id(4), seen), &scalars, &[1; 64]);
    let second = with(world.sums(&session, &first), 4, vec![world.signed_packet(&session, 4, &openly)]);
    let expected = vec![(4, RepairFault::Packet(PacketError::Sum))];
    assert_eq!(culprits(world.receiver(&session).finish(&first, &second)), expected);
    assert_eq!(culprits(judge(&session, [&first, &second, &[]])), expected);

    let points = vec![Encoded::new(*honest.commitment(0).unwrap())];
    let sealed = RepairPacket::seal(&session, (Stage::Sum, id(4), seen), &scalars, points, &secret(77), &[1; 64]);
    let second = with(world.sums(&session, &first), 4, vec![world.signed_packet(&session, 4, &sealed)]);
    let expected = vec![(4, RepairFault::Scalar(ShareFault::Commitment))];
    let Err(RepairError::Ended { culprits: found, complaints }) = world.receiver(&session).finish(&first, &second)
    else {
        panic!("a wrong sum was added");
    };
    assert_eq!(found.len(), 1);
    assert_eq!(culprits(judge(&session, [&first, &second, &complaints])), expected);
}

#[test]
fn a_participant_that_complains_without_reason_about_a_sum_is_named() {
    let (world, session) = world();
    let first = world.splits(&session);
    let second = world.sums(&session, &first);
    let packet = packet_of(&second[1]);
    let complaint = RepairComplaint::create(&session, (Stage::Sum, id(4)), &packet, id(2), world.keys(id(2)));
    let third = [world.signed(&session, 2, Kind::RepairComplaint, complaint.to_bytes())];
    assert_eq!(culprits(judge(&session, [&first, &second, &third])), vec![(2, RepairFault::FalseComplaint)]);
    let stranger = [world.signed(&session, 3, Kind::RepairComplaint, complaint.to_bytes())];
    assert_eq!(judge(&session, [&first, &second, &stranger]), Ok(()));
}

#[test]
fn every_byte_of_a_packet_is_under_its_proof() {
    let (world, session) = world();
    let first = world.splits(&session);
    let bytes = packet_of(&first[1]).to_bytes();
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        let altered = world.signed(&session, 4, Kind::RepairPacket, altered);
        let found = culprits(world.helper(&session, id(5)).sum(&with(first.clone(), 4, vec![altered])));
        assert!(matches!(&found[..], [(4, RepairFault::Packet(_) | RepairFault::Silent)]), "{at}: {found:?}");
    }
}

#[test]
fn n029_truncated_and_extended_messages_are_refused() {
    let (world, session) = world();
    let first = world.splits(&session);
    let packet = packet_of(&first[1]);
    let complaint = RepairComplaint::create(&session, (Stage::Split, id(4)), &packet, id(5), world.keys(id(5)));
    let (request, packet, complaint) = (session.request().to_bytes().unwrap(), packet.to_bytes(), complaint.to_bytes());
    assert_eq!(RepairRequest::from_bytes(&request).unwrap().to_bytes().unwrap(), request);
    assert_eq!(RepairComplaint::from_bytes(&complaint).unwrap().to_bytes(), complaint);
    for n in 0..request.len() {
        assert!(matches!(RepairRequest::from_bytes(&request[..n]), Err(EncodingError::Truncated { .. })), "{n}");
    }
    for n in 0..packet.len() {
        assert!(matches!(RepairPacket::from_bytes(&packet[..n]), Err(EncodingError::Truncated { .. })), "{n}");
    }
    for n in 0..complaint.len() {
        assert!(matches!(RepairComplaint::from_bytes(&complaint[..n]), Err(EncodingError::Truncated { .. })), "{n}");
    }
    for extra in [1, 64] {
        let longer = |bytes: &[u8]| [bytes, &vec![0; extra]].concat();
        let trailing = EncodingError::Trailing { found: extra };
        assert_eq!(RepairRequest::from_bytes(&longer(&request)), Err(trailing.clone()));
        assert_eq!(RepairPacket::from_bytes(&longer(&packet)), Err(trailing.clone()));
        assert_eq!(RepairComplaint::from_bytes(&longer(&complaint)), Err(trailing));
    }
}

#[test]
fn n030_counts_are_checked_before_anything_is_allocated() {
    let (world, session) = world();
    let mut request = session.request().to_bytes().unwrap();
    let mut packet = packet_of(&world.helper(&session, id(4)).split().unwrap()).to_bytes();
    for count in [0u16, 1025, u16::MAX] {
        request[74..76].copy_from_slice(&count.to_be_bytes());
        packet[35..37].copy_from_slice(&count.to_be_bytes());
        let range = |what| EncodingError::Range { what, found: count.into(), range: "1 to 1024" };
        assert_eq!(RepairRequest::from_bytes(&request), Err(range("number of helpers")));
        assert_eq!(RepairPacket::from_bytes(&packet), Err(range("number of scalars")));
    }
}

#[test]
fn requests_that_make_no_session_are_refused() {
    use RepairSessionError as E;
    let (world, session) = world();
    let made = |alter: &dyn Fn(&mut RepairRequest)| {
        let mut request = session.request().clone();
        alter(&mut request);
        RepairSession::new(world.committee.clone(), request).unwrap_err()
    };
    assert_eq!(made(&|r| r.committee = [0; 64]), E::Committee);
    assert_eq!(made(&|r| r.epoch = Epoch(8)), E::Epoch { expected: Epoch(7), found: Epoch(8) });
    assert_eq!(made(&|r| r.helpers = ids(&[1, 4])), E::TooFewHelpers { need: 3, have: 2 });
    assert_eq!(made(&|r| r.helpers = vec![]), E::TooFewHelpers { need: 3, have: 0 });
    assert_eq!(made(&|r| r.helpers = ids(&[1, 4, 4])), E::Order { previous: id(4), found: id(4) });
    assert_eq!(made(&|r| r.helpers = ids(&[4, 1, 5])), E::Order { previous: id(4), found: id(1) });
    assert_eq!(made(&|r| r.helpers = ids(&[1, 2, 5])), E::HelpsItself { identifier: id(2) });
    assert_eq!(made(&|r| r.helpers = ids(&[1, 4, 9])), E::UnknownMember { identifier: id(9) });
    assert_eq!(made(&|r| r.lost = id(9)), E::UnknownMember { identifier: id(9) });
}

#[test]
fn a_request_that_another_signed_is_refused() {
    use RepairSessionError as E;
    let (world, session) = world();
    let committee = || world.committee.clone();
    let payload = session.request().to_bytes().unwrap();
    let stolen = world.signed(&session, 3, Kind::RepairRequest, payload.clone());
    let expected = E::NotTheOwner { expected: id(2), found: id(3) };
    assert_eq!(RepairSession::requested(committee(), &stolen), Err(expected));
    let forged = session.sign(world.keys(id(3)), id(2), Kind::RepairRequest, payload.clone()).unwrap();
    let expected = E::Envelope(EnvelopeError::Signature { identifier: id(2) });
    assert_eq!(RepairSession::requested(committee(), &forged), Err(expected));
    let kind = world.signed(&session, 2, Kind::RepairPacket, payload);
    assert_eq!(RepairSession::requested(committee(), &kind), Err(E::NotARequest));
}

#[test]
fn n041_shares_of_another_epoch_and_keys_of_another_member_do_not_help() {
    let (world, session) = world();
    let other = world_with(&[1, 2, 3, 4, 5], 3, 8);
    let helper = |share, keys| Helper::new(session.clone(), share, keys).err();
    let epoch = KeyShareError::Epoch { expected: Epoch(7), found: Epoch(8) };
    assert_eq!(helper(other.share(id(1)), other.keys(id(1))), Some(RepairError::KeyShare(epoch)));
    let keys = RepairError::Keys { identifier: id(1) };
    assert_eq!(helper(world.share(id(1)), world.keys(id(4))), Some(keys));
    let outside = RepairError::NotAHelper { identifier: id(3) };
    assert_eq!(helper(world.share(id(3)), world.keys(id(3))), Some(outside));
    let receiver = Receiver::new(session.clone(), world.keys(id(3))).err();
    assert_eq!(receiver, Some(RepairError::Keys { identifier: id(2) }));
}

/// What stands behind all other checks: the table of verification keys.
#[test]
fn a_wrong_result_does_not_match_the_verification_key() {
    let (_, session) = world();
    let found = assemble(&session, &[secret(1), secret(2), secret(3)]).err();
    assert_eq!(found, Some(KeyShareError::VerificationKey { identifier: id(2) }));
    assert!(assemble(&session, &[]).is_err());
}

/// What helper 4 says in place of its honest word, by the toss of a die.
fn lie(world: &mut World, session: &RepairSession, stage: Stage, word: Option<&Envelope>) -> Vec<Envelope> {
    let die = world.rng.next_u32();
    let honest = word.map_or_else(Vec::new, |word| word.unverified_payload().to_vec());
    let at = if honest.is_empty() { 0 } else { die as usize / 16 % honest.len() };
    let mut noise = vec![0; die as usize / 16 % 300];
    world.rng.fill_bytes(&mut noise);
    let mut altered = honest.clone();
    altered.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (die % 8));
    let accused = world.helper(session, id(1)).split().unwrap();
    let accused = packet_of(&accused);
    let made = RepairComplaint::create(session, (stage, id(1)), &accused, id(4), world.keys(id(4))).to_bytes();
    let scalars: Vec<_> = session.helpers().iter().map(|&j| (j, secret(die.into()))).collect();
    let wrong = RepairPacket::from_bytes(&honest).map_or_else(
        |_| RepairPacket::create(session, (stage, id(4), [3; 32]), &scalars, &[1; 64]),
        |honest| {
            let points: Vec<_> = (0..3).filter_map(|j| honest.commitment(j)).map(|d| Encoded::new(*d)).collect();
            let origin = (stage, id(4), honest.seen());
            RepairPacket::seal(session, origin, &scalars[..points.len()], points, &secret(77), &[1; 64])
        },
    );
    let packet = |payload| world.signed(session, 4, Kind::RepairPacket, payload);
    let complaint = |payload| world.signed(session, 4, Kind::RepairComplaint, payload);
    match die % 9 {
        0 => vec![],
        1 => vec![packet(honest)],
        2 => vec![packet(honest), packet(altered)],
        3 => vec![packet(noise)],
        4 => vec![packet(altered)],
        5 => vec![packet(accused.to_bytes())],
        6 => vec![packet(honest), complaint(made)],
        7 => vec![complaint(noise), complaint(made)],
        _ => vec![packet(wrong.to_bytes())],
    }
}

/// Whatever one helper says, nobody else is named, and what comes out is the share.
#[test]
fn n057_one_liar_frames_nobody_and_spoils_no_share() {
    let (mut world, session) = world();
    let (mut repaired, mut ended) = (0, 0);
    for _ in 0..80 {
        let first = world.splits(&session);
        let word = lie(&mut world, &session, Stage::Split, Some(&first[1]));
        let first = with(first, 4, word);
        let mut second = Vec::new();
        for helper in session.helpers().to_vec() {
            let said = world.helper(&session, helper).sum(&first);
            let said = match said {
                Ok(sum) if helper == id(4) => lie(&mut world, &session, Stage::Sum, Some(&sum)),
                Ok(sum) => vec![sum],
                Err(RepairError::Ended { culprits, complaints }) => {
                    assert!(culprits.iter().all(|culprit| culprit.identifier == id(4)), "{culprits:?}");
                    complaints
                }
                Err(error) => panic!("{error}"),
            };
            second.extend(said);
        }
        match world.receiver(&session).finish(&first, &second) {
            Ok(share) => {
                assert_eq!(share.to_bytes(), world.share(id(2)).to_bytes());
                repaired += 1;
            }
            Err(RepairError::Ended { culprits, complaints }) => {
                assert!(culprits.iter().all(|culprit| culprit.identifier == id(4)), "{culprits:?}");
                let judged = judge(&session, [&first, &second, &complaints]);
                assert_eq!(judged, Err(RepairError::Ended { culprits, complaints: vec![] }));
                ended += 1;
            }
            Err(RepairError::OtherBoard { helpers }) => assert_eq!(helpers, [id(4)]),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(repaired > 0 && ended > 40, "{repaired} and {ended}");
}
