//! What a signer of reports refuses: it reads every public fact again.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_chain::{conflict::Claim, status::Standing};
use ccc_core::{
    ciphertext::Ciphertext,
    enclave::{
        attestation::{
            AttestationProvider, Body, Policy, PolicyRefusal,
            simulated::{SimulatedHardware, SimulatedProvider},
            stated,
        },
        identity::{IdentityKey, IdentityRefusal},
    },
    report::{
        Accumulator, EnclaveAdmission, Payload, Report, ReportError, ReportSigner, Round, SignerSet, Statement,
        price_digest,
    },
    suite::{self, domain},
};
use ccc_enclave::{
    intake::{CollateralRequest, Log, Submission},
    result::AttestedResult,
};
use ccc_node::workflow_node::{
    Decision, Registered, RegistryView, Shown, SignerRefusal, SignerView, WorkflowNode,
    record::{NotRecorded, SignedRecord},
};
use ccc_store::MemoryRecords;
use std::sync::Arc;
use support::{
    pool::{self, BASE, BLOCK_HASH, Job, LOT, World, owner::Owner, statement},
    signing::{CONTEXT, origin},
};

fn signer(world: &World) -> WorkflowNode {
    signer_under(world, world.policy())
}

fn signer_under(world: &World, policy: Policy) -> WorkflowNode {
    WorkflowNode::new(ReportSigner::from_bytes(&[4; 32]).expect("a key"), policy, world.config.clone(), world.key())
}

/// What the host shows beside the last result.
fn shown(world: &World) -> Shown<'_> {
    Shown { request: world.asked.as_ref().expect("a request"), header: world.header() }
}

/// What an honest signer reads at the block of a job.
fn view(world: &World, job: &Job) -> SignerView {
    let header = world.header();
    SignerView {
        chain: world.config.chain,
        receivers: [world.config.reserve_attestation, world.config.pool],
        epoch: world.committee.epoch().0,
        now: world.time,
        inputs: world.inputs(),
        block_hash: BLOCK_HASH,
        log: world.log(job.log.collateral.clone()),
        header: header.map_or(([0; 32], 0), |header| (header.hash(), header.version())),
        latest: header.map_or(([0; 32], 0), |header| (header.hash(), header.version())),
        last_sequence: job.validity.sequence - 1,
        accumulator: Some(world.plan(world.log(None)).accumulator().value()),
        price_source: world.config.price_source,
        observations: job.observations.clone(),
        enclave: None,
    }
}

/// A round with a fill and a deposit, its result and the view that accepts it.
fn scene(seed: u64) -> (World, AttestedResult, SignerView) {
    let (mut world, makers) = World::with_makers(seed);
    world.deposit([1; 20], &makers[0], BASE, 5);
    let order = world.plain_order(25 * LOT);
    let request = world.request(&order);
    let job = world.job(Some(request));
    let view = view(&world, &job);
    let result = world.run(&job).expect("a round").result;
    (world, result, view)
}

/// The refusal of a signer that finds the result's sequence to be the next one.
fn sign(world: &World, result: &AttestedResult, view: &SignerView) -> Option<SignerRefusal> {
    let sequence = Payload::from_bytes(&result.payload).map_or(1, |payload| payload.binding.sequence);
    sign_as_is(world, result, &SignerView { last_sequence: sequence - 1, ..view.clone() })
}

fn sign_as_is(world: &World, result: &AttestedResult, view: &SignerView) -> Option<SignerRefusal> {
    signer(world).sign(result, shown(world), view, origin(), &CONTEXT).err()
}

