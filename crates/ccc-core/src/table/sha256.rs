//! SHA-256 of short messages, block by block, without the buffer of a hasher that takes any length.
//!
//! A table of n rows hashes 2n messages of two blocks and derives n salts; filling, padding and erasing a general
//! buffer would take half as long as the compressions. *Source*: FIPS 180-4, sections 5.1.1, 5.3.3 and 6.2.

use sha2::block_api::compress256;

const BLOCK_LEN: usize = 64;
/// Bytes of the message's length in bits, at the end of the last block.
const LENGTH_LEN: usize = 8;

/// The initial hash value.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The digest of the three parts together, which have 56 to 119 bytes.
///
/// *Security*: the parts may be secret; the copy of them is overwritten.
#[inline]
pub(super) fn of_two_blocks(parts: [&[u8]; 3]) -> [u8; 32] {
    let mut message = [0; 2 * BLOCK_LEN];
    let mut len = 0;
    for part in parts {
        message[len..len + part.len()].copy_from_slice(part);
        len += part.len();
    }
    debug_assert!((BLOCK_LEN - LENGTH_LEN..2 * BLOCK_LEN - LENGTH_LEN).contains(&len), "{len} bytes are two blocks");
    message[len] = 0x80;
    let bits = 8 * len as u64;
    message[2 * BLOCK_LEN - LENGTH_LEN..].copy_from_slice(&bits.to_be_bytes());
    let mut state = INITIAL;
    compress256(&mut state, message.as_chunks().0);
    message.fill(0);
    core::hint::black_box(&message);
    bytes(&state)
}

#[inline]
fn bytes(state: &[u32; 8]) -> [u8; 32] {
    let mut digest = [0; 32];
    for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn every_length_of_two_blocks_has_the_digest_of_the_hasher() {
        let bytes: [u8; 119] = core::array::from_fn(|i| u8::try_from(i * 7 % 251).expect("below 251"));
        for len in 56..=119 {
            let (head, rest) = bytes[..len].split_at(1);
            let (middle, tail) = rest.split_at(len / 3);
            let expected: [u8; 32] = Sha256::digest(&bytes[..len]).into();
            assert_eq!(of_two_blocks([head, middle, tail]), expected, "{len} bytes");
        }
    }
}
