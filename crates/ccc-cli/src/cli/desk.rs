//! Flags of a desk that uses a pool on a chain: `deposit`, `withdraw`, `order`, `receipt`, `exit`.

use super::{
    chain::{OwnerArgs, ReadArgs, SendArgs, SettingsArgs},
    value::{self, Address, AssetName, Digest, SpreadRange},
};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Who sends, and for which table account.
#[derive(Args, Clone, Default)]
pub(crate) struct DeskArgs {
    /// Repeat the submission of this salt [default: a fresh one]
    #[arg(long, value_name = "SALT", help_heading = "Chain")]
    pub(crate) salt: Option<Digest>,
    #[command(flatten)]
    pub(crate) owner: OwnerArgs,
    #[command(flatten)]
    pub(crate) send: SendArgs,
}

impl From<&DeskArgs> for SettingsArgs {
    fn from(desk: &DeskArgs) -> Self {
        Self { owner: desk.owner.clone(), ..Self::from(&desk.send) }
    }
}

/// Arguments of `deposit`.
#[derive(Args)]
#[command(after_help = "\
Sender, asset and amount are public; the account that is credited stands in a ciphertext alone.
The pool is allowed to take exactly the amount, unless it may take that much already.

Examples:
  ccc deposit --asset base --amount 500000000 --account-key maker.ccc --committee committee.ccc
  ccc deposit --asset quote --amount 1000000 --permit --keystore wallet.json --broadcast")]
pub(crate) struct ChainDepositArgs {
    /// base, the pool's first token (8 decimals), or quote, its second (6 decimals)
    #[arg(long, value_enum, hide_possible_values = true)]
    pub(crate) asset: AssetName,
    /// The amount, in base units of the token: a whole number of lots
    #[arg(long, value_name = "UNITS")]
    pub(crate) amount: u128,
    /// Refuse instead of letting the pool take the amount
    #[arg(long)]
    pub(crate) no_approve: bool,
    /// Sign a permit (EIP-2612) within the deposit, in the place of an approval
    #[arg(long, conflicts_with = "no_approve")]
    pub(crate) permit: bool,
    #[command(flatten)]
    pub(crate) desk: DeskArgs,
}

/// Arguments of `withdraw`.
#[derive(Args)]
#[command(after_help = "\
The request is public; its account, asset, amount and recipient only once they are paid, but arguments
are visible to other users of this machine. The next round pays what the account holds free; more moves
nothing. `ccc order status ID` tells of it.

Example:
  ccc withdraw --asset quote --amount 1000000 --to 0x… --account-key maker.ccc")]
pub(crate) struct ChainWithdrawArgs {
    /// base, the pool's first token (8 decimals), or quote, its second (6 decimals)
    #[arg(long, value_enum, hide_possible_values = true)]
    pub(crate) asset: AssetName,
    /// The amount, in base units of the token
    #[arg(long, value_name = "UNITS")]
    pub(crate) amount: u128,
    /// The address that is paid
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) to: Address,
    #[command(flatten)]
    pub(crate) desk: DeskArgs,
}

/// What of orders.
#[derive(Subcommand)]
pub(crate) enum Order {
    /// Promise liquidity under seal
    New(OrderNewArgs),
    /// Take a standing order back, from the round after the next one on
    Cancel(OrderCancelArgs),
    /// Say what the chain knows of an order, a deposit or a withdrawal
    Status(OrderStatusArgs),
}

/// Arguments of `order new`.
#[derive(Args)]
#[command(after_help = "\
Sizes are secret and arguments are visible to other users of a machine: --terms FILE takes them from
a file instead, with the keys size, spread = [s, s], and optionally minimum and cap.

Examples:
  ccc order new --terms terms.toml --account-key maker.ccc --committee committee.ccc
  ccc order new --size 400000000 --spread 50 --lifetime 86400")]
pub(crate) struct OrderNewArgs {
    /// Size, in base units
    #[arg(long, value_name = "UNITS", required_unless_present = "terms")]
    pub(crate) size: Option<u64>,
    /// Spread in 1/100 basis point
    #[arg(long, value_name = "SPREAD", required_unless_present = "terms")]
    pub(crate) spread: Option<SpreadRange>,
    /// Least fill [default: 0]
    #[arg(long, value_name = "UNITS")]
    pub(crate) minimum: Option<u64>,
    /// Most that one request may take [default: its size]
    #[arg(long, value_name = "UNITS")]
    pub(crate) cap: Option<u64>,
    /// Terms in TOML, from a file or `-`, instead of the flags above
    #[arg(long, value_name = "FILE", conflicts_with_all = ["size", "spread", "minimum", "cap"])]
    pub(crate) terms: Option<PathBuf>,
    /// Seconds until it expires, for everybody to see
    #[arg(long, default_value_t = value::LIFETIME, value_parser = value::lifetime, value_name = "SECONDS")]
    pub(crate) lifetime: u64,
    #[command(flatten)]
    pub(crate) desk: DeskArgs,
}

