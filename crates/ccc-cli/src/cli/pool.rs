//! Flags of the path by hand: `table`, `encrypt-order`, `fill`, `reencrypt`.

use super::{
    reading::{AnswerArgs, AskArgs, ExportArgs, HistoryArgs, SummaryArgs},
    storage::{AuditorsArgs, CollectArgs, RestoreArgs, RotateArgs},
    submission::{CancelArgs, ForceTransferArgs, FreezeArgs, TransferArgs, UnfreezeArgs},
    value::{self, Address, AssetName, SpreadRange, UpkeepName},
};
use crate::pool::settings::SuiteName;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What to do with a pool.
#[derive(Subcommand)]
pub(crate) enum Table {
    /// Make a pool directory with an empty encrypted table
    Init(TableInitArgs),
    /// Append a deposit to the pool's log; the next round credits it
    Deposit(DepositArgs),
    /// Append a request for a withdrawal to the pool's log; the next round debits it and reports the payout
    Withdraw(WithdrawArgs),
    /// Pay another account inside the table, in the next round
    Transfer(TransferArgs),
    /// Take back a standing order, from the round after the next one on
    Cancel(CancelArgs),
    /// Freeze a row of an account, as the pool's operator
    Freeze(FreezeArgs),
    /// Thaw a frozen row, as the pool's operator
    Unfreeze(UnfreezeArgs),
    /// Take an amount out of a frozen row, as the pool's operator
    ForceTransfer(ForceTransferArgs),
    /// Open one's own rows in the current table and check them against its state root
    Balance(BalanceArgs),
    /// List the versions of the table, and an account's receipts in them
    History(HistoryArgs),
    /// Write a version as files, or an account's proofs for leaving without anyone's help
    Export(ExportArgs),
    /// Remove versions that lie far behind the current one
    Collect(CollectArgs),
    /// Bring the current version back from a copy, where the pool has lost it
    Restore(RestoreArgs),
    /// Replace those who may read summaries by the next version of the set
    Auditors(AuditorsArgs),
    /// Give the pool to a committee with another master key
    Rotate(RotateArgs),
    /// Seal a query for one's own rows to an attempt of `fill prepare --query`
    Ask(AskArgs),
    /// Open the answer to one's query
    Answer(AnswerArgs),
    /// Open the totals that an attempt of `fill prepare --summary` sealed to the auditors
    Summary(SummaryArgs),
}

/// Arguments of `table init`.
#[derive(Args)]
#[command(after_help = "\
Writes pool.toml (settings), committee.ccc, head.json (current header), log.jsonl (stands in for the
chain's events), table/, signers/ (secret) and enclave.key (secret; stands in for the hardware).

Example:
  ccc table init --committee keys/committee.ccc --reserve 0x… --agent-key agent.pub --out pool/")]
pub(crate) struct TableInitArgs {
    /// The vault's committee
    #[arg(long, value_name = "FILE")]
    pub(crate) committee: PathBuf,
    /// The reserve's address, as `keygen account` prints it
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) reserve: Address,
    /// The account that may freeze rows and force transfers, as `keygen account` prints it [default: none may]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) operator: Option<Address>,
    /// The account that the custodian's statements must name
    #[arg(long, value_name = "NAME", default_value = "cold")]
    pub(crate) custodian_account: String,
    /// The agent's public key: the file that `keygen agent` writes beside the secret one
    #[arg(long, value_name = "FILE")]
    pub(crate) agent_key: PathBuf,
    /// The pool directory; it must not exist yet, or be empty
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Rows of the table, as a power of two: 10 is 1,024 rows
    #[arg(long, default_value_t = 10, value_name = "LOG2")]
    pub(crate) tier: u8,
    /// The table's cipher: chacha20-poly1305, or aes-256-gcm in a build with the feature suite-aes-gcm
    #[arg(long, value_enum, default_value_t, value_name = "SUITE", hide_possible_values = true)]
    pub(crate) suite: SuiteName,
    /// Standing-order slots of a round
    #[arg(long, default_value_t = 16, value_name = "N")]
    pub(crate) order_slots: u32,
    /// Public keys of those who may read summaries: files that `keygen auditor` writes beside the secret ones
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) auditors: Vec<PathBuf>,
    /// Report signers; a third of them, rounded down, may be faulty
    #[arg(long, default_value_t = 4, value_name = "N")]
    pub(crate) signers: u8,
    /// Chain that the pool's ciphertexts and reports are bound to
    #[arg(long, default_value_t = 31_337, value_name = "ID")]
    pub(crate) chain: u64,
}

/// Arguments of `table deposit`.
#[derive(Args)]
#[command(after_help = "\
The amount and the depositing address are public; the account that is credited is not.

Example:
  ccc table deposit --pool pool/ --account-key maker.ccc --asset base --amount 500000000")]
