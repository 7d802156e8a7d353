//! What the process, and processes that it waited for, have spent of the processor.

use std::time::Duration;

/// User and system time of all threads and of ended children, where the system tells: fields 14 to 17 of `/proc/self/stat`, in
/// hundredths of a second.
#[must_use]
pub fn spent() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // the name in the second field may hold spaces; it ends with the last bracket
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks(11)? + ticks(12)? + ticks(13)? + ticks(14)?)))
}
