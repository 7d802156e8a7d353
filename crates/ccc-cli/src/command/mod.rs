//! One file per verb.

mod agent;
mod attest;
mod chain;
mod clear;
mod completions;
mod config;
mod custodian;
mod deploy;
mod desk;
mod devnet;
mod doctor;
mod encrypt;
mod encrypt_order;
mod fill;
mod handover;
mod inspect;
mod keygen;
mod man;
mod node;
mod open;
mod receipts;
mod recover;
mod reencrypt;
mod repair_share;
mod report;
mod reports;
mod serve;
mod share;
mod status;
mod swap;
mod table;
mod verify;

use crate::{
    cli::{Global, Verb},
    error::Error,
    files::passphrase::Passphrases,
    ui::{Answer, Ui},
};
use ccc_core::keys::Protocol;
use rand::{SeedableRng, rngs::StdRng, rngs::SysRng};

/// What every verb is given.
pub(crate) struct Context<'a> {
    /// Where it speaks.
    pub(crate) ui: &'a Ui,
    /// What opens and seals secret files.
    pub(crate) passphrases: Passphrases,
}

impl<'a> Context<'a> {
    /// The context of a run.
    ///
    /// # Errors
    /// As [`Passphrases::new`].
    pub(crate) fn new(ui: &'a Ui, global: &Global) -> Result<Self, Error> {
        let passphrases = Passphrases::new(global.passphrase_file.clone(), global.no_passphrase)?;
        Ok(Self { ui, passphrases })
    }

    /// A generator seeded by the operating system.
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub(crate) fn rng(&self) -> Result<StdRng, Error> {
        StdRng::try_from_rng(&mut SysRng).map_err(|error| Error::Randomness(error.to_string()))
    }
}

/// Runs a verb.
///
/// # Errors
/// [`Error`]; files are as they were.
pub(crate) fn run(verb: Verb, ctx: &Context<'_>) -> Result<Answer, Error> {
    match verb {
        Verb::Recover(arguments) => recover::run(&arguments, ctx),
        Verb::Keygen(verb) => keygen::run(&verb, ctx),
        Verb::Refresh(arguments) => handover::run(&arguments, Protocol::Refresh, ctx),
        Verb::Reshare(arguments) => handover::run(&arguments, Protocol::Reshare, ctx),
        Verb::RepairShare(verb) => repair_share::run(&verb, ctx),
        Verb::Table(verb) => table::run(&verb, ctx),
        Verb::Encrypt(arguments) => encrypt::run(&arguments, ctx),
        Verb::Share(arguments) => share::run(&arguments, ctx),
        Verb::Open(arguments) => open::run(&arguments, ctx),
        Verb::EncryptOrder(arguments) => encrypt_order::run(&arguments, ctx),
        Verb::Reencrypt(arguments) => reencrypt::run(&arguments, ctx),
        Verb::Fill(verb) => fill::run(&verb, ctx),
        Verb::Clear(arguments) => clear::run(&arguments, ctx),
        Verb::Attest(verb) => attest::run(&verb, ctx),
        Verb::Verify(arguments) => verify::run(&arguments, ctx),
        Verb::Inspect(arguments) => inspect::run(&arguments, ctx),
        Verb::Deploy(arguments) => deploy::run(&arguments, ctx),
        Verb::Status(arguments) => status::run(&arguments, ctx),
        Verb::Report(verb) => report::run(&verb, ctx),
        Verb::Deposit(arguments) => desk::deposit(&arguments, ctx),
        Verb::Withdraw(arguments) => desk::withdraw(&arguments, ctx),
        Verb::Order(verb) => desk::order(&verb, ctx),
        Verb::Receipt(verb) => desk::receipt(&verb, ctx),
        Verb::Exit(arguments) => desk::exit(&arguments, ctx),
        Verb::Swap(verb) => swap::run(&verb, ctx),
        Verb::Agent(verb) => agent::run(&verb, ctx),
        Verb::Serve(arguments) => serve::run(&arguments, ctx),
        Verb::Chain(arguments) => chain::run(&arguments, ctx),
        Verb::Devnet(arguments) => devnet::run(&arguments, ctx),
        Verb::Node(verb) => node::run(&verb, ctx),
        Verb::Config(verb) => config::run(&verb, ctx),
        Verb::Doctor(arguments) => doctor::run(&arguments, ctx),
        Verb::Custodian(arguments) => custodian::run(&arguments, ctx),
        Verb::Completions(arguments) => completions::run(&arguments, ctx),
        Verb::Man(arguments) => man::run(&arguments, ctx),
    }
}
