//! Who may take part in what, and what decides that it is over.

use super::*;

fn four() -> (Holders, ChaCha20Rng) {
    let mut rng = ChaCha20Rng::seed_from_u64(70);
    (Holders::deal(5, threshold(4), &[1, 2, 3, 4], &mut rng), rng)
}

#[test]
fn n091_an_epoch_that_does_not_follow_is_refused() {
    let (old, _) = four();
    for found in [0, 4, 5, 7, u64::MAX] {
        let roster = roster(found, threshold(4), &old.keys);
        let error = Session::handover(Protocol::Reshare, old.committee.clone(), roster, &NONCE).err();
        assert_eq!(error, Some(SessionError::Epoch { previous: Epoch(5), found: Epoch(found) }));
    }
    let mut rng = ChaCha20Rng::seed_from_u64(71);
    let last = Holders::deal(u64::MAX, threshold(4), &[1, 2, 3, 4], &mut rng);
    let error = Session::handover(Protocol::Reshare, last.committee, roster(0, threshold(4), &last.keys), &NONCE).err();
    assert_eq!(error, Some(SessionError::Epoch { previous: Epoch(u64::MAX), found: Epoch(0) }));
}

/// Two handovers to the same epoch: neither's messages nor states count in the other.
#[test]
fn n091_two_handovers_to_one_epoch_are_two_sessions() {
    let (old, _) = four();
    let roster = || roster(6, threshold(4), &old.keys);
    let session = |nonce| Session::handover(Protocol::Reshare, old.committee.clone(), roster(), &[nonce; 32]).unwrap();
    assert_ne!(session(1).id(), session(2).id());
    let dealing = Dealing::forge(
        &session(1),
        1,
        *old.shares[0].secret().expose(),
        &Lie::Nothing,
        &mut ChaCha20Rng::seed_from_u64(1),
    );
    assert_eq!(dealing.verify(&session(2)).err(), Some(DealingError::Session));
}

#[test]
fn n079_a_refresh_for_another_threshold_or_committee_is_refused() {
    let (old, mut rng) = four();
    let other = Threshold::new(2, 4).unwrap();
    let strangers = keys(1..=4, &mut rng);
    let renumbered: Keys = (5..).zip(old.keys.iter()).map(|(i, (_, k))| (id(i), twin(k))).collect();
    for roster in
        [roster(6, other, &old.keys), roster(6, threshold(4), &strangers), roster(6, threshold(4), &renumbered)]
    {
        let error = Session::handover(Protocol::Refresh, old.committee.clone(), roster, &NONCE).err();
        assert_eq!(error, Some(SessionError::NotTheSameMembers));
    }
    for found in [Protocol::Dealer, Protocol::Dkg, Protocol::Repair] {
        let roster = roster(6, threshold(4), &old.keys);
        let error = Session::handover(found, old.committee.clone(), roster, &NONCE).err();
        assert_eq!(error, Some(SessionError::Protocol { found }));
    }
}

fn twin(keys: &ParticipantKeys) -> ParticipantKeys {
    ParticipantKeys::from_bytes(&keys.to_bytes()).unwrap()
}

#[test]
fn a_refresh_may_renew_dealing_keys() {
    let (old, mut rng) = four();
    let renewed: Keys = old.keys.iter().map(|(i, k)| (*i, k.with_new_dealing_key(&mut rng).unwrap())).collect();
    assert!(renewed.iter().zip(&old.keys).all(|(new, old)| new.1.dealing_key() != old.1.dealing_key()));
    let session = old.session(Protocol::Refresh, threshold(4), &renewed);
    let mut parties = old.dealers(&session, &[0, 1, 2, 3]);
    parties.extend(receivers(&renewed, &session));
    settle(run(parties, &mut rng), &[]);
}

