use super::*;
use ccc_core::{
    envelope::MAX_PAYLOAD,
    epoch::Epoch,
    keys::{
        ParticipantKeys, Roster, dealer,
        repair::{Helper, RepairError, RepairFault, RepairRequest, judge},
    },
    threshold::Threshold,
};
use rand::{SeedableRng, rngs::StdRng};

/// A repair of participant 1 of four, with helpers 2, 3 and 4 that have done their part.
struct Cast {
    session: RepairSession,
    keys: Vec<ParticipantKeys>,
    splits: Vec<Envelope>,
    sums: Vec<Envelope>,
}

fn id(i: u16) -> Identifier {
    Identifier::new(i).expect("not zero")
}

impl Cast {
    fn new() -> Self {
        let mut rng = StdRng::seed_from_u64(1);
        let keys: Vec<_> = (0..4).map(|_| ParticipantKeys::generate(&mut rng).expect("keys")).collect();
        let weights: Vec<_> = keys.iter().map(|keys| (keys.public_keys(), 1)).collect();
        let roster = Roster::weighted(Epoch(1), Threshold::default_for, &weights).expect("a roster");
        let (committee, shares) = dealer::deal(&roster, &mut rng).expect("shares");
        let request = RepairRequest::new(&committee, id(1), vec![id(2), id(3), id(4)], &mut rng).expect("a request");
        let session = RepairSession::new(committee, request).expect("a session");
        let helpers: Vec<_> = shares[1..]
            .iter()
            .zip(&keys[1..])
            .map(|(share, keys)| Helper::new(session.clone(), share, keys).expect("a helper"))
            .collect();
        let splits: Vec<_> = helpers.iter().map(|helper| helper.split().expect("a split")).collect();
        let sums = helpers.iter().map(|helper| helper.sum(&splits).expect("a sum")).collect();
        drop(helpers);
        Self { session, keys, splits, sums }
    }

    fn payload<'e>(&self, envelope: &'e Envelope) -> &'e [u8] {
        envelope.verify(self.session.committee()).expect("signed")
    }

    fn says(&self, i: u16, kind: Kind, payload: Vec<u8>) -> Envelope {
        let (keys, committee) = (&self.keys[usize::from(i) - 1], self.session.committee());
        let (digest, epoch, topic) = (committee.digest(), committee.epoch(), self.session.id());
        Envelope::sign(keys, &digest, epoch, id(i), &topic, kind, payload).expect("within the bounds")
    }

    /// The sum of participant 4 with one byte changed.
    fn bent(&self, at: usize, by: u16) -> Envelope {
        let mut payload = self.payload(&self.sums[2]).to_vec();
        payload[at..at + 2].iter_mut().zip(by.to_be_bytes()).for_each(|(byte, by)| *byte ^= by);
        self.says(4, Kind::RepairPacket, payload)
    }

    /// A complaint of the lost participant about the sum of participant 4, that fits no packet.
    fn complaint(&self) -> Envelope {
        let point = &self.payload(&self.splits[0])[37..69];
        let payload = [&[2, 0, 4][..], point, point, point, &[0; 32]].concat();
        self.says(1, Kind::RepairComplaint, payload)
    }
}

fn writes<'e>(directory: &Path, envelopes: impl IntoIterator<Item = &'e Envelope>) {
    for envelope in envelopes {
        let path = directory.join(hex::encode(digest(envelope)));
        std::fs::write(path, envelope.to_bytes()).expect("written");
    }
}

