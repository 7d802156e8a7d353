//! Reports: how a clearing went, for the owner of each slot, beside its receipt.
//!
//! *Layout*, 128 bytes, of two kinds. For the request, kind 1: kind u8, outcome u8, reason u8, allocation u8, pricing u8,
//! zeros 3, request 32, ordered u64, filled u64, average u64, last u64, total u128, cost i128, cost rate i32, rate over
//! the last price i32, admitted spread u16, premium u16, fill ratio u16, largest share u16, Herfindahl index u16, makers
//! u32, zeros 2. For an order, kind 2: kind u8, outcome u8, zeros 6, lots u64, fill price u64, average u64, last u64,
//! reference u64, reference time u64, markouts 3 × i128, rates 3 × i32, zeros 12. Sealed like a receipt, 144 bytes, under
//! HKDF(reading key; salt "ccc/v1/execution", info P1, 32), nonce u96be(place among what the round made), without
//! associated data.
//!
//! *Units*: prices in micro-dollars per coin; lots; total, cost and markouts in quote units; rates, spread and premium in
//! 1/100 basis point; ratio and share in basis points; the index in 1/10 000.
//!
//! *Source*: `docs/spec/enclave.md`, *Reports*.

use super::{
    Header,
    key::owner_key,
    receipt::{RECEIPT_LEN, ReceiptError, SEALED_RECEIPT_LEN},
    row::READING_KEY_LEN,
    seal::Cipher,
};
use crate::{
    encoding::{EncodingError, Reader},
    suite::kdf,
};
use zeroize::Zeroizing;

/// Bytes of an open report: those of a receipt, so that the two lie in one file.
pub const REPORT_LEN: usize = RECEIPT_LEN;
/// Bytes of a sealed report.
pub const SEALED_REPORT_LEN: usize = SEALED_RECEIPT_LEN;
/// Prices that a fill is measured against.
pub const HORIZONS: usize = 3;

const EXECUTION: u8 = 1;
const MARKOUTS: u8 = 2;

/// How the request of a round was executed, for the requester alone. Figures of the fills are zero where there are none.
///
/// *Security*: it names no maker. What it tells of them beside the total is how evenly they shared it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Execution {
    /// 1 filled, 0 not.
    pub outcome: u8,
    /// As in the request's receipt.
    pub reason: u8,
    /// 1 price, then pro rata at the margin; 2 equal split.
    pub allocation: u8,
    /// 1 each maker's own spread; 2 one spread for all.
    pub pricing: u8,
    /// The request; zero in a round without one.
    pub request: [u8; 32],
    /// Lots ordered.
    pub ordered: u64,
    /// Lots filled.
    pub filled: u64,
    /// The average price that it was cleared at; zero where the price was refused.
    pub average: u64,
    /// The last price at the deadline; zero where the price was refused.
    pub last: u64,
    /// Quote units paid.
    pub total: u128,
    /// Paid above what the average price asks, rounded up.
    pub cost: i128,
    /// The same in parts of what the average price asks, rounded up.
    pub cost_rate: i32,
    /// Paid above what the last price asks, in parts of that, rounded up.
    pub over_last: i32,
    /// The spread that the order admitted at the deadline.
    pub admitted: u16,
    /// Mean of the filled spreads, weighted by lots, rounded up.
    pub premium: u16,
    /// Filled of ordered, rounded down.
    pub ratio: u16,
    /// The largest part of one maker, rounded down.
    pub largest_share: u16,
    /// Sum of the squares of the makers' parts, rounded down: 10 000 is one maker alone.
    pub herfindahl: u16,
    /// Makers that were filled, rounded up to a power of two.
    pub makers: u32,
}

/// What the fill of an order was worth at several prices, for its owner alone.
///
/// The prices are the average that the fill was priced at, the last at the deadline, and the last by the round's block, the
/// *reference*. They stand in every report, so a later one has the reference price of a later round for an earlier fill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Markouts {
    /// 1 filled, 0 not.
    pub outcome: u8,
    /// Lots filled.
    pub lots: u64,
    /// What was paid for a coin, rounded down; zero without a fill.
    pub price: u64,
    /// Average, last and reference price; zero where there is none.
    pub references: [u64; HORIZONS],
    /// When the reference price was given, Unix seconds.
    pub reference_time: u64,
    /// Received above what each of the prices gives, rounded down.
    pub markouts: [i128; HORIZONS],
    /// The same in parts of what each price gives, rounded down.
    pub rates: [i32; HORIZONS],
}

/// What a slot is told of a clearing beside its receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotReport {
    /// The request's.
    Request(Execution),
    /// An order's.
    Order(Markouts),
}

