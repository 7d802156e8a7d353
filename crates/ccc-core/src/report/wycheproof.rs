//! Wycheproof's secp256k1 signatures with low s, as recoverable signatures.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;
use crate::support::outside;

/// The one valid case whose point has an x at or above the group order. The forwarder's v cannot say so.
const LARGE_X: u64 = 346;

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

/// r or s of a DER signature as 32 bytes, and what follows it.
fn integer(der: &[u8]) -> Option<([u8; 32], &[u8])> {
    let [2, length, rest @ ..] = der else { return None };
    let (value, rest) = rest.split_at_checked(usize::from(*length))?;
    let value = match value {
        [] | [0x80..=0xff, ..] | [0] | [0, 0..=0x7f, ..] => return None,
        [0, tail @ ..] => tail,
        whole => whole,
    };
    let mut out = [0; 32];
    out[32_usize.checked_sub(value.len())?..].copy_from_slice(value);
    Some((out, rest))
}

/// r ‖ s of a DER signature that the 65-byte form can hold.
fn scalars(der: &[u8]) -> Option<[u8; 64]> {
    let [0x30, length, body @ ..] = der else { return None };
    if usize::from(*length) != body.len() {
        return None;
    }
    let (r, rest) = integer(body)?;
    let (s, rest) = integer(rest)?;
    rest.is_empty().then(|| std::array::from_fn(|i| if i < 32 { r[i] } else { s[i - 32] }))
}

/// Whether the signature recovers to `address` under either v.
fn accepted(scalars: &[u8; 64], digest: &Word, address: &Address) -> bool {
    [0, 1].into_iter().any(|v| {
        let bytes = std::array::from_fn(|i| scalars.get(i).copied().unwrap_or(v));
        let signature = Signature65::from_bytes(&bytes);
        signature.and_then(|signature| signature.recover(digest)).is_ok_and(|found| found == *address)
    })
}

#[test]
fn n117_wycheproof_signatures_are_accepted_and_refused_as_marked() {
    let cases = outside("wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json");
    let (mut valid, mut refused) = (0, 0);
    for group in cases["testGroups"].as_array().unwrap() {
        let key = bytes(&group["publicKey"]["uncompressed"]);
        let hash = keccak256(&[&key[1..]]);
        let address: Address = std::array::from_fn(|i| hash[12 + i]);
        for case in group["tests"].as_array().unwrap() {
            let digest: Word = Sha256::digest(bytes(&case["msg"])).into();
            let found = scalars(&bytes(&case["sig"])).is_some_and(|rs| accepted(&rs, &digest, &address));
            let expected = case["result"] == "valid" && case["tcId"] != LARGE_X;
            assert_eq!(found, expected, "{} {}", case["tcId"], case["comment"]);
            if found { valid += 1 } else { refused += 1 }
        }
    }
    assert_eq!((valid, refused), (161, 302));
}
