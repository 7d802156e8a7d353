//! The kernels give the same, bit for bit: outcome, capacities left and fills, of every pass and of whole solves.

use std::vec::Vec;

use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

use super::columns::{Columns, SliceColumns};
use super::eights;
use super::scalar::{self, Demand, Margin, Solved, gate, solve};
use super::{Kernel, Tier};
use crate::market::{Market, Plan};
use crate::rules::{Allocation, Rules, Solves};

const MOST: u64 = (1 << 51) - 1;

/// A slot: spread, capacity, minimum.
type Row = (u16, u64, u64);

/// Columns of one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    spreads: Vec<u16>,
    capacities: Vec<u64>,
    minimums: Vec<u64>,
    fills: Vec<u64>,
}

impl Held {
    fn new(rows: &[Row]) -> Self {
        Self {
            spreads: rows.iter().map(|row| row.0).collect(),
            capacities: rows.iter().map(|row| row.1).collect(),
            minimums: rows.iter().map(|row| row.2).collect(),
            fills: std::vec![7; rows.len()],
        }
    }

    fn columns(&mut self, kernel: Kernel) -> SliceColumns<'_> {
        let Self { spreads, capacities, minimums, fills } = self;
        SliceColumns { kernel, spreads, capacities, minimums, fills }
    }
}

/// The capacities, cut so that their sum stays below 2^51.
fn in_range(mut rows: Vec<Row>) -> Vec<Row> {
    let mut room = MOST;
    for (_, capacity, _) in &mut rows {
        *capacity = room.min(*capacity);
        room -= *capacity;
    }
    rows
}

fn solved(kernel: Kernel, rows: &[Row], demand: &Demand, plan: &Plan) -> ([u64; 5], Held) {
    let mut held = Held::new(rows);
    let total = held.capacities.iter().sum();
    let mut columns = held.columns(kernel);
    gate(&mut columns, u64::MAX);
    let Solved { filled, enough_at_first, enough, violated, dearest } = solve(&mut columns, demand, total, plan);
    ([filled, enough_at_first, enough, violated, dearest], held)
}

fn plans() -> impl Iterator<Item = Plan> {
    [Allocation::ProRata, Allocation::EqualSplit].into_iter().flat_map(|allocation| {
        [1, 4].map(|solves| {
            let rules = Rules { allocation, solves: Solves::new(solves).unwrap(), ..Rules::default() };
            Market::new(1).unwrap().with_rules(rules).plan()
        })
    })
}

/// Those beside the portable one. Where the processor has no other, nothing is compared.
fn others() -> impl Iterator<Item = Kernel> {
    Kernel::available().filter(|kernel| *kernel != Kernel::PORTABLE)
}

/// `CCC_KERNELS` names the kernels that a machine has to have; the gate takes them from what the system says of its
/// processor. Without it the others are compared that there are, if any.
#[test]
fn the_kernels_that_are_expected_are_compared() {
    let there: Vec<&str> = Kernel::available().map(Kernel::name).collect();
    let wanted = std::env::var("CCC_KERNELS").unwrap_or_default();
    std::println!("kernels that are compared: {}", there.join(" "));
    for kernel in wanted.split_whitespace() {
        assert!(there.contains(&kernel), "{kernel} was expected, found {}", there.join(" "));
    }
}

fn the_kernels_agree(rows: &[Row], size: u64) {
    for plan in plans() {
        for least in [0, size] {
            let demand = Demand { size, least };
            let expected = solved(Kernel::PORTABLE, rows, &demand, &plan);
            for kernel in others() {
                assert_eq!(
                    solved(kernel, rows, &demand, &plan),
                    expected,
                    "{kernel:?}: {size} of {rows:?} by {plan:?}"
                );
            }
        }
    }
}

#[test]
fn the_kernels_agree_at_the_edges() {
    for number in [0u16, 1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 128, 137] {
        for rows in [
            std::vec![(17, 1, 0); usize::from(number)],
            std::vec![(0, 0, 0); usize::from(number)],
            std::vec![(16_383, MOST / 65, 3); usize::from(number)],
            (0..number).map(|i| (i % 3, u64::from(i), 5)).collect(),
            (0..number).map(|i| (16_383 - i, 1 << (i % 45), u64::from(i))).collect(),
            (0..number).map(|i| (5, if i + 1 == number { MOST } else { 0 }, 0)).collect(),
        ] {
            let rows = in_range(rows);
            let total: u64 = rows.iter().map(|row| row.1).sum();
            for size in [0, 1, 2, total / 3, total.saturating_sub(1), total, total + 1, MOST] {
                the_kernels_agree(&rows, size.min(MOST));
            }
        }
    }
}

