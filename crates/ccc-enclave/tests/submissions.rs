//! What a submission may say beside a standing order: transfers, and the operator's freezes and forced transfers.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_core::{
    ciphertext::Label,
    report::{Payload, Statement},
    table::{AccountId, AssetId, Receipt, ResultCode, Row},
};
use ccc_enclave::{
    instruction::{CancelInstruction, ForcedTransferInstruction, FreezeInstruction, TransferInstruction},
    intake::{self, Submission},
    round::RoundOutput,
};
use support::{BASE, EXPIRY, LOT, QUOTE, World, owner, owner::Owner};

const REASON: u8 = 0x2A;
const SUBMITTER: [u8; 20] = [0x5B; 20];

fn operator() -> Owner {
    Owner::new(77)
}

/// Three makers of 10, 20 and 30 lots and a reserve, in a pool with an operator.
fn pool(seed: u64) -> (World, [Owner; 3]) {
    World::with_makers_configured(seed, |config| config.operator = Some(operator().account()))
}

fn lots(lots: u64) -> u128 {
    u128::from(lots * LOT)
}

/// Logs a submission whose plaintext `write` makes for its label.
fn submit(world: &mut World, write: impl FnOnce(&Label) -> Vec<u8>) {
    let id = world.fresh_id(SUBMITTER);
    let label = intake::label(&world.config, id, SUBMITTER, EXPIRY);
    let plaintext = write(&label);
    let ciphertext = owner::encrypt(&world.key(), &label, &plaintext, &mut world.rng);
    world.orders.push(Submission { id, who: SUBMITTER, ciphertext });
}

fn transfer(from: &Owner, amount: u128, to: [u8; 20]) -> TransferInstruction {
    TransferInstruction { account: from.account(), asset: BASE, amount, to, signature: [0; 65] }
}

fn pay(world: &mut World, signer: &Owner, mut asked: TransferInstruction) {
    submit(world, |label| {
        asked.signature = signer.sign(label, &asked.unsigned());
        asked.to_bytes()
    });
}

fn freeze(world: &mut World, signer: &Owner, account: [u8; 20], asset: u32, frozen: bool) {
    let mut asked = FreezeInstruction { account, asset, reason: REASON, frozen, signature: [0; 65] };
    submit(world, |label| {
        asked.signature = signer.sign(label, &asked.unsigned());
        asked.to_bytes()
    });
}

fn force(world: &mut World, signer: &Owner, account: [u8; 20], amount: u128, to: [u8; 20]) {
    let reason = REASON + 1;
    let mut asked = ForcedTransferInstruction { account, asset: BASE, amount, to, reason, signature: [0; 65] };
    submit(world, |label| {
        asked.signature = signer.sign(label, &asked.unsigned());
        asked.to_bytes()
    });
}

fn cancel(world: &mut World, signer: &Owner) {
    let order = world.plan(world.log(None)).digests()[1];
    let mut asked = CancelInstruction { account: signer.account(), order, signature: [0; 65] };
    submit(world, |label| {
        asked.signature = signer.sign(label, &asked.unsigned());
        asked.to_bytes()
    });
}

fn row(world: &mut World, account: [u8; 20], asset: u32) -> Row {
    world.rows().find(AccountId(account), AssetId(asset)).expect("a row")
}

