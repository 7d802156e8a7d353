//! `ccc swap`: the direct route, on a market whose contracts are checked first.

use super::Context;
use crate::{
    cli::{KeyArgs, ReadArgs, SettingsArgs, SpendArgs, Swap, SwapArgs, SwapPlaceArgs, SwapQuoteArgs, SwapRunArgs},
    error::Error,
    files::{self, Audience, Replace},
    network::{NetworkError, Node, Settings, open_key, read_deployment, runtime},
    ui::Answer,
};
use alloy::primitives::U256;
use ccc_chain::{
    Deployment, deploy,
    swap::{
        Limits, Market, Pair, Parts, Quote, SwapError, Swapped, Token, Twap, Venue,
        place::{self, ARTIFACTS, Depth, Published},
    },
};
use serde_json::json;
use std::path::Path;

const MAX_FILE: u64 = 1 << 20;

/// Observations that a placed pool keeps.
const KEPT: u16 = 64;

/// The pool's assets, as a deployment lists its tokens.
const BASE: usize = 0;
const QUOTE: usize = 1;

pub(super) fn run(verb: &Swap, ctx: &Context<'_>) -> Result<Answer, Error> {
    match verb {
        Swap::Place(arguments) => place_market(arguments, ctx),
        Swap::Quote(arguments) => tell_quote(arguments, ctx),
        Swap::Run(arguments) => swap(arguments, ctx),
    }
}

fn place_market(arguments: &SwapPlaceArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    files::check_target(&arguments.out, Replace::Never)?;
    let settings = Settings::read(&settings_of(&arguments.read, &arguments.key))?;
    let deployment = read_deployment(settings.deployment()?)?;
    let published = arguments.uniswap.as_deref().map(read_published).transpose()?;
    let wallet = open_key(settings.key()?, &ctx.passphrases)?;
    runtime()?.block_on(async {
        let node = Node::connect(&settings).await?;
        require_local(&node)?;
        deploy::check_place(&node.chain, &deployment).await.map_err(|error| node.error(&error))?;
        let pair = pair_of(&deployment)?;
        let depth = Depth { sell: U256::from(arguments.quote_depth), buy: U256::from(arguments.base_depth) };
        let target = files::begin(&arguments.out, Audience::Everyone)?;
        let placed = match &published {
            Some(code) => place::published(&node.chain, &wallet, code, &pair, depth).await,
            None => place::simulated(&node.chain, &wallet, &pair, depth).await,
        };
        let venue = placed.map_err(|error| of_swap(&node, error))?;
        let kept = place::remember(&node.chain, &wallet, &venue, KEPT).await;
        kept.map_err(|error| node.error(&error))?;
        let text =
            serde_json::to_vec_pretty(&venue).map_err(|error| NetworkError::Swap { reason: error.to_string() })?;
        target.finish(&text, Replace::Never)?;
        tell_placed(&venue, published.is_none(), &arguments.out, ctx);
        Ok(Answer::Done)
    })
}

fn require_local(node: &Node) -> Result<(), NetworkError> {
    if node.is_local() {
        return Ok(());
    }
    let (chain_id, shown) = (node.chain.chain_id(), &node.shown);
    Err(NetworkError::Swap { reason: format!("chain {chain_id} at {shown} is not local; name a real market there") })
}

fn tell_placed(venue: &Venue, simulated: bool, out: &Path, ctx: &Context<'_>) {
    let what = if simulated { "a simulated exchange" } else { "Uniswap V3" };
    let lines = [format!("{what} trades at pool {}: {}", venue.pool, out.display())];
    ctx.ui.result(&lines, &json!({ "venue": venue, "simulated": simulated }));
}

/// The texts of Uniswap's artifacts below a `node_modules`.
pub(super) fn read_published(root: &Path) -> Result<Published, Error> {
    let mut texts = Vec::with_capacity(ARTIFACTS.len());
    for artifact in ARTIFACTS {
        let bytes = files::read(&root.join(artifact), MAX_FILE)?;
        texts.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    let [factory, positions, router, quoter] = texts.as_slice() else {
        return Err(NetworkError::Swap { reason: "four artifacts are needed".into() }.into());
    };
    let read = Published::read([factory, positions, router, quoter]);
    Ok(read.map_err(|error| NetworkError::Swap { reason: error.to_string() })?)
}

fn pair_of(deployment: &Deployment) -> Result<Pair, NetworkError> {
    let token = |asset: usize| {
        let token = deployment.tokens.get(asset);
        token.map(|token| Token { address: token.address, decimals: token.plan.decimals })
    };
    match (token(QUOTE), token(BASE)) {
        (Some(sell), Some(buy)) => Ok(Pair { sell, buy }),
        _ => Err(NetworkError::Swap { reason: "the deployment has no base and quote asset".into() }),
    }
}

fn read_venue(path: &Path) -> Result<Venue, Error> {
    let bytes = files::read(path, MAX_FILE)?;
    let venue = serde_json::from_slice(&bytes);
    Ok(venue.map_err(|error| NetworkError::Venue { path: path.into(), reason: error.to_string() })?)
}

fn settings_of(read: &ReadArgs, key: &KeyArgs) -> SettingsArgs {
    SettingsArgs { read: read.clone(), key: key.clone(), ..SettingsArgs::default() }
}

/// Everything that a command asks before it decides.
struct Asked {
    node: Node,
    deployment: Deployment,
    venue: Venue,
    settings: Settings,
}

impl Asked {
    async fn new(arguments: &SwapArgs, key: &KeyArgs) -> Result<Self, Error> {
        let settings = Settings::read(&settings_of(&arguments.read, key))?;
        let (deployment, venue) = (read_deployment(settings.deployment()?)?, read_venue(&arguments.venue)?);
        let node = Node::connect(&settings).await?;
        deploy::check_place(&node.chain, &deployment).await.map_err(|error| node.error(&error))?;
        Ok(Self { node, deployment, venue, settings })
    }

    fn within(self, spend: SpendArgs) -> Self {
        Self { node: self.node.within(spend), ..self }
    }

    async fn market(&self, arguments: &SwapArgs) -> Result<Market<'_>, NetworkError> {
        let parts = match (arguments.exchange, self.node.is_local()) {
            (Some(exchange), _) => Parts::Named(exchange),
            (None, true) => Parts::Any,
            (None, false) => Parts::Real,
        };
        let (pair, reserve) = (pair_of(&self.deployment)?, self.deployment.reserve);
        let market = Market::open(&self.node.chain, self.venue, pair, reserve, parts).await;
        market.map_err(|error| of_swap(&self.node, error))
    }

    async fn prices(&self, market: &Market<'_>, arguments: &SwapArgs) -> Result<(Quote, Twap), NetworkError> {
        let failed = |error| of_swap(&self.node, error);
        let quote = market.quote(U256::from(arguments.amount)).await.map_err(failed)?;
        Ok((quote, market.twap(arguments.window).await.map_err(failed)?))
    }
}

