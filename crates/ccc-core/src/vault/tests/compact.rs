//! Compact re-encryption from end to end, and the attacks that it was built against.

use super::*;
use crate::support::Replay;
use crate::vault::compact::{Combined, PARTIAL_LEN, Partials, combine, combine_unverified};
use crate::vault::request::MAX_COMPACT;
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::{RistrettoPoint, Scalar};

/// Where the fields of the first partial start in a payload.
const A: usize = 64;
const B: usize = A + 32;

type Plaintexts = (Vec<Option<Vec<u8>>>, Vec<Culprit>);

/// Envelopes that are not to be needed.
fn unasked() -> Vec<Envelope> {
    panic!("everything opens without the envelopes")
}

fn copy(keys: &AttemptKeys) -> AttemptKeys {
    AttemptKeys::from_bytes(&keys.to_bytes()).unwrap()
}

fn plain(opened: Result<crate::vault::Opened, CombineError>) -> Result<Plaintexts, CombineError> {
    opened.map(|opened| (opened.plaintexts.iter().map(|p| p.as_ref().map(|p| p.to_vec())).collect(), opened.culprits))
}

impl World {
    fn open_combined(
        &self,
        keys: AttemptKeys,
        request: &Request,
        cts: &[VerifiedCiphertext],
        combined: &Combined,
        envelopes: impl FnOnce() -> Vec<Envelope>,
    ) -> Result<Plaintexts, CombineError> {
        plain(keys.open_combined(&self.committee, request, MEASUREMENT, cts, combined, envelopes))
    }
}

fn too_few(have: usize) -> CombineError {
    CombineError::NotEnoughShares { need: 3, have, culprits: vec![] }
}

fn point(bytes: &[u8]) -> RistrettoPoint {
    CompressedRistretto::from_slice(bytes).unwrap().decompress().unwrap()
}

fn moved(payload: &[u8], at: usize, by: &RistrettoPoint) -> Vec<u8> {
    let mut moved = payload.to_vec();
    moved[at..at + 32].copy_from_slice((point(&payload[at..at + 32]) + by).compress().as_bytes());
    moved
}

#[test]
fn partials_open_with_a_combiner_and_without_one() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"one"), w.encrypt(LabelKind::TableKey, &[5; 32])];
    let request = w.request(Mode::Compact, &cts);
    let (keys, to) = attempt(&mut w);
    let envelopes = w.answers(&request, &to, &cts);
    let messages = vec![b"one".to_vec(), vec![5; 32]];
    assert_eq!(w.open(copy(&keys), &request, &cts, envelopes.clone()), Ok((messages.clone(), vec![])));

    let made = combine(&w.committee, &request, &to, &cts, &envelopes, &mut w.rng).unwrap();
    assert_eq!(made.combined.to_bytes().len(), 128);
    assert_eq!(made.culprits, vec![]);
    let unseen = combine_unverified(&w.committee, &request, &to, &cts, &envelopes).unwrap();
    assert_eq!(unseen, made.combined);
    let read = Combined::from_bytes(&made.combined.to_bytes(), 2).unwrap();
    let all = messages.into_iter().map(Some).collect();
    assert_eq!(w.open_combined(keys, &request, &cts, &read, unasked), Ok((all, vec![])));
}

#[test]
fn n055_one_partial_too_few_opens_nothing() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Compact, &cts);
    let (keys, to) = attempt(&mut w);
    let mut envelopes = w.answers(&request, &to, &cts);
    envelopes.truncate(2);
    envelopes.push(envelopes[0].clone());
    let combined = combine(&w.committee, &request, &to, &cts, &envelopes, &mut w.rng);
    assert_eq!(combined, Err(too_few(2)));
    let combined = combine_unverified(&w.committee, &request, &to, &cts, &envelopes);
    assert_eq!(combined, Err(too_few(2)));
    assert_eq!(w.open(keys, &request, &cts, envelopes), Err(too_few(2)));
}

