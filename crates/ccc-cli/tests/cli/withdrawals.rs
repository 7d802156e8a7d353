//! Out of the pool again: a withdrawal is debited by a round, and its payout is reported.

use super::support::Story;
use std::fs;

const TO: &str = "0x0202020202020202020202020202020202020202";
const CHECK: &str = "--json fill run --pool pool --attempt check --statement statement.json";

fn withdraw(story: &Story, owner: &str, asset: &str, amount: &str) {
    let request = format!("--account-key {owner}.ccc --asset {asset} --amount {amount} --to {TO}");
    story.done(&format!("table withdraw --pool pool {request}"));
}

/// Runs an idle round in this directory.
fn settle(story: &Story, name: &str) -> serde_json::Value {
    story.attempt(name, "", &[1, 2, 3]);
    story.done(&format!("--json fill run --pool pool --attempt {name}")).json()
}

fn amount(story: &Story, owner: &str, asset: &str) -> String {
    let balance = story.balance(owner);
    let rows = balance["rows"].as_array().expect("rows").clone();
    let row = rows.into_iter().find(|row| row["asset"] == asset).expect("a row");
    row["amount"].as_str().expect("text").to_owned()
}

#[test]
fn a_withdrawal_is_debited_and_its_payout_reported() {
    let story = Story::stocked();
    withdraw(&story, "reserve", "quote", "1000000");
    withdraw(&story, "maker", "base", "20000");
    let run = settle(&story, "pay");
    let payouts = run["payouts"].as_array().expect("a list");
    let told: Vec<_> = payouts.iter().map(|payout| (payout["amount"].as_str(), payout["to"].as_str())).collect();
    assert_eq!(told, [(Some("1000000"), Some(TO)), (Some("20000"), Some(TO))]);
    assert_eq!(amount(&story, "reserve", "quote"), "499999000000");
    assert_eq!(amount(&story, "maker", "base"), "499980000");
    let seen = "table history --pool pool --account-key reserve.ccc";
    let receipts = story.done(&format!("--json {seen}")).json()["versions"][0]["receipts"].clone();
    let (request, paid) = (&receipts[0], &receipts[1]);
    assert_eq!(
        (&request["slot"], &request["asset"], &paid["slot"], &paid["asset"]),
        (&16.into(), &0.into(), &17.into(), &serde_json::Value::Null)
    );
    assert_eq!((&paid["carried_out"], &paid["new_amount"]), (&true.into(), &"499999000000".into()));
    let lines = story.done(seen).stdout;
    assert!(lines.contains(" 499999000000 units of its asset "), "{lines}");
    for (file, amount, sequence) in [("pay/payout-1.ccc", "1000000", 1), ("pay/payout-2.ccc", "20000", 2)] {
        story.done(&format!("verify --pool pool {file}"));
        let fields = story.done(&format!("--json inspect {file}")).json();
        assert_eq!((&fields["report"], &fields["amount"]), (&"payout".into(), &amount.into()));
        assert_eq!((&fields["sequence"], &fields["to"]), (&sequence.into(), &TO[2..].into()));
    }
    withdraw(&story, "maker", "base", "10000");
    let run = settle(&story, "next");
    assert_eq!(run["payouts"][0]["report"], "next/payout-3.ccc", "the sequence goes on");
    assert_eq!(settle(&story, "idle")["payouts"], serde_json::json!([]), "a withdrawal is paid once");
}

#[test]
fn n126_more_than_the_free_part_is_not_paid() {
    let story = Story::stocked();
    withdraw(&story, "maker", "base", "100010000");
    withdraw(&story, "reserve", "base", "1");
    assert_eq!(settle(&story, "pay")["payouts"], serde_json::json!([]));
    assert_eq!(amount(&story, "maker", "base"), "500000000");
    assert!(!story.scratch.path("pay/payout-1.ccc").exists());
}

