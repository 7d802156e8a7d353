//! The machine against a chain that drops, delays and takes back, and a process that dies at every step.

mod common;
mod steps;

use std::collections::BTreeMap;

use alloy::primitives::{B256, Bytes};
use ccc_agent::{
    machine::{Facts, Fate, Step, cancellation, next, takes_back},
    plan::{Action, Call, Entry, Event, Intent, Item},
    policy::{Buffer, DOLLAR, Policy},
    state::{Moment, Sent, State},
};
use common::{SIGNER, event, policy};
use proptest::prelude::*;

const DAY: u64 = 86_400;

/// What happens to the agent and around it.
#[derive(Clone, Copy, Debug)]
enum Op {
    Pass(u64),
    Report {
        status: u8,
    },
    /// The newest report is taken back, and another comes under its sequence.
    Fork,
    Mine,
    /// The round of the oldest request that waits: filled or not.
    Settle(bool),
    Drop,
    Kill(bool),
    Turn(Crash),
}

/// Where the process dies in a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crash {
    No,
    BeforeWriting,
    AfterWriting,
    AfterSending,
}

fn op() -> impl Strategy<Value = Op> {
    let crash = prop_oneof![
        6 => Just(Crash::No), 1 => Just(Crash::BeforeWriting), 1 => Just(Crash::AfterWriting), 1 => Just(Crash::AfterSending)
    ];
    prop_oneof![
        2 => (1u64..2_000).prop_map(Op::Pass),
        1 => (DAY / 3..DAY).prop_map(Op::Pass),
        2 => prop_oneof![4 => Just(2u8), 1 => Just(1u8), 1 => Just(0u8)].prop_map(|status| Op::Report { status }),
        1 => Just(Op::Fork),
        4 => Just(Op::Mine),
        2 => any::<bool>().prop_map(Op::Settle),
        1 => Just(Op::Drop),
        1 => prop_oneof![1 => Just(true), 3 => Just(false)].prop_map(Op::Kill),
        14 => crash.prop_map(Op::Turn),
    ]
}

/// A transaction that a block took.
#[derive(Clone, Debug)]
struct Landed {
    intent: Intent,
    success: bool,
    place: Moment,
}

/// A chain, a journal and an agent.
struct Model {
    policy: Policy,
    now: u64,
    event: Option<Event>,
    forks: u8,
    height: u64,
    kill: bool,
    journal: Vec<(u64, Entry)>,
    state: State,
    mempool: Vec<Intent>,
    landed: Vec<Landed>,
    /// Requests whose round was, and whether they were filled.
    rounds: BTreeMap<B256, (Moment, bool)>,
    /// A landing for a check that could not know of an earlier one.
    twice: Option<String>,
    /// Every sending: when, of which event, which event the chain showed, whether the switch was there.
    sendings: Vec<(u64, Intent, Option<Event>, bool)>,
    signed: u64,
    /// What the node hides or says wrongly; nothing where it is honest.
    lies: Option<Vec<u8>>,
    plans: Vec<Vec<(u8, u64)>>,
}

impl Model {
    fn new(plans: Vec<Vec<(u8, u64)>>, lies: Option<Vec<u8>>) -> Self {
        Self {
            policy: policy(),
            now: 1_700_000_000,
            event: None,
            forks: 0,
            height: 1,
            kill: false,
            journal: Vec::new(),
            state: State::default(),
            mempool: Vec::new(),
            landed: Vec::new(),
            rounds: BTreeMap::new(),
            twice: None,
            sendings: Vec::new(),
            signed: 0,
            lies,
            plans,
        }
    }

    fn nonce(&self) -> u64 {
        self.landed.len() as u64
    }

