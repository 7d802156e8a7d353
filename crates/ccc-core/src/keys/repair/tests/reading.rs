//! What everybody reads from the board before anything is added up: lengths, the digest of the splits, complaints.

use super::*;
use crate::encoding::EncodingError;
use crate::keys::repair::packet::PART_LEN;

#[test]
fn a_split_is_the_longest_message_of_a_repair() {
    let mut world = world_with(&[1, 2, 3, 4, 5, 6], 3, 7);
    for helpers in [&[1, 3, 4][..], &[1, 3, 4, 5, 6]] {
        let session = world.session(2, helpers);
        let longest = RepairPacket::longest(&session);
        let splits = world.splits(&session);
        assert!(splits.iter().all(|split| split.unverified_payload().len() == longest));
        let sums = world.sums(&session, &splits);
        assert!(sums.iter().all(|sum| sum.unverified_payload().len() < longest));
        let accused = (Stage::Split, id(3));
        let complaint = RepairComplaint::create(&session, accused, &packet_of(&splits[1]), id(1), world.keys(id(1)));
        assert!(complaint.to_bytes().len() < longest);
    }
}

#[test]
fn n005_fewer_scalars_than_counted_are_refused_before_any_is_read() {
    let (world, session) = world();
    let packet = packet_of(&world.helper(&session, id(4)).split().unwrap()).to_bytes();
    let truncated = |what, expected, found| Err(EncodingError::Truncated { what, expected, found });
    let (head, tail) = packet.split_at(37);
    let parts = &tail[..3 * PART_LEN];
    let short = [head, &parts[1..]].concat();
    assert_eq!(RepairPacket::from_bytes(&short), truncated("number of scalars", 3 * PART_LEN, 3 * PART_LEN - 1));
    let mut most = packet.clone();
    most[35..37].copy_from_slice(&1024_u16.to_be_bytes());
    let expected = truncated("number of scalars", 1024 * PART_LEN, tail.len());
    assert_eq!(RepairPacket::from_bytes(&most), expected);
    // all of them and nothing behind them: R is what is missing
    assert_eq!(RepairPacket::from_bytes(&[head, parts].concat()), truncated("R", 32, 0));
}

#[test]
fn the_digest_of_the_splits_is_the_one_that_every_sum_names() {
    let (world, session) = world();
    let first = world.splits(&session);
    let digest = session.digest_of_splits(&first).unwrap();
    let sums = world.sums(&session, &first);
    assert!(sums.iter().all(|sum| packet_of(sum).seen() == digest));
    assert!(sums.iter().all(|sum| !RepairSession::is_of_other_splits(sum, Some(digest))));
    assert!(sums.iter().all(|sum| RepairSession::is_of_other_splits(sum, None)));
    let shuffled: Vec<_> = first.iter().rev().cloned().collect();
    assert_eq!(session.digest_of_splits(&shuffled), Some(digest));
    let parts: Vec<_> = session.helpers().iter().map(|&j| (j, secret(5))).collect();
    let origin = (Stage::Split, id(4), nothing_seen(&session));
    let other = world.signed_packet(&session, 4, &RepairPacket::create(&session, origin, &parts, &[1; 64]));
    let replaced = session.digest_of_splits(&with(first.clone(), 4, vec![other.clone()]));
    assert!(replaced.is_some_and(|replaced| replaced != digest));
    assert_eq!(session.digest_of_splits(&with(first.clone(), 4, vec![])), None);
    assert_eq!(session.digest_of_splits(&with(first.clone(), 4, vec![first[1].clone(), other])), None);
}

/// A complaint that names another point than the one that was agreed on.
fn unproved(world: &World, session: &RepairSession, accused: (Stage, Identifier)) -> RepairComplaint {
    let packet = packet_of(&world.splits(session)[0]);
    RepairComplaint::create(session, accused, &packet, id(5), world.keys(id(5)))
}

#[test]
fn n011_the_first_complaint_about_a_split_is_the_one_that_counts() {
    let (world, session) = world();
    let first = wrong_part(&world, &session);
    let Err(RepairError::Ended { complaints, .. }) = world.helper(&session, id(5)).sum(&first) else {
        panic!("a wrong part was added");
    };
    let unproved = unproved(&world, &session, (Stage::Split, id(4)));
    let unproved = world.signed(&session, 5, Kind::RepairComplaint, unproved.to_bytes());
    let judged = |second: [&Envelope; 2]| culprits(judge(&session, [&first, &second.map(Clone::clone), &[]]));
    let (silent, wrong) = (RepairFault::Silent, RepairFault::Scalar(ShareFault::Commitment));
    assert_eq!(judged([&complaints[0], &unproved]), [(1, silent.clone()), (4, wrong)]);
    let expected = [(1, silent.clone()), (4, silent), (5, RepairFault::FalseComplaint)];
    assert_eq!(judged([&unproved, &complaints[0]]), expected);
}

#[test]
fn n022_complaints_of_another_session_or_stage_blame_nobody() {
    let (mut world, session) = world();
    let other = world.session(2, &[1, 4, 5]);
    let first = world.splits(&session);
    let second = world.sums(&session, &first);
    let elsewhere = unproved(&world, &session, (Stage::Split, id(4))).to_bytes();
    let about_sum = unproved(&world, &session, (Stage::Sum, id(4))).to_bytes();
    let complaints = [
        world.signed(&other, 5, Kind::RepairComplaint, elsewhere.clone()),
        world.signed(&session, 5, Kind::RepairRequest, elsewhere),
        world.signed(&session, 5, Kind::RepairComplaint, about_sum),
    ];
    for complaint in complaints {
        let second = [&second[..], &[complaint]].concat();
        assert_eq!(judge(&session, [&first, &second, &[]]), Ok(()));
        assert!(world.receiver(&session).finish(&first, &second).is_ok());
    }
}
