//! Dealers and coordinators that cheat, and what old shares are still good for.

use super::*;
use crate::encoding::Reader;
use crate::keys::complaint::{Complaint, Verdict};
use crate::point::Encoded;

struct Seven {
    old: Holders,
    new: Keys,
    session: Session,
    rng: ChaCha20Rng,
}

/// 5 of 7, handed over to four others.
fn seven() -> Seven {
    let mut rng = ChaCha20Rng::seed_from_u64(60);
    let old = Holders::deal(1, threshold(7), &[1, 2, 3, 4, 5, 6, 7], &mut rng);
    let new = keys(1..=4, &mut rng);
    let session = old.session(Protocol::Reshare, threshold(4), &new);
    Seven { old, new, session, rng }
}

impl Seven {
    fn parties(&self, dealers: &[usize]) -> Vec<Party<'_>> {
        let mut parties = self.old.dealers(&self.session, dealers);
        parties.extend(receivers(&self.new, &self.session));
        parties
    }

    fn run(&self, dealers: &[usize], wrong: &[Dealing]) -> Vec<Result<Handover, RoundsError>> {
        let alter = |round: Round, seen: &mut Vec<Envelope>| substitute(&self.session, &self.old, wrong, round, seen);
        let mut board = Rewritten { inner: MemoryBoard::new(NONCE), alter };
        run_in_process(self.parties(dealers), &mut board, &mut self.rng.clone()).unwrap()
    }
}

const ALL: [usize; 7] = [0, 1, 2, 3, 4, 5, 6];

#[test]
fn n011_errors_of_two_dealers_that_cancel_in_the_sum_are_both_found() {
    let seven = seven();
    let lambda = crate::polynomial::lagrange_at_zero(&[1, 2, 3, 4, 5].map(id)).unwrap();
    let shifts = [Scalar::from(9u8), -Scalar::from(9u8) * lambda[0] * lambda[1].invert()];
    let wrong: Vec<_> = (0..2).map(|at| spoilt(&seven.old, &seven.session, at, &Lie::Shift(3, shifts[at]))).collect();
    let fault = Fault::Share(ShareFault::Commitment);
    let named = [(Role::Dealer, 1, fault.clone()), (Role::Dealer, 2, fault)];
    let (committee, shares) = settle(seven.run(&ALL, &wrong), &named);
    let mut rng = seven.rng.clone();
    let (ciphertext, chosen) = (seven.old.encrypt(&mut rng), shares.iter().take(3).collect::<Vec<_>>());
    assert_eq!(open(&committee, &chosen, &ciphertext, &mut rng).unwrap(), b"message");
}

/// Two dealers that share an ephemeral scalar: one key would open two dealings.
#[test]
fn a_repeated_ephemeral_point_evicts_whoever_used_it() {
    let seven = seven();
    let wrong: Vec<_> = [2, 4].map(|at| drawn_from(9, &seven.old, &seven.session, at, &Lie::Nothing)).into();
    assert_eq!(wrong[0].ephemeral(), wrong[1].ephemeral());
    settle(
        seven.run(&ALL, &wrong),
        &[(Role::Dealer, 3, Fault::RepeatedPoint), (Role::Dealer, 5, Fault::RepeatedPoint)],
    );
}

/// The place of the receiver whose share of the honest dealing is wanted.
const VICTIM: usize = 2;

/// Dealer 1's honest dealing, and dealer 2's with the same R and with the ciphertext that dealer 1 made for the victim.
fn stolen(seven: &Seven) -> (Dealing, Dealing) {
    let honest = spoilt(&seven.old, &seven.session, 0, &Lie::Nothing);
    let lie = Lie::Stolen(honest.ephemeral(), VICTIM, honest.sealed_share(VICTIM));
    let copy = spoilt(&seven.old, &seven.session, 1, &lie);
    assert_eq!(copy.sealed_share(VICTIM), honest.sealed_share(VICTIM));
    (honest, copy)
}

