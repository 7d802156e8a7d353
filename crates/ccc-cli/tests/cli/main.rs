//! The command as a user meets it: one file per behaviour.

mod artifacts;
mod bad_input;
mod boards;
mod ceremony;
#[cfg(unix)]
mod crashes;
mod custodian;
mod help;
mod inspect;
mod key_files;
mod keygen;
mod kinds;
mod liars;
mod messages;
mod mixed_files;
mod orders;
mod recover;
mod rounds;
mod secrets;
mod shares;
mod support;
mod terminal;
mod upkeep;
mod verify;
mod withdrawals;
