//! Flags of `ccc serve`.

use super::ReadArgs;
use clap::Args;
use std::{net::SocketAddr, path::PathBuf};

/// Arguments of `serve`.
#[derive(Args)]
#[command(after_help = "\
Without a deployment recoveries run here; custodian, feed, tokens and hardware are simulated.

Examples:
  ccc serve --operator-token-file desk.token
  ccc serve --deployment deployment.json --rpc-url http://127.0.0.1:8545")]
pub(crate) struct ServeArgs {
    /// Where, on loopback
    #[arg(long, default_value = "127.0.0.1:8040", value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,
    /// A further host name under which a proxy reaches the page
    #[arg(long, value_name = "HOST")]
    pub(crate) name: Vec<String>,
    /// Its first line signs in at /operator; made if not there
    #[arg(long, value_name = "FILE")]
    pub(crate) operator_token_file: Option<PathBuf>,
    /// For how long one is signed in
    #[arg(long, default_value_t = 900, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) session: u64,
    /// Vault participants of a simulated recovery
    #[arg(long, value_name = "N", conflicts_with = "deployment")]
    pub(crate) participants: Option<u16>,
    /// Market makers of a simulated recovery
    #[arg(long, value_name = "N", conflicts_with = "deployment")]
    pub(crate) makers: Option<u32>,
    /// How often the chain is looked at
    #[arg(long, default_value_t = 4, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(crate) every: u64,
    /// A proof-of-reserve feed to show beside (AggregatorV3)
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) feed: Option<alloy::primitives::Address>,
    /// Its decimals
    #[arg(long, default_value_t = 8, requires = "feed", value_name = "N")]
    pub(crate) feed_decimals: u8,
    /// How old its answer may be
    #[arg(long, default_value_t = 86_400, requires = "feed", value_name = "SECONDS")]
    pub(crate) feed_age: u64,
    /// Tell this server of each change, http:// on loopback
    #[arg(long, requires = "webhook_secret_file", value_name = "URL")]
    pub(crate) webhook: Option<String>,
    /// Its first line signs what is told
    #[arg(long, requires = "webhook", value_name = "FILE")]
    pub(crate) webhook_secret_file: Option<PathBuf>,
    /// The policy of an agent that the desk shows and stops
    #[arg(long, requires_all = ["agent_journal", "operator_token_file"], value_name = "FILE")]
    pub(crate) agent_policy: Option<PathBuf>,
    /// The agent's journal
    #[arg(long, requires = "agent_policy", value_name = "FILE")]
    pub(crate) agent_journal: Option<PathBuf>,
    /// Where the agent looks for approvals
    #[arg(long, requires = "agent_policy", value_name = "DIR")]
    pub(crate) agent_approvals: Option<PathBuf>,
    /// Stop after so long
    #[arg(long, value_name = "SECONDS", hide = true)]
    pub(crate) seconds: Option<u64>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}
