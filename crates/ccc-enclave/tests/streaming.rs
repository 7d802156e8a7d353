//! A round from a file to files gives the bytes of one in memory, and a host that changes the file is refused.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_core::{
    enclave::attestation::simulated::{SimulatedHardware, SimulatedProvider},
    table::{
        ChunkSource, FileSink, FileSource, Header, MediumError, Outputs, Progress, SealedTable, Stage, StructuralError,
    },
};
use ccc_enclave::{
    attempt::{Enclave, OpenedAttempt},
    intake::RoundPlan,
    reserve::Validity,
    round::{Current, RoundError, RoundInput, StreamedRound},
    upkeep::{Duty, Upkeep},
};
use rand::{SeedableRng, rngs::StdRng};
use std::io::Cursor;
use support::{BASE, Job, LOT, World, owner::Owner};

fn hardware(world: &World) -> SimulatedProvider {
    SimulatedProvider::new(SimulatedHardware::from_seed(&[9; 32]), world.config.measurement())
}

fn opened<'e>(world: &mut World, enclave: &'e Enclave<'_>, job: &Job) -> (OpenedAttempt<'e>, RoundPlan) {
    let mut plan = world.plan(job.log.clone());
    let head = world.header().map(Header::hash);
    let request = world.vault_request(head, plan.digests());
    (world.open(enclave, request, &mut plan), plan)
}

fn input(job: &Job) -> RoundInput<'_> {
    RoundInput {
        observations: &job.observations,
        price_block: job.inputs.block,
        inputs: job.inputs.clone(),
        validity: Validity { sequence: 1, valid_until: 1 },
        payout_sequence: 1,
        progress: &|_| {},
    }
}

/// A round that reads from this source, what it wrote, and what it told on the way.
fn streamed(
    world: &mut World,
    job: &Job,
    source: &mut impl ChunkSource,
) -> Result<(StreamedRound, SealedTable, Vec<Progress>), RoundError> {
    let provider = hardware(world);
    let enclave = Enclave::new(world.config.clone(), &provider).expect("a configuration");
    let (opened, plan) = opened(world, &enclave, job);
    let header = world.header().expect("a table").clone();
    let (mut body, mut sidecar, mut told) = (Cursor::new(vec![]), Cursor::new(vec![]), vec![]);
    let outputs = Outputs {
        body: &mut FileSink::new(&mut body),
        sidecar: &mut FileSink::new(&mut sidecar),
        progress: &mut |progress: Progress| told.push(progress),
    };
    let current = Some(Current { header: &header, body: source });
    let round = opened.round_to(&plan, current, &input(job), outputs, &mut StdRng::seed_from_u64(5))?;
    let table = SealedTable { header: round.header.clone(), body: body.into_inner(), sidecar: sidecar.into_inner() };
    Ok((round, table, told))
}

/// The same round in memory, from a file, and their outputs compared.
fn both(world: &mut World, job: &Job) -> Vec<Progress> {
    let provider = hardware(world);
    let enclave = Enclave::new(world.config.clone(), &provider).expect("a configuration");
    let (opened, plan) = opened(world, &enclave, job);
    let table = world.table.clone().expect("a table");
    let current = Some((&table.header, table.body.as_slice()));
    let whole = opened.round(&plan, current, &input(job), &mut StdRng::seed_from_u64(5)).expect("a round");
    let (round, made, told) =
        streamed(world, job, &mut FileSource::new(Cursor::new(table.body.clone()))).expect("a round");
    assert_eq!(made.header.to_bytes(), whole.table.header.to_bytes());
    assert!(made.body == whole.table.body && made.sidecar == whole.table.sidecar);
    assert_eq!((round.receipts, round.payouts.len()), (whole.receipts, whole.payouts.len()));
    told
}

#[test]
fn a_round_from_a_file_is_one_in_memory() {
    let (mut world, makers) = World::with_makers(7);
    world.deposit([1; 20], &makers[0], BASE, 5);
    world.deposit([8; 20], &Owner::new(8), BASE, u128::from(LOT));
    world.order([1; 20], &makers[0], 4, 900);
    let order = world.plain_order(25 * LOT);
    let request = world.request(&order);
    let stages: Vec<_> = [None, Some(request)]
        .into_iter()
        .map(|collateral| {
            let mut job = world.job(collateral);
            if job.log.collateral.is_some() {
                job.log.new_orders.clear();
            }
            both(&mut world, &job).iter().map(|told| told.stage).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(stages, [[Stage::Find, Stage::Seal, Stage::Entries]; 2]);
}

#[test]
fn growth_from_a_file_is_growth_in_memory() {
    let (mut world, _) = World::with_makers(8);
    let mut job = world.job(None);
    job.log.live_orders.clear();
    job.log.upkeep = Some(Upkeep { duty: Duty::Growth, read: 1 });
    let told = both(&mut world, &job);
    assert_eq!(told.last().map(|told| (told.done, told.of)), Some((4, 4)));
}

/// Other bytes from one reading on.
struct Fickle {
    bytes: Vec<u8>,
    from: u32,
    readings: u32,
}

impl ChunkSource for Fickle {
    fn len(&mut self) -> Result<u64, MediumError> {
        Ok(self.bytes.len() as u64)
    }

    fn is_fixed(&self) -> bool {
        false
    }

    fn load(&mut self, _: u32, _: u32) -> Result<&[u8], MediumError> {
        self.readings += 1;
        if self.readings == self.from {
            self.bytes[9] ^= 1;
        }
        Ok(&self.bytes)
    }
}

/// A table of one chunk stays open in the enclave; `ccc-core` has the test of one that is read again.
#[test]
fn a_host_that_changes_the_body_under_a_round_is_refused_or_is_not_asked_again() {
    let (mut world, _) = World::with_makers(9);
    let job = world.job(None);
    let body = world.table.clone().expect("a table").body;
    let mut changed = Fickle { bytes: body.clone(), from: 1, readings: 0 };
    match streamed(&mut world, &job, &mut changed) {
        Err(RoundError::Table(StructuralError::BodyRoot { .. })) => {}
        other => panic!("{:?}", other.map(|_| ())),
    }
    let mut honest = Fickle { bytes: body.clone(), from: u32::MAX, readings: 0 };
    let mut late = Fickle { bytes: body, from: 2, readings: 0 };
    let [made, again] = [&mut honest, &mut late].map(|host| streamed(&mut world, &job, host).expect("a round").1);
    assert_eq!((honest.readings, late.readings), (1, 1));
    assert_eq!(made.header.to_bytes(), again.header.to_bytes());
    assert!(made.body == again.body);
}
