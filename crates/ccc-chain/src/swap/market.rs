//! A pool with its router and quoter, and what it answers.

use alloy::{
    eips::BlockId,
    primitives::{Address, U256, aliases::U160},
    providers::Provider,
};
use serde::{Deserialize, Serialize};

use super::{Exchange, SwapError, tick};
use crate::{
    Chain, ChainError,
    bindings::{
        SimulatedExchange, TestToken,
        uniswap::{IUniswapFactory, IUniswapPool, IUniswapQuoter, IUniswapRouter},
    },
    error::is_revert,
    read::BlockRef,
};

/// The shortest window of an average price where amounts are worth something, in seconds: over less of it, who moves the
/// price moves the average.
pub const LEAST_WINDOW: u32 = 300;

/// How the simulated exchange names itself.
const SIMULATED: &str = "Simulated";

/// Where a market stands. It can be written to a file and read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Venue {
    /// The chain.
    pub chain_id: u64,
    /// Uniswap's `SwapRouter`.
    pub router: Address,
    /// Uniswap's `QuoterV2`.
    pub quoter: Address,
    /// The pool of both tokens.
    pub pool: Address,
}

/// A token and the decimals that the deployment counts it with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its address.
    pub address: Address,
    /// Its decimal places.
    pub decimals: u8,
}

/// What is sold, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What the sender pays.
    pub sell: Token,
    /// What the reserve gets.
    pub buy: Token,
}

/// Whether simulated contracts may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// Real ones alone, of Uniswap's exchange as it is known for the chain.
    Real,
    /// Real ones alone, of the exchange that the operator names.
    Named(Exchange),
    /// On a chain for trying things out: simulated ones too, of whatever exchange. Elsewhere the same as [`Real`](Self::Real).
    Any,
}

/// What a swap would give.
///
/// *Units*: amounts in the tokens' smallest units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The pool that was asked.
    pub pool: Address,
    /// What is paid.
    pub amount_in: U256,
    /// What comes out, the pool's fee taken off.
    pub amount_out: U256,
    /// √price · 2^96 after the swap.
    pub sqrt_price_after: U256,
    /// The block whose state was asked.
    pub block: BlockRef,
}

/// A pool's average price over a window, weighted by time.
///
/// *Source*: Uniswap v3 core, white paper of March 2021, section 5.2: the geometric mean, by the sums of ticks at both
/// ends of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twap {
    /// The pool that was asked.
    pub pool: Address,
    /// The mean tick, rounded down.
    pub tick: i32,
    /// Seconds of the window.
    pub window: u32,
    /// Seconds since the newest observation was written.
    pub newest_age: u64,
    /// Seconds since the oldest one that is kept.
    pub oldest_age: u64,
    /// The block whose state was asked.
    pub block: BlockRef,
    pub(super) sells_token0: bool,
}

impl Twap {
    /// What `amount` would give at the average price, without a fee; none where it does not fit.
    #[must_use]
    pub fn value(&self, amount: U256) -> Option<U256> {
        tick::value(amount, self.tick, self.sells_token0)
    }
}

impl Quote {
    /// How far the quote stands below the average price, in parts of a million; negative where it stands above.
    ///
    /// # Errors
    /// [`ChainError::OutOfRange`] for an average price that gives nothing or too much to count with.
    pub fn cost(&self, twap: &Twap) -> Result<i64, ChainError> {
        let out_of_range = || ChainError::OutOfRange { field: "average tick", found: twap.tick.to_string() };
        let fair = twap.value(self.amount_in).filter(|fair| !fair.is_zero()).ok_or_else(out_of_range)?;
        let (high, low) = if fair >= self.amount_out { (fair, self.amount_out) } else { (self.amount_out, fair) };
        let parts = (high - low).checked_mul(U256::from(1_000_000)).map(|scaled| scaled / fair);
        let parts = parts.and_then(|parts| i64::try_from(parts).ok()).ok_or_else(out_of_range)?;
        Ok(if fair >= self.amount_out { parts } else { -parts })
    }
}

/// A market that was checked: its contracts belong together, trade this pair, and count as the deployment does.
///
/// Made by [`Market::open`] alone.
#[derive(Clone, Copy, Debug)]
pub struct Market<'a> {
    pub(super) chain: &'a Chain,
    pub(super) venue: Venue,
    pub(super) pair: Pair,
    pub(super) fee: alloy::primitives::aliases::U24,
    /// Who gets the proceeds.
    pub(super) reserve: Address,
    sells_token0: bool,
    simulated: bool,
}

