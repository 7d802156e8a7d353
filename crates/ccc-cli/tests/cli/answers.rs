//! Owners ask for their rows, auditors for totals: an attempt of its own answers, and moves nothing.

use super::support::{Run, Scratch, Story};
use serde_json::Value;

const RUN: &str = "--json fill run --pool pool --attempt ask";

fn asks(story: &Story, owner: &str, number: u8) {
    let files = format!("--account-key {owner}.ccc --out ask/query-{number}.ccc");
    story.done(&format!("--no-passphrase table ask --pool pool --attempt ask {files}"));
}

fn answer(story: &Story, number: u8) -> Run {
    story.ccc(&format!("--json table answer --pool pool --attempt ask --query-key ask/query-{number}.ccc.key"))
}

/// The rows of an answer or a balance, by their assets' names.
fn rows(object: &Value) -> Vec<Value> {
    let mut rows = object["rows"].as_array().expect("rows").clone();
    rows.sort_by_key(|row| row["asset"].to_string());
    rows
}

/// A pool and an attempt that answers queries; nobody has asked yet.
fn asked() -> Story {
    let story = Story::stocked();
    story.attempt("ask", "--query", &[1, 2, 3]);
    story
}

fn refused(run: &Run, exit: i32, code: &str) {
    assert_eq!((run.code, &run.json_error()["code"]), (exit, &code.into()), "{}", run.stderr);
}

#[test]
fn owners_ask_and_each_reads_its_own_answer() {
    let story = asked();
    asks(&story, "maker", 1);
    asks(&story, "reserve", 3);
    story.done("--no-passphrase keygen account --out stranger.ccc");
    asks(&story, "stranger", 4);
    story.scratch.write("ask/query-2.ccc", b"no query");
    let before = story.scratch.read("pool/head.json");
    let run = story.done(RUN).json();
    assert_eq!((&run["kind"], &run["answers"]), (&"query".into(), &3.into()));
    assert_eq!(run["not_shares"][0]["file"], "ask/query-2.ccc");
    assert_eq!(story.scratch.read("pool/head.json"), before, "no version is made");
    assert!(!story.scratch.path("ask/attempt.key").exists() && !story.scratch.path("ask/report.ccc").exists());
    for (number, owner) in [(1, "maker"), (3, "reserve")] {
        let (told, balance) = (answer(&story, number), story.balance(owner));
        assert_eq!((told.code, rows(&told.json())), (0, rows(&balance)), "{owner}: {}", told.stderr);
        assert_eq!((&told.json()["version"], &told.json()["current"]), (&2.into(), &true.into()));
    }
    let stranger = answer(&story, 4);
    assert_eq!((stranger.code, &stranger.json()["rows"]), (1, &Value::Array(vec![])));
    story.done("--no-passphrase keygen auditor --out other.ccc");
    let other = story.ccc("--json table answer --pool pool --attempt ask --query-key other.ccc");
    refused(&other, 1, "not-answered");
    refused(&story.ccc(RUN), 2, "spent");
}

#[test]
fn queries_and_answers_are_told_and_verified() {
    let story = asked();
    asks(&story, "maker", 1);
    story.done(RUN);
    assert_eq!(story.done("--json inspect ask/query-1.ccc").json()["file"], "a sealed query");
    let told = story.done("--json inspect ask/answers.ccc").json();
    assert_eq!((&told["answers"], &told["answer_bytes"]), (&1.into(), &(112 + 36 * 2).into()));
    story.done("verify --pool pool ask/request.ccc ask/query-1.ccc ask/answers.ccc");
    story.ccc("verify --pool pool ask/answers.ccc").fails(2, "cannot be checked without its request");
    let other = "intake/request.ccc";
    let request = story.scratch.read(other);
    story.scratch.write("other.ccc", request);
    for file in ["ask/query-1.ccc", "ask/answers.ccc"] {
        let run = story.ccc(&format!("verify --pool pool {file} other.ccc"));
        assert_eq!(run.code, 1, "{file}: {}", run.stderr);
        assert!(run.stderr.contains("the request differs"), "{}", run.stderr);
    }
    let key = story.done("--json inspect ask/query-1.ccc.key").json();
    assert_eq!(key["content"], "a reader's key");
}

