//! From the shared element K to the key of the body and its commitment.
//!
//! *Source*: hashed ElGamal as in TDH2 (Shoup and Gennaro 2002), with HKDF (RFC 5869) over SHA-512 for the hash and
//! ChaCha20-Poly1305 (RFC 8439) for the pad; changed: a key commitment is derived beside the key (Albertini et al. 2022).

use super::label::LABEL_LEN;
use crate::keys::MasterPublicKey;
use crate::point::Encoded;
use crate::suite::{SUITE_BYTES, digest32, domain, kdf, length_prefixed};
use alloc::vec::Vec;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hkdf::Hkdf;
use sha2::Sha512;
use zeroize::Zeroizing;

/// Bytes that the cipher adds to a body.
pub(crate) const TAG_LEN: usize = 16;

/// The public half of the encapsulation: everything that the key derivation hashes besides K.
pub(crate) struct Context<'a> {
    pub(crate) header: &'a [u8; 8],
    pub(crate) master: &'a MasterPublicKey,
    pub(crate) u: &'a Encoded,
    pub(crate) u_bar: &'a Encoded,
    pub(crate) label: &'a [u8; LABEL_LEN],
}

/// k ‖ c: the body's key, used once, and the commitment to it.
pub(crate) struct BodyKey(Zeroizing<[u8; 64]>);

/// The cipher refused: a wrong key or altered bytes.
pub(crate) struct Refused;

impl Context<'_> {
    /// HKDF(K; salt "ccc/v1/kem", info LP(S)‖LP(header)‖LP(Y)‖LP(U)‖LP(Ū)‖LP(label)).
    pub(crate) fn derive(&self, k: &Encoded) -> BodyKey {
        let mut info = Vec::with_capacity(6 * 4 + 2 + 8 + 3 * 32 + LABEL_LEN);
        let fields: [&[u8]; 6] =
            [&SUITE_BYTES, self.header, self.master.bytes(), self.u.bytes(), self.u_bar.bytes(), self.label];
        for field in fields {
            length_prefixed(&mut info, field);
        }
        let mut okm = Zeroizing::new([0; 64]);
        Hkdf::<Sha512>::new(Some(kdf::KEM), k.bytes())
            .expand(&info, okm.as_mut_slice())
            .expect("64 bytes are one block of HKDF-SHA-512");
        BodyKey(okm)
    }

    /// digest32 H("body-aad"; header, label, U, Ū, c).
    pub(crate) fn associated_data(&self, commitment: &[u8; 32]) -> [u8; 32] {
        digest32(domain::BODY_AAD, &[self.header, self.label, self.u.bytes(), self.u_bar.bytes(), commitment])
    }
}

impl BodyKey {
    /// c, which goes on the wire.
    pub(crate) fn commitment(&self) -> [u8; 32] {
        let mut c = [0; 32];
        c.copy_from_slice(&self.0[32..]);
        c
    }

    #[cfg(test)]
    pub(crate) fn cipher_key(&self) -> [u8; 32] {
        self.0[..32].try_into().unwrap()
    }

    /// Seals the padded message in its own buffer.
    pub(crate) fn seal(self, aad: &[u8], mut body: Zeroizing<Vec<u8>>) -> Result<Vec<u8>, Refused> {
        self.cipher().encrypt_in_place(&Nonce::default(), aad, &mut *body).map_err(|_| Refused)?;
        Ok(core::mem::take(&mut *body))
    }

    /// Opens a body.
    pub(crate) fn open(self, aad: &[u8], body: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let mut buffer = Zeroizing::new(body.to_vec());
        self.cipher().decrypt_in_place(&Nonce::default(), aad, &mut *buffer).map_err(|_| Refused)?;
        Ok(buffer)
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(&self.0[..32]);
        ChaCha20Poly1305::new((&*key).into())
    }
}
