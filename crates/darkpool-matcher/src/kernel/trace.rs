//! Columns that record every access: the passes of a clearing, slot by slot.

use std::cell::RefCell;
use std::vec::Vec;

use super::columns::{Columns, Slot, Written};
use super::scalar::{Demand, gate, solve};
use crate::batch::{Batch, take_turns};
use crate::counterparties::CounterpartyList;
use crate::market::{Market, Plan};
use crate::outcome::{Fill, Outcome};
use crate::price::{Observation, PriceRefusal, PriceRules, Twap, twap};
use crate::request::{Request, SpreadSchedule, SuccessRule};
use crate::rules::{Allocation, Rules, Solves};
use crate::standing_order::StandingOrder;
use crate::types::{BasisPoints, Lots, MicroDollars, OwnerId, Spread, TierMask, UnixSeconds};

/// One access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// Spread, capacity and minimum of a slot are written.
    Gather(usize),
    /// Spread and capacity of a slot are read.
    Read(usize),
    /// A slot is read whole, then capacity and fill are written.
    Rewrite(usize),
    /// Spread and fill of a slot are read.
    Settle(usize),
}

struct Traced {
    slots: Vec<Slot>,
    fills: Vec<u64>,
    accesses: RefCell<Vec<Access>>,
}

impl Traced {
    fn new(slots: Vec<Slot>) -> Self {
        Self { fills: std::vec![0; slots.len()], slots, accesses: RefCell::default() }
    }
}

impl Columns for Traced {
    fn gather(&mut self, rows: impl Iterator<Item = Slot>) {
        for (index, (slot, row)) in self.slots.iter_mut().zip(rows).enumerate() {
            self.accesses.get_mut().push(Access::Gather(index));
            *slot = row;
        }
    }

    fn settle(&self, mut step: impl FnMut(u16, u64)) {
        for (index, (slot, fill)) in self.slots.iter().zip(&self.fills).enumerate() {
            self.accesses.borrow_mut().push(Access::Settle(index));
            step(slot.spread, *fill);
        }
    }

    fn read<A>(&self, start: A, mut step: impl FnMut(A, u16, u64) -> A) -> A {
        let slots = self.slots.iter().enumerate();
        slots.fold(start, |folded, (index, slot)| {
            self.accesses.borrow_mut().push(Access::Read(index));
            step(folded, slot.spread, slot.capacity)
        })
    }

    fn rewrite(&mut self, mut step: impl FnMut(Slot) -> Written) {
        for (index, slot) in self.slots.iter_mut().enumerate() {
            self.accesses.get_mut().push(Access::Rewrite(index));
            let written = step(*slot);
            slot.capacity = written.capacity;
            self.fills[index] = written.fill;
        }
    }
}

fn trace(slots: Vec<Slot>, demand: &Demand, admitted: u64, plan: &Plan) -> Vec<Access> {
    let total = slots.iter().map(|slot| slot.capacity).sum::<u64>() & admitted;
    let mut traced = Traced::new(slots);
    gate(&mut traced, admitted);
    solve(&mut traced, demand, total, plan);
    traced.accesses.into_inner()
}

fn uniform(n: usize, spread: u16, capacity: u64, minimum: u64) -> Vec<Slot> {
    std::vec![Slot { spread, capacity, minimum }; n]
}

fn plan(lot: u64, allocation: Allocation, solves: u8) -> Plan {
    let solves = Solves::new(solves).unwrap();
    Market::new(lot).unwrap().with_rules(Rules { allocation, solves, ..Rules::default() }).plan()
}

fn the_trace_is_the_same_for_all(plan: &Plan, passes: usize) {
    let n = 37_usize;
    let ladder: Vec<Slot> =
        (0..n).map(|i| Slot { spread: u16::try_from(i).unwrap() * 400, capacity: 1 << i, minimum: i as u64 }).collect();
    let all = Demand { size: 1_000, least: 1_000 };
    let expected = trace(ladder.clone(), &all, u64::MAX, plan);
    assert_eq!(expected.len(), n * passes);
    let others = [
        trace(ladder.clone(), &all, 0, plan),
        trace(ladder, &Demand { size: u64::MAX >> 13, least: 1 }, u64::MAX, plan),
        trace(uniform(n, 0, 0, 0), &all, u64::MAX, plan),
        trace(uniform(n, 16_383, 1, 0), &all, u64::MAX, plan),
        trace(uniform(n, 17, 1_000, 900), &all, u64::MAX, plan),
        trace(uniform(n, 17, 1_000, 0), &Demand { size: 0, least: 0 }, u64::MAX, plan),
    ];
    for (class, found) in others.into_iter().enumerate() {
        assert_eq!(found, expected, "class {class}");
    }
}

#[test]
fn the_trace_of_rule_a_depends_on_the_number_of_slots_and_the_rules_alone() {
    for solves in 1..=4 {
        the_trace_is_the_same_for_all(&plan(1, Allocation::ProRata, solves), 1 + usize::from(solves) * (14 + 1));
    }
}

#[test]
fn the_trace_of_rule_b_depends_on_the_number_of_slots_the_rules_and_the_lot_alone() {
    for (lot, levels) in [(1, 26), (2, 25), (1_000_000, 16), ((1 << 51) - 1, 1)] {
        for solves in [1, 4] {
            let plan = plan(lot, Allocation::EqualSplit, solves);
            the_trace_is_the_same_for_all(&plan, 1 + usize::from(solves) * (levels + 1));
        }
    }
}

