//! The digests of `vectors/clearing`, which another implementation made: the crate and its reference give the same.
#![allow(clippy::unwrap_used, reason = "a test may stop at a surprise")]

mod common;

use std::fs;
use std::path::Path;

use common::batches::Owned;
use common::{DEADLINE, Draw, lots, owner, priced, refused, request, spread};
use darkpool_matcher::{
    Allocation, ClearError, CounterpartyList, Fill, Lots, Market, Outcome, OwnerId, PriceRefusal, Pricing, Request,
    Rules, Solves, Spread, SpreadSchedule, StandingOrder, SuccessRule, TierMask, Twap, UnixSeconds, reference,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn one_in(draw: &mut Draw, number: u64) -> bool {
    draw.below(number) == 0
}

fn amount(draw: &mut Draw, bits: u64) -> Lots {
    let length = draw.below(bits);
    lots(draw.next() >> (63 - length))
}

fn amount_or(draw: &mut Draw, one: u64, bits: u64, otherwise: Lots) -> Lots {
    if one_in(draw, one) { amount(draw, bits) } else { otherwise }
}

fn some_owner(draw: &mut Draw) -> OwnerId {
    owner(u8::try_from(draw.below(8)).unwrap())
}

fn some_spread(draw: &mut Draw) -> Spread {
    let value = if one_in(draw, 4) { draw.below(16_384) } else { 100 + draw.below(5) };
    spread(u16::try_from(value).unwrap())
}

fn some_list(draw: &mut Draw) -> CounterpartyList {
    let allow = one_in(draw, 2);
    let names: Vec<_> = (0..draw.below(4)).map(|_| some_owner(draw)).collect();
    if allow { CounterpartyList::allow(&names) } else { CounterpartyList::deny(&names) }.unwrap()
}

fn some_lists(draw: &mut Draw, number: usize) -> Vec<CounterpartyList> {
    if one_in(draw, 2) { (0..number).map(|_| some_list(draw)).collect() } else { vec![] }
}

/// The places, sorted by one draw for each.
fn places(draw: &mut Draw, number: u64) -> Vec<u32> {
    let mut keyed: Vec<_> = (0..u32::try_from(number).unwrap()).map(|place| (draw.next(), place)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, place)| place).collect()
}

/// The fields are drawn in the order in which they stand.
fn some_order(draw: &mut Draw, bits: u64) -> StandingOrder {
    let (owner, spread, size) = (some_owner(draw), some_spread(draw), amount(draw, bits));
    StandingOrder {
        owner,
        spread,
        size,
        balance: amount_or(draw, 4, bits, size),
        cap: amount_or(draw, 4, bits, Lots::MAX),
        minimum: amount_or(draw, 3, bits - 2, Lots::ZERO),
        expiry: UnixSeconds(DEADLINE.0 - u64::from(one_in(draw, 16))),
        tiers: if one_in(draw, 16) { TierMask(1) } else { TierMask::ALL },
        frozen: one_in(draw, 16),
    }
}

fn some_request(draw: &mut Draw, bits: u64) -> Request {
    let (owner, size) = (some_owner(draw), amount(draw, bits));
    let success = if one_in(draw, 2) { SuccessRule::AtLeast(amount(draw, bits)) } else { SuccessRule::AllOrNone };
    let dispersion = one_in(draw, 3).then(|| amount(draw, bits));
    let admissible = if one_in(draw, 4) { some_spread(draw) } else { spread(16_383) };
    let tiers = if one_in(draw, 8) { TierMask(2) } else { TierMask::ALL };
    Request { owner, size, success, dispersion, schedule: SpreadSchedule::flat(admissible), tiers, ..request(0) }
}

fn some_price(draw: &mut Draw) -> Result<Twap, PriceRefusal> {
    if one_in(draw, 16) { refused() } else { priced(1 + (draw.next() >> 15)) }
}

fn some_batch(draw: &mut Draw, bits: u64) -> Owned {
    let number = draw.below(30);
    let orders: Vec<_> = (0..number).map(|_| some_order(draw, bits)).collect();
    let permutation = places(draw, number);
    let number = 1 + draw.below(3);
    let requests: Vec<_> = (0..number).map(|_| some_request(draw, bits)).collect();
    let prices = (0..number).map(|_| some_price(draw)).collect();
    let sequence = places(draw, number);
    let order_lists = some_lists(draw, orders.len());
    let request_lists = some_lists(draw, requests.len());
    Owned { orders, order_lists, permutation, requests, request_lists, sequence, prices }
}

fn absorb(digest: &mut Sha256, slots: usize, outcomes: &[Outcome], fills: &[Fill]) {
    for (at, outcome) in outcomes.iter().enumerate() {
        digest.update([outcome.reason.code()]);
        digest.update(outcome.filled.get().to_be_bytes());
        digest.update(outcome.total.get().to_be_bytes());
        for fill in &fills[at * slots..][..slots] {
            digest.update(fill.lots.get().to_be_bytes());
            digest.update(fill.notional.get().to_be_bytes());
        }
    }
}

fn text<'a>(set: &'a Value, field: &str) -> &'a str {
    set[field].as_str().unwrap()
}

fn number(set: &Value, field: &str) -> u64 {
    set[field].as_u64().unwrap()
}

fn market_of(set: &Value) -> Market {
    let allocation = match text(set, "rule") {
        "A" => Allocation::ProRata,
        other => {
            assert_eq!(other, "B");
            Allocation::EqualSplit
        }
    };
    let pricing = match text(set, "pricing") {
        "as_bid" => Pricing::PayAsBid,
        other => {
            assert_eq!(other, "uniform");
            Pricing::Uniform
        }
    };
    let solves = Solves::new(u8::try_from(number(set, "solves")).unwrap()).unwrap();
    Market::new(number(set, "lot")).unwrap().with_rules(Rules { allocation, pricing, solves })
}

/// The reasons, counted, and the digest.
fn replay(
    set: &Value,
    clear: impl Fn(&Owned, &Market) -> Result<(Vec<Outcome>, Vec<Fill>), ClearError>,
) -> (Vec<u64>, String) {
    let (market, bits) = (market_of(set), number(set, "bits"));
    let (mut draw, mut digest, mut reasons) = (Draw(number(set, "seed")), Sha256::new(), vec![0; 5]);
    for _ in 0..number(set, "batches") {
        let drawn = some_batch(&mut draw, bits);
        let (outcomes, fills) = clear(&drawn, &market).unwrap();
        absorb(&mut digest, drawn.orders.len(), &outcomes, &fills);
        outcomes.iter().for_each(|outcome| reasons[usize::from(outcome.reason.code())] += 1);
    }
    (reasons, digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[test]
fn another_implementation_gives_the_same_digests() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/clearing/digests.json");
    let vectors: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let sets = vectors["sets"].as_array().unwrap();
    assert_eq!(sets.len(), 12);
    for set in sets {
        let reasons: Vec<_> = set["reasons"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
        let expected = (reasons, text(set, "sha256").to_owned());
        let named = format!("seed {}", number(set, "seed"));
        assert_eq!(replay(set, Owned::clear), expected, "{named}");
        assert_eq!(
            replay(set, |drawn, market| reference::clear_batch(&drawn.batch(), market)),
            expected,
            "{named}, reference"
        );
    }
}
