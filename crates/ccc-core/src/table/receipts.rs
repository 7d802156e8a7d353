//! The receipts and reports of a round as a file: all of them, of which an owner opens its own.
//!
//! *Layout*: header (kind 27) ‖ hash of the table header that the round made 32 ‖ count u32 ‖ count × 144 sealed: a
//! receipt for each slot in the order of the slots, then a report for each in the same order.
//!
//! *Security*: nobody signs the file. Each receipt or report opens under its owner's reading key, the table header and
//! its place alone, so whoever alters, moves or exchanges one makes it open for nobody. A place that is left out shows in
//! the count, which is public; that something else stands in it, its owner sees and cannot prove.

use super::{Header, READING_KEY_LEN, Receipt, SEALED_RECEIPT_LEN, SlotReport};
use crate::encoding::{EncodingError, Kind, Reader, header};
use alloc::vec::Vec;

/// The most of one round: a receipt and a report for each of 65 536 order slots and for the request, or for fewer slots, the
/// request and withdrawals.
pub const MAX_RECEIPTS: usize = 2 * 65_537;
const RANGE: &str = "1 to 131074";

/// The sealed receipts and reports of one round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipts {
    header: [u8; 32],
    sealed: Vec<[u8; SEALED_RECEIPT_LEN]>,
}

impl Receipts {
    /// The receipts of the round that made the table header with this hash, in the order of their slots, then the
    /// reports in the same order.
    ///
    /// # Errors
    /// [`EncodingError::Range`] for none, and for more than [`MAX_RECEIPTS`].
    pub fn new(header: [u8; 32], sealed: Vec<[u8; SEALED_RECEIPT_LEN]>) -> Result<Self, EncodingError> {
        check_count(sealed.len())?;
        Ok(Self { header, sealed })
    }

    /// Hash of the table header that the round made.
    #[must_use]
    pub fn header(&self) -> [u8; 32] {
        self.header
    }

    /// The sealed receipts, in the order of their slots, then the reports.
    #[must_use]
    pub fn sealed(&self) -> &[[u8; SEALED_RECEIPT_LEN]] {
        &self.sealed
    }

    /// The receipts that open under a reading key, with their slots; nothing under another header than the file's.
    ///
    /// *Timing*: one trial for each receipt.
    #[must_use]
    pub fn open(&self, reading_key: &[u8; READING_KEY_LEN], header: &Header) -> Vec<(u32, Receipt)> {
        if header.hash() != self.header {
            return Vec::new();
        }
        let open = |(slot, sealed)| Some((slot, Receipt::open(sealed, reading_key, header, slot).ok()?));
        self.places().filter_map(open).collect()
    }

    /// The reports that open under a reading key, with their slots; nothing under another header than the file's.
    ///
    /// *Timing*: one trial for each report.
    #[must_use]
    pub fn reports(&self, reading_key: &[u8; READING_KEY_LEN], header: &Header) -> Vec<(u32, SlotReport)> {
        if header.hash() != self.header {
            return Vec::new();
        }
        let slots = self.sealed.len() / 2;
        let open = |(place, sealed)| SlotReport::open(sealed, reading_key, header, place).ok();
        let reports = self.places().skip(slots).map(open);
        (0..).zip(reports).filter_map(|(slot, report)| Some((slot, report?))).collect()
    }

    fn places(&self) -> impl Iterator<Item = (u32, &[u8])> {
        (0..).zip(self.sealed.iter().map(|sealed| &sealed[..]))
    }

    /// The bytes of the layout above.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let count = u32::try_from(self.sealed.len()).expect("at most 131074 of them, as both constructors check");
        let mut out = header(Kind::Receipts).to_vec();
        out.extend_from_slice(&self.header);
        out.extend_from_slice(&count.to_be_bytes());
        out.extend_from_slice(self.sealed.as_flattened());
        out
    }

    /// Reads exactly the layout above.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        reader.header(Kind::Receipts)?;
        let header = reader.array("header hash")?;
        let count = reader.u32("number of receipts")? as usize;
        check_count(count)?;
        let sealed = reader.bytes("receipts", count * SEALED_RECEIPT_LEN)?.as_chunks().0.to_vec();
        reader.finish()?;
        Ok(Self { header, sealed })
    }
}

fn check_count(count: usize) -> Result<(), EncodingError> {
    let found = count as u64;
    let refused = EncodingError::Range { what: "number of receipts", found, range: RANGE };
    if (1..=MAX_RECEIPTS).contains(&count) { Ok(()) } else { Err(refused) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let receipts = Receipts::new([7; 32], vec![[1; 144], [2; 144]]).expect("two");
        let wire = receipts.to_bytes();
        let layout = [&header(Kind::Receipts)[..], &[7; 32], &[0, 0, 0, 2], &[1; 144], &[2; 144]].concat();
        assert_eq!(wire, layout);
        assert_eq!(Receipts::from_bytes(&wire), Ok(receipts));
        let with = |at: usize, byte: u8| {
            let mut bent = wire.clone();
            bent[at] = byte;
            Receipts::from_bytes(&bent)
        };
        let range = |found| Err(EncodingError::Range { what: "number of receipts", found, range: RANGE });
        assert_eq!(with(43, 0), range(0));
        assert_eq!(with(40, 1), range(0x0100_0002));
        assert_eq!(with(43, 1), Err(EncodingError::Trailing { found: 144 }));
        assert_eq!(with(43, 3), Err(EncodingError::Truncated { what: "receipts", expected: 432, found: 288 }));
        assert_eq!(with(3, 28), Err(EncodingError::WrongKind { expected: Kind::Receipts, found: Kind::Query }));
        for len in 0..wire.len() {
            assert!(matches!(Receipts::from_bytes(&wire[..len]), Err(EncodingError::Truncated { .. })), "{len}");
        }
        assert_eq!(Receipts::new([7; 32], Vec::new()), range(0));
    }
}
