//! Flags of what owners, auditors and operators read from a pool: `table history`, `export`, `ask`, `answer`, `summary`.

use clap::Args;
use std::path::PathBuf;

/// Arguments of `table history`.
#[derive(Args)]
#[command(after_help = "\
Walks the chain of versions from the head, each by the hash that the next one has of it, and names a break
(exit code 1). With an account's key, its own receipts of each round are opened.

Examples:
  ccc table history --pool pool/
  ccc table history --pool pool/ --account-key maker.ccc")]
pub(crate) struct HistoryArgs {
    /// The pool directory
    #[arg(long, value_name = "DIR")]
    pub(crate) pool: PathBuf,
    /// Keys of the account whose receipts are opened
    #[arg(long, value_name = "FILE")]
    pub(crate) account_key: Option<PathBuf>,
}

/// Arguments of `table export`.
#[derive(Args)]
#[command(after_help = "\
A version is table.header, table.body, table.sidecar and manifest.json in DIR: public, checked while it is
written. With an account's key FILE gets the account's rows with their proofs, and for each the call of the
pool's `exit`. It needs the pool, or nothing but an exported version.

Examples:
  ccc table export --pool pool/ --version 3 --out version-3/
  ccc table export --pool pool/ --account-key maker.ccc --out proof.json
  ccc table export --table version-3/ --account-key maker.ccc --out proof.json")]
pub(crate) struct ExportArgs {
    /// The pool directory
    #[arg(long, value_name = "DIR", required_unless_present = "table")]
    pub(crate) pool: Option<PathBuf>,
    /// An exported version
    #[arg(long, value_name = "DIR", conflicts_with_all = ["pool", "version"], requires = "account_key")]
    pub(crate) table: Option<PathBuf>,
    /// Which version [default: the current one]
    #[arg(long, value_name = "NUMBER", conflicts_with = "account_key")]
    pub(crate) version: Option<u64>,
    /// Keys of the account whose rows are proved
    #[arg(long, value_name = "FILE")]
    pub(crate) account_key: Option<PathBuf>,
    /// Directory for the version, which must not exist yet or be empty; or the file for the proofs
    #[arg(long, value_name = "PATH")]
    pub(crate) out: PathBuf,
    /// Replace an existing file of proofs
    #[arg(long, requires = "account_key")]
    pub(crate) force: bool,
}

/// Arguments of `table ask`.
#[derive(Args)]
#[command(after_help = "\
Checks that the attempt's keys are attested as the pool's enclave and that it opens the table's key alone,
then seals the query to them. FILE goes to the host, into the attempt's directory, as query-1.ccc,
query-2.ccc and so on. FILE.key opens the answer and stays with the owner: the host must not have it.

Example:
  ccc table ask --pool pool/ --attempt attempt/ --account-key maker.ccc --out maker.query
  cp maker.query attempt/query-1.ccc")]
pub(crate) struct AskArgs {
    /// The pool directory
    #[arg(long, value_name = "DIR")]
    pub(crate) pool: PathBuf,
    /// The attempt's directory
    #[arg(long, value_name = "DIR")]
    pub(crate) attempt: PathBuf,
    /// Keys of the account that asks
    #[arg(long, value_name = "FILE")]
    pub(crate) account_key: PathBuf,
    /// The sealed query; its key is FILE.key
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Replace an existing query and its key
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `table answer`.
#[derive(Args)]
#[command(after_help = "\
Checks that the pool's enclave gave the answers for this attempt. Exit code 1: none opens under this key.

Example:
  ccc table answer --pool pool/ --attempt attempt/ --query-key maker.query.key")]
pub(crate) struct AnswerArgs {
    /// The pool directory
    #[arg(long, value_name = "DIR")]
    pub(crate) pool: PathBuf,
    /// The attempt's directory
    #[arg(long, value_name = "DIR")]
    pub(crate) attempt: PathBuf,
    /// The key that `table ask` wrote beside the query
    #[arg(long, value_name = "FILE")]
    pub(crate) query_key: PathBuf,
    /// The answers [default: answers.ccc in the attempt's directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) answers: Option<PathBuf>,
}

/// Arguments of `table summary`.
#[derive(Args)]
#[command(after_help = "\
Checks that the pool's enclave gave the summary for this attempt, and to the auditors that pool.toml names.

Example:
  ccc table summary --pool pool/ --attempt attempt/ --auditor-key auditor.ccc")]
pub(crate) struct SummaryArgs {
    /// The pool directory
    #[arg(long, value_name = "DIR")]
    pub(crate) pool: PathBuf,
    /// The attempt's directory
    #[arg(long, value_name = "DIR")]
    pub(crate) attempt: PathBuf,
    /// The auditor's key
    #[arg(long, value_name = "FILE")]
    pub(crate) auditor_key: PathBuf,
    /// The sealed summaries [default: answers.ccc in the attempt's directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) answers: Option<PathBuf>,
}
