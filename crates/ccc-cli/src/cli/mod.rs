//! Every flag of every verb, with the examples that help shows.

mod agent;
mod attest;
mod chain;
mod clear;
mod desk;
mod devnet;
mod keys;
mod message;
mod node;
mod pool;
mod reading;
mod recovery;
mod rounds;
mod serve;
mod storage;
mod submission;
mod swap;
mod value;

pub(crate) use agent::{AgentJournalArgs, AgentRunArgs, AgentVerb, ApproveArgs, ApproverArgs, CheckPolicyArgs};
pub(crate) use attest::{Attest, AttestPolicy, PolicyCheckArgs};
pub(crate) use chain::{
    ChainArgs, CompareArgs, Config, DeployArgs, DoctorArgs, KeyArgs, OwnerArgs, ReadArgs, Report, ServeChainArgs,
    SettingsArgs, SpendArgs, StatusArgs, SubmitArgs,
};
pub(crate) use clear::{ClearArgs, ClearRunArgs, ClearVerb, GenerateArgs};
pub(crate) use desk::{
    ChainDepositArgs, ChainWithdrawArgs, DeskArgs, ExitArgs, Order, OrderCancelArgs, OrderNewArgs, OrderStatusArgs,
    ReceiptOpenArgs, ReceiptVerb,
};
pub(crate) use devnet::DevnetArgs;
pub(crate) use keys::{AccountKeygen, AgentKeygen, AuditorKeygen, CommitteeKeygen, Keygen, Tdh2Keygen};
pub(crate) use message::{EncryptArgs, Format, OpenArgs, ShareArgs};
pub(crate) use node::{AuditArgs, CheckConfigArgs, NodeArgs, NodeKind, NodeVerb, Running, VaultNodeArgs};
pub(crate) use pool::{
    BalanceArgs, DepositArgs, EncryptOrderArgs, Fill, FillPrepareArgs, FillRunArgs, ReencryptArgs, Table,
    TableInitArgs, WithdrawArgs,
};
pub(crate) use reading::{AnswerArgs, AskArgs, ExportArgs, HistoryArgs, SummaryArgs};
pub(crate) use recovery::{CustodianArgs, RecoverArgs};
pub(crate) use rounds::{
    BoardChainArgs, DkgArgs, HandoverArgs, OfRepair, ParticipantKeygen, RepairAssistArgs, RepairFinishArgs,
    RepairRequestArgs, RepairShare, SessionArgs,
};
pub(crate) use serve::ServeArgs;
pub(crate) use storage::{AuditorsArgs, CollectArgs, RestoreArgs, RotateArgs};
pub(crate) use submission::{CancelArgs, ForceTransferArgs, OfOperator, Submitting, TransferArgs};
pub(crate) use swap::{Swap, SwapArgs, SwapPlaceArgs, SwapQuoteArgs, SwapRunArgs};
pub(crate) use value::{AssetName, Digest, SpreadRange, UpkeepName};

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const ABOUT: &str = "Confidential reserves that heal themselves";

const AFTER: &str = "\
Example: `ccc recover` takes one reserve from insolvent to solvent, on an embedded chain.
FILE may be `-` for standard input or output. Exit codes: 0 done, 1 the answer is no, 2 could not.";

/// The arguments of one run.
#[derive(Parser)]
#[command(name = "ccc", version, about = ABOUT, after_help = AFTER, max_term_width = 100)]
#[command(disable_help_subcommand = false, subcommand_value_name = "VERB", subcommand_help_heading = "Verbs")]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Flags that every verb takes.
#[derive(Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Print results and errors as JSON objects
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print errors alone
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Its first line is the passphrase [env: CCC_PASSPHRASE_FILE]
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "no_passphrase")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Write secret files in the clear (mode 0600)
    #[arg(long, global = true)]
    pub(crate) no_passphrase: bool,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Run one recovery: insolvent, an encrypted order, a fill, solvent
    Recover(RecoverArgs),
    /// Make keys: a vault's, an account's, an agent's
    #[command(subcommand)]
    Keygen(Keygen),
    /// Give every participant a new share of the same secret, step by step
    Refresh(HandoverArgs),
    /// Hand a vault over to other participants or another threshold, step by step
    Reshare(HandoverArgs),
    /// Give a participant its lost share back, step by step
    #[command(subcommand)]
    RepairShare(RepairShare),
    /// Make a pool, deposit, withdraw, transfer, freeze, read one's own balance
    #[command(subcommand)]
    Table(Table),
    /// Encrypt any message to a vault, or to a tdh2 public key
    Encrypt(EncryptArgs),
    /// Make, as one participant, the plain share of a message
    Share(ShareArgs),
    /// Open a message with t shares
    Open(OpenArgs),
    /// Encrypt a collateral order or a maker's standing order to the vault
    EncryptOrder(EncryptOrderArgs),
    /// Re-encrypt, as one participant, what a request names to the enclave's attempt
    Reencrypt(ReencryptArgs),
    /// Prepare an attempt; then open, clear, settle and report
    #[command(subcommand)]
    Fill(Fill),
    /// Clear orders in the clear, to try the engine without keys or chain
    Clear(ClearArgs),
    /// Read what is accepted as an enclave
    #[command(subcommand)]
    Attest(Attest),
    /// Check a report, ciphertext, share, table, attestation or ceremony
    Verify(VerifyArgs),
    /// Say what a file is, with its public fields
    Inspect(InspectArgs),
    /// Put the contracts on a chain, with registries, roles and delays
    Deploy(DeployArgs),
    /// Say in plain words what the chain says
    Status(StatusArgs),
    /// Hand signed reports to the chain
    #[command(subcommand)]
    Report(Report),
    /// Bring tokens into a pool on a chain
    Deposit(ChainDepositArgs),
    /// Ask a pool on a chain to be paid out
    Withdraw(ChainWithdrawArgs),
    /// Make a standing order on a chain, take it back, ask for it
    #[command(subcommand)]
    Order(Order),
    /// Open one's own receipts of a round on a chain
    #[command(subcommand)]
    Receipt(ReceiptVerb),
    /// Leave a pool whose rounds have stopped, without anyone's help
    Exit(ExitArgs),
    /// Refill the reserve by a public swap: the direct route
    #[command(subcommand)]
    Swap(Swap),
    /// Refill the reserve under a policy, by itself
    #[command(subcommand)]
    Agent(AgentVerb),
    /// Serve the page on which one sees a reserve heal, and the operator's desk
    Serve(Box<ServeArgs>),
    /// Serve the embedded chain over JSON-RPC on loopback
    Chain(ServeChainArgs),
    /// Serve a statement over HTTP, as a simulated custodian
    Custodian(CustodianArgs),
    /// Run a node of the committee, check its configuration or its log
    #[command(subcommand)]
    Node(NodeVerb),
    /// Run chain, vault nodes, enclaves and signers as processes on this machine
    Devnet(DevnetArgs),
    /// Show the settings and where each comes from
    #[command(subcommand)]
    Config(Config),
    /// Say what is missing and how to get it
    Doctor(DoctorArgs),
    /// Print a shell's completions
    Completions(CompletionsArgs),
    /// Print the manual page, or write all of them
    Man(ManArgs),
}

