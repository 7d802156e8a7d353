//! The kernels give the same, bit for bit: outcome, capacities left and fills, of every pass and of whole solves.

use std::vec::Vec;

use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

use super::Kernel;
use super::columns::{Columns, SliceColumns};
use super::scalar::{Demand, Margin, Solved, gate, solve};
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

/// Nothing is compared where the processor has one kernel only; that is said.
fn detected() -> Kernel {
    let kernel = Kernel::detected();
    if kernel == Kernel::PORTABLE {
        std::println!("this processor has no AVX-512 IFMA: the portable kernel is compared with itself");
    }
    kernel
}

fn the_kernels_agree(rows: &[Row], size: u64) {
    for plan in plans() {
        for least in [0, size] {
            let demand = Demand { size, least };
            let expected = solved(Kernel::PORTABLE, rows, &demand, &plan);
            assert_eq!(solved(detected(), rows, &demand, &plan), expected, "{size} of {rows:?} by {plan:?}");
        }
    }
}

#[test]
fn the_kernels_agree_at_the_edges() {
    for number in [0u16, 1, 7, 8, 9, 15, 16, 17, 64, 65] {
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
    let (_, held) = solved(detected(), &rows, &demand, &plan);
    assert_eq!(held.fills, [1, MOST - 10, 4, 0]);
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let spread = prop_oneof![3 => 100u16..103, 1 => 0u16..16_384, 1 => Just(16_383)];
    let capacity = prop_oneof![4 => 0u64..50, 2 => 0u64..1 << 40, 1 => Just(MOST), 1 => 0u64..1 << 51];
    let minimum = prop_oneof![2 => Just(0u64), 1 => 0u64..40, 1 => 0u64..1 << 51];
    prop::collection::vec((spread, capacity, minimum), 0..70).prop_map(in_range)
}

proptest! {
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
        let (mut one, mut other) = (Held::new(&rows), Held::new(&rows));
        let (portable, wide) = (one.columns(Kernel::PORTABLE), other.columns(detected()));
        let total = rows.iter().map(|row| row.1).sum();
        let sum_below = |t: u16| rows.iter().filter(|row| row.0 < t).map(|row| row.1).sum::<u64>();
        let sum_up_to = |t: u64| rows.iter().map(|row| row.1.min(t)).sum::<u64>();
        prop_assert_eq!(thresholds.map(|t| portable.sum_below(t)), thresholds.map(sum_below));
        if let Some(ifma) = wide.kernel.ifma() {
            prop_assert_eq!(ifma.sums_below(&wide, thresholds), thresholds.map(sum_below));
        }
        prop_assert_eq!(portable.sums_up_to(levels), levels.map(sum_up_to));
        prop_assert_eq!(wide.sums_up_to(levels), levels.map(sum_up_to));
        let numbers = |Margin { at, below, reach }: Margin| [at, below, reach];
        prop_assert_eq!(numbers(wide.margin(want, total)), numbers(portable.margin(want, total)));
    }
}