#[test]
fn a_margin_that_is_filled_in_full_is_the_one_rate_of_53_bits() {
    let rows = [(3, 1, 0), (9, MOST - 10, 0), (9, 4, 0), (11, 5, 0)];
    let demand = Demand { size: MOST - 5, least: 0 };
    let plan = plans().next().unwrap();
    for kernel in Kernel::available() {
        let (_, held) = solved(kernel, &rows, &demand, &plan);
        assert_eq!(held.fills, [1, MOST - 10, 4, 0], "{kernel:?}");
    }
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let spread = prop_oneof![3 => 100u16..103, 1 => 0u16..16_384, 1 => Just(16_383)];
    let capacity = prop_oneof![4 => 0u64..50, 2 => 0u64..1 << 40, 1 => Just(MOST), 1 => 0u64..1 << 51];
    let minimum = prop_oneof![2 => Just(0u64), 1 => 0u64..40, 1 => 0u64..1 << 51];
    prop::collection::vec((spread, capacity, minimum), 0..150).prop_map(in_range)
}

/// Both allocation passes in plain Rust: eight slots a step, and slot by slot.
fn the_allocations_agree(rows: &[Row], want: u64, last: bool) {
    let total: u64 = rows.iter().map(|row| row.1).sum();
    let (mut one, mut other) = (Held::new(rows), Held::new(rows));
    let margin = one.columns(Kernel::PORTABLE).margin(want.min(total), total);
    let rate = margin.rate(want.min(total));
    let found = eights::hand_out(&mut one.columns(Kernel::PORTABLE), &margin, rate, last);
    let mut expected = scalar::hand_out(&mut other.columns(Kernel::PORTABLE), &margin, rate, last);
    if last {
        expected.remaining = found.remaining;
    }
    assert_eq!((found, one), (expected, other), "{want} of {rows:?}");
}

proptest! {
    #[test]
    fn eight_slots_a_step_are_as_one_slot_a_step(rows in rows(), want in 0u64..1 << 51, last in any::<bool>()) {
        the_allocations_agree(&rows, want, last);
        the_allocations_agree(&rows, rows.iter().map(|row| row.1).sum::<u64>() / 2, last);
    }

    #[test]
    fn the_kernels_agree_on_whole_solves(rows in rows(), part in 0u64..=1_100) {
        let total: u64 = rows.iter().map(|row| row.1).sum();
        let size = u64::try_from(u128::from(total) * u128::from(part) / 1_000).unwrap();
        the_kernels_agree(&rows, size.min(MOST));
    }

    #[test]
    fn the_kernels_agree_on_every_search_pass(
        rows in rows(), thresholds in any::<[u16; 3]>(), levels in prop::array::uniform3(0u64..1 << 52), want in 0u64..1 << 51,
    ) {
        let thresholds = thresholds.map(|threshold| threshold % 16_384);
        let total = rows.iter().map(|row| row.1).sum();
        let sum_below = |t: u16| rows.iter().filter(|row| row.0 < t).map(|row| row.1).sum::<u64>();
        let sum_up_to = |t: u64| rows.iter().map(|row| row.1.min(t)).sum::<u64>();
        let numbers = |Margin { at, below, reach }: Margin| [at, below, reach];
        let mut held = Held::new(&rows);
        let expected = numbers(held.columns(Kernel::PORTABLE).margin(want, total));
        for kernel in Kernel::available() {
            let columns = held.columns(kernel);
            prop_assert_eq!(thresholds.map(|t| columns.sum_below(t)), thresholds.map(sum_below));
            prop_assert_eq!(columns.sums_up_to(levels), levels.map(sum_up_to));
            prop_assert_eq!(numbers(columns.margin(want, total)), expected);
            if let Tier::Ifma(ifma) = kernel.tier() {
                prop_assert_eq!(ifma.sums_below(&columns, thresholds), thresholds.map(sum_below));
            }
        }
    }
}
