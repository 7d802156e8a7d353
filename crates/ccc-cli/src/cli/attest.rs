//! Flags of `attest`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What of attestation.
#[derive(Subcommand)]
pub(crate) enum Attest {
    /// What is accepted as an enclave
    #[command(subcommand)]
    Policy(AttestPolicy),
}

/// What of a policy.
#[derive(Subcommand)]
pub(crate) enum AttestPolicy {
    /// Read a policy and say what it accepts
    Check(PolicyCheckArgs),
}

/// Arguments of `attest policy check`.
#[derive(Args)]
#[command(after_help = "\
A policy is JSON or TOML; docs/spec/attestation.md has its fields. One that could never be meant is refused:
simulated roots in production, no kind of enclave at all, a Nitro program without PCR 0, 1 and 2.

Example:
  ccc attest policy check policy.toml")]
pub(crate) struct PolicyCheckArgs {
    /// The policy, or `-`
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}
