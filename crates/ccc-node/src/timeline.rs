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
    /// What the chain showed at the end of a reserve check: `unknown`, `solvent` or `insolvent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
}

/// Who is told as a recovery goes on.
pub trait Observer {
    /// A step begins.
    fn started(&mut self, name: &'static str);
    /// So many of so many equal parts of the current step are done.
    fn advanced(&mut self, _done: u64, _of: u64) {}
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
    status: Option<&'static str>,
}

impl Open {
    fn new(name: &'static str, start: Instant) -> Self {
        Self { name, start, chain: Duration::ZERO, status: None }
    }
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
        self.open = Some(Open::new(name, Instant::now()));
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

    /// Tells the observer how far the current step is.
    pub fn advance(&mut self, done: usize, of: usize) {
        self.observer.advanced(done as u64, of as u64);
    }

    /// Keeps with the current step what the chain showed.
    pub fn show(&mut self, status: &'static str) {
        if let Some(open) = &mut self.open {
            open.status = Some(status);
        }
    }

    /// Ends the current step at an instant that has passed, and begins the next there.
    pub fn split(&mut self, name: &'static str, at: Instant) {
        self.close_at(at);
        self.observer.started(name);
        self.open = Some(Open::new(name, at));
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
            status: open.status,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Record(Vec<String>);

    impl Observer for Record {
        fn started(&mut self, name: &'static str) {
            self.0.push(format!("started {name}"));
        }
        fn advanced(&mut self, done: u64, of: u64) {
            self.0.push(format!("{done} of {of}"));
        }
        fn finished(&mut self, span: &Span) {
            self.0.push(format!("finished {}", span.name));
        }
    }

    #[test]
    fn a_status_stays_with_the_step_that_showed_it() {
        let mut record = Record::default();
        let mut timeline = Timeline::new(&mut record);
        timeline.show("lost: no step is open");
        timeline.step("first");
        timeline.advance(1, 2);
        timeline.show("insolvent");
        timeline.step("second");
        let statuses: Vec<_> = timeline.finish().into_iter().map(|span| span.status).collect();
        assert_eq!(statuses, [Some("insolvent"), None]);
        assert_eq!(record.0, ["started first", "1 of 2", "finished first", "started second", "finished second"]);
    }
}
