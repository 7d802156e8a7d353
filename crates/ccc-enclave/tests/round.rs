//! Rounds that go well: what is credited, reserved, sold and paid.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_core::{
    report::{Payload, Payout, Round, Statement},
    table::{AccountId, AssetId, Header},
};
use ccc_enclave::{
    intake::PlanError,
    round::{PAYOUTS_LONGER, RoundOutput},
};
use support::{BASE, LOT, PRICE, QUOTE, World, noise, observations, owner::Owner};

fn round_of(output: &RoundOutput) -> Round {
    match Payload::from_bytes(&output.result.payload).expect("a payload").statement {
        Statement::Round(round) => round,
        other => panic!("{other:?}"),
    }
}

fn lots(lots: u64) -> u128 {
    u128::from(lots * LOT)
}

/// Micro-dollars for some lots at a spread in 1/100 basis points; exact at the numbers used here.
fn cost(lots: u64, spread: u64) -> u128 {
    let price = u128::try_from(PRICE).expect("positive");
    price * u128::from(lots * LOT) / 100_000_000 * u128::from(1_000_000 + spread) / 1_000_000
}

#[test]
fn the_first_version_is_empty_and_takes_nothing() {
    let mut world = World::empty(1);
    let job = world.job(None);
    let output = world.run(&job).expect("a first version");
    let round = round_of(&output);
    assert_eq!((round.version, round.previous, round.success), (1, [0; 32], false));
    assert_eq!((round.request_id, round.count), ([0; 32], 0));
    assert_eq!(round.header_hash, output.table.header.hash());
    assert!(output.payouts.is_empty());
    assert_eq!(world.rows_of(&output.table).used_rows(), 1);
    let maker = Owner::new(2);
    world.deposit([1; 20], &maker, BASE, 5);
    let mut log = world.log(None);
    log.boundary = world.boundary.clone();
    let plan = ccc_enclave::intake::RoundPlan::new(&world.config, &world.key(), None, log, world.time);
    assert!(matches!(plan.err(), Some(PlanError::Genesis)));
}

#[test]
fn a_deposit_credits_the_account_that_signed_and_opens_its_other_rows() {
    let mut world = World::new(2);
    let maker = Owner::new(2);
    world.deposit([1; 20], &maker, BASE, lots(3));
    let output = world.idle();
    assert_eq!(round_of(&output).count, 1);
    assert_eq!(round_of(&output).accumulator, world.consumed.value());
    assert_eq!(world.balance(maker.account(), BASE), (lots(3), 0));
    assert_eq!(world.balance([1; 20], BASE), (0, 0));
    let rows = world.rows();
    assert!(rows.find(AccountId(maker.account()), AssetId(QUOTE)).is_some_and(|row| row.amount == 0));
    let keys = rows.reading_keys(&[AccountId(maker.account())]);
    assert_eq!(keys[0].as_ref().map(|key| **key), Some(maker.reading_key()));
}

#[test]
fn a_deposit_without_a_valid_instruction_credits_whoever_paid() {
    let mut world = World::new(3);
    let (maker, thief) = (Owner::new(2), Owner::new(3));
    let (forger, babbler, copier) = ([4; 20], [5; 20], [6; 20]);
    let id = world.fresh_id(forger);
    let label = ccc_enclave::intake::label(&world.config, id, forger, support::EXPIRY);
    let mut forged = ccc_enclave::instruction::DepositInstruction {
        account: maker.account(),
        reading_key: thief.reading_key(),
        signature: [0; 65],
    };
    forged.signature = thief.sign(&label, &forged.unsigned());
    let bytes = support::owner::encrypt(&world.key(), &label, &forged.to_bytes(), &mut world.rng);
    world.deposit_bytes(forger, BASE, lots(1), id, bytes);
    let id = world.fresh_id(babbler);
    let bytes = noise(&mut world.rng, 400);
    world.deposit_bytes(babbler, BASE, lots(2), id, bytes);
    world.deposit([1; 20], &maker, BASE, lots(4));
    let id = world.fresh_id(copier);
    let copied = world.boundary[2].submission.ciphertext.clone();
    world.deposit_bytes(copier, BASE, lots(8), id, copied);
    let plan = world.plan(world.log(None));
    assert_eq!(plan.digests().len(), 3, "table key, forged, valid");
    world.idle();
    assert_eq!(world.balance(maker.account(), BASE), (lots(4), 0));
    assert_eq!(world.balance(thief.account(), BASE), (0, 0));
    for (payer, paid) in [(forger, 1), (babbler, 2), (copier, 8)] {
        assert_eq!(world.balance(payer, BASE), (lots(paid), 0));
    }
    assert_eq!(world.sums(), [lots(15), 0]);
}

