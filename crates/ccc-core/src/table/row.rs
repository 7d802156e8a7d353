//! The 64 bytes of a row, and what makes them a row.
//!
//! *Layout*, integers big-endian:
//!
//! | bytes | balance row | status row 0 | key row |
//! |---|---|---|---|
//! | 0..20 | account | zeros | account |
//! | 20..24 | asset | 0xFFFFFFFE | 0xFFFFFFFF |
//! | 24..40 | amount u128 | epoch salt | reading key 0..16 |
//! | 40..48 | reserved u64, in lots | result code | reading key 16..24 |
//! | 48..56 | nonce u64 | version | reading key 24..32 |
//! | 56..58 | flags u16 | zeros | zeros |
//! | 58..64 | zeros | zeros | zeros |
//!
//! An unused row is 64 zero bytes. *Source*: `docs/spec/table.md`, section *Rows*.

use super::{AccountId, AssetId, ResultCode};

/// Bytes of a row.
pub const ROW_LEN: usize = 64;
/// A row that nobody uses.
pub(super) const UNUSED: [u8; ROW_LEN] = [0; ROW_LEN];
/// Bytes of a reading key: the symmetric key to which an account's entries and receipts are sealed.
pub const READING_KEY_LEN: usize = 32;
/// Bytes of the epoch salt in the status row.
pub const EPOCH_SALT_LEN: usize = 16;

/// The flags of a balance row: bit 0 frozen, bit 1 withdrawing, high byte a reason code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u16);

impl Flags {
    pub(super) const FROZEN: u16 = 1;
    const WITHDRAWING: u16 = 2;
    pub(super) const BLOCKING: u16 = Self::FROZEN | Self::WITHDRAWING;
    const KNOWN: u16 = 0xFF00 | Self::BLOCKING;

    /// The flags with these bits, if all others are zero.
    #[must_use]
    pub fn from_bits(bits: u16) -> Option<Self> {
        (bits & !Self::KNOWN == 0).then_some(Self(bits))
    }

    /// The bits.
    #[must_use]
    pub fn bits(self) -> u16 {
        self.0
    }

    /// Nothing leaves the row until an operator thaws it.
    #[must_use]
    pub fn is_frozen(self) -> bool {
        self.0 & Self::FROZEN != 0
    }

    /// A withdrawal is under way; the row refuses like a frozen one.
    #[must_use]
    pub fn is_withdrawing(self) -> bool {
        self.0 & Self::WITHDRAWING != 0
    }

    /// Whether debits and deltas are refused.
    #[must_use]
    pub fn refuses(self) -> bool {
        self.0 & Self::BLOCKING != 0
    }

    /// The operator's reason code.
    #[must_use]
    pub fn reason(self) -> u8 {
        self.0.to_be_bytes()[0]
    }

    /// These flags with the frozen bit and the reason set anew.
    #[must_use]
    pub fn with_frozen(self, frozen: bool, reason: u8) -> Self {
        Self((self.0 & Self::WITHDRAWING) | (u16::from(reason) << 8) | u16::from(frozen))
    }
}

/// A balance: what one account holds of one asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The owner.
    pub account: AccountId,
    /// The asset.
    pub asset: AssetId,
    /// Everything the account holds, reserved part included, in smallest units.
    pub amount: u128,
    /// The part reserved for a standing order, in lots of the asset.
    pub reserved: u64,
    /// +1 for each batch and each boundary operation that touched the row.
    pub nonce: u64,
    /// Frozen, withdrawing, reason.
    pub flags: Flags,
}

impl Row {
    /// An empty balance.
    #[must_use]
    pub fn empty(account: AccountId, asset: AssetId) -> Self {
        Self { account, asset, amount: 0, reserved: 0, nonce: 0, flags: Flags::default() }
    }