/// The attack where nobody checks the proof of R: the stolen ciphertext does not open under the liar's number, its
/// receiver complains, the complaint is right, and the point that it shows opens the honest share.
#[test]
fn without_its_proof_a_copied_ephemeral_point_is_a_decryption_oracle() {
    let mut seven = seven();
    let (honest, copy) = stolen(&seven);
    let honest = honest.verify(&seven.session).unwrap();
    let (victim, keys) = &seven.new[VICTIM];
    let unchecked = copy.unchecked(&seven.session);
    assert_eq!(unchecked.open_share(*victim, keys).err(), Some(ShareFault::Tag));
    let complaint = Complaint::create(&unchecked, *victim, keys, &mut seven.rng).unwrap();
    assert_eq!(complaint.judge(&unchecked, *victim), Verdict::Dealer(ShareFault::Tag));
    let wire = complaint.to_bytes();
    let shown = Encoded::read(&mut Reader::new(&wire[..32]), "DH").unwrap();
    assert_eq!(*shown.point(), honest.r().point() * keys.dealing_secret().expose());
    let read = honest.open_share_with(*victim, &shown).unwrap();
    assert_eq!(honest.check_share_vartime(*victim, &read), Ok(()));
    assert_eq!(read.to_bytes(), honest.open_share(*victim, keys).unwrap().to_bytes());
}

/// A dealer that copies R, and adds the honest dealer's ciphertext as its own share, wants the receiver to complain and
/// to show the key of the honest share. Its proof does not verify, so nobody computes that key.
#[test]
fn a_copied_ephemeral_point_is_no_decryption_oracle() {
    let seven = seven();
    let (honest, copy) = stolen(&seven);
    assert_eq!(copy.clone().verify(&seven.session).err(), Some(DealingError::Proof));
    let mut complaints = Vec::new();
    let alter = |round: Round, seen: &mut Vec<Envelope>| {
        if round == Round::Complain {
            complaints.extend(seen.iter().cloned());
        }
        substitute(&seven.session, &seven.old, &[honest.clone(), copy.clone()], round, seen);
    };
    let mut board = Rewritten { inner: MemoryBoard::new(NONCE), alter };
    let outcomes = run_in_process(seven.parties(&ALL), &mut board, &mut seven.rng.clone()).unwrap();
    settle(outcomes, &[(Role::Dealer, 2, Fault::Dealing(DealingError::Proof))]);
    assert!(complaints.is_empty());
}

#[test]
fn n020_silent_dealers_are_named_as_long_as_t_are_left() {
    let seven = seven();
    let silent = [(Role::Dealer, 6, Fault::Silent), (Role::Dealer, 7, Fault::Silent)];
    settle(seven.run(&[0, 1, 2, 3, 4], &[]), &silent);
}

#[test]
fn n087_fewer_than_t_dealers_abort_with_culprits_and_the_old_shares_serve() {
    let mut seven = seven();
    for outcome in seven.run(&[0, 1, 2, 3], &[]) {
        let Err(RoundsError::TooFewDealers { need: 5, have: 4, culprits }) = outcome else { panic!("no abort") };
        assert_eq!(named(&culprits), [5, 6, 7].map(|i| (Role::Dealer, i, Fault::Silent)));
    }
    let wrong: Vec<_> = (0..3).map(|at| spoilt(&seven.old, &seven.session, at, &Lie::Possession)).collect();
    let fault = Fault::Dealing(DealingError::Possession);
    for outcome in seven.run(&ALL, &wrong) {
        let Err(RoundsError::TooFewDealers { need: 5, have: 4, culprits }) = outcome else { panic!("no abort") };
        assert_eq!(named(&culprits), [1, 2, 3].map(|i| (Role::Dealer, i, fault.clone())));
    }
    let wrong: Vec<_> = (0..3).map(|at| spoilt(&seven.old, &seven.session, at, &Lie::Tag(1))).collect();
    for outcome in seven.run(&ALL, &wrong) {
        let Err(RoundsError::TooFewDealers { need: 5, have: 4, culprits }) = outcome else { panic!("no abort") };
        assert!(named(&culprits).iter().all(|(_, _, fault)| *fault == Fault::Share(ShareFault::Tag)));
    }
    let ciphertext = seven.old.encrypt(&mut seven.rng);
    let shares: Vec<_> = seven.old.shares.iter().take(5).collect();
    assert_eq!(open(&seven.old.committee, &shares, &ciphertext, &mut seven.rng).unwrap(), b"message");
}

/// The rounds end without a result after each of them; the old epoch opens all the same.
#[test]
fn n089_an_abort_in_any_round_leaves_the_old_epoch_serving() {
    let mut seven = seven();
    let ciphertext = seven.old.encrypt(&mut seven.rng);
    for lost in [Round::Commit, Round::Open, Round::Confirm] {
        let alter = |round: Round, seen: &mut Vec<Envelope>| {
            if round == lost {
                seen.clear();
            }
        };
        let mut board = Rewritten { inner: MemoryBoard::new(NONCE), alter };
        for outcome in run_in_process(seven.parties(&ALL), &mut board, &mut seven.rng.clone()).unwrap() {
            match outcome.err() {
                Some(RoundsError::TooFewDealers { have: 0, .. }) if lost < Round::Complain => {}
                Some(RoundsError::NotConfirmed { need: 3, have: 0, .. }) if lost == Round::Confirm => {}
                other => panic!("{lost}: {other:?}"),
            }
        }
        let shares: Vec<_> = seven.old.shares.iter().skip(2).collect();
        assert_eq!(open(&seven.old.committee, &shares, &ciphertext, &mut seven.rng).unwrap(), b"message");
    }
}

