//! The direct route, on Uniswap itself and on the simulated exchange: what is asked, what is guarded, what is refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails ends there")]

mod common;

use alloy::{
    network::TransactionBuilder,
    primitives::{Address, U256},
    rpc::types::TransactionRequest,
    sol_types::SolCall,
};
use ccc_chain::{
    Chain, ChainError, ConnectOptions,
    bindings::{
        TestToken,
        uniswap::IUniswapRouter::{ExactInputSingleParams, exactInputSingleCall},
    },
    embedded::{ChainServer, Clock, EmbeddedTransport},
    swap::{
        Exchange, Found, LEAST_WINDOW, Limits, Market, Pair, Parts, Quote, SwapError, SwapOrder, Token, Venue,
        place::{self, Depth},
    },
};
use common::{
    CHAIN_ID,
    anvil::Anvil,
    embedded_chain,
    exchange::{Desk, WINDOW, packages, test_token, usdc},
    proxy::{Fault, Proxy},
    wallet,
};
use serde_json::json;

/// A desk with a simulated market that remembers, one small trade, and the window after it.
async fn prepared() -> (Desk, Venue) {
    let desk = Desk::on(embedded_chain()).await;
    let venue = remembering(&desk).await;
    (desk, venue)
}

async fn remembering(desk: &Desk) -> Venue {
    let venue = desk.simulated().await;
    place::remember(&desk.chain, &desk.owner, &venue, 8).await.unwrap();
    desk.wait(60).await;
    let market = desk.market(venue).await;
    desk.trade(&market, 100).await;
    desk.wait(WINDOW.into()).await;
    venue
}

async fn ordered(desk: &Desk, market: &Market<'_>, dollars: u64) -> SwapOrder {
    let (quote, twap) = (market.quote(usdc(dollars)).await.unwrap(), market.twap(WINDOW).await.unwrap());
    market.order(quote, &twap, &desk.limits()).unwrap()
}

#[tokio::test]
async fn the_simulated_exchange_gives_what_uniswap_gives() {
    let Some(code) = packages() else {
        println!("node_modules has no Uniswap: the simulated exchange was compared with nothing.");
        return;
    };
    let real = Desk::on(embedded_chain()).await;
    let venue = real.published(&code).await;
    let theirs = real.story(venue).await;
    let other = Desk::on(embedded_chain()).await;
    let pattern = other.published(&code).await;
    let twin = other.twin(&pattern).await;
    assert_eq!(theirs, other.story(twin).await);
    assert_eq!(real.sums(&venue).await, other.sums(&twin).await);
    assert!(!real.market(venue).await.is_simulated());
}

#[tokio::test]
async fn uniswap_answers_alike_on_anvil_and_in_process() {
    let (Ok(binary), Some(code)) = (std::env::var("CCC_ANVIL"), packages()) else {
        println!("CCC_ANVIL or node_modules is missing: Uniswap ran on no two chains.");
        return;
    };
    let anvil = Anvil::start(&binary);
    let (here, there) = (Desk::on(embedded_chain()).await, Desk::on(anvil.chain().await).await);
    let (ours, theirs) = (here.published(&code).await, there.published(&code).await);
    assert_eq!(ours, theirs, "the same addresses");
    assert_eq!(here.story(ours).await, there.story(theirs).await);
    let (ours, theirs) = (here.simulated().await, there.simulated().await);
    assert_eq!(here.story(ours).await, there.story(theirs).await);
}

#[tokio::test]
async fn proceeds_go_straight_to_the_reserve_and_are_the_quoted_ones() {
    let (desk, venue) = prepared().await;
    let market = desk.market(venue).await;
    let order = ordered(&desk, &market, 500_000).await;
    desk.pay(500_000).await;
    let before = desk.held(desk.pair.buy, desk.reserve).await;
    let rehearsed = market.rehearse(desk.desk.address(), &order).await.unwrap();
    assert!(!rehearsed.approved, "nothing was sent yet");
    let swapped = market.send(&desk.desk, &order).await.unwrap();
    assert_eq!(swapped.amount_out, order.quote().amount_out);
    assert_eq!(desk.held(desk.pair.buy, desk.reserve).await, before + swapped.amount_out);
    assert_eq!(desk.held(desk.pair.buy, desk.desk.address()).await, U256::ZERO, "nothing stays on the way");
    assert_eq!(desk.held(desk.pair.sell, desk.desk.address()).await, U256::ZERO);
}