    fn lie(&mut self) -> u8 {
        self.lies.as_mut().and_then(Vec::pop).unwrap_or(0)
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Pass(seconds) => self.now += seconds,
            Op::Report { status } => self.report(status),
            Op::Fork => {
                self.forks += 1;
                self.event = self.event.map(|found| Event { block_hash: B256::repeat_byte(self.forks), ..found });
            }
            Op::Mine => self.mine(),
            Op::Settle(filled) => self.settle(filled),
            Op::Drop => self.mempool.clear(),
            Op::Kill(kill) => self.kill = kill,
            Op::Turn(crash) => self.turn(crash),
        }
    }

    fn report(&mut self, status: u8) {
        let sequence = self.event.map_or(1, |found| found.sequence + 1);
        self.event = Some(Event { about: self.height, about_time: self.now, ..event(sequence, self.forks, status) });
        self.height += 1;
    }

    /// A block takes what has the next number, and the contract refuses what is late.
    fn mine(&mut self) {
        self.now += 12;
        self.height += 1;
        let nonce = self.nonce();
        let Some(at) = self.mempool.iter().position(|intent| intent.nonce == nonce) else { return };
        let intent = self.mempool.remove(at);
        let mut success = intent.deadline.is_none_or(|deadline| self.now <= deadline);
        if let Some(Action::Cancel { request }) = self.action(&intent) {
            success &= !self.rounds.contains_key(&request);
            let place = self.place();
            self.rounds.entry(request).or_insert((place, false));
        } else if success {
            self.check_landing(&intent);
        }
        self.landed.push(Landed { intent, success, place: self.place() });
        self.mempool.retain(|waiting| waiting.nonce > nonce);
    }

    fn place(&self) -> Moment {
        Moment { block: self.height, time: self.now }
    }

    fn action(&self, intent: &Intent) -> Option<Action> {
        self.state.item(intent.sequence, intent.index).map(|item| item.action)
    }

    fn settle(&mut self, filled: bool) {
        self.height += 1;
        let requests = self.landed.iter().filter(|landed| landed.success).filter_map(|landed| landed.intent.request);
        let waiting = requests.into_iter().find(|request| !self.rounds.contains_key(request));
        if let Some(request) = waiting {
            self.rounds.insert(request, (self.place(), filled));
        }
    }

    /// What the chain took for other events, by what the chain itself knows: the check must know of all of it.
    fn check_landing(&mut self, intent: &Intent) {
        let Event { about, about_time, .. } = self.state.decisions[&intent.sequence].event;
        let age = self.policy.limits.max_statement_age;
        for other in self.landed.iter().filter(|other| other.success && other.intent.sequence != intent.sequence) {
            let known = match (other.intent.request, self.action(&other.intent)) {
                (_, Some(Action::Cancel { .. })) => true,
                (None, _) => other.place.block < about && other.place.time + age < about_time,
                (Some(request), _) => {
                    self.rounds.get(&request).is_some_and(|(place, filled)| !filled || place.block < about)
                }
            };
            if !known {
                self.twice = Some(format!("{intent:?} lands for a check that does not know of {other:?}"));
            }
        }
    }

    fn facts(&mut self) -> Facts {
        let open = self.state.open().map(|sent| sent.intent.clone());
        let fate = open.map(|intent| self.fate(&intent)).unwrap_or_default();
        let late = self.late();
        let nonce = self.nonce();
        // a node that lies hides what was mined, tells another time and other numbers; it never invents what was not
        let (time, shift) = (self.lie(), self.lie());
        let newest = if shift % 3 == 1 { nonce.saturating_sub(1) } else { nonce };
        let ahead = if time % 3 == 1 { 100_000 } else { 0 };
        Facts {
            now: self.now,
            final_time: self.now + ahead,
            stopped: self.kill,
            latest: self.event,
            fate,
            late,
            nonces: (newest, newest),
            approvals: Vec::new(),
            ended: self.ended(),
        }
    }

    fn ended(&self) -> Vec<(B256, Moment, bool)> {
        let pending = self.state.pending_requests().into_iter();
        pending.filter_map(|id| self.rounds.get(&id).map(|(_, filled)| (id, self.place(), *filled))).collect()
    }

    fn fate(&mut self, intent: &Intent) -> Fate {
        let hidden = self.lie() % 2 == 1;
        let mined = self.landed.iter().find(|landed| landed.intent.transaction == intent.transaction);
        match mined {
            Some(landed) if !hidden => Fate::Mined { place: landed.place, success: landed.success, deep: true },
            _ if self.mempool.iter().any(|waiting| waiting.transaction == intent.transaction) => Fate::Pending,
            _ => Fate::Unknown,
        }
    }

    fn late(&mut self) -> Option<(B256, Moment, bool)> {
        if self.lie() % 2 == 1 {
            return None;
        }
        let open = self.state.open().map(|sent| sent.intent.transaction);
        let lapsed = self.state.unsettled().filter(|sent| Some(sent.intent.transaction) != open);
        let lapsed: Vec<B256> = lapsed.map(|sent| sent.intent.transaction).collect();
        let found = self.landed.iter().find(|landed| lapsed.contains(&landed.intent.transaction));
        found.map(|landed| (landed.intent.transaction, landed.place, landed.success))
    }

    fn turn(&mut self, crash: Crash) {
        let facts = self.facts();
        let entry = match next(&self.state, &facts, &self.policy, SIGNER) {
            Step::Wait(_) => return,
            Step::Write(entry) => entry,
            Step::Resend(transaction) => {
                let sent = self.state.sent.iter().find(|sent| sent.intent.transaction == transaction);
                let intent = sent.map(|sent| sent.intent.clone()).expect("it was signed");
                self.send(&intent);
                return;
            }
            Step::Decide(event) => self.decide(event),
            Step::Act(doing) => Entry::Intent(self.sign(doing.event.sequence, doing.index, &doing.item, &facts)),
        };
        if crash == Crash::BeforeWriting {
            return self.restart();
        }
        self.state.apply(self.now, entry.clone()).expect("the machine's own entry follows");
        self.journal.push((self.now, entry.clone()));
        if crash == Crash::AfterWriting {
            return self.restart();
        }
        if let Entry::Intent(intent) = entry {
            self.send(&intent);
        }
        if crash == Crash::AfterSending {
            self.restart();
        }
    }

    fn decide(&mut self, event: Event) -> Entry {
        if event.status == Event::SOLVENT && takes_back(&self.state, &self.policy) {
            return cancellation(&self.state, &self.policy, event, self.now);
        }
        let lot = event.status == Event::SOLVENT;
        let plan = self.plans.pop().unwrap_or_else(|| vec![(0, 100)]);
        let items = plan.into_iter().take(if lot { 1 } else { usize::MAX }).map(|(kind, dollars)| {
            let value = dollars * DOLLAR;
            let action = match kind % 3 {
                _ if lot => Action::Request { coins: value },
                0 => Action::Swap { paid: value, quoted: 1 },
                1 => Action::Send { coins: value },
                _ => Action::Request { coins: value },
            };
            Item { action, value }
        });
        Entry::Decided { event, items: items.collect(), expiry: self.now + 3_600, words: Vec::new() }
    }

    fn sign(&mut self, sequence: u64, index: u32, item: &Item, facts: &Facts) -> Intent {
        self.signed += 1;
        let transaction = B256::from(alloy::primitives::U256::from(self.signed));
        let ends = matches!(item.action, Action::Swap { .. } | Action::Request { .. });
        let request = matches!(item.action, Action::Request { .. }).then_some(transaction);
        Intent {
            sequence,
            index,
            call: Call::Principal,
            value: item.value,
            from: SIGNER,
            nonce: facts.nonces.1,
            transaction,
            raw: Bytes::from_static(b"signed"),
            fee: 1,
            tip: 1,
            deadline: ends.then_some(self.now + 300),
            request,
        }
    }

    fn send(&mut self, intent: &Intent) {
        self.sendings.push((self.now, intent.clone(), self.event, self.kill));
        let known = self.mempool.iter().any(|waiting| waiting.transaction == intent.transaction);
        if intent.nonce >= self.nonce() && !known {
            // who comes last replaces
            self.mempool.retain(|waiting| waiting.nonce != intent.nonce);
            self.mempool.push(intent.clone());
        }
    }

    /// A new process has the journal and nothing else.
    fn restart(&mut self) {
        let mut state = State::default();
        for (time, entry) in &self.journal {
            state.apply(*time, entry.clone()).expect("the journal reads back");
        }
        self.state = state;
    }

    fn check(&self) -> Result<(), TestCaseError> {
        self.check_once()?;
        self.check_caps()?;
        self.check_lots()?;
        for (_, intent, shown, killed) in &self.sendings {
            prop_assert!(!killed, "sent although the switch was there");
            let planned = self.state.decisions.get(&intent.sequence).map(|decision| decision.event);
            prop_assert!(planned == *shown, "sent for a report that is not the chain's newest");
        }
        Ok(())
    }

    fn check_once(&self) -> Result<(), TestCaseError> {
        let mut done: BTreeMap<(u64, u32), u32> = BTreeMap::new();
        for landed in self.landed.iter().filter(|landed| landed.success) {
            *done.entry((landed.intent.sequence, landed.intent.index)).or_default() += 1;
        }
        prop_assert!(done.values().all(|times| *times == 1), "done twice: {:?}", done);
        prop_assert!(self.twice.is_none(), "one hole filled twice: {:?}", self.twice);
        Ok(())
    }

    /// A lot's plan is made when its time has come, and no other request was made since.
    fn check_lots(&self) -> Result<(), TestCaseError> {
        let Some(Buffer { every, .. }) = self.policy.buffer else { return Ok(()) };
        let requests: Vec<_> = self.state.principals().filter(|sent| sent.intent.request.is_some()).collect();
        for pair in requests.windows(2).filter(|pair| pair[0].intent.sequence != pair[1].intent.sequence) {
            let event = self.state.decisions[&pair[1].intent.sequence].event;
            let early = event.status == Event::SOLVENT && pair[1].time < pair[0].time + every;
            prop_assert!(!early, "a lot after {} s", pair[1].time - pair[0].time);
        }
        Ok(())
    }

    fn check_caps(&self) -> Result<(), TestCaseError> {
        let limits = &self.policy.limits;
        let sent: Vec<_> = self.state.principals().collect();
        let mut tries: BTreeMap<(u64, u32), u32> = BTreeMap::new();
        for (at, one) in sent.iter().enumerate() {
            prop_assert!(one.intent.value <= limits.per_action * DOLLAR);
            *tries.entry((one.intent.sequence, one.intent.index)).or_default() += 1;
            let day = sent[at..].iter().take_while(|other| other.time < one.time + DAY);
            let moved: u64 = day.clone().map(|other| other.intent.value).sum();
            prop_assert!(moved <= limits.per_day * DOLLAR, "{} within a day", moved);
            let asked = day.filter(|other| other.intent.request.is_some()).count();
            prop_assert!(asked <= 2, "{} requests within a day", asked);
        }
        prop_assert!(tries.values().all(|times| *times <= limits.attempts), "{:?}", tries);
        let pairs = sent.windows(2).filter(|pair| pair[0].intent.sequence != pair[1].intent.sequence);
        let cancels = |sent: &Sent| matches!(self.action(&sent.intent), Some(Action::Cancel { .. }));
        for pair in pairs.filter(|pair| !cancels(pair[1])) {
            prop_assert!(pair[1].time >= pair[0].time + limits.cooldown, "no pause");
        }
        Ok(())
    }
}

