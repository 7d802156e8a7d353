//! What became public of a run says nothing of what is secret: no secret is found in it, and runs that differ
//! in secrets alone look alike. Each check is shown to fail when something leaks.

#![allow(clippy::panic, clippy::expect_used, reason = "a helper that fails ends its test")]

mod outside;
mod vault;

use alloy::{
    network::TransactionBuilder,
    primitives::{Address, B256, Bytes},
    rpc::types::TransactionRequest,
};
use ccc_chain::{
    Chain, ChainError, EmbeddedConfig, Refusal, Wallet,
    transcript::{RevertRecord, StorageRecord, StorageWord, Transcript, collect},
};
use ccc_core::table::{Header, Sidecar};
use ccc_node::{
    leak::{Hit, Secret, search},
    maker::TableOwner,
    production::ProductionRefusal,
    recovery::{CulpritLine, Mode, RecoveryError, RecoveryOptions, RecoveryReport, run},
    scenario::{Scenario, SecondThought},
    seed::Randomness,
    timeline::Silent,
};
use outside::{Difference, Part, Recorder, differences, file, outside};
use rand::Rng;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};
use vault::Vault;
use zeroize::Zeroizing;

const MAKERS: u32 = 8;
const SEED: u64 = 41;
const SECRETS: u64 = 1;
const OTHER_SECRETS: u64 = 2;
const LOT: u128 = 1_000_000;

struct Run {
    report: RecoveryReport,
    recorder: Recorder,
}

impl Run {
    /// A run of a scenario, with its hidden draws from a seed of their own.
    fn of(name: &str, secrets: u64) -> Self {
        Self::with(name, secrets, None)
    }

