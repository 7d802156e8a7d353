//! A thousand orders in one request.

use super::*;
use crate::vault::compact::{Combined, PARTIAL_LEN, combine};

const ORDERS: u16 = 1000;

/// Three of five, and a thousand ciphertexts.
fn thousand() -> (World, Vec<VerifiedCiphertext>, Vec<Vec<u8>>) {
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    let keys: Vec<_> = (0..5).map(|_| ParticipantKeys::generate(&mut rng).unwrap()).collect();
    let members = (1..=5).zip(&keys).map(|(i, k)| k.public(id(i))).collect();
    let roster = Roster::new(Epoch(1), Threshold::new(3, 5).unwrap(), members).unwrap();
    let (committee, shares) = dealer::deal(&roster, &mut rng).unwrap();
    let mut w = World { rng, keys, committee, shares };
    let messages: Vec<_> = (0..ORDERS).map(|j| format!("order {j}").into_bytes()).collect();
    let cts = messages.iter().map(|message| w.encrypt(LabelKind::Recipient, message)).collect();
    (w, cts, messages)
}

#[test]
fn a_thousand_orders_open_in_both_modes() {
    let (mut w, cts, messages) = thousand();
    let m = cts.len();
    for (mode, length) in [(Mode::Sealed, 32 + 16 + 32 * m + 96), (Mode::Compact, 64 + PARTIAL_LEN * m)] {
        let request = w.request(mode, &cts);
        let (keys, to) = attempt(&mut w);
        let mut envelopes: Vec<_> = (0..3).map(|at| w.answer(at, &request, &to, &cts)).collect();
        assert!(envelopes.iter().all(|envelope| envelope.unverified_payload().len() == length));
        let copy = AttemptKeys::from_bytes(&keys.to_bytes()).unwrap();
        assert_eq!(w.open(copy, &request, &cts, envelopes.clone()), Ok((messages.clone(), vec![])));
        if mode == Mode::Compact {
            let mut wrong = envelopes[0].unverified_payload().to_vec();
            let last = wrong.len() - PARTIAL_LEN;
            let (from, to_) = (64..64 + 32, last..last + 32);
            wrong.copy_within(from, to_.start);
            assert_ne!(wrong[to_], envelopes[0].unverified_payload()[last..last + 32]);
            envelopes.insert(0, w.envelope(3, &request, wrong));
            let made = combine(&w.committee, &request, &to, &cts, &envelopes, &mut w.rng).unwrap();
            assert_eq!(made.culprits, vec![fault(4, CulpritReason::Proof)]);
            let combined = Combined::from_bytes(&made.combined.to_bytes(), m).unwrap();
            let opened = keys.open_combined(&w.committee, &request, MEASUREMENT, &cts, &combined, Vec::new).unwrap();
            let opened: Vec<_> = opened.every(&cts).unwrap().iter().map(|p| p.to_vec()).collect();
            assert_eq!(opened, messages);
        }
    }
}

/// One wrong share among a thousand is under the composite proof like any other.
#[test]
fn n057_one_wrong_share_in_a_thousand_is_found_and_its_sender_named() {
    let (mut w, cts, messages) = thousand();
    let request = w.request(Mode::Sealed, &cts);
    let (keys, to) = attempt(&mut w);
    let digest = to.digest();
    let World { shares, committee, rng, .. } = &mut w;
    let mut wire = Shares::unsealed(&shares[0], committee, &request, Some(&digest), &cts, rng).unwrap().to_bytes();
    wire.copy_within(0..32, 999 * 32);
    let mut envelopes = vec![w.seal_raw(0, &wire, &request, &to, &cts)];
    envelopes.extend((1..4).map(|at| w.answer(at, &request, &to, &cts)));
    let opened = w.open(keys, &request, &cts, envelopes);
    assert_eq!(opened, Ok((messages, vec![fault(1, CulpritReason::Proof)])));
}
