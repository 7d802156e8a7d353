//! Guards that a row can be run without, to see it fail: with the feature `unguarded`, `--without NAME`.

use ccc_core::guard::Guard;

/// A guard, the rows that rest on it, and the line that it is.
#[derive(Clone, Copy, Debug)]
pub struct Guarded {
    /// How `--without` names it.
    pub name: &'static str,
    /// The rows that fail without it.
    pub rows: &'static [&'static str],
    /// What such a row says, among other words.
    pub says: &'static str,
    /// Where the line is: in a crate that ships, or in a program of this crate.
    pub guard: Line,
}

/// Where a guarded line is.
#[derive(Clone, Copy, Debug)]
pub enum Line {
    /// In a crate that ships.
    Shipped(Guard),
    /// In a simulated program or a model here.
    Here,
}

/// Every guard.
pub const GUARDS: &[Guarded] = &[
    Guarded { name: "dealers", rows: &["dkg-silent"], says: "no typed refusal", guard: Line::Shipped(Guard::Dealers) },
    Guarded {
        name: "confirmations",
        rows: &["reshare-unheard"],
        says: "no typed refusal",
        guard: Line::Shipped(Guard::Confirmations),
    },
    Guarded {
        name: "complaints",
        rows: &["dkg-liars", "refresh-liars", "reshare-liars"],
        says: "named, where",
        guard: Line::Shipped(Guard::Complaints),
    },
    Guarded {
        name: "stored-state",
        rows: &["dkg-storm", "refresh-storm", "reshare-storm"],
        says: "honest and named",
        guard: Line::Here,
    },
    Guarded {
        name: "proofs",
        rows: &["requests-liars"],
        says: "requests not opened",
        guard: Line::Shipped(Guard::Proofs),
    },
    Guarded {
        name: "one-digest",
        rows: &["requests-storm"],
        says: "for two digests",
        guard: Line::Shipped(Guard::OneDigest),
    },
    Guarded {
        name: "settled",
        rows: &["requests-storm"],
        says: "for two digests",
        guard: Line::Shipped(Guard::Settled),
    },
    Guarded {
        name: "quorum",
        rows: &["report-quorum"],
        says: "a report that does not verify",
        guard: Line::Shipped(Guard::Quorum),
    },
    Guarded {
        name: "synced",
        rows: &["store-power"],
        says: "the first version stays: Corrupt",
        guard: Line::Shipped(Guard::Synced),
    },
    Guarded { name: "switch", rows: &["model-reshare"], says: "one session serves", guard: Line::Here },
    Guarded {
        name: "head",
        rows: &["model-table"],
        says: "no version has two successors: broken by",
        guard: Line::Here,
    },
];

/// Why a guard was not taken out.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// No guard has this name.
    #[error("no guard is named {found}; there are {}", names())]
    Unknown {
        /// The name.
        found: String,
    },
    /// A build without the feature.
    #[error("this program was built without the feature unguarded: its guards cannot be taken out")]
    Built,
}

fn names() -> String {
    GUARDS.iter().map(|guarded| guarded.name).collect::<Vec<_>>().join(", ")
}

/// Takes a guard out for the rest of this process.
///
/// # Errors
/// [`GuardError`].
pub fn remove(name: &str) -> Result<Guarded, GuardError> {
    let guarded = GUARDS.iter().find(|guarded| guarded.name == name);
    let guarded = *guarded.ok_or_else(|| GuardError::Unknown { found: name.to_owned() })?;
    take_out(guarded)?;
    Ok(guarded)
}

#[cfg(not(feature = "unguarded"))]
fn take_out(_guarded: Guarded) -> Result<(), GuardError> {
    Err(GuardError::Built)
}

/// Whether a guard of this crate stands.
#[cfg(not(feature = "unguarded"))]
#[must_use]
pub fn stands(_name: &str) -> bool {
    true
}

#[cfg(feature = "unguarded")]
pub use removable::stands;
#[cfg(feature = "unguarded")]
use removable::take_out;

#[cfg(feature = "unguarded")]
mod removable {
    use super::{GuardError, Guarded, Line};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    static REMOVED: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

    fn removed() -> MutexGuard<'static, Vec<&'static str>> {
        REMOVED.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a guard of this crate stands.
    #[must_use]
    pub fn stands(name: &str) -> bool {
        !removed().contains(&name)
    }

    pub(super) fn take_out(guarded: Guarded) -> Result<(), GuardError> {
        if let Line::Shipped(guard) = guarded.guard {
            ccc_core::guard::remove(guard);
        }
        removed().push(guarded.name);
        Ok(())
    }
}
