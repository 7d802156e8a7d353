//! Fixed and free byte strings as lower-case hexadecimal text, in the journal's lines and the command's files.
//!
//! *Layout*: two digits a byte. `0x` before the digits of a fixed string is read, and not written.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// `N` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hex<const N: usize>(pub [u8; N]);

/// Any number of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HexBytes(pub Vec<u8>);

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; N];
        let refused = |_| D::Error::custom(format_args!("{} hexadecimal digits are wanted", 2 * N));
        hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(&text), &mut bytes).map_err(refused)?;
        Ok(Self(bytes))
    }
}

impl Serialize for HexBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(text).map(Self).map_err(|_| D::Error::custom("hexadecimal digits are wanted"))
    }
}
