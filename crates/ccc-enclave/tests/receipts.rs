//! Receipts: one for each order slot, one for the request and one for each logged withdrawal in every round, each for its
//! owner alone. Behind them lie as many reports.

mod support;

use ccc_core::table::{Receipt, ReceiptError, ResultCode, SEALED_RECEIPT_LEN};
use ccc_enclave::round::RoundOutput;
use support::{BASE, LOT, QUOTE, World, owner::Owner};

/// The receipts that an owner can open, with their slots.
fn opened(output: &RoundOutput, owner: &Owner) -> Vec<(u32, Receipt)> {
    let open = |(slot, sealed): (u32, &[u8; SEALED_RECEIPT_LEN])| {
        Some((slot, Receipt::open(sealed, &owner.reading_key(), &output.table.header, slot).ok()?))
    };
    (0..).zip(&output.receipts).filter_map(open).collect()
}

#[test]
fn every_round_has_the_same_number_of_receipts_and_reports() {
    let (mut world, _) = World::with_makers(1);
    let slots = 2 * (world.config.order_slots as usize + 1);
    let idle = world.idle();
    let order = world.plain_order(25 * LOT);
    let request = world.request(&order);
    let filled = world.round(Some(request));
    let too_large = world.plain_order(1_000_000 * LOT);
    let request = world.request(&too_large);
    let failed = world.round(Some(request));
    let unreadable = world.request_bytes(b"no order");
    let refused = world.round(Some(unreadable));
    for output in [&idle, &filled, &failed, &refused] {
        assert_eq!(output.receipts.len(), slots);
        let mut distinct = output.receipts.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), slots, "no two are alike");
    }
    assert!(World::empty(2).idle().receipts.is_empty(), "the first version has no slots");
}

/// Withdrawals of these amounts of the base asset to these recipients, each signed by the owner.
fn withdraw(world: &mut World, owner: &Owner, asked: &[(u128, [u8; 20])]) {
    withdraw_of(BASE, world, owner, asked);
}

fn withdraw_of(asset: u32, world: &mut World, owner: &Owner, asked: &[(u128, [u8; 20])]) {
    for (amount, recipient) in asked {
        let who = [8; 20];
        let (id, key, paid) = (world.fresh_id(who), world.key(), (asset, *amount, *recipient));
        let bytes = owner.withdrawal(&world.config, &key, (id, who), paid, owner.account(), &mut world.rng);
        world.withdrawal_bytes(who, id, bytes);
    }
}

#[test]
fn a_withdrawal_paid_or_refused_is_told_to_its_owner_alone() {
    let (mut world, maker, stranger) = (World::new(4), Owner::new(2), Owner::new(3));
    world.deposit([1; 20], &maker, BASE, u128::from(10 * LOT));
    world.deposit([1; 20], &stranger, BASE, 1);
    world.order([1; 20], &maker, 6, 1_000);
    world.idle();
    let (free, to) = (u128::from(4 * LOT), [0xD0; 20]);
    withdraw(&mut world, &maker, &[(free + 1, to), (free, to), (1, [0; 20])]);
    withdraw(&mut world, &stranger, &[(2, to)]);
    let output = world.idle();
    let (request, first) = (world.config.order_slots, world.config.order_slots + 1);
    assert_eq!((output.payouts.len(), output.receipts.len()), (1, 2 * (request as usize + 5)));
    let told = |owner| {
        let receipts = opened(&output, owner).into_iter().filter(|(slot, _)| *slot > request);
        receipts.map(|(slot, told)| (slot, told.outcome, told.reason, told.new_amount)).collect::<Vec<_>>()
    };
    let (refused, left) = (16 + ResultCode::Insufficient.byte(), u128::from(6 * LOT));
    assert_eq!(told(&maker), [(first, 3, refused, left), (first + 1, 2, 0, left), (first + 2, 3, refused, left)]);
    assert_eq!(told(&stranger), [(first + 3, 3, refused, 1)]);
    assert!(told(&world.reserve).is_empty());
}

#[test]
fn the_receipt_of_a_withdrawal_tells_the_row_of_the_asset_that_it_names() {
    let (mut world, maker) = (World::new(4), Owner::new(2));
    world.deposit([1; 20], &maker, BASE, 7);
    world.deposit([1; 20], &maker, QUOTE, 50);
    world.idle();
    withdraw_of(QUOTE, &mut world, &maker, &[(20, [0xD0; 20])]);
    let output = world.idle();
    let [(slot, told)] = opened(&output, &maker).try_into().expect("one receipt");
    assert_eq!((slot, told.outcome, told.new_amount), (world.config.order_slots + 1, 2, 30));
    assert_eq!(world.balance(maker.account(), QUOTE).0, 30);
}

