//! This machine's clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Unix seconds.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs())
}