#[test]
fn nothing_opens_from_nothing() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let (sealed, compact) = (w.request(Mode::Sealed, &cts), w.request(Mode::Compact, &cts));
    let (keys, to) = attempt(&mut w);
    let empty = Combined::from_bytes(&[], 0).unwrap();
    assert_eq!(w.open_combined(copy(&keys), &compact, &cts, &empty, Vec::new), Err(too_few(0)));
    assert_eq!(w.open(copy(&keys), &compact, &cts, vec![]), Err(too_few(0)));
    assert_eq!(w.open(copy(&keys), &sealed, &cts, vec![]), Err(too_few(0)));
    assert_eq!(combine(&w.committee, &compact, &to, &cts, &[], &mut w.rng), Err(too_few(0)));
    let digest = to.digest();
    let none = verify_all(&[], &w.committee, &sealed, Some(&digest), &cts, &mut w.rng);
    assert_eq!(none, Err(ShareError::Empty));
    let none = crate::vault::compact::verify_all(&[], &w.committee, &compact, &to, &cts, &mut w.rng);
    assert_eq!(none, Err(ShareError::Empty));
    for request in [&sealed, &compact] {
        let none = Request { ciphertexts: vec![], ..request.clone() };
        let made = answer(&w.shares[0], &w.committee, &none, &to, &[], &mut w.rng);
        assert_eq!(made, Err(RequestError::Count { found: 0 }.into()));
        let opened = plain(copy(&keys).open(&w.committee, &none, MEASUREMENT, &[], vec![]));
        assert_eq!(opened, Err(RequestError::Count { found: 0 }.into()));
    }
}

/// Answers that do not fit what they are checked against are the caller's mistake, and nobody's fault.
#[test]
fn n067_a_check_of_many_blames_nobody_for_an_answer_to_another_attempt() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Public, b"a"), w.encrypt(LabelKind::Public, b"b")];
    let (public, compact) = (w.request(Mode::Public, &cts), w.request(Mode::Compact, &cts));
    let ((_, to), (_, other)) = (attempt(&mut w), attempt(&mut w));
    let check = crate::vault::compact::verify_all::<ChaCha20Rng>;
    let World { shares, committee, rng, .. } = &mut w;
    let committee = &*committee;
    let mut made = |to| Partials::create(&shares[1], committee, &compact, to, &cts, rng).unwrap();
    let (here, there) = (made(&to), made(&other));
    let one = Partials::from_bytes(&here.to_bytes()[..64 + PARTIAL_LEN], 1).unwrap();
    for (identifier, partials, expected) in [
        (id(2), &here, Ok(())),
        (id(2), &there, Err(ShareError::Recipient { identifier: id(2) })),
        (id(2), &one, Err(ShareError::Count { expected: 2, found: 1 })),
        (id(9), &here, Err(ShareError::UnknownParticipant { identifier: id(9) })),
        (id(1), &here, Err(ShareError::Proof { identifier: id(1) })),
    ] {
        assert_eq!(partials.verify(identifier, committee, &compact, &to, &cts), expected);
        let many = [(id(2), here.clone()), (identifier, partials.clone())];
        assert_eq!(check(&many, committee, &compact, &to, &cts, rng), expected);
    }
    let all = Shares::create(&shares[1], committee, &public, &cts, rng).unwrap();
    let wire = all.to_bytes();
    let few = Shares::from_bytes(&[&wire[..32], &wire[64..]].concat(), 1).unwrap();
    for (identifier, shares, expected) in [
        (id(2), &few, Err(ShareError::Count { expected: 2, found: 1 })),
        (id(9), &all, Err(ShareError::UnknownParticipant { identifier: id(9) })),
        (id(1), &all, Err(ShareError::Proof { identifier: id(1) })),
    ] {
        let many = [(id(2), all.clone()), (identifier, shares.clone())];
        assert_eq!(verify_all(&many, committee, &public, None, &cts, rng), expected);
    }
}

