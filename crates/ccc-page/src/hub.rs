//! What happened, numbered, for whoever listens: a bounded memory that every viewer reads at its own pace.
//!
//! A viewer has a place in the memory and no queue of its own, so a thousand of them cost a thousand numbers. One that was
//! away comes back with the id of the last event that it saw and gets the rest. Where the memory does not reach back so far,
//! or the id is another process's, it is told to read everything anew: nothing is left out unsaid.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use tokio::sync::watch;

/// The most events in the memory.
pub const MOST_EVENTS: usize = 4_096;
/// The most bytes in the memory.
pub const MOST_BYTES: usize = 4 << 20;

/// Something that happened.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    number: u64,
    /// Its id: the process's own, a dash, its number.
    pub id: String,
    /// What kind of thing.
    pub kind: &'static str,
    /// JSON.
    pub data: String,
}

/// What a viewer gets next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// An event.
    Event(Arc<Event>),
    /// Something between was forgotten, or never known: read everything anew. The id is the newest event's.
    Anew(String),
}

#[derive(Clone, Copy, Default)]
struct Newest {
    number: u64,
    closed: bool,
}

#[derive(Default)]
struct Memory {
    events: VecDeque<Arc<Event>>,
    bytes: usize,
    newest: u64,
}

/// The memory.
pub struct Hub {
    process: String,
    memory: Mutex<Memory>,
    newest: watch::Sender<Newest>,
}

impl Hub {
    /// An empty memory of a process with this name: another one at each start.
    #[must_use]
    pub fn new(process: String) -> Arc<Self> {
        let newest = watch::Sender::new(Newest::default());
        Arc::new(Self { process, memory: Mutex::default(), newest })
    }

    /// Remembers an event and wakes every viewer.
    pub fn publish(&self, kind: &'static str, data: &impl Serialize) {
        let Ok(data) = serde_json::to_string(data) else { return };
        let mut memory = self.memory();
        memory.newest += 1;
        let number = memory.newest;
        memory.bytes += data.len();
        memory.events.push_back(Arc::new(Event { number, id: self.id(number), kind, data }));
        while memory.events.len() > MOST_EVENTS || memory.bytes > MOST_BYTES {
            let Some(forgotten) = memory.events.pop_front() else { break };
            memory.bytes -= forgotten.data.len();
        }
        drop(memory);
        self.newest.send_modify(|newest| newest.number = number);
    }

    /// A viewer that comes back with the id of the last event that it saw, or for the first time.
    #[must_use]
    pub fn view(self: &Arc<Self>, last: Option<&str>) -> Viewer {
        let newest = self.memory().newest;
        let (seen, anew) = match last.map(|id| self.number(id)) {
            Some(Some(seen)) if seen <= newest => (seen, false),
            _ => (newest, true),
        };
        Viewer { hub: Arc::clone(self), seen, anew, newest: self.newest.subscribe() }
    }

    /// How many viewers there are.
    #[must_use]
    pub fn viewers(&self) -> usize {
        self.newest.receiver_count()
    }

    /// Ends every viewer.
    pub fn close(&self) {
        self.newest.send_modify(|newest| newest.closed = true);
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.process)
    }

    fn number(&self, id: &str) -> Option<u64> {
        let (process, number) = id.rsplit_once('-')?;
        if process == self.process { number.parse().ok() } else { None }
    }

    /// The event after `seen`; none where there is none yet, an error where it was forgotten.
    fn after(&self, seen: u64) -> Result<Option<Arc<Event>>, u64> {
        let memory = self.memory();
        if seen >= memory.newest {
            return Ok(None);
        }
        let first = memory.events.front().map_or(memory.newest + 1, |event| event.number);
        let place = (seen + 1).checked_sub(first).and_then(|place| usize::try_from(place).ok());
        place.and_then(|place| memory.events.get(place)).map(|event| Some(Arc::clone(event))).ok_or(memory.newest)
    }
}

/// Somebody who listens.
pub struct Viewer {
    hub: Arc<Hub>,
    seen: u64,
    anew: bool,
    newest: watch::Receiver<Newest>,
}

impl Viewer {
    /// Waits for what comes next; none when the memory is closed.
    pub async fn next(&mut self) -> Option<Next> {
        if std::mem::take(&mut self.anew) {
            return Some(Next::Anew(self.hub.id(self.seen)));
        }
        loop {
            if self.newest.borrow_and_update().closed {
                return None;
            }
            match self.hub.after(self.seen) {
                Ok(Some(event)) => {
                    self.seen = event.number;
                    return Some(Next::Event(event));
                }
                Ok(None) => self.newest.changed().await.ok()?,
                Err(newest) => {
                    self.seen = newest;
                    return Some(Next::Anew(self.hub.id(newest)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(next: Option<Next>) -> String {
        match next {
            Some(Next::Event(event)) => event.data.clone(),
            Some(Next::Anew(id)) => format!("anew {id}"),
            None => "closed".to_owned(),
        }
    }

    #[tokio::test]
    async fn who_comes_back_gets_what_it_missed_and_nothing_twice() {
        let hub = Hub::new("a".into());
        (1..=5).for_each(|number| hub.publish("n", &number));
        let mut viewer = hub.view(Some("a-3"));
        assert_eq!(data(viewer.next().await), "4");
        assert_eq!(data(viewer.next().await), "5");
        hub.publish("n", &6);
        assert_eq!(data(viewer.next().await), "6");
        hub.close();
        assert_eq!(data(viewer.next().await), "closed");
    }

    #[tokio::test]
    async fn an_id_of_another_process_or_of_the_future_reads_anew() {
        let hub = Hub::new("b".into());
        hub.publish("n", &1);
        for id in [None, Some("a-1"), Some("b-2"), Some("b"), Some("b--1"), Some(""), Some("b-99999999999999999999")] {
            let mut viewer = hub.view(id);
            assert_eq!(data(viewer.next().await), "anew b-1", "{id:?}");
        }
    }

    #[tokio::test]
    async fn what_was_forgotten_is_said_to_be() {
        let hub = Hub::new("c".into());
        let mut slow = hub.view(Some("c-0"));
        (0..=MOST_EVENTS).for_each(|number| hub.publish("n", &number));
        assert_eq!(data(slow.next().await), format!("anew c-{}", MOST_EVENTS + 1));
        hub.publish("n", &"last");
        assert_eq!(data(slow.next().await), "\"last\"");
    }

    #[tokio::test]
    async fn the_memory_is_bounded_in_bytes() {
        let hub = Hub::new("d".into());
        let long = "x".repeat(MOST_BYTES / 4);
        (0..8).for_each(|_| hub.publish("n", &long));
        let memory = hub.memory();
        assert!(memory.bytes <= MOST_BYTES && memory.events.len() == 3, "{} events", memory.events.len());
    }
}