/// What a batch of several requests holds; the permutation and the sequence are the same for all.
#[derive(Clone)]
struct Turns {
    orders: Vec<StandingOrder>,
    order_lists: Vec<CounterpartyList>,
    requests: [Request; 3],
    request_lists: Vec<CounterpartyList>,
    prices: [Result<Twap, PriceRefusal>; 3],
}

/// Slots of a batch.
const SLOTS: u8 = 21;

impl Turns {
    /// Everybody offers ten lots at one spread, and three requests take a third of the pool each.
    fn plain() -> Self {
        let number = usize::from(SLOTS);
        Self {
            orders: (0..SLOTS).map(|maker| order(maker, 100, 10, 0)).collect(),
            order_lists: std::vec![CounterpartyList::EMPTY; number],
            requests: [request(70); 3],
            request_lists: std::vec![CounterpartyList::EMPTY; 3],
            prices: [price(60_000_000_000); 3],
        }
    }

    /// What the batch does to the columns, request by request, in the program that clears every batch.
    fn trace(&self, market: &Market) -> Vec<Access> {
        let number = self.orders.len();
        let batch = Batch {
            orders: &self.orders,
            order_lists: &self.order_lists,
            permutation: &(0..u32::from(SLOTS)).rev().collect::<Vec<_>>(),
            requests: &self.requests,
            request_lists: &self.request_lists,
            sequence: &[2, 0, 1],
            prices: &self.prices,
        };
        let mut traced = Traced::new(std::vec![Slot::EMPTY; number]);
        let (mut fills, mut outcomes) = (std::vec![Fill::default(); number * 3], [Outcome::UNCLEARED; 3]);
        take_turns(&batch, market, &mut traced, &mut self.orders.clone(), &mut fills, &mut outcomes);
        traced.accesses.into_inner()
    }
}

fn lots(value: u64) -> Lots {
    Lots::new(value).unwrap()
}

fn order(maker: u8, spread: u16, size: u64, minimum: u64) -> StandingOrder {
    StandingOrder {
        owner: OwnerId([maker; 20]),
        spread: Spread::new(spread).unwrap(),
        size: lots(size),
        balance: lots(size),
        cap: Lots::MAX,
        minimum: lots(minimum),
        expiry: UnixSeconds(u64::MAX),
        tiers: TierMask::ALL,
        frozen: false,
    }
}

fn request(size: u64) -> Request {
    Request {
        owner: OwnerId([255; 20]),
        size: lots(size),
        schedule: SpreadSchedule::flat(Spread::MAX),
        success: SuccessRule::AllOrNone,
        dispersion: None,
        tiers: TierMask::ALL,
        deadline: UnixSeconds(1_000),
    }
}

fn price(micro_dollars: u64) -> Result<Twap, PriceRefusal> {
    let rules = PriceRules { window: 1, max_gap: 1, max_stale: 1, collar: BasisPoints::MAX, minimum_observations: 1 };
    let price = MicroDollars::new(micro_dollars).unwrap();
    twap(&[Observation { round: 1, price, at: UnixSeconds(999) }], &rules, UnixSeconds(1_000))
}

/// Secrets that have nothing in common: who offers what, who is asked for how much, who admits whom, and prices.
fn batches() -> [(&'static str, Turns); 7] {
    let plain = Turns::plain();
    let all = |list| std::vec![list; usize::from(SLOTS)];
    let nobody = CounterpartyList::deny(&[OwnerId([255; 20])]).unwrap();
    let others = CounterpartyList::allow(&[7, 8, 9, 10, 11, 12, 13, 14].map(|byte| OwnerId([byte; 20]))).unwrap();
    let (mut one_has_all, mut lists_differ) = (plain.clone(), plain.clone());
    one_has_all.orders[3] = order(3, 1, 1 << 40, 0);
    for (list, slot) in lists_differ.order_lists.iter_mut().zip(0..) {
        *list = [CounterpartyList::EMPTY, nobody, others][slot % 3];
    }
    [
        ("one has all", one_has_all),
        ("lists differ", lists_differ),
        ("makers refuse", Turns { order_lists: all(nobody), ..plain.clone() }),
        ("requests name eight", Turns { request_lists: std::vec![others; 3], ..plain.clone() }),
        ("minimums fail", Turns { orders: (0..SLOTS).map(|maker| order(maker, 9, 10, 9)).collect(), ..plain.clone() }),
        ("too much and nothing", Turns { requests: [request(0), request(1 << 50), request(211)], ..plain.clone() }),
        ("no price", Turns { prices: [Err(PriceRefusal::NoObservation); 3], ..plain }),
    ]
}

#[test]
fn the_trace_of_a_batch_depends_on_the_numbers_of_slots_and_requests_alone() {
    for (allocation, search) in [(Allocation::ProRata, 14), (Allocation::EqualSplit, 16)] {
        let rules = Rules { allocation, ..Rules::default() };
        let market = Market::new(1_000_000).unwrap().with_rules(rules);
        let expected = Turns::plain().trace(&market);
        // gathered, gated, four times searched and handed out, settled
        assert_eq!(expected.len(), 3 * usize::from(SLOTS) * (1 + 1 + 4 * (search + 1) + 1));
        for (secret, turns) in batches() {
            assert_eq!(turns.trace(&market), expected, "{secret}");
        }
    }
}