/// Who sees the others' partials first can cancel their B without knowing a logarithm. Checked, it is named.
#[test]
fn a_liar_that_cancels_the_others_is_named_where_partials_are_checked() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Compact, &cts);
    let (keys, to) = attempt(&mut w);
    let mut envelopes = w.answers(&request, &to, &cts);
    let lambdas = crate::polynomial::lagrange_at_zero(&[id(1), id(2), id(3)]).unwrap();
    let b = |at: usize| point(&envelopes[at].unverified_payload()[B..B + 32]);
    let cancelling = -(b(0) * lambdas[0] + b(1) * lambdas[1]) * lambdas[2].invert();
    let mut payload = envelopes[2].unverified_payload().to_vec();
    payload[B..B + 32].copy_from_slice(cancelling.compress().as_bytes());
    envelopes[2] = w.envelope(2, &request, payload);
    let unseen = combine_unverified(&w.committee, &request, &to, &cts, &envelopes);
    assert_eq!(unseen, Err(CombineError::ZeroCombination { digest: cts[0].digest() }));
    let made = combine(&w.committee, &request, &to, &cts, &envelopes, &mut w.rng).unwrap();
    assert_eq!(made.culprits, vec![fault(3, CulpritReason::Proof)]);
    let opened = w.open_combined(keys, &request, &cts, &made.combined, unasked);
    assert_eq!(opened, Ok((vec![Some(b"a".to_vec())], vec![])));
}

#[test]
fn each_mode_answers_its_own_requests_only() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Public, b"a")];
    let (_, to) = attempt(&mut w);
    let digest = to.digest();
    let [public, sealed, compact] = [Mode::Public, Mode::Sealed, Mode::Compact].map(|mode| w.request(mode, &cts));
    let World { shares, committee, rng, .. } = &mut w;
    let (key, committee) = (&shares[0], &*committee);
    let mode = |expected, found| SealError::from(RequestError::Mode { expected, found });
    for (request, found) in [(&public, Mode::Public), (&sealed, Mode::Sealed)] {
        let made = Partials::create(key, committee, request, &to, &cts, rng);
        assert_eq!(made.err(), Some(mode(Mode::Compact, found)));
    }
    assert_eq!(seal(key, committee, &compact, &to, &cts, rng), Err(mode(Mode::Sealed, Mode::Compact)));
    let made = Shares::unsealed(key, committee, &compact, Some(&digest), &cts, rng);
    assert_eq!(made.err(), Some(RequestError::Mode { expected: Mode::Sealed, found: Mode::Compact }.into()));
    let made = answer(key, committee, &public, &to, &cts, rng);
    assert_eq!(made, Err(mode(Mode::Sealed, Mode::Public)));
}

#[test]
fn n065_partials_to_the_identity_are_refused() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Compact, &cts);
    let (_, to) = attempt(&mut w);
    let partials = Partials::create(&w.shares[0], &w.committee, &request, &to, &cts, &mut w.rng).unwrap();
    let identity = Recipient { e: RistrettoPoint::default(), ..to };
    let made = Partials::create(&w.shares[0], &w.committee, &request, &identity, &cts, &mut w.rng);
    assert_eq!(made.err(), Some(RequestError::RecipientKey.into()));
    let verdict = partials.verify(id(1), &w.committee, &request, &identity, &cts);
    assert_eq!(verdict, Err(RequestError::RecipientKey.into()));
    let combined = combine(&w.committee, &request, &identity, &cts, &[], &mut w.rng);
    assert_eq!(combined, Err(RequestError::RecipientKey.into()));
}

#[test]
fn n030_a_compact_request_names_no_more_than_one_envelope_holds() {
    let w = world(4);
    let digests = |m: usize| (0..m).map(|j| [j.to_be_bytes(); 4].concat().try_into().unwrap()).collect();
    let request = Request { ciphertexts: digests(MAX_COMPACT), ..w.request(Mode::Compact, &[]) };
    assert_eq!(request.check(), Ok(()));
    const { assert!(64 + MAX_COMPACT * PARTIAL_LEN <= crate::envelope::MAX_PAYLOAD) };
    let more = Request { ciphertexts: digests(MAX_COMPACT + 1), ..request };
    assert_eq!(more.check(), Err(RequestError::CompactCount { found: MAX_COMPACT + 1 }));
    assert_eq!(Request { mode: Mode::Sealed, ..more }.check(), Ok(()));
}

#[test]
fn n042_partials_under_another_index_are_refused() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Compact, &cts);
    let (_, to) = attempt(&mut w);
    let partials = Partials::create(&w.shares[0], &w.committee, &request, &to, &cts, &mut w.rng).unwrap();
    assert_eq!(partials.verify(id(1), &w.committee, &request, &to, &cts), Ok(()));
    let verdict = partials.verify(id(2), &w.committee, &request, &to, &cts);
    assert_eq!(verdict, Err(ShareError::Proof { identifier: id(2) }));
    let verdict = partials.verify(id(5), &w.committee, &request, &to, &cts);
    assert_eq!(verdict, Err(ShareError::UnknownParticipant { identifier: id(5) }));
}

