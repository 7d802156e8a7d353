//! Attempts: for whom they are, with which keys they open, and who is named; configurations and their measurement.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_core::{
    enclave::{
        AttemptKeys,
        attestation::simulated::{SimulatedHardware, SimulatedProvider},
    },
    encoding::Kind,
    envelope::Envelope,
    report::{Payload, Statement},
    table::{AuditorSet, Header, TableSuite},
    vault::{CombineError, Culprit, CulpritReason, simulated::seal_wrong},
};
use ccc_enclave::{
    attempt::{AttemptError, Enclave},
    config::{ConfigError, EnclaveConfig},
    reader::ReaderKey,
    reserve::Validity,
    round::RoundInput,
};
use support::{LOT, World, committee};

type Reconfigure<'a> = &'a dyn Fn(&mut EnclaveConfig);

fn hardware(config: &EnclaveConfig) -> SimulatedProvider {
    SimulatedProvider::new(SimulatedHardware::from_seed(&[9; 32]), config.measurement())
}

#[test]
fn attempts_for_somebody_else_are_refused() {
    let (mut world, _) = World::with_makers(11);
    let provider = hardware(&world.config);
    let enclave = Enclave::new(world.config.clone(), &provider).expect("a configuration");
    let mut plan = world.plan(world.log(None));
    let head = world.header().map(Header::hash);
    let request = world.vault_request(head, plan.digests());
    let time = world.time;
    let mut foreign = request.clone();
    foreign.chain += 1;
    let refused = enclave.attempt(foreign, time, &mut world.rng).err();
    assert!(matches!(refused, Some(AttemptError::Foreign { what: "chain" })));
    let mut foreign = request.clone();
    foreign.contract = world.config.reserve_attestation;
    let refused = enclave.attempt(foreign, time, &mut world.rng).err();
    assert!(matches!(refused, Some(AttemptError::Foreign { what: "contract" })));
    let (other, _) = committee(77);
    let attempt = enclave.attempt(request.clone(), time, &mut world.rng).expect("an attempt");
    let refused = attempt.open(&other, plan.take_ciphertexts(), Vec::new()).err();
    assert!(matches!(refused, Some(AttemptError::Foreign { what: "master public key" })));
    let mut plan = world.plan(world.log(None));
    let attempt = enclave.attempt(request.clone(), time, &mut world.rng).expect("an attempt");
    let mut fewer = plan.take_ciphertexts();
    fewer.truncate(2);
    let refused = attempt.open(&world.committee, fewer, Vec::new()).err();
    assert!(matches!(refused, Some(AttemptError::CiphertextCount { expected: 4, found: 2 })));
    let mut plan = world.plan(world.log(None));
    let attempt = enclave.attempt(request, time, &mut world.rng).expect("an attempt");
    let mut swapped = plan.take_ciphertexts();
    swapped.swap(1, 2);
    let refused = attempt.open(&world.committee, swapped, Vec::new()).err();
    assert!(matches!(refused, Some(AttemptError::OtherCiphertext { index: 1 })));
}

