//! `ccc inspect`: what a file is, with its public fields.

use super::Context;
use crate::{
    artifact::Artifact,
    cli::InspectArgs,
    describe::describe,
    error::Error,
    files::{self, MAX_READ},
    ui::Answer,
};

pub(super) fn run(arguments: &InspectArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let bytes = files::read(&arguments.file, MAX_READ)?;
    let size = bytes.len();
    let artifact = Artifact::read(bytes).map_err(|source| Error::Artifact { path: arguments.file.clone(), source })?;
    let fields = describe(&artifact, size);
    ctx.ui.result(&fields.lines(), &fields.object());
    Ok(Answer::Done)
}
