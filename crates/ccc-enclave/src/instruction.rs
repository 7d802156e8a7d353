//! What the ciphertexts and queries say: five fixed layouts, one for each kind of instruction.
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

impl BalanceQuery {
    /// Bytes of a query.
    pub const LEN: usize = 119;
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
integer!(u16, u32, u64, u128);

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

macro_rules! signed {
    ($($of:ident),+) => {$(
        impl $of {
            /// The layout above without the signature: what the account signs.
            #[must_use]
            pub fn unsigned(&self) -> Vec<u8> {
                self.body()
            }
        }
    )+};
}
signed!(StandingOrderTerms, DepositInstruction, WithdrawalInstruction, BalanceQuery);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_read_back_and_nothing_else_is() {
        let order = CollateralOrder {
            size: 1,
            minimum_total: 2,
            spread: [3, 4],
            times: [5, 6],
            dispersion: [7, 8],
            tiers: 9,
            seed: [10; 32],
        };
        let bytes = order.to_bytes();
        assert!(CollateralOrder::from_bytes(&bytes).is_ok_and(|read| read == order));
        assert!(StandingOrderTerms::from_bytes(&bytes).is_err());
        for length in 0..bytes.len() {
            assert!(CollateralOrder::from_bytes(&bytes[..length]).is_err());
        }
        assert_eq!(
            CollateralOrder::from_bytes(&[bytes, vec![0]].concat()).err(),
            Some(EncodingError::Trailing { found: 1 })
        );
    }

    /// The bytes of one instruction, field by field as the table above has them.
    fn bytes(kind: u8, fields: &[&[u8]]) -> Vec<u8> {
        [&[1, kind], fields.concat().as_slice()].concat()
    }

    #[test]
    fn every_field_has_its_place() {
        let order = CollateralOrder {
            size: 1,
            minimum_total: 2,
            spread: [3, 4],
            times: [5, 6],
            dispersion: [7, 8],
            tiers: 9,
            seed: [10; 32],
        };
        let word = |value: u64| value.to_be_bytes();
        let halves = [0, 7, 0, 8];
        let fields: [&[u8]; 8] = [&word(1), &word(2), &[0, 3, 0, 4], &word(5), &word(6), &halves, &word(9), &[10; 32]];
        assert_eq!(order.to_bytes(), bytes(1, &fields));
        assert_eq!(order.to_bytes().len(), 82);
        let terms = StandingOrderTerms {
            account: [1; 20],
            asset: 2,
            spread: 3,
            size: 4,
            cap: 5,
            minimum: 6,
            expiry: 7,
            tiers: 8,
            signature: [9; 65],
        };
        let fields: [&[u8]; 9] =
            [&[1; 20], &[0, 0, 0, 2], &[0, 3], &word(4), &word(5), &word(6), &word(7), &word(8), &[9; 65]];
        assert_eq!(terms.to_bytes(), bytes(2, &fields));
        assert_eq!(terms.to_bytes().len(), 133);
        let deposit = DepositInstruction { account: [1; 20], reading_key: [2; 32], signature: [3; 65] };
        assert_eq!(deposit.to_bytes(), bytes(3, &[&[1; 20], &[2; 32], &[3; 65]]));
        let query = BalanceQuery { account: [1; 20], answer_key: [2; 32], signature: [3; 65] };
        assert_eq!(query.to_bytes(), bytes(5, &[&[1; 20], &[2; 32], &[3; 65]]));
        assert_eq!(query.to_bytes().len(), BalanceQuery::LEN);
        assert!(DepositInstruction::from_bytes(&query.to_bytes()).is_err());
        let (account, signature) = ([1; 20], [4; 65]);
        let withdrawal = WithdrawalInstruction { account, asset: 2, amount: 3, recipient: [5; 20], signature };
        let fields: [&[u8]; 5] = [&account, &[0, 0, 0, 2], &3_u128.to_be_bytes(), &[5; 20], &signature];
        assert_eq!(withdrawal.to_bytes(), bytes(4, &fields));
        assert_eq!(withdrawal.to_bytes().len(), 127);
    }

    #[test]
    fn signed_instructions_end_in_their_signature() {
        let terms = StandingOrderTerms {
            account: [1; 20],
            asset: 0,
            spread: 50,
            size: 6,
            cap: 5,
            minimum: 4,
            expiry: 3,
            tiers: 2,
            signature: [7; 65],
        };
        assert_eq!(terms.to_bytes(), [terms.unsigned(), vec![7; 65]].concat());
        assert!(StandingOrderTerms::from_bytes(&terms.to_bytes()).is_ok_and(|read| read == terms));
        let deposit = DepositInstruction { account: [1; 20], reading_key: [2; 32], signature: [3; 65] };
        assert!(DepositInstruction::from_bytes(&deposit.to_bytes()).is_ok_and(|read| read == deposit));
        let withdrawal = WithdrawalInstruction {
            account: [1; 20],
            asset: 1,
            amount: u128::MAX,
            recipient: [2; 20],
            signature: [3; 65],
        };
        assert!(WithdrawalInstruction::from_bytes(&withdrawal.to_bytes()).is_ok_and(|read| read == withdrawal));
    }
}
