//! What goes over the device as bytes (`vectors/attestation/nsm`), made by hand: a device that gives them, read into
//! the types of AWS's crate by the call that it makes itself.

use super::*;
use std::path::PathBuf;

/// The bytes of one message.
fn message(name: &str) -> Vec<u8> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/attestation/nsm")).join(name);
    std::fs::read(path.with_extension("cbor")).expect("a message")
}

/// Asked for these bytes it gives others; asked for anything else it fails the test.
struct Recorded(Vec<u8>);

impl Device for Recorded {
    fn ask(&self, request: Request) -> Response {
        assert_eq!(serde_cbor::to_vec(&request).expect("a request"), message("request"));
        serde_cbor::from_slice(&self.0).unwrap_or(Response::Error(ErrorCode::InternalError))
    }
}

fn attest(name: &str) -> Result<Vec<u8>, String> {
    let provider = NitroNsm { device: Box::new(Recorded(message(name))) };
    provider.attest(&[1; 64], &[2; 64], 0).map_err(|error| match error {
        ProviderError::Refused(reason) => reason,
        other => other.to_string(),
    })
}

#[test]
fn a_recorded_answer_is_evidence_over_what_was_asked() {
    let evidence = attest("attestation").expect("evidence");
    let said = stated(&evidence).expect("evidence");
    assert_eq!((said.kind, said.user_data, said.nonce), (ProviderKind::Nitro, vec![1; 64], Some(vec![2; 64])));
    assert_eq!((said.issued, said.debug), (Some(1_700_000_000), false));
}

#[test]
fn every_recorded_error_is_refused_by_its_name() {
    for name in [
        "Success",
        "InvalidArgument",
        "InvalidIndex",
        "InvalidResponse",
        "ReadOnlyIndex",
        "InvalidOperation",
        "BufferTooSmall",
        "InputTooLarge",
        "InternalError",
    ] {
        assert_eq!(attest(&format!("error-{name}")), Err(format!("the device says {name}")));
    }
}

#[test]
fn recorded_answers_to_other_questions_are_refused() {
    for name in ["describe-pcr", "extend-pcr", "lock-pcr", "lock-pcrs", "describe-nsm", "get-random"] {
        assert_eq!(attest(name), Err("the device answered another question".into()), "{name}");
    }
    let refused = attest("attestation-of-another-nonce");
    assert_eq!(refused, Err("the device's document is over another user data or nonce".into()));
    assert!(attest("attestation-of-nothing").is_err_and(|reason| reason.starts_with("the device's document: ")));
    assert!(attest("attestation-too-long").is_err_and(|reason| reason.starts_with("a document of 12289 bytes")));
}

/// As the crate does, the device here makes an error out of bytes that the types do not take: none of these is taken.
#[test]
fn bytes_that_are_no_answer_are_refused() {
    for name in ["nothing", "cut", "longer", "unknown", "no-document"] {
        assert_eq!(attest(name), Err("the device says InternalError".into()), "{name}");
    }
}

/// The crate's types take a text where octets belong; as a document it is none.
#[test]
fn a_text_instead_of_octets_is_no_document() {
    let refused = attest("text-for-octets").expect_err("no document");
    assert!(refused.starts_with("the device's document: "), "{refused}");
}