#[test]
fn n119_a_signer_signs_nothing_that_contradicts_its_record() {
    let (world, result, view) = scene(31);
    let payload = Payload::from_bytes(&result.payload).expect("a payload");
    let Statement::Round(round) = payload.statement else { panic!("a round") };
    let open = || SignedRecord::open(Arc::new(MemoryRecords::new()), signer(&world).address()).expect("a record");
    let sign = |record: &Arc<SignedRecord>| {
        let node = signer(&world).with_record(Arc::clone(record));
        node.sign(&result, shown(&world), &view, origin(), &CONTEXT)
    };
    let kept = Arc::new(open());
    let (report, signature) = sign(&kept).expect("signed");
    assert_eq!(sign(&kept).expect("the same once more").1, signature);
    let again = |report: &Report| signer(&world).with_record(Arc::clone(&kept)).sign_again(report, &CONTEXT);
    let statement = Statement::Round(Round { header_hash: [9; 32], ..round });
    let other = Report::new(origin(), view.inputs.block_time, Payload { statement, ..payload }).expect("a report");
    assert_eq!([again(&report), again(&other)], [Some(signature), None], "what was judged, and nothing else");
    let before = Arc::new(open());
    before.keep(&other, &CONTEXT, view.inputs.block).expect("kept");
    let refused = sign(&before).err();
    let claim = match &refused {
        Some(SignerRefusal::NotRecorded(reason)) => match **reason {
            NotRecorded::Contradicts { claim, .. } => Some(claim),
            _ => None,
        },
        _ => None,
    };
    assert_eq!(claim, Some(Claim::Version(round.version)), "{refused:?}");
    assert!(!before.has(&report, &CONTEXT));
}

