//! Flags of the commands that talk to a chain.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Which chain.
#[derive(Args, Clone, Default)]
pub(crate) struct ChainArgs {
    /// The node [env: CCC_RPC_URL] [default: http://127.0.0.1:8545]
    #[arg(long, value_name = "URL", help_heading = "Chain")]
    pub(crate) rpc_url: Option<String>,
    /// Who alone vouches for a node at https:// (PEM) [env: CCC_RPC_CA]
    #[arg(long, value_name = "FILE", help_heading = "Chain")]
    pub(crate) rpc_ca: Option<PathBuf>,
    /// Refuse a node of another chain [env: CCC_CHAIN_ID]
    #[arg(long, value_name = "ID", help_heading = "Chain")]
    pub(crate) chain_id: Option<u64>,
    /// Settings [env: CCC_CONFIG] [default: where the system keeps them]
    #[arg(long, value_name = "FILE", help_heading = "Chain")]
    pub(crate) config: Option<PathBuf>,
}

/// Which contracts.
#[derive(Args, Clone, Default)]
pub(crate) struct DeploymentArgs {
    /// The deployment that `ccc deploy` wrote [env: CCC_DEPLOYMENT]
    #[arg(long, value_name = "FILE", help_heading = "Chain")]
    pub(crate) deployment: Option<PathBuf>,
}

/// Which contracts on which chain.
#[derive(Args, Clone, Default)]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
}

/// Whose transactions.
#[derive(Args, Clone, Default)]
pub(crate) struct KeyArgs {
    /// The sender's key, hexadecimal [env: CCC_PRIVATE_KEY_FILE]
    #[arg(long, value_name = "FILE", help_heading = "Chain", conflicts_with = "keystore")]
    pub(crate) private_key_file: Option<PathBuf>,
    /// The sender's wallet file, version 3 [env: CCC_KEYSTORE]
    #[arg(long, value_name = "FILE", help_heading = "Chain")]
    pub(crate) keystore: Option<PathBuf>,
}

/// Whether anything is sent.
#[derive(Args, Clone, Copy, Default)]
pub(crate) struct SpendArgs {
    /// Send nothing; the default on every chain but a local one
    #[arg(long, help_heading = "Chain", conflicts_with = "broadcast")]
    pub(crate) dry_run: bool,
    /// Send the transactions, on whatever chain
    #[arg(long, help_heading = "Chain")]
    pub(crate) broadcast: bool,
    /// The most gwei for a unit of gas, a tenth of it as a tip (500)
    #[arg(long, help_heading = "Chain", value_name = "GWEI")]
    pub(crate) most_fee: Option<u32>,
}

/// Who sends to which contracts on which chain, if anything is sent.
#[derive(Args, Clone, Default)]
pub(crate) struct SendArgs {
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    #[command(flatten)]
    pub(crate) spend: SpendArgs,
}

/// Whose table account, under which vault.
#[derive(Args, Clone, Default)]
pub(crate) struct OwnerArgs {
    /// Keys of the table account [env: CCC_ACCOUNT_KEY]
    #[arg(long, value_name = "FILE", help_heading = "Chain")]
    pub(crate) account_key: Option<PathBuf>,
    /// The vault's committee, to which is encrypted [env: CCC_COMMITTEE]
    #[arg(long, value_name = "FILE", help_heading = "Chain")]
    pub(crate) committee: Option<PathBuf>,
}

/// Every setting as a flag.
#[derive(Args, Clone, Default)]
pub(crate) struct SettingsArgs {
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    #[command(flatten)]
    pub(crate) owner: OwnerArgs,
}

impl From<&ReadArgs> for SettingsArgs {
    fn from(read: &ReadArgs) -> Self {
        Self { read: read.clone(), ..Self::default() }
    }
}

impl From<&DeployArgs> for SettingsArgs {
    fn from(deploy: &DeployArgs) -> Self {
        let read = ReadArgs { chain: deploy.chain.clone(), ..ReadArgs::default() };
        Self { read, key: deploy.key.clone(), ..Self::default() }
    }
}

impl From<&SendArgs> for SettingsArgs {
    fn from(send: &SendArgs) -> Self {
        Self { read: send.read.clone(), key: send.key.clone(), ..Self::default() }
    }
}

/// What of the settings.
#[derive(Subcommand)]
pub(crate) enum Config {
    /// Print each setting and where it comes from
    #[command(after_help = "\
A flag stands before the environment, the environment before the file, the file before the default.

Examples:
  ccc config show
  CCC_RPC_URL=http://127.0.0.1:8545 ccc --json config show")]
    Show(SettingsArgs),
}

