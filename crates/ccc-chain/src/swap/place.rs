//! A market on a chain for trying things out.
//!
//! [`published`] deploys Uniswap V3 itself, from the artifacts that its npm packages publish: its bytecode is never part of
//! this project. [`simulated`] deploys the project's small contract with the same interfaces, for a machine without them.

use alloy::{
    network::TransactionBuilder,
    primitives::{
        Address, Bytes, U256,
        aliases::{I24, U24, U160},
    },
    rpc::types::TransactionRequest,
    sol_types::SolValue,
};
use serde_json::Value;

use super::{Pair, SwapError, Venue, market::answer, tick};
use crate::{
    Chain, ChainError, Sent, Wallet,
    bindings::{
        SimulatedExchange, TestToken,
        uniswap::{IUniswapFactory, IUniswapPool, IUniswapPositions},
    },
    deploy,
};

/// The outermost ticks that a pool with a spacing of 60 can have a position between.
const FULL_RANGE: i32 = 887_220;

/// Parts of a million that the pool takes: the middle one of Uniswap's three.
pub const FEE: u32 = 3000;

/// The artifacts of Uniswap V3, below `node_modules`: factory, positions, router, quoter.
pub const ARTIFACTS: [&str; 4] = [
    "@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json",
    "@uniswap/v3-periphery/artifacts/contracts/NonfungiblePositionManager.sol/NonfungiblePositionManager.json",
    "@uniswap/v3-periphery/artifacts/contracts/SwapRouter.sol/SwapRouter.json",
    "@uniswap/v3-periphery/artifacts/contracts/lens/QuoterV2.sol/QuoterV2.json",
];

/// Uniswap's creation code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    factory: Bytes,
    positions: Bytes,
    router: Bytes,
    quoter: Bytes,
}

impl Published {
    /// Reads the texts of [`ARTIFACTS`], in that order.
    ///
    /// # Errors
    /// [`SwapError::Artifact`] for a text that is not an artifact of that contract, or whose bytecode is not linked.
    pub fn read(texts: [&str; 4]) -> Result<Self, SwapError> {
        let [factory, positions, router, quoter] = texts;
        Ok(Self {
            factory: bytecode("UniswapV3Factory", factory)?,
            positions: bytecode("NonfungiblePositionManager", positions)?,
            router: bytecode("SwapRouter", router)?,
            quoter: bytecode("QuoterV2", quoter)?,
        })
    }
}

fn bytecode(name: &'static str, text: &str) -> Result<Bytes, SwapError> {
    let refused = |reason: String| SwapError::Artifact { name, reason };
    let artifact: Value = serde_json::from_str(text).map_err(|error| refused(error.to_string()))?;
    let found = artifact.get("contractName").and_then(Value::as_str).unwrap_or("nothing");
    if found != name {
        return Err(refused(format!("it is one of {found}")));
    }
    let code = artifact.get("bytecode").and_then(Value::as_str).unwrap_or_default();
    let code: Bytes = code.parse().map_err(|_| refused("its bytecode is not hexadecimal".into()))?;
    if code.is_empty() { Err(refused("it has no bytecode".into())) } else { Ok(code) }
}

/// How deep a pool is: the price is the ratio of both amounts.
///
/// *Units*: smallest units of the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Of what is sold.
    pub sell: U256,
    /// Of what is bought.
    pub buy: U256,
}

/// The pair in the pool's order.
struct Sorted {
    tokens: [Address; 2],
    amounts: [U256; 2],
    sqrt_price: U160,
}

impl Sorted {
    fn of(pair: &Pair, depth: Depth) -> Result<Self, SwapError> {
        let (sell, buy) = ((pair.sell.address, depth.sell), (pair.buy.address, depth.buy));
        let [(token0, amount0), (token1, amount1)] = if sell.0 < buy.0 { [sell, buy] } else { [buy, sell] };
        let wrong = || SwapError::Limit {
            field: "depth",
            found: format!("{} and {}", depth.sell, depth.buy),
            expected: "two amounts whose ratio is a price",
        };
        let sqrt_price = tick::sqrt_price(amount0, amount1).filter(|price| price.bit_len() <= 159).ok_or_else(wrong)?;
        Ok(Self { tokens: [token0, token1], amounts: [amount0, amount1], sqrt_price: U160::from(sqrt_price) })
    }
}