#[tokio::test]
async fn a_price_that_moved_between_check_and_send_is_refused() {
    let (desk, venue) = prepared().await;
    let market = desk.market(venue).await;
    let order = ordered(&desk, &market, 500_000).await;
    desk.trade(&market, 1_000_000).await;
    desk.pay(500_000).await;
    let outcome = market.send(&desk.desk, &order).await;
    let quoted_before = order.quote().amount_out;
    match outcome {
        Err(SwapError::PriceMoved { quoted, found: Found::Amount(found), least }) => {
            assert_eq!((quoted, least), (quoted_before, order.least()));
            assert!(found < least);
        }
        other => panic!("expected a moved price, found {other:?}"),
    }
    assert_eq!(desk.held(desk.pair.sell, desk.desk.address()).await, usdc(500_000), "nothing was spent");
}

/// A quoter that still tells the old price: the router's own guard is the last one.
#[tokio::test]
async fn a_stale_quote_is_caught_by_the_routers_least_amount() {
    let (desk, simulated) = prepared().await;
    let mut venues = vec![simulated];
    if let Some(code) = packages() {
        let real = desk.published(&code).await;
        place::remember(&desk.chain, &desk.owner, &real, 8).await.unwrap();
        desk.wait(60).await;
        venues.push(real);
    } else {
        println!("node_modules has no Uniswap: the words of its router were not met.");
    }
    for venue in venues {
        let market = desk.market(venue).await;
        desk.trade(&market, 100).await;
        desk.wait(WINDOW.into()).await;
        let order = ordered(&desk, &market, 500_000).await;
        let call = TransactionRequest::default().with_from(desk.desk.address()).to(venue.router);
        let mut params = call_of(&desk, &market, &order);
        params.amountOutMinimum = order.quote().amount_out + U256::from(1);
        desk.pay(500_000).await;
        let money = TestToken::new(desk.pair.sell.address, desk.chain.provider());
        let approval = money.approve(venue.router, usdc(500_000)).into_transaction_request();
        desk.chain.send(&desk.desk, approval).await.unwrap();
        let dear = call.clone().with_input(exactInputSingleCall { params: params.clone() }.abi_encode());
        let refusal = desk.chain.simulate(&dear).await.unwrap_err();
        let words = refusal.refusal().unwrap().to_string();
        assert!(words.contains("TooLittleReceived") || words.contains("Too little received"), "{words}");
        params.deadline = U256::from(1);
        let late = call.with_input(exactInputSingleCall { params }.abi_encode());
        let words = desk.chain.simulate(&late).await.unwrap_err().refusal().unwrap().to_string();
        assert!(words.contains("TransactionTooOld") || words.contains("Transaction too old"), "{words}");
        assert!(market.rehearse(desk.desk.address(), &order).await.unwrap().approved);
        market.send(&desk.desk, &order).await.unwrap();
    }
}

fn call_of(desk: &Desk, market: &Market<'_>, order: &SwapOrder) -> ExactInputSingleParams {
    ExactInputSingleParams {
        tokenIn: desk.pair.sell.address,
        tokenOut: desk.pair.buy.address,
        fee: alloy::primitives::aliases::U24::from(market.fee()),
        recipient: order.recipient(),
        deadline: U256::from(order.deadline()),
        amountIn: order.quote().amount_in,
        amountOutMinimum: order.least(),
        sqrtPriceLimitX96: alloy::primitives::aliases::U160::ZERO,
    }
}

#[tokio::test]
async fn a_deadline_that_passed_is_refused() {
    let (desk, venue) = prepared().await;
    let market = desk.market(venue).await;
    let order = ordered(&desk, &market, 1000).await;
    desk.pay(1000).await;
    desk.wait(Limits::to(desk.reserve).deadline + 1).await;
    let outcome = market.send(&desk.desk, &order).await;
    let deadline_of_order = order.deadline();
    assert!(
        matches!(outcome, Err(SwapError::DeadlinePassed { deadline, now }) if deadline == deadline_of_order && now > deadline),
        "{outcome:?}"
    );
}

/// Makes another call of a good one.
type Change = fn(&mut ExactInputSingleParams);

