//! The search for secrets in what became public.
//!
//! A number is searched in decimal, in hexadecimal, and as big- and little-endian bytes of its least width:
//! every wider encoding contains one of these. Bytes (an account, a key) are searched raw and in
//! hexadecimal. Secrets are at least 2^32, so a hit by chance among random bytes is rarer than one in a
//! million per run.

use std::fmt;

/// The least number that is searched: smaller ones occur by chance.
pub const LEAST: u128 = 1 << 32;

/// A secret, with the name that a report may show.
///
/// *Security*: `Debug` and `Display` show the name alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    name: &'static str,
    needles: Vec<Vec<u8>>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A secret that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Name of the secret.
    pub secret: &'static str,
    /// Where it was found.
    pub place: String,
    /// Offset in that place.
    pub offset: usize,
}

impl Secret {
    /// A number; `None` below [`LEAST`], where a search would prove nothing.
    #[must_use]
    pub fn number(name: &'static str, value: u128) -> Option<Self> {
        if value < LEAST {
            return None;
        }
        let big: Vec<u8> = value.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        let little: Vec<u8> = big.iter().rev().copied().collect();
        let needles = vec![
            value.to_string().into_bytes(),
            format!("{value:x}").into_bytes(),
            hexadecimal(&little).into_bytes(),
            big,
            little,
        ];
        Some(Self { name, needles })
    }

    /// Bytes: an address, a key.
    #[must_use]
    pub fn bytes(name: &'static str, value: &[u8]) -> Self {
        Self { name, needles: vec![value.to_vec(), hexadecimal(value).into_bytes()] }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// Searches one public place for every secret. Letters are compared without case.
#[must_use]
pub fn search(place: &str, public: &[u8], secrets: &[Secret]) -> Vec<Hit> {
    let lower: Vec<u8> = public.to_ascii_lowercase();
    secrets
        .iter()
        .filter_map(|secret| {
            let offset = secret.needles.iter().find_map(|needle| find(public, needle).or_else(|| find(&lower, needle)));
            offset.map(|offset| Hit { secret: secret.name, place: place.to_owned(), offset })
        })
        .collect()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let last = haystack.len().checked_sub(needle.len())?;
    (0..=last).find(|at| haystack[*at] == first && haystack[*at..].starts_with(needle))
}

fn hexadecimal(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: u128 = 0x0001_23ab_4567_89cd;

    fn secrets() -> Vec<Secret> {
        vec![Secret::number("size", VALUE).expect("large"), Secret::bytes("account", &[0xab; 20])]
    }

    #[test]
    fn every_usual_encoding_is_found() {
        let big32: Vec<u8> = [vec![0; 16], VALUE.to_be_bytes().to_vec()].concat();
        let encodings: Vec<Vec<u8>> = vec![
            VALUE.to_string().into_bytes(),
            format!("{{\"x\":\"0x{VALUE:064x}\"}}").into_bytes(),
            format!("{VALUE:X}").into_bytes(),
            VALUE.to_be_bytes().to_vec(),
            VALUE.to_le_bytes().to_vec(),
            u64::try_from(VALUE).expect("fits").to_le_bytes().to_vec(),
            hex::encode(VALUE.to_le_bytes()).into_bytes(),
            big32,
        ];
        for encoding in encodings {
            let public = [b"before ".to_vec(), encoding, b" after".to_vec()].concat();
            assert_eq!(search("log", &public, &secrets()).len(), 1, "{public:02x?}");
        }
        assert_eq!(search("log", &[0xab; 20], &secrets())[0].secret, "account");
        assert_eq!(search("log", "AB".repeat(20).as_bytes(), &secrets())[0].secret, "account");
    }

    #[test]
    fn other_bytes_are_not_hits() {
        assert!(search("log", b"nothing here", &secrets()).is_empty());
        assert!(search("log", &(VALUE + 1).to_be_bytes(), &secrets()).is_empty());
        assert!(search("log", &[], &secrets()).is_empty());
    }

    #[test]
    fn small_numbers_are_not_searched() {
        assert_eq!(Secret::number("spread", 4_000), None);
    }
}