/// The simulated exchange with a pool of this depth, from test tokens that are minted for it.
///
/// # Errors
/// [`SwapError::Simulated`] on a chain that is not for trying things out; a depth without a price.
pub async fn simulated(chain: &Chain, wallet: &Wallet, pair: &Pair, depth: Depth) -> Result<Venue, SwapError> {
    let sorted = Sorted::of(pair, depth)?;
    let liquidity = tick::liquidity(depth.sell, depth.buy).ok_or(SwapError::Limit {
        field: "depth",
        found: format!("{} and {}", depth.sell, depth.buy),
        expected: "two amounts whose product has at most 256 bits",
    })?;
    simulated_with(chain, wallet, pair, sorted.sqrt_price, liquidity).await
}

/// As [`simulated`], with the price and liquidity of another pool, to compare both.
///
/// # Errors
/// As [`simulated`].
pub async fn simulated_with(
    chain: &Chain,
    wallet: &Wallet,
    pair: &Pair,
    sqrt_price: U160,
    liquidity: u128,
) -> Result<Venue, SwapError> {
    require_development(chain)?;
    let mut tokens = [pair.sell.address, pair.buy.address];
    tokens.sort_unstable();
    let [token0_, token1_] = tokens;
    let arguments =
        SimulatedExchange::constructorCall { token0_, token1_, fee_: U24::from(FEE), sqrtPriceX96: sqrt_price };
    let code = &SimulatedExchange::BYTECODE;
    let (exchange, _) = deploy::create(chain, wallet, "SimulatedExchange", code, &arguments).await?;
    // what the full range needs of each token at this price, and one unit for the rounding
    let (root, scale) = (U256::from(sqrt_price), U256::from(1) << 96);
    let amounts = [mul_div(liquidity, scale, root), mul_div(liquidity, root, scale)];
    for (token, amount) in tokens.into_iter().zip(amounts) {
        supply(chain, wallet, token, exchange, amount).await?;
    }
    let contract = SimulatedExchange::new(exchange, chain.provider());
    chain.send(wallet, contract.addLiquidity(liquidity).into_transaction_request()).await?;
    Ok(Venue { chain_id: chain.chain_id(), router: exchange, quoter: exchange, pool: exchange })
}

/// Uniswap V3 with a pool of this depth over the full range, from test tokens that are minted for it.
///
/// # Errors
/// [`SwapError::Simulated`] on a chain that is not for trying things out; a depth without a price.
pub async fn published(
    chain: &Chain,
    wallet: &Wallet,
    code: &Published,
    pair: &Pair,
    depth: Depth,
) -> Result<Venue, SwapError> {
    require_development(chain)?;
    let sorted = Sorted::of(pair, depth)?;
    let factory = put(chain, wallet, &code.factory, &[]).await?;
    // the wrapped ether and the descriptor of positions are for what the direct route does not do
    let two = (factory, Address::ZERO).abi_encode_params();
    let three = (factory, Address::ZERO, Address::ZERO).abi_encode_params();
    let positions = put(chain, wallet, &code.positions, &three).await?;
    let router = put(chain, wallet, &code.router, &two).await?;
    let quoter = put(chain, wallet, &code.quoter, &two).await?;
    fill(chain, wallet, positions, &sorted).await?;
    let [token0, token1] = sorted.tokens;
    let known = IUniswapFactory::new(factory, chain.provider());
    let pool = answer(known.getPool(token0, token1, U24::from(FEE)).call().await)?;
    Ok(Venue { chain_id: chain.chain_id(), router, quoter, pool })
}