fn tell_quote(arguments: &SwapQuoteArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    runtime()?.block_on(async {
        let asked = Asked::new(&arguments.swap, &KeyArgs::default()).await?;
        let market = asked.market(&arguments.swap).await?;
        let (quote, twap) = asked.prices(&market, &arguments.swap).await?;
        let (lines, object) = shown(&asked, &market, &quote, &twap)?;
        ctx.ui.result(&lines, &object);
        Ok(Answer::Done)
    })
}

fn shown(
    asked: &Asked,
    market: &Market<'_>,
    quote: &Quote,
    twap: &Twap,
) -> Result<(Vec<String>, serde_json::Value), NetworkError> {
    let cost = quote.cost(twap).map_err(|error| asked.node.error(&error))?;
    let fair = twap.value(quote.amount_in).unwrap_or_default();
    let (window, block) = (twap.window, quote.block.number);
    let percent = format!("{}{}.{:04}", if cost < 0 { "-" } else { "" }, cost.abs() / 10_000, cost.abs() % 10_000);
    let mut lines = vec![
        format!("{} give {}, at block {block}", quote.amount_in, quote.amount_out),
        format!("the average price of {window} s gives {fair}: the swap costs {percent} % against it"),
    ];
    if market.is_simulated() {
        lines.push("the exchange is a simulated one".to_owned());
    }
    let object = json!({
        "amount_in": quote.amount_in.to_string(), "amount_out": quote.amount_out.to_string(),
        "at_average": fair.to_string(), "cost_ppm": cost, "tick": twap.tick, "window": window,
        "newest_observation_age": twap.newest_age, "fee_ppm": market.fee(), "block": block,
        "simulated": market.is_simulated(),
    });
    Ok((lines, object))
}

fn swap(arguments: &SwapRunArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    runtime()?.block_on(async {
        let asked = Asked::new(&arguments.swap, &arguments.key).await?.within(arguments.spend);
        let wallet = open_key(asked.settings.key()?, &ctx.passphrases)?;
        let market = asked.market(&arguments.swap).await?;
        let failed = |error| of_swap(&asked.node, error);
        let (quote, twap) = asked.prices(&market, &arguments.swap).await?;
        let order = market.order(quote, &twap, &limits(arguments, &asked.deployment)).map_err(failed)?;
        if asked.node.sends(arguments.spend) {
            let swapped = market.send(&wallet, &order).await.map_err(failed)?;
            tell_swapped(&asked, &swapped, ctx);
        } else {
            let found = market.rehearse(wallet.address(), &order).await.map_err(failed)?;
            let lines = [
                format!("{} would give at least {}", order.quote().amount_in, order.least()),
                format!(
                    "nothing was sent to chain {} at {}; --broadcast sends",
                    asked.venue.chain_id, asked.node.shown
                ),
            ];
            let object = json!({
                "sent": false, "least": order.least().to_string(), "approved": found.approved,
                "deadline": order.deadline(), "recipient": order.recipient(),
            });
            ctx.ui.result(&lines, &object);
        }
        Ok(Answer::Done)
    })
}

fn limits(arguments: &SwapRunArgs, deployment: &Deployment) -> Limits {
    Limits {
        slippage: arguments.slippage,
        cost: arguments.most_cost,
        most_age: arguments.most_age,
        deadline: arguments.deadline,
        recipient: deployment.reserve,
    }
}

fn tell_swapped(asked: &Asked, swapped: &Swapped, ctx: &Context<'_>) {
    let (transaction, block, gas) = (swapped.transaction, swapped.block, swapped.gas_used);
    let reserve = asked.deployment.reserve;
    let lines =
        [format!("{} went to the reserve {reserve} in block {block} by {transaction}, {gas} gas", swapped.amount_out)];
    let object = json!({
        "sent": true, "amount_out": swapped.amount_out.to_string(), "recipient": reserve,
        "transaction": transaction, "block": block, "gas": gas,
    });
    ctx.ui.result(&lines, &object);
}

fn of_swap(node: &Node, error: SwapError) -> NetworkError {
    match error {
        SwapError::Chain(error) => node.error(&error),
        other => NetworkError::Swap { reason: other.to_string() },
    }
}
