//! A dishonest host on the embedded chain.

#![allow(clippy::panic, clippy::expect_used, reason = "a helper that fails ends its test")]

use super::{
    GENESIS, INTAKE, RecoveryError, RecoveryOptions, log::ChainLog, randomness, setup, statement::Books, world::World,
};
use crate::{
    pool_log::RoundAt,
    scenario::Scenario,
    timeline::{Silent, Timeline},
    workflow_node::SignerRefusal,
};
use ccc_core::{ciphertext::Ciphertext, report::Accumulator, table::Header};

#[tokio::test]
async fn signers_refuse_a_round_without_an_order_of_the_chain_and_sign_the_honest_one() {
    let scenario = Scenario { participants: 4, makers: 3, ..Scenario::default() };
    let options = RecoveryOptions { scenario, seed: Some(31), ..RecoveryOptions::default() };
    let randomness = randomness(&options).expect("a generator");
    let gap = Books::of(&options.scenario.reserve, &randomness).gap(10_500);
    let mut observer = Silent;
    let mut timeline = Timeline::new(&mut observer);
    let vault = setup::generate_keys(&options.scenario, &randomness).expect("keys");
    let chain = setup::open_chain(&options).await.expect("a chain");
    let mut world = setup::build(&options, randomness, chain, vault, &mut timeline).await.expect("a world");
    world.round(None, GENESIS, &mut timeline).await.expect("the first version");
    world.fund_pool(&options.scenario, gap, &mut timeline).await.expect("deposits and orders");
    let block = world.chain.finalised_block().await.expect("a block");
    world.log.read_to(&block).await.expect("read");
    let forgotten = world.log.seen.forget_order().expect("an order");
    match world.round(None, INTAKE, &mut timeline).await {
        Err(RecoveryError::Signer(SignerRefusal::LeftOut { digest, .. })) => {
            let submitted = world.signers[0].log.seen.round(&current_round(&world, block.number)).expect("a log");
            let order = submitted.new_orders.iter().find(|order| order.id == forgotten).expect("on chain");
            let ciphertext = Ciphertext::from_bytes(&order.ciphertext).expect("a ciphertext");
            assert_eq!(ciphertext.digest(), digest);
        }
        other => panic!("{:?}", other.err().map(|error| error.to_string())),
    }
    world.log = ChainLog::new(&world.chain, &world.deployment);
    world.round(None, INTAKE, &mut timeline).await.expect("the honest round");
    assert_eq!(world.head.as_ref().map(Header::version), Some(2));
}

fn current_round(world: &World, block: u64) -> RoundAt<'_> {
    let header = world.head.as_ref().expect("a header");
    let consumed = Accumulator::default();
    let (header, version) = (header.hash(), header.version());
    RoundAt { block, header, version, consumed, former: world.former.as_deref(), request: None }
}
