//! Standard base64 with padding, canonical both ways: what decodes, encodes to the same text.
//!
//! *Source*: RFC 4648, section 4. *Timing*: constant in the bytes, which may be a private share; the length shows.

use alloc::string::String;
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// Encodes bytes.
pub(super) fn encode(bytes: &[u8], out: &mut String) {
    out.reserve(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = [0; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(group);
        for i in 0..4 {
            out.push(if i <= chunk.len() { digit(bits >> (18 - 6 * i) & 63) } else { '=' });
        }
    }
}

/// Decodes text; `None` when it is anything but what [`encode`] makes.
pub(super) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (quads, []) = text.as_bytes().as_chunks::<4>() else { return None };
    let mut out = Zeroizing::new(Vec::with_capacity(3 * quads.len()));
    let Some((last, whole)) = quads.split_last() else { return Some(out) };
    let mut valid = true;
    for quad in whole {
        let (bytes, good) = decode_quad(quad);
        valid &= good;
        out.extend_from_slice(&bytes);
    }
    let padding = last.iter().rev().take(2).take_while(|c| **c == b'=').count();
    let mut filled = *last;
    filled[4 - padding..].fill(b'A');
    let (bytes, good) = decode_quad(&filled);
    let (kept, rest) = bytes.split_at(3 - padding);
    out.extend_from_slice(kept);
    let canonical = rest.iter().all(|byte| *byte == 0);
    (valid && good && canonical).then_some(out)
}

fn decode_quad(quad: &[u8; 4]) -> ([u8; 3], bool) {
    let mut bits = 0;
    let mut all = 0;
    for c in quad {
        let value = value(*c);
        all |= value;
        bits = bits << 6 | (value & 63);
    }
    let [_, a, b, c] = bits.to_be_bytes();
    ([a, b, c], all >= 0)
}

/// −1 when `low` ≤ x ≤ `high`, else 0; for x, `low` and `high` below 2⁸.
const fn within(x: i32, low: u8, high: u8) -> i32 {
    ((low as i32 - 1 - x) & (x - high as i32 - 1)) >> 8
}

/// The six bits of a digit, or −1.
fn value(c: u8) -> i32 {
    let c = i32::from(c);
    let found = (within(c, b'A', b'Z') & (c - 64))
        + (within(c, b'a', b'z') & (c - 70))
        + (within(c, b'0', b'9') & (c + 5))
        + (within(c, b'+', b'+') & 63)
        + (within(c, b'/', b'/') & 64);
    found - 1
}

/// The digit of six bits.
fn digit(bits: u32) -> char {
    let [x, ..] = bits.to_le_bytes();
    let x = i32::from(x);
    let c = (within(x, 0, 25) & (x + 65))
        + (within(x, 26, 51) & (x + 71))
        + (within(x, 52, 61) & (x - 4))
        + (within(x, 62, 62) & 43)
        + (within(x, 63, 63) & 47);
    char::from(c.to_le_bytes()[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(bytes: &[u8]) -> String {
        let mut out = String::new();
        encode(bytes, &mut out);
        out
    }

    #[test]
    fn the_examples_of_rfc_4648_section_10() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encoded(bytes.as_bytes()), text);
            assert_eq!(decode(text).unwrap().as_slice(), bytes.as_bytes());
        }
    }

    #[test]
    fn the_alphabet_is_the_standard_one() {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        assert_eq!((0..64).map(digit).collect::<String>(), alphabet);
        for c in 0..=u8::MAX {
            let expected = alphabet.bytes().position(|known| known == c).and_then(|i| i32::try_from(i).ok());
            assert_eq!(value(c), expected.unwrap_or(-1), "{c}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "Z", "Zg", "Zg=", "Zg===", "=", "====", "Zg==Zg==", "Zh==", "Zm9=", "Zm9v\n", "Zm 9", "Zm-_", "Z===",
            "=g==", "Zm9vé",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(decode(&encoded(&bytes)).unwrap().to_vec(), bytes);
        }

        #[test]
        fn what_decodes_encodes_to_the_same(text in "[A-Za-d0-3+/]{0,12}={0,2}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encoded(&bytes), text);
            }
        }
    }
}
