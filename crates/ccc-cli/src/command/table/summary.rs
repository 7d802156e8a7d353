//! `ccc table summary`: the totals that an attempt sealed to the auditors.

use super::{
    Context,
    balance::{NOT_CURRENT, amount, name},
};
use crate::{
    cli::SummaryArgs,
    error::Error,
    pool::{
        Pool,
        attempt::AttemptPaths,
        hexed::Hex,
        reading::{answers_path, open_reader},
    },
    ui::{Answer, Side, columns},
};
use ccc_core::table::{AuditorSet, Summary};
use ccc_enclave::{
    query::{Answers, QueryError},
    reader::ReaderKey,
};
use std::path::Path;

pub(super) fn run(arguments: &SummaryArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let pool = Pool::open(&arguments.pool)?;
    let set = pool.config.auditors.as_ref().ok_or(QueryError::NoAuditors)?;
    let paths = AttemptPaths::new(&arguments.attempt);
    let path = answers_path(&paths, arguments.answers.as_ref());
    let answers = pool.attested_answers(&paths, &path)?;
    let key = open_reader(&arguments.auditor_key, &ctx.passphrases)?;
    let outside = || Error::NotAnAuditor { path: arguments.auditor_key.clone() };
    let place = (0..).zip(set.keys()).find(|(_, known)| **known == key.public()).ok_or_else(outside)?.0;
    let summary = open(&key, place, &answers, set, &path)?;
    ctx.ui.result(&lines(&pool, &summary), &object(&pool, &summary));
    Ok(Answer::Done)
}

/// The summary at the auditor's place, if it was made for this set and of the header that the evidence names.
fn open(key: &ReaderKey, place: u32, answers: &Answers, set: &AuditorSet, path: &Path) -> Result<Summary, Error> {
    let sealed = usize::try_from(place).ok().and_then(|place| answers.sealed.get(place));
    let opened = sealed.and_then(|sealed| key.open_summary(&answers.request, place, sealed).ok());
    let summary = opened.ok_or_else(|| Error::NotAnswered { path: path.into() })?;
    let refused = |reason: String| Error::NotVerified { path: path.into(), reason };
    if (summary.set_version, summary.set) != (set.version(), set.digest()) {
        let (expected, found) = (set.version(), summary.set_version);
        return Err(refused(format!(
            "it is for version {found} of the auditors, or other keys; pool.toml has {expected}"
        )));
    }
    if summary.header != answers.header {
        return Err(refused("it is of another header than the evidence names".into()));
    }
    Ok(summary)
}

fn lines(pool: &Pool, summary: &Summary) -> Vec<String> {
    let head = format!(
        "table version {}{}: {} accounts, {} rows, {} of them frozen",
        summary.version,
        if pool.is_current(&summary.header) { "" } else { NOT_CURRENT },
        summary.accounts,
        summary.rows,
        summary.frozen_rows
    );
    let total = |(asset, total): (u32, &ccc_core::table::Total)| {
        [name(pool, asset), amount(pool, asset, total.held), amount(pool, asset, total.frozen)]
    };
    let heads = [("asset", Side::Left), ("held", Side::Right), ("in frozen rows", Side::Right)];
    let totals = columns(heads, (0..).zip(&summary.totals).map(total).collect());
    std::iter::once(head).chain(totals).collect()
}

fn object(pool: &Pool, summary: &Summary) -> serde_json::Value {
    let total = |(asset, total): (u32, &ccc_core::table::Total)| {
        serde_json::json!({
            "asset": name(pool, asset), "held": total.held.to_string(), "frozen": total.frozen.to_string(),
        })
    };
    let totals: Vec<_> = (0..).zip(&summary.totals).map(total).collect();
    serde_json::json!({
        "version": summary.version, "header_hash": Hex(summary.header), "current": pool.is_current(&summary.header),
        "auditors_version": summary.set_version, "auditors_digest": Hex(summary.set), "accounts": summary.accounts,
        "rows": summary.rows, "frozen_rows": summary.frozen_rows, "totals": totals,
    })
}
