//! `ccc table history`: the chain of versions, what was reported of each, and an account's own receipts and reports.

use super::Context;
use crate::{
    cli::HistoryArgs,
    command::{
        receipts::{self, Units},
        reports::{self, References, Reports},
    },
    error::Error,
    pool::{
        Pool, account,
        hexed::Hex,
        history::{Altered, History},
        record::Reported,
        table,
    },
    ui::{Answer, Side, columns, decimal, short},
};
use ccc_core::{
    report::Round,
    table::{Header, Receipt, SlotReport, TableStore},
};
use ccc_node::maker::TableOwner;
use serde_json::{Value, json};

/// One version with what is known of it.
struct Shown {
    header: Header,
    complete: bool,
    reported: Option<Reported>,
    receipts: Vec<(u32, Receipt)>,
    reports: Reports,
}

impl Shown {
    /// What the fill of a slot came to.
    fn notional(&self, slot: u32) -> u128 {
        self.receipts.iter().find(|(found, _)| *found == slot).map_or(0, |(_, receipt)| receipt.notional)
    }
}

pub(super) fn run(arguments: &HistoryArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let owner = arguments.account_key.as_deref().map(|path| account::open(path, &ctx.passphrases)).transpose()?;
    let (pool, store) = Pool::open_alone(&arguments.pool)?;
    let history = pool.history(&store)?;
    let bar = ctx.ui.progress(history.chain.len() as u64, "reading");
    let shown = |header: &Header| {
        bar.inc(1);
        show(&pool, &store, header, owner.as_ref())
    };
    let versions = history.chain.iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    bar.finish_and_clear();
    let lot = pool.config.asset(pool.config.base)?.lot;
    let references = References::new(lot, versions.iter().map(|shown| (shown.header.version(), &shown.reports)));
    let mut lines = lines(&pool, &versions, &references);
    lines.extend(history.beside.iter().map(|header| format!("beside the chain: {}", place(header))));
    lines.extend(history.altered.iter().map(altered_line));
    lines.extend(history.collected.iter().map(|last| format!("versions 1 to {last} were collected")));
    lines.extend(history.broken.iter().map(|broken| format!("broken: {broken}")));
    let object = json!({
        "head": pool.head.version,
        "versions": versions.iter().map(|shown| object(&pool, shown, &references)).collect::<Vec<_>>(),
        "beside": beside(&history),
        "collected": history.collected,
        "broken": history.broken.as_ref().map(ToString::to_string),
    });
    ctx.ui.result(&lines, &object);
    let whole = history.broken.is_none() && versions.iter().all(|version| version.complete);
    Ok(if whole { Answer::Done } else { Answer::No })
}

fn show(pool: &Pool, store: &impl TableStore, header: &Header, owner: Option<&TableOwner>) -> Result<Shown, Error> {
    let of_owner = match owner {
        Some(owner) => pool.receipts(header)?.map(|receipts| {
            let key = owner.reading_key();
            (receipts.open(key, header), receipts.reports(key, header))
        }),
        None => None,
    };
    let (receipts, reports) = of_owner.unwrap_or_default();
    Ok(Shown {
        header: header.clone(),
        complete: store.reader(&header.hash()).is_ok(),
        reported: pool.reported(header)?,
        receipts,
        reports,
    })
}

fn place(header: &Header) -> String {
    let (version, rows, epoch) = (header.version(), header.tier().rows(), header.epoch());
    format!(
        "version {version}, header {}: {rows} rows, epoch {epoch}, {} bytes",
        hex::encode(header.hash()),
        table::bytes_of(header)
    )
}

/// The versions as a table, below it the account's receipts and what its reports say, if there are any.
fn lines(pool: &Pool, versions: &[Shown], references: &References) -> Vec<String> {
    let heads = [
        ("version", Side::Right),
        ("header", Side::Left),
        ("rows", Side::Right),
        ("epoch", Side::Right),
        ("bytes", Side::Right),
        ("report", Side::Left),
        ("unix time", Side::Right),
        ("", Side::Left),
    ];
    let mut lines = columns(heads, versions.iter().map(cells).collect());
    let receipts =
        versions.iter().flat_map(|version| version.receipts.iter().map(|receipt| (&version.header, receipt)));
    let receipts: Vec<_> =
        receipts.map(|(header, receipt)| receipts::cells(&Units::of_config(&pool.config), header, receipt)).collect();
    if !receipts.is_empty() {
        lines.push(String::new());
        lines.extend(receipts::lines(receipts));
    }
    lines.extend(versions.iter().flat_map(|shown| report_lines(shown, references)));
    lines
}

fn cells(shown: &Shown) -> [String; 8] {
    let (header, reported) = (&shown.header, shown.reported.as_ref());
    [
        header.version().to_string(),
        short(&header.hash()),
        decimal(header.tier().rows() as u128, 0),
        header.epoch().to_string(),
        decimal(table::bytes_of(header).into(), 0),
        reported.map_or(String::new(), |reported| outcome(&reported.round).replace('-', " ")),
        reported.map_or(String::new(), |reported| reported.time.to_string()),
        if shown.complete { String::new() } else { "body or sidecar lost".into() },
    ]
}

/// What the reports of a version say.
fn report_lines(shown: &Shown, references: &References) -> Vec<String> {
    let of = |report: &(u32, SlotReport)| {
        reports::lines(references, shown.header.version(), report, shown.notional(report.0))
    };
    let of_version = |line: String| format!("version {}, {}", shown.header.version(), line.trim_start());
    shown.reports.iter().flat_map(of).map(of_version).collect()
}

/// What the report of a version says of it, in one word.
fn outcome(round: &Round) -> &'static str {
    match (round.request_id == [0; 32], round.success) {
        (true, _) => "idle",
        (false, true) => "filled",
        (false, false) => "not-filled",
    }
}

/// What lies beside the chain: versions, then what is named like one and altered.
fn beside(history: &History) -> Value {
    let altered =
        |Altered { header_hash, part }: &Altered| json!({ "header_hash": Hex(*header_hash), "altered": part });
    history.beside.iter().map(table::object).chain(history.altered.iter().map(altered)).collect()
}

fn altered_line(Altered { header_hash, part }: &Altered) -> String {
    format!("beside the chain: header {}, whose {part} was altered", hex::encode(header_hash))
}

fn object(pool: &Pool, shown: &Shown, references: &References) -> Value {
    let mut object = table::object(&shown.header);
    object["complete"] = shown.complete.into();
    object["report"] = shown.reported.as_ref().map_or(Value::Null, |Reported { time, round }| {
        json!({
            "time": time, "outcome": outcome(round), "success": round.success, "request": Hex(round.request_id),
            "operations": round.count,
        })
    });
    object["receipts"] = {
        let units = Units::of_config(&pool.config);
        shown.receipts.iter().map(|receipt| receipts::object(&units, receipt)).collect()
    };
    let of = |report: &(u32, SlotReport)| {
        reports::object(references, shown.header.version(), report, shown.notional(report.0))
    };
    object["reports"] = shown.reports.iter().map(of).collect();
    object
}
