//! Whole recoveries with the agent, on the embedded chain: from key generation to the second reserve check.

use std::path::{Path, PathBuf};

use ccc_agent::{
    journal,
    plan::{Action, Entry},
    recovery::RecoveryAgent,
};
use ccc_chain::swap::place::{self, Published};
use ccc_node::{
    custodian::SimulatedStatement,
    recovery::{RecoveryError, RecoveryOptions, RecoveryReport, Route, StatementSource, run_with},
    scenario::{Market, Scenario},
    timeline::Silent,
};

const COIN: u64 = 100_000_000;
/// The first second of a seeded run.
const SEEDED_TIME: u64 = 1_767_225_600;

/// A scenario that ships, with fewer people.
fn options(name: &str) -> RecoveryOptions {
    let built_in = Scenario::built_in(name).unwrap();
    let scenario = Scenario { participants: 4, threshold: None, makers: 8, ..built_in };
    RecoveryOptions { scenario, seed: Some(17), ..RecoveryOptions::default() }
}

async fn recover(options: &RecoveryOptions, code: Option<Published>) -> (RecoveryReport, Vec<Entry>) {
    let folder = tempfile::tempdir().unwrap();
    let agent = Box::new(RecoveryAgent::new(folder.path().to_owned(), code));
    let report = run_with(options, agent, &mut Silent).await.unwrap();
    let mut entries = Vec::new();
    journal::verify(&folder.path().join("journal"), |line| entries.extend(line.entry())).unwrap();
    (report, entries)
}

fn ends(report: &RecoveryReport) -> (&'static str, &'static str, Option<Route>) {
    (report.summary.initial_status, report.summary.final_status, report.summary.route)
}

/// What the plan contains.
fn actions(entries: &[Entry]) -> Vec<Action> {
    let items = entries.iter().filter_map(|entry| match entry {
        Entry::Decided { items, .. } => Some(items.iter().map(|item| item.action)),
        _ => None,
    });
    items.flatten().collect()
}

/// Without the buffer: what is missing to be solvent is the aim.
fn without_buffer() -> RecoveryOptions {
    let mut options = options("small-deficit");
    options.scenario.buffer = None;
    options.scenario.reserve.recover_to_basis_points = 10_000;
    options
}

/// First what is missing to be solvent, in public; then lots, one for each of the days that follow, until the aim is reached.
#[tokio::test]
async fn a_small_deficit_is_swapped_and_the_buffer_comes_in_lots() {
    let (report, entries) = recover(&options("small-deficit"), None).await;
    assert_eq!(ends(&report), ("insolvent", "solvent", Some(Route::Split)));
    let [Action::Swap { quoted, .. }, ref lots @ ..] = actions(&entries)[..] else { panic!("{entries:?}") };
    assert!((124 * COIN..127 * COIN).contains(&quoted), "the shortfall, and no part of the buffer: {quoted}");
    let lots: Vec<u64> = lots.iter().filter_map(|lot| requested(*lot)).collect();
    assert_eq!(lots[..2], [2_200 * COIN; 2]);
    assert_eq!(lots.len(), 3, "{lots:?}");
    let all = quoted + lots.iter().sum::<u64>();
    // 5.1 % of 124,800 bitcoin, and the fractions that the custodian keeps to itself
    assert!((6_364 * COIN..6_370 * COIN).contains(&all), "{all}");
    let asked = entries.windows(2).filter_map(|pair| match &pair[1] {
        Entry::Intent(intent) if intent.request.is_some() => intent.deadline,
        _ => None,
    });
    let asked: Vec<u64> = asked.collect();
    assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= 90_000), "{asked:?}");
    assert_eq!(report.leaks(), []);
    for name in ["the agent's deficit", "the agent's buffer", "the order's size", "the order's seed"] {
        assert!(searched(&report, name) > 0, "{name}");
    }
    assert_eq!(searched(&report, "the order's seed"), 3, "one of each lot");
    let orders = ["order.ciphertext", "order-2.ciphertext", "order-3.ciphertext", "order-4.ciphertext"];
    let kept = orders.map(|name| report.public_files.iter().any(|(kept, _)| kept == name));
    assert_eq!(kept, [true, true, true, false]);
    // the first check's number is what the agent had to open the envelope for
    let mut leaking = report;
    let deficit = all_of_it(&entries);
    leaking.public_files.push(("log".into(), deficit.to_be_bytes().to_vec()));
    assert!(leaking.leaks().iter().any(|hit| hit.secret == "the agent's deficit"), "{deficit}");
}

/// Of how many secrets of this name the run's public side was searched for.
fn searched(report: &RecoveryReport, name: &str) -> usize {
    report.secrets.iter().filter(|secret| secret.name() == name).count()
}

/// What the envelope of the first check said, as the journal has it in words.
fn all_of_it(entries: &[Entry]) -> u64 {
    let words = entries.iter().find_map(|entry| match entry {
        Entry::Decided { words, .. } => words.first(),
        _ => None,
    });
    let number = words.and_then(|line| line.split_once("says ")).and_then(|(_, rest)| rest.split(' ').next());
    number.and_then(|number| number.parse().ok()).expect("the envelope's number")
}