    /// The 64 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; ROW_LEN] {
        let mut out = prefix(self.account, self.asset);
        out[24..40].copy_from_slice(&self.amount.to_be_bytes());
        out[40..48].copy_from_slice(&self.reserved.to_be_bytes());
        out[48..56].copy_from_slice(&self.nonce.to_be_bytes());
        out[56..58].copy_from_slice(&self.flags.bits().to_be_bytes());
        out
    }

    /// The balance in these bytes.
    ///
    /// # Errors
    /// [`RowFault`] where the bytes are not those of a balance row.
    pub fn from_bytes(bytes: &[u8; ROW_LEN]) -> Result<Self, RowFault> {
        let row = Self {
            account: account(bytes),
            asset: asset(bytes),
            amount: amount(bytes),
            reserved: u64_at(bytes, 40),
            nonce: u64_at(bytes, 48),
            flags: Flags::from_bits(flags(bytes)).ok_or(RowFault::Flags)?,
        };
        match row {
            Self { account: AccountId::NOBODY, .. } => Err(RowFault::Nobody),
            Self { asset, .. } if !asset.is_balance() => Err(RowFault::Asset),
            _ if bytes[58..] != [0; 6] => Err(RowFault::Padding),
            row => Ok(row),
        }
    }

    /// The part of the amount that is not reserved; zero where the reservation exceeds it.
    #[must_use]
    pub fn free(&self, lot: u64) -> u128 {
        self.amount.saturating_sub(u128::from(self.reserved) * u128::from(lot))
    }
}

/// Why 64 bytes are not the row that should stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowFault {
    /// Row 0 is not a status row of this version.
    #[error("the status row is not one of this version")]
    Status,
    /// A used row of account zero.
    #[error("account zero holds a row")]
    Nobody,
    /// An asset number that stands for a kind of row.
    #[error("the asset number stands for a kind of row")]
    Asset,
    /// Flag bits without a meaning.
    #[error("flag bits without a meaning are set")]
    Flags,
    /// Padding that is not zero.
    #[error("padding is not zero")]
    Padding,
    /// A used row after an unused one.
    #[error("a used row follows an unused one")]
    Gap,
    /// A second row of the same account and asset.
    #[error("a second row of the same account and asset")]
    Duplicate,
}

/// The status row: the sealed place of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) epoch_salt: [u8; EPOCH_SALT_LEN],
    pub(super) code: ResultCode,
    pub(super) version: u64,
}

impl Status {
    pub(super) fn to_bytes(&self) -> [u8; ROW_LEN] {
        let mut out = prefix(AccountId::NOBODY, AssetId::STATUS);
        out[24..40].copy_from_slice(&self.epoch_salt);
        out[40..48].copy_from_slice(&u64::from(self.code.byte()).to_be_bytes());
        out[48..56].copy_from_slice(&self.version.to_be_bytes());
        out
    }

    pub(super) fn from_bytes(bytes: &[u8; ROW_LEN]) -> Result<Self, RowFault> {
        let code = u8::try_from(u64_at(bytes, 40)).ok().and_then(ResultCode::from_byte).ok_or(RowFault::Status)?;
        let mut epoch_salt = [0; EPOCH_SALT_LEN];
        epoch_salt.copy_from_slice(&bytes[24..40]);
        let status = Self { epoch_salt, code, version: u64_at(bytes, 48) };
        if status.to_bytes() == *bytes { Ok(status) } else { Err(RowFault::Status) }
    }
}

/// The row that holds an account's reading key.
pub(super) fn key_row(account: AccountId, reading_key: &[u8; READING_KEY_LEN]) -> [u8; ROW_LEN] {
    let mut out = prefix(account, AssetId::READING_KEY);
    out[24..56].copy_from_slice(reading_key);
    out
}

/// The reading key in a key row.
pub(super) fn reading_key(bytes: &[u8; ROW_LEN]) -> [u8; READING_KEY_LEN] {
    let mut out = [0; READING_KEY_LEN];
    out.copy_from_slice(&bytes[24..56]);
    out
}