#[test]
fn stored_keys_resume_an_attempt_and_other_keys_do_not() {
    let (mut world, _) = World::with_makers(12);
    let provider = hardware(&world.config);
    let enclave = Enclave::new(world.config.clone(), &provider).expect("a configuration");
    let order = world.plain_order(25 * LOT);
    let request = world.request(&order);
    let job = world.job(Some(request));
    let mut plan = world.plan(job.log.clone());
    let head = world.header().map(Header::hash);
    let request = world.vault_request(head, plan.digests());
    let attempt = enclave.attempt(request.clone(), world.time, &mut world.rng).expect("an attempt");
    let card = attempt.card().clone();
    let stored = attempt.into_keys().to_bytes();
    let envelopes = world.shares(&request, &card.recipient, plan.ciphertexts());
    let keys = AttemptKeys::from_bytes(&stored).expect("keys");
    let resumed = enclave.resume(request.clone(), keys, world.time + 5).expect("an attempt");
    assert_eq!(resumed.card().recipient, card.recipient);
    let opened = resumed.open(&world.committee, plan.take_ciphertexts(), envelopes.clone()).expect("opened");
    let table = world.table.clone().expect("a table");
    let input = RoundInput {
        observations: &job.observations,
        price_block: job.inputs.block,
        inputs: job.inputs.clone(),
        validity: Validity { sequence: 1, valid_until: 1 },
        payout_sequence: 1,
        progress: &|_| {},
    };
    let output =
        opened.round(&plan, Some((&table.header, table.body.as_slice())), &input, &mut world.rng).expect("a round");
    let payload = Payload::from_bytes(&output.result.payload).expect("a payload");
    assert!(matches!(payload.statement, Statement::Round(round) if round.success));
    let mut plan = world.plan(job.log.clone());
    let fresh = AttemptKeys::generate(&mut world.rng).expect("keys");
    let other = enclave.resume(request, fresh, world.time).expect("an attempt");
    match other.open(&world.committee, plan.take_ciphertexts(), envelopes).err() {
        Some(AttemptError::Shares(CombineError::NotEnoughShares { need: 3, have: 0, culprits })) => {
            assert!(culprits.is_empty(), "nobody is blamed for shares to earlier keys");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn n057_n071_a_lying_participant_is_named_and_two_of_four_open_nothing() {
    let (mut world, _) = World::with_makers(13);
    let provider = hardware(&world.config);
    let enclave = Enclave::new(world.config.clone(), &provider).expect("a configuration");
    let head = world.header().map(Header::hash);
    let mut plan = world.plan(world.log(None));
    let request = world.vault_request(head, plan.digests());
    let attempt = enclave.attempt(request.clone(), world.time, &mut world.rng).expect("an attempt");
    let mut envelopes = world.shares(&request, &attempt.card().recipient, plan.ciphertexts());
    envelopes[1] = lie(&mut world, &request, &attempt.card().recipient, plan.ciphertexts());
    let opened = attempt.open(&world.committee, plan.take_ciphertexts(), envelopes).expect("opened");
    let culprit = Culprit { identifier: world.members[1].1.identifier(), reason: CulpritReason::Proof };
    assert_eq!(opened.culprits(), [culprit]);
    let mut plan = world.plan(world.log(None));
    let attempt = enclave.attempt(request.clone(), world.time, &mut world.rng).expect("an attempt");
    let mut envelopes = world.shares(&request, &attempt.card().recipient, plan.ciphertexts());
    envelopes[1] = lie(&mut world, &request, &attempt.card().recipient, plan.ciphertexts());
    envelopes.truncate(3);
    match attempt.open(&world.committee, plan.take_ciphertexts(), envelopes).err() {
        Some(AttemptError::Shares(CombineError::NotEnoughShares { need: 3, have: 2, culprits })) => {
            assert_eq!(culprits, [culprit]);
        }
        other => panic!("{other:?}"),
    }
}

/// Participant 2's signed answer with one share replaced.
fn lie(
    world: &mut World,
    request: &ccc_core::vault::Request,
    recipient: &ccc_core::vault::Recipient,
    ciphertexts: &[ccc_core::ciphertext::VerifiedCiphertext],
) -> Envelope {
    let (keys, share) = &world.members[1];
    let (committee, rng) = (&world.committee, &mut world.rng);
    let sealed = seal_wrong(share, committee, request, recipient, ciphertexts, rng);
    let (digest, topic) = (world.committee.digest(), request.digest());
    let (epoch, who) = (world.committee.epoch(), share.identifier());
    Envelope::sign(keys, &digest, epoch, who, &topic, Kind::Sealed, sealed.expect("sealed").to_bytes()).expect("signed")
}

#[test]
fn configurations_that_cannot_work_are_refused() {
    let world = World::empty(14);
    let refusal = |change: Reconfigure<'_>| {
        let mut config = world.config.clone();
        change(&mut config);
        config.validate().err()
    };
    assert_eq!(refusal(&|_| {}), None);
    let auditors = |keys: Vec<[u8; 32]>| AuditorSet::new(1, keys).expect("ascending");
    let good = ReaderKey::from_bytes(&[0x48; 32]).expect("a key").public();
    assert_eq!(refusal(&|config| config.auditors = Some(auditors(vec![good]))), None);
    let small = |config: &mut EnclaveConfig| config.auditors = Some(auditors(vec![[0; 32], good]));
    assert_eq!(refusal(&small), Some(ConfigError::AuditorKey { index: 0 }));
    assert_eq!(refusal(&|config| config.base = 2), Some(ConfigError::Asset { index: 2, count: 2 }));
    assert_eq!(refusal(&|config| config.assets[1].decimals = 18), Some(ConfigError::QuoteDecimals { found: 18 }));
    assert_eq!(refusal(&|config| config.assets[0].decimals = 6), Some(ConfigError::BaseDecimals { found: 6 }));
    assert_eq!(refusal(&|config| config.assets[0].lot = 0), Some(ConfigError::Lot { index: 0 }));
    let bounds: [(&str, Reconfigure<'_>); 9] = [
        ("price_decimals", &|config| config.price_decimals = 19),
        ("price.window", &|config| config.price.window = 0),
        ("price.collar", &|config| config.price.collar = 10_001),
        ("solvent_at", &|config| config.solvent_at = 0),
        ("recover_to", &|config| config.recover_to = 9_999),
        ("operator", &|config| config.operator = Some([0; 20])),
        ("tier", &|config| config.tier = 11),
        ("slots", &|config| config.slots = 2),
        ("order_slots", &|config| config.order_slots = 0),
    ];
    for (what, change) in bounds {
        assert_eq!(refusal(change), Some(ConfigError::Bound { what }));
    }
}

#[test]
fn every_field_of_the_configuration_is_measured() {
    let world = World::empty(15);
    let changes: [Reconfigure<'_>; 30] = [
        &|config| config.chain += 1,
        &|config| config.pool[0] ^= 1,
        &|config| config.reserve_attestation[0] ^= 1,
        &|config| config.master_public_key[0] ^= 1,
        &|config| config.reserve[0] ^= 1,
        &|config| config.agent_key[0] ^= 1,
        &|config| config.table[0] ^= 1,
        &|config| config.tier = 12,
        &|config| config.assets[0].token[0] ^= 1,
        &|config| config.assets[1].decimals += 1,
        &|config| config.assets[1].lot += 1,
        &|config| config.assets.truncate(1),
        &|config| config.base = 1,
        &|config| config.quote = 0,
        &|config| config.price_source[0] ^= 1,
        &|config| config.price_decimals += 1,
        &|config| config.price.window += 1,
        &|config| config.price.max_gap += 1,
        &|config| config.price.max_stale += 1,
        &|config| config.price.collar += 1,
        &|config| config.solvent_at += 1,
        &|config| config.recover_to += 1,
        &|config| config.custodian_account.push('x'),
        &|config| config.max_statement_age += 1,
        &|config| config.envelope_lifetime += 1,
        &|config| config.operator = Some([7; 20]),
        &|config| config.operator = Some([8; 20]),
        &|config| config.suite = TableSuite::Aes256Gcm,
        &|config| config.former_master_public_key = Some([7; 32]),
        &|config| config.former_master_public_key = Some([8; 32]),
    ];
    let mut seen = std::collections::HashSet::from([world.config.measurement()]);
    for change in changes {
        let mut config = world.config.clone();
        change(&mut config);
        assert!(seen.insert(config.measurement()));
    }
    let slots = EnclaveConfig { order_slots: 7, ..world.config.clone() };
    assert!(seen.insert(slots.measurement()));
    assert!(seen.insert(EnclaveConfig { slots: 2, ..world.config.clone() }.measurement()));
}
