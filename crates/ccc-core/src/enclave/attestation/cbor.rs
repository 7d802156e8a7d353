//! A strict reader of the CBOR that attestation documents use.
//!
//! *Source*: RFC 8949, section 4.2.1, without its order of map keys: lengths are definite, every head is in its shortest
//! form, and no byte is left over. Nothing is allocated.

/// Bytes that are not the CBOR wanted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CborError {
    /// Fewer bytes than a head or a string needs.
    #[error("{what}: {found} bytes where {expected} are needed")]
    Truncated {
        /// The item.
        what: &'static str,
        /// Bytes needed.
        expected: u64,
        /// Bytes left.
        found: usize,
    },
    /// Bytes left over after the last item.
    #[error("{found} bytes after the end")]
    Trailing {
        /// Bytes left over.
        found: usize,
    },
    /// Another type than the one wanted.
    #[error("{what}: an item of major type {found}, where {expected} is wanted")]
    Type {
        /// The item.
        what: &'static str,
        /// The major type wanted.
        expected: u8,
        /// The major type found.
        found: u8,
    },
    /// A length or number that takes more bytes than it needs, or whose head is reserved.
    #[error("{what}: not in its shortest form")]
    NotShortest {
        /// The item.
        what: &'static str,
    },
    /// A string, array or map whose length is not given ahead.
    #[error("{what}: an indefinite length")]
    Indefinite {
        /// The item.
        what: &'static str,
    },
    /// A number or length outside its range.
    #[error("{what}: {found} is outside {min} to {max}")]
    Range {
        /// The item.
        what: &'static str,
        /// The value found.
        found: u64,
        /// The least value.
        min: u64,
        /// The greatest value.
        max: u64,
    },
    /// Text that is not UTF-8.
    #[error("{what}: not UTF-8")]
    Text {
        /// The item.
        what: &'static str,
    },
}

/// Major types of RFC 8949, section 3.1.
mod major {
    pub(super) const UNSIGNED: u8 = 0;
    pub(super) const BYTES: u8 = 2;
    pub(super) const TEXT: u8 = 3;
    pub(super) const ARRAY: u8 = 4;
    pub(super) const MAP: u8 = 5;
    pub(super) const TAG: u8 = 6;
}

const NULL: u8 = 0xf6;

/// Reads items from the front of a slice.
#[derive(Clone, Debug)]
pub(super) struct Cbor<'a> {
    rest: &'a [u8],
}

