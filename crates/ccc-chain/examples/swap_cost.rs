//! What the direct route costs against the average price, by the size of the swap: measured on the pool, then drawn.
//!
//! `cargo run -p ccc-chain --example swap_cost -- FILE.svg`; without a file the table is printed and the drawing checked
//! alone. The pool is Uniswap's own where `node_modules` has its packages, else the simulated exchange.

use std::path::Path;

use alloy::{
    network::TransactionBuilder,
    primitives::{Address, U256},
    providers::Provider,
    rpc::types::TransactionRequest,
    sol_types::SolConstructor,
};
use ccc_chain::{
    Chain, EmbeddedConfig, Wallet,
    bindings::TestToken,
    swap::{
        Limits, Market, Pair, Parts, SwapError, Token, Venue,
        place::{self, Depth, Published},
    },
};
use plotters::prelude::*;
use serde_json::json;

type Anything = Box<dyn std::error::Error>;

/// Dollars on each side of the pool, over all prices.
const DEPTH: u64 = 100_000_000;
/// Dollars for a coin.
const PRICE: u64 = 60_000;
/// Seconds of the average.
const WINDOW: u32 = 600;
/// What the table shows and executes.
const SHOWN: [u64; 3] = [500_000, 5_000_000, 50_000_000];
/// Points of the curve between them.
const DRAWN: [u64; 13] = [
    100_000, 200_000, 350_000, 500_000, 750_000, 1_000_000, 2_000_000, 3_500_000, 5_000_000, 10_000_000, 20_000_000,
    35_000_000, 50_000_000,
];

const SIZE: (u32, u32) = (960, 460);
const LINE: RGBColor = RGBColor(37, 99, 175);
const POINT: RGBColor = RGBColor(217, 108, 26);
const INK: RGBColor = RGBColor(40, 44, 52);
const GRID: RGBColor = RGBColor(235, 237, 240);
const FONT: &str = "sans-serif";

/// One size, measured.
struct Cost {
    dollars: u64,
    coins: f64,
    fair: f64,
    /// Parts of a million below the average price.
    parts: i64,
}

impl Cost {
    fn percent(&self) -> f64 {
        number(self.parts.unsigned_abs()) / 10_000.0
    }
}

/// A chain with two tokens and a pool.
struct Place {
    chain: Chain,
    desk: Wallet,
    pair: Pair,
    venue: Venue,
    reserve: Address,
}

fn main() -> Result<(), Anything> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (name, costs) = runtime.block_on(measure())?;
    let svg = draw(&costs)?;
    check(&costs, &svg)?;
    println!("pool: {name}, {DEPTH} dollars on each side over all prices, fee 0.3 %");
    if let Some(path) = std::env::args_os().nth(1) {
        std::fs::write(&path, &svg)?;
        println!("{} bytes: {}", svg.len(), path.display());
    }
    Ok(())
}

async fn measure() -> Result<(&'static str, Vec<Cost>), Anything> {
    let place = Place::new().await?;
    let market = place.market().await?;
    let name = if market.is_simulated() { "the simulated exchange" } else { "Uniswap V3" };
    println!(
        "{:>12}  {:>14}  {:>14}  {:>9}  {:>14}  {:>8}  limits of 1 %",
        "dollars", "coins", "at average", "cost", "dollars lost", "gas"
    );
    for dollars in SHOWN {
        place.print(&market, dollars).await?;
    }
    let mut costs = Vec::with_capacity(DRAWN.len());
    for dollars in DRAWN {
        costs.push(cost(&market, dollars).await?);
    }
    Ok((name, costs))
}

async fn cost(market: &Market<'_>, dollars: u64) -> Result<Cost, Anything> {
    let (quote, twap) = (market.quote(usdc(dollars)).await?, market.twap(WINDOW).await?);
    let fair = twap.value(quote.amount_in).ok_or("the average price does not fit")?;
    let coins = |amount: U256| u64::try_from(amount).map(|amount| number(amount) / 1e8);
    Ok(Cost { dollars, coins: coins(quote.amount_out)?, fair: coins(fair)?, parts: quote.cost(&twap)? })
}

