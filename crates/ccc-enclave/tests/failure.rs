//! Rounds that fail: those that end in the shape of a success, and those that do not happen.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_core::{
    enclave::attestation::simulated::{SimulatedHardware, SimulatedProvider},
    report::{Accumulator, Payload, PriceObservation, Round, Statement},
    table::{
        AccountId, AssetId, AssetRule, BoundaryOperation, Header, ResultCode, SealedTable, StructuralError, Update,
    },
    vault::RequestError,
};
use ccc_enclave::{
    agent::ENVELOPE_LEN,
    attempt::{Enclave, OpenedAttempt},
    config::EnclaveConfig,
    instruction::{DepositInstruction, WithdrawalInstruction},
    intake::{BoundaryEvent, CollateralRequest, Log, PlanError, RoundPlan, Submission},
    reserve::Validity,
    round::{Phase, RoundError, RoundInput, RoundOutput},
};
use std::cell::RefCell;
use support::{BASE, Job, LOT, PRICE, QUOTE, World, committee, noise, owner::Owner};

fn round_of(output: &RoundOutput) -> Round {
    match Payload::from_bytes(&output.result.payload).expect("a payload").statement {
        Statement::Round(round) => round,
        other => panic!("{other:?}"),
    }
}

/// Everything about an output that the outside sees and that is not a ciphertext or a hash.
fn shape(output: &RoundOutput) -> [usize; 6] {
    let table = &output.table;
    let sizes = [table.header.to_bytes().len(), table.body.len(), table.sidecar.len()];
    let [header, body, sidecar] = sizes;
    [header, body, sidecar, output.result.payload.len(), output.result.evidence.len(), output.payouts.len()]
}

fn hardware(config: &EnclaveConfig) -> SimulatedProvider {
    SimulatedProvider::new(SimulatedHardware::from_seed(&[9; 32]), config.measurement())
}

fn moved(change: impl Fn(&mut PriceObservation)) -> impl Fn(&mut Job) {
    move |job: &mut Job| job.observations.iter_mut().for_each(&change)
}

type Change = Box<dyn Fn(&mut Job)>;

/// The failures of a round: a name, the plaintext of the order, and what else differs.
fn failures(world: &World) -> Vec<(&'static str, Vec<u8>, Change)> {
    let order = |change: &dyn Fn(&mut ccc_enclave::instruction::CollateralOrder)| {
        let mut order = world.plain_order(25 * LOT);
        change(&mut order);
        order.to_bytes()
    };
    let plain = order(&|_| {});
    let unchanged = || -> Change { Box::new(|_| {}) };
    vec![
        ("more than the makers have", order(&|order| order.size = 61 * LOT), unchanged()),
        ("more than the supply", order(&|order| order.size = 1 << 52), unchanged()),
        ("the greatest number", order(&|order| order.size = u64::MAX), unchanged()),
        ("nothing", order(&|order| order.size = 0), unchanged()),
        ("a least total above the makers'", order(&|order| order.minimum_total = 61 * LOT), unchanged()),
        ("a spread below every maker's", order(&|order| order.spread = [1, 1]), unchanged()),
        ("a spread outside its range", order(&|order| order.spread = [u16::MAX, u16::MAX]), unchanged()),
        ("a dispersion that nobody may fill", order(&|order| order.dispersion = [1, 1]), unchanged()),
        ("a dispersion above the whole", order(&|order| order.dispersion = [10_001, 10_001]), unchanged()),
        ("no tier", order(&|order| order.tiers = 0), unchanged()),
        ("another deadline than the order's", order(&|order| order.times[1] += 1), unchanged()),
        ("no order", b"no order".to_vec(), unchanged()),
        ("an empty plaintext", Vec::new(), unchanged()),
        ("one byte too many", [plain.clone(), vec![0]].concat(), unchanged()),
        ("an instruction of another kind", Owner::new(2).terms(LOT, 1).to_bytes(), unchanged()),
        ("n143: a stale price", plain.clone(), Box::new(moved(|seen| seen.updated_at -= 700))),
        ("n143: no price", plain.clone(), Box::new(|job: &mut Job| job.observations.clear())),
        ("n136: the last price outside the collar", plain.clone(), {
            Box::new(|job: &mut Job| job.observations[4].answer = PRICE * 104)
        }),
        ("n136: a price of zero", plain.clone(), Box::new(moved(|seen| seen.answer = 0))),
        ("n136: a negative price", plain.clone(), Box::new(moved(|seen| seen.answer = -seen.answer))),
        ("n136: a price out of range", plain, Box::new(moved(|seen| seen.answer = i128::MAX))),
    ]
}