#[test]
fn how_a_withdrawal_ends_shows_in_no_number_of_receipts() {
    let sizes = |ask: &dyn Fn(&mut World, &Owner)| {
        let (mut world, maker) = (World::new(4), Owner::new(2));
        world.deposit([1; 20], &maker, BASE, 5);
        world.idle();
        ask(&mut world, &maker);
        let output = world.idle();
        assert_eq!(output.receipts.len(), 2 * (world.config.order_slots as usize + 2));
        (output.receipts.len(), output.result.payload.len(), output.table.body.len())
    };
    let paid = sizes(&|world, maker| withdraw(world, maker, &[(5, [0xD0; 20])]));
    assert_eq!(paid, sizes(&|world, maker| withdraw(world, maker, &[(6, [0xD0; 20])])));
    assert_eq!(paid, sizes(&|world, _| withdraw(world, &Owner::new(7), &[(1, [0xD0; 20])])));
    assert_eq!(
        paid,
        sizes(&|world, _| {
            let id = world.fresh_id([8; 20]);
            world.withdrawal_bytes([8; 20], id, vec![7; 300]);
        })
    );
}

#[test]
fn a_fill_is_told_to_its_maker_and_to_the_reserve() {
    let (mut world, makers) = World::with_makers(3);
    let digests: Vec<_> = world.orders.iter().map(|order| order.id).collect();
    let order = world.plain_order(25 * LOT);
    let request = world.request(&order);
    let id = request.submission.id;
    let output = world.round(Some(request));
    let mut sold = 0;
    for (slot, maker) in (0..).zip(&makers) {
        let receipts = opened(&output, maker);
        let [(found, receipt)] = receipts.as_slice() else { unreachable!("one receipt for maker {slot}") };
        let (amount, _) = world.balance(maker.account(), BASE);
        assert_eq!((*found, receipt.request, receipt.version), (slot, id, output.table.header.version()));
        assert_eq!((receipt.new_amount, receipt.reason), (amount, 0));
        assert_eq!(receipt.outcome == 1, receipt.lots != 0);
        assert_eq!(amount, u128::from((10 * u64::from(slot + 1) - receipt.lots) * LOT));
        sold += receipt.lots;
    }
    let [(slot, receipt)] = opened(&output, &world.reserve).try_into().expect("one receipt for the reserve");
    assert_eq!((slot, receipt.outcome, receipt.lots, sold), (world.config.order_slots, 1, 25, 25));
    assert_eq!(receipt.new_amount, u128::from(25 * LOT));
    assert_ne!(receipt.order_digest, [0; 32]);
    assert_eq!(digests.len(), 3);
}

#[test]
fn a_failure_tells_the_reserve_why_and_the_makers_that_nothing_moved() {
    let (mut world, makers) = World::with_makers(4);
    let order = world.plain_order(1_000 * LOT);
    let request = world.request(&order);
    let output = world.round(Some(request));
    for (owner, reason) in makers.iter().map(|maker| (maker, 0)).chain([(&world.reserve, 2)]) {
        let [(_, receipt)] = opened(&output, owner).try_into().expect("one receipt");
        assert_eq!((receipt.outcome, receipt.reason, receipt.lots, receipt.notional), (0, reason, 0, 0), "too small");
    }
}

#[test]
fn n129_a_batch_that_the_table_refuses_is_told_with_the_tables_code() {
    // the reserve's quote does not pay for what it ordered: insufficient, 4
    let mut world = World::new(5);
    let maker = Owner::new(2);
    world.deposit([1; 20], &maker, BASE, u128::from(30 * LOT));
    world.order([1; 20], &maker, 30, 1_000);
    let reserve = Owner::new(1);
    world.deposit(reserve.account(), &reserve, support::QUOTE, 5);
    world.idle();
    let order = world.plain_order(25 * LOT);
    let request = world.request(&order);
    let output = world.round(Some(request));
    for (owner, reason) in [(&maker, 0), (&reserve, 16 + 4)] {
        let [(_, receipt)] = opened(&output, owner).try_into().expect("one receipt");
        assert_eq!((receipt.outcome, receipt.reason, receipt.lots, receipt.notional), (0, reason, 0, 0));
    }
}

#[test]
fn receipts_open_under_their_own_key_slot_and_version_only() {
    let (mut world, makers) = World::with_makers(6);
    let (first, second) = (world.idle(), world.idle());
    let (key, header) = (makers[0].reading_key(), &first.table.header);
    assert!(Receipt::open(&first.receipts[0], &key, header, 0).is_ok());
    let closed = Err(ReceiptError::Sealed);
    assert_eq!(Receipt::open(&first.receipts[0], &key, header, 1), closed);
    assert_eq!(Receipt::open(&first.receipts[0], &key, &second.table.header, 0), closed);
    assert_eq!(Receipt::open(&first.receipts[0], &makers[1].reading_key(), header, 0), closed);
    assert_eq!(Receipt::open(&first.receipts[5], &key, header, 5), closed, "an empty slot's");
}
