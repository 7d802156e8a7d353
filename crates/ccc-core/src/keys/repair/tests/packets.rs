//! Packets that are wrong, in public or for their recipient alone, and complaints with and without reason.

use super::*;

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
