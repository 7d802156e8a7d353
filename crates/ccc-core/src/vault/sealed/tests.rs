//! Sealing against the recorded bytes.

use super::*;
use crate::enclave::AttemptKeys;
use crate::epoch::Epoch;
use crate::support::{Replay, array, arrays, bytes, list, number, text, vectors};
use hpke::Deserializable;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

#[test]
fn sealing_reproduces_the_bytes() {
    let file = vectors("sealed");
    for case in list(&file, "cases") {
        let (info, aad, plaintext) = (bytes(case, "info"), bytes(case, "aad"), bytes(case, "plaintext"));
        assert_eq!(super::info(&array(case, "request")), info);
        let mut rng = Replay(bytes(case, "ephemeral_ikm"));
        let sealed = seal_bytes(&array(&file, "X"), &info, &aad, &plaintext, &mut rng).unwrap();
        assert_eq!(hex::encode(sealed.to_bytes()), text(case, "wire"));
        let m = list(case, "ct_digests").len();
        assert_eq!(SealedShare::from_bytes(&bytes(case, "wire"), m), Ok(sealed.clone()));
        let key = PrivateKey::from_bytes(&bytes(&file, "x_secret")).unwrap();
        assert_eq!(sealed.open_bytes(&key, &info, &aad).unwrap().as_slice(), plaintext);
        assert_eq!(sealed.open_bytes(&key, &info, b""), None);
    }
}

/// What is sealed to X for another use opens; the same bytes sealed as a share do not, under no info that begins as a
/// share's does.
#[test]
fn n068_a_sealed_share_is_not_opened_as_a_message() {
    let mut rng = ChaCha20Rng::seed_from_u64(14);
    let keys = AttemptKeys::generate(&mut rng).unwrap();
    let x = keys.recipient([0; 32]).x;
    let mut opened = |info: &[u8]| {
        let sealed = seal_bytes(&x, info, b"aad", b"bytes", &mut rng).unwrap();
        keys.open_message(info, b"aad", &sealed.to_bytes()).map(|opened| opened.to_vec())
    };
    assert_eq!(opened(b"ccc/v1/another-use"), Some(b"bytes".to_vec()));
    assert_eq!(opened(b"ccc/v1/seale"), Some(b"bytes".to_vec()));
    for info in [info(&[7; 64]).as_slice(), kdf::SEALED, b"ccc/v1/sealed-otherwise"] {
        assert_eq!(opened(info), None);
    }
}

#[test]
fn associated_data_is_the_recorded_one() {
    for case in list(&vectors("sealed"), "cases") {
        let identifier = Identifier::new(u16::try_from(number(case, "identifier")).unwrap()).unwrap();
        let bound = Bound {
            digests: arrays(case, "ct_digests"),
            identifier,
            epoch: Epoch(number(case, "epoch")),
            committee: array(case, "committee"),
            measurement: &bytes(case, "measurement"),
            deadline: number(case, "deadline"),
        };
        assert_eq!(hex::encode(bound.associated_data()), text(case, "aad"));
    }
}

#[test]
fn n065_a_weak_enclave_key_is_refused() {
    let mut rng = Replay((0..64).collect());
    assert_eq!(seal_bytes(&[0; 32], b"", b"", b"", &mut rng), None);
}

#[test]
fn n067_n068_seals_for_anything_else_do_not_open() {
    for case in list(&vectors("sealed"), "refused") {
        let name = text(case, "name");
        let bound = Bound {
            digests: arrays(case, "ct_digests"),
            identifier: Identifier::new(u16::try_from(number(case, "identifier")).unwrap()).unwrap(),
            epoch: Epoch(number(case, "epoch")),
            committee: array(case, "committee"),
            measurement: &bytes(case, "measurement"),
            deadline: number(case, "deadline"),
        };
        let key = PrivateKey::from_bytes(&bytes(case, "x_secret")).unwrap();
        let info = super::info(&array(case, "request"));
        let sealed = SealedShare::from_bytes(&bytes(case, "wire"), 1);
        match sealed {
            Ok(sealed) => assert_eq!(sealed.open_bytes(&key, &info, &bound.associated_data()), None, "{name}"),
            Err(error) => assert!(name == "truncated" && matches!(error, EncodingError::Truncated { .. })),
        }
    }
}
