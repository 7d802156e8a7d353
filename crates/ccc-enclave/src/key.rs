//! The X25519 key of somebody to whom the enclave seals, or who seals to the enclave. HPKE base mode, X25519 /
//! HKDF-SHA-256 / ChaCha20-Poly1305.
//!
//! *Layout* of a message: encapsulated key 32 ‖ ciphertext with its tag.

use hpke::{
    Deserializable, HpkeError, Kem, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::X25519HkdfSha256,
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

type Private = <X25519HkdfSha256 as Kem>::PrivateKey;
type Public = <X25519HkdfSha256 as Kem>::PublicKey;
type Encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey;

/// What a sealed message is longer than its plaintext: encapsulated key and tag.
pub(crate) const SEAL_OVERHEAD: usize = 48;

/// The secret key of a reader: the agent, an owner with a query, an auditor.
///
/// *Security*: no `Clone`, no `Debug`.
pub(crate) struct OpeningKey(Private);

impl OpeningKey {
    /// A fresh key.
    pub(crate) fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0u8; 32]);
        rng.fill_bytes(seed.as_mut_slice());
        Self(X25519HkdfSha256::derive_keypair(seed.as_slice()).0)
    }

    /// A key from its 32 bytes, clamped (RFC 7748, section 5): without this rule 2^5 strings are one secret. Nothing for
    /// others and for another length.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let [first, .., last] = bytes else { return None };
        let clamped = first & 0x07 == 0 && last & 0xc0 == 0x40;
        Private::from_bytes(bytes).map(Self).ok().filter(|_| clamped)
    }

    /// The 32 secret bytes.
    pub(crate) fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes().into())
    }

    /// The public key.
    pub(crate) fn public(&self) -> [u8; 32] {
        X25519HkdfSha256::sk_to_pk(&self.0).to_bytes().into()
    }

    /// Opens a message; nothing where it was sealed to another key, under another info or associated data, or altered.
    pub(crate) fn open(&self, info: &[u8], aad: &[u8], message: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (enc, ciphertext) = message.split_first_chunk::<32>()?;
        let enc = Encapsulated::from_bytes(enc).ok()?;
        let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.0,
            &enc,
            info,
            ciphertext,
            aad,
        );
        opened.map(Zeroizing::new).ok()
    }
}

/// Whether a message can be sealed to these bytes: not for a point of small order, which gives the same secret with every key.
///
/// *Source*: RFC 9180, section 7.1.4. The public keys of both sides are values of one kind, so a receiver that takes
/// them as an encapsulated key does the check of the sender.
pub(crate) fn takes_messages(public: &[u8; 32]) -> bool {
    let Ok(encapsulated) = Encapsulated::from_bytes(public) else { return false };
    let (any, _) = X25519HkdfSha256::derive_keypair(&[0; 32]);
    let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &any,
        &encapsulated,
        &[],
        &[0; 16],
        &[],
    );
    !matches!(opened, Err(HpkeError::DecapError))
}

/// Encapsulated key ‖ ciphertext; nothing for bytes that are no key.
pub(crate) fn seal_message(
    public: &[u8; 32],
    info: &[u8],
    aad: &[u8],
    plain: &[u8],
    rng: &mut impl CryptoRng,
) -> Option<Vec<u8>> {
    let key = Public::from_bytes(public).ok()?;
    let (enc, sealed) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &key,
        info,
        plain,
        aad,
        rng,
    )
    .ok()?;
    Some([enc.to_bytes().as_slice(), &sealed].concat())
}
