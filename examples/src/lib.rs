//! Programs that show one room each, in the order in which an order passes through the house:
//! `quorum`, `clearing`, `table`, `report`, and `recovery`, which joins them. `crossing` explains one clearing line by line;
//! `clearing_plots` draws one under both rules.
//!
//! `cargo run -p ccc-examples --bin quorum`. Every program checks what it shows and runs in the gate.

use rand::{SeedableRng, rngs::StdRng, rngs::SysRng};

/// What an example may end with.
pub type Anything = Box<dyn std::error::Error>;

/// A generator seeded by the operating system.
///
/// # Errors
/// The operating system gives no randomness.
pub fn generator() -> Result<StdRng, Anything> {
    Ok(StdRng::try_from_rng(&mut SysRng)?)
}

/// Stops an example whose claim does not hold.
///
/// # Errors
/// The claim, when it does not hold.
pub fn holds(claim: &str, truth: bool) -> Result<(), Anything> {
    if truth { Ok(()) } else { Err(format!("does not hold: {claim}").into()) }
}
