//! What holds for every committee, every set of participants and every order.

use super::*;
use crate::vault::compact::{self, Partials, combine};
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::traits::Identity;
use curve25519_dalek::{RistrettoPoint, Scalar};
use proptest::prelude::*;
use rand::seq::SliceRandom;
use std::collections::BTreeSet;

/// Any identifiers, and a seed.
fn numbers() -> impl Strategy<Value = (BTreeSet<u16>, u64)> {
    (proptest::collection::btree_set(1u16.., 4..9), any::<u64>())
}

/// Their committee, and its members in any order.
fn shuffled((numbers, seed): (BTreeSet<u16>, u64)) -> (World, Vec<usize>) {
    let w = world_with(&numbers.into_iter().collect::<Vec<_>>(), 1, seed);
    let mut order: Vec<_> = (0..w.shares.len()).collect();
    order.shuffle(&mut ChaCha20Rng::seed_from_u64(seed));
    (w, order)
}

fn t(w: &World) -> usize {
    usize::from(w.committee.threshold().t())
}

fn point(bytes: &[u8]) -> RistrettoPoint {
    CompressedRistretto::from_slice(bytes).unwrap().decompress().unwrap()
}

/// λ_i at zero by its definition.
fn lambda(i: Identifier, all: &[Identifier]) -> Scalar {
    let others = all.iter().filter(|&&j| j != i);
    others.map(|j| j.to_scalar() * (j.to_scalar() - i.to_scalar()).invert()).product()
}

/// Σ λ_i·D_i, term by term.
fn interpolate(parts: &[(Identifier, RistrettoPoint)]) -> RistrettoPoint {
    let all: Vec<_> = parts.iter().map(|(i, _)| *i).collect();
    parts.iter().fold(RistrettoPoint::identity(), |sum, (i, d)| sum + d * lambda(*i, &all))
}

/// K from plain shares by the slow way.
fn slow_plain(shares: &[(Identifier, Shares)]) -> RistrettoPoint {
    interpolate(&shares.iter().map(|(i, s)| (*i, *s.point(0).unwrap())).collect::<Vec<_>>())
}