#[test]
fn n136_n139_n143_every_failure_has_the_shape_of_a_success() {
    let (mut world, _) = World::with_makers(1);
    let order = world.plain_order(25 * LOT);
    let request = world.request(&order);
    let job = world.job(Some(request));
    let success = world.run(&job).expect("a round");
    assert!(round_of(&success).success);
    let rows = rows(&mut world, None);
    for (name, plaintext, change) in failures(&world) {
        let request = world.request_bytes(&plaintext);
        let id = request.submission.id;
        let mut job = world.job(Some(request));
        change(&mut job);
        let output = world.run(&job).expect(name);
        let round = round_of(&output);
        assert_eq!((round.success, round.version, round.request_id), (false, 3, id), "{name}");
        assert_eq!(shape(&output), shape(&success), "{name}");
        assert_eq!(self::rows(&mut world, Some(&output)), rows, "{name}");
    }
}

/// Every owner's amounts and reservations.
fn rows(world: &mut World, output: Option<&RoundOutput>) -> Vec<Option<(u128, u64)>> {
    let rows = match output {
        Some(output) => world.rows_of(&output.table),
        None => world.rows(),
    };
    let wanted = (1..5).map(Owner::new).flat_map(|owner| [BASE, QUOTE].map(|asset| (owner.account(), asset)));
    wanted
        .map(|(account, asset)| rows.find(AccountId(account), AssetId(asset)).map(|row| (row.amount, row.reserved)))
        .collect()
}

#[test]
fn n129_a_reserve_that_cannot_pay_gets_nothing_and_nobody_sells() {
    let mut world = World::new(2);
    let (maker, reserve) = (Owner::new(2), Owner::new(1));
    world.deposit([1; 20], &maker, BASE, u128::from(10 * LOT));
    world.order([1; 20], &maker, 10, 1_000);
    world.deposit(reserve.account(), &reserve, QUOTE, 100);
    world.idle();
    let order = world.plain_order(10 * LOT);
    let request = world.request(&order);
    let output = world.round(Some(request));
    assert!(!round_of(&output).success);
    assert_eq!(world.rows().result_code(), ResultCode::Insufficient);
    assert_eq!(world.balance(maker.account(), BASE), (u128::from(10 * LOT), 10));
    assert_eq!(world.balance(reserve.account(), QUOTE), (100, 0));
}

#[test]
fn n139_progress_is_told_alike_in_every_round() {
    let (mut world, _) = World::with_makers(3);
    let phases = |world: &mut World, collateral: Option<CollateralRequest>| {
        let told = RefCell::new(Vec::new());
        let job = world.job(collateral);
        let provider = hardware(&world.config);
        let enclave = Enclave::new(world.config.clone(), &provider).expect("a configuration");
        let (opened, plan) = open(world, &enclave, &job);
        let table = world.table.clone().expect("a table");
        let progress = |phase: Phase| told.borrow_mut().push(phase);
        let input = RoundInput { progress: &progress, ..input(&job) };
        opened.round(&plan, parts(&table), &input, &mut world.rng).expect("a round");
        told.into_inner()
    };
    let order = world.plain_order(25 * LOT);
    let request = world.request(&order);
    let garbage = world.request_bytes(b"garbage");
    for collateral in [None, Some(request), Some(garbage)] {
        assert_eq!(phases(&mut world, collateral), [Phase::Clearing, Phase::Settlement]);
    }
}

