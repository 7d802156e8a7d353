//! `ccc table answer`: the answer to one's query, from an attempt whose evidence vouches for it.

use super::{
    Context,
    balance::{self, NOT_CURRENT, object},
};
use crate::{
    cli::AnswerArgs,
    error::Error,
    pool::{
        Pool,
        attempt::AttemptPaths,
        hexed::Hex,
        reading::{answers_path, open_reader},
    },
    ui::Answer,
};
use ccc_core::table::Holdings;
use ccc_enclave::{query::Answers, reader::ReaderKey};

pub(super) fn run(arguments: &AnswerArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let pool = Pool::open(&arguments.pool)?;
    let paths = AttemptPaths::new(&arguments.attempt);
    let path = answers_path(&paths, arguments.answers.as_ref());
    let answers = pool.attested_answers(&paths, &path)?;
    let key = open_reader(&arguments.query_key, &ctx.passphrases)?;
    let holdings = find(&key, &answers).ok_or(Error::NotAnswered { path })?;
    let rows: Vec<_> = holdings.rows.iter().flatten().collect();
    let current = pool.is_current(&holdings.header);
    let mut lines = vec![format!("table version {}{}", holdings.version, if current { "" } else { NOT_CURRENT })];
    lines.extend(balance::lines(&pool, &rows));
    if rows.is_empty() {
        lines.push("no row belongs to this account".into());
    }
    let shown: Vec<_> = rows.iter().map(|row| object(&pool, row)).collect();
    let object = serde_json::json!({
        "version": holdings.version, "header_hash": Hex(holdings.header), "rows": shown,
        "account": format!("0x{}", hex::encode(holdings.account.0)), "current": current,
    });
    ctx.ui.result(&lines, &object);
    Ok(if rows.is_empty() { Answer::No } else { Answer::Done })
}

/// The answer that opens, wherever it stands: the owner does not know how many asked before it.
fn find(key: &ReaderKey, answers: &Answers) -> Option<Holdings> {
    let opened = (0..).zip(&answers.sealed).find_map(|(place, sealed)| {
        let holdings = key.open_holdings(&answers.request, place, sealed).ok()?;
        Some(holdings)
    });
    opened.filter(|holdings| holdings.header == answers.header)
}
