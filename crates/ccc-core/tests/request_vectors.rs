//! Requests and recipients against the vectors of the independent implementation, and their strict reading.

#![allow(missing_docs, reason = "a test crate exports nothing")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken vector file fails the test")]

mod support;

use ccc_core::enclave::AttemptKeys;
use ccc_core::encoding::{EncodingError, Kind, header};
use ccc_core::epoch::Epoch;
use ccc_core::suite::{domain, hash};
use ccc_core::vault::{AttestedRecipient, Mode, Recipient, Request};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde_json::Value;
use support::{array, arrays, bytes, list, number, text, vectors};

fn request(case: &Value) -> Request {
    Request {
        chain: number(case, "chain"),
        contract: array(case, "contract"),
        id: array(case, "id"),
        table_header: bytes(case, "table_header_hash").try_into().ok(),
        block_hash: array(case, "block_hash"),
        deadline: number(case, "deadline"),
        mode: Mode::from_byte(u8::try_from(number(case, "mode")).unwrap()).unwrap(),
        epoch: Epoch(number(case, "epoch")),
        committee: array(case, "committee"),
        ciphertexts: arrays(case, "ct_digests"),
    }
}

#[test]
fn request_digests_are_the_recorded_ones() {
    for case in list(&vectors("request"), "requests") {
        let request = request(case);
        assert_eq!(hex::encode(request.digest()), text(case, "request"), "{}", text(case, "name"));
        assert_eq!(Request::from_bytes(&request.to_bytes()), Ok(request));
    }
}

/// The recorded measurement has 48 bytes, as some hardware has; [`ccc_core::vault::Recipient`] holds 32.
#[test]
fn recipient_and_user_data_are_the_recorded_ones() {
    let file = vectors("request");
    let case = &file["recipient"];
    let fields = [bytes(case, "X"), bytes(case, "E"), bytes(case, "measurement")];
    let digest = hash(domain::RECIPIENT, &fields.each_ref().map(Vec::as_slice));
    assert_eq!(hex::encode(digest), text(case, "recipient"));
    let case = &file["user_data"];
    let recipient = Recipient::new(array(case, "X"), &array(case, "E"), [0; 32]).unwrap();
    let found = recipient.user_data(&array(case, "request"));
    assert_eq!(hex::encode(found), text(case, "user_data"));
}

#[test]
fn attempt_keys_have_the_recorded_public_part() {
    let file = vectors("request");
    let case = &file["recipient"];
    let (mut x, e) = (bytes(case, "x_secret"), bytes(case, "enclave_e_secret"));
    clamp(&mut x);
    let wire = [header(Kind::AttemptKeys).as_slice(), &x, &e, &[1; 32]].concat();
    let keys = AttemptKeys::from_bytes(&wire).unwrap();
    let recipient = keys.recipient([0; 32]);
    assert_eq!(AttemptKeys::from_bytes(&keys.to_bytes()).unwrap().recipient([0; 32]), recipient);
    assert_eq!(hex::encode(recipient.x), text(case, "X"));
    assert_eq!(hex::encode(recipient.e()), text(case, "E"));
}

/// RFC 7748, section 5: the form in which an X25519 secret is written.
fn clamp(x: &mut [u8]) {
    x[0] &= 0xf8;
    x[31] = x[31] & 0x7f | 0x40;
}

/// The public part of an unclamped secret is the same, so it would be a second encoding of one key.
#[test]
fn n030_an_unclamped_x25519_secret_is_refused() {
    let keys = AttemptKeys::generate(&mut ChaCha20Rng::seed_from_u64(2)).unwrap();
    let wire = keys.to_bytes();
    assert_eq!(AttemptKeys::from_bytes(&wire).unwrap().to_bytes(), wire);
    for (byte, bit) in [(8, 0), (8, 1), (8, 2), (39, 6), (39, 7)] {
        let mut bad = wire.to_vec();
        bad[byte] ^= 1 << bit;
        let expected = EncodingError::Scalar { what: "X25519 secret" };
        assert_eq!(AttemptKeys::from_bytes(&bad).err(), Some(expected), "byte {byte}, bit {bit}");
    }
}

#[test]
fn n029_n030_requests_are_read_strictly() {
    let file = vectors("request");
    let wire = request(&list(&file, "requests")[2]).to_bytes();
    for n in 0..wire.len() {
        assert!(Request::from_bytes(&wire[..n]).is_err(), "{n}");
    }
    let long = [wire.as_slice(), &[0]].concat();
    assert_eq!(Request::from_bytes(&long), Err(EncodingError::Trailing { found: 1 }));
    let count = wire.len() - 3 * 32 - 4;
    for (m, found) in [([0; 4], 0), ([0, 1, 0, 1], 65_537), ([0xff; 4], u64::from(u32::MAX))] {
        let mut bad = wire.clone();
        bad[count..count + 4].copy_from_slice(&m);
        let range = "1 to 65536";
        let expected = EncodingError::Range { what: "number of ciphertexts", found, range };
        assert_eq!(Request::from_bytes(&bad), Err(expected));
    }
}

#[test]
fn n065_recipients_are_read_strictly() {
    let keys = AttemptKeys::generate(&mut ChaCha20Rng::seed_from_u64(1)).unwrap();
    let attested = AttestedRecipient { recipient: keys.recipient([1; 32]), evidence: vec![1, 2, 3] };
    let wire = attested.to_bytes();
    assert_eq!(AttestedRecipient::from_bytes(&wire), Ok(attested));
    let mut identity = wire.clone();
    identity[40..72].fill(0);
    let expected = EncodingError::Identity { what: "enclave key E" };
    assert_eq!(AttestedRecipient::from_bytes(&identity), Err(expected));
    let mut off_curve = wire;
    off_curve[40..72].fill(0xff);
    let expected = EncodingError::Point { what: "enclave key E" };
    assert_eq!(AttestedRecipient::from_bytes(&off_curve), Err(expected));
}
