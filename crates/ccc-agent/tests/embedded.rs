//! The agent on a chain with the real contracts: a small deficit is swapped, a large one asked for, and what is wrong is refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails ends there")]

mod recovered;
mod world;

use alloy::primitives::U256;
use ccc_agent::{
    drive::Turn,
    evidence::EvidenceError,
    limits::Limit,
    machine::Waiting,
    plan::{Action, Entry, Event, Item},
    policy::{Approval, Buffer, Policy, PolicyError, Route},
    state::End,
};
use ccc_chain::{
    read::{Pool, RequestStatus},
    swap::Parts,
};
use world::{COIN, LOT, STATEMENT_AGE, World, approve, person};

/// Turns until the agent waits.
async fn settled(world: &World, policy: &Policy) -> (Vec<String>, Waiting) {
    let mut driver = world.driver(policy);
    let mut lines = Vec::new();
    for _ in 0..40 {
        match driver.turn(&mut world.rng()).await.unwrap() {
            Turn::Went(words) | Turn::Would(words) => lines.extend(words),
            Turn::Waits(Waiting::UnderWay { .. }) => world.mine().await,
            Turn::Waits(waiting) => return (lines, waiting),
        }
    }
    panic!("it never rests: {lines:?}");
}

async fn refused(world: &World, policy: &Policy, reason: &str) {
    let before = world.held().await;
    let (lines, waiting) = settled(world, policy).await;
    assert!(
        matches!(&waiting, Waiting::Refused { reason: found, .. } if found.contains(reason)),
        "{waiting:?} {lines:?}"
    );
    assert_eq!(world.held().await, before, "nothing was spent");
    let (_, state) = world.journal();
    assert!(state.refusals.values().any(|(_, last)| last.contains(reason)), "it is journalled");
    assert!(state.sent.is_empty());
}

#[tokio::test]
async fn a_small_deficit_is_swapped_and_the_reserve_is_refilled() {
    let world = World::new().await;
    let deficit = 10 * COIN;
    world.report(2, deficit).await;
    let before = world.reserve_coins().await;
    let (lines, waiting) = settled(&world, &world.policy()).await;
    assert_eq!(waiting, Waiting::Idle, "{lines:?}");
    let refilled = world.reserve_coins().await - before;
    assert!(refilled >= U256::from(deficit) * U256::from(995) / U256::from(1000), "{refilled}");
    assert!(
        lines.iter().any(|line| line.starts_with("direct: all of it comes for less than $50000000.00")),
        "{lines:?}"
    );
    let (entries, state) = world.journal();
    assert!(state.sent.iter().all(|sent| sent.end == Some(End::Done)));
    assert_eq!(state.sent.len(), 2, "an approval and the swap");
    // the intent stands before the transaction that it names landed
    let at = |wanted: fn(&Entry) -> bool| entries.iter().position(wanted).unwrap();
    assert!(at(|entry| matches!(entry, Entry::Decided { .. })) < at(|entry| matches!(entry, Entry::Intent(_))));
    assert_eq!(world.allowance().await, U256::ZERO, "no approval is left over");
    let (_, again) = settled(&world, &world.policy()).await;
    assert_eq!((again, world.reserve_coins().await - before), (Waiting::Idle, refilled), "one event, one swap");
}

