//! The command as a user meets it: one file per behaviour.

mod agent;
mod answers;
mod artifacts;
mod asking;
mod bad_input;
mod boards;
mod ceremony;
mod clear;
mod clear_lists;
#[cfg(unix)]
mod crashes;
mod custodian;
#[cfg(unix)]
mod desk;
#[cfg(unix)]
mod desk_again;
#[cfg(unix)]
mod desk_permit;
#[cfg(unix)]
mod desk_sealed;
mod drill;
mod evidence_lists;
mod exports;
mod handed_over;
mod help;
mod history;
#[cfg(unix)]
mod https;
mod inspect;
mod key_files;
mod keygen;
mod kinds;
mod liars;
mod messages;
mod mixed_files;
#[cfg(unix)]
mod network;
mod node;
#[cfg(unix)]
mod on_chain;
mod orders;
mod recover;
mod rounds;
mod secrets;
#[cfg(unix)]
mod serve;
mod shares;
mod storage;
mod submissions;
mod support;
mod swap;
mod terminal;
#[cfg(unix)]
#[path = "../../../ccc-chain/tests/common/tls.rs"]
mod tls;
mod upkeep;
mod verify;
mod weighted;
mod withdrawals;