fn judged(board: &RepairBoard, session: &RepairSession) -> Vec<(u16, RepairFault)> {
    let rounds = [Stage::Split, Stage::Sum, Stage::Complaints].map(|stage| board.envelopes(stage));
    match judge(session, rounds.each_ref().map(Vec::as_slice)) {
        Err(RepairError::Ended { culprits, .. }) => {
            culprits.into_iter().map(|culprit| (culprit.identifier.get(), culprit.fault)).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn n011_what_does_not_count_does_not_displace_a_bad_sum_and_its_accuser_is_not_named() {
    let cast = Cast::new();
    let order = |envelope: &Envelope| [digest(envelope)[0], key(envelope)[0]];
    let bad = (1..).map(|by| cast.bent(200, by)).find(|bad| order(bad).iter().all(|first| *first > 0xc0));
    let bad = bad.expect("one of many");
    let below = |filler: &Envelope| order(filler).iter().all(|first| *first < 0xc0);
    let others = (1..).map(|by| cast.bent(3, by)).filter(below).take(bound(&cast.session) + 1);
    let unread = |k: u8| cast.says(4, Kind::RepairComplaint, vec![1, k]);
    let fillers: Vec<_> = others.chain((0..100).map(unread).filter(below)).collect();
    let directory = tempfile::tempdir().expect("a scratch directory");
    let honest = [&cast.splits[..], &cast.sums, &[cast.complaint()]].concat();
    writes(directory.path(), honest.iter().chain(&fillers));
    let board = RepairBoard::read(directory.path(), &cast.session).expect("read");
    assert_eq!(judged(&board, &cast.session), [(1, RepairFault::FalseComplaint)], "without the bad sum");
    writes(directory.path(), [&bad]);
    let board = RepairBoard::read(directory.path(), &cast.session).expect("read");
    assert_eq!(judged(&board, &cast.session), [(4, RepairFault::Equivocation)]);
    let [board, _] = RepairBoard::read_beside(directory.path(), Path::new("no such"), &cast.session).expect("read");
    assert_eq!(judged(&board, &cast.session), [(4, RepairFault::Equivocation)]);
}

/// A split that is kept and no longer on the board tells which sums count.
#[test]
fn n011_sums_are_sorted_by_the_splits_that_were_kept() {
    let cast = Cast::new();
    let [on_board, kept_in] = [(); 2].map(|()| tempfile::tempdir().expect("a scratch directory"));
    writes(on_board.path(), cast.splits[1..].iter().chain(&cast.sums));
    writes(kept_in.path(), &cast.splits[..1]);
    let others: Vec<_> = (1..200).map(|by| cast.bent(3, by)).collect();
    writes(on_board.path(), &others);
    let [board, _] = RepairBoard::read_beside(on_board.path(), kept_in.path(), &cast.session).expect("read");
    let sums = board.envelopes(Stage::Sum);
    assert!(cast.sums.iter().all(|sum| sums.contains(sum)));
    assert_eq!(sums.len(), 3 + bound(&cast.session));
}

#[test]
fn of_messages_longer_than_any_nothing_is_kept_and_of_the_others_the_first() {
    let cast = Cast::new();
    let longest = RepairPacket::longest(&cast.session);
    assert_eq!(longest, cast.payload(&cast.splits[0]).len());
    let long = |kind, first: u8, length| cast.says(4, kind, vec![first; length]);
    let directory = tempfile::tempdir().expect("a scratch directory");
    let all =
        [(Kind::RepairPacket, 1), (Kind::RepairPacket, 2), (Kind::RepairComplaint, 1), (Kind::RepairComplaint, 2)];
    let envelopes = all.map(|(kind, first)| long(kind, first, MAX_PAYLOAD));
    writes(directory.path(), &envelopes);
    writes(directory.path(), &[1, 2].map(|first| long(Kind::RepairPacket, first, longest + 1)));
    let mut kept = RepairBoard::default();
    let board = RepairBoard::read(directory.path(), &cast.session).expect("read");
    assert!(envelopes.iter().all(|envelope| !kept.keep(&cast.session, envelope)));
    assert_eq!((board.lacks(&kept).len(), kept.lacks(&board).len()), (0, 0), "no bytes are kept");
    assert_eq!(board.notes.len(), 6);
    // run after run: what came first stays, whatever is lower
    let first: Vec<_> = (0..bound(&cast.session)).map(|k| long(Kind::RepairPacket, 1, longest - k)).collect();
    assert!(first.iter().all(|envelope| kept.keep(&cast.session, envelope)));
    assert!((100..200).all(|k| !kept.keep(&cast.session, &long(Kind::RepairPacket, 1, k))));
    let stays = kept.envelopes(Stage::Split);
    assert!(stays.len() == first.len() && first.iter().all(|envelope| stays.contains(envelope)));
}
