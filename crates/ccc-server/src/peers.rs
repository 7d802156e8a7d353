//! Whom a node listens to, and what each of them has taken.

use crate::limits::{Bucket, Limits};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// One known peer.
pub(crate) struct Peer {
    /// How logs call it: a participant's number, or the name that the configuration gives.
    pub(crate) name: String,
    pub(crate) connections: Arc<Semaphore>,
    pub(crate) calls: Arc<Semaphore>,
    pub(crate) workers: Arc<Semaphore>,
    bucket: Mutex<Bucket>,
    began: Instant,
}

impl Peer {
    fn new(name: String, limits: &Limits) -> Self {
        Self {
            name,
            connections: Arc::new(Semaphore::new(limits.connections_per_peer)),
            calls: Arc::new(Semaphore::new(limits.calls_per_peer)),
            workers: Arc::new(Semaphore::new(limits.workers_per_peer)),
            bucket: Mutex::new(Bucket::new(limits.rate, limits.burst, Duration::ZERO)),
            began: Instant::now(),
        }
    }

    /// Takes so many tokens.
    pub(crate) fn take(&self, tokens: usize) -> Result<(), Duration> {
        let tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner).take(tokens, self.began.elapsed())
    }
}

/// Every peer by its key.
#[derive(Clone)]
pub(crate) struct Peers(Arc<HashMap<[u8; 32], Arc<Peer>>>);

impl Peers {
    pub(crate) fn new(known: &[([u8; 32], String)], limits: &Limits) -> Self {
        Self(Arc::new(known.iter().map(|(key, name)| (*key, Arc::new(Peer::new(name.clone(), limits)))).collect()))
    }

    pub(crate) fn get(&self, key: &[u8; 32]) -> Option<Arc<Peer>> {
        self.0.get(key).cloned()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = [u8; 32]> {
        self.0.keys().copied()
    }
}

/// Handshakes that run, by the address they come from.
#[derive(Clone, Default)]
pub(crate) struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One handshake; it counts until this is dropped.
pub(crate) struct Counted(Addresses, IpAddr);

impl Addresses {
    /// A place among the most that an address may have.
    pub(crate) fn enter(&self, from: IpAddr, most: usize) -> Option<Counted> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(from).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Counted(self.clone(), from))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&self.1) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&self.1)),
        }
    }
}
