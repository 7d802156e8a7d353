//! `ccc attest`: what is accepted as an enclave.

use super::{Context, verify::read_policy};
use crate::{
    artifact::Artifact,
    cli::{Attest, AttestPolicy, PolicyCheckArgs},
    describe::{Fields, of_policy},
    error::Error,
    ui::Answer,
};

pub(super) fn run(verb: &Attest, ctx: &Context<'_>) -> Result<Answer, Error> {
    match verb {
        Attest::Policy(AttestPolicy::Check(arguments)) => check(arguments, ctx),
    }
}

fn check(arguments: &PolicyCheckArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let policy = read_policy(&arguments.file)?;
    policy
        .check_configuration()
        .map_err(|error| Error::NotVerified { path: arguments.file.clone(), reason: error.to_string() })?;
    let fields = of_policy(Fields::default().add("file", Artifact::POLICY), &policy);
    ctx.ui.result(&fields.lines(), &fields.object());
    Ok(Answer::Done)
}
