//! Whatever one member of the committee and the carrier put on the board, in any round and any order: no panic, nobody
//! else is named, and what comes out is the share. The member is a helper, the one whose share is lost, or neither.

use super::*;
use crate::keys::rounds::stage::change::{Change, Liar, change};
use proptest::collection::vec;
use proptest::prelude::*;

/// Changes of the splits, the sums, and the complaints about sums.
fn changes() -> impl Strategy<Value = [Vec<Change>; 3]> {
    proptest::array::uniform3(vec(change(), 0..6))
}

/// What the board carries in one round, and what was said in it and before.
struct Told<'w, S, O> {
    liar: Liar<S, O>,
    honest: Vec<Envelope>,
    said: Vec<Envelope>,
    changes: std::slice::Iter<'w, Vec<Change>>,
}

impl<S: Fn(Identifier, Kind, Vec<u8>) -> Envelope, O: Fn(&Envelope) -> bool> Told<'_, S, O> {
    fn round(&mut self, mut posted: Vec<Envelope>) -> Vec<Envelope> {
        self.said.extend(posted.iter().cloned());
        for change in self.changes.next().unwrap() {
            self.liar.apply(change, &mut posted, &self.said, &self.honest);
        }
        posted
    }
}

/// What is posted after a step: its word, or complaints about nobody but the liar.
fn word(step: Result<Envelope, RepairError>, liar: Identifier) -> Vec<Envelope> {
    match step {
        Ok(word) => vec![word],
        Err(RepairError::Ended { culprits, complaints }) => {
            assert!(culprits.iter().all(|culprit| culprit.identifier == liar), "{culprits:?}");
            complaints
        }
        Err(error) => panic!("{error}"),
    }
}

fn withstands(number: u16, changes: &[Vec<Change>; 3]) {
    let (world, session) = world();
    let liar = id(number);
    let signs = |i, kind, payload| session.sign(world.keys(liar), i, kind, payload).unwrap();
    let said = |envelope: &Envelope| envelope.identifier() == liar && envelope.verify(session.committee()).is_ok();
    let splits = world.splits(&session);
    let honest = [splits.clone(), world.sums(&session, &splits)].concat();
    let liar_says = Liar { number, signs, said };
    let mut told = Told { liar: liar_says, honest, said: Vec::new(), changes: changes.iter() };
    let first = told.round(splits);
    let sums = session.helpers().iter().flat_map(|&i| word(world.helper(&session, i).sum(&first), liar));
    let second = told.round(sums.collect());
    let finished = world.receiver(&session).finish(&first, &second);
    let complaints = match &finished {
        Err(RepairError::Ended { complaints, .. }) => complaints.clone(),
        _ => Vec::new(),
    };
    let third = told.round(complaints);
    let judged = judge(&session, [&first, &second, &third]);
    if let Err(RepairError::Ended { culprits, .. }) = &judged {
        assert!(culprits.iter().all(|culprit| culprit.identifier == liar), "{culprits:?}");
    }
    match finished {
        Ok(share) => assert_eq!(*share.to_bytes(), *world.share(id(2)).to_bytes()),
        Err(RepairError::Ended { culprits, .. }) => {
            assert_eq!(judged, Err(RepairError::Ended { culprits, complaints: Vec::new() }));
        }
        Err(RepairError::OtherBoard { helpers }) => assert_eq!(helpers, [liar]),
        Err(error) => panic!("{error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn n057_whatever_one_posts_in_a_repair_nobody_else_is_named(liar in 2u16..5, changes in changes()) {
        withstands(liar, &changes);
    }
}
