use super::*;
use ccc_core::{
    encoding::header,
    epoch::Epoch,
    keys::{
        Complaint, Dealing, ParticipantKeys, Protocol,
        board::{Board as _, MemoryBoard},
        dkg,
    },
    threshold::Threshold,
};
use rand::{SeedableRng, rngs::StdRng};

const NONCE: [u8; 32] = [9; 32];

struct Cast {
    session: Session,
    keys: Vec<(Identifier, ParticipantKeys)>,
    rng: StdRng,
}

impl Cast {
    fn new(n: u16) -> Self {
        let mut rng = StdRng::seed_from_u64(1);
        let mut drawn = || ParticipantKeys::generate(&mut rng).expect("keys");
        let keys: Vec<_> = (1..=n).map(|i| (Identifier::new(i).expect("not zero"), drawn())).collect();
        let members = keys.iter().map(|(i, keys)| keys.public(*i)).collect();
        let roster = Roster::new(Epoch(1), Threshold::default_for(n).expect("a threshold"), members).expect("a roster");
        Self { session: Session::new(Protocol::Dkg, None, roster, &NONCE), keys, rng }
    }

    /// A message of the first participant.
    fn says(&self, kind: Kind, payload: Vec<u8>) -> Envelope {
        let ((identifier, keys), roster) = (&self.keys[0], self.session.roster());
        let (digest, epoch, topic) = (roster.digest(), roster.epoch(), self.session.id());
        Envelope::sign(keys, &digest, epoch, *identifier, &topic, kind, payload).expect("within the bounds")
    }

    /// Bytes that are marked as a dealing, each time others.
    fn marked(&self, length: usize, mark: u8) -> Envelope {
        let mut wire = vec![mark; length];
        wire[..8].copy_from_slice(&header(Kind::Dealing));
        self.says(Kind::Dealing, wire)
    }

    fn board(&self) -> Board {
        Board::read(Path::new("there is no such directory"), &self.session).expect("an empty board")
    }

    /// The dealings of a key generation of the same participants.
    fn dealings(&mut self) -> Vec<Dealing> {
        let mut board = MemoryBoard::new(NONCE);
        let roster = self.session.roster();
        dkg::run_in_process(roster, &self.keys, &mut board, &mut self.rng).expect("a key generation");
        let opened = board.close(Round::Open).expect("the round is over");
        let read = |e: &Envelope| Dealing::from_bytes(e.verify_roster(roster).expect("signed")).expect("a dealing");
        opened.iter().map(read).collect()
    }
}

fn kept(board: &Board, round: Round) -> Vec<usize> {
    board.envelopes(round).iter().map(|envelope| envelope.to_bytes().len()).collect()
}

#[test]
fn a_hundred_signed_dealings_of_4_mib_leave_nothing_on_a_board() {
    let cast = Cast::new(4);
    let mut board = cast.board();
    for mark in 0..100 {
        let added = board.add(&cast.session, cast.marked(MAX_PAYLOAD, mark));
        assert_eq!(added, Err("its sender did not sign it, or it is of no round"));
    }
    assert!(kept(&board, Round::Open).is_empty());
    assert!(board.done(Round::Open).is_empty(), "its dealer is still expected to speak");
    // as long as a dealing may be, four of one dealer are kept
    let longest = 279 + 80 * 4;
    assert!(board.add(&cast.session, cast.marked(longest + 1, 0)).is_err());
    for mark in 0..100 {
        assert_eq!(board.add(&cast.session, cast.marked(longest, mark)), Ok(()));
    }
    let kept = kept(&board, Round::Open);
    assert_eq!(kept.len(), 4);
    assert!(kept.iter().sum::<usize>() < 4 * (longest + 512));
    assert!(board.has_two_faced_dealers());
}

/// An honest receiver may have a complaint about every dealer, and says after them how many there were.
#[test]
fn of_complaints_one_per_dealer_and_their_end_are_kept() {
    let mut cast = Cast::new(5);
    let dealings = cast.dealings();
    let accuser = cast.keys[0].0;
    let mut board = cast.board();
    for dealing in dealings {
        let dealer = dealing.dealer();
        let dealing = dealing.verify(&cast.session).expect("in order");
        let complaint = Complaint::create(&dealing, accuser, &cast.keys[0].1, &mut cast.rng).expect("a complaint");
        let payload = [dealer.to_be_bytes().as_slice(), &complaint.to_bytes()].concat();
        assert_eq!(board.add(&cast.session, cast.says(Kind::Complaint, payload)), Ok(()));
    }
    assert_eq!(board.add(&cast.session, cast.says(Kind::Dealing, vec![2, 0, 5])), Ok(()));
    assert_eq!(kept(&board, Round::Complain).len(), 6);
    assert_eq!(board.done(Round::Complain), BTreeSet::from([accuser]));
    assert!(board.twice().is_empty());
    for k in 0..100u8 {
        let _ = board.add(&cast.session, cast.says(Kind::Dealing, vec![2, 1, k]));
        let _ = board.add(&cast.session, cast.says(Kind::Dealing, [vec![3], vec![k; 32]].concat()));
    }
    assert_eq!((kept(&board, Round::Complain).len(), kept(&board, Round::Confirm).len()), (6, 4));
}
