//! Values that arguments carry: addresses, assets, ranges.

use crate::pool::settings::SuiteName;
use clap::{ValueEnum, builder::PossibleValue};
use std::str::FromStr;

/// A 20-byte address, as 40 hexadecimal digits with or without `0x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) [u8; 20]);

/// 32 bytes, as 64 hexadecimal digits with or without `0x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest(pub(crate) [u8; 32]);

/// Which of the pool's two assets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AssetName {
    /// What the reserve holds; 8 decimals
    Base,
    /// What pays for it; 6 decimals
    Quote,
}

/// A version of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UpkeepName {
    /// The table's next tier
    Growth,
    /// The epoch after a refresh or a reshare
    Epoch,
    /// The master key after a rotation
    Rotation,
}

impl ValueEnum for SuiteName {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::ChaCha20Poly1305, Self::Aes256Gcm]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::ChaCha20Poly1305 => PossibleValue::new("chacha20-poly1305").help("ChaCha20-Poly1305, in every build"),
            Self::Aes256Gcm => PossibleValue::new("aes-256-gcm")
                .help("AES-256-GCM by AWS-LC, in a build with the feature suite-aes-gcm"),
        })
    }
}

/// One spread, or a sliding one as `S0:S1`, in 1/100 basis point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpreadRange(pub(crate) [u16; 2]);

/// Seconds that a submission lives unless told otherwise: the same for every kind, as its expiry is public.
pub(super) const LIFETIME: u64 = 3600;

/// Seconds below which a submission would be likely to expire before a block holds it.
const LEAST_LIFETIME: u64 = 60;

/// The seconds that a submission lives.
pub(super) fn lifetime(text: &str) -> Result<u64, String> {
    let seconds: u64 = text.parse().map_err(|_| "seconds are a number".to_owned())?;
    if seconds < LEAST_LIFETIME {
        return Err(format!("it would expire before the next round; at least {LEAST_LIFETIME} seconds"));
    }
    Ok(seconds)
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let mut bytes = [0; 20];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| "an address has 40 hexadecimal digits".to_owned())?;
        // in one case it carries no checksum (EIP-55)
        let mixed =
            digits.contains(|c: char| c.is_ascii_lowercase()) && digits.contains(|c: char| c.is_ascii_uppercase());
        if mixed && alloy::primitives::Address::from(bytes).to_checksum(None).get(2..) != Some(digits) {
            return Err("the checksum in the case of its letters is wrong: a digit is not what it was".to_owned());
        }
        Ok(Self(bytes))
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| "an id has 64 hexadecimal digits".to_owned())?;
        Ok(Self(bytes))
    }
}

impl FromStr for SpreadRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (start, end) = text.split_once(':').unwrap_or((text, text));
        match (start.parse(), end.parse()) {
            (Ok(s0), Ok(s1)) if s0 <= MAX_SPREAD && s1 <= MAX_SPREAD => Ok(Self([s0, s1])),
            _ => Err(format!("a spread is S or S0:S1, each 0 to {MAX_SPREAD} hundredths of a basis point")),
        }
    }
}

const MAX_SPREAD: u16 = 16_383;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_forty_digits() {
        assert_eq!("0x0101010101010101010101010101010101010101".parse(), Ok(Address([1; 20])));
        assert_eq!("0101010101010101010101010101010101010101".parse(), Ok(Address([1; 20])));
        assert!("0x01".parse::<Address>().is_err());
        assert!("0x010101010101010101010101010101010101010g".parse::<Address>().is_err());
    }

    #[test]
    fn a_suite_is_named_in_arguments_as_in_settings() {
        for suite in SuiteName::value_variants() {
            let written = serde_json::to_value(suite).expect("text always serialises");
            let name = suite.to_possible_value().map(|value| value.get_name().to_owned());
            assert_eq!(written.as_str(), name.as_deref());
        }
    }

    #[test]
    fn spreads_are_one_or_a_range() {
        assert_eq!("50".parse(), Ok(SpreadRange([50, 50])));
        assert_eq!("50:75".parse(), Ok(SpreadRange([50, 75])));
        for text in ["", ":", "-1", "1:2:3", "16384", "1:99999"] {
            assert!(text.parse::<SpreadRange>().is_err(), "{text}");
        }
    }
}
