//! What a coordinator sees that carries the sealed shares, and that has F participants on its side.

#![allow(missing_docs, reason = "a test crate exports nothing")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure fails the test")]

use ccc_core::ciphertext::{Ciphertext, Label, LabelKind, VerifiedCiphertext};
use ccc_core::enclave::AttemptKeys;
use ccc_core::encoding::Kind;
use ccc_core::envelope::Envelope;
use ccc_core::epoch::Epoch;
use ccc_core::identifier::Identifier;
use ccc_core::keys::{Committee, KeyShare, ParticipantKeys, Roster, dealer};
use ccc_core::threshold::Threshold;
use ccc_core::vault::{CombineError, Mode, Recipient, Request, sealed::seal};
use curve25519_dalek::{Scalar, ristretto::CompressedRistretto};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::ops::Range;

const MEASUREMENT: [u8; 32] = [7; 32];
/// U of an encoded ciphertext, after header and label.
const U: Range<usize> = 137..169;
/// x_i of an encoded key share, its last field.
const SECRET: Range<usize> = 82..114;
/// F = 2, t = 5.
const N: u16 = 7;

struct View {
    rng: ChaCha20Rng,
    committee: Committee,
    keys: Vec<ParticipantKeys>,
    shares: Vec<KeyShare>,
    ciphertexts: [VerifiedCiphertext; 1],
    request: Request,
}

fn view() -> View {
    let mut rng = ChaCha20Rng::seed_from_u64(72);
    let keys: Vec<_> = (0..N).map(|_| ParticipantKeys::generate(&mut rng).unwrap()).collect();
    let members = (1..).zip(&keys).map(|(i, keys)| keys.public(Identifier::new(i).unwrap())).collect();
    let roster = Roster::new(Epoch(1), Threshold::default_for(N).unwrap(), members).unwrap();
    let (committee, shares) = dealer::deal(&roster, &mut rng).unwrap();
    let (kind, master) = (LabelKind::Recipient, *committee.master_public_key());
    let (chain, contract, id, requester) = (1, [1; 20], [2; 32], [3; 20]);
    let label = Label { kind, chain, contract, id, version: 1, requester, expiry: 9, context: [0; 32] };
    let ciphertext = Ciphertext::encrypt(&master, &label, b"an order", &mut rng).unwrap().verify(&master).unwrap();
    let request = Request {
        chain,
        contract,
        id,
        table_header: None,
        block_hash: [4; 32],
        deadline: 8,
        mode: Mode::Sealed,
        epoch: committee.epoch(),
        committee: committee.digest(),
        ciphertexts: vec![ciphertext.digest()],
    };
    View { rng, committee, keys, shares, ciphertexts: [ciphertext], request }
}

impl View {
    fn envelopes(&mut self, recipient: &Recipient) -> Vec<Envelope> {
        let Self { rng, committee, keys, shares, ciphertexts, request } = self;
        let answer = |(keys, share): (&ParticipantKeys, &KeyShare)| {
            let payload = seal(share, committee, request, recipient, ciphertexts, rng).unwrap().to_bytes();
            let (i, topic) = (share.identifier(), request.digest());
            Envelope::sign(keys, &committee.digest(), committee.epoch(), i, &topic, Kind::Sealed, payload).unwrap()
        };
        keys.iter().zip(&*shares).map(answer).collect()
    }
}

/// Everybody answers, and the coordinator carries it all: none of it opens with keys of its own, and no share is legible.
#[test]
fn n072_a_coordinator_opens_none_of_the_shares_that_it_carries() {
    let mut view = view();
    let enclave = AttemptKeys::generate(&mut view.rng).unwrap();
    let recipient = enclave.recipient(MEASUREMENT);
    let envelopes = view.envelopes(&recipient);
    let own = AttemptKeys::generate(&mut view.rng).unwrap();
    let refused = own.open(&view.committee, &view.request, MEASUREMENT, &view.ciphertexts, envelopes.clone());
    assert!(matches!(refused, Err(CombineError::NotEnoughShares { need: 5, have: 0, .. })));

    let u = CompressedRistretto::from_slice(&view.ciphertexts[0].ciphertext().to_bytes()[U]).unwrap();
    let u = u.decompress().unwrap();
    for (envelope, share) in envelopes.iter().zip(&view.shares) {
        let bytes = share.to_bytes();
        let x = Scalar::from_canonical_bytes(bytes[SECRET].try_into().unwrap()).unwrap();
        let (d, wire) = ((u * x).compress().to_bytes(), envelope.to_bytes());
        let legible = wire.windows(32).any(|window| window == d);
        assert!(!legible, "the share of participant {} is legible", share.identifier());
    }
    let opened = enclave.open(&view.committee, &view.request, MEASUREMENT, &view.ciphertexts, envelopes).unwrap();
    assert_eq!(opened.every(&view.ciphertexts).unwrap()[0].as_slice(), b"an order");
}

/// The answers of F participants open nothing, not even with the enclave's keys.
#[test]
fn n072_f_participants_open_nothing() {
    let mut view = view();
    let enclave = AttemptKeys::generate(&mut view.rng).unwrap();
    let envelopes = view.envelopes(&enclave.recipient(MEASUREMENT));
    let f = usize::from(view.committee.threshold().max_faulty());
    let refused = enclave.open(&view.committee, &view.request, MEASUREMENT, &view.ciphertexts, envelopes[..f].to_vec());
    assert!(matches!(refused, Err(CombineError::NotEnoughShares { need: 5, have: 2, .. })));
}
