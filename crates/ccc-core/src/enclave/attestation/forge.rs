//! Certificates and documents with genuine names and dates, under keys of our own: what somebody could make who has
//! everything but the maker's keys.

#![allow(clippy::cast_possible_truncation, reason = "lengths and numbers of a few hundred at most")]

use super::chain::Certificate;
use der::asn1::UtcTime;
use der::{Decode, Encode};
use p384::ecdsa::signature::Signer;
use p384::ecdsa::{DerSignature, Signature, SigningKey};
use x509_cert::crl::{RevokedCert, TbsCertList};
use x509_cert::spki;
use x509_cert::time::Time;

/// What goes before the point in a SubjectPublicKeyInfo of P-384.
const BEFORE_POINT: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00];
const ECDSA_SHA384: &[u8] = &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];

/// A key of our own.
pub(super) fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 48]).expect("below the order")
}

pub(super) fn find(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).position(|window| window == part).expect("the part stands there")
}

/// The bytes with the first occurrence of a part replaced by another.
pub(super) fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = find(bytes, from);
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

/// A genuine certificate with another subject key, `changes` of equal length, and our issuer's signature.
pub(super) fn certificate(
    genuine: &[u8],
    subject: &SigningKey,
    issuer: &SigningKey,
    changes: &[(&[u8], &[u8])],
) -> Vec<u8> {
    let mut signed = Certificate::parse(genuine, 0).expect("a genuine certificate").signed().0.to_vec();
    let at = find(&signed, BEFORE_POINT) + BEFORE_POINT.len();
    signed[at..at + 97].copy_from_slice(&subject.verifying_key().to_sec1_point(false).as_bytes()[..97]);
    let mut algorithm = ECDSA_SHA384.to_vec();
    for (from, to) in changes {
        assert_eq!(from.len(), to.len());
        signed = replaced(&signed, from, to);
        if algorithm.ends_with(from) {
            algorithm = replaced(&algorithm, from, to);
        }
    }
    let signature: DerSignature = issuer.sign(&signed);
    let signature = signature.as_bytes();
    let bits = [&[0x03, signature.len() as u8 + 1, 0][..], signature].concat();
    sequence(&[signed, algorithm, bits].concat())
}

fn sequence(content: &[u8]) -> Vec<u8> {
    let len = u16::try_from(content.len()).expect("a short certificate").to_be_bytes();
    match content.len() {
        0..128 => [&[0x30, len[1]][..], content].concat(),
        128..256 => [&[0x30, 0x81, len[1]][..], content].concat(),
        _ => [&[0x30, 0x82][..], &len, content].concat(),
    }
}

/// A list of revoked certificates in the name of a certificate's subject, under a key of our own.
pub(super) fn revocation_list(issuer: &[u8], signer: &SigningKey, revoked: &[&[u8]], dates: (u64, u64)) -> Vec<u8> {
    let read = |bytes: &[u8]| x509_cert::Certificate::from_der(bytes).expect("a certificate");
    let time = |seconds| {
        let date = der::DateTime::from_unix_duration(core::time::Duration::from_secs(seconds)).expect("a date");
        Time::UtcTime(UtcTime::from_date_time(date).expect("before 2050"))
    };
    let entry = |certificate: &&[u8]| RevokedCert {
        serial_number: read(certificate).tbs_certificate().serial_number().clone(),
        revocation_date: time(dates.0),
        crl_entry_extensions: None,
    };
    let list: TbsCertList = TbsCertList {
        version: x509_cert::certificate::Version::V2,
        signature: spki::AlgorithmIdentifierOwned::from_der(ECDSA_SHA384).expect("an algorithm"),
        issuer: read(issuer).tbs_certificate().subject().clone(),
        this_update: time(dates.0),
        next_update: Some(time(dates.1)),
        revoked_certificates: Some(revoked.iter().map(entry).collect()),
        crl_extensions: None,
    };
    let signed = list.to_der().expect("DER");
    let signature: DerSignature = signer.sign(&signed);
    let signature = signature.as_bytes();
    let bits = [&[0x03, signature.len() as u8 + 1, 0][..], signature].concat();
    sequence(&[signed, ECDSA_SHA384.to_vec(), bits].concat())
}

/// CBOR: a head in its shortest form.
pub(super) fn head(major: u8, value: usize) -> Vec<u8> {
    let (major, wide) = (major << 5, (value as u64).to_be_bytes());
    match value {
        0..=23 => vec![major | value as u8],
        24..=0xff => vec![major | 24, wide[7]],
        0x100..=0xffff => vec![major | 25, wide[6], wide[7]],
        0x1_0000..=0xffff_ffff => [&[major | 26][..], &wide[4..]].concat(),
        _ => [&[major | 27][..], &wide].concat(),
    }
}

pub(super) fn bytes(value: &[u8]) -> Vec<u8> {
    [head(2, value.len()), value.to_vec()].concat()
}

pub(super) fn text(value: &str) -> Vec<u8> {
    [head(3, value.len()), value.as_bytes().to_vec()].concat()
}

/// COSE_Sign1 of a payload under a key.
pub(super) fn sign1(payload: &[u8], signer: &SigningKey) -> Vec<u8> {
    const PROTECTED: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];
    let signed = [head(4, 4), text("Signature1"), bytes(&PROTECTED), bytes(&[]), bytes(payload)].concat();
    let signature: Signature = signer.sign(&signed);
    [head(4, 4), bytes(&PROTECTED), head(5, 0), bytes(payload), bytes(&signature.to_bytes())].concat()
}
