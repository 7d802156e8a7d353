//! Lines that fault tests take out, to see that a test fails without them.
//!
//! Without the feature `unguarded` every guard stands, as a constant: the compiler leaves nothing of the question. With the
//! feature they stand as well, until `remove` takes one out of the running process.
//!
//! *Security*: the feature is for fault tests alone. A build without debug assertions, as of the profile `release`, refuses to
//! compile with it. A build that has them compiles, optimised or not; there `ccc_node::production` refuses production mode.

#[cfg(all(feature = "unguarded", not(debug_assertions)))]
compile_error!("the feature `unguarded` takes checks out: it is for fault tests, which have debug assertions");

/// A line that something rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Guard {
    /// Fewer dealers than a session needs end it.
    Dealers,
    /// Fewer confirmations than a session needs end it.
    Confirmations,
    /// A complaint is decided before its dealer goes.
    Complaints,
    /// Shares that do not open are verified one by one.
    Proofs,
    /// Fewer signatures than f + 1 make no report.
    Quorum,
    /// A request identifier is answered with one digest.
    OneDigest,
    /// An answer is on the medium before it is sent.
    Settled,
    /// A version's bytes are on the medium before its name.
    Synced,
}

/// Whether this build can take guards out: production mode refuses it.
pub const REMOVABLE: bool = cfg!(feature = "unguarded");

/// Whether the guard stands.
#[cfg(not(feature = "unguarded"))]
#[inline(always)]
#[must_use]
pub const fn stands(_guard: Guard) -> bool {
    true
}

#[cfg(feature = "unguarded")]
pub use removable::{remove, stands};

#[cfg(feature = "unguarded")]
mod removable {
    use super::Guard;
    use core::sync::atomic::{AtomicU32, Ordering};

    static REMOVED: AtomicU32 = AtomicU32::new(0);

    /// Whether the guard stands.
    #[must_use]
    pub fn stands(guard: Guard) -> bool {
        REMOVED.load(Ordering::Relaxed) & (1 << guard as u8) == 0
    }

    /// Takes a guard out, for the rest of this process.
    pub fn remove(guard: Guard) {
        REMOVED.fetch_or(1 << guard as u8, Ordering::Relaxed);
    }
}
