//! `ccc inspect`: what a file is, with its public fields.

use super::{Context, verify::joined};
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
    let beside = arguments.beside.as_ref().map(|path| files::read(path, MAX_READ)).transpose()?;
    let bytes = joined(&arguments.file, bytes, beside.as_deref())?;
    let artifact = Artifact::read(bytes).map_err(|source| Error::Artifact { path: arguments.file.clone(), source })?;
    let fields = describe(&artifact, size);
    ctx.ui.result(&fields.lines(), &fields.object());
    Ok(Answer::Done)
}
