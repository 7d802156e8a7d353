//! Flags of the nodes that keep running.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Which node, or what about one.
#[derive(Subcommand)]
pub(crate) enum NodeVerb {
    /// Serve one participant's share: re-encryption over HTTP/2 and TLS 1.3, until interrupted
    Vault(VaultNodeArgs),
    /// Run an enclave's host: rounds and reserve checks for the workflow nodes, until interrupted
    #[command(after_help = "\
The enclave is the simulated one: mode production refuses it. docs/spec/services.md has every key of the file.

Example:
  ccc --passphrase-file /run/credentials/passphrase node enclave --config enclave-1.toml")]
    Enclave(NodeArgs),
    /// Run a report signer: rounds and checks by a schedule, signed by a quorum and delivered, until interrupted
    #[command(after_help = "\
Example:
  ccc --passphrase-file /run/credentials/passphrase node workflow --config workflow-1.toml")]
    Workflow(NodeArgs),
    /// Check a node's configuration and its files without starting it
    CheckConfig(CheckConfigArgs),
    /// Check that a node's audit log holds together, line by line
    Audit(AuditArgs),
    /// Print what a node serves as an OpenAPI document
    #[command(after_help = "Example:\n  ccc node openapi --kind enclave > enclave.openapi.json")]
    Openapi(OpenapiArgs),
}

/// Arguments of `node vault`.
#[derive(Args)]
#[command(after_help = "\
The node reads its passphrase from --passphrase-file or the terminal. CCC_NODE_RPC_URL, CCC_NODE_LISTEN and the like
replace a value of the file. It stops on SIGTERM or ctrl-c, after the calls that run.

Example:
  ccc --passphrase-file /run/credentials/passphrase node vault --config vault-1.toml --begin-counter    (once)
  ccc --passphrase-file /run/credentials/passphrase node vault --config vault-1.toml")]
pub(crate) struct VaultNodeArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Begin the journal's counter: at the first start, or when it is lost and the journal is known to be the newest
    #[arg(long)]
    pub(crate) begin_counter: bool,
}

/// Arguments of a node, whatever its kind.
#[derive(Args)]
pub(crate) struct NodeArgs {
    /// The configuration (TOML), described in docs/spec/node.md and docs/spec/services.md
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Forget what was seen of the chain, after an endpoint that lied or for a chain that was begun anew; all else stays
    #[arg(long)]
    pub(crate) forget_chain: bool,
    #[command(flatten)]
    pub(crate) running: Running,
}

/// Arguments of `node openapi`.
#[derive(Args)]
pub(crate) struct OpenapiArgs {
    /// Which node
    #[arg(long, value_enum, default_value_t = NodeKind::Vault)]
    pub(crate) kind: NodeKind,
}

/// What a node is.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum NodeKind {
    /// A participant of the vault
    Vault,
    /// An enclave's host
    Enclave,
    /// A signer of reports
    Workflow,
}

/// What every node takes that keeps running.
#[derive(Args)]
pub(crate) struct Running {
    /// Log lines as JSON
    #[arg(long)]
    pub(crate) log_json: bool,
    /// What is logged: error, warn, info, debug, trace, or directives as `ccc_server=debug` [env: RUST_LOG]
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// Stop after so long
    #[arg(long, value_name = "SECONDS", hide = true)]
    pub(crate) seconds: Option<u64>,
    /// Stop when standard input ends: whoever started the node has ended then
    #[arg(long, hide = true)]
    pub(crate) until_stdin_ends: bool,
}

/// Arguments of `node check-config`.
#[derive(Args)]
#[command(after_help = "\
The kind is read from the file: one with `hardware` is a host's, one with `signer` a signer's, any other a participant's.

Example:
  ccc node check-config vault-1.toml")]
pub(crate) struct CheckConfigArgs {
    /// The configuration (TOML)
    #[arg(value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// Arguments of `node audit`.
#[derive(Args)]
#[command(after_help = "\
Files that were put aside, FILE.000000000001 and so on, are read before FILE where they lie beside it.

Example:
  ccc node audit vault-1.audit")]
pub(crate) struct AuditArgs {
    /// The audit log
    #[arg(value_name = "FILE")]
    pub(crate) log: PathBuf,
}