#[test]
fn n081_a_share_of_the_old_epoch_does_not_serve_the_new_one() {
    let mut rng = ChaCha20Rng::seed_from_u64(61);
    let old = Holders::deal(1, threshold(4), &[1, 2, 3, 4], &mut rng);
    let ciphertext = old.encrypt(&mut rng);
    let session = old.session(Protocol::Refresh, threshold(4), &old.keys);
    let (committee, shares) = settle(run(old.both(&session), &mut rng), &[]);
    let stale = answer(&committee, &old.shares[0], &ciphertext, &mut rng).err();
    let expected = KeyShareError::Epoch { expected: Epoch(2), found: Epoch(1) };
    assert!(matches!(stale, Some(ShareError::KeyShare(error)) if error == expected));
    let mine = signed(&session, &old.keys[0].1, id(1), Package::Confirmation([0; 32]));
    assert_eq!(mine.verify(&old.committee), Err(EnvelopeError::Epoch { expected: Epoch(1), found: Epoch(2) }));
    assert!(shares[0].matches(&old.committee).is_err());
}

/// Shares of two epochs under one request: whoever answered with the old one is named, and t − 1 new ones are too few.
#[test]
fn n058_n080_shares_of_two_epochs_never_combine() {
    let mut rng = ChaCha20Rng::seed_from_u64(62);
    let old = Holders::deal(1, threshold(4), &[1, 2, 3, 4], &mut rng);
    let ciphertext = old.encrypt(&mut rng);
    let session = old.session(Protocol::Refresh, threshold(4), &old.keys);
    let (committee, shares) = settle(run(old.both(&session), &mut rng), &[]);
    let answers = |rng: &mut ChaCha20Rng| {
        let mut answers: Vec<_> =
            shares[..2].iter().map(|share| answer(&committee, share, &ciphertext, rng).unwrap()).collect();
        for share in &old.shares[2..] {
            answers.push(answer(&old.committee, share, &ciphertext, rng).unwrap());
        }
        answers
    };
    let cts = std::slice::from_ref(&ciphertext);
    let new_request = request(&committee, &ciphertext);
    let mixed = answers(&mut rng);
    let error = combine_public(&committee, &new_request, cts, mixed, &mut rng).err();
    let Some(CombineError::NotEnoughShares { need: 3, have: 2, culprits }) = error else { panic!("combined") };
    let stale: Vec<_> = culprits.iter().map(|c| (c.identifier.get(), c.reason)).collect();
    assert_eq!(stale, [(3, CulpritReason::Proof), (4, CulpritReason::Proof)]);
    let old_request = request(&old.committee, &ciphertext);
    let mixed = answers(&mut rng);
    let error = combine_public(&old.committee, &old_request, cts, mixed, &mut rng).err();
    assert!(matches!(error, Some(CombineError::NotEnoughShares { need: 3, have: 2, .. })));
}

/// n − t members that were removed, together with t′ − 1 new ones, interpolate to something else than the key.
#[test]
fn n086_a_removed_share_adds_nothing_to_new_ones() {
    let mut rng = ChaCha20Rng::seed_from_u64(63);
    let old = Holders::deal(1, threshold(4), &[1, 2, 3, 4], &mut rng);
    let new = keys(1..=3, &mut rng);
    let session = old.session(Protocol::Reshare, threshold(3), &new);
    let mut parties = old.dealers(&session, &[0, 1, 2, 3]);
    parties.extend(receivers(&new, &session));
    let (committee, shares) = settle(run(parties, &mut rng), &[]);
    let master = committee.master_public_key().point();
    let interpolated = |chosen: [&KeyShare; 2]| {
        let lambda = crate::polynomial::lagrange_at_zero(&chosen.map(KeyShare::identifier)).unwrap();
        let secret = lambda[0] * chosen[0].secret().expose() + lambda[1] * chosen[1].secret().expose();
        curve25519_dalek::RistrettoPoint::mul_base(&secret)
    };
    assert_eq!(interpolated([&shares[0], &shares[1]]), master);
    assert_ne!(interpolated([&shares[0], &old.shares[3]]), master);
    assert_ne!(interpolated([&shares[2], &old.shares[0]]), master);
}