/// Arguments of `verify`.
#[derive(Args)]
#[command(after_help = "\
A table is its header with its body and sidecar, in any order; --pool alone checks the pool's own.
A session with its board is computed anew: anybody can audit a key generation, a refresh, a reshare.

Examples:
  ccc verify --committee keys/committee.ccc order.ccc
  ccc verify --pool pool/ attempt/share-3.ccc attempt/request.ccc attempt/recipient.ccc
  ccc verify --deployment run/deployment.json --policy run/policy.json run/reserve-1.re*
  ccc verify --policy policy.toml --at 1736179625 document.cose
  ccc verify --session s.json --board b/ vault/committee.ccc
  ccc verify --session s.json --committee vault/committee.ccc --board b/ next/certificate.ccc
  ccc verify --committee next/committee.ccc --board b/ request.ccc")]
pub(crate) struct VerifyArgs {
    /// What to check; a plain share needs its ciphertext beside it, attested keys their request
    #[arg(required_unless_present_any = ["pool", "session"], value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Committee whose keys the files hold under; with --session the one before
    #[arg(long, value_name = "FILE")]
    pub(crate) committee: Option<PathBuf>,
    /// Session of `ccc keygen session` to which the files must belong
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pool", "deployment"])]
    pub(crate) session: Option<PathBuf>,
    /// All messages of the session, or of the repair whose request is given
    #[arg(long, value_name = "DIR", conflicts_with_all = ["pool", "deployment"])]
    pub(crate) board: Option<PathBuf>,
    /// Pool directory: committee, signers, measurement and current header in one
    #[arg(long, value_name = "DIR")]
    pub(crate) pool: Option<PathBuf>,
    /// A deployment (`ccc recover --out`, `ccc deploy`): its signers and addresses
    #[arg(long, value_name = "FILE", conflicts_with = "pool")]
    pub(crate) deployment: Option<PathBuf>,
    /// What is accepted as the enclave (policy.json of `ccc recover --out`), for attested keys and evidence
    #[arg(long, value_name = "FILE", conflicts_with = "pool")]
    pub(crate) policy: Option<PathBuf>,
    /// Beside an SNP report the VCEK certificate (DER), beside a TDX or SGX quote its collateral (JSON)
    #[arg(long, value_name = "FILE")]
    pub(crate) beside: Option<PathBuf>,
    /// Revocation list of AWS or AMD (DER); one of each root's is needed then
    #[arg(long, value_name = "FILE")]
    pub(crate) crl: Vec<PathBuf>,
    /// Time at which expiries are judged, Unix seconds [default: now]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) at: Option<u64>,
}

/// Arguments of `inspect`.
#[derive(Args)]
#[command(after_help = "Examples:\n  ccc inspect attempt/share-3.ccc\n  ccc --json inspect - < order.ccc
  ccc inspect --beside vcek.der report.bin")]
pub(crate) struct InspectArgs {
    /// The file, or `-`
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Beside an SNP report the VCEK certificate (DER), beside a TDX or SGX quote its collateral (JSON)
    #[arg(long, value_name = "FILE")]
    pub(crate) beside: Option<PathBuf>,
}

/// Arguments of `completions`.
#[derive(Args)]
#[command(after_help = "Example:\n  ccc completions bash > ~/.local/share/bash-completion/completions/ccc")]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Args)]
#[command(after_help = "Example:\n  ccc man | man -l -\n  ccc man --out man1/")]
pub(crate) struct ManArgs {
    /// Write one page per verb into DIR
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Replace existing files
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
