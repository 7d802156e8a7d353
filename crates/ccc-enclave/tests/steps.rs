//! What a host counts of a round beside its sizes: which chunks are read and written, in which order, and how much
//! randomness is drawn. A round that fails takes the steps of one that fills.

#![allow(clippy::expect_used, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_core::{
    enclave::attestation::simulated::{SimulatedHardware, SimulatedProvider},
    report::{Payload, Statement},
    table::{ChunkSink, ChunkSource, FileSink, FileSource, MediumError, Outputs, PlaceSink},
};
use ccc_enclave::{
    attempt::Enclave,
    reserve::Validity,
    round::{Current, Phase, RoundInput},
};
use rand::{Rng, SeedableRng, TryCryptoRng, TryRng, rngs::StdRng};
use std::{cell::RefCell, convert::Infallible, io::Cursor};
use support::{Job, LOT, PRICE, World, owner::Owner};

/// Something that a host sees.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Length,
    Load { first: u32, count: u32 },
    Space { first: u32, count: u32 },
    Keep,
    Place { offset: u64, length: usize },
    Draw { length: usize },
    Told(Phase),
    Progress { done: u64, of: u64 },
}

type Trace = RefCell<Vec<Step>>;

/// What writes down each use of it.
struct Traced<'t, T> {
    inner: T,
    trace: &'t Trace,
}

impl<T: ChunkSource> ChunkSource for Traced<'_, T> {
    fn len(&mut self) -> Result<u64, MediumError> {
        self.trace.borrow_mut().push(Step::Length);
        self.inner.len()
    }

    fn is_fixed(&self) -> bool {
        self.inner.is_fixed()
    }

    fn load(&mut self, first: u32, count: u32) -> Result<&[u8], MediumError> {
        self.trace.borrow_mut().push(Step::Load { first, count });
        self.inner.load(first, count)
    }
}

impl<T: ChunkSink> ChunkSink for Traced<'_, T> {
    fn space(&mut self, first: u32, count: u32) -> Result<&mut [u8], MediumError> {
        self.trace.borrow_mut().push(Step::Space { first, count });
        self.inner.space(first, count)
    }

    fn keep(&mut self) -> Result<(), MediumError> {
        self.trace.borrow_mut().push(Step::Keep);
        self.inner.keep()
    }
}

impl<T: PlaceSink> PlaceSink for Traced<'_, T> {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), MediumError> {
        self.trace.borrow_mut().push(Step::Place { offset, length: bytes.len() });
        self.inner.write_at(offset, bytes)
    }
}

impl TryRng for Traced<'_, StdRng> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.trace.borrow_mut().push(Step::Draw { length: 4 });
        Ok(self.inner.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.trace.borrow_mut().push(Step::Draw { length: 8 });
        Ok(self.inner.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.trace.borrow_mut().push(Step::Draw { length: bytes.len() });
        self.inner.fill_bytes(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Traced<'_, StdRng> {}

/// What a round for this job does, and whether it fills.
fn traced(world: &mut World, job: &Job) -> (bool, Vec<Step>) {
    let hardware = SimulatedHardware::from_seed(&[9; 32]);
    let provider = SimulatedProvider::new(hardware, world.config.measurement());
    let enclave = Enclave::new(world.config.clone(), &provider).expect("a configuration");
    let table = world.table.clone().expect("a table");
    let mut plan = world.plan(job.log.clone());
    let request = world.vault_request(Some(table.header.hash()), plan.digests());
    let opened = world.open(&enclave, request, &mut plan);
    let trace = &Trace::default();
    let told = |phase| trace.borrow_mut().push(Step::Told(phase));
    let input = RoundInput {
        observations: &job.observations,
        price_block: job.inputs.block,
        inputs: job.inputs.clone(),
        validity: Validity { sequence: 1, valid_until: 1 },
        payout_sequence: 1,
        progress: &told,
    };
    let mut body = Traced { inner: FileSource::new(Cursor::new(table.body)), trace };
    let (mut new_body, mut sidecar) = (Cursor::new(vec![]), Cursor::new(vec![]));
    let outputs = Outputs {
        body: &mut Traced { inner: FileSink::new(&mut new_body), trace },
        sidecar: &mut Traced { inner: FileSink::new(&mut sidecar), trace },
        progress: &mut |progress| {
            let (done, of) = (progress.done.into(), progress.of.into());
            trace.borrow_mut().push(Step::Progress { done, of });
        },
    };
    let current = Some(Current { header: &table.header, body: &mut body });
    let mut rng = Traced { inner: StdRng::seed_from_u64(5), trace };
    let round = opened.round_to(&plan, current, &input, outputs, &mut rng).expect("a round");
    let payload = Payload::from_bytes(&round.result.payload).expect("a payload");
    let success = matches!(payload.statement, Statement::Round(round) if round.success);
    (success, trace.take())
}

#[test]
fn n139_a_round_that_fails_reads_writes_and_draws_as_one_that_fills() {
    let (mut world, _) = World::with_makers(5);
    let order = world.plain_order(25 * LOT);
    let request = world.request(&order);
    let job = world.job(Some(request));
    let (success, filled) = traced(&mut world, &job);
    assert!(success);
    let written = |step: &Step| matches!(step, Step::Place { .. } | Step::Keep | Step::Draw { .. });
    assert!(
        filled.iter().filter(|step| written(step)).count() > 4 && filled.contains(&Step::Load { first: 0, count: 1 })
    );
    let changed = |change: fn(&mut ccc_enclave::instruction::CollateralOrder)| {
        let mut order = order.clone();
        change(&mut order);
        order.to_bytes()
    };
    let orders = [
        ("more than the makers have", changed(|order| order.size = 61 * LOT)),
        ("the greatest number", changed(|order| order.size = u64::MAX)),
        ("a spread below every maker's", changed(|order| order.spread = [1, 1])),
        ("a least total above the makers'", changed(|order| order.minimum_total = 61 * LOT)),
        ("no order", b"no order".to_vec()),
        ("an instruction of another kind", Owner::new(2).terms(LOT, 1).to_bytes()),
    ];
    for (name, plaintext) in orders {
        let request = world.request_bytes(&plaintext);
        let job = world.job(Some(request));
        assert_eq!(traced(&mut world, &job), (false, filled.clone()), "{name}");
    }
    let request = world.request(&order);
    let mut collar = world.job(Some(request));
    collar.observations[4].answer = PRICE * 104;
    assert_eq!(traced(&mut world, &collar), (false, filled), "the last price outside the collar");
}
