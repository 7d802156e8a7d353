//! Log lines of a node, on standard error, as text or JSON.
//!
//! No line holds a secret, an amount or a plaintext: the node has neither of the last two, and no type with a secret can be
//! printed.

use tracing_subscriber::{EnvFilter, fmt};

/// Begins to log, once in a process.
///
/// # Errors
/// A sentence, for a filter that is none or a second call.
pub fn start(filter: &str, json: bool) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| error.to_string())?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    let begun = if json { lines.json().try_init() } else { lines.try_init() };
    begun.map_err(|error| error.to_string())
}
