//! `ccc fill run`: opens, computes, signs; then keeps the table, the report and, last, the head.

use super::Context;
use crate::{
    cli::FillRunArgs,
    describe::verdict,
    error::{Error, NotShare},
    files::{self, Audience, Replace},
    pool::{
        Pool,
        attempt::{AttemptPaths, Purpose},
        parse_json,
        reading::Reading,
        round::{Finished, Produced, Told},
    },
    ui::{Answer, Ui},
};
use ccc_core::report::{PriceObservation, Statement, Verdict};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

const MAX_PRICES: u64 = 1 << 20;
const MAX_STATEMENT: u64 = 1 << 16;

/// One observation, as an aggregator gives it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ObservationFile {
    round: u64,
    answer: i64,
    updated_at: u64,
}

pub(super) fn run(arguments: &FillRunArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let paths = AttemptPaths::new(&arguments.attempt);
    Pool::open(&arguments.pool)?.refuse_settled(&paths)?;
    files::one_standard_input(arguments.price.iter().chain(&arguments.statement))?;
    let target = arguments.out.clone().unwrap_or_else(|| paths.report());
    let replace = Replace::from_flag(arguments.force);
    if !files::is_stream(&target) {
        files::check_target(&target, replace)?;
    }
    let observations = arguments.price.as_deref().map(read_prices).transpose()?;
    let statement = arguments.statement.as_deref().map(|path| files::read(path, MAX_STATEMENT)).transpose()?;
    let statement = statement.map(Zeroizing::new);
    let (pool, store) = Pool::open_alone(&arguments.pool)?;
    let pool = pool.under_attempt(&paths)?;
    let told = Told { observations: observations.as_deref(), statement: statement.as_deref().map(Vec::as_slice) };
    let bar = ctx.ui.working("opening");
    let finished = pool.run(&store, &paths, &told, &ctx.passphrases, &mut |done| Ui::pass(&bar, done), &mut ctx.rng()?);
    bar.finish_and_clear();
    let (produced, version) = match finished? {
        Finished::Reported(produced, version) => (produced, version),
        Finished::Answered(reading) => return answered(&reading, &paths, arguments.out.as_deref(), replace, ctx),
    };
    let receipts = produced.receipts.as_ref().map(|_| paths.receipts());
    for path in payout_paths(&paths, &produced).into_iter().chain(receipts) {
        files::check_target(&path, replace)?;
    }
    if let Some((header, version)) = produced.table.as_ref().zip(version) {
        version.commit(header)?;
    }
    keep(&pool, &paths, &target, replace, &produced)?;
    Ok(report(&produced, &paths, &target, ctx))
}

fn read_prices(path: &Path) -> Result<Vec<PriceObservation>, Error> {
    let observations: Vec<ObservationFile> = parse_json(path, &files::read(path, MAX_PRICES)?)?;
    let observation = |seen: ObservationFile| PriceObservation {
        round: seen.round.into(),
        answer: seen.answer.into(),
        updated_at: seen.updated_at,
    };
    Ok(observations.into_iter().map(observation).collect())
}

fn payout_paths(paths: &AttemptPaths, produced: &Produced) -> Vec<PathBuf> {
    let sequences = produced.payouts.iter().map(|report| report.report().payload().binding.sequence);
    sequences.map(|sequence| paths.payout(sequence)).collect()
}

/// Report, payouts, envelope, receipts and the committee of a new epoch; then the head, at once; then the keys go. A run
/// that stops before the head has not moved the pool and can be made again, with `--force` over the files that it left; one
/// that stops behind it leaves keys that a moved head refuses.
fn keep(pool: &Pool, paths: &AttemptPaths, target: &Path, replace: Replace, produced: &Produced) -> Result<(), Error> {
    files::write(target, &produced.report.to_bytes()?, Audience::Everyone, replace)?;
    for (payout, path) in produced.payouts.iter().zip(payout_paths(paths, produced)) {
        files::write(&path, &payout.to_bytes()?, Audience::Everyone, replace)?;
    }
    if let Some(envelope) = &produced.envelope {
        files::write(&paths.envelope(), envelope, Audience::Everyone, Replace::Force)?;
    }
    if produced.purpose == Purpose::Epoch {
        pool.set_committee()?;
    }
    if let Some(receipts) = &produced.receipts {
        files::write(&paths.receipts(), &receipts.to_bytes(), Audience::Everyone, replace)?;
    }
    if produced.table.is_some() {
        pool.record(&produced.head.header_hash.0, &produced.report, produced.receipts.as_ref())?;
    }
    pool.set_head(&produced.head)?;
    std::fs::remove_file(paths.key()).map_err(|source| Error::Write { path: paths.key(), source })
}