fn success(output: &RoundOutput) -> bool {
    match Payload::from_bytes(&output.result.payload).expect("a payload").statement {
        Statement::Round(round) => round.success,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_transfer_is_carried_out_once_though_its_submission_stays_live() {
    let (mut world, [_, _, maker]) = pool(1);
    let other = Owner::new(9);
    world.deposit([9; 20], &other, BASE, lots(1));
    world.deposit([3; 20], &maker, BASE, lots(5));
    world.idle();
    let before = world.sums();
    pay(&mut world, &maker, transfer(&maker, lots(2), other.account()));
    world.idle();
    assert_eq!(world.balance(maker.account(), BASE), (lots(33), 30));
    assert_eq!(world.balance(other.account(), BASE), (lots(3), 0));
    for _ in 0..2 {
        assert_eq!(world.plan(world.log(None)).digests().len(), 5, "it is opened again as long as it is live");
        world.idle();
        assert_eq!(world.balance(other.account(), BASE), (lots(3), 0));
    }
    assert_eq!(world.sums(), before);
}

#[test]
fn n126_a_transfer_of_what_is_reserved_or_frozen_moves_nothing() {
    let (mut world, makers) = pool(2);
    let before = world.sums();
    let to = makers[1].account();
    pay(&mut world, &makers[0], transfer(&makers[0], 1, to));
    world.idle();
    assert_eq!(world.balance(makers[0].account(), BASE), (lots(10), 10), "all of it is reserved");
    world.deposit([1; 20], &makers[0], BASE, lots(1));
    freeze(&mut world, &operator(), makers[0].account(), BASE, true);
    world.idle();
    pay(&mut world, &makers[0], transfer(&makers[0], 1, to));
    world.idle();
    assert_eq!(world.balance(makers[0].account(), BASE), (lots(11), 10), "the row is frozen");
    assert_eq!(world.sums(), [before[0] + lots(1), before[1]]);
}

#[test]
fn n128_a_transfer_that_its_account_did_not_sign_for_this_pool_moves_nothing() {
    let (mut world, makers) = pool(3);
    world.deposit([1; 20], &makers[0], BASE, lots(5));
    let thief = Owner::new(9);
    world.deposit([9; 20], &thief, BASE, lots(1));
    world.idle();
    let asked = transfer(&makers[0], lots(1), thief.account());
    pay(&mut world, &thief, asked.clone());
    submit(&mut world, |label| {
        let elsewhere = Label { contract: [0xDD; 20], ..label.clone() };
        let signature = makers[0].sign(&elsewhere, &asked.unsigned());
        TransferInstruction { signature, ..asked.clone() }.to_bytes()
    });
    world.idle();
    assert_eq!(world.balance(makers[0].account(), BASE), (lots(15), 10));
    assert_eq!(world.balance(thief.account(), BASE), (lots(1), 0));
}

#[test]
fn a_submission_under_another_pools_label_or_a_repeated_identifier_is_left_out() {
    let (mut world, makers) = pool(4);
    world.deposit([1; 20], &makers[0], BASE, lots(5));
    world.idle();
    pay(&mut world, &makers[0], transfer(&makers[0], lots(1), makers[1].account()));
    let again = world.orders.last().cloned().expect("a submission");
    world.orders.push(again.clone());
    let id = world.fresh_id(SUBMITTER);
    let label = Label { contract: [0xDD; 20], ..intake::label(&world.config, id, SUBMITTER, EXPIRY) };
    let mut asked = transfer(&makers[0], lots(1), makers[1].account());
    asked.signature = makers[0].sign(&label, &asked.unsigned());
    let ciphertext = owner::encrypt(&world.key(), &label, &asked.to_bytes(), &mut world.rng);
    world.orders.push(Submission { id, who: SUBMITTER, ciphertext });
    assert_eq!(world.plan(world.log(None)).digests().len(), 5, "table key, three orders, one transfer");
    world.idle();
    assert_eq!(world.balance(makers[1].account(), BASE), (lots(21), 20));
    world.orders.push(again);
    world.idle();
    assert_eq!(world.balance(makers[1].account(), BASE), (lots(21), 20), "also in a later round");
}

#[test]
fn the_operator_freezes_thaws_and_forces_and_the_row_keeps_the_reason() {
    let (mut world, makers) = pool(5);
    let (from, to) = (makers[0].account(), makers[1].account());
    freeze(&mut world, &operator(), from, BASE, true);
    world.idle();
    let frozen = row(&mut world, from, BASE);
    assert!(frozen.flags.is_frozen() && frozen.flags.reason() == REASON);
    force(&mut world, &operator(), from, lots(4), to);
    world.idle();
    let forced = row(&mut world, from, BASE);
    assert_eq!((forced.amount, forced.reserved, forced.flags.reason()), (lots(6), 6, REASON + 1));
    assert_eq!(world.balance(to, BASE), (lots(24), 20));
    world.idle();
    assert_eq!(world.balance(to, BASE), (lots(24), 20), "once");
    freeze(&mut world, &operator(), from, BASE, false);
    world.idle();
    assert!(!row(&mut world, from, BASE).flags.refuses());
}

#[test]
fn submissions_of_one_round_are_carried_out_in_their_order_as_far_as_there_are_slots() {
    let (mut world, makers) = pool(10);
    let (from, to) = (makers[0].account(), makers[1].account());
    world.deposit([1; 20], &makers[0], BASE, lots(5));
    freeze(&mut world, &operator(), from, BASE, true);
    force(&mut world, &operator(), from, lots(4), to);
    freeze(&mut world, &operator(), from, BASE, false);
    pay(&mut world, &makers[0], transfer(&makers[0], lots(1), to));
    assert_eq!(world.plan(world.log(None)).digests().len(), 8, "table key, deposit, and six slots for seven");
    world.idle();
    assert_eq!(world.balance(from, BASE), (lots(11), 10));
    assert_eq!(world.balance(to, BASE), (lots(24), 20));
    assert!(!row(&mut world, from, BASE).flags.refuses());
    world.idle();
    assert_eq!(world.balance(to, BASE), (lots(24), 20), "what found no slot is not carried out later");
}

#[test]
fn only_the_operators_signature_freezes_and_forces() {
    let (mut world, makers) = pool(6);
    let owner = &makers[0];
    freeze(&mut world, owner, owner.account(), BASE, true);
    freeze(&mut world, &Owner::new(78), owner.account(), BASE, true);
    submit(&mut world, |label| {
        let mut asked =
            FreezeInstruction { account: owner.account(), asset: BASE, reason: 1, frozen: true, signature: [0; 65] };
        asked.signature = operator().sign(&Label { contract: [0xDD; 20], ..label.clone() }, &asked.unsigned());
        asked.to_bytes()
    });
    world.idle();
    let kept = row(&mut world, owner.account(), BASE);
    assert!(!kept.flags.refuses() && kept.flags.reason() == 0);
    let (mut world, makers) = pool(6);
    freeze(&mut world, &operator(), makers[0].account(), BASE, true);
    world.idle();
    force(&mut world, &makers[0], makers[0].account(), lots(1), makers[1].account());
    force(&mut world, &makers[1], makers[0].account(), lots(1), makers[1].account());
    world.idle();
    assert_eq!(world.balance(makers[0].account(), BASE), (lots(10), 10));
}

#[test]
fn a_pool_without_an_operator_freezes_and_forces_nothing() {
    let (mut world, makers) = World::with_makers(7);
    freeze(&mut world, &operator(), makers[0].account(), BASE, true);
    submit(&mut world, |_| {
        let account = makers[0].account();
        FreezeInstruction { account, asset: BASE, reason: 1, frozen: true, signature: [0; 65] }.to_bytes()
    });
    force(&mut world, &operator(), makers[0].account(), lots(1), makers[1].account());
    world.idle();
    assert!(!row(&mut world, makers[0].account(), BASE).flags.refuses());
    assert_eq!(world.balance(makers[0].account(), BASE), (lots(10), 10));
}

#[test]
fn a_frozen_makers_order_is_not_filled_and_the_others_are() {
    // the row it sells from, the row it is paid into
    for asset in [BASE, QUOTE] {
        let (mut world, makers) = pool(8);
        freeze(&mut world, &operator(), makers[0].account(), asset, true);
        world.idle();
        let order = world.plain_order(50 * LOT);
        let request = world.request(&order);
        assert!(success(&world.round(Some(request))), "asset {asset}");
        let left = makers.each_ref().map(|maker| world.balance(maker.account(), BASE).0);
        assert_eq!(left, [lots(10), 0, 0], "asset {asset}");
    }
}

#[test]
fn n130_the_host_sees_the_same_of_every_kind_of_submission() {
    let shapes: Vec<_> = (0..7)
        .map(|kind| {
            let (mut world, [first, second, _]) = pool(9);
            match kind {
                0 => world.order(SUBMITTER, &first, 4, 1_000),
                1 => pay(&mut world, &first, transfer(&first, 1, second.account())),
                2 => freeze(&mut world, &operator(), first.account(), BASE, true),
                3 => freeze(&mut world, &first, first.account(), BASE, true),
                4 => force(&mut world, &operator(), first.account(), 1, second.account()),
                5 => cancel(&mut world, &first),
                _ => submit(&mut world, |_| vec![0; 5]),
            }
            let sent = world.orders.last().expect("a submission").ciphertext.len();
            let names = world.plan(world.log(None)).digests().len();
            let output = world.idle();
            let table = &output.table;
            let sizes = (table.header.to_bytes().len(), table.body.len(), table.sidecar.len());
            (sent, names, sizes, output.result.payload.len(), output.payouts.len(), output.receipts.len())
        })
        .collect();
    assert!(shapes.iter().all(|shape| *shape == shapes[0]), "{shapes:?}");
}

/// Slot, outcome and reason of every receipt that an owner can open.
fn told(output: &RoundOutput, owner: &Owner) -> Vec<(u32, u8, u8)> {
    let open = |(slot, sealed)| Receipt::open(sealed, &owner.reading_key(), &output.table.header, slot).ok();
    let receipts = (0..).zip(&output.receipts).filter_map(|(slot, sealed)| Some((slot, open((slot, sealed))?)));
    receipts.map(|(slot, receipt)| (slot, receipt.outcome, receipt.reason)).collect()
}

#[test]
fn a_new_submission_has_a_receipt_in_its_first_round_and_the_number_stays() {
    let (mut world, makers) = pool(21);
    let (operator, stranger) = (operator(), Owner::new(8));
    world.deposit([7; 20], &operator, BASE, lots(1));
    world.deposit([8; 20], &stranger, BASE, lots(2));
    let before = world.idle();
    let slots = before.receipts.len();
    let refused = |code: ResultCode| 16 + code.byte();
    // three makers are live; behind them a transfer, a refused one, a freeze, and an order that nobody signed fit
    assert_eq!(world.config.order_slots, 6);
    pay(&mut world, &stranger, transfer(&stranger, lots(1), makers[0].account()));
    pay(&mut world, &stranger, transfer(&stranger, lots(50), makers[0].account()));
    freeze(&mut world, &operator, stranger.account(), BASE, true);
    let first = world.idle();
    let done = (3, Receipt::CARRIED_OUT, 0);
    let insufficient = (4, Receipt::NOT_CARRIED_OUT, refused(ResultCode::Insufficient));
    assert_eq!(told(&first, &stranger), [done, insufficient]);
    assert_eq!(told(&first, &operator), [(5, Receipt::CARRIED_OUT, 0)]);
    for (slot, maker) in (0..).zip(&makers) {
        assert_eq!(told(&first, maker), [(slot, 0, 0)], "who lives on hears of the clearing alone");
    }
    let receipt = Receipt::open(&first.receipts[3], &stranger.reading_key(), &first.table.header, 3).expect("its own");
    assert_eq!((receipt.new_amount, receipt.lots, receipt.notional), (lots(1), 0, 0));
    assert_eq!(receipt.order_digest, world.plan(world.log(None)).digests()[4], "of its ciphertext");
    let second = world.idle();
    assert!(told(&second, &stranger).is_empty() && told(&second, &operator).is_empty(), "carried out once");
    assert_eq!([first.receipts.len(), second.receipts.len()], [slots; 2]);
}

#[test]
fn a_new_order_hears_of_its_reservation_and_an_unsigned_submission_of_nothing() {
    let mut world = World::configured(22, |config| config.operator = Some(operator().account()));
    world.idle();
    let (maker, other) = (Owner::new(2), Owner::new(3));
    world.deposit([1; 20], &maker, BASE, lots(10));
    world.deposit([2; 20], &other, BASE, lots(10));
    world.order([1; 20], &maker, 10, 1_000);
    world.order([2; 20], &other, 11, 1_000);
    pay(&mut world, &other, transfer(&maker, 1, other.account()));
    let output = world.idle();
    assert_eq!(told(&output, &maker), [(0, Receipt::CARRIED_OUT, 0)]);
    let insufficient = 16 + ResultCode::Insufficient.byte();
    assert_eq!(
        told(&output, &other),
        [(1, Receipt::NOT_CARRIED_OUT, insufficient)],
        "and not of what it signed for another"
    );
    assert_eq!(output.receipts.len(), 2 * 7);
}

#[test]
fn a_submission_without_a_slot_has_no_receipt() {
    let (mut world, makers) = pool(23);
    let stranger = Owner::new(8);
    world.deposit([8; 20], &stranger, BASE, lots(9));
    world.idle();
    for _ in 0..4 {
        pay(&mut world, &stranger, transfer(&stranger, lots(1), makers[0].account()));
    }
    let output = world.idle();
    assert_eq!(told(&output, &stranger).len(), 3, "six slots, three of them live");
    assert_eq!(world.balance(stranger.account(), BASE).0, lots(6), "what has none is not carried out");
}
