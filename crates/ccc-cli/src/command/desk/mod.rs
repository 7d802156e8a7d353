//! A desk's door to a pool on a chain: `ccc deposit`, `withdraw`, `order`, `receipt`, `exit`.
//!
//! Labels, instructions and proofs are made where the path by hand makes them; here they become transactions.

mod boundary;
mod door;
mod exit;
mod order;
mod receipt;
mod sending;
mod status;

pub(super) use door::Desk;

use super::Context;
use crate::{
    cli::{AssetName, ChainDepositArgs, ChainWithdrawArgs, ExitArgs, Order, ReceiptVerb},
    error::Error,
    network::runtime,
    ui::Answer,
};

/// A pool's first token is what the reserve holds.
const BASE: u32 = 0;
/// Its second one pays.
const QUOTE: u32 = 1;

const fn index_of(asset: AssetName) -> u32 {
    match asset {
        AssetName::Base => BASE,
        AssetName::Quote => QUOTE,
    }
}

pub(super) fn deposit(arguments: &ChainDepositArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    runtime()?.block_on(boundary::deposit(arguments, ctx))
}

pub(super) fn withdraw(arguments: &ChainWithdrawArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    runtime()?.block_on(boundary::withdraw(arguments, ctx))
}

pub(super) fn order(verb: &Order, ctx: &Context<'_>) -> Result<Answer, Error> {
    runtime()?.block_on(async {
        match verb {
            Order::New(arguments) => order::new(arguments, ctx).await,
            Order::Cancel(arguments) => order::cancel(arguments, ctx).await,
            Order::Status(arguments) => status::run(arguments, ctx).await,
        }
    })
}

pub(super) fn receipt(verb: &ReceiptVerb, ctx: &Context<'_>) -> Result<Answer, Error> {
    match verb {
        ReceiptVerb::Open(arguments) => runtime()?.block_on(receipt::open(arguments, ctx)),
    }
}

pub(super) fn exit(arguments: &ExitArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    runtime()?.block_on(exit::run(arguments, ctx))
}
