//! The session after one that ended with culprits.

use super::*;

fn liar(i: u16) -> RepairCulprit {
    RepairCulprit { identifier: id(i), fault: RepairFault::Silent }
}

#[test]
fn a_repair_goes_on_without_the_liars_until_it_succeeds() {
    let (mut world, session) = world();
    let mut first = world.splits(&session);
    first.remove(1);
    let silent = match world.receiver(&session).finish(&first, &[]) {
        Err(RepairError::Ended { culprits, .. }) => culprits,
        _ => panic!("it went on"),
    };
    assert_eq!(silent, [liar(4)]);
    let request = session.without(&silent, &mut world.rng).unwrap();
    assert_eq!((request.lost, request.helpers.clone()), (id(2), ids(&[1, 3, 5])));
    let next = RepairSession::new(world.committee.clone(), request).unwrap();
    assert_ne!(next.id(), session.id());
    let first = world.splits(&next);
    let share = world.receiver(&next).finish(&first, &world.sums(&next, &first)).unwrap();
    assert_eq!(*share.to_bytes(), *world.share(id(2)).to_bytes());
}

#[test]
fn too_few_helpers_without_the_culprits_are_counted() {
    let (mut world, session) = world();
    let refused = session.without(&[liar(1), liar(5)], &mut world.rng);
    assert_eq!(refused, Err(RepairSessionError::TooFewHelpers { need: 3, have: 2 }));
    let unknown = session.without(&[liar(9)], &mut world.rng).unwrap();
    assert_eq!(unknown.helpers, session.helpers());
}

#[test]
fn a_culprit_does_not_come_back_under_another_identifier() {
    let mut rng = ChaCha20Rng::seed_from_u64(12);
    let mut participant = |weight| (ParticipantKeys::generate(&mut rng).unwrap().public_keys(), weight);
    let participants = [participant(2), participant(1), participant(2), participant(1), participant(1)];
    let roster = Roster::weighted(Epoch(7), |n| Threshold::new(3, n), &participants).unwrap();
    let (committee, _) = dealer::deal(&roster, &mut rng).unwrap();
    let request = RepairRequest::new(&committee, id(3), ids(&[4, 6, 7]), &mut rng).unwrap();
    let session = RepairSession::new(committee, request).unwrap();
    // 4 and 5 are one participant
    assert_eq!(session.without(&[liar(4)], &mut rng).unwrap().helpers, ids(&[1, 6, 7]));
}