pub(crate) struct DepositArgs {
    /// The pool directory
    #[arg(long, value_name = "DIR")]
    pub(crate) pool: PathBuf,
    /// Keys of the account that is credited
    #[arg(long, value_name = "FILE")]
    pub(crate) account_key: PathBuf,
    /// base, which the reserve holds (8 decimals), or quote, which pays for it (6 decimals)
    #[arg(long, value_enum, hide_possible_values = true)]
    pub(crate) asset: AssetName,
    /// The amount, in base units
    #[arg(long, value_name = "UNITS")]
    pub(crate) amount: u128,
    /// The public address that pays [default: a random one]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<Address>,
}

/// Arguments of `table withdraw`.
#[derive(Args)]
#[command(after_help = "\
The request is public; its account, asset, amount and recipient are public only once they are paid. The
next `fill run` pays what the account holds free and writes the payout's report; more moves nothing.

Example:
  ccc table withdraw --pool pool/ --account-key maker.ccc --asset quote --amount 1000000 --to 0x…")]
pub(crate) struct WithdrawArgs {
    /// The pool directory
    #[arg(long, value_name = "DIR")]
    pub(crate) pool: PathBuf,
    /// Keys of the account that is debited
    #[arg(long, value_name = "FILE")]
    pub(crate) account_key: PathBuf,
    /// base, which the reserve holds (8 decimals), or quote, which pays for it (6 decimals)
    #[arg(long, value_enum, hide_possible_values = true)]
    pub(crate) asset: AssetName,
    /// The amount, in base units
    #[arg(long, value_name = "UNITS")]
    pub(crate) amount: u128,
    /// The address that is paid
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) to: Address,
    /// The public address that submits the request [default: a random one]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<Address>,
}

/// Arguments of `table balance`.
#[derive(Args)]
#[command(after_help = "Example:\n  ccc table balance --pool pool/ --account-key maker.ccc")]
pub(crate) struct BalanceArgs {
    /// The pool directory
    #[arg(long, value_name = "DIR")]
    pub(crate) pool: PathBuf,
    /// Keys of the account
    #[arg(long, value_name = "FILE")]
    pub(crate) account_key: PathBuf,
}

/// Arguments of `encrypt-order`.
#[derive(Args)]
#[command(after_help = "\
A collateral order asks for the reserve; a standing order (--standing) promises a maker's liquidity.
Sizes are secret and arguments are visible to other users of a machine: --terms FILE takes them from
a file instead, with the keys size, spread = [s0, s1], and optionally minimum, cap, dispersion = [lo, hi].

Examples:
  ccc encrypt-order --pool pool/ --check check/ --agent-key agent.ccc --spread 100
  ccc encrypt-order --pool pool/ --terms order.toml
  ccc encrypt-order --pool pool/ --standing --account-key maker.ccc --terms terms.toml")]