impl<'a> Cbor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// A number from `min` to `max`.
    pub(super) fn unsigned(&mut self, what: &'static str, min: u64, max: u64) -> Result<u64, CborError> {
        let found = self.head(what, major::UNSIGNED)?;
        within(what, found, min, max)
    }

    /// A byte string of `min` to `max` bytes.
    pub(super) fn bytes(&mut self, what: &'static str, min: u64, max: u64) -> Result<&'a [u8], CborError> {
        let len = self.head(what, major::BYTES)?;
        self.take(what, within(what, len, min, max)?)
    }

    /// Null, or a byte string of `min` to `max` bytes.
    pub(super) fn optional_bytes(
        &mut self,
        what: &'static str,
        min: u64,
        max: u64,
    ) -> Result<Option<&'a [u8]>, CborError> {
        if self.rest.first() == Some(&NULL) {
            self.take(what, 1)?;
            return Ok(None);
        }
        self.bytes(what, min, max).map(Some)
    }

    /// Text of `min` to `max` bytes.
    pub(super) fn text(&mut self, what: &'static str, min: u64, max: u64) -> Result<&'a str, CborError> {
        let len = self.head(what, major::TEXT)?;
        let bytes = self.take(what, within(what, len, min, max)?)?;
        core::str::from_utf8(bytes).map_err(|_| CborError::Text { what })
    }

    /// The number of items of an array that follow.
    pub(super) fn array(&mut self, what: &'static str, min: u64, max: u64) -> Result<u64, CborError> {
        let count = self.head(what, major::ARRAY)?;
        within(what, count, min, max)
    }

    /// The number of pairs of a map that follow.
    pub(super) fn map(&mut self, what: &'static str, min: u64, max: u64) -> Result<u64, CborError> {
        let count = self.head(what, major::MAP)?;
        within(what, count, min, max)
    }

    /// Passes this tag, where it stands.
    pub(super) fn optional_tag(&mut self, what: &'static str, tag: u64) -> Result<(), CborError> {
        if self.rest.first().is_none_or(|byte| byte >> 5 != major::TAG) {
            return Ok(());
        }
        let found = self.head(what, major::TAG)?;
        within(what, found, tag, tag).map(drop)
    }

    pub(super) fn finish(self) -> Result<(), CborError> {
        match self.rest.len() {
            0 => Ok(()),
            found => Err(CborError::Trailing { found }),
        }
    }

    /// The argument of a head of this type.
    fn head(&mut self, what: &'static str, expected: u8) -> Result<u64, CborError> {
        let first = self.take(what, 1)?[0];
        let found = first >> 5;
        if found != expected {
            return Err(CborError::Type { what, expected, found });
        }
        match first & 0x1f {
            small @ 0..=23 => Ok(small.into()),
            width @ 24..=27 => self.argument(what, width - 24),
            31 => Err(CborError::Indefinite { what }),
            _ => Err(CborError::NotShortest { what }),
        }
    }

    /// A big-endian argument of 2^width bytes that no shorter form could hold.
    fn argument(&mut self, what: &'static str, width: u8) -> Result<u64, CborError> {
        const LEAST: [u64; 4] = [24, 1 << 8, 1 << 16, 1 << 32];
        let bytes = self.take(what, 1 << width)?;
        let value = bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        if value < LEAST[usize::from(width)] { Err(CborError::NotShortest { what }) } else { Ok(value) }
    }

    fn take(&mut self, what: &'static str, expected: u64) -> Result<&'a [u8], CborError> {
        let found = self.rest.len();
        let truncated = CborError::Truncated { what, expected, found };
        let len = usize::try_from(expected).map_err(|_| truncated.clone())?;
        let (head, tail) = self.rest.split_at_checked(len).ok_or(truncated)?;
        self.rest = tail;
        Ok(head)
    }
}

fn within(what: &'static str, found: u64, min: u64, max: u64) -> Result<u64, CborError> {
    if (min..=max).contains(&found) { Ok(found) } else { Err(CborError::Range { what, found, min, max }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHAT: &str = "item";

    #[test]
    fn items_in_their_one_form_are_read() {
        let mut cbor = Cbor::new(&[0xd2, 0x83, 0x18, 24, 0x42, 1, 2, 0xa1, 0x61, b'k', 0xf6]);
        assert_eq!(cbor.optional_tag(WHAT, 18), Ok(()));
        assert_eq!(cbor.array(WHAT, 3, 3), Ok(3));
        assert_eq!(cbor.unsigned(WHAT, 0, 24), Ok(24));
        assert_eq!(cbor.bytes(WHAT, 0, 2), Ok(&[1, 2][..]));
        assert_eq!(cbor.map(WHAT, 0, 1), Ok(1));
        assert_eq!(cbor.text(WHAT, 1, 1), Ok("k"));
        assert_eq!(cbor.optional_bytes(WHAT, 1, 1), Ok(None));
        assert_eq!(cbor.finish(), Ok(()));
    }

    #[test]
    fn n102_every_longer_form_of_a_number_is_refused() {
        let not_shortest = Err(CborError::NotShortest { what: WHAT });
        let longer: [&[u8]; 5] = [
            &[0x18, 23],
            &[0x19, 0, 0xff],
            &[0x1a, 0, 0, 0xff, 0xff],
            &[0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
            &[0x1c],
        ];
        for bytes in longer {
            assert_eq!(Cbor::new(bytes).unsigned(WHAT, 0, u64::MAX), not_shortest, "{bytes:02x?}");
        }
        assert_eq!(Cbor::new(&[0x1b, 0, 0, 0, 1, 0, 0, 0, 0]).unsigned(WHAT, 0, u64::MAX), Ok(1 << 32));
    }

    #[test]
    fn n102_indefinite_lengths_are_refused() {
        let indefinite = CborError::Indefinite { what: WHAT };
        assert_eq!(Cbor::new(&[0x5f, 0x41, 1, 0xff]).bytes(WHAT, 0, 9), Err(indefinite.clone()));
        assert_eq!(Cbor::new(&[0x9f, 0xff]).array(WHAT, 0, 9), Err(indefinite.clone()));
        assert_eq!(Cbor::new(&[0xbf, 0xff]).map(WHAT, 0, 9), Err(indefinite));
    }

    #[test]
    fn n111_lengths_are_checked_before_anything_is_read() {
        let huge = [0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        let range = CborError::Range { what: WHAT, found: u64::MAX, min: 0, max: 9 };
        assert_eq!(Cbor::new(&huge).bytes(WHAT, 0, 9), Err(range));
        let truncated = CborError::Truncated { what: WHAT, expected: u64::MAX, found: 0 };
        assert_eq!(Cbor::new(&huge).bytes(WHAT, 0, u64::MAX), Err(truncated));
        let text = CborError::Type { what: WHAT, expected: 2, found: 3 };
        assert_eq!(Cbor::new(&[0x61, b'k']).bytes(WHAT, 0, 9), Err(text));
        assert_eq!(Cbor::new(&[0x61, 0xff]).text(WHAT, 0, 9), Err(CborError::Text { what: WHAT }));
        assert_eq!(Cbor::new(&[0]).finish(), Err(CborError::Trailing { found: 1 }));
    }
}
