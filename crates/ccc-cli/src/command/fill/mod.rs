//! `ccc fill`: an attempt, prepared and then run.

mod execute;
mod prepare;

use super::Context;
use crate::{cli::Fill, error::Error, ui::Answer};

pub(super) fn run(verb: &Fill, ctx: &Context<'_>) -> Result<Answer, Error> {
    match verb {
        Fill::Prepare(arguments) => prepare::run(arguments, ctx),
        Fill::Run(arguments) => execute::run(arguments, ctx),
    }
}