pub(crate) struct EncryptOrderArgs {
    /// The pool directory
    #[arg(long, value_name = "DIR")]
    pub(crate) pool: PathBuf,
    /// Promise a maker's liquidity instead of asking for collateral
    #[arg(long, requires = "account_key")]
    pub(crate) standing: bool,
    /// Keys of the maker's account
    #[arg(long, value_name = "FILE", requires = "standing")]
    pub(crate) account_key: Option<PathBuf>,
    /// Size, in base units
    #[arg(long, value_name = "UNITS", required_unless_present_any = ["terms", "check"])]
    pub(crate) size: Option<u64>,
    /// Spread, or S0:S1 over the order's time, in 1/100 basis point [default with --check: 100]
    #[arg(long, value_name = "SPREAD", required_unless_present_any = ["terms", "check"])]
    pub(crate) spread: Option<SpreadRange>,
    /// Least acceptable total (collateral; default: all or none) or least fill (standing; default: 0)
    #[arg(long, value_name = "UNITS")]
    pub(crate) minimum: Option<u64>,
    /// Most that one request may take of a standing order [default: its size]
    #[arg(long, value_name = "UNITS", requires = "standing")]
    pub(crate) cap: Option<u64>,
    /// Terms in TOML, from a file or `-`, instead of the flags above
    #[arg(long, value_name = "FILE", conflicts_with_all = ["size", "spread", "minimum", "cap"])]
    pub(crate) terms: Option<PathBuf>,
    /// Take the size from a reserve check's envelope: the directory of its attempt
    #[arg(long, value_name = "DIR", requires = "agent_key", conflicts_with_all = ["size", "terms", "minimum", "standing"])]
    pub(crate) check: Option<PathBuf>,
    /// The agent's key, which opens that envelope
    #[arg(long, value_name = "FILE", requires = "check")]
    pub(crate) agent_key: Option<PathBuf>,
    /// Seconds until a collateral order may be opened and cleared
    #[arg(long, default_value_t = 0, value_name = "SECONDS", conflicts_with = "standing")]
    pub(crate) opens_in: u64,
    /// Seconds until it expires, for everybody to see
    #[arg(long, default_value_t = value::LIFETIME, value_parser = value::lifetime, value_name = "SECONDS")]
    pub(crate) lifetime: u64,
    /// The public address that submits a standing order [default: a random one]
    #[arg(long, value_name = "ADDRESS", requires = "standing")]
    pub(crate) from: Option<Address>,
    /// Write the ciphertext to FILE and leave the pool's log alone
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

/// What to do with a fill.
#[derive(Subcommand)]
pub(crate) enum Fill {
    /// Name what an attempt opens, make its keys, attest them
    Prepare(FillPrepareArgs),
    /// Open, clear, settle; write the signed report and the table's next version
    Run(FillRunArgs),
}

/// Arguments of `fill prepare`.
#[derive(Args)]
#[command(after_help = "\
Writes request.ccc and recipient.ccc (public) and attempt.key (secret). --upkeep makes a version of the
table that settles nothing: a full pool grows fourfold; after a refresh or reshare the pool goes into the
new epoch; after `ccc table rotate` the table goes to the new master key, with shares of the committee
before (`ccc reencrypt --committee`). What waits is booked by the round after it. --query and --summary open the table and move nothing.

Examples:
  ccc fill prepare --pool pool/ --out attempt/
  ccc fill prepare --pool pool/ --out grow/ --upkeep growth
  ccc fill prepare --pool pool/ --out epoch/ --upkeep epoch --committee new/committee.ccc")]
pub(crate) struct FillPrepareArgs {
    /// The pool directory
    #[arg(long, value_name = "DIR")]
    pub(crate) pool: PathBuf,
    /// Directory for the attempt; it must not exist yet, or be empty
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Prepare a reserve check instead of a round
    #[arg(long)]
    pub(crate) reserve_check: bool,
    /// Prepare answers to owners' queries instead of a round
    #[arg(long, conflicts_with_all = ["reserve_check", "upkeep", "summary"])]
    pub(crate) query: bool,
    /// Prepare a summary for the auditors instead of a round
    #[arg(long, conflicts_with_all = ["reserve_check", "upkeep"])]
    pub(crate) summary: bool,
    /// Prepare a version of its own instead of a round: growth, epoch or rotation
    #[arg(long, value_enum, value_name = "DUTY", hide_possible_values = true, conflicts_with = "reserve_check")]
    pub(crate) upkeep: Option<UpkeepName>,
    /// The committee of the new epoch, which becomes the pool's once the table is there [default: the pool's]
    #[arg(long, value_name = "FILE", requires = "upkeep")]
    pub(crate) committee: Option<PathBuf>,
}

/// Arguments of `reencrypt`.
#[derive(Args)]
#[command(after_help = "\
One participant checks that the enclave is the pool's, that the header is the current one and that the
pool's log holds every ciphertext; then it seals its share to the enclave. Repeat for t participants.

Example:
  ccc reencrypt --participant keys/participant-3.ccc --pool pool/ --attempt attempt/")]
pub(crate) struct ReencryptArgs {
    /// The participant's keys
    #[arg(long, value_name = "FILE")]
    pub(crate) participant: PathBuf,
    /// The pool directory
    #[arg(long, value_name = "DIR")]
    pub(crate) pool: PathBuf,
    /// The attempt's directory
    #[arg(long, value_name = "DIR")]
    pub(crate) attempt: PathBuf,
    /// The committee [default: the pool's]
    #[arg(long, value_name = "FILE")]
    pub(crate) committee: Option<PathBuf>,
    /// The share, or `-` [default: share-I.ccc, I its number, in the attempt's directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Replace an existing share
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `fill run`.
#[derive(Args)]
#[command(after_help = "\
Exit code 1: the round closed and nothing was filled (or the reserve is not solvent).
Each withdrawal that the round paid is reported in payout-N.ccc, in the attempt's directory. The sealed
receipts of a round are in receipts.ccc, the answers to queries and auditors in answers.ccc.

Example:
  ccc fill run --pool pool/ --attempt attempt/ --price observations.json
  ccc fill run --pool pool/ --attempt check/ --statement statement.json")]
pub(crate) struct FillRunArgs {
    /// The pool directory
    #[arg(long, value_name = "DIR")]
    pub(crate) pool: PathBuf,
    /// The attempt's directory, with at least t shares
    #[arg(long, value_name = "DIR")]
    pub(crate) attempt: PathBuf,
    /// Price observations, which a round that fills a request needs: a JSON list of {"round", "answer", "updated_at"}
    #[arg(long, value_name = "FILE")]
    pub(crate) price: Option<PathBuf>,
    /// The custodian's statement of a reserve check
    #[arg(long, value_name = "FILE")]
    pub(crate) statement: Option<PathBuf>,
    /// The signed report, or the answers [default: report.ccc or answers.ccc in the attempt's directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Replace an existing report
    #[arg(long)]
    pub(crate) force: bool,
}
