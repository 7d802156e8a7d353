//! What an update is asked to do: boundary operations, deltas, and the codes of refusal.
//!
//! *Source*: `docs/spec/table.md`, section *Updates*.

use super::{AccountId, AssetId, StructuralError, row::READING_KEY_LEN};
use crate::suite::{Hasher, domain};
use alloc::vec::Vec;

/// Bytes of a delta as it is hashed.
pub const DELTA_LEN: usize = 48;
/// The least number of delta slots of an update.
pub const MIN_CAPACITY: usize = 16;
/// The greatest number of delta slots of an update.
pub const MAX_CAPACITY: usize = 16 << 14;

/// How a batch or a boundary operation ended. Where several refusals apply, the lowest wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ResultCode {
    /// It was carried out.
    Done = 0,
    /// The amounts of the deltas do not sum to zero per asset.
    Unbalanced = 1,
    /// No such row, account or asset.
    Unknown = 2,
    /// The row is frozen or withdrawing; for a forced transfer, the row is not frozen.
    Frozen = 3,
    /// The amount, or the part of it that is free, does not suffice; or an amount of zero was named.
    Insufficient = 4,
    /// An amount, a reservation or a nonce would leave its range.
    Overflow = 5,
    /// No unused row is left.
    Full = 6,
}

impl ResultCode {
    const ALL: [Self; 7] =
        [Self::Done, Self::Unbalanced, Self::Unknown, Self::Frozen, Self::Insufficient, Self::Overflow, Self::Full];

    /// The number, as it stands in the status row.
    #[must_use]
    pub fn byte(self) -> u8 {
        self as u8
    }

    /// The code with this number.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }

    /// Whether it was carried out.
    #[must_use]
    pub fn is_done(self) -> bool {
        self == Self::Done
    }
}

impl core::fmt::Display for ResultCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Done => "carried out",
            Self::Unbalanced => "the amounts do not sum to zero",
            Self::Unknown => "no such row, account or asset",
            Self::Frozen => "the row is frozen or withdrawing",
            Self::Insufficient => "the free amount does not suffice",
            Self::Overflow => "an amount would leave its range",
            Self::Full => "no unused row is left",
        })
    }
}

/// A named event at the table's boundary; each succeeds or fails alone.
///
/// *Security*: the table does not ask who sent it. The caller has checked that the account's owner, the chain's
/// event or the operator stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoundaryOperation {
    /// Sets the reading key of an account; a former one is replaced.
    Register {
        /// The account.
        account: AccountId,
        /// Its new reading key.
        reading_key: [u8; READING_KEY_LEN],
    },
    /// Makes an empty row of a registered account, if it has none yet.
    Open {
        /// The account.
        account: AccountId,
        /// The asset.
        asset: AssetId,
    },
    /// Credits an account, frozen or not; makes the missing row and key row.
    Deposit {
        /// The account.
        account: AccountId,
        /// The asset.
        asset: AssetId,
        /// Smallest units, not zero.
        amount: u128,
        /// The reading key of an account that has none yet; otherwise it is ignored.
        reading_key: [u8; READING_KEY_LEN],
    },
    /// Debits the free part of a row.
    Withdraw {
        /// The account.
        account: AccountId,
        /// The asset.
        asset: AssetId,
        /// Smallest units, not zero.
        amount: u128,
    },
    /// Sets the reservation of a standing order in place of the former one.
    Reserve {
        /// The account.
        account: AccountId,
        /// The asset.
        asset: AssetId,
        /// Lots of the asset.
        lots: u64,
    },
    /// Freezes or thaws a row and keeps the operator's reason in it.
    Freeze {
        /// The account.
        account: AccountId,
        /// The asset.
        asset: AssetId,
        /// The operator's reason code.
        reason: u8,
        /// Freeze, or thaw.
        frozen: bool,
    },
    /// Moves an amount out of a frozen row, which stays frozen and keeps the operator's reason, to another account
    /// of the same asset; makes that account's missing row.
    ForcedTransfer {
        /// The account that is debited.
        account: AccountId,
        /// The asset.
        asset: AssetId,
        /// Smallest units, not zero; it may reach into the reserved part, which shrinks to what is left.
        amount: u128,
        /// The account that is credited, frozen or not. It is registered, and another one.
        to: AccountId,
        /// The operator's reason code.
        reason: u8,
    },
    /// Moves an amount of the free part of a row to another account of the same asset; makes that account's missing
    /// row.
    Transfer {
        /// The account that is debited.
        account: AccountId,
        /// The asset.
        asset: AssetId,
        /// Smallest units, not zero.
        amount: u128,
        /// The account that is credited, frozen or not. It is registered, and another one.
        to: AccountId,
    },
}

