//! Which certificates their issuers took back: lists that the verifier was given, since neither AWS's nor AMD's travel
//! with the evidence. Intel's travel in the collateral.

use alloc::vec::Vec;

/// Greatest length of one list.
pub const MAX_REVOCATION_LIST: usize = 1 << 20;
/// Greatest number of lists.
pub const MAX_REVOCATION_LISTS: usize = 32;

/// Revocation lists of AWS and AMD in DER. Where there are any, every chain of these two makers needs the one of its root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevocationLists(Vec<Vec<u8>>);

/// Why revocation lists refuse a chain, or are none. Positions are counted from 0: of certificates from the leaf.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationError {
    /// Bytes that are not a list of version 2 in DER, or too many of them.
    #[error("revocation list {list}: not a list of version 2 in DER, of at most 1 MiB")]
    Encoding {
        /// Which list.
        list: usize,
    },
    /// More lists than are read.
    #[error("{found} revocation lists, where at most {max} are read")]
    Lists {
        /// How many.
        found: usize,
        /// [`MAX_REVOCATION_LISTS`].
        max: usize,
    },
    /// A critical extension, of the list or of an entry: of a partial list, for one.
    #[error("revocation list {list}: a critical extension that is not understood")]
    Extension {
        /// Which list.
        list: usize,
    },
    /// An issuer that signs no lists, or another algorithm than its maker's.
    #[error("revocation list {list}: its issuer may not sign lists, or not with this algorithm")]
    Usage {
        /// Which list.
        list: usize,
    },
    /// Not signed by the certificate whose name it has.
    #[error("revocation list {list}: not signed by the key of its issuer")]
    Signature {
        /// Which list.
        list: usize,
    },
    /// A list from the past or the future, or one that says no end.
    #[error("revocation list {list} is valid from {not_before} to {not_after}, and it is {now}")]
    Validity {
        /// Which list.
        list: usize,
        /// When it was made.
        not_before: u64,
        /// When the next one is due; 0 where it does not say.
        not_after: u64,
        /// The time given.
        now: u64,
    },
    /// Lists were given, and none of this root's.
    #[error("no revocation list of the chain's root is among the {given}")]
    Missing {
        /// How many were given.
        given: usize,
    },
    /// Its issuer took it back.
    #[error("certificate {position} is revoked, says revocation list {list}")]
    Revoked {
        /// Which certificate.
        position: usize,
        /// Which list.
        list: usize,
    },
}

impl RevocationLists {
    /// Adds a list. Its form is read now where a verifier of the makers is built; who signed it and when, at every use.
    ///
    /// # Errors
    /// [`RevocationError::Lists`], [`RevocationError::Encoding`].
    pub fn add(&mut self, list: Vec<u8>) -> Result<(), RevocationError> {
        let (found, max) = (self.0.len() + 1, MAX_REVOCATION_LISTS);
        if found > max {
            return Err(RevocationError::Lists { found, max });
        }
        if list.len() > MAX_REVOCATION_LIST {
            return Err(RevocationError::Encoding { list: self.0.len() });
        }
        #[cfg(any(feature = "nitro", feature = "snp"))]
        super::chain::RevocationList::parse(&list, self.0.len())?;
        self.0.push(list);
        Ok(())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cfg(any(feature = "nitro", feature = "snp"))]
    pub(super) fn lists(&self) -> &[Vec<u8>] {
        &self.0
    }
}

#[cfg(all(test, feature = "snp"))]
mod tests;