#[tokio::test]
async fn another_recipient_than_the_reserve_is_refused() {
    let (desk, venue) = prepared().await;
    let market = desk.market(venue).await;
    let (quote, twap) = (market.quote(usdc(1000)).await.unwrap(), market.twap(WINDOW).await.unwrap());
    let thief = desk.desk.address();
    let outcome = market.order(quote, &twap, &Limits::to(thief));
    assert!(
        matches!(outcome, Err(SwapError::Recipient { expected, found }) if (expected, found) == (desk.reserve, thief))
    );
    let order = ordered(&desk, &market, 1000).await;
    let good = call_of(&desk, &market, &order);
    let bytes = |params: &ExactInputSingleParams| exactInputSingleCall { params: params.clone() }.abi_encode();
    market.check_call(&bytes(&good), &order).unwrap();
    let elsewhere = ExactInputSingleParams { recipient: thief, ..good.clone() };
    assert!(
        matches!(market.check_call(&bytes(&elsewhere), &order), Err(SwapError::Recipient { found, .. }) if found == thief)
    );
    let cases: [(&str, Change); 4] = [
        ("token", |p| p.tokenIn = Address::ZERO),
        ("amount", |p| p.amountIn += U256::from(1)),
        ("least amount", |p| p.amountOutMinimum = U256::ZERO),
        ("deadline", |p| p.deadline = U256::MAX),
    ];
    for (name, change) in cases {
        let mut params = good.clone();
        change(&mut params);
        let outcome = market.check_call(&bytes(&params), &order);
        assert!(matches!(outcome, Err(SwapError::Call { field }) if field == name), "{name}: {outcome:?}");
    }
    assert!(matches!(market.check_call(&[1, 2, 3], &order), Err(SwapError::Call { field: "function" })));
}

#[tokio::test]
async fn an_average_of_too_few_or_too_old_observations_is_refused() {
    let desk = Desk::on(embedded_chain()).await;
    let venue = desk.simulated().await;
    let market = desk.market(venue).await;
    let outcome = market.twap(WINDOW).await;
    assert!(matches!(outcome, Err(SwapError::ShortHistory { window: WINDOW, found }) if found < u64::from(WINDOW)));
    // one observation alone is overwritten by each trade: the pool forgets
    desk.wait(WINDOW.into()).await;
    market.twap(WINDOW).await.unwrap();
    desk.trade(&market, 1_000_000).await;
    assert!(matches!(market.twap(WINDOW).await, Err(SwapError::ShortHistory { .. })));

    let (desk, venue) = prepared().await;
    let market = desk.market(venue).await;
    desk.wait(3600).await;
    let (quote, twap) = (market.quote(usdc(1000)).await.unwrap(), market.twap(WINDOW).await.unwrap());
    let outcome = market.order(quote, &twap, &desk.limits());
    assert!(matches!(outcome, Err(SwapError::Stale { most: 3600, found }) if found > 3600), "{outcome:?}");
    assert!(matches!(market.twap(0).await, Err(SwapError::Limit { field: "window", .. })));
}

#[tokio::test]
async fn a_swap_that_costs_too_much_against_the_average_is_refused() {
    let (desk, venue) = prepared().await;
    let market = desk.market(venue).await;
    let (quote, twap) = (market.quote(usdc(5_000_000)).await.unwrap(), market.twap(WINDOW).await.unwrap());
    let outcome = market.order(quote, &twap, &Limits::to(desk.reserve));
    let Err(SwapError::Cost { cost, most: 10_000, quoted, fair }) = outcome else { panic!("{outcome:?}") };
    assert!(cost > 40_000 && quoted < fair, "{cost}");
    let up = Quote { amount_out: fair + U256::from(1), ..quote };
    assert!(up.cost(&twap).unwrap() <= 0, "a quote above the average costs nothing");
    assert!(matches!(market.quote(U256::ZERO).await, Err(SwapError::Limit { field: "amount", .. })));
}

#[tokio::test]
async fn a_sender_without_the_money_is_told_before() {
    let (desk, venue) = prepared().await;
    let market = desk.market(venue).await;
    let order = ordered(&desk, &market, 1000).await;
    let outcome = market.send(&desk.desk, &order).await;
    assert!(matches!(outcome, Err(SwapError::Funds { found, .. }) if found.is_zero()), "{outcome:?}");
}

