//! SHA-256 of short messages, block by block, without the buffer of a hasher that takes any length.
//!
//! A table of n rows hashes 2n messages of two blocks and derives n salts; filling, padding and erasing a general
//! buffer would take half as long as the compressions. Where there are many of one length, they are written several at a
//! time: a compression that reads what has just been written byte by byte waits for it. *Source*: FIPS 180-4, sections 5.1.1, 5.3.3 and 6.2.

use sha2::block_api::compress256;

const BLOCK_LEN: usize = 64;
/// Messages that are written before the first of them is hashed.
const TOGETHER: usize = 16;
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
    let len = parts.iter().map(|part| part.len()).sum();
    debug_assert!((BLOCK_LEN - LENGTH_LEN..2 * BLOCK_LEN - LENGTH_LEN).contains(&len), "{len} bytes are two blocks");
    let mut message = padded(len);
    let mut at = 0;
    for part in parts {
        message[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    let mut state = INITIAL;
    compress256(&mut state, message.as_chunks().0);
    message.fill(0);
    core::hint::black_box(&message);
    bytes(&state)
}

/// The digests of messages of `len` bytes, 56 to 119, each of which `put` writes to the front of its blocks; as many as
/// there are places for.
///
/// *Security*: the messages may be secret; the copies of them are overwritten.
#[inline]
pub(super) fn of_two_blocks_each<T>(
    len: usize,
    mut messages: impl Iterator<Item = T>,
    digests: &mut [[u8; 32]],
    put: impl Fn(T, &mut [u8; 2 * BLOCK_LEN]),
) {
    debug_assert!((BLOCK_LEN - LENGTH_LEN..2 * BLOCK_LEN - LENGTH_LEN).contains(&len), "{len} bytes are two blocks");
    let mut blocks = [padded(len); TOGETHER];
    for digests in digests.chunks_mut(TOGETHER) {
        for (blocks, message) in blocks.iter_mut().zip(messages.by_ref().take(digests.len())) {
            put(message, blocks);
        }
        for (blocks, digest) in blocks.iter().zip(digests) {
            let mut state = INITIAL;
            compress256(&mut state, blocks.as_chunks().0);
            *digest = bytes(&state);
        }
    }
    blocks.as_flattened_mut().fill(0);
    core::hint::black_box(&blocks);
}

/// Two blocks that end as those of a message of `len` bytes do.
fn padded(len: usize) -> [u8; 2 * BLOCK_LEN] {
    let mut blocks = [0; 2 * BLOCK_LEN];
    blocks[len] = 0x80;
    let bits = 8 * len as u64;
    blocks[2 * BLOCK_LEN - LENGTH_LEN..].copy_from_slice(&bits.to_be_bytes());
    blocks
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
    use alloc::{vec, vec::Vec};
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

    #[test]
    fn messages_that_are_hashed_together_have_the_digests_of_the_hasher() {
        for (len, count) in [(56, 1), (65, 15), (97, 16), (97, 17), (119, 40), (65, 0)] {
            let messages: Vec<Vec<u8>> = (0..count).map(|number| vec![number; len]).collect();
            let mut digests = vec![[0; 32]; messages.len()];
            of_two_blocks_each(len, messages.iter(), &mut digests, |message, blocks| {
                blocks[..len].copy_from_slice(message);
            });
            let expected: Vec<[u8; 32]> = messages.iter().map(|message| Sha256::digest(message).into()).collect();
            assert_eq!(digests, expected, "{count} of {len} bytes");
        }
    }
}
