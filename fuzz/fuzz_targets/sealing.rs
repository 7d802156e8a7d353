//! The seal of a version, written a second time from `docs/spec/table.md`, for rows that no update gives.

use ccc_core::{
    suite::{digest, kdf},
    table::{CHUNK_LEN, Node, P0_LEN, ROW_LEN, SEALED_CHUNK_LEN, body_root, state_leaf},
};
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256, Sha512};

type P0 = [u8; P0_LEN];

/// Body root, key commitment and state root: what P1 adds to P0.
pub type Roots = [[u8; 32]; 3];

/// HKDF(data key; salt, info P0).
fn derive<const N: usize>(key: &[u8], salt: &[u8], p0: &P0) -> [u8; N] {
    let mut out = [0; N];
    Hkdf::<Sha512>::new(Some(salt), key).expand(p0, &mut out).expect("at most 64 bytes");
    out
}

/// Body key and key commitment.
fn body_keys(key: &[u8], p0: &P0) -> (ChaCha20Poly1305, [u8; 32]) {
    let both: [u8; 64] = derive(key, kdf::TABLE, p0);
    let (body_key, commitment) = both.split_first_chunk::<32>().expect("64 bytes hold 32");
    (ChaCha20Poly1305::new(body_key.into()), commitment.try_into().expect("32 bytes are left"))
}

/// u96be(chunk index).
fn nonce(index: usize) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[8..].copy_from_slice(&u32::try_from(index).expect("few chunks").to_be_bytes());
    nonce
}

fn state_root(key: &[u8], p0: &P0, plain: &[u8]) -> Node {
    let salts = Hmac::<Sha256>::new_from_slice(&derive::<32>(key, kdf::TABLE_SALT, p0)).expect("a key of any length");
    let leaf = |(index, row): (u32, &[u8; ROW_LEN])| {
        let salt = salts.clone().chain_update(index.to_be_bytes()).finalize().into_bytes();
        state_leaf(&salt.into(), row)
    };
    let mut level: Vec<Node> = (0..).zip(plain.as_chunks().0).map(leaf).collect();
    while level.len() > 1 {
        let node = |pair: &[Node; 2]| Sha256::digest([&[1], pair.as_flattened()].concat()).into();
        level = level.as_chunks().0.iter().map(node).collect();
    }
    level[0]
}

/// The body with these rows, and its roots.
pub fn seal(key: &[u8], p0: &P0, plain: &[u8]) -> (Vec<u8>, Roots) {
    let ((cipher, commitment), aad) = (body_keys(key, p0), digest(p0));
    let seal = |(index, msg)| cipher.encrypt(&nonce(index).into(), Payload { msg, aad: &aad }).expect("short enough");
    let body = plain.chunks(CHUNK_LEN).enumerate().map(seal).collect::<Vec<_>>().concat();
    let roots = [body_root(&body), commitment, state_root(key, p0, plain)];
    (body, roots)
}

/// The rows of a body, and its roots.
pub fn open(key: &[u8], p0: &P0, body: &[u8]) -> (Vec<u8>, Roots) {
    let ((cipher, commitment), aad) = (body_keys(key, p0), digest(p0));
    let open = |(index, msg)| cipher.decrypt(&nonce(index).into(), Payload { msg, aad: &aad }).expect("a true tag");
    let plain = body.chunks(SEALED_CHUNK_LEN).enumerate().map(open).collect::<Vec<_>>().concat();
    let roots = [body_root(body), commitment, state_root(key, p0, &plain)];
    (plain, roots)
}
