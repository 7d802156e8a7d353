//! ChaCha20-Poly1305 from its two halves, so that Poly1305 takes every stride of four blocks in one.
//!
//! The crate `poly1305` keeps four blocks in one vector. Where something that is not four blocks stands before the
//! message, as the two blocks of a digest do, it takes the rest block by block, which is 12 ns for 64 bytes more. Here
//! associated data and message go to it in strides of four blocks whatever their lengths, and a message is sealed in
//! pieces that stay in the nearest cache between the two halves. *Source*: RFC 8439, section 2.8; the slow twin is the
//! crate `chacha20poly1305`.
//!
//! *Timing*: depends on lengths alone; tags are compared in constant time.

use super::seal::TAG_LEN;
use chacha20::{
    ChaCha20,
    cipher::{KeyIvInit, StreamCipher},
};
use poly1305::{
    Block, Poly1305,
    universal_hash::{KeyInit, UniversalHash},
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes of one block of ChaCha20, and of four of Poly1305.
const STRIDE: usize = 64;
/// Bytes of a block of Poly1305.
const BLOCK: usize = 16;
/// Bytes that are enciphered and then hashed: a multiple of the widest backend's sixteen blocks.
const PIECE: usize = 8 * 1024;
/// Bytes of key stream that are made at once at the start: the sixteen blocks of the widest backend, which makes fewer of
/// them far more slowly. The first block is the key of the hash, the others seal the head of the message.
const START: usize = 16 * STRIDE;
/// Why the key stream does not end: RFC 8439 has 2^32 blocks for a nonce.
const LIMIT: &str = "a message is far below the cipher's limit of 256 GiB";

/// A key, erased when dropped.
pub(super) struct ChaChaPoly(Zeroizing<[u8; 32]>);

impl ChaChaPoly {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*key))
    }

    /// Seals `plain` into `sealed`, which is as long, and returns the tag.
    ///
    /// *Security*: a nonce MUST NOT be used again under the same key.
    pub(super) fn seal(&self, nonce: &[u8; 12], aad: &[u8], plain: &[u8], sealed: &mut [u8]) -> [u8; TAG_LEN] {
        debug_assert_eq!(plain.len(), sealed.len());
        let mut head = Head([0; START]);
        let (mut stream, mut mac) = self.start(nonce, aad, &mut head);
        let len = plain.len();
        let (first, plain) = plain.split_at(len.min(START - STRIDE));
        let (made, sealed) = sealed.split_at_mut(first.len());
        xor(&head.0[STRIDE..], first, made);
        mac.update(made);
        for (plain, sealed) in plain.chunks(PIECE).zip(sealed.chunks_mut(PIECE)) {
            stream.try_apply_keystream_b2b(plain, sealed).expect(LIMIT);
            mac.update(sealed);
        }
        mac.finish(aad.len(), len)
    }

    /// Opens `sealed` into `plain`, which is as long; `None`, and nothing written, where the tag does not fit.
    pub(super) fn open(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        sealed: &[u8],
        tag: &[u8; TAG_LEN],
        plain: &mut [u8],
    ) -> Option<()> {
        let mut head = Head([0; START]);
        let (mut stream, mut mac) = self.start(nonce, aad, &mut head);
        mac.update(sealed);
        let fits: bool = mac.finish(aad.len(), sealed.len()).ct_eq(tag).into();
        if !fits {
            return None;
        }
        let (first, sealed) = sealed.split_at(sealed.len().min(START - STRIDE));
        let (made, plain) = plain.split_at_mut_checked(first.len())?;
        xor(&head.0[STRIDE..], first, made);
        stream.try_apply_keystream_b2b(sealed, plain).ok()
    }

    /// The key stream from block 16 on, and the hash under the key in block 0 with the associated data taken up. The blocks
    /// before go into `head`, which stays where its owner has it: a move would leave a copy behind.
    fn start(&self, nonce: &[u8; 12], aad: &[u8], head: &mut Head) -> (ChaCha20, Mac) {
        let mut stream = ChaCha20::new((&*self.0).into(), nonce.into());
        stream.apply_keystream(&mut head.0);
        let key = head.0.first_chunk::<32>().expect("1 024 bytes hold 32");
        let mut mac = Mac { hash: Poly1305::new(key.into()), waiting: [0; STRIDE], filled: 0 };
        mac.update(aad);
        mac.pad();
        (stream, mac)
    }
}

/// The first blocks of a key stream, zeros before they are made. Erased when dropped.
struct Head([u8; START]);

impl Drop for Head {
    /// A fill, for erasing byte by byte would take longer than making them; the barrier keeps it.
    fn drop(&mut self) {
        self.0.fill(0);
        core::hint::black_box(&self.0);
    }
}

/// `to` becomes `from` under the key stream; all have the length of `from` at least.
fn xor(stream: &[u8], from: &[u8], to: &mut [u8]) {
    for ((to, from), stream) in to.iter_mut().zip(from).zip(stream) {
        *to = from ^ stream;
    }
}

/// Poly1305 with what waits for a whole stride.
struct Mac {
    hash: Poly1305,
    waiting: [u8; STRIDE],
    filled: usize,
}

impl Mac {
    fn update(&mut self, bytes: &[u8]) {
        let (head, rest) = bytes.split_at(bytes.len().min((STRIDE - self.filled) % STRIDE));
        self.keep(head);
        let (strides, tail) = rest.split_at(rest.len() / STRIDE * STRIDE);
        self.hash.update(Block::slice_as_chunks(strides).0);
        self.keep(tail);
    }

    /// Takes what fits into the stride that waits.
    fn keep(&mut self, bytes: &[u8]) {
        let end = self.filled + bytes.len();
        self.waiting[self.filled..end].copy_from_slice(bytes);
        self.filled = end % STRIDE;
        if end == STRIDE {
            self.hash.update(Block::slice_as_chunks(&self.waiting).0);
        }
    }

    /// Zeros up to the next block.
    fn pad(&mut self) {
        let missing = self.filled.next_multiple_of(BLOCK) - self.filled;
        self.keep(&[0; BLOCK][..missing]);
    }

    /// The tag, over the padded message and both lengths.
    fn finish(mut self, aad: usize, message: usize) -> [u8; TAG_LEN] {
        self.pad();
        self.keep(&(aad as u64).to_le_bytes());
        self.keep(&(message as u64).to_le_bytes());
        self.hash.update(Block::slice_as_chunks(&self.waiting[..self.filled]).0);
        self.hash.finalize().into()
    }
}

#[cfg(test)]
mod tests;
