//! What the ciphertexts and queries say: nine fixed layouts, one for each kind of instruction.
//!
//! *Layout* (integers big-endian; version u8 = 1 and kind u8 come first):
//!
//! | kind | instruction | fields after version and kind |
//! |---|---|---|
//! | 1 | collateral order | size u64, minimum total u64 (0 = all or none), s₀ u16, s₁ u16, t₀ u64, t₁ u64, d_lo u16, d_hi u16, tiers u64, seed 32 |
//! | 2 | standing order | account 20, asset u32, spread u16, size u64, cap u64, minimum u64, expiry u64, tiers u64, signature 65 |
//! | 3 | deposit | account 20, reading key 32, signature 65 |
//! | 4 | withdrawal | account 20, asset u32, amount u128, recipient 20, signature 65 |
//! | 5 | balance query | account 20, answer key 32, signature 65 |
//! | 6 | transfer | account 20, asset u32, amount u128, to 20, signature 65 |
//! | 7 | freeze or thaw | account 20, asset u32, reason u8, frozen u8 (0 or 1), signature 65 |
//! | 8 | forced transfer | account 20, asset u32, amount u128, to 20, reason u8, signature 65 |
//! | 9 | cancellation | account 20, order 32, signature 65 |
//!
//! *Units*: sizes, caps and minimums in base units of the asset; spreads in 1/100 basis point; d in basis
//! points; times in Unix seconds. A table account speaks only inside a ciphertext, so it signs there:
//! see [`crate::authorisation`].

use ccc_core::encoding::{EncodingError, Reader};

const VERSION: u8 = 1;

/// A request for collateral.
///
/// *Security*: secret; no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct CollateralOrder {
    /// Size, in base units.
    pub size: u64,
    /// Least acceptable total in base units; zero means all or none.
    pub minimum_total: u64,
    /// Spread admitted at `t0`, and at `t1`, in 1/100 basis point.
    pub spread: [u16; 2],
    /// Start and end of the sliding premium.
    pub times: [u64; 2],
    /// Bounds of the dispersion draw, in basis points of the size.
    pub dispersion: [u16; 2],
    /// Tiers of makers that may fill it.
    pub tiers: u64,
    /// Seed of the dispersion draw.
    pub seed: [u8; 32],
}

/// A maker's promise of liquidity.
///
/// *Security*: secret; no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct StandingOrderTerms {
    /// Table account that sells.
    pub account: [u8; 20],
    /// Asset that it sells.
    pub asset: u32,
    /// Spread over the average price, in 1/100 basis point.
    pub spread: u16,
    /// Size, in base units.
    pub size: u64,
    /// Most that one request may take, in base units.
    pub cap: u64,
    /// Least that one request must take, in base units.
    pub minimum: u64,
    /// Last second at which it stands.
    pub expiry: u64,
    /// Tiers of requesters that it serves.
    pub tiers: u64,
    /// The account's signature.
    pub signature: [u8; 65],
}

/// Which account a deposit credits.
#[derive(Clone, PartialEq, Eq)]
pub struct DepositInstruction {
    /// Table account that is credited.
    pub account: [u8; 20],
    /// Key under which the account reads its rows.
    pub reading_key: [u8; 32],
    /// The account's signature.
    pub signature: [u8; 65],
}

/// What a withdrawal pays, and to whom.
#[derive(Clone, PartialEq, Eq)]
pub struct WithdrawalInstruction {
    /// Table account that is debited.
    pub account: [u8; 20],
    /// Asset that is paid.
    pub asset: u32,
    /// Amount, in base units.
    pub amount: u128,
    /// Address that is paid.
    pub recipient: [u8; 20],
    /// The account's signature.
    pub signature: [u8; 65],
}

/// A question for an account's balances. It is no ciphertext: see [`crate::query`].
#[derive(Clone, PartialEq, Eq)]
pub struct BalanceQuery {
    /// Table account whose rows are asked for.
    pub account: [u8; 20],
    /// X25519 key to which the answer is sealed.
    pub answer_key: [u8; 32],
    /// The account's signature.
    pub signature: [u8; 65],
}

impl StandingOrderTerms {
    /// Bytes of an order before its signature.
    pub(crate) const UNSIGNED_LEN: usize = 68;
}

impl BalanceQuery {
    /// Bytes of a query.
    pub const LEN: usize = 119;
}

/// What one account pays another inside the table.
#[derive(Clone, PartialEq, Eq)]
pub struct TransferInstruction {
    /// Table account that is debited.
    pub account: [u8; 20],
    /// Asset that is moved.
    pub asset: u32,
    /// Amount, in base units.
    pub amount: u128,
    /// Table account that is credited.
    pub to: [u8; 20],
    /// The signature of the account that is debited.
    pub signature: [u8; 65],
}

/// A row that the operator freezes or thaws.
#[derive(Clone, PartialEq, Eq)]
pub struct FreezeInstruction {
    /// Table account of the row.
    pub account: [u8; 20],
    /// Asset of the row.
    pub asset: u32,
    /// The operator's reason code, kept in the row.
    pub reason: u8,
    /// Freeze, or thaw.
    pub frozen: bool,
    /// The operator's signature.
    pub signature: [u8; 65],
}

