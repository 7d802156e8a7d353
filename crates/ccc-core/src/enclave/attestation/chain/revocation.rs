//! One list of revoked certificates, and a chain held against several.
//!
//! *Source*: RFC 5280, section 5. A list is taken for whole: it speaks for certificates that its signer issued, the
//! signer's own among them where it is a root. Partial and indirect lists say so in a critical extension, and are refused.

use super::super::evidence::Window;
use super::super::revocation::{RevocationError, RevocationLists};
use super::{Certificate, Issuers, PublicKey};
use alloc::vec::Vec;
use der::asn1::BitStringRef;
use der::{Decode, Encode, Reader, SliceReader};
use x509_cert::crl::TbsCertList;
use x509_cert::ext::Extension;

/// A list whose bytes are DER. Its signature is not checked.
pub(in super::super) struct RevocationList<'a> {
    signed: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
    fields: TbsCertList,
}

impl<'a> RevocationList<'a> {
    pub(in super::super) fn parse(bytes: &'a [u8], list: usize) -> Result<Self, RevocationError> {
        let found = Self::decode(bytes).map_err(|_| RevocationError::Encoding { list })?;
        let critical = |all: &Option<Vec<Extension>>| all.iter().flatten().any(|extension| extension.critical);
        let entries = found.fields.revoked_certificates.iter().flatten();
        if critical(&found.fields.crl_extensions)
            || entries.into_iter().any(|entry| critical(&entry.crl_entry_extensions))
        {
            return Err(RevocationError::Extension { list });
        }
        Ok(found)
    }

    fn decode(bytes: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(bytes)?;
        let (signed, algorithm, signature) = reader.sequence(|reader| {
            let (signed, algorithm) = (reader.tlv_bytes()?, reader.tlv_bytes()?);
            der::Result::Ok((signed, algorithm, BitStringRef::decode(reader)?))
        })?;
        reader.finish()?;
        let fields = TbsCertList::from_der(signed)?;
        let signature = signature.as_bytes().ok_or(der::ErrorKind::Failed)?;
        if fields.signature.to_der()? != algorithm {
            return Err(der::ErrorKind::Failed.into());
        }
        Ok(Self { signed, algorithm, signature, fields })
    }

    /// Whether it is the issuer's, and then genuine and current.
    fn speaks_for(
        &self,
        issuer: &Certificate<'_>,
        issuers: Issuers,
        now: u64,
        list: usize,
    ) -> Result<bool, RevocationError> {
        if !issuer.is_named(&self.fields.issuer) {
            return Ok(false);
        }
        let usage = issuer.usage(0).ok().flatten().is_some_and(|usage| usage.crl_sign());
        let key = PublicKey::of(issuer, issuers, 0).map_err(|_| RevocationError::Usage { list })?;
        if !usage || !issuers.algorithms().contains(&self.algorithm) {
            return Err(RevocationError::Usage { list });
        }
        if !key.verifies(self.signed, self.signature) {
            return Err(RevocationError::Signature { list });
        }
        let Window { not_before, not_after } = self.window();
        if !self.window().contains(now) {
            return Err(RevocationError::Validity { list, not_before, not_after, now });
        }
        Ok(true)
    }

    /// A list without an end is over.
    fn window(&self) -> Window {
        let end = self.fields.next_update.map_or(0, |time| time.to_unix_duration().as_secs());
        Window { not_before: self.fields.this_update.to_unix_duration().as_secs(), not_after: end }
    }

    fn names(&self, certificate: &Certificate<'_>) -> bool {
        let entries = self.fields.revoked_certificates.iter().flatten();
        entries.into_iter().any(|entry| certificate.has_serial(&entry.serial_number))
    }
}

/// Holds a chain, from the leaf to the root, against lists.
pub(in super::super) fn check_revocation(
    chain: &[Certificate<'_>],
    root: &Certificate<'_>,
    issuers: Issuers,
    lists: &RevocationLists,
    now: u64,
) -> Result<(), RevocationError> {
    let read = lists.lists().iter().enumerate().map(|(list, bytes)| RevocationList::parse(bytes, list));
    let read = read.collect::<Result<Vec<_>, _>>()?;
    let mut of_root = false;
    let upwards: Vec<&Certificate<'_>> = chain.iter().chain([root, root]).collect();
    for (position, pair) in upwards.windows(2).enumerate() {
        for (list, found) in read.iter().enumerate() {
            if !found.speaks_for(pair[1], issuers, now, list)? {
                continue;
            }
            of_root |= position + 2 == upwards.len();
            if found.names(pair[0]) {
                return Err(RevocationError::Revoked { position, list });
            }
        }
    }
    if of_root { Ok(()) } else { Err(RevocationError::Missing { given: read.len() }) }
}