impl SlotReport {
    /// The 128 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; REPORT_LEN] {
        match self {
            Self::Request(execution) => execution.to_bytes(),
            Self::Order(markouts) => markouts.to_bytes(),
        }
    }

    /// The report in exactly 128 bytes.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        let report = match reader.u8("kind of report")? {
            EXECUTION => Self::Request(Execution::read(&mut reader)?),
            MARKOUTS => Self::Order(Markouts::read(&mut reader)?),
            found => return Err(EncodingError::UnknownKind { found }),
        };
        reader.finish()?;
        Ok(report)
    }

    /// Seals the report of a slot to the owner of the reading key; `place` is its own among all that the round made.
    ///
    /// *Security*: one report per (reading key, header, place); a second one would repeat a nonce.
    #[must_use]
    pub fn seal(&self, reading_key: &[u8; READING_KEY_LEN], header: &Header, place: u32) -> [u8; SEALED_REPORT_LEN] {
        let mut sealed = [0; SEALED_REPORT_LEN];
        cipher(reading_key, header).seal(place, &[], &*Zeroizing::new(self.to_bytes()), &mut sealed);
        sealed
    }

    /// Opens the report at a place.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn open(
        sealed: &[u8],
        reading_key: &[u8; READING_KEY_LEN],
        header: &Header,
        place: u32,
    ) -> Result<Self, ReceiptError> {
        let mut plain = Zeroizing::new([0; REPORT_LEN]);
        cipher(reading_key, header).open(place, &[], sealed, &mut plain[..]).ok_or(ReceiptError::Sealed)?;
        Ok(Self::from_bytes(&plain[..])?)
    }
}

impl Execution {
    fn to_bytes(&self) -> [u8; REPORT_LEN] {
        let fields: [&[u8]; 17] = [
            &[EXECUTION, self.outcome, self.reason, self.allocation, self.pricing, 0, 0, 0],
            &self.request,
            &self.ordered.to_be_bytes(),
            &self.filled.to_be_bytes(),
            &self.average.to_be_bytes(),
            &self.last.to_be_bytes(),
            &self.total.to_be_bytes(),
            &self.cost.to_be_bytes(),
            &self.cost_rate.to_be_bytes(),
            &self.over_last.to_be_bytes(),
            &self.admitted.to_be_bytes(),
            &self.premium.to_be_bytes(),
            &self.ratio.to_be_bytes(),
            &self.largest_share.to_be_bytes(),
            &self.herfindahl.to_be_bytes(),
            &self.makers.to_be_bytes(),
            &[0; 2],
        ];
        fields.concat().try_into().expect("the fields of an execution report are 128 bytes")
    }

    /// What follows the kind.
    fn read(reader: &mut Reader<'_>) -> Result<Self, EncodingError> {
        let [outcome, reason, allocation, pricing] = reader.array("outcome, reason and rules")?;
        zeros::<3>(reader, "execution report")?;
        let read = Self {
            outcome,
            reason,
            allocation,
            pricing,
            request: reader.array("request")?,
            ordered: reader.u64("lots ordered")?,
            filled: reader.u64("lots filled")?,
            average: reader.u64("average price")?,
            last: reader.u64("last price")?,
            total: reader.u128("total")?,
            cost: i128::from_be_bytes(reader.array("cost")?),
            cost_rate: i32::from_be_bytes(reader.array("cost rate")?),
            over_last: i32::from_be_bytes(reader.array("rate over the last price")?),
            admitted: reader.u16("admitted spread")?,
            premium: reader.u16("premium")?,
            ratio: reader.u16("fill ratio")?,
            largest_share: reader.u16("largest share")?,
            herfindahl: reader.u16("Herfindahl index")?,
            makers: reader.u32("makers")?,
        };
        zeros::<2>(reader, "execution report")?;
        Ok(read)
    }
}

impl Markouts {
    fn to_bytes(&self) -> [u8; REPORT_LEN] {
        let references = self.references.map(u64::to_be_bytes);
        let (markouts, rates) = (self.markouts.map(i128::to_be_bytes), self.rates.map(i32::to_be_bytes));
        let fields: [&[u8]; 8] = [
            &[MARKOUTS, self.outcome, 0, 0, 0, 0, 0, 0],
            &self.lots.to_be_bytes(),
            &self.price.to_be_bytes(),
            references.as_flattened(),
            &self.reference_time.to_be_bytes(),
            markouts.as_flattened(),
            rates.as_flattened(),
            &[0; 12],
        ];
        fields.concat().try_into().expect("the fields of markouts are 128 bytes")
    }

    /// What follows the kind.
    fn read(reader: &mut Reader<'_>) -> Result<Self, EncodingError> {
        let outcome = reader.u8("outcome")?;
        zeros::<6>(reader, "markouts")?;
        let mut read = Self { outcome, lots: reader.u64("lots")?, price: reader.u64("fill price")?, ..Self::default() };
        for price in &mut read.references {
            *price = reader.u64("reference price")?;
        }
        read.reference_time = reader.u64("time of the reference price")?;
        for markout in &mut read.markouts {
            *markout = i128::from_be_bytes(reader.array("markout")?);
        }
        for rate in &mut read.rates {
            *rate = i32::from_be_bytes(reader.array("rate of a markout")?);
        }
        zeros::<12>(reader, "markouts")?;
        Ok(read)
    }
}

fn zeros<const N: usize>(reader: &mut Reader<'_>, what: &'static str) -> Result<(), EncodingError> {
    if reader.array::<N>("padding")? == [0; N] { Ok(()) } else { Err(EncodingError::Reserved { what }) }
}

fn cipher(reading_key: &[u8; READING_KEY_LEN], header: &Header) -> Cipher {
    Cipher::new(&owner_key(reading_key, kdf::EXECUTION, &header.p1()))
}
