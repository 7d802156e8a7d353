//! `ccc table`: a pool and its encrypted table.

mod answer;
mod ask;
mod auditors;
mod balance;
mod collect;
pub(super) mod deposit;
pub(super) mod export;
pub(super) mod exported;
mod history;
mod init;
pub(super) mod proof;
mod restore;
mod rotate;
pub(super) mod submission;
mod summary;
pub(super) mod withdraw;

use super::Context;
use crate::{cli::Table, error::Error, ui::Answer};

pub(super) fn run(verb: &Table, ctx: &Context<'_>) -> Result<Answer, Error> {
    match verb {
        Table::Init(arguments) => init::run(arguments, ctx),
        Table::Deposit(arguments) => deposit::run(arguments, ctx),
        Table::Withdraw(arguments) => withdraw::run(arguments, ctx),
        Table::Transfer(arguments) => submission::transfer(arguments, ctx),
        Table::Cancel(arguments) => submission::cancel(arguments, ctx),
        Table::Freeze(arguments) => submission::freeze(&arguments.of, true, ctx),
        Table::Unfreeze(arguments) => submission::freeze(&arguments.of, false, ctx),
        Table::ForceTransfer(arguments) => submission::force_transfer(arguments, ctx),
        Table::Balance(arguments) => balance::run(arguments, ctx),
        Table::History(arguments) => history::run(arguments, ctx),
        Table::Export(arguments) => export::run(arguments, ctx),
        Table::Collect(arguments) => collect::run(arguments, ctx),
        Table::Restore(arguments) => restore::run(arguments, ctx),
        Table::Auditors(arguments) => auditors::run(arguments, ctx),
        Table::Rotate(arguments) => rotate::run(arguments, ctx),
        Table::Ask(arguments) => ask::run(arguments, ctx),
        Table::Answer(arguments) => answer::run(arguments, ctx),
        Table::Summary(arguments) => summary::run(arguments, ctx),
    }
}