/// Arguments of `doctor`.
#[derive(Args)]
#[command(after_help = "\
Exit code 1: something that a command would need is missing. Nothing is sent and no key is opened.

Examples:
  ccc doctor
  ccc doctor --deployment deployment.json --private-key-file key")]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

/// Arguments of `chain`.
#[derive(Args)]
#[command(after_help = "\
The chain lives as long as the command and is served on loopback alone. Rich from the start are the ten accounts of
the mnemonic `test test test test test test test test test test test junk`, whose keys everybody knows.

Examples:
  ccc chain --port 8545
  ccc chain --for 60 --fund 0x0101010101010101010101010101010101010101")]
pub(crate) struct ServeChainArgs {
    /// Loopback port; 0 takes a free one and prints it
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(crate) port: u16,
    /// End after this many seconds instead of at Ctrl-C
    #[arg(long = "for", value_name = "SECONDS")]
    pub(crate) seconds: Option<u64>,
    /// The chain id
    #[arg(long, default_value_t = 31337, value_name = "ID")]
    pub(crate) chain_id: u64,
    /// Give this account 10,000 ether too
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) fund: Vec<super::value::Address>,
    /// Start at this time, one second for each block, instead of following the clock (Unix seconds)
    #[arg(long, value_name = "SECONDS")]
    pub(crate) genesis_time: Option<u64>,
}

/// Arguments of `deploy`.
#[derive(Args)]
#[command(after_help = "\
Without --plan, on a local chain alone: well-known test accounts, test tokens and a simulated feed; --print-plan
shows that plan as a file. Nothing is sent on any other chain without --broadcast.

Examples:
  ccc deploy --private-key-file key --committee keys/committee.ccc --out deployment.json
  ccc deploy --plan plan.toml --rpc-url http://127.0.0.1:8545 --keystore wallet.json --out deployment.toml --broadcast")]
pub(crate) struct DeployArgs {
    /// What to deploy and to whom to give it (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
    /// The vault's committee: its epoch and master public key instead of the plan's
    #[arg(long, value_name = "FILE")]
    pub(crate) committee: Option<PathBuf>,
    /// Print the plan of a local chain and end
    #[arg(long, conflicts_with_all = ["plan", "out", "committee"])]
    pub(crate) print_plan: bool,
    /// Write the deployment to this file, .json or .toml, which must not exist
    #[arg(long, value_name = "FILE", required_unless_present = "print_plan")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    #[command(flatten)]
    pub(crate) spend: SpendArgs,
}

/// Arguments of `status`.
#[derive(Args)]
#[command(after_help = "\
Exit code 1: the reserve is not shown as solvent now: insolvent, unknown or too old an answer.

Examples:
  ccc status --deployment deployment.json
  ccc status --deployment deployment.json --history 20
  ccc --json status --deployment deployment.json --rpc-url http://127.0.0.1:8545")]
pub(crate) struct StatusArgs {
    /// Also tell the newest COUNT reserve checks that the chain took [without a number: 10]
    #[arg(long, value_name = "COUNT", num_args = 0..=1, default_missing_value = "10", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) history: Option<u16>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

/// What of reports.
#[derive(Subcommand)]
pub(crate) enum Report {
    /// Hand a signed report to the forwarder, once
    Submit(SubmitArgs),
    /// Say whether two signed reports contradict each other, and who signed both
    Compare(CompareArgs),
}

/// Arguments of `report compare`.
#[derive(Args)]
#[command(after_help = "\
No node is asked: quorums are checked against the signer set of the deployment's file. Exit code 1: the reports
do not contradict each other, and why.

A workflow node keeps what it signed and signs no two such reports, after a restart neither: who signed both
used its key elsewhere, lost its record, or lies. No record is kept of reports about enclaves, nor by the
signers of a pool directory.

Example:
  ccc report compare mine.report theirs.report --deployment deployment.json")]
pub(crate) struct CompareArgs {
    /// One signed report
    #[arg(value_name = "FIRST")]
    pub(crate) first: PathBuf,
    /// The other
    #[arg(value_name = "SECOND")]
    pub(crate) second: PathBuf,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

/// Arguments of `report submit`.
#[derive(Args)]
#[command(after_help = "\
Forwarder and receiver are asked first; a refusal costs nothing. A report that somebody delivered already is done: that
is told, and the exit code is 0.

Example:
  ccc report submit attempt/report.ccc --deployment deployment.json --private-key-file key")]
pub(crate) struct SubmitArgs {
    /// The signed report
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) send: SendArgs,
}
