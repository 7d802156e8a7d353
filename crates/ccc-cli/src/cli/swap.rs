//! Flags of the direct route.

use super::{KeyArgs, ReadArgs, SpendArgs};
use ccc_chain::swap::Exchange;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What of the direct route.
#[derive(Subcommand)]
pub(crate) enum Swap {
    /// Put a market on a chain for trying things out
    Place(SwapPlaceArgs),
    /// Say what a swap would give and what it costs against the average price
    Quote(SwapQuoteArgs),
    /// Swap, with the proceeds straight to the reserve
    Run(SwapRunArgs),
}

/// Arguments of `swap place`.
#[derive(Args)]
#[command(after_help = "\
Without --uniswap the exchange is a simulated one with Uniswap's interfaces. Both are refused on a chain that is not
local, and so are tokens that nobody can mint.

Examples:
  ccc swap place --deployment deployment.json --private-key-file key --out venue.json
  ccc swap place --uniswap node_modules --deployment deployment.json --private-key-file key --out venue.json")]
pub(crate) struct SwapPlaceArgs {
    /// Write the market to this file, which must not exist
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Deploy Uniswap V3 from the npm packages in this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) uniswap: Option<PathBuf>,
    /// What of the quote asset the pool holds, in its smallest units
    #[arg(long, default_value_t = 100_000_000_000_000, value_name = "UNITS")]
    pub(crate) quote_depth: u128,
    /// What of the base asset the pool holds, in its smallest units; both make the price
    #[arg(long, default_value_t = 166_666_666_666, value_name = "UNITS")]
    pub(crate) base_depth: u128,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

/// Which market and how much.
#[derive(Args)]
pub(crate) struct SwapArgs {
    /// The market: chain_id, router, quoter and pool (JSON)
    #[arg(long, value_name = "FILE")]
    pub(crate) venue: PathBuf,
    /// What of the quote asset is paid, in its smallest units
    #[arg(long, value_name = "UNITS")]
    pub(crate) amount: u128,
    /// Seconds of the average price
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    pub(crate) window: u32,
    /// Factory, router and quoter, where not Uniswap's own as known to ccc
    #[arg(long, value_parser = exchange, value_name = "F,R,Q")]
    pub(crate) exchange: Option<Exchange>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

/// Arguments of `swap quote`.
#[derive(Args)]
#[command(after_help = "\
Example:
  ccc swap quote --venue venue.json --amount 500000000000 --deployment deployment.json")]
pub(crate) struct SwapQuoteArgs {
    #[command(flatten)]
    pub(crate) swap: SwapArgs,
}

/// Arguments of `swap run`.
#[derive(Args)]
#[command(after_help = "\
Everybody sees size and price. The recipient is the deployment's reserve; no flag changes that.

Example:
  ccc swap run --venue venue.json --amount 500000000000 --private-key-file key")]
pub(crate) struct SwapRunArgs {
    #[command(flatten)]
    pub(crate) swap: SwapArgs,
    /// How far the price may move after the quote, in 1/10,000
    #[arg(long, default_value_t = 50, value_name = "BPS")]
    pub(crate) slippage: u16,
    /// Most below the average price, in 1/10,000
    #[arg(long, default_value_t = 100, value_name = "BPS")]
    pub(crate) most_cost: u16,
    /// How old the newest price observation may be
    #[arg(long, default_value_t = 3600, value_name = "SECONDS")]
    pub(crate) most_age: u64,
    /// For how long the order holds
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    pub(crate) deadline: u64,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    #[command(flatten)]
    pub(crate) spend: SpendArgs,
}

/// Three addresses. The router among them may take what is sold.
fn exchange(text: &str) -> Result<Exchange, String> {
    let parts: Result<Vec<_>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    match parts.map_err(|_| "not an address")?.as_slice() {
        &[factory, router, quoter] => Ok(Exchange { factory, router, quoter }),
        other => Err(format!("expected three addresses, factory, router and quoter; found {}", other.len())),
    }
}