#[test]
fn what_was_paid_has_left_custody() {
    let story = Story::stocked();
    withdraw(&story, "maker", "base", "20000");
    settle(&story, "pay");
    story.statement(2_000_000_000, 1_000_000_000);
    story.attempt("check", "--reserve-check", &[1, 2, 3]);
    let head = story.scratch.read("pool/head.json");
    let text = String::from_utf8(head.clone()).expect("text");
    assert!(text.contains("\"amount\": \"20000\""), "{text}");
    let keys = story.scratch.read("check/attempt.key");
    let after = |amount: &str| text.replace("\"amount\": \"20000\"", &format!("\"amount\": \"{amount}\""));
    for (amount, sentence) in [
        ("2e4", "head.json: the payments are not integers that can be added"),
        ("500000001", "head.json has consumed what log.jsonl does not hold"),
    ] {
        story.scratch.write("pool/head.json", after(amount));
        story.ccc(CHECK.trim_start_matches("--json ")).fails(2, sentence);
    }
    story.scratch.write("pool/head.json", after("20001"));
    let run = story.ccc(CHECK);
    assert_eq!((run.code, &run.json()["status"]), (1, &"unknown".into()), "custody is below the rows: {}", run.stderr);
    story.scratch.write("pool/head.json", head);
    story.scratch.write_private("check/attempt.key", "");
    fs::write(story.scratch.path("check/attempt.key"), keys).expect("restored");
    let run = story.done(&format!("{CHECK} --force"));
    assert_eq!(run.json()["status"], "solvent");
}

#[test]
fn a_payout_counts_only_once_its_version_stands() {
    let story = Story::stocked();
    withdraw(&story, "maker", "base", "20000");
    let before = story.scratch.read("pool/head.json");
    settle(&story, "pay");
    story.done("verify --pool pool pay/payout-1.ccc");
    story.scratch.write("pool/head.json", before);
    let run = story.ccc("verify --pool pool pay/payout-1.ccc");
    run.fails(1, "table version 3 debits it, and version 2 stands");
}

#[test]
fn a_payout_in_the_way_is_not_replaced() {
    let story = Story::stocked();
    withdraw(&story, "maker", "base", "20000");
    story.attempt("pay", "", &[1, 2, 3]);
    story.scratch.write("pay/payout-1.ccc", "kept");
    let before = story.scratch.snapshot();
    story.ccc("fill run --pool pool --attempt pay").fails(2, "pay/payout-1.ccc exists");
    assert_eq!(story.scratch.snapshot(), before);
}

#[test]
fn n126_withdrawals_that_could_move_nothing_are_refused() {
    let story = Story::stocked();
    let settings = String::from_utf8(story.scratch.read("pool/pool.toml")).expect("text");
    let contract = settings.lines().find_map(|line| line.strip_prefix("contract = \"")).expect("a contract");
    let contract = contract.trim_end_matches('"');
    let before = story.scratch.snapshot();
    let withdraw =
        |terms: &str| story.ccc(&format!("table withdraw --pool pool --account-key maker.ccc --asset base {terms}"));
    withdraw(&format!("--amount 0 --to {TO}")).fails(2, "the amount: zero");
    withdraw(&format!("--amount 1 --to {}", "00".repeat(20))).fails(2, "the recipient: zero, or the pool itself");
    withdraw(&format!("--amount 1 --to {contract}")).fails(2, "the recipient: zero, or the pool itself");
    for terms in [format!("--amount -1 --to {TO}"), format!("--amount 1.5 --to {TO}"), "--amount 1 --to 0x02".into()] {
        assert_eq!(withdraw(&terms).code, 2, "{terms}");
    }
    assert_eq!(story.scratch.snapshot(), before);
}

#[test]
fn the_log_of_a_withdrawal_holds_no_account_and_no_amount() {
    let story = Story::stocked();
    withdraw(&story, "maker", "base", "123456789");
    let log = String::from_utf8(story.scratch.read("pool/log.jsonl")).expect("text");
    let line = log.lines().last().expect("a line");
    let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(event["event"], "withdrawal");
    let mut members: Vec<&String> = event.as_object().expect("an object").keys().collect();
    members.sort();
    assert_eq!(members, ["ciphertext", "event", "id", "time", "who"]);
    for secret in ["123456789", &hex::encode(123_456_789u128.to_be_bytes()), &TO[2..]] {
        assert!(!line.contains(secret), "{secret}");
    }
}