#[tokio::test]
async fn contracts_that_do_not_belong_together_are_refused() {
    let (desk, venue) = prepared().await;
    let other = desk.simulated().await;
    for wrong in [Venue { router: other.router, ..venue }, Venue { quoter: other.quoter, ..venue }] {
        let outcome = desk.open(wrong, desk.pair, Parts::Any).await;
        assert!(matches!(outcome, Err(SwapError::Pool { expected, .. }) if expected == venue.pool), "{outcome:?}");
    }
    let nowhere = Venue { pool: Address::repeat_byte(9), ..venue };
    let outcome = desk.open(nowhere, desk.pair, Parts::Any).await;
    assert!(matches!(outcome, Err(SwapError::Chain(ChainError::NotDeployed { .. }))), "{outcome:?}");
    let outcome = desk.open(Venue { chain_id: 1, ..venue }, desk.pair, Parts::Any).await;
    assert!(matches!(outcome, Err(SwapError::Chain(ChainError::WrongChain { expected: 1, .. }))), "{outcome:?}");
    let third = test_token(&desk.chain, &desk.owner, "DAI", 18).await;
    for pair in [Pair { sell: third, ..desk.pair }, Pair { sell: desk.pair.buy, buy: desk.pair.buy }] {
        let outcome = desk.open(venue, pair, Parts::Any).await;
        assert!(matches!(outcome, Err(SwapError::Tokens { .. })), "{outcome:?}");
    }
    let buy = Token { decimals: 18, ..desk.pair.buy };
    let outcome = desk.open(venue, Pair { buy, ..desk.pair }, Parts::Any).await;
    assert!(matches!(outcome, Err(SwapError::Decimals { expected: 18, found: 8, .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_simulated_exchange_is_refused_where_real_ones_are_asked_for() {
    let (desk, venue) = prepared().await;
    assert!(desk.market(venue).await.is_simulated());
    let outcome = desk.open(venue, desk.pair, Parts::Real).await;
    assert!(matches!(outcome, Err(SwapError::Simulated { contract }) if contract == venue.router), "{outcome:?}");
}

/// A served chain, and the same one behind a proxy whose node calls itself Geth: a chain of value.
async fn valued() -> (Desk, Proxy, Chain, ChainServer) {
    let config = ccc_chain::EmbeddedConfig { chain_id: CHAIN_ID, genesis_time: 1_700_000_000, rich: Vec::new() };
    let server = ChainServer::serve(([127, 0, 0, 1], 0).into(), EmbeddedTransport::new(&config), Clock::Blocks);
    let server = server.await.unwrap();
    let desk = Desk::on(Chain::connect(&server.url(), &ConnectOptions::default()).await.unwrap()).await;
    let proxy = Proxy::before(&server.url()).await;
    proxy.fault("web3_clientVersion", 1, Fault::Lie(json!("Geth/v1.16.0")));
    let valued = Chain::connect(&proxy.url, &ConnectOptions::default()).await.unwrap();
    (desk, proxy, valued, server)
}

/// Simulated parts are refused whatever the caller allows.
#[tokio::test]
async fn a_simulated_exchange_is_refused_on_a_chain_of_value() {
    let (desk, proxy, valued, _server) = valued().await;
    let venue = desk.simulated().await;
    let exchange = Exchange { factory: venue.pool, router: venue.router, quoter: venue.quoter };
    for parts in [Parts::Any, Parts::Named(exchange)] {
        let outcome = Market::open(&valued, venue, desk.pair, desk.reserve, parts).await;
        assert!(matches!(outcome, Err(SwapError::Simulated { .. })), "{outcome:?}");
    }
    // a node that does not say is no witness
    proxy.fault("eth_call", 1, Fault::Say("daily request limit exceeded"));
    let outcome = Market::open(&valued, venue, desk.pair, desk.reserve, Parts::Named(exchange)).await;
    assert!(matches!(outcome, Err(SwapError::Chain(ChainError::Rpc(_)))), "{outcome:?}");
    let depth = Depth { sell: U256::from(1000), buy: U256::from(1000) };
    let outcome = place::simulated(&valued, &wallet(1), &desk.pair, depth).await;
    assert!(matches!(outcome, Err(SwapError::Simulated { .. })), "{outcome:?}");
}

/// A pool, router, quoter and factory that vouch for each other, and call themselves nothing.
#[tokio::test]
async fn a_market_of_an_exchange_that_nobody_named_is_refused_on_a_chain_of_value() {
    let (desk, proxy, valued, _server) = valued().await;
    let venue = desk.simulated().await;
    let open = async |parts| {
        proxy.fault("eth_call", 3, Fault::Say("execution reverted"));
        Market::open(&valued, venue, desk.pair, desk.reserve, parts).await
    };
    for parts in [Parts::Any, Parts::Real] {
        let outcome = open(parts).await;
        assert!(matches!(outcome, Err(SwapError::Unknown { chain_id: CHAIN_ID })), "{outcome:?}");
    }
    let named = Exchange { factory: venue.pool, router: venue.router, quoter: venue.quoter };
    let other = Address::repeat_byte(7);
    for (exchange, name) in [
        (Exchange { router: other, ..named }, "router"),
        (Exchange { quoter: other, ..named }, "quoter"),
        (Exchange { factory: other, ..named }, "factory"),
    ] {
        let outcome = open(Parts::Named(exchange)).await;
        assert!(
            matches!(outcome, Err(SwapError::Exchange { part, expected, .. }) if part == name && expected == other),
            "{outcome:?}"
        );
    }
    // the operator's word: it opens, and its average is of no less than five minutes
    let market = open(Parts::Named(named)).await.unwrap();
    let outcome = market.twap(LEAST_WINDOW - 1).await;
    assert!(matches!(outcome, Err(SwapError::Limit { field: "window", .. })), "{outcome:?}");
    assert!(matches!(market.twap(LEAST_WINDOW).await, Err(SwapError::ShortHistory { .. })));
    assert_eq!(Exchange::known(CHAIN_ID), None);
    assert!(Exchange::known(1).is_some_and(|uniswap| Exchange::known(42161) == Some(uniswap)));
}

#[tokio::test]
async fn a_price_of_another_pool_or_of_another_time_is_refused() {
    let (desk, venue) = prepared().await;
    let market = desk.market(venue).await;
    let (quote, twap) = (market.quote(usdc(1000)).await.unwrap(), market.twap(WINDOW).await.unwrap());
    let order = ordered(&desk, &market, 1000).await;
    let other = desk.market(desk.simulated().await).await;
    let mut elsewhere = twap;
    elsewhere.pool = Address::ZERO;
    for what in ["the quote", "the average price", "the order"] {
        let outcome = match what {
            "the quote" => market.order(Quote { pool: Address::ZERO, ..quote }, &twap, &desk.limits()).map(|_| ()),
            "the average price" => market.order(quote, &elsewhere, &desk.limits()).map(|_| ()),
            _ => other.send(&desk.desk, &order).await.map(|_| ()),
        };
        assert!(matches!(outcome, Err(SwapError::OtherPool { what: found, .. }) if found == what), "{outcome:?}");
    }
    desk.wait(61).await;
    let later = market.quote(usdc(1000)).await.unwrap();
    let outcome = market.order(later, &twap, &desk.limits());
    assert!(matches!(outcome, Err(SwapError::Apart { most: 60, .. })), "{outcome:?}");
}

/// Between the last question and the block: the least amount in the signed bytes is the last guard.
#[tokio::test]
async fn a_price_that_moves_after_the_rehearsal_is_refused_by_the_router() {
    let config = ccc_chain::EmbeddedConfig { chain_id: CHAIN_ID, genesis_time: 1_700_000_000, rich: Vec::new() };
    let server = ChainServer::serve(([127, 0, 0, 1], 0).into(), EmbeddedTransport::new(&config), Clock::Blocks);
    let server = server.await.unwrap();
    let desk = Desk::on(Chain::connect(&server.url(), &ConnectOptions::default()).await.unwrap()).await;
    let venue = remembering(&desk).await;
    let proxy = Proxy::before(&server.url()).await;
    let slow = Chain::connect(&proxy.url, &ConnectOptions::default()).await.unwrap();
    let market = Market::open(&slow, venue, desk.pair, desk.reserve, Parts::Any).await.unwrap();
    let order = ordered(&desk, &market, 500_000).await;
    desk.pay(500_000).await;
    let money = TestToken::new(desk.pair.sell.address, desk.chain.provider());
    // less than the amount, so that it is changed by way of nothing
    for (who, amount) in [(&desk.desk, usdc(1)), (&desk.owner, usdc(10_000_000))] {
        let approval = money.approve(venue.router, amount).into_transaction_request();
        desk.chain.send(who, approval).await.unwrap();
    }
    desk.chain
        .send(&desk.owner, money.mint(desk.owner.address(), usdc(10_000_000)).into_transaction_request())
        .await
        .unwrap();
    for _ in 0..2 {
        // both approvals pass
        proxy.fault("eth_sendRawTransactionSync", 1, Fault::Delay(std::time::Duration::ZERO));
    }
    proxy.fault("eth_sendRawTransactionSync", 1, Fault::Delay(std::time::Duration::from_secs(4)));
    let other = async {
        while proxy.asked("eth_sendRawTransactionSync") < 3 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let direct = desk.market(venue).await;
        let large = Limits { cost: 1000, ..Limits::to(desk.reserve) };
        let (quote, twap) = (direct.quote(usdc(2_000_000)).await.unwrap(), direct.twap(WINDOW).await.unwrap());
        direct.send(&desk.owner, &direct.order(quote, &twap, &large).unwrap()).await.unwrap();
    };
    let (outcome, ()) = tokio::join!(market.send(&desk.desk, &order), other);
    assert!(matches!(outcome, Err(SwapError::PriceMoved { found: Found::Less, .. })), "{outcome:?}");
    assert_eq!(desk.held(desk.pair.sell, desk.desk.address()).await, usdc(500_000), "nothing was spent");
}
