//! What no ciphertext may be, and what each has to be.

use super::*;

#[test]
fn n038_messages_of_every_length_round_trip_and_one_above_the_maximum_is_refused() {
    let mut w = world(4);
    for length in [0, 1, 60, 61, 252, 253, 65_532, 65_533, 65_536] {
        for kind in [LabelKind::Public, LabelKind::Recipient] {
            let message: Vec<u8> = (0..251).cycle().take(length).collect();
            let cts = [w.encrypt(kind, &message)];
            let request = w.request(Mode::Sealed, &cts);
            let (keys, to) = attempt(&mut w);
            let envelopes = (0..3).map(|at| w.sealed(at, &request, &to, &cts)).collect();
            assert_eq!(w.open(keys, &request, &cts, envelopes).unwrap(), (vec![message], vec![]));
        }
    }
    let master = *w.committee.master_public_key();
    let long = vec![0; MAX_MESSAGE + 1];
    let made = Ciphertext::encrypt(&master, &label(LabelKind::Public), &long, &mut w.rng);
    assert_eq!(made, Err(EncryptError::TooLong { found: MAX_MESSAGE + 1 }));
    assert!(Ciphertext::encrypt(&master, &label(LabelKind::Public), &long[1..], &mut w.rng).is_ok());
    let made = Ciphertext::encrypt(&master, &label(LabelKind::TableKey), &[0; 31], &mut w.rng);
    assert_eq!(made, Err(EncryptError::TableKeyLength { found: 31 }));
}

#[test]
fn n029_truncated_and_extended_ciphertexts_are_refused() {
    let mut w = world(4);
    let wire = w.encrypt(LabelKind::Recipient, b"abc").ciphertext().to_bytes();
    for n in 0..wire.len() {
        assert!(Ciphertext::from_bytes(&wire[..n]).is_err(), "{n}");
    }
    for extra in [1, 64] {
        let long = [wire.as_slice(), &vec![0; extra]].concat();
        let found = wire.len() - 297 + extra;
        assert_eq!(Ciphertext::from_bytes(&long), Err(CiphertextError::BodyLength { found }));
    }
}

#[test]
fn n026_a_ciphertext_with_any_byte_altered_is_refused() {
    let mut w = world(4);
    let master = *w.committee.master_public_key();
    let wire = w.encrypt(LabelKind::Public, b"abc").ciphertext().to_bytes();
    for at in 0..wire.len() {
        let mut bad = wire.clone();
        bad[at] ^= 1;
        assert!(Ciphertext::from_bytes(&bad).and_then(|c| c.verify(&master)).is_err(), "{at}");
    }
}

#[test]
fn n039_a_ciphertext_to_another_master_key_is_refused() {
    let (mut w, other) = (world(4), world_with(&[1, 2, 3, 4], 1, 2));
    let ciphertext = w.encrypt(LabelKind::Recipient, b"abc");
    let verified = ciphertext.ciphertext().clone().verify(other.committee.master_public_key());
    assert_eq!(verified, Err(CiphertextError::Proof));
    let request =
        Request { committee: other.committee.digest(), ..w.request(Mode::Sealed, std::slice::from_ref(&ciphertext)) };
    let (_, to) = attempt(&mut w);
    let sealed = seal(&other.shares[0], &other.committee, &request, &to, &[ciphertext], &mut w.rng);
    let expected = SealError::Share(ShareError::Request(RequestError::MasterKey { index: 0 }));
    assert_eq!(sealed, Err(expected));
}

#[test]
fn n040_the_same_message_twice_gives_different_bytes_of_one_size() {
    let mut w = world(4);
    let one = w.encrypt(LabelKind::Recipient, b"1").ciphertext().to_bytes();
    let two = w.encrypt(LabelKind::Recipient, b"1").ciphertext().to_bytes();
    let large = w.encrypt(LabelKind::Recipient, u128::MAX.to_string().as_bytes()).ciphertext().to_bytes();
    assert_ne!(one, two);
    assert_eq!(one.len(), large.len());
}

#[test]
fn n027_a_body_under_another_head_is_refused() {
    let mut w = world(4);
    let master = *w.committee.master_public_key();
    let one = w.encrypt(LabelKind::Recipient, b"one").ciphertext().to_bytes();
    let mut two = w.encrypt(LabelKind::Recipient, b"two").ciphertext().to_bytes();
    let body = 8 + 129 + 96..two.len() - 64;
    two[body.clone()].copy_from_slice(&one[body]);
    let verdict = Ciphertext::from_bytes(&two).unwrap().verify(&master);
    assert_eq!(verdict, Err(CiphertextError::Proof));
}

#[test]
fn n028_every_field_of_the_label_is_under_the_proof() {
    let mut w = world(4);
    let master = *w.committee.master_public_key();
    let good = label(LabelKind::Recipient);
    let wire = w.encrypt(LabelKind::Recipient, b"a").ciphertext().to_bytes();
    let altered = [
        Label { kind: LabelKind::Public, ..good.clone() },
        Label { chain: 1, ..good.clone() },
        Label { contract: [0; 20], ..good.clone() },
        Label { id: [0; 32], ..good.clone() },
        Label { version: 2, ..good.clone() },
        Label { requester: [0; 20], ..good.clone() },
        Label { expiry: 1, ..good.clone() },
        Label { context: [1; 32], ..good },
    ];
    for label in altered {
        let mut bad = wire.clone();
        bad[8..8 + 129].copy_from_slice(&label.to_bytes());
        let verdict = Ciphertext::from_bytes(&bad).unwrap().verify(&master);
        assert_eq!(verdict, Err(CiphertextError::Proof), "{label:?}");
    }
}