impl BoundaryOperation {
    /// The bytes that enter the update digest: a tag, then the fields in order, integers big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Register { account, reading_key } => [&[1], &account.0[..], reading_key].concat(),
            Self::Open { account, asset } => [&[2], &account.0[..], &asset.0.to_be_bytes()].concat(),
            Self::Deposit { account, asset, amount, reading_key } => {
                [&[3], &account.0[..], &asset.0.to_be_bytes(), &amount.to_be_bytes(), reading_key].concat()
            }
            Self::Withdraw { account, asset, amount } => {
                [&[4], &account.0[..], &asset.0.to_be_bytes(), &amount.to_be_bytes()].concat()
            }
            Self::Reserve { account, asset, lots } => {
                [&[5], &account.0[..], &asset.0.to_be_bytes(), &lots.to_be_bytes()].concat()
            }
            Self::Freeze { account, asset, reason, frozen } => {
                [&[6], &account.0[..], &asset.0.to_be_bytes(), &[*reason, u8::from(*frozen)]].concat()
            }
            Self::ForcedTransfer { account, asset, amount, to, reason } => {
                [&[7], &account.0[..], &asset.0.to_be_bytes(), &amount.to_be_bytes(), &to.0, &[*reason]].concat()
            }
            Self::Transfer { account, asset, amount, to } => {
                [&[10], &account.0[..], &asset.0.to_be_bytes(), &amount.to_be_bytes(), &to.0].concat()
            }
        }
    }

    /// The account it is about.
    #[must_use]
    pub fn account(&self) -> AccountId {
        match self {
            Self::Register { account, .. }
            | Self::Open { account, .. }
            | Self::Deposit { account, .. }
            | Self::Withdraw { account, .. }
            | Self::Reserve { account, .. }
            | Self::Freeze { account, .. }
            | Self::ForcedTransfer { account, .. }
            | Self::Transfer { account, .. } => *account,
        }
    }

    /// The asset it is about; the number of key rows for a registration.
    #[must_use]
    pub fn asset(&self) -> AssetId {
        match self {
            Self::Register { .. } => AssetId::READING_KEY,
            Self::Open { asset, .. }
            | Self::Deposit { asset, .. }
            | Self::Withdraw { asset, .. }
            | Self::Reserve { asset, .. }
            | Self::Freeze { asset, .. }
            | Self::ForcedTransfer { asset, .. }
            | Self::Transfer { asset, .. } => *asset,
        }
    }

    /// The account that a transfer or a forced transfer credits.
    fn credited(&self) -> Option<AccountId> {
        match self {
            Self::ForcedTransfer { to, .. } | Self::Transfer { to, .. } => Some(*to),
            _ => None,
        }
    }

    /// The other account of a transfer, forced or not; nobody for every other operation.
    pub(super) fn counterparty(&self) -> AccountId {
        self.credited().unwrap_or(AccountId::NOBODY)
    }

    /// The account whose key row counts: the one that gains a row, if any does.
    pub(super) fn holder(&self) -> AccountId {
        self.credited().unwrap_or_else(|| self.account())
    }
}

/// A change of one row in a batch. Deltas on one row are netted before anything is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// The account.
    pub account: AccountId,
    /// The asset.
    pub asset: AssetId,
    /// Smallest units, signed.
    pub amount: i128,
    /// Lots of the reservation, signed.
    pub reserved: i64,
}

impl Delta {
    /// The dummy that fills unused slots: 48 zero bytes.
    pub const DUMMY: Self = Self { account: AccountId::NOBODY, asset: AssetId(0), amount: 0, reserved: 0 };

    /// The 48 bytes that enter the update digest.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; DELTA_LEN] {
        let mut out = [0; DELTA_LEN];
        out[..20].copy_from_slice(&self.account.0);
        out[20..24].copy_from_slice(&self.asset.0.to_be_bytes());
        out[24..40].copy_from_slice(&self.amount.to_be_bytes());
        out[40..].copy_from_slice(&self.reserved.to_be_bytes());
        out
    }

    /// The deltas followed by dummies up to `k`.
    ///
    /// # Errors
    /// [`StructuralError::DeltaCapacity`] for a `k` that is no capacity, [`StructuralError::TooManyDeltas`].
    pub(super) fn padded(deltas: &[Self], k: usize) -> Result<Vec<Self>, StructuralError> {
        check_slots(k, deltas.len())?;
        let mut padded = deltas.to_vec();
        padded.resize(k, Self::DUMMY);
        Ok(padded)
    }
}

