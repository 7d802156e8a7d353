//! Sealing against the recorded bytes.

use super::*;
use crate::epoch::Epoch;
use crate::support::{Replay, array, arrays, bytes, list, number, text, vectors};
use hpke::Deserializable;

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