fn requested(action: Action) -> Option<u64> {
    if let Action::Request { coins } = action { Some(coins) } else { None }
}

#[tokio::test]
async fn a_small_deficit_is_swapped_in_public() {
    let (report, entries) = recover(&without_buffer(), None).await;
    assert_eq!(ends(&report), ("insolvent", "solvent", Some(Route::Direct)));
    let [Action::Swap { paid, quoted }] = actions(&entries)[..] else { panic!("{entries:?}") };
    assert!((124 * COIN..127 * COIN).contains(&quoted), "{quoted}");
    assert!(paid < 13_000_000_000_000, "{paid}");
    let intents = entries.iter().filter(|entry| matches!(entry, Entry::Intent(_))).count();
    assert_eq!(intents, 2, "an approval and the swap");
    assert_eq!(report.leaks(), []);
}

/// Uniswap's own contracts, where npm has put them.
#[tokio::test]
async fn a_small_deficit_is_swapped_at_uniswap() {
    let Some(code) = packages() else {
        println!("no Uniswap packages: not run");
        return;
    };
    let (report, entries) = recover(&without_buffer(), Some(code)).await;
    assert_eq!(ends(&report), ("insolvent", "solvent", Some(Route::Direct)));
    assert!(matches!(actions(&entries)[..], [Action::Swap { .. }]), "{entries:?}");
}

fn packages() -> Option<Published> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../node_modules");
    let paths: Vec<PathBuf> = place::ARTIFACTS.iter().map(|artifact| root.join(artifact)).collect();
    let texts: Option<Vec<String>> = paths.iter().map(|path| std::fs::read_to_string(path).ok()).collect();
    let texts = texts?;
    let [factory, positions, router, quoter] = texts.as_slice() else { panic!("four artifacts") };
    Some(Published::read([factory, positions, router, quoter]).unwrap())
}

/// There is a market, and what is missing is worth more than the policy's ceiling for a public swap.
#[tokio::test]
async fn a_large_deficit_goes_to_the_dark_pool_past_the_market() {
    let mut options = options("large-deficit");
    options.scenario.market = Some(Market { depth_dollars: 4_000_000_000, agent_dollars: 2_400_000_000 });
    let (report, entries) = recover(&options, None).await;
    assert_eq!(ends(&report), ("insolvent", "solvent", Some(Route::Dark)));
    let [Action::Request { coins }] = actions(&entries)[..] else { panic!("{entries:?}") };
    assert!(coins > 12_480 * COIN, "{coins}");
    assert_eq!(report.leaks(), [], "neither the order nor what was missing is in what is public");
    let kinds = ["the agent's deficit", "what is missing to be solvent", "the order's size", "the order's seed"];
    assert_eq!(kinds.map(|name| searched(&report, name)), [1; 4]);
    assert!(report.public_files.iter().any(|(name, _)| name == "order.ciphertext"));
}

/// All or none: the round closes without a fill, the chain says insolvent; the agent is shown that too, and does not ask again.
#[tokio::test]
async fn a_dark_pool_that_cannot_fill_leaves_the_reserve_as_it_is_and_says_so() {
    let mut options = options("insufficient-liquidity");
    // dollars for several: the number of requests alone holds it back
    options.scenario.reserve.deposit_dollars *= 10;
    let (report, entries) = recover(&options, None).await;
    assert_eq!(ends(&report), ("insolvent", "insolvent", Some(Route::Dark)));
    assert!(matches!(actions(&entries)[..], [Action::Request { .. }, Action::Request { .. }]), "{entries:?}");
    let intents = entries.iter().filter(|entry| matches!(entry, Entry::Intent(_))).count();
    assert_eq!(intents, 1, "the second plan is not begun: one request a day");
    assert_eq!(report.leaks(), [], "neither the size nor what the pool could give");
}

/// A custodian that does not count what came in: the swap is made once, and the reserve stays insolvent.
#[tokio::test]
async fn what_no_statement_counts_does_not_heal() {
    let statement = SimulatedStatement {
        account: "vault".into(),
        unit: "satoshi",
        time: SEEDED_TIME,
        reserves: 124_676 * COIN,
        liabilities: 124_800 * COIN,
    };
    let statement = StatementSource::Bytes(statement.to_json().into());
    let (report, entries) = recover(&RecoveryOptions { statement, ..options("small-deficit") }, None).await;
    assert_eq!(ends(&report), ("insolvent", "insolvent", Some(Route::Direct)));
    assert_eq!(actions(&entries).len(), 1);
}

/// More than the reserve has to pay with: nothing is signed, and nothing looks as if it were.
#[tokio::test]
async fn what_is_above_the_cap_is_not_sent() {
    let mut options = options("small-deficit");
    options.scenario.reserve.deposit_dollars = 1_000_000;
    let (report, entries) = recover(&options, None).await;
    assert_eq!(ends(&report), ("insolvent", "insolvent", None));
    assert!(!entries.iter().any(|entry| matches!(entry, Entry::Intent(_))), "{entries:?}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_ends_the_recovery() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refused = run_with(&options("small-deficit"), Box::new(RecoveryAgent::new(file, None)), &mut Silent).await;
    let refused = refused.err().unwrap();
    assert!(matches!(refused, RecoveryError::Refill(_)), "{refused}");
}