impl Place {
    async fn new() -> Result<Self, Anything> {
        let chain = Chain::embedded(&EmbeddedConfig { chain_id: 31337, genesis_time: 1_700_000_000, rich: Vec::new() });
        let (owner, desk) = (Wallet::from_key(&[1; 32])?, Wallet::from_key(&[2; 32])?);
        chain.fund(owner.address()).await?;
        chain.fund(desk.address()).await?;
        let sell = token(&chain, &owner, "USDC", 6).await?;
        let buy = token(&chain, &owner, "WBTC", 8).await?;
        let pair = Pair { sell, buy };
        let coins = U256::from(DEPTH) * U256::from(100_000_000) / U256::from(PRICE);
        let depth = Depth { sell: usdc(DEPTH), buy: coins };
        let venue = match packages() {
            Some(code) => place::published(&chain, &owner, &code?, &pair, depth).await?,
            None => place::simulated(&chain, &owner, &pair, depth).await?,
        };
        let place = Self { chain, desk, pair, venue, reserve: Address::repeat_byte(0x5e) };
        place.remember(&owner).await?;
        Ok(place)
    }

    async fn market(&self) -> Result<Market<'_>, SwapError> {
        Market::open(&self.chain, self.venue, self.pair, self.reserve, Parts::Any).await
    }

    /// A dollar's trade writes an observation; after the window the average is the pool's price.
    async fn remember(&self, owner: &Wallet) -> Result<(), Anything> {
        place::remember(&self.chain, owner, &self.venue, 8).await?;
        self.wait(60).await?;
        self.swap(&self.market().await?, 1, 1).await?;
        self.wait(WINDOW.into()).await
    }

    async fn wait(&self, seconds: u64) -> Result<(), Anything> {
        let now = self.chain.block(alloy::eips::BlockId::latest()).await?.time;
        self.chain.advance_time(now + seconds).await?;
        Ok(())
    }

    /// Executes a swap with the widest limits; the gas of the swap alone.
    async fn swap(&self, market: &Market<'_>, dollars: u64, window: u32) -> Result<u64, Anything> {
        let money = TestToken::new(self.pair.sell.address, self.chain.provider());
        let mint = money.mint(self.desk.address(), usdc(dollars)).into_transaction_request();
        self.chain.send(&self.desk, mint).await?;
        let (quote, twap) = (market.quote(usdc(dollars)).await?, market.twap(window).await?);
        let order = market.order(quote, &twap, &Limits { cost: 1000, ..Limits::to(self.reserve) })?;
        Ok(market.send(&self.desk, &order).await?.gas_used)
    }

    /// A line of the table. What is executed is taken back, so that every size meets the same pool.
    async fn print(&self, market: &Market<'_>, dollars: u64) -> Result<(), Anything> {
        let found = cost(market, dollars).await?;
        let kept = self.chain.provider().raw_request::<_, serde_json::Value>("evm_snapshot".into(), json!([])).await?;
        let gas = match self.swap(market, dollars, WINDOW).await {
            Ok(gas) => gas.to_string(),
            Err(_) => "-".to_owned(),
        };
        self.chain.provider().raw_request::<_, bool>("evm_revert".into(), json!([kept])).await?;
        let (quote, twap) = (market.quote(usdc(dollars)).await?, market.twap(WINDOW).await?);
        let verdict = match market.order(quote, &twap, &Limits::to(self.reserve)) {
            Ok(_) => "taken",
            Err(SwapError::Cost { .. }) => "refused",
            Err(error) => return Err(error.into()),
        };
        let lost = number(dollars) * found.percent() / 100.0;
        println!(
            "{dollars:>12}  {:>14.8}  {:>14.8}  {:>7.2} %  {lost:>14.0}  {gas:>8}  {verdict}",
            found.coins,
            found.fair,
            found.percent()
        );
        Ok(())
    }
}

