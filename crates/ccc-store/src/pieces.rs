//! Parts cut into pieces of one length, for stores that keep no files.

use ccc_core::table::{Part, StoreError, Tier};
use std::{collections::BTreeMap, ops::Range};

/// The share of one piece in a read or a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Which piece.
    pub(crate) index: u32,
    /// Where in the piece.
    pub(crate) inside: Range<usize>,
    /// Where in the caller's bytes.
    pub(crate) outside: Range<usize>,
}

/// The pieces that `len` bytes from `offset` on touch. The range lies inside a part, so that indices fit 32 bits.
pub(crate) fn spans(piece: usize, offset: u64, len: usize) -> impl Iterator<Item = Span> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let start = usize::try_from(at % piece as u64).expect("below the length of a piece");
        let taken = (piece - start).min(len - done);
        let outside = done..done + taken;
        done += taken;
        let index = u32::try_from(at / piece as u64).expect("a part has fewer than 2^32 pieces");
        (taken > 0).then_some(Span { index, inside: start..start + taken, outside })
    })
}

/// Pieces of a part.
pub(crate) fn count(piece: usize, part: Part, tier: Tier) -> u32 {
    u32::try_from(part.len(tier).div_ceil(piece as u64)).expect("a part has fewer than 2^32 pieces")
}

/// Bytes of one piece; the last of a part is shorter.
pub(crate) fn len_of(piece: usize, part: Part, tier: Tier, index: u32) -> usize {
    let left = part.len(tier).saturating_sub(u64::from(index) * piece as u64);
    usize::try_from(left).map_or(piece, |left| left.min(piece))
}

struct Partial {
    bytes: Vec<u8>,
    filled: usize,
}

/// Makes whole pieces of writes of any size and order, and holds those that are begun.
///
/// Writes in order leave one piece in memory at a time.
pub(crate) struct Assembler {
    piece: usize,
    tier: Tier,
    begun: BTreeMap<(Part, u32), Partial>,
}

impl Assembler {
    pub(crate) fn new(piece: usize, tier: Tier) -> Self {
        Self { piece, tier, begun: BTreeMap::new() }
    }

    /// Takes bytes of a part, whose range was checked, and hands every piece over that they complete.
    pub(crate) fn write(
        &mut self,
        part: Part,
        offset: u64,
        bytes: &[u8],
        mut keep: impl FnMut(Part, u32, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for Span { index, inside, outside } in spans(self.piece, offset, bytes.len()) {
            let len = len_of(self.piece, part, self.tier, index);
            let bytes = &bytes[outside];
            if bytes.len() == len {
                keep(part, index, bytes)?;
                continue;
            }
            let partial = self.begun.entry((part, index)).or_insert_with(|| Partial { bytes: vec![0; len], filled: 0 });
            partial.bytes[inside].copy_from_slice(bytes);
            partial.filled += bytes.len();
            if partial.filled >= len {
                keep(part, index, &partial.bytes)?;
                self.begun.remove(&(part, index));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_cover_a_range_once() {
        for (offset, len) in [(0, 0), (0, 10), (9, 1), (9, 2), (5, 30), (20, 10), (1 << 33, 15)] {
            let mut at = offset;
            for span in spans(10, offset, len) {
                assert_eq!(u64::from(span.index) * 10 + span.inside.start as u64, at);
                assert_eq!(span.inside.len(), span.outside.len());
                assert!(span.inside.end <= 10);
                at += span.inside.len() as u64;
            }
            assert_eq!(at, offset + len as u64);
        }
    }

    #[test]
    fn pieces_written_in_any_order_are_the_part() {
        let (piece, tier) = (1000, Tier::SMALLEST);
        let len = usize::try_from(Part::Body.len(tier)).expect("small");
        let whole: Vec<u8> = (0..len).map(|i| (i % 251).to_le_bytes()[0]).collect();
        let mut found = vec![0; len];
        let mut assembler = Assembler::new(piece, tier);
        let mut starts: Vec<_> = (0..len).step_by(777).collect();
        starts.reverse();
        for start in starts {
            let bytes = &whole[start..len.min(start + 777)];
            assembler
                .write(Part::Body, start as u64, bytes, |_, index, bytes| {
                    let at = index as usize * piece;
                    found[at..at + bytes.len()].copy_from_slice(bytes);
                    Ok(())
                })
                .expect("kept");
        }
        assert!(found == whole);
        assert!(assembler.begun.is_empty());
    }
}
