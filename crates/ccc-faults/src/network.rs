//! A network of hosts under one virtual clock: delays, losses, copies, reordering, partitions, crashes and skewed clocks, all
//! drawn from one seed.
//!
//! The protocols are states without input or output, so nothing has to be intercepted: a host takes an event and says what it
//! sends. The same seed gives the same events in the same order, and [`Network::trace`] is a hash over all of them.

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use std::collections::{BTreeMap, BTreeSet};

/// Virtual time. *Units*: microseconds since the start.
pub type Micros = u64;
/// A second of virtual time.
pub const SECOND: Micros = 1_000_000;
/// A millisecond of virtual time.
pub const MILLI: Micros = 1_000;

/// What a host is told.
pub enum Event<M> {
    /// It runs, for the first time or after a crash.
    Started,
    /// A message from a host; who sent it is not proved by that.
    Message(usize, M),
    /// A timer of its own that it set before, with its token.
    Timer(u64),
}

/// A message whose bytes enter the trace.
pub trait Message: Clone {
    /// Puts everything that tells it from others into the hash.
    fn trace(&self, hash: &mut blake3::Hasher);
}

/// One program on one machine.
pub trait Host {
    /// What its network carries.
    type Message: Message;

    /// Takes an event; what it sends goes into `out`.
    fn take(&mut self, event: Event<Self::Message>, out: &mut Outbox<Self::Message>);

    /// The power goes: whatever is not on its disk is lost.
    fn crash(&mut self);
}

/// What a host sends while it takes an event.
pub struct Outbox<M> {
    /// Virtual time: what a stopwatch says.
    pub now: Micros,
    /// The host's own clock, with its skew. *Units*: microseconds from the start.
    pub clock: i64,
    sends: Vec<(usize, M)>,
    timers: Vec<(Micros, u64)>,
}

impl<M> Outbox<M> {
    /// Sends a message to a host.
    pub fn send(&mut self, to: usize, message: M) {
        self.sends.push((to, message));
    }

    /// Has the host told `token` after a delay, unless it crashes before.
    pub fn after(&mut self, delay: Micros, token: u64) {
        self.timers.push((delay, token));
    }
}

/// What the network does to every message.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Shortest and longest way of a message.
    pub delay: (Micros, Micros),
    /// Of a thousand messages so many are lost.
    pub lost: u32,
    /// Of a thousand messages so many arrive twice.
    pub doubled: u32,
}

impl Weather {
    /// 50 ms there and back, and nothing is lost.
    pub const FAIR: Self = Self { delay: (20 * MILLI, 30 * MILLI), lost: 0, doubled: 0 };
    /// Messages overtake each other by up to 400 ms, one in ten is lost and one in ten arrives twice.
    pub const FOUL: Self = Self { delay: (5 * MILLI, 400 * MILLI), lost: 100, doubled: 100 };
}

/// Hosts that reach nobody else for a while.
#[derive(Clone, Debug)]
pub struct Cut {
    /// Who is cut off; among themselves they reach each other.
    pub hosts: BTreeSet<usize>,
    /// From this moment on.
    pub from: Micros,
    /// Until this one.
    pub until: Micros,
}

enum Happening<M> {
    Delivered { from: usize, to: usize, message: M },
    Rang { host: usize, life: u64, token: u64 },
    Crashed { host: usize, down: Option<Micros> },
    Started(usize),
}

/// Hosts, what is on its way between them, and the one clock.
pub struct Network<H: Host> {
    /// The hosts, by number.
    pub hosts: Vec<H>,
    /// What befell messages and hosts.
    pub befell: Befell,
    weather: Weather,
    cuts: Vec<Cut>,
    skew: BTreeMap<usize, i64>,
    life: Vec<u64>,
    running: Vec<bool>,
    queue: BTreeMap<(Micros, u64), Happening<H::Message>>,
    /// When the last message between two hosts arrives.
    latest: BTreeMap<(usize, usize), Micros>,
    sequence: u64,
    now: Micros,
    rng: ChaCha20Rng,
    trace: blake3::Hasher,
}

/// How often each fault struck: a row whose faults never struck says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Befell {
    /// Messages that arrived.
    pub delivered: u64,
    /// Messages that were lost, or stopped at a cut.
    pub lost: u64,
    /// Messages that arrived twice.
    pub doubled: u64,
    /// Messages that arrived after one that the same host sent to the same host later.
    pub overtaken: u64,
    /// Hosts that crashed, counted each time.
    pub crashed: u64,
}

impl<H: Host> Network<H> {
    /// A network of these hosts; all start at zero.
    #[must_use]
    pub fn new(hosts: Vec<H>, weather: Weather, seed: u64) -> Self {
        let (life, running) = (vec![0; hosts.len()], vec![false; hosts.len()]);
        let mut network = Self {
            hosts,
            befell: Befell::default(),
            weather,
            cuts: Vec::new(),
            skew: BTreeMap::new(),
            life,
            running,
            queue: BTreeMap::new(),
            latest: BTreeMap::new(),
            sequence: 0,
            now: 0,
            rng: ChaCha20Rng::seed_from_u64(seed),
            trace: blake3::Hasher::new(),
        };
        (0..network.hosts.len()).for_each(|host| network.schedule(0, Happening::Started(host)));
        network
    }