/// What the operator takes out of a frozen row.
#[derive(Clone, PartialEq, Eq)]
pub struct ForcedTransferInstruction {
    /// Table account that is debited.
    pub account: [u8; 20],
    /// Asset that is moved.
    pub asset: u32,
    /// Amount, in base units.
    pub amount: u128,
    /// Table account that is credited.
    pub to: [u8; 20],
    /// The operator's reason code, kept in the debited row.
    pub reason: u8,
    /// The operator's signature.
    pub signature: [u8; 65],
}

/// A standing order that its account takes back.
#[derive(Clone, PartialEq, Eq)]
pub struct CancelInstruction {
    /// Table account whose order it is.
    pub account: [u8; 20],
    /// Digest of the order's ciphertext, as its receipts name it.
    pub order: [u8; 32],
    /// The account's signature.
    pub signature: [u8; 65],
}

/// A field of an instruction; integers are big-endian.
trait Field: Sized {
    fn write(&self, out: &mut Vec<u8>);
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, EncodingError>;
}

macro_rules! integer {
    ($($type:ident),+) => {$(
        impl Field for $type {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, EncodingError> {
                reader.$type(what)
            }
        }
    )+};
}
integer!(u8, u16, u32, u64, u128);

/// One byte, 0 or 1.
impl Field for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, EncodingError> {
        match reader.u8(what)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(EncodingError::Reserved { what }),
        }
    }
}

impl<const N: usize> Field for [u8; N] {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, EncodingError> {
        reader.array(what)
    }
}

/// Two integers, one after the other.
macro_rules! pair {
    ($($type:ident),+) => {$(
        impl Field for [$type; 2] {
            fn write(&self, out: &mut Vec<u8>) {
                self.iter().for_each(|half| half.write(out));
            }

            fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, EncodingError> {
                Ok([reader.$type(what)?, reader.$type(what)?])
            }
        }
    )+};
}
pair!(u16, u64);

fn open(bytes: &[u8], kind: u8) -> Result<Reader<'_>, EncodingError> {
    let mut reader = Reader::new(bytes);
    let version = reader.u8("instruction version")?;
    if version != VERSION {
        return Err(EncodingError::Version { found: version });
    }
    let found = reader.u8("instruction kind")?;
    if found != kind {
        return Err(EncodingError::UnknownKind { found });
    }
    Ok(reader)
}

/// An instruction's kind, its length, and its fields in the order of the layout, each with its name in errors; a
/// signature, if there is one, follows them.
macro_rules! layout {
    ($of:ident, $kind:literal, $length:literal, [$($field:ident: $name:literal),+] $(, $signature:ident)?) => {
        impl $of {
            /// Everything before the signature.
            fn body(&self) -> Vec<u8> {
                let mut out = Vec::with_capacity($length);
                out.extend_from_slice(&[VERSION, $kind]);
                $(self.$field.write(&mut out);)+
                out
            }

            /// The layout above.
            #[must_use]
            pub fn to_bytes(&self) -> Vec<u8> {
                #[allow(unused_mut, reason = "an instruction without a signature ends here")]
                let mut out = self.body();
                $(self.$signature.write(&mut out);)?
                out
            }

            /// Reads the layout above.
            ///
            /// # Errors
            /// [`EncodingError`].
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
                let mut reader = open(bytes, $kind)?;
                let instruction = Self {
                    $($field: Field::read(&mut reader, $name)?,)+
                    $($signature: Field::read(&mut reader, stringify!($signature))?,)?
                };
                reader.finish()?;
                Ok(instruction)
            }
        }
    };
}

layout!(CollateralOrder, 1, 82, [
    size: "size",
    minimum_total: "minimum total",
    spread: "spread",
    times: "times",
    dispersion: "dispersion",
    tiers: "tiers",
    seed: "seed"
]);
layout!(StandingOrderTerms, 2, 133, [
    account: "account",
    asset: "asset",
    spread: "spread",
    size: "size",
    cap: "cap",
    minimum: "minimum",
    expiry: "expiry",
    tiers: "tiers"
], signature);
layout!(DepositInstruction, 3, 119, [account: "account", reading_key: "reading key"], signature);
layout!(BalanceQuery, 5, 119, [account: "account", answer_key: "answer key"], signature);
layout!(WithdrawalInstruction, 4, 127, [
    account: "account",
    asset: "asset",
    amount: "amount",
    recipient: "recipient"
], signature);
layout!(TransferInstruction, 6, 127, [
    account: "account",
    asset: "asset",
    amount: "amount",
    to: "account that is credited"
], signature);
layout!(FreezeInstruction, 7, 93, [
    account: "account",
    asset: "asset",
    reason: "reason",
    frozen: "frozen"
], signature);
layout!(ForcedTransferInstruction, 8, 128, [
    account: "account",
    asset: "asset",
    amount: "amount",
    to: "account that is credited",
    reason: "reason"
], signature);
layout!(CancelInstruction, 9, 119, [account: "account", order: "order"], signature);

macro_rules! signed {
    ($($of:ident),+) => {$(
        impl $of {
            /// The layout above without the signature: what the account or the operator signs.
            #[must_use]
            pub fn unsigned(&self) -> Vec<u8> {
                self.body()
            }
        }
    )+};
}
signed!(
    StandingOrderTerms,
    DepositInstruction,
    WithdrawalInstruction,
    BalanceQuery,
    TransferInstruction,
    FreezeInstruction,
    ForcedTransferInstruction,
    CancelInstruction
);

#[cfg(test)]
mod tests;
