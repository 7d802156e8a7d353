//! `ccc keygen`: keys for a vault, an account, an agent, a tdh2 group.

mod by_hand;
mod committee;
mod opening;
mod participant;
mod session;
mod single;
mod tdh2;

use super::Context;
use crate::{cli::Keygen, error::Error, ui::Answer};

pub(super) fn run(verb: &Keygen, ctx: &Context<'_>) -> Result<Answer, Error> {
    match verb {
        Keygen::Dealer(arguments) => committee::dealer(arguments, ctx),
        Keygen::Participant(arguments) => participant::run(arguments, ctx),
        Keygen::Session(arguments) => session::run(arguments, ctx),
        Keygen::Dkg(arguments) => by_hand::run(arguments, ctx),
        Keygen::Account(arguments) => single::account(arguments, ctx),
        Keygen::Tdh2(arguments) => tdh2::run(arguments, ctx),
        Keygen::Agent(arguments) => single::agent(arguments, ctx),
        Keygen::Auditor(arguments) => single::auditor(arguments, ctx),
    }
}
