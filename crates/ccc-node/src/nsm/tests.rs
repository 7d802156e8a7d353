//! A simulated device, whose documents nobody signed: what a verifier makes of one is tested in `ccc-core`.

mod recorded;

use super::*;
use aws_nitro_enclaves_nsm_api::api::{AttestationDoc, Digest, ErrorCode};

/// What the device does with a request.
type Answer = fn(Request) -> Response;

struct Simulated(Answer);

impl Device for Simulated {
    fn ask(&self, request: Request) -> Response {
        (self.0)(request)
    }
}

fn attest(answer: Answer) -> Result<Vec<u8>, ProviderError> {
    NitroNsm { device: Box::new(Simulated(answer)) }.attest(&[1; 64], &[2; 64], 0)
}

/// COSE_Sign1 of a document over these fields, under a signature that is none.
fn document(user_data: Vec<u8>, nonce: Vec<u8>) -> Response {
    let pcrs = (0..3).map(|number| (number, vec![7; 48])).collect();
    let (user_data, nonce) = (Some(user_data), Some(nonce));
    let doc = AttestationDoc::new(
        "i-0".into(),
        Digest::SHA384,
        1_700_000_000_000,
        pcrs,
        vec![1; 300],
        vec![vec![2; 300]],
        user_data,
        nonce,
        None,
    );
    let payload = doc.to_binary();
    let length = u16::try_from(payload.len()).expect("a short document").to_be_bytes();
    let head = [0x84, 0x44, 0xa1, 0x01, 0x38, 0x22, 0xa0, 0x59];
    let document = [&head[..], &length, &payload, &[0x58, 96], &[3; 96]].concat();
    Response::Attestation { document }
}

fn honest(request: Request) -> Response {
    match request {
        Request::Attestation { user_data: Some(user_data), nonce: Some(nonce), public_key: None } => {
            document(user_data.into_vec(), nonce.into_vec())
        }
        _ => Response::Error(ErrorCode::InvalidArgument),
    }
}

#[test]
fn the_device_is_asked_for_user_data_and_nonce_and_nothing_else() {
    let evidence = attest(honest).expect("evidence");
    let said = stated(&evidence).expect("evidence");
    assert_eq!((said.kind, said.user_data, said.nonce), (ProviderKind::Nitro, vec![1; 64], Some(vec![2; 64])));
    assert_eq!(said.issued, Some(1_700_000_000));
}

fn reason(answer: Answer) -> String {
    match attest(answer) {
        Err(ProviderError::Refused(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

/// Every error that the device knows, an answer to something else, and documents that are none or of others.
#[test]
fn every_other_answer_is_refused_with_its_reason() {
    let errors: [(Answer, &str); 8] = [
        (|_| Response::Error(ErrorCode::InvalidArgument), "InvalidArgument"),
        (|_| Response::Error(ErrorCode::InvalidIndex), "InvalidIndex"),
        (|_| Response::Error(ErrorCode::InvalidResponse), "InvalidResponse"),
        (|_| Response::Error(ErrorCode::ReadOnlyIndex), "ReadOnlyIndex"),
        (|_| Response::Error(ErrorCode::InvalidOperation), "InvalidOperation"),
        (|_| Response::Error(ErrorCode::BufferTooSmall), "BufferTooSmall"),
        (|_| Response::Error(ErrorCode::InputTooLarge), "InputTooLarge"),
        (|_| Response::Error(ErrorCode::InternalError), "InternalError"),
    ];
    for (answer, name) in errors {
        assert_eq!(reason(answer), format!("the device says {name}"));
    }
    assert!(reason(|_| Response::LockPCR).contains("another question"));
    assert!(reason(|_| Response::GetRandom { random: vec![1] }).contains("another question"));
    assert!(reason(|_| Response::Attestation { document: vec![1; 99] }).starts_with("the device's document"));
    assert!(reason(|_| Response::Attestation { document: Vec::new() }).starts_with("the device's document"));
    let long = |_| Response::Attestation { document: vec![0; MAX_DOCUMENT + 1] };
    assert!(reason(long).contains("at most"));
    let other = "another user data or nonce";
    assert!(reason(|_| document(vec![9; 64], vec![2; 64])).contains(other));
    assert!(reason(|_| document(vec![1; 64], vec![9; 64])).contains(other));
    assert!(reason(|_| document(vec![], vec![])).contains(other));
}

#[test]
fn without_a_device_there_is_no_provider_and_no_sealing_key_with_one() {
    if !std::path::Path::new("/dev/nsm").exists() {
        assert!(matches!(NitroNsm::open().err(), Some(ProviderError::Refused(_))));
    }
    let provider = NitroNsm { device: Box::new(Simulated(honest)) };
    let refused = provider.sealing_key(&[0; 32]).err();
    assert!(matches!(refused, Some(ProviderError::NoSealing { kind: ProviderKind::Nitro, .. })));
}
