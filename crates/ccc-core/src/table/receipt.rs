//! Receipts: what each order, request and withdrawal learns from a round, filled or not, carried out or not.
//!
//! *Layout*, 128 bytes: request 32, order digest 32, version u64, outcome u8, reason u8, lots u64, notional u128, row
//! index u32, new amount u128, zeros 10. Sealed like a sidecar entry, 144 bytes: ChaCha20-Poly1305 under
//! HKDF(reading key; salt "ccc/v1/receipt", info P1, 32), nonce u96be(slot), without associated data.

use super::{
    Header,
    key::owner_key,
    row::READING_KEY_LEN,
    seal::{Cipher, TAG_LEN},
};
use crate::{
    encoding::{EncodingError, Reader},
    suite::kdf,
};
use zeroize::Zeroizing;

/// Bytes of an open receipt.
pub const RECEIPT_LEN: usize = 128;
/// Bytes of a sealed receipt.
pub const SEALED_RECEIPT_LEN: usize = RECEIPT_LEN + TAG_LEN;
const PADDING: usize = 10;

/// A receipt that its reader cannot use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// It does not open under this key, header and slot.
    #[error("the receipt does not open under this reading key, header and slot")]
    Sealed,
    /// Malformed inside.
    #[error("receipt: {0}")]
    Encoding(#[from] EncodingError),
}

/// What a slot learns from a round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The request that the round settled.
    pub request: [u8; 32],
    /// Digest of the slot's order.
    pub order_digest: [u8; 32],
    /// The version in which the outcome stands.
    pub version: u64,
    /// 1 filled, 0 not; of a submission in the round in which it is new, and of a withdrawal, [`Receipt::CARRIED_OUT`]
    /// or [`Receipt::NOT_CARRIED_OUT`].
    pub outcome: u8,
    /// The clearing's reason, or 16 + the table's code.
    pub reason: u8,
    /// Lots filled.
    pub lots: u64,
    /// Quote units paid or received.
    pub notional: u128,
    /// Index of the slot's row.
    pub row_index: u32,
    /// The row's amount after the round.
    pub new_amount: u128,
}

impl Receipt {
    /// Outcome of a new submission or a withdrawal that the table carried out: a reservation, a transfer, a freeze.
    pub const CARRIED_OUT: u8 = 2;
    /// Outcome of a new submission or a withdrawal that changed nothing.
    pub const NOT_CARRIED_OUT: u8 = 3;

    /// The 128 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; RECEIPT_LEN] {
        let fields: [&[u8]; 10] = [
            &self.request,
            &self.order_digest,
            &self.version.to_be_bytes(),
            &[self.outcome],
            &[self.reason],
            &self.lots.to_be_bytes(),
            &self.notional.to_be_bytes(),
            &self.row_index.to_be_bytes(),
            &self.new_amount.to_be_bytes(),
            &[0; PADDING],
        ];
        fields.concat().try_into().expect("the fields of a receipt are 128 bytes")
    }

    /// The receipt in exactly 128 bytes.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        let receipt = Self {
            request: reader.array("request")?,
            order_digest: reader.array("order digest")?,
            version: reader.u64("version")?,
            outcome: reader.u8("outcome")?,
            reason: reader.u8("reason")?,
            lots: reader.u64("lots")?,
            notional: reader.u128("notional")?,
            row_index: reader.u32("row index")?,
            new_amount: reader.u128("new amount")?,
        };
        if reader.array::<PADDING>("padding")? != [0; PADDING] {
            return Err(EncodingError::Reserved { what: "receipt" });
        }
        reader.finish()?;
        Ok(receipt)
    }

    /// Seals the receipt of a slot to the owner of the reading key.
    ///
    /// *Security*: one receipt per (reading key, header, slot); a second one would repeat a nonce.
    #[must_use]
    pub fn seal(&self, reading_key: &[u8; READING_KEY_LEN], header: &Header, slot: u32) -> [u8; SEALED_RECEIPT_LEN] {
        let mut sealed = [0; SEALED_RECEIPT_LEN];
        cipher(reading_key, header).seal(slot, &[], &*Zeroizing::new(self.to_bytes()), &mut sealed);
        sealed
    }

    /// Opens the receipt of a slot.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn open(
        sealed: &[u8],
        reading_key: &[u8; READING_KEY_LEN],
        header: &Header,
        slot: u32,
    ) -> Result<Self, ReceiptError> {
        let mut plain = Zeroizing::new([0; RECEIPT_LEN]);
        cipher(reading_key, header).open(slot, &[], sealed, &mut plain[..]).ok_or(ReceiptError::Sealed)?;
        Ok(Self::from_bytes(&plain[..])?)
    }
}

fn cipher(reading_key: &[u8; READING_KEY_LEN], header: &Header) -> Cipher {
    Cipher::new(&owner_key(reading_key, kdf::RECEIPT, &header.p1()))
}
