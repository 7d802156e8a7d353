//! The agent's choice between a public swap and the dark pool, on quotes of a market.
//!
//! The rule is `ccc_agent::route`, as `ccc agent run` goes by it. In simulation the quotes are of the simulated exchange on
//! an embedded chain: the same calls as of Uniswap V3, of a market whose depth is stated.

use alloy::primitives::{B256, U256};
use ccc_agent::{
    policy::Route,
    route::{self, Point, Terms},
};
use ccc_chain::{
    Chain, EmbeddedConfig, Wallet,
    deploy::{self, DeploymentPlan, FeedPlan, PoolTimes, Signers, TokenPlan, Workflow},
    swap::{
        Market, Pair, Parts, SwapError, Token,
        place::{self, Depth},
    },
};
use serde::Serialize;

/// Satoshi in a coin.
const COIN: u64 = 100_000_000;
/// Millionths in a dollar.
const DOLLAR: u64 = 1_000_000;
/// Dollars on each side of the simulated market.
pub const DEPTH: u64 = 200_000_000;
/// Quotes of a curve.
const POINTS: u64 = 12;
/// Smallest units in a lot of the pool.
const LOT: u64 = 1_000_000;

/// One quote of the curve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quoted {
    /// Dollars paid, in whole ones.
    pub dollars: u64,
    /// Coins it gives, in satoshi.
    pub coins: String,
    /// Above the average price, in 1/10,000.
    pub impact: u64,
}

/// What was chosen, and on which quotes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The run whose deficit it answers.
    pub run: u64,
    /// Dollars on each side of the market.
    pub depth: u64,
    /// Dearest point that is taken, in 1/10,000.
    pub limit: u16,
    /// The curve, smallest first.
    pub curve: Vec<Quoted>,
    /// The choice in words and numbers.
    pub words: Vec<String>,
}

/// Chooses for a deficit, in satoshi, at a price in whole dollars for a coin.
///
/// # Errors
/// What the embedded chain or the market refused, in words.
pub async fn decide(run: u64, deficit: u64, price: u64) -> Result<Decision, String> {
    let config = EmbeddedConfig { chain_id: 31_337, genesis_time: 1_700_000_000, rich: Vec::new() };
    let chain = Chain::embedded(&config);
    let wallet = Wallet::from_key(&[7; 32]).map_err(|error| error.to_string())?;
    let market = open(&chain, &wallet, price).await.map_err(|error| error.to_string())?;
    let fair = Point { paid: price.saturating_mul(DOLLAR), got: COIN };
    let most = route::worth(deficit, &fair).saturating_mul(2).min(u128::from(DEPTH) * u128::from(DOLLAR));
    let most = u64::try_from(most).unwrap_or(u64::MAX).max(POINTS * DOLLAR);
    let curve = curve(&market, most).await;
    let defaults = Route::default();
    let terms = Terms {
        fair,
        ceiling: defaults.ceiling.saturating_mul(DOLLAR),
        impact: defaults.impact,
        dark_cost: defaults.dark_cost,
        gain: defaults.split.then_some(defaults.gain),
        lot: LOT,
    };
    let words = route::choose(&curve, deficit, &terms).words(deficit, &terms);
    let quoted = |point: &Point| Quoted {
        dollars: point.paid / DOLLAR,
        coins: point.got.to_string(),
        impact: route::impact(point, &fair),
    };
    Ok(Decision { run, depth: DEPTH, limit: terms.impact, curve: curve.iter().map(quoted).collect(), words })
}

/// Two test tokens and a market of them. Nobody signs reports there: nothing but quotes is asked for.
async fn open<'a>(chain: &'a Chain, wallet: &Wallet, price: u64) -> Result<Market<'a>, SwapError> {
    chain.fund(wallet.address()).await?;
    let deployment = deploy::deploy(chain, wallet, &plan(wallet)).await?;
    let token = |asset: usize| Token {
        address: deployment.tokens[asset].address,
        decimals: deployment.tokens[asset].plan.decimals,
    };
    let pair = Pair { sell: token(1), buy: token(0) };
    let depth = Depth {
        sell: U256::from(DEPTH) * U256::from(DOLLAR),
        buy: U256::from(DEPTH) * U256::from(COIN) / U256::from(price.max(1)),
    };
    let venue = place::simulated(chain, wallet, &pair, depth).await?;
    Market::open(chain, venue, pair, wallet.address(), Parts::Any).await
}

fn plan(wallet: &Wallet) -> DeploymentPlan {
    let token = |symbol: &str, decimals, lot| TokenPlan { name: symbol.into(), symbol: symbol.into(), decimals, lot };
    let mut workflow_id = B256::repeat_byte(0x33);
    workflow_id[0] = 0;
    DeploymentPlan {
        signers: Signers {
            don_id: 1,
            config_version: 1,
            f: 1,
            addresses: (1..=4).map(alloy::primitives::Address::repeat_byte).collect(),
        },
        workflow: Workflow { id: workflow_id, owner: wallet.address(), epoch: 1 },
        reserve: wallet.address(),
        agent_key: B256::repeat_byte(9),
        max_age: 3_600,
        table_id: B256::repeat_byte(0x66),
        tokens: vec![token("WBTC", 8, LOT), token("USDC", 6, DOLLAR)],
        feed: FeedPlan { decimals: 8, description: "BTC / USD".into() },
        times: PoolTimes { fill_window: 300, max_delay: 3_600, exit_delay: 86_400 },
    }
}

/// Quotes of equal steps; where the market cannot give so much, the curve ends.
async fn curve(market: &Market<'_>, most: u64) -> Vec<Point> {
    let mut points = Vec::new();
    for part in 1..=POINTS {
        let paid = most / POINTS * part;
        let Ok(quote) = market.quote(U256::from(paid)).await else { break };
        let Ok(got) = u64::try_from(quote.amount_out) else { break };
        points.push(Point { paid, got });
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_small_is_swapped_and_what_is_large_goes_in_the_dark() {
        let small = decide(1, 10 * COIN, 60_000).await.expect("decided");
        assert!(small.words.iter().any(|line| line.starts_with("direct")), "{:?}", small.words);
        let large = decide(2, 12_480 * COIN, 60_000).await.expect("decided");
        assert!(
            large.words.iter().any(|line| line.starts_with("dark") || line.starts_with("split")),
            "{:?}",
            large.words
        );
        let impacts: Vec<u64> = large.curve.iter().map(|quoted| quoted.impact).collect();
        assert!(impacts.len() > 3 && impacts.is_sorted(), "a larger swap costs more: {impacts:?}");
    }
}
