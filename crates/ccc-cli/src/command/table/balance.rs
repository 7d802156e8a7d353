//! `ccc table balance`: an owner's rows, opened with its reading key and checked against the state root.

use super::Context;
use crate::{
    cli::BalanceArgs,
    error::Error,
    pool::{Pool, account},
    ui::{Answer, Side, columns, decimal},
};
use ccc_core::table::{AccountId, Row, Sidecar};

/// What stands behind the number of a version that is not the head's.
pub(super) const NOT_CURRENT: &str = ", not the current version";

pub(super) fn run(arguments: &BalanceArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let pool = Pool::open(&arguments.pool)?;
    let owner = account::open(&arguments.account_key, &ctx.passphrases)?;
    let bar = ctx.ui.working("finding the account's rows");
    let table = pool.table()?;
    let sidecar = Sidecar::parse(&table.sidecar, &table.header)?;
    let entries = sidecar.open_all(owner.reading_key());
    bar.finish_and_clear();
    let rows: Vec<Row> = entries.iter().filter_map(|entry| entry.balance().ok()).collect();
    let account = AccountId(owner.account());
    let rows: Vec<&Row> = rows.iter().filter(|row| row.account == account).collect();
    let shown: Vec<_> = rows.iter().map(|row| object(&pool, row)).collect();
    let object = serde_json::json!({ "version": pool.head.version, "rows": shown });
    if rows.is_empty() {
        return Err(Error::NoRows { version: pool.head.version });
    }
    ctx.ui.result(&lines(&pool, &rows), &object);
    Ok(Answer::Done)
}

pub(super) fn name(pool: &Pool, asset: u32) -> String {
    match asset {
        asset if asset == pool.config.base => "base".into(),
        asset if asset == pool.config.quote => "quote".into(),
        other => format!("asset {other}"),
    }
}

/// An amount with the decimals of its asset.
pub(super) fn amount(pool: &Pool, asset: u32, units: u128) -> String {
    decimal(units, pool.config.asset(asset).map_or(0, |asset| asset.decimals))
}

/// An account's rows as a table.
pub(super) fn lines(pool: &Pool, rows: &[&Row]) -> Vec<String> {
    let heads = [
        ("asset", Side::Left),
        ("amount", Side::Right),
        ("of it reserved", Side::Right),
        ("lots", Side::Right),
        ("state", Side::Left),
    ];
    columns(heads, rows.iter().map(|row| cells(pool, row)).collect())
}

fn cells(pool: &Pool, row: &Row) -> [String; 5] {
    let asset = row.asset.0;
    let lot = pool.config.asset(asset).map_or(1, |asset| asset.lot);
    let reserved = u128::from(row.reserved) * u128::from(lot);
    let state = if row.flags.refuses() { format!("frozen for reason {}", row.flags.reason()) } else { String::new() };
    [name(pool, asset), amount(pool, asset, row.amount), amount(pool, asset, reserved), row.reserved.to_string(), state]
}

pub(super) fn object(pool: &Pool, row: &Row) -> serde_json::Value {
    serde_json::json!({
        "asset": name(pool, row.asset.0), "amount": row.amount.to_string(), "reserved_lots": row.reserved,
        "frozen": row.flags.refuses(), "reason": row.flags.reason(),
    })
}
