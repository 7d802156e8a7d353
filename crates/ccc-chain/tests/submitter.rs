//! The submitter and a node that drops, delays and lies: the report arrives once, or the reason has a name.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails ends there")]

mod common;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use alloy::{eips::BlockId, primitives::B256, providers::Provider, rpc::types::TransactionRequest};
use ccc_chain::{
    Chain, ChainError, ConnectOptions, EmbeddedConfig,
    embedded::{ChainServer, Clock, EmbeddedTransport},
    read, submit,
    submitter::{self, GaveUp, MOST_FEE, Policy, Submission, Submitted, SystemClock},
    watch::{Event, Watcher},
};
use ccc_core::report::{Round, SignedReport, Statement, Verdict};
use common::{
    CHAIN_ID, GENESIS_TIME, World,
    proxy::{Fault, Proxy},
};
use serde_json::json;

/// A world on a served chain, and the same chain through the proxy.
struct Place {
    world: World,
    chain: Chain,
    proxy: Proxy,
    _server: ChainServer,
}

impl Place {
    async fn new() -> Self {
        Self::with(Duration::from_secs(60)).await
    }

    /// A place whose submitter waits so long for an answer.
    async fn with(answer_timeout: Duration) -> Self {
        let config = EmbeddedConfig { chain_id: CHAIN_ID, genesis_time: GENESIS_TIME, rich: Vec::new() };
        let transport = EmbeddedTransport::new(&config);
        let server = ChainServer::serve(([127, 0, 0, 1], 0).into(), transport, Clock::Blocks).await.unwrap();
        let options =
            ConnectOptions { poll_interval: Duration::from_millis(2), answer_timeout, ..ConnectOptions::default() };
        let patient = ConnectOptions { answer_timeout: Duration::from_secs(60), ..options };
        let world = World::on(Chain::connect(&server.url(), &patient).await.unwrap()).await;
        let proxy = Proxy::before(&server.url()).await;
        let chain = Chain::connect(&proxy.url, &options).await.unwrap();
        Self { world, chain, proxy, _server: server }
    }

    async fn idle_round(&self) -> SignedReport {
        let round = self.world.round(B256::ZERO, false).await;
        let report = self.world.report(Statement::Round(round), 1).await;
        self.world.signed(report)
    }

    fn policy(&self) -> Policy {
        Policy { most_failures: 6, most_sends: 4, ..Policy::of(&self.chain) }
    }

    async fn submit(&self, signed: &SignedReport, policy: &Policy) -> Result<Submission, ChainError> {
        let (wallet, forwarder) = (&self.world.stranger, self.world.deployment.forwarder);
        submitter::deliver(&self.chain, wallet, forwarder, signed, policy, &SystemClock::start()).await
    }

    async fn delivered(&self, signed: &SignedReport) -> Submitted {
        match self.submit(signed, &self.policy()).await.unwrap() {
            Submission::Delivered(submitted) => submitted,
            other @ Submission::Before { .. } => panic!("expected a delivery, found {other:?}"),
        }
    }

    /// The rounds that the chain closed, and the transactions of the sender.
    async fn is_once(&self) {
        let world = &self.world;
        let mut watcher = Watcher::new(&world.chain, &world.deployment, world.deployment.first_block);
        let events = watcher.poll().await.unwrap();
        let rounds = events.iter().filter(|observed| matches!(observed.event, Event::RoundClosed { .. }));
        assert_eq!(rounds.count(), 1, "one round");
        let nonce = world.chain.provider().get_transaction_count(world.stranger.address()).await.unwrap();
        assert_eq!(nonce, 1, "one transaction");
        assert_eq!(world.pool().table(BlockId::latest()).await.unwrap().version, 1);
    }
}

