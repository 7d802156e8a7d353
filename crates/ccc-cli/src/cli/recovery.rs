//! Flags of `ccc recover` and `ccc custodian`.

use clap::Args;
use std::path::PathBuf;

/// Arguments of `recover`.
#[derive(Args)]
#[command(after_help = "\
Built-in scenarios: large-deficit, insufficient-liquidity, participant-lying, participant-silent.
Exit code 1: the reserve is still insolvent at the end.

Examples:
  ccc recover
  ccc recover --scenario examples/scenarios/insufficient-liquidity.toml
  ccc recover --rpc-url http://127.0.0.1:8545 --out run/")]
pub(crate) struct RecoverArgs {
    /// A scenario file (TOML), or the name of a built-in one
    #[arg(long, value_name = "FILE|NAME")]
    pub(crate) scenario: Option<String>,
    /// Vault participants; a scenario that names its threshold needs --threshold too
    #[arg(long, value_name = "N")]
    pub(crate) participants: Option<u16>,
    /// Shares that open
    #[arg(long, value_name = "T")]
    pub(crate) threshold: Option<u16>,
    /// Market makers
    #[arg(long, value_name = "N")]
    pub(crate) makers: Option<u32>,
    /// Accounts that the table has room for [default: 256, or one per maker and one for the reserve if that is more]
    #[arg(long, value_name = "N")]
    pub(crate) accounts: Option<u32>,
    /// Run vault nodes, an enclave and signers as processes of their own, as `ccc devnet` does
    #[arg(long, conflicts_with_all = ["rpc_url", "statement", "seed", "production"])]
    pub(crate) devnet: bool,
    /// A node to use instead of the embedded chain
    #[arg(long, value_name = "URL")]
    pub(crate) rpc_url: Option<String>,
    /// Authorities for https:// (PEM) [default: the system's]
    #[arg(long, value_name = "FILE", requires = "rpc_url")]
    pub(crate) rpc_ca: Option<PathBuf>,
    /// A custodian to ask instead of the simulated one
    #[arg(long, value_name = "URL", requires = "custodian_token_file", conflicts_with = "statement")]
    pub(crate) custodian_url: Option<String>,
    /// The first line of FILE is the custodian's bearer token
    #[arg(long, value_name = "FILE", requires = "custodian_url")]
    pub(crate) custodian_token_file: Option<PathBuf>,
    /// A statement file to use instead of a custodian
    #[arg(long, value_name = "FILE")]
    pub(crate) statement: Option<PathBuf>,
    /// Write every artefact of the run into DIR
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Write what the requester alone reads of the clearing to this file, as JSON (mode 0600); a run without a request writes none
    #[arg(long, value_name = "FILE")]
    pub(crate) requester_report: Option<PathBuf>,
    /// Write into a directory that is not empty
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
    /// Refuse all simulated parts and seeds; the enclave here is one
    #[arg(long)]
    pub(crate) production: bool,
    /// Make the run reproducible; keys are then as public as the seed
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
}

/// Arguments of `custodian`.
#[derive(Args)]
#[command(after_help = "\
Simulated: it signs nothing and proves nothing; it serves the file as a custodian's interface would.

Example:
  ccc custodian --statement statement.json --token-file token --port 8080")]
pub(crate) struct CustodianArgs {
    /// The statement to serve (JSON, in satoshi)
    #[arg(long, value_name = "FILE")]
    pub(crate) statement: PathBuf,
    /// The first line of FILE is the bearer token that a caller must present
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: PathBuf,
    /// Loopback port; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(crate) port: u16,
}