impl<'a> Market<'a> {
    /// Checks the contracts of a venue.
    ///
    /// # Errors
    /// Another chain; an address without code; a simulated exchange where [`Parts::Real`] is asked for or the chain is not
    /// one for trying things out; router, quoter or factory of another exchange than `parts` asks for; a pool of other tokens, or
    /// one that the factory does not know; other decimals.
    pub async fn open(
        chain: &'a Chain,
        venue: Venue,
        pair: Pair,
        reserve: Address,
        parts: Parts,
    ) -> Result<Self, SwapError> {
        check_place(chain, &venue).await?;
        let simulated = check_parts(chain, &venue, parts).await?;
        let exchange = Exchange::wanted(chain, parts)?;
        exchange.map_or(Ok(()), |exchange| exchange.check(&venue))?;
        let pool = IUniswapPool::new(venue.pool, chain.provider());
        let tokens = (answer(pool.token0().call().await)?, answer(pool.token1().call().await)?);
        let sells_token0 = direction(&venue, &pair, tokens)?;
        let fee = answer(pool.fee().call().await)?;
        let market = Self { chain, venue, pair, fee, reserve, sells_token0, simulated };
        market.check_factories(exchange).await?;
        market.check_decimals(pair.sell).await?;
        market.check_decimals(pair.buy).await?;
        Ok(market)
    }

    /// Whether the exchange is a simulated one.
    #[must_use]
    pub const fn is_simulated(&self) -> bool {
        self.simulated
    }

    /// Parts of a million that the pool takes of what is paid in.
    #[must_use]
    pub fn fee(&self) -> u32 {
        self.fee.to()
    }

    /// Both factories are the exchange's and know this pool: another one's price would have been looked at.
    async fn check_factories(&self, exchange: Option<Exchange>) -> Result<(), SwapError> {
        let provider = self.chain.provider();
        let router = IUniswapRouter::new(self.venue.router, provider).factory().call().await;
        let quoter = IUniswapQuoter::new(self.venue.quoter, provider).factory().call().await;
        for (contract, factory) in [(self.venue.router, answer(router)?), (self.venue.quoter, answer(quoter)?)] {
            exchange.map_or(Ok(()), |exchange| exchange.check_factory(factory))?;
            let known = IUniswapFactory::new(factory, provider);
            let (sell, buy) = (self.pair.sell.address, self.pair.buy.address);
            let found = answer(known.getPool(sell, buy, self.fee).call().await)?;
            if found != self.venue.pool {
                return Err(SwapError::Pool { contract, expected: self.venue.pool, found });
            }
        }
        Ok(())
    }

    async fn check_decimals(&self, token: Token) -> Result<(), SwapError> {
        let found = answer(TestToken::new(token.address, self.chain.provider()).decimals().call().await)?;
        if found == token.decimals {
            return Ok(());
        }
        Err(SwapError::Decimals { token: token.address, expected: token.decimals, found })
    }

    /// What `amount_in` would give in the newest block.
    ///
    /// # Errors
    /// [`SwapError::Limit`] for nothing; the quoter's refusal.
    pub async fn quote(&self, amount_in: U256) -> Result<Quote, SwapError> {
        if amount_in.is_zero() {
            return Err(SwapError::Limit { field: "amount", found: "0".into(), expected: "above 0" });
        }
        let block = self.chain.block(BlockId::latest()).await?;
        let question = IUniswapQuoter::QuoteExactInputSingleParams {
            tokenIn: self.pair.sell.address,
            tokenOut: self.pair.buy.address,
            amountIn: amount_in,
            fee: self.fee,
            sqrtPriceLimitX96: U160::ZERO,
        };
        let quoter = IUniswapQuoter::new(self.venue.quoter, self.chain.provider());
        let request = quoter.quoteExactInputSingle(question).into_transaction_request();
        let output = self.chain.simulate_at(&request, block.id()).await?;
        let found = read_quote(&output)?;
        let sqrt_price_after = U256::from(found.sqrtPriceX96After);
        Ok(Quote { pool: self.venue.pool, amount_in, amount_out: found.amountOut, sqrt_price_after, block })
    }

    /// The average price over the last `window` seconds before the newest block.
    ///
    /// # Errors
    /// [`SwapError::Limit`] for a window of nothing, or below [`LEAST_WINDOW`] where amounts are worth something;
    /// [`SwapError::ShortHistory`] where the pool remembers less.
    pub async fn twap(&self, window: u32) -> Result<Twap, SwapError> {
        self.check_window(window)?;
        let block = self.chain.block(BlockId::latest()).await?;
        let pool = IUniswapPool::new(self.venue.pool, self.chain.provider());
        let slot = answer(pool.slot0().block(block.id()).call().await)?;
        let newest = self.observation(slot.observationIndex, &block).await?;
        let next = next_place(slot.observationIndex, slot.observationCardinality);
        // a ring that is not full yet began at its first place
        let oldest = match self.observation(next, &block).await? {
            Some(time) => Some(time),
            None => self.observation(0, &block).await?,
        };
        let age = |time: Option<u32>| time.map_or(0, |time| age(&block, time));
        let (newest_age, oldest_age) = (age(newest), age(oldest));
        if oldest_age < u64::from(window) {
            return Err(SwapError::ShortHistory { found: oldest_age, window });
        }
        let sums = answer(pool.observe(vec![window, 0]).block(block.id()).call().await)?.tickCumulatives;
        let tick = mean_tick(&sums, window)
            .ok_or(ChainError::OutOfRange { field: "sum of ticks", found: format!("{sums:?}") })?;
        let pool = self.venue.pool;
        Ok(Twap { pool, tick, window, newest_age, oldest_age, block, sells_token0: self.sells_token0 })
    }

