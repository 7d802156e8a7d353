//! `ccc clear`: orders and a request in the clear, cleared here and now.

mod generate;

use super::Context;
use crate::{
    clearing::{self, request},
    cli::{ClearArgs, ClearRunArgs, ClearVerb},
    error::Error,
    files::{self, Audience, Replace},
    ui::Answer,
};
use darkpool_matcher::Rules;
use serde::Serialize;
use std::{
    io,
    path::{Path, PathBuf},
};

pub(super) fn run(arguments: &ClearArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    match (&arguments.verb, &arguments.run) {
        (Some(ClearVerb::Generate(arguments)), _) => generate::run(arguments, ctx),
        (None, Some(arguments)) => clear(arguments, ctx),
        (None, None) => Err(Error::Terms { what: "--orders", reason: "missing" }),
    }
}

fn clear(arguments: &ClearRunArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let replace = Replace::from_flag(arguments.force);
    files::one_standard_input([&arguments.orders, &arguments.request])?;
    let inputs = [&arguments.orders, &arguments.request];
    check_targets(arguments.out.iter().chain(&arguments.fills), &inputs, replace)?;
    ctx.ui.note("orders in the clear: for trying the engine; what it prints and writes tells everything");
    let rules = Rules { allocation: arguments.rule.into(), pricing: arguments.pricing.into(), ..Rules::default() };
    let bytes = files::read(&arguments.request, request::MAX_LEN)?;
    let requests = request::Requests::parse(&bytes, arguments.seed, rules)
        .map_err(|source| Error::Clearing { path: arguments.request.clone(), source })?;
    let mut book = clearing::read(&arguments.orders, arguments.slots, &requests.market, ctx.ui)?;
    let cleared = clearing::clear(&mut book, &requests, [&arguments.orders, &arguments.request])?;
    let object = || text(&clearing::object(&book, &requests, &cleared));
    if let Some(out) = &arguments.out {
        files::write(out, object().as_bytes(), Audience::Owner, replace)?;
    }
    if let Some(fills) = &arguments.fills {
        let fills_csv = clearing::fills_csv(&book, &requests, &cleared);
        files::write(fills, fills_csv.as_bytes(), Audience::Owner, replace)?;
    }
    if !arguments.out.iter().chain(&arguments.fills).any(|path| files::is_stream(path)) {
        ctx.ui.answer(&clearing::lines(&book, &requests, &cleared), object);
    }
    let filled = cleared.outcomes().all(|(outcome, _)| outcome.success);
    Ok(if filled { Answer::Done } else { Answer::No })
}

/// One line of JSON.
fn text(object: &impl Serialize) -> String {
    let mut text = serde_json::to_string(object).unwrap_or_default();
    text.push('\n');
    text
}

/// Refuses before anything is read what could not be written after all, or would be lost by being written.
fn check_targets<'a>(
    paths: impl Iterator<Item = &'a PathBuf> + Clone,
    inputs: &[&PathBuf],
    replace: Replace,
) -> Result<(), Error> {
    let streams = paths.clone().filter(|path| files::is_stream(path)).count();
    if streams > 1 {
        return Err(Error::StandardOutputTwice { count: streams });
    }
    // an input that is not there fails when it is read
    let named = inputs.iter().filter(|path| !files::is_stream(path));
    let inputs: Vec<PathBuf> = named.filter_map(|path| path.canonicalize().ok()).collect();
    let mut seen: Vec<PathBuf> = Vec::new();
    for path in paths.filter(|path| !files::is_stream(path)) {
        let place = place(path).map_err(|source| Error::Write { path: path.clone(), source })?;
        if seen.contains(&place) {
            return Err(Error::OneTarget { path: path.clone() });
        }
        if inputs.contains(&place) {
            return Err(Error::OverInput { path: path.clone() });
        }
        files::check_target(path, replace)?;
        seen.push(place);
    }
    Ok(())
}

/// Where a file of this name would lie, whatever way the path takes; its directory has to be there.
fn place(path: &Path) -> io::Result<PathBuf> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = parent.unwrap_or(Path::new(".")).canonicalize()?;
    if !directory.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(directory.join(path.file_name().unwrap_or_default()))
}
