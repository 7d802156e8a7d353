//! Flags of `clear` and `clear generate`.

use crate::clearing::{MAX_SLOTS, generate::Shape};
use clap::{Args, Subcommand, ValueEnum};
use darkpool_matcher::{Allocation, Pricing};
use std::path::PathBuf;

/// Arguments of `clear`: a run, or a verb of its own.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, subcommand_value_name = "VERB")]
#[command(after_help = "\
For trying the engine: no keys, no chain, nothing secret. Orders are read in the clear and the output
tells everything; do not feed it what somebody keeps private. Sizes in base units, spreads in 1/100
basis point: docs/spec/files.md. Exit code 1: a request was not filled.

Examples:
  ccc clear generate --orders 10000 --out book.csv --request request.toml
  ccc clear --orders book.csv --request request.toml
  ccc --json clear --orders book.csv --request request.toml --rule b --fills fills.csv")]
pub(crate) struct ClearArgs {
    #[command(subcommand)]
    pub(crate) verb: Option<ClearVerb>,
    #[command(flatten)]
    pub(crate) run: Option<ClearRunArgs>,
}

/// Arguments of a run.
#[derive(Args)]
pub(crate) struct ClearRunArgs {
    /// The standing orders, CSV or JSON, or `-`
    #[arg(long, value_name = "FILE")]
    pub(crate) orders: PathBuf,
    /// Price and requests in TOML, or `-`
    #[arg(long, value_name = "FILE")]
    pub(crate) request: PathBuf,
    /// a: cheapest first, pro rata at the margin; b: equal split
    #[arg(long, value_enum, default_value_t = Rule::A, hide_possible_values = true)]
    pub(crate) rule: Rule,
    /// as-bid: each maker is paid its own spread; uniform: the greatest filled
    #[arg(long, value_enum, default_value_t = PricingName::AsBid, hide_possible_values = true)]
    pub(crate) pricing: PricingName,
    /// The public number of slots [default: one per order, at most 1048576]
    #[arg(long, value_name = "N", value_parser = number)]
    pub(crate) slots: Option<usize>,
    /// What is drawn where the request gives no salt or seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Write the object that --json prints to FILE (mode 0600), or `-`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write every fill as CSV to FILE (mode 0600), or `-`
    #[arg(long, value_name = "FILE")]
    pub(crate) fills: Option<PathBuf>,
    /// Replace existing files
    #[arg(long)]
    pub(crate) force: bool,
}

/// What else there is to do.
#[derive(Subcommand)]
pub(crate) enum ClearVerb {
    /// Make a book of orders and a request for it: the same bytes for the same seed
    Generate(GenerateArgs),
}

/// Arguments of `clear generate`.
#[derive(Args)]
#[command(after_help = "\
Shapes: institutional (10 to 1000 makers, the largest order a fifth of the depth), crowd (as many makers as
orders), ties (three spreads for all), ladder (spreads in equal steps), whale (one order is three fifths).

Examples:
  ccc clear generate --orders 1000 --out book.csv --request request.toml
  ccc clear generate --orders 1000000 --seed 7 --shape whale --out whale.csv")]
pub(crate) struct GenerateArgs {
    /// How many orders
    #[arg(long, value_name = "N", value_parser = number)]
    pub(crate) orders: usize,
    /// Seed of every draw
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// How sizes, makers and spreads are spread
    #[arg(long, value_enum, default_value_t = Shape::Institutional, hide_possible_values = true)]
    pub(crate) shape: Shape,
    /// With counterparty lists: one order in ten names requesters, the request two makers
    #[arg(long)]
    pub(crate) lists: bool,
    /// The orders, or `-`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Write a request for a quarter of the depth to FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) request: Option<PathBuf>,
    /// Replace existing files
    #[arg(long)]
    pub(crate) force: bool,
}

/// How lots are shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rule {
    /// Cheapest first, pro rata at the margin
    A,
    /// Equal split
    B,
}

/// Which spread is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PricingName {
    /// Each maker its own
    AsBid,
    /// All the greatest that was filled
    Uniform,
}

impl From<Rule> for Allocation {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::A => Self::ProRata,
            Rule::B => Self::EqualSplit,
        }
    }
}

impl From<PricingName> for Pricing {
    fn from(name: PricingName) -> Self {
        match name {
            PricingName::AsBid => Self::PayAsBid,
            PricingName::Uniform => Self::Uniform,
        }
    }
}

/// A number of orders.
fn number(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=MAX_SLOTS).contains(number));
    number.ok_or_else(|| format!("expected a whole number from 1 to {MAX_SLOTS}"))
}
