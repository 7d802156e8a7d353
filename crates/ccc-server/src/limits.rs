//! What one peer, and everybody together, may take of a node.

use std::time::Duration;

/// Calls that may wait at one time.
const WAITING: usize = 64;

/// Bounds of a server. The defaults are those of `docs/spec/node.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Handshakes at one time, of peers that nobody knows yet.
    pub handshakes: usize,
    /// Connections of known peers at one time.
    pub connections: usize,
    /// Connections of one peer.
    pub connections_per_peer: usize,
    /// Calls of one peer at one time, from the first byte of a body to the answer.
    pub calls_per_peer: usize,
    /// Calls that are worked on at one time.
    pub workers: usize,
    /// Calls of one peer that are worked on at one time.
    pub workers_per_peer: usize,
    /// Bytes of a body.
    pub body: usize,
    /// Bytes of a call's header fields.
    pub headers: u32,
    /// Bytes of all bodies at one time.
    pub bodies: usize,
    /// Handshakes from one address at one time.
    pub handshakes_per_address: usize,
    /// Tokens a second of a peer, on the average: a call takes one, and one for each 256 bytes of its body.
    pub rate: u32,
    /// Tokens that it may take at once.
    pub burst: u32,
    /// For a handshake.
    pub handshake: Duration,
    /// For a body.
    pub body_time: Duration,
    /// Without a call.
    pub idle: Duration,
    /// Of a connection, whatever it does.
    pub age: Duration,
    /// Every answer that holds a refusal leaves at a multiple of this after its call came.
    pub refusal_step: Duration,
    /// For calls that run when the server is told to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            handshakes: 64,
            connections: 256,
            connections_per_peer: 4,
            calls_per_peer: 8,
            workers,
            workers_per_peer: workers.div_ceil(2),
            body: 8 << 20,
            headers: 8 << 10,
            bodies: 256 << 20,
            handshakes_per_address: 4,
            rate: 4_096,
            burst: 65_536,
            handshake: Duration::from_secs(5),
            body_time: Duration::from_secs(20),
            idle: Duration::from_secs(120),
            age: Duration::from_secs(3_600),
            refusal_step: Duration::from_millis(250),
            drain: Duration::from_secs(20),
        }
    }
}

impl Limits {
    /// Bounds of a server whose calls wait for other machines rather than compute: one that runs a program, which runs alone,
    /// keeps nobody from what is ready.
    #[must_use]
    pub fn waiting() -> Self {
        Self { workers: WAITING, workers_per_peer: WAITING / 8, ..Self::default() }
    }
}

/// A token bucket. Time is an argument: the duration since some fixed moment.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    rate: u32,
    burst: u32,
    /// Tokens in it, in millionths.
    level: u64,
    at: Duration,
}

const MILLION: u64 = 1_000_000;

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn new(rate: u32, burst: u32, at: Duration) -> Self {
        Self { rate, burst, level: u64::from(burst) * MILLION, at }
    }

    /// Takes so many tokens, or none: then it says how long until they are there. More than the burst never are.
    ///
    /// # Errors
    /// The time to wait.
    pub fn take(&mut self, tokens: u32, now: Duration) -> Result<(), Duration> {
        let micros = u64::try_from(now.saturating_sub(self.at).as_micros()).unwrap_or(u64::MAX);
        let filled = self.level.saturating_add(micros.saturating_mul(u64::from(self.rate)));
        self.level = filled.min(u64::from(self.burst) * MILLION);
        self.at = self.at.max(now);
        let wanted = u64::from(tokens) * MILLION;
        match self.level.checked_sub(wanted) {
            Some(left) => {
                self.level = left;
                Ok(())
            }
            None => Err(Duration::from_micros((wanted - self.level).div_ceil(u64::from(self.rate.max(1))))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_waits_with_all_its_calls_leaves_room_for_others() {
        let Limits { workers, workers_per_peer, calls_per_peer, .. } = Limits::waiting();
        assert!(workers_per_peer >= calls_per_peer && workers >= 2 * workers_per_peer);
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let at = Duration::from_secs;
        let mut bucket = Bucket::new(10, 20, at(0));
        assert_eq!(bucket.take(20, at(0)), Ok(()));
        assert_eq!(bucket.take(5, at(0)), Err(Duration::from_millis(500)));
        assert_eq!(bucket.take(10, at(1)), Ok(()));
        assert_eq!(bucket.take(1, at(1)), Err(Duration::from_millis(100)));
        assert_eq!(bucket.take(20, at(1_000)), Ok(()), "no more than the burst is saved up");
        assert_eq!(bucket.take(1, at(1_000)), Err(Duration::from_millis(100)));
        assert_eq!(bucket.take(1, at(0)), Err(Duration::from_millis(100)), "a clock that goes back gives nothing");
    }
}
