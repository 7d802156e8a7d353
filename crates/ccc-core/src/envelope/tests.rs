use super::*;
use crate::keys::committee::tests::committee;
use crate::support::{array, bytes, list, number, outside, text, vectors};
use curve25519_dalek::{EdwardsPoint, Scalar};
use ed25519_dalek::{SigningKey, Verifier};
use sha2::Sha512;

fn keys(case: &serde_json::Value) -> ParticipantKeys {
    let mut wire = header(Kind::ParticipantKeys).to_vec();
    wire.extend(array::<32>(case, "signing_seed"));
    wire.extend([1; 32]);
    ParticipantKeys::from_bytes(&wire).unwrap()
}

fn sign(case: &serde_json::Value) -> Envelope {
    Envelope::sign(
        &keys(case),
        &array(case, "committee"),
        Epoch(number(case, "epoch")),
        Identifier::new(u16::try_from(number(case, "identifier")).unwrap()).unwrap(),
        &bytes(case, "topic"),
        Kind::from_byte(u8::try_from(number(case, "kind")).unwrap()).unwrap(),
        bytes(case, "payload"),
    )
    .unwrap()
}

#[test]
fn signing_reproduces_the_bytes() {
    let (file, committees) = (vectors("envelope"), vectors("committee"));
    let committee = committee(&committees["cases"][0]);
    for case in list(&file, "cases") {
        let envelope = sign(case);
        assert_eq!(hex::encode(envelope.to_bytes()), text(case, "wire"));
        assert_eq!(Envelope::from_bytes(&bytes(case, "wire")), Ok(envelope.clone()));
        let verified = match text(case, "name") {
            "share, request topic" => envelope.verify(&committee),
            _ => envelope.verify_roster(committee.roster()),
        };
        assert_eq!(verified, Ok(bytes(case, "payload").as_slice()));
    }
}

#[test]
fn n045_envelopes_of_others_count_for_nothing() {
    let (file, committees) = (vectors("envelope"), vectors("committee"));
    let committee = committee(&committees["cases"][0]);
    let good = sign(&list(&file, "cases")[0]);
    let identifier = Identifier::new(2).unwrap();
    let moved = Envelope { identifier, ..good.clone() };
    assert_eq!(moved.verify(&committee), Err(EnvelopeError::Signature { identifier }));
    let identifier = Identifier::new(99).unwrap();
    let unknown = Envelope { identifier, ..good.clone() };
    assert_eq!(unknown.verify(&committee), Err(EnvelopeError::UnknownSender { identifier }));
    let epoch = Envelope { epoch: Epoch(8), ..good.clone() };
    let expected = EnvelopeError::Epoch { expected: Epoch(7), found: Epoch(8) };
    assert_eq!(epoch.verify(&committee), Err(expected));
    let other = Envelope { committee: [0; 64], ..good.clone() };
    assert_eq!(other.verify(&committee), Err(EnvelopeError::Committee));
    let identifier = good.identifier;
    let signature = Err(EnvelopeError::Signature { identifier });
    let kind = Envelope { kind: Kind::Compact, ..good.clone() };
    assert_eq!(kind.verify(&committee), signature);
    let topic = Envelope { topic: vec![1], ..good.clone() };
    assert_eq!(topic.verify(&committee), signature);
    let payload = Envelope { payload: vec![1], ..good };
    assert_eq!(payload.verify(&committee), signature);
}

/// R = O and S = k·a hold in the equation of RFC 8032, S·B = R + k·A; the strict rule refuses an R of small order.
#[test]
fn n045_a_signature_whose_r_is_of_small_order_is_refused() {
    let case = &vectors("envelope")["cases"][0];
    let committee = committee(&vectors("committee")["cases"][0]);
    let signing = SigningKey::from_bytes(&array(case, "signing_seed"));
    let mut envelope = sign(case);
    let (r, a) = (EdwardsPoint::default().compress(), signing.verifying_key());
    let k = Scalar::hash_from_bytes::<Sha512>(&[r.as_bytes(), a.as_bytes(), &envelope.message()[..]].concat());
    envelope.signature[..32].copy_from_slice(r.as_bytes());
    envelope.signature[32..].copy_from_slice((k * signing.to_scalar()).as_bytes());
    assert!(a.verify(&envelope.message(), &Signature::from_bytes(&envelope.signature)).is_ok());
    let identifier = envelope.identifier;
    assert_eq!(envelope.verify(&committee), Err(EnvelopeError::Signature { identifier }));
}

