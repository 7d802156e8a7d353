//! Evidence of several enclaves in one answer: of makers that have to vouch together for the same keys and request.

use super::{MAX_EVIDENCE, ProviderKind};
use crate::encoding::{EncodingError, Kind, Reader, header};
use alloc::vec::Vec;

/// What stands where the number of a provider does.
const SEVERAL: u8 = 0;
/// Greatest number of pieces: one of each maker, the stand-in among them.
pub const MAX_PIECES: usize = 4;

/// One piece of evidence, or several. Nothing of them is verified.
///
/// The first is of the enclave that holds the keys, whose measurement the recipient names; the others vouch for it.
///
/// *Layout* of several: header 8 ‖ u8 0 ‖ count u8, 2 to 4 ‖ count × LP(evidence of one provider); at most 64 KiB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceList<'a>(Vec<&'a [u8]>);

impl<'a> EvidenceList<'a> {
    /// Reads evidence as it travels. Of one piece only header and provider are read.
    ///
    /// # Errors
    /// [`EncodingError`]; also for a list in a list.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        reader.header(Kind::Evidence)?;
        if reader.u8("attestation provider")? != SEVERAL {
            ProviderKind::of(bytes)?;
            return Ok(Self(Vec::from([bytes])));
        }
        if bytes.len() > MAX_EVIDENCE {
            return Err(too_long(bytes.len()));
        }
        let count = check_count(reader.u8("pieces of evidence")?.into())?;
        let pieces = (0..count).map(|_| reader.length_prefixed("evidence", MAX_EVIDENCE));
        let pieces = pieces.collect::<Result<Vec<_>, _>>()?;
        reader.finish()?;
        pieces.iter().try_for_each(|piece| ProviderKind::of(piece).map(drop))?;
        Ok(Self(pieces))
    }

    /// Several pieces as they travel.
    ///
    /// # Errors
    /// [`EncodingError`]: fewer than two, more than [`MAX_PIECES`], one that is no evidence of one provider, or more than
    /// 64 KiB together.
    pub fn join(pieces: &[&[u8]]) -> Result<Vec<u8>, EncodingError> {
        let count = u8::try_from(check_count(pieces.len())?).expect("at most four");
        let mut out = Vec::from(header(Kind::Evidence));
        out.extend_from_slice(&[SEVERAL, count]);
        for piece in pieces {
            ProviderKind::of(piece)?;
            let len = u32::try_from(piece.len()).map_err(|_| too_long(piece.len()))?;
            out.extend_from_slice(&len.to_be_bytes());
            out.extend_from_slice(piece);
        }
        if out.len() > MAX_EVIDENCE { Err(too_long(out.len())) } else { Ok(out) }
    }

    /// The pieces, at least one.
    #[must_use]
    pub fn pieces(&self) -> &[&'a [u8]] {
        &self.0
    }

    /// That of the enclave that holds the keys.
    #[must_use]
    pub fn first(&self) -> &'a [u8] {
        self.0[0]
    }
}

fn check_count(found: usize) -> Result<usize, EncodingError> {
    if (2..=MAX_PIECES).contains(&found) {
        return Ok(found);
    }
    Err(EncodingError::Range { what: "pieces of evidence", found: found as u64, range: "2 to 4" })
}

fn too_long(found: usize) -> EncodingError {
    EncodingError::Range { what: "evidence", found: found as u64, range: "at most 64 KiB" }
}

#[cfg(test)]
mod tests;