    fn check_window(&self, window: u32) -> Result<(), SwapError> {
        let (least, expected) =
            if self.chain.is_development() { (1, "above 0 s") } else { (LEAST_WINDOW, "at least 300 s") };
        if window >= least {
            return Ok(());
        }
        Err(SwapError::Limit { field: "window", found: window.to_string(), expected })
    }

    /// When the observation at a place was written; none for a place that is still empty.
    async fn observation(&self, place: u16, block: &BlockRef) -> Result<Option<u32>, SwapError> {
        let pool = IUniswapPool::new(self.venue.pool, self.chain.provider());
        let found = answer(pool.observations(U256::from(place)).block(block.id()).call().await)?;
        Ok(found.initialized.then_some(found.blockTimestamp))
    }
}

/// The place after `index` in a ring.
fn next_place(index: u16, cardinality: u16) -> u16 {
    index.checked_add(1).filter(|next| *next < cardinality).unwrap_or(0)
}

/// Observations count time modulo 2^32.
fn age(block: &BlockRef, time: u32) -> u64 {
    u64::from((block.time & u64::from(u32::MAX)).try_into().map_or(0, |now: u32| now.wrapping_sub(time)))
}

/// Rounded down, as Uniswap's own library does: against a seller of token 0, for a seller of token 1.
fn mean_tick(sums: &[alloy::primitives::aliases::I56], window: u32) -> Option<i32> {
    let [before, now] = sums else { return None };
    // sums wrap at 56 bits, and so does their difference
    let difference = i64::try_from(now.wrapping_sub(*before)).ok()?;
    i32::try_from(difference.div_euclid(i64::from(window))).ok()
}

fn read_quote(output: &[u8]) -> Result<IUniswapQuoter::quoteExactInputSingleReturn, ChainError> {
    use alloy::sol_types::SolCall;
    IUniswapQuoter::quoteExactInputSingleCall::abi_decode_returns(output)
        .map_err(|error| ChainError::Contract(error.into()))
}

async fn check_place(chain: &Chain, venue: &Venue) -> Result<(), SwapError> {
    let (expected, found) = (venue.chain_id, chain.chain_id());
    if expected != found {
        return Err(ChainError::WrongChain { expected, found }.into());
    }
    for address in [venue.router, venue.quoter, venue.pool] {
        if chain.provider().get_code_at(address).await.map_err(ChainError::from)?.is_empty() {
            return Err(ChainError::NotDeployed { contract: address.to_string() }.into());
        }
    }
    Ok(())
}

/// Whether a contract says of itself that it is simulated. Uniswap's do not have the question, and revert or give nothing;
/// any other error leaves it open.
async fn check_parts(chain: &Chain, venue: &Venue, parts: Parts) -> Result<bool, SwapError> {
    let mut simulated = false;
    for contract in [venue.router, venue.quoter, venue.pool] {
        let name = SimulatedExchange::new(contract, chain.provider()).typeAndVersion().call().await;
        let name = match name {
            Ok(name) => name,
            Err(alloy::contract::Error::TransportError(error)) if !is_revert(&error) => {
                return Err(ChainError::from(error).into());
            }
            Err(_) => continue,
        };
        if name.starts_with(SIMULATED) && (parts != Parts::Any || !chain.is_development()) {
            return Err(SwapError::Simulated { contract });
        }
        simulated |= name.starts_with(SIMULATED);
    }
    Ok(simulated)
}

fn direction(venue: &Venue, pair: &Pair, tokens: (Address, Address)) -> Result<bool, SwapError> {
    let (sell, buy) = (pair.sell.address, pair.buy.address);
    match tokens {
        (token0, token1) if (sell, buy) == (token0, token1) => Ok(true),
        (token0, token1) if (buy, sell) == (token0, token1) => Ok(false),
        _ => Err(SwapError::Tokens { pool: venue.pool, sell, buy }),
    }
}

/// A contract's answer.
pub(super) fn answer<T>(answer: Result<T, alloy::contract::Error>) -> Result<T, SwapError> {
    answer.map_err(|error| ChainError::from(error).into())
}

#[cfg(test)]
mod tests {
    use alloy::primitives::aliases::I56;

    use super::*;

    fn sums(values: [i64; 2]) -> [I56; 2] {
        values.map(|value| I56::try_from(value).expect("below 2^55"))
    }

    #[test]
    fn the_mean_is_rounded_down() {
        for (before, now, expected) in [(0, 600, 60), (0, 609, 60), (0, -601, -61), (-600, 0, 60)] {
            assert_eq!(mean_tick(&sums([before, now]), 10), Some(expected));
        }
        assert_eq!(mean_tick(&sums([0, 0])[..1], 10), None);
    }

    #[test]
    fn a_ring_goes_round() {
        assert_eq!(
            [next_place(0, 1), next_place(1, 3), next_place(2, 3), next_place(u16::MAX, u16::MAX)],
            [0, 2, 0, 0]
        );
    }
}
