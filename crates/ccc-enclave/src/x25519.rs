//! Secrets of X25519 in the form in which they are written.

use hpke::{Deserializable, Kem, kem::X25519HkdfSha256};

pub(crate) type Private = <X25519HkdfSha256 as Kem>::PrivateKey;

/// A secret of 32 bytes, clamped (RFC 7748, section 5): without this rule 2^5 strings are one secret.
pub(crate) fn secret(bytes: &[u8]) -> Option<Private> {
    let [first, .., last] = bytes else { return None };
    let clamped = first & 0x07 == 0 && last & 0xc0 == 0x40;
    Private::from_bytes(bytes).ok().filter(|_| clamped)
}
