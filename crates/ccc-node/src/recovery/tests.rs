//! On the embedded chain: a dishonest host, and what a round carries out beside standing orders.

#![allow(clippy::panic, clippy::expect_used, reason = "a helper that fails ends its test")]

use super::{
    GENESIS, INTAKE, RecoveryError, RecoveryOptions, randomness, setup,
    statement::{Books, StatementFetcher},
    world::World,
};
use crate::{
    maker::{Instruction, TableOwner},
    pool_log::{Former, RoundAt},
    reading::ChainLog,
    scenario::Scenario,
    timeline::{Silent, Timeline},
    workflow_node::SignerRefusal,
};
use alloy::primitives::{B256, Bytes};
use ccc_chain::bindings::CREDarkPool;
use ccc_core::{
    ciphertext::Ciphertext,
    report::Accumulator,
    table::{Header, Row, Sidecar},
};
use ccc_enclave::intake::submission_id;
use rand::{SeedableRng, rngs::StdRng};
use zeroize::Zeroizing;

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
    let mut world = setup::build(&options, randomness, chain, vault, &mut timeline, None).await.expect("a world");
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
    // no request has been made: which time it is counts for nothing
    let time = 0;
    let header = world.head.as_ref().expect("a header");
    let consumed = Accumulator::default();
    let (header, version) = (header.hash(), header.version());
    let former = world.former.as_deref().map(|payload| Former { payload, time });
    RoundAt { block, time, header, version, consumed, former, request: None, opens: &|_| true }
}

fn owner(seed: u8) -> TableOwner {
    TableOwner::new(&Zeroizing::new([seed; 32]), Zeroizing::new([seed ^ 0xFF; 32])).expect("a key")
}

/// Puts an instruction of an account on the chain, sent by the first maker's wallet.
async fn instruct(world: &World, salt: u8, account: &TableOwner, instruction: Instruction) {
    let wallet = &world.makers[0].wallet;
    let (who, salt) = (wallet.address().0.0, [salt; 32]);
    let id = submission_id(&world.config, &who, &salt);
    let expiry = world.chain.finalised_block().await.expect("a block").time + 24 * 3_600;
    let (key, mut rng) = (world.committee.master_public_key(), StdRng::seed_from_u64(salt[0].into()));
    let ciphertext = account.instruct(&world.config, key, (id, who), (&instruction, expiry), &mut rng);
    let bytes = Bytes::from(ciphertext.expect("encrypted").to_bytes());
    let pool = CREDarkPool::new(world.deployment.pool, world.chain.provider());
    let submit = pool.submitStandingOrder(B256::from(salt), bytes).into_transaction_request();
    world.chain.send(wallet, submit).await.expect("sent");
}

/// A maker's row in the base asset, as its owner opens it.
fn row(world: &World, maker: usize) -> Row {
    let (table, owner) = (world.table().expect("kept").expect("a version"), &world.makers[maker].owner);
    let sidecar = Sidecar::parse(&table.sidecar, &table.header).expect("the header's");
    let rows = sidecar.open_all(owner.reading_key()).into_iter().filter_map(|entry| entry.balance().ok());
    let mut rows = rows.filter(|row| row.account.0 == owner.account() && row.asset.0 == setup::BASE);
    rows.next().expect("a row")
}

/// Each goes the way of a standing order, is signed by the pool's signers and carried out once.
#[tokio::test]
async fn transfers_freezes_and_forced_transfers_go_the_way_of_orders_through_the_chain() {
    let scenario = Scenario { participants: 4, makers: 3, ..Scenario::default() };
    let options = RecoveryOptions { scenario, seed: Some(32), ..RecoveryOptions::default() };
    let randomness = randomness(&options).expect("a generator");
    let gap = Books::of(&options.scenario.reserve, &randomness).gap(10_500);
    let mut observer = Silent;
    let mut timeline = Timeline::new(&mut observer);
    let vault = setup::generate_keys(&options.scenario, &randomness).expect("keys");
    let chain = setup::open_chain(&options).await.expect("a chain");
    let operator = owner(7);
    // three makers' orders live on, and every instruction keeps its slot until it expires
    let configure = |config: &mut ccc_enclave::config::EnclaveConfig| {
        (config.operator, config.order_slots) = (Some(operator.account()), 10);
    };
    let world = setup::build_with(&options, randomness, chain, vault, &mut timeline, configure).await;
    let mut world = world.expect("a world");
    world.round(None, GENESIS, &mut timeline).await.expect("the first version");
    world.fund_pool(&options.scenario, gap, &mut timeline).await.expect("deposits and orders");
    world.round(None, INTAKE, &mut timeline).await.expect("deposits and reservations");
    let [one, two] = [0, 1].map(|maker| world.makers[maker].owner.account());
    let start = [0, 1].map(|maker| row(&world, maker));
    let asset = setup::BASE;
    let by_owner = Instruction::Transfer { asset, amount: 3, to: two };
    let freeze = |frozen| Instruction::Freeze { account: one, asset, reason: 42, frozen };
    let force = Instruction::ForcedTransfer { account: one, asset, amount: 5, to: two, reason: 43 };
    // (instruction, by the operator, what the first maker has lost since the beginning, frozen, reason)
    let story = [
        (by_owner, false, 3, false, 0),
        (force, true, 3, false, 0),
        (freeze(true), false, 3, false, 0),
        (freeze(true), true, 3, true, 42),
        (by_owner, false, 3, true, 42),
        (force, true, 8, true, 43),
        (freeze(false), true, 8, false, 42),
    ];
    for (number, (instruction, by_operator, lost, frozen, reason)) in (1..).zip(story) {
        let signer = if by_operator { &operator } else { &world.makers[0].owner };
        instruct(&world, number, signer, instruction).await;
        world.round(None, INTAKE, &mut timeline).await.expect("signed and accepted");
        let [first, second] = [0, 1].map(|maker| row(&world, maker));
        assert_eq!((first.amount, second.amount), (start[0].amount - lost, start[1].amount + lost), "{number}");
        assert_eq!((first.flags.refuses(), first.flags.reason()), (frozen, reason), "{number}");
    }
    assert_eq!(world.head.as_ref().map(Header::version), Some(9));
}

