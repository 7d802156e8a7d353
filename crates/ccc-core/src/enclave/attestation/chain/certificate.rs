//! One certificate: its signed bytes as they came, and its fields.

use super::super::evidence::Window;
use super::{ChainError, Issuers, MAX_CERTIFICATE};
use der::asn1::{BitStringRef, ObjectIdentifier};
use der::oid::AssociatedOid;
use der::{Decode, Encode, Reader, SliceReader};
use p384::ecdsa::VerifyingKey;
use x509_cert::TbsCertificate;
use x509_cert::certificate::Version;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;

/// AlgorithmIdentifier of ECDSA with SHA-384 (RFC 5758, section 3.2).
#[cfg(feature = "nitro")]
const ECDSA_SHA384: &[u8] = &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];

/// AlgorithmIdentifier of RSASSA-PSS with SHA-384 and 48 bytes of salt (RFC 4055, section 3.1): trailer field left out.
#[cfg(feature = "snp")]
const RSA_PSS_SHA384: &[u8] = &[
    0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x34, 0xa0, 0x0f, 0x30, 0x0d,
    0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09,
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
    0x04, 0x02, 0x02, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x30,
];

/// The same with the trailer field written out, as AMD's certificates before Turin have it.
#[cfg(feature = "snp")]
const RSA_PSS_SHA384_TRAILER: &[u8] = &[
    0x30, 0x46, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x39, 0xa0, 0x0f, 0x30, 0x0d,
    0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09,
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
    0x04, 0x02, 0x02, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x30, 0xa3, 0x03, 0x02, 0x01, 0x01,
];

/// A certificate whose bytes are DER of version 3. Its signature is not checked.
pub(in super::super) struct Certificate<'a> {
    bytes: &'a [u8],
    signed: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
    fields: TbsCertificate,
}

impl Issuers {
    /// AlgorithmIdentifiers with which a maker's authorities sign.
    pub(super) fn algorithms(self) -> &'static [&'static [u8]] {
        match self {
            #[cfg(feature = "nitro")]
            Self::P384 => &[ECDSA_SHA384],
            #[cfg(feature = "snp")]
            Self::RsaPss => &[RSA_PSS_SHA384, RSA_PSS_SHA384_TRAILER],
        }
    }
}

impl<'a> Certificate<'a> {
    pub(in super::super) fn parse(bytes: &'a [u8], position: usize) -> Result<Self, ChainError> {
        if bytes.len() > MAX_CERTIFICATE {
            return Err(ChainError::Encoding { position });
        }
        let certificate = Self::decode(bytes).map_err(|_| ChainError::Encoding { position })?;
        certificate.check_extensions(position)?;
        Ok(certificate)
    }

    fn decode(bytes: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(bytes)?;
        let (signed, algorithm, signature) = reader.sequence(|reader| {
            let (signed, algorithm) = (reader.tlv_bytes()?, reader.tlv_bytes()?);
            der::Result::Ok((signed, algorithm, BitStringRef::decode(reader)?))
        })?;
        reader.finish()?;
        let fields = TbsCertificate::from_der(signed)?;
        let signature = signature.as_bytes().ok_or(der::ErrorKind::Failed)?;
        if fields.version() != Version::V3 || fields.signature().to_der()? != algorithm {
            return Err(der::ErrorKind::Failed.into());
        }
        Ok(Self { bytes, signed, algorithm, signature, fields })
    }

    /// No critical extension but the two that are read here, and none twice.
    fn check_extensions(&self, position: usize) -> Result<(), ChainError> {
        let all = self.extensions();
        for (at, extension) in all.iter().enumerate() {
            let known = [BasicConstraints::OID, KeyUsage::OID].contains(&extension.extn_id);
            let twice = all[..at].iter().any(|other| other.extn_id == extension.extn_id);
            if twice || (extension.critical && !known) {
                return Err(ChainError::Extension { position });
            }
        }
        Ok(())
    }

    fn extensions(&self) -> &[Extension] {
        self.fields.extensions().map_or(&[], |all| all.as_slice())
    }

    /// The value of an extension, as it stands.
    pub(in super::super) fn extension(&self, oid: ObjectIdentifier) -> Option<&[u8]> {
        self.extensions().iter().find(|found| found.extn_id == oid).map(|found| found.extn_value.as_bytes())
    }

    fn read<'b, T: Decode<'b> + AssociatedOid>(&'b self, position: usize) -> Result<Option<T>, ChainError> {
        let value = self.extension(T::OID);
        value.map(|bytes| T::from_der(bytes).map_err(|_| ChainError::Encoding { position })).transpose()
    }

    pub(super) fn constraints(&self, position: usize) -> Result<Option<BasicConstraints>, ChainError> {
        self.read(position)
    }

    pub(super) fn usage(&self, position: usize) -> Result<Option<KeyUsage>, ChainError> {
        self.read(position)
    }

    pub(in super::super) fn issued_by(&self, issuer: &Certificate<'_>) -> bool {
        self.fields.issuer() == issuer.fields.subject()
    }

    /// Both places that name the algorithm say the same, byte for byte: [`Self::parse`] saw to it.
    pub(super) fn check_algorithm(&self, issuers: Issuers, position: usize) -> Result<(), ChainError> {
        let expected = match issuers {
            #[cfg(feature = "nitro")]
            Issuers::P384 => "ECDSA with SHA-384",
            #[cfg(feature = "snp")]
            Issuers::RsaPss => "RSASSA-PSS with SHA-384",
        };
        let known = issuers.algorithms().contains(&self.algorithm);
        if known { Ok(()) } else { Err(ChainError::Algorithm { position, expected }) }
    }

    pub(super) fn is_named(&self, name: &Name) -> bool {
        self.fields.subject() == name
    }

    pub(super) fn has_serial(&self, serial: &SerialNumber) -> bool {
        self.fields.serial_number() == serial
    }

    pub(in super::super) fn signed(&self) -> (&'a [u8], &'a [u8]) {
        (self.signed, self.signature)
    }

    pub(in super::super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub(in super::super) fn window(&self) -> Window {
        let validity = self.fields.validity();
        let (not_before, not_after) = (validity.not_before, validity.not_after);
        Window {
            not_before: not_before.to_unix_duration().as_secs(),
            not_after: not_after.to_unix_duration().as_secs(),
        }
    }

    /// SubjectPublicKeyInfo in DER.
    pub(super) fn public_key(&self) -> der::Result<alloc::vec::Vec<u8>> {
        self.fields.subject_public_key_info().to_der()
    }

    /// The subject's key on P-384.
    pub(in super::super) fn p384(&self, position: usize) -> Result<VerifyingKey, ChainError> {
        let encoding = |_| ChainError::Encoding { position };
        super::key::p384(&self.public_key().map_err(encoding)?, position)
    }
}
