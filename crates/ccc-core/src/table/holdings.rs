//! What an owner learns from a query: its rows, one place for each asset, whether there is a row or not.
//!
//! *Layout*, 64 + 36·A bytes for the A assets of the configuration: header hash 32 ‖ version u64 ‖ account 20 ‖ A u32 ‖
//! A × (1 or 0 for no row u8 ‖ zero u8 ‖ flags u16 ‖ amount u128 ‖ reserved u64 ‖ nonce u64).

use super::{AccountId, AssetId, Flags, OpenTable, Row};
use crate::encoding::{EncodingError, Reader};
use alloc::vec::Vec;
use zeroize::Zeroizing;

const HEAD_LEN: usize = 64;
const PLACE_LEN: usize = 36;

/// Bytes of the holdings of one account, whatever it holds.
///
/// *Units*: `assets` of the configuration.
#[must_use]
pub fn holdings_len(assets: usize) -> usize {
    HEAD_LEN.saturating_add(PLACE_LEN.saturating_mul(assets))
}

/// The rows of one account in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// Hash of the header that was read.
    pub header: [u8; 32],
    /// Its version.
    pub version: u64,
    /// The account.
    pub account: AccountId,
    /// One place for each asset of the configuration, in its order.
    pub rows: Vec<Option<Row>>,
}

impl OpenTable {
    /// The holdings of an account in the first `assets` assets, in one scan; all places are empty for an account that
    /// the table does not know, and for nobody.
    ///
    /// *Timing*: depends on the tier and the number of assets.
    #[must_use]
    pub fn holdings(&self, account: AccountId, assets: u32) -> Holdings {
        let wanted: Vec<_> = (0..assets).map(|asset| (account, AssetId(asset))).collect();
        let (header, version) = (self.header().hash(), self.header().version());
        Holdings { header, version, account, rows: self.find_many(&wanted) }
    }
}

impl Holdings {
    /// The bytes of the layout above.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(holdings_len(self.rows.len())));
        out.extend_from_slice(&self.header);
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&self.account.0);
        out.extend_from_slice(&u32::try_from(self.rows.len()).unwrap_or(u32::MAX).to_be_bytes());
        for row in &self.rows {
            write_place(&mut out, row.as_ref());
        }
        out
    }

    /// Reads exactly the layout above.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        let header = reader.array("header hash")?;
        let version = reader.u64("version")?;
        let account = AccountId(reader.array("account")?);
        let count = reader.u32("number of assets")?;
        let places = bytes.len().saturating_sub(HEAD_LEN) / PLACE_LEN;
        let mut rows = Vec::with_capacity(places.min(count as usize));
        for asset in 0..count {
            rows.push(read_place(&mut reader, account, AssetId(asset))?);
        }
        reader.finish()?;
        Ok(Self { header, version, account, rows })
    }
}

fn write_place(out: &mut Vec<u8>, row: Option<&Row>) {
    let empty = Row::empty(AccountId::NOBODY, AssetId(0));
    let shown = row.unwrap_or(&empty);
    out.extend_from_slice(&[u8::from(row.is_some()), 0]);
    out.extend_from_slice(&shown.flags.bits().to_be_bytes());
    out.extend_from_slice(&shown.amount.to_be_bytes());
    out.extend_from_slice(&shown.reserved.to_be_bytes());
    out.extend_from_slice(&shown.nonce.to_be_bytes());
}

fn read_place(reader: &mut Reader<'_>, account: AccountId, asset: AssetId) -> Result<Option<Row>, EncodingError> {
    const RESERVED: EncodingError = EncodingError::Reserved { what: "place of an asset" };
    let [there, zero] = reader.array("place of an asset")?;
    let flags = Flags::from_bits(reader.u16("flags")?).ok_or(RESERVED)?;
    let (amount, reserved) = (reader.u128("amount")?, reader.u64("reserved")?);
    let row = Row { account, asset, amount, reserved, nonce: reader.u64("nonce")?, flags };
    match (there, zero) {
        (1, 0) => Ok(Some(row)),
        (0, 0) if row == Row::empty(account, asset) => Ok(None),
        _ => Err(RESERVED),
    }
}
