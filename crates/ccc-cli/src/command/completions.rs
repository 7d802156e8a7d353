//! `ccc completions`: a shell's completions on standard output.

use super::Context;
use crate::{
    cli::{Arguments, CompletionsArgs},
    error::Error,
    files::{self, Audience, Replace},
    ui::Answer,
};
use clap::CommandFactory;
use std::path::Path;

pub(super) fn run(arguments: &CompletionsArgs, _: &Context<'_>) -> Result<Answer, Error> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "ccc", &mut script);
    files::write(Path::new("-"), &script, Audience::Everyone, Replace::Never)?;
    Ok(Answer::Done)
}
