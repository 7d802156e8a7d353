//! Cancellation: what takes an order back, from when on, and what is refused.

mod support;

use ccc_core::{
    ciphertext::Ciphertext,
    table::{Receipt, Receipts, ResultCode},
};
use ccc_enclave::{
    instruction::CancelInstruction,
    intake::{self, PlanError, RoundPlan, Submission},
    round::RoundOutput,
};
use support::{BASE, EXPIRY, LOT, World, owner, owner::Owner};

const SUBMITTER: [u8; 20] = [0x5B; 20];
const DONE: (u8, u8) = (Receipt::CARRIED_OUT, 0);

fn refused() -> (u8, u8) {
    (Receipt::NOT_CARRIED_OUT, 16 + ResultCode::Insufficient.byte())
}

/// The digest of the ciphertext of a submission of the log.
fn digest(world: &World, index: usize) -> [u8; 32] {
    let ciphertext = Ciphertext::from_bytes(&world.orders[index].ciphertext).expect("a ciphertext");
    ciphertext.verify(&world.key()).expect("valid").digest()
}

/// Logs a cancellation of `account`'s order, signed by `signer`.
fn cancel_as(world: &mut World, signer: &Owner, account: [u8; 20], order: [u8; 32]) {
    let id = world.fresh_id(SUBMITTER);
    let label = intake::label(&world.config, id, SUBMITTER, EXPIRY);
    let mut asked = CancelInstruction { account, order, signature: [0; 65] };
    asked.signature = signer.sign(&label, &asked.unsigned());
    let ciphertext = owner::encrypt(&world.key(), &label, &asked.to_bytes(), &mut world.rng);
    world.orders.push(Submission { id, who: SUBMITTER, ciphertext });
}

fn cancel(world: &mut World, signer: &Owner, order: [u8; 32]) {
    cancel_as(world, signer, signer.account(), order);
}

fn settle(world: &mut World, lots: u64) -> RoundOutput {
    let order = world.plain_order(lots * LOT);
    let request = world.request(&order);
    world.round(Some(request))
}

/// Outcome, reason and lots of every receipt that an owner can open.
fn told(output: &RoundOutput, owner: &Owner) -> Vec<(u8, u8, u64)> {
    let file = Receipts::new(output.table.header.hash(), output.receipts.clone()).expect("a round's");
    let receipts = file.open(&owner.reading_key(), &output.table.header).into_iter();
    receipts.map(|(_, receipt)| (receipt.outcome, receipt.reason, receipt.lots)).collect()
}

/// The ending of what an owner submitted in this round.
fn ending(output: &RoundOutput, owner: &Owner) -> (u8, u8) {
    let (outcome, reason, _) = *told(output, owner).last().expect("a receipt");
    (outcome, reason)
}

fn left(world: &mut World, makers: &[Owner; 3]) -> [(u128, u64); 3] {
    makers.each_ref().map(|maker| {
        let (amount, reserved) = world.balance(maker.account(), BASE);
        (amount / u128::from(LOT), reserved)
    })
}

#[test]
fn an_order_that_its_account_takes_back_is_not_filled_any_more() {
    let (mut world, makers) = World::with_makers(1);
    let order = digest(&world, 0);
    cancel(&mut world, &makers[0], order);
    let output = world.idle();
    assert_eq!(ending(&output, &makers[0]), DONE);
    assert_eq!(left(&mut world, &makers), [(10, 0), (20, 20), (30, 30)]);
    let output = settle(&mut world, 25);
    assert_eq!(left(&mut world, &makers), [(10, 0), (0, 0), (25, 25)]);
    assert_eq!(
        told(&output, &makers[0]),
        [(0, 0, 0)],
        "its order hears that it was not filled, its cancellation nothing"
    );
}

/// Otherwise f + 1 signers could let a maker choose, knowing the request.
#[test]
fn n135_a_request_beside_a_cancellation_makes_no_plan() {
    let (mut world, makers) = World::with_makers(2);
    let order = digest(&world, 1);
    cancel(&mut world, &makers[1], order);
    let request = world.plain_order(25 * LOT);
    let request = world.request(&request);
    let plan = |log| RoundPlan::new(&world.config, &world.key(), world.header(), log, world.time).err();
    let refused = plan(world.log(Some(request)));
    assert!(matches!(refused, Some(PlanError::New { found: 1 })), "{refused:?}");
    assert!(plan(world.log(None)).is_none(), "a round without the request reads it");
    world.idle();
    settle(&mut world, 25);
    assert_eq!(left(&mut world, &makers), [(0, 0), (20, 0), (15, 15)], "and it is out of the next");
}