#[test]
fn n088_a_dealer_without_a_share_of_the_old_committee_does_not_take_part() {
    let (old, mut rng) = four();
    let session = old.session(Protocol::Reshare, threshold(4), &old.keys);
    let other = Holders::deal(5, threshold(4), &[1, 2, 3, 9], &mut rng);
    let earlier = Holders::deal(4, threshold(4), &[1, 2, 3, 4], &mut rng);
    let error = |key_share, keys| Party::new(session.clone(), Some(OldMember { key_share, keys }), None).err();
    let keys = &old.keys[0].1;
    assert_eq!(error(&other.shares[0], keys), Some(RoundsError::KeyShare(KeyShareError::Committee)));
    let epoch = KeyShareError::Epoch { expected: Epoch(5), found: Epoch(4) };
    assert_eq!(error(&earlier.shares[0], keys), Some(RoundsError::KeyShare(epoch)));
    assert_eq!(error(&other.shares[3], keys), Some(RoundsError::NotInTheCommittee { identifier: id(9) }));
    let stranger = Some(RoundsError::NotInTheCommittee { identifier: id(1) });
    assert_eq!(error(&old.shares[0], &old.keys[1].1), stranger);
    assert_eq!(Party::new(session.clone(), None, None).err(), Some(RoundsError::NoRole));
    let receiver = NewMember { identifier: id(2), keys };
    let expected = Some(RoundsError::NotOnTheRoster { identifier: id(2) });
    assert_eq!(Party::new(session.clone(), None, Some(receiver)).err(), expected);
    let bare = Session::new(Protocol::Reshare, Some(&old.committee.digest()), session.roster().clone(), &NONCE);
    let member = OldMember { key_share: &old.shares[0], keys };
    let expected = Some(RoundsError::Protocol { found: Protocol::Reshare });
    assert_eq!(Party::new(bare.clone(), Some(member), None).err(), expected);
    let dealing = spoilt(&old, &bare, 0, &Lie::Nothing);
    assert_eq!(dealing.verify(&bare).err(), Some(DealingError::Dealer { found: 1 }));
}

#[test]
fn n083_old_shares_are_retired_by_a_confirmed_handover_only() {
    let (old, mut rng) = four();
    let session = old.session(Protocol::Refresh, threshold(4), &old.keys);
    let two = |round: Round, seen: &mut Vec<Envelope>| {
        if round == Round::Confirm {
            seen.truncate(2);
        }
    };
    let mut board = Rewritten { inner: MemoryBoard::new(NONCE), alter: two };
    for outcome in run_in_process(old.both(&session), &mut board, &mut rng).unwrap() {
        let Err(RoundsError::NotConfirmed { need: 3, have: 2, culprits }) = outcome else { panic!("confirmed") };
        assert_eq!(named(&culprits), [3, 4].map(|i| (Role::Receiver, i, Fault::Silent)));
    }
    let mut outcomes = run(old.both(&session), &mut rng);
    let handover = outcomes.remove(0).unwrap();
    let new = KeyShare::from_bytes(&handover.key_share.as_ref().unwrap().to_bytes()).unwrap();
    assert_eq!(handover.retire(new).map_err(|share| share.epoch()), Err(Epoch(6)));
    let share = KeyShare::from_bytes(&old.shares[0].to_bytes()).unwrap();
    assert!(handover.retire(share).is_ok());
}

#[test]
fn n082_the_certificate_settles_a_participant_that_was_away() {
    let (old, mut rng) = four();
    let session = old.session(Protocol::Refresh, threshold(4), &old.keys);
    let parties = old.both(&session);
    let log = with_restarts(&parties, |_, _| {}, |_, _| false);
    let certificate = Certificate::from_bytes(&log.outcomes[1].certificate.to_bytes()).unwrap();
    assert_eq!(certificate, log.outcomes[1].certificate);
    assert_eq!(certificate.verify(&session), Ok(()));
    let waiting = Unconfirmed::from_bytes(&log.stored[4][0], parties[0].clone()).unwrap();
    let handover = waiting.confirm_by_certificate(&certificate).unwrap();
    assert_eq!(handover.transcript, certificate.transcript());

    let other =
        Session::handover(Protocol::Refresh, old.committee.clone(), session.roster().clone(), &[1; 32]).unwrap();
    assert_eq!(certificate.verify(&other), Err(CertificateError::Session));
    let mut few = Certificate::new(session.id(), certificate.transcript(), certificate.confirmations()[..2].to_vec());
    assert_eq!(few.verify(&session), Err(CertificateError::NotConfirmed { need: 3, have: 2 }));
    few = Certificate::new(session.id(), [1; 32], certificate.confirmations().to_vec());
    assert_eq!(few.verify(&session), Err(CertificateError::NotConfirmed { need: 3, have: 0 }));
    let forger = ParticipantKeys::generate(&mut rng).unwrap();
    let package = || Package::Confirmation(certificate.transcript());
    let forged = (1..=4).map(|i| signed(&session, &forger, id(i), package())).collect();
    let forged = Certificate::new(session.id(), certificate.transcript(), forged);
    assert_eq!(forged.verify(&session), Err(CertificateError::NotConfirmed { need: 3, have: 0 }));
}

