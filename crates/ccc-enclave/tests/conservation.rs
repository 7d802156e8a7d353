//! Random lives of a pool: whatever happens, nothing is created, lost or promised twice.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_core::{
    report::{Payload, Statement},
    table::{AccountId, AssetId},
};
use ccc_enclave::round::RoundOutput;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use support::{BASE, LOT, QUOTE, World, noise, owner::Owner};

/// What came in and what went out, per asset.
struct Boundary {
    paid_in: [u128; 2],
    paid_out: [u128; 2],
}

#[test]
fn n127_amounts_are_conserved_and_reservations_stay_covered() {
    let mut filled = 0;
    for seed in 0..8 {
        filled += live(seed);
    }
    assert!(filled >= 8, "{filled} fills: the lives are too quiet to show anything");
}

/// Six rounds of random deposits, orders, withdrawals, garbage and requests; how many of them were filled.
fn live(seed: u64) -> usize {
    let mut world = World::new(1_000 + seed);
    let mut random = StdRng::seed_from_u64(seed);
    let mut boundary = Boundary { paid_in: [0; 2], paid_out: [0; 2] };
    let reserve = Owner::new(1);
    deposit(&mut world, &mut boundary, &reserve, QUOTE, 50_000_000_000);
    let mut filled = 0;
    for _ in 0..6 {
        act(&mut world, &mut boundary, &mut random);
        let size = random.random_range(1..20) * LOT;
        let order = world.plain_order(size);
        let collateral = random.random_bool(0.7).then(|| world.request(&order));
        // what is new is read by a round before the request's
        for collateral in [None, collateral] {
            let output = world.round(collateral);
            filled += usize::from(book(&mut boundary, &output));
            check(&mut world, &boundary);
        }
    }
    filled
}

/// Takes down what a round pays out, and tells whether it filled.
fn book(boundary: &mut Boundary, output: &RoundOutput) -> bool {
    for payout in &output.payouts {
        if let Statement::Payout(payout) = Payload::from_bytes(&payout.payload).expect("a payload").statement {
            boundary.paid_out[usize::from(payout.token == [0xB2; 20])] += payout.amount;
        }
    }
    let Statement::Round(round) = Payload::from_bytes(&output.result.payload).expect("a payload").statement else {
        panic!("a round");
    };
    round.success
}

fn deposit(world: &mut World, boundary: &mut Boundary, owner: &Owner, asset: u32, amount: u128) {
    boundary.paid_in[asset as usize] += amount;
    world.deposit(owner.account(), owner, asset, amount);
}

fn act(world: &mut World, boundary: &mut Boundary, random: &mut StdRng) {
    for number in 2u8..6 {
        let owner = Owner::new(number);
        if random.random_bool(0.6) {
            let amount = random.random_range(1..15 * u128::from(LOT));
            deposit(world, boundary, &owner, BASE, amount);
        }
        if world.orders.len() < 6 && random.random_bool(0.5) {
            world.order(owner.account(), &owner, random.random_range(0..12), random.random_range(1..9_000));
        }
        if random.random_bool(0.4) {
            let (who, asset) = (owner.account(), u32::from(random.random_bool(0.3)));
            let id = world.fresh_id(who);
            let paid = (asset, random.random_range(0..8 * u128::from(LOT)), [0xD0; 20]);
            let key = world.key();
            let bytes = owner.withdrawal(&world.config, &key, (id, who), paid, who, &mut world.rng);
            world.withdrawal_bytes(who, id, bytes);
        }
    }
    if random.random_bool(0.3) {
        let (who, bytes) = ([0x99; 20], noise(random, 350));
        let id = world.fresh_id(who);
        boundary.paid_in[0] += 7;
        world.deposit_bytes(who, BASE, 7, id, bytes);
    }
}

fn check(world: &mut World, boundary: &Boundary) {
    let expected = [0, 1].map(|asset| boundary.paid_in[asset] - boundary.paid_out[asset]);
    assert_eq!(world.sums(), expected);
    let rows = world.rows();
    for owner in (1..6).map(Owner::new) {
        if let Some(row) = rows.find(AccountId(owner.account()), AssetId(BASE)) {
            assert!(u128::from(row.reserved) * u128::from(LOT) <= row.amount);
        }
    }
}