fn open<'e>(world: &mut World, enclave: &'e Enclave<'_>, job: &Job) -> (OpenedAttempt<'e>, RoundPlan) {
    let mut plan = world.plan(job.log.clone());
    let head = world.header().map(Header::hash);
    let request = world.vault_request(head, plan.digests());
    (world.open(enclave, request, &mut plan), plan)
}

fn parts(table: &SealedTable) -> Option<(&Header, &[u8])> {
    Some((&table.header, table.body.as_slice()))
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

#[test]
fn a_host_that_starts_from_an_older_count_is_refused() {
    let (mut world, makers) = World::with_makers(4);
    world.deposit([1; 20], &makers[0], BASE, 5);
    let mut job = world.job(None);
    let consumed = job.log.consumed.count();
    job.log.consumed = Accumulator::default();
    job.log.boundary = world.boundary.clone();
    assert_eq!(world.plan(job.log.clone()).accumulator(), world.plan(world.log(None)).accumulator());
    match world.run(&job) {
        Err(RoundError::OtherLog { expected, found }) => assert_eq!((expected, found), (consumed, 0)),
        other => panic!("{:?}", other.map(|_| ())),
    }
    let mut job = world.job(None);
    job.inputs.accumulator = [1; 32];
    assert!(matches!(world.run(&job), Err(RoundError::OtherLog { .. })));
    assert!(world.run(&world.job(None)).is_ok());
}

#[test]
fn invented_omitted_and_repeated_deposits_end_in_another_accumulator() {
    let (mut world, makers) = World::with_makers(5);
    world.deposit([1; 20], &makers[0], BASE, 5);
    world.deposit([2; 20], &makers[1], BASE, 6);
    let honest = world.log(None);
    let value = |log: ccc_enclave::intake::Log| *world.plan(log).accumulator();
    let chain = value(honest.clone());
    let mut invented = honest.clone();
    invented.boundary[0].amount += 1;
    let mut reordered = honest.clone();
    reordered.boundary.swap(0, 1);
    let mut omitted = honest.clone();
    omitted.boundary.remove(0);
    let mut repeated = honest.clone();
    repeated.boundary.push(honest.boundary[0].clone());
    for log in [invented, reordered, omitted, repeated.clone()] {
        assert_ne!(value(log), chain);
    }
    let plan = world.plan(repeated);
    let request = world.vault_request(None, plan.digests());
    assert_eq!(request.check(), Err(RequestError::Repeated { index: plan.digests().len() - 1 - 3 }));
}

#[test]
fn orders_beyond_the_slots_wait_and_bytes_alone_take_none() {
    let (world, _) = World::with_makers(6);
    let (key, header, now) = (world.key(), world.header().cloned().expect("a header"), world.time);
    let digests = |config: &EnclaveConfig, log: Log| {
        RoundPlan::new(config, &key, Some(&header), log, now).expect("a plan").digests().to_vec()
    };
    let honest = digests(&world.config, world.log(None));
    let mut flooded = world.log(None);
    flooded.new_orders.extend((0..40).map(|id| Submission { id: [id; 32], who: [1; 20], ciphertext: vec![id] }));
    flooded.live_orders.insert(0, Submission { id: [99; 32], who: [1; 20], ciphertext: Vec::new() });
    assert_eq!(digests(&world.config, flooded), honest);
    let narrow = EnclaveConfig { order_slots: 2, ..world.config.clone() };
    assert_eq!(digests(&narrow, world.log(None)), honest[..honest.len() - 1]);
}

#[test]
fn plans_outside_the_pool_are_refused() {
    let (mut world, makers) = World::with_makers(6);
    let (key, header, now) = (world.key(), world.header().cloned().expect("a header"), world.time);
    let plan = |world: &World, log| RoundPlan::new(&world.config, &key, Some(&header), log, now).err();
    let mut log = world.log(None);
    let submission = Submission { id: [1; 32], who: [1; 20], ciphertext: vec![1] };
    let kind = ccc_core::report::OperationKind::Deposit;
    log.boundary.push(BoundaryEvent { kind, asset: 2, amount: 1, submission });
    assert!(matches!(plan(&world, log), Some(PlanError::Asset { index: 0, asset: 2 })));
    let order = world.plain_order(LOT).to_bytes();
    let mut moved = world.request_bytes(&order);
    moved.submission.id = [7; 32];
    let mut other_requester = world.request_bytes(&order);
    other_requester.submission.who = [7; 20];
    let mut noisy = world.request_bytes(&order);
    noisy.submission.ciphertext = noise(&mut world.rng, 300);
    let mut altered = world.request_bytes(&order);
    *altered.submission.ciphertext.last_mut().expect("bytes") ^= 1;
    for request in [moved, other_requester, noisy, altered] {
        assert!(matches!(plan(&world, world.log(Some(request))), Some(PlanError::Order { .. })));
    }
    world.config.chain += 1;
    let request = world.request_bytes(&order);
    world.config.chain -= 1;
    assert!(matches!(plan(&world, world.log(Some(request))), Some(PlanError::Order { .. })));
    let (other, _) = committee(77);
    let foreign = RoundPlan::new(&world.config, other.master_public_key(), Some(&header), world.log(None), now);
    assert!(matches!(foreign.err(), Some(PlanError::TableKey(_))));
    drop(makers);
}

#[test]
fn a_ciphertext_past_its_expiry_is_left_out() {
    let (mut world, _) = World::with_makers(7);
    world.time = support::EXPIRY;
    assert_eq!(world.plan(world.log(None)).digests().len(), 4);
    world.time += 1;
    assert_eq!(world.plan(world.log(None)).digests().len(), 1);
}

#[test]
fn a_deposit_without_a_row_ends_the_round_and_stays_unconsumed() {
    let (mut world, makers) = World::with_makers(8);
    let rules: Vec<_> = world.config.assets.iter().map(|asset| AssetRule { lot: asset.lot }).collect();
    let (key, rows) = (world.key(), world.rows());
    let fill = (1..=1_024 - rows.used_rows()).map(|number: u32| {
        let mut account = [0xEE; 20];
        account[..4].copy_from_slice(&number.to_be_bytes());
        BoundaryOperation::Register { account: AccountId(account), reading_key: [1; 32] }
    });
    let fill: Vec<_> = fill.collect();
    let update = Update::Round { boundary: &fill, deltas: &[], k: 16, assets: &rules };
    let full = rows.apply(&update, &key, &mut world.rng).expect("an update");
    assert!(full.boundary.iter().all(Result::is_ok));
    world.table = Some(full.table);
    world.deposit([1; 20], &makers[0], BASE, 5);
    let known = world.job(None);
    assert!(world.run(&known).is_ok(), "an account that has its rows");
    world.deposit([9; 20], &Owner::new(9), BASE, 5);
    let job = world.job(None);
    match world.run(&job) {
        Err(RoundError::Deposit { index, code }) => assert_eq!((index, code), (1, ResultCode::Full)),
        other => panic!("{:?}", other.map(|_| ())),
    }
}

#[test]
fn n124_another_plan_or_header_than_the_requests_is_refused() {
    let (mut world, makers) = World::with_makers(9);
    let old = world.table.clone().expect("a table");
    let job = world.job(None);
    let provider = hardware(&world.config);
    let enclave = Enclave::new(world.config.clone(), &provider).expect("a configuration");
    let (opened, _) = open(&mut world, &enclave, &job);
    world.deposit([1; 20], &makers[0], BASE, 5);
    let other = world.plan(world.log(None));
    let result = opened.round(&other, parts(&old), &input(&job), &mut world.rng);
    assert!(matches!(result.err(), Some(RoundError::OtherPlan)));
    world.idle();
    let current = world.table.clone().expect("a table");
    let job = world.job(None);
    let (opened, plan) = open(&mut world, &enclave, &job);
    let result = opened.round(&plan, parts(&old), &input(&job), &mut world.rng);
    assert!(matches!(result.err(), Some(RoundError::OtherHeader)));
    let (opened, plan) = open(&mut world, &enclave, &job);
    let mut bent = current.clone();
    bent.body[70_000 % current.body.len()] ^= 1;
    let result = opened.round(&plan, parts(&bent), &input(&job), &mut world.rng);
    assert!(matches!(result.err(), Some(RoundError::Table(StructuralError::BodyRoot { .. }))));
    let (opened, plan) = open(&mut world, &enclave, &job);
    let short = ccc_core::table::SealedTable { body: current.body[1..].to_vec(), ..current };
    let result = opened.round(&plan, parts(&short), &input(&job), &mut world.rng);
    assert!(matches!(result.err(), Some(RoundError::Table(StructuralError::Length { .. }))));
}

#[test]
fn observations_that_cannot_be_reported_end_the_round() {
    let (mut world, _) = World::with_makers(10);
    let mut job = world.job(None);
    job.observations[0].round = 1 << 80;
    assert!(matches!(world.run(&job), Err(RoundError::Report(_))));
}

#[test]
fn layouts_have_the_lengths_of_the_specification() {
    let world = World::empty(16);
    let owner = Owner::new(2);
    let deposit = DepositInstruction { account: [0; 20], reading_key: [0; 32], signature: [0; 65] };
    let withdrawal =
        WithdrawalInstruction { account: [0; 20], asset: 0, amount: 0, recipient: [0; 20], signature: [0; 65] };
    assert_eq!(world.plain_order(1).to_bytes().len(), 82);
    assert_eq!(owner.terms(1, 1).to_bytes().len(), 133);
    assert_eq!(deposit.to_bytes().len(), 119);
    assert_eq!(withdrawal.to_bytes().len(), 127);
    assert_eq!(world.inputs().to_bytes().len(), 72);
    assert_eq!(ENVELOPE_LEN, 120);
}

#[test]
fn n029_n036_instructions_are_read_strictly_or_move_nothing() {
    let (mut world, makers) = World::with_makers(17);
    let who = [8; 20];
    let id = world.fresh_id(who);
    let label = ccc_enclave::intake::label(&world.config, id, who, support::EXPIRY);
    let mut valid =
        DepositInstruction { account: makers[0].account(), reading_key: makers[0].reading_key(), signature: [0; 65] };
    valid.signature = makers[0].sign(&label, &valid.unsigned());
    let valid = valid.to_bytes();
    let mut version = valid.clone();
    version[0] = 2;
    let mut kind = valid.clone();
    kind[1] = 4;
    let mut high = valid.clone();
    *high.last_mut().expect("bytes") = 27;
    let lengths = [1, 54, 118].map(|length| valid[..length].to_vec());
    let broken = [vec![], version, kind, high, [valid.clone(), vec![0]].concat()].into_iter().chain(lengths);
    for plaintext in broken {
        let bytes = support::owner::encrypt(&world.key(), &label, &plaintext, &mut world.rng);
        assert_eq!(credited(&mut world, who, id, bytes), (0, 5));
    }
    let bytes = support::owner::encrypt(&world.key(), &label, &valid, &mut world.rng);
    assert_eq!(credited(&mut world, who, id, bytes), (5, 0));
}

/// What a deposit of 5 with this ciphertext adds to maker 1's account, and to the payer's.
fn credited(world: &mut World, who: [u8; 20], id: [u8; 32], bytes: Vec<u8>) -> (u128, u128) {
    let maker = Owner::new(2).account();
    let (before, logged) = (world.balance(maker, BASE).0, world.boundary.len());
    world.deposit_bytes(who, BASE, 5, id, bytes);
    let job = world.job(None);
    let output = world.run(&job).expect("a round");
    world.boundary.truncate(logged);
    let rows = world.rows_of(&output.table);
    let amount = |account| rows.find(AccountId(account), AssetId(BASE)).map_or(0, |row| row.amount);
    (amount(maker) - before, amount(who))
}
