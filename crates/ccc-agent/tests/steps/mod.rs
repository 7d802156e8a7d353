//! One step at a time: each reason to wait, and what follows from which line.

use alloy::primitives::{B256, Bytes};
use ccc_agent::{
    limits::{self, Limit},
    machine::{Facts, Fate, Step, Waiting, cancellation, next, takes_back},
    plan::{Action, Call, Entry, Event, Intent, Item},
    policy::{Buffer, DOLLAR, Policy},
    state::{Inconsistent, Moment, State},
};

use crate::common::{SIGNER, event, policy};

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
    // a check of a block after the end: filled or not, the next lot comes at the same time
    for success in [false, true] {
        let mut state = state.clone();
        let ended = Entry::Ended { request: B256::repeat_byte(9), block: 13, time: 1_100, success };
        state.apply(1_100, ended).expect("follows");
        assert_eq!(step(&state, &later(20_999)), soon, "what became of it changes nothing: {success}");
        assert_eq!(step(&state, &later(21_000)), Step::Decide(event(2, 0, 1)), "{success}");
        // a check of no later block may not know of a fill
        let older = Event { about: 13, ..event(2, 0, 1) };
        let found = step(&state, &Facts { latest: Some(older), ..later(21_000) });
        let waits = Step::Wait(Waiting::Older { sequence: 2, about: 13, landed: 13 });
        assert_eq!(found, if success { waits } else { Step::Decide(older) });
    }
}

/// What was asked for while the reserve was insolvent may be more than the buffer: a reserve that is solvent does not need it.
#[test]
fn a_request_for_an_insolvent_reserve_is_taken_back_and_a_lot_is_not() {
    let request = B256::repeat_byte(9);
    for (buffer, status, taken_back) in [(true, 2, true), (true, 1, false), (false, 1, true)] {
        let buffer = buffer.then_some(Buffer { lot: 5, every: 20_000 });
        let policy = Policy { buffer, ..policy() };
        let (first, solvent) = (event(1, 0, status), event(2, 0, 1));
        let item = Item { action: Action::Request { coins: 50 }, value: DOLLAR };
        let mut state = State::default();
        let entries = [
            Entry::Decided { event: first, items: vec![item], expiry: 2_000, words: Vec::new() },
            Entry::Intent(Intent { request: Some(request), ..intent(&first, DOLLAR, 0) }),
            Entry::Landed { transaction: request, block: 12, time: 1_000, success: true },
        ];
        entries.into_iter().for_each(|entry| state.apply(1_000, entry).expect("follows"));
        let found = next(&state, &Facts { now: 21_000, nonces: (1, 1), ..facts(solvent) }, &policy, SIGNER);
        let expected = if taken_back { Step::Decide(solvent) } else { Step::Wait(Waiting::Request { request }) };
        assert_eq!((found, takes_back(&state, &policy)), (expected, taken_back));
        let Entry::Decided { items, .. } = cancellation(&state, &policy, solvent, 21_000) else { panic!("a plan") };
        let actions: Vec<Action> = items.into_iter().map(|item| item.action).collect();
        assert_eq!(actions, if taken_back { vec![Action::Cancel { request }] } else { Vec::new() });
    }
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
