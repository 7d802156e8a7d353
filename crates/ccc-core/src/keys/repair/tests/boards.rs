//! Helpers that read different first rounds.

use super::*;

/// A second split of helper 4: the same share in other parts.
fn another_split(world: &World, session: &RepairSession) -> Envelope {
    let i = id(4);
    let position = session.position(i).unwrap();
    let weighted = session.weight(position) * world.share(i).secret().expose();
    let mut parts: Vec<_> = session.helpers().iter().map(|&j| (j, secret(9))).collect();
    let others = Scalar::from(9 * (session.helpers().len() as u64 - 1));
    parts[position].1 = SecretScalar::new(weighted - others);
    let origin = (Stage::Split, i, nothing_seen(session));
    world.signed_packet(session, 4, &RepairPacket::create(session, origin, &parts, &[1; 64]))
}

#[test]
fn n011_a_split_that_is_replaced_once_somebody_has_added_it_up_blames_no_honest_helper() {
    let (world, session) = world();
    let before = world.splits(&session);
    let after = with(before.clone(), 4, vec![another_split(&world, &session)]);
    let early = world.helper(&session, id(1)).sum(&before).unwrap();
    let late = [id(4), id(5)].map(|i| world.helper(&session, i).sum(&after).unwrap());
    let second = [&[early][..], &late].concat();
    let expected = RepairError::OtherBoard { helpers: vec![id(1)] };
    assert_eq!(world.receiver(&session).finish(&after, &second).err(), Some(expected.clone()));
    assert_eq!(judge(&session, [&after, &second, &[]]), Err(expected));
    // where both splits are on the board, the one who signed both is named
    let both = [before, after.clone()].concat();
    assert_eq!(culprits(world.receiver(&session).finish(&both, &second)), [(4, RepairFault::Equivocation)]);
    // helper 1 helps again: its two sums follow two boards, and neither contradicts the other
    let again = world.helper(&session, id(1)).sum(&after).unwrap();
    let second = [&second[..], &[again]].concat();
    let share = world.receiver(&session).finish(&after, &second).unwrap();
    assert_eq!(share.to_bytes(), world.share(id(2)).to_bytes());
    assert_eq!(judge(&session, [&after, &second, &[]]), Ok(()));
}

#[test]
fn two_sums_of_the_same_splits_are_equivocation() {
    let (world, session) = world();
    let first = world.splits(&session);
    let sums = world.sums(&session, &first);
    let honest = packet_of(&sums[1]);
    let origin = (Stage::Sum, id(4), honest.seen());
    let other = RepairPacket::create(&session, origin, &[(id(2), secret(8))], &[1; 64]);
    let second = [&sums[..], &[world.signed_packet(&session, 4, &other)]].concat();
    assert_eq!(culprits(world.receiver(&session).finish(&first, &second)), [(4, RepairFault::Equivocation)]);
}

#[test]
fn a_sum_of_splits_that_nobody_made_does_not_count() {
    let (world, session) = world();
    let first = world.splits(&session);
    let sum = RepairPacket::create(&session, (Stage::Sum, id(4), [3; 32]), &[(id(2), secret(8))], &[1; 64]);
    let sum = world.signed_packet(&session, 4, &sum);
    let second = with(world.sums(&session, &first), 4, vec![sum.clone()]);
    let expected = RepairError::OtherBoard { helpers: vec![id(4)] };
    assert_eq!(world.receiver(&session).finish(&first, &second).err(), Some(expected));
    // its honest sum beside it counts, and nothing beside it is held against anybody
    let second = [&world.sums(&session, &first)[..], &[sum]].concat();
    assert!(world.receiver(&session).finish(&first, &second).is_ok());
}

/// The board that grows shows both splits; the one of which the first was taken away shows a complaint that does not fit.
#[test]
fn n011_a_split_that_is_swapped_after_a_complaint_convicts_its_helper_where_both_are_shown() {
    let (world, session) = world();
    let (bad, good) = (wrong_part(&world, &session), world.splits(&session));
    let Err(RepairError::Ended { complaints, .. }) = world.helper(&session, id(5)).sum(&bad) else {
        panic!("a wrong part was added");
    };
    let second = [world.sums(&session, &good), complaints].concat();
    assert_eq!(culprits(judge(&session, [&good, &second, &[]])), [(5, RepairFault::FalseComplaint)]);
    let both = [good, bad].concat();
    let expected = [(4, RepairFault::Equivocation)];
    assert_eq!(culprits(judge(&session, [&both, &second, &[]])), expected);
    assert_eq!(culprits(world.receiver(&session).finish(&both, &second)), expected);
    for i in [1, 5] {
        assert_eq!(culprits(world.helper(&session, id(i)).sum(&both)), expected);
    }
}