/// Account and reading key of a key row; none for any other.
pub(super) fn owner_and_key(bytes: &[u8; ROW_LEN]) -> Option<(AccountId, [u8; READING_KEY_LEN])> {
    (asset(bytes) == AssetId::READING_KEY).then(|| (account(bytes), reading_key(bytes)))
}

/// Whether the bytes are a key row or a balance row.
pub(super) fn check_used(bytes: &[u8; ROW_LEN]) -> Result<(), RowFault> {
    if asset(bytes) != AssetId::READING_KEY {
        return Row::from_bytes(bytes).map(drop);
    }
    match account(bytes) {
        AccountId::NOBODY => Err(RowFault::Nobody),
        _ if bytes[56..] != [0; 8] => Err(RowFault::Padding),
        _ => Ok(()),
    }
}

/// The account field.
pub(super) fn account(bytes: &[u8; ROW_LEN]) -> AccountId {
    AccountId(*bytes.first_chunk().expect("a row is longer than its account"))
}

/// The asset field.
pub(super) fn asset(bytes: &[u8; ROW_LEN]) -> AssetId {
    AssetId(u32::from_be_bytes([bytes[20], bytes[21], bytes[22], bytes[23]]))
}

/// The amount field.
#[inline]
pub(super) fn amount(bytes: &[u8; ROW_LEN]) -> u128 {
    (u128::from(u64_at(bytes, 24)) << 64) | u128::from(u64_at(bytes, 32))
}

/// The flags field.
#[inline]
pub(super) fn flags(bytes: &[u8; ROW_LEN]) -> u16 {
    u16::from_be_bytes([bytes[56], bytes[57]])
}

/// Eight bytes of a row, big-endian; `at` is a constant of the layout.
#[inline]
pub(super) fn u64_at(bytes: &[u8; ROW_LEN], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_be_bytes(word)
}

fn prefix(account: AccountId, asset: AssetId) -> [u8; ROW_LEN] {
    let mut out = [0; ROW_LEN];
    out[..20].copy_from_slice(&account.0);
    out[20..24].copy_from_slice(&asset.0.to_be_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            account: AccountId([7; 20]),
            asset: AssetId(3),
            amount: u128::MAX - 5,
            reserved: 9,
            nonce: 11,
            flags: Flags::default().with_frozen(true, 0xAB),
        }
    }

    #[test]
    fn rows_return_as_written() {
        let row = row();
        assert_eq!(Row::from_bytes(&row.to_bytes()), Ok(row.clone()));
        assert!(row.flags.is_frozen() && row.flags.refuses() && !row.flags.is_withdrawing());
        assert_eq!(row.flags.reason(), 0xAB);
    }

    #[test]
    fn rows_outside_the_layout_are_refused() {
        let good = row().to_bytes();
        let with = |at: usize, byte: u8| {
            let mut bytes = good;
            bytes[at] = byte;
            Row::from_bytes(&bytes)
        };
        assert_eq!(with(57, 4), Err(RowFault::Flags));
        assert_eq!(with(63, 1), Err(RowFault::Padding));
        assert_eq!(Row::from_bytes(&[0; ROW_LEN]), Err(RowFault::Nobody));
        let mut bytes = good;
        bytes[20..24].fill(0xFF);
        assert_eq!(Row::from_bytes(&bytes), Err(RowFault::Asset));
    }

    #[test]
    fn status_rows_carry_nothing_else() {
        let status = Status { epoch_salt: [4; 16], code: ResultCode::Frozen, version: 8 };
        let good = status.to_bytes();
        assert_eq!(Status::from_bytes(&good), Ok(status));
        for at in [0, 20, 40, 47, 56, 63] {
            let mut bytes = good;
            bytes[at] ^= 0x40;
            assert_eq!(Status::from_bytes(&bytes), Err(RowFault::Status), "byte {at}");
        }
    }
}