/// The same request under a second pair of enclave keys: answers to the first are no use to the second, and no fault.
#[test]
fn n047_n067_partials_for_another_attempt_do_not_open_and_blame_nobody() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Compact, &cts);
    let (_, first) = attempt(&mut w);
    let (keys, second) = attempt(&mut w);
    let answers = w.answers(&request, &first, &cts);
    let combined = combine(&w.committee, &request, &second, &cts, &answers, &mut w.rng);
    assert_eq!(combined, Err(too_few(0)));
    assert_eq!(w.open(copy(&keys), &request, &cts, answers.clone()), Err(too_few(0)));
    let made = combine(&w.committee, &request, &first, &cts, &answers, &mut w.rng).unwrap().combined;
    assert_eq!(w.open_combined(copy(&keys), &request, &cts, &made, || answers.clone()), Err(too_few(0)));
    let partials = Partials::create(&w.shares[0], &w.committee, &request, &first, &cts, &mut w.rng).unwrap();
    let verdict = partials.verify(id(1), &w.committee, &request, &second, &cts);
    assert_eq!(verdict, Err(ShareError::Recipient { identifier: id(1) }));

    let mut both = answers;
    both.extend(w.answers(&request, &second, &cts));
    assert_eq!(w.open(keys, &request, &cts, both), Ok((vec![b"a".to_vec()], vec![])));
}

/// Two requests for the same enclave keys: a pair mixed from both opens neither ciphertext.
#[test]
fn n068_partials_of_different_requests_do_not_combine() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Compact, &cts);
    let other = Request { id: [9; 32], ..request.clone() };
    let (keys, to) = attempt(&mut w);
    let mut answers = w.answers(&request, &to, &cts);
    let foreign = w.answer(2, &other, &to, &cts);
    assert_eq!(combine(&w.committee, &request, &to, &cts, std::slice::from_ref(&foreign), &mut w.rng), Err(too_few(0)));

    let signed = w.envelope(2, &request, foreign.unverified_payload().to_vec());
    let mixed = vec![answers[0].clone(), answers[1].clone(), signed];
    let culprits = vec![fault(3, CulpritReason::Proof)];
    let expected = CombineError::NotEnoughShares { need: 3, have: 2, culprits: culprits.clone() };
    assert_eq!(combine(&w.committee, &request, &to, &cts, &mixed, &mut w.rng), Err(expected));
    answers.extend(mixed);
    let made = combine(&w.committee, &request, &to, &cts, &answers, &mut w.rng).unwrap();
    assert_eq!(made.culprits, culprits);

    let next = [w.encrypt(LabelKind::Recipient, b"b")];
    let second = w.request(Mode::Compact, &next);
    let third = w.answer(2, &second, &to, &next).unverified_payload().to_vec();
    let mixed = vec![answers[0].clone(), answers[1].clone(), w.envelope(2, &request, third)];
    let pair = combine_unverified(&w.committee, &request, &to, &cts, &mixed).unwrap();
    assert_eq!(w.open_combined(copy(&keys), &request, &cts, &pair, Vec::new), Err(too_few(0)));
    let message = vec![Some(b"a".to_vec())];
    let envelopes = [mixed, vec![answers[3].clone()]].concat();
    assert_eq!(w.open_combined(keys, &request, &cts, &pair, || envelopes), Ok((message, culprits)));
}

/// Whatever a combiner does, it cannot make a ciphertext seem invalid and cannot have a participant blamed.
#[test]
fn n070_a_lying_combiner_changes_nothing() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a"), w.encrypt(LabelKind::Recipient, b"b")];
    let request = w.request(Mode::Compact, &cts);
    let (keys, to) = attempt(&mut w);
    let answers = w.answers(&request, &to, &cts);
    let good = combine(&w.committee, &request, &to, &cts, &answers, &mut w.rng).unwrap().combined.to_bytes();
    let shift = RistrettoPoint::mul_base(&Scalar::from(5u8));
    let mut swapped = good.clone();
    swapped.rotate_left(64);
    let shifted: Vec<_> = (0..4).map(|k| moved(&good, 32 * k, &shift)).collect();
    let short = good[..64].to_vec();
    let long = [good.as_slice(), &good[..64]].concat();
    for (bad, m) in shifted.into_iter().chain([swapped]).map(|bad| (bad, 2)).chain([(short, 1), (long, 3)]) {
        let bad = Combined::from_bytes(&bad, m).unwrap();
        assert_eq!(w.open_combined(copy(&keys), &request, &cts, &bad, Vec::new), Err(too_few(0)));
        let opened = w.open_combined(copy(&keys), &request, &cts, &bad, || answers.clone());
        assert_eq!(opened, Ok((vec![Some(b"a".to_vec()), Some(b"b".to_vec())], vec![])));
    }
}

