//! `ccc recover`: one recovery, drawn as its steps finish.

use super::{Context, reports};
use crate::{
    cli::RecoverArgs,
    error::Error,
    files::{self, Audience, Replace, secret},
    network::authorities,
    ui::{Answer, Ui},
};
use ccc_enclave::statement;
use ccc_node::{
    leak::Hit,
    recovery::{self, Line, Mode, RecoveryOptions, RecoveryReport, StatementSource},
    scenario::Scenario,
    timeline::{Observer, Span},
};
use indicatif::ProgressBar;
use std::{collections::BTreeSet, path::Path};
use zeroize::Zeroizing;

const MAX_SCENARIO: u64 = 1 << 16;
const MAX_TOKEN: u64 = 4096;

pub(super) fn run(arguments: &RecoverArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let options = options(arguments)?;
    let replace = Replace::from_flag(arguments.force);
    if let (Some(out), Replace::Never) = (&arguments.out, replace) {
        files::check_empty(out)?;
    }
    if options.seed.is_some() {
        ctx.ui.note("with --seed every key of this run follows from the seed");
    }
    if options.mode == Mode::Simulation {
        ctx.ui.note(simulated(&options.statement));
    }
    let mut screen = Screen::new(ctx.ui);
    let outcome = if arguments.devnet {
        super::devnet::recover(options, &mut screen)
    } else {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
        runtime.block_on(recovery::run(&options, &mut screen)).map_err(Error::from)
    };
    screen.bar.finish_and_clear();
    let report = outcome?;
    refuse_leaks(&report.leaks())?;
    if let Some(out) = &arguments.out {
        write_all(out, &report, replace)?;
    }
    if let (Some(path), Some(execution)) = (&arguments.requester_report, &report.execution) {
        let object = reports::execution_object(execution);
        files::write(path, object.to_string().as_bytes(), Audience::Owner, Replace::from_flag(arguments.force))?;
    }
    conclude(&report, arguments, ctx)?;
    Ok(if report.healed() { Answer::Done } else { Answer::No })
}

/// A run that shows a secret has failed. The error names the kinds of secrets, never a value; nothing is written.
pub(super) fn refuse_leaks(hits: &[Hit]) -> Result<(), Error> {
    let kinds: BTreeSet<&str> = hits.iter().map(|hit| hit.secret).collect();
    if kinds.is_empty() { Ok(()) } else { Err(Error::Leak { kinds: kinds.into_iter().collect() }) }
}

fn options(arguments: &RecoverArgs) -> Result<RecoveryOptions, Error> {
    Ok(RecoveryOptions {
        scenario: scenario(arguments)?,
        mode: if arguments.production { Mode::Production } else { Mode::Simulation },
        seed: arguments.seed,
        rpc_url: arguments.rpc_url.clone(),
        rpc_ca: authorities(arguments.rpc_ca.as_deref(), arguments.rpc_url.as_deref().unwrap_or_default())?,
        statement: statement_source(arguments)?,
        ..RecoveryOptions::default()
    })
}

/// Which parts of the run a deployment would replace.
const fn simulated(statement: &StatementSource) -> &'static str {
    match statement {
        StatementSource::Simulated => "simulated: the enclave's hardware, the custodian, the price feed and the tokens",
        StatementSource::Url { .. } | StatementSource::Bytes(_) => {
            "simulated: the enclave's hardware, the price feed and the tokens"
        }
    }
}

/// The scenario of a file or a name, with the sizes of the flags.
fn scenario(arguments: &RecoverArgs) -> Result<Scenario, Error> {
    let mut scenario = arguments.scenario.as_deref().map_or_else(|| Ok(Scenario::default()), named_or_read)?;
    if let Some(participants) = arguments.participants {
        scenario.participants = participants;
    }
    scenario.threshold = arguments.threshold.or(scenario.threshold);
    scenario.makers = arguments.makers.unwrap_or(scenario.makers);
    scenario.accounts = arguments.accounts.or(scenario.accounts);
    scenario.validate()?;
    Ok(scenario)
}

fn named_or_read(scenario: &str) -> Result<Scenario, Error> {
    let is_name = scenario.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') && scenario != "-";
    if is_name && !Path::new(scenario).exists() {
        return Ok(Scenario::built_in(scenario)?);
    }
    let path = Path::new(scenario);
    let bytes = files::read(path, MAX_SCENARIO)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Error::PoolFile { path: path.into(), reason: "it is not UTF-8 text".into() })?;
    Ok(Scenario::from_toml(text)?)
}

fn statement_source(arguments: &RecoverArgs) -> Result<StatementSource, Error> {
    if let Some(path) = &arguments.statement {
        return Ok(StatementSource::Bytes(Zeroizing::new(files::read(path, statement::MAX_LEN as u64)?)));
    }
    match (&arguments.custodian_url, &arguments.custodian_token_file) {
        (Some(url), Some(file)) => Ok(StatementSource::Url { url: url.clone(), token: token(file)? }),
        _ => Ok(StatementSource::Simulated),
    }
}

