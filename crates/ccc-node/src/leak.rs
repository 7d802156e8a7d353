//! The search for secrets in what became public.
//!
//! A number is searched as text (decimal, decimal with groups of three, as a coin and as a dollar amount,
//! hexadecimal of either byte order), as big- and little-endian bytes of its least width from 6 bytes on, which
//! every wider encoding contains, and as RLP. So a hit by chance is rarer than one in a hundred thousand among
//! a megabyte of random bytes and some hundred secrets. Numbers below 2^32 would be found by chance; of those from 2^24 on the
//! forms that are long enough are searched: 8 bytes, and text that stands alone. Bytes (an account, a key)
//! are searched raw and in hexadecimal.

use std::{collections::HashMap, fmt};

/// The least number that is searched in every encoding.
pub const LEAST: u128 = 1 << 32;
/// The least number that is searched at all.
pub const LEAST_WIDE: u128 = 1 << 24;
/// The shortest secret bytes: shorter ones occur by chance.
pub const LEAST_BYTES: usize = 16;

const PREFIX: usize = 4;
/// Bytes of a number below 2^48.
const LEAST_WIDTH: usize = 6;

/// A secret, with the name that a report may show.
///
/// *Security*: `Debug` shows the name alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    name: &'static str,
    needles: Vec<Needle>,
}

/// One encoding of a secret.
#[derive(Clone, PartialEq, Eq)]
struct Needle {
    bytes: Vec<u8>,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// These bytes.
    Raw,
    /// These letters and digits, in either case.
    Text,
    /// These decimal digits, with no other before (but zeros) or behind: round amounts are few digits and many
    /// zeros, which occur in padded hexadecimal.
    Decimal,
    /// These letters and digits, with none on either side.
    Word,
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
    /// A number; `None` below [`LEAST_WIDE`], where a search would prove nothing.
    #[must_use]
    pub fn number(name: &'static str, value: u128) -> Option<Self> {
        let needles = match value {
            LEAST.. => number_needles(value),
            LEAST_WIDE.. => small_number_needles(value),
            _ => return None,
        };
        Some(Self { name, needles })
    }

    /// Bytes: an address, a key. Fewer than [`LEAST_BYTES`] do not compile.
    #[must_use]
    pub fn bytes<const N: usize>(name: &'static str, value: &[u8; N]) -> Self {
        const { assert!(N >= LEAST_BYTES, "so few bytes occur by chance") };
        Self { name, needles: vec![Needle::raw(value), Needle::hex(value)] }
    }

    /// Whether it is a number searched in every usual width, or bytes; not so for numbers below [`LEAST`].
    #[must_use]
    pub fn in_every_width(&self) -> bool {
        let has = |form| self.needles.iter().any(|needle| needle.form == form);
        has(Form::Decimal) || !has(Form::Word)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl Needle {
    fn raw(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), form: Form::Raw }
    }

    fn hex(bytes: &[u8]) -> Self {
        Self::text(hex::encode(bytes))
    }

    fn text(text: String) -> Self {
        Self { bytes: text.into_bytes(), form: Form::Text }
    }

    fn decimal(value: u128) -> Self {
        Self { bytes: value.to_string().into_bytes(), form: Form::Decimal }
    }

    fn word(text: String) -> Self {
        Self { bytes: text.into_bytes(), form: Form::Word }
    }

    fn stands_at(&self, public: &[u8], at: usize) -> bool {
        let end = at.saturating_add(self.bytes.len());
        let Some(found) = public.get(at..end) else { return false };
        match self.form {
            Form::Raw => found == self.bytes,
            Form::Text => found.eq_ignore_ascii_case(&self.bytes),
            Form::Decimal => found == self.bytes && is_whole_decimal(public, at, end),
            Form::Word => found.eq_ignore_ascii_case(&self.bytes) && stands_alone(public, at, end),
        }
    }
}

fn is_whole_decimal(public: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| public.get(at));
    let other_before = before.is_some_and(|byte| (b'1'..=b'9').contains(byte));
    !other_before && !public.get(end).is_some_and(u8::is_ascii_digit)
}