/// Whether `k` is a number of delta slots and holds `found` of them.
pub(super) fn check_slots(k: usize, found: usize) -> Result<(), StructuralError> {
    if !capacities().any(|capacity| capacity == k) {
        return Err(StructuralError::DeltaCapacity { found: k });
    }
    if found > k {
        return Err(StructuralError::TooManyDeltas { capacity: k, found });
    }
    Ok(())
}

/// K, the public number of delta slots: the least of 16·4^j ≥ slots·(2+2N).
///
/// `slots` are request slots, `orders` the public number N of standing orders; the secret number of fills does
/// not enter.
///
/// # Errors
/// [`StructuralError::DeltaCapacity`] above [`MAX_CAPACITY`].
pub fn delta_capacity(slots: usize, orders: usize) -> Result<usize, StructuralError> {
    let worst = orders.saturating_mul(2).saturating_add(2).saturating_mul(slots);
    capacities().find(|capacity| *capacity >= worst).ok_or(StructuralError::DeltaCapacity { found: worst })
}

fn capacities() -> impl Iterator<Item = usize> {
    (0..).step_by(2).map(|shift| MIN_CAPACITY << shift).take_while(|capacity| *capacity <= MAX_CAPACITY)
}

/// digest32 H("update"; one field per operation, one 48-byte field per delta slot).
pub(super) fn update_digest(boundary: &[BoundaryOperation], padded: &[Delta]) -> [u8; 32] {
    let mut hasher = Hasher::new(domain::UPDATE, boundary.len() + padded.len());
    for operation in boundary {
        hasher.field(&operation.to_bytes());
    }
    for delta in padded {
        hasher.field(&delta.to_bytes());
    }
    hasher.finish32()
}

/// digest32 H("update"; the one field of a version of its own), which has no delta slots.
pub(super) fn own_version_digest(field: &[u8]) -> [u8; 32] {
    let mut hasher = Hasher::new(domain::UPDATE, 1);
    hasher.field(field);
    hasher.finish32()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacities_are_public_sizes() {
        assert_eq!(delta_capacity(0, 0), Ok(16));
        assert_eq!(delta_capacity(1, 7), Ok(16));
        assert_eq!(delta_capacity(1, 8), Ok(64));
        assert_eq!(delta_capacity(4, 31), Ok(256));
        assert_eq!(delta_capacity(usize::MAX, usize::MAX), Err(StructuralError::DeltaCapacity { found: usize::MAX }));
        assert_eq!(Delta::padded(&[], 17), Err(StructuralError::DeltaCapacity { found: 17 }));
        assert_eq!(
            Delta::padded(&[Delta::DUMMY; 17], 16),
            Err(StructuralError::TooManyDeltas { capacity: 16, found: 17 })
        );
    }

    #[test]
    fn operations_have_distinct_bytes() {
        let (account, asset, key) = (AccountId([1; 20]), AssetId(2), [3; 32]);
        let all = [
            BoundaryOperation::Register { account, reading_key: key },
            BoundaryOperation::Open { account, asset },
            BoundaryOperation::Deposit { account, asset, amount: 4, reading_key: key },
            BoundaryOperation::Withdraw { account, asset, amount: 4 },
            BoundaryOperation::Reserve { account, asset, lots: 4 },
            BoundaryOperation::Freeze { account, asset, reason: 4, frozen: true },
            BoundaryOperation::ForcedTransfer { account, asset, amount: 4, to: AccountId([5; 20]), reason: 6 },
            BoundaryOperation::Transfer { account, asset, amount: 4, to: AccountId([5; 20]) },
        ];
        let lengths: Vec<_> = all.iter().map(|operation| operation.to_bytes().len()).collect();
        assert_eq!(lengths, [53, 25, 73, 41, 33, 27, 62, 61]);
        let digests: std::collections::BTreeSet<_> =
            all.iter().map(|operation| update_digest(std::slice::from_ref(operation), &[])).collect();
        assert_eq!(digests.len(), all.len());
        assert_eq!(Delta::DUMMY.to_bytes(), [0; DELTA_LEN]);
    }
}