/// The bearer token: the first line of a file that only its owner reads.
pub(super) fn token(path: &Path) -> Result<Zeroizing<String>, Error> {
    let bytes = secret::read_private(path, MAX_TOKEN)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Error::Token { path: path.into() })?;
    let token = Zeroizing::new(text.lines().next().unwrap_or_default().to_owned());
    let plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if plain { Ok(token) } else { Err(Error::Token { path: path.into() }) }
}

/// Every public artefact as a file. The names are the program's own; one that is not plain is refused.
fn write_all(out: &Path, report: &RecoveryReport, replace: Replace) -> Result<(), Error> {
    files::directory(out)?;
    for (name, bytes) in &report.public_files {
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !plain || name.starts_with('.') {
            return Err(Error::FileName { name: name.clone() });
        }
        files::write(&out.join(name), bytes, Audience::Everyone, replace)?;
    }
    let summary = summary(report)?;
    files::write(&out.join("summary.json"), summary.to_string().as_bytes(), Audience::Everyone, replace)
}

pub(super) fn summary(report: &RecoveryReport) -> Result<serde_json::Value, Error> {
    serde_json::to_value(&report.summary).map_err(|source| Error::Write { path: "-".into(), source: source.into() })
}

fn conclude(report: &RecoveryReport, arguments: &RecoverArgs, ctx: &Context<'_>) -> Result<(), Error> {
    let summary = &report.summary;
    let total: f64 = summary.spans.iter().map(|span| span.total_ms).sum();
    let chain: f64 = summary.spans.iter().map(|span| span.chain_ms).sum();
    let mut lines = vec![row("total", total - chain, chain, total), String::new()];
    lines.extend(columns(&report.saw, &report.private));
    lines.push(String::new());
    for culprit in &summary.culprits {
        lines.push(format!("participant {} {}", culprit.participant, culprit.reason));
    }
    lines.push(format!("the reserve was {} and is {}", summary.initial_status, summary.final_status));
    if let Some(out) = &arguments.out {
        lines.push(format!("{} files in {}", report.public_files.len() + 1, out.display()));
    }
    ctx.ui.result(&lines, &self::summary(report)?);
    Ok(())
}

/// The timeline: one line per finished step on standard output, the current step on a terminal's standard error.
pub(super) struct Screen<'a> {
    ui: &'a Ui,
    pub(super) bar: ProgressBar,
}

impl<'a> Screen<'a> {
    /// With the line of titles.
    pub(super) fn new(ui: &'a Ui) -> Self {
        ui.text(&format!("{:52} {:>9} {:>9} {:>9}", "milliseconds", "compute", "chain", "total"));
        Self { ui, bar: ProgressBar::hidden() }
    }
}

impl Observer for Screen<'_> {
    fn started(&mut self, name: &'static str) {
        self.bar = self.ui.working(name);
    }

    fn advanced(&mut self, done: u64, of: u64) {
        Ui::advance(&self.bar, done, of);
    }

    fn finished(&mut self, span: &Span) {
        self.bar.finish_and_clear();
        let name = match span.status {
            Some(status) => format!("{}: {status}", span.name),
            None => span.name.to_owned(),
        };
        self.ui.text(&row(&name, span.compute_ms, span.chain_ms, span.total_ms));
    }
}

fn row(name: &str, compute: f64, chain: f64, total: f64) -> String {
    format!("{name:52} {compute:9.1} {chain:9.1} {total:9.1}")
}

/// Two columns, side by side.
fn columns(saw: &[Line], private: &[Line]) -> Vec<String> {
    let left: Vec<String> = saw.iter().map(|line| format!("{} {}", line.what, line.amount)).collect();
    let right: Vec<String> = private.iter().map(|line| format!("{}: {}", line.what, line.amount)).collect();
    let width = left.iter().map(String::len).max().unwrap_or(0).max(24);
    let mut lines = vec![format!("{:width$}   what stayed private", "what the chain saw")];
    for index in 0..left.len().max(right.len()) {
        let (l, r) = (left.get(index), right.get(index));
        let line = format!("{:width$}   {}", l.map_or("", String::as_str), r.map_or("", String::as_str));
        lines.push(line.trim_end().to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_found_leak_fails_the_run_and_names_kinds_only() {
        let hit = |secret, offset| Hit { secret, place: "transcript".into(), offset };
        assert!(refuse_leaks(&[]).is_ok());
        let error = refuse_leaks(&[hit("the gap", 7), hit("an order's size", 9), hit("the gap", 8)]);
        let error = error.expect_err("a leak is refused");
        assert!(matches!(&error, Error::Leak { kinds } if kinds[..] == ["an order's size", "the gap"]), "{error}");
        assert_eq!(error.to_string(), "found in what the run made public: an order's size, the gap");
        assert_eq!((error.parts().code, error.parts().exit), ("leak", crate::error::Exit::CouldNot));
    }

    #[test]
    fn columns_stand_side_by_side() {
        let line = |what: &str, amount: &str| Line { what: what.into(), amount: amount.into() };
        let lines = columns(&[line("events", "3")], &[line("size (1)", "not found"), line("gap (1)", "not found")]);
        assert_eq!(
            lines,
            [
                "what the chain saw         what stayed private",
                "events 3                   size (1): not found",
                "                           gap (1): not found",
            ]
        );
    }
}
