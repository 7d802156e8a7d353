//! One helper says whatever a die tosses.

use super::*;

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