#[tokio::test]
async fn a_node_that_is_away_for_a_while_is_waited_for() {
    let place = Place::new().await;
    let signed = place.idle_round().await;
    place.proxy.fault("", 4, Fault::Drop);
    let submitted = place.delivered(&signed).await;
    assert!(place.proxy.is_spent() && submitted.own);
    assert_eq!((submitted.attempts, submitted.sends), (1, 1));
    place.is_once().await;
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_sending_costs_no_second_transaction() {
    let place = Place::new().await;
    let signed = place.idle_round().await;
    place.proxy.fault("eth_sendRawTransaction", 1, Fault::Lose);
    place.proxy.fault("eth_getTransactionCount", 3, Fault::Drop);
    let submitted = place.delivered(&signed).await;
    assert!(place.proxy.is_spent() && submitted.own);
    assert_eq!((submitted.attempts, place.proxy.asked("eth_sendRawTransaction")), (1, 1));
    place.is_once().await;
}

#[tokio::test]
async fn a_sending_that_never_arrived_is_repeated_with_the_same_bytes() {
    let place = Place::new().await;
    let signed = place.idle_round().await;
    place.proxy.fault("eth_sendRawTransaction", 2, Fault::Drop);
    let submitted = place.delivered(&signed).await;
    assert_eq!((submitted.attempts, submitted.sends), (1, 3));
    place.is_once().await;
}

#[tokio::test]
async fn a_node_that_asks_for_more_gets_a_dearer_one_at_the_same_nonce() {
    let place = Place::new().await;
    let signed = place.idle_round().await;
    place.proxy.fault("eth_sendRawTransaction", 1, Fault::Say("transaction underpriced"));
    let before = place.chain.provider().estimate_eip1559_fees().await.unwrap().max_fee_per_gas;
    let submitted = place.delivered(&signed).await;
    assert_eq!((submitted.attempts, submitted.sends), (2, 2));
    let transaction = submitted.delivery.transaction;
    let mined = place.chain.provider().get_transaction_by_hash(transaction).await.unwrap().unwrap();
    let paid = alloy::consensus::Transaction::max_fee_per_gas(&mined);
    assert!(paid * 100 >= before * 110, "{paid} is not a tenth above {before}");
    assert_eq!(alloy::consensus::Transaction::nonce(&mined), 0);
    place.is_once().await;
}

#[tokio::test]
async fn a_node_that_hides_what_it_has_gets_no_second_delivery() {
    let place = Place::new().await;
    let signed = place.idle_round().await;
    // receipts and transactions are denied for a while, the state is not
    place.proxy.fault("eth_getTransactionReceipt", 2, Fault::Lie(json!(null)));
    place.proxy.fault("eth_getTransactionByHash", 1, Fault::Lie(json!(null)));
    place.proxy.fault("eth_getLogs", 1, Fault::Lie(json!([])));
    let submitted = place.delivered(&signed).await;
    assert!(place.proxy.is_spent() && submitted.own);
    place.is_once().await;
}

#[tokio::test]
async fn an_answer_that_comes_too_late_counts_as_none() {
    let place = Place::with(Duration::from_secs(5)).await;
    let signed = place.idle_round().await;
    place.proxy.fault("eth_sendRawTransaction", 1, Fault::Delay(Duration::from_secs(7)));
    let submitted = place.delivered(&signed).await;
    assert_eq!(submitted.attempts, 1);
    place.is_once().await;
}

#[tokio::test]
async fn a_report_that_is_there_is_left_as_it_is() {
    let place = Place::new().await;
    let signed = place.idle_round().await;
    place.delivered(&signed).await;
    let again = place.submit(&signed, &place.policy()).await.unwrap();
    let own = place.world.stranger.address();
    assert!(matches!(again, Submission::Before { transmitter } if transmitter == own), "{again:?}");
    let (forwarder, other) = (place.world.deployment.forwarder, &place.world.maker);
    let unchecked = submit::deliver_unchecked(&place.chain, other, forwarder, &signed).await.unwrap();
    let checked = submit::deliver(&place.chain, other, forwarder, &signed).await.unwrap();
    assert_eq!((unchecked.transaction, unchecked.gas_used), (checked.transaction, checked.gas_used));
    assert_eq!((unchecked.transmitter, checked.transmitter), (own, own));
    let refused = submit::check(&place.chain, other.address(), forwarder, &signed).await;
    assert_eq!(common::refusal(refused).1, "AlreadyAttempted");
    place.is_once().await;
}

/// Who asks for a delivery of before waits for the node too: it may be away, or between two blocks.
#[tokio::test]
async fn a_report_that_is_there_is_found_by_a_node_that_is_away_for_a_while() {
    let place = Place::new().await;
    let signed = place.idle_round().await;
    let sent = place.delivered(&signed).await;
    place.proxy.fault("eth_getLogs", 1, Fault::Drop);
    place.proxy.fault("eth_getTransactionReceipt", 1, Fault::Lie(json!(null)));
    let (forwarder, other) = (place.world.deployment.forwarder, &place.world.maker);
    let found = submit::deliver(&place.chain, other, forwarder, &signed).await.unwrap();
    assert!(place.proxy.is_spent());
    assert_eq!(found.transaction, sent.delivery.transaction);
    place.is_once().await;
}

#[tokio::test]
async fn somebody_elses_delivery_in_between_is_the_delivery() {
    let place = Place::new().await;
    let signed = place.idle_round().await;
    place.proxy.fault("eth_sendRawTransaction", 1, Fault::Delay(Duration::from_secs(4)));
    let (world, forwarder) = (&place.world, place.world.deployment.forwarder);
    let other = async {
        while place.proxy.asked("eth_sendRawTransaction") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        submit::deliver_unchecked(&world.chain, &world.maker, forwarder, &signed).await.unwrap()
    };
    let (submitted, faster) = tokio::join!(place.delivered(&signed), other);
    assert!(!submitted.own);
    assert_eq!(submitted.delivery.transaction, faster.transaction);
    assert_eq!(world.pool().table(BlockId::latest()).await.unwrap().version, 1);
}

#[tokio::test]
async fn a_receivers_refusal_is_told_and_not_repeated() {
    let place = Place::new().await;
    let round = Round { previous: [1; 32], ..place.world.round(B256::ZERO, false).await };
    let report = place.world.report(Statement::Round(round), 1).await;
    let outcome = place.submit(&place.world.signed(report), &place.policy()).await;
    assert_eq!(common::refusal(outcome).1, "PreviousHeaderMismatch");
    assert_eq!(place.proxy.asked("eth_sendRawTransaction"), 1);
}

#[tokio::test]
async fn a_node_that_stays_away_is_named() {
    let place = Place::new().await;
    let signed = place.idle_round().await;
    place.proxy.fault("", u32::MAX, Fault::Drop);
    let outcome = place.submit(&signed, &place.policy()).await;
    assert!(matches!(outcome, Err(ChainError::GaveUp(GaveUp::Away { failures: 6, .. }))), "{outcome:?}");
}

#[tokio::test]
async fn a_node_that_forgets_everything_is_asked_so_often_and_no_more() {
    let place = Place::new().await;
    let signed = place.idle_round().await;
    place.proxy.fault("eth_sendRawTransaction", u32::MAX, Fault::Lie(json!(B256::ZERO)));
    let outcome = place.submit(&signed, &place.policy()).await;
    assert!(matches!(outcome, Err(ChainError::GaveUp(GaveUp::Sends { sends: 4, .. }))), "{outcome:?}");
    assert_eq!(place.proxy.asked("eth_sendRawTransaction"), 4);
}

/// Time that passes when somebody sleeps, and at no other moment.
#[derive(Default)]
struct Sleeper(AtomicU64);

impl submitter::Clock for Sleeper {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }

    async fn sleep(&self, time: Duration) {
        self.0.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

/// Endpoints for private orders, and some that share the load, show no transaction before its block.
#[tokio::test]
async fn a_node_that_shows_nothing_pending_is_believed_when_it_says_that_it_has_the_transaction() {
    let place = Place::new().await;
    let signed = place.idle_round().await;
    place.proxy.fault("eth_sendRawTransaction", 2, Fault::Say("already known"));
    let policy = Policy { poll: Duration::from_millis(250), patience: Duration::from_secs(60), ..place.policy() };
    let (wallet, forwarder, clock) = (&place.world.stranger, place.world.deployment.forwarder, Sleeper::default());
    let outcome = submitter::deliver(&place.chain, wallet, forwarder, &signed, &policy, &clock).await.unwrap();
    let Submission::Delivered(submitted) = outcome else { panic!("{outcome:?}") };
    // half a minute of looks, four a second, and no sending; one; at the minute the dearer one, which is mined
    assert_eq!((submitted.attempts, submitted.sends), (2, 3));
    assert_eq!(submitter::Clock::now(&clock), Duration::from_secs(60));
    place.is_once().await;
}

#[tokio::test]
async fn an_error_that_nobody_knows_ends_no_delivery() {
    let place = Place::new().await;
    let signed = place.idle_round().await;
    place.proxy.fault("eth_sendRawTransaction", 1, Fault::Say("internal error"));
    let submitted = place.delivered(&signed).await;
    assert_eq!((submitted.attempts, submitted.sends), (1, 2));
    place.is_once().await;
    let stuck = Place::new().await;
    let signed = stuck.idle_round().await;
    stuck.proxy.fault("eth_sendRawTransaction", u32::MAX, Fault::Say("txpool is full"));
    match stuck.submit(&signed, &stuck.policy()).await {
        Err(ChainError::GaveUp(GaveUp::Sends { said, .. })) => assert!(said.contains("txpool is full"), "{said}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_doors_wait_for_a_node_that_is_away_too() {
    let place = Place::new().await;
    let signed = place.idle_round().await;
    place.proxy.fault("", 1, Fault::Drop);
    // behind what is asked of it, or still syncing: there is no contract
    place.proxy.fault("eth_call", 1, Fault::Lie(json!("0x")));
    let (wallet, forwarder) = (&place.world.stranger, place.world.deployment.forwarder);
    submit::deliver(&place.chain, wallet, forwarder, &signed).await.unwrap();
    assert!(place.proxy.is_spent());
    place.is_once().await;
}

/// A node that lies about the fees could let the wallet tip all that it has.
#[tokio::test]
async fn a_price_that_only_a_liar_asks_for_is_not_paid() {
    let place = Place::new().await;
    let signed = place.idle_round().await;
    let (ether, gwei) = ("0xde0b6b3a7640000", "0x3b9aca00");
    for (base, tip) in [(ether, gwei), (gwei, ether)] {
        let history = json!({
            "oldestBlock": "0x1", "baseFeePerGas": [base, base], "gasUsedRatio": [0.5], "reward": [[tip]],
        });
        place.proxy.fault("eth_feeHistory", 2, Fault::Lie(history));
        let outcome = place.submit(&signed, &place.policy()).await;
        assert!(matches!(outcome, Err(ChainError::GaveUp(GaveUp::Fee { most: MOST_FEE, .. }))), "{outcome:?}");
        let request = TransactionRequest::default().to(place.world.stranger.address());
        let outcome = place.chain.send(&place.world.stranger, request).await;
        assert!(matches!(outcome, Err(ChainError::GaveUp(GaveUp::Fee { .. }))), "{outcome:?}");
    }
    let history = json!({
        "oldestBlock": "0x1", "baseFeePerGas": [gwei, gwei], "gasUsedRatio": [0.5], "reward": [["0x174876e800"]],
    });
    place.proxy.fault("eth_feeHistory", 1, Fault::Lie(history));
    let outcome = place.submit(&signed, &place.policy()).await;
    assert!(matches!(outcome, Err(ChainError::GaveUp(GaveUp::Tip { .. }))), "{outcome:?}");
    assert!(place.proxy.is_spent());
    assert_eq!(place.proxy.asked("eth_sendRawTransaction"), 0);
}

#[tokio::test]
async fn what_the_node_will_never_take_is_told_at_once() {
    let place = Place::new().await;
    let signed = place.idle_round().await;
    place.proxy.fault("eth_sendRawTransaction", 1, Fault::Say("insufficient funds for gas * price + value"));
    let outcome = place.submit(&signed, &place.policy()).await;
    assert!(matches!(outcome, Err(ChainError::Rpc(_))), "{outcome:?}");
    assert_eq!(place.proxy.asked("eth_sendRawTransaction"), 1);
}

#[tokio::test]
async fn a_policy_that_no_pool_would_follow_is_refused() {
    let place = Place::new().await;
    let signed = place.idle_round().await;
    for policy in [Policy { bump: 9, ..place.policy() }, Policy { most_sends: 0, ..place.policy() }] {
        let outcome = place.submit(&signed, &policy).await;
        assert!(matches!(outcome, Err(ChainError::OutOfRange { .. })), "{outcome:?}");
    }
    let dear = Policy { most_fee: 1, ..place.policy() };
    let outcome = place.submit(&signed, &dear).await;
    assert!(matches!(outcome, Err(ChainError::GaveUp(GaveUp::Fee { most: 1, .. }))), "{outcome:?}");
    assert_eq!(place.proxy.asked("eth_sendRawTransaction"), 0);
}

/// A report that arrives between two calls of one reading at the newest block: the answer is that of before it, whole.
#[tokio::test]
async fn an_attestation_is_read_at_one_block() {
    let place = Place::new().await;
    let (world, attestation) = (&place.world, place.world.deployment.attestation);
    let before = read::attestation(&world.chain, attestation, BlockId::latest()).await.unwrap();
    place.proxy.fault("eth_call", 1, Fault::Delay(Duration::ZERO));
    place.proxy.fault("eth_call", 1, Fault::Delay(Duration::from_secs(3)));
    let arrives = async {
        while place.proxy.asked("eth_call") < 2 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let solvency = world.solvency(Verdict::Solvent).await;
        world.deliver_statement(Statement::Solvency(solvency), 1).await.unwrap();
    };
    let (seen, ()) = tokio::join!(read::attestation(&place.chain, attestation, BlockId::latest()), arrives);
    assert_eq!(seen.unwrap(), before);
    let after = read::attestation(&place.chain, attestation, BlockId::latest()).await.unwrap();
    assert_eq!((after.verdict, after.sequence), (Verdict::Solvent, 1));
}
