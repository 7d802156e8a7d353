//! Time arrives as an argument; nothing in this crate reads a clock.

/// A moment.
///
/// *Units*: seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(pub u64);