fn stands_alone(public: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| public.get(at));
    // "0x" before a hexadecimal number is no part of it
    let marked = start.checked_sub(2).and_then(|at| public.get(at..start)).is_some_and(|mark| mark == b"0x");
    let free = |byte: Option<&u8>| !byte.is_some_and(u8::is_ascii_alphanumeric);
    (marked || free(before)) && free(public.get(end))
}

fn number_needles(value: u128) -> Vec<Needle> {
    let bytes = value.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let big = &bytes[zeros.min(bytes.len() - LEAST_WIDTH)..];
    let little: Vec<u8> = big.iter().rev().copied().collect();
    let rlp = rlp(&bytes[zeros..]);
    vec![
        Needle::decimal(value),
        Needle::text(grouped(value)),
        Needle::text(fraction(value, 8)),
        Needle::text(fraction(value, 6)),
        Needle::word(format!("{value:x}")),
        Needle::hex(big),
        Needle::hex(&little),
        Needle::hex(&rlp),
        Needle::raw(big),
        Needle::raw(&little),
        Needle::raw(&rlp),
    ]
}

/// A string of 2 to 55 bytes.
fn rlp(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).expect("a number has at most 16 bytes");
    [&[0x80 + length], bytes].concat()
}

/// For numbers of 24 to 32 bits: eight bytes, and text with nothing beside it.
fn small_number_needles(value: u128) -> Vec<Needle> {
    let wide = value.to_be_bytes();
    let big = &wide[8..];
    let little: Vec<u8> = big.iter().rev().copied().collect();
    vec![
        Needle::word(value.to_string()),
        Needle::word(grouped(value)),
        Needle::word(fraction(value, 8)),
        Needle::word(format!("{value:x}")),
        Needle::hex(big),
        Needle::hex(&little),
        Needle::raw(big),
        Needle::raw(&little),
    ]
}

/// With a comma between groups of three digits.
fn grouped(value: u128) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// With a point before the last `places` digits.
fn fraction(value: u128, places: u32) -> String {
    let unit = 10u128.pow(places);
    format!("{}.{:0width$}", value / unit, value % unit, width = places as usize)
}

/// Secrets by the first bytes of their encodings, for one pass over each public place.
pub struct Search<'s> {
    secrets: &'s [Secret],
    /// Which two bytes begin some needle.
    begins: Vec<bool>,
    by_prefix: HashMap<[u8; PREFIX], Vec<(usize, &'s Needle)>>,
}

impl<'s> Search<'s> {
    /// A search for these secrets.
    #[must_use]
    pub fn new(secrets: &'s [Secret]) -> Self {
        let mut search = Self { secrets, begins: vec![false; 1 << 16], by_prefix: HashMap::new() };
        for (index, secret) in secrets.iter().enumerate() {
            secret.needles.iter().for_each(|needle| search.add(index, needle));
        }
        search
    }

    fn add(&mut self, index: usize, needle: &'s Needle) {
        let Some(prefix) = needle.bytes.first_chunk() else { return };
        self.begins[pair(prefix)] = true;
        self.by_prefix.entry(*prefix).or_default().push((index, needle));
    }

    /// Searches one public place; a secret that stands there twice is one hit.
    #[must_use]
    pub fn place(&self, place: &str, public: &[u8]) -> Vec<Hit> {
        let mut first: Vec<Option<usize>> = vec![None; self.secrets.len()];
        for (at, window) in public.windows(PREFIX).enumerate() {
            let Some(window) = window.first_chunk::<PREFIX>() else { continue };
            let lower = window.map(|byte| byte.to_ascii_lowercase());
            self.mark(public, at, window, &mut first);
            if lower != *window {
                self.mark(public, at, &lower, &mut first);
            }
        }
        let found = self.secrets.iter().zip(first);
        let hit = |(secret, offset): (&Secret, Option<usize>)| {
            Some(Hit { secret: secret.name, place: place.to_owned(), offset: offset? })
        };
        found.filter_map(hit).collect()
    }

