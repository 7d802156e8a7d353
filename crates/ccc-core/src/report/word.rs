//! ABI words: 32 bytes each, big-endian, nothing dynamic.

use super::{Address, ReportError, Word};
use alloc::vec::Vec;

/// Writes ABI words one after another.
#[derive(Default)]
pub(super) struct WordWriter(Vec<u8>);

impl WordWriter {
    pub(super) fn word(mut self, value: &Word) -> Self {
        self.0.extend_from_slice(value);
        self
    }

    pub(super) fn uint(self, value: u128) -> Self {
        self.word(&uint_word(value))
    }

    /// An int256 by sign extension.
    pub(super) fn int(self, value: i128) -> Self {
        let mut word = if value < 0 { [0xff; 32] } else { [0; 32] };
        word[16..].copy_from_slice(&value.to_be_bytes());
        self.word(&word)
    }

    pub(super) fn address(self, value: &Address) -> Self {
        self.word(&address_word(value))
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// An unsigned value as an ABI word.
pub(super) fn uint_word(value: u128) -> Word {
    let mut word = [0; 32];
    word[16..].copy_from_slice(&value.to_be_bytes());
    word
}

/// An address as an ABI word.
pub(super) fn address_word(value: &Address) -> Word {
    let mut word = [0; 32];
    word[12..].copy_from_slice(value);
    word
}

/// Reads ABI words strictly: unused high bytes must be zero.
pub(super) struct WordReader<'a> {
    bytes: &'a [u8],
    index: usize,
}

impl<'a> WordReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, index: 0 }
    }

    pub(super) fn word(&mut self, field: &'static str) -> Result<Word, ReportError> {
        let (word, rest) = self.bytes.split_first_chunk::<32>().ok_or(ReportError::Truncated {
            item: field,
            expected: 32,
            found: self.bytes.len(),
        })?;
        self.bytes = rest;
        self.index += 1;
        Ok(*word)
    }

    /// The last `N` bytes of a word whose other bytes are zero.
    fn tail<const N: usize>(&mut self, field: &'static str, expected: &'static str) -> Result<[u8; N], ReportError> {
        let index = self.index;
        let word = self.word(field)?;
        let (high, low) = word.split_at(32 - N);
        let clean = high.iter().all(|byte| *byte == 0);
        <[u8; N]>::try_from(low).ok().filter(|_| clean).ok_or(ReportError::DirtyWord { index, field, expected })
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, ReportError> {
        self.tail::<1>(field, "uint8").map(|[byte]| byte)
    }

    pub(super) fn u64(&mut self, field: &'static str) -> Result<u64, ReportError> {
        self.tail(field, "uint64").map(u64::from_be_bytes)
    }

    /// A uint256 whose value the project bounds by 128 bits.
    pub(super) fn u128(&mut self, field: &'static str) -> Result<u128, ReportError> {
        self.tail(field, "uint256 below 2^128").map(u128::from_be_bytes)
    }

    pub(super) fn address(&mut self, field: &'static str) -> Result<Address, ReportError> {
        self.tail(field, "address")
    }

    pub(super) fn bool(&mut self, field: &'static str) -> Result<bool, ReportError> {
        let index = self.index;
        match self.tail::<1>(field, "bool")? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(ReportError::DirtyWord { index, field, expected: "bool" }),
        }
    }

    pub(super) fn finish(self, item: &'static str) -> Result<(), ReportError> {
        match self.bytes.len() {
            0 => Ok(()),
            found => Err(ReportError::Trailing { item, found }),
        }
    }
}