#[test]
fn answers_that_the_enclave_did_not_give_are_refused() {
    let story = asked();
    asks(&story, "maker", 1);
    story.done(RUN);
    let whole = story.scratch.read("ask/answers.ccc");
    for (at, code) in
        [(8, "other-attempt"), (72, "other-attempt"), (112, "attestation"), (whole.len() - 1, "attestation")]
    {
        let mut bent = whole.clone();
        bent[at] ^= 1;
        story.scratch.write("ask/answers.ccc", bent);
        refused(&answer(&story, 1), 2, code);
    }
    story.scratch.write("ask/answers.ccc", &whole[..whole.len() - 1]);
    refused(&answer(&story, 1), 2, "encoding");
    story.scratch.write("ask/answers.ccc", &whole);
    assert_eq!(answer(&story, 1).code, 0);
    story.attempt("next", "--query", &[1, 2, 3]);
    let run = story.ccc(
        "--json table answer --pool pool --attempt next --answers ask/answers.ccc --query-key ask/query-1.ccc.key",
    );
    refused(&run, 2, "other-attempt");
}

#[test]
fn an_owner_asks_nobody_but_the_pools_enclave() {
    let story = asked();
    let ask = |attempt: &str| {
        let files = "--account-key maker.ccc --out q.ccc --force";
        story.ccc(&format!("--json --no-passphrase table ask --pool pool --attempt {attempt} {files}"))
    };
    let card = story.scratch.read("ask/recipient.ccc");
    for (at, code) in [(8, "attestation"), (72, "other-enclave"), (card.len() - 1, "attestation")] {
        let mut bent = card.clone();
        bent[at] ^= 1;
        story.scratch.write("ask/recipient.ccc", bent);
        refused(&ask("ask"), 2, code);
    }
    story.scratch.write("ask/recipient.ccc", &card);
    refused(&ask("intake"), 2, "moved");
    story.done("table deposit --pool pool --account-key maker.ccc --asset base --amount 10000");
    story.attempt("round", "", &[]);
    refused(&ask("round"), 2, "query");
    assert!(!story.scratch.path("q.ccc").exists() && !story.scratch.path("q.ccc.key").exists());
    assert_eq!(ask("ask").code, 0);
    story.ccc("table ask --pool pool --attempt ask --account-key maker.ccc --out q.ccc").fails(2, "q.ccc exists");
}

#[test]
fn an_attempt_answers_its_own_queries_and_reads_nothing_else() {
    let story = asked();
    refused(&story.ccc(RUN), 2, "no-queries");
    asks(&story, "maker", 1);
    story.attempt("next", "--query", &[1, 2, 3]);
    story.scratch.write("next/query-1.ccc", story.scratch.read("ask/query-1.ccc"));
    let run = story.ccc("fill run --pool pool --attempt next");
    run.fails(2, "next/query-1.ccc is left out: it was made for another attempt");
    story.prices();
    refused(&story.ccc(&format!("{RUN} --price prices.json")), 2, "not-read");
    story.statement(2, 1);
    refused(&story.ccc(&format!("{RUN} --statement statement.json")), 2, "not-read");
    assert_eq!(story.ccc("fill prepare --pool pool --out x --query --summary").code, 2);
    story.done(RUN);
}

/// A pool with two auditors.
fn audited() -> Story {
    let scratch = Scratch::new();
    for name in ["one", "two", "outsider"] {
        scratch.done(&format!("--no-passphrase keygen auditor --out {name}.ccc"));
    }
    let story = Story::founded(scratch, "--auditors one.pub two.pub");
    story.attempt("intake", "", &[1, 2, 3]);
    story.done("fill run --pool pool --attempt intake");
    story.attempt("totals", "--summary", &[1, 2, 3]);
    story
}

fn summary(story: &Story, auditor: &str) -> Run {
    story.ccc(&format!("--json table summary --pool pool --attempt totals --auditor-key {auditor}.ccc"))
}

#[test]
fn auditors_read_the_totals_and_nobody_else_does() {
    let story = audited();
    let run = story.done("--json fill run --pool pool --attempt totals").json();
    assert_eq!((&run["kind"], &run["answers"]), (&"summary".into(), &2.into()));
    for auditor in ["one", "two"] {
        let told = summary(&story, auditor);
        assert_eq!(told.code, 0, "{}", told.stderr);
        let told = told.json();
        assert_eq!((&told["version"], &told["accounts"], &told["rows"]), (&2.into(), &2.into(), &4.into()));
        let held: Vec<_> = told["totals"].as_array().expect("a list").iter().map(|total| &total["held"]).collect();
        assert_eq!(held, ["500000000", "500000000000"]);
        assert_eq!((&told["auditors_version"], &told["frozen_rows"]), (&1.into(), &0.into()));
    }
    refused(&summary(&story, "outsider"), 2, "not-an-auditor");
    refused(&summary(&story, "maker"), 2, "other-content");
    let line = story.done("table summary --pool pool --attempt totals --auditor-key one.ccc").stdout;
    assert!(line.starts_with("table version 2: 2 accounts, 4 rows, 0 of them frozen"), "{line}");
    assert_eq!(summary(&story, "one").json()["current"], true);
    story.attempt("idle", "", &[1, 2, 3]);
    story.done("fill run --pool pool --attempt idle");
    assert_eq!(summary(&story, "one").json()["current"], false);
    let line = story.done("table summary --pool pool --attempt totals --auditor-key one.ccc").stdout;
    assert!(line.starts_with("table version 2, not the current version: 2 accounts"), "{line}");
    let whole = story.scratch.read("totals/answers.ccc");
    let mut bent = whole.clone();
    bent[112] ^= 1;
    story.scratch.write("totals/answers.ccc", bent);
    refused(&summary(&story, "one"), 2, "attestation");
}

