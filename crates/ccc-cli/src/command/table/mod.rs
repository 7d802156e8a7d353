//! `ccc table`: a pool and its encrypted table.

mod balance;
mod deposit;
mod init;
mod submission;
mod withdraw;

use super::Context;
use crate::{cli::Table, error::Error, ui::Answer};

pub(super) fn run(verb: &Table, ctx: &Context<'_>) -> Result<Answer, Error> {
    match verb {
        Table::Init(arguments) => init::run(arguments, ctx),
        Table::Deposit(arguments) => deposit::run(arguments, ctx),
        Table::Withdraw(arguments) => withdraw::run(arguments, ctx),
        Table::Transfer(arguments) => submission::transfer(arguments, ctx),
        Table::Freeze(arguments) => submission::freeze(&arguments.of, true, ctx),
        Table::Unfreeze(arguments) => submission::freeze(&arguments.of, false, ctx),
        Table::ForceTransfer(arguments) => submission::force_transfer(arguments, ctx),
        Table::Balance(arguments) => balance::run(arguments, ctx),
    }
}
