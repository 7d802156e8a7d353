//! What the agent refuses to act on.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_core::{
    ciphertext::{EncryptError, LabelKind},
    report::{Payload, Statement, Verdict},
};
use ccc_enclave::{
    agent::{AgentKey, NoticeError, envelope_digest},
    reserve::ReserveOutput,
};
use ccc_node::agent::{Agent, AgentRefusal, Limits, encrypt_order};
use support::pool::{EXPIRY, LOT, World, statement};

const OWED: u64 = 2_000 * LOT;

fn agent(world: &World) -> Agent {
    let key = AgentKey::from_bytes(world.agent.to_bytes().as_slice()).expect("a key");
    Agent::new(key, Limits { spread: [100, 900], slide: 10, dispersion: [2_000, 3_000] })
}

fn reported(output: &ReserveOutput) -> ([u8; 32], Verdict) {
    match Payload::from_bytes(&output.result.payload).expect("a payload").statement {
        Statement::Solvency(solvency) => (solvency.envelope_digest, solvency.verdict),
        other => panic!("{other:?}"),
    }
}

fn scene(seed: u64) -> (World, ReserveOutput) {
    let (mut world, _) = World::with_makers(seed);
    let output = world.check(&statement(OWED - 25 * LOT, OWED)).expect("an answer");
    (world, output)
}

#[test]
fn the_order_has_the_size_of_the_envelope_and_the_agents_limits() {
    let (mut world, output) = scene(1);
    let agent = agent(&world);
    assert_eq!(agent.public(), world.config.agent_key);
    let notice = agent.read(&world.config, &output.envelope, reported(&output), world.time).expect("a notice");
    let order = agent.order(&notice, world.time + 12, &mut world.rng);
    assert_eq!((order.size, order.minimum_total, order.spread), (25 * LOT, 0, [100, 900]));
    assert_eq!((order.times, order.dispersion), ([world.time + 2, world.time + 12], [2_000, 3_000]));
    let again = agent.order(&notice, world.time + 12, &mut world.rng);
    assert_ne!(order.seed, again.seed);
    assert_eq!(agent.order(&notice, 3, &mut world.rng).times, [0, 3]);
}

#[test]
fn an_envelope_that_the_report_does_not_name_is_refused() {
    let (mut world, output) = scene(2);
    let agent = agent(&world);
    let other = world.check(&statement(1, OWED)).expect("an answer");
    let refused = agent.read(&world.config, &other.envelope, reported(&output), world.time).err();
    assert!(matches!(refused, Some(AgentRefusal::OtherEnvelope)));
    for byte in 0..output.envelope.len() {
        let mut bent = output.envelope.clone();
        bent[byte] ^= 1;
        let refused = agent.read(&world.config, &bent, reported(&output), world.time).err();
        assert!(matches!(refused, Some(AgentRefusal::OtherEnvelope)), "byte {byte}");
    }
}

#[test]
fn an_envelope_for_another_agent_contract_or_chain_is_refused() {
    let (mut world, output) = scene(3);
    let known = agent(&world);
    let stranger = Agent::new(
        AgentKey::generate(&mut world.rng),
        Limits { spread: [0, 0], slide: 0, dispersion: [10_000, 10_000] },
    );
    let refused = stranger.read(&world.config, &output.envelope, reported(&output), world.time).err();
    assert!(matches!(refused, Some(AgentRefusal::Notice(NoticeError::Closed))));
    let mut elsewhere = world.config.clone();
    elsewhere.reserve_attestation[0] ^= 1;
    let refused = known.read(&elsewhere, &output.envelope, reported(&output), world.time).err();
    assert!(matches!(refused, Some(AgentRefusal::Notice(NoticeError::Closed))));
    let mut elsewhere = world.config.clone();
    elsewhere.chain += 1;
    let refused = known.read(&elsewhere, &output.envelope, reported(&output), world.time).err();
    assert!(matches!(refused, Some(AgentRefusal::Notice(NoticeError::Closed))));
    let garbage = b"not an envelope";
    let named = (envelope_digest(garbage), Verdict::Insolvent);
    let refused = known.read(&world.config, garbage, named, world.time).err();
    assert!(matches!(refused, Some(AgentRefusal::Notice(NoticeError::Encoding(_)))));
}

#[test]
fn an_envelope_that_contradicts_the_report_is_refused() {
    let (world, output) = scene(4);
    let (digest, _) = reported(&output);
    for verdict in [Verdict::Unknown, Verdict::Solvent] {
        let refused = agent(&world).read(&world.config, &output.envelope, (digest, verdict), world.time).err();
        assert!(matches!(refused, Some(AgentRefusal::OtherStatus)));
    }
}

#[test]
fn an_envelope_is_not_acted_on_after_its_last_second() {
    let (world, output) = scene(5);
    let expiry = output.result.inputs.block_time + world.config.envelope_lifetime;
    assert!(agent(&world).read(&world.config, &output.envelope, reported(&output), expiry).is_ok());
    match agent(&world).read(&world.config, &output.envelope, reported(&output), expiry + 1).err() {
        Some(AgentRefusal::Expired { expiry: last, now }) => assert_eq!((last, now), (expiry, expiry + 1)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_order_is_encrypted_for_one_request_of_one_pool() {
    let (mut world, output) = scene(6);
    let agent = agent(&world);
    let notice = agent.read(&world.config, &output.envelope, reported(&output), world.time).expect("a notice");
    let order = agent.order(&notice, world.time + 12, &mut world.rng);
    let (id, who) = ([9; 32], world.config.reserve);
    let key = world.key();
    let ciphertext = encrypt_order(&world.config, &key, (id, who), EXPIRY, &order, &mut world.rng).expect("encrypts");
    let label = ciphertext.label();
    assert_eq!(
        (label.kind, label.chain, label.contract),
        (LabelKind::Recipient, world.config.chain, world.config.pool)
    );
    assert_eq!((label.id, label.requester, label.expiry), (id, who, EXPIRY));
    let never = encrypt_order(&world.config, &key, (id, who), 0, &order, &mut world.rng).err();
    assert!(matches!(never, Some(EncryptError::Label(_))));
}
