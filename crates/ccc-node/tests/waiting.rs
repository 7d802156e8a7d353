//! An enclave without state has nothing to go on until the head that it was given is final.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_core::{
    envelope::Envelope,
    table::{AccountId, AssetId},
    vault::CombineError,
};
use ccc_enclave::{
    attempt::{AttemptError, Enclave},
    round::RoundInput,
};
use ccc_node::vault_node::{ChainView, MemoryJournal, Refusal, VaultNode};
use pool::{BASE, World};
use rand::{SeedableRng, rngs::StdRng};
use support::{Asked, ask, node, pool, view};

/// Every participant's answer, from the journals that it keeps.
fn answers(
    nodes: &mut [VaultNode<MemoryJournal>],
    world: &World,
    view: &ChainView,
    asked: &Asked,
) -> Vec<Result<Option<Envelope>, Refusal>> {
    let mut rng = StdRng::seed_from_u64(5);
    nodes.iter_mut().map(|node| node.reencrypt(view, &asked.ask, world.time, &mut rng)).collect()
}

#[test]
fn n132_an_enclave_without_state_waits_for_the_finalised_head_and_then_goes_on() {
    let (mut world, makers) = World::with_makers(1);
    let former = world.header().expect("a header").head();
    world.deposit([1; 20], &makers[0], BASE, 5);
    let job = world.job(None);
    let output = world.run(&job).expect("a round");
    world.accept(&job, &output);
    let finalised = view(&world, None);
    let block = ChainView { block_hash: [0xBA; 32], ..finalised.clone() };
    let header = ChainView { header_hash: former.hash, version: former.version, ..finalised.clone() };
    let asked = ask(&mut world, None);
    let mut nodes: Vec<_> = (0..4).map(|index| node(&world, index)).collect();
    for refused in answers(&mut nodes, &world, &block, &asked) {
        assert!(matches!(refused, Err(Refusal::Block)));
    }
    for refused in answers(&mut nodes, &world, &header, &asked) {
        assert!(matches!(refused, Err(Refusal::Rollback(error)) if error.expected == former));
    }
    let enclave = Enclave::new(world.config.clone(), &world.provider).expect("a configuration");
    let attempt = enclave.attempt(asked.ask.request.clone(), world.time, &mut StdRng::seed_from_u64(9)).expect("keys");
    let plan = || world.plan(world.log(None));
    let nothing = attempt.open(&world.committee, plan().take_ciphertexts(), Vec::new());
    assert!(matches!(nothing.err(), Some(AttemptError::Shares(CombineError::NotEnoughShares { .. }))));
    // the same request and the same journals, once the block is final
    let envelopes = answers(&mut nodes, &world, &finalised, &asked);
    let envelopes = envelopes.into_iter().map(|answer| answer.expect("an answer").expect("not silent")).collect();
    let attempt = enclave.resume(asked.ask.request, asked.keys, world.time).expect("an attempt");
    let opened = attempt.open(&world.committee, asked.verified, envelopes).expect("opened");
    let (job, table) = (world.job(None), world.table.clone().expect("a table"));
    let input = RoundInput {
        observations: &job.observations,
        price_block: job.inputs.block,
        inputs: job.inputs.clone(),
        validity: job.validity,
        payout_sequence: job.payout_sequence,
        progress: &|_| {},
    };
    let next = opened
        .round(&plan(), Some((&table.header, &table.body)), &input, &mut StdRng::seed_from_u64(10))
        .expect("a round");
    assert_eq!(next.table.header.previous(), table.header.hash());
    let row = world.rows_of(&next.table).find(AccountId(makers[0].account()), AssetId(BASE));
    assert_eq!(row.map(|row| row.amount), Some(u128::from(10 * pool::LOT) + 5));
}
