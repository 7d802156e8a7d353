//! What a node counts: public numbers alone, no key, no request, no amount.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use std::sync::{Arc, Mutex, PoisonError};

/// A label with one value of a fixed set.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Kind {
    kind: &'static str,
}

/// The meters of one node; clones share them.
#[derive(Clone)]
pub struct Meters {
    asks: Family<Kind, Counter>,
    calls: Family<Kind, Counter>,
    connections: Gauge,
    turned_away: Family<Kind, Counter>,
    seconds: Histogram,
    registry: Arc<Mutex<Registry>>,
}

impl Default for Meters {
    fn default() -> Self {
        Self::of("ccc_vault")
    }
}

impl Meters {
    /// Meters whose names begin with this.
    #[must_use]
    pub fn of(prefix: &str) -> Self {
        let (asks, calls, turned_away) = (Family::default(), Family::default(), Family::default());
        let connections = Gauge::default();
        let seconds = Histogram::new(exponential_buckets(0.001, 2.0, 14));
        let mut registry = Registry::with_prefix(prefix);
        registry.register("asks", "Asks by outcome: given, refused, later", asks.clone());
        registry.register("calls", "Calls by status", calls.clone());
        registry.register("connections", "Connections of known peers", connections.clone());
        registry.register("turned_away", "Connections that ended before a call, by reason", turned_away.clone());
        registry.register("call_seconds", "From a call's header to its answer", seconds.clone());
        Self { asks, calls, connections, turned_away, seconds, registry: Arc::new(Mutex::new(registry)) }
    }

    pub(crate) fn ask(&self, kind: &'static str) {
        self.asks.get_or_create(&Kind { kind }).inc();
    }

    pub(crate) fn call(&self, kind: &'static str, seconds: f64) {
        self.calls.get_or_create(&Kind { kind }).inc();
        self.seconds.observe(seconds);
    }

    pub(crate) fn turned_away(&self, kind: &'static str) {
        self.turned_away.get_or_create(&Kind { kind }).inc();
    }

    pub(crate) fn connected(&self, by: i64) {
        self.connections.inc_by(by);
    }

    /// All of them in the text format of `OpenMetrics`.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        encode(&mut out, &registry).expect("a String takes any text");
        out
    }
}
