//! `ccc table collect`: removes versions that lie far behind the head, and tells which.

use super::Context;
use crate::{
    cli::CollectArgs,
    error::Error,
    pool::{Pool, table},
    ui::{Answer, Side, columns, decimal, short},
};
use ccc_core::table::{Head, Header, TableStore};
use ccc_store::{Collection, Confirmation, DirectoryStore, Keep, collect};
use serde_json::json;

pub(super) fn run(arguments: &CollectArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let (pool, store) = Pool::open_alone(&arguments.pool)?;
    let head = Head { version: pool.head.version, hash: pool.head.header_hash.0 };
    let bar = ctx.ui.working("comparing the current version");
    let plan = collect(&store, &pool.table_id(), head, Keep { ancestors: arguments.keep });
    bar.finish_and_clear();
    let plan = plan?;
    let removed = headers(&plan, &store)?;
    if !(arguments.dry_run || removed.is_empty()) {
        let bar = ctx.ui.working("removing versions");
        let outcome = carry_out(plan, &pool, head, arguments);
        bar.finish_and_clear();
        outcome?;
    }
    tell(arguments, &removed, &pool, ctx);
    Ok(Answer::Done)
}

/// The versions that go, while they can still be read.
fn headers(plan: &Collection<'_>, store: &DirectoryStore) -> Result<Vec<Header>, Error> {
    plan.removals().iter().map(|removal| Ok(store.header(&removal.hash)?)).collect()
}

/// First it is written down that history was given up on purpose: a stop after that is no loss.
fn carry_out(plan: Collection<'_>, pool: &Pool, head: Head, arguments: &CollectArgs) -> Result<(), Error> {
    pool.set_kept_from(head.version.saturating_sub(arguments.keep.get().into()))?;
    let removals = plan.removals().len();
    Ok(plan.carry_out(Confirmation { head, removals })?)
}

fn tell(arguments: &CollectArgs, removed: &[Header], pool: &Pool, ctx: &Context<'_>) {
    let bytes: u64 = removed.iter().map(table::bytes_of).sum();
    let verb = if arguments.dry_run { "would go" } else { "removed" };
    let row = |header: &Header| {
        let bytes = decimal(table::bytes_of(header).into(), 0);
        [header.version().to_string(), short(&header.hash()), bytes, verb.to_owned()]
    };
    let heads = [("version", Side::Right), ("header", Side::Left), ("bytes", Side::Right), ("", Side::Left)];
    let mut lines = columns(heads, removed.iter().map(row).collect());
    lines.push(format!(
        "{} versions, {bytes} bytes {verb}; version {} is the current one and {} before it are kept",
        removed.len(),
        pool.head.version,
        arguments.keep
    ));
    let object = json!({
        "head": pool.head.version, "keep": arguments.keep, "dry_run": arguments.dry_run, "bytes": bytes,
        "removed": removed.iter().map(table::object).collect::<Vec<_>>(),
    });
    ctx.ui.result(&lines, &object);
}
