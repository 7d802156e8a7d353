//! Whom a node listens to, and what each of them has taken.

use crate::limits::{Bucket, Limits};
use std::{
    collections::HashMap,
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

    /// Takes the tokens for so many ciphertexts.
    pub(crate) fn take(&self, ciphertexts: usize) -> Result<(), Duration> {
        let tokens = u32::try_from(ciphertexts).unwrap_or(u32::MAX);
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