#[test]
fn another_set_of_auditors_is_another_enclave() {
    let story = audited();
    story.done("fill run --pool pool --attempt totals");
    let settings = String::from_utf8(story.scratch.read("pool/pool.toml")).expect("text");
    let (before, after) = settings.split_once("[auditors]\nversion = 1").expect("the set");
    story.scratch.write("pool/pool.toml", format!("{before}[auditors]\nversion = 2{after}"));
    refused(&summary(&story, "one"), 2, "attestation");
}

/// The table stays; who may read its totals from now on is another set under another measurement.
#[test]
fn the_next_version_of_the_set_reads_and_the_one_before_does_not() {
    let story = audited();
    let head = story.scratch.read("pool/head.json");
    let told = story.done("--json table auditors --pool pool --keys outsider.pub two.pub").json();
    assert_eq!((&told["auditors_version"], &told["keys"]), (&2.into(), &2.into()));
    assert_ne!(told["measurement"], told["former_measurement"]);
    assert!(told["configuration"].as_str().is_some_and(|digest| digest.len() == 64), "{told}");
    assert_eq!(story.scratch.read("pool/head.json"), head);
    refused(&story.ccc("--json fill run --pool pool --attempt totals"), 2, "unknown-block");
    story.attempt("again", "--summary", &[1, 2, 3]);
    story.done("fill run --pool pool --attempt again");
    let read = |auditor: &str| {
        story.ccc(&format!("--json table summary --pool pool --attempt again --auditor-key {auditor}.ccc"))
    };
    for auditor in ["outsider", "two"] {
        assert_eq!(read(auditor).json()["auditors_version"], 2);
    }
    refused(&read("one"), 2, "not-an-auditor");
    story.attempt("next", "", &[1, 2, 3]);
    story.done("fill run --pool pool --attempt next");
    story.done("verify --pool pool");
    let settings = story.scratch.read("pool/pool.toml");
    story.scratch.write("zero.pub", "00".repeat(32));
    for (keys, code) in [("one.pub one.pub", "auditors"), ("zero.pub", "config"), ("absent.pub", "read")] {
        refused(&story.ccc(&format!("--json table auditors --pool pool --keys {keys}")), 2, code);
        assert_eq!(story.scratch.read("pool/pool.toml"), settings);
    }
    assert_eq!(story.ccc("table auditors --pool pool").code, 2, "a set has a key");
}

#[test]
fn a_set_that_is_none_makes_no_pool() {
    let story = Story::stocked();
    let run = story.ccc("--json --no-passphrase fill prepare --pool pool --out totals --summary");
    refused(&run, 2, "auditors");
    assert!(!story.scratch.path("totals").exists());
    story.done("--no-passphrase keygen auditor --out one.ccc");
    let init = |auditors: &str| {
        let keys = "--committee keys/committee.ccc --agent-key agent.pub";
        let reserve = "00".repeat(20);
        story
            .ccc(&format!("--json --no-passphrase table init {keys} --reserve {reserve} --out p --auditors {auditors}"))
    };
    refused(&init("one.pub one.pub"), 2, "auditors");
    story.scratch.write("zero.pub", "00".repeat(32));
    refused(&init("zero.pub"), 2, "config");
    story.scratch.write("short.pub", "00");
    refused(&init("one.pub short.pub"), 2, "malformed");
    assert!(!story.scratch.path("p").exists());
    let settings = String::from_utf8(story.scratch.read("pool/pool.toml")).expect("text");
    let key = "11".repeat(32);
    story
        .scratch
        .write("pool/pool.toml", format!("{settings}\n[auditors]\nversion = 1\nkeys = [\"{key}\", \"{key}\"]\n"));
    story.ccc("table history --pool pool").fails(2, "auditor 1 does not come after the one before it");
}