fn plans() -> impl Strategy<Value = Vec<Vec<(u8, u64)>>> {
    prop::collection::vec(prop::collection::vec((any::<u8>(), 1u64..1_300), 1..4), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn whatever_happens_caps_hold_and_nothing_is_done_twice(
        ops in prop::collection::vec(op(), 1..150), plans in plans()
    ) {
        let mut model = Model::new(plans, None);
        for op in ops {
            model.apply(op);
            model.check()?;
        }
    }

    /// The same with a buffer to fill while the reserve is solvent, and reports of both kinds as often.
    #[test]
    fn lots_keep_their_time_and_every_other_bound(
        ops in prop::collection::vec(op(), 1..150), plans in plans(), solvent in prop::collection::vec(any::<bool>(), 150)
    ) {
        let mut model = Model::new(plans, None);
        model.policy.buffer = Some(Buffer { lot: 1, every: 20_000 });
        for (op, solvent) in ops.into_iter().zip(solvent) {
            model.apply(if let (Op::Report { .. }, true) = (op, solvent) { Op::Report { status: 1 } } else { op });
            model.check()?;
        }
    }

    /// A node that hides blocks, tells another time and smaller numbers: the chain takes one transaction of a number.
    #[test]
    fn a_node_that_hides_what_it_has_gets_nothing_done_twice(
        ops in prop::collection::vec(op(), 1..150), plans in plans(),
        lies in prop::collection::vec(any::<u8>(), 300)
    ) {
        let mut model = Model::new(plans, Some(lies));
        for op in ops {
            model.apply(op);
            model.check()?;
        }
    }
}

/// An honest chain and no crash: every plan within the limits is carried out.
#[test]
fn a_plan_is_carried_out_to_its_end() {
    let mut model = Model::new(vec![vec![(1, 100), (0, 200), (2, 300)]], None);
    model.apply(Op::Report { status: 2 });
    for _ in 0..20 {
        model.apply(Op::Turn(Crash::No));
        model.apply(Op::Mine);
    }
    assert_eq!(model.landed.len(), 3);
    assert!((0..3).all(|index| model.state.is_done(1, index)));
    assert_eq!(model.sendings.len(), 3);
}
