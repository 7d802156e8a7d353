//! The embedded chain: answers to every request, time, snapshots, the past.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper that fails ends its test")]

mod common;

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{B256, Bytes, U64, U256},
    providers::Provider,
    rpc::types::{Filter, TransactionRequest},
};
use ccc_chain::{
    ChainError, Deployment, calls, embedded::TRANSACTION_GAS_CAP, history, read, transcript, transcript::StorageRecord,
    watch::Watcher,
};
use ccc_core::report::{Statement, Verdict};
use common::{GENESIS_TIME, USDC_LOT, World, embedded_chain, salt, wallet};
use serde_json::{Value, json};

async fn ask(chain: &ccc_chain::Chain, method: &'static str, parameters: Value) -> Result<Value, String> {
    chain.provider().raw_request(method.into(), parameters).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn same_story_gives_the_same_bytes() {
    let mut ends = Vec::new();
    for _ in 0..2 {
        let world = World::new().await;
        world.deposit(USDC_LOT, 1).await;
        world.idle_round().await;
        ends.push(world.chain.finalised_block().await.unwrap());
    }
    assert_eq!(ends[0], ends[1]);
}

#[tokio::test]
async fn the_reserves_history_is_in_the_events_the_newest_first() {
    let world = World::new().await;
    let newest = async || world.chain.block(BlockId::latest()).await.unwrap();
    let history = async |most| history::of_reserve(&world.chain, &world.deployment, newest().await.number, most).await;
    let none = history(9).await.unwrap();
    assert_eq!((none.answers.len(), none.whole, none.from), (0, true, world.deployment.first_block));
    let mut expected = Vec::new();
    for (sequence, verdict) in [(1, Verdict::Insolvent), (4, Verdict::Solvent), (5, Verdict::Unknown)] {
        let solvency = world.solvency(verdict).await;
        let delivery = world.deliver_statement(Statement::Solvency(solvency), sequence).await.unwrap();
        expected.insert(0, (delivery.block, newest().await.time, sequence, verdict, solvency.block));
    }
    let told = |answers: &[history::Answer]| -> Vec<_> {
        answers.iter().map(|a| (a.block, a.time, a.sequence, a.verdict, a.attested_block)).collect()
    };
    let all = history(3).await.unwrap();
    assert_eq!((told(&all.answers), all.whole), (expected.clone(), true));
    assert_eq!(all.answers.iter().map(|answer| answer.solvent).collect::<Vec<_>>(), [false, true, false]);
    let two = history(2).await.unwrap();
    assert_eq!((told(&two.answers), two.whole, two.from), (expected[..2].to_vec(), false, expected[1].0));
}

#[tokio::test]
async fn blocks_are_one_second_apart_unless_time_is_set() {
    let chain = embedded_chain();
    assert_eq!(chain.block(BlockId::latest()).await.unwrap().time, GENESIS_TIME);
    ask(&chain, "evm_mine", json!([])).await.unwrap();
    assert_eq!(chain.block(BlockId::latest()).await.unwrap().time, GENESIS_TIME + 1);
    let reached = chain.advance_time(GENESIS_TIME + 500).await.unwrap();
    assert_eq!((reached.number, reached.time), (2, GENESIS_TIME + 500));
    assert_eq!(chain.advance_time(GENESIS_TIME).await.unwrap(), reached);
    ask(&chain, "evm_increaseTime", json!([10])).await.unwrap();
    ask(&chain, "evm_mine", json!([])).await.unwrap();
    assert_eq!(chain.block(BlockId::latest()).await.unwrap().time, GENESIS_TIME + 511);
    assert!(ask(&chain, "evm_setNextBlockTimestamp", json!([GENESIS_TIME])).await.is_err());
}

#[tokio::test]
async fn newest_block_is_safe_and_final_and_found_by_its_hash() {
    let world = World::new().await;
    let newest = world.chain.block(BlockId::latest()).await.unwrap();
    for tag in [BlockNumberOrTag::Finalized, BlockNumberOrTag::Safe, BlockNumberOrTag::Pending] {
        assert_eq!(world.chain.block(tag.into()).await.unwrap(), newest);
    }
    assert_eq!(world.chain.block(newest.id()).await.unwrap(), newest);
    let missing = world.chain.block(BlockId::from(B256::repeat_byte(1))).await;
    assert!(matches!(missing, Err(ChainError::NoBlock { .. })));
}

#[tokio::test]
async fn hash_of_a_block_is_the_hash_of_its_header() {
    let world = World::new().await;
    let block = world.chain.provider().get_block(BlockId::latest()).await.unwrap().unwrap();
    assert_eq!(block.header.inner.hash_slow(), block.header.hash);
    let parent = world.chain.block(BlockId::number(block.header.inner.number - 1)).await.unwrap();
    assert_eq!(block.header.inner.parent_hash, parent.hash);
}

#[tokio::test]
async fn snapshot_is_returned_to_once() {
    let world = World::new().await;
    let before = world.chain.finalised_block().await.unwrap();
    let id = ask(&world.chain, "evm_snapshot", json!([])).await.unwrap();
    world.deposit(USDC_LOT, 1).await;
    assert_eq!(ask(&world.chain, "evm_revert", json!([id])).await.unwrap(), json!(true));
    assert_eq!(world.chain.finalised_block().await.unwrap(), before);
    assert_eq!(world.pool().count(BlockId::latest()).await.unwrap(), 0);
    assert_eq!(ask(&world.chain, "evm_revert", json!([id])).await.unwrap(), json!(false));
    world.deposit(USDC_LOT, 1).await;
}

#[tokio::test]
async fn every_past_state_can_be_asked() {
    let world = World::new().await;
    let mut seen = Vec::new();
    for n in 1..=4 {
        world.deposit(USDC_LOT, n).await;
        let block = world.chain.finalised_block().await.unwrap();
        seen.push((block, world.pool().count(BlockId::latest()).await.unwrap()));
    }
    for (block, count) in seen {
        assert_eq!(world.pool().count(block.id()).await.unwrap(), count);
        assert_eq!(world.pool().count(BlockId::number(block.number)).await.unwrap(), count);
    }
    let code = world.chain.provider().get_code_at(world.deployment.pool).block_id(BlockId::number(0)).await.unwrap();
    assert!(code.is_empty());
}

#[tokio::test]
async fn funding_belongs_to_the_block_after_it() {
    let chain = embedded_chain();
    let person = wallet(9).address();
    chain.fund(person).await.unwrap();
    ask(&chain, "evm_mine", json!([])).await.unwrap();
    let balance = |number| chain.provider().get_balance(person).block_id(BlockId::number(number));
    assert_eq!(balance(0).await.unwrap(), U256::ZERO);
    assert_eq!(balance(1).await.unwrap(), U256::from(10u64).pow(U256::from(22)));
}

#[tokio::test]
async fn estimate_is_the_least_gas_that_suffices() {
    let world = World::new().await;
    let token = ccc_chain::bindings::TestToken::new(world.deployment.tokens[0].address, world.chain.provider());
    let amount = U256::from(USDC_LOT);
    let mint = token.mint(world.maker.address(), amount).into_transaction_request().from(world.owner.address());
    world.chain.send(&world.owner, mint.clone()).await.unwrap();
    let approval = token.approve(world.deployment.pool, amount).into_transaction_request();
    world.chain.send(&world.maker, approval).await.unwrap();
    // it calls the token, and the allowance that it uses up gives a refund
    let deposit = calls::deposit(world.deployment.pool, 0, amount, salt(9), Bytes::from_static(&[7; 553]));
    for request in [mint, deposit.from(world.maker.address())] {
        let least = world.chain.estimate(&request).await.unwrap();
        assert!(world.chain.simulate(&request.clone().gas_limit(least)).await.is_ok());
        assert!(world.chain.simulate(&request.gas_limit(least - 1)).await.is_err());
    }
}

#[tokio::test]
async fn endless_call_ends_at_the_gas_cap() {
    let chain = embedded_chain();
    let endless = TransactionRequest::default().input(Bytes::from_static(&[0x5b, 0x5f, 0x56]).into());
    let fault = ask(&chain, "eth_estimateGas", json!([endless])).await.unwrap_err();
    assert!(fault.contains("halted"), "{fault}");
    let beyond = endless.gas_limit(TRANSACTION_GAS_CAP * 4);
    assert!(ask(&chain, "eth_call", json!([beyond])).await.unwrap_err().contains("halted"));
}

#[tokio::test]
async fn reverted_transaction_is_mined_and_its_reason_found_again() {
    let world = World::new().await;
    let request = ccc_chain::bindings::CREDarkPool::new(world.deployment.pool, world.chain.provider())
        .expire(B256::ZERO)
        .into_transaction_request()
        .gas_limit(200_000);
    let before = world.chain.finalised_block().await.unwrap().number;
    let refused = world.chain.send(&world.stranger, request).await.unwrap_err();
    assert_eq!(refused.refusal().unwrap().name, "RequestNotPending");
    assert_eq!(world.chain.finalised_block().await.unwrap().number, before + 1);
}

#[tokio::test]
async fn transactions_that_break_the_rules_are_rejected_and_change_nothing() {
    let world = World::new().await;
    let before = world.chain.finalised_block().await.unwrap();
    let poor = wallet(77);
    let request = TransactionRequest::default().to(world.owner.address()).gas_limit(21_000);
    assert!(matches!(world.chain.send(&poor, request).await, Err(ChainError::Rpc(_))));
    for raw in ["0x", "0x02", "0xff", "0x02c0", "0xc0"] {
        assert!(ask(&world.chain, "eth_sendRawTransaction", json!([raw])).await.is_err());
    }
    assert_eq!(world.chain.finalised_block().await.unwrap(), before);
}

#[tokio::test]
async fn filters_give_each_thing_once() {
    let world = World::new().await;
    let provider = world.chain.provider();
    let logs = ask(&world.chain, "eth_newFilter", json!([Filter::new().address(world.deployment.pool)])).await.unwrap();
    let blocks = ask(&world.chain, "eth_newBlockFilter", json!([])).await.unwrap();
    world.deposit(USDC_LOT, 1).await;
    let changes = ask(&world.chain, "eth_getFilterChanges", json!([logs])).await.unwrap();
    assert_eq!(changes.as_array().unwrap().len(), 1);
    assert_eq!(ask(&world.chain, "eth_getFilterChanges", json!([logs])).await.unwrap(), json!([]));
    assert_eq!(ask(&world.chain, "eth_getFilterChanges", json!([blocks])).await.unwrap().as_array().unwrap().len(), 3);
    // The pool's first event, at its deployment, names its authority.
    assert_eq!(ask(&world.chain, "eth_getFilterLogs", json!([logs])).await.unwrap().as_array().unwrap().len(), 2);
    assert_eq!(ask(&world.chain, "eth_uninstallFilter", json!([logs])).await.unwrap(), json!(true));
    assert!(ask(&world.chain, "eth_getFilterChanges", json!([logs])).await.is_err());
    let none = provider.get_logs(&Filter::new().from_block(10_000)).await.unwrap();
    assert!(none.is_empty());
}

#[tokio::test]
async fn malformed_requests_are_refused_without_a_panic() {
    let chain = embedded_chain();
    let methods = [
        "web3_clientVersion",
        "net_version",
        "eth_chainId",
        "eth_blockNumber",
        "eth_gasPrice",
        "eth_feeHistory",
        "eth_maxPriorityFeePerGas",
        "eth_getTransactionCount",
        "eth_getBalance",
        "eth_getCode",
        "eth_getStorageAt",
        "eth_call",
        "eth_estimateGas",
        "eth_sendRawTransaction",
        "eth_sendRawTransactionSync",
        "eth_getTransactionReceipt",
        "eth_getTransactionByHash",
        "eth_getBlockByNumber",
        "eth_getBlockByHash",
        "eth_getLogs",
        "eth_newFilter",
        "eth_newBlockFilter",
        "eth_getFilterChanges",
        "eth_getFilterLogs",
        "eth_uninstallFilter",
        "evm_snapshot",
        "evm_revert",
        "evm_increaseTime",
        "evm_setNextBlockTimestamp",
        "evm_mine",
        "anvil_setBalance",
        "ccc_dumpStorage",
        "eth_unknown",
    ];
    let values = [
        json!([]),
        json!(null),
        json!({}),
        json!("x"),
        json!([null, null]),
        json!([true]),
        json!(["0x"]),
        json!(["0xffffffffffffffffff", "latest"]),
        json!([{}, "latest", {}]),
        json!([-1]),
        json!([1e300]),
        json!(["latest", {"nested": [1, 2]}]),
        json!([U256::MAX, U256::MAX]),
        json!([U64::MAX, "latest", [1.0]]),
        json!(["0x0000000000000000000000000000000000000000", U256::MAX, "0xfffffffffffffff"]),
        json!([{"to": null, "data": "0xfe", "value": U256::MAX, "gas": U64::MAX}]),
        json!([{"fromBlock": "0xffffffffffffffff", "toBlock": "0x0", "topics": [null, [], ["0x00"]]}]),
    ];
    for method in methods {
        for value in &values {
            let _ = ask(&chain, method, value.clone()).await;
        }
    }
    assert!(ask(&chain, "eth_unknown", json!([])).await.unwrap_err().contains("eth_unknown"));
    assert_eq!(ask(&chain, "eth_chainId", json!([])).await.unwrap(), json!("0x7a69"));
}

#[tokio::test]
async fn watcher_reads_each_event_once_and_goes_on_from_its_cursor() {
    let world = World::new().await;
    let mut watcher = Watcher::new(&world.chain, &world.deployment, 0);
    world.deposit(USDC_LOT, 1).await;
    let first = watcher.poll().await.unwrap();
    assert_eq!(first.len(), 1);
    assert!(watcher.poll().await.unwrap().is_empty());
    let mut later = Watcher::new(&world.chain, &world.deployment, watcher.next_block());
    world.act().submit_standing_order(&world.maker, salt(2), Bytes::from_static(b"s")).await.unwrap();
    let both = (watcher.poll().await.unwrap(), later.poll().await.unwrap());
    assert_eq!(both.0, both.1);
    assert_eq!(both.0.len(), 1);
    let text = serde_json::to_string(&both.0).unwrap();
    assert_eq!(serde_json::from_str::<Vec<ccc_chain::watch::Observed>>(&text).unwrap(), both.0);
}

#[tokio::test]
async fn transcript_holds_calldata_events_refusals_and_memory() {
    let world = World::new().await;
    world.deposit(USDC_LOT, 1).await;
    let solvency = Statement::Solvency(world.solvency(Verdict::Solvent).await);
    world.deliver_statement(solvency, 1).await.unwrap();
    assert!(world.act().expire(&world.stranger, B256::ZERO).await.is_err());
    let contracts = world.deployment.contracts();
    let seen = transcript::collect(&world.chain, 0, &contracts).await.unwrap();
    assert_eq!(seen.transactions.len(), usize::try_from(seen.last_block).unwrap());
    assert!(seen.events.iter().any(|event| event.contract == world.deployment.attestation));
    assert_eq!(seen.reverts.last().unwrap().refusal.name, "RequestNotPending");
    let StorageRecord::Words { words } = &seen.storage else { panic!("the embedded chain lists its memory") };
    for contract in contracts {
        assert!(words.iter().any(|word| word.contract == contract), "{contract}");
    }
    let needle = b"sealed account";
    assert!(seen.byte_strings().any(|bytes| bytes.windows(needle.len()).any(|window| window == needle)));
    let text = serde_json::to_string(&seen).unwrap();
    assert_eq!(serde_json::from_str::<transcript::Transcript>(&text).unwrap(), seen);
}

#[tokio::test]
async fn addresses_that_are_no_nodes_are_refused() {
    let options = ccc_chain::ConnectOptions::default();
    assert!(matches!(ccc_chain::Chain::connect("not a url", &options).await, Err(ChainError::Url { .. })));
    let nobody = ccc_chain::Chain::connect("http://127.0.0.1:1", &options).await;
    assert!(matches!(nobody, Err(ChainError::Rpc(_))));
}

#[tokio::test]
async fn unusable_plans_are_refused_before_anything_is_sent() {
    let chain = embedded_chain();
    let owner = wallet(1);
    let mut plan = common::plan(owner.address());
    plan.signers.f = 2;
    let refused = ccc_chain::deploy::deploy(&chain, &owner, &plan).await;
    assert!(matches!(refused, Err(ChainError::Quorum(_))));
    for id in [B256::repeat_byte(1), B256::ZERO] {
        let mut plan = common::plan(owner.address());
        plan.workflow.id = id;
        let refused = ccc_chain::deploy::deploy(&chain, &owner, &plan).await;
        assert!(matches!(refused, Err(ChainError::OutOfRange { field: "workflow id", .. })));
    }
    assert_eq!(chain.finalised_block().await.unwrap().number, 0);
}

#[tokio::test]
async fn n155_deployment_that_does_not_stand_on_this_chain_is_refused() {
    let world = World::new().await;
    ccc_chain::deploy::check(&world.chain, &world.deployment).await.unwrap();
    let mut other = world.deployment.clone();
    other.chain_id = 1;
    let refused = ccc_chain::deploy::check(&world.chain, &other).await;
    assert!(matches!(refused, Err(ChainError::WrongChain { expected: 1, found: common::CHAIN_ID })));
    let mut other = world.deployment.clone();
    other.pool = wallet(50).address();
    let refused = ccc_chain::deploy::check(&world.chain, &other).await;
    assert!(matches!(refused, Err(ChainError::NotDeployed { .. })));
    let mut other = world.deployment.clone();
    other.signers.addresses.swap(0, 1);
    let refused = ccc_chain::deploy::check(&world.chain, &other).await;
    assert!(matches!(refused, Err(ChainError::SignerSet { .. })));
}

/// A registry that takes another deployment's reports would call other enclaves current.
#[tokio::test]
async fn n155_a_registry_of_another_deployment_is_refused() {
    type Change = fn(&mut Deployment);
    let world = World::new().await;
    let changes: [(&str, Change); 3] = [
        ("forwarder", |other| other.forwarder = other.pool),
        ("workflow", |other| other.workflow.id[31] ^= 1),
        ("epoch", |other| other.workflow.epoch += 1),
    ];
    for (what, change) in changes {
        let mut other = world.deployment.clone();
        change(&mut other);
        let owner = wallet(1);
        world.chain.fund(owner.address()).await.unwrap();
        let registry = ccc_chain::deploy::enclave_registry(&world.chain, &owner, &other, 600).await.unwrap();
        let deployment = Deployment { enclaves: Some(registry), ..world.deployment.clone() };
        let refused = ccc_chain::deploy::check(&world.chain, &deployment).await;
        assert!(
            matches!(refused, Err(ChainError::OtherRegistry { registry: at, what: found }) if at == registry && found == what),
            "{what}: {refused:?}"
        );
    }
    let owner = wallet(1);
    let registry = ccc_chain::deploy::enclave_registry(&world.chain, &owner, &world.deployment, 600).await.unwrap();
    let deployment = Deployment { enclaves: Some(registry), ..world.deployment.clone() };
    ccc_chain::deploy::check(&world.chain, &deployment).await.unwrap();
}

#[tokio::test]
async fn keys_out_of_range_are_refused() {
    assert!(matches!(ccc_chain::Wallet::from_key(&[0; 32]), Err(ChainError::Key)));
    assert!(matches!(ccc_chain::Wallet::from_key(&[0xff; 32]), Err(ChainError::Key)));
    assert!(!format!("{:?}", wallet(7)).contains("07070707"));
}

#[tokio::test]
async fn price_decimals_are_the_feeds() {
    let world = World::new().await;
    let decimals = read::price_decimals(&world.chain, world.deployment.feed, BlockId::latest()).await.unwrap();
    assert_eq!(decimals, world.deployment.feed_decimals);
}
