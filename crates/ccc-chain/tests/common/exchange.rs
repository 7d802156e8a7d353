//! The same pool twice: Uniswap's own, and the simulated exchange with its price and liquidity.

#![allow(clippy::panic, reason = "a helper that fails ends its test")]

use std::path::{Path, PathBuf};

use alloy::{
    network::TransactionBuilder,
    primitives::{
        Address, U256,
        aliases::{I56, U160},
    },
    rpc::types::TransactionRequest,
    sol_types::SolConstructor,
};
use ccc_chain::{
    Chain, Wallet,
    bindings::{TestToken, uniswap::IUniswapPool},
    swap::{
        Limits, Market, Pair, Parts, SwapError, Token, Venue,
        place::{self, Depth, Published},
    },
};

use super::wallet;

pub(crate) const MILLION: u64 = 1_000_000;
/// Dollars for a coin: within one word of Uniswap's bitmap of ticks, with room for fifty millions.
pub(crate) const PRICE: u64 = 60_000;
/// Dollars on each side of the pool.
pub(crate) const DEPTH: u64 = 100 * MILLION;
pub(crate) const WINDOW: u32 = 600;

/// Millionths of a dollar.
pub(crate) fn usdc(dollars: u64) -> U256 {
    U256::from(dollars) * U256::from(MILLION)
}

fn depth() -> Depth {
    // 100,000,000 dollars and as many coins, of 8 decimals, as they buy at 60,000: rounded up
    let coins = U256::from(DEPTH) * U256::from(100 * MILLION) / U256::from(PRICE);
    Depth { sell: usdc(DEPTH), buy: coins }
}

/// Where npm put Uniswap's packages, when they are installed.
pub(crate) fn packages() -> Option<Published> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../node_modules");
    let paths: Vec<PathBuf> = place::ARTIFACTS.iter().map(|artifact| root.join(artifact)).collect();
    let texts: Option<Vec<String>> = paths.iter().map(|path| std::fs::read_to_string(path).ok()).collect();
    let texts = texts?;
    let [factory, positions, router, quoter] = texts.as_slice() else { panic!("four artifacts") };
    Some(Published::read([factory, positions, router, quoter]).unwrap())
}

/// Two tokens, a desk that sells dollars, a reserve.
pub(crate) struct Desk {
    pub(crate) chain: Chain,
    pub(crate) owner: Wallet,
    pub(crate) desk: Wallet,
    pub(crate) reserve: Address,
    pub(crate) pair: Pair,
}

impl Desk {
    pub(crate) async fn on(chain: Chain) -> Self {
        let (owner, desk) = (wallet(1), wallet(2));
        for person in [&owner, &desk] {
            chain.fund(person.address()).await.unwrap();
        }
        let sell = test_token(&chain, &owner, "USDC", 6).await;
        let buy = test_token(&chain, &owner, "WBTC", 8).await;
        Self { chain, owner, desk, reserve: Address::repeat_byte(0x5e), pair: Pair { sell, buy } }
    }

    pub(crate) async fn simulated(&self) -> Venue {
        place::simulated(&self.chain, &self.owner, &self.pair, depth()).await.unwrap()
    }

    pub(crate) async fn published(&self, code: &Published) -> Venue {
        place::published(&self.chain, &self.owner, code, &self.pair, depth()).await.unwrap()
    }

    /// The simulated exchange at the price and liquidity of another pool.
    pub(crate) async fn twin(&self, venue: &Venue) -> Venue {
        let pool = IUniswapPool::new(venue.pool, self.chain.provider());
        let price: U160 = pool.slot0().call().await.unwrap().sqrtPriceX96;
        let liquidity = pool.liquidity().call().await.unwrap();
        place::simulated_with(&self.chain, &self.owner, &self.pair, price, liquidity).await.unwrap()
    }