fn report(produced: &Produced, paths: &AttemptPaths, target: &Path, ctx: &Context<'_>) -> Answer {
    let (line, answer, mut object) = outcome(produced.purpose, produced.statement());
    let mut lines = vec![line, format!("signed report: {}", target.display())];
    let (payout_lines, payouts) = payouts(produced, paths);
    lines.extend(payout_lines);
    object["payouts"] = payouts;
    if produced.receipts.is_some() {
        lines.push(format!("sealed receipts: {}", paths.receipts().display()));
        object["receipts"] = serde_json::json!(paths.receipts());
    }
    object["report"] = serde_json::json!(target);
    tell_left_out(&mut object, (&produced.culprits, &produced.not_shares), ctx);
    if !files::is_stream(target) {
        ctx.ui.result(&lines, &object);
    }
    answer
}

/// Bad shares by their senders, and files that counted for nothing.
fn tell_left_out(
    object: &mut serde_json::Value,
    (culprits, not_shares): (&BTreeMap<u16, String>, &[NotShare]),
    ctx: &Context<'_>,
) {
    object["culprits"] = serde_json::json!(culprits);
    let not_share = |file: &NotShare| serde_json::json!({ "file": file.path, "reason": file.reason });
    object["not_shares"] = not_shares.iter().map(not_share).collect();
    for (participant, reason) in culprits {
        ctx.ui.note(&format!("participant {participant} sent {reason}"));
    }
    for NotShare { path, reason } in not_shares {
        ctx.ui.note(&format!("{} is left out: {reason}", path.display()));
    }
}

/// Keeps the answers; then the keys go. Nothing else changes.
fn answered(
    reading: &Reading,
    paths: &AttemptPaths,
    out: Option<&Path>,
    replace: Replace,
    ctx: &Context<'_>,
) -> Result<Answer, Error> {
    let target = out.map_or_else(|| paths.answers(), Path::to_path_buf);
    let encoded = reading.answers.to_bytes().map_err(|source| Error::Encoding { path: target.clone(), source })?;
    files::write(&target, &encoded, Audience::Everyone, replace)?;
    std::fs::remove_file(paths.key()).map_err(|source| Error::Write { path: paths.key(), source })?;
    let count = reading.answers.sealed.len();
    let (kind, line) = match reading.purpose {
        Purpose::Summary => ("summary", format!("{count} auditors can open the summary: {}", target.display())),
        _ => ("query", format!("{count} queries are answered: {}", target.display())),
    };
    let mut object = serde_json::json!({ "kind": kind, "answers": count, "file": target });
    tell_left_out(&mut object, (&reading.culprits, &reading.not_shares), ctx);
    if !files::is_stream(&target) {
        ctx.ui.result(&[line], &object);
    }
    Ok(Answer::Done)
}

/// What was paid, to whom, and where its report is.
fn payouts(produced: &Produced, paths: &AttemptPaths) -> (Vec<String>, serde_json::Value) {
    let reports = produced.payouts.iter().map(|report| &report.report().payload().statement);
    let paid =
        reports.filter_map(|statement| if let Statement::Payout(payout) = statement { Some(payout) } else { None });
    let shown = paid.zip(payout_paths(paths, produced)).map(|(payout, path)| {
        let to = format!("0x{}", hex::encode(payout.to));
        let line = format!("payout of {} base units to {to}: {}", payout.amount, path.display());
        let object = serde_json::json!({
            "withdrawal": hex::encode(payout.withdrawal_id), "to": to, "token": format!("0x{}", hex::encode(payout.token)),
            "amount": payout.amount.to_string(), "report": path,
        });
        (line, object)
    });
    let (lines, objects): (Vec<_>, Vec<_>) = shown.unzip();
    (lines, objects.into())
}

fn outcome(purpose: Purpose, statement: &Statement) -> (String, Answer, serde_json::Value) {
    match statement {
        Statement::Round(round) if purpose == Purpose::Growth => (
            format!("the table has grown: version {}", round.version),
            Answer::Done,
            serde_json::json!({ "kind": "growth", "version": round.version }),
        ),
        Statement::Round(round) if purpose == Purpose::Epoch => (
            format!("the table is in the committee's epoch: version {}", round.version),
            Answer::Done,
            serde_json::json!({ "kind": "epoch", "version": round.version }),
        ),
        Statement::Round(round) if purpose == Purpose::Rotation => (
            format!("the table is wrapped for the pool's master public key: version {}", round.version),
            Answer::Done,
            serde_json::json!({ "kind": "rotation", "version": round.version }),
        ),
        Statement::Round(round) if round.request_id == [0; 32] => (
            format!("idle round closed: table version {}", round.version),
            Answer::Done,
            serde_json::json!({ "kind": "idle", "version": round.version }),
        ),
        Statement::Round(round) => (
            format!("{}: table version {}", if round.success { "filled" } else { "not filled" }, round.version),
            if round.success { Answer::Done } else { Answer::No },
            serde_json::json!({ "kind": "round", "success": round.success, "version": round.version }),
        ),
        Statement::Solvency(solvency) => (
            format!("reserve: {}", verdict(solvency.verdict)),
            if solvency.verdict == Verdict::Solvent { Answer::Done } else { Answer::No },
            serde_json::json!({ "kind": "reserve-check", "status": verdict(solvency.verdict) }),
        ),
        Statement::Enclave(_) | Statement::Payout(_) => {
            ("signed".to_owned(), Answer::Done, serde_json::json!({ "kind": "other" }))
        }
    }
}