/// K from partials by the slow way: each is decrypted by itself.
fn slow_compact(partials: &[(Identifier, Partials)], keys: &AttemptKeys) -> RistrettoPoint {
    let secret = Scalar::from_canonical_bytes(keys.to_bytes()[40..72].try_into().unwrap()).unwrap();
    let share = |bytes: &[u8]| point(&bytes[64..96]) - point(&bytes[96..128]) * secret;
    interpolate(&partials.iter().map(|(i, p)| (*i, share(&p.to_bytes()))).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_threshold_opens_in_every_mode_and_one_fewer_in_none(numbers in numbers(), text in any::<[u8; 9]>()) {
        let (mut w, order) = shuffled(numbers);
        let need = t(&w);
        let cts = [w.encrypt(LabelKind::Public, &text)];
        for mode in [Mode::Sealed, Mode::Compact] {
            let request = w.request(mode, &cts);
            let (keys, to) = attempt(&mut w);
            let mut envelopes: Vec<_> = order[..need].iter().map(|&at| w.answer(at, &request, &to, &cts)).collect();
            let copy = AttemptKeys::from_bytes(&keys.to_bytes()).unwrap();
            prop_assert_eq!(w.open(copy, &request, &cts, envelopes.clone()), Ok((vec![text.to_vec()], vec![])));
            envelopes.pop();
            let expected = CombineError::NotEnoughShares { need, have: need - 1, culprits: vec![] };
            prop_assert_eq!(w.open(keys, &request, &cts, envelopes), Err(expected));
        }
        let request = w.request(Mode::Public, &cts);
        let all = w.public_shares(&request, &cts);
        let mut chosen: Vec<_> = order[..need].iter().map(|&at| all[at].clone()).collect();
        let opened = combine_public(&w.committee, &request, &cts, chosen.clone(), &mut w.rng).unwrap();
        prop_assert_eq!(opened.every(&cts).unwrap()[0].to_vec(), text.to_vec());
        chosen.pop();
        let expected = CombineError::NotEnoughShares { need, have: need - 1, culprits: vec![] };
        let opened = combine_public(&w.committee, &request, &cts, chosen, &mut w.rng).err();
        prop_assert_eq!(opened, Some(expected));
    }

    /// What the interface tells fewer than t participants of two messages of one length: how long the answers and the
    /// ciphertext are, how the opening fails, and whom it names. That the bytes of the answers say nothing either is the
    /// scheme's argument, in `docs/spec/encryption.md`; no comparison of bytes shows it, since every proof and seal binds
    /// the ciphertext.
    #[test]
    fn n055_one_fewer_than_the_threshold_gets_answers_of_the_same_length_and_the_same_error_for_any_message(numbers in numbers()) {
        let (mut w, order) = shuffled(numbers);
        let fewer = t(&w) - 1;
        let mut seen = Vec::new();
        for message in [b"buy ", b"sell"] {
            let cts = [w.encrypt(LabelKind::Recipient, message)];
            for mode in [Mode::Sealed, Mode::Compact] {
                let request = w.request(mode, &cts);
                let (keys, to) = attempt(&mut w);
                let envelopes: Vec<_> = order[..fewer].iter().map(|&at| w.answer(at, &request, &to, &cts)).collect();
                let sizes: Vec<_> = envelopes.iter().map(|envelope| envelope.to_bytes().len()).collect();
                seen.push((mode, sizes, cts[0].ciphertext().to_bytes().len(), w.open(keys, &request, &cts, envelopes)));
            }
        }
        prop_assert_eq!(&seen[..2], &seen[2..]);
    }

    #[test]
    fn compact_sealed_and_plain_agree_and_fast_combining_is_slow_combining(numbers in numbers()) {
        let (mut w, order) = shuffled(numbers);
        let need = t(&w);
        let cts = [w.encrypt(LabelKind::Public, b"message")];
        let chosen = &order[..need];
        let (public, compact) = (w.request(Mode::Public, &cts), w.request(Mode::Compact, &cts));
        let (keys, to) = attempt(&mut w);
        let all = w.public_shares(&public, &cts);
        let shares: Vec<_> = chosen.iter().map(|&at| all[at].clone()).collect();
        let envelopes: Vec<_> = chosen.iter().map(|&at| w.answer(at, &compact, &to, &cts)).collect();
        let read = |e: &Envelope| (e.identifier(), Partials::from_bytes(e.unverified_payload(), 1).unwrap());
        let partials: Vec<_> = envelopes.iter().map(read).collect();
        let k = slow_plain(&shares);
        prop_assert_eq!(slow_compact(&partials, &keys), k);
        prop_assert_eq!(cts[0].open(&k).unwrap().to_vec(), b"message".to_vec());
        let made = combine(&w.committee, &compact, &to, &cts, &envelopes, &mut w.rng).unwrap().combined.to_bytes();
        let secret = Scalar::from_canonical_bytes(keys.to_bytes()[40..72].try_into().unwrap()).unwrap();
        prop_assert_eq!(point(&made[..32]) - point(&made[32..]) * secret, k);
    }

    #[test]
    fn n064_a_batch_says_what_each_says_alone(numbers in numbers(), bad in any::<u8>(), byte in 0usize..32, m in 1usize..3) {
        let (mut w, order) = shuffled(numbers);
        let cts: Vec<_> = (0..m).map(|_| w.encrypt(LabelKind::Public, b"a")).collect();
        let (public, compact) = (w.request(Mode::Public, &cts), w.request(Mode::Compact, &cts));
        let (_, to) = attempt(&mut w);
        let wrong: Vec<_> = order.iter().map(|at| bad >> at & 1 == 1).collect();
        let bend = |mut wire: Vec<u8>, wrong: bool| {
            let z = wire.len() - 32;
            // z is canonical still: its highest byte stays
            wire[z + byte % 31] ^= u8::from(wrong);
            wire
        };
        let all = w.public_shares(&public, &cts);
        let shares: Vec<_> = order.iter().zip(&wrong)
            .map(|(&at, &wrong)| (all[at].0, Shares::from_bytes(&bend(all[at].1.to_bytes(), wrong), m).unwrap()))
            .collect();
        let partials: Vec<_> = order.iter().zip(&wrong)
            .map(|(&at, &wrong)| {
                let made = Partials::create(&w.shares[at], &w.committee, &compact, &to, &cts, &mut w.rng).unwrap();
                (w.shares[at].identifier(), Partials::from_bytes(&bend(made.to_bytes(), wrong), m).unwrap())
            })
            .collect();
        let first = wrong.iter().position(|wrong| *wrong);
        let expected = first.map_or(Ok(()), |k| Err(ShareError::Proof { identifier: shares[k].0 }));
        let batch = verify_all(&shares, &w.committee, &public, None, &cts, &mut w.rng);
        prop_assert_eq!(batch, expected.clone());
        let batch = compact::verify_all(&partials, &w.committee, &compact, &to, &cts, &mut w.rng);
        prop_assert_eq!(batch, expected);
        for ((shares, partials), wrong) in shares.iter().zip(&partials).zip(&wrong) {
            let identifier = shares.0;
            let alone = if *wrong { Err(ShareError::Proof { identifier }) } else { Ok(()) };
            prop_assert_eq!(shares.1.verify(identifier, &w.committee, &public, None, &cts), alone.clone());
            prop_assert_eq!(partials.1.verify(identifier, &w.committee, &compact, &to, &cts), alone);
        }
    }
}
