//! How much of a version has been written.

use ccc_core::table::{Header, Part, StoreError, Tier, part_digest};

/// Counts the bytes of both parts. Each byte is written once, so that the counts tell whether anything is missing.
#[derive(Debug)]
pub(crate) struct Written {
    tier: Tier,
    body: u64,
    sidecar: u64,
}

impl Written {
    pub(crate) fn new(tier: Tier) -> Self {
        Self { tier, body: 0, sidecar: 0 }
    }

    pub(crate) fn tier(&self) -> Tier {
        self.tier
    }

    pub(crate) fn add(&mut self, part: Part, bytes: &[u8]) {
        let count = match part {
            Part::Body => &mut self.body,
            Part::Sidecar => &mut self.sidecar,
        };
        *count = count.saturating_add(bytes.len() as u64);
    }

    fn check_complete(&self, part: Part) -> Result<(), StoreError> {
        let found = match part {
            Part::Body => self.body,
            Part::Sidecar => self.sidecar,
        };
        let expected = part.len(self.tier);
        if expected == found { Ok(()) } else { Err(StoreError::Incomplete { part, expected, found }) }
    }

    /// Whether everything was written and the body is the header's; the digest of the sidecar.
    ///
    /// `read` reads back what was written.
    pub(crate) fn finish(
        &self,
        header: &Header,
        mut read: impl FnMut(Part, u64, &mut [u8]) -> Result<(), StoreError>,
    ) -> Result<[u8; 32], StoreError> {
        Part::ALL.into_iter().try_for_each(|part| self.check_complete(part))?;
        let body = part_digest(Part::Body, self.tier, |offset, bytes| read(Part::Body, offset, bytes))?;
        if header.tier() != self.tier || header.body_root() != body {
            return Err(StoreError::Corrupt { header_hash: header.hash(), part: Part::Body.name() });
        }
        part_digest(Part::Sidecar, self.tier, |offset, bytes| read(Part::Sidecar, offset, bytes))
    }
}