    /// Virtual time.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.now
    }

    /// The hash over every event until now.
    #[must_use]
    pub fn trace(&self) -> [u8; 32] {
        self.trace.finalize().into()
    }

    /// Cuts hosts off.
    pub fn cut(&mut self, cut: Cut) {
        self.cuts.push(cut);
    }

    /// Sets a host's clock wrong.
    pub fn skew(&mut self, host: usize, by: i64) {
        self.skew.insert(host, by);
    }

    /// Has a host crash at a moment, and start again after `down`; `None` is never. A host that is down by then goes on being so,
    /// as long as it was to be.
    pub fn crash(&mut self, host: usize, at: Micros, down: Option<Micros>) {
        self.schedule(at, Happening::Crashed { host, down });
    }

    /// A number below `bound`, from the seed.
    pub fn draw(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.rng.next_u64() % bound }
    }

    /// Runs until `done` says so or until a moment; whether it was done.
    pub fn run(&mut self, until: Micros, mut done: impl FnMut(&[H]) -> bool) -> bool {
        while !done(&self.hosts) {
            let Some(next) = self.queue.first_entry() else { return false };
            if next.key().0 > until {
                self.now = until;
                return false;
            }
            let ((at, _), happening) = next.remove_entry();
            self.now = at;
            self.happen(happening);
        }
        true
    }

    fn schedule(&mut self, at: Micros, happening: Happening<H::Message>) {
        self.sequence += 1;
        self.queue.insert((at, self.sequence), happening);
    }

    fn happen(&mut self, happening: Happening<H::Message>) {
        let (kind, host) = match &happening {
            Happening::Delivered { to, .. } => (0_u8, *to),
            Happening::Rang { host, .. } => (1, *host),
            Happening::Crashed { host, .. } => (2, *host),
            Happening::Started(host) => (3, *host),
        };
        self.trace.update(&self.now.to_be_bytes());
        self.trace.update(&[kind]);
        self.trace.update(&(host as u64).to_be_bytes());
        match happening {
            Happening::Delivered { from, to, message } => self.deliver(from, to, message),
            Happening::Rang { host, life, token } if self.running[host] && self.life[host] == life => {
                self.tell(host, Event::Timer(token));
            }
            Happening::Rang { .. } => {}
            Happening::Crashed { host, down } if self.running[host] => self.stop(host, down),
            Happening::Crashed { .. } => {}
            Happening::Started(host) => {
                self.running[host] = true;
                self.tell(host, Event::Started);
            }
        }
    }

    fn deliver(&mut self, from: usize, to: usize, message: H::Message) {
        message.trace(&mut self.trace);
        if self.running[to] && !self.is_cut(from, to) {
            self.befell.delivered += 1;
            self.tell(to, Event::Message(from, message));
        } else {
            self.befell.lost += 1;
        }
    }

    fn stop(&mut self, host: usize, down: Option<Micros>) {
        self.befell.crashed += 1;
        self.running[host] = false;
        self.life[host] += 1;
        self.hosts[host].crash();
        if let Some(down) = down {
            self.schedule(self.now + down, Happening::Started(host));
        }
    }

    fn tell(&mut self, host: usize, event: Event<H::Message>) {
        let skew = self.skew.get(&host).copied().unwrap_or(0);
        let clock = i64::try_from(self.now).unwrap_or(i64::MAX).saturating_add(skew);
        let mut out = Outbox { now: self.now, clock, sends: Vec::new(), timers: Vec::new() };
        self.hosts[host].take(event, &mut out);
        for (delay, token) in out.timers {
            self.schedule(self.now + delay, Happening::Rang { host, life: self.life[host], token });
        }
        for (to, message) in out.sends {
            self.post(host, to, message);
        }
    }

    fn post(&mut self, from: usize, to: usize, message: H::Message) {
        let Weather { delay: (least, most), lost, doubled } = self.weather;
        if self.is_cut(from, to) || self.draw(1000) < u64::from(lost) {
            self.befell.lost += 1;
            return;
        }
        let copies = if self.draw(1000) < u64::from(doubled) { 2 } else { 1 };
        self.befell.doubled += copies - 1;
        for _ in 0..copies {
            let at = self.now + least + self.draw(most - least + 1);
            let before = self.latest.entry((from, to)).or_insert(0);
            self.befell.overtaken += u64::from(at < *before);
            *before = at.max(*before);
            self.schedule(at, Happening::Delivered { from, to, message: message.clone() });
        }
    }

    fn is_cut(&self, from: usize, to: usize) -> bool {
        let now = self.now;
        let apart = |cut: &Cut| cut.hosts.contains(&from) != cut.hosts.contains(&to);
        self.cuts.iter().any(|cut| cut.from <= now && now < cut.until && apart(cut))
    }
}
