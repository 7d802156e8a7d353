//! `ccc-faults`: tries every row and prints the table. Exit code: 0 every goal was met, 1 one was missed or not run, 2 the
//! command line is wrong.

use ccc_faults::{
    guards, rows, stores,
    table::{self, Extent, Row, Tried},
};
use clap::Parser;
use serde_json::json;
use std::{path::PathBuf, process::ExitCode, time::Duration};

/// Breaks things on purpose and prints one table of what held.
#[derive(Parser)]
#[command(name = "ccc-faults", version)]
struct Cli {
    /// Tries the rows and prints the table.
    #[arg(long)]
    table: bool,
    /// Names the rows and the guards, and tries nothing.
    #[arg(long, conflicts_with = "table")]
    list: bool,
    /// Fits the gate's budget: committees of 16, few seeds. The default.
    #[arg(long, conflicts_with = "deep")]
    quick: bool,
    /// Committees of 100 too, many seeds, many kills.
    #[arg(long)]
    deep: bool,
    /// Tries this row alone; may be given again.
    #[arg(long, value_name = "NAME")]
    row: Vec<String>,
    /// The seed of every simulation; a failing one is printed and replays exactly.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds after which a row that has not ended has failed.
    #[arg(long, value_name = "SECONDS")]
    limit: Option<u64>,
    /// Takes a guard out first, so that its row fails; needs the feature `unguarded`.
    #[arg(long, value_name = "GUARD")]
    without: Vec<String>,
    /// The process that the row store-kills kills: writes versions into a directory, from another one.
    #[arg(long, value_name = "DIRECTORY", num_args = 2, hide = true)]
    writer: Vec<PathBuf>,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match execute(&cli) {
        Ok(held) => ExitCode::from(u8::from(!held)),
        Err((error, hint)) => {
            eprintln!("error: {error}\nhint: {hint}");
            ExitCode::from(2)
        }
    }
}

type Refused = (String, &'static str);

fn execute(cli: &Cli) -> Result<bool, Refused> {
    if let [directory, history] = &cli.writer[..] {
        stores::write(directory, history)
            .map_err(|error| (error.to_string(), "the directory is one that the row store-kills made"))?;
        return Ok(true);
    }
    if cli.list {
        list();
        return Ok(true);
    }
    if !cli.table {
        return Err(("nothing to do".to_owned(), "--table tries the rows, --list names them"));
    }
    let chosen = chosen(&cli.row)?;
    for name in &cli.without {
        guards::remove(name)
            .map_err(|error| (error.to_string(), "--list names the guards; build with --features unguarded"))?;
    }
    let extent = Extent { seed: cli.seed, deep: cli.deep };
    let limit = Duration::from_secs(cli.limit.unwrap_or(if cli.deep { 4 * 3600 } else { 120 }));
    Ok(try_all(&chosen, extent, limit, cli.json))
}

fn chosen(names: &[String]) -> Result<Vec<Row>, Refused> {
    let all = rows();
    if let Some(unknown) = names.iter().find(|name| all.iter().all(|row| row.name != name.as_str())) {
        return Err((format!("no row is named {unknown}"), "--list names the rows"));
    }
    Ok(all.into_iter().filter(|row| names.is_empty() || names.iter().any(|name| name == row.name)).collect())
}

fn list() {
    for Row { name, fault, .. } in rows() {
        println!("row    {name:<16} {fault}");
    }
    for guards::Guarded { name, rows, .. } in guards::GUARDS {
        println!("guard  {name:<16} of {}", rows.join(", "));
    }
}

fn try_all(chosen: &[Row], extent: Extent, limit: Duration, json: bool) -> bool {
    if !json {
        println!("{}", table::HEADING);
    }
    let mut all = Vec::new();
    for row in chosen {
        let tried = table::try_row(row, extent, limit);
        if !json {
            println!("{}", table::line(&tried));
        }
        all.push(tried);
    }
    let held = all.iter().all(Tried::held);
    if json {
        println!("{}", json!({ "seed": extent.seed, "deep": extent.deep, "held": held, "rows": all }));
    } else {
        let (count, seed) = (all.iter().filter(|tried| tried.held()).count(), extent.seed);
        println!("\n{count} of {} rows held, seed {seed}", all.len());
    }
    held
}
