//! Flags of what is submitted like a standing order: transfers, cancellations, and the operator's freezes and forced
//! transfers.

use super::value::{self, Address, AssetName, Digest};
use clap::Args;
use std::path::PathBuf;

/// Where a submission goes, and what everybody sees of it.
#[derive(Args)]
pub(crate) struct Submitting {
    /// The pool directory
    #[arg(long, value_name = "DIR")]
    pub(crate) pool: PathBuf,
    /// Seconds until it expires and leaves its order slot; public: take one for all kinds
    #[arg(long, default_value_t = value::LIFETIME, value_parser = value::lifetime, value_name = "SECONDS")]
    pub(crate) lifetime: u64,
    /// The public address that submits it [default: a random one]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<Address>,
}

/// Arguments of `table transfer`.
#[derive(Args)]
#[command(after_help = "\
The submission looks like a standing order: accounts, asset and amount stay secret. The next `fill run`
moves what the account holds free; more, or an account that never had a deposit, moves nothing. It gives no
receipt for a new submission: `ccc table balance` shows what it did.

Example:
  ccc table transfer --pool pool/ --account-key maker.ccc --asset base --amount 1000000 --to 0x…")]
pub(crate) struct TransferArgs {
    #[command(flatten)]
    pub(crate) submitting: Submitting,
    /// Keys of the account that is debited
    #[arg(long, value_name = "FILE")]
    pub(crate) account_key: PathBuf,
    /// base, which the reserve holds (8 decimals), or quote, which pays for it (6 decimals)
    #[arg(long, value_enum, hide_possible_values = true)]
    pub(crate) asset: AssetName,
    /// The amount, in base units
    #[arg(long, value_name = "UNITS")]
    pub(crate) amount: u128,
    /// The account that is credited
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) to: Address,
}

/// Arguments of `table cancel`.
#[derive(Args)]
#[command(after_help = "\
The submission looks like a standing order. The round that reads it still fills the order; from the next one
on it stands no more, and what it reserved is free. An order that was filled, replaced, or is another
account's cannot be taken back: `ccc table history --account-key` has the receipt that says so.

Example:
  ccc table cancel --pool pool/ --account-key maker.ccc --order 3f…")]
pub(crate) struct CancelArgs {
    #[command(flatten)]
    pub(crate) submitting: Submitting,
    /// Keys of the account whose order it is
    #[arg(long, value_name = "FILE")]
    pub(crate) account_key: PathBuf,
    /// The standing order, by the id that `encrypt-order` printed
    #[arg(long, value_name = "ID")]
    pub(crate) order: Digest,
}

/// The row that an instruction of the operator names, and why.
#[derive(Args)]
pub(crate) struct OfOperator {
    #[command(flatten)]
    pub(crate) submitting: Submitting,
    /// Keys of the operator's account
    #[arg(long, value_name = "FILE")]
    pub(crate) operator_key: PathBuf,
    /// The account whose row it is
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Address,
    /// base, which the reserve holds (8 decimals), or quote, which pays for it (6 decimals)
    #[arg(long, value_enum, hide_possible_values = true)]
    pub(crate) asset: AssetName,
    /// The reason's number, 0 to 255, which the row keeps
    #[arg(long, value_name = "N")]
    pub(crate) reason: u8,
}

/// Arguments of `table freeze`.
#[derive(Args)]
#[command(after_help = "\
The submission looks like a standing order. From the next `fill run` on the row pays nothing, sells nothing
and reserves nothing; deposits and transfers still credit it.

Example:
  ccc table freeze --pool pool/ --operator-key operator.ccc --account 0x… --asset base --reason 7")]
pub(crate) struct FreezeArgs {
    #[command(flatten)]
    pub(crate) of: OfOperator,
}

/// Arguments of `table unfreeze`.
#[derive(Args)]
#[command(after_help = "\
Example:
  ccc table unfreeze --pool pool/ --operator-key operator.ccc --account 0x… --asset base --reason 0")]
pub(crate) struct UnfreezeArgs {
    #[command(flatten)]
    pub(crate) of: OfOperator,
}

/// Arguments of `table force-transfer`.
#[derive(Args)]
#[command(after_help = "\
The row must be frozen. What is reserved in it may be taken too; it stays frozen.

Example:
  ccc table force-transfer --pool pool/ --operator-key operator.ccc --account 0x… --asset base \\
      --amount 1000000 --to 0x… --reason 7")]
pub(crate) struct ForceTransferArgs {
    #[command(flatten)]
    pub(crate) of: OfOperator,
    /// The amount, in base units
    #[arg(long, value_name = "UNITS")]
    pub(crate) amount: u128,
    /// The account that is credited
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) to: Address,
}
