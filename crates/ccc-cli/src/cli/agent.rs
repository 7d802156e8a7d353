//! Flags of the agent.

use super::{Digest, SettingsArgs};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What of the agent.
#[derive(Subcommand)]
pub(crate) enum AgentVerb {
    /// Look at the chain and refill the reserve; says what it would do unless told --execute
    Run(Box<AgentRunArgs>),
    /// Read a policy and say in words what it allows
    CheckPolicy(CheckPolicyArgs),
    /// Read a journal and check that it holds together, line by line
    Journal(AgentJournalArgs),
    /// Approve, as one person, an action above the policy's limit
    Approve(ApproveArgs),
    /// Make the key of a person who approves, and print its public half
    Approver(ApproverArgs),
}

/// Arguments of `agent run`.
#[derive(Args)]
#[command(after_help = "\
It acts on a final report with its quorum's signatures, and pays nobody but the reserve. Without
--execute it looks once and sends nothing. Nothing else may send with its key.

Example:
  ccc agent run --policy agent.toml --envelopes checks/ --agent-key agent.ccc --journal agent.log")]
pub(crate) struct AgentRunArgs {
    /// What it may do (TOML), described in docs/spec/agent.md
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// Where reserve checks leave signed reports and envelopes, under any name
    #[arg(long, value_name = "DIR")]
    pub(crate) envelopes: PathBuf,
    /// The key of the envelopes (`ccc keygen agent`)
    #[arg(long, value_name = "FILE")]
    pub(crate) agent_key: PathBuf,
    /// The journal; begun where there is none
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: PathBuf,
    /// Where approvals lie
    #[arg(long, value_name = "DIR")]
    pub(crate) approvals: Option<PathBuf>,
    /// Carry out what is decided
    #[arg(long)]
    pub(crate) execute: bool,
    /// Stop when nothing more can be done now; exit code 1 where something waits
    #[arg(long)]
    pub(crate) once: bool,
    /// How often the chain is looked at
    #[arg(long, default_value_t = 12, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) every: u64,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

/// Arguments of `agent check-policy`.
#[derive(Args)]
#[command(after_help = "Example:\n  ccc agent check-policy agent.toml --deployment deployment.json")]
pub(crate) struct CheckPolicyArgs {
    /// The policy (TOML)
    #[arg(value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// Whose contracts it must name
    #[arg(long, value_name = "FILE")]
    pub(crate) deployment: Option<PathBuf>,
}

/// Arguments of `agent journal`.
#[derive(Args)]
#[command(after_help = "\
It shows what was missing from the reserve: keep its output as you keep the file.

Example:\n  ccc agent journal agent.journal")]
pub(crate) struct AgentJournalArgs {
    /// The journal
    #[arg(value_name = "FILE")]
    pub(crate) journal: PathBuf,
}

/// Arguments of `agent approve`.
#[derive(Args)]
#[command(after_help = "\
The digest is looked up in the journal, and what it stands for is printed; one that no plan there has
is not signed. The approval holds for that action of that event alone, for all of its attempts.

Example:
  ccc agent approve 0x1b2c… --journal agent.journal --policy agent.toml --key alice.key --out approvals/alice.json")]
pub(crate) struct ApproveArgs {
    /// The action, as `ccc agent run` names it
    #[arg(value_name = "ACTION")]
    pub(crate) action: Digest,
    /// The agent's journal, or a copy of it, with the plan
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: PathBuf,
    /// The policy that names the person
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// The person's key (`ccc agent approver`)
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Write the approval here
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// Arguments of `agent approver`.
#[derive(Args)]
#[command(after_help = "Example:\n  ccc agent approver --out alice.key")]
pub(crate) struct ApproverArgs {
    /// Write the key here (mode 0600)
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}