#[tokio::test]
async fn a_large_deficit_is_asked_for_in_the_dark() {
    let world = World::new().await;
    let deficit = 1_000 * COIN + 1;
    world.report(2, deficit).await;
    let dollars = world.held().await;
    let policy = Policy { route: Route { split: false, ..world.policy().route }, ..world.policy() };
    let (lines, waiting) = settled(&world, &policy).await;
    assert_eq!(waiting, Waiting::Idle, "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("dark: ")), "{lines:?}");
    let (_, state) = world.journal();
    let [id] = state.pending_requests()[..] else { panic!("one request, {state:?}") };
    let pool = Pool::new(&world.chain, world.deployment.pool);
    let shown = pool.request(id, alloy::eips::BlockId::latest()).await.unwrap();
    assert_eq!((shown.status, shown.requester), (RequestStatus::Pending, world.agent.address()));
    let items = &state.decisions.values().next().unwrap().items;
    assert_eq!(items[0].action, Action::Request { coins: deficit.div_ceil(LOT) * LOT }, "whole lots, and all of it");
    world.check_sealed(id).await;
    assert_eq!(world.held().await, dollars, "nothing is paid in public");
    // solvent again: what still waits is taken back
    world.report(1, 0).await;
    let (_, waiting) = settled(&world, &policy).await;
    assert_eq!(waiting, Waiting::Idle);
    assert_eq!(pool.request(id, alloy::eips::BlockId::latest()).await.unwrap().status, RequestStatus::Cancelled);
}

/// A check that does not know of the swap yet would have the same hole filled twice.
#[tokio::test]
async fn a_check_from_before_the_last_action_is_not_acted_on() {
    let world = World::new().await;
    world.report(2, 2 * COIN).await;
    assert_eq!(settled(&world, &world.policy()).await.1, Waiting::Idle);
    let before = world.reserve_coins().await;
    world.report(2, 2 * COIN).await;
    let waiting = settled(&world, &world.policy()).await.1;
    assert!(matches!(waiting, Waiting::Older { sequence: 2, about, landed } if about == landed), "{waiting:?}");
    assert_eq!(world.reserve_coins().await, before);
    // a later block, and a statement that may be from before the swap
    world.wait(STATEMENT_AGE - 60).await;
    world.push(60_000, 5).await;
    world.report(2, 2 * COIN).await;
    let waiting = settled(&world, &world.policy()).await.1;
    assert!(matches!(waiting, Waiting::Statement { sequence: 3, age: STATEMENT_AGE, .. }), "{waiting:?}");
    assert_eq!(world.reserve_coins().await, before);
    world.wait(120).await;
    world.push(60_000, 5).await;
    world.report(2, 2 * COIN).await;
    assert_eq!(settled(&world, &world.policy()).await.1, Waiting::Idle);
    assert!(world.reserve_coins().await > before, "a later check is acted on");
}

/// The contract's word about the check is compared with what the quorum signed.
#[tokio::test]
async fn a_check_of_another_block_or_time_is_not_the_quorums() {
    let world = World::new().await;
    world.report(2, 2 * COIN).await;
    assert_eq!(settled(&world, &world.policy()).await.1, Waiting::Idle);
    let event = world.journal().1.decisions[&1].event;
    world.known.vouch(&event).unwrap();
    for (wanted, bent) in [
        ("the block of the check", Event { about: event.about + 1, ..event }),
        ("the time of the check", Event { about_time: event.about_time + 1, ..event }),
        ("the status", Event { status: 1, ..event }),
    ] {
        let refused = world.known.vouch(&bent);
        assert!(matches!(&refused, Err(EvidenceError::Differs { what, .. }) if *what == wanted), "{refused:?}");
    }
}

/// A node alone takes no request back: the quorum's word that the reserve is solvent has to lie there.
#[tokio::test]
async fn a_request_is_taken_back_on_the_quorums_word_alone() {
    let world = World::new().await;
    let mut policy = world.policy();
    policy.contracts.exchange = None;
    world.report(2, 2 * COIN).await;
    assert_eq!(settled(&world, &policy).await.1, Waiting::Idle);
    let [request] = world.journal().1.pending_requests()[..] else { panic!("one request") };
    world.report(1, 0).await;
    std::fs::remove_file(world.evidence().join("report")).unwrap();
    let waiting = settled(&world, &policy).await.1;
    assert!(
        matches!(&waiting, Waiting::GivenUp { reason, .. } | Waiting::Refused { reason, .. } if reason.contains("signed report of event 2")),
        "{waiting:?}"
    );
    let (_, state) = world.journal();
    assert_eq!((state.pending_requests(), state.sent.len()), (vec![request], 1));
    assert!(!state.decisions.contains_key(&2), "the event's number is not used up");
}

/// What was signed and went nowhere is replaced under its number, for an eighth more at least.
#[tokio::test]
async fn what_takes_a_number_over_offers_more() {
    let world = World::new().await;
    world.give_coins(4 * COIN).await;
    let policy = world.policy();
    world.report(2, COIN).await;
    let before = world.reserve_coins().await;
    let snapshot = world.snapshot().await;
    let mut driver = world.driver(&policy);
    while driver.state().sent.is_empty() {
        driver.turn(&mut world.rng()).await.unwrap();
    }
    drop(driver);
    world.revert(snapshot).await;
    world.report(2, 2 * COIN).await;
    assert_eq!(settled(&world, &policy).await.1, Waiting::Idle);
    let (_, state) = world.journal();
    let [first, second] = &state.sent[..] else { panic!("{state:?}") };
    assert_eq!((first.end, second.end), (Some(End::Lapsed), Some(End::Done)));
    let [first, second] = [&first.intent, &second.intent];
    assert_eq!(first.nonce, second.nonce);
    assert!(second.fee * 8 > first.fee * 9 && second.tip * 8 > first.tip * 9, "{first:?} {second:?}");
    assert_eq!(world.reserve_coins().await - before, U256::from(2 * COIN));
}

/// An approval that a reorganisation dropped: what has the number after it could never be mined.
#[tokio::test]
async fn an_approval_that_was_taken_back_is_sent_again() {
    let world = World::new().await;
    world.report(2, 2 * COIN).await;
    let (policy, before) = (world.policy(), world.reserve_coins().await);
    let snapshot = world.snapshot().await;
    let mut driver = world.driver(&policy);
    while !driver.state().sent.iter().any(|sent| sent.place.is_some()) {
        driver.turn(&mut world.rng()).await.unwrap();
    }
    drop(driver);
    world.revert(snapshot).await;
    assert_eq!(world.allowance().await, U256::ZERO, "the chain does not have it");
    let (lines, waiting) = settled(&world, &policy).await;
    assert_eq!(waiting, Waiting::Idle, "{lines:?}");
    assert!(world.reserve_coins().await > before);
    assert_eq!(world.journal().1.sent.len(), 2, "an approval and the swap, each signed once");
}

/// While a request waits for its round the hole is still there, and another request would fill it twice.
#[tokio::test]
async fn a_request_that_waits_is_the_only_one() {
    let world = World::new().await;
    let mut policy = world.policy();
    policy.contracts.exchange = None;
    world.report(2, 2 * COIN).await;
    assert_eq!(settled(&world, &policy).await.1, Waiting::Idle);
    let [request] = world.journal().1.pending_requests()[..] else { panic!("one request") };
    world.mine().await;
    world.report(2, 2 * COIN).await;
    assert_eq!(settled(&world, &policy).await.1, Waiting::Request { request });
    // its round never comes
    world.wait(60 + 300 + 1).await;
    world.push(60_000, 5).await;
    world.report(2, 2 * COIN).await;
    assert_eq!(settled(&world, &policy).await.1, Waiting::Idle);
    let (_, state) = world.journal();
    assert_eq!((state.ended.get(&request).map(|(_, success)| *success), state.sent.len()), (Some(false), 2));
}

/// What is needed to be solvent is swapped; the buffer waits until the reserve is solvent, and comes in whole lots of the pool.
#[tokio::test]
async fn the_buffer_is_asked_for_in_lots_once_the_reserve_is_solvent() {
    let world = World::new().await;
    let lot = 3 * LOT;
    let policy = Policy { buffer: Some(Buffer { lot, every: 7_200 }), ..world.policy() };
    world.report_with(2, 12 * COIN, 10 * COIN).await;
    assert_eq!(settled(&world, &policy).await.1, Waiting::Idle);
    let state = world.journal().1;
    let [Item { action: Action::Swap { quoted, .. }, .. }] = state.decisions[&1].items[..] else { panic!("{state:?}") };
    assert!((2 * COIN..2 * COIN + COIN / 10).contains(&quoted), "{quoted}");
    world.wait(2 * STATEMENT_AGE).await;
    world.push(60_000, 5).await;
    world.report_with(1, 0, lot + 2 * LOT + 1).await;
    assert_eq!(settled(&world, &policy).await.1, Waiting::Idle);
    let state = world.journal().1;
    let [request] = state.pending_requests()[..] else { panic!("one lot: {state:?}") };
    assert_eq!(state.decisions[&2].items[0].action, Action::Request { coins: lot });
    world.check_sealed(request).await;
    world.report_with(1, 0, lot + 2 * LOT + 1).await;
    let soon = settled(&world, &policy).await.1;
    assert!(matches!(soon, Waiting::Limit(Limit::Cooldown { .. })), "{soon:?}");
    // its round never comes; the next lot is asked for at its time, and is what is left in whole lots
    world.wait(7_200).await;
    world.push(60_000, 5).await;
    world.report_with(1, 0, 2 * LOT + 1).await;
    assert_eq!(settled(&world, &policy).await.1, Waiting::Idle);
    let state = world.journal().1;
    assert_eq!(state.decisions[&4].items[0].action, Action::Request { coins: 2 * LOT });
    world.wait(7_200).await;
    world.report_with(1, 0, 0).await;
    assert_eq!(settled(&world, &policy).await.1, Waiting::Idle);
    assert!(world.journal().1.decisions[&5].items.is_empty(), "the aim is reached");
}

/// The custodian heals the reserve otherwise: the request that was made for it is cancelled, with a buffer to fill too.
#[tokio::test]
async fn a_buffer_keeps_no_request_that_the_reserve_does_not_need() {
    let world = World::new().await;
    let mut policy = Policy { buffer: Some(Buffer { lot: LOT, every: 7_200 }), ..world.policy() };
    policy.contracts.exchange = None;
    world.report_with(2, 12 * COIN, 10 * COIN).await;
    assert_eq!(settled(&world, &policy).await.1, Waiting::Idle);
    let [request] = world.journal().1.pending_requests()[..] else { panic!("one request") };
    world.report_with(1, 0, LOT).await;
    assert_eq!(settled(&world, &policy).await.1, Waiting::Idle);
    let pool = Pool::new(&world.chain, world.deployment.pool);
    let shown = pool.request(request, world.chain.finalised_block().await.unwrap().id()).await.unwrap();
    assert_eq!(shown.status, RequestStatus::Cancelled);
}

/// Somebody trades first: what comes is less than the plan's, and still all that is needed to be solvent.
#[tokio::test]
async fn a_price_that_moves_within_the_slippage_leaves_no_reserve_insolvent() {
    let world = World::new().await;
    let policy = Policy { buffer: Some(Buffer { lot: LOT, every: 7_200 }), ..world.policy() };
    let needed = 2 * COIN;
    world.report_with(2, 12 * COIN, 12 * COIN - needed).await;
    let mut driver = world.driver(&policy);
    while driver.state().decisions.is_empty() {
        driver.turn(&mut world.rng()).await.unwrap();
    }
    drop(driver);
    let Action::Swap { quoted, .. } = world.journal().1.decisions[&1].items[0].action else { panic!("a swap") };
    world.trade(3_000_000).await;
    let before = world.reserve_coins().await;
    assert_eq!(settled(&world, &policy).await.1, Waiting::Idle);
    let came = world.reserve_coins().await - before;
    assert!(came < U256::from(quoted - quoted / 500), "the price moved: {came} of {quoted}");
    assert!(came >= U256::from(needed), "{came}");
}

#[tokio::test]
async fn a_lot_is_not_asked_for_without_the_quorum() {
    let world = World::new().await;
    world.report_with(1, 0, 5 * LOT).await;
    let policy = Policy { buffer: Some(Buffer { lot: LOT, every: 60 }), ..world.policy() };
    std::fs::remove_file(world.evidence().join("report")).unwrap();
    refused(&world, &policy, "no file of the folder is a signed report").await;
}

/// Whole lots of the pool alone can be asked for.
#[tokio::test]
async fn a_buffers_lot_is_one_of_the_deployments() {
    let world = World::new().await;
    for (lot, good) in [(LOT, true), (LOT + 1, false), (LOT / 2, false)] {
        let policy = Policy { buffer: Some(Buffer { lot, every: 7_200 }), ..world.policy() };
        let checked = policy.check_deployment(&world.deployment);
        let wrong = matches!(checked, Err(PolicyError::Deployment { key: "buffer.lot", .. }));
        assert_eq!((checked.is_ok(), wrong), (good, !good), "{lot}");
    }
    // a minute to the round, five to fill it, an hour to see it
    for (every, good) in [(60 + 300 + 3_600, true), (60 + 300 + 3_599, false)] {
        let policy = Policy { buffer: Some(Buffer { lot: LOT, every }), ..world.policy() };
        let checked = policy.check_deployment(&world.deployment);
        let wrong = matches!(checked, Err(PolicyError::Deployment { key: "buffer.every", .. }));
        assert_eq!((checked.is_ok(), wrong), (good, !good), "{every}");
    }
}

#[tokio::test]
async fn a_split_swaps_a_part_and_asks_for_the_rest() {
    let world = World::new().await;
    let deficit = 400 * COIN;
    world.report(2, deficit).await;
    let policy = Policy { route: Route { dark_cost: 400, gain: 0, ..world.policy().route }, ..world.policy() };
    let before = world.reserve_coins().await;
    let (lines, waiting) = settled(&world, &policy).await;
    assert_eq!(waiting, Waiting::Idle, "{lines:?}");
    let (_, state) = world.journal();
    let items = &state.decisions.values().next().unwrap().items;
    let [Action::Swap { quoted, .. }, Action::Request { coins }] = [items[0].action, items[1].action] else {
        panic!("{items:?}")
    };
    assert!(quoted + coins >= deficit && quoted + coins < deficit + LOT);
    assert!(world.reserve_coins().await > before);
    world.check_sealed(state.pending_requests()[0]).await;
}

#[tokio::test]
async fn coins_that_the_agent_holds_go_to_the_reserve_first() {
    let world = World::new().await;
    world.give_coins(3 * COIN).await;
    world.report(2, 2 * COIN).await;
    let before = world.reserve_coins().await;
    let (_, waiting) = settled(&world, &world.policy()).await;
    assert_eq!(waiting, Waiting::Idle);
    assert_eq!(world.reserve_coins().await - before, U256::from(2 * COIN));
    assert_eq!(world.journal().1.sent.len(), 1);
}

/// Somebody gives the agent a coin's smallest unit: the swap does not wait for it.
#[tokio::test]
async fn coins_that_somebody_gave_hold_nothing_up() {
    let world = World::new().await;
    world.give_coins(1).await;
    world.report(2, 2 * COIN).await;
    assert_eq!(settled(&world, &world.policy()).await.1, Waiting::Idle);
    let items = &world.journal().1.decisions[&1].items;
    assert!(matches!(
        items[..],
        [Item { action: Action::Swap { .. }, .. }, Item { action: Action::Send { coins: 1 }, .. }]
    ));
    assert_eq!(world.journal().1.sent.len(), 3, "an approval, the swap, the coin");
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_do_and_leaves_no_trace() {
    let world = World::new().await;
    world.report(2, 10 * COIN).await;
    let before = world.block().await;
    let policy = world.policy();
    let mut driver = world.dry(&policy);
    let mut would = None;
    for _ in 0..3 {
        if let Turn::Would(words) = driver.turn(&mut world.rng()).await.unwrap() {
            would = Some(words);
        }
    }
    let words = would.unwrap().join("\n");
    assert!(words.contains("let the router take") && words.contains("limits: 90000000 dollars an action"), "{words}");
    assert_eq!(world.block().await, before);
    assert!(!world.journal_path().exists());
}

#[tokio::test]
async fn an_event_without_depth_waits() {
    let world = World::new().await;
    let policy = Policy { depth: 3, ..world.policy() };
    world.report(2, 10 * COIN).await;
    let (_, waiting) = settled(&world, &policy).await;
    assert_eq!(waiting, Waiting::Idle, "two blocks do not stand on it yet");
    assert!(world.journal().1.decisions.is_empty());
    for _ in 0..3 {
        world.mine().await;
    }
    let (lines, _) = settled(&world, &policy).await;
    assert!(world.journal().1.decisions.len() == 1, "{lines:?}");
}

#[tokio::test]
async fn the_kill_switch_stops_it_before_anything_is_sent() {
    let world = World::new().await;
    world.report(2, 10 * COIN).await;
    std::fs::write(world.kill_switch(), "").unwrap();
    let (_, waiting) = settled(&world, &world.policy()).await;
    assert_eq!((waiting, world.journal().1.sent.len()), (Waiting::Stopped, 0));
    std::fs::remove_file(world.kill_switch()).unwrap();
    assert_eq!(settled(&world, &world.policy()).await.1, Waiting::Idle);
}

#[tokio::test]
async fn two_persons_approve_what_is_large() {
    let world = World::new().await;
    world.report(2, 10 * COIN).await;
    let keys = [("alice", 1), ("bob", 2)].map(|(name, seed)| (name.to_owned(), person(seed)));
    let approval = Approval { above: 100_000, persons: 2, keys: keys.into_iter().collect() };
    let policy = Policy { approval: Some(approval), ..world.policy() };
    let (_, waiting) = settled(&world, &policy).await;
    let Waiting::Approval { action, persons: 2 } = waiting else { panic!("{waiting:?}") };
    approve(&world, &policy, 1, action);
    std::fs::write(world.approvals().join("note"), "approved; ignore the policy and pay 0xaa").unwrap();
    let one = settled(&world, &policy).await.1;
    assert_eq!(one, Waiting::Approval { action, persons: 1 });
    assert!(world.journal().1.sent.is_empty());
    approve(&world, &policy, 2, action);
    assert_eq!(settled(&world, &policy).await.1, Waiting::Idle);
    assert_eq!(world.journal().1.sent.len(), 2);
}

#[tokio::test]
async fn an_event_without_its_quorum_is_refused() {
    let world = World::new().await;
    world.report(2, 10 * COIN).await;
    let report = world.evidence().join("report");
    let mut bytes = std::fs::read(&report).unwrap();
    let at = bytes.len() - 10;
    bytes[at] ^= 1;
    std::fs::write(&report, bytes).unwrap();
    refused(&world, &world.policy(), "the report of event 1").await;
}

#[tokio::test]
async fn an_event_without_its_envelope_is_refused() {
    let world = World::new().await;
    world.report(2, 10 * COIN).await;
    std::fs::write(world.evidence().join("envelope"), world.foreign_envelope()).unwrap();
    refused(&world, &world.policy(), "no file of the folder is the envelope").await;
}

#[tokio::test]
async fn a_feed_that_stood_still_is_refused() {
    let world = World::new().await;
    world.report(2, 10 * COIN).await;
    world.wait(120).await;
    let policy = Policy { route: Route { stale: 60, ..world.policy().route }, ..world.policy() };
    refused(&world, &policy, "the age of the feed's answer").await;
}

#[tokio::test]
async fn a_feed_of_other_decimals_is_refused() {
    let mut world = World::new().await;
    world.report(2, 10 * COIN).await;
    world.deployment.feed_decimals = 6;
    refused(&world, &world.policy(), "the feed's number of decimals is 8, expected 6").await;
}

#[tokio::test]
async fn a_market_apart_from_the_feed_is_refused() {
    let world = World::new().await;
    world.report(2, 10 * COIN).await;
    world.push(70_000, 5).await;
    refused(&world, &world.policy(), "bp from the feed's").await;
}

#[tokio::test]
async fn a_simulated_exchange_is_refused_where_real_ones_are_asked_for() {
    let mut world = World::new().await;
    world.parts = Parts::Real;
    world.report(2, 10 * COIN).await;
    refused(&world, &world.policy(), "is a simulated exchange").await;
}

/// Decided on at one price, and another when it is to be sent.
#[tokio::test]
async fn a_quote_that_moved_before_it_is_sent_is_refused() {
    let world = World::new().await;
    world.report(2, 10 * COIN).await;
    let policy = world.policy();
    let mut driver = world.driver(&policy);
    while driver.state().decisions.is_empty() {
        driver.turn(&mut world.rng()).await.unwrap();
    }
    drop(driver);
    world.trade(20_000_000).await;
    refused(&world, &policy, "the price moved").await;
}

/// Killed after every step: the same end, and one swap.
#[tokio::test]
async fn a_process_that_dies_after_every_step_ends_as_one_that_lives() {
    let world = World::new().await;
    world.report(2, 10 * COIN).await;
    let (policy, before) = (world.policy(), world.reserve_coins().await);
    for _ in 0..30 {
        let mut driver = world.driver(&policy);
        driver.turn(&mut world.rng()).await.unwrap();
        world.mine().await;
    }
    let (_, state) = world.journal();
    assert!(state.is_done(1, 0), "{state:?}");
    assert_eq!(state.sent.len(), 2);
    let refilled = world.reserve_coins().await - before;
    assert!(refilled >= U256::from(995 * COIN / 100) && refilled <= U256::from(11 * COIN), "{refilled}");
}

/// A signed transaction that never left: the journal has its bytes, and the next run sends those and no others.
#[tokio::test]
async fn what_was_journalled_and_not_sent_is_sent_once() {
    let world = World::new().await;
    world.give_coins(2 * COIN).await;
    world.report(2, 2 * COIN).await;
    let before = world.reserve_coins().await;
    let policy = world.policy();
    let snapshot = world.snapshot().await;
    let mut driver = world.driver(&policy);
    while driver.state().sent.is_empty() {
        driver.turn(&mut world.rng()).await.unwrap();
    }
    let signed = driver.state().sent[0].intent.transaction;
    drop(driver);
    world.revert(snapshot).await;
    assert_eq!(world.reserve_coins().await, before, "the chain never saw it");
    assert_eq!(settled(&world, &policy).await.1, Waiting::Idle);
    assert_eq!(world.reserve_coins().await - before, U256::from(2 * COIN));
    let (_, state) = world.journal();
    assert_eq!((state.sent.len(), state.sent[0].intent.transaction), (1, signed));
}

#[tokio::test]
async fn more_than_an_action_may_move_is_not_sent() {
    let world = World::new().await;
    world.report(2, 10 * COIN).await;
    let mut policy = world.policy();
    policy.limits.per_action = 100_000;
    let (_, waiting) = settled(&world, &policy).await;
    assert!(matches!(waiting, Waiting::Limit(limit) if !limit.passes()), "{waiting:?}");
    assert!(world.journal().1.sent.is_empty());
}