    fn mark(&self, public: &[u8], at: usize, prefix: &[u8; PREFIX], first: &mut [Option<usize>]) {
        if !self.begins[pair(prefix)] {
            return;
        }
        let candidates = self.by_prefix.get(prefix).into_iter().flatten();
        for (index, _) in candidates.filter(|(_, needle)| needle.stands_at(public, at)) {
            first[*index].get_or_insert(at);
        }
    }
}

fn pair(prefix: &[u8; PREFIX]) -> usize {
    usize::from(prefix[0]) << 8 | usize::from(prefix[1])
}

/// Searches one public place for every secret.
#[must_use]
pub fn search(place: &str, public: &[u8], secrets: &[Secret]) -> Vec<Hit> {
    Search::new(secrets).place(place, public)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: u128 = 0x0001_23ab_4567_89cd;
    const SMALL: u128 = 0x02ab_cdef;

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
            VALUE.to_be_bytes()[9..].to_vec(),
            VALUE.to_le_bytes()[..7].to_vec(),
            u64::try_from(VALUE).expect("fits").to_le_bytes().to_vec(),
            hex::encode(VALUE.to_le_bytes()).into_bytes(),
            big32,
            format!("size{VALUE}sat").into_bytes(),
            format!("0000{VALUE}").into_bytes(),
            [&[0x87][..], &VALUE.to_be_bytes()[9..]].concat(),
            b"320,693,487,503,821".to_vec(),
            b"3206934.87503821".to_vec(),
            b"320693487.503821".to_vec(),
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
        assert!(search("log", &VALUE.to_be_bytes()[10..], &secrets()).is_empty());
        assert!(search("log", &[], &secrets()).is_empty());
        for (before, after) in [("", "0"), ("1", ""), ("9", "000")] {
            let public = format!("0xab{before}{VALUE}{after}");
            assert!(search("log", public.as_bytes(), &secrets()).is_empty(), "{public}");
        }
    }

    #[test]
    fn five_bytes_are_found_as_rlp_and_from_six_bytes_on() {
        let value = 0x12_3456_789a;
        let secrets = [Secret::number("size", value).expect("large")];
        let bytes = value.to_be_bytes();
        for public in [[&[0x85][..], &bytes[11..]].concat(), bytes[10..].to_vec(), value.to_le_bytes()[..6].to_vec()] {
            assert_eq!(search("log", &public, &secrets).len(), 1, "{public:02x?}");
        }
        assert!(search("log", &bytes[11..], &secrets).is_empty(), "five random bytes occur by chance");
    }

    #[test]
    fn a_hit_names_the_first_place_of_each_secret() {
        let public = [&[0xab; 20][..], &VALUE.to_le_bytes(), &VALUE.to_le_bytes()].concat();
        let hits = search("log", &public, &secrets());
        let hit = |secret, offset| Hit { secret, place: "log".to_owned(), offset };
        assert_eq!(hits, [hit("size", 20), hit("account", 0)]);
    }

    #[test]
    fn numbers_below_32_bits_are_found_where_chance_is_excluded() {
        let secrets = [Secret::number("small", SMALL).expect("at least 2^24")];
        let wide = u64::try_from(SMALL).expect("fits");
        let found: [Vec<u8>; 6] = [
            format!("[{SMALL}]").into_bytes(),
            format!("0x{SMALL:X}").into_bytes(),
            format!("{SMALL:064x}").into_bytes(),
            wide.to_le_bytes().to_vec(),
            SMALL.to_be_bytes().to_vec(),
            b"size 0.44813807 BTC".to_vec(),
        ];
        for public in found {
            assert_eq!(search("log", &public, &secrets).len(), 1, "{public:02x?}");
        }
        for public in [format!("1{SMALL}"), format!("{SMALL}0"), format!("9{SMALL:x}9")] {
            assert!(search("log", public.as_bytes(), &secrets).is_empty(), "{public}");
        }
    }

    #[test]
    fn smaller_numbers_are_not_searched() {
        assert_eq!(Secret::number("spread", 4_000), None);
        assert_eq!(Secret::number("spread", LEAST_WIDE - 1), None);
    }
}
