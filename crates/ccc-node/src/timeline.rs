//! Measured spans: how long each step took, in computing and in waiting for the chain.

use serde::Serialize;
use std::time::{Duration, Instant};

/// One step of a recovery.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Span {
    /// What happened.
    pub name: &'static str,
    /// Milliseconds since the start of the run.
    pub start_ms: f64,
    /// Milliseconds of computing.
    pub compute_ms: f64,
    /// Milliseconds of waiting for the chain.
    pub chain_ms: f64,
    /// Milliseconds from start to end.
    pub total_ms: f64,
}

/// Who is told as a recovery goes on.
pub trait Observer {
    /// A step begins.
    fn started(&mut self, name: &'static str);
    /// A step ended.
    fn finished(&mut self, span: &Span);
}

/// Nobody.
pub struct Silent;

impl Observer for Silent {
    fn started(&mut self, _: &'static str) {}
    fn finished(&mut self, _: &Span) {}
}

/// Collects spans.
pub struct Timeline<'o> {
    origin: Instant,
    spans: Vec<Span>,
    observer: &'o mut dyn Observer,
    open: Option<Open>,
}

struct Open {
    name: &'static str,
    start: Instant,
    chain: Duration,
}

impl<'o> Timeline<'o> {
    /// A timeline that starts now.
    #[must_use]
    pub fn new(observer: &'o mut dyn Observer) -> Self {
        Self { origin: Instant::now(), spans: Vec::new(), observer, open: None }
    }

    /// Ends the current step, if any, and begins the next.
    pub fn step(&mut self, name: &'static str) {
        self.close();
        self.observer.started(name);
        self.open = Some(Open { name, start: Instant::now(), chain: Duration::ZERO });
    }

    /// Waits for the chain; the time counts as the chain's.
    pub async fn chain<T>(&mut self, work: impl Future<Output = T>) -> T {
        let start = Instant::now();
        let value = work.await;
        if let Some(open) = &mut self.open {
            open.chain += start.elapsed();
        }
        value
    }

    /// Ends the current step at an instant that has passed, and begins the next there.
    pub fn split(&mut self, name: &'static str, at: Instant) {
        self.close_at(at);
        self.observer.started(name);
        self.open = Some(Open { name, start: at, chain: Duration::ZERO });
    }

    /// Ends the current step.
    pub fn close(&mut self) {
        self.close_at(Instant::now());
    }

    fn close_at(&mut self, end: Instant) {
        let Some(open) = self.open.take() else { return };
        let total = end.saturating_duration_since(open.start);
        let span = Span {
            name: open.name,
            start_ms: millis(open.start.duration_since(self.origin)),
            compute_ms: millis(total.saturating_sub(open.chain)),
            chain_ms: millis(open.chain),
            total_ms: millis(total),
        };
        self.observer.finished(&span);
        self.spans.push(span);
    }

    /// Every span, the current one closed.
    #[must_use]
    pub fn finish(mut self) -> Vec<Span> {
        self.close();
        self.spans
    }
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
