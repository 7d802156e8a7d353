//! What the ciphertexts say: four fixed layouts, one for each kind of instruction.
//!
//! *Layout* (integers big-endian; version u8 = 1 and kind u8 come first):
//!
//! | kind | instruction | fields after version and kind |
//! |---|---|---|
//! | 1 | collateral order | size u64, minimum total u64 (0 = all or none), s₀ u16, s₁ u16, t₀ u64, t₁ u64, d_lo u16, d_hi u16, tiers u64, seed 32 |
//! | 2 | standing order | account 20, asset u32, spread u16, size u64, cap u64, minimum u64, expiry u64, tiers u64, signature 65 |
//! | 3 | deposit | account 20, reading key 32, signature 65 |
//! | 4 | withdrawal | account 20, asset u32, amount u128, recipient 20, signature 65 |
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

fn start(kind: u8, capacity: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(capacity);
    out.extend_from_slice(&[VERSION, kind]);
    out
}

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

impl CollateralOrder {
    const KIND: u8 = 1;

    /// The layout above.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = start(Self::KIND, 82);
        out.extend_from_slice(&self.size.to_be_bytes());
        out.extend_from_slice(&self.minimum_total.to_be_bytes());
        self.spread.iter().for_each(|s| out.extend_from_slice(&s.to_be_bytes()));
        self.times.iter().for_each(|t| out.extend_from_slice(&t.to_be_bytes()));
        self.dispersion.iter().for_each(|d| out.extend_from_slice(&d.to_be_bytes()));
        out.extend_from_slice(&self.tiers.to_be_bytes());
        out.extend_from_slice(&self.seed);
        out
    }

    /// Reads the layout above.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = open(bytes, Self::KIND)?;
        let order = Self {
            size: reader.u64("size")?,
            minimum_total: reader.u64("minimum total")?,
            spread: [reader.u16("s0")?, reader.u16("s1")?],
            times: [reader.u64("t0")?, reader.u64("t1")?],
            dispersion: [reader.u16("d_lo")?, reader.u16("d_hi")?],
            tiers: reader.u64("tiers")?,
            seed: reader.array("seed")?,
        };
        reader.finish()?;
        Ok(order)
    }
}

impl StandingOrderTerms {
    const KIND: u8 = 2;

    /// The layout above without the signature: what the account signs.
    #[must_use]
    pub fn unsigned(&self) -> Vec<u8> {
        let mut out = start(Self::KIND, 133);
        out.extend_from_slice(&self.account);
        out.extend_from_slice(&self.asset.to_be_bytes());
        out.extend_from_slice(&self.spread.to_be_bytes());
        for amount in [self.size, self.cap, self.minimum, self.expiry] {
            out.extend_from_slice(&amount.to_be_bytes());
        }
        out.extend_from_slice(&self.tiers.to_be_bytes());
        out
    }

    /// The layout above.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.unsigned();
        out.extend_from_slice(&self.signature);
        out
    }

    /// Reads the layout above.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = open(bytes, Self::KIND)?;
        let terms = Self {
            account: reader.array("account")?,
            asset: reader.u32("asset")?,
            spread: reader.u16("spread")?,
            size: reader.u64("size")?,
            cap: reader.u64("cap")?,
            minimum: reader.u64("minimum")?,
            expiry: reader.u64("expiry")?,
            tiers: reader.u64("tiers")?,
            signature: reader.array("signature")?,
        };
        reader.finish()?;
        Ok(terms)
    }
}

impl DepositInstruction {
    const KIND: u8 = 3;

    /// The layout above without the signature: what the account signs.
    #[must_use]
    pub fn unsigned(&self) -> Vec<u8> {
        let mut out = start(Self::KIND, 119);
        out.extend_from_slice(&self.account);
        out.extend_from_slice(&self.reading_key);
        out
    }

    /// The layout above.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.unsigned();
        out.extend_from_slice(&self.signature);
        out
    }

    /// Reads the layout above.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = open(bytes, Self::KIND)?;
        let instruction = Self {
            account: reader.array("account")?,
            reading_key: reader.array("reading key")?,
            signature: reader.array("signature")?,
        };
        reader.finish()?;
        Ok(instruction)
    }
}

impl WithdrawalInstruction {
    const KIND: u8 = 4;

    /// The layout above without the signature: what the account signs.
    #[must_use]
    pub fn unsigned(&self) -> Vec<u8> {
        let mut out = start(Self::KIND, 127);
        out.extend_from_slice(&self.account);
        out.extend_from_slice(&self.asset.to_be_bytes());
        out.extend_from_slice(&self.amount.to_be_bytes());
        out.extend_from_slice(&self.recipient);
        out
    }

    /// The layout above.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.unsigned();
        out.extend_from_slice(&self.signature);
        out
    }

    /// Reads the layout above.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = open(bytes, Self::KIND)?;
        let instruction = Self {
            account: reader.array("account")?,
            asset: reader.u32("asset")?,
            amount: reader.u128("amount")?,
            recipient: reader.array("recipient")?,
            signature: reader.array("signature")?,
        };
        reader.finish()?;
        Ok(instruction)
    }
}

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
