//! Who somebody is on a connection: an Ed25519 key of the roster, as a raw public key.

use ccc_core::keys::ParticipantKeys;
use rustls::{
    Error, SignatureAlgorithm, SignatureScheme,
    pki_types::{CertificateDer, SubjectPublicKeyInfoDer},
    sign::{CertifiedKey, Signer, SigningKey},
};
use std::sync::Arc;

/// What stands before the 32 bytes of an Ed25519 key in a `SubjectPublicKeyInfo` (RFC 8410, section 4).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The keys by which a participant, or an authorised client, proves who it is.
///
/// *Security*: the key signs handshakes only ([`ParticipantKeys::sign_handshake`]); shares and envelopes are elsewhere.
#[derive(Clone)]
pub struct Identity(Arc<ParticipantKeys>);

impl Identity {
    /// The identity of these keys.
    #[must_use]
    pub fn new(keys: ParticipantKeys) -> Self {
        Self(Arc::new(keys))
    }

    /// The public key, 32 bytes, as a roster has it.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.0.public_keys().signing_key()
    }

    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        let spki = CertificateDer::from(spki(&self.public()));
        Arc::new(CertifiedKey::new(vec![spki], Arc::new(Key(self.clone()))))
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", hex::encode(self.public()))
    }
}

/// A key as RFC 7250 sends it.
pub(crate) fn spki(key: &[u8; 32]) -> Vec<u8> {
    [SPKI.as_slice(), key].concat()
}

/// The key of such a structure, if it is one of Ed25519.
pub(crate) fn key_of(spki: &[u8]) -> Option<[u8; 32]> {
    spki.strip_prefix(&SPKI)?.try_into().ok()
}

#[derive(Debug)]
struct Key(Identity);

impl SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SignatureScheme::ED25519).then(|| Box::new(Key(self.0.clone())) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(spki(&self.0.public()).into())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

impl Signer for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.0.0.sign_handshake(message).ok_or_else(|| Error::General("no handshake".into()))?;
        Ok(signature.to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}