/// (A + zE, B + zG) is the same K encrypted again: harmless, and what malleability comes to.
#[test]
fn a_pair_that_is_encrypted_again_opens_to_the_same_message() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Compact, &cts);
    let (keys, to) = attempt(&mut w);
    let answers = w.answers(&request, &to, &cts);
    let good = combine(&w.committee, &request, &to, &cts, &answers, &mut w.rng).unwrap().combined.to_bytes();
    let z = Scalar::from(77u8);
    let again = moved(&moved(&good, 0, &(to.e * z)), 32, &RistrettoPoint::mul_base(&z));
    assert_ne!(again, good);
    let again = Combined::from_bytes(&again, 1).unwrap();
    assert_eq!(w.open_combined(keys, &request, &cts, &again, unasked), Ok((vec![Some(b"a".to_vec())], vec![])));
}

/// A partial is no better tweaked than a pair: its proof covers A and B.
#[test]
fn n071_a_partial_that_is_encrypted_again_is_refused() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Compact, &cts);
    let (_, to) = attempt(&mut w);
    let good = w.answer(0, &request, &to, &cts).unverified_payload().to_vec();
    let z = Scalar::from(77u8);
    let again = moved(&moved(&good, A, &(to.e * z)), B, &RistrettoPoint::mul_base(&z));
    let verdict = Partials::from_bytes(&again, 1).unwrap().verify(id(1), &w.committee, &request, &to, &cts);
    assert_eq!(verdict, Err(ShareError::Proof { identifier: id(1) }));
}

#[test]
fn an_author_that_commits_to_another_key_is_named_from_the_partials_alone() {
    let mut w = world(4);
    let master = *w.committee.master_public_key();
    let bad = crate::ciphertext::with_wrong_commitment(&master, &label(LabelKind::Recipient), b"a", &mut w.rng);
    let cts = [w.encrypt(LabelKind::Recipient, b"good"), bad.verify(&master).unwrap()];
    let request = w.request(Mode::Compact, &cts);
    let (keys, to) = attempt(&mut w);
    let answers = w.answers(&request, &to, &cts);
    let made = combine(&w.committee, &request, &to, &cts, &answers, &mut w.rng).unwrap();
    assert_eq!(made.culprits, vec![], "the combiner cannot see it");
    let alone = w.open_combined(copy(&keys), &request, &cts, &made.combined, Vec::new);
    assert_eq!(alone, Err(too_few(0)), "the pair blames nobody");
    let both = w.open_combined(copy(&keys), &request, &cts, &made.combined, || answers.clone());
    assert_eq!(both, Ok((vec![Some(b"good".to_vec()), None], vec![])));
    let expected = CombineError::InvalidCiphertext { digest: cts[1].digest(), culprits: vec![] };
    assert_eq!(w.open(keys, &request, &cts, answers), Err(expected));
}

/// A label names its request, not its ciphertext: what a request opens is named by digest.
#[test]
fn n048_a_ciphertext_under_a_copied_label_is_not_the_one_named() {
    let mut w = world(4);
    let (victim, copied) = ([w.encrypt(LabelKind::Recipient, b"a")], [w.encrypt(LabelKind::Recipient, b"b")]);
    assert_eq!(victim[0].label(), copied[0].label());
    let (_, to) = attempt(&mut w);
    for mode in [Mode::Sealed, Mode::Compact] {
        let request = w.request(mode, &victim);
        let made = answer(&w.shares[0], &w.committee, &request, &to, &copied, &mut w.rng);
        assert_eq!(made, Err(RequestError::Ciphertext { index: 0 }.into()));
    }
}

