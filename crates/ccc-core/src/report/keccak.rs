//! Keccak-256, and the workflow names that are made with SHA-256.

use sha2::Sha256;
use sha3::{Digest, Keccak256};

/// Keccak-256 over the concatenation of `parts`, the hash of the EVM.
#[must_use]
pub fn keccak256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Keccak256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// The name that a forwarder carries for a workflow: the first ten hexadecimal characters of the
/// SHA-256 of its readable name, in ASCII.
///
/// *Source*: Chainlink's receivers (`bytes10 workflowName`).
///
/// *Security*: forty bits. The name tells workflows apart and authorises nothing.
#[must_use]
pub fn workflow_name(name: &str) -> [u8; 10] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let hash: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    let mut out = [0; 10];
    for (pair, byte) in out.chunks_exact_mut(2).zip(hash) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workflow_name_is_the_one_the_receivers_compute() {
        let expected: [u8; 10] = hex::decode("62373666336165316465").unwrap().try_into().unwrap();
        assert_eq!(workflow_name("my_workflow"), expected);
    }

    #[test]
    fn keccak_of_nothing_is_the_known_value() {
        let expected = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
        assert_eq!(hex::encode(keccak256(&[])), expected);
        assert_eq!(keccak256(&[b"ab", b"c"]), keccak256(&[b"abc"]));
    }
}