/// Each maker's order by its digest, as the chain has it.
async fn orders(world: &mut World) -> Vec<[u8; 32]> {
    let block = world.chain.finalised_block().await.expect("a block");
    world.log.read_to(&block).await.expect("read");
    let log = world.log.seen.round(&current_round(world, block.number)).expect("a log");
    let digest = |maker: &super::world::Maker| {
        let own = log.live_orders.iter().find(|order| order.who == maker.wallet.address().0.0).expect("its order");
        Ciphertext::from_bytes(&own.ciphertext).expect("a ciphertext").digest()
    };
    world.makers.iter().map(digest).collect()
}

/// Whether the chain has a request as filled.
async fn is_filled(world: &World, id: [u8; 32]) -> bool {
    let pool = CREDarkPool::new(world.deployment.pool, world.chain.provider());
    pool.request(B256::from(id)).call().await.expect("a request").status == 2
}

/// Every maker sees the request and takes its order back, and the host is with them: it runs a round in between that
/// reads the cancellations. No signer signs that round, and the request is filled.
#[tokio::test]
async fn n135_no_maker_and_host_together_take_an_order_out_of_a_request_that_they_see() {
    let scenario = Scenario { participants: 4, makers: 3, ..Scenario::default() };
    let options = RecoveryOptions { scenario, seed: Some(33), ..RecoveryOptions::default() };
    let randomness = randomness(&options).expect("a generator");
    let books = Books::of(&options.scenario.reserve, &randomness);
    let mut observer = Silent;
    let mut timeline = Timeline::new(&mut observer);
    let vault = setup::generate_keys(&options.scenario, &randomness).expect("keys");
    let chain = setup::open_chain(&options).await.expect("a chain");
    let configure = |config: &mut ccc_enclave::config::EnclaveConfig| config.order_slots = 10;
    let world = setup::build_with(&options, randomness, chain, vault, &mut timeline, configure).await;
    let mut world = world.expect("a world");
    let started = world.chain.finalised_block().await.expect("a block").time;
    let fetcher = StatementFetcher::start(&options, &books, &world.randomness, started).await.expect("a custodian");
    world.round(None, GENESIS, &mut timeline).await.expect("the first version");
    world.fund_pool(&options.scenario, books.gap(10_500), &mut timeline).await.expect("deposits and orders");
    world.round(None, INTAKE, &mut timeline).await.expect("deposits and reservations");
    let orders = orders(&mut world).await;
    let before = [0, 1, 2].map(|maker| row(&world, maker));
    let checked = world.check_reserve(&fetcher, &mut timeline).await.expect("a check");
    // older than the request, and read by no round yet
    let to = world.makers[1].owner.account();
    let transfer = Instruction::Transfer { asset: setup::BASE, amount: 3, to };
    instruct(&world, 1, &world.makers[0].owner, transfer).await;
    let request = world.request_recovery(&checked.envelope, &mut timeline).await.expect("a request");
    for ((salt, maker), order) in (2..).zip(&world.makers).zip(orders) {
        instruct(&world, salt, &maker.owner, Instruction::Cancel { order }).await;
    }
    let block = world.chain.finalised_block().await.expect("a block");
    world.log.read_to(&block).await.expect("read");
    world.log.seen.forget_requests();
    let dishonest = world.round(None, INTAKE, &mut timeline).await;
    let refused = dishonest.expect_err("a round that reads them");
    assert!(matches!(refused, RecoveryError::Signer(SignerRefusal::Added { .. })), "{refused}");
    world.log = ChainLog::new(&world.chain, &world.deployment);
    let id = request.submission.id;
    world.settle(request, &mut timeline).await.expect("the transfer first, then the request");
    assert_eq!(world.head.as_ref().map(Header::version), Some(4));
    assert!(is_filled(&world, id).await);
    let after = [0, 1, 2].map(|maker| row(&world, maker));
    let amount = |rows: &[Row]| rows.iter().map(|row| row.amount).sum::<u128>();
    assert!(amount(&after) < amount(&before), "they sold");
    assert!(after.iter().any(|row| row.reserved != 0), "what is left is still reserved");
    world.round(None, INTAKE, &mut timeline).await.expect("the cancellations");
    assert!([0, 1, 2].map(|maker| row(&world, maker)).iter().all(|row| row.reserved == 0), "now they count");
}