/// The first 32 bytes of each field of the first partial, which two partials must never share.
fn fields(payload: &[u8]) -> Vec<&[u8]> {
    payload[A..A + PARTIAL_LEN].chunks(32).collect()
}

/// Machines restored from one snapshot draw the same bytes. Were ρ one and the same for two ciphertexts,
/// A_1 − A_2 = D_1 − D_2 would be public; were it a nonce, x.
#[test]
fn n075_a_clone_with_repeated_randomness_repeats_neither_rho_nor_nonces() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a"), w.encrypt(LabelKind::Recipient, b"b")];
    let both = w.request(Mode::Compact, &cts);
    let first = w.request(Mode::Compact, &cts[..1]);
    let other = Request { id: [9; 32], ..first.clone() };
    let (_, to) = attempt(&mut w);
    let (_, elsewhere) = attempt(&mut w);
    let made = |at: usize, request: &Request, to: &Recipient, cts: &[VerifiedCiphertext]| {
        let mut rng = Replay((0..64).collect());
        Partials::create(&w.shares[at], &w.committee, request, to, cts, &mut rng).unwrap().to_bytes()
    };
    let two = made(0, &both, &to, &cts);
    let second_of_two = [&two[..A], &two[A + PARTIAL_LEN..]].concat();
    let all = [
        made(0, &first, &to, &cts[..1]),
        made(0, &other, &to, &cts[..1]),
        made(0, &first, &elsewhere, &cts[..1]),
        made(1, &first, &to, &cts[..1]),
        two,
        second_of_two,
    ];
    assert_eq!(all[0], made(0, &first, &to, &cts[..1]), "the same answer twice is the same bytes");
    for (k, one) in all.iter().enumerate() {
        for other in &all[k + 1..] {
            assert!(fields(one).iter().zip(fields(other)).all(|(one, other)| *one != other));
        }
    }
}

/// As above for shares, and for the ephemeral key under which they are sealed.
#[test]
fn n075_a_clone_with_repeated_randomness_repeats_no_nonce_of_shares_and_seals() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Sealed, &cts);
    let other = Request { id: [9; 32], ..request.clone() };
    let (_, to) = attempt(&mut w);
    let (_, elsewhere) = attempt(&mut w);
    let shares = |request: &Request, to: &Recipient| {
        let mut rng = Replay((0..64).collect());
        let digest = to.digest();
        Shares::unsealed(&w.shares[0], &w.committee, request, Some(&digest), &cts, &mut rng).unwrap().to_bytes()
    };
    let all = [shares(&request, &to), shares(&other, &to), shares(&request, &elsewhere)];
    let sealed = |request: &Request, to: &Recipient| {
        let mut rng = Replay((0..128).collect());
        seal(&w.shares[0], &w.committee, request, to, &cts, &mut rng).unwrap().to_bytes()
    };
    let seals = [sealed(&request, &to), sealed(&other, &to), sealed(&request, &elsewhere)];
    for (k, j) in [(0, 1), (0, 2), (1, 2)] {
        assert!((32..128).step_by(32).all(|at| all[k][at..at + 32] != all[j][at..at + 32]));
        assert_ne!(seals[k][..32], seals[j][..32]);
    }
}

/// Fewer than t of them together, and the combiner, hold nothing that opens: what they combine is not K, nor is
/// anything of it without the enclave's secret.
#[test]
fn n072_the_combiner_and_too_few_participants_see_no_key() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Compact, &cts);
    let (keys, to) = attempt(&mut w);
    let answers = w.answers(&request, &to, &cts);
    let made = combine(&w.committee, &request, &to, &cts, &answers, &mut w.rng).unwrap().combined;
    let (a, b) = (point(&made.to_bytes()[..32]), point(&made.to_bytes()[32..]));
    let mut seen = vec![a, b, a + b, a - b];
    for envelope in &answers {
        let payload = envelope.unverified_payload();
        seen.extend(payload[A..A + 160].chunks(32).map(point));
    }
    let shares = &w.shares[..2];
    seen.extend(shares.iter().map(|share| cts[0].u().point() * share.secret().expose()));
    assert!(seen.iter().all(|k| cts[0].open(k).is_err()));
    assert_eq!(w.open_combined(keys, &request, &cts, &made, unasked), Ok((vec![Some(b"a".to_vec())], vec![])));
}