/// Every case that the list marks valid is accepted, and no other: nothing of the list is refused beyond its marks. The
/// strict rule goes further where the list has no valid case: an R of small order (above) and a key of small order (below).
/// Signatures of another length than 64 bytes are refused where the envelope is read, which has a field of 64.
#[test]
fn n045_wycheproof_signatures_are_accepted_and_refused_as_marked() {
    let file = outside("wycheproof/ed25519_test.json");
    let (mut accepted, mut refused, mut unread) = (0, 0, 0);
    for group in list(&file, "testGroups") {
        let key = VerifyingKey::from_bytes(&array(&group["publicKey"], "pk")).unwrap();
        for case in list(group, "tests") {
            let signature: Result<[u8; 64], _> = bytes(case, "sig").try_into();
            let found = signature.as_ref().is_ok_and(|signature| is_signed(&key, &bytes(case, "msg"), signature));
            assert_eq!(found, text(case, "result") == "valid", "{}", number(case, "tcId"));
            match (found, signature) {
                (true, _) => accepted += 1,
                (false, Ok(_)) => refused += 1,
                (false, Err(_)) => unread += 1,
            }
        }
    }
    assert_eq!(number(&file, "numberOfTests"), 151);
    assert_eq!((accepted, refused, unread), (88, 51, 12));
}

/// With A = O every message has the signature R = S·B, whoever says it; the strict rule refuses a key of small order.
#[test]
fn n045_a_key_of_small_order_signs_nothing() {
    let key = VerifyingKey::from_bytes(EdwardsPoint::default().compress().as_bytes()).unwrap();
    let s = Scalar::from(7u8);
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(EdwardsPoint::mul_base(&s).compress().as_bytes());
    signature[32..].copy_from_slice(s.as_bytes());
    for message in [&b"one"[..], b"another"] {
        assert!(key.verify(message, &Signature::from_bytes(&signature)).is_ok());
        assert!(!is_signed(&key, message, &signature));
    }
}

#[test]
fn n029_truncated_and_extended_envelopes_are_refused() {
    let file = vectors("envelope");
    let wire = bytes(&list(&file, "cases")[0], "wire");
    for n in 0..wire.len() {
        assert!(Envelope::from_bytes(&wire[..n]).is_err(), "{n}");
    }
    for extra in [1, 64] {
        let long = [wire.as_slice(), &vec![0; extra]].concat();
        assert_eq!(Envelope::from_bytes(&long), Err(EncodingError::Trailing { found: extra }));
    }
}

#[test]
fn n030_length_prefixes_are_checked_before_anything_is_allocated() {
    let file = vectors("envelope");
    let mut wire = bytes(&list(&file, "cases")[0], "wire");
    wire[82..86].copy_from_slice(&u32::MAX.to_be_bytes());
    let range = "the field's maximum length";
    let expected = EncodingError::Range { what: "topic", found: u32::MAX.into(), range };
    assert_eq!(Envelope::from_bytes(&wire), Err(expected));
}

#[test]
fn refused_envelopes_are_refused() {
    let (file, committees) = (vectors("envelope"), vectors("committee"));
    let committee = committee(&committees["cases"][0]);
    let member = committee.member(Identifier::new(1).unwrap()).unwrap();
    let good = Envelope::from_bytes(&bytes(&file["cases"][0], "wire")).unwrap();
    for case in list(&file, "refused") {
        let (name, reason) = (text(case, "name"), text(case, "reason"));
        let key = VerifyingKey::from_bytes(&array(case, "signing_key")).unwrap();
        let read = Envelope::from_bytes(&bytes(case, "wire"));
        match (reason, read) {
            ("length", read) => assert!(read.is_err(), "{name}"),
            (_, Err(EncodingError::Range { what: "identifier", found: 0, .. })) => assert_eq!(name, "identifier"),
            (_, Err(EncodingError::Range { what: "topic", found: 65, .. })) => assert_eq!(name, "boundary moved"),
            ("header", Ok(envelope)) => assert_ne!(envelope.kind(), good.kind(), "{name}"),
            (_, Ok(envelope)) => {
                let verified = envelope.verify_with(&envelope.committee, envelope.epoch, Some(&key));
                let identifier = envelope.identifier;
                assert_eq!(verified, Err(EnvelopeError::Signature { identifier }), "{name}");
            }
            (_, Err(error)) => panic!("{name}: {error:?}"),
        }
    }
    assert!(good.verify_with(&committee.digest(), committee.epoch(), Some(&member.signing_key)).is_ok());
}