async fn token(chain: &Chain, owner: &Wallet, symbol: &str, decimals: u8) -> Result<Token, Anything> {
    let arguments = TestToken::constructorCall { name_: symbol.into(), symbol_: symbol.into(), decimals_: decimals };
    let code = [TestToken::BYTECODE.as_ref(), arguments.abi_encode().as_slice()].concat();
    let sent = chain.send(owner, TransactionRequest::default().with_deploy_code(code)).await?;
    Ok(Token { address: sent.contract.ok_or("no contract was made")?, decimals })
}

/// Uniswap's packages, where npm put them.
fn packages() -> Option<Result<Published, SwapError>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../node_modules");
    let texts = place::ARTIFACTS.map(|artifact| std::fs::read_to_string(root.join(artifact)).ok());
    let [Some(factory), Some(positions), Some(router), Some(quoter)] = texts else { return None };
    Some(Published::read([&factory, &positions, &router, &quoter]))
}

fn usdc(dollars: u64) -> U256 {
    U256::from(dollars) * U256::from(1_000_000)
}

/// For showing alone: exact below 2^53.
#[allow(clippy::cast_precision_loss, reason = "amounts of the table have at most sixteen digits")]
fn number(whole: u64) -> f64 {
    whole as f64
}

fn check(costs: &[Cost], svg: &str) -> Result<(), Anything> {
    let rising = costs.windows(2).all(|pair| matches!(pair, [a, b] if a.parts < b.parts && a.coins < b.coins));
    if !rising {
        return Err("a larger swap did not cost more".into());
    }
    if costs.iter().any(|cost| cost.coins > cost.fair) {
        return Err("a swap gave more than the average price".into());
    }
    if svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>") { Ok(()) } else { Err("no whole SVG".into()) }
}

fn draw(costs: &[Cost]) -> Result<String, Anything> {
    let mut svg = String::new();
    draw_on(&SVGBackend::with_string(&mut svg, SIZE).into_drawing_area(), costs)?;
    Ok(svg)
}

fn draw_on(root: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>, costs: &[Cost]) -> Result<(), Anything> {
    root.fill(&WHITE)?;
    let caption = "A swap on a pool with $100M on each side: cost against the average price";
    let mut chart = ChartBuilder::on(root)
        .caption(caption, (FONT, 18).into_font().color(&INK))
        .margin(14)
        .margin_right(36)
        .x_label_area_size(48)
        .y_label_area_size(64)
        .build_cartesian_2d((100_000.0..60_000_000.0).log_scale(), 0.0..36.0)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(GRID)
        .x_label_formatter(&|dollars: &f64| format!("${:.1}M", dollars / 1e6))
        .y_label_formatter(&|percent: &f64| format!("{percent:.0} %"))
        .x_desc("size of the swap")
        .y_desc("below the average price")
        .axis_desc_style((FONT, 14).into_font().color(&INK))
        .label_style((FONT, 13).into_font().color(&INK))
        .axis_style(INK)
        .draw()?;
    let points: Vec<(f64, f64)> = costs.iter().map(|cost| (number(cost.dollars), cost.percent())).collect();
    chart.draw_series(LineSeries::new(points, LINE.stroke_width(3)))?;
    for cost in costs.iter().filter(|cost| SHOWN.contains(&cost.dollars)) {
        let at = (number(cost.dollars), cost.percent());
        let words = format!("{:.2} %", cost.percent());
        chart.draw_series([Circle::new(at, 5, POINT.filled())])?;
        let beside = EmptyElement::at(at) + Text::new(words, (-62, -18), (FONT, 15).into_font().color(&INK));
        chart.draw_series([beside])?;
    }
    Ok(root.present()?)
}
