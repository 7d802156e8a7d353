//! The actors around a pool in memory.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(unreachable_pub, reason = "included by several test binaries")]

#[path = "../../../ccc-enclave/tests/support/mod.rs"]
pub mod pool;
pub mod signing;

use ccc_core::{
    ciphertext::VerifiedCiphertext,
    enclave::AttemptKeys,
    report::keccak256,
    vault::{AttestedRecipient, Request},
};
use ccc_enclave::{
    attempt::Enclave,
    intake::{CollateralRequest, RoundPlan},
};
use ccc_node::vault_node::{Ask, ChainView, MemoryJournal, OnChain, VaultNode};
use pool::World;
use std::{collections::HashMap, sync::Arc};

/// Participant `index` of the pool's committee, with a share of its own.
pub fn node(world: &World, index: usize) -> VaultNode<MemoryJournal> {
    let (keys, share) = copy(world, index);
    let served = (world.config.chain, world.config.pool);
    VaultNode::new(keys, share, world.committee.clone(), world.policy(), served, MemoryJournal::default())
}

/// The secrets of participant `index`.
pub fn copy(world: &World, index: usize) -> (ccc_core::keys::ParticipantKeys, ccc_core::keys::KeyShare) {
    let (keys, share) = &world.members[index];
    let keys = ccc_core::keys::ParticipantKeys::from_bytes(&keys.to_bytes()).expect("keys");
    (keys, ccc_core::keys::KeyShare::from_bytes(&share.to_bytes()).expect("a share"))
}

/// What a participant reads on the pool's chain.
pub fn view(world: &World, collateral: Option<&CollateralRequest>) -> ChainView {
    let mut submissions = HashMap::new();
    let logged = world.boundary.iter().map(|event| &event.submission).chain(&world.orders);
    let mut log = |submission: &ccc_enclave::intake::Submission, opens_at| {
        let (who, hash) = (submission.who, keccak256(&[&submission.ciphertext]));
        submissions.insert(submission.id, OnChain { who, hash, opens_at });
    };
    logged.for_each(|submission| log(submission, 0));
    collateral.into_iter().for_each(|request| log(&request.submission, request.deadline));
    let header = world.header();
    ChainView {
        block_hash: world.block_hash,
        time: world.time,
        header_hash: header.map_or([0; 32], ccc_core::table::Header::hash),
        version: header.map_or(0, ccc_core::table::Header::version),
        submissions: Arc::new(submissions),
        enclaves: None,
    }
}

/// An attempt's request, keys and ciphertexts, as a participant is shown them.
pub struct Asked {
    pub ask: Ask,
    pub keys: AttemptKeys,
    pub verified: Vec<VerifiedCiphertext>,
}

/// An attempt at a round with this collateral request.
pub fn ask(world: &mut World, collateral: Option<CollateralRequest>) -> Asked {
    let id = collateral.as_ref().map(|request| request.submission.id);
    let plan = world.plan(world.log(collateral));
    ask_under(world, plan, id)
}

pub fn ask_for(world: &mut World, plan: RoundPlan) -> Asked {
    ask_under(world, plan, None)
}

/// An order is asked for under its own identifier, anything else under a fresh one.
pub fn ask_under(world: &mut World, mut plan: RoundPlan, id: Option<[u8; 32]>) -> Asked {
    let head = world.header().map(ccc_core::table::Header::hash);
    let mut request = world.vault_request(head, plan.digests());
    request.id = id.unwrap_or(request.id);
    let (keys, card) = attempt(world, &request);
    let verified = plan.take_ciphertexts();
    let ciphertexts = verified.iter().map(|ciphertext| ciphertext.ciphertext().clone()).collect();
    Asked { ask: Ask { request, card, identity: None, ciphertexts, header: world.header().cloned() }, keys, verified }
}

/// Fresh attested keys for a request.
pub fn attempt(world: &mut World, request: &Request) -> (AttemptKeys, AttestedRecipient) {
    let enclave = Enclave::new(world.config.clone(), &world.provider).expect("a configuration");
    let attempt = enclave.attempt(request.clone(), world.time, &mut world.rng).expect("an attempt");
    let card = attempt.card().clone();
    (attempt.into_keys(), card)
}