async fn fill(chain: &Chain, wallet: &Wallet, positions: Address, sorted: &Sorted) -> Result<(), SwapError> {
    let [token0, token1] = sorted.tokens;
    for (token, amount) in sorted.tokens.into_iter().zip(sorted.amounts) {
        supply(chain, wallet, token, positions, amount).await?;
    }
    let manager = IUniswapPositions::new(positions, chain.provider());
    let pool = manager.createAndInitializePoolIfNecessary(token0, token1, U24::from(FEE), sorted.sqrt_price);
    chain.send(wallet, pool.into_transaction_request()).await?;
    let range = |tick: i32| I24::try_from(tick).unwrap_or_default();
    let position = IUniswapPositions::MintParams {
        token0,
        token1,
        fee: U24::from(FEE),
        tickLower: range(-FULL_RANGE),
        tickUpper: range(FULL_RANGE),
        amount0Desired: sorted.amounts[0],
        amount1Desired: sorted.amounts[1],
        amount0Min: U256::ZERO,
        amount1Min: U256::ZERO,
        recipient: wallet.address(),
        deadline: U256::MAX,
    };
    chain.send(wallet, manager.mint(position).into_transaction_request()).await?;
    Ok(())
}

/// Lets a market's pool keep this many observations: without it a pool remembers one.
///
/// # Errors
/// See [`ChainError`].
pub async fn remember(chain: &Chain, wallet: &Wallet, venue: &Venue, observations: u16) -> Result<Sent, ChainError> {
    let pool = IUniswapPool::new(venue.pool, chain.provider());
    chain.send(wallet, pool.increaseObservationCardinalityNext(observations).into_transaction_request()).await
}

fn require_development(chain: &Chain) -> Result<(), SwapError> {
    if chain.is_development() { Ok(()) } else { Err(SwapError::Simulated { contract: Address::ZERO }) }
}

/// Mints test tokens and lets `spender` take them.
async fn supply(
    chain: &Chain,
    wallet: &Wallet,
    token: Address,
    spender: Address,
    amount: U256,
) -> Result<(), ChainError> {
    let token = TestToken::new(token, chain.provider());
    chain.send(wallet, token.mint(wallet.address(), amount).into_transaction_request()).await?;
    chain.send(wallet, token.approve(spender, amount).into_transaction_request()).await?;
    Ok(())
}

async fn put(chain: &Chain, wallet: &Wallet, code: &Bytes, arguments: &[u8]) -> Result<Address, ChainError> {
    let request = TransactionRequest::default().with_deploy_code([code.as_ref(), arguments].concat());
    let sent = chain.send(wallet, request).await?;
    sent.contract.ok_or_else(|| ChainError::NotDeployed { contract: "of Uniswap".into() })
}

/// ⌊a · b / c⌋ + 1, saturating; a price is never zero.
fn mul_div(a: u128, b: U256, c: U256) -> U256 {
    let product = alloy::primitives::U512::from(a) * alloy::primitives::U512::from(b);
    let quotient = product.checked_div(alloy::primitives::U512::from(c)).unwrap_or_default();
    U256::saturating_from(quotient).saturating_add(U256::from(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        match bytecode("SwapRouter", text) {
            Err(SwapError::Artifact { name: "SwapRouter", reason }) => reason,
            other => panic!("expected a refusal, found {other:?}"),
        }
    }

    #[test]
    fn an_artifact_without_linked_bytecode_of_its_contract_is_refused() {
        assert!(refused("{").contains("EOF"));
        assert_eq!(refused("{}"), "it is one of nothing");
        assert_eq!(refused(r#"{"contractName":"Quoter","bytecode":"0x00"}"#), "it is one of Quoter");
        assert_eq!(refused(r#"{"contractName":"SwapRouter","bytecode":"0x"}"#), "it has no bytecode");
        let unlinked = r#"{"contractName":"SwapRouter","bytecode":"0x00__$aa$__"}"#;
        assert_eq!(refused(unlinked), "its bytecode is not hexadecimal");
        assert!(bytecode("SwapRouter", r#"{"contractName":"SwapRouter","bytecode":"0x6000"}"#).is_ok());
    }

    #[test]
    fn the_amounts_that_are_supplied_cover_the_liquidity() {
        assert_eq!(mul_div(7, U256::from(3), U256::from(2)), U256::from(11));
        assert_eq!(mul_div(u128::MAX, U256::MAX, U256::from(1)), U256::MAX);
    }
}
