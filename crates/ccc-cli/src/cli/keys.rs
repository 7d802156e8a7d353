//! Flags of `ccc keygen`.

use super::rounds::{DkgArgs, ParticipantKeygen, SessionArgs};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Whose keys.
#[derive(Subcommand)]
pub(crate) enum Keygen {
    /// A vault dealt by one dealer, who sees the master key: for tests and migration
    Dealer(CommitteeKeygen),
    /// A vault by distributed key generation: all in this process, or one participant step by step
    Dkg(DkgArgs),
    /// A participant's signing and dealing keys, before it has a share
    Participant(ParticipantKeygen),
    /// Who makes a vault, or takes it over: the file that all participants hold
    Session(SessionArgs),
    /// A table account: its signing key and its reading key
    Account(AccountKeygen),
    /// A key of Chainlink's tdh2, dealt by one dealer: for tests and exchange
    Tdh2(Tdh2Keygen),
    /// The recovery agent's key, to which the size of a gap is sealed
    Agent(AgentKeygen),
    /// An auditor's key, to which summaries of the table are sealed
    Auditor(AuditorKeygen),
}

/// Arguments of `keygen dealer`.
#[derive(Args)]
#[command(after_help = "\
Writes DIR/committee.ccc (public) and DIR/participant-<i>.ccc (secret), one per participant. To people
with keys of their own such a vault goes by `ccc reshare`, under the same master key, which the dealer
has seen: what must stay secret from the dealer is encrypted to a vault of `ccc keygen dkg`.

Example:
  ccc keygen dealer -n 16 -t 11 --out keys/")]
pub(crate) struct CommitteeKeygen {
    /// Participants
    #[arg(short = 'n', long = "participants", value_name = "N")]
    pub(crate) participants: u16,
    /// Shares that open [default: n - (n-1)/3]
    #[arg(short = 't', long = "threshold", value_name = "T")]
    pub(crate) threshold: Option<u16>,
    /// Refuse what production must not run: fewer than four participants, a dealer
    #[arg(long)]
    pub(crate) production: bool,
    /// Directory for the files
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Replace existing files
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `keygen tdh2`.
#[derive(Args)]
#[command(after_help = "\
Writes DIR/public-key.json and DIR/participant-<i>.ccc (secret), i from 0 as the format counts. The
master secret is not kept.

Example:
  ccc keygen tdh2 -n 5 -t 3 --out tdh2/")]
pub(crate) struct Tdh2Keygen {
    /// Participants
    #[arg(short = 'n', long = "participants", value_name = "N")]
    pub(crate) participants: u16,
    /// Shares that open [default: n - (n-1)/3]
    #[arg(short = 't', long = "threshold", value_name = "T")]
    pub(crate) threshold: Option<u16>,
    /// Directory for the files
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Replace existing files
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `keygen account`.
#[derive(Args)]
#[command(after_help = "Example:\n  ccc keygen account --out maker-1.ccc")]
pub(crate) struct AccountKeygen {
    /// The key file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `keygen agent`.
#[derive(Args)]
#[command(after_help = "Example:\n  ccc keygen agent --out agent.ccc")]
pub(crate) struct AgentKeygen {
    /// The key file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `keygen auditor`.
#[derive(Args)]
#[command(after_help = "\
Writes FILE (secret) and FILE with the ending .pub, for `ccc table init --auditors`.

Example:
  ccc keygen auditor --out auditor.ccc")]
pub(crate) struct AuditorKeygen {
    /// The key file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Replace existing files
    #[arg(long)]
    pub(crate) force: bool,
}
