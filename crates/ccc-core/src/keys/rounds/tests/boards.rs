//! Participants that read different messages of one dealer, before everybody sees both.

use super::*;

type Confirmed = Vec<dkg::Outcome>;

/// A key generation in which participant 1 reads the first of two messages of the liar and the others read both. Whoever
/// evicts before it finishes sees the whole board.
fn split(twice: Round, evict: bool) -> Result<Confirmed, RoundsError> {
    let world = World::dkg();
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let joined = world
        .dealers
        .iter()
        .map(|(i, keys)| dkg::Participant::new(world.session.clone(), *i, keys, &mut rng).unwrap().commit().unwrap());
    let committed: Vec<_> = joined.collect();
    let board = |round: Round, said: Vec<Envelope>| {
        let package = match round {
            Round::Commit => Package::Commitment([7; 32]),
            _ => Package::Dealing([&header(Kind::Dealing)[..], b"another"].concat()),
        };
        let second = (round == twice).then(|| world.says(Role::Dealer, package));
        (said.clone(), [said, second.into_iter().collect()].concat())
    };
    let (first, commit) = board(Round::Commit, committed.iter().flat_map(|s| s.outgoing().to_vec()).collect());
    let reads = |at: usize| if at == 0 { &first } else { &commit };
    let opened: Vec<_> = committed.into_iter().enumerate().map(|(at, s)| s.open(reads(at)).unwrap()).collect();
    let (first, open) = board(Round::Open, opened.iter().flat_map(|s| s.outgoing().to_vec()).collect());
    let reads = |at: usize| if at == 0 { &first } else { &open };
    let complained = opened.into_iter().enumerate().map(|(at, s)| s.complain(reads(at)).unwrap());
    let finished = complained.map(|s| if evict { s.evict(&commit, &open) } else { s }.finish(&[]).unwrap());
    let finished: Vec<_> = finished.collect();
    let confirm: Vec<_> = finished.iter().flat_map(|s| s.outgoing().to_vec()).collect();
    finished.into_iter().map(|s| s.confirm(&confirm)).collect()
}

#[test]
fn n013_who_says_two_things_to_two_participants_is_evicted_by_both_and_named_alone() {
    for round in [Round::Commit, Round::Open] {
        let outcomes = split(round, true).unwrap();
        for outcome in &outcomes {
            assert_eq!(outcome.committee, outcomes[0].committee, "{round}");
            assert_eq!(named(&outcome.culprits), [(Role::Dealer, LIAR, Fault::Equivocation)], "{round}");
        }
    }
}

#[test]
fn n013_where_nobody_sees_both_messages_the_one_who_read_the_first_has_no_result_and_proves_nobodys_fault() {
    let Err(RoundsError::NotConfirmed { need: 3, have: 1, culprits }) = split(Round::Commit, false) else {
        panic!("one of four is enough");
    };
    assert_eq!(culprits.len(), 3);
    assert!(culprits.iter().all(|c| c.fault == Fault::Disagreement && !c.fault.is_proved()), "{culprits:?}");
    assert!(Fault::Equivocation.is_proved() && !Fault::Silent.is_proved());
}
