//! The machine against a chain that drops, delays and takes back, and a process that dies at every step.

mod common;

use std::collections::BTreeMap;

use alloy::primitives::{B256, Bytes};
use ccc_agent::{
    machine::{Facts, Fate, Step, Waiting, next},
    plan::{Action, Call, Entry, Event, Intent, Item},
    policy::{DOLLAR, Policy},
    state::{Inconsistent, State},
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
    block: u64,
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
                self.event = self
                    .event
                    .map(|found| Event { about: found.about, ..event(found.sequence, self.forks, found.status) });
            }
            Op::Mine => self.mine(),
            Op::Drop => self.mempool.clear(),
            Op::Kill(kill) => self.kill = kill,
            Op::Turn(crash) => self.turn(crash),
        }
    }

    fn report(&mut self, status: u8) {
        let sequence = self.event.map_or(1, |found| found.sequence + 1);
        self.event = Some(Event { about: self.height, ..event(sequence, self.forks, status) });
        self.height += 1;
    }

    /// A block takes what has the next number, and the contract refuses what is late.
    fn mine(&mut self) {
        self.now += 12;
        self.height += 1;
        let nonce = self.nonce();
        let Some(at) = self.mempool.iter().position(|intent| intent.nonce == nonce) else { return };
        let intent = self.mempool.remove(at);
        let success = intent.deadline.is_none_or(|deadline| self.now <= deadline);
        self.landed.push(Landed { intent, success, block: self.height });
        self.mempool.retain(|waiting| waiting.nonce > nonce);
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

    /// Requests are settled in the block that takes them.
    fn ended(&self) -> Vec<(B256, bool)> {
        self.state.pending_requests().into_iter().map(|request| (request, false)).collect()
    }

    fn fate(&mut self, intent: &Intent) -> Fate {
        let hidden = self.lie() % 2 == 1;
        let mined = self.landed.iter().find(|landed| landed.intent.transaction == intent.transaction);
        match mined {
            Some(landed) if !hidden => Fate::Mined { block: landed.block, success: landed.success, deep: true },
            _ if self.mempool.iter().any(|waiting| waiting.transaction == intent.transaction) => Fate::Pending,
            _ => Fate::Unknown,
        }
    }

    fn late(&mut self) -> Option<(B256, u64, bool)> {
        if self.lie() % 2 == 1 {
            return None;
        }
        let open = self.state.open().map(|sent| sent.intent.transaction);
        let lapsed = self.state.unsettled().filter(|sent| Some(sent.intent.transaction) != open);
        let lapsed: Vec<B256> = lapsed.map(|sent| sent.intent.transaction).collect();
        let found = self.landed.iter().find(|landed| lapsed.contains(&landed.intent.transaction));
        found.map(|landed| (landed.intent.transaction, landed.block, landed.success))
    }

    fn turn(&mut self, crash: Crash) {
        let facts = self.facts();
        let entry = match next(&self.state, &facts, &self.policy, SIGNER) {
            Step::Wait(_) => return,
            Step::Write(entry) => entry,
            Step::Resend => {
                let intent = self.state.open().map(|sent| sent.intent.clone()).expect("something is open");
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
        let done = self.landed.iter().filter(|landed| landed.success).map(|landed| landed.block).max();
        assert!(
            self.lies.is_some() || done.is_none_or(|done| done < event.about),
            "the check does not know of what was done"
        );
        let plan = self.plans.pop().unwrap_or_else(|| vec![(0, 100)]);
        let items = plan.into_iter().map(|(kind, dollars)| {
            let value = dollars * DOLLAR;
            let action = match kind % 3 {
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
        for pair in pairs {
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

    /// A node that hides blocks, tells another time and smaller numbers: the chain takes one transaction of a number.
    #[test]
    fn a_node_that_hides_what_it_has_gets_nothing_done_twice(
        ops in prop::collection::vec(op(), 1..150), plans in plans(),
        lies in prop::collection::vec(any::<u8>(), 300)
    ) {
        let mut model = Model::new(plans, Some(lies));
        for op in ops {
            model.apply(op);
            model.check_once()?;
            model.check_caps()?;
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

fn facts(event: Event) -> Facts {
    Facts { now: 1_000, final_time: 1_000, latest: Some(event), ..Facts::default() }
}

fn decided(event: Event, dollars: u64) -> State {
    let item = Item { action: Action::Swap { paid: dollars * DOLLAR, quoted: 1 }, value: dollars * DOLLAR };
    let mut state = State::default();
    let entry = Entry::Decided { event, items: vec![item], expiry: 2_000, words: Vec::new() };
    state.apply(1_000, entry).expect("a plan");
    state
}

fn intent(event: &Event, value: u64, nonce: u64) -> Intent {
    Intent {
        sequence: event.sequence,
        index: 0,
        call: Call::Principal,
        value,
        from: SIGNER,
        nonce,
        transaction: B256::repeat_byte(9),
        raw: Bytes::new(),
        deadline: Some(1_300),
        request: None,
    }
}

#[test]
fn each_reason_to_wait_is_told() {
    let (policy, found) = (policy(), event(1, 0, 2));
    let state = decided(found, 100);
    let step = |state: &State, facts: &Facts| next(state, facts, &policy, SIGNER);
    assert!(matches!(step(&state, &facts(found)), Step::Act(doing) if doing.index == 0));
    let stopped = Facts { stopped: true, ..facts(found) };
    assert_eq!(step(&state, &stopped), Step::Wait(Waiting::Stopped));
    let forked = event(1, 1, 2);
    let reorganised = Waiting::Reorganised { sequence: 1, expected: found.block_hash, found: forked.block_hash };
    assert_eq!(step(&state, &facts(forked)), Step::Wait(reorganised));
    let none = Facts { latest: None, ..facts(found) };
    assert_eq!(step(&state, &none), Step::Wait(Waiting::Idle));
    let late = Facts { now: 2_001, ..facts(found) };
    assert_eq!(step(&state, &late), Step::Wait(Waiting::Idle), "the envelope's time is over");
    for status in [0, 1] {
        assert_eq!(step(&State::default(), &facts(event(2, 0, status))), Step::Wait(Waiting::Idle));
    }
    let used = Facts { nonces: (0, 4), ..facts(found) };
    assert_eq!(step(&state, &used), Step::Wait(Waiting::Nonce { expected: 0, found: 4 }));
    let above = step(&decided(found, 1_001), &facts(found));
    assert!(matches!(above, Step::Wait(Waiting::Limit(limit)) if !limit.passes()), "{above:?}");
}

#[test]
fn a_refused_event_is_looked_at_again_and_not_for_ever() {
    let (policy, found) = (policy(), event(1, 0, 2));
    let mut state = State::default();
    for attempt in 0..3u64 {
        let now = 1_000 + attempt * 600;
        let facts = Facts { now, ..facts(found) };
        assert_eq!(next(&state, &facts, &policy, SIGNER), Step::Decide(found));
        state.apply(now, Entry::Refused { sequence: 1, reason: "stale".into() }).expect("a refusal");
        let soon = next(&state, &Facts { now: now + 599, ..facts.clone() }, &policy, SIGNER);
        assert!(matches!(soon, Step::Wait(Waiting::Refused { .. } | Waiting::GivenUp { .. })), "{soon:?}");
    }
    let later = Facts { now: 99_999, ..facts(found) };
    assert_eq!(
        next(&state, &later, &policy, SIGNER),
        Step::Wait(Waiting::GivenUp { times: 3, reason: "stale".into() })
    );
}

/// What was signed and never arrived gives its number to the next: the chain takes one of the two.
#[test]
fn what_lapsed_leaves_its_number_to_the_next() {
    let found = event(1, 0, 2);
    let mut state = decided(found, 100);
    let first = intent(&found, 100 * DOLLAR, 7);
    state.apply(1_000, Entry::Intent(first.clone())).expect("an intent");
    let gone = Facts { final_time: 1_301, ..facts(found) };
    let lapsed = Entry::Lapsed { transaction: first.transaction };
    assert_eq!(next(&state, &gone, &policy(), SIGNER), Step::Write(lapsed.clone()));
    state.apply(1_301, lapsed).expect("it lapsed");
    assert_eq!(state.next_nonce(SIGNER), Some(7));
    let other = Intent { nonce: 8, transaction: B256::repeat_byte(8), ..first.clone() };
    assert!(matches!(state.apply(1_400, Entry::Intent(other)), Err(Inconsistent::Transaction { .. })));
    // it landed after all
    let landed = Entry::Landed { transaction: first.transaction, block: 5, success: true };
    state.apply(1_500, landed).expect("it landed late");
    assert_eq!((state.next_nonce(SIGNER), state.is_done(1, 0)), (Some(8), true));
    let again = Intent { nonce: 8, transaction: B256::repeat_byte(8), ..first };
    assert!(matches!(state.apply(1_600, Entry::Intent(again)), Err(Inconsistent::Transaction { .. })));
}

#[test]
fn lines_that_do_not_follow_are_refused() {
    let found = event(1, 0, 2);
    let mut state = decided(found, 100);
    let plan = Entry::Decided { event: found, items: Vec::new(), expiry: 9, words: Vec::new() };
    assert_eq!(state.apply(1, plan), Err(Inconsistent::TwoPlans { sequence: 1 }));
    let transaction = B256::repeat_byte(9);
    let landed = Entry::Landed { transaction, block: 1, success: true };
    assert_eq!(state.apply(1, landed), Err(Inconsistent::NotOpen { transaction }));
    for wrong in [
        Intent { sequence: 2, ..intent(&found, 0, 0) },
        Intent { index: 1, ..intent(&found, 0, 0) },
        intent(&found, 100 * DOLLAR + 1, 0),
        Intent { call: Call::Approve, ..intent(&found, 1, 0) },
    ] {
        assert_eq!(state.apply(1, Entry::Intent(wrong)), Err(Inconsistent::Transaction { transaction }));
    }
    state.apply(1, Entry::Intent(intent(&found, 1, 0))).expect("one");
    let beside = Entry::Intent(intent(&found, 1, 0));
    assert_eq!(state.apply(1, beside), Err(Inconsistent::Transaction { transaction }), "two at once");
}
