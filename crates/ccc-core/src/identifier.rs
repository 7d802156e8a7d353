//! The identifier of a participant: a non-zero x-coordinate.

use crate::encoding::EncodingError;
use core::num::NonZeroU16;
use curve25519_dalek::Scalar;

/// The largest committee.
pub const MAX_PARTICIPANTS: u16 = 1024;

/// A participant's x-coordinate, 1 ≤ i ≤ 65 535. Zero would be the master secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier(NonZeroU16);

impl Identifier {
    /// The identifier `i`.
    ///
    /// # Errors
    /// [`EncodingError::Range`] for zero.
    pub fn new(i: u16) -> Result<Self, EncodingError> {
        NonZeroU16::new(i).map(Self).ok_or(EncodingError::Range { what: "identifier", found: 0, range: "1 to 65535" })
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0.get()
    }

    /// Two bytes, big-endian.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 2] {
        self.get().to_be_bytes()
    }

    /// The x-coordinate in the scalar field.
    pub(crate) fn to_scalar(self) -> Scalar {
        Scalar::from(self.get())
    }
}

impl core::fmt::Display for Identifier {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.0)
    }
}
