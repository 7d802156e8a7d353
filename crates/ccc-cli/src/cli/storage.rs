//! Flags of what operators do with a pool: `table collect`, `table restore`, `table auditors`.

use clap::Args;
use std::{num::NonZeroU32, path::PathBuf};

/// Arguments of `table collect`.
#[derive(Args)]
#[command(after_help = "\
Each round leaves a whole version in the pool directory. Removed is what is older than the current version by
more than N versions; the current one must be whole here, or nothing goes. Reports and receipts stay.

Examples:
  ccc table collect --pool pool/ --dry-run
  ccc table collect --pool pool/ --keep 64")]
pub(crate) struct CollectArgs {
    /// The pool directory
    #[arg(long, value_name = "DIR")]
    pub(crate) pool: PathBuf,
    /// Versions before the current one that are kept; at least 1
    #[arg(long, value_name = "N", default_value = "16")]
    pub(crate) keep: NonZeroU32,
    /// Tell what would go, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Arguments of `table restore`.
#[derive(Args)]
#[command(after_help = "\
DIR is a copy of the pool's table/, a copy of the pool directory, or a version of `ccc table export`. It is
read and never written. Its header must be the one that head.json names, its body and its sidecar's tree the
header's; a version that is whole in the pool is left as it is.

Example:
  ccc table restore --pool pool/ --from backup/")]
pub(crate) struct RestoreArgs {
    /// The pool directory
    #[arg(long, value_name = "DIR")]
    pub(crate) pool: PathBuf,
    /// Where a copy of the current version lies
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
}

/// Arguments of `table auditors`.
#[derive(Args)]
#[command(after_help = "\
Writes the next version of the set into pool.toml. It is part of the enclave's measurement: participants and
signers of a deployment have to list the new one before it opens the table, and here pool.toml lists it.
Attempts that were prepared before are void. The table, its head and its versions stay as they are.

Example:
  ccc table auditors --pool pool/ --keys one.pub three.pub")]
pub(crate) struct AuditorsArgs {
    /// The pool directory
    #[arg(long, value_name = "DIR")]
    pub(crate) pool: PathBuf,
    /// Public keys of all who may read summaries from now on, 1 to 64
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub(crate) keys: Vec<PathBuf>,
}

/// Arguments of `table rotate`.
#[derive(Args)]
#[command(after_help = "\
The committee comes from `ccc keygen session --epoch` with an epoch after the pool's. The pool keeps the
former committee under its epoch; both keys are in pool.toml and in the enclave's measurement. Close rounds
before until nothing waits, and deliver their payouts: later rounds do not open what is encrypted to the
former key, and no contract takes a report of an epoch before its own. Run again after a stop, it ends what it began.

Example:
  ccc table rotate --pool pool/ --committee new/committee.ccc
  ccc fill prepare --pool pool/ --out rotation/ --upkeep rotation
  ccc reencrypt --participant old/participant-1.ccc --pool pool/ --attempt rotation/ --committee pool/committee-1.ccc")]
pub(crate) struct RotateArgs {
    /// The pool directory
    #[arg(long, value_name = "DIR")]
    pub(crate) pool: PathBuf,
    /// The committee with the new master public key
    #[arg(long, value_name = "FILE")]
    pub(crate) committee: PathBuf,
    /// Rotate although submissions wait that nobody will open: a deposit is its payer's, in a row that `exit` cannot leave
    #[arg(long)]
    pub(crate) leave_waiting: bool,
}