#[test]
fn n135_an_order_cancelled_after_its_fill_or_by_a_stranger_is_refused() {
    let (mut world, makers) = World::with_makers(3);
    let orders = [0, 1, 2].map(|index| digest(&world, index));
    settle(&mut world, 15);
    assert_eq!(left(&mut world, &makers), [(0, 0), (15, 15), (30, 30)]);
    cancel(&mut world, &makers[0], orders[0]);
    // in its own name, and in the owner's
    cancel(&mut world, &makers[2], orders[1]);
    cancel_as(&mut world, &makers[2], makers[1].account(), orders[1]);
    let output = world.idle();
    assert_eq!(ending(&output, &makers[0]), refused(), "filled");
    assert_eq!(told(&output, &makers[2]), [(0, 0, 0), (refused().0, refused().1, 0)], "another's");
    assert_eq!(told(&output, &makers[1]), [(0, 0, 0)], "who did not sign hears nothing");
    assert_eq!(left(&mut world, &makers), [(0, 0), (15, 15), (30, 30)]);
    settle(&mut world, 20);
    assert_eq!(left(&mut world, &makers), [(0, 0), (0, 0), (25, 25)], "both stand");
}

#[test]
fn a_cancellation_of_an_order_that_was_replaced_leaves_the_one_that_stands() {
    let (mut world, makers) = World::with_makers(4);
    let replaced = digest(&world, 2);
    world.order(SUBMITTER, &makers[2], 8, 500);
    cancel(&mut world, &makers[2], replaced);
    let output = world.idle();
    assert_eq!(told(&output, &makers[2]), [(0, 0, 0), (DONE.0, DONE.1, 0), (refused().0, refused().1, 0)]);
    assert_eq!(left(&mut world, &makers)[2], (30, 8));
    cancel(&mut world, &makers[2], replaced);
    assert_eq!(ending(&world.idle(), &makers[2]), refused(), "also once the replacement lives");
    settle(&mut world, 8);
    assert_eq!(left(&mut world, &makers)[2], (22, 0));
}

/// What is taken back has to be there: a digest that is known ahead takes nothing back.
#[test]
fn a_cancellation_before_its_order_takes_nothing_back() {
    let (mut world, makers) = World::with_makers(4);
    world.order(SUBMITTER, &makers[2], 8, 500);
    let order = world.orders.pop().expect("the order");
    let named = Ciphertext::from_bytes(&order.ciphertext).expect("a ciphertext").verify(&world.key()).expect("valid");
    cancel(&mut world, &makers[2], named.digest());
    world.orders.push(order);
    let output = world.idle();
    assert_eq!(told(&output, &makers[2]), [(0, 0, 0), (refused().0, refused().1, 0), (DONE.0, DONE.1, 0)]);
    settle(&mut world, 8);
    assert_eq!(left(&mut world, &makers)[2], (22, 0), "it stands, and is filled");
}

#[test]
fn after_a_cancellation_a_new_order_stands() {
    let (mut world, makers) = World::with_makers(5);
    let order = digest(&world, 2);
    cancel(&mut world, &makers[2], order);
    world.order(SUBMITTER, &makers[2], 5, 500);
    let output = world.idle();
    assert_eq!(told(&output, &makers[2]), [(0, 0, 0), (DONE.0, DONE.1, 0), (DONE.0, DONE.1, 0)]);
    assert_eq!(left(&mut world, &makers)[2], (30, 5));
    settle(&mut world, 5);
    assert_eq!(left(&mut world, &makers), [(10, 10), (20, 20), (25, 0)]);
}

#[test]
fn an_order_is_taken_back_in_its_first_round_and_once() {
    let mut world = World::new(6);
    let maker = Owner::new(2);
    world.deposit([1; 20], &maker, BASE, u128::from(30 * LOT));
    world.order([1; 20], &maker, 30, 1_000);
    let order = digest(&world, 0);
    cancel(&mut world, &maker, order);
    let output = world.idle();
    assert_eq!(told(&output, &maker), [(DONE.0, DONE.1, 0); 2]);
    assert_eq!(world.balance(maker.account(), BASE).1, 0);
    cancel(&mut world, &maker, order);
    assert_eq!(ending(&world.idle(), &maker), refused());
}
