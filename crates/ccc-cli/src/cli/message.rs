//! Flags of `encrypt`, `share` and `open`.

use super::value::{Address, Digest};
use clap::Args;
use std::path::PathBuf;

/// How a ciphertext is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// This project's: body, label and key commitment under one proof
    Native,
    /// Chainlink's tdh2easy JSON
    Tdh2easy,
}

/// Arguments of `encrypt`.
#[derive(Args)]
#[command(after_help = "\
The native label `public` lets t participants open the message by hand, with `ccc share` and `ccc open`;
with `recipient` an attested enclave alone opens it. A tdh2easy label is 32 bytes, or an address after
12 zero bytes; the format binds the wrapped key and the label, see docs/spec/tdh2.md.

Examples:
  ccc encrypt --key keys/committee.ccc --out note.ccc note.txt
  ccc encrypt --key public-key.json --format tdh2easy --out note.json < note.txt")]
pub(crate) struct EncryptArgs {
    /// The message, or `-`: at most 16 MiB
    #[arg(default_value = "-", value_name = "FILE")]
    pub(crate) message: PathBuf,
    /// The vault's committee, or with --format tdh2easy a tdh2 public key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// How the ciphertext is written: native, or tdh2easy for Chainlink's JSON
    #[arg(long, value_enum, default_value_t = Format::Native, hide_possible_values = true)]
    pub(crate) format: Format,
    /// public or recipient [default: public]; tdh2easy: 64 hexadecimal digits or an address [default: zeros]
    #[arg(long, value_name = "LABEL")]
    pub(crate) label: Option<String>,
    /// Native: chain of the label [default: 0, none]
    #[arg(long, value_name = "ID")]
    pub(crate) chain: Option<u64>,
    /// Native: contract of the label [default: zeros]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) contract: Option<Address>,
    /// Native: id of the label, 64 hexadecimal digits [default: random]
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<Digest>,
    /// Native: seconds until no participant makes a share any more [default: 2592000, 30 days]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) lifetime: Option<u64>,
    /// The ciphertext, or `-`
    #[arg(long, default_value = "-", value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `share`.
#[derive(Args)]
#[command(after_help = "\
From t shares anybody opens the ciphertext. One person decides here for one participant: no chain is
asked whether the message may be opened. A tdh2 private share may also be JSON, with mode 0600.

Examples:
  ccc share --participant keys/participant-2.ccc --key keys/committee.ccc --out share-2.ccc note.ccc
  ccc share --participant tdh2/participant-2.ccc --key tdh2/public-key.json --out share-2.json note.json")]
pub(crate) struct ShareArgs {
    /// The ciphertext, or `-`: native with a public label, tdh2easy or tdh2
    #[arg(value_name = "CIPHERTEXT")]
    pub(crate) ciphertext: PathBuf,
    /// The participant's keys
    #[arg(long, value_name = "FILE")]
    pub(crate) participant: PathBuf,
    /// The vault's committee, or the tdh2 public key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The share, or `-`
    #[arg(long, default_value = "-", value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `open`.
#[derive(Args)]
#[command(after_help = "\
Every share is checked; files that are no shares of this ciphertext are told and left out.

Example:
  ccc open --key keys/committee.ccc note.ccc share-1.ccc share-2.ccc share-4.ccc")]
pub(crate) struct OpenArgs {
    /// The ciphertext, or `-`
    #[arg(value_name = "CIPHERTEXT")]
    pub(crate) ciphertext: PathBuf,
    /// At least t shares, as `ccc share` makes them
    #[arg(required = true, value_name = "SHARE")]
    pub(crate) shares: Vec<PathBuf>,
    /// The vault's committee, or the tdh2 public key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The message (mode 0600), or `-`
    #[arg(long, default_value = "-", value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}