fn differs(refusal: Option<SignerRefusal>) -> &'static str {
    match refusal {
        Some(SignerRefusal::Differs { what }) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_honest_round_is_signed() {
    let (world, result, view) = scene(1);
    let (report, signature) =
        signer(&world).sign(&result, shown(&world), &view, origin(), &CONTEXT).expect("a signature");
    assert_eq!(report.payload().to_bytes(), result.payload);
    assert_eq!(signature.recover(&report.signing_digest(&CONTEXT)), Ok(signer(&world).address()));
}

#[test]
fn an_honest_reserve_check_is_signed_and_a_payout_with_the_header_that_debited_it() {
    let (mut world, _) = World::with_makers(2);
    let job = world.job(None);
    let result = world.check(&statement(1, 2)).expect("an answer").result;
    assert!(sign(&world, &result, &view(&world, &job)).is_none());
    let (who, reserve) = ([8; 20], Owner::new(1));
    let id = world.fresh_id(who);
    let paid = (pool::QUOTE, 10, [0xD0; 20]);
    let bytes = reserve.withdrawal(&world.config, &world.key(), (id, who), paid, reserve.account(), &mut world.rng);
    world.withdrawal_bytes(who, id, bytes);
    let job = world.job(None);
    let output = world.run(&job).expect("a round");
    let before = view(&world, &job);
    assert_eq!(output.payouts.len(), 1);
    assert_eq!(differs(sign(&world, &output.payouts[0], &before)), "the table header");
    let header = &output.table.header;
    let another = SignerView { latest: ([1; 32], header.version()), ..before.clone() };
    assert_eq!(differs(sign(&world, &output.payouts[0], &another)), "the table header");
    let view = SignerView { latest: (header.hash(), header.version()), ..before };
    assert!(sign(&world, &output.payouts[0], &view).is_none());
    let elsewhere = SignerView { receivers: [[0; 20]; 2], ..view };
    assert_eq!(differs(sign(&world, &output.payouts[0], &elsewhere)), "the receiver");
}

/// What a signer asks of a result before it counts it.
#[test]
fn a_result_by_itself_is_vouched_for_by_its_evidence_its_request_and_its_header() {
    let (world, result, view) = scene(3);
    let ask = |result: &AttestedResult, shown| signer(&world).vouched(result, shown, view.now).err();
    assert!(ask(&result, shown(&world)).is_none());
    let mut bent = result.clone();
    let middle = bent.evidence.len() / 2;
    bent.evidence[middle] ^= 1;
    assert!(matches!(ask(&bent, shown(&world)), Some(SignerRefusal::Policy(_))));
    let mut bent = result.clone();
    bent.payload[150] ^= 1;
    let refused = ask(&bent, shown(&world));
    assert!(matches!(refused, Some(SignerRefusal::Policy(PolicyRefusal::UserData) | SignerRefusal::Payload(_))));
    let request = ccc_core::vault::Request { id: [0xEE; 32], ..shown(&world).request.clone() };
    let other = Shown { request: &request, ..shown(&world) };
    assert!(matches!(ask(&result, other), Some(SignerRefusal::OtherRequest)));
    let without = Shown { header: None, ..shown(&world) };
    assert_eq!(differs(ask(&result, without)), "the table header");
}

#[test]
fn an_altered_payload_input_request_or_evidence_is_refused() {
    let (world, result, view) = scene(3);
    for byte in 0..result.payload.len() {
        let mut bent = result.clone();
        bent.payload[byte] ^= 1;
        match sign(&world, &bent, &view) {
            Some(SignerRefusal::Policy(PolicyRefusal::UserData) | SignerRefusal::Payload(_)) => {}
            other => panic!("byte {byte}: {other:?}"),
        }
    }
    let changes: [&dyn Fn(&mut AttestedResult); 5] = [
        &|result| result.inputs.block += 1,
        &|result| result.inputs.block_time += 1,
        &|result| result.inputs.custody += 1,
        &|result| result.inputs.consumed -= 1,
        &|result| result.inputs.accumulator[0] ^= 1,
    ];
    for change in changes {
        let mut bent = result.clone();
        change(&mut bent);
        let refused = sign(&world, &bent, &view);
        assert!(matches!(refused, Some(SignerRefusal::Policy(PolicyRefusal::UserData))), "{refused:?}");
    }
    let others: [&dyn Fn(&mut AttestedResult); 2] = [&|result| result.header[0] ^= 1, &|result| result.log[0] ^= 1];
    for change in others {
        let mut bent = result.clone();
        change(&mut bent);
        let refused = sign(&world, &bent, &view);
        assert!(matches!(refused, Some(SignerRefusal::Policy(PolicyRefusal::UserData))), "{refused:?}");
    }
    let mut bent = result.clone();
    bent.request[0] ^= 1;
    assert!(matches!(sign(&world, &bent, &view), Some(SignerRefusal::Policy(PolicyRefusal::Nonce))));
    for byte in 0..result.evidence.len() {
        let mut bent = result.clone();
        bent.evidence[byte] ^= 1;
        assert!(matches!(sign(&world, &bent, &view), Some(SignerRefusal::Policy(_))), "byte {byte}");
    }
    let mut missing = result.clone();
    missing.evidence.clear();
    let refused = sign(&world, &missing, &view);
    assert!(matches!(refused, Some(SignerRefusal::Policy(PolicyRefusal::Encoding(_)))));
    let mut short = result;
    short.payload.pop();
    assert!(matches!(sign(&world, &short, &view), Some(SignerRefusal::Payload(ReportError::PayloadLength { .. }))));
}

#[test]
fn n093_n097_n098_evidence_of_other_programs_or_times_is_refused() {
    let (world, result, view) = scene(4);
    let later = SignerView { now: world.time + 601, ..view.clone() };
    let refused = sign(&world, &result, &later);
    assert!(matches!(refused, Some(SignerRefusal::Policy(PolicyRefusal::Age { found: 601, max_age: 600 }))));
    let mut policy = world.policy();
    policy.measurements = vec![[1; 32]];
    let refused = signer_under(&world, policy).sign(&result, shown(&world), &view, origin(), &CONTEXT).err();
    assert!(matches!(refused, Some(SignerRefusal::Policy(PolicyRefusal::Measurement { listed: 1, .. }))));
    let debug =
        SimulatedProvider::new(SimulatedHardware::from_seed(&[9; 32]), world.config.measurement()).in_debug_mode();
    let mut inspected = result;
    inspected.evidence = attest(&debug, &inspected, world.time);
    assert!(matches!(sign(&world, &inspected, &view), Some(SignerRefusal::Policy(PolicyRefusal::Debug))));
}

/// A signer that admitted an enclave's identity, and a result that this signed.
fn admitted(world: &mut World, result: &mut AttestedResult, view: &mut SignerView) -> WorkflowNode {
    let (epoch, now) = (world.committee.epoch().0, world.time);
    let key = IdentityKey::generate(epoch, now + 600, &mut world.rng).expect("a key");
    let registry = RegistryView {
        chain: world.config.chain,
        registry: [6; 20],
        epoch,
        block_hash: BLOCK_HASH,
        block_time: now,
        now,
        last_sequence: 0,
    };
    let provider = SimulatedProvider::new(SimulatedHardware::from_seed(&[9; 32]), world.config.measurement());
    let challenge = registry.challenge();
    let attested = key.attest(&provider, &world.config.digest(), challenge.bytes(), now).expect("evidence");
    let mut node = signer(world).with_identities(epoch, 600);
    node.decide(Decision::Admit(&attested), &registry, origin(), &CONTEXT).expect("admitted");
    result.identity = Some(key.sign(&result.user_data(), now).expect("in time"));
    view.enclave = Some(Registered { signer: key.identity().signer, standing: Standing::Current });
    node
}

/// The fast path: of a known identity the evidence is not looked at, of an unknown one it is.
#[test]
fn a_known_identity_vouches_by_one_signature_and_an_unknown_one_by_its_evidence() {
    let (mut world, mut result, mut view) = scene(44);
    let node = admitted(&mut world, &mut result, &mut view);
    let stranger = signer(&world).with_identities(world.committee.epoch().0, 600);
    let sign = |node: &WorkflowNode, result: &AttestedResult| {
        node.sign(result, shown(&world), &view, origin(), &CONTEXT).map(drop)
    };
    assert!(sign(&node, &result).is_ok() && sign(&stranger, &result).is_ok());
    let last = result.evidence.len() - 1;
    result.evidence[last] ^= 1;
    assert!(sign(&node, &result).is_ok());
    let refused = sign(&stranger, &result);
    assert!(matches!(refused, Err(SignerRefusal::Policy(_))), "{refused:?}");
}

/// What the registry was asked has to be the one who signed, and in the signer's epoch, also where the signer forgot it.
#[test]
fn the_registrys_word_is_of_whoever_signed_the_result() {
    let (mut world, mut result, mut view) = scene(45);
    let node = admitted(&mut world, &mut result, &mut view);
    let sign = |node: &WorkflowNode, result: &AttestedResult, view: &SignerView| {
        node.sign(result, shown(&world), view, origin(), &CONTEXT).err()
    };
    let other = Registered { signer: [3; 20], standing: Standing::Current };
    let what = differs(sign(&node, &result, &SignerView { enclave: Some(other), ..view.clone() }));
    assert_eq!(what, "the enclave that the registry was asked for");
    let silent = SignerView { enclave: None, ..view.clone() };
    assert!(matches!(sign(&node, &result, &silent), Some(SignerRefusal::NotAsked)));
    let epoch = world.committee.epoch().0;
    let later = signer(&world).with_identities(epoch + 1, 600);
    let refused = sign(&later, &result, &view);
    let expected = IdentityRefusal::Epoch { expected: epoch + 1, found: epoch };
    assert!(matches!(&refused, Some(SignerRefusal::Identity(found)) if *found == expected), "{refused:?}");
    result.identity = None;
    assert!(matches!(sign(&node, &result, &silent), Some(SignerRefusal::NotAsked)));
    assert!(matches!(sign(&node, &result, &view), Some(SignerRefusal::Unsigned)));
}

/// Of four signers one's time is off. The three others are a quorum of two without it; with what they refuse it is alone.
#[test]
fn n110_one_signers_time_ten_minutes_off_neither_admits_nor_blocks() {
    let (world, fresh, view) = scene(43);
    let hardware = SimulatedHardware::from_seed(&[9; 32]);
    let provider = SimulatedProvider::new(hardware, world.config.measurement());
    let mut old = fresh.clone();
    old.evidence = attest(&provider, &old, world.time - 600);
    let policy = Policy { max_age: 300, ..world.policy() };
    let signs = |result: &AttestedResult, now: u64| {
        let view = SignerView { now, ..view.clone() };
        signer_under(&world, policy.clone()).sign(result, shown(&world), &view, origin(), &CONTEXT).is_ok()
    };
    let quorum = SignerSet { don_id: 1, config_version: 1, f: 1, signers: vec![[1; 20]; 4] }.quorum();
    for wrong in [world.time - 600, world.time + 600] {
        let times = [world.time, wrong, world.time, world.time];
        let count = |result| times.into_iter().filter(|now| signs(result, *now)).count();
        assert!(count(&fresh) == 3 && quorum <= 3, "not blocked at {wrong}");
        assert!(count(&old) < quorum, "not admitted at {wrong}");
    }
    assert!(signs(&old, world.time - 600), "the one that is behind takes it");
}

/// Evidence for a result, by the layout of `docs/spec/enclave.md`.
fn attest(provider: &SimulatedProvider, result: &AttestedResult, now: u64) -> Vec<u8> {
    let inputs = result.inputs.to_bytes();
    let fields: [&[u8]; 5] = [&result.request, &result.payload, &inputs, &result.header, &result.log];
    let user_data = suite::hash(domain::RESULT, &fields);
    provider.attest(&user_data, &result.request, now).expect("evidence")
}

#[test]
fn n116_a_payload_for_another_chain_receiver_or_epoch_is_refused() {
    let (world, result, view) = scene(5);
    let change = |change: &dyn Fn(&mut SignerView)| {
        let mut view = view.clone();
        change(&mut view);
        differs(sign(&world, &result, &view))
    };
    assert_eq!(change(&|view| view.chain += 1), "the chain");
    assert_eq!(change(&|view| view.receivers.swap(0, 1)), "the receiver");
    assert_eq!(change(&|view| view.epoch += 1), "the epoch");
}

#[test]
fn n120_an_expired_payload_is_refused() {
    let (mut world, _) = World::with_makers(6);
    let mut job = world.job(None);
    job.validity.valid_until = world.time;
    let result = world.run(&job).expect("a round").result;
    let view = view(&world, &job);
    assert!(sign(&world, &result, &view).is_none());
    let late = SignerView { now: world.time + 1, ..view };
    match sign(&world, &result, &late) {
        Some(SignerRefusal::Expired { valid_until, now }) => {
            assert_eq!((valid_until, now), (world.time, world.time + 1))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn n121_n123_n124_a_round_on_another_header_or_version_is_refused() {
    let (mut world, result, view) = scene(7);
    let another = SignerView { header: ([1; 32], view.header.1), ..view.clone() };
    assert_eq!(differs(sign(&world, &result, &another)), "the table header");
    let ahead = SignerView { header: (view.header.0, view.header.1 + 1), ..view.clone() };
    assert_eq!(differs(sign(&world, &result, &ahead)), "the table version");
    let last = SignerView { header: (view.header.0, u64::MAX), ..view.clone() };
    assert_eq!(differs(sign(&world, &result, &last)), "the table version");
    let job = world.job(None);
    let check = world.check(&statement(1, 2)).expect("an answer").result;
    let view = self::view(&world, &job);
    let another = SignerView { header: ([1; 32], view.header.1), ..view.clone() };
    assert_eq!(differs(sign(&world, &check, &another)), "the table header");
    let mut older = view;
    older.inputs.block -= 1;
    assert_eq!(differs(sign(&world, &check, &older)), "a public input");
}

#[test]
fn n143_an_invented_price_source_or_price_is_refused() {
    let (world, result, view) = scene(8);
    let mut view = view;
    view.observations[2].answer += 1;
    assert_eq!(differs(sign(&world, &result, &view)), "the price");
    view.observations.pop();
    assert_eq!(differs(sign(&world, &result, &view)), "the price");
    view.observations.clear();
    assert_eq!(differs(sign(&world, &result, &view)), "the price");
    view.price_source = [1; 20];
    assert_eq!(differs(sign(&world, &result, &view)), "the price source");
}

#[test]
fn a_price_read_at_another_block_than_the_rest_is_refused() {
    let (mut world, _) = World::with_makers(9);
    let job = world.job(None);
    let result = world.run(&job).expect("a round").result;
    let mut bent = result;
    let mut payload = Payload::from_bytes(&bent.payload).expect("a payload");
    if let Statement::Round(round) = &mut payload.statement {
        round.price_block -= 1;
    }
    bent.payload = payload.to_bytes();
    bent.evidence = attest(&world.provider, &bent, world.time);
    assert_eq!(differs(sign(&world, &bent, &view(&world, &job))), "the price block");
}

#[test]
fn invented_omitted_and_repeated_deposits_are_refused() {
    let (mut world, makers) = World::with_makers(10);
    world.deposit([1; 20], &makers[0], BASE, 5);
    world.deposit([2; 20], &makers[1], BASE, 6);
    let honest = world.job(None);
    let view = view(&world, &honest);
    let run = |world: &mut World, change: &dyn Fn(&mut Job)| {
        let mut job = world.job(None);
        change(&mut job);
        let result = world.run(&job).expect("a round").result;
        sign(world, &result, &view)
    };
    assert!(run(&mut world, &|_| {}).is_none());
    let invented = run(&mut world, &|job| job.log.boundary[0].amount += 1);
    assert_eq!(differs(invented), "the accumulator");
    let mut stranger = world.job(None).log.boundary[1].clone();
    stranger.submission.ciphertext = vec![1; 300];
    let added = run(&mut world, &|job| job.log.boundary.push(stranger.clone()));
    assert_eq!(differs(added), "the accumulator");
    let omitted = run(&mut world, &|job| drop(job.log.boundary.remove(0)));
    assert_eq!(differs(omitted), "the accumulator");
    let reordered = run(&mut world, &|job| job.log.boundary.swap(0, 1));
    assert_eq!(differs(reordered), "the accumulator");
}

#[test]
fn a_deposit_counted_twice_from_an_older_count_is_refused() {
    let (mut world, makers) = World::with_makers(11);
    world.deposit([1; 20], &makers[0], BASE, 5);
    let consumed = world.consumed;
    let mut job = world.job(None);
    job.log.consumed = Accumulator::default();
    job.log.boundary = world.boundary.clone();
    job.inputs.consumed = 0;
    job.inputs.accumulator = [0; 32];
    let result = world.run(&job).expect("the enclave cannot know").result;
    let view = view(&world, &job);
    let Statement::Round(round) = Payload::from_bytes(&result.payload).expect("a payload").statement else {
        panic!("a round");
    };
    assert_eq!(Some(round.accumulator), view.accumulator, "the end is the chain's");
    assert_eq!(view.inputs.consumed, consumed.count());
    assert_eq!(differs(sign(&world, &result, &view)), "a public input");
}

#[test]
fn a_custody_that_is_not_the_chains_is_refused() {
    let (mut world, _) = World::with_makers(12);
    let job = world.job(None);
    let view = view(&world, &job);
    world.custody += 1;
    let result = world.check(&statement(2, 2)).expect("an answer").result;
    assert_eq!(differs(sign(&world, &result, &view)), "a public input");
}

#[test]
fn an_unknown_count_of_operations_is_refused() {
    let (world, result, view) = scene(13);
    let view = SignerView { accumulator: None, ..view };
    assert_eq!(differs(sign(&world, &result, &view)), "the accumulator");
}

#[test]
fn a_kind_of_report_that_no_program_makes_is_refused() {
    let (world, result, view) = scene(14);
    let mut payload = Payload::from_bytes(&result.payload).expect("a payload");
    payload.statement = Statement::Enclave(EnclaveAdmission {
        measurement: [1; 32],
        box_key: [2; 32],
        signer: [3; 20],
        expiry: u64::MAX,
    });
    let mut other = result;
    other.payload = payload.to_bytes();
    other.evidence = attest(&world.provider, &other, world.time);
    assert_eq!(differs(sign(&world, &other, &view)), "the kind of report");
}

#[test]
fn observations_that_cannot_be_encoded_are_a_typed_refusal() {
    let (world, result, mut view) = scene(15);
    view.observations[0].round = 1 << 80;
    assert!(price_digest(&view.observations).is_err());
    let refused = sign(&world, &result, &view);
    assert!(matches!(refused, Some(SignerRefusal::Payload(ReportError::PriceRound { found })) if found == 1 << 80));
}

/// What a round is run on.
type Scene = (World, Option<CollateralRequest>, SignerView);

/// A pool whose first maker has replaced its order, and a new order of the second for a round without a request to read.
fn scene_with_a_replaced_order(seed: u64) -> Scene {
    let (mut world, makers) = World::with_makers(seed);
    world.order([1; 20], &makers[0], 4, 500);
    world.idle();
    world.order([2; 20], &makers[1], 7, 500);
    let view = view(&world, &world.job(None));
    (world, None, view)
}

/// The same when everything has been read, and an order of 25 lots to settle.
fn scene_with_a_request(seed: u64) -> Scene {
    let (mut world, ..) = scene_with_a_replaced_order(seed);
    world.idle();
    let order = world.plain_order(25 * LOT);
    let request = world.request(&order);
    let view = view(&world, &world.job(Some(request.clone())));
    (world, Some(request), view)
}

/// What an honest signer says to the round of a host that changed the log of its plan.
fn sign_changed(scene: Scene, change: impl FnOnce(&mut Log)) -> Option<SignerRefusal> {
    let (mut world, request, view) = scene;
    let mut job = world.job(request);
    change(&mut job.log);
    let result = world.run(&job).expect("the enclave cannot know").result;
    sign(&world, &result, &view)
}

fn digest_of(order: &Submission) -> [u8; 32] {
    Ciphertext::from_bytes(&order.ciphertext).expect("a ciphertext").digest()
}

#[test]
fn an_honest_list_of_orders_is_signed() {
    assert!(sign_changed(scene_with_a_replaced_order(30), |_| {}).is_none());
    assert!(sign_changed(scene_with_a_request(30), |_| {}).is_none());
}

#[test]
fn a_left_out_order_is_refused() {
    let scene = scene_with_a_replaced_order(31);
    let missing = digest_of(&scene.0.orders[2]);
    match sign_changed(scene, |log| drop(log.live_orders.remove(2))) {
        Some(SignerRefusal::LeftOut { index: 3, digest }) => assert_eq!(digest, missing),
        other => panic!("{other:?}"),
    }
    let scene = scene_with_a_replaced_order(32);
    let missing = digest_of(&scene.0.orders[4]);
    match sign_changed(scene, |log| log.new_orders.clear()) {
        Some(SignerRefusal::LeftOut { index: 5, digest }) => assert_eq!(digest, missing),
        other => panic!("{other:?}"),
    }
}

#[test]
fn n135_an_order_revived_by_hiding_its_replacement_is_refused() {
    let scene = scene_with_a_replaced_order(33);
    let replacement = digest_of(&scene.0.orders[3]);
    match sign_changed(scene, |log| drop(log.live_orders.pop())) {
        Some(SignerRefusal::LeftOut { index: 4, digest }) => assert_eq!(digest, replacement),
        other => panic!("{other:?}"),
    }
}

#[test]
fn n135_an_order_revived_as_a_new_one_is_refused() {
    let scene = scene_with_a_replaced_order(34);
    let expected = scene.2.log.digest(scene.0.time);
    let mut revived = scene.2.log.clone();
    revived.new_orders.insert(0, revived.live_orders.pop().expect("an order"));
    let changed = revived.digest(scene.0.time);
    match sign_changed(scene, |log| *log = revived) {
        Some(SignerRefusal::OtherLog { expected: ours, found }) => assert_eq!((ours, found), (expected, changed)),
        other => panic!("{other:?}"),
    }
    let first_again = |log: &mut Log| log.new_orders.push(log.live_orders.remove(0));
    let refused = sign_changed(scene_with_a_replaced_order(35), first_again);
    assert!(matches!(refused, Some(SignerRefusal::Moved { index: 1 })), "{refused:?}");
}

#[test]
fn a_new_order_taken_for_one_that_has_its_reservation_is_refused() {
    let early = |log: &mut Log| log.live_orders.append(&mut log.new_orders);
    let refused = sign_changed(scene_with_a_replaced_order(36), early);
    assert!(matches!(refused, Some(SignerRefusal::OtherLog { .. })), "{refused:?}");
}

#[test]
fn a_reordered_list_of_orders_is_refused() {
    let refused = sign_changed(scene_with_a_replaced_order(37), |log| log.live_orders.swap(0, 3));
    assert!(matches!(refused, Some(SignerRefusal::Moved { index: 1 })), "{refused:?}");
}

#[test]
fn an_order_that_the_chain_does_not_have_is_refused() {
    let mut scene = scene_with_a_replaced_order(38);
    let maker = Owner::new(4);
    scene.0.order([3; 20], &maker, 30, 1);
    let added = scene.0.orders.pop().expect("an order");
    let digest = digest_of(&added);
    match sign_changed(scene, |log| log.new_orders.push(added)) {
        Some(SignerRefusal::Added { index: 6, digest: found }) => assert_eq!(found, digest),
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_deadline_or_request_than_the_chains_is_refused() {
    let later = |log: &mut Log| log.collateral.as_mut().expect("a request").deadline += 1;
    let refused = sign_changed(scene_with_a_request(39), later);
    assert!(matches!(refused, Some(SignerRefusal::OtherLog { .. })), "{refused:?}");
    let (mut world, request, mut view) = scene_with_a_request(40);
    let result = world.run(&world.job(request)).expect("a round").result;
    view.log.collateral = None;
    assert_eq!(differs(sign(&world, &result, &view)), "the collateral request");
}

#[test]
fn a_request_that_the_result_does_not_answer_is_refused() {
    let (mut world, result, view) = scene(41);
    world.asked.as_mut().expect("a request").deadline += 1;
    let refused = sign(&world, &result, &view);
    assert!(matches!(refused, Some(SignerRefusal::OtherRequest)), "{refused:?}");
}

#[test]
fn a_table_header_that_the_request_does_not_name_is_refused() {
    let (mut world, result, view) = scene(42);
    let request = world.asked.clone().expect("a request");
    let other = world.run(&world.job(None)).expect("another version").table;
    for header in [None, Some(&other.header)] {
        let shown = Shown { request: &request, header };
        let refused = signer(&world).sign(&result, shown, &view, origin(), &CONTEXT).err();
        assert_eq!(differs(refused), "the table header");
    }
}

#[test]
fn a_round_or_reserve_check_at_another_block_than_its_request_is_refused() {
    let (mut world, result, view) = scene(43);
    let elsewhere = SignerView { block_hash: [0xBC; 32], ..view };
    assert_eq!(differs(sign(&world, &result, &elsewhere)), "the block of the request");
    let view = self::view(&world, &world.job(None));
    let check = world.check(&statement(1, 2)).expect("an answer").result;
    assert!(sign(&world, &check, &view).is_none());
    let elsewhere = SignerView { block_hash: [0xBC; 32], ..view };
    assert_eq!(differs(sign(&world, &check, &elsewhere)), "the block of the request");
}

#[test]
fn a_jumped_or_repeated_sequence_and_a_distant_expiry_are_refused() {
    let (world, result, view) = scene(21);
    for last_sequence in [view.last_sequence - 1, view.last_sequence + 1, u64::MAX] {
        let other = SignerView { last_sequence, ..view.clone() };
        assert_eq!(differs(sign_as_is(&world, &result, &other)), "the sequence");
    }
    let early = SignerView { now: view.now - 3_600, ..view };
    assert!(sign(&world, &result, &early).is_some());
}

/// A policy may list the configurations of several pools: a signer looks for its own pool's alone.
#[test]
fn n106_hardware_under_another_pools_configuration_is_refused() {
    let (world, mut result, view) = scene(22);
    let vectors = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/attestation/snp");
    let text = std::fs::read_to_string(vectors.join("report_milan.hex")).expect("a report");
    let report = hex::decode(text.trim()).expect("hexadecimal").try_into().expect("1184 bytes");
    let vcek = std::fs::read(vectors.join("vcek_milan.der")).expect("a certificate");
    result.evidence = Body::Snp { report: &report, vcek: &vcek }.to_bytes().expect("short");
    let view = SignerView { now: 1_700_000_000, ..view };
    let refused = |configurations| {
        let mut policy = world.policy();
        policy.measurements = vec![stated(&result.evidence).expect("evidence").measurement];
        policy.hardware.configurations = configurations;
        match signer_under(&world, policy).sign(&result, shown(&world), &view, origin(), &CONTEXT).err() {
            Some(SignerRefusal::Policy(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    };
    // the report is genuine and speaks of no result: the refusals tell which configurations were looked for in it
    let (own, other) = (world.config.digest(), [9; 32]);
    assert_eq!(refused(vec![other]), PolicyRefusal::NoConfiguration);
    assert_eq!(refused(vec![other, own]), PolicyRefusal::UserData);
}
