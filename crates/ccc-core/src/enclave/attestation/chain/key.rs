//! Keys that sign certificates and evidence.

use super::{Certificate, ChainError, Issuers};
#[cfg(feature = "nitro")]
use p384::ecdsa::DerSignature;
use p384::ecdsa::signature::Verifier;
use p384::ecdsa::{Signature, VerifyingKey};

/// SubjectPublicKeyInfo of an uncompressed point of P-384, up to the point's tag (RFC 5480, section 2).
const P384_PREFIX: &[u8] = &[
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00,
    0x22, 0x03, 0x62, 0x00,
];

/// An issuer's key.
pub(in super::super) enum PublicKey {
    #[cfg(feature = "nitro")]
    P384(VerifyingKey),
    #[cfg(feature = "snp")]
    Rsa(rsa::RsaPublicKey),
}

impl PublicKey {
    pub(super) fn of(issuer: &Certificate<'_>, issuers: Issuers, position: usize) -> Result<Self, ChainError> {
        match issuers {
            #[cfg(feature = "nitro")]
            Issuers::P384 => issuer.p384(position).map(Self::P384),
            #[cfg(feature = "snp")]
            Issuers::RsaPss => rsa_key(issuer, position).map(Self::Rsa),
        }
    }

    /// Whether it signed these bytes. A signature has one form: DER for ECDSA, the modulus's length for RSA.
    pub(super) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        match self {
            #[cfg(feature = "nitro")]
            Self::P384(key) => DerSignature::try_from(signature).is_ok_and(|found| key.verify(signed, &found).is_ok()),
            #[cfg(feature = "snp")]
            Self::Rsa(key) => {
                let verifier = rsa::pss::VerifyingKey::<sha2::Sha384>::new(key.clone());
                rsa::pss::Signature::try_from(signature).is_ok_and(|found| verifier.verify(signed, &found).is_ok())
            }
        }
    }
}

/// A key of at most 4096 bits under rsaEncryption.
#[cfg(feature = "snp")]
fn rsa_key(issuer: &Certificate<'_>, position: usize) -> Result<rsa::RsaPublicKey, ChainError> {
    use rsa::pkcs8::DecodePublicKey;
    let key = issuer.public_key().map_err(|_| ChainError::Encoding { position })?;
    rsa::RsaPublicKey::from_public_key_der(&key).map_err(|_| ChainError::Key { position, expected: "RSA" })
}

/// The point in a SubjectPublicKeyInfo of P-384.
pub(super) fn p384(public_key: &[u8], position: usize) -> Result<VerifyingKey, ChainError> {
    let wrong = ChainError::Key { position, expected: "P-384" };
    let point = public_key.strip_prefix(P384_PREFIX).ok_or(wrong.clone())?;
    VerifyingKey::from_sec1_bytes(point).map_err(|_| wrong)
}

/// Whether the key signed these bytes; r and s of 48 bytes each, big-endian.
pub(in super::super) fn check_p384(key: &VerifyingKey, signed: &[u8], signature: &[u8; 96]) -> bool {
    Signature::from_slice(signature).is_ok_and(|found| key.verify(signed, &found).is_ok())
}