#[test]
fn a_withdrawal_pays_the_owner_once_and_the_free_part_alone() {
    let mut world = World::new(4);
    let maker = Owner::new(2);
    world.deposit([1; 20], &maker, BASE, lots(10));
    world.order([1; 20], &maker, 6, 1_000);
    world.idle();
    for amount in [lots(4) + 1, lots(4), 0, 1] {
        let who = [8; 20];
        let id = world.fresh_id(who);
        let paid = (BASE, amount, [0xD0; 20]);
        let bytes = maker.withdrawal(&world.config, &world.key(), (id, who), paid, maker.account(), &mut world.rng);
        world.withdrawal_bytes(who, id, bytes);
    }
    let paid_id = world.boundary[2].submission.id;
    let output = world.idle();
    assert_eq!(world.balance(maker.account(), BASE), (lots(6), 6));
    assert_eq!(output.payouts.len(), 1);
    let payload = Payload::from_bytes(&output.payouts[0].payload).expect("a payload");
    let payout = Payout { withdrawal_id: paid_id, to: [0xD0; 20], token: [0xB1; 20], amount: lots(4), version: 3 };
    assert_eq!(payload.statement, Statement::Payout(payout));
    assert_eq!((payload.binding.receiver, payload.binding.sequence), (world.config.pool, 40));
    let round = Payload::from_bytes(&output.result.payload).expect("a payload");
    assert_eq!(payload.binding.valid_until, round.binding.valid_until + PAYOUTS_LONGER);
    assert!(output.payouts[0].check(&world.policy(), world.time).is_ok());
    assert!(world.idle().payouts.is_empty());
}

#[test]
fn n128_a_withdrawal_by_somebody_else_or_of_no_row_moves_nothing() {
    let mut world = World::new(5);
    let (maker, thief, stranger) = (Owner::new(2), Owner::new(3), Owner::new(4));
    world.deposit([1; 20], &maker, BASE, lots(10));
    world.idle();
    let who = [8; 20];
    let cases = [(&thief, BASE, maker.account()), (&stranger, BASE, stranger.account()), (&maker, 9, maker.account())];
    for (signer, asset, account) in cases {
        let id = world.fresh_id(who);
        let paid = (asset, lots(1), [0xD0; 20]);
        let bytes = signer.withdrawal(&world.config, &world.key(), (id, who), paid, account, &mut world.rng);
        world.withdrawal_bytes(who, id, bytes);
    }
    let id = world.fresh_id(who);
    let bytes = noise(&mut world.rng, 300);
    world.withdrawal_bytes(who, id, bytes);
    let nowhere = [[0; 20], world.config.pool];
    for recipient in nowhere {
        let id = world.fresh_id(who);
        let paid = (BASE, lots(1), recipient);
        let bytes = maker.withdrawal(&world.config, &world.key(), (id, who), paid, maker.account(), &mut world.rng);
        world.withdrawal_bytes(who, id, bytes);
    }
    let output = world.idle();
    assert!(output.payouts.is_empty());
    assert_eq!(round_of(&output).count, 7);
    assert_eq!(world.sums(), [lots(10), 0]);
}

#[test]
fn n137_a_fill_moves_both_assets_and_conserves_each() {
    let (mut world, makers) = World::with_makers(6);
    let before = world.sums();
    let order = world.plain_order(25 * LOT);
    let request = world.request(&order);
    let id = request.submission.id;
    let output = world.round(Some(request));
    let round = round_of(&output);
    assert!(round.success);
    assert_eq!((round.request_id, round.version), (id, 3));
    assert_eq!(world.sums(), before);
    let (first, second) = (cost(10, 1_000), cost(15, 2_000));
    assert_eq!(world.balance(makers[0].account(), BASE), (0, 0));
    assert_eq!(world.balance(makers[0].account(), QUOTE), (first, 0));
    assert_eq!(world.balance(makers[1].account(), BASE), (lots(5), 5));
    assert_eq!(world.balance(makers[1].account(), QUOTE), (second, 0));
    assert_eq!(world.balance(makers[2].account(), BASE), (lots(30), 30));
    assert_eq!(world.balance(world.config.reserve, BASE), (lots(25), 0));
    assert_eq!(world.balance(world.config.reserve, QUOTE), (1_000_000_000_000 - first - second, 0));
}

