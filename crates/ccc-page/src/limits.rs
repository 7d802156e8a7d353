//! What one address, and everybody together, may take.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use ccc_server::limits::Bucket;

/// Addresses whose rates are kept.
const MOST_ADDRESSES: usize = 4_096;

/// Bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at one time.
    pub connections: usize,
    /// Viewers of the events at one time.
    pub viewers: usize,
    /// Requests a second of an address, on the average; the operator, health and the events have as many of their own.
    pub rate: u32,
    /// Requests that it may make at once.
    pub burst: u32,
    /// For the fields of a request.
    pub fields_time: Duration,
    /// For what goes on when the page is told to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2_048,
            viewers: 1_536,
            rate: 1_000,
            burst: 4_000,
            fields_time: Duration::from_secs(10),
            drain: Duration::from_secs(5),
        }
    }
}

/// Whose budget a request is taken from. Behind a proxy, and on this machine, every caller has one address: what must not
/// be used up by strangers is apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// Whoever is at this address.
    Address(IpAddr),
    /// Whoever is signed in.
    Operator,
    /// Whoever asks whether the page runs.
    Health,
    /// Whoever begins to listen to the events; how many listen is bounded too.
    Viewer,
}

/// What each caller took.
pub struct Rates {
    began: Instant,
    buckets: Mutex<HashMap<Caller, Bucket>>,
}

impl Default for Rates {
    fn default() -> Self {
        Self { began: Instant::now(), buckets: Mutex::default() }
    }
}

impl Rates {
    /// Takes one request of a caller.
    ///
    /// # Errors
    /// How long it has to wait.
    pub fn take(&self, from: Caller, limits: &Limits) -> Result<(), Duration> {
        let now = self.began.elapsed();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_ADDRESSES && !buckets.contains_key(&from) {
            // who has not used its burst up is forgotten first, and everybody where all have
            let is_address = |caller: &Caller| matches!(caller, Caller::Address(_));
            buckets.retain(|caller, bucket| !is_address(caller) || { *bucket }.take(limits.burst / 2, now).is_err());
            if buckets.len() >= MOST_ADDRESSES {
                buckets.retain(|caller, _| !is_address(caller));
            }
        }
        buckets.entry(from).or_insert_with(|| Bucket::new(limits.rate, limits.burst, now)).take(1, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_its_burst_and_others_theirs() {
        let (rates, limits) = (Rates::default(), Limits { rate: 1, burst: 3, ..Limits::default() });
        let address = |last| Caller::Address(IpAddr::from([127, 0, 0, last]));
        let taken = (0..5).filter(|_| rates.take(address(1), &limits).is_ok()).count();
        assert_eq!(taken, 3);
        assert_eq!(rates.take(address(2), &limits), Ok(()));
        for caller in [Caller::Operator, Caller::Health, Caller::Viewer] {
            assert_eq!(rates.take(caller, &limits), Ok(()), "{caller:?} is not the address's");
        }
    }

    /// A thousand pages behind one proxy, as many as are told of something new at one time.
    #[test]
    fn a_thousand_pages_of_one_address_come_and_read_their_lists() {
        let (rates, limits) = (Rates::default(), Limits::default());
        let address = Caller::Address(IpAddr::from([127, 0, 0, 1]));
        assert!((0..1_000).all(|_| rates.take(Caller::Viewer, &limits).is_ok()));
        assert!((0..4_000).all(|_| rates.take(address, &limits).is_ok()));
    }

    #[test]
    fn addresses_are_kept_in_bounded_number() {
        let (rates, limits) = (Rates::default(), Limits::default());
        for number in 0..10_000u32 {
            let _ = rates.take(Caller::Address(IpAddr::from(number.to_be_bytes())), &limits);
        }
        let kept = rates.buckets.lock().map(|buckets| buckets.len()).unwrap_or_default();
        assert!(kept <= MOST_ADDRESSES, "{kept}");
    }
}
