//! Columns that record every access: the passes of a clearing, slot by slot.

use std::cell::RefCell;
use std::vec::Vec;

use super::columns::{Columns, Slot, Written};
use super::scalar::{Demand, gate, solve};
use crate::market::{Market, Plan};
use crate::rules::{Allocation, Rules, Solves};

/// One access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// Spread and capacity of a slot are read.
    Read(usize),
    /// A slot is read whole, then capacity and fill are written.
    Rewrite(usize),
}

struct Traced {
    slots: Vec<Slot>,
    fills: Vec<u64>,
    accesses: RefCell<Vec<Access>>,
}

impl Columns for Traced {
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
    let fills = std::vec![0; slots.len()];
    let mut traced = Traced { slots, fills, accesses: RefCell::default() };
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
        the_trace_is_the_same_for_all(&plan(1, Allocation::ProRata, solves), 1 + usize::from(solves) * (7 + 1));
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

/// What the kernel does in the turns of a batch, one after another.
fn trace_batch(turns: &[(Vec<Slot>, Demand)], plan: &Plan) -> Vec<Access> {
    turns.iter().flat_map(|(slots, demand)| trace(slots.clone(), demand, u64::MAX, plan)).collect()
}

#[test]
fn the_trace_of_a_batch_depends_on_the_numbers_of_slots_and_requests_alone() {
    let demand = |size| Demand { size, least: size };
    for allocation in [Allocation::ProRata, Allocation::EqualSplit] {
        let plan = plan(1_000_000, allocation, 4);
        let one_takes_all = [(uniform(21, 5, 10, 0), demand(210)), (uniform(21, 5, 0, 0), demand(1))];
        let nobody_fills = [(uniform(21, 9, 1, 0), demand(22)), (uniform(21, 9, 1, 0), demand(1 << 40))];
        let a_few_each = [(uniform(21, 5, 10, 7), demand(30)), (uniform(21, 5, 9, 7), demand(60))];
        let expected = trace_batch(&one_takes_all, &plan);
        assert_eq!(trace_batch(&nobody_fills, &plan), expected);
        assert_eq!(trace_batch(&a_few_each, &plan), expected);
        assert_eq!(trace_batch(&one_takes_all[..1], &plan).len() * 2, expected.len());
    }
}
