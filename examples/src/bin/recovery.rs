//! The whole way in one process: a small committee, a few makers, a reserve at 95 %, and a look at what became public.

use ccc_examples::{Anything, holds};
use ccc_node::{
    recovery::{self, RecoveryOptions},
    scenario::Scenario,
    timeline::{Observer, Span},
};

/// Prints each step as it ends.
struct Printed;

impl Observer for Printed {
    fn started(&mut self, _: &'static str) {}

    fn finished(&mut self, span: &Span) {
        println!("  {}", span.name);
    }
}

fn main() -> Result<(), Anything> {
    let scenario = Scenario::from_toml("name = 'example'\nparticipants = 4\nmakers = 8")?;
    let options = RecoveryOptions { scenario, ..RecoveryOptions::default() };
    let report = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(recovery::run(&options, &mut Printed))?;
    let summary = &report.summary;
    println!("{} → {}, table version {}", summary.initial_status, summary.final_status, summary.table_version);
    println!("{} public bytes searched for {} secrets", summary.public_bytes, report.secrets.len());
    holds("the reserve healed", report.healed())?;
    holds("no secret became public", report.leaks().is_empty())
}
