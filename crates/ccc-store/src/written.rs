//! How much of a version has been written.

use ccc_core::table::{Header, Part, StoreError, Tier, check_sidecar, part_digest};
use std::collections::BTreeMap;

/// The ranges of both parts that have been written.
#[derive(Debug)]
pub(crate) struct Written {
    tier: Tier,
    body: Ranges,
    sidecar: Ranges,
}

/// Ends of disjoint ranges by their starts; neighbours are one range.
#[derive(Debug, Default)]
struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    fn add(&mut self, mut start: u64, mut end: u64) {
        while let Some((&before, &until)) = self.0.range(..=end).next_back().filter(|(_, until)| **until >= start) {
            self.0.remove(&before);
            (start, end) = (start.min(before), end.max(until));
        }
        self.0.insert(start, end);
    }

    fn total(&self) -> u64 {
        self.0.iter().map(|(start, end)| end - start).sum()
    }
}

impl Written {
    pub(crate) fn new(tier: Tier) -> Self {
        Self { tier, body: Ranges::default(), sidecar: Ranges::default() }
    }

    pub(crate) fn tier(&self) -> Tier {
        self.tier
    }

    pub(crate) fn add(&mut self, part: Part, offset: u64, bytes: &[u8]) {
        let ranges = match part {
            Part::Body => &mut self.body,
            Part::Sidecar => &mut self.sidecar,
        };
        ranges.add(offset, offset.saturating_add(bytes.len() as u64));
    }

    fn check_complete(&self, part: Part) -> Result<(), StoreError> {
        let found = match part {
            Part::Body => self.body.total(),
            Part::Sidecar => self.sidecar.total(),
        };
        let expected = part.len(self.tier);
        if expected == found { Ok(()) } else { Err(StoreError::Incomplete { part, expected, found }) }
    }

    /// Whether everything was written, the body is the header's and so is the sidecar's tree; the digest of the sidecar.
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
        check_sidecar(header, |offset, bytes| read(Part::Sidecar, offset, bytes))?;
        part_digest(Part::Sidecar, self.tier, |offset, bytes| read(Part::Sidecar, offset, bytes))
    }
}