#[test]
fn an_order_is_rounded_up_to_whole_lots() {
    let (mut world, makers) = World::with_makers(7);
    let order = world.plain_order(4 * LOT + 1);
    let request = world.request(&order);
    assert!(round_of(&world.round(Some(request))).success);
    assert_eq!(world.balance(makers[0].account(), BASE), (lots(5), 5));
    assert_eq!(world.balance(world.config.reserve, BASE), (lots(5), 0));
}

#[test]
fn n141_a_second_fill_of_the_same_orders_sees_the_smaller_reservation() {
    let (mut world, makers) = World::with_makers(8);
    for (size, success, left) in [(50, true, 10), (11, false, 10), (10, true, 0), (1, false, 0)] {
        let order = world.plain_order(size * LOT);
        let request = world.request(&order);
        assert_eq!(round_of(&world.round(Some(request))).success, success, "{size}");
        let reserved: u64 = makers.iter().map(|maker| world.balance(maker.account(), BASE).1).sum();
        assert_eq!(reserved, left);
    }
}

#[test]
fn n141_n144_a_fill_that_the_chain_never_took_leaves_its_parent_and_no_reservation() {
    let (mut world, makers) = World::with_makers(11);
    let parent = world.header().expect("a table").head();
    let before = makers.each_ref().map(|maker| [BASE, QUOTE].map(|asset| world.balance(maker.account(), asset)));
    let order = world.plain_order(50 * LOT);
    let request = world.request(&order);
    let job = world.job(Some(request));
    let lost = world.run(&job).expect("a round");
    assert!(round_of(&lost).success, "the table moved, and its report was refused or came too late");
    // the request timed out on chain: the next round does not have it, and starts from the same parent
    let next = world.idle();
    assert_eq!(next.table.header.previous(), parent.hash);
    assert_eq!(next.table.header.version(), lost.table.header.version());
    let after = makers.each_ref().map(|maker| [BASE, QUOTE].map(|asset| world.balance(maker.account(), asset)));
    assert_eq!(after, before);
    // nothing of it is held back: the same size is filled once more
    let order = world.plain_order(50 * LOT);
    let request = world.request(&order);
    assert!(round_of(&world.round(Some(request))).success);
}

#[test]
fn of_two_orders_of_one_account_the_later_counts() {
    let (mut world, makers) = World::with_makers(9);
    world.order([7; 20], &makers[0], 4, 9_000);
    world.idle();
    assert_eq!(world.balance(makers[0].account(), BASE), (lots(10), 4));
    let order = world.plain_order(20 * LOT);
    let request = world.request(&order);
    assert!(round_of(&world.round(Some(request))).success);
    assert_eq!(world.balance(makers[0].account(), BASE), (lots(10), 4), "the cheap order is gone");
    assert_eq!(world.balance(makers[1].account(), BASE), (0, 0));
}

#[test]
fn n135_expired_unsigned_unfunded_and_foreign_orders_have_no_capacity() {
    let (mut world, makers) = World::with_makers(11);
    let (who, thief, pauper) = ([7; 20], Owner::new(5), Owner::new(6));
    let mut expired = makers[0].terms(10 * LOT, 1);
    expired.expiry = world.time + 13;
    submit(&mut world, who, &makers[0], expired);
    let stolen = makers[1].terms(20 * LOT, 1);
    submit(&mut world, who, &thief, stolen);
    let unfunded = pauper.terms(20 * LOT, 1);
    submit(&mut world, who, &pauper, unfunded);
    world.settled_orders = 3;
    world.idle();
    world.time += 24;
    let before = world.sums();
    let order = world.plain_order(51 * LOT);
    let request = world.request(&order);
    assert!(!round_of(&world.round(Some(request))).success, "50 lots of two makers are left");
    let order = world.plain_order(50 * LOT);
    let request = world.request(&order);
    assert!(round_of(&world.round(Some(request))).success);
    assert_eq!(world.balance(makers[0].account(), BASE), (lots(10), 10));
    assert_eq!(world.sums(), before);
}