/// One of four is late, one signs two transcripts: who read the round and who reads a certificate of it end alike, in
/// the new epoch when three signed its transcript, in the old one when two did.
#[test]
fn n082_the_round_and_its_certificate_settle_alike_when_a_confirmer_talks_twice() {
    let (old, _) = four();
    let session = old.session(Protocol::Refresh, threshold(4), &old.keys);
    let parties = old.both(&session);
    let log = with_restarts(&parties, |_, _| {}, |_, _| false);
    let (posted, transcript) = (&log.posted[4], log.outcomes[0].transcript);
    let second = signed(&session, &old.keys[2].1, id(3), Package::Confirmation([5; 32]));
    let settle = |round: &[Envelope]| {
        let waiting = Unconfirmed::from_bytes(&log.stored[4][0], parties[0].clone()).unwrap();
        let outcome = waiting.confirm(round).map(|handover| named(&handover.culprits));
        let signers: Vec<_> = round.iter().filter(|e| Package::confirmation(e) == Some(transcript)).cloned().collect();
        (outcome, Certificate::new(session.id(), transcript, signers).verify(&session))
    };
    let faults = |late: &[u16]| {
        let silent = late.iter().map(|&i| (Role::Receiver, i, Fault::Silent));
        let twice = std::iter::once((Role::Receiver, 3, Fault::Equivocation));
        let mut all: Vec<_> = silent.chain(twice).collect();
        all.sort_by_key(|(_, i, _)| *i);
        all
    };
    let (outcome, certificate) = settle(&[posted[0].clone(), posted[1].clone(), second.clone(), posted[2].clone()]);
    assert_eq!((outcome, certificate), (Ok(faults(&[4])), Ok(())));
    let (outcome, certificate) = settle(&[posted[0].clone(), posted[2].clone(), second]);
    let Err(RoundsError::NotConfirmed { need: 3, have: 2, culprits }) = outcome else { panic!("confirmed") };
    assert_eq!(named(&culprits), faults(&[2, 4]));
    assert_eq!(certificate, Err(CertificateError::NotConfirmed { need: 3, have: 2 }));
}

#[test]
fn n029_certificates_are_strict() {
    let (old, mut rng) = four();
    let session = old.session(Protocol::Refresh, threshold(4), &old.keys);
    let certificate = run(old.both(&session), &mut rng).remove(0).unwrap().certificate;
    let wire = certificate.to_bytes();
    for n in 0..wire.len() {
        let error = Certificate::from_bytes(&wire[..n]).err();
        assert!(matches!(error, Some(EncodingError::Truncated { .. })), "{n}");
    }
    let long = [wire.as_slice(), &[0]].concat();
    assert_eq!(Certificate::from_bytes(&long), Err(EncodingError::Trailing { found: 1 }));
    let all = certificate.confirmations();
    let twice = Certificate::new(session.id(), certificate.transcript(), vec![all[1].clone(), all[1].clone()]);
    let (what, range) = ("sender", "ascending senders");
    assert_eq!(Certificate::from_bytes(&twice.to_bytes()), Err(EncodingError::Range { what, found: 2, range }));
    let mut many = wire.clone();
    many[HEADER_LEN + 64..HEADER_LEN + 66].copy_from_slice(&[0xff, 0xff]);
    let (what, range) = ("number of confirmations", "0 to 1024");
    assert_eq!(Certificate::from_bytes(&many), Err(EncodingError::Range { what, found: 65_535, range }));
}