    pub(crate) async fn market(&self, venue: Venue) -> Market<'_> {
        self.open(venue, self.pair, Parts::Any).await.unwrap()
    }

    pub(crate) async fn open(&self, venue: Venue, pair: Pair, parts: Parts) -> Result<Market<'_>, SwapError> {
        Market::open(&self.chain, venue, pair, self.reserve, parts).await
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits { cost: 1000, ..Limits::to(self.reserve) }
    }

    /// Lets the desk have dollars.
    pub(crate) async fn pay(&self, dollars: u64) {
        let token = TestToken::new(self.pair.sell.address, self.chain.provider());
        let request = token.mint(self.desk.address(), usdc(dollars)).into_transaction_request();
        self.chain.send(&self.owner, request).await.unwrap();
    }

    pub(crate) async fn held(&self, token: Token, holder: Address) -> U256 {
        TestToken::new(token.address, self.chain.provider()).balanceOf(holder).call().await.unwrap()
    }

    pub(crate) async fn wait(&self, seconds: u64) {
        let now = self.chain.block(alloy::eips::BlockId::latest()).await.unwrap().time;
        self.chain.advance_time(now + seconds).await.unwrap();
    }

    /// A trade that leaves an observation, and time after it.
    pub(crate) async fn trade(&self, market: &Market<'_>, dollars: u64) {
        self.pay(dollars).await;
        let quote = market.quote(usdc(dollars)).await.unwrap();
        let twap = market.twap(1).await.unwrap();
        let order = market.order(quote, &twap, &self.limits()).unwrap();
        market.send(&self.desk, &order).await.unwrap();
    }

    /// What both pools must agree in, line by line: quotes, prices, averages, proceeds.
    pub(crate) async fn story(&self, venue: Venue) -> Vec<String> {
        let market = self.market(venue).await;
        place::remember(&self.chain, &self.owner, &venue, 8).await.unwrap();
        // each pool begins at its own time, and from here on they walk together
        let start = self.first(&venue).await + 60;
        self.chain.advance_time(start).await.unwrap();
        let mut lines = vec![format!("fee {}", market.fee())];
        for dollars in [1, 500_000, 5_000_000, 50_000_000] {
            let quote = market.quote(usdc(dollars)).await.unwrap();
            lines.push(format!("quote {dollars}: {} at {}", quote.amount_out, quote.sqrt_price_after));
        }
        for dollars in [100, 500_000, 20_000] {
            self.trade(&market, dollars).await;
            self.wait(WINDOW.into()).await;
            let twap = market.twap(WINDOW).await.unwrap();
            let (tick, newest) = (twap.tick, twap.newest_age);
            lines.push(format!("average {tick}, newest {newest} s old: {:?}", twap.value(usdc(1))));
            lines.push(format!("the reserve holds {}", self.held(self.pair.buy, self.reserve).await));
        }
        lines.push(self.memory(&venue).await);
        lines
    }

    /// Price, tick and every observation, from the pool's first.
    async fn memory(&self, venue: &Venue) -> String {
        let pool = IUniswapPool::new(venue.pool, self.chain.provider());
        let slot = pool.slot0().call().await.unwrap();
        let (kept, next) = (slot.observationCardinality, slot.observationCardinalityNext);
        let first = self.first(venue).await;
        let begin = pool.observations(U256::ZERO).call().await.unwrap().tickCumulative;
        let mut lines = vec![format!("{} {} {kept} {next}", slot.sqrtPriceX96, slot.tick)];
        for place in 0..=slot.observationIndex {
            let found = pool.observations(U256::from(place)).call().await.unwrap();
            lines.push(format!("{} {}", u64::from(found.blockTimestamp) - first, found.tickCumulative - begin));
        }
        lines.join("; ")
    }

    /// When the pool was made.
    async fn first(&self, venue: &Venue) -> u64 {
        let pool = IUniswapPool::new(venue.pool, self.chain.provider());
        pool.observations(U256::ZERO).call().await.unwrap().blockTimestamp.into()
    }

    /// Sums of ticks between and beyond the observations.
    pub(crate) async fn sums(&self, venue: &Venue) -> Vec<I56> {
        let pool = IUniswapPool::new(venue.pool, self.chain.provider());
        let sums = pool.observe(vec![1800, 1234, 777, 600, 100, 1, 0]).call().await.unwrap().tickCumulatives;
        sums.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

pub(crate) async fn test_token(chain: &Chain, owner: &Wallet, symbol: &str, decimals: u8) -> Token {
    let arguments = TestToken::constructorCall { name_: symbol.into(), symbol_: symbol.into(), decimals_: decimals };
    let code = [TestToken::BYTECODE.as_ref(), arguments.abi_encode().as_slice()].concat();
    let sent = chain.send(owner, TransactionRequest::default().with_deploy_code(code)).await.unwrap();
    Token { address: sent.contract.unwrap(), decimals }
}
