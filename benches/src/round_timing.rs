//! Whole rounds in the enclave that fill a request or fail it, and samples of what each takes, interleaved at random.
//!
//! As in [`timing`](crate::timing): which case is next is drawn, and what belongs to a sample is made anew before it: request,
//! attempt, opened ciphertexts, in fresh memory. The table and the makers' orders are the same for all. What is measured
//! begins where the vault's shares are opened, and ends with the signed result: find rows, parse, check signatures, clear,
//! settle, reseal the table, seal receipts.

use crate::timing::FRACTIONS;
use crate::welch::{Samples, median};
use ccc_core::report::{Payload, Statement};
use ccc_core::table::SealedTable;
use ccc_enclave::attempt::Enclave;
use ccc_enclave::instruction::CollateralOrder;
use ccc_enclave::intake::CollateralRequest;
use ccc_enclave::round::RoundOutput;
use pool::{LOT, World};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::hint::black_box;
use std::time::Instant;

#[path = "../../crates/ccc-enclave/tests/support/mod.rs"]
mod pool;

/// Requests of each case.
const POOL: usize = 8;

/// How a round ends, and why. None of it but *filled or not* becomes public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Filled.
    Filled,
    /// Filled, other requests of the same size.
    Again,
    /// One lot more than the makers have.
    Short,
    /// The greatest size there is.
    Greatest,
    /// A spread below every maker's.
    Narrow,
    /// The control: no request, which is public, and takes less.
    Idle,
}

impl Case {
    /// Those that are compared: filled ones first, then what is told from them.
    pub const COMPARED: [Self; 5] = [Self::Filled, Self::Again, Self::Short, Self::Greatest, Self::Narrow];

    /// Makers have 60 lots.
    fn order(self, world: &World) -> Option<CollateralOrder> {
        let plain = world.plain_order(25 * LOT);
        match self {
            Self::Filled | Self::Again => Some(plain),
            Self::Short => Some(CollateralOrder { size: 61 * LOT, ..plain }),
            Self::Greatest => Some(CollateralOrder { size: u64::MAX, ..plain }),
            Self::Narrow => Some(CollateralOrder { spread: [1, 1], ..plain }),
            Self::Idle => None,
        }
    }

    fn fills(self) -> bool {
        matches!(self, Self::Filled | Self::Again)
    }
}

/// A pool, and requests of every case.
pub struct Rounds {
    world: World,
    table: SealedTable,
    requests: [Vec<CollateralRequest>; 5],
}

impl Default for Rounds {
    fn default() -> Self {
        Self::new()
    }
}

impl Rounds {
    /// Three makers with 60 lots, in a table of 1,024 rows.
    #[must_use]
    pub fn new() -> Self {
        let (mut world, _) = World::with_makers(139);
        let requests = Case::COMPARED.map(|case| {
            let order = case.order(&world).unwrap();
            (0..POOL).map(|_| world.request(&order)).collect()
        });
        Self { table: world.table.clone().unwrap(), world, requests }
    }

    /// Samples some cases, as long as `more` says, given the number of samples that were taken.
    pub fn sample(&mut self, cases: &[Case], more: impl Fn(u32) -> bool) -> Times {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let mut times = Times(cases.iter().map(|case| (*case, Vec::new())).collect());
        let mut taken = 0;
        while more(taken) {
            let draw = rng.next_u32() as usize;
            let (case, samples) = &mut times.0[draw % cases.len()];
            samples.push(self.time(*case, draw / cases.len() % POOL));
            taken += 1;
        }
        times
    }

    /// Nanoseconds of one round.
    fn time(&mut self, case: Case, number: usize) -> f64 {
        let place = Case::COMPARED.iter().position(|compared| *compared == case);
        let job = self.world.job(place.map(|place| self.requests[place][number].clone()));
        let provider = self.world.hardware();
        let enclave = Enclave::new(self.world.config.clone(), &provider).unwrap();
        let mut plan = self.world.plan(job.log.clone());
        let request = self.world.vault_request(Some(self.table.header.hash()), plan.digests());
        let opened = self.world.open(&enclave, request, &mut plan);
        let (input, mut rng) = (job.input(), StdRng::from_rng(&mut self.world.rng));
        let start = Instant::now();
        let output = black_box(opened.round(&plan, Some((&self.table.header, &self.table.body)), &input, &mut rng));
        let taken = start.elapsed().as_secs_f64() * 1e9;
        assert_eq!(filled(&output.unwrap()), case.fills(), "{case:?}");
        taken
    }
}

fn filled(output: &RoundOutput) -> bool {
    match Payload::from_bytes(&output.result.payload).unwrap().statement {
        Statement::Round(round) => round.success,
        other => panic!("{other:?}"),
    }
}

/// Nanoseconds of rounds by case; the first is what the others are told from.
#[derive(Clone, Debug)]
pub struct Times(Vec<(Case, Vec<f64>)>);

impl Times {
    /// The case that the first is told from best, and t.
    #[must_use]
    pub fn largest_t(&self) -> (Case, f64) {
        let [(first, filled), others @ ..] = &self.0[..] else { panic!("no case") };
        let of_case = |(case, times): &(Case, Vec<f64>)| (*case, Samples::of(filled, times).largest_t(&FRACTIONS));
        let start = (*first, 0.0f64);
        others.iter().map(of_case).fold(start, |most, next| if next.1.abs() > most.1.abs() { next } else { most })
    }

    /// The median of each case.
    pub fn medians(&self) -> impl Iterator<Item = (Case, f64)> + '_ {
        self.0.iter().map(|(case, times)| (*case, median(times)))
    }

    /// How many samples were taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.0.iter().map(|(_, times)| times.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{is_seen, stays_below};

    /// Samples of the first run.
    const TAKEN: u32 = 1_000;

    #[test]
    fn n139_a_round_that_fails_takes_as_long_as_one_that_fills_where_one_without_a_request_is_seen() {
        let mut rounds = Rounds::new();
        let mut t_of = |cases: &[Case], factor| rounds.sample(cases, |taken| taken < TAKEN * factor).largest_t().1;
        assert!(is_seen(|factor| t_of(&[Case::Filled, Case::Idle], factor)).is_ok(), "the control was not seen");
        let verdict = stays_below(|factor| t_of(&Case::COMPARED, factor));
        assert!(verdict.is_ok(), "|t| of each run {verdict:?}");
    }
}
