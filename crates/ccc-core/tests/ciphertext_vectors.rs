//! Ciphertexts against the vectors of the independent implementation.

#![allow(missing_docs, reason = "a test crate exports nothing")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken vector file fails the test")]

mod support;

use ccc_core::ciphertext::{Ciphertext, CiphertextError, DecryptionError, Label, LabelKind, PreparedMasterKey};
use ccc_core::encoding::EncodingError;
use ccc_core::keys::MasterPublicKey;
use support::{Replay, array, bytes, list, text, vectors};

#[test]
fn encryption_reproduces_the_bytes() {
    let file = vectors("ciphertext");
    let master = MasterPublicKey::from_bytes(&bytes(&file, "Y")).unwrap();
    let prepared = PreparedMasterKey::new(&master);
    for case in list(&file, "cases") {
        let label = Label::from_bytes(&bytes(case, "label")).unwrap();
        let message = bytes(case, "message");
        let mut rng = Replay(bytes(case, "random64"));
        let made = Ciphertext::encrypt(&master, &label, &message, &mut rng).unwrap();
        let name = text(case, "name");
        assert_eq!(hex::encode(made.to_bytes()), text(case, "wire"), "{name}");
        assert_eq!(hex::encode(made.digest()), text(case, "ct_digest"), "{name}");
        assert_eq!(Ciphertext::from_bytes(&bytes(case, "wire")).unwrap(), made, "{name}");
        let mut rng = Replay(bytes(case, "random64"));
        assert_eq!(prepared.encrypt(&label, &message, &mut rng).unwrap(), made, "{name}");
        let verified = made.verify(&master).unwrap();
        assert_eq!(verified.open_with(&array(case, "K")).unwrap().as_slice(), message, "{name}");
        if label.kind == LabelKind::TableKey {
            let wrapped = verified.ciphertext().to_wrapped().unwrap();
            assert_eq!(hex::encode(wrapped), text(&file["wrapped"], "wrapped"), "{name}");
            assert_eq!(&Ciphertext::from_wrapped(&wrapped, label).unwrap(), verified.ciphertext());
        }
    }
}

#[test]
fn refused_ciphertexts_are_refused_for_the_named_reason() {
    let file = vectors("ciphertext_refused");
    let master = MasterPublicKey::from_bytes(&bytes(&file, "Y")).unwrap();
    for case in list(&file, "refused_by_verify") {
        let (name, reason) = (text(case, "name"), text(case, "reason"));
        let error = Ciphertext::from_bytes(&bytes(case, "wire")).and_then(|c| c.verify(&master)).unwrap_err();
        assert!(refused_for(reason, &error), "{name}: {reason}: {error:?}");
    }
}

fn refused_for(reason: &str, error: &CiphertextError) -> bool {
    use EncodingError as E;
    match (reason, error) {
        ("proof", CiphertextError::Proof) | ("body length", CiphertextError::BodyLength { .. }) => true,
        ("length", CiphertextError::Encoding(E::Truncated { .. }))
        | ("not canonical", CiphertextError::Encoding(E::Point { .. }))
        | ("scalar not canonical", CiphertextError::Encoding(E::Scalar { .. }))
        | ("U is zero", CiphertextError::Encoding(E::Identity { what: "U" }))
        | ("label kind", CiphertextError::Encoding(E::Range { what: "label kind", .. }))
        | ("label expiry", CiphertextError::Encoding(E::Range { what: "label expiry", .. })) => true,
        ("header", CiphertextError::Encoding(e)) => {
            matches!(
                e,
                E::Magic { .. } | E::Version { .. } | E::WrongKind { .. } | E::Suite { .. } | E::Reserved { .. }
            )
        }
        _ => false,
    }
}

#[test]
fn verified_ciphertexts_that_do_not_open_say_nothing() {
    let file = vectors("ciphertext_refused");
    let master = MasterPublicKey::from_bytes(&bytes(&file, "Y")).unwrap();
    for case in list(&file, "verified_but_refused_by_open") {
        let verified = Ciphertext::from_bytes(&bytes(case, "wire")).unwrap().verify(&master).unwrap();
        assert_eq!(verified.open_with(&array(case, "K")), Err(DecryptionError), "{}", text(case, "name"));
    }
}
