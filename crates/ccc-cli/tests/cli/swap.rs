//! The direct route from an empty home: a market, its price, a swap whose proceeds are the reserve's.

use super::network::{KNOWN_KEY, Served, at_home, with_key};
use alloy::{
    primitives::{Address, U256},
    providers::Provider,
};
use ccc_chain::{Chain, ConnectOptions, Deployment, Wallet, bindings::TestToken};

/// A thousand dollars, of 6 decimals.
const AMOUNT: u64 = 1_000_000_000;

/// Does something with the served chain.
fn on_chain<T>(url: &str, act: impl AsyncFnOnce(Chain) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { act(Chain::connect(url, &ConnectOptions::default()).await.expect("connected")).await })
}

async fn held(chain: &Chain, token: Address, holder: Address) -> U256 {
    TestToken::new(token, chain.provider()).balanceOf(holder).call().await.expect("a balance")
}

#[test]
fn a_swap_is_quoted_guarded_and_run() {
    let scratch = with_key();
    let served = Served::start("--for 240");
    let flags = format!("--rpc-url {} --private-key-file key", served.url);
    assert_eq!(at_home(&scratch, &format!("deploy {flags} --out d.json"), &[]).code, 0);
    let deployment: Deployment = serde_json::from_slice(&scratch.read("d.json")).expect("a deployment");
    let place = at_home(&scratch, &format!("--json swap place {flags} --deployment d.json --out venue.json"), &[]);
    assert_eq!((place.code, &place.json()["simulated"]), (0, &true.into()), "{}", place.stderr);
    let reading = format!("--venue venue.json --amount {AMOUNT} --deployment d.json --rpc-url {}", served.url);
    let young = at_home(&scratch, &format!("swap quote {reading}"), &[]);
    young.fails(2, "more observations must be kept");

    on_chain(&served.url, async |chain| {
        let _: serde_json::Value =
            chain.provider().raw_request("evm_increaseTime".into(), (700,)).await.expect("moved");
        let _: serde_json::Value = chain.provider().raw_request("evm_mine".into(), ()).await.expect("mined");
    });
    let quote = at_home(&scratch, &format!("--json swap quote {reading}"), &[]).json();
    assert_eq!((&quote["fee_ppm"], &quote["simulated"]), (&3000.into(), &true.into()), "{quote}");
    let cost = quote["cost_ppm"].as_i64().expect("a cost");
    assert!((2_850..3_200).contains(&cost), "{cost}");

    // whose exchange it is, the operator says, and no part of it is simulated then
    let named = "--exchange 0x0000000000000000000000000000000000000001,0x0000000000000000000000000000000000000002";
    let two = at_home(&scratch, &format!("swap quote {reading} {named}"), &[]);
    assert!(two.code == 2 && two.stderr.contains("expected three addresses"), "{}", two.stderr);
    let third = format!("{named},0x0000000000000000000000000000000000000003");
    at_home(&scratch, &format!("swap quote {reading} {third}"), &[]).fails(2, "is a simulated exchange");
    let run = |more: &str| at_home(&scratch, &format!("--json swap run {reading} --private-key-file key {more}"), &[]);
    assert!(run("").stderr.contains("the swap needs"), "the sender has no dollars");
    assert!(run("--most-cost 10").stderr.contains("at most 1000 ppm are allowed"), "the fee alone is more");
    assert!(run("--slippage 2000").stderr.contains("at most 1000 basis points"));
    let token = deployment.tokens[1].address;
    on_chain(&served.url, async |chain| {
        let mut key = [0; 32];
        hex::decode_to_slice(KNOWN_KEY, &mut key).expect("digits");
        let wallet = Wallet::from_key(&key).expect("a key");
        let money = TestToken::new(token, chain.provider());
        let mint = money.mint(wallet.address(), U256::from(AMOUNT));
        chain.send(&wallet, mint.into_transaction_request()).await.expect("minted");
    });
    assert!(run("--most-fee 0").stderr.contains("a unit of gas would cost"), "a price that nobody would take");
    let dry = run("--dry-run");
    assert_eq!((dry.code, &dry.json()["sent"]), (0, &false.into()), "{}", dry.stderr);
    let done = run("");
    assert_eq!((done.code, &done.json()["sent"]), (0, &true.into()), "{}", done.stderr);
    let found = on_chain(&served.url, async |chain| {
        held(&chain, deployment.tokens[0].address, deployment.reserve).await.to_string()
    });
    assert_eq!(done.json()["amount_out"].as_str(), Some(found.as_str()), "straight to the reserve");
    assert_eq!(quote["amount_out"].as_str(), Some(found.as_str()), "what was quoted");
}

#[test]
fn a_market_is_placed_on_a_local_chain_alone_and_its_file_is_read_strictly() {
    let scratch = with_key();
    let local = Served::start("--for 120");
    let flags = format!("--rpc-url {} --private-key-file key", local.url);
    assert_eq!(at_home(&scratch, &format!("deploy {flags} --out d.json"), &[]).code, 0);
    let elsewhere = Served::start("--for 120 --chain-id 10");
    let flags = format!("--rpc-url {} --private-key-file key --deployment d.json", elsewhere.url);
    at_home(&scratch, &format!("swap place {flags} --out venue.json"), &[]).fails(2, "is not local");
    assert!(!scratch.path("venue.json").exists());
    scratch.write("venue.json", "{\"chain_id\": 1}");
    let quote = format!("--json swap quote --venue venue.json --amount 1 --deployment d.json --rpc-url {}", local.url);
    assert_eq!(at_home(&scratch, &quote, &[]).json_error()["code"], "venue");
    let flags = format!("--rpc-url {} --private-key-file key --deployment d.json", local.url);
    let none = format!("swap place {flags} --uniswap nowhere --out other.json");
    at_home(&scratch, &none, &[]).fails(2, "nowhere");
}
