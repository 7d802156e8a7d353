//! The machine against a chain that drops, delays and takes back, and a process that dies at every step.

mod common;

use std::collections::BTreeMap;

use alloy::primitives::{B256, Bytes};
use ccc_agent::{
    limits::{self, Limit},
    machine::{Facts, Fate, Step, Waiting, cancellation, next},
    plan::{Action, Call, Entry, Event, Intent, Item},
    policy::{Buffer, DOLLAR, Policy},
    state::{Inconsistent, Moment, Sent, State},
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
        if event.status == Event::SOLVENT && self.policy.buffer.is_none() {
            return cancellation(&self.state, event, self.now);
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
        fee: 8,
        tip: 8,
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

/// While the reserve is solvent: the first lot at once, the next one when its time has come, and none while one waits.
#[test]
fn a_lot_for_the_buffer_waits_for_its_time() {
    let policy = Policy { buffer: Some(Buffer { lot: 5, every: 20_000 }), ..policy() };
    let solvent = event(1, 0, 1);
    let step = |state: &State, facts: &Facts| next(state, facts, &policy, SIGNER);
    assert_eq!(step(&State::default(), &facts(solvent)), Step::Decide(solvent));
    let mut state = State::default();
    let item = Item { action: Action::Request { coins: 5 }, value: DOLLAR };
    let entries = [
        Entry::Decided { event: solvent, items: vec![item], expiry: 2_000, words: Vec::new() },
        Entry::Intent(Intent { request: Some(B256::repeat_byte(9)), ..intent(&solvent, DOLLAR, 0) }),
        Entry::Landed { transaction: B256::repeat_byte(9), block: 12, time: 1_000, success: true },
    ];
    entries.into_iter().for_each(|entry| state.apply(1_000, entry).expect("follows"));
    let later = |now| Facts { now, nonces: (1, 1), ..facts(event(2, 0, 1)) };
    let soon = step(&state, &later(20_999));
    assert_eq!(soon, Step::Wait(Waiting::Limit(Limit::Cooldown { until: 21_000 })));
    let waits = step(&state, &later(21_000));
    assert_eq!(waits, Step::Wait(Waiting::Request { request: B256::repeat_byte(9) }), "it is not taken back");
    let ended = Entry::Ended { request: B256::repeat_byte(9), block: 13, time: 1_100, success: false };
    state.apply(1_100, ended).expect("follows");
    assert_eq!(step(&state, &later(20_999)), soon, "what became of it changes nothing");
    assert_eq!(step(&state, &later(21_000)), Step::Decide(event(2, 0, 1)));
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
    let landed = Entry::Landed { transaction: first.transaction, block: 5, time: 1_500, success: true };
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
    let landed = Entry::Landed { transaction, block: 1, time: 1, success: true };
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

/// One action was done at block 100, time 10,000; the next report is about `about`.
fn after(action: Action, ended: Option<(u64, bool)>, about: (u64, u64)) -> Step {
    let first = event(1, 0, 2);
    let mut state = State::default();
    let item = Item { action, value: DOLLAR };
    let plan = Entry::Decided { event: first, items: vec![item], expiry: 20_000, words: Vec::new() };
    let request = matches!(action, Action::Request { .. }).then_some(B256::repeat_byte(1));
    let intent = Intent { request, ..intent(&first, DOLLAR, 0) };
    let landed = Entry::Landed { transaction: intent.transaction, block: 100, time: 10_000, success: true };
    let ended =
        ended.map(|(block, success)| Entry::Ended { request: B256::repeat_byte(1), block, time: 10_100, success });
    for entry in [plan, Entry::Intent(intent), landed].into_iter().chain(ended) {
        state.apply(9_990, entry).expect("it follows");
    }
    let (about, about_time) = about;
    let second = Event { about, about_time, ..event(2, 0, 2) };
    next(&state, &Facts { now: 20_000, nonces: (1, 1), ..facts(second) }, &policy(), SIGNER)
}

/// The request is in block 100, its fill is seen in block 110: a check between the two does not know of it.
#[test]
fn a_check_from_before_a_fill_is_not_acted_on() {
    let request = Action::Request { coins: 5 };
    let waits = after(request, None, (105, 10_050));
    assert_eq!(waits, Step::Wait(Waiting::Request { request: B256::repeat_byte(1) }));
    for about in [105, 110] {
        let step = after(request, Some((110, true)), (about, 10_200));
        assert_eq!(step, Step::Wait(Waiting::Older { sequence: 2, about, landed: 110 }));
    }
    assert!(matches!(after(request, Some((110, true)), (111, 10_200)), Step::Decide(_)));
    assert!(matches!(after(request, Some((110, false)), (105, 10_050)), Step::Decide(_)), "nothing was filled");
}

/// The check is later than the swap; the custodian's statement in it, up to 600 s older, need not be.
#[test]
fn a_check_whose_statement_may_be_older_is_not_acted_on() {
    for action in [Action::Swap { paid: DOLLAR, quoted: 1 }, Action::Send { coins: 5 }] {
        let older = Waiting::Older { sequence: 2, about: 100, landed: 100 };
        assert_eq!(after(action, None, (100, 10_000)), Step::Wait(older));
        for about_time in [10_050, 10_600] {
            let stated = Waiting::Statement { sequence: 2, about_time, age: 600, landed: 10_000 };
            assert_eq!(after(action, None, (150, about_time)), Step::Wait(stated));
        }
        assert!(matches!(after(action, None, (150, 10_601)), Step::Decide(_)));
    }
}

/// A node that says that a payment is old makes no check later than it: it was signed when it was signed.
#[test]
fn a_payment_is_no_older_than_its_signature() {
    let found = event(1, 0, 2);
    let mut state = decided(found, 100);
    state.apply(9_990, Entry::Intent(intent(&found, DOLLAR, 0))).expect("an intent");
    let landed = Entry::Landed { transaction: B256::repeat_byte(9), block: 5, time: 5, success: true };
    state.apply(10_000, landed).expect("it landed");
    let at = |about_time| {
        let second = Event { about: 150, about_time, ..event(2, 0, 2) };
        next(&state, &Facts { now: 20_000, nonces: (1, 1), ..facts(second) }, &policy(), SIGNER)
    };
    let stated = Waiting::Statement { sequence: 2, about_time: 10_590, age: 600, landed: 9_990 };
    assert_eq!(at(10_590), Step::Wait(stated));
    assert!(matches!(at(10_591), Step::Decide(_)));
}

/// Given up, another plan made, then it landed: the plan waits, and is not carried out beside it.
#[test]
fn a_late_landing_stops_the_plan_after_it() {
    let (first, second) = (event(1, 0, 2), Event { about: 20, about_time: 200, ..event(2, 0, 2) });
    let send = Item { action: Action::Send { coins: 5 }, value: DOLLAR };
    let plan = |event| Entry::Decided { event, items: vec![send], expiry: 90_000, words: Vec::new() };
    let old = Intent { deadline: None, ..intent(&first, DOLLAR, 7) };
    let new = Intent { sequence: 2, transaction: B256::repeat_byte(8), ..old.clone() };
    let mut state = State::default();
    let write = |state: &mut State, entry| state.apply(1_000, entry).expect("it follows");
    for entry in [plan(first), Entry::Intent(old.clone()), Entry::Lapsed { transaction: old.transaction }, plan(second)]
    {
        write(&mut state, entry);
    }
    let now = Facts { now: 9_000, nonces: (7, 7), ..facts(second) };
    assert!(matches!(next(&state, &now, &policy(), SIGNER), Step::Act(doing) if doing.event == second));
    write(&mut state, Entry::Intent(new.clone()));
    let place = Moment { block: 30, time: 300 };
    let late = Facts { late: Some((old.transaction, place, true)), ..now.clone() };
    let Step::Write(entry) = next(&state, &late, &policy(), SIGNER) else { panic!("it landed") };
    write(&mut state, entry);
    let now = Facts { nonces: (8, 8), ..now };
    let older = Waiting::Older { sequence: 2, about: 20, landed: 30 };
    assert_eq!(next(&state, &now, &policy(), SIGNER), Step::Wait(older));
}

/// No block wants it: after half an hour the next one takes its number. One with a deadline waits for that.
#[test]
fn what_waits_in_vain_is_given_up() {
    let found = event(1, 0, 2);
    let mut state = decided(found, 100);
    let stuck = Intent { deadline: None, ..intent(&found, DOLLAR, 7) };
    state.apply(1_000, Entry::Intent(stuck.clone())).expect("an intent");
    let at = |now| Facts { now, fate: Fate::Pending, nonces: (7, 7), ..facts(found) };
    let transaction = stuck.transaction;
    assert_eq!(next(&state, &at(2_800), &policy(), SIGNER), Step::Wait(Waiting::UnderWay { transaction }));
    let lapsed = Entry::Lapsed { transaction };
    assert_eq!(next(&state, &at(2_801), &policy(), SIGNER), Step::Write(lapsed.clone()));
    state.apply(2_801, lapsed).expect("given up");
    let later = event(2, 0, 2);
    assert_eq!(next(&state, &Facts { latest: Some(later), ..at(2_802) }, &policy(), SIGNER), Step::Decide(later));
}

/// An approval counts at once, unless another transaction could still take its number; one that a reorganisation took back is
/// sent again.
#[test]
fn an_approval_that_was_dropped_is_sent_again() {
    let found = event(1, 0, 2);
    let mut state = decided(found, 100);
    let approve = Intent { call: Call::Approve, deadline: None, ..intent(&found, 0, 7) };
    let swap = Intent { transaction: B256::repeat_byte(8), ..intent(&found, DOLLAR, 8) };
    state.apply(1_000, Entry::Intent(approve.clone())).expect("an approval");
    let shallow = Fate::Mined { place: Moment { block: 5, time: 1_000 }, success: true, deep: false };
    let now = |nonce| Facts { nonces: (7, nonce), ..facts(found) };
    let seen = Facts { fate: shallow, ..now(8) };
    let Step::Write(landed) = next(&state, &seen, &policy(), SIGNER) else { panic!("it landed") };
    state.apply(1_000, landed.clone()).expect("it landed");
    assert!(matches!(next(&state, &now(8), &policy(), SIGNER), Step::Act(_)));
    assert_eq!(next(&state, &now(7), &policy(), SIGNER), Step::Resend(approve.transaction));
    let stopped = Facts { stopped: true, ..now(7) };
    assert_eq!(next(&state, &stopped, &policy(), SIGNER), Step::Wait(Waiting::Stopped));
    state.apply(1_000, Entry::Intent(swap.clone())).expect("the swap");
    assert_eq!(next(&state, &now(7), &policy(), SIGNER), Step::Resend(approve.transaction), "before the swap");
    assert_eq!(next(&state, &now(8), &policy(), SIGNER), Step::Resend(swap.transaction));
    // with another one of its number about, depth decides
    let mut state = decided(found, 100);
    let given_up = Intent { transaction: B256::repeat_byte(3), deadline: None, ..intent(&found, DOLLAR, 7) };
    let lapsed = Entry::Lapsed { transaction: given_up.transaction };
    for entry in [Entry::Intent(given_up), lapsed, Entry::Intent(approve.clone())] {
        state.apply(1_000, entry).expect("it follows");
    }
    let transaction = approve.transaction;
    assert_eq!(next(&state, &seen, &policy(), SIGNER), Step::Wait(Waiting::UnderWay { transaction }));
}

#[test]
fn an_older_report_than_the_last_plans_is_not_acted_on() {
    let state = decided(event(2, 0, 2), 100);
    let older = Facts { latest: Some(event(1, 0, 2)), ..Facts::default() };
    assert_eq!(next(&state, &older, &policy(), SIGNER), Step::Wait(Waiting::Behind { expected: 2, found: 1 }));
}

/// A request can be taken back for a short time only: no pause holds it up.
#[test]
fn a_cancellation_needs_no_pause() {
    let found = event(1, 0, 2);
    let mut state = decided(found, 100);
    state.apply(1_000, Entry::Intent(intent(&found, DOLLAR, 0))).expect("an intent");
    let landed = Entry::Landed { transaction: B256::repeat_byte(9), block: 5, time: 1_000, success: true };
    state.apply(1_000, landed).expect("it landed");
    let cancel = Item { action: Action::Cancel { request: B256::repeat_byte(1) }, value: 0 };
    assert_eq!(limits::admit(&state, &policy(), 1_001, (2, 0), &cancel), Ok(()));
    let send = Item { action: Action::Send { coins: 5 }, value: DOLLAR };
    assert!(matches!(limits::admit(&state, &policy(), 1_001, (2, 0), &send), Err(Limit::Cooldown { .. })));
}
