//! Padding: the length of a ciphertext tells a bucket, not a message.
//!
//! *Layout*: u32be length ‖ message ‖ zeros. *Units*: buckets of 64·2^j bytes up to 64 KiB, then multiples of 64 KiB
//! up to 16 MiB, the four length bytes included; at least 64 (public) or 256 (recipient). A table key is exactly 32
//! bytes and not padded.

use super::label::LabelKind;
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// Bytes of a table key.
pub(crate) const TABLE_KEY_LEN: usize = 32;
const PREFIX_LEN: usize = 4;
const LARGE: usize = 64 << 10;
const MAX_PADDED: usize = 16 << 20;

/// The longest message that fits a padded body.
pub const MAX_MESSAGE: usize = MAX_PADDED - PREFIX_LEN;

/// A message that no bucket holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PaddingError {
    TooLong,
    TableKeyLength,
}

/// A body that opened, and whose padding is not the one that `pad` makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadPadding;

/// Pads a message; `extra` bytes of capacity are left for the tag, so that no copy of the plaintext is left behind.
pub(crate) fn pad(kind: LabelKind, message: &[u8], extra: usize) -> Result<Zeroizing<Vec<u8>>, PaddingError> {
    if kind == LabelKind::TableKey {
        return table_key(message, extra);
    }
    let length = u32::try_from(message.len()).map_err(|_| PaddingError::TooLong)?;
    let bucket = message.len().checked_add(PREFIX_LEN).and_then(|n| bucket(kind, n)).ok_or(PaddingError::TooLong)?;
    let mut padded = Zeroizing::new(Vec::with_capacity(bucket + extra));
    padded.extend_from_slice(&length.to_be_bytes());
    padded.extend_from_slice(message);
    padded.resize(bucket, 0);
    Ok(padded)
}

/// Removes and checks the padding.
pub(crate) fn unpad(kind: LabelKind, mut padded: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, BadPadding> {
    if kind == LabelKind::TableKey {
        return if padded.len() == TABLE_KEY_LEN { Ok(padded) } else { Err(BadPadding) };
    }
    let (prefix, rest) = padded.split_first_chunk::<PREFIX_LEN>().ok_or(BadPadding)?;
    let length = usize::try_from(u32::from_be_bytes(*prefix)).map_err(|_| BadPadding)?;
    let (_, zeros) = rest.split_at_checked(length).ok_or(BadPadding)?;
    let smallest = bucket(kind, length + PREFIX_LEN) == Some(padded.len());
    if !smallest || zeros.iter().fold(0, |all, byte| all | byte) != 0 {
        return Err(BadPadding);
    }
    padded.truncate(PREFIX_LEN + length);
    padded.drain(..PREFIX_LEN);
    Ok(padded)
}

/// Whether `pad` makes bodies of this length.
pub(crate) fn is_padded_length(kind: LabelKind, length: usize) -> bool {
    match kind {
        LabelKind::TableKey => length == TABLE_KEY_LEN,
        LabelKind::Public | LabelKind::Recipient => bucket(kind, length) == Some(length),
    }
}

fn table_key(message: &[u8], extra: usize) -> Result<Zeroizing<Vec<u8>>, PaddingError> {
    if message.len() != TABLE_KEY_LEN {
        return Err(PaddingError::TableKeyLength);
    }
    let mut key = Zeroizing::new(Vec::with_capacity(TABLE_KEY_LEN + extra));
    key.extend_from_slice(message);
    Ok(key)
}

fn bucket(kind: LabelKind, needed: usize) -> Option<usize> {
    let least = if kind == LabelKind::Public { 64 } else { 256 };
    if needed > MAX_PADDED {
        return None;
    }
    Some(if needed <= LARGE { needed.next_power_of_two().max(least) } else { needed.next_multiple_of(LARGE) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hide_the_length() {
        assert_eq!(bucket(LabelKind::Public, 4), Some(64));
        assert_eq!(bucket(LabelKind::Recipient, 4), Some(256));
        assert_eq!(bucket(LabelKind::Public, 65), Some(128));
        assert_eq!(bucket(LabelKind::Public, LARGE), Some(LARGE));
        assert_eq!(bucket(LabelKind::Public, LARGE + 1), Some(2 * LARGE));
        assert_eq!(bucket(LabelKind::Public, MAX_PADDED), Some(MAX_PADDED));
        assert_eq!(bucket(LabelKind::Public, MAX_PADDED + 1), None);
    }

    #[test]
    fn the_longest_message_fits_and_one_byte_more_does_not() {
        assert_eq!(pad(LabelKind::Public, &vec![0; MAX_MESSAGE], 0).map(|padded| padded.len()), Ok(MAX_PADDED));
        assert_eq!(pad(LabelKind::Public, &vec![0; MAX_MESSAGE + 1], 0), Err(PaddingError::TooLong));
    }

    #[test]
    fn only_the_smallest_bucket_with_zeros_is_read() {
        let padded = pad(LabelKind::Public, b"abc", 0).unwrap();
        assert_eq!(unpad(LabelKind::Public, padded.clone()).unwrap().as_slice(), b"abc");
        let mut dirty = padded.clone();
        dirty[63] = 1;
        assert_eq!(unpad(LabelKind::Public, dirty), Err(BadPadding));
        let mut twice_dirty = padded.clone();
        twice_dirty[62..].fill(1);
        assert_eq!(unpad(LabelKind::Public, twice_dirty), Err(BadPadding));
        let mut wide = padded.clone();
        wide.resize(128, 0);
        assert_eq!(unpad(LabelKind::Public, wide), Err(BadPadding));
        let mut beyond = padded;
        beyond[0] = 0xff;
        assert_eq!(unpad(LabelKind::Public, beyond), Err(BadPadding));
        assert_eq!(unpad(LabelKind::Public, Zeroizing::new(vec![0; 3])), Err(BadPadding));
    }

    #[test]
    fn padding_is_the_recorded_one() {
        use crate::support::{bytes, list, number, text, vectors};
        let file = vectors("encoding");
        let kind = |case| LabelKind::from_byte(u8::try_from(number(case, "kind")).unwrap()).unwrap();
        for case in list(&file["padding"], "buckets") {
            let length = usize::try_from(number(case, "message_length")).unwrap();
            let padded = usize::try_from(number(case, "padded_length")).unwrap();
            assert_eq!(pad(kind(case), &vec![0; length], 0).unwrap().len(), padded);
            assert!(is_padded_length(kind(case), padded));
        }
        for case in list(&file["padding"], "examples") {
            let padded = pad(kind(case), &bytes(case, "message"), 16).unwrap();
            assert_eq!(hex::encode(padded.as_slice()), text(case, "padded"));
            assert_eq!(unpad(kind(case), padded).unwrap().as_slice(), bytes(case, "message"));
        }
        for case in list(&file["padding"], "refused") {
            let opened = unpad(kind(case), Zeroizing::new(bytes(case, "padded")));
            assert_eq!(opened, Err(BadPadding), "{}", text(case, "reason"));
        }
    }
}