fn submit(world: &mut World, who: [u8; 20], signer: &Owner, terms: ccc_enclave::instruction::StandingOrderTerms) {
    let id = world.fresh_id(who);
    let key = world.key();
    let ciphertext = signer.standing_order(&world.config, &key, (id, who), terms, &mut world.rng);
    world.orders.push(ccc_enclave::intake::Submission { id, who, ciphertext });
}

#[test]
fn n140_the_reserve_does_not_buy_from_itself() {
    let (mut world, _) = World::with_makers(12);
    let reserve = Owner::new(1);
    world.deposit(reserve.account(), &reserve, BASE, lots(100));
    world.order(reserve.account(), &reserve, 100, 0);
    world.idle();
    let order = world.plain_order(61 * LOT);
    let request = world.request(&order);
    assert!(!round_of(&world.round(Some(request))).success);
    let order = world.plain_order(60 * LOT);
    let request = world.request(&order);
    assert!(round_of(&world.round(Some(request))).success);
    assert_eq!(world.balance(reserve.account(), BASE), (lots(160), 100));
}

#[test]
fn an_order_under_another_label_is_left_out_of_the_plan() {
    let (mut world, makers) = World::with_makers(13);
    let copied = world.orders[0].ciphertext.clone();
    let (who, id) = ([9; 20], world.fresh_id([9; 20]));
    world.orders.push(ccc_enclave::intake::Submission { id, who, ciphertext: copied });
    let plan = world.plan(world.log(None));
    assert_eq!(plan.digests().len(), 4, "table key and three live orders");
    world.idle();
    assert_eq!(world.balance(makers[0].account(), BASE), (lots(10), 10));
}

#[test]
fn answers_after_the_deadline_do_not_move_the_price() {
    let (mut world, makers) = World::with_makers(16);
    let order = world.plain_order(10 * LOT);
    let request = world.request(&order);
    world.time += 60;
    let mut job = world.job(Some(request));
    job.observations = observations(world.time - 60);
    let late = ccc_core::report::PriceObservation { round: 6, answer: 2 * PRICE * 100, updated_at: world.time - 30 };
    job.observations.push(late);
    let output = world.run(&job).expect("a round");
    let round = round_of(&output);
    assert!(round.success);
    assert_eq!(Ok(round.price_digest), ccc_core::report::price_digest(&job.observations));
    world.accept(&job, &output);
    assert_eq!(world.balance(makers[0].account(), QUOTE), (cost(10, 1_000), 0));
}

#[test]
fn an_idle_round_moves_the_header_and_nothing_else() {
    let (mut world, makers) = World::with_makers(14);
    let (before, previous) = (world.sums(), world.header().map(Header::hash));
    let output = world.idle();
    let round = round_of(&output);
    assert_eq!((round.request_id, round.success, round.version), ([0; 32], false, 3));
    assert_eq!(Some(round.previous), previous);
    assert_eq!(round.source, world.config.price_source);
    let read = observations(output.result.inputs.block_time);
    assert_eq!(round.price_digest, ccc_core::report::price_digest(&read).expect("a digest"));
    assert_eq!(world.sums(), before);
    assert_eq!(world.balance(makers[2].account(), BASE), (lots(30), 30));
}

#[test]
fn n138_the_same_inputs_give_the_same_bytes_and_other_randomness_the_same_fills() {
    let run = || {
        let (mut world, _) = World::with_makers(15);
        let order = world.plain_order(25 * LOT);
        let request = world.request(&order);
        let job = world.job(Some(request));
        let first = world.run(&job).expect("a round");
        let second = world.run(&job).expect("a round");
        (world, first, second)
    };
    let (mut world, first, second) = run();
    let (_, again, _) = run();
    assert_eq!(first.result, again.result);
    assert_eq!(first.table.header.to_bytes(), again.table.header.to_bytes());
    assert_eq!((&first.table.body, &first.table.sidecar), (&again.table.body, &again.table.sidecar));
    assert_ne!(first.table.header.hash(), second.table.header.hash());
    assert_ne!(first.table.body, second.table.body);
    let accounts = [1, 2, 3, 4].map(|number| Owner::new(number).account());
    let [first, second] = [first, second].map(|output| {
        let rows = world.rows_of(&output.table);
        accounts.map(|account| [BASE, QUOTE].map(|asset| rows.find(AccountId(account), AssetId(asset))))
    });
    assert_eq!(first, second);
}