/// Arguments of `order cancel`.
#[derive(Args)]
#[command(after_help = "\
The cancellation looks like a standing order and must outlive the order. The round that reads it still
fills the order; from the next one on it stands no more, and what it reserved is free.

Example:
  ccc order cancel 3f… --account-key maker.ccc --committee committee.ccc")]
pub(crate) struct OrderCancelArgs {
    /// The standing order, by the id that `order new` printed
    #[arg(value_name = "ID")]
    pub(crate) order: Digest,
    /// Seconds until the cancellation expires [default: until the order does, at least 3600]
    #[arg(long, value_parser = value::lifetime, value_name = "SECONDS")]
    pub(crate) lifetime: Option<u64>,
    #[command(flatten)]
    pub(crate) desk: DeskArgs,
}

/// Arguments of `order status`.
#[derive(Args)]
#[command(after_help = "\
What an order was filled for, its receipt says: `ccc receipt open`. Exit code 1: it comes to nothing
any more, as it has expired in a final block, was taken back, failed, or the rounds have ended.

Example:
  ccc order status 3f… --cancellation 91… --deployment deployment.json")]
pub(crate) struct OrderStatusArgs {
    /// The id that `order new`, `deposit` or `withdraw` printed
    #[arg(value_name = "ID")]
    pub(crate) id: Digest,
    /// The cancellation of it, by the id that `order cancel` printed: the chain cannot tell which order it names
    #[arg(long, value_name = "ID")]
    pub(crate) cancellation: Option<Digest>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

/// What of receipts.
#[derive(Subcommand)]
pub(crate) enum ReceiptVerb {
    /// Open one's own receipts of a round
    Open(ReceiptOpenArgs),
}

/// Arguments of `receipt open`.
#[derive(Args)]
#[command(after_help = "\
The host publishes the sealed receipts of a round and the header of the version that it made; the
chain must have taken that header. Nothing is sent. Exit code 1: none opens under the account's key.

Example:
  ccc receipt open receipts.ccc --header table.header --account-key maker.ccc")]
pub(crate) struct ReceiptOpenArgs {
    /// The sealed receipts: receipts.ccc of an attempt, or round-N.receipts of a recovery
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The header of the version: table.header of an exported version, or round-N.header of a recovery
    #[arg(long, value_name = "FILE")]
    pub(crate) header: PathBuf,
    /// Keys of the table account [env: CCC_ACCOUNT_KEY]
    #[arg(long, value_name = "FILE", help_heading = "Chain")]
    pub(crate) account_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

/// Arguments of `exit`.
#[derive(Args)]
#[command(after_help = "\
Opens when no round has closed for the pool's exit delay; the first exit ends everybody's rounds for ever.
The rows of an account are paid to its own address, which sends itself and needs ether for gas. A
deposit that no round took goes back to who made it. Exit code 1: it is not open; the answer says when.

Examples:
  ccc exit --table version-7/ --account-key maker.ccc --deployment deployment.json
  ccc exit --deposit 3f… --private-key-file key --wait")]
pub(crate) struct ExitArgs {
    /// The current version, as `ccc table export` writes it; its body is not needed
    #[arg(long, value_name = "DIR", required_unless_present = "deposit")]
    pub(crate) table: Option<PathBuf>,
    /// Take this deposit back instead, which no round took
    #[arg(long, value_name = "ID", conflicts_with_all = ["table", "account_key", "asset"])]
    pub(crate) deposit: Option<Digest>,
    /// Leave with this asset alone: base or quote [default: every row]
    #[arg(long, value_enum, hide_possible_values = true)]
    pub(crate) asset: Option<AssetName>,
    /// Wait until it opens, where it would be sent then
    #[arg(long)]
    pub(crate) wait: bool,
    /// Keys of the table account, which sends [env: CCC_ACCOUNT_KEY]
    #[arg(long, value_name = "FILE", help_heading = "Chain")]
    pub(crate) account_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) send: SendArgs,
}
