//! `ccc man`: the manual, one page per verb.

use super::Context;
use crate::{
    cli::{Arguments, ManArgs},
    error::Error,
    files::{self, Audience, Replace},
    ui::Answer,
};
use clap::{Command, CommandFactory};
use std::path::{Path, PathBuf};

pub(super) fn run(arguments: &ManArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let mut command = Arguments::command();
    command.build();
    let Some(directory) = &arguments.out else {
        let page = render(command, Path::new("-"))?;
        files::write(Path::new("-"), &page, Audience::Everyone, Replace::Never)?;
        return Ok(Answer::Done);
    };
    let pages = pages(&command, "ccc");
    let replace = Replace::from_flag(arguments.force);
    files::directory(directory)?;
    let targets: Vec<PathBuf> = pages.iter().map(|(name, _)| directory.join(format!("{name}.1"))).collect();
    targets.iter().try_for_each(|path| files::check_target(path, replace))?;
    for ((_, page), path) in pages.into_iter().zip(&targets) {
        let bytes = render(page, path)?;
        files::write(path, &bytes, Audience::Everyone, replace)?;
    }
    ctx.ui.result(
        &[format!("{} manual pages in {}", targets.len(), directory.display())],
        &serde_json::json!({ "pages": targets }),
    );
    Ok(Answer::Done)
}

/// Every command below `command`, named as `ccc-keygen-dkg`.
fn pages(command: &Command, name: &str) -> Vec<(String, Command)> {
    let mut pages = vec![(name.to_owned(), command.clone())];
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        pages.extend(pages_below(sub, name));
    }
    pages
}

fn pages_below(sub: &Command, parent: &str) -> Vec<(String, Command)> {
    pages(sub, &format!("{parent}-{}", sub.get_name()))
}

fn render(command: Command, path: &Path) -> Result<Vec<u8>, Error> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).map_err(|source| Error::Write { path: path.into(), source })?;
    Ok(page)
}
