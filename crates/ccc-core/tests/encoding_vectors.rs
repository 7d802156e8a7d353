//! Hashes, headers and labels against the vectors of the independent implementation.

#![allow(missing_docs, reason = "a test crate exports nothing")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken vector file fails the test")]

mod support;

use ccc_core::ciphertext::{Label, LabelKind};
use ccc_core::encoding::{Kind, header};
use ccc_core::suite::{digest, digest32, hash, length_prefixed};
use support::{array, bytes, list, number, text, vectors};

#[test]
fn hashes_are_the_recorded_ones() {
    let file = vectors("encoding");
    for case in list(&file, "hash") {
        let inputs: Vec<_> = list(case, "inputs").iter().map(|i| hex::decode(i.as_str().unwrap()).unwrap()).collect();
        let fields: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
        let label = text(case, "label");
        assert_eq!(hex::encode(hash(label, &fields)), text(case, "h"));
        assert_eq!(hex::encode(digest32(label, &fields)), text(case, "digest32"));
    }
    for case in list(&file, "digest_bytes") {
        assert_eq!(hex::encode(digest(&bytes(case, "input"))), text(case, "output"));
    }
    for case in list(&file, "lp") {
        let mut out = Vec::new();
        length_prefixed(&mut out, &bytes(case, "input"));
        assert_eq!(hex::encode(out), text(case, "output"));
    }
}

#[test]
fn headers_and_labels_are_the_recorded_ones() {
    let file = vectors("encoding");
    for case in list(&file, "headers") {
        let kind = Kind::from_byte(u8::try_from(number(case, "kind")).unwrap()).unwrap();
        assert_eq!(hex::encode(header(kind)), text(case, "header"));
    }
    for case in list(&file, "labels") {
        let read = Label::from_bytes(&bytes(case, "label")).unwrap();
        assert_eq!(hex::encode(read.to_bytes()), text(case, "label"));
    }
    for case in list(&file, "labels").iter().filter(|case| case.get("kind").is_some()) {
        let label = Label {
            kind: LabelKind::from_byte(u8::try_from(number(case, "kind")).unwrap()).unwrap(),
            chain: number(case, "chain"),
            contract: array(case, "contract"),
            id: array(case, "id"),
            version: number(case, "version"),
            requester: array(case, "requester"),
            expiry: number(case, "expiry"),
            context: array(case, "context"),
        };
        assert_eq!(hex::encode(label.to_bytes()), text(case, "label"));
        assert_eq!(Label::from_bytes(&label.to_bytes()), Ok(label));
    }
}
