//! The caller's mistakes. Nothing here depends on the outcome of a clearing.

use core::fmt;

/// A number outside the range of its unit.
///
/// *Security*: carries the number; an enclave that opens orders MUST NOT print it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange {
    /// The unit's name.
    pub unit: &'static str,
    /// The least value allowed.
    pub least: u128,
    /// The greatest value allowed.
    pub greatest: u128,
    /// The value given.
    pub found: u128,
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { unit, least, greatest, found } = self;
        write!(f, "{unit}: expected {least} to {greatest}, found {found}")
    }
}

impl core::error::Error for OutOfRange {}

/// The inputs of a clearing do not fit each other. Every variant is about public shape.
///
/// The fills are all zero when one of these is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClearError {
    /// A slice is not as long as the number of standing orders or of requests makes it.
    Length {
        /// The slice.
        what: &'static str,
        /// The length that it must have.
        expected: usize,
        /// The slice's length.
        found: usize,
    },
    /// The canonical order names a slot that does not exist.
    UnknownSlot {
        /// The position in the permutation.
        position: usize,
        /// The number of slots.
        slots: usize,
        /// The slot named.
        found: u32,
    },
    /// The canonical order names a slot twice.
    RepeatedSlot {
        /// The position of the second mention.
        position: usize,
        /// The slot named.
        found: u32,
    },
    /// The sequence names a request that does not exist.
    UnknownRequest {
        /// The position in the sequence.
        position: usize,
        /// The number of requests.
        requests: usize,
        /// The request named.
        found: u32,
    },
    /// The sequence names a request twice.
    RepeatedRequest {
        /// The position of the second mention.
        position: usize,
        /// The request named.
        found: u32,
    },
}

impl fmt::Display for ClearError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { what, expected, found } => {
                write!(f, "{what}: expected {expected} entries, found {found}")
            }
            Self::UnknownSlot { position, slots, found } => {
                write!(f, "canonical order, position {position}: expected a slot below {slots}, found {found}")
            }
            Self::RepeatedSlot { position, found } => {
                write!(f, "canonical order, position {position}: expected every slot once, found {found} again")
            }
            Self::UnknownRequest { position, requests, found } => {
                write!(f, "sequence, position {position}: expected a request below {requests}, found {found}")
            }
            Self::RepeatedRequest { position, found } => {
                write!(f, "sequence, position {position}: expected every request once, found {found} again")
            }
        }
    }
}

impl core::error::Error for ClearError {}
