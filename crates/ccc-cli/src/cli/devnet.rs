//! Flags of `ccc devnet`.

use clap::Args;
use std::path::PathBuf;

/// Arguments of `devnet`.
#[derive(Args)]
#[command(after_help = "\
Everything is on loopback, and everything ends with the command, however it ends. Keys lie in the directory in the clear.
With --json: one object when all are up, one for the recovery, one whenever a process changes.

Examples:
  ccc devnet                        until ctrl-c, with a table of who is up
  ccc devnet --run                  the same, and a recovery at the start
  ccc devnet --run --dir net/ --enclaves 3")]
pub(crate) struct DevnetArgs {
    /// Write configurations, keys and logs into DIR, which must be empty [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Vault nodes
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(4..=31))]
    pub(crate) vaults: u16,
    /// Enclaves
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=3))]
    pub(crate) enclaves: u16,
    /// Market makers of the recovery
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) makers: u32,
    /// From one round and reserve check to the next
    #[arg(long, value_name = "SECONDS", default_value_t = 6, value_parser = clap::value_parser!(u64).range(2..=3600))]
    pub(crate) cadence: u64,
    /// Run a recovery when all are up
    #[arg(long)]
    pub(crate) run: bool,
    /// Stop after so long
    #[arg(long, value_name = "SECONDS", hide = true)]
    pub(crate) seconds: Option<u64>,
}