    /// As [`Self::of`], in which a maker submits once more.
    fn with(name: &str, secrets: u64, second_thought: Option<SecondThought>) -> Self {
        let mut scenario = Scenario::built_in(name).expect("built in");
        scenario.makers = MAKERS;
        scenario.liquidity.second_thought = second_thought;
        // one name, so that summaries compare
        scenario.name = "leak test".into();
        let options = RecoveryOptions { scenario, seed: Some(SEED), secret_seed: Some(secrets), ..Default::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut recorder = Recorder::default();
        let report = runtime.block_on(run(&options, &mut recorder)).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { report, recorder }
    }

    fn outside(&self) -> Vec<Part> {
        outside(&self.report, &self.recorder)
    }

    /// Every hit in everything public, lines included.
    fn leaks(&self) -> Vec<Hit> {
        let lines = self.recorder.lines.join("\n");
        let mut hits = self.report.leaks();
        hits.extend(search("a line", lines.as_bytes(), &self.report.secrets));
        hits
    }
}

static DEFICIT: LazyLock<Run> = LazyLock::new(|| Run::of("large-deficit", SECRETS));
static DEFICIT_OTHER_SECRETS: LazyLock<Run> = LazyLock::new(|| Run::of("large-deficit", OTHER_SECRETS));
static SHORTAGE: LazyLock<Run> = LazyLock::new(|| Run::of("insufficient-liquidity", SECRETS));
static REPLACED: LazyLock<Run> = LazyLock::new(|| Run::with("large-deficit", SECRETS, Some(SecondThought::Replace)));
static CANCELLED: LazyLock<Run> = LazyLock::new(|| Run::with("large-deficit", SECRETS, Some(SecondThought::Cancel)));

/// The makers and, last, the reserve, with the keys that they alone have.
fn owners(secrets: u64) -> Vec<TableOwner> {
    let randomness = Randomness::seeded(SEED).with_hidden(secrets);
    let mut draws = randomness.hidden("table owners", 0);
    let mut owners: Vec<TableOwner> =
        (0..MAKERS).map(|_| TableOwner::generate(&mut draws).expect("an owner")).collect();
    let [mut account, mut reading_key] = [(); 2].map(|()| Zeroizing::new([0; 32]));
    randomness.generator("reserve", 0).fill_bytes(account.as_mut_slice());
    randomness.hidden("reserve reading key", 0).fill_bytes(reading_key.as_mut_slice());
    owners.push(TableOwner::new(&account, reading_key).expect("an owner"));
    owners
}

/// Amount by asset that an owner reads in a version, from the public files and its own key.
fn balances(report: &RecoveryReport, version: u64, reading_key: &[u8; 32]) -> BTreeMap<u32, u128> {
    let header = Header::from_bytes(file(report, &format!("round-{version}.header"))).expect("a header");
    let sidecar = Sidecar::parse(file(report, &format!("round-{version}.sidecar")), &header).expect("a sidecar");
    let rows = sidecar.open_all(reading_key).into_iter().filter_map(|exit| exit.balance().ok());
    rows.map(|row| (row.asset.0, row.amount)).collect()
}

/// Fill and notional of each maker, then of the reserve, in the last version.
fn movements(run: &Run, secrets: u64) -> Vec<(u128, u128)> {
    let last = run.report.summary.table_version;
    let movement = |owner: TableOwner| {
        let [before, after] = [last - 1, last].map(|version| balances(&run.report, version, owner.reading_key()));
        (before[&0].abs_diff(after[&0]), before[&1].abs_diff(after[&1]))
    };
    owners(secrets).into_iter().map(movement).collect()
}

fn order_size(run: &Run, secrets: u64) -> u128 {
    movements(run, secrets).last().expect("the reserve").0
}

fn knows(run: &Run, name: &'static str, value: u128) -> bool {
    Secret::number(name, value).is_some_and(|secret| run.report.secrets.contains(&secret))
}

fn count(run: &Run, name: &str) -> usize {
    run.report.secrets.iter().filter(|secret| secret.name() == name).count()
}

#[test]
fn no_secret_is_in_anything_public() {
    for run in [&*DEFICIT, &*DEFICIT_OTHER_SECRETS, &*SHORTAGE, &*REPLACED, &*CANCELLED] {
        assert_eq!(run.leaks(), []);
        let short = run.report.secrets.iter().filter(|secret| !secret.in_every_width());
        assert_eq!(short.map(Secret::name).collect::<Vec<_>>(), Vec::<&str>::new(), "searched in part only");
    }
}

#[test]
fn the_search_knows_what_each_owner_reads_in_the_public_files() {
    let run = &*DEFICIT;
    let moved = movements(run, SECRETS);
    let (reserve, makers) = moved.split_last().expect("the reserve");
    let fills: Vec<_> = makers.iter().filter(|(fill, _)| *fill != 0).collect();
    assert!(fills.len() >= 3, "{} makers filled", fills.len());
    assert_eq!(makers.iter().map(|(fill, _)| fill).sum::<u128>(), reserve.0);
    assert_eq!(makers.iter().map(|(_, notional)| notional).sum::<u128>(), reserve.1);
    for (fill, notional) in fills {
        assert!(fill % LOT == 0 && knows(run, "a fill", *fill) && knows(run, "a fill's notional", *notional));
    }
    assert!(knows(run, "the order's size", reserve.0));
    assert!(knows(run, "the agent's deficit", reserve.0));
    assert!(knows(run, "the total notional", reserve.1));
    let execution = run.report.execution.as_ref().expect("the requester's");
    assert_eq!((execution.total, execution.filled), (reserve.1, u64::try_from(reserve.0 / LOT).expect("small")));
    assert!(knows(run, "the cost over the average price", execution.cost.unsigned_abs()));
    assert!(knows(run, "the reserve's row", reserve.0));
    for owner in &owners(SECRETS)[..MAKERS as usize] {
        let secret = Secret::bytes("a maker's table account", &owner.account());
        assert!(run.report.secrets.contains(&secret));
        assert!(run.report.secrets.contains(&Secret::bytes("a reading key", owner.reading_key())));
        assert_eq!(balances(&run.report, 3, owner.reading_key()).len(), 2);
    }
    assert_eq!(balances(&run.report, 3, &[7; 32]), BTreeMap::new(), "a stranger reads nothing");
}

/// With the shares of t participants, which nobody has together, the data key of every version; none of them, and
/// neither the shares nor the key that they make, is in anything public.
#[test]
fn no_key_of_the_vault_or_of_the_table_is_in_anything_public() {
    let vault = Vault::of(SEED);
    for run in [&*DEFICIT, &*SHORTAGE] {
        let mut keys = vec![Secret::bytes("the vault's key", vault.master.as_bytes())];
        keys.extend(vault.shares.iter().map(|share| Secret::bytes("a share of the vault's key", share.as_bytes())));
        assert!(keys[1..].iter().all(|share| run.report.secrets.contains(share)));
        for version in 1..=3 {
            let header = Header::from_bytes(file(&run.report, &format!("round-{version}.header"))).expect("a header");
            keys.push(Secret::bytes("a table's data key", &vault.data_key(&header)));
        }
        let mut report = copy(&run.report);
        report.secrets = keys;
        assert_eq!(report.leaks(), []);
        let last: [u8; 32] =
            vault.data_key(&Header::from_bytes(file(&run.report, "round-3.header")).expect("a header"));
        report.public_files.push(("log".into(), hex::encode(last).into_bytes()));
        assert_eq!(report.leaks().iter().map(|hit| hit.secret).collect::<Vec<_>>(), ["a table's data key"]);
    }
}

#[test]
fn every_kind_of_secret_is_searched() {
    let makers = MAKERS as usize;
    let run = &*DEFICIT;
    let once = [
        "the custodian's reserves",
        "the custodian's liabilities",
        "the gap between them",
        "the gap to the aim",
        "the agent's deficit",
        "the order's size",
        "the order's seed",
        "the total fill",
        "the total notional",
        "the cost over the average price",
        "the reserve's row",
        "the custodian's token",
        "the hardware's key",
    ];
    assert_eq!(once.map(|name| count(run, name)), [1; 13]);
    assert_eq!(count(run, "a standing order's size"), makers);
    assert_eq!(count(run, "a maker's table account"), makers);
    assert_eq!(count(run, "a maker's key"), makers);
    assert_eq!(count(run, "a reading key"), makers + 1);
    assert_eq!(count(run, "a share of the vault's key"), 16);
    let fills = count(run, "a fill");
    assert!(fills >= 3 && count(run, "a fill's notional") == fills && count(run, "a maker's proceeds") == fills);
    assert!(count(run, "a maker's reservation") >= makers && count(run, "a maker's balance") >= fills);
}

#[test]
fn runs_that_differ_in_secrets_alone_look_alike() {
    let (one, other) = (&*DEFICIT, &*DEFICIT_OTHER_SECRETS);
    assert_ne!(order_size(one, SECRETS), order_size(other, OTHER_SECRETS));
    assert_ne!(movements(one, SECRETS), movements(other, OTHER_SECRETS));
    let names = |run: &Run| run.report.secrets.iter().map(Secret::name).collect::<BTreeSet<_>>();
    assert_eq!(names(one), names(other));
    let found = differences(&one.outside(), &other.outside());
    assert_eq!(found, [], "{} differences", found.len());
}

/// A maker that takes its order back and one that replaces it: the first is not filled, others are in its place, and
/// nothing public tells the runs apart.
#[test]
fn a_run_with_a_cancellation_looks_like_one_with_another_order() {
    let (replaced, cancelled) = (&*REPLACED, &*CANCELLED);
    let [kept, gone] = [replaced, cancelled].map(|run| movements(run, SECRETS));
    assert!(kept[0].0 > 0, "the maker whose order stands is filled");
    assert_eq!(gone[0], (0, 0));
    assert_eq!(kept.last().map(|(fill, _)| fill), gone.last().map(|(fill, _)| fill), "the request is filled in both");
    let found = differences(&replaced.outside(), &cancelled.outside());
    assert_eq!(found, [], "{} differences", found.len());
}

#[test]
fn n130_the_table_shows_neither_which_nor_how_many_accounts_changed() {
    let filled = |run: &Run, secrets| movements(run, secrets).iter().filter(|(fill, _)| *fill != 0).count();
    assert_ne!(filled(&DEFICIT, SECRETS), filled(&SHORTAGE, SECRETS));
    for kind in ["header", "body", "sidecar"] {
        let lengths = [&*DEFICIT, &*DEFICIT_OTHER_SECRETS, &*SHORTAGE]
            .map(|run| [1, 2, 3].map(|version| file(&run.report, &format!("round-{version}.{kind}")).len()));
        let first = lengths[0][0];
        assert_eq!(lengths, [[first; 3]; 3], "{kind}");
    }
    for run in [&*DEFICIT, &*SHORTAGE] {
        let [before, after] = [2, 3].map(|version| file(&run.report, &format!("round-{version}.body")));
        let same = before.iter().zip(after).filter(|(before, after)| before == after).count();
        // 1 in 256 by chance, with room for 10 standard deviations
        assert!(same < before.len() / 256 + 10 * before.len().isqrt() / 16, "{same} of {} bytes stayed", before.len());
    }
}

/// Whether a difference is one byte of this place that has these values.
fn is_byte(difference: &Difference, part: impl AsRef<str>, values: (u8, u8)) -> bool {
    matches!(difference, Difference::Byte { place, left, right, .. }
        if place.starts_with(part.as_ref()) && (*left, *right) == values)
}

/// Status numbers: a request is filled (2) or failed (3), a reserve solvent (1) or insolvent (2).
#[test]
fn n139_a_failed_round_differs_from_a_filled_one_in_the_public_boolean_alone() {
    let (filled, failed) = (&*DEFICIT, &*SHORTAGE);
    assert_eq!((filled.report.summary.final_status, failed.report.summary.final_status), ("solvent", "insolvent"));
    let last = filled.report.transcript.transactions.len() - 1;
    let events = filled.report.transcript.events.len();
    let gas = [last - 1, last].map(|index| format!("transaction {index}, gas"));
    // the status in a word, and the names of what a fill alone makes
    let mut worded = Run { report: copy(&failed.report), recorder: failed.recorder.clone() };
    worded.report.summary.final_status = filled.report.summary.final_status;
    worded.report.private.clone_from(&filled.report.private);
    let shown = worded.report.summary.spans.iter_mut().rfind(|span| span.status.is_some());
    assert_eq!(shown.and_then(|span| span.status.replace("solvent")), Some("insolvent"));
    for line in &mut worded.recorder.lines {
        *line = line.replace("finished reserve check, again: insolvent", "finished reserve check, again: solvent");
    }
    let mut found = differences(&filled.outside(), &worded.outside());
    // what a boolean costs in gas follows from the boolean
    found.retain(|found| !matches!(found, Difference::Byte { place, .. } | Difference::Length { place, .. } if gas.contains(place)));
    let expected = [
        (format!("transaction {}, calldata", last - 1), (1, 0)),
        (format!("transaction {last}, calldata"), (1, 2)),
        (format!("event {}, data", events - 6), (1, 0)),
        (format!("event {}, data", events - 3), (1, 2)),
        (format!("event {}, data", events - 2), (1, 0)),
        ("storage of ".to_owned(), (2, 3)),
        ("storage of ".to_owned(), (1, 2)),
        ("file round-3.report".to_owned(), (1, 0)),
        ("file reserve-2.report".to_owned(), (1, 2)),
    ];
    let as_expected = found.iter().zip(&expected).all(|(found, (place, values))| is_byte(found, place, *values));
    assert!(as_expected && found.len() == expected.len(), "{events} events, last {last}: {found:#?}");
}

/// Something that is public, to plant a leak in.
type Plant = fn(&mut RecoveryReport, u128);

/// In what the chain lists.
fn planted_on_the_chain() -> [(&'static str, Plant); 7] {
    [
        ("calldata, big-endian word", |report, value| {
            let calldata = &mut report.transcript.transactions[9].calldata;
            *calldata = [calldata.as_ref(), &[0; 16], &value.to_be_bytes()].concat().into();
        }),
        ("calldata, RLP", |report, value| {
            let bytes: Vec<u8> = value.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            let length = 0x80 + u8::try_from(bytes.len()).expect("at most 16");
            let calldata = &mut report.transcript.transactions[3].calldata;
            *calldata = [&[length], &bytes[..], calldata.as_ref()].concat().into();
        }),
        ("a recipient", |report, value| {
            let mut address = [0xaa; 20];
            address[4..20].copy_from_slice(&value.to_be_bytes());
            report.transcript.transactions[5].to = Some(Address::from(address));
        }),
        ("an event's data, little-endian", |report, value| {
            let data = &mut report.transcript.events[7].data;
            *data = [data.as_ref(), &value.to_le_bytes()[..8]].concat().into();
        }),
        ("an event's topic", |report, value| {
            report.transcript.events[4].topics.push(B256::left_padding_from(&value.to_be_bytes()));
        }),
        ("storage", |report, value| {
            let StorageRecord::Words { words } = &mut report.transcript.storage else { return };
            let mut word = [0; 32];
            word[3..19].copy_from_slice(&value.to_be_bytes());
            words.push(StorageWord { contract: Address::ZERO, key: B256::ZERO, value: B256::from(word) });
        }),
        ("revert data", |report, value| {
            let data = Bytes::copy_from_slice(&value.to_be_bytes());
            let refusal = Refusal { by: Address::ZERO, name: "E".into(), arguments: Vec::new(), data };
            let record = RevertRecord { from: Address::ZERO, to: None, calldata: Bytes::new(), refusal };
            report.transcript.reverts.push(record);
        }),
    ]
}

/// In what the run says and writes.
fn planted_beside_the_chain() -> [(&'static str, Plant); 5] {
    [
        ("the summary, decimal", |report, value| {
            report.summary.culprits.push(CulpritLine { participant: 1, reason: format!("refused {value}") });
        }),
        ("the summary, as a coin amount", |report, value| {
            report.summary.scenario = format!("{}.{:08} BTC", value / 100_000_000, value % 100_000_000);
        }),
        ("a public file, hexadecimal", |report, value| {
            report.public_files.push(("deployment.json".into(), format!("{{\"x\":\"0x{value:X}\"}}").into_bytes()));
        }),
        ("a table's body, six bytes little-endian", |report, value| {
            let bytes = value.to_le_bytes();
            let body = report.public_files.iter_mut().find(|(name, _)| name == "round-3.body");
            let place = body.map(|(_, body)| body).into_iter().flat_map(|body| body[5_000..].iter_mut());
            place.zip(&bytes[..6]).for_each(|(place, byte)| *place = *byte);
        }),
        ("a printed line", |report, value| {
            report.saw[0].amount = format!("{value} bytes");
        }),
    ]
}

/// A copy of what is public, with the secrets that are searched for.
fn copy(report: &RecoveryReport) -> RecoveryReport {
    RecoveryReport {
        summary: report.summary.clone(),
        saw: report.saw.clone(),
        private: report.private.clone(),
        transcript: report.transcript.clone(),
        public_files: report.public_files.clone(),
        secrets: report.secrets.clone(),
        execution: report.execution.clone(),
        figures: report.figures.clone(),
    }
}

#[test]
fn a_planted_number_is_found_wherever_it_is_public() {
    let size = order_size(&DEFICIT, SECRETS);
    for (place, plant) in planted_on_the_chain().into_iter().chain(planted_beside_the_chain()) {
        let mut report = copy(&DEFICIT.report);
        plant(&mut report, size);
        let found: BTreeSet<&str> = report.leaks().iter().map(|hit| hit.secret).collect();
        assert!(found.contains("the order's size"), "{place}: {found:?}");
    }
}

#[test]
fn a_planted_account_or_key_is_found() {
    let owner = &owners(SECRETS)[0];
    let planted = [
        (owner.account().to_vec(), "a maker's table account"),
        (hex::encode_upper(owner.account()).into_bytes(), "a maker's table account"),
        (owner.reading_key().to_vec(), "a reading key"),
    ];
    for (bytes, name) in planted {
        let mut report = copy(&DEFICIT.report);
        report.transcript.events[2].data = bytes.into();
        let [hit] = &report.leaks()[..] else { panic!("{name}: {:?}", report.leaks()) };
        assert_eq!(hit.secret, name);
    }
}

#[test]
fn a_planted_line_is_found() {
    let mut recorder = DEFICIT.recorder.clone();
    recorder.lines.push(format!("cleared {} in 3 ms", order_size(&DEFICIT, SECRETS)));
    let run = Run { report: copy(&DEFICIT.report), recorder };
    let names: BTreeSet<&str> = run.leaks().iter().map(|hit| hit.secret).collect();
    assert!(names.contains("the order's size"), "{names:?}");
}

/// A contract that stores the first word of the calldata and logs it all, then reverts with it if there are more
/// than 32 bytes: `sstore(0, calldataload(0)) log0(calldata) if gt(calldatasize(), 32) { revert(calldata) }`.
const TELLTALE: [u8; 32] = [
    0x60, 0x17, 0x80, 0x60, 0x09, 0x5f, 0x39, 0x5f, 0xf3, // deployment: the rest is the code
    0x5f, 0x35, 0x5f, 0x55, 0x36, 0x5f, 0x5f, 0x37, 0x36, 0x5f, 0xa0, 0x60, 0x20, 0x36, 0x11, 0x60, 0x13, 0x57, 0x00,
    0x5b, 0x36, 0x5f, 0xfd,
];

/// The transcript of a chain on which that contract was called with a number, accepted and refused.
async fn telltale(value: u128) -> Transcript {
    let genesis = EmbeddedConfig { chain_id: 31_337, genesis_time: 1_767_225_600, rich: Vec::new() };
    let chain = Chain::embedded(&genesis);
    let wallet = Wallet::from_key(&[9; 32]).expect("a wallet");
    chain.fund(wallet.address()).await.expect("funded");
    let deploy = TransactionRequest::default().with_deploy_code(Bytes::from_static(&TELLTALE));
    let deployed = chain.send(&wallet, deploy).await.expect("deployed");
    let contract = deployed.contract.expect("a contract");
    let call = TransactionRequest::default().to(contract);
    let word = [&[0; 16][..], &value.to_be_bytes()].concat();
    chain.send(&wallet, call.clone().with_input(word.clone())).await.expect("accepted");
    let refused = chain.simulate(&call.with_input([&word[..], &[1]].concat())).await;
    assert!(matches!(refused, Err(ChainError::Refused(_))));
    collect(&chain, 0, &[contract]).await.expect("collected")
}

/// The collection itself loses nothing: what a real chain shows of a number is found.
#[tokio::test]
async fn a_number_on_a_real_chain_is_found() {
    let value = 0x0123_4567_89ab_cdef;
    let transcript = telltale(value).await;
    let secrets = [Secret::number("a number", value).expect("large enough")];
    let found = |bytes: &[u8]| search("the chain", bytes, &secrets).len() == 1;
    let StorageRecord::Words { words } = &transcript.storage else { panic!("the embedded chain lists its memory") };
    assert!(found(&transcript.transactions[1].calldata));
    assert!(found(&transcript.events[0].data));
    assert!(found(words[0].value.as_slice()));
    assert!(found(&transcript.reverts[0].calldata) && found(&transcript.reverts[0].refusal.data));
    assert_eq!(transcript.byte_strings().filter(|bytes| found(bytes)).count(), 5);
}

/// A change that leaves every secret hidden and still tells two runs apart.
type Tell = fn(&mut Run);

fn tells() -> [(&'static str, Tell); 7] {
    [
        ("a longer calldata", |run| {
            let calldata = &mut run.report.transcript.transactions[20].calldata;
            *calldata = [calldata.as_ref(), &[0]].concat().into();
        }),
        ("a longer body", |run| {
            let body = run.report.public_files.iter_mut().find(|(name, _)| name == "round-3.body");
            body.into_iter().for_each(|(_, body)| body.push(0));
        }),
        ("one event more", |run| {
            let event = run.report.transcript.events[0].clone();
            run.report.transcript.events.push(event);
        }),
        ("another readable byte", |run| {
            run.report.transcript.transactions[20].time += 1;
        }),
        ("more gas", |run| {
            run.report.transcript.transactions[20].gas_used += 1;
        }),
        ("one word of storage less", |run| {
            if let StorageRecord::Words { words } = &mut run.report.transcript.storage {
                words.pop();
            }
        }),
        ("one line more", |run| run.recorder.lines.push("started again".to_owned())),
    ]
}

#[test]
fn a_planted_difference_is_seen() {
    for (plain, other) in [(&*DEFICIT, &*DEFICIT_OTHER_SECRETS), (&*REPLACED, &*CANCELLED)] {
        let plain = plain.outside();
        for (what, tell) in tells() {
            let mut run = Run { report: copy(&other.report), recorder: other.recorder.clone() };
            tell(&mut run);
            assert_eq!(run.leaks(), [], "{what}: the search does not see it");
            assert_ne!(differences(&plain, &run.outside()), Vec::<Difference>::new(), "{what}");
        }
    }
}

#[tokio::test]
async fn a_second_seed_is_refused_in_production() {
    let options = RecoveryOptions { mode: Mode::Production, secret_seed: Some(1), ..Default::default() };
    assert!(matches!(run(&options, &mut Silent).await, Err(RecoveryError::Production(ProductionRefusal::Seed))));
}
