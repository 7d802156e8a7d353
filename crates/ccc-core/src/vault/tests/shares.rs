//! Shares that are not made, or do not count.

use super::*;

#[test]
fn n041_shares_of_another_ciphertext_epoch_or_committee_are_refused() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Public, b"a")];
    let others = [w.encrypt(LabelKind::Public, b"b")];
    let (request, other_request) = (w.request(Mode::Public, &cts), w.request(Mode::Public, &others));
    let (identifier, shares) = w.public_shares(&request, &cts).remove(0);
    assert_eq!(shares.verify(identifier, &w.committee, &request, None, &cts), Ok(()));
    let verdict = shares.verify(identifier, &w.committee, &other_request, None, &others);
    assert_eq!(verdict, Err(ShareError::Proof { identifier }));
    let swapped = shares.verify(identifier, &w.committee, &request, None, &others);
    assert_eq!(swapped, Err(ShareError::Request(RequestError::Ciphertext { index: 0 })));
    let late = Request { epoch: Epoch(2), ..request.clone() };
    let verdict = shares.verify(identifier, &w.committee, &late, None, &cts);
    let expected = RequestError::Epoch { expected: Epoch(1), found: Epoch(2) };
    assert_eq!(verdict, Err(ShareError::Request(expected)));
    let alien = Request { committee: [0; 64], ..request };
    let verdict = shares.verify(identifier, &w.committee, &alien, None, &cts);
    assert_eq!(verdict, Err(ShareError::Request(RequestError::Committee)));
}

#[test]
fn n042_shares_under_another_index_are_refused() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Public, b"a")];
    let request = w.request(Mode::Public, &cts);
    let (_, shares) = w.public_shares(&request, &cts).remove(0);
    let verdict = shares.verify(id(2), &w.committee, &request, None, &cts);
    assert_eq!(verdict, Err(ShareError::Proof { identifier: id(2) }));
    let verdict = shares.verify(id(5), &w.committee, &request, None, &cts);
    assert_eq!(verdict, Err(ShareError::UnknownParticipant { identifier: id(5) }));
    assert!(matches!(Identifier::new(0), Err(EncodingError::Range { found: 0, .. })));
}

#[test]
fn n044_the_identity_is_no_share() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Public, b"a")];
    let request = w.request(Mode::Public, &cts);
    let mut wire = w.public_shares(&request, &cts).remove(0).1.to_bytes();
    wire[..32].fill(0);
    assert_eq!(Shares::from_bytes(&wire, 1).err(), Some(EncodingError::Identity { what: "D" }));
}

#[test]
fn n005_fewer_bytes_than_shares_are_refused_before_any_is_read() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Public, b"a")];
    let request = w.request(Mode::Public, &cts);
    let wire = w.public_shares(&request, &cts).remove(0).1.to_bytes();
    let truncated = |expected, found| Some(EncodingError::Truncated { what: "shares", expected, found });
    for found in 0..wire.len() {
        assert_eq!(Shares::from_bytes(&wire[..found], 1).err(), truncated(wire.len(), found));
    }
    assert_eq!(Shares::from_bytes(&wire, 2).err(), truncated(wire.len() + 32, wire.len()));
    let longer = [&wire[..], &[0; 32]].concat();
    assert_eq!(Shares::from_bytes(&longer, 1).err(), Some(EncodingError::Trailing { found: 32 }));
}

#[test]
fn plain_shares_exist_for_public_labels_only() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Public, &cts);
    let made = Shares::create(&w.shares[0], &w.committee, &request, &cts, &mut w.rng);
    assert_eq!(made.err(), Some(ShareError::Request(RequestError::NotPublic { index: 0 })));
    for found in [Mode::Sealed, Mode::Compact] {
        let request = w.request(found, &cts);
        let made = Shares::create(&w.shares[0], &w.committee, &request, &cts, &mut w.rng);
        let expected = RequestError::Mode { expected: Mode::Public, found };
        assert_eq!(made.err(), Some(ShareError::Request(expected)));
    }
    let request = w.request(Mode::Sealed, &cts);
    let statement = Statement::new(&w.committee, &request, None, &cts);
    assert_eq!(statement.err(), Some(RequestError::Recipient { mode: Mode::Sealed }));
}

#[test]
fn n049_a_label_of_another_chain_is_refused() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Public, b"a")];
    let request = Request { chain: 1, ..w.request(Mode::Public, &cts) };
    let made = Shares::create(&w.shares[0], &w.committee, &request, &cts, &mut w.rng);
    let expected = RequestError::Chain { index: 0, expected: 1, found: 31337 };
    assert_eq!(made.err(), Some(ShareError::Request(expected)));
}

#[test]
fn n081_a_key_share_of_another_epoch_or_committee_is_refused() {
    let (mut w, next) = (world(4), world_with(&[1, 2, 3, 4], 2, 1));
    let cts = [w.encrypt(LabelKind::Public, b"a")];
    let request = w.request(Mode::Public, &cts);
    let made = Shares::create(&next.shares[0], &w.committee, &request, &cts, &mut w.rng);
    let expected = KeyShareError::Epoch { expected: Epoch(1), found: Epoch(2) };
    assert_eq!(made.err(), Some(ShareError::KeyShare(expected)));
    let other = world_with(&[1, 2, 3, 4], 1, 3);
    assert_eq!(other.shares[0].matches(&w.committee), Err(KeyShareError::Committee));
}

#[test]
fn requests_that_contradict_themselves_are_refused() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Public, b"a")];
    let good = w.request(Mode::Public, &cts);
    let create =
        |w: &mut World, request: &Request| Shares::create(&w.shares[0], &w.committee, request, &cts, &mut w.rng).err();
    let empty = Request { ciphertexts: vec![], ..good.clone() };
    assert_eq!(create(&mut w, &empty), Some(RequestError::Count { found: 0 }.into()));
    let twice = Request { ciphertexts: vec![good.ciphertexts[0]; 2], ..good.clone() };
    assert_eq!(create(&mut w, &twice), Some(RequestError::Repeated { index: 1 }.into()));
    let two = Request { ciphertexts: vec![good.ciphertexts[0], [0; 32]], ..good };
    assert_eq!(create(&mut w, &two), Some(RequestError::CiphertextCount { expected: 2, found: 1 }.into()));
}
